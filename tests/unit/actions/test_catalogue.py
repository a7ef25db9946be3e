import pytest
from pydantic import ValidationError


def test_unknown_key_is_refused(catalogue):
    with pytest.raises(ValidationError, match=r"actions\.0\.prioriy"):
        catalogue({"prioriy": 1})


@pytest.mark.parametrize(
    ("effect", "where"),
    [
        ({"points": 51, "sd": 1, "source": "assumption"}, "effect.points"),
        ({"points": -51, "sd": 1, "source": "assumption"}, "effect.points"),
        ({"points": 1, "sd": 0, "source": "assumption"}, "effect.sd"),
        ({"points": 1, "sd": 1, "source": ""}, "effect.source"),
        ({"points": 1, "sd": 1}, "effect.source"),
    ],
)
def test_effect_out_of_range_or_without_source_is_refused(catalogue, effect, where):
    with pytest.raises(ValidationError, match=where):
        catalogue({"effect": effect})


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"channels": {"email": -1}}, "channels.email"),  # would pay into the budget
        ({"channels": {}}, "channels"),
        ({"incentive_cents": -1}, "incentive_cents"),
        ({"take_up": 1.1}, "take_up"),
        ({"capacity": -1}, "capacity"),
        ({"stages": ["lapsed"]}, "stages"),
        ({"stages": []}, "stages"),
        ({"tactic": "spam"}, "tactic"),
        ({"goal": "clicks"}, "goal"),
        ({"id": "Win Back"}, "id"),
        ({"brief": "Sell."}, "brief"),
    ],
)
def test_wrong_action_is_refused_and_named(catalogue, wrong, where):
    with pytest.raises(ValidationError, match=rf"actions\.0\.{where}"):
        catalogue(wrong)


def test_catalogue_without_actions_is_refused(catalogue):
    known = catalogue().model_dump()
    with pytest.raises(ValidationError, match="actions"):
        type(catalogue()).model_validate(known | {"actions": []})
