"""The churn horizon that a history suggests: how long customers pause who do come back."""

from typing import NamedTuple

import narwhals as nw

from features.params import ChurnParams, CutoffParams

SHOWN_DAYS = (30, 60, 90, 180)
# At most 180: after so long a silence everybody counts as lapsed (docs/definitions.md).
CHOICES_DAYS = (7, 14, 21, 30, 45, 60, 90, 120, 180)
# On an ordinary day, at most one in ten of the customers who will come back is called churned.
ACCEPTED = 0.1
# One window to look back, one to learn from, one to be tested on, one for more dates to learn.
HISTORY_PER_HORIZON = 4
LOOKBACK_PER_HORIZON, LONGEST_LOOKBACK_DAYS = 3, 365
MOST_CUTOFFS, FEWEST_CUTOFFS, SHORTEST_STEP_DAYS = 8, 3, 7


class Misjudged(NamedTuple):
    """What a horizon would have got wrong about customers who came back.

    Attributes
    ----------
    horizon_days : int
    customers : int
        Those with at least one longer pause, who would have been called churned some day.
    share : float
        The same, as a share of all who came back.
    daily_share : float
        On an ordinary day between two value events, the share who would be called churned: those
        whose next event is more than the horizon away.
    """

    horizon_days: int
    customers: int
    share: float
    daily_share: float


class Pauses(NamedTuple):
    """Pauses between days with value events, of customers who came back.

    Attributes
    ----------
    customers, returning : int
        With a value day at all; with two or more.
    median_days : float
        The middle pause; 0 where nobody came back.
    history_days : int
        From the first value day to the end of the data.
    misjudged : tuple of Misjudged
        One for each horizon that was looked at, shortest first.
    """

    customers: int
    returning: int
    median_days: float
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
    shown = sorted({*SHOWN_DAYS, *CHOICES_DAYS, *extra})
    return Pauses(
        customers=value_days["customer_id"].n_unique(),
        returning=len(longest),
        median_days=float(ended["gap"].median()) if len(ended) else 0.0,
        history_days=end_day - int(value_days["day"].min()),
        misjudged=tuple(_misjudged(longest["gap"], ended["gap"], h) for h in shown),
    )


def _misjudged(longest: nw.Series, gaps: nw.Series, horizon_days: int) -> Misjudged:
    if not len(gaps):
        return Misjudged(horizon_days, 0, 0.0, 0.0)
    wrong = int((longest > horizon_days).sum())
    late = int((gaps - horizon_days).clip(lower_bound=0).sum())
    return Misjudged(horizon_days, wrong, wrong / len(longest), late / int(gaps.sum()))


def suggest(pauses: Pauses, horizon_days: int | None = None) -> Fit:
    """Horizon, look-back and cutoffs for a history.

    Parameters
    ----------
    pauses : Pauses
    horizon_days : int or None
        The user's choice; None: the shortest usual one that misjudges at most one in ten of those
        who come back on an ordinary day, at most a quarter of the history.
    """
    fitting = [h for h in CHOICES_DAYS if pauses.at(h).daily_share <= ACCEPTED]
    wanted = fitting[0] if fitting and pauses.returning else CHOICES_DAYS[-1]
    longest = pauses.history_days // HISTORY_PER_HORIZON
    possible = [h for h in CHOICES_DAYS if h <= longest] or [CHOICES_DAYS[0]]
    chosen = horizon_days or min(wanted, possible[-1])
    why = "as you said" if horizon_days else _why(pauses, wanted, chosen, found=bool(fitting))
    return Fit(_churn(chosen), _cutoffs(chosen, pauses.history_days), why)


def _why(pauses: Pauses, wanted: int, chosen: int, *, found: bool) -> str:
    if not pauses.returning:
        return "nobody came back yet, so as long as the history allows"
    if chosen < wanted:
        return (
            f"{wanted} would be surer, but the history of {pauses.history_days} days is too short"
        )
    if not found:
        return "the longest proposed: after so long a silence everybody counts as lapsed"
    return "the shortest that is wrong about at most one in ten of them on an ordinary day"


def _churn(horizon_days: int) -> ChurnParams:
    lookback = max(horizon_days, min(LOOKBACK_PER_HORIZON * horizon_days, LONGEST_LOOKBACK_DAYS))
    return ChurnParams(horizon_days=horizon_days, gap_days=0, lookback_days=lookback)


def _cutoffs(horizon_days: int, history_days: int) -> CutoffParams:
    """As many cutoffs as fit before the test's window and the window of the last of them."""
    spare = max(0, history_days - 2 * horizon_days)
    before = min(LOOKBACK_PER_HORIZON * horizon_days, max(horizon_days, spare // 3), max(1, spare))
    room = max(0, spare - before)
    step = horizon_days
    if room // step + 1 < FEWEST_CUTOFFS:
        step = max(SHORTEST_STEP_DAYS, room // (FEWEST_CUTOFFS - 1))
    count = min(MOST_CUTOFFS, room // step + 1)
    return CutoffParams(count=count, step_days=step, min_history_days=max(1, before))
