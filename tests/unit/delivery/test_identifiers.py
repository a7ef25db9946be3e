"""Addresses in one spelling and their hashes, beside computed vectors."""

import polars as pl
import pytest

from delivery.identifiers import email_address, is_email, is_phone, phone_number, sha256


def one(expression, text):
    return pl.DataFrame({"cell": [text]}, schema={"cell": pl.String}).select(expression("cell"))[
        0, 0
    ]


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("test@gmail.com", "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674"),
        ("+442070313000", "f3d7e96c73fb0de1b66acfce541d7af758fbd4f3fa3af0ea4e10110000d3625e"),
        ("zo\xeb", "2752b88686847fa5c86f47b94ce652b7b3f22a91c37617d451a4db9afa431450"),
        (None, None),
    ],
)
def test_hash_is_the_lower_case_hex_of_the_utf8_bytes(text, digest):
    assert sha256(pl.Series([text], dtype=pl.String)).to_list() == [digest]


def test_address_is_hashed_in_its_one_spelling():
    spelt = one(email_address, " Test@Gmail.com ")
    assert sha256(pl.Series([spelt]))[0].startswith("87924606b4131a8a")


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        (" Ada@Example.org\t", "ada@example.org"),
        ("zoe\N{COMBINING DIAERESIS}@example.org", "zo\xeb@example.org"),
        ("a.b+c@example.co.uk", "a.b+c@example.co.uk"),
        ("a@example", None),
        ("a@b@example.org", None),
        ("=a@example.org", None),
        ("+a@example.org", None),
        ('=HYPERLINK("http://example.org")', None),
        ("a b@example.org", None),
        ("a\x00b@example.org", None),
        ("a" * 250 + "@example.org", None),
        ("", None),
        (None, None),
    ],
)
def test_address_has_one_spelling_or_none(text, spelt):
    assert one(email_address, text) == spelt
    assert spelt is None or is_email(spelt)


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("+44 (20) 7031-3000", "+442070313000"),
        ("+442070313000", "+442070313000"),
        ("020 7031 3000", None),
        ("0044 20 7031 3000", None),
        ("+0442070313000", None),
        ("+44", None),
        (None, None),
    ],
)
def test_number_has_a_country_code_or_is_none(text, spelt):
    assert one(phone_number, text) == spelt
    assert spelt is None or is_phone(spelt)
