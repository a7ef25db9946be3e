"""Proposed sources of people: who is known since when, their addresses, and what they allowed."""

from datetime import date

import polars as pl

from features.errors import InputMissingError
from pipelines.intake.sources import Origin, Override
from pipelines.onboarding import vocabulary
from pipelines.onboarding.drafts import Asked, Decision, Draft, source_of
from pipelines.onboarding.recognition import Pick, Profiled, the_customer, the_text, told
from pipelines.onboarding.vocabulary import says, words

IDENTITIES = ("email", "phone", "first_name", "last_name", "country")
GRANTED = (
    r"(?i)^(true|t|yes|y|1|granted|grant|subscribed|opted[ _-]?in|opt[ _-]?in|allowed|ja|oui|si|x)$"
)
MOST_STATUSES = 20


def customer_drafts(name: str, path: str, shown: Profiled, asked: Asked) -> list[Draft]:
    """Sources of customers and of identities, as far as a file of people has them.

    Raises
    ------
    InputMissingError
        If it has neither a date since when a customer is known, nor an address.
    """
    who = _who(shown, asked)
    known = _known(name, path, shown, asked, who)
    contacts = _identities(f"{name}_contacts" if known else name, path, shown, who)
    drafts = [draft for draft in (known, contacts) if draft]
    if not drafts:
        raise InputMissingError(
            f"{asked.option} {shown.sample.path.name}: neither a date nor an address. Got "
            f"{', '.join(shown.sample.columns)}. Name one: --column known_since=NAME."
        )
    return drafts


def consent_drafts(
    name: str, path: str, shown: Profiled, asked: Asked, exported_on: date
) -> list[Draft]:
    """Sources of consents: one of a list of statuses, or one for each column such as sms_opt_in.

    Raises
    ------
    InputMissingError
        If there is neither.
    """
    who = _who(shown, asked)
    since = _since(shown, asked, {who.column}, exported_on)
    status = _status(shown, asked, {who.column})
    if status:
        channel = the_text(shown, "channel", {who.column, status.column})
        listed = channel.column if channel else None
        return [_consent(name, path, shown, who, since, status.column, listed, "")]
    wide = _consent_columns(shown, {who.column})
    if not wide:
        raise InputMissingError(
            f"{asked.option} {shown.sample.path.name}: no column says what was allowed. Got "
            f"{', '.join(shown.sample.columns)}. Expected one such as status or sms_opt_in."
        )
    return [
        _consent(f"{name}_{channel}", path, shown, who, since, column, None, channel)
        for channel, column in wide.items()
    ]


def _who(shown: Profiled, asked: Asked) -> Pick:
    said = asked.columns.get("customer_id")
    if said and said in shown.profiles:
        return told(shown, said, "customer_id")
    named = [n for r, n in shown.named("customer_id") if r < 2]
    ids = [n for n in shown.profiles if words(n) == "id" and not shown.profiles[n].repeats]
    if not named and ids:
        return Pick(ids[0], "one row, one id", "sure")
    return the_customer(shown, set(), asked.option)


def _known(name: str, path: str, shown: Profiled, asked: Asked, who: Pick) -> Draft | None:
    said = asked.columns.get("known_since")
    fit = [n for _, n in shown.named("known_since", {who.column}) if shown.profiles[n].time]
    if not said and not fit:
        return None
    since = told(shown, said, "known_since") if said else Pick(fit[0], "by its name", "sure")
    form = shown.profiles[since.column].time
    origins = {
        "customer_id": Origin(column=who.column),
        "known_since": Origin(column=since.column, format=form.format if form else None),
    }
    why = f"{since.why}; {form.why}" if form else since.why
    decisions = [
        Decision("customer_id", who.column, who.why, who.sure, who.rivals),
        Decision("known_since", since.column, why, since.sure),
    ]
    return Draft(name, source_of("customers", path, shown, origins), decisions, shown)


def _identities(name: str, path: str, shown: Profiled, who: Pick) -> Draft | None:
    origins = {"customer_id": Origin(column=who.column)}
    decisions = [Decision("customer_id", who.column, who.why, who.sure)]
    for target in IDENTITIES:
        pick = the_text(shown, target, set())
        if pick:
            origins[target] = Origin(column=pick.column)
            why = "by its name; for delivery only"
            decisions.append(Decision(target, pick.column, why, "sure"))
    if len(origins) == 1 or set(origins) == {"customer_id", "country"}:
        return None
    return Draft(
        f"{name}_contacts", source_of("identities", path, shown, origins), decisions, shown
    )


def _since(
    shown: Profiled, asked: Asked, taken: set[str], exported_on: date
) -> tuple[Origin, Decision]:
    said = asked.columns.get("since")
    fit = [n for _, n in shown.named("since", taken) if shown.profiles[n].time]
    if said or fit:
        column = told(shown, said, "since").column if said else fit[0]
        form = shown.profiles[column].time
        why = form.why if form else "as you said"
        return Origin(column=column, format=form.format if form else None), Decision(
            "since", column, why, "likely"
        )
    why = "no date in the file: the state at the end of the data"
    return Origin(constant=exported_on.isoformat()), Decision(
        "since", f"{exported_on}", why, "check"
    )


def _status(shown: Profiled, asked: Asked, taken: set[str]) -> Pick | None:
    said = asked.columns.get("status")
    if said:
        return told(shown, said, "status")
    pick = the_text(shown, "status", taken)
    few = pick and shown.profiles[pick.column].distinct <= MOST_STATUSES
    return pick if few else None


def _consent_columns(shown: Profiled, taken: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column, shape in shown.profiles.items():
        if column in taken or shape.time or not 0 < shape.distinct <= MOST_STATUSES:
            continue
        for channel, pattern in vocabulary.CONSENT_CHANNELS.items():
            if says(column, pattern) and says(column, vocabulary.CONSENT_WORDS):
                found.setdefault(channel, column)
                break
    return found


def _consent(
    name: str, path: str, shown: Profiled, who: Pick, since: tuple[Origin, Decision],
    column: str, listed: str | None, channel: str,
) -> Draft:  # fmt: skip
    """One source; statuses are the shipped words, or whatever means yes; all else is a refusal."""
    status, spoken = _statuses(shown, column)
    purpose, basis = (the_text(shown, t, {who.column, column}) for t in ("purpose", "basis"))
    fixed = channel or "email"
    origins = {
        "customer_id": Origin(column=who.column),
        "channel": Origin(column=listed) if listed else Origin(constant=fixed),
        "purpose": Origin(column=purpose.column) if purpose else Origin(constant="marketing"),
        "status": status,
        "basis": Origin(column=basis.column) if basis else Origin(constant="opt_in"),
        "since": since[0],
    }
    until = the_text(shown, "until", {who.column, column})
    if until and shown.profiles[until.column].time:
        form = shown.profiles[until.column].time
        origins["until"] = Origin(column=until.column, format=form.format if form else None)
    decisions = [
        Decision("customer_id", who.column, who.why, who.sure, who.rivals),
        _channel_decision(listed, channel, column),
        Decision("purpose", purpose.column, "by its name", "sure")
        if purpose else Decision("purpose", "always marketing", "no such column", "likely"),
        Decision("status", column, spoken, "likely"),
        Decision("basis", basis.column, "by its name", "sure")
        if basis else Decision("basis", "always opt_in", "no such column", "check"),
        since[1],
    ]  # fmt: skip
    return Draft(name, source_of("consents", path, shown, origins), decisions, shown)


def _channel_decision(listed: str | None, channel: str, column: str) -> Decision:
    if listed:
        return Decision("channel", listed, "by its name", "sure")
    if channel:
        return Decision("channel", f"always {channel}", f"by the name {column}", "sure")
    return Decision("channel", "always email", "no such column", "check")


def _statuses(shown: Profiled, column: str) -> tuple[Origin, str]:
    values = shown.sample.spread[column].cast(pl.String).str.strip_chars().drop_nulls().unique()
    if set(values) <= {"granted", "denied", "revoked", "unknown"}:
        return Origin(column=column), "the four words that Keepwell knows"
    yes = sorted(values.filter(values.str.contains(GRANTED)))
    when = tuple(Override(column=column, starts_with=word, then="granted") for word in yes)
    spoken = (
        f"{', '.join(yes)}: granted; anything else: denied"
        if yes
        else "nothing says yes: all denied"
    )
    return Origin(constant="denied", when=when), spoken
