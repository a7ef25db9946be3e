"""The pages say what was measured, and nothing else."""

import pytest

from benchmarks import figures

LINE = {
    "benchmark": "uplift",
    "machine": {"cores": 2},
    "figures": {"gain": 0.51234, "rows": 1234567},
    "goals": [{"key": "gain", "bound": 0.6, "direction": ">=", "value": 0.51234, "met": False}],
}


def test_front_page_and_page_are_what_the_kept_lines_give():
    lines = figures.kept()
    readme = figures.README.read_text("utf-8")
    assert readme == figures.front_page(readme, lines)
    assert figures.PAGE.read_text("utf-8") == figures.page(lines)


def test_unmet_goal_is_said_on_both_pages():
    assert "| gain | 0.5123 | at least 0.6: **not met** |" in figures.section("uplift", LINE)
    row = "| uplift | 0 of 1 | gain 0.5123 (at least 0.6) |"
    assert row in figures.goals_table({"uplift": LINE})


def test_only_the_named_block_changes():
    text = "a\n<!-- figures:goals -->\nold\n<!-- /figures:goals -->\nz\n"
    changed = figures.replaced(text, "goals", "new\n")
    assert changed == "a\n<!-- figures:goals -->\nnew\n<!-- /figures:goals -->\nz\n"


@pytest.mark.parametrize(
    ("value", "text"), [(1234567, "1,234,567"), (0.5, "0.5"), (12.3456, "12.35"), ("x", "x")]
)
def test_numbers_have_four_figures(value, text):
    assert figures.shown(value) == text
