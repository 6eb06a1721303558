"""Territories and rasters that no flood can be run on are refused, saying what would cure it."""

import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from ldt_toolbox.errors import CRSError, DataError
from ldt_toolbox.flood import steps
from ldt_toolbox.flood import use_case as flood
from ldt_toolbox.registry import registry
from made_valley import CELL, COLUMNS, EPSG, NORTH, ONE_STORM, ROWS, WEST

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


def tilted():
    """A plane that falls to the east."""
    return np.tile(60 - 0.05 * np.arange(COLUMNS, dtype=np.float32), (ROWS, 1))


def lay(valleys, place):
    return steps.lay(valleys.inputs(place), valleys.parameters(place))


def rewritten(place, values, nodata):
    """The same terrain file with other numbers and another mark of missing ones."""
    path = place.folder / "terrain.tif"
    with rasterio.open(path) as file:
        profile = file.profile | {"dtype": values.dtype.name, "nodata": nodata}
    with rasterio.open(path, "w", **profile) as file:
        file.write(values, 1)
    return place


@pytest.mark.parametrize("territory", ["monaco", "helsinki-centre"])
def test_the_command_names_the_terrain_and_where_to_find_one(territory, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ldt_toolbox.cli", "run", "flood-risk", "-t", territory, "-o",
         str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"{territory} names no source" in done.stderr
    for words in ("terrain: Ground elevation", "RGE ALTI", "lidar", "Copernicus GLO-30"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "nothing has been begun"


@pytest.mark.parametrize(("mark", "dtype"), [(-99999, "float32"), (-32768, "int16")])
def test_marked_voids_are_voids_and_unmarked_ones_are_found(valleys, mark, dtype):
    values = tilted().astype(dtype)
    values[10:12, 20:22] = mark
    ground = lay(valleys, rewritten(valleys.territory(), values, mark))
    assert ground.interpolated.sum() == 4
    assert ground.setup.elevation.min() >= 56
    with pytest.raises(DataError, match=rf"4 cells have heights such as {mark} m.*nodata"):
        lay(valleys, rewritten(valleys.territory(), values, None))


def test_infinite_heights_are_voids(valleys):
    values = tilted()
    values[5, 5] = np.inf
    ground = lay(valleys, rewritten(valleys.territory(), values, None))
    assert ground.interpolated.sum() == 1
    assert np.isfinite(ground.setup.elevation).all()


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"levels": np.full((ROWS, COLUMNS), np.nan)}, DataError, "all cells are nodata"),
        ({"transform": Affine(5, 0, WEST + 5e4, 0, -5, NORTH)}, DataError, "does not overlap"),
        ({"crs": None}, CRSError, "tells no coordinate reference system"),
        ({"transform": Affine(60, 0, WEST, 0, -60, NORTH)}, DataError, "at most 50 m make sense"),
    ],
)
def test_terrain_without_use_is_refused(valleys, given, error, says):
    with pytest.raises(error, match=says):
        lay(valleys, valleys.territory(**given))


@pytest.mark.parametrize("cell", [0.9, 7.3, 23.7])
def test_odd_cells_stay_as_they_are(valleys, cell):
    rows, columns = int(np.ceil(ROWS * CELL / cell)), int(np.ceil(COLUMNS * CELL / cell))
    plane = np.tile(60 - 0.01 * cell * np.arange(columns, dtype=np.float32), (rows, 1))
    place = valleys.territory(levels=plane, transform=Affine(cell, 0, WEST, 0, -cell, NORTH))
    ground = lay(valleys, place)
    assert ground.setup.cell_m == pytest.approx(cell)
    # half a cell of the grid may lie outside the territory on two sides
    inside_m2 = ground.inside.sum() * cell**2
    assert inside_m2 == pytest.approx(ROWS * COLUMNS * CELL**2, rel=2 * cell / (ROWS * CELL))


def test_south_up_terrain_is_turned(valleys):
    up = Affine(CELL, 0, WEST, 0, CELL, NORTH - ROWS * CELL)
    levels = tilted() + 0.1 * np.arange(ROWS, dtype=np.float32)[:, None]
    plain = lay(valleys, valleys.territory(levels=levels))
    turned = lay(valleys, valleys.territory(levels=levels[::-1], transform=up))
    np.testing.assert_array_equal(turned.setup.elevation, plain.setup.elevation)


def test_a_hazard_map_on_another_grid_and_crs_is_brought_onto_the_terrains(valleys, tmp_path):
    """Depth of 1 m west of a meridian, in degrees; the terrain is in metres."""
    place = valleys.territory(roles={"hazard_depth_100": (np.ones((2, 2)), {"unit": "m"})})
    whole = shapely.box(WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
    west, south, east, north = gpd.GeoSeries([whole], crs=EPSG).to_crs(4326).total_bounds
    step = (east - west) / 75
    width, height = 85, int(np.ceil((north - south) / step)) + 10
    depth = np.full((height, width), np.nan)
    depth[:, : width // 2] = 1.0
    there = Affine(step, 0, west - 5 * step, 0, -step, north + 5 * step)
    valleys.raster(place.folder / "hazard_depth_100.tif", depth, there, 4326)
    inputs, parameters = valleys.inputs(place), valleys.parameters(place, **ONE_STORM)
    ground = steps.lay(inputs, parameters)
    run = steps.event(inputs, ground, steps.rain(inputs, parameters), parameters)
    found = steps.hazard(inputs, ground, steps.rain(inputs, parameters), run, parameters)
    grid = found.official[100.0]
    assert grid.shape == ground.grid.shape
    wet = np.nan_to_num(grid) > 0.5
    # to 37.5 of 75 parts: the middle, within a cell of each grid
    assert wet.mean() == pytest.approx(0.5, abs=2 / COLUMNS)
    assert np.nanmax(grid) == pytest.approx(1.0)


def test_a_hazard_map_of_elsewhere_is_refused(valleys):
    place = valleys.territory(roles={"hazard_depth_100": (np.ones((4, 4)), {"unit": "m"})})
    far = Affine(CELL, 0, WEST + 9e4, 0, -CELL, NORTH)
    valleys.raster(place.folder / "hazard_depth_100.tif", np.ones((4, 4)), far, EPSG)
    with pytest.raises(DataError, match="hazard_depth_100"):
        flood.compute(valleys.inputs(place), valleys.parameters(place, **ONE_STORM))


def test_every_role_is_spelt_in_the_registry_and_a_misspelt_one_is_found(valleys):
    assert set(valleys.case.roles) <= set(registry().roles)
    place = valleys.territory()
    text = place.path.read_text(encoding="utf-8")
    place.path.write_text(text.replace("  buildings:", "  flood_mark:"), encoding="utf-8")
    with pytest.raises(ValueError, match="did you mean `flood_marks`"):
        type(place).read(place.path)
