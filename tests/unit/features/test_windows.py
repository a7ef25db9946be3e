"""Windows made from bands: their edges, weeks, trends and seasons."""


def test_windows_see_their_edges(features):
    row = features(7, 8, 28, 29, 90, 91, 365, 366)
    assert [row[f"events_{w}d"] for w in (7, 28, 90, 365)] == [1, 3, 5, 7]


def test_weeks_are_counted_once_however_busy(features):
    assert features(1, 7, 7, 8, 56, 57)["active_weeks_56d"] == 3


def test_week_of_exposures_is_not_active(features):
    assert features((3, {"role": "exposure"}), 9)["active_weeks_56d"] == 1


def test_trend_compares_a_window_with_the_one_before(features):
    row = features(7, 8, 9, 14, 15)
    assert row["value_events_trend_7d"] == 1 - 3
    assert row["active_days_trend_7d"] == 1 - 3


def test_longest_window_is_compared_as_far_back_as_the_history_reaches(features):
    assert features(365, 366, 730, 731)["value_events_trend_365d"] == 1 - 2


def test_same_season_is_what_now_follows_a_year_earlier(features):
    row = features(365, (336, {"value_cents": 500}), 335, 276, 275)
    assert row["value_events_same_season_30d"] == 2
    assert row["value_events_same_season_90d"] == 4
    assert row["value_cents_same_season_30d"] == 500


def test_channels_count_what_the_customer_did_apart_from_what_was_done(features):
    mail = {"role": "exposure", "channel": "email"}
    row = features((90, mail), (80, mail), (80, {"role": "visit", "channel": "email"}), (91, mail))
    assert (row["channel_email_exposures_90d"], row["channel_email_events_90d"]) == (2, 1)
    assert (row["channels_90d"], row["response_rate_email_90d"]) == (1, 0.5)


def test_response_is_unknown_where_nobody_asked_and_at_most_1(features):
    visit, mail = {"role": "visit", "channel": "email"}, {"role": "exposure", "channel": "email"}
    assert features((5, visit))["response_rate_email_90d"] is None
    assert features((5, mail), (5, visit), (4, visit))["response_rate_email_90d"] == 1.0
