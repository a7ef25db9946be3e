"""What a run tells: one line or one JSON object a step, which no name can forge."""

import json
from datetime import date

import pytest

from pipelines.journal import Entry, as_json, as_line

SCORED = Entry("r1", date(2026, 1, 1), "score", "40 customers", "info", 40, 40, 1.25, 310)
FORGED = "shop\nrun: delivered\x1b[2J\u2028x"


def test_line_has_the_words_first_and_then_each_figure_by_name():
    assert (
        as_line(SCORED)
        == str(SCORED)
        == (
            "score: 40 customers  run=r1 as_of=2026-01-01 rows_in=40 rows_out=40 seconds=1.25 "
            "peak_mib=310"
        )
    )


def test_json_has_the_same_figures_by_the_same_names():
    assert json.loads(as_json(SCORED)) == {
        "run": "r1", "as_of": "2026-01-01", "step": "score", "message": "40 customers",
        "level": "info", "rows_in": 40, "rows_out": 40, "seconds": 1.25, "peak_mib": 310,
    }  # fmt: skip


def test_remark_has_its_level_and_no_figures():
    remark = Entry("r1", date(2026, 1, 1), "ingest", "old data", "warning")
    assert as_line(remark) == "ingest: warning: old data  run=r1 as_of=2026-01-01"


@pytest.mark.parametrize("form", [as_line, as_json])
def test_name_from_outside_cannot_begin_a_line_or_move_the_cursor(form):
    line = form(SCORED._replace(message=FORGED))
    assert line.isprintable()
    assert "shop\\nrun: delivered" in line
