"""Columns that hold a total as of the day of the export, not as of the event: they leak.

A post's score, written in an export of today, counts the votes of all the years after the post. A
model that learned from it at an earlier as-of date would have read the future.
"""

import re

import narwhals as nw

# Names, as lower-case words, of what grows or moves after the row was made.
RUNNING = (
    r"(.* )?(score|scores|reputation|karma|views|(up|down) ?votes|votes|likes|followers|shares)",
    r"(.* )?(favou?rites|points|balance|downloads|retweets)",
    r"(.* )?(view|answer|comment|favou?rite|vote|like|follower|reply|share|click|open|play) count",
    r"(.* )?(login|orders?|visit|session|purchase|post|review|download) count",
    r"(number of|num|n|total|count of) (orders|purchases|logins|visits|sessions|posts|reviews)",
    r"(number of|num|n|total|count of) (answers|comments|views|votes|returns)",
    r"(orders|purchases|logins|visits|sessions|posts|transactions) (count|total|number|to date)",
    r"(lifetime|total) (value|spend|spent|sales|orders|purchases|points)|lifetime revenue",
    r"(clv|ltv|cltv)|churned|(rfm|churn|loyalty|engagement) (score|segment|status|tier|level|risk)",
    r"(last|latest|most recent) .*|.* (last|latest)( .*)?",
)
# "Last name" is not the latest of anything, and "total value" of an order is the order's own.
OF_THE_ROW = r"last name|(order |invoice )?total (value|sales)"
REASON = "a total as of the export: it would tell a past date what came later"
OLD_NEW = 5


def is_total(words: str) -> bool:
    """Whether a column's name, in lower-case words, is of a running total or a latest state."""
    if re.fullmatch(OF_THE_ROW, words):
        return False
    return any(re.fullmatch(pattern, words) for pattern in RUNNING)


def growth(rows: nw.DataFrame, column: str, time: str) -> float | None:
    """How many times larger a column is in the oldest fifth of the rows than in the newest.

    Parameters
    ----------
    rows : table
    column, time : str
        Names of a numeric column and of one that orders the rows in time.

    Returns
    -------
    float or None
        Far above 1: older rows had more time to collect. None where it cannot be said.
    """
    known = rows.select(column, time).drop_nulls().sort(time)
    fifth = len(known) // OLD_NEW
    if not fifth:
        return None
    newest = known[column].tail(fifth).mean()
    return known[column].head(fifth).mean() / newest if newest and newest > 0 else None
