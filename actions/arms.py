"""Who is held out: the same customers in every run, by a salted hash of the id alone."""

import hashlib

import numpy as np
import polars as pl

HOLDOUT, POLICY = "holdout", "policy"


def held_out(customer_ids: pl.Series, share: float, salt: str) -> np.ndarray:
    """Whether each customer is in the holdout, shape (n,).

    Parameters
    ----------
    customer_ids : series of str
    share : float
        0-1. A larger share keeps everybody who was held out under a smaller one.
    salt : str
        Another salt draws another holdout.
    """
    prefix = salt.encode() + b"\x00"
    bound = int(share * 2**64)
    draws = (
        int.from_bytes(hashlib.sha256(prefix + i.encode()).digest()[:8], "big")
        for i in customer_ids
    )
    return np.fromiter((draw < bound for draw in draws), dtype=bool, count=len(customer_ids))
