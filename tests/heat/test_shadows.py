"""Shadows of a wall against its height over the tangent of the sun's elevation."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, MissingColumnError, ParameterError
from ldt_toolbox.heat.shadows import shadow_fraction, shadow_mask, sun_position


@pytest.mark.parametrize("elevation_deg", [12, 30, 45, 63])
@pytest.mark.parametrize("azimuth_deg", [0, 37, 90, 135, 200, 270, 301.5])
def test_length_of_a_shadow(elevation_deg, azimuth_deg):
    """Seen from the foot of a tower, its shadow ends H / tan(elevation) away, within a cell."""
    cell_size_m, height = 0.5, 18.0
    heights = np.zeros((401, 401))
    heights[200, 200] = height
    shaded = shadow_mask(
        heights, cell_size_m=cell_size_m, elevation_deg=elevation_deg, azimuth_deg=azimuth_deg
    )
    rows, columns = np.nonzero(shaded)
    away = (math.sin(math.radians(azimuth_deg + 180)), -math.cos(math.radians(azimuth_deg + 180)))
    along = ((columns - 200) * away[0] + (rows - 200) * away[1]) * cell_size_m
    across = ((columns - 200) * away[1] - (rows - 200) * away[0]) * cell_size_m
    expected = height / math.tan(math.radians(elevation_deg))
    assert abs(along.max() - expected) <= cell_size_m * math.sqrt(2)
    assert along.min() > 0
    assert np.abs(across).max() <= cell_size_m


@pytest.mark.parametrize("azimuth_deg", [0, 90, 180, 270])
def test_length_of_the_shadow_of_a_wall(azimuth_deg):
    heights = np.zeros((200, 200), np.float32)
    heights[100] = 20.0
    if azimuth_deg in (90, 270):
        heights = heights.T
    shaded = shadow_mask(heights, cell_size_m=1, elevation_deg=35, azimuth_deg=azimuth_deg)
    lengths = shaded.sum(axis=0 if azimuth_deg in (0, 180) else 1)
    assert np.abs(lengths - 20 / math.tan(math.radians(35))).max() <= 1


@given(elevation_deg=st.floats(0.01, 90), azimuth_deg=st.floats(0, 360))
@settings(max_examples=20, deadline=None)
def test_flat_ground_has_no_shadow(elevation_deg, azimuth_deg):
    flat = np.full((9, 12), 77.7)
    assert not shadow_mask(
        flat, cell_size_m=1, elevation_deg=elevation_deg, azimuth_deg=azimuth_deg
    ).any()


def test_no_sun_no_light():
    flat = np.zeros((3, 4))
    for elevation_deg in (0, -20):
        assert shadow_mask(flat, cell_size_m=1, elevation_deg=elevation_deg, azimuth_deg=10).all()


@given(seed=st.integers(0, 10_000), azimuth_deg=st.floats(0, 360))
@settings(max_examples=20, deadline=None)
def test_a_lower_sun_shades_more(seed, azimuth_deg):
    heights = np.random.default_rng(seed).random((20, 22)) * 15
    masks = [
        shadow_mask(heights, cell_size_m=2, elevation_deg=e, azimuth_deg=azimuth_deg)
        for e in (70, 40, 15)
    ]
    assert (masks[0] <= masks[1]).all()
    assert (masks[1] <= masks[2]).all()


def test_shadow_ends_at_the_largest_distance():
    heights = np.zeros((50, 50))
    heights[:, 10] = 30.0
    low_sun = {"cell_size_m": 1.0, "elevation_deg": 20.0, "azimuth_deg": 270.0}
    assert shadow_mask(heights, **low_sun)[25].sum() == 39  # 82 m long: to the edge
    assert shadow_mask(heights, max_distance_m=12, **low_sun)[25].sum() == 12


def test_a_tree_shades_itself_and_what_lies_behind():
    ground = np.zeros((21, 21), np.float32)
    crowns = np.full((21, 21), np.nan, np.float32)
    crowns[10, 10] = 5.0
    shaded = shadow_mask(
        ground, cell_size_m=1, elevation_deg=45, azimuth_deg=180, canopy_heights=crowns
    )
    assert np.flatnonzero(shaded[:, 10]).tolist() == [6, 7, 8, 9, 10]  # 5 m is the edge of light
    assert shaded.sum() == 5


def test_fraction_counts_the_hours_of_daylight():
    heights = np.zeros((30, 30))
    heights[15] = 10.0
    heights[0, 0] = np.nan
    sun = pd.DataFrame({"elevation_deg": [-5, 45, 45, 80], "azimuth_deg": [0, 180, 0, 180]})
    share = shadow_fraction(heights, sun, cell_size_m=1)
    assert share[10, 5] == pytest.approx(1 / 3)  # north of the wall: one of three
    assert share[14, 5] == pytest.approx(2 / 3)
    assert share[20, 5] == pytest.approx(1 / 3)
    assert math.isnan(share[0, 0])


def test_sun_over_paris_at_the_solstice():
    times = pd.date_range("2024-06-21 00:00", "2024-06-21 23:59", freq="1min", tz="Europe/Paris")
    sun = sun_position(times, latitude_deg=48.8566, longitude_deg=2.3522)
    assert list(sun.columns) == ["elevation_deg", "azimuth_deg"]
    # Highest at 90 - latitude + obliquity (23.436 in 2024), due south; refraction adds 0.01.
    assert sun["elevation_deg"].max() == pytest.approx(90 - 48.8566 + 23.436, abs=0.03)
    assert sun["azimuth_deg"][sun["elevation_deg"].idxmax()] == pytest.approx(180, abs=1)
    # Almanacs give 16 h 10 min from sunrise to sunset; they count from the disc's upper edge.
    assert (sun["elevation_deg"] > -0.27).sum() / 60 == pytest.approx(16.17, abs=0.05)


def test_bad_input_is_named():
    flat = np.zeros((3, 3))
    with pytest.raises(DataError, match="no time zone"):
        sun_position(pd.date_range("2024-01-01", periods=2), latitude_deg=0, longitude_deg=0)
    with pytest.raises(ParameterError, match="elevation_deg is 91"):
        shadow_mask(flat, cell_size_m=1, elevation_deg=91, azimuth_deg=0)
    with pytest.raises(DataError, match="canopy_heights has shape"):
        shadow_mask(
            flat, cell_size_m=1, elevation_deg=9, azimuth_deg=0, canopy_heights=np.zeros((2, 2))
        )
    with pytest.raises(MissingColumnError, match="azimuth_deg"):
        shadow_fraction(flat, pd.DataFrame({"elevation_deg": [5.0]}), cell_size_m=1)
    night = pd.DataFrame({"elevation_deg": [-5.0], "azimuth_deg": [0.0]})
    with pytest.raises(DataError, match="at none of the moments"):
        shadow_fraction(flat, night, cell_size_m=1)
