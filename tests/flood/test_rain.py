import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.rain import (
    LONG_BAND_MIN,
    SHORT_BAND_MIN,
    Hyetograph,
    Montana,
    chicago_storm,
    climate_factor,
    double_triangle_storm,
    fit_montana,
    montana_depth_mm,
    uniform_storm,
)

SHORT = Montana(6.0, 0.55, *SHORT_BAND_MIN)
LONG = Montana(6.0 * 120**0.15, 0.7, *LONG_BAND_MIN)  # meets SHORT at two hours
BANDS = [SHORT, LONG]


def test_montana_by_hand() -> None:
    # 5 * 60^0.5 = 38.7298..., 5 * 6^0.5 = 12.2474...
    found = montana_depth_mm([6, 60], [Montana(5.0, 0.5)])
    np.testing.assert_allclose(found, [12.247448713915890, 38.729833462074170], rtol=1e-14)


def test_bands_meet_and_nothing_is_extrapolated() -> None:
    below, at, above = montana_depth_mm([119.999999, 120, 120.000001], BANDS)
    assert below == pytest.approx(at, rel=1e-7)
    assert above == pytest.approx(at, rel=1e-7)
    apart = [SHORT, Montana(100.0, 0.9, *LONG_BAND_MIN)]
    assert montana_depth_mm(120, apart) == montana_depth_mm(120, [SHORT])
    for duration in (5.9, 1441.0):
        with pytest.raises(DataError, match=f"{duration:g} min"):
            montana_depth_mm(duration, BANDS)
    with pytest.raises(DataError, match="none"):
        montana_depth_mm(30, [])


def test_fit_returns_the_coefficients_that_made_the_depths() -> None:
    durations = np.array([6, 15, 30, 60, 120, 180, 360, 720, 1440.0])
    depths = montana_depth_mm(durations, BANDS)
    for band, expected in ((SHORT_BAND_MIN, SHORT), (LONG_BAND_MIN, LONG)):
        found = fit_montana(durations, depths, band_min=band)
        assert (found.a, found.b) == pytest.approx((expected.a, expected.b), rel=1e-9)
        assert (found.from_min, found.to_min) == band
    with pytest.raises(DataError, match="3 or more"):
        fit_montana([6, 10], [5, 6], band_min=SHORT_BAND_MIN)


@given(
    st.floats(0.1, 300), st.floats(10, 600), st.floats(0.5, 60), st.floats(0.16, 0.84),
    st.floats(0.47, 0.99),
)  # fmt: skip
def test_no_storm_gains_or_loses_a_drop(
    total: float, duration: float, step: float, peak: float, share: float
) -> None:
    step = min(step, duration)
    uniform = uniform_storm(total, duration_min=duration, step_min=step)
    triangle = double_triangle_storm(
        total, share * total, duration_min=duration, intense_min=0.3 * duration,
        step_min=step, peak_position=peak,
    )  # fmt: skip
    for storm in (uniform, triangle):
        # sums of at most 1200 steps, each rounded to 1e-16 of the total
        assert storm.total_mm == pytest.approx(total, rel=1e-12)
        assert (storm.depth_mm >= 0).all()
        assert len(storm.depth_mm) == np.ceil(duration / step - 1e-9)


@given(st.floats(20, 1440), st.floats(0.5, 20), st.floats(0.05, 0.95))
def test_chicago_sums_up_to_montana(duration: float, step: float, peak: float) -> None:
    storm = chicago_storm(BANDS, duration_min=duration, step_min=step, peak_position=peak)
    assert storm.total_mm == pytest.approx(float(montana_depth_mm(duration, BANDS)), rel=1e-12)
    assert (storm.depth_mm >= 0).all()


@given(st.integers(6, 240), st.sampled_from([0.25, 0.4, 0.5]))
def test_chicago_holds_the_depth_of_every_duration_around_its_peak(t: int, r: float) -> None:
    duration, step = 240.0, 0.05  # r t falls on a step's end for every t
    storm = chicago_storm(BANDS, duration_min=duration, step_min=step, peak_position=r)
    first = round((r * duration - r * t) / step)
    last = first + round(t / step)
    inside = storm.depth_mm[first:last].sum()
    assert inside == pytest.approx(float(montana_depth_mm(t, BANDS)), rel=1e-9)
    assert int(np.argmax(storm.depth_mm)) * step == pytest.approx(r * duration, abs=6)


def test_chicago_does_not_run_to_infinity_below_the_shortest_duration() -> None:
    storm = chicago_storm([SHORT], duration_min=60, step_min=0.1)
    six = float(montana_depth_mm(6, [SHORT]))
    assert storm.intensity_mm_h.max() == pytest.approx(six * 10, rel=1e-9)


def test_bands_that_meet_with_a_small_gap_still_make_a_storm() -> None:
    end = float(montana_depth_mm(120, [SHORT]))
    for begin in (0.95, 1.05):
        long = Montana(begin * end / 120**0.3, 0.7, *LONG_BAND_MIN)
        storm = chicago_storm([SHORT, long], duration_min=360, step_min=0.5, peak_position=0.5)
        assert storm.total_mm == pytest.approx(float(montana_depth_mm(360, [long])), rel=1e-12)
        assert (storm.depth_mm >= 0).all()
        # two hours around the peak hold what the shorter band says
        assert storm.depth_mm[240:480].sum() == pytest.approx(end, rel=1e-9)
    low = Montana(0.95 * end / 120**0.3, 0.7, *LONG_BAND_MIN)
    # 125 min of the longer band are less than 120 of the shorter: nothing more falls
    assert chicago_storm([SHORT, low], duration_min=125, step_min=5).total_mm == pytest.approx(end)


def test_chicago_refuses_bands_with_a_wide_gap() -> None:
    for a in (1.0, 100.0):
        with pytest.raises(DataError, match="meet at 120 min"):
            chicago_storm([SHORT, Montana(a, 0.7, *LONG_BAND_MIN)], duration_min=240, step_min=5)
    with pytest.raises(DataError, match="none"):
        chicago_storm([], duration_min=240, step_min=5)


def test_double_triangle_by_hand() -> None:
    # D = 240, Di = 60, H = 60, Hi = 42: i1 = 36/180 = 0.2, i2 = 84/60 - 0.2 = 1.2 mm/min
    storm = double_triangle_storm(
        60, 42, duration_min=240, intense_min=60, step_min=30, peak_position=0.5
    )
    # up to 90 min a triangle of 0.2 mm/min: 30 min hold a ninth of 9 mm
    np.testing.assert_allclose(storm.depth_mm, [1, 3, 5, 21, 21, 5, 3, 1], rtol=1e-12)
    assert storm.depth_mm[3:5].sum() == pytest.approx(42)
    assert storm.intensity_mm_h[3] == pytest.approx(42)
    np.testing.assert_allclose(storm.ends_min[[0, -1]], [30, 240])


def test_a_step_that_does_not_divide_the_duration_keeps_the_sum() -> None:
    storm = uniform_storm(10, duration_min=25, step_min=10)
    np.testing.assert_allclose(storm.depth_mm, [4, 4, 2])


def test_climate_factor_and_scaling() -> None:
    assert climate_factor(0) == 1
    assert climate_factor(2) == pytest.approx(1.1449)
    storm = Hyetograph(np.array([1.0, 3.0]), 5.0)
    np.testing.assert_allclose(storm.scaled(1.5).depth_mm, [1.5, 4.5])
    with pytest.raises(ParameterError, match="0"):
        storm.scaled(0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Montana(5, 1.2), "between 0 and 1"),
        (lambda: Montana(5, 0.5, 60, 6), "swap"),
        (lambda: uniform_storm(0, duration_min=60, step_min=5), "0 mm"),
        (lambda: uniform_storm(9, duration_min=60, step_min=61), "61 min"),
        (lambda: chicago_storm(BANDS, duration_min=60, step_min=5, peak_position=1), "peak"),
        (lambda: _triangle(intense_min=70), "does not fit"),
        (lambda: _triangle(peak_position=0.1), "move the peak"),
        (lambda: _triangle(intense=70.0), "not more than the whole"),
        (lambda: _triangle(intense=5.0), "weaker"),
    ],
)
def test_refusals(make, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()


def _triangle(intense: float = 40.0, **more: float) -> Hyetograph:
    options = {"duration_min": 60.0, "intense_min": 20.0, "step_min": 5.0, **more}
    return double_triangle_storm(60, intense, **options)
