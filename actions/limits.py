"""What a run may use up: money, and places in an action or a channel."""

from typing import NamedTuple

import numpy as np

from features.errors import ConfigurationError


class Limits(NamedTuple):
    """Limits over all customers together.

    Attributes
    ----------
    names : list of str
        For example ``budget`` or ``capacity of win_back_call``.
    use : int, shape (n_limits, n_options)
        What one customer with the option uses up of each limit [cents or places], 0 or more.
    most : int, shape (n_limits,)
        The most that may be used, 0 or more.
    """

    names: list[str]
    use: np.ndarray
    most: np.ndarray

    def used(self, chosen: np.ndarray) -> np.ndarray:
        """What an allocation uses up of each limit, shape (n_limits,)."""
        return self.use @ counts(chosen, self.use.shape[1])

    def scaled(self, factor: float) -> "Limits":
        """The same limits times `factor`, rounded down; what has no limit keeps none."""
        return self._replace(most=np.floor(self.most * factor).astype(np.int64))


def counts(chosen: np.ndarray, n_options: int) -> np.ndarray:
    """Customers by option, shape (n_options,); those without one (-1) are not counted."""
    return np.bincount(chosen + 1, minlength=n_options + 1)[1:]


def checked(limits: Limits) -> Limits:
    """The limits, if some allocation can respect them.

    Raises
    ------
    ConfigurationError
        Names the limit that nothing can respect: below 0, or with a negative use.
    """
    for name, use, most in zip(limits.names, limits.use, limits.most, strict=True):
        if most < 0:
            raise ConfigurationError(
                f"allocation, {name}: no plan can respect it. Got {most}. Expected 0 or more."
            )
        if (use < 0).any():
            raise ConfigurationError(
                f"allocation, {name}: an option gives back what others use. Got {use.min()}. "
                f"Expected 0 or more of every option. Correct its cost."
            )
    return limits
