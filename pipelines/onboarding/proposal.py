"""All that `keepwell init` proposes for a company's files, before anything is written."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import narwhals as nw
import polars as pl

from features.errors import DataError, InputMissingError
from features.horizon import Fit, Pauses, pauses_of, suggest
from features.minimum import Gate, gates
from features.taxonomy import Taxonomy
from features.time import day_number
from pipelines.intake.sources import Business, SourceCatalogue
from pipelines.onboarding.business import Setting, currency_of, zone_of
from pipelines.onboarding.drafts import Asked, Decision, Draft, event_draft
from pipelines.onboarding.history import History, read_history, value_days
from pipelines.onboarding.meanings import Additions, additions_for
from pipelines.onboarding.peopledrafts import consent_drafts, customer_drafts
from pipelines.onboarding.recognition import Profiled, profile
from pipelines.onboarding.samples import take_sample
from pipelines.onboarding.vocabulary import is_people, words


class Wishes(NamedTuple):
    """What the user says; None and nothing where the data may decide."""

    events: Sequence[Path]
    customers: Sequence[Path] = ()
    consents: Sequence[Path] = ()
    timezone: str | None = None
    currency: str | None = None
    horizon_days: int | None = None
    day_first: bool | None = None
    columns: Mapping[str, str] = MappingProxyType({})


class Shipped(NamedTuple):
    """What a proposal is measured by: the taxonomy, the channels with features, and the minimum."""

    taxonomy: Taxonomy
    channels: list[str]
    min_per_class: int


class Proposal(NamedTuple):
    """Everything decided: sources, business, taxonomy, and the numbers that fit the history."""

    drafts: list[Draft]
    timezone: Setting
    currency: Setting
    company: str
    history: History
    additions: Additions
    taxonomy: Taxonomy
    pauses: Pauses | None
    fit: Fit | None
    gates: list[Gate]

    @property
    def as_of(self) -> date:
        """The day after the last event."""
        return self.history.last_day + timedelta(days=1)

    @property
    def catalogue(self) -> SourceCatalogue:
        """The content of ``catalogue/sources.yaml``."""
        zone, currency = self.timezone.value, self.currency.value
        business = Business(name=self.company, timezone=zone, currency=currency)
        return SourceCatalogue(business=business, sources={d.name: d.source for d in self.drafts})


def propose(wishes: Wishes, project: Path, shipped: Shipped) -> Proposal:
    """Look at the files and propose how to read them.

    Parameters
    ----------
    wishes : Wishes
    project : Path
        Paths of sources are relative to it, where they lie in it.
    shipped : Shipped
    """
    events = [_profiled(path, "--events", wishes) for path in wishes.events]
    people = [_profiled(path, "--customers", wishes) for path in wishes.customers]
    consents = [_profiled(path, "--consents", wishes) for path in wishes.consents]
    _check_columns(wishes, [*events, *people, *consents])
    zone = zone_of([*events, *people], wishes.timezone)
    currency = currency_of([*events, *people], wishes.currency)
    drafts = _event_drafts(events, wishes, project, shipped.channels)
    drafts = [_with_zone(draft, zone.value) for draft in drafts]
    history = read_history(drafts, zone.value)
    people += [shown for shown in events if _is_people_too(shown)]
    for shown in people:
        drafts += customer_drafts(
            *_placed(shown, project, drafts), shown, _asked(wishes, shown, "--customers")
        )
    for shown in consents:
        asked = _asked(wishes, shown, "--consents")
        drafts += consent_drafts(*_placed(shown, project, drafts), shown, asked, history.last_day)
    additions = additions_for(history.spelled, shipped.taxonomy)
    proposal = Proposal(
        drafts=[_with_zone(draft, zone.value) for draft in drafts],
        timezone=zone,
        currency=currency,
        company=words(project.resolve().name).capitalize() or "My company",
        history=history,
        additions=additions,
        taxonomy=additions.applied(shipped.taxonomy),
        pauses=None,
        fit=None,
        gates=[],
    )
    return _measured(proposal, wishes.horizon_days, shipped.min_per_class)


def refuse_undecided(proposal: Proposal) -> None:
    """Refuse a proposal in which columns fit equally well, or day and month could be either.

    Raises
    ------
    DataError
        Names the columns and the option that decides.
    """
    for draft in proposal.drafts:
        file = Path(draft.source.path).name
        for decision in draft.undecided:
            raise DataError(
                f"{file}: several columns could be {decision.target}. Got "
                f"{', '.join(decision.rivals)}. Choose one: --column "
                f"'{decision.target}={decision.taken}'."
            )
        column = undecided_dates(draft)
        if column:
            raise DataError(
                f"{file}, {column}: day and month could be either. Got no number beyond 12 in "
                f"either place. Say which comes first: --dates dmy or --dates mdy."
            )


def undecided_dates(draft: Draft) -> str | None:
    """The column of the source whose dates could begin with the day or with the month."""
    read = (origin.column for origin in draft.source.columns.values())
    forms = ((name, draft.shown.profiles[name].time) for name in read if name)
    return next((name for name, form in forms if form and form.other), None)


def _profiled(path: Path, option: str, wishes: Wishes) -> Profiled:
    return profile(take_sample(path, option), day_first=wishes.day_first)


def _check_columns(wishes: Wishes, files: list[Profiled]) -> None:
    for target, name in wishes.columns.items():
        if not any(name in shown.profiles for shown in files):
            there = "; ".join(f"{s.sample.path.name}: {', '.join(s.sample.columns)}" for s in files)
            raise InputMissingError(f"--column {target}: no such column. Got {name!r}. {there}.")


def _asked(wishes: Wishes, shown: Profiled, option: str) -> Asked:
    """What the user said of the columns of one file."""
    own = {target: name for target, name in wishes.columns.items() if name in shown.profiles}
    return Asked(option, own)


def _event_drafts(
    events: list[Profiled], wishes: Wishes, project: Path, channels: list[str]
) -> list[Draft]:
    drafts: list[Draft] = []
    for shown in events:
        asked = _asked(wishes, shown, "--events")
        drafts.append(event_draft(*_placed(shown, project, drafts), shown, asked, channels))
    return _without_shared_ids(drafts)


def _is_people_too(shown: Profiled) -> bool:
    """Whether a file of events is one of people, whose rows are sign-ups."""
    return is_people(shown.sample.path.stem) and not shown.columns_of_money()


def _placed(shown: Profiled, project: Path, drafts: list[Draft]) -> tuple[str, str]:
    """A free name for a source, and the path of its file as the catalogue gives it."""
    taken = {draft.name for draft in drafts}
    stem = words(shown.sample.path.stem).replace(" ", "_") or "source"
    names = (stem, f"{stem}_known", *(f"{stem}_{number}" for number in range(2, len(taken) + 3)))
    absolute, root = shown.sample.path.resolve(), project.resolve()
    inside = absolute.is_relative_to(root)
    path = absolute.relative_to(root) if inside else absolute
    return next(name for name in names if name not in taken), path.as_posix()


def _without_shared_ids(drafts: list[Draft]) -> list[Draft]:
    """Without ids that two files both use: ids are made from the rows then."""
    with_ids = [d for d in drafts if "event_id" in d.source.columns and not d.source.lines_of_order]
    columns = [d.shown.sample.spread[d.source.columns["event_id"].column or ""] for d in with_ids]
    ids = [column.cast(pl.String).drop_nulls().unique().alias("id") for column in columns]
    if not ids or pl.concat(ids).is_unique().all():
        return drafts
    return [_without_id(d) if d in with_ids else d for d in drafts]


def _without_id(draft: Draft) -> Draft:
    columns = {t: o for t, o in draft.source.columns.items() if t != "event_id"}
    decisions = [
        Decision("event_id", "made from the row", f"{d.taken}: two files use the same", "likely")
        if d.target == "event_id" else d
        for d in draft.decisions
    ]  # fmt: skip
    source = draft.source.model_copy(update={"columns": columns})
    return draft._replace(source=source, decisions=decisions)


def _with_zone(draft: Draft, zone: str) -> Draft:
    """Times without a zone take the business's."""
    return draft._replace(source=draft.source.model_copy(update={"timezone": zone}))


def _measured(proposal: Proposal, horizon_days: int | None, min_per_class: int) -> Proposal:
    """The proposal with the horizon, given or suggested, and what it means for the history."""
    days = nw.from_native(value_days(proposal.history, proposal.taxonomy), eager_only=True)
    chosen = (horizon_days,) if horizon_days else ()
    pauses = pauses_of(days, day_number(proposal.as_of), chosen)
    fit = suggest(pauses, horizon_days) if pauses else None
    judged = gates(days, proposal.as_of, pauses, fit, min_per_class)
    return proposal._replace(pauses=pauses, fit=fit, gates=judged)
