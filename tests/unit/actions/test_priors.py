import pytest

from actions.priors import Estimate, Prior, believed, combined, family


def guesses(catalogue, *points_and_sd: tuple[float, float]):
    """Actions with these believed effects."""
    effects = [{"points": p, "sd": sd, "source": "assumption"} for p, sd in points_and_sd]
    return catalogue(*({"id": f"a{k}", "effect": e} for k, e in enumerate(effects))).actions


def points(beliefs: dict[str, Prior]) -> list[float]:
    return [belief.points for belief in beliefs.values()]


def test_guesses_that_differ_by_no_more_than_their_doubt_are_all_the_mean(catalogue):
    """Variance 5/3, doubt 4: the doubt stays, and none of it is of what sets an action apart."""
    beliefs = believed(guesses(catalogue, (0, 2), (1, 2), (2, 2), (3, 2)))
    assert points(beliefs) == pytest.approx([1.5] * 4)
    assert [one.sd for one in beliefs.values()] == pytest.approx([2.0] * 4)
    assert [one.own_sd for one in beliefs.values()] == [0.0] * 4


def test_guess_keeps_its_share_of_what_differs_beyond_doubt(catalogue):
    """Variance 80 / 3, doubt 1: each keeps what is beyond doubt over that and its own doubt."""
    beliefs = believed(guesses(catalogue, (0, 1), (4, 1), (8, 1), (12, 1)))
    beyond = 80 / 3 - 1
    kept = beyond / (beyond + 1)
    assert points(beliefs) == pytest.approx([6 + kept * (one - 6) for one in (0, 4, 8, 12)])
    assert beliefs["a0"].own_sd == pytest.approx(kept**0.5)
    assert beliefs["a0"].sd == pytest.approx(1.0)


def test_surer_guess_keeps_more_of_what_sets_it_apart(catalogue):
    known = believed(guesses(catalogue, (0, 0.1), (0, 5), (20, 0.1), (20, 5)))
    assert known["a0"] < known["a1"] < known["a3"] < known["a2"]


def test_few_guesses_are_believed_as_they_are(catalogue):
    assert believed(guesses(catalogue, (1, 5), (2, 5), (3, 5))) == {
        "a0": (1, 5, 0), "a1": (2, 5, 0), "a2": (3, 5, 0),
    }  # fmt: skip


def test_sources_count_by_their_precision():
    """Precisions 1 and 1/4: the mean is 4/5 of the first and 1/5 of the second."""
    assert combined(Estimate(0, 1), None, Estimate(10, 2)) == pytest.approx((2, 0.8**0.5))


def test_actions_as_a_whole_by_moments():
    """Variance 20/3, mean doubt 10/4; chi square is 8.9 with 3 degrees: p = .03."""
    known = [Estimate(0, 1), Estimate(2, 1), Estimate(4, 2), Estimate(6, 2)]
    assert family(known) == pytest.approx((3, 20 / 3 - 2.5))


def test_differences_that_chance_may_have_made_do_not_count():
    """Variance 25/3 is beyond the doubt of 4, yet chi square is 25/4 with 3 degrees: p = .10."""
    assert family([Estimate(one, 2) for one in (0, 0, 5, 5)]).between == 0
    assert family([Estimate(one, 1) for one in (0, 0, 5, 5)]).between == pytest.approx(25 / 3 - 1)


def test_results_that_differ_beyond_doubt_give_the_guesses_their_differences_back(catalogue):
    actions = guesses(catalogue, (0, 2), (1, 2), (2, 2), (3, 2))
    measured = {f"a{k}": Estimate(10.0 * k, 0.5) for k in range(4)}
    before, after = believed(actions), believed(actions, measured)
    assert after["a3"].points - after["a0"].points > before["a3"].points - before["a0"].points + 2


def test_results_that_say_nothing_leave_the_guesses_as_they_were(catalogue):
    actions = guesses(catalogue, (0, 1), (4, 1), (8, 1), (12, 1))
    vague = {"a0": Estimate(900.0, 1e4), "a2": Estimate(-900.0, 1e4)}
    assert points(believed(actions, vague)) == pytest.approx(points(believed(actions)), abs=1e-3)


def mixed(catalogue):
    """Four actions for orders with guesses of 1, and two for staying with guesses of 4."""
    orders = [{"id": f"o{k}", "effect": guess(1)} for k in range(4)]
    staying = [{"id": f"s{k}", "effect": guess(4), "goal": "retain"} for k in range(2)]
    return catalogue(*orders, *staying).actions


def guess(points_of_it):
    return {"points": points_of_it, "sd": 3, "source": "assumption"}


def test_guesses_of_a_goal_with_few_actions_are_drawn_to_the_mean_of_all(catalogue):
    beliefs = believed(mixed(catalogue))
    assert points(beliefs) == pytest.approx([1, 1, 1, 1, 2, 2])
    assert beliefs["s0"] == (2, 3, 0)  # the doubt is its own: so its results count in full


def test_results_of_one_goal_say_nothing_of_another(catalogue):
    actions = mixed(catalogue)
    before = believed(actions)
    of_orders = believed(actions, {"o0": Estimate(-5.0, 1.0)})
    of_staying = believed(actions, {"s0": Estimate(20.0, 1.0)})
    assert of_orders["o3"].points < before["o3"].points
    assert (of_orders["s0"], of_orders["s1"]) == (before["s0"], before["s1"])
    assert of_staying == before  # its own result is added later, by actions.posterior
