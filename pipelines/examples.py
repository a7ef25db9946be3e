"""Snapshots joined to labels: the rows that models learn from and are judged on."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from features.definitions import Definitions, all_features
from models.churn import HISTORY, Examples, histories
from models.preprocessing import matrix
from models.purchases import Histories
from models.standing import with_current
from pipelines.features import read_snapshot


class Standing(NamedTuple):
    """One of the two classified standings: its name and its classes, in order."""

    name: str
    classes: tuple[str, ...]


def columns_of(definitions: Definitions) -> list[str]:
    """Names of the features that models read, in order."""
    return [feature.name for feature in all_features(definitions)]


def labelled(features: Path, labels: pl.DataFrame, days: list[date]) -> pl.DataFrame:
    """Features, standing and labels of the given cutoffs, in a fixed order."""
    snapshots = [read_snapshot(features, day) for day in days]
    rows = pl.concat(snapshots)
    return rows.join(labels, on=["customer_id", "as_of"], how="inner", maintain_order="left")


def churn_examples(rows: pl.DataFrame, columns: list[str]) -> Examples:
    """Customers in the population, and whether they churned (1) or not (0)."""
    population = rows.filter("in_population")
    y = population["churned"].cast(pl.Int64).to_numpy()
    return Examples(matrix(population, columns), y, days_of(population))


def buyers_of(rows: pl.DataFrame) -> dict[date, Histories]:
    """The purchase histories of everybody who ever bought, as of each date."""
    bought = rows.filter(pl.col("value_events") > 0).partition_by("as_of", as_dict=True)
    columns = list(HISTORY)
    return {day: histories(matrix(part, columns)) for (day,), part in sorted(bought.items())}


def days_of(rows: pl.DataFrame) -> np.ndarray:
    """The as-of dates of the rows."""
    return rows["as_of"].to_numpy().astype("datetime64[D]")


def standing_examples(rows: pl.DataFrame, columns: list[str], standing: Standing) -> Examples:
    """Everybody known, their features with the present class, and the next class."""
    x = with_current(matrix(rows, columns), classes(rows, standing.name), standing.classes)
    return Examples(x, classes(rows, f"{standing.name}_next"), days_of(rows))


def classes(rows: pl.DataFrame, column: str) -> np.ndarray:
    """A column of class names as an array of str."""
    return rows[column].to_numpy().astype(str)
