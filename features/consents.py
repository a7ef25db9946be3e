"""Consent as of a date: who objected, and who may be contacted where."""

from datetime import date

import narwhals as nw

from features.time import visible

REFUSED = ("denied", "revoked")
ANY = "any"
OBJECTED = "objected"  # the event type of that name in catalogue/taxonomy.yaml


def valid(consents: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Consent rows that hold on `as_of`: begun on or before it, and not ended."""
    begun = nw.col("since") <= nw.lit(as_of)
    ended = (nw.col("until") <= nw.lit(as_of)).fill_null(False)
    return consents.filter(begun & ~ended)


def objected(consents: nw.LazyFrame, events: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Customers whose latest word on profiling is a refusal, shape (n, 1).

    A refusal is a consent row, or an event of the type ``objected``. An objection to direct
    marketing covers the profiling for it, so these customers are dropped before features (General
    Data Protection Regulation, Article 21(2)-(3)).
    """
    rows = valid(consents, as_of).filter(nw.col("purpose") == "profiling")
    rows = rows.filter(nw.col("status") != "unknown")
    said = rows.select("customer_id", "since", refused=nw.col("status").is_in(REFUSED))
    seen = visible(events, as_of).filter(nw.col("event_type") == OBJECTED)
    done = seen.select("customer_id", since=nw.col("on"), refused=nw.lit(True))
    return _last_word_refused(nw.concat([said, done], how="vertical"), ["customer_id"])


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
    ended = _ended(consents, events, as_of)
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


def refusals(consents: nw.LazyFrame, events: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Channels, or ``any``, of which each customer's last word is a refusal or an opt-out.

    They close also those channels that need no consent.

    Returns
    -------
    table, shape (n, 2)
        ``customer_id``, ``channel``.
    """
    rows = valid(consents, as_of).filter(nw.col("purpose") == "marketing")
    agreed = rows.filter(nw.col("status") == "granted")
    agreed = agreed.select("customer_id", "channel", "since", refused=nw.lit(False))
    ended = _ended(consents, events, as_of).with_columns(refused=nw.lit(True))
    keys = ["customer_id", "channel"]
    return _last_word_refused(nw.concat([agreed, ended], how="vertical"), keys)


def _ended(consents: nw.LazyFrame, events: nw.LazyFrame, as_of: date) -> nw.LazyFrame:
    """Refusals on record and opt-out events: ``customer_id, channel, since``."""
    rows = valid(consents, as_of).filter(nw.col("purpose") == "marketing")
    refused = rows.filter(nw.col("status").is_in(REFUSED)).select("customer_id", "channel", "since")
    left = visible(events, as_of).filter(nw.col("role") == "opt_out")
    left = left.select("customer_id", nw.col("channel").fill_null(ANY), since=nw.col("on"))
    return nw.concat([refused, left], how="vertical")


def _newest(rows: nw.LazyFrame, name: str) -> nw.LazyFrame:
    keys = ["customer_id", "channel"]
    newest = rows.with_columns(newest=nw.col("since").max().over(*keys))
    return (
        newest.filter(nw.col("since") == nw.col("newest"))
        .group_by(*keys)
        .agg(nw.col("basis").min(), nw.col("since").max().alias(name))
    )


def _last_word_refused(said: nw.LazyFrame, keys: list[str]) -> nw.LazyFrame:
    """Keys whose newest row is a refusal; on one day a refusal outweighs an agreement."""
    refused = nw.when(nw.col("refused")).then(nw.col("since")).otherwise(None)
    agreed = nw.when(~nw.col("refused")).then(nw.col("since")).otherwise(None)
    last = said.group_by(*keys).agg(refused_on=refused.max(), agreed_on=agreed.max())
    lifted = (nw.col("agreed_on") > nw.col("refused_on")).fill_null(False)
    return last.filter(~nw.col("refused_on").is_null() & ~lifted).select(*keys)
