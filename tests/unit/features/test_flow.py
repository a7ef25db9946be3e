"""A week's events held against the weeks before, in figures small enough to count."""

from datetime import date

import narwhals as nw
import polars as pl
import pytest

from features.flow import EVERY, NONE, Week, by_type, flow_findings, weekly

USUAL = Week(events=1000, customers=500, cents=50_000, channels=1000, hours=1000)


@pytest.fixture
def found(monitor_params):
    def of(now, past=(USUAL,) * 4):
        return flow_findings({"order": [now, *past]}, monitor_params)

    return of


def test_week_as_usual_is_fine(found):
    (finding,) = found(USUAL)
    assert (finding.check, finding.severity) == ("flow", "ok")


@pytest.mark.parametrize(
    ("now", "check", "words"),
    [
        (NONE, "stopped", "order: none in the last week, usually 1,000"),
        (USUAL._replace(events=500, customers=250, cents=25_000, channels=500, hours=500),
         "volume", "order: events: 500 in the last week, 0.50 times the usual 1,000"),
        (USUAL._replace(cents=5_000_000), "content",
         "order: money an event: 5,000 in the last week, 100.00 times the usual 50"),
        (USUAL._replace(cents=0), "content",
         "order: money an event: 0 in the last week, 0.00 times the usual 50"),
        (USUAL._replace(customers=1), "content",
         "order: events a customer: 1,000 in the last week, 500.00 times the usual 2"),
        (USUAL._replace(channels=100), "content",
         "order: rows with a channel: 10% in the last week, usually 100%"),
        (USUAL._replace(hours=0), "content",
         "order: rows with an hour: 0% in the last week, usually 100%"),
    ],
)  # fmt: skip
def test_what_broke_is_an_error_in_words(found, now, check, words):
    (finding,) = found(now)
    assert (finding.check, finding.severity, finding.words) == (check, "error", words)


def test_restless_series_may_move_further(found):
    past = [USUAL._replace(events=n, customers=n // 2, cents=50 * n, channels=n, hours=n)
            for n in (400, 1000, 2500, 1000)]  # fmt: skip
    now = USUAL._replace(events=500, customers=250, cents=25_000, channels=500, hours=500)
    assert [f.check for f in found(now, past)] == ["flow"]


def test_rare_events_are_not_judged(found):
    few = Week(events=99, customers=50, cents=0, channels=99, hours=99)
    (finding,) = found(NONE, (few,) * 4)
    assert finding.words == "too few events a week to say what is usual"


def test_weeks_are_counted_back_from_the_as_of_date():
    log = pl.DataFrame(
        [  # day of the event, day on which it was known; the as-of date is day 20
            ("a", 19, 19, 100, "web", 8),  # latest week: days 13 to 19
            ("b", 13, 13, 0, None, None),
            ("a", 12, 12, 0, "web", 9),  # the week before
            ("a", 20, 20, 0, "web", 9),  # not seen
            ("a", 12, 20, 0, "web", 9),  # known too late
        ],
        schema=["customer_id", "day", "visible_day", "value_cents", "channel", "hour"],
        orient="row",
    ).with_columns(event_type=pl.lit("order"))
    rows = weekly(nw.from_native(log.lazy()), date(1970, 1, 21), 4).to_native().collect().rows()
    series = by_type(rows, 2)
    assert series["order"] == [Week(2, 2, 100, 1, 1), Week(1, 1, 0, 1, 1), NONE]
    assert series[EVERY] == series["order"]
