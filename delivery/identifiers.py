"""Addresses in one spelling, and their SHA-256 for platforms that take no plain ones.

Spelling: text as NFC, without spaces around it, lower case; telephone numbers as E.164. Dots and
plus signs in an address count: platforms differ on whether to drop them.
"""

import hashlib
import re

import polars as pl

# The first sign may not be one that a spreadsheet takes for the start of a formula.
EMAIL = r"^[^\s@=+\-,;:\"<>()\[\]\\\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}][^\s@,;:\"<>()\[\]\\]*@[^\s@.,;:\"<>()\[\]\\]+(\.[^\s@.,;:\"<>()\[\]\\]+)*\.[^\s@.,;:\"<>()\[\]\\\d]{2,63}$"  # noqa: E501
E164 = r"^\+[1-9]\d{6,14}$"
CONTROL = r"[\x00-\x1f\x7f-\x{9f}]"
LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3


def email_address(column: str) -> pl.Expr:
    """Address in one spelling; null where the text is not an e-mail address."""
    spelt = pl.col(column).str.normalize("NFC").str.strip_chars().str.to_lowercase()
    fits = spelt.str.contains(EMAIL) & ~spelt.str.contains(CONTROL)
    fits &= spelt.str.len_bytes() <= LONGEST_EMAIL
    return pl.when(fits).then(spelt)


def phone_number(column: str) -> pl.Expr:
    """Number as E.164; null where the text is none, for example without a country code."""
    spelt = pl.col(column).str.replace_all(r"[\s().\-/]", "")
    return pl.when(spelt.str.contains(E164)).then(spelt)


def sha256(texts: pl.Series) -> pl.Series:
    """SHA-256 of each text's UTF-8 bytes as lower-case hex; null stays null."""
    digests = [
        None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in texts
    ]
    return pl.Series(texts.name, digests, dtype=pl.String)


def is_email(text: str) -> bool:
    """Whether a cell is an e-mail address as it should be written."""
    return _matches(EMAIL, text) and len(text.encode()) <= LONGEST_EMAIL


def is_phone(text: str) -> bool:
    """Whether a cell is a telephone number in E.164."""
    return _matches(E164, text)


def _matches(pattern: str, text: str) -> bool:
    return re.search(re.sub(r"\\x\{(\w{4})\}", r"\\u\1", pattern), text) is not None
