"""What is counted apart: kinds of events (role and engagement type), and channels."""

from typing import NamedTuple

import narwhals as nw

from features.schemas import ENGAGEMENT_TYPES, ROLES
from features.taxonomy import Taxonomy


class Kind(NamedTuple):
    """Events of one role that show one engagement type, or none."""

    role: str
    engagement_type: str | None

    @property
    def column(self) -> str:
        """Name of its count in the daily table."""
        return f"kind_{self.role}_{self.engagement_type or 'plain'}"

    @property
    def is_own(self) -> bool:
        """Whether the customer does it; an exposure is done to them."""
        return self.role != "exposure"


class Dimensions(NamedTuple):
    """The kinds and channels that a taxonomy knows; every count of the daily table is of one."""

    kinds: tuple[Kind, ...]
    channels: tuple[str, ...]

    def of_role(self, role: str) -> nw.Expr:
        """Events of a role: a sum over the columns of its kinds."""
        return _total([k.column for k in self.kinds if k.role == role])

    def of_type(self, engagement_type: str) -> nw.Expr:
        """Events that show an engagement type."""
        return _total([k.column for k in self.kinds if k.engagement_type == engagement_type])

    @property
    def parts(self) -> dict[str, nw.Expr]:
        """``role_*`` and ``type_*``, from the columns of the kinds."""
        roles = {f"role_{role}": self.of_role(role) for role in ROLES}
        return roles | {f"type_{kind}": self.of_type(kind) for kind in ENGAGEMENT_TYPES}


def dimensions(taxonomy: Taxonomy) -> Dimensions:
    """The kinds that a taxonomy's events can be of, in a fixed order, and its channels."""
    kinds = {Kind(m.role, m.engagement_type) for m in taxonomy.events.values()}
    ordered = sorted(kinds, key=lambda kind: (ROLES.index(kind.role), kind.column))
    return Dimensions(tuple(ordered), tuple(taxonomy.channels))


def _total(columns: list[str]) -> nw.Expr:
    """Sum of the columns; 0 in every row where there is none."""
    if not columns:
        return nw.col("acts") * 0
    total = nw.col(columns[0])
    for column in columns[1:]:
        total = total + nw.col(column)
    return total
