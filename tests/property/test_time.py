"""No feature sees the future, whatever the log; windows adjoin; no customer is lost."""

from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.daily import KEY, daily_table
from features.definitions import Definitions
from features.dimensions import Dimensions, Kind
from features.lifetime import lifetime
from features.params import ChurnParams, CutoffParams
from features.pauses import with_pauses
from features.time import cutoffs, day_number, in_label_window, in_window, labelled_dates, visible
from pipelines.config import read_params
from pipelines.custom import read_custom

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 11, 1)
TODAY = day_number(AS_OF)
CUSTOMERS = ("ann", "bob", "eve", "kim")
KNOWN_DAYS_AGO = {"ann": 500, "bob": 40, "eve": 1, "kim": 0, "zoe": 300}
EVENT = {
    "customer_id": pl.String,
    "day": pl.Int64,
    "visible_day": pl.Int64,
    "role": pl.String,
    "engagement_type": pl.String,
    "channel": pl.String,
    "value_cents": pl.Int64,
    "discount_cents": pl.Int64,
    "hour": pl.Int64,
}
KINDS = (
    ("value", "transactional", "store"),
    ("value", "transactional", "web"),
    ("service", None, None),
    ("visit", "social", "web"),
    ("advocacy", "emotional", None),
    ("exposure", None, "email"),
    ("intent", "experiential", "app"),
)

pytestmark = pytest.mark.filterwarnings("error")
phases = (Phase.explicit, Phase.generate, Phase.shrink)
moderately = settings(deadline=None, max_examples=25, derandomize=True, phases=phases)
thoroughly = settings(deadline=None, max_examples=100, derandomize=True, phases=phases)


@st.composite
def events(draw, *, first_day: int, last_day: int, loaded_from: int = -(10**6)) -> tuple:
    """Draw one event of a day in a range, counted from the as-of date, loaded from a day on."""
    day = draw(st.integers(first_day, last_day))
    loaded = max(day, loaded_from) + draw(st.sampled_from([0, 0, 0, 1, 5, 40]))
    role, kind, channel = draw(st.sampled_from(KINDS))
    cents, discount = draw(st.integers(-5000, 20_000)), draw(st.sampled_from([0, 0, 300]))
    hour = draw(st.sampled_from([None, 0, 9, 20]))
    customer = draw(st.sampled_from(CUSTOMERS))
    return (customer, TODAY + day, TODAY + loaded, role, kind, channel, cents, discount, hour)


happened_before = events(first_day=-800, last_day=-1)
happened_after = events(first_day=0, last_day=60)
loaded_after = events(first_day=-400, last_day=-1, loaded_from=0)
seen_events = st.lists(happened_before.filter(lambda row: row[2] < TODAY), max_size=30)
anything = st.lists(st.one_of(happened_before, happened_after, loaded_after), max_size=40)
unseen = st.lists(st.one_of(happened_after, loaded_after), min_size=1, max_size=15)


DIMENSIONS = Dimensions(tuple(dict.fromkeys(Kind(r, t) for r, t, _ in KINDS)), ("web", "email"))


@pytest.fixture(scope="module")
def definitions():
    """The windows that every layer reads (the others are made the same way), and custom ones."""
    shipped = read_params(ROOT / "params.yaml").features
    fewer = {"windows_days": [90, 365], "half_lives_days": [45]}
    custom = read_custom(ROOT / "catalogue")
    return Definitions(shipped.model_copy(update=fewer), DIMENSIONS, custom)


@pytest.fixture(scope="module")
def features_of(definitions, snapshots_of):
    """Build the snapshot of a log."""
    spine = pl.DataFrame(
        {
            "customer_id": list(KNOWN_DAYS_AGO),
            "known_day": [TODAY - ago for ago in KNOWN_DAYS_AGO.values()],
        }
    )

    def of(log: list[tuple], as_of: date = AS_OF) -> pl.DataFrame:
        return snapshots_of(table(log), spine, [as_of], definitions)[as_of]

    return of


def table(log: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(log, schema=EVENT, orient="row")


def parquet(rows: pl.DataFrame) -> bytes:
    file = BytesIO()
    rows.write_parquet(file)
    return file.getvalue()


@moderately
@given(past=seen_events, future=unseen)
def test_whatever_happens_or_is_loaded_from_the_as_of_date_on_the_bytes_are_the_cut_off_logs(
    features_of, past, future
):
    assert parquet(features_of([*future, *past])) == parquet(features_of(past))


def random_log(seed: int, customers: int, *, unseen: bool) -> pl.DataFrame:
    """Some thirty events of each customer, of which those that are unseen came or come later."""
    draw = np.random.default_rng([seed, unseen])
    count = 10 * customers if unseen else 20 * customers
    day = TODAY + draw.integers(-900, 60 if unseen else 0, count)
    kinds = draw.integers(0, len(KINDS), count)
    visible = np.maximum(day, TODAY) if unseen else np.minimum(day + draw.integers(0, 9, count),
                                                               TODAY - 1)  # fmt: skip
    names = np.array([f"c{n}" for n in range(customers)])
    return pl.DataFrame(
        {
            "customer_id": names[draw.integers(0, customers, count)],
            "day": day,
            "visible_day": visible + (draw.integers(0, 30, count) if unseen else 0),
            **{name: [kind[i] for kind in (KINDS[k] for k in kinds)]
               for i, name in enumerate(("role", "engagement_type", "channel"))},
            "value_cents": draw.integers(-5000, 20_000, count),
            "discount_cents": draw.integers(0, 500, count),
            "hour": draw.integers(0, 24, count),
        },
        schema=EVENT,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_none_of_1000_histories_changes_a_byte_by_what_is_unseen(snapshots_of, definitions, seed):
    names = [f"c{n}" for n in range(100)]
    spine = pl.DataFrame({"customer_id": names, "known_day": [TODAY - 1000] * len(names)})
    past, unseen = (random_log(seed, len(names), unseen=u) for u in (False, True))
    dates = [AS_OF]
    alone = snapshots_of(past, spine, dates, definitions)[AS_OF]
    whole = snapshots_of(pl.concat([unseen, past]), spine, dates, definitions)[AS_OF]
    assert alone["events_365d"].sum() > 500
    assert parquet(whole) == parquet(alone)


@moderately
@given(log=anything, data=st.data())
def test_order_of_the_events_changes_no_byte(features_of, log, data):
    shuffled = data.draw(st.permutations(log))
    assert parquet(features_of(log)) == parquet(features_of(shuffled))


@moderately
@given(log=anything, as_of=st.dates(AS_OF - timedelta(days=600), AS_OF + timedelta(days=60)))
def test_every_customer_known_before_the_date_has_one_row_and_nobody_else(features_of, log, as_of):
    known = [c for c, ago in KNOWN_DAYS_AGO.items() if AS_OF - timedelta(days=ago) < as_of]
    assert features_of(log, as_of)["customer_id"].to_list() == sorted(known)


@moderately
@given(log=anything)
def test_no_event_is_lost_or_counted_twice(features_of, log):
    counted = features_of(log).select("customer_id", "value_events", "value_events_365d")
    for customer, ever, year in counted.rows():
        days = [
            TODAY - row[1]
            for row in log
            if row[0] == customer and row[3] == "value" and row[1] < TODAY and row[2] < TODAY
        ]
        assert (ever, year) == (len(days), sum(1 <= age <= 365 for age in days))


@thoroughly
@given(log=anything, as_of=st.dates(AS_OF - timedelta(days=500), AS_OF))
def test_daily_table_seen_on_a_date_is_the_daily_table_of_what_was_loaded_by_then(log, as_of):
    cut = day_number(as_of)

    def seen(rows: list[tuple]) -> pl.DataFrame:
        daily = daily_table(nw.from_native(table(rows).lazy()), DIMENSIONS)
        return visible(daily, as_of).collect().to_native().sort(KEY)

    assert seen(log).equals(seen([row for row in log if row[2] < cut]))


@thoroughly
@given(log=anything, cut=st.integers(-400, 0))
def test_pauses_of_a_table_in_memory_are_those_of_a_lazy_one(log, cut):
    daily = daily_table(nw.from_native(table(log).lazy()), DIMENSIONS).collect()
    early = nw.col("visible_day") < TODAY + cut
    past = lifetime(with_pauses(daily.filter(early).lazy()), DIMENSIONS)
    rows = daily.filter(~early)
    made, lazily = (
        with_pauses(kind, past).collect().to_native().sort(KEY) for kind in (rows, rows.lazy())
    )
    assert made.equals(lazily.select(made.columns))


@thoroughly
@given(window=st.integers(1, 400), ages=st.lists(st.integers(1, 1200), min_size=1, max_size=50))
def test_windows_in_a_row_adjoin_and_hold_every_age_once(window, ages):
    rows = nw.from_native(pl.DataFrame({"age": ages}), eager_only=True)
    count = max(ages) // window + 1
    inside = [in_window(window, ending_days_ago=window * k) for k in range(count)]
    times = rows.select(times=nw.sum_horizontal(*(one.cast(nw.Int64) for one in inside)))
    assert times["times"].to_list() == [1] * len(ages)


@thoroughly
@given(
    gap=st.integers(0, 60),
    horizon=st.integers(1, 120),
    window=st.integers(1, 400),
    day=st.integers(-500, 300),
)
def test_day_is_in_the_features_or_the_gap_or_the_label_and_never_in_two(gap, horizon, window, day):
    churn = ChurnParams(horizon_days=horizon, gap_days=gap, lookback_days=90)
    number = TODAY + day
    rows = pl.DataFrame({"day": [number], "visible_day": [number]}).lazy()
    daily = nw.from_native(rows)
    in_features = visible(daily, AS_OF).filter(in_window(window)).collect().shape[0]
    in_label = daily.filter(in_label_window(AS_OF, churn)).collect().shape[0]
    assert in_features == (-window <= day < 0)
    assert in_label == (gap <= day < gap + horizon)
    assert in_features + in_label <= 1


@thoroughly
@given(
    history=st.integers(0, 2000),
    gap=st.integers(0, 60),
    horizon=st.integers(1, 200),
    step=st.integers(1, 200),
    count=st.integers(1, 12),
)
def test_every_label_window_ends_before_the_next_kind_of_cutoff_begins(
    history, gap, horizon, step, count
):
    churn = ChurnParams(horizon_days=horizon, gap_days=gap, lookback_days=90)
    past = CutoffParams(count=count, step_days=step, min_history_days=90)
    start = AS_OF - timedelta(days=history)
    dates = cutoffs(AS_OF, start, AS_OF, churn, past)
    ends = [d + churn.reach for d in dates.train]
    assert all(dates.test is not None and end <= dates.test for end in ends)
    assert all(d + churn.reach <= AS_OF for d in labelled_dates(dates))
    assert all((d - start).days >= 90 for d in dates.train)
    assert len(dates.train) <= count
