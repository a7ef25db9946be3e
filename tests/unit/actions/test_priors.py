import pytest

from actions.priors import believed_points


def guesses(catalogue, *points_and_sd: tuple[float, float]):
    """Actions with these believed effects."""
    effects = [{"points": p, "sd": sd, "source": "assumption"} for p, sd in points_and_sd]
    return catalogue(*({"id": f"a{k}", "effect": e} for k, e in enumerate(effects))).actions


def test_guesses_that_differ_by_no_more_than_their_doubt_are_all_the_mean(catalogue):
    actions = guesses(catalogue, (0, 2), (1, 2), (2, 2), (3, 2))  # variance 5/3, doubt 4
    assert list(believed_points(actions).values()) == pytest.approx([1.5] * 4)


def test_guess_keeps_its_share_of_what_differs_beyond_doubt(catalogue):
    """Variance 80 / 3, doubt 1: each keeps what is beyond doubt over that and its own doubt."""
    actions = guesses(catalogue, (0, 1), (4, 1), (8, 1), (12, 1))
    beyond = 80 / 3 - 1
    kept = beyond / (beyond + 1)
    assert list(believed_points(actions).values()) == pytest.approx(
        [6 + kept * (one - 6) for one in (0, 4, 8, 12)]
    )


def test_surer_guess_keeps_more_of_what_sets_it_apart(catalogue):
    known = believed_points(guesses(catalogue, (0, 0.1), (0, 5), (20, 0.1), (20, 5)))
    assert known["a0"] < known["a1"] < known["a3"] < known["a2"]


def test_few_guesses_are_believed_as_they_are(catalogue):
    assert believed_points(guesses(catalogue, (1, 5), (2, 5), (3, 5))) == {
        "a0": 1, "a1": 2, "a2": 3,
    }  # fmt: skip
