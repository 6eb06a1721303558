"""Blue spots: a bowl with an exact volume, chains of lakes, and where they overflow."""

import math

import numpy as np
import pytest
import scipy.ndimage
import terrains
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.blue_spots import blue_spots
from ldt_toolbox.flood.conditioning import breach_depressions, fill_depressions
from ldt_toolbox.flood.flow import drainage_mask, flow_accumulation, flow_directions
from ldt_toolbox.flood.hand import height_above_drainage, stage_depth


def spots_of(z, cell_size_m=1.0, **limits):
    filled = fill_depressions(z)
    return blue_spots(z, filled, flow_directions(filled), cell_size_m=cell_size_m, **limits)


@pytest.mark.parametrize(("cell_size_m", "tolerance"), [(1.0, 3e-3), (0.25, 3e-4)])
def test_a_round_bowl_holds_half_of_its_cylinder(cell_size_m, tolerance):
    # A paraboloid r^2 / (2 R) cut off at depth h holds pi R h^2 of water: half the cylinder. The
    # sum over cells meets it the better, the finer they are.
    radius_m, depth_m = 40.0, 2.0
    side = int(120 / cell_size_m)
    axis = (np.arange(side) + 0.5) * cell_size_m - 60
    r = np.hypot(*np.meshgrid(axis, axis))
    z = np.minimum(depth_m * (r / radius_m) ** 2, depth_m)
    table = spots_of(z, cell_size_m).table
    assert len(table) == 1
    spot = table.loc[1]
    assert spot["volume_m3"] == pytest.approx(math.pi * radius_m**2 * depth_m / 2, rel=tolerance)
    assert spot["area_m2"] == pytest.approx(math.pi * radius_m**2, rel=1e-2)
    assert spot["depth_max_m"] == pytest.approx(depth_m, abs=1e-3)
    assert spot["level_m"] == depth_m
    assert spot["depth_mean_m"] * spot["area_m2"] == pytest.approx(spot["volume_m3"])


def stairs():
    """Two lakes in a gutter that falls to the east: the upper one spills into the lower."""
    z = np.full((5, 30), 20.0)
    z[2] = 10 - 0.1 * np.arange(30)
    z[2, 5:9] = 8.0  # rim at column 9: 9.1 m
    z[2, 15:21] = 7.0  # rim at column 21: 7.9 m
    return z


def test_lakes_in_a_row():
    spots = spots_of(stairs(), 2.0)
    table = spots.table
    assert table.index.tolist() == [1, 2]
    np.testing.assert_allclose(table["level_m"], [7.9, 9.1])
    np.testing.assert_allclose(table["volume_m3"], [0.9 * 6 * 4, 1.1 * 4 * 4])
    np.testing.assert_allclose(table["area_m2"], [24, 16])
    assert table[["spill_row", "spill_column"]].to_numpy().tolist() == [[2, 21], [2, 9]]
    assert (spots.label[2, 15:21] == 1).all()
    assert (spots.label[2, 5:9] == 2).all()
    assert ((spots.depth > 0) == (spots.label > 0)).all()
    # What the upper lake gathers runs through the lower one, too: three rows of the gutter.
    accumulation = flow_accumulation(flow_directions(fill_depressions(stairs())))
    np.testing.assert_allclose(
        table["contributing_m2"], [4 * accumulation[2, 20], 4 * accumulation[2, 8]]
    )
    assert table["contributing_m2"].is_monotonic_decreasing
    np.testing.assert_allclose(
        table["rain_to_fill_mm"], 1000 * table["volume_m3"] / table["contributing_m2"]
    )


def test_small_ones_are_left_out_and_the_rest_is_numbered_anew():
    assert spots_of(stairs(), 2.0, min_area_m2=20).table["area_m2"].tolist() == [24]
    deep = spots_of(stairs(), 2.0, min_depth_m=1.0)
    assert deep.table["area_m2"].tolist() == [16]
    assert set(np.unique(deep.label)) == {0, 1}
    assert deep.depth.max() == pytest.approx(1.1)
    assert spots_of(stairs(), min_depth_m=5).table.empty


@pytest.mark.parametrize("seed", range(3))
def test_contributing_land_is_what_passes_through(seed):
    z = terrains.with_holes(np.rint(2 * terrains.rough(60, 50, seed)) / 2, seed, share=0.003)
    filled = fill_depressions(z)
    directions = flow_directions(filled)
    spots = blue_spots(z, filled, directions, cell_size_m=1)
    depth = filled - z
    assert np.nansum(depth) == pytest.approx(spots.table["volume_m3"].sum())
    passed = np.zeros(len(spots.table) + 1)
    for row, column in np.argwhere(~np.isnan(z)):
        met = {int(spots.label[cell]) for cell in terrains.path_from(directions, row, column)}
        passed[list(met)] += 1
    np.testing.assert_array_equal(spots.table["contributing_m2"], passed[1:])
    for number, spot in spots.table.iterrows():
        rim = int(spot["spill_row"]), int(spot["spill_column"])
        assert z[rim] == spot["level_m"]
        beside = scipy.ndimage.binary_dilation(spots.label == number, np.ones((3, 3)))
        assert beside[rim]
        assert spots.label[rim] != number
    assert spots.table["volume_m3"].is_monotonic_decreasing


@pytest.mark.parametrize("name", terrains.bundled())
def test_real_terrain_from_breaches_to_blue_spots(name):
    z, cell_size_m = terrains.bundled()[name]
    breached = breach_depressions(
        z, cell_size_m=cell_size_m, max_length_m=10 * cell_size_m, max_depth_m=5
    )
    filled = fill_depressions(breached.elevation)
    assert breached.left < breached.pits
    # Breaches and the rest filled change less than filling alone.
    assert np.nansum(np.abs(filled - z)) < np.nansum(fill_depressions(z) - z)
    directions = flow_directions(filled)
    drainage = drainage_mask(
        flow_accumulation(directions), min_area_m2=100_000, cell_size_m=cell_size_m
    )
    hand = height_above_drainage(filled, directions, drainage)
    assert np.nanmin(hand.height) == 0
    assert np.isfinite(hand.height).mean() > 0.5
    # A higher stage reaches all that a lower one does, and more.
    lower, higher = stage_depth(hand.height, 1) > 0, stage_depth(hand.height, 5) > 0
    assert (lower <= higher).all()
    assert drainage.sum() <= lower.sum() < higher.sum() < z.size
    spots = spots_of(z, cell_size_m)
    volume_m3 = np.nansum(fill_depressions(z) - z, dtype=np.float64) * cell_size_m**2
    assert spots.table["volume_m3"].sum() == pytest.approx(volume_m3)


def test_refusals():
    z = stairs()
    filled = fill_depressions(z)
    directions = flow_directions(filled)
    with pytest.raises(ParameterError, match="min_depth_m -1"):
        blue_spots(z, filled, directions, cell_size_m=1, min_depth_m=-1)
    with pytest.raises(DataError, match="one terrain"):
        blue_spots(z, filled[:, 1:], directions, cell_size_m=1)
    with pytest.raises(DataError, match="below the terrain"):
        blue_spots(filled + 1, filled, directions, cell_size_m=1)
    with pytest.raises(DataError, match="stands still"):
        blue_spots(z, filled, flow_directions(z), cell_size_m=1)
