"""Sky view against shapes with an exact answer, against rays marched one by one, and properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.sky_view import horizon_angles, horizon_slope, sky_view_factor

FAR = math.inf
# The horizon of a wall is seen at the centre of its first cell, half a cell behind its face. The
# shapes below are 100 cells wide or more, so that this costs less than the 0.01 that is claimed.
CLAIM = 0.01


@pytest.mark.parametrize("height_over_width", [0.25, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("turned", [False, True])
def test_floor_of_an_infinite_canyon(height_over_width, turned):
    width = 101
    heights = np.full((width + 2, 2201), width * height_over_width)
    heights[1:-1] = 0
    middle = (1 + width // 2, 1100)
    if turned:
        heights, middle = heights.T, middle[::-1]
    sky = sky_view_factor(heights, cell_size_m=1, radius_m=FAR, directions=64)
    exact = math.cos(math.atan(2 * height_over_width))
    assert sky[middle] == pytest.approx(exact, abs=CLAIM)


def test_canyon_at_an_angle():
    # 30 degrees off the grid: no wall is straight in cells any more.
    y, x = np.mgrid[-300:301, -300:301]
    across = x * math.cos(math.radians(30)) + y * math.sin(math.radians(30))
    heights = np.where(np.abs(across) <= 50.5, 0.0, 101.0)
    sky = sky_view_factor(heights, cell_size_m=1, radius_m=FAR, directions=64)
    assert sky[300, 300] == pytest.approx(math.cos(math.atan(2)), abs=CLAIM)


@pytest.mark.parametrize("rim_deg", [10, 30, 45, 60, 80])
def test_middle_of_a_round_basin(rim_deg):
    radius = 100
    y, x = np.mgrid[-120:121, -120:121]
    heights = np.where(np.hypot(x, y) < radius, 0.0, radius * math.tan(math.radians(rim_deg)))
    sky = sky_view_factor(heights, cell_size_m=1, radius_m=FAR, directions=64)
    assert sky[120, 120] == pytest.approx(math.cos(math.radians(rim_deg)) ** 2, abs=CLAIM)


def test_foot_of_a_high_wall_sees_half_the_sky():
    heights = np.zeros((301, 301), np.float32)
    heights[:, :150] = 1e6
    sky = sky_view_factor(heights, cell_size_m=1, radius_m=FAR, directions=64)
    assert sky[150, 150] == pytest.approx(0.5, abs=CLAIM)
    assert sky[150, 149] == 1  # on top of it


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flat_ground_and_a_lone_summit(dtype):
    flat = np.full((20, 30), 431.7, dtype)
    sky = sky_view_factor(flat, cell_size_m=2)
    assert sky.dtype == dtype
    np.testing.assert_array_equal(sky, 1)
    y, x = np.mgrid[-20:21, -20:21]
    summit = sky_view_factor((-np.hypot(x, y)).astype(dtype), cell_size_m=1, radius_m=FAR)
    assert summit[20, 20] == 1


def test_horizon_of_a_tower():
    heights = np.zeros((41, 41))
    heights[10, 30] = 20.0  # 10 cells north and 10 east of the middle
    angles = horizon_angles(heights, 45, cell_size_m=2)
    assert angles[20, 20] == pytest.approx(math.degrees(math.atan(20 / (2 * math.hypot(10, 10)))))
    assert horizon_angles(heights, 225, cell_size_m=2)[20, 20] == 0
    # From an eye 5 m up the tower is 15 m high.
    raised = horizon_angles(heights, 45, cell_size_m=2, observer_height_m=5)[20, 20]
    assert raised == pytest.approx(math.degrees(math.atan(15 / (2 * math.hypot(10, 10)))))
    # 28.3 m away: out of sight for a radius of 28 m, in sight for 29 m.
    assert horizon_slope(heights, 45, cell_size_m=2, radius_m=28)[20, 20] == 0
    assert horizon_slope(heights, 45, cell_size_m=2, radius_m=29)[20, 20] > 0


def marched(heights, azimuth_deg, cell_size_m, radius_m, eye):
    """Walk every ray cell by cell, float64: what the hulls must equal exactly."""
    east, south = math.sin(math.radians(azimuth_deg)), -math.cos(math.radians(azimuth_deg))
    along_columns = abs(east) >= abs(south)
    grid = heights if along_columns else heights.T
    main, side = (east, south) if along_columns else (south, east)
    tangent = 0.0 if abs(side / main) < 1e-12 else side / main
    step = cell_size_m * math.hypot(1, tangent)
    sign = 1 if main > 0 else -1
    rows, columns = grid.shape
    shift = [math.floor(tangent * j + 0.5) for j in range(columns)]
    slopes = np.where(np.isnan(grid), np.nan, 0.0)
    for i in range(rows):
        for j in range(columns):
            for k in range(1, columns):
                jj = j + sign * k
                if not 0 <= jj < columns or k * step > radius_m + 1e-9:
                    break
                ii = i + shift[jj] - shift[j]
                if 0 <= ii < rows and not np.isnan(grid[ii, jj]):
                    rise = grid[ii, jj] - grid[i, j] - eye
                    slopes[i, j] = max(slopes[i, j], rise / (k * step))
    return slopes if along_columns else slopes.T


@settings(max_examples=60, deadline=None)
@given(
    heights=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 14), st.integers(1, 14)),
        elements=st.sampled_from([0.0, 0.0, 1.0, 3.0, 3.5, 7.25, 12.0, math.nan]),
    ),
    azimuth_deg=st.floats(0, 360),
    radius_m=st.sampled_from([2.0, 5.0, 9.0, 1e6]),
    eye=st.sampled_from([0.0, 0.0, 1.5]),
)
def test_hulls_see_what_rays_see(heights, azimuth_deg, radius_m, eye):
    ours = horizon_slope(
        heights, azimuth_deg, cell_size_m=2, radius_m=radius_m, observer_height_m=eye
    )
    # Rounding of one division and one product.
    np.testing.assert_allclose(
        ours, marched(heights, azimuth_deg, 2, radius_m, eye), rtol=1e-13, atol=1e-13
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), directions=st.sampled_from([4, 8, 16, 22]))
def test_range_and_growing_obstacles(seed, directions):
    rng = np.random.default_rng(seed)
    heights = (rng.random((25, 31)) * 30).astype(np.float32)
    built = rng.random(heights.shape) < 0.2
    options = {"cell_size_m": 3.0, "radius_m": 60.0, "directions": directions}
    before = sky_view_factor(heights, **options)
    after = sky_view_factor(heights + built * rng.random() * 40, **options)
    assert before.min() >= 0
    assert before.max() <= 1
    # Float32 rounds the mean of 22 terms.
    assert (after[~built] <= before[~built] + 1e-6).all()


def test_single_precision_is_enough():
    rng = np.random.default_rng(2)
    heights = rng.gamma(2, 6, (80, 90)).round(1) + 1200.0
    double = sky_view_factor(heights, cell_size_m=5)
    single = sky_view_factor(heights.astype(np.float32), cell_size_m=5)
    # 1200 m in float32 is good to 6e-5 m, over 5 m that is a slope of 1e-5.
    np.testing.assert_allclose(single, double, rtol=0, atol=2e-5)


def test_missing_cells_hide_nothing():
    heights = np.zeros((9, 9))
    heights[4, 6] = math.nan
    sky = sky_view_factor(heights, cell_size_m=1)
    assert math.isnan(sky[4, 6])
    assert np.nanmin(sky) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": 15}, "directions is 15"),
        ({"directions": 2}, "directions is 2"),
        ({"radius_m": 0}, "radius_m is 0"),
        ({"cell_size_m": -1}, "cell_size_m is -1"),
        ({"observer_height_m": -2}, "observer_height_m is -2"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ParameterError, match=message):
        sky_view_factor(np.zeros((3, 3)), **({"cell_size_m": 1.0} | options))


def test_bad_heights_are_named():
    with pytest.raises(DataError, match="heights has shape"):
        sky_view_factor(np.zeros(3), cell_size_m=1)
