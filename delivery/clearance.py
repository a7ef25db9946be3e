"""The last gate before a file: consent, objection, suppression and holdout, checked again.

Deciding has checked all of it, but a decision may be older than a refusal, and two customer ids may
share one address. Whoever does not pass keeps the row, as suppressed and with the reason.
"""

from datetime import date
from typing import NamedTuple

import polars as pl

from actions.catalogue import ActionCatalogue
from delivery.identifiers import email_address, phone_number, sha256
from features.errors import RefusedError

ANY = "any"
# Channels that reach an address which two customer ids may share, and the kind of address.
ADDRESS_OF = pl.DataFrame(
    [("email", "email"), ("ad", "email"), ("sms", "phone"), ("phone", "phone")],
    schema=["channel", "kind"],
    orient="row",
)
IDENTIFIERS = ("customer_id", "email", "phone")
BLANKED = ("action_id", "channel", "basis", "uplift", "sensitivity", "expires_on")
ZEROED = ("expected_net_value_cents", "cost_cents")


class Clearances(NamedTuple):
    """What is known of consent and identity when the files are written.

    Attributes
    ----------
    permitted : table of customer_id, channel, basis
    refused : table of customer_id, channel (``any``: all of them)
    objected : table of customer_id
    suppressions : table of schemas.SUPPRESSIONS
    identities : table of schemas.IDENTITIES
    """

    permitted: pl.DataFrame
    refused: pl.DataFrame
    objected: pl.DataFrame
    suppressions: pl.DataFrame
    identities: pl.DataFrame


def check_freshness(
    suppressions: pl.DataFrame, as_of: date, *, declared: bool, max_age_days: int
) -> None:
    """Refuse to export on an old list of suppressed addresses.

    Raises
    ------
    RefusedError
        If a source of suppressions is declared and its newest row is older than the limit, or
        there is none: an empty list cannot be told from one that failed to arrive.
    """
    if not declared:
        return
    newest = suppressions["listed_on"].max()
    age = (as_of - newest).days if isinstance(newest, date) else None
    if age is None or age > max_age_days:
        got = "no row" if age is None else f"one of {age} days ago"
        raise RefusedError(
            f"suppressions: the list is too old to write to anybody. Got {got}. Expected at most "
            f"{max_age_days} days before {as_of}. Export it again from the marketing tool, ingest, "
            f"and deliver again."
        )


def addresses(identities: pl.DataFrame) -> pl.DataFrame:
    """One spelling of each customer's address: ``customer_id, email, phone``, null where none."""
    return identities.select("customer_id", email_address("email"), phone_number("phone"))


def of_known(rows: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Rows of customers who are still known: whoever was erased since is in no file."""
    known = rows["customer_id"].is_in(customers["customer_id"].implode())
    return rows if known.all() else rows.filter(known)


def cleared(decisions: pl.DataFrame, known: Clearances, catalogue: ActionCatalogue) -> pl.DataFrame:
    """The decisions, with everybody withheld who may not be written to after all.

    Of several customers with one address of the channel, the one with the highest expected net
    value keeps the action, then the first id; the others are withheld (``address_repeated``).

    Parameters
    ----------
    decisions : table of schemas.DECISIONS
    known : Clearances
    catalogue : ActionCatalogue

    Returns
    -------
    table of schemas.DECISIONS
        The same rows in the same order. Withheld rows have outcome ``suppressed``, no action, no
        cost, and the reason: objected, suppressed, no_consent, address_refused, address_held_out or
        address_repeated.
    """
    where = addresses(known.identities)
    rows = decisions.filter(pl.col("outcome") == "exported").join(
        where, on="customer_id", how="left", maintain_order="left"
    )
    held = decisions.filter(pl.col("outcome") == "held_out").select("customer_id")
    barred = {
        "objected": rows.join(known.objected, on="customer_id", how="semi"),
        "suppressed": _suppressed(rows, known.suppressions),
        "no_consent": _without_consent(rows, known, catalogue),
        "address_refused": _refused_address(rows, known, where),
        "address_held_out": _shared(rows, held, where),
    }
    withheld = _first_reason(barred)
    passing = rows.join(withheld, on="decision_id", how="anti", maintain_order="left")
    repeated = _first_reason({"address_repeated": _repeated(passing)})
    return _withhold(decisions, pl.concat([withheld, repeated]))


def _first_reason(barred: dict[str, pl.DataFrame]) -> pl.DataFrame:
    parts = [
        rows.select("decision_id", pl.lit(reason).alias("withheld"))
        for reason, rows in barred.items()
    ]
    return pl.concat(parts).unique("decision_id", keep="first", maintain_order=True)


def _withhold(decisions: pl.DataFrame, withheld: pl.DataFrame) -> pl.DataFrame:
    marked = decisions.join(withheld, on="decision_id", how="left", maintain_order="left")
    out = pl.col("withheld").is_not_null()
    return marked.with_columns(
        pl.when(out).then(pl.lit("suppressed")).otherwise("outcome").alias("outcome"),
        pl.coalesce("exit_reason", "withheld").alias("exit_reason"),
        *(pl.when(~out).then(pl.col(name)).alias(name) for name in BLANKED),
        *(pl.when(out).then(0).otherwise(pl.col(name)).alias(name) for name in ZEROED),
    ).select(decisions.columns)


def _suppressed(rows: pl.DataFrame, suppressions: pl.DataFrame) -> pl.DataFrame:
    """Rows whose id or address, plain or as SHA-256, is on the list for their channel."""
    own = rows.select("decision_id", "channel", *IDENTIFIERS).with_columns(
        sha256(rows[name]).alias(f"{name}_sha256") for name in IDENTIFIERS
    )
    long = own.unpivot(
        index=["decision_id", "channel"], variable_name="kind", value_name="identifier"
    )
    listed = spelt(suppressions)
    everywhere = listed.filter(pl.col("channel") == ANY)
    hit = [
        long.join(listed, on=["kind", "identifier", "channel"], how="semi"),
        long.join(everywhere, on=["kind", "identifier"], how="semi"),
    ]
    return pl.concat(hit)


def spelt(suppressions: pl.DataFrame) -> pl.DataFrame:
    """``kind, identifier, channel`` of the list, with addresses in the one spelling."""
    kind, value = pl.col("kind"), pl.col("identifier")
    one = pl.when(kind == "email").then(pl.coalesce(email_address("identifier"), value))
    one = one.when(kind == "phone").then(pl.coalesce(phone_number("identifier"), value))
    lower = pl.when(kind.str.ends_with("_sha256")).then(value.str.to_lowercase()).otherwise(value)
    return suppressions.select("kind", one.otherwise(lower).alias("identifier"), "channel")


def _without_consent(
    rows: pl.DataFrame, known: Clearances, catalogue: ActionCatalogue
) -> pl.DataFrame:
    """Rows without the consent that their channel needs, or whose customer refused it."""
    needs = [name for name, channel in catalogue.channels.items() if channel.consent]
    pair = ["customer_id", "channel"]
    everywhere = known.refused.filter(pl.col("channel") == ANY)
    asked = pl.col("channel").is_in(needs)
    return pl.concat(
        [
            rows.filter(asked).join(known.permitted, on=pair, how="anti"),
            rows.join(known.refused, on=pair, how="semi"),
            rows.filter(~asked).join(everywhere, on="customer_id", how="semi"),
        ]
    )


def _refused_address(rows: pl.DataFrame, known: Clearances, where: pl.DataFrame) -> pl.DataFrame:
    """Rows whose address somebody with another id refused, or whose owner objected."""
    by_kind = where.unpivot(index="customer_id", variable_name="kind", value_name="address")
    named = known.refused.join(ADDRESS_OF, on="channel")
    wide = known.refused.filter(pl.col("channel") == ANY).select("customer_id")
    both = [named.select("customer_id", "channel", "kind"), wide.join(ADDRESS_OF, how="cross")]
    closed = pl.concat(both).join(by_kind.drop_nulls(), on=["customer_id", "kind"])
    reached = rows.join(ADDRESS_OF, on="channel").join(by_kind, on=["customer_id", "kind"])
    hit = reached.join(closed, on=["channel", "address"], how="semi").select("decision_id")
    return pl.concat([hit, _shared(rows, known.objected, where).select("decision_id")])


def _shared(rows: pl.DataFrame, others: pl.DataFrame, where: pl.DataFrame) -> pl.DataFrame:
    """Rows with the e-mail address or the telephone number of one of `others`."""
    theirs = where.join(others, on="customer_id", how="semi")
    return pl.concat(
        rows.join(theirs.drop_nulls(kind), on=kind, how="semi") for kind in ("email", "phone")
    )


def _repeated(passing: pl.DataFrame) -> pl.DataFrame:
    """All but the best of the rows that share the address of their channel."""
    reached = passing.join(ADDRESS_OF, on="channel").with_columns(
        address=pl.when(pl.col("kind") == "email").then("email").otherwise("phone")
    )
    ordered = reached.drop_nulls("address").sort(
        "expected_net_value_cents", "customer_id", descending=[True, False]
    )
    best = ordered.unique(["channel", "address"], keep="first", maintain_order=True)
    return ordered.join(best, on="decision_id", how="anti")
