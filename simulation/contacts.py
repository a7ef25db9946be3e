"""Invented people: names, addresses at example.com, numbers under +1 555.

``example.com`` is reserved for examples (RFC 2606). Names are drawn from two short lists, evenly
and independently; a third of customers gave no telephone number. No real person is meant.
"""

import numpy as np
import polars as pl

_FIRST = (
    "Ada", "Amir", "Anya", "Bela", "Bruno", "Chloe", "Dara", "Diego", "Edith", "Emil", "Farah",
    "Felix", "Greta", "Hana", "Hugo", "Imani", "Ines", "Ivan", "Jonas", "Kaia", "Kofi", "Lena",
    "Leo", "Luz", "Mara", "Milo", "Nadia", "Noor", "Oren", "Otto", "Petra", "Priya", "Quinn",
    "Rafael", "Rosa", "Selma", "Tariq", "Uma", "Viggo", "Wren", "Yara", "Zeno",
)  # fmt: skip
_LAST = (
    "Abara", "Alder", "Arden", "Brook", "Castell", "Corvin", "Dunmore", "Ekwall", "Fenwick",
    "Garrow", "Halden", "Hollis", "Iverden", "Jarrow", "Kestrel", "Larkin", "Lindqvist", "Marlow",
    "Merrin", "Norwood", "Okoye", "Orchard", "Pellham", "Quarry", "Ravenel", "Rowan", "Sandoval",
    "Sorrel", "Tamsin", "Thorne", "Umber", "Vance", "Wexley", "Winslow", "Yarrow", "Zeller",
)  # fmt: skip
_COUNTRIES, _COUNTRY_SHARES = ("US", "CA"), (0.85, 0.15)
_PHONE_SHARE = 2 / 3


def contact_rows(rng: np.random.Generator, *, ids: pl.Series) -> pl.DataFrame:
    """How to reach each customer.

    Parameters
    ----------
    rng : numpy Generator
    ids : Series of text
        Customer ids, by position; fewer than ten million.

    Returns
    -------
    frame
        ``customer_id, email, phone, first_name, last_name, country``, all text; the phone is
        empty where unknown.
    """
    listed = rng.random(ids.len()) < _PHONE_SHARE
    return pl.DataFrame(
        {
            "customer_id": ids,
            "first_name": pl.Series(_FIRST).gather(rng.integers(0, len(_FIRST), ids.len())),
            "last_name": pl.Series(_LAST).gather(rng.integers(0, len(_LAST), ids.len())),
            "country": pl.Series(_COUNTRIES).gather(
                rng.choice(len(_COUNTRIES), ids.len(), p=_COUNTRY_SHARES)
            ),
            "listed": listed,
        }
    ).select("customer_id", _email(), _phone(), "first_name", "last_name", "country")


def _email():
    name = (pl.col("first_name") + "." + pl.col("last_name")).str.to_lowercase()
    return (name + "." + pl.col("customer_id") + "@example.com").alias("email")


def _phone():
    number = "+1555" + pl.col("customer_id").str.zfill(7)
    return pl.when("listed").then(number).otherwise(pl.lit("")).alias("phone")
