"""Whom to look for: a customer's id, and the addresses that the tables have for it."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from delivery.identifiers import email_address, phone_number, sha256

ADDRESSES = ("email", "phone")
# A shorter text, or a shorter number, stands in many files and means something else.
LEAST_LETTERS, LEAST_DIGITS = 4, 6
EDGE = r"[0-9A-Za-z]"


class Person(NamedTuple):
    """What identifies a person in a file.

    Attributes
    ----------
    customer_id : str
    texts : frozenset of str
        The id, each address in every spelling, and the SHA-256 of each.
    columns : frozenset of str
        Names of the columns that hold customers' ids, in tables of ours and in sources.
    """

    customer_id: str
    texts: frozenset[str]
    columns: frozenset[str]

    @property
    def telling(self) -> frozenset[str]:
        """Texts that mean this person wherever they stand."""
        return frozenset(text for text in self.texts if _is_telling(text))

    def pattern(self, *, every: bool = False) -> str:
        """A regular expression for Python and Rust, with the signs before and after; "" for none.

        Parameters
        ----------
        every : bool
            Also what could mean something else, such as a number of three digits.
        """
        texts = sorted(self.texts if every else self.telling)
        if not texts:
            return ""
        either = "|".join(f"(?i:{re.escape(t)})" if "@" in t else re.escape(t) for t in texts)
        return f"(^|[^0-9A-Za-z])({either})($|[^0-9A-Za-z])"


def person_of(customer_id: str, identities: Iterable[Path], columns: Iterable[str]) -> Person:
    """The person behind an id, with the addresses in the tables of identities.

    Parameters
    ----------
    customer_id : str
    identities : paths of tables of schemas.IDENTITIES, as far as they exist
    columns : names of the columns of customers' ids
    """
    own = unicodedata.normalize("NFC", customer_id.strip())
    found = [
        pl.read_parquet(path).filter(pl.col("customer_id") == own)
        for path in identities
        if path.is_file()
    ]
    rows = pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(ADDRESSES, pl.String))
    spelt = [*(rows[name] for name in ADDRESSES)]
    spelt += [
        rows.select(email_address("email"))["email"],
        rows.select(phone_number("phone"))["phone"],
    ]
    texts = pl.concat([pl.Series([own]), *(s.rename("") for s in spelt)]).drop_nulls().unique()
    digits = texts.str.strip_chars_start("+")
    hashed = sha256(pl.concat([texts, digits]))
    both = {*texts, *hashed} - {""}
    return Person(own, frozenset(both), frozenset({"customer_id", "identifier", *columns}))


def _is_telling(text: str) -> bool:
    return len(text) >= (LEAST_DIGITS if text.isdigit() else LEAST_LETTERS)
