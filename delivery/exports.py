"""The files of a marketing platform: who to contact, whom to leave out, who refused for good."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from delivery.canonical import NOT_NEEDED
from delivery.clearance import Clearances, addresses
from delivery.csv_cells import bare_text, is_bare
from delivery.identifiers import sha256
from delivery.platforms import Limits, Platform, PlatformCatalogue

GRANTED, UNSPECIFIED = "granted", "unspecified"


class Export(NamedTuple):
    """The files of one platform and what became of the actions by its channels.

    Attributes
    ----------
    files : dict of str to bytes
        Name -> content.
    rows : dict of str to int
        Name -> rows below the header.
    left_out : dict of str to int
        Why actions by the platform's channels are in none of its send files -> how many.
    """

    files: dict[str, bytes]
    rows: dict[str, int]
    left_out: dict[str, int]


def platform_export(
    name: str,
    catalogue: PlatformCatalogue,
    *,
    actions: pl.DataFrame,
    decisions: pl.DataFrame,
    known: Clearances,
) -> Export:
    """Every file of one platform.

    Parameters
    ----------
    name : str
        Key of ``platforms`` in the catalogue; begins the files' names.
    catalogue : PlatformCatalogue
    actions : table of `delivery.canonical.action_columns` with identities
    decisions : table of schemas.DECISIONS, after `delivery.clearance.cleared`
    known : Clearances

    Returns
    -------
    Export
        Empty files are left out. Nobody in a send file is in the file of those to leave out.
    """
    platform = catalogue.platforms[name]
    net = decisions.select("decision_id", net_cents="expected_net_value_cents")
    mine = actions.filter(pl.col("channel").is_in(platform.channels)).join(net, on="decision_id")
    sent, left_out = _audience(with_addresses(mine, known.identities), platform)
    away = decisions.filter(pl.col("outcome").is_in(["held_out", "suppressed"]))
    refused = _refusing(platform, known)
    parts = {
        **{f"{name}{state}": rows for state, rows in _send_files(sent, platform, catalogue)},
        f"suppress_{name}": _listing(away, sent, platform, known, constants=False),
        f"opt_out_{name}": _listing(refused, None, platform, known, constants=True),
    }
    files: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    for stem, rows in parts.items():
        limits = platform.limits
        if rows.is_empty():
            continue
        if rows.height < limits.min_rows:
            if stem.startswith(name):
                left_out["too_few_rows"] = left_out.get("too_few_rows", 0) + rows.height
            continue
        for file, content, count in split_csv(stem, rows, limits):
            files[file], counts[file] = content, count
    return Export(files, counts, left_out)


def with_addresses(rows: pl.DataFrame, identities: pl.DataFrame) -> pl.DataFrame:
    """Rows with address, name, country and SHA-256: null where there is none that can be used."""
    plain = addresses(identities)
    country = pl.col("country").str.strip_chars().str.to_uppercase()
    fits = country.str.contains(r"^[A-Z]{2}$")
    others = identities.select("customer_id", "first_name", pl.when(fits).then(country))
    found = rows.drop("email", "phone", "first_name", "country", strict=False).join(
        plain.join(others, on="customer_id"), on="customer_id", how="left", maintain_order="left"
    )
    digits = found["phone"].str.strip_chars_start("+").alias("phone_digits_sha256")
    return found.with_columns(
        sha256(found["email"]).alias("email_sha256"),
        sha256(found["phone"]).alias("phone_sha256"),
        sha256(digits),
    )


def _audience(rows: pl.DataFrame, platform: Platform) -> tuple[pl.DataFrame, dict[str, int]]:
    """Who can be in the send file, one row a person, and why the others cannot."""
    without = rows.filter(pl.col(platform.address).is_null())
    reached = rows.filter(pl.col(platform.address).is_not_null())
    usable = reached.filter(_usable(platform))
    lawful = usable.filter(_granted_where_needed(platform))
    best = lawful.sort("net_cents", "customer_id", descending=[True, False])
    for column in _identifying(platform):
        known = best.filter(pl.col(column).is_not_null())
        one = known.unique(column, keep="first", maintain_order=True)
        best = pl.concat([one, best.filter(pl.col(column).is_null())])
    counts = {
        "no_address": without.height,
        "unusable_id": reached.height - usable.height,
        "no_grant": usable.height - lawful.height,
        "same_person": lawful.height - best.height,
    }
    return best.sort("customer_id"), {why: n for why, n in counts.items() if n}


def _usable(platform: Platform) -> pl.Expr:
    """Whether the customer's own id, where it is written, can stand in a cell unchanged."""
    if any(column.source == "customer_id" for column in platform.columns):
        return is_bare("customer_id")
    return pl.lit(True)


def _granted_where_needed(platform: Platform) -> pl.Expr:
    """Within the region a grant must be on record; an unknown country counts as within it."""
    if not platform.consent_region:
        return pl.lit(True)
    within = pl.col("country").is_in(platform.consent_region).fill_null(True)
    return _is_granted() | ~within


def _is_granted() -> pl.Expr:
    return pl.col("consent_basis").fill_null(NOT_NEEDED) != NOT_NEEDED


def _identifying(platform: Platform) -> list[str]:
    """Columns of the audience by which the platform tells people apart, its address first."""
    headers = {header for group in platform.identifiers for header in group}
    sources = [c.source for c in platform.columns if c.header in headers and c.source]
    return list(dict.fromkeys([platform.address, *sources]))


def _send_files(
    sent: pl.DataFrame, platform: Platform, catalogue: PlatformCatalogue
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Ending of the file's name and rows: one file for each consent state where wanted."""
    if platform.consent == "field":
        yield "", _written(sent, platform, catalogue)
        return
    yield f"_{GRANTED}", _written(sent.filter(_is_granted()), platform, catalogue)
    yield f"_{UNSPECIFIED}", _written(sent.filter(~_is_granted()), platform, catalogue)


def _written(rows: pl.DataFrame, platform: Platform, catalogue: PlatformCatalogue) -> pl.DataFrame:
    own = [(c.header, c.source) for c in platform.columns if c.source]
    extra = [(c.header, c.source) for c in catalogue.attributes if c.source in rows.columns]
    extra = extra if platform.own_fields else []
    headers = {header for group in platform.identifiers for header in group}
    if platform.identifier_at == "last":
        own, last = (
            [pair for pair in own if (pair[0] in headers) == wanted] for wanted in (False, True)
        )
        pairs = [*own, *extra, *last]
    else:
        pairs = [*own, *extra]
    return _cells(rows.select(pl.col(source).alias(header) for header, source in pairs), platform)


def _listing(
    people: pl.DataFrame,
    sent: pl.DataFrame | None,
    platform: Platform,
    known: Clearances,
    *,
    constants: bool,
) -> pl.DataFrame:
    """Identifiers of people, one row a person, without those in the send file.

    Uploading these lists tells the platform of a person as well, so where it asks for consent, they
    hold nobody who would need a grant and gave none.
    """
    allowed = known.permitted.filter(pl.col("channel").is_in(platform.channels))
    grants = allowed.select("customer_id", consent_basis="basis").unique("customer_id")
    found = with_addresses(people.select("customer_id").unique(), known.identities)
    found = found.join(grants, on="customer_id", how="left")
    found = found.filter(
        pl.col(platform.address).is_not_null(),
        _usable(platform),
        _granted_where_needed(platform),
    )
    for column in _identifying(platform):
        if sent is not None:
            found = found.join(sent.drop_nulls(column), on=column, how="anti")
    found = found.sort("customer_id")
    for column in _identifying(platform):
        first = pl.col("customer_id").cum_count().over(column) == 1
        found = found.filter(pl.col(column).is_null() | first)
    columns = [
        pl.col(c.source).alias(c.header) if c.source else pl.lit(c.constant).alias(c.header)
        for c in platform.opt_out.columns
        if c.source or constants
    ]
    return _cells(found.select(columns), platform)


def _refusing(platform: Platform, known: Clearances) -> pl.DataFrame:
    """Who refused the platform's channel or all channels, or objected."""
    closed = known.refused.filter(pl.col("channel").is_in([platform.opt_out.channel, "any"]))
    return pl.concat([closed.select("customer_id"), known.objected.select("customer_id")])


def _cells(rows: pl.DataFrame, platform: Platform) -> pl.DataFrame:
    """Columns as the text that is written: no separators, no formulas, within the limit."""
    most = platform.limits.cell_bytes
    plain = [c.header for c in platform.columns if c.holds in ("phone", "phone_or_sha256")]
    texts = rows.with_columns(pl.all().cast(pl.String)).with_columns(
        bare_text(name) for name in rows.columns if name not in plain
    )
    if most:
        texts = texts.with_columns(_shortened(name, most) for name in texts.columns)
    return texts


def _shortened(name: str, most: int) -> pl.Expr:
    def cut(text: str) -> str:
        return text.encode()[:most].decode("utf-8", "ignore")

    long = pl.col(name).str.len_bytes() > most
    short = pl.col(name).map_elements(cut, return_dtype=pl.String)
    return pl.when(long).then(short).otherwise(pl.col(name)).alias(name)


def split_csv(stem: str, rows: pl.DataFrame, limits: Limits) -> Iterator[tuple[str, bytes, int]]:
    """Name, content and number of rows of each part; one part keeps the plain name.

    Parameters
    ----------
    stem : str
        Name without ending; parts get ``_part01`` and so on.
    rows : table of text
    limits : Limits
        ``rows`` and ``bytes`` of one file.
    """
    text = rows.write_csv(line_terminator="\n", quote_style="necessary", null_value="")
    header, *lines = text.encode().splitlines(keepends=True)
    ends = _ends(np.array([len(line) for line in lines]), limits, room=len(header))
    starts = [0, *ends[:-1]]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        name = f"{stem}_part{number:02d}.csv" if len(ends) > 1 else f"{stem}.csv"
        yield name, header + b"".join(lines[start:end]), end - start


def _ends(sizes: np.ndarray, limits: Limits, *, room: int) -> list[int]:
    """Index after the last row of each part, filled as far as both limits allow."""
    total = np.cumsum(sizes)
    most_bytes = (limits.bytes or int(total[-1]) + room) - room
    most_rows = limits.rows or len(sizes)
    ends, start = [], 0
    while start < len(sizes):
        used = total[start - 1] if start else 0
        end = int(np.searchsorted(total, used + most_bytes, side="right"))
        ends.append(max(start + 1, min(end, start + most_rows)))
        start = ends[-1]
    if len(ends) > 1 and ends[-1] - ends[-2] < limits.min_rows:
        ends[-2] = ends[-1] - limits.min_rows
    return ends
