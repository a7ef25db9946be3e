"""The simulated company keeps its promises: reproducible, consistent, with a known truth."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.errors import ConfigurationError
from simulation.archive import frames_of
from simulation.campaigns import wave_times
from simulation.company import simulate_company
from simulation.happenings import CHANNELS, EVENTS
from simulation.season import activity_at, moment_at, scatter, season_before, span, stream
from simulation.tactics import WINDOW_DAYS

UNTIL = date(2026, 11, 22)
CUSTOMERS = 3_000
SEND_HOUR = 13


@pytest.fixture(scope="module")
def company():
    return simulate_company(customers=CUSTOMERS, seed=7, until=UNTIL)


@pytest.fixture(scope="module")
def events(company):
    timestamp = pl.col("occurred_at", "loaded_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
    cents = pl.col("value").replace("", None).str.replace(".", "", literal=True).cast(pl.Int64)
    return company.events.with_columns(timestamp, cents.alias("cents"))


@pytest.fixture(scope="module")
def outcomes(company, events):
    """Waves whose window is complete, with whether the customer bought in it."""
    orders = events.filter(pl.col("event") == "Order Completed")
    orders = orders.select("customer_id", pl.col("occurred_at").alias("at")).sort("at")
    sent_at = pl.col("sent_on").cast(pl.Datetime("us")) + timedelta(hours=SEND_HOUR)
    waves = company.waves.filter(pl.col("sent_on") < UNTIL - timedelta(days=WINDOW_DAYS))
    waves = waves.with_columns(sent_at.alias("sent_at")).sort("sent_at")
    next_order = waves.join_asof(
        orders.with_columns(next_at="at"),
        left_on="sent_at",
        right_on="at",
        by="customer_id",
        strategy="forward",
        check_sortedness=False,
    )
    window_end = pl.col("sent_at") + timedelta(days=WINDOW_DAYS)
    return next_order.with_columns(
        bought=(pl.col("next_at") < window_end).fill_null(False).cast(pl.Float64)
    )


def alike(world, other):
    """All that there is to know of two companies is the same."""
    frames, others = frames_of(world), frames_of(other)
    return all(frames[name].equals(others[name]) for name in frames)


def on_text(column):
    return pl.col(column).replace("", None).str.to_date("%Y-%m-%d")


def exposures_outside_consent(company, events, *, event, channel):
    exposed = events.filter(pl.col("event") == event).select(
        "event_id", "customer_id", pl.col("occurred_at").dt.date().alias("on")
    )
    granted = company.consents.filter(
        (pl.col("channel") == channel) & (pl.col("status") == "granted")
    ).select("customer_id", on_text("since"), on_text("until"))
    matched = exposed.join(granted, on="customer_id", how="left")
    allowed = (pl.col("since") <= pl.col("on")) & (pl.col("on") < pl.col("until")).fill_null(True)
    return matched.group_by("event_id").agg(allowed.fill_null(False).any().alias("allowed"))


def test_same_seed_gives_the_same_frames(company):
    again = simulate_company(customers=CUSTOMERS, seed=7, until=UNTIL)
    assert all(a.equals(b) for a, b in zip(company[:7], again[:7], strict=True))
    assert alike(company.world, again.world)


def test_another_seed_gives_other_frames(company):
    other = simulate_company(customers=CUSTOMERS, seed=8, until=UNTIL)
    assert not any(a.equals(b) for a, b in zip(company[:7], other[:7], strict=True))


def test_streams_of_two_parts_differ_and_do_not_depend_on_their_turn():
    first = stream(7, "traits").random(3)
    stream(7, "a part that was added later")
    assert (first == stream(7, "traits").random(3)).all()
    assert (first != stream(7, "journeys").random(3)).all()


def test_no_event_at_or_after_until(events):
    last = events["occurred_at"].max()
    midnight = datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)
    assert midnight - timedelta(days=1) < last < midnight


def test_no_event_before_its_customer_is_known(company, events):
    known = events.join(company.truth, on="customer_id")
    assert known.height == events.height
    assert (known["occurred_at"].dt.date() >= known["became_known_on"]).all()


def test_ids_are_unique_and_keep_leading_zeros(company):
    assert company.events["event_id"].is_unique().all()
    assert company.customers["customer_id"].is_unique().all()
    assert company.customers["customer_id"][0] == "000001"
    assert (company.events["customer_id"].str.len_chars() == 6).all()


def test_exports_are_text_throughout(company):
    for frame in company[:5]:
        assert set(frame.schema.values()) == {pl.String()}
        assert frame.null_count().sum_horizontal().item() == 0


def test_events_are_sorted_by_moment_and_id(company):
    assert company.events.equals(company.events.sort("occurred_at", "event_id"))


def test_history_has_every_event_and_channel_but_those_of_other_sends_than_e_mail(company):
    others = {"Campaign Mailed", "Promotion Viewed", "Push Notification Received"}
    assert set(company.events["event"].unique()) == set(EVENTS) - others
    assert set(company.events["channel"].unique()) == set(CHANNELS) - {"sms", "push", "mail"}


def test_only_orders_and_refunds_have_a_value_of_two_decimals(events):
    priced = events.filter(pl.col("value") != "")
    assert set(priced["event"].unique()) == {"Order Completed", "Order Refunded"}
    assert priced["value"].str.contains(r"^-?\d+\.\d\d$").all()
    assert (priced.filter(pl.col("event") == "Order Completed")["cents"] >= 100).all()


def test_refunds_are_negative_and_follow_an_order_of_the_customer(events):
    refunds = events.filter(pl.col("event") == "Order Refunded")
    orders = events.filter(pl.col("event") == "Order Completed")
    assert refunds.height > 100
    assert (refunds["cents"] < 0).all()
    pairs = refunds.join(orders, on="customer_id", suffix="_order").filter(
        pl.col("occurred_at_order") < pl.col("occurred_at"),
        pl.col("cents_order") >= -pl.col("cents"),
    )
    assert set(refunds["event_id"]) == set(pairs["event_id"])


@pytest.mark.parametrize(
    ("event", "channel"), [("Email Delivered", "email"), ("Ad Impression", "ad")]
)
def test_exposure_only_by_channels_with_consent_at_that_time(company, events, event, channel):
    checked = exposures_outside_consent(company, events, event=event, channel=channel)
    assert checked.height > 1_000
    assert checked["allowed"].all()


def test_unsubscribing_ends_the_consent_on_the_next_day(company, events):
    left = events.filter(pl.col("event") == "Unsubscribed").select(
        "customer_id", (pl.col("occurred_at").dt.date() + timedelta(days=1)).alias("next_on")
    )
    email = company.consents.filter(pl.col("channel") == "email")
    revoked = email.filter(pl.col("status") == "revoked").select("customer_id", on_text("since"))
    assert left.height > 20
    assert left.sort("customer_id").rows() == revoked.sort("customer_id").rows()


def test_consent_has_one_row_a_customer_channel_purpose_and_day(company):
    key = company.consents.select("customer_id", "channel", "purpose", "since")
    assert key.is_unique().all()


def test_half_a_percent_of_customers_object(company):
    objected = company.consents.filter(pl.col("purpose") == "profiling")
    assert objected.height == CUSTOMERS * 5 // 1000
    assert objected.select("channel", "status").unique().rows() == [("any", "denied")]


def test_about_one_percent_of_events_arrive_one_to_five_days_late(events):
    delay = events["loaded_at"] - events["occurred_at"]
    late = delay >= timedelta(days=1)
    assert 0.008 < late.mean() < 0.012
    assert delay.min() > timedelta(0)
    assert delay.max() < timedelta(days=5)


def test_each_send_of_the_last_90_days_has_its_exposure(company, events):
    exposure = events.filter(pl.col("event").is_in(["Email Delivered", "Ad Impression"]))
    sends = company.sends.with_columns(pl.col("sent_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"))
    first = datetime(2026, 8, 24, tzinfo=UTC).replace(tzinfo=None)
    shown = exposure.filter(pl.col("occurred_at") >= first).select(
        "customer_id", "channel", pl.col("occurred_at").alias("shown_at")
    )
    matched = sends.join(shown, on=["customer_id", "channel"]).filter(
        (pl.col("shown_at") - pl.col("sent_at")).is_between(timedelta(0), timedelta(minutes=30))
    )
    assert sends.select("customer_id", "action_id", "sent_at").is_unique().all()
    assert sends.height == shown.height == matched.select(sends.columns).unique().height


def test_treated_share_of_each_wave_is_near_its_propensity(company):
    waves = company.waves.group_by("campaign").agg(
        pl.len().alias("n"), pl.col("treated").mean(), pl.col("propensity").first()
    )
    error = (waves["propensity"] * (1 - waves["propensity"]) / waves["n"]).sqrt()
    assert waves.height == len(wave_times(season_before(UNTIL, 730)))
    assert (((waves["treated"] - waves["propensity"]) / error).abs() < 4).all()


@pytest.mark.parametrize(
    "group",
    [pl.lit(True), *(pl.col("true_effect") * sign > 0 for sign in (1, -1))],
    ids=["everybody", "persuadables", "sleeping_dogs"],
)
def test_treated_minus_control_agrees_with_the_mean_true_effect(outcomes, group):
    chosen = outcomes.filter(group)
    arms = [chosen.filter(pl.col("treated") == treated)["bought"] for treated in (True, False)]
    difference = arms[0].mean() - arms[1].mean()
    error = np.sqrt(sum(arm.var() / arm.len() for arm in arms))
    assert abs(difference - chosen["true_effect"].mean()) < 4 * error


@pytest.mark.parametrize("sign", [1, -1], ids=["persuadables", "sleeping_dogs"])
def test_effects_are_large_enough_to_be_seen(outcomes, sign):
    chosen = outcomes.filter(pl.col("true_effect") * sign > 0)
    arms = [chosen.filter(pl.col("treated") == treated)["bought"] for treated in (True, False)]
    error = np.sqrt(sum(arm.var() / arm.len() for arm in arms))
    assert sign * (arms[0].mean() - arms[1].mean()) > 2 * error


def test_without_a_true_effect_the_arms_do_not_differ(outcomes):
    still = outcomes.filter(pl.col("true_effect") == 0)
    arms = [still.filter(pl.col("treated") == treated)["bought"] for treated in (True, False)]
    error = np.sqrt(sum(arm.var() / arm.len() for arm in arms))
    assert abs(arms[0].mean() - arms[1].mean()) < 4 * error


def test_nobody_orders_after_dropping_out(company, events):
    orders = events.filter(pl.col("event") == "Order Completed")
    gone = orders.join(company.truth, on="customer_id").filter(
        # A purchase that a wave prompted before the drop-out may come within its window.
        pl.col("occurred_at").dt.date() > pl.col("dropped_out_on") + timedelta(days=WINDOW_DAYS)
    )
    assert gone.is_empty()


def test_mean_order_value_agrees_with_the_truth(company, events):
    orders = events.filter(pl.col("event") == "Order Completed")
    ratio = orders.join(company.truth, on="customer_id").select(
        (pl.col("cents") / pl.col("mean_order_cents")).alias("ratio")
    )["ratio"]
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(ratio.len())


def test_trouble_is_commoner_ahead_of_a_drop_out(company, events):
    """Orders followed by a complaint within 14 days: last orders against all others."""
    orders = events.filter(pl.col("event") == "Order Completed").join(
        company.truth, on="customer_id"
    )
    complaints = events.filter(pl.col("event") == "Complaint Filed").select(
        "customer_id", pl.col("occurred_at").alias("complained_at")
    )
    followed = orders.join(complaints, on="customer_id").filter(
        (pl.col("complained_at") - pl.col("occurred_at")).is_between(
            timedelta(0), timedelta(days=14)
        )
    )
    days_left = pl.col("dropped_out_on") - pl.col("occurred_at").dt.date()
    last = days_left.is_between(timedelta(0), timedelta(days=60))
    share = [
        followed.filter(chosen)["event_id"].n_unique() / orders.filter(chosen).height
        for chosen in (last, ~last.fill_null(False))
    ]
    assert share[0] > 3 * share[1]


def test_activity_time_and_moments_are_inverse():
    season = season_before(UNTIL, 1461)
    at = np.array([0, 3_600, 1_000_000, season.end_at - 1])
    assert np.abs(moment_at(season, activity_at(season, at)) - at).max() <= 1
    assert activity_at(season, np.array(season.end_at)) == pytest.approx(1461, abs=1)


def test_longer_history_to_come_changes_no_activity_time_before():
    short, long = (season_before(UNTIL + timedelta(days=more), 60 + more) for more in (0, 400))
    assert (short.activity[: 60 * 24] == long.activity[: 60 * 24]).all()


def test_scatter_draws_the_rate_inside_the_interval():
    season = season_before(UNTIL, 730)
    start, end = np.full(2_000, 100 * 86_400), np.full(2_000, 200 * 86_400)
    who, at = scatter(stream(1, "test"), season, span(season, start, end), rate=np.full(2_000, 0.1))
    length = activity_at(season, end[:1]) - activity_at(season, start[:1])
    assert abs(who.size / 2_000 - 0.1 * length[0]) < 4 * np.sqrt(0.1 * length[0] / 2_000)
    assert at.min() >= start[0]
    assert at.max() < end[0]


@pytest.mark.parametrize(
    ("argument", "value"), [("customers", 0), ("seed", -1), ("days", 59), ("customers", 10**7)]
)
def test_an_argument_out_of_range_is_refused(argument, value):
    arguments = {"customers": 10, "seed": 1, "until": UNTIL, "days": 90, argument: value}
    with pytest.raises(ConfigurationError, match=f"simulate, {argument}: out of range. Got"):
        simulate_company(**arguments)


def test_a_single_customer_is_a_company_too():
    company = simulate_company(customers=1, seed=1, until=UNTIL, days=60)
    assert company.customers.height == 1
