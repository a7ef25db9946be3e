"""All that `keepwell init` proposes for a company's files, before anything is written."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import polars as pl

from features.errors import DataError
from features.horizon import Fit, Pauses, pauses_of, suggest
from features.taxonomy import Taxonomy
from features.time import EPOCH, cutoffs
from pipelines.business import Setting, currency_of, zone_of
from pipelines.drafts import Asked, Draft, event_draft
from pipelines.history import History, read_history, value_days
from pipelines.meanings import Additions, additions_for
from pipelines.peopledrafts import consent_drafts, customer_drafts
from pipelines.recognition import Profiled, profile
from pipelines.samples import take_sample
from pipelines.sources import Business, Source, SourceCatalogue
from pipelines.vocabulary import is_people, words


class Wishes(NamedTuple):
    """What the command line says; None where the data may decide."""

    events: Sequence[Path]
    customers: Sequence[Path] = ()
    consents: Sequence[Path] = ()
    timezone: str | None = None
    currency: str | None = None
    horizon_days: int | None = None
    day_first: bool | None = None
    columns: dict[str, str] = {}  # noqa: RUF012  (a NamedTuple's default, never changed)


class Gate(NamedTuple):
    """One of the minima: what is needed, what is there, and whether that is enough."""

    name: str
    needed: str
    found: str
    met: bool


class Proposal(NamedTuple):
    """Everything decided: sources, business, taxonomy, and the numbers that fit the history."""

    drafts: list[Draft]
    timezone: Setting
    currency: Setting
    additions: Additions
    taxonomy: Taxonomy
    history: History
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
        name = words(Path(self.drafts[0].source.path).stem).capitalize() or "My company"
        business = Business(name=name, timezone=self.timezone.value, currency=self.currency.value)
        return SourceCatalogue(business=business, sources={d.name: d.source for d in self.drafts})


def propose(
    wishes: Wishes, project: Path, taxonomy: Taxonomy, channels: list[str], min_per_class: int
) -> Proposal:
    """Look at the files and propose how to read them.

    Parameters
    ----------
    wishes : Wishes
    project : Path
        Paths of sources are relative to it, where they lie in it.
    taxonomy : Taxonomy
        The shipped one.
    channels : list of str
        The channels that get features of their own.
    min_per_class : int
        Customers of each class that a churn model needs.
    """
    seen = [_profiled(path, "--events", wishes) for path in wishes.events]
    zone = zone_of(seen, wishes.timezone)
    currency = currency_of(seen, wishes.currency)
    drafts = _drafts(seen, wishes, project, channels)
    drafts = [_with_zone(draft, zone.value) for draft in _without_shared_ids(drafts)]
    history = read_history(drafts, zone.value)
    for path in wishes.consents:
        shown, asked = (
            _profiled(path, "--consents", wishes),
            Asked("--consents", wishes.columns, channels),
        )
        stem = _free_name(path.stem, drafts)
        drafts += consent_drafts(stem, _relative(path, project), shown, asked, history.last_day)
    drafts = [_with_zone(draft, zone.value) for draft in drafts]
    additions = additions_for(history.spelled, taxonomy)
    return measured(
        Proposal(
            drafts, zone, currency, additions, additions.applied(taxonomy), history, None, None, []
        ),
        wishes.horizon_days,
        min_per_class,
    )


def measured(proposal: Proposal, horizon_days: int | None, min_per_class: int) -> Proposal:
    """The proposal with the horizon, given or suggested, and what it means for the history."""
    days = value_days(proposal.history, proposal.taxonomy)
    end = (proposal.as_of - EPOCH).days
    chosen = (horizon_days,) if horizon_days else ()
    pauses = pauses_of(nw.from_native(days, eager_only=True), end, chosen)
    fit = suggest(pauses, horizon_days) if pauses else None
    gates = _gates(days, proposal.as_of, pauses, fit, min_per_class)
    return proposal._replace(pauses=pauses, fit=fit, gates=gates)


def _profiled(path: Path, option: str, wishes: Wishes) -> Profiled:
    return profile(take_sample(path, option), day_first=wishes.day_first)


def _drafts(
    seen: list[Profiled], wishes: Wishes, project: Path, channels: list[str]
) -> list[Draft]:
    drafts: list[Draft] = []
    asked = Asked("--events", wishes.columns, channels)
    for shown in seen:
        path = _relative(shown.sample.path, project)
        name = _free_name(shown.sample.path.stem, drafts)
        drafts.append(event_draft(name, path, shown, asked))
    asked = Asked("--customers", wishes.columns, channels)
    people = [_profiled(path, "--customers", wishes) for path in wishes.customers]
    people += [shown for shown in seen if _people_too(shown)]
    for shown in people:
        path = _relative(shown.sample.path, project)
        drafts += customer_drafts(_free_name(shown.sample.path.stem, drafts), path, shown, asked)
    return drafts


def _people_too(shown: Profiled) -> bool:
    """Whether a file of events is one of people, whose rows are sign-ups."""
    return is_people(shown.sample.path.stem) and not shown.named("value")


def _free_name(stem: str, drafts: list[Draft]) -> str:
    name = words(stem).replace(" ", "_") or "source"
    taken = {draft.name for draft in drafts}
    return next(
        n for n in (name, f"{name}_known", *(f"{name}_{k}" for k in range(2, 99))) if n not in taken
    )


def _without_shared_ids(drafts: list[Draft]) -> list[Draft]:
    """Ids that two files use for different events are left out: ids are made from the rows then."""
    with_ids = [d for d in drafts if d.source.table == "events" and "event_id" in d.source.columns]
    if len(with_ids) < 2:  # noqa: PLR2004
        return drafts
    shared = _shared(
        [d.shown.sample.spread[d.source.columns["event_id"].column or ""] for d in with_ids]
    )
    return [
        _without_id(d) if shared and d in with_ids and not d.source.lines_of_order else d
        for d in drafts
    ]


def _shared(ids: list[pl.Series]) -> bool:
    texts = [series.cast(pl.String).drop_nulls().unique() for series in ids]
    both = pl.concat([text.alias("id") for text in texts])
    return both.n_unique() < both.len()


def _without_id(draft: Draft) -> Draft:
    columns = {t: o for t, o in draft.source.columns.items() if t != "event_id"}
    decisions = [
        d._replace(taken="made from the row", why=f"{d.taken}: files use the same numbers", sure="likely")
        if d.target == "event_id" else d
        for d in draft.decisions
    ]  # fmt: skip
    source = draft.source.model_copy(update={"columns": columns})
    return draft._replace(source=source, decisions=decisions)


def _with_zone(draft: Draft, zone: str) -> Draft:
    """Times without a zone take the business's."""
    return draft._replace(source=draft.source.model_copy(update={"timezone": zone}))


def _relative(path: Path, project: Path) -> str:
    absolute, root = path.resolve(), project.resolve()
    return str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)


def _gates(
    days: pl.DataFrame, as_of: date, pauses: Pauses | None, fit: Fit | None, min_per_class: int
) -> list[Gate]:
    """Keepwell's minima for a churn model: history, and both outcomes often enough."""
    if pauses is None or fit is None:
        return [Gate("value events", "at least 1", "none", False)]
    needed = 3 * fit.churn.horizon_days
    churned, kept = _classes(days, as_of, fit)
    return [
        Gate("history", f"{needed} days, 3 x the horizon", f"{pauses.history_days} days", pauses.history_days >= needed),
        Gate("churned at past dates", f"{min_per_class}, better 500", f"{churned:,}", churned >= min_per_class),
        Gate("kept at past dates", f"{min_per_class}, better 500", f"{kept:,}", kept >= min_per_class),
    ]  # fmt: skip


def _classes(days: pl.DataFrame, as_of: date, fit: Fit) -> tuple[int, int]:
    """Customers who churned and who stayed at the training cutoffs, by the label's own definition."""
    first = EPOCH + timedelta(days=int(days["day"].min()))  # pyright: ignore[reportArgumentType]
    past = cutoffs(as_of, first, as_of, fit.churn, fit.cutoffs)
    churned = kept = 0
    for day in past.train:
        start = (day - EPOCH).days
        before = pl.col("day").is_between(start - fit.churn.lookback_days, start - 1)
        window = start + fit.churn.gap_days
        after = pl.col("day").is_between(window, window + fit.churn.horizon_days - 1)
        sums = days.group_by("customer_id").agg(
            before.any().alias("before"), after.any().alias("after")
        )
        population = sums.filter("before")
        stayed = int(population["after"].sum())
        kept += stayed
        churned += population.height - stayed
    return churned, kept


def refuse_undecided(proposal: Proposal) -> None:
    """Refuse a proposal in which two columns fit equally well, or day and month could be either.

    Raises
    ------
    DataError
        Names the columns and the option that decides.
    """
    for draft in proposal.drafts:
        for decision in draft.undecided:
            raise DataError(
                f"{Path(draft.source.path).name}: several columns could be {decision.target}. Got "
                f"{', '.join(decision.rivals)}. Choose one: --column "
                f"'{decision.target}={decision.taken}'."
            )


def undecided_dates(draft: Draft) -> Source | None:
    """The source, where its dates could be read with the day or with the month first."""
    column = draft.source.columns.get("occurred_at")
    form = draft.shown.profiles[column.column or ""].time if column else None
    return draft.source if form and form.other else None
