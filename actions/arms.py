"""Which arm each customer is in: the same one in every run, by a salted hash of the id alone."""

import hashlib

import numpy as np
import polars as pl

from actions.params import RecommendParams

HOLDOUT, POLICY, RANDOM, USUAL = "holdout", "policy", "random", "business_as_usual"
WHOLE = 2**64


def draws(customer_ids: pl.Series, salt: str) -> np.ndarray:
    """A number for each customer, uniform over the 64-bit integers, shape (n,)."""
    prefix = salt.encode() + b"\x00"
    drawn = b"".join(hashlib.sha256(prefix + i.encode()).digest()[:8] for i in customer_ids)
    return np.frombuffer(drawn, dtype=">u8").astype(np.uint64)


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
    return _below(draws(customer_ids, salt), share)


def arms(customer_ids: pl.Series, params: RecommendParams) -> np.ndarray:
    """The arm of each customer, shape (n,).

    The holdout is drawn from one end of the hash and the other arms from the other end, so that a
    change of one share moves nobody between the others.
    """
    drawn = draws(customer_ids, params.holdout_salt)
    known = 1 - params.random_share
    usual = ~_below(drawn, known - params.usual_share) & _below(drawn, known)
    arm = np.full(len(drawn), POLICY, dtype=object)
    arm[~_below(drawn, known)] = RANDOM
    arm[usual] = USUAL
    arm[_below(drawn, params.holdout_share)] = HOLDOUT
    return arm


def shares(params: RecommendParams) -> dict[str, float]:
    """Probability of each arm."""
    rest = 1 - params.holdout_share - params.random_share - params.usual_share
    return {
        HOLDOUT: params.holdout_share,
        RANDOM: params.random_share,
        USUAL: params.usual_share,
        POLICY: rest,
    }


def _below(drawn: np.ndarray, share: float) -> np.ndarray:
    bound = int(share * WHOLE)
    return drawn < np.uint64(bound) if bound < WHOLE else np.ones(len(drawn), dtype=bool)
