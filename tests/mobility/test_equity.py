"""Lorenz, Gini, Palma: exact cases and laws; the gap between groups and its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.equity import gini, group_gap, lorenz, palma

PLACES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 40)), min_size=1, max_size=30)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_one_of_n_has_all(n):
    has = np.r_[np.zeros(n - 1), 3.0]
    assert gini(has) == pytest.approx(1 - 1 / n, abs=1e-12)
    share, held = lorenz(has)
    assert (held[:-1] == 0).all()
    assert (share[-1], held[-1]) == (1, 1)


def test_all_alike_have_no_gini_and_a_straight_curve():
    share, held = lorenz([5.0] * 8, np.arange(1, 9))
    np.testing.assert_allclose(held, share, atol=1e-15)
    assert gini([5.0] * 8) == pytest.approx(0, abs=1e-15)
    # a tenth of the people over four tenths of them
    assert palma([5.0] * 8) == pytest.approx(0.25)


def test_by_hand():
    """1, 2, 3, 4: shares of 10, 30, 60, 100 %; Gini is 1/4."""
    share, held = lorenz([4, 2, 1, 3])
    assert share.tolist() == [0, 0.25, 0.5, 0.75, 1]
    np.testing.assert_allclose(held, [0, 0.1, 0.3, 0.6, 1], rtol=1e-15)
    assert gini([4, 2, 1, 3]) == pytest.approx(0.25)
    # at 40 % the curve has 0.1 + 0.6 * 0.2, at 90 % 0.6 + 0.6 * 0.4
    assert palma([4, 2, 1, 3]) == pytest.approx(0.16 / 0.22)
    assert palma([0, 0, 0, 1]) == np.inf


@given(PLACES)
def test_gini_is_the_mean_difference_of_two_people(places):
    """Another formula: mean of |a - b| over all pairs of people, over twice the mean."""
    has, people = np.array(places, float).T
    if not has @ people > 0:
        with pytest.raises(DataError, match="nobody has anything"):
            gini(has, people)
        return
    whole = people.sum()
    apart = people @ np.abs(has[:, None] - has) @ people / whole**2
    assert gini(has, people) == pytest.approx(apart / (2 * has @ people / whole), abs=1e-9)


@given(PLACES.filter(lambda p: sum(a * b for a, b in p) > 0), st.floats(0.01, 1e4))
def test_people_of_a_place_are_as_many_places_of_one_and_units_do_not_matter(places, unit):
    has, people = np.array(places, float).T
    spelt = np.repeat(has, people.astype(int))
    for measure in (gini, palma):
        told = measure(has, people)
        assert measure(spelt) == pytest.approx(told, abs=1e-9, rel=1e-9)
        assert measure(unit * has, people) == pytest.approx(told, abs=1e-9, rel=1e-9)
    share, held = lorenz(has, people)
    assert (np.diff(held) >= 0).all()
    assert (held <= share + 1e-12).all(), "the worst-off never have more than their share"


def test_places_without_a_value_are_left_out_and_impossible_ones_refused():
    assert gini([1, np.nan, 3], [1, 9, 1]) == gini([1, 3])
    with pytest.raises(DataError, match="0 or more"):
        gini([-1, 2])
    with pytest.raises(DataError, match="0 or more"):
        gini([1, np.inf])
    with pytest.raises(DataError, match="2 values for 3 groups"):
        gini([1, 2], [1, 2, 3])


def test_gap_is_the_difference_of_weighted_means():
    found = group_gap(
        [10, 20, 30, 40, 7], ["poor", "poor", "rich", "rich", "other"], "poor", "rich",
        people=[1, 3, 2, 2, 99],
    )  # fmt: skip
    assert found.gap == 17.5 - 35
    assert found.means.to_dict() == {"poor": 17.5, "rich": 35}
    assert found.people.to_dict() == {"poor": 4, "rich": 4}
    assert found.places.to_dict() == {"poor": 2, "rich": 2}
    # means of two draws of two places each lie between the places
    assert 10 - 40 <= found.low <= found.gap <= found.high <= 20 - 30


def test_interval_is_that_of_the_normal_law_where_it_holds():
    """Means of 400 places: 1.96 standard errors on either side, to a few per cent."""
    rng = np.random.default_rng(3)
    values, group = rng.normal(0, 10, 800), np.repeat(["a", "b"], 400)
    found = group_gap(values, group, "a", "b", draws=4000, seed=1)
    sides = [values[group == name] for name in "ab"]
    error = np.sqrt(sum(side.var() / len(side) for side in sides))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.06)
    again = group_gap(values, group, "a", "b", draws=4000, seed=1)
    assert (again.low, again.high) == (found.low, found.high)
    narrow = group_gap(values, group, "a", "b", draws=4000, seed=1, confidence=0.5)
    assert found.low < narrow.low < narrow.high < found.high


def test_interval_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(8), []
    for k in range(200):
        values = np.r_[rng.exponential(1.0, 60), rng.exponential(2.0, 60)]
        found = group_gap(values, np.repeat([0, 1], 60), 0, 1, draws=300, seed=k)
        held.append(found.low <= -1.0 <= found.high)
    # 95 % less what a percentile bootstrap of 60 skewed places loses; standard error 1.5 %
    assert 0.89 <= np.mean(held) <= 0.99


def test_groups_that_cannot_be_compared_are_named():
    with pytest.raises(DataError, match="'rich' has 1 places"):
        group_gap([1, 2, 3], ["poor", "poor", "rich"], "poor", "rich")
    with pytest.raises(DataError, match="finite or NaN"):
        group_gap([1, np.inf], ["a", "b"], "a", "b")
    with pytest.raises(DataError, match="give one of each"):
        group_gap([1, 2], ["a"], "a", "b")
    with pytest.raises(ParameterError, match="confidence"):
        group_gap([1, 2], ["a", "b"], "a", "b", confidence=1)
