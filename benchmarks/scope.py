"""What is measured: the log's kinds and channels, and the two sets of features.

``matched``: the fewest features that the project makes, for the comparison with other ways: totals
and orders since the beginning; recency by role and engagement type; pauses (number, mean, spread,
longest, latest, median); counts by role and type, days and money in the windows of 90 and 365 days;
trend, season and weeks of activity; one channel; one half-life; best hour and weekday; arithmetic
on those; ranks, quintiles and scores. ``default``: as ``params.yaml`` has it, with all five
channels of the log.

This module imports nothing, so that peers and the measuring process stay as small as they are.
"""

from datetime import date, timedelta

UNTIL = date(2026, 1, 1)
DAYS = 730
STEP_DAYS = 30
ROLES = (
    "exposure",
    "visit",
    "intent",
    "value",
    "feedback",
    "advocacy",
    "service",
    "opt_out",
    "cancel",
)
TYPES = ("transactional", "emotional", "social", "experiential")
KINDS = (
    ("exposure", None),
    ("visit", "experiential"),
    ("visit", None),
    ("intent", "transactional"),
    ("value", "transactional"),
    ("feedback", "emotional"),
    ("advocacy", "social"),
    ("service", None),
)
CHANNELS = {"matched": ("web",), "default": ("web", "app", "store", "email", "social")}
WINDOWS_DAYS = (90, 365)
HALF_LIFE_DAYS = 30
HISTORY_DAYS = 365


def as_of_dates(count: int, *, days_before: int = 0) -> list[date]:
    """The log's end, or some days before it, and dates 30 days apart before that."""
    latest = UNTIL - timedelta(days=days_before)
    return [latest - timedelta(days=STEP_DAYS * k) for k in range(count)]
