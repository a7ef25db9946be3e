"""The churn horizon that a history suggests: how long do customers pause who do come back?"""

from typing import NamedTuple

import narwhals as nw

from features.params import ChurnParams, CutoffParams

SHOWN_DAYS = (30, 60, 90, 180)
CHOICES_DAYS = (7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)
# Nine of ten pauses that ended were no longer: an alarm after one is wrong once in ten returns.
COVERED = 0.9
# Segment Predictions: history of at least three times the target's window.
HISTORY_PER_HORIZON = 3
LOOKBACK_PER_HORIZON, LONGEST_LOOKBACK_DAYS = 3, 365
MOST_CUTOFFS, FEWEST_CUTOFFS, SHORTEST_STEP_DAYS = 8, 3, 7


class Misjudged(NamedTuple):
    """What a horizon would have got wrong: returning customers called churned, in all and as a share."""

    horizon_days: int
    customers: int
    share: float
    pauses_share: float


class Pauses(NamedTuple):
    """Pauses between days with value events, of customers who came back.

    Attributes
    ----------
    customers, returning : int
        With a value day at all; with two or more.
    pauses : int
    median_days, covered_days : float
        The middle pause, and the one that nine in ten do not exceed.
    history_days : int
        From the first value day to the end of the data.
    misjudged : tuple of Misjudged
        For each of the horizons shown.
    """

    customers: int
    returning: int
    pauses: int
    median_days: float
    covered_days: float
    history_days: int
    misjudged: tuple[Misjudged, ...]

    def at(self, horizon_days: int) -> Misjudged:
        """What one of the horizons would have got wrong."""
        return next(m for m in self.misjudged if m.horizon_days == horizon_days)


class Fit(NamedTuple):
    """Horizon, look-back and cutoffs that fit a history, and why the horizon."""

    churn: ChurnParams
    cutoffs: CutoffParams
    why: str


def pauses_of(value_days: nw.DataFrame, end_day: int, extra: tuple[int, ...] = ()) -> Pauses | None:
    """Pauses between each customer's days of value; None where nobody has any.

    Parameters
    ----------
    value_days : table, shape (n_customer_days, 2)
        ``customer_id`` and ``day`` (day number), each pair once.
    end_day : int
        The day number after the last.
    extra : tuple of int
        Horizons to judge beside the usual ones.
    """
    if not len(value_days):
        return None
    gap = (nw.col("day") - nw.col("day").shift(1)).over("customer_id", order_by="day")
    ended = value_days.with_columns(gap=gap).filter(~nw.col("gap").is_null())
    longest = ended.group_by("customer_id").agg(nw.col("gap").max())
    days = ended["gap"]
    shown = sorted({*SHOWN_DAYS, *CHOICES_DAYS, *extra})
    return Pauses(
        customers=value_days["customer_id"].n_unique(),
        returning=len(longest),
        pauses=len(ended),
        median_days=float(days.median() or 0) if len(ended) else 0.0,
        covered_days=float(days.quantile(COVERED, "higher")) if len(ended) else 0.0,
        history_days=end_day - int(value_days["day"].min()),
        misjudged=tuple(_misjudged(longest["gap"], days, h) for h in shown),
    )


def _misjudged(longest: nw.Series, gaps: nw.Series, horizon_days: int) -> Misjudged:
    wrong = int((longest > horizon_days).sum()) if len(longest) else 0
    late = int((gaps > horizon_days).sum()) if len(gaps) else 0
    return Misjudged(horizon_days, wrong, wrong / max(len(longest), 1), late / max(len(gaps), 1))


def suggest(pauses: Pauses, horizon_days: int | None = None) -> Fit:
    """Horizon, look-back and cutoffs for a history.

    Parameters
    ----------
    pauses : Pauses
    horizon_days : int or None
        The user's choice; None: the shortest usual horizon that nine in ten pauses do not exceed, at
        most a third of the history.

    References
    ----------
    Twilio Segment, "Predictions": history of at least three times the target's window.
    """
    longest = pauses.history_days // HISTORY_PER_HORIZON
    wanted = next((h for h in CHOICES_DAYS if h >= pauses.covered_days), CHOICES_DAYS[-1])
    possible = [h for h in CHOICES_DAYS if h <= longest] or [CHOICES_DAYS[0]]
    chosen = horizon_days or min(wanted, possible[-1])
    return Fit(_churn(chosen), _cutoffs(chosen, pauses.history_days), _why(pauses, wanted, chosen))


def _why(pauses: Pauses, wanted: int, chosen: int) -> str:
    if not pauses.pauses:
        return "nobody came back yet, so a third of the history at most"
    covered = f"9 of 10 pauses are at most {pauses.covered_days:.0f} days"
    if chosen < wanted:
        return f"{covered}, but the history of {pauses.history_days} days allows no longer one"
    return covered


def _churn(horizon_days: int) -> ChurnParams:
    lookback = max(horizon_days, min(LOOKBACK_PER_HORIZON * horizon_days, LONGEST_LOOKBACK_DAYS))
    return ChurnParams(horizon_days=horizon_days, gap_days=0, lookback_days=lookback)


def _cutoffs(horizon_days: int, history_days: int) -> CutoffParams:
    """As many cutoffs as fit before the test's window and the window of the last of them."""
    spare = max(0, history_days - 2 * horizon_days)
    before = min(LOOKBACK_PER_HORIZON * horizon_days, max(horizon_days, spare // 3), max(1, spare))
    room = spare - before
    step = horizon_days
    if room // step + 1 < FEWEST_CUTOFFS:
        step = max(SHORTEST_STEP_DAYS, room // (FEWEST_CUTOFFS - 1))
    count = min(MOST_CUTOFFS, room // step + 1)
    return CutoffParams(count=count, step_days=step, min_history_days=max(1, before))
