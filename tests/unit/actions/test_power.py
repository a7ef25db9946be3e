import pytest

from actions.power import detectable, needed, power_sentence


@pytest.mark.parametrize(
    ("base", "treated", "control_share", "n"),
    [
        (0.20, 0.18, 0.05, 65_840),
        (0.20, 0.18, 0.10, 34_614),
        (0.20, 0.19, 0.20, 77_891),
        (0.10, 0.09, 0.10, 77_783),
        (0.05, 0.055, 0.05, 315_435),
    ],
)
def test_customers_needed_are_those_of_the_published_table(base, treated, control_share, n):
    assert needed(base, treated - base, control_share) == pytest.approx(n, rel=2e-4)


def test_a_thousand_controls_beside_nine_thousand_show_3_7_points_at_a_base_of_20_percent():
    assert 100 * detectable(0.20, 9000, 1000) == pytest.approx(3.7, abs=0.05)
    assert 100 * detectable(0.05, 9000, 1000) == pytest.approx(2.0, abs=0.05)


def test_run_says_before_it_is_sent_what_it_can_show():
    assert power_sentence(0.2, 9000, 1000).endswith("detect a change of 3.7 points or more.")
    assert "nothing can be measured" in power_sentence(0.2, 9000, 0)
