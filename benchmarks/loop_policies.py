"""Who decides in the closed loop: Keepwell, two dull rules, and two oracles.

All of them see the same kind of customers through the same funnel, hold the same customers out, and
keep the same limits. They differ in what they believe an action to be worth.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingRegressor

from actions.allocation import allocate
from actions.arms import HOLDOUT
from actions.catalogue import ActionCatalogue
from actions.decisions import Situation
from actions.dual import NONE
from actions.effects import option_cost_cents
from actions.funnel import exits
from features.schemas import DECISIONS
from models.preprocessing import informative, matrix
from simulation.people import VALUE_DAYS, customer_ids
from simulation.state import World, reached
from simulation.tactics import NAMES, REACHES, true_effects

_COMPONENTS_KEPT = 0.99  # of the variance of the true worths
_FOLDS = 2


def allowed(seen: Situation) -> np.ndarray:
    """What the funnel lets through, shape (n_customers, n_options); nothing for the holdout."""
    return exits(seen.passed)[0] & (seen.arm != HOLDOUT)[:, None]


def costs(seen: Situation) -> np.ndarray:
    """Cost of each option [cents], shape (n_options,)."""
    return np.array([option_cost_cents(option) for option in seen.every], dtype=np.int64)


def best_for(seen: Situation, worth: np.ndarray) -> np.ndarray:
    """The option of each customer that makes the whole worth most, within the limits, or -1.

    Parameters
    ----------
    seen : Situation
    worth : array, shape (n_customers, n_options)
        Believed margin [cents], before costs.
    """
    net = np.rint(worth - costs(seen)).astype(np.int64)
    return allocate(np.where(allowed(seen), net, 0), seen.limits).chosen


def by_risk(seen: Situation) -> np.ndarray:
    """The likeliest to churn first: each gets the action that the catalogue believes in most."""
    risk = seen.customers["churn_risk"].fill_null(-1).to_numpy()
    points = np.array([option.action.effect.points for option in seen.every])
    return _in_order(np.argsort(-risk, kind="stable"), seen, allowed(seen) * points)


def at_random(seen: Situation, rng: np.random.Generator) -> np.ndarray:
    """Anybody first: each gets any action that the funnel allows."""
    open_to = allowed(seen)
    return _in_order(rng.permutation(len(open_to)), seen, open_to * rng.random(open_to.shape))


def true_worth(seen: Situation, world: World, margin_rate: float) -> np.ndarray:
    """Margin that each option truly brings within a year [cents], before costs."""
    where = pl.DataFrame({"customer_id": customer_ids(world.traits.kind.size)}).with_row_index()
    ids = seen.customers.select("customer_id")
    who = ids.join(where, on="customer_id", maintain_order="left")["index"].to_numpy()
    columns = []
    for option in seen.every:
        tactic, channel = NAMES.index(option.action.tactic), REACHES.index(option.channel)
        after = reached(world, who.astype(np.int64), tactic=tactic, channel=channel)
        truth = true_effects(
            world.traits, world.season, after, at=world.state.at, value_days=VALUE_DAYS
        )
        columns.append(truth.cents * margin_rate)
    return np.column_stack(columns)


class Observer(NamedTuple):
    """The true worth as a function of what is observable, fitted on half of the customers each.

    Attributes
    ----------
    columns : names of the features that it reads
    models : for each half of the customers, a model a component that never saw them
    mean : shape (n_options,)
    loadings : shape (n_components, n_options)
    """

    columns: list[str]
    models: list[list[HistGradientBoostingRegressor]]
    mean: np.ndarray
    loadings: np.ndarray

    def worth(self, customers: pl.DataFrame) -> np.ndarray:
        """Expected worth given what is observable, shape (n_customers, n_options)."""
        x, fold = matrix(customers, self.columns), _folds(customers)
        scores = np.empty((customers.height, len(self.loadings)))
        for number, models in enumerate(self.models):
            own = fold == number
            scores[own] = np.column_stack([model.predict(x[own]) for model in models])
        return self.mean + scores @ self.loadings


def fitted_observer(
    customers: pl.DataFrame, worth: np.ndarray, columns: list[str], seed: int
) -> Observer:
    """Regress the true worth on the features.

    The worths of all options move together, because they come from few traits: regressing their
    principal components is the same, and as many times faster as there are fewer of them.
    """
    mean = worth.mean(axis=0)
    _, sizes, directions = np.linalg.svd(worth - mean, full_matrices=False)
    kept = int(np.searchsorted(np.cumsum(sizes**2) / (sizes**2).sum(), _COMPONENTS_KEPT)) + 1
    loadings = directions[:kept]
    scores = (worth - mean) @ loadings.T
    x, fold = matrix(customers, columns), _folds(customers)
    # A tree cannot be grown on a column that is constant in its half, even where the whole varies.
    known = [set(informative(x.loc[fold != number])) for number in range(_FOLDS)]
    own = [name for name in columns if all(name in half for half in known)]
    x = x[own]
    models = [
        [_regression(seed).fit(x[fold != number], scores[fold != number, k]) for k in range(kept)]
        for number in range(_FOLDS)
    ]
    return Observer(own, models, mean, loadings)


def decisions_of(seen: Situation, chosen: np.ndarray, as_of: date) -> pl.DataFrame:
    """The columns of schemas.DECISIONS that carrying them out reads, for those with an option."""
    rows = np.flatnonzero(chosen != NONE)
    every = [seen.every[k] for k in chosen[rows]]
    table = seen.customers.select("customer_id")[rows].with_columns(
        as_of=pl.lit(as_of),
        outcome=pl.lit("exported"),
        action_id=pl.Series([option.action.id for option in every], dtype=pl.String),
        channel=pl.Series([option.channel for option in every], dtype=pl.String),
        cost_cents=pl.Series(costs(seen)[chosen[rows]]),
    )
    return table.select(column for column in DECISIONS.names if column in table.columns)


def with_wrong_priors(catalogue: ActionCatalogue, seed: int) -> ActionCatalogue:
    """The same catalogue, with the believed effects dealt out anew among its actions."""
    rng = np.random.default_rng(seed)
    effects = [catalogue.actions[k].effect for k in rng.permutation(len(catalogue.actions))]
    actions = [
        action.model_copy(update={"effect": effect})
        for action, effect in zip(catalogue.actions, effects, strict=True)
    ]
    return catalogue.model_copy(update={"actions": actions})


def _in_order(order: np.ndarray, seen: Situation, liking: np.ndarray) -> np.ndarray:
    """First come, first served: each the option liked most, as long as the limits have room."""
    chosen = np.full(len(liking), NONE)
    favourite = np.where(liking.max(axis=1) > 0, liking.argmax(axis=1), NONE)
    left, use = seen.limits.most.copy(), seen.limits.use
    for row in order[favourite[order] != NONE]:
        needed = use[:, favourite[row]]
        if (needed <= left).all():
            chosen[row] = favourite[row]
            left -= needed
    return chosen


def _regression(seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=100,
        learning_rate=0.08,
        max_leaf_nodes=15,
        min_samples_leaf=50,
        max_features=0.3,
        random_state=seed,
        early_stopping=False,  # pyright: ignore[reportArgumentType]  (the stub knows text only)
    )


def _folds(customers: pl.DataFrame) -> np.ndarray:
    return (customers["customer_id"].str.tail(1).cast(pl.Int64) % _FOLDS).to_numpy()
