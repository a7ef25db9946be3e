"""Event types that the taxonomy does not know: another name of one it knows, or a new one."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from features.taxonomy import EventMeaning, Taxonomy
from pipelines.onboarding import vocabulary
from pipelines.onboarding.history import role_of


class Additions(NamedTuple):
    """What to add to the taxonomy: other names, and new types with a guessed role."""

    aliases: dict[str, str]
    events: dict[str, str]

    def applied(self, taxonomy: Taxonomy) -> Taxonomy:
        """The taxonomy with the additions."""
        new = {name: EventMeaning(role=role) for name, role in self.events.items()}  # pyright: ignore
        return Taxonomy(
            channels=taxonomy.channels,
            events={**taxonomy.events, **new},
            aliases={**taxonomy.aliases, **self.aliases},
        )


def additions_for(spelled: Mapping[str, str], taxonomy: Taxonomy) -> Additions:
    """Other names and new types for those that the taxonomy does not know.

    Parameters
    ----------
    spelled : mapping
        Name in snake case -> as the file spells it.
    taxonomy : Taxonomy
    """
    plain = {
        name: vocabulary.words(own).replace(" ", "_")
        for name, own in spelled.items()
        if name and role_of(name, taxonomy) is None
    }
    aliases = {name: target for name, own in plain.items() if (target := _alias(own, taxonomy))}
    events = {name: _role(own) for name, own in plain.items() if name not in aliases}
    return Additions(aliases, events)


def _alias(plain: str, taxonomy: Taxonomy) -> str | None:
    if role_of(plain, taxonomy):
        return taxonomy.aliases.get(plain, plain)
    return next((t for pattern, t in vocabulary.TYPES if re.fullmatch(pattern, plain)), None)


def _role(name: str) -> str:
    """A role by the words in the name; a visit where none tells."""
    return next((role for pattern, role in vocabulary.ROLES if re.search(pattern, name)), "visit")
