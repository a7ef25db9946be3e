"""What a run of ingest has to read: what is new or changed since the ledger was written."""

import fnmatch
from pathlib import Path
from typing import NamedTuple

from features.errors import DataError
from features.schemas import EVENTS
from features.taxonomy import Taxonomy
from pipelines.intake.inputs import Input, digest, fetched, inputs_of
from pipelines.intake.ledger import Entry, Ledger, rules_of
from pipelines.intake.sources import SourceCatalogue


class Reading(NamedTuple):
    """An input to read, as a local file, with the entry that its account begins with."""

    input: Input
    path: Path
    entry: Entry


class Plan(NamedTuple):
    """What to read, what stays as it is, and which earlier entries go.

    ``kept`` entries stand for rows that stay; ``withdrawn`` for rows that are replaced or no longer
    named. ``found`` has every input that there is now.
    """

    readings: list[Reading]
    kept: list[Entry]
    withdrawn: list[Entry]
    found: dict[tuple[str, str], Input]

    @property
    def nothing_new(self) -> bool:
        """Whether all that is to be known is known."""
        return not self.readings and not self.withdrawn


def planned(
    sources: SourceCatalogue, taxonomy: Taxonomy, root: Path, ledger: Ledger, spool: Path
) -> Plan:
    """Compare what is there with what has been read.

    An event file that is no longer in its folder keeps its rows. People's tables are always those
    of the files that are there.

    Raises
    ------
    DataError
        If the meaning of rows changed whose file is gone.
    """
    earlier = {(entry.source, entry.key): entry for entry in ledger.entries}
    plan = Plan([], [], [], {})
    for name, source in sources.sources.items():
        rules = rules_of(source, taxonomy, sources.business)
        for one in inputs_of(name, source, root):
            plan.found[name, one.key] = one
            _compare(one, sources, rules, earlier.pop((name, one.key), None), plan, spool)
    for entry in earlier.values():
        _vanished(entry, sources, taxonomy, plan)
    _whole_tables(plan, sources, spool)
    return plan


def read_again(entry: Entry, plan: Plan, sources: SourceCatalogue, spool: Path) -> Reading:
    """An input that was read before and has to be read once more.

    Raises
    ------
    DataError
        If it is gone.
    """
    one = plan.found.get((entry.source, entry.key))
    if one is None:
        raise DataError(
            f"sources.yaml, {entry.source}: {entry.key} has to be read again, because a changed "
            f"file tells of the same events. Got no such file. Put it back, or delete the folder "
            f"of tables to begin anew."
        )
    path = fetched(one, sources.sources[entry.source], spool)
    return Reading(one, path, _blank(entry))


def _compare(
    one: Input, sources: SourceCatalogue, rules: str, before: Entry | None, plan: Plan, spool: Path
) -> None:
    source = sources.sources[one.source]
    known = before if before is not None and before.rules == rules else None
    if known and one.stamp is not None and known.stamp == one.stamp:
        plan.kept.append(known.model_copy(update={"gone": False}))
        return
    path = fetched(one, source, spool)
    content = digest(path)
    if known and known.digest == content:
        plan.kept.append(known.model_copy(update={"stamp": one.stamp, "gone": False}))
        return
    entry = Entry(
        source=one.source, key=one.key, table=source.table, rules=rules, stamp=one.stamp,
        digest=content,
    )  # fmt: skip
    plan.readings.append(Reading(one, path, entry))
    if before is not None:
        plan.withdrawn.append(before)


def _vanished(entry: Entry, sources: SourceCatalogue, taxonomy: Taxonomy, plan: Plan) -> None:
    source = sources.sources.get(entry.source)
    named = source is not None and (
        fnmatch.fnmatch(entry.key, source.path)
        or entry.key.startswith(source.path.rstrip("/") + "/")
    )
    if source is None or not named or entry.table != EVENTS.name or source.table != entry.table:
        plan.withdrawn.append(entry)
        return
    if rules_of(source, taxonomy, sources.business) != entry.rules:
        raise DataError(
            f"sources.yaml, {entry.source}: the mapping changed, and {entry.key} cannot be read "
            f"again. Got no such file. Put it back, or delete the folder of tables to begin anew."
        )
    plan.kept.append(entry.model_copy(update={"gone": True}))


def _whole_tables(plan: Plan, sources: SourceCatalogue, spool: Path) -> None:
    """People's tables are made whole: one new file means that all of its table are read."""
    touched = {e.table for e in [*plan.withdrawn, *(r.entry for r in plan.readings)]}
    for entry in list(plan.kept):
        if entry.table in touched and entry.table != EVENTS.name:
            plan.kept.remove(entry)
            plan.readings.append(read_again(entry, plan, sources, spool))


def _blank(entry: Entry) -> Entry:
    return Entry(
        source=entry.source, key=entry.key, table=entry.table, rules=entry.rules,
        stamp=entry.stamp, digest=entry.digest,
    )  # fmt: skip
