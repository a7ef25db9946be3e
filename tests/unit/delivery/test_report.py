"""The report: complete, self-contained, readable and silent about single customers."""

import base64
import hashlib
import html
import re
from datetime import date
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from delivery import formats
from delivery.charts import figure_svg
from delivery.facts import NOTHING_BESIDES, Known, report_facts
from delivery.pieces import Figure, Mark, TextTable
from delivery.report import render_report
from delivery.standing import stage_movement
from features.errors import DataError
from features.hysteresis import Flips

NO_MOVES = pl.DataFrame(
    schema={"stage_before": pl.String, "stage_now": pl.String, "customers": pl.Int64}
)
EXITS = {
    "holdout": "Held out for measurement",
    "no_consent": "No consent to be contacted",
    "not_eligible": "Does not meet an action&#39;s conditions",
    "not_applicable": "No action for their situation",
    "contact_cap": "Contacted often enough already",
    "cool_down": "Had the same action recently",
    "no_gain": "Not worth its cost",
    "budget": "Budget used up",
    "capacity": "Capacity used up",
}
TEST = {
    "test_as_of": "2017-12-02",
    "horizon_days": 30,
    "n": 2323,
    "churn_rate": 0.133,
    "rows": [
        {"model": "rfm_logistic", "auc": 0.84, "log_loss": 0.31, "ece": 0.02},
        {"model": "keepwell", "auc": 0.86, "log_loss": 0.29, "ece": 0.012},
    ],
    "calibration": [
        {"predicted": 0.02, "observed": 0.018, "n": 232},
        {"predicted": 0.4, "observed": 0.37, "n": 232},
    ],
    "champion": {"name": "keepwell-churn", "version": "1"},
    "why": "beats rfm_logistic: AUC +0.020",
}


@pytest.fixture
def page(scores, decisions, exported, catalogue, run):
    """Render a report; what is not given is the smallest that works: one customer."""

    def of(
        who=None, what=None, *, moves=NO_MOVES, evaluation=None, listed=0, known=NOTHING_BESIDES,
        **changes,
    ) -> str:  # fmt: skip
        facts = report_facts(
            top_customers=listed,
            scores=scores({"customer_id": "CUST-01"}) if who is None else who,
            decisions=decisions(exported("CUST-01")) if what is None else what,
            movement=moves,
            evaluation=evaluation or {},
            catalogue=catalogue,
            run=run | changes,
            known=known,
        )
        return render_report(facts)

    return of


@pytest.fixture
def full(page, scores, decisions, exported):
    """Report with something in every section."""
    risks = [0.05, 0.3, 0.7, None, 0.1, 0.2, 0.9, 0.6, 0.4, 0.01]
    who = scores(
        *(
            {
                "customer_id": f"CUST-{i:02d}",
                "churn_risk": risk,
                "reason_1": f"Silent for {i} days of 90",
            }
            for i, risk in enumerate(risks)
        )
    )
    gone = [
        {"customer_id": f"CUST-{i:02d}", "outcome": "no_action", "exit_reason": code}
        for i, code in enumerate(EXITS, 1)
    ]
    moves = pl.DataFrame(
        [("engagement", "retention", 4), ("retention", "retention", 5), (None, "awareness", 1)],
        schema=NO_MOVES.schema,
        orient="row",
    )
    return page(
        who,
        decisions(exported("CUST-00"), *gone),
        moves=moves,
        evaluation={"churn": TEST},
        previous_as_of="2017-11-25",
    )


def text_of(page: str) -> str:
    """Return what a reader sees: without style, tags and pictures."""
    bare = re.sub(r"(?s)<style>.*?</style>|<svg.*?</svg>|<script.*?</script>", " ", page)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())


def svgs(page: str) -> list[str]:
    return re.findall(r"(?s)<svg.*?</svg>", still(page))


def still(page: str) -> str:
    """Return the page without its scripts."""
    return re.sub(r"(?s)<script.*?</script>", "", page)


class Outline(HTMLParser):
    """Levels of the headings, in order, and the tags that are open at the end."""

    VOID = ("meta", "link", "br", "hr", "img", "input")

    def __init__(self):
        super().__init__()
        self.levels, self.open = [], []

    def handle_starttag(self, tag, attrs):
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_no_customer_is_named(full):
    assert "CUST-" not in full


def test_only_the_listing_names_customers_and_only_by_id(page):
    page = page(listed=1)
    listed = page.partition('id="customers"')[2].partition("</section>")[0]
    assert page.count("CUST-01") == listed.count("CUST-01") == 1


def test_policy_names_the_scripts_by_their_hashes_and_allows_nothing_else(full):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', full)
    scripts = re.findall(r"(?s)<script>(.*?)</script>", full)
    digests = [hashlib.sha256(text.encode()).digest() for text in scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    assert len(scripts) == 2
    assert html.unescape(policy[1]) == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}"
    )


def test_nothing_is_loaded_from_elsewhere(full):
    full = still(full)
    assert not re.search(r"(?i)(src|href|data)\s*=\s*[\"']?(?!#)[a-z]+:?//", full)
    bare = full.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"(?i)url\(|@import|<script|<link|<img|<iframe|https?://", bare)


def test_every_action_of_the_catalogue_appears_with_its_brief(full):
    assert "Thank-you letter" in full
    assert "=SUM(A1)" in full
    assert full.count("Thank them, and sell nothing.") == 2


def test_exit_reasons_appear_in_words_and_not_as_codes(full):
    seen = text_of(full)
    assert all(name in seen for name in EXITS.values())
    assert not re.search(r"\b[a-z]+_[a-z_]+\b", seen)


def test_outcomes_are_shown_as_a_sum(full):
    line = "10 scored = 1 in the action file + 0 held out + 0 suppressed + 9 no action"
    assert line in text_of(full)


def test_pictures_are_well_formed_and_labelled(full):
    assert len(svgs(full)) == 14
    for svg in svgs(full):
        root = ET.fromstring(svg)
        assert root.attrib["role"] == "img"
        assert len(root.attrib["aria-label"]) > 20


def test_headings_go_down_one_level_at_a_time_and_tags_close(full):
    outline = Outline()
    outline.feed(full)
    steps = zip(outline.levels, outline.levels[1:], strict=False)
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in steps)
    assert outline.open == []


def test_every_table_has_a_caption(full):
    page = still(full)
    assert page.count("<table") == page.count("<caption>")


def test_auc_is_put_in_words(full):
    assert "86 times in 100" in text_of(full)


def test_reasons_that_differ_only_in_figures_are_one(full):
    assert "Silent for … days of 90" in full


def test_moves_to_a_later_stage_are_counted(full):
    said = text_of(full)
    assert "4 customers moved to a later stage and 0 to an earlier one; 5 stayed." in said
    assert "So 44.4% of those known both times changed their stage." in said
    assert "1 customer is new to the list." in said


def test_the_flip_rate_is_said_by_the_rules_and_as_reported(page):
    flipped = Flips(30, 200, {"stage": 0.125, "level": 0.25}, {"stage": 0.04, "level": 0.1})
    said = text_of(page(known=Known(flips=flipped)))
    assert "rules alone would have changed the stage of 12.5% and the level of 25.0%" in said
    assert "what is reported changed the stage of 4.0% and the level of 10.0%" in said


def test_no_reported_stage_is_expected_to_be_earlier_than_todays_rules(scores, run):
    """In engagement by the rules, still reported in retention; half are to fall to awareness."""
    p = {"p_stage_awareness": 0.5, "p_stage_engagement": 0.2, "p_stage_retention": 0.3}
    held = {"stage": "engagement", "reported_stage": "retention"} | p
    who = scores(*({"customer_id": f"CUST-{k:02d}"} | held for k in range(10)))
    moved = stage_movement(NO_MOVES, who, evaluation={}, flips=None, run=run)
    engagement, retention = moved.expected.rows[2:]
    assert engagement == ("Engagement", "0", "7", "+7")
    assert retention[:3] == ("Retention", "10", "3")


def test_same_inputs_give_the_same_bytes(page):
    assert page() == page()


def test_order_of_the_rows_does_not_show(page, scores, decisions, exported):
    odd = [0.1 * i + 1 / (i + 3) for i in range(200)]
    who = scores(*({"customer_id": f"C{i:03d}", "social_score": v} for i, v in enumerate(odd)))
    what = decisions(*(exported(name) for name in who["customer_id"]))
    assert page(who, what) == page(who.reverse(), what.reverse())


def test_company_name_is_text_not_markup(page):
    assert "Example &lt;Grocer&gt; &amp; Co" in page()


def test_first_run_has_nothing_to_compare_with(page):
    assert "This is the first snapshot" in page()


def test_without_a_model_the_rule_is_named(page, scores):
    who = scores({"customer_id": "CUST-01", "churn_risk": 0.3, "score_source": "rule"})
    failed = {"rows": [], "champion": None, "why": "too few customers"}
    said = text_of(page(who, evaluation={"churn": failed}))
    assert "comes from a simple rule, not from a trained model" in said
    assert "none passed its test: too few customers." in said


def test_challenger_that_failed_leaves_the_model_in_use(page):
    failed = TEST | {"promoted": False, "why": "loses to the champion: AUC -0.1, so it stays"}
    said = text_of(page(evaluation={"churn": failed}))
    assert "did not replace it: loses to the champion: AUC -0.1, so it stays." in said


def test_simpler_rule_with_better_probabilities_is_named(page):
    rows = [{"model": "recency", "ece": 0.019}, {"model": "keepwell", "auc": 0.8, "ece": 0.043}]
    said = text_of(page(evaluation={"churn": TEST | {"rows": rows}}))
    assert "less exact than those of “Rule of days since the last purchase”" in said


def test_missing_evaluation_is_said(page):
    assert "No test of the churn model is on record" in page()


def test_nothing_exported_is_said(page, decisions):
    what = decisions({"customer_id": "CUST-01", "outcome": "no_action", "exit_reason": "no_gain"})
    assert "No action is worth taking this time" in page(what=what, spent_cents=0)


@pytest.mark.parametrize("budget", [None, 0])
def test_no_budget_is_no_picture(page, budget):
    assert "Expected cost against budget" not in page(budget_cents=budget)


def test_no_churn_risk_at_all_is_said(page):
    assert "None has bought lately enough to have a churn risk." in page()


def test_rows_that_do_not_add_up_are_refused(page):
    source = {"source": "till", "rows_in": 9, "accepted": 7, "duplicates": 1, "quarantined": 0}
    with pytest.raises(DataError, match="rows do not add up"):
        page(sources=[source | {"events": 7}])


def test_customers_that_do_not_add_up_are_refused(page, scores):
    with pytest.raises(DataError, match="counts do not add up"):
        page(scores({"customer_id": "CUST-01"}, {"customer_id": "CUST-02"}))


def test_no_scores_are_refused(page, scores):
    with pytest.raises(DataError, match="no rows"):
        page(scores())


@pytest.mark.parametrize("kind", ["bars", "long_bars", "stacks", "pairs", "budget", "flow"])
def test_labels_with_markup_and_zeros_draw(kind):
    marks = (Mark('<b> & "q"', 0.0, "0", "=1"), Mark("b", 0.0, "0", "two"))
    table = TextTable("t", ("a", "b"), ())
    root = ET.fromstring(figure_svg(Figure("t", 'a "quoted" <label>', kind, marks, table)))
    assert root.attrib["aria-label"] == 'a "quoted" <label>'
    assert "NaN" not in ET.tostring(root, encoding="unicode")


LEDGER = {
    "as_of": [date(2017, 10, 1)], "exported": [500], "cost_cents": [1000],
    "promised_successes": [12.0], "realised_successes": [8.5], "realised_low": [-1.0],
    "realised_high": [18.0], "realised_value_cents": [-4321.0],
}  # fmt: skip
SAID = pl.DataFrame(
    [
        ("overall", "all", "none", "All actions: no effect, 95 % interval."),
        ("action", "thank_you", "raises", "thank_you: works."),
        ("action", "sum", "too_few", "sum: too few."),
        ("action_stage", "thank_you", "none", "Hidden."),
    ],
    ["scope", "action_id", "verdict", "words"],
    orient="row",
)


def test_before_anything_can_be_judged_the_report_says_when(page):
    said = text_of(page())
    assert "runs from 1 January 2018 on compare everybody who was to get an action" in said


def test_without_a_holdout_the_report_says_that_nothing_can_be_judged(page):
    assert "Nobody is held out, so what the actions change cannot" in page(holdout_share=0)


def test_what_was_promised_stands_beside_what_was_realised(page):
    page = page(known=Known(measured=SAID, ledger=pl.DataFrame(LEDGER)))
    said = text_of(page)
    assert "1 past run can be judged: its window is complete." in said
    assert "1 October 2017 500 $10.00 12.0 8.5 \u22121.0 to 18.0 \u2212$43.21" in said
    assert "All actions: no effect, 95% interval. Thank-you letter: works. 1 action cannot" in said
    assert "Hidden." not in said
    assert "promised 12.0, realised 8.5" in page


def test_run_without_a_holdout_has_a_promise_and_no_result(page):
    none = {"realised_successes": [None], "realised_low": [None], "realised_high": [None],
            "realised_value_cents": [None]}  # fmt: skip
    known = Known(measured=SAID, ledger=pl.DataFrame(LEDGER | none))
    assert "$10.00 12.0 \u2013 \u2013 \u2013" in text_of(page(known=known))


def test_why_rows_were_set_aside_and_what_a_source_warns_of_is_said(page, run):
    (till,) = run["sources"]
    said = text_of(page(sources=[till | {"warnings": ["rows fell by half."]}]))
    assert "Till, set aside: missing id 1. Till: rows fell by half." in said


def test_each_model_is_named_with_its_last_test(page, scores):
    who = scores({"customer_id": "CUST-01", "churn_risk": 0.3, "churn_model": "keepwell-churn 1"})
    said = text_of(page(who, evaluation={"churn": TEST | {"test_as_of": "2017-11-02"}}))
    assert "A model gives the churn risk of all 1 who have one." in said
    row = "Churn risk Keepwell-churn 1 2 November 2017, 30 days before Passed: beats"
    assert row in said


def test_numbers_follow_the_locale_and_words_do_not(page, decisions, exported):
    what = decisions(exported("CUST-01", expected_net_value_cents=123_456))
    with formats.written_in("de-DE"):
        german = page(what=what, currency="EUR")
    assert "1.234,56\u00a0\u20ac" in german
    assert "customer gets an action" in german
    assert '"locale": "de-DE"' in german
    assert "1,234.56" in page(what=what, currency="EUR")


def test_name_written_from_right_to_left_keeps_its_own_direction(page):
    company = "\u0645\u062a\u062c\u0631 (1)"
    assert f'<p class="over" dir="auto">{company}</p>' in page(company=company)
