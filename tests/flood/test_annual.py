import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.annual import expected_annual_damage

PERIODS = [5, 10, 20, 50, 100, 500]


@given(st.floats(0, 1e9), st.lists(st.floats(1, 1000), min_size=5, max_size=12, unique=True))
def test_a_constant_damage_costs_its_probability(damage: float, periods: list[float]) -> None:
    found = expected_annual_damage(dict.fromkeys(periods, damage))
    # integral of D from 0 to 1/T1
    assert found.total == pytest.approx(damage / min(periods), rel=1e-9)
    assert found.frequent_tail == 0


@given(st.floats(1, 1e9), st.lists(st.floats(3, 1000), min_size=5, max_size=12, unique=True))
def test_a_damage_linear_in_probability_is_a_triangle(top: float, periods: list[float]) -> None:
    damages = {t: top * (1 - 2 / t) for t in periods}  # none at two years, `top` at p = 0
    found = expected_annual_damage(damages, harmless_return_period_years=2)
    rarest = max(periods)
    # the triangle of base 1/2; only the rare tail is flat instead of rising
    short = top * (1 / rarest) ** 2
    assert found.total == pytest.approx(top / 4 - short, rel=1e-9)
    assert found.rare_tail == pytest.approx(top * (1 - 2 / rarest) / rarest, rel=1e-9)
    first = min(periods)
    triangle = (1 / 2 - 1 / first) * damages[first] / 2
    assert found.frequent_tail == pytest.approx(triangle, rel=1e-9, abs=1e-9 * top)


def test_by_hand() -> None:
    found = expected_annual_damage({2: 0, 5: 10, 10: 20, 50: 60, 100: 100})
    # .3 * 5 + .1 * 15 + .08 * 40 + .01 * 80 = 7.0; tail .01 * 100
    assert found.computed == pytest.approx(7.0)
    assert found.rare_tail == pytest.approx(1.0)
    assert found.tail_share == pytest.approx(1 / 8)


@given(st.floats(6, 500))
def test_protection_leaves_what_is_rarer(standard: float) -> None:
    damages = {t: 100 * (1 - 2 / t) for t in PERIODS}
    found = expected_annual_damage(damages, protection_return_period_years=standard)
    p, q = 1 / standard, 1 / 500
    # integral of 100 (1 - 2 p) from q to p, and the flat tail; trapezoids are exact on lines
    expected = 100 * ((p - p * p) - (q - q * q)) + q * 100 * (1 - 2 * q)
    assert found.total == pytest.approx(expected, rel=1e-9)


def test_more_protection_never_costs_more_and_weak_protection_changes_nothing() -> None:
    damages = {t: t**0.7 for t in PERIODS}
    totals = [
        expected_annual_damage(damages, protection_return_period_years=t).total
        for t in (2, 5, 7, 20, 90, 500)
    ]
    assert totals[0] == totals[1] == expected_annual_damage(damages).total
    assert (np.diff(totals[1:]) < 0).all()
    assert totals[-1] == pytest.approx(500**0.7 / 500)


def test_protection_within_the_frequent_tail() -> None:
    damages = dict.fromkeys(PERIODS, 10.0)
    found = expected_annual_damage(
        damages, harmless_return_period_years=2, protection_return_period_years=4
    )
    # between p = 1/2 and 1/5 the damage rises from 0 to 10: at 1/4 it is 25/3
    assert found.frequent_tail == pytest.approx((1 / 4 - 1 / 5) * (25 / 3 + 10) / 2)


def test_no_damage_no_tail() -> None:
    assert expected_annual_damage(dict.fromkeys(PERIODS, 0.0)).tail_share == 0


@pytest.mark.parametrize(
    ("damages", "options", "error", "says"),
    [
        ({5: 1, 10: 2, 20: 3, 50: 4}, {}, DataError, "4 return periods"),
        ({-1: 1, 5: 1, 10: 2, 20: 3, 50: 4}, {}, DataError, "above 0"),
        ({5: np.nan, 10: 2, 20: 3, 50: 4, 100: 5}, {}, DataError, "missing or negative"),
        (dict.fromkeys(PERIODS, 1), {"harmless_return_period_years": 6}, ParameterError, "already"),
        (
            dict.fromkeys(PERIODS, 1),
            {"protection_return_period_years": 1000},
            ParameterError,
            "rarer",
        ),
    ],
)
def test_refusals(damages, options, error, says) -> None:
    with pytest.raises(error, match=says):
        expected_annual_damage(damages, **options)
