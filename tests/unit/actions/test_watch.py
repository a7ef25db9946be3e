"""Whether a plan looks like a plan."""

import polars as pl

from actions.watch import plan_findings


def plan(*actions):
    rows = [("exported", action, "email", 10) for action in actions]
    return pl.DataFrame(
        [*rows, ("no_action", None, None, 0)],
        schema=["outcome", "action_id", "channel", "cost_cents"],
        orient="row",
    )


def words(decisions, params, budget_cents=10_000, capacities=None):
    found = plan_findings(decisions, budget_cents, capacities or {}, params)
    return [(f.check, f.severity, f.words) for f in found]


def test_one_action_for_everybody_warns(monitor_params):
    variety, _ = words(plan(*["call"] * 300), monitor_params)
    assert variety == ("one_action", "warning", "300 of 300 actions are the same: call")
    variety, _ = words(plan(*["call"] * 290, *["mail"] * 10), monitor_params)
    assert variety == ("one_action", "ok", "300 actions of 2 kinds")


def test_nobody_with_an_action_warns(monitor_params):
    variety, use = words(plan(), monitor_params)
    assert variety == ("one_action", "warning", "nobody gets an action")
    assert use == ("use", "ok", "0% of the budget; full: none (of 0 capacities)")


def test_budget_and_full_capacities_are_said(monitor_params):
    _, use = words(plan("call", "call", "mail"), monitor_params, 40, {"call": 2, "email": 9})
    assert use[2] == "75% of the budget; full: call (of 2 capacities)"
