"""What a feature is: its name, unit and meaning, and how it speaks as a reason."""

from typing import Literal, NamedTuple

import narwhals as nw

WEIGHT_SCALE = 2**20  # parts of an event, so that sums of decayed counts are over whole numbers
DECAYED_UNIT = "2**-20 events"

Layer = Literal["lifetime", "window", "rhythm", "row", "population", "custom"]


class Feature(NamedTuple):
    """One feature.

    Attributes
    ----------
    name, unit, meaning : str
        What a column of the feature table is called, counted in, and says.
    layer : str
        Which table its expression reads: see features/definitions.py.
    expression : narwhals expression, or None where a module of its own computes the layer
    low, high : str
        The phrase for a reason when a low (high) value raises the risk of churn; ``{x}`` is the
        value. A feature without a phrase is never given as a reason: a marketer cannot act on it.
    family : str
        Features of a family say the same thing; at most one of them is a reason for a customer.
    zero : bool
        Whether nothing seen means 0 (counts, sums) rather than unknown.
    """

    name: str
    unit: str
    meaning: str
    layer: Layer
    expression: nw.Expr | None = None
    low: str = ""
    high: str = ""
    family: str = ""
    zero: bool = False

    @property
    def column(self) -> nw.Expr:
        """The expression, under the feature's name; only layers that are expressions have one."""
        if self.expression is None:
            raise ValueError(f"{self.name} is computed by a module of its own")
        return self.expression.alias(self.name)

    def shown(self, value: float) -> float:
        """The value as people count it: in events, not in parts of one."""
        return value / WEIGHT_SCALE if self.unit == DECAYED_UNIT else value

    @property
    def actionable(self) -> bool:
        """Whether it can be given to a marketer as a reason."""
        return bool(self.low or self.high)
