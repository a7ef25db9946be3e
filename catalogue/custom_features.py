"""The company's own features: one list that declares them and one function that computes them.

Nothing else has to be edited: models read them, reasons speak them, `keepwell features --list` and
docs/features.md explain them, and the tests prove that they do not look ahead and are the same on
every engine. Remove the file if you have none. CONTRIBUTING.md walks through this example.
"""

import narwhals as nw

from features.feature import Feature
from features.time import weekday_of

DECLARED = [
    Feature(
        name="weekend_share_365d",
        unit="share",
        meaning="active days that fell on a Saturday or Sunday, last 365 days",
        layer="custom",
    ),
]


def compute(days: nw.LazyFrame) -> nw.LazyFrame:
    """One row a customer, ``customer_id`` and the declared columns.

    Parameters
    ----------
    days : visible rows of the daily table (docs/features.md), with ``age`` [days, >= 1]
    """
    active = nw.col("first_sight")
    weekend = nw.when(weekday_of(nw.col("day")) >= 6).then(active).otherwise(0)
    year = days.filter(nw.col("age") <= 365).group_by("customer_id")
    sums = year.agg(weekend=weekend.sum(), every=active.sum())
    share = nw.when(nw.col("every") > 0).then(nw.col("weekend") / nw.col("every"))
    return sums.select("customer_id", weekend_share_365d=share)
