"""Consent as of a date: who objected, and who may be contacted where."""

from datetime import date

import narwhals as nw

from features.time import visible

REFUSED = ("denied", "revoked")
ANY = "any"


def valid(consents: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Consent rows that hold on `as_of`: begun on or before it, and not ended."""
    begun = nw.col("since") <= nw.lit(as_of)
    ended = (nw.col("until") <= nw.lit(as_of)).fill_null(False)
    return consents.filter(begun & ~ended)


def objected(consents: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Customers whose latest word on profiling is a refusal, shape (n, 1).

    An objection to direct marketing covers the profiling for it, so these customers are dropped
    before features (General Data Protection Regulation, Article 21(2)-(3)).
    """
    rows = valid(consents, as_of).filter(nw.col("purpose") == "profiling")
    return _latest_refused(rows).select("customer_id")


def permissions(consents: nw.LazyFrame, events: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Channels in which each customer may be sent marketing on `as_of`.

    A channel is allowed only by a valid grant that is later than every refusal for it, or for any
    channel, and than every opt-out event; unknown or missing means no.

    Returns
    -------
    table, shape (n, 3)
        ``customer_id``, ``channel``, ``basis``.
    """
    rows = valid(consents, as_of).filter(nw.col("purpose") == "marketing")
    granted = _newest(rows.filter(nw.col("status") == "granted"), "granted_on")
    refused = rows.filter(nw.col("status").is_in(REFUSED)).select("customer_id", "channel", "since")
    left = visible(events, as_of).filter(nw.col("role") == "opt_out")
    left = left.select("customer_id", nw.col("channel").fill_null(ANY), since=nw.col("on"))
    ended = nw.concat([refused, left], how="vertical")
    same = ended.group_by("customer_id", "channel").agg(refused_on=nw.col("since").max())
    everywhere = ended.filter(nw.col("channel") == ANY)
    everywhere = everywhere.group_by("customer_id").agg(all_refused_on=nw.col("since").max())
    judged = granted.join(same, on=["customer_id", "channel"], how="left").join(
        everywhere, on="customer_id", how="left"
    )
    later = [
        (nw.col("granted_on") > nw.col(column)).fill_null(True)
        for column in ("refused_on", "all_refused_on")
    ]
    return judged.filter(*later).select("customer_id", "channel", "basis")


def _newest(rows: nw.LazyFrame, name: str) -> nw.LazyFrame:
    keys = ["customer_id", "channel"]
    newest = rows.with_columns(newest=nw.col("since").max().over(*keys))
    return (
        newest.filter(nw.col("since") == nw.col("newest"))
        .group_by(*keys)
        .agg(nw.col("basis").min(), nw.col("since").max().alias(name))
    )


def _latest_refused(rows: nw.LazyFrame) -> nw.LazyFrame:
    refused = nw.when(nw.col("status").is_in(REFUSED)).then(nw.col("since")).otherwise(None)
    agreed = nw.when(nw.col("status") == "granted").then(nw.col("since")).otherwise(None)
    last = rows.group_by("customer_id").agg(refused_on=refused.max(), agreed_on=agreed.max())
    stands = (nw.col("agreed_on") > nw.col("refused_on")).fill_null(False)
    return last.filter(~nw.col("refused_on").is_null() & ~stands)
