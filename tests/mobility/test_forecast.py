"""Forecasts: exact where the week repeats, blind to the future, honest about the naive one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.forecast import (
    Model,
    Skill,
    best_forecast,
    forecast,
    mase,
    rolling_origin,
)

WEEK = 168
PARIS = "Europe/Paris"
SHAPE = 400 + 350 * np.sin(np.arange(WEEK) * 2 * np.pi / 24 - 2)


def hourly(values, *, first="2024-01-01") -> pd.Series:
    index = pd.date_range(first, periods=len(values), freq="h", tz="UTC")
    return pd.Series(np.asarray(values, float), index=index)


def noisy(seed: int, weeks: int, *, level: np.ndarray | float = 1.0) -> pd.Series:
    mean = np.tile(SHAPE, weeks) * level
    return hourly(np.random.default_rng(seed).poisson(mean))


WEEKS = st.lists(st.integers(0, 2000), min_size=WEEK, max_size=WEEK)


@settings(max_examples=15, deadline=None)
@given(WEEKS, st.integers(2, 9), st.integers(1, WEEK), st.sampled_from(["level", "naive"]))
def test_a_week_that_repeats_is_forecast_exactly(week, weeks, horizon, method) -> None:
    series = hourly(np.tile(week, weeks))
    found = forecast(series, horizon_h=horizon, method=method)
    assert found["count"].tolist() == week[:horizon]
    assert found.index[0] == series.index[-1] + pd.Timedelta("1h")
    if weeks >= 6:
        assert found["low"].tolist() == found["high"].tolist() == week[:horizon]


def test_the_local_week_repeats_through_the_change_of_clocks() -> None:
    index = pd.date_range("2024-02-19", "2024-04-15", freq="h", tz=PARIS, inclusive="left")
    count = pd.Series(1000.0 * index.day_of_week + index.hour, index=index.tz_convert("UTC"))
    past = count[:"2024-03-31T00:00Z"]
    found = forecast(past, zone=PARIS)
    assert (found["count"] == count[found.index]).all()
    assert (forecast(past)["count"] != count[found.index]).any()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3 * WEEK, 5 * WEEK), st.floats(0, 1e6))
def test_the_forecast_does_not_see_the_future(seed, origin, wrong) -> None:
    series = noisy(seed, 6)
    changed = series.copy()
    changed.iloc[origin:] = wrong
    one, two = (forecast(made.iloc[:origin]) for made in (series, changed))
    pd.testing.assert_frame_equal(one, two)
    # the comparison of the past at an origin is what a forecast from there would have been
    skill = rolling_origin(series, horizon_h=24, origins=5)
    for row in skill.origins.itertuples():
        before = series[series.index < row.origin]
        told = forecast(before, horizon_h=24)["count"]
        error = (series[told.index] - told).abs().mean()
        assert row.mae == pytest.approx(error, rel=1e-12)


def test_the_seasonal_naive_forecast_has_a_mase_of_one_against_itself() -> None:
    series = noisy(3, 8).to_numpy()
    assert mase(series[WEEK:], series[:-WEEK], series) == 1.0
    skill = rolling_origin(noisy(3, 8), method="naive")
    assert skill.ratio == 1.0
    assert (skill.origins["mae"] == skill.origins["mae_naive"]).all()
    assert not skill.beats_naive
    assert "does not beat" in skill.text["en"]


def test_mase_by_hand() -> None:
    # differences of the season of two: 2, 2, so the scale is 2; errors 1 and 3
    assert mase([5, 5], [4, 8], [1, 2, 3, 4], season=2) == 1.0
    assert np.isnan(mase([5], [4], [7, 7, 7, 7], season=2))
    assert mase([5, np.nan], [4, 8], [1, 2, 3, 4], season=2) == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_noise_about_a_steady_week_is_forecast_better_than_by_the_last_week(seed) -> None:
    skill = rolling_origin(noisy(seed, 16))
    # |N(0, 1 + 1/6 ... 1/4)| against |N(0, 2)|: the median of six weeks costs less than one
    assert skill.ratio < 0.85
    assert skill.wins == len(skill.origins) == 12
    assert skill.beats_naive


def test_a_strong_trend_is_not_its_business_and_it_says_so() -> None:
    level = 1 + 0.6 * np.arange(16 * WEEK) / WEEK
    found, method, skill = best_forecast(noisy(1, 16, level=level), model=Model(damping=0.0))
    assert not skill.beats_naive
    assert method == "naive"
    assert skill.ratio > 1
    assert found["count"].notna().all()


def test_a_level_that_moved_is_followed_and_fades_back() -> None:
    count = np.tile(SHAPE, 8)
    count[-WEEK:] *= 0.5
    found = forecast(hourly(count))["count"].to_numpy()
    expected = SHAPE * (1 - 0.5 * 0.9 ** (np.arange(1, WEEK + 1) / 24))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_about_what_they_promise(seed) -> None:
    series = noisy(seed, 30)
    inside = []
    for origin in range(22 * WEEK, 30 * WEEK, WEEK):
        found = forecast(series.iloc[:origin], interval=(0.05, 0.95))
        actual = series.iloc[origin : origin + WEEK]
        inside.append(((actual >= found["low"]) & (actual <= found["high"])).mean())
    # 90 % promised; 1,344 hours give a standard error near 1 %, and quantiles are of the past
    assert 0.82 < np.mean(inside) < 0.96


def test_gaps_are_bridged_by_older_weeks() -> None:
    count = np.tile(SHAPE, 8)
    count[-30:] = np.nan
    count[np.arange(8) * WEEK + 7] = np.nan
    found = forecast(hourly(count))
    assert np.isnan(found["count"].iloc[7]), "an hour never counted is not made up"
    rest = np.arange(WEEK) != 7
    np.testing.assert_allclose(found["count"][rest], SHAPE[rest], rtol=1e-12)
    assert (forecast(hourly(count), method="naive")["count"][rest] == SHAPE[rest]).all()


def test_a_verdict_needs_most_origins() -> None:
    origins = pd.DataFrame({"mae": [1.0] * 4})
    assert Skill(origins, 0.9, 3).beats_naive
    assert not Skill(origins, 0.9, 2).beats_naive
    assert not Skill(origins, 1.0, 4).beats_naive
    assert "10%" in Skill(origins, 0.9, 3).text["en"]
    assert "prévision naïve" in Skill(origins, 0.9, 1).text["fr"]


def test_wrong_questions() -> None:
    series = noisy(0, 3)
    with pytest.raises(DataError, match="too few"):
        forecast(series.iloc[:300])
    with pytest.raises(DataError, match="without a hole"):
        forecast(series.drop(series.index[7]))
    with pytest.raises(DataError, match="times with a zone"):
        forecast(series.reset_index(drop=True))
    with pytest.raises(DataError, match="comparisons"):
        rolling_origin(series)
    with pytest.raises(ParameterError, match="horizon_h"):
        forecast(series, horizon_h=200)
    with pytest.raises(ParameterError, match="damping"):
        Model(damping=1.5)
