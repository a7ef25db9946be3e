"""The report in a real browser: it draws, answers, asks nothing of the network, and can be read."""

import re
import shutil
from datetime import date
from functools import partial

import numpy as np
import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from actions.catalogue import ActionCatalogue
from delivery.facts import Known, report_facts
from delivery.report import render_report
from features import schemas
from pipelines.tables import polars_schema

# The browser's own calls home (updates, probes) are not what is tested: it resolves no name.
QUIET = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
WIDTHS = (390, 1024, 1600)
NAMES = {"win_back": "Win-back message", "thanks": "Thank-you letter", "survey": "Two questions"}
NAMES |= {f"more_{n}": f"Another action with a long name of its own, number {n}" for n in range(20)}
OVERLAPS = """() => {
  const boxes = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility({checkOpacity: true})) continue;
    if (parent.closest("script, style, .hidden, option, .tall")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects())
      if (r.width > 1 && r.height > 1) boxes.push([r, node.data.trim().slice(0, 30)]);
  }
  const hits = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, b] = [boxes[i][0], boxes[j][0]];
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 3 && y > 0.4 * Math.min(a.height, b.height)) hits.push([boxes[i][1], boxes[j][1]]);
  }
  return hits;
}"""


def build(table, rows):
    types = polars_schema(table)
    blanks = {"text": "x", "integer": 0, "float": 0.25, "date": date(2026, 1, 1), "boolean": False}
    blank = {c.name: None if c.nullable else blanks[c.kind] for c in table.columns}
    return pl.DataFrame([blank | row for row in rows], schema=types, orient="row")


def catalogue():
    action = {
        "tactic": "targeted_email", "goal": "retain", "stages": ["retention"],
        "levels": ["loyalty"], "activities": ["active"], "channels": {"email": 1},
        "cooldown_days": 30, "expires_days": 14, "brief": "For regular customers. Say thanks.",
        "effect": {"points": 2, "sd": 1, "source": "assumption"},
    }  # fmt: skip
    return ActionCatalogue.model_validate(
        {
            "channels": {"email": {"consent": True}},
            "all_channels": {"count": 4, "days": 30},
            "actions": [action | {"id": code, "name": name} for code, name in NAMES.items()],
        }
    )


def page_text(customers=600):
    """A report on made-up customers, with something in every section."""
    draw = np.random.default_rng(7)
    pick = lambda options: str(draw.choice(options))  # noqa: E731
    scores, decisions = [], []
    for number in range(customers):
        who, risk = f"{number:06d}", round(float(draw.random()), 3)
        scores.append(
            {"customer_id": who, "reported_stage": pick(schemas.STAGES),
             "reported_level": pick(schemas.LEVELS),
             "activity": pick(schemas.ACTIVITIES), "churn_risk": risk, "score_source": "model",
             "reason_1": f"no order for {number % 90 + 20} days", "stage_model": "model"}
        )  # fmt: skip
        common = 3 if number % 4 else None
        done = {"outcome": "exported", "action_id": pick(list(NAMES)[:common]), "channel": "email",
                "basis": "assumed", "expected_net_value_cents": int(draw.integers(1, 5000)),
                "cost_cents": 100}  # fmt: skip
        gone = {"outcome": "held_out", "exit_reason": "holdout"}
        row = done if number % 10 else gone
        decisions.append({"customer_id": who, "decision_id": who} | row)
    stages = schemas.STAGES
    moves = [(a, b, int(draw.integers(0, 60)) + 200 * (a == b)) for a in stages for b in stages]
    curve = [(100 * b, 90 * b, int(40_000 * b**0.5), 10 * b) for b in (0, 50, 100, 200, 300, 1000)]
    rules = [(f"not_eligible: {code}", 40, 900_000 - 99 * n) for n, code in enumerate(NAMES)]
    runs = 6
    ledger = {"as_of": [date(2025, n + 1, 1) for n in range(runs)], "exported": [500] * runs,
              "cost_cents": [1000] * runs, "promised_successes": [12.0] * runs,
              "realised_successes": [8.5] * runs, "realised_low": [-1.0] * runs,
              "realised_high": [18.0] * runs, "realised_value_cents": [12345.0] * runs}  # fmt: skip
    known = Known(
        pl.DataFrame(
            curve, ["budget_cents", "spent_cents", "net_value_cents", "actions"], orient="row"
        ),
        pl.DataFrame(rules, ["rule", "customers", "forgone_cents"], orient="row"),
        pl.DataFrame(
            {
                "scope": ["overall"],
                "action_id": ["all"],
                "verdict": ["none"],
                "words": ["No detectable effect so far."],
            }
        ),
        pl.DataFrame(ledger),
    )
    test = {
        "test_as_of": "2025-12-01", "horizon_days": 30, "n": 600, "churn_rate": 0.2, "why": "ok",
        "rows": [{"model": "keepwell", "auc": 0.8, "log_loss": 0.4, "ece": 0.02}],
        "calibration": [{"predicted": p, "observed": p + 0.02, "n": 60} for p in (0.1, 0.4, 0.8)],
        "champion": {"name": "keepwell-churn", "version": "1"},
    }  # fmt: skip
    run = {
        "as_of": "2026-01-01", "previous_as_of": "2025-12-25", "published_before": True,
        "judged_on": "2026-01-31", "run_id": "r", "company": "Example",
        "currency": "EUR", "budget_cents": 10_000, "spent_cents": 9_000, "holdout_share": 0.1,
        "horizon_days": 30, "gap_days": 0, "lookback_days": 90,
        "data_span": ["2025-01-01", "2025-12-31"],
        "sources": [{"source": "till", "rows_in": 10, "accepted": 7, "duplicates": 2,
                     "quarantined": 1, "events": 7, "reasons": {"missing_id": 1},
                     "last_on": "2025-12-31", "warnings": ["rows fell by half"]}],
        "definitions": {"stages": [{"id": "retention", "meaning": "To be kept."}],
                        "levels": [], "activities": []},
    }  # fmt: skip
    moved = pl.DataFrame(moves, ["stage_before", "stage_now", "customers"], orient="row")
    return render_report(
        report_facts(
            scores=build(schemas.SCORES, scores), decisions=build(schemas.DECISIONS, decisions),
            movement=moved, evaluation={"churn": test}, catalogue=catalogue(), run=run,
            top_customers=50, known=known,
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page_text(), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, address):
    """Open the report; collect what it asks of the network and says on the console."""
    pages = []

    def at(width=1024, **settings):
        page = chromium.new_page(
            viewport={"width": width, "height": 900}, locale="en-GB", **settings
        )
        pages.append(page)
        page.asked, page.said = [], []
        page.on("request", lambda r: page.asked.append(r.url) if r.url != address else None)
        page.on("console", lambda m: page.said.append(m.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(address)
        page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        return page

    yield at
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_picture_draws_no_text_overlaps_and_nothing_is_asked_or_complained_of(opened, width):
    page = opened(width)
    drawn = page.eval_on_selector_all(".live", "all => all.map(one => one.dataset.drawn)")
    assert len(drawn) >= 14
    assert set(drawn) == {"yes"}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    assert page.asked == []
    assert page.said == []


def test_slider_changes_the_figures_and_the_line_in_the_picture(opened):
    page = opened()
    value = partial(page.inner_text, "#budget-net")
    assert (value(), page.inner_text("#budget-change")) == ("\u20ac4,000.00", "as planned")
    before = page.inner_html(".curve .live")
    page.locator("#budget-slider").fill("200")
    assert value() == "\u20ac5,656.85"
    assert page.inner_text("#budget-change") == "\u20ac1,656.85 more than planned"
    assert page.inner_text("#budget-actions") == "2,000"
    page.wait_for_timeout(100)
    assert page.inner_html(".curve .live") != before
    page.locator("#budget-slider").press("Home")
    assert value() == "\u20ac0.00"


def shown(page):
    return page.locator("#customers-table tbody tr:visible").count()


def test_search_and_filters_work_together_and_can_be_cleared(opened):
    page = opened()
    assert shown(page) == 50
    page.fill("#customers-search", "RETENTION thank")
    both = shown(page)
    rows = page.locator("#customers-table tbody tr:visible").all_inner_texts()
    assert 0 < both < 50
    assert all("Retention" in row and "Thank-you letter" in row for row in rows)
    page.select_option("#customers-action", "Win-back message")
    assert shown(page) == 0
    assert page.inner_text("#customers-count") == "0 of 50 customers shown"
    page.click("#customers-clear")
    assert shown(page) == 50
    page.select_option("#customers-reason", "no order for \u2026 days")
    assert shown(page) == 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened, scheme):
    found = Axe().run(opened(color_scheme=scheme)).response["violations"]
    serious = [
        (one["id"], len(one["nodes"])) for one in found if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_prints_on_two_pages(opened):
    paper = opened().pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 2


def test_without_scripts_pictures_and_tables_are_there(chromium, address):
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(address)
    assert page.locator(".live svg").count() >= 14
    assert page.locator("#customers-table tbody tr").count() == 50
    page.close()
