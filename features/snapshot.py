"""Feature snapshots: one row a known customer, as it could have been computed on the day."""

from collections.abc import Callable, Iterator
from datetime import date

import narwhals as nw

from features.definitions import Definitions, all_features, customer_features, row_features
from features.feature import Feature
from features.lifetime import lifetime, lifetime_features, merged_lifetime
from features.pauses import SIGHTS, with_pauses
from features.population import with_population
from features.rhythm import best_times, median_pauses
from features.time import became_visible, day_number, visible
from features.windows import banded, window_features

Materialise = Callable[[nw.LazyFrame], nw.LazyFrame]


def customer_snapshots(
    daily: nw.LazyFrame,
    spine: nw.LazyFrame,
    dates: list[date],
    definitions: Definitions,
    *,
    materialise: Materialise,
    past: nw.LazyFrame | None = None,
) -> Iterator[tuple[date, nw.LazyFrame]]:
    """All layers but ``population``, for each date, in one pass over the daily table.

    Parameters
    ----------
    daily : table of features.daily.daily_table
        Rows that were not visible before a date are not read for it.
    spine : table with ``customer_id`` and ``known_day``
        Who gets a row; customers first known at or after a date are left out of it.
    dates : list of date
    definitions : Definitions
    materialise : callable
        Computes a table now, so that several others can read it.
    past : table of features.lifetime.lifetime, optional
        What was visible before `daily` begins; must lie further back than `history_days` before
        the first date.

    Yields
    ------
    tuple of date and table, shape (n_known_customers, 2 + n_customer_features)
        ``customer_id``, ``as_of``, features. Customers without a visible event are kept: counts 0,
        the rest null.
    """
    rows = materialise(with_pauses(daily, past))
    known, since = past, None
    for as_of in sorted(dates):
        newly = lifetime(became_visible(rows, since, as_of), definitions.dimensions)
        tables = [newly] if known is None else [known, newly]
        known = materialise(merged_lifetime(tables, definitions.dimensions))
        yield as_of, _customer_rows(rows, known, spine, as_of, definitions, materialise)
        since = as_of


def _customer_rows(
    rows: nw.LazyFrame, known: nw.LazyFrame, spine: nw.LazyFrame, as_of: date,
    definitions: Definitions, materialise: Materialise,
) -> nw.LazyFrame:  # fmt: skip
    params, dimensions, custom = definitions
    today = nw.lit(day_number(as_of))
    recent = materialise(visible(rows, as_of).filter(nw.col("age") <= params.history_days))
    bands = materialise(banded(recent, dimensions, params)).group_by("customer_id")
    tables = [  # the widest last: a join copies what is on its left
        *(median_pauses(recent, days) for days in SIGHTS),
        best_times(recent),
        *([custom.compute(recent)] if custom else []),
        known.with_columns(today=today).select("customer_id", *_columns(lifetime_features())),
        bands.agg(*_columns(window_features(params, dimensions))),
    ]
    customers = spine.filter(nw.col("known_day") < today)
    customers = customers.select("customer_id", days_since_known=today - nw.col("known_day"))
    for table in tables:
        customers = customers.join(table, on="customer_id", how="left")
    return _complete(customers, definitions).select(
        "customer_id", nw.lit(as_of).alias("as_of"), *names(definitions)
    )


def names(definitions: Definitions) -> list[str]:
    """Names of the features that need nobody but the customer, in order."""
    return [feature.name for feature in customer_features(definitions)]


def _columns(features: list[Feature]) -> list[nw.Expr]:
    return [feature.column for feature in features]


def _complete(customers: nw.LazyFrame, definitions: Definitions) -> nw.LazyFrame:
    """Zeros where nothing was seen, then arithmetic on the row."""
    zeros = [nw.col(f.name).fill_null(0) for f in customer_features(definitions) if f.zero]
    arithmetic = row_features(definitions.dimensions)
    return customers.with_columns(*zeros).with_columns(*_columns(arithmetic))


def snapshot(rows: nw.DataFrame, definitions: Definitions) -> nw.DataFrame:
    """Customer rows of one date with the ``population`` layer, sorted by customer.

    Returns
    -------
    table, shape (n_customers, 2 + n_features)
        ``customer_id``, ``as_of``, then `features.definitions.all_features` in their order.
    """
    every = [feature.name for feature in all_features(definitions)]
    complete = with_population(rows.sort("customer_id"), definitions.params)
    return complete.select("customer_id", "as_of", *every)
