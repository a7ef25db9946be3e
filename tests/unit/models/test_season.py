from datetime import date, timedelta

import pytest

from models.season import Trial, season_helps, year_before

MARCH, APRIL = date(2017, 3, 1), date(2017, 4, 1)
LAST = {MARCH: 0.2, APRIL: 0.4}
NEXT = date(2018, 3, 1)


def test_offset_of_a_year_before_lies_between_those_of_the_cutoffs_around_it():
    assert year_before(date(2018, 3, 1), LAST) == pytest.approx(0.2)
    assert year_before(date(2018, 3, 16), LAST) == pytest.approx(0.2 + 0.2 * 15 / 31)


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2018, 2, 9), True),  # twenty days before the first cutoff, a year on
        (date(2018, 2, 8), False),
        (date(2018, 4, 1), True),
        (date(2018, 4, 2), False),
    ],
)
def test_season_is_unknown_outside_of_the_cutoffs(day, known):
    assert (year_before(day, LAST) is not None) == known
    assert year_before(day, {}) is None


def trials(*errors):
    """Held-out cutoffs that were off from last year's offset by so much."""
    held_out = {NEXT + timedelta(days=30 * k): error for k, error in enumerate(errors)}
    year = timedelta(days=365)
    return [Trial(day, _swing(day - year) + e, _year()) for day, e in held_out.items()]


def _swing(day):
    return 0.5 if day.month % 2 else -0.5


def _year():
    """Offsets that go up and down by a half."""
    every = [date(2017, 2, 20) + timedelta(days=k) for k in range(365)]
    return {day: _swing(day) for day in every}


def test_season_helps_where_last_year_foretells_this_year():
    assert season_helps(trials(0.1, -0.1, 0.05), _year(), 0.5)


def test_season_does_not_help_where_it_leaves_most_of_the_error():
    assert not season_helps(trials(0.4, -0.3, 0.5), _year(), 0.5)
    assert not season_helps(trials(0.1, -0.1, 0.05), _year(), 0.0)


def test_season_is_not_used_where_a_year_before_is_unknown():
    unknown = Trial(date(2017, 6, 1), 0.5, _year())
    assert not season_helps([*trials(0.0), unknown], _year(), 0.5)
    assert not season_helps([], _year(), 0.5)
