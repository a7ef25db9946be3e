"""Whether a challenger may become champion, and why, in one sentence."""

from typing import NamedTuple

from models.metrics import Interval


class Verdict(NamedTuple):
    """The decision and its reason."""

    promote: bool
    why: str


class Rival(NamedTuple):
    """A baseline or the champion, and the challenger's paired gain over it (positive is better)."""

    name: str
    gain: Interval


def judge(metric: str, dull: Rival, best: Rival, champion: Rival | None, sound: Verdict) -> Verdict:
    """Promote only what beats the baselines out of time and does not lose to the champion.

    Parameters
    ----------
    metric : str
        What the gains are measured in.
    dull : Rival
        The dull rule; the lower end of the paired interval must be above 0. A gain that could not
        be measured is nan, and not above 0.
    best : Rival
        The best baseline; the gain itself must be above 0.
    champion : Rival or None
        Measured on the same customers; it stays if it is surely better.
    sound : Verdict
        Whether nothing looks like a leak and the probabilities can be trusted.
    """
    if not dull.gain.low > 0:
        return Verdict(False, f"not surely better than {dull.name}: {spoken(metric, dull.gain)}")
    if not best.gain.mean > 0:
        return Verdict(False, f"does not beat {best.name}: {spoken(metric, best.gain)}")
    if not sound.promote:
        return sound
    if champion and champion.gain.high < 0:
        return Verdict(False, f"loses to the champion: {spoken(metric, champion.gain)}")
    return Verdict(
        True, f"surely better than {dull.name}; against {best.name} {spoken(metric, best.gain)}"
    )


def spoken(metric: str, gain: Interval) -> str:
    """For example ``AUC +0.020 (95 % interval +0.008 to +0.031)``."""
    return f"{metric} {gain.mean:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f})"


def first_refusal(verdicts: list[Verdict]) -> Verdict:
    """The first that refuses; a verdict without a word where none does."""
    return next((v for v in verdicts if not v.promote), Verdict(True, ""))
