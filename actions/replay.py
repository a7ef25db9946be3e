"""Past decisions made again by another catalogue, budget or belief, from what was logged."""

from typing import NamedTuple

import numpy as np
import polars as pl

from actions.allocation import allocate
from actions.arms import USUAL
from actions.catalogue import ActionCatalogue
from actions.dual import NONE
from actions.effects import worth
from actions.funnel import options
from actions.learning import context
from actions.offpolicy import Estimate, Evaluation, Past, evaluate_difference, evaluate_policy
from actions.params import RecommendParams
from actions.plan import run_limits

NOTHING = ""


class Replay(NamedTuple):
    """Past decisions, and what two policies would have done, as action and channel.

    Attributes
    ----------
    rows : matured decisions, without business as usual
    done, current, new : text, shape (n,)
        What was done, what was planned then, and what is planned now; '' for nothing.
    supported : bool, shape (n,)
        Whether what is planned now had a chance then.
    """

    rows: pl.DataFrame
    done: np.ndarray
    current: np.ndarray
    new: np.ndarray
    supported: np.ndarray


def replay(
    rows: pl.DataFrame,
    catalogue: ActionCatalogue,
    effects: pl.DataFrame,
    params: RecommendParams,
    *,
    explored: bool,
) -> Replay:
    """Plan every past run again.

    Who could be given what is as it was then: consent, caps and rules are not judged again, and an
    action or channel that is new has no past.

    Parameters
    ----------
    rows : result of actions.measurement.matured
    catalogue : ActionCatalogue
    effects : table of schemas.EFFECTS
    params : RecommendParams
        The budget is for everybody of a run.
    explored : bool
        Whether there was a random arm, which gives every eligible option a chance.
    """
    own = rows.filter(pl.col("arm") != USUAL).sort("as_of", "customer_id")
    runs = own.partition_by("as_of", maintain_order=True)
    new = np.concatenate([_planned_again(run, catalogue, effects, params) for run in runs])
    current = _options_of(own, "planned_action_id", "planned_channel")
    had_chance = (new == NOTHING) | (new == current)
    if explored:
        could = own["eligible_options"].str.split(" ").to_list()
        had_chance |= np.array([one in some for one, some in zip(new, could, strict=True)])
    return Replay(own, _options_of(own, "action_id", "channel"), current, new, had_chance)


def _planned_again(
    run: pl.DataFrame,
    catalogue: ActionCatalogue,
    effects: pl.DataFrame,
    params: RecommendParams,
) -> np.ndarray:
    every = options(catalogue)
    names = np.array([*(f"{o.action.id}:{o.channel}" for o in every), NOTHING], dtype=object)
    value = worth(run, every, effects, params, run["horizon_days"][0])
    could = run["eligible_options"]
    texts = could.unique().sort()
    allowed = np.array([[name in text.split(" ") for name in names[:-1]] for text in texts])
    net = np.where(allowed[texts.search_sorted(could).to_numpy()], value.net_cents, 0)
    plan = allocate(net, run_limits(every, catalogue, value.cost_cents, params.budget_cents))
    return names[np.where(plan.chosen == NONE, len(every), plan.chosen)]


def _options_of(rows: pl.DataFrame, action: str, channel: str) -> np.ndarray:
    name = pl.concat_str(pl.col(action), pl.lit(":"), pl.col(channel)).fill_null(NOTHING)
    return rows.select(name).to_series().to_numpy().astype(object)


def policy_values(played: Replay) -> pl.DataFrame:
    """Both policies by every estimator, and their difference; a table of schemas.POLICY_VALUE."""
    codes = {name: k for k, name in enumerate(sorted({*played.done, *played.current, *played.new}))}
    done, current, new = (
        np.array([codes[name] for name in names])
        for names in (played.done, played.current, played.new)
    )
    found = []
    for outcome, column in (("success", "success"), ("value", "value_cents")):
        past = _past(played.rows, done, played.rows[column].to_numpy())
        shared = (len(done),)
        for policy, chosen, share in (
            ("new", new, played.supported.mean()),
            ("current", current, 1),
        ):
            judged = evaluate_policy(past, chosen)
            found += [
                (outcome, policy, name, *one, *shared, judged.effective, float(share))
                for name, one in _named(judged)
            ]
        gap = evaluate_difference(past, new, current)
        found.append((outcome, "difference", "dr", *gap, *shared, None, played.supported.mean()))
    kinds = dict.fromkeys(("outcome", "policy", "estimator"), pl.String)
    kinds |= dict.fromkeys(("value", "low", "high"), pl.Float64) | {"decisions": pl.Int64}
    kinds |= dict.fromkeys(("effective", "supported"), pl.Float64)
    return pl.DataFrame(found, schema=kinds, orient="row")


def _named(judged: Evaluation) -> list[tuple[str, Estimate]]:
    return [("ips", judged.ips), ("snips", judged.snips), ("dr", judged.dr)]


def _past(rows: pl.DataFrame, done: np.ndarray, outcome: np.ndarray) -> Past:
    who = rows["customer_id"].rank("dense").to_numpy().astype(np.int64)
    return Past(context(rows), done, rows["action_propensity"].to_numpy(), outcome, who)
