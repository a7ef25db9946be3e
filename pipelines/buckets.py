"""Customers in buckets, so that memory is bounded by one of them."""

from collections.abc import Iterator

import polars as pl

from pipelines.hashing import hashed

BUCKET = "bucket"


def with_bucket(rows: pl.DataFrame, count: int) -> pl.DataFrame:
    """Add the number of each customer's bucket, 0 to `count` - 1."""
    return rows.with_columns(bucket_numbers(rows["customer_id"], count))


def bucket_numbers(ids: pl.Series, count: int) -> pl.Series:
    """The bucket of each id: the same on every machine and in every release."""
    return (hashed(ids) % count).cast(pl.Int64).alias(BUCKET)


def by_bucket(rows: pl.DataFrame, count: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Each bucket that has rows, in order, with its rows in theirs."""
    if count == 1:
        yield 0, rows
        return
    numbers = bucket_numbers(rows["customer_id"], count)
    for number in range(count):
        found = rows.filter(numbers == number)
        if found.height:
            yield number, found
