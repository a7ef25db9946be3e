"""The one module that cuts time: half-open windows, cutoffs, and day numbers.

A *day number* counts days since 1970-01-01. Tables carry business days as such integers, so that
every engine computes ages with integer arithmetic and gives the same bytes.
"""

from datetime import date, timedelta

import narwhals as nw

from features.errors import DataError
from features.params import ChurnParams, CutoffParams, Cutoffs

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def visible(daily: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Rows that were known before `as_of`, with their ``age`` [days, >= 1].

    Parameters
    ----------
    daily : table with ``day`` and ``visible_day``
    as_of : date
        The first day that is not seen, neither by when it happened nor by when it was loaded.
    """
    cut = day_number(as_of)
    return daily.filter(nw.col("visible_day") < cut).with_columns(age=cut - nw.col("day"))


def became_visible(daily: nw.LazyFrame, since: date | None, as_of: date) -> nw.LazyFrame:
    """Rows that were known before `as_of`, but not yet before `since`."""
    rows = daily.filter(nw.col("visible_day") < day_number(as_of))
    return rows if since is None else rows.filter(nw.col("visible_day") >= day_number(since))


def in_window(window_days: int, *, ending_days_ago: int = 0) -> nw.Expr:
    """Ages in ``[as_of - ending_days_ago - window_days, as_of - ending_days_ago)``."""
    age = nw.col("age")
    recent = age <= ending_days_ago + window_days
    return recent & (age > ending_days_ago) if ending_days_ago else recent


def in_label_window(as_of: date, churn: ChurnParams) -> nw.Expr:
    """Days in ``[as_of + gap, as_of + gap + horizon)``."""
    start = day_number(as_of) + churn.gap_days
    return (nw.col("day") >= start) & (nw.col("day") < start + churn.horizon_days)


def cutoffs(
    as_of: date, first_value: date, data_end: date, churn: ChurnParams, past: CutoffParams
) -> Cutoffs:
    """Past as-of dates whose label windows are complete.

    The test's label window ends where the data end, at `as_of` or a little before; every training
    label window ends at or before the test.

    Parameters
    ----------
    as_of : date
    first_value : date
        Day of the first value event.
    data_end : date
        The day after the last on which anything was seen.
    churn : ChurnParams
    past : CutoffParams

    Returns
    -------
    Cutoffs
        ``train`` is empty, and ``test`` None, when the history is too short.
    """
    earliest = first_value + timedelta(days=past.min_history_days)
    test = min(as_of, data_end) - churn.reach
    latest = test - churn.reach
    dates = [latest - timedelta(days=past.step_days * k) for k in range(past.count)]
    train = sorted(d for d in dates if d >= earliest)
    return Cutoffs(train=train, test=test if train else None, before=test, now=as_of)


def refuse_after(as_of: date, *, last_day: date, slack_days: int) -> None:
    """Refuse an `as_of` that lies further past the data's end than the data may be stale.

    Raises
    ------
    DataError
        If `as_of` is more than `slack_days` after the day that follows the last event.
    """
    latest = last_day + timedelta(days=1 + slack_days)
    if as_of > latest:
        raise DataError(
            f"--as-of: after the end of the data. Got {as_of}. Expected at most {latest} (the last "
            f"event is of {last_day}). Load newer events, or give an earlier date."
        )


def snapshot_dates(dates: Cutoffs, churn: ChurnParams) -> list[date]:
    """Every date that needs a snapshot: cutoffs, the ends of their windows, now and before."""
    labelled = [*labelled_dates(dates), dates.before]
    return sorted({*labelled, *(d + churn.reach for d in labelled), dates.now})


def labelled_dates(dates: Cutoffs) -> list[date]:
    """Training cutoffs and the test, oldest first; empty when the history is too short."""
    return [*dates.train, *([dates.test] if dates.test else [])]


def month_of(day: nw.Expr) -> nw.Expr:
    """Calendar month, 1-12, of a day number, by integer arithmetic on every engine.

    References
    ----------
    Hinnant, 2021, chrono-Compatible Low-Level Date Algorithms, ``civil_from_days``: years are
    counted from the first of March, so that the leap day is a year's last.
    """
    in_era = (day + 719_468) % 146_097
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    from_march = (5 * in_year + 2) // 153
    return (from_march + 2) % 12 + 1


def weekday_of(day: nw.Expr) -> nw.Expr:
    """Weekday, 1-7 from Monday, of a day number; 1970-01-01 was a Thursday."""
    return (day + 3) % 7 + 1
