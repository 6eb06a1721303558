"""Height above drainage: a valley with an exact answer, and two other tools."""

import numpy as np
import pyflwdir
import pytest
import terrains
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.conditioning import fill_depressions
from ldt_toolbox.flood.flow import flow_accumulation, flow_directions
from ldt_toolbox.flood.hand import height_above_drainage, stage_depth


def tilted_valley():
    """Slopes of 1 in 4 on both sides of a river that falls 1 in 16; exact in binary."""
    y, x = np.mgrid[:300, :81].astype(np.float32)
    return np.abs(x - 40) / 4 + (299 - y) / 16


def test_a_tilted_valley_is_exact():
    # Steepest descent: sideways drops 1/4, the diagonal (1/4 + 1/16) / sqrt(2) = 0.22: sideways.
    z = tilted_valley()
    river = np.zeros(z.shape, bool)
    river[:, 40] = True
    hand = height_above_drainage(z, flow_directions(z), river)
    x = np.arange(81)
    np.testing.assert_array_equal(hand.height, np.abs(x - 40) / 4 + np.zeros((300, 1)))
    rows = np.arange(300)[:, None]
    np.testing.assert_array_equal(hand.drainage_cell, rows * 81 + 40 + np.zeros(81, int))
    assert hand.height.dtype == np.float32
    depth = stage_depth(hand.height, 2.5)
    np.testing.assert_array_equal(depth[7], np.maximum(2.5 - np.abs(x - 40) / 4, 0))
    assert (depth[0] > 0).sum() == 19


def test_heights_are_those_of_whitebox_and_pyflwdir(tmp_path):
    z = terrains.valleys()
    directions = flow_directions(z)
    drainage = flow_accumulation(directions) >= 500
    hand = height_above_drainage(z, directions, drainage)
    tools = terrains.Whitebox(tmp_path)
    theirs = tools.array(
        tools.tools.hydrology.elevation_above_stream(
            dem=tools.read(z, "dem"), streams=tools.read(drainage.astype(np.float32), "streams")
        )
    )
    np.testing.assert_array_equal(np.isnan(hand.height), np.isnan(theirs))
    np.testing.assert_allclose(hand.height, theirs, atol=1e-5)  # they keep float32
    known = np.isfinite(hand.height)
    assert known.mean() > 0.9
    network = pyflwdir.from_array(directions)
    np.testing.assert_allclose(hand.height[known], network.hand(drainage, z)[known], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(2, 40), st.integers(0, 10**6), st.floats(0.005, 0.5))
def test_drainage_is_the_first_on_the_way_down(rows, columns, seed, share):
    z = terrains.with_holes(terrains.rough(rows, columns, seed, beta=2.0), seed)
    if np.isnan(z).all():
        return
    filled = fill_depressions(z)
    directions = flow_directions(filled)
    rng = np.random.default_rng(seed)
    drainage = (rng.random(z.shape) < share) & ~np.isnan(z)
    drainage[tuple(np.argwhere(~np.isnan(z))[0])] = True
    hand = height_above_drainage(filled, directions, drainage)
    np.testing.assert_array_equal(np.isnan(hand.height), hand.drainage_cell < 0)
    assert not (hand.height < 0).any()
    for row, column in rng.integers(0, z.shape, (60, 2)):
        if np.isnan(z[row, column]):
            assert hand.drainage_cell[row, column] < 0
            continue
        met = [cell for cell in terrains.path_from(directions, row, column) if drainage[cell]]
        if met:
            assert hand.drainage_cell[row, column] == met[0][0] * columns + met[0][1]
            assert hand.height[row, column] == filled[row, column] - filled[met[0]]
        else:
            assert hand.drainage_cell[row, column] < 0


def test_refusals():
    z = tilted_valley()
    directions = flow_directions(z)
    with pytest.raises(DataError, match="no cell is drainage"):
        height_above_drainage(z, directions, np.zeros(z.shape, bool))
    with pytest.raises(DataError, match="drainage is int64"):
        height_above_drainage(z, directions, np.ones(z.shape, int))
    with pytest.raises(DataError, match="directions have shape"):
        height_above_drainage(z, directions[1:], np.ones(z.shape, bool))
    circle = np.array([[0, 0, 0], [1, 16, 0], [0, 0, 0]], np.uint8)
    with pytest.raises(DataError, match="circle"):
        height_above_drainage(np.ones((3, 3)), circle, np.eye(3, k=2, dtype=bool))
    across = np.zeros((256, 3), np.uint8)
    across[127], across[128] = 4, 64  # a circle over the border of two strips
    top = np.zeros(across.shape, bool)
    top[0] = True
    with pytest.raises(DataError, match="circle"):
        height_above_drainage(np.ones(across.shape), across, top)
    with pytest.raises(ParameterError, match="stage_m is 0"):
        stage_depth(z, 0)
