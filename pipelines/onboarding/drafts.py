"""A proposed source for a file: the mapping, and for each decision why and how sure."""

from typing import NamedTuple

import polars as pl

from pipelines.intake.sources import Origin, Override, Source
from pipelines.onboarding.exports import Export, export_of, pick_of
from pipelines.onboarding.lines import cancelled_prefix, kind_of_ids, negative_rule, repeated_total
from pipelines.onboarding.recognition import (
    Pick,
    Profiled,
    Sureness,
    the_customer,
    the_event_id,
    the_number,
    the_text,
    the_time,
    the_type,
    told,
)  # fmt: skip
from pipelines.onboarding.vocabulary import file_type, is_people, words

ORDER, REFUND, SIGNUP = "order_completed", "order_refunded", "signup"
OTHER_POST = "community_post"
POST_TYPES = (("1", "post_created"), ("2", "answer_posted"))
MOSTLY = 0.5


class Decision(NamedTuple):
    """One line of what init shows: a target, what it takes for it, why, and how sure it is."""

    target: str
    taken: str
    why: str
    sure: Sureness
    rivals: tuple[str, ...] = ()


class Draft(NamedTuple):
    """A proposed source and the decisions behind it."""

    name: str
    source: Source
    decisions: list[Decision]
    shown: Profiled

    @property
    def undecided(self) -> list[Decision]:
        """Decisions for which another column fits as well."""
        return [d for d in self.decisions if d.rivals]


class Asked(NamedTuple):
    """What the user said of a file: the option that named it, and columns by target."""

    option: str
    columns: dict[str, str]


def event_draft(name: str, path: str, shown: Profiled, asked: Asked, channels: list[str]) -> Draft:
    """Propose a source of events for a file."""
    export = export_of(shown)
    picks = _keys(shown, asked, export)
    taken = {pick.column for pick in picks.values()}
    origins = {t: Origin(column=p.column) for t, p in picks.items()}
    decisions = [Decision(t, p.column, p.why, p.sure, p.rivals) for t, p in picks.items()]
    lines = _ids(shown, origins, decisions)
    decimal = _value(shown, asked, export, taken, origins, decisions)
    _type(shown, asked, export, origins, decisions, lines=lines)
    _labels(shown, asked, export, channels, origins, decisions)
    form = shown.profiles[origins["occurred_at"].column or ""].time
    if form and form.format:
        origins["occurred_at"] = origins["occurred_at"].model_copy(update={"format": form.format})
    source = source_of("events", path, shown, origins, decimal=decimal, lines=lines)
    return Draft(name, source, decisions, shown)


def source_of(
    table: str, path: str, shown: Profiled, origins: dict[str, Origin], *,
    decimal: str = ".", lines: bool = False,
) -> Source:  # fmt: skip
    """A source with the format of its file; columns in the order of the documentation."""
    return Source.model_validate(
        {
            "table": table,
            "path": path,
            "delimiter": shown.sample.delimiter,
            "encoding": shown.sample.encoding,
            "decimal": decimal,
            "lines_of_order": lines,
            "columns": origins,
            "refused": shown.refused,
        }
    )


def _keys(shown: Profiled, asked: Asked, export: Export | None) -> dict[str, Pick]:
    picks: dict[str, Pick] = {}
    for target in ("occurred_at", "customer_id", "event_id", "loaded_at"):
        taken = {pick.column for pick in picks.values()}
        said = asked.columns.get(target)
        pick = told(shown, said, target) if said else pick_of(export, shown, target)
        if pick is None and not (export and target == "event_id"):
            pick = _named(shown, target, taken, asked.option)
        if pick:
            picks[target] = pick
    order = ("event_id", "customer_id", "occurred_at", "loaded_at")
    return {target: picks[target] for target in order if target in picks}


def _named(shown: Profiled, target: str, taken: set[str], option: str) -> Pick | None:
    if target == "occurred_at":
        return the_time(shown, option)
    if target == "customer_id":
        own = _own_id(shown, taken)
        return own or the_customer(shown, taken, option)
    if target == "event_id":
        return the_event_id(shown, taken)
    loaded = the_text(shown, target, taken)
    return loaded if loaded and shown.profiles[loaded.column].time else None


def _own_id(shown: Profiled, taken: set[str]) -> Pick | None:
    """In a file of people, the id of a row is the customer's."""
    if not is_people(shown.sample.path.stem):
        return None
    named = [n for r, n in shown.named("customer_id", taken) if r == 0]
    own = [n for n in shown.profiles if words(n) == "id" and not shown.profiles[n].repeats]
    if named or not own:
        return None
    return Pick(own[0], f"the file is of {shown.sample.path.stem}: one row, one id", "sure")


def _ids(shown: Profiled, origins: dict[str, Origin], decisions: list[Decision]) -> bool:
    """Whether rows that share an id are lines of one order; drops ids that are neither."""
    if "event_id" not in origins:
        decisions.append(
            Decision(
                "event_id", "made from the row", "no column of ids; equal rows count once", "sure"
            )
        )
        return False
    columns = (origins[t].column or "" for t in ("event_id", "customer_id", "occurred_at"))
    kind, why = kind_of_ids(shown.sample.head, *columns)
    number = next(k for k, d in enumerate(decisions) if d.target == "event_id")
    found = decisions[number]
    if kind == "neither":
        del origins["event_id"]
        decisions[number] = Decision(
            "event_id", "made from the row", f"{found.taken}: {why}", "likely"
        )
    else:
        decisions[number] = found._replace(why=f"{found.why}; {why}")
    return kind == "lines"


def _value(
    shown: Profiled, asked: Asked, export: Export | None, taken: set[str],
    origins: dict[str, Origin], decisions: list[Decision],
) -> str:  # fmt: skip
    said = asked.columns.get("value")
    value = told(shown, said, "value") if said else pick_of(export, shown, "value")
    product = None if value else _product(shown, export, taken)
    if value is None:
        value = None if export else the_number(shown, "value", taken)
    priced = product and (value is None or value.column == product[1])
    if product and value and not priced and repeated_total(shown, origins, value.column):
        priced = True
    if product and priced:
        origins["value"] = Origin(product=list(product))
        why = export.note if export and export.note else "quantity times price"
        decisions.append(Decision("value", " x ".join(product), why, "sure"))
    elif value:
        origins["value"] = Origin(column=value.column)
        decisions.append(_value_decision(shown, origins, value))
    else:
        decisions.append(Decision("value", "none", "no column of amounts", "sure"))
    return _decimal(shown, origins)


def _value_decision(shown: Profiled, origins: dict[str, Origin], value: Pick) -> Decision:
    if repeated_total(shown, origins, value.column):
        why = "the same on every line of an order: it would count once a line"
        return Decision("value", value.column, why, "check")
    return Decision("value", value.column, value.why, value.sure, value.rivals)


def _product(shown: Profiled, export: Export | None, taken: set[str]) -> tuple[str, str] | None:
    if export:
        names = {words(name): name for name in shown.profiles}
        return (names[export.product[0]], names[export.product[1]]) if export.product else None
    quantity = the_number(shown, "quantity", taken)
    price = the_number(shown, "price", taken | ({quantity.column} if quantity else set()))
    return (quantity.column, price.column) if quantity and price else None


def _decimal(shown: Profiled, origins: dict[str, Origin]) -> str:
    columns = origins["value"].reads if "value" in origins else []
    forms = [shown.profiles[name].number for name in columns]
    return "," if any(form and form.decimal == "," for form in forms) else "."


def _type(
    shown: Profiled, asked: Asked, export: Export | None, origins: dict[str, Origin],
    decisions: list[Decision], *, lines: bool,
) -> None:  # fmt: skip
    said = asked.columns.get("event_type")
    pick = told(shown, said, "event_type") if said else pick_of(export, shown, "event_type")
    pick = pick or (None if export else the_type(shown, _read(origins)))
    if pick:
        origins["event_type"] = Origin(column=pick.column)
        count = shown.profiles[pick.column].distinct
        why = f"{pick.why}{'; ' if pick.why else ''}{count} different"
        decisions.append(Decision("event_type", pick.column, why, pick.sure, pick.rivals))
        return
    constant, why, sure = _constant_type(shown, export, origins)
    when, exception = _exceptions(shown, origins, constant, lines=lines)
    always = OTHER_POST if when and when[0].then == POST_TYPES[0][1] else constant
    origins["event_type"] = Origin(constant=always, when=when)
    decisions.append(
        Decision("event_type", f"{always}, but" if when else f"always {always}", why, sure)
    )
    decisions += exception


def _constant_type(
    shown: Profiled, export: Export | None, origins: dict[str, Origin]
) -> tuple[str, str, Sureness]:
    stem = shown.sample.path.stem
    if export:
        return ORDER, f"a {export.name}", "sure"
    found = file_type(stem)
    if found == ORDER and "value" in origins:
        return ORDER, f"rows have amounts, and the file is named {stem}", "sure"
    if found:
        return found, f"by the file's name, {stem}", "likely"
    if is_people(stem) and "value" not in origins:
        return SIGNUP, f"by the file's name, {stem}: a row is a sign-up", "likely"
    if "value" in origins:
        return ORDER, "no column of types, and rows have amounts", "likely"
    return ORDER, "nothing says what a row is", "check"


def _exceptions(
    shown: Profiled, origins: dict[str, Origin], constant: str, *, lines: bool
) -> tuple[tuple[Override, ...], list[Decision]]:
    post_type = next((n for n in shown.profiles if words(n) == "post type id"), None)
    if constant == "post_created" and post_type:
        when = tuple(Override(column=post_type, starts_with=k, then=t) for k, t in POST_TYPES)
        taken = ", ".join(f"{k}: {t}" for k, t in POST_TYPES)
        why = "as Stack Exchange numbers them"
        return when, [Decision("", f"{post_type} {taken}", why, "sure")]
    if "value" not in origins:
        return (), []
    found = cancelled_prefix(shown, origins) or negative_rule(shown, origins, lines=lines)
    if found is None:
        return (), []
    override, why = found
    rule = f"{override.column} {override.starts_with}...: {override.then}"
    return (override,), [Decision("", rule, why, "sure")]


def _labels(
    shown: Profiled, asked: Asked, export: Export | None, channels: list[str],
    origins: dict[str, Origin], decisions: list[Decision],
) -> None:  # fmt: skip
    for target in ("channel", "campaign"):
        said = asked.columns.get(target)
        pick = told(shown, said, target) if said else pick_of(export, shown, target)
        pick = pick or the_text(shown, target, _read(origins))
        if pick is None:
            continue
        if target == "channel" and not said and not _known_channels(shown, pick, channels):
            why = "few of its values are channels of actions.yaml"
            decisions.append(Decision(target, "none", f"{pick.column}: {why}", "likely"))
            continue
        origins[target] = Origin(column=pick.column)
        decisions.append(Decision(target, pick.column, pick.why, pick.sure))


def _known_channels(shown: Profiled, pick: Pick, channels: list[str]) -> bool:
    values = shown.sample.spread[pick.column].cast(pl.String).drop_nulls()
    return bool(values.len()) and float(values.is_in(channels).sum()) / values.len() >= MOSTLY


def _read(origins: dict[str, Origin]) -> set[str]:
    return {name for origin in origins.values() for name in origin.reads}
