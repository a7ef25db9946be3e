"""Feature snapshots: one row a known customer, as it could have been computed on the day."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

import narwhals as nw

from features.definitions import Definitions, all_features, customer_features, row_features
from features.lifetime import lifetime, lifetime_features, merged_lifetime
from features.pauses import SIGHTS, with_pauses
from features.population import with_population
from features.rhythm import best_times, median_pauses
from features.time import became_visible, day_number, visible
from features.windows import banded, window_features

Materialise = Callable[[nw.LazyFrame], nw.LazyFrame]


class Columns(NamedTuple):
    """What every date of a pass selects, made once: there are hundreds of expressions."""

    names: list[str]
    zeros: list[nw.Expr]
    lifetime: list[nw.Expr]
    window: list[nw.Expr]
    row: list[nw.Expr]


def customer_snapshots(
    daily: nw.DataFrame | nw.LazyFrame,
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
        Rows that were not visible before a date are not read for it. In memory, or lazy.
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
    del daily  # a copy of it is all that is read from here on
    columns = _columns(definitions)
    known, since = past, None
    for as_of in sorted(dates):
        newly = lifetime(became_visible(rows, since, as_of), definitions.dimensions)
        tables = [newly] if known is None else [known, newly]
        known = materialise(merged_lifetime(tables, definitions.dimensions))
        recent = visible(rows, as_of).filter(nw.col("age") <= definitions.params.history_days)
        ever = known.with_columns(today=nw.lit(day_number(as_of)))
        ever = ever.select("customer_id", *columns.lifetime)
        layers = _layers(materialise(recent), ever, definitions, columns, materialise)
        yield as_of, _customer_rows(layers, spine, as_of, columns)
        del layers, recent, ever
        since = as_of


def _columns(definitions: Definitions) -> Columns:
    params, dimensions, _ = definitions
    features = customer_features(definitions)
    return Columns(
        names=[feature.name for feature in features],
        zeros=[nw.col(feature.name).fill_null(0) for feature in features if feature.zero],
        lifetime=[feature.column for feature in lifetime_features()],
        window=[feature.column for feature in window_features(params, dimensions)],
        row=[feature.column for feature in row_features(dimensions)],
    )


def _layers(
    recent: nw.LazyFrame, ever: nw.LazyFrame, definitions: Definitions, columns: Columns,
    materialise: Materialise,
) -> list[nw.LazyFrame]:  # fmt: skip
    """A row a customer each; the widest last, for a join copies what is on its left."""
    params, dimensions, custom = definitions
    bands = materialise(banded(recent, dimensions, params))
    return [
        *(median_pauses(recent, days) for days in SIGHTS),
        materialise(best_times(recent)),
        *([custom.compute(recent)] if custom else []),
        ever,
        bands.group_by("customer_id").agg(*columns.window),
    ]


def _customer_rows(
    layers: list[nw.LazyFrame], spine: nw.LazyFrame, as_of: date, columns: Columns
) -> nw.LazyFrame:
    """Zeros where nothing was seen, then arithmetic on the row."""
    today = nw.lit(day_number(as_of))
    customers = spine.filter(nw.col("known_day") < today)
    customers = customers.select("customer_id", days_since_known=today - nw.col("known_day"))
    for layer in layers:
        customers = customers.join(layer, on="customer_id", how="left")
    complete = customers.with_columns(*columns.zeros).with_columns(*columns.row)
    return complete.select("customer_id", nw.lit(as_of).alias("as_of"), *columns.names)


def names(definitions: Definitions) -> list[str]:
    """Names of the features that need nobody but the customer, in order."""
    return [feature.name for feature in customer_features(definitions)]


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
