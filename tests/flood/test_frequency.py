import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.frequency import (
    annual_maxima,
    fit_gev,
    fit_gumbel,
    l_moments,
    return_levels,
)
from scipy import stats

PERIODS = [2, 10, 50, 100]
# Gauss-Legendre after u = 3 s^2 - 2 s^3, which takes the edge off both ends
_s, _w = np.polynomial.legendre.leggauss(300)
_s = (_s + 1) / 2
NODES, WEIGHTS = 3 * _s**2 - 2 * _s**3, _w / 2 * 6 * _s * (1 - _s)


def drawn(shape: float, years: int = 40, seed: int = 0) -> np.ndarray:
    return stats.genextreme.rvs(shape, 30, 8, size=years, random_state=seed)


def test_l_moments_are_scipys() -> None:
    sample = drawn(-0.1)
    l1, l2, t3 = l_moments(sample)
    expected = stats.lmoment(sample, order=[1, 2, 3], standardize=True)
    np.testing.assert_allclose([l1, l2, t3], expected, rtol=1e-12)
    both = l_moments(np.stack([sample, 3 * sample]))
    np.testing.assert_allclose(both[1], [l2, 3 * l2])


@given(st.floats(-0.4, 0.4), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_fitted_distribution_has_the_samples_l_moments(shape: float, seed: int) -> None:
    sample = drawn(shape, seed=seed)
    fit = fit_gev(sample)
    # L-moments of the distribution by integrating scipy's quantiles against Legendre polynomials
    x = stats.genextreme.ppf(NODES, fit.shape, fit.location, fit.scale)
    u, w = NODES, WEIGHTS
    l1, l2, l3 = (w * x).sum(), (w * x * (2 * u - 1)).sum(), (w * x * (6 * u * u - 6 * u + 1)).sum()
    found = l_moments(sample)
    # the quadrature misses about 1e-5 at the singular end of a heavy tail
    np.testing.assert_allclose([l1, l2, l3 / l2], found, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [-0.25, 0.0, 0.2])
def test_levels_are_scipys_quantiles(shape: float) -> None:
    fit = fit_gev(drawn(shape))
    found = return_levels(fit, PERIODS, seed=1, samples=50)
    chance = 1 - 1 / np.array(PERIODS, float)
    expected = stats.genextreme.ppf(chance, fit.shape, fit.location, fit.scale)
    np.testing.assert_allclose(found["level"], expected, rtol=1e-12)
    gumbel = fit_gumbel(drawn(shape))
    found = return_levels(gumbel, PERIODS, seed=1, samples=50)
    expected = stats.gumbel_r.ppf(chance, gumbel.location, gumbel.scale)
    np.testing.assert_allclose(found["level"], expected, rtol=1e-12)
    assert (gumbel.kind, fit.kind) == ("gumbel", "gev")


def test_a_long_record_gives_its_parameters_back_and_agrees_with_maximum_likelihood() -> None:
    sample = stats.genextreme.rvs(-0.15, 30, 8, size=20_000, random_state=5)
    fit = fit_gev(sample)
    shape, location, scale = stats.genextreme.fit(sample, -0.1, loc=30, scale=8)
    # standard errors at n = 20,000: shape about 0.006, location and scale about 0.06
    assert (fit.shape, fit.location, fit.scale) == pytest.approx((-0.15, 30, 8), abs=0.2)
    assert fit.shape == pytest.approx(shape, abs=0.02)
    assert (fit.location, fit.scale) == pytest.approx((location, scale), abs=0.2)


def test_hoskings_approximation_is_near_the_exact_shape() -> None:
    sample = drawn(0.1, years=60, seed=3)
    t3 = l_moments(sample)[2]
    c = 2 / (3 + t3) - np.log(2) / np.log(3)
    assert fit_gev(sample).shape == pytest.approx(7.8590 * c + 2.9554 * c * c, abs=9e-4)


def test_the_interval_is_seeded_holds_the_level_and_narrows_with_the_record() -> None:
    short, long = fit_gumbel(drawn(0, 25)), fit_gumbel(drawn(0, 400))
    first = return_levels(short, [10, 100], seed=7)
    pd.testing.assert_frame_equal(first, return_levels(short, [10, 100], seed=7))
    assert not first.equals(return_levels(short, [10, 100], seed=8))
    assert ((first["low"] < first["level"]) & (first["level"] < first["high"])).all()
    width = first["high"] - first["low"]
    assert width[100] > width[10]
    narrow = return_levels(long, [10, 100], seed=7)
    # the spread falls with the root of the record: a quarter of it at sixteen times the years
    assert ((narrow["high"] - narrow["low"]) < 0.4 * width).all()


def test_the_interval_covers_as_often_as_it_says() -> None:
    truth = stats.gumbel_r.ppf(0.95, 30, 8)
    rng = np.random.default_rng(0)
    inside = 0
    for trial in range(200):
        fit = fit_gumbel(stats.gumbel_r.rvs(30, 8, size=40, random_state=rng))
        row = return_levels(fit, [20], seed=trial, samples=200).iloc[0]
        inside += row["low"] <= truth <= row["high"]
    # binomial: 180 +- 3 * 4.2; the parametric interval of 40 years is a little short
    assert 160 <= inside <= 195


@pytest.mark.parametrize("period", [1.0, 0.5, 160.5, np.nan])
def test_return_periods_beyond_four_records_are_refused(period: float) -> None:
    with pytest.raises(ParameterError, match="at most 160"):
        return_levels(fit_gumbel(drawn(0, 40)), [10, period], seed=1)


def test_maxima_know_their_gaps() -> None:
    times = pd.date_range("2001-01-01", "2004-12-31 23:00", freq="h")
    values = pd.Series(np.arange(len(times), dtype=float) % 500, index=times)
    values.loc["2002-06-15 05:00"] = 900.0
    values.loc["2003-03":"2003-05"] = np.nan  # a quarter is gone
    values = values.drop(values.loc["2004-07":].index)  # and rows that are not there
    found = annual_maxima(values)
    assert list(found.index) == [2001, 2002, 2003, 2004]
    assert found.loc[2002, "maximum"] == 900
    assert found.loc[2002, "time"] == pd.Timestamp("2002-06-15 05:00")
    assert list(found["used"]) == [True, True, False, False]
    assert found.loc[2001, "known_share"] == pytest.approx(1)
    assert found.loc[2003, "known_share"] == pytest.approx(1 - 92 / 365, abs=1e-9)
    assert found.loc[2004, "known_share"] == pytest.approx(182 / 366, abs=1e-9)
    assert annual_maxima(values, least_known=0.4)["used"].all()


def test_hydrological_years_and_windows() -> None:
    times = pd.date_range("2001-10-01", "2003-09-30 23:30", freq="30min")
    rain = pd.Series(0.0, index=times)
    rain["2002-01-05 10:00":"2002-01-05 11:30"] = [5.0, 7.0, 6.0, 1.0]
    rain["2003-02-01 00:00"] = np.nan
    rain["2003-02-01 00:30"] = 50.0  # its hour has a gap
    found = annual_maxima(rain, first_month=10, window="1h")
    assert list(found.index) == [2001, 2002]
    assert found.loc[2001, "maximum"] == 13
    assert found.loc[2002, "maximum"] == 50  # the hour from 00:30 on is whole
    assert found["used"].all()


@pytest.mark.parametrize(
    ("step", "window", "says"),
    [
        # the sum over a quarter of an hour would be that of the whole hour
        ("h", "15min", r"rain of 15 min .* steps of 60 min: .*\(60 min\)"),
        # three steps of six minutes begin within a quarter of an hour: the rain of 18 minutes
        ("6min", "15min", r"rain of 15 min .* steps of 6 min: .*\(12 or 18 min\)"),
    ],
)
def test_durations_that_the_steps_do_not_fill_are_refused(step, window, says) -> None:
    times = pd.date_range("2001-01-01", "2001-02-01", freq=step)
    rain = pd.Series(1.0, index=times)
    with pytest.raises(DataError, match=says):
        annual_maxima(rain, window=window)
    assert annual_maxima(rain, window="2h")["maximum"].item() == pd.Timedelta("2h") / times.freq


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: fit_gumbel(np.arange(9.0)), DataError, "9 annual maxima"),
        (lambda: fit_gev(np.ones(12)), DataError, "nothing to fit"),
        (lambda: fit_gev([np.nan] * 12), DataError, "12 annual maxima are missing"),
        (lambda: annual_maxima(pd.Series([1.0, 2.0])), DataError, "DatetimeIndex"),
        (lambda: annual_maxima(_series("2001-02-01", "2001-01-01")), DataError, "out of order"),
        (lambda: annual_maxima(_series("2001-02-01")), DataError, "1 values"),
        (
            lambda: return_levels(fit_gumbel(drawn(0)), [10], seed=1, confidence=1),
            ParameterError,
            "confidence",
        ),
    ],
)
def test_refusals(make, error, says) -> None:
    with pytest.raises(error, match=says):
        make()


def _series(*times: str) -> pd.Series:
    return pd.Series(1.0, index=pd.DatetimeIndex(times))
