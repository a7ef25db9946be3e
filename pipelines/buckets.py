"""Customers in buckets, so that memory is bounded by one of them."""

import zlib
from collections.abc import Iterator

import polars as pl

BUCKET = "bucket"


def with_bucket(rows: pl.DataFrame, count: int) -> pl.DataFrame:
    """Add the number of each customer's bucket, 0 to `count` - 1.

    A checksum that every engine and release computes alike (CRC-32), not a library's own hash.
    """
    if count == 1:
        return rows.with_columns(pl.lit(0, pl.Int64).alias(BUCKET))
    ids = rows.select(pl.col("customer_id").unique())["customer_id"]
    numbers = [zlib.crc32(i.encode()) % count for i in ids]
    found = pl.col("customer_id").replace_strict(ids, pl.Series(numbers, dtype=pl.Int64))
    return rows.with_columns(found.alias(BUCKET))


def by_bucket(rows: pl.DataFrame, count: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Each bucket that has rows, in order, with its rows in theirs."""
    if count == 1:
        yield 0, rows
        return
    placed = with_bucket(rows, count)
    for number in range(count):
        found = placed.filter(pl.col(BUCKET) == number).drop(BUCKET)
        if found.height:
            yield number, found
