"""Directions, flats, accumulation: against two other tools, by conservation, on made-up flats."""

import numpy as np
import pyflwdir
import pytest
import terrains
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.conditioning import fill_depressions
from ldt_toolbox.flood.flow import (
    drainage_mask,
    flow_accumulation,
    flow_directions,
    upstream_area,
    weighted_accumulation,
)

FLATTISH = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=16),
    elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 5.0, float("nan")]),
).filter(lambda z: bool(np.isfinite(z).any()))


def test_directions_and_accumulation_are_those_of_whitebox(tmp_path):
    z = terrains.valleys()
    tools = terrains.Whitebox(tmp_path)
    dem = tools.read(z, "dem")
    directions = flow_directions(z)
    pointer = tools.array(tools.tools.hydrology.d8_pointer(dem=dem, esri_pntr=True))
    np.testing.assert_array_equal(directions, pointer)
    theirs = tools.tools.hydrology.d8_flow_accum(input=dem, out_type="cells")
    accumulation = flow_accumulation(directions)
    np.testing.assert_array_equal(accumulation, tools.array(theirs))
    assert accumulation.max() > 10_000  # valleys, not slopes side by side


def test_fill_is_that_of_whitebox(tmp_path):
    z = terrains.rough(150, 200, 5)
    tools = terrains.Whitebox(tmp_path)
    theirs = tools.tools.hydrology.fill_depressions_wang_and_liu(
        dem=tools.read(z, "dem"), fix_flats=False
    )
    np.testing.assert_array_equal(fill_depressions(z), tools.array(theirs))


@pytest.mark.parametrize("shape", [(300, 257), (128, 40), (129, 3), (1, 50), (260, 1), (2, 2)])
def test_accumulation_is_that_of_pyflwdir_at_odd_sizes(shape):
    z = terrains.with_holes(terrains.rough(*shape, seed=shape[0]), 1)
    directions = flow_directions(fill_depressions(z))
    theirs = pyflwdir.from_array(np.where(directions == 255, 247, directions).astype(np.uint8))
    cells = theirs.upstream_area("cell")
    accumulation = flow_accumulation(directions)
    known = ~np.isnan(z)
    np.testing.assert_array_equal(accumulation[known], cells[known])
    assert (accumulation[~known] == 0).all()


@settings(max_examples=150, deadline=None)
@given(FLATTISH)
def test_every_cell_drains_and_nothing_is_lost(z):
    filled = fill_depressions(z)
    directions = flow_directions(filled)
    known = ~np.isnan(z)
    assert ((directions == 255) == ~known).all()
    ends = directions == 0
    assert not (ends & ~terrains.outlets_of(z)).any()
    for row, column in np.argwhere(known):
        heights = [filled[cell] for cell in terrains.path_from(directions, row, column)]
        assert (np.diff(heights) <= 0).all()
    assert flow_accumulation(directions)[ends].sum() == known.sum()


def test_a_river_along_the_border_of_two_strips():
    # Rows 127 and 128 lie in different strips; the river crosses between them at every step.
    z = np.abs(np.arange(256) - 127.5)[:, None] + np.zeros(400)
    z[127, ::2] -= 0.2
    z[128, 1::2] -= 0.2
    z -= 1e-3 * np.arange(400)
    directions = flow_directions(z)
    accumulation = flow_accumulation(directions)
    river = accumulation.max(axis=0)  # of each column half its cells enter one column on
    assert (256 * np.arange(400) <= river).all()
    assert (river <= 256 * np.arange(1, 401)).all()
    assert accumulation[directions == 0].sum() == z.size


def test_a_flat_drains_away_from_higher_ground_to_its_outlet():
    # Garbrecht & Martz: a plateau under walls on three sides, open at one cell of the fourth.
    z = np.full((9, 9), 10.0)
    z[1:8, 1:8] = 5.0
    z[4, 8] = 4.0
    directions = flow_directions(z)
    for row in range(1, 8):
        for column in range(1, 8):
            assert terrains.path_from(directions, row, column)[-1] == (4, 8)
    # Flow converges on the middle row instead of hugging the walls.
    accumulation = flow_accumulation(directions)
    assert (accumulation[4, 4:8] > accumulation[[3, 5], 4:8]).all()
    assert accumulation[4, 8] == 81 - (directions[z == 10] == 0).sum()


def test_a_wide_flat_takes_the_shortest_way():
    z = np.zeros((40, 800))  # longer than any count in a byte
    z[0], z[-1], z[:, -1] = 9, 9, 9
    directions = flow_directions(z)
    for column in range(799):
        assert len(terrains.path_from(directions, 20, column)) == column + 1


def test_outlets_end_the_flow():
    z = terrains.valleys(80, 70)
    sea = np.zeros(z.shape, bool)
    sea[30:50, 20:40] = True
    directions = flow_directions(z, outlets=sea)
    assert (directions[sea] == 0).all()
    ends = directions == 0
    assert flow_accumulation(directions)[ends].sum() == z.size


def test_what_lies_in_a_depression_ends_there():
    z = np.full((7, 7), 3.0)
    z[2:5, 2:5] = 1.0
    directions = flow_directions(z)
    assert (directions[2:5, 2:5] == 0).all()
    assert flow_accumulation(directions)[directions == 0].sum() == 49


@pytest.mark.parametrize("name", terrains.bundled())
def test_real_terrain_conserves_its_cells(name):
    z, _ = terrains.bundled()[name]
    filled = fill_depressions(z)
    np.testing.assert_array_equal(filled, terrains.planchon_darboux(z))
    directions = flow_directions(filled)
    accumulation = flow_accumulation(directions)
    assert accumulation[directions == 0].sum() == np.isfinite(z).sum()
    assert accumulation.max() > 0.2 * z.size  # the valley gathers


def test_weights_add_up_as_cells_do():
    z = terrains.with_holes(terrains.rough(140, 90, 2), 2)
    directions = flow_directions(fill_depressions(z))
    weights = np.random.default_rng(0).random(z.shape)
    total = weighted_accumulation(directions, weights)
    known = ~np.isnan(z)
    assert np.isnan(total[~known]).all()
    ends = directions == 0
    assert total[ends].sum() == pytest.approx(weights[known].sum(), rel=1e-12)
    theirs = pyflwdir.from_array(np.where(directions == 255, 247, directions).astype(np.uint8))
    np.testing.assert_allclose(total[known], theirs.accuflux(weights)[known], rtol=1e-12)
    ones = weighted_accumulation(directions, np.full(z.shape, 0.5))
    np.testing.assert_array_equal(ones[known], 0.5 * flow_accumulation(directions)[known])


def test_upstream_area_and_the_network_know_the_cell():
    z = terrains.valleys(90, 80)
    directions = flow_directions(z)
    accumulation = flow_accumulation(directions)
    area = upstream_area(directions, cell_size_m=0.1)
    np.testing.assert_allclose(area, accumulation * 0.01, rtol=1e-6)
    mask = drainage_mask(accumulation, min_area_m2=3.0, cell_size_m=0.1)
    np.testing.assert_array_equal(mask, accumulation >= 300)  # 3 / 0.01 is not 300 in floats


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[0, 16], [0, 3]], "known are"),
        ([[1, 0], [0, 1]], "off the grid"),
        ([[64, 0], [0, 0]], "off the grid"),
        ([[1, 16], [0, 0]], "circle"),
        ([[1, 255], [0, 0]], "without terrain"),
    ],
)
def test_unsound_directions_are_refused(codes, message):
    with pytest.raises(DataError, match=message):
        flow_accumulation(np.array(codes, np.uint8))


def test_refusals():
    directions = np.zeros((3, 3), np.uint8)
    with pytest.raises(DataError, match="directions are int32"):
        flow_accumulation(directions.astype(np.int32))
    with pytest.raises(DataError, match="missing in 1"):
        weighted_accumulation(directions, np.where(np.eye(3) * np.arange(3) == 1, np.nan, 1))
    with pytest.raises(DataError, match="weights have shape"):
        weighted_accumulation(directions, np.ones((2, 2)))
    with pytest.raises(ParameterError, match="cell_size_m is 0"):
        upstream_area(directions, cell_size_m=0)
    with pytest.raises(ParameterError, match="min_area_m2 is -1"):
        drainage_mask(flow_accumulation(directions), min_area_m2=-1, cell_size_m=1)
