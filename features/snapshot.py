"""Feature snapshots: one row a known customer, as it could have been computed on the day."""

from datetime import date

import narwhals as nw

from features.counts import daily_features
from features.definitions import all_features, standing_features
from features.gaps import gap_table
from features.params import FeatureParams
from features.population import with_population
from features.time import day_number, visible


def customer_rows(
    daily: nw.LazyFrame, spine: nw.LazyFrame, as_of: date, params: FeatureParams
) -> nw.LazyFrame:
    """All layers but ``population``, for the customers of `spine`.

    Parameters
    ----------
    daily : table of features.daily.daily_table
        Rows that were not visible before `as_of` are not read.
    spine : table of schemas.CUSTOMERS
        Who gets a row; customers first known at or after `as_of` are left out.
    as_of : date
    params : FeatureParams

    Returns
    -------
    table, shape (n_known_customers, .)
        Customers without a visible event are kept: counts 0, the rest null.
    """
    seen = visible(daily, as_of)
    features = daily_features(params)
    counts = seen.group_by("customer_id").agg(*(f.column for f in features))
    known = nw.lit(day_number(as_of)) - nw.col("known_day")
    rows = (
        spine.filter(nw.col("known_day") < day_number(as_of))
        .select("customer_id", days_since_known=known)
        .join(counts, on="customer_id", how="left")
        .join(gap_table(seen, "value"), on="customer_id", how="left")
        .join(gap_table(seen, "event"), on="customer_id", how="left")
    )
    zeros = [nw.col(f.name).fill_null(0) for f in features if f.additive]
    return rows.with_columns(*zeros).with_columns(*(f.column for f in standing_features(params)))


def snapshot(rows: nw.DataFrame, as_of: date, params: FeatureParams) -> nw.DataFrame:
    """Complete customer rows with the ``population`` layer, sorted by customer.

    Returns
    -------
    table, shape (n_customers, 2 + n_features)
        ``customer_id``, ``as_of``, then `features.definitions.all_features` in their order.
    """
    names = [feature.name for feature in all_features(params)]
    complete = with_population(rows.sort("customer_id"), params)
    return complete.with_columns(as_of=nw.lit(as_of)).select("customer_id", "as_of", *names)
