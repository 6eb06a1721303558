"""Retention basins and walls: as deep as basins are, as high as walls are, on any cells."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import scipy.ndimage
import shapely
from ldt_toolbox.errors import DataError
from ldt_toolbox.flood import scenario, steps
from ldt_toolbox.flood.coarse import coarse_ground, coarse_setup
from ldt_toolbox.flood.retention import BASIN_DEPTH_M, basin_places, dig
from made_valley import CELL, COLUMNS, EPSG, NORTH, ROWS, WEST

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


@pytest.fixture(scope="module")
def scene(valleys):
    place = valleys.territory()
    inputs, parameters = valleys.inputs(place), valleys.parameters(place)
    ground = steps.lay(inputs, parameters)
    return ground, steps.screen(ground, parameters), parameters


@pytest.mark.parametrize("volume_m3", [1.0, 50.0, 51.0, 500.0, 2000.0])
def test_a_basin_takes_as_many_cells_as_its_depth_asks_for(scene, volume_m3):
    ground, found, _ = scene
    places = basin_places(ground, found, count=3, volume_m3=volume_m3)
    assert len(places) == 3
    needed = int(np.ceil(volume_m3 / (BASIN_DEPTH_M * CELL**2)))
    whole = np.zeros(ground.grid.shape, np.int32)
    for number, cells in enumerate(places, 1):
        assert len(set(cells.tolist())) == needed
        whole.reshape(-1)[cells] = number
        assert scipy.ndimage.label(whole == number)[1] == 1, "in one piece"
    assert (ground.setup.built[whole > 0] < 0.25).all()
    assert not found.drainage[whole > 0].any()
    # apart: with a rim of one cell there are still three
    assert scipy.ndimage.label(whole, np.ones((3, 3)))[1] == 3
    # the seed of the best place has the most land above it
    catch = [found.accumulation.reshape(-1)[cells[0]] for cells in places]
    assert catch == sorted(catch, reverse=True)


def test_basins_hold_their_volume_below_the_lowest_ground_they_take(scene):
    ground, found, _ = scene
    before = ground.setup.elevation
    level, storage = dig(ground, before, found, None, count=2, volume_m3=500.0)
    assert storage == 1000
    for cells in basin_places(ground, found, count=2, volume_m3=500.0):
        bottom = level.reshape(-1)[cells]
        lowest = before.reshape(-1)[cells].min()
        assert np.ptp(bottom) == 0
        assert (lowest - bottom).sum() * CELL**2 == pytest.approx(500)
        assert lowest - bottom[0] <= BASIN_DEPTH_M
    untouched = level == before
    assert untouched.sum() == before.size - 20


def test_where_open_ground_ends_there_are_fewer_basins(scene):
    ground, found, _ = scene
    few = np.zeros(ground.grid.shape, np.bool_)
    few[2:4, 2:12] = True  # 20 cells: room for one of 10 cells and its rim
    small = replace(ground, inside=few)
    found = replace(found, accumulation=np.full(few.shape, 50, np.int32))
    assert len(basin_places(small, found, count=5, volume_m3=500.0)) == 1
    assert basin_places(small, found, count=5, volume_m3=1100.0) == []
    level, storage = dig(small, ground.setup.elevation, found, None, count=5, volume_m3=1100.0)
    assert storage == 0
    np.testing.assert_array_equal(level, ground.setup.elevation)


def wall(height_m, x=WEST + 45.5 * CELL):
    line = shapely.LineString([(x, NORTH), (x, NORTH - ROWS * CELL)])
    return gpd.GeoDataFrame({"height_m": [height_m]}, geometry=[line], crs=EPSG)


@pytest.mark.parametrize("side", [2, 3, 4])
def test_on_larger_cells_a_wall_is_as_high_and_a_basin_as_large(scene, side):
    ground, found, parameters = scene
    plans = scenario.scenarios(ground, found, parameters, walls=wall(2.5))
    before = coarse_ground(ground, side).setup.elevation
    walled = coarse_setup(plans["wall"].setup, side, before=ground.setup).elevation
    column = 45 // side
    np.testing.assert_allclose(walled[:, column] - before[:, column], 2.5, atol=1e-5)
    untouched = np.delete(walled - before, column, axis=1)
    assert (untouched == 0).all()
    dug = coarse_setup(plans["retention"].setup, side, before=ground.setup).elevation
    taken = float((ground.setup.elevation - plans["retention"].setup.elevation).sum()) * CELL**2
    # blocks that the edge of 40 x 60 cells cuts hold more than their share; none is dug there
    assert float((before - dug).sum()) * (side * CELL) ** 2 == pytest.approx(taken, rel=1e-5)


def test_measures_without_a_size_or_a_place_are_refused(scene):
    ground, found, parameters = scene
    box = shapely.box(WEST + 50, NORTH - 80, WEST + 70, NORTH - 60)
    far = shapely.box(WEST - 900, NORTH, WEST - 800, NORTH + 100)

    def basin(volume, shape=box):
        return gpd.GeoDataFrame({"volume_m3": [volume]}, geometry=[shape], crs=EPSG)

    for given, words in (
        ({"walls": wall(np.nan)}, "walls: 1 of 1 have no height above 0"),
        ({"walls": wall(0.0)}, "have no height above 0"),
        ({"walls": wall(2.0, WEST + COLUMNS * CELL + 100)}, "none lies on the terrain"),
        ({"basins": basin(np.nan)}, "retention_basins: 1 of 1 have no volume above 0"),
        ({"basins": basin(100.0, far)}, "lies outside the terrain"),
    ):
        with pytest.raises(DataError, match=words):
            scenario.scenarios(ground, found, parameters, **given)
