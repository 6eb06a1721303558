from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from ldt_toolbox.errors import CRSError, DataError, MissingFileError
from ldt_toolbox.sources.grid import NO_CLASS, read_raster
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import Source
from ldt_toolbox.use_case import Role
from pyproj import CRS, Transformer

GRID = CRS.from_epsg(32632)
WEST, SOUTH, SIDE_M = 500_000.0, 5_000_000.0, 1000.0
BOUNDS = (WEST, SOUTH, WEST + SIDE_M, SOUTH + SIDE_M)
BuildSource = Callable[..., Source]
BuildRole = Callable[..., Role]
WriteRaster = Callable[..., Path]


def ramp(rows: int = 100, columns: int = 100) -> np.ndarray:
    """A plane: 0.1 more each cell eastward, 0.2 more each cell southward."""
    return (100 + 0.1 * np.arange(columns) + 0.2 * np.arange(rows)[:, None]).astype(np.float32)


def read(source: Source, bounds: tuple[float, ...] = BOUNDS, **options: object):
    return read_raster(source, crs=GRID, bounds=bounds, **options)


def plane(raster: Raster, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What `ramp` holds at coordinates of the grid (cells of 10 m)."""
    return 100 + 0.1 * ((x - WEST) / 10 - 0.5) + 0.2 * ((SOUTH + SIDE_M - y) / 10 - 0.5)


def centres(raster: Raster) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = raster.shape
    t = raster.transform
    return np.meshgrid(t.c + (np.arange(columns) + 0.5) * t.a, t.f + (np.arange(rows) + 0.5) * t.e)


def test_a_raster_of_the_same_crs_is_cut_not_resampled(
    write_raster: WriteRaster, source: BuildSource
) -> None:
    write_raster(ramp())
    raster, notes = read(source("r.tif", unit="m"))
    np.testing.assert_array_equal(raster.values, ramp())
    assert (raster.unit, raster.crs, notes) == ("m", GRID, [])
    # bounds off the cells' edges take the whole cells that they touch
    raster, _ = read(source("r.tif"), (WEST + 35, SOUTH + 200, WEST + 65, SOUTH + 405))
    np.testing.assert_array_equal(raster.values, ramp()[59:80, 3:7])
    assert raster.bounds == (WEST + 30, SOUTH + 200, WEST + 70, SOUTH + 410)


def test_a_grid_whose_north_comes_first_is_not_said_to_be_reprojected(
    write_raster: WriteRaster, source: BuildSource
) -> None:
    helsinki = CRS.from_epsg(3879)
    transform = Affine(10, 0, 25_496_000, 0, -10, 6_673_000)
    write_raster(ramp(), transform=transform, crs="EPSG:3879")
    raster, notes = read_raster(
        source("r.tif"), crs=helsinki, bounds=(25_496_000, 6_672_000, 25_497_000, 6_673_000)
    )
    assert notes == []
    assert raster.transform == transform
    np.testing.assert_array_equal(raster.values, ramp())


def test_reprojection_keeps_a_plane_and_reads_nothing_where_nothing_is(
    write_raster: WriteRaster, source: BuildSource
) -> None:
    # a raster in degrees: x and y of each of its cells give the plane
    to_grid = Transformer.from_crs("EPSG:4326", GRID, always_xy=True)
    west, south, east, north = Transformer.from_crs(
        GRID, "EPSG:4326", always_xy=True
    ).transform_bounds(*BOUNDS)
    step = 1e-4
    rows, columns = int((north - south) / step) - 10, int((east - west) / step) - 10
    lon = west + 5 * step + (np.arange(columns) + 0.5) * step
    lat = north - 5 * step - (np.arange(rows) + 0.5) * step
    x, y = to_grid.transform(*np.meshgrid(lon, lat))
    degrees = Raster(np.zeros((1, 1)), Affine(1, 0, 0, 0, -1, 0), GRID)
    values = plane(degrees, x, y).astype(np.float32)
    transform = Affine(step, 0, west + 5 * step, 0, -step, north - 5 * step)
    write_raster(values, transform=transform, crs="EPSG:4326")
    raster, notes = read(source("r.tif", unit="m"))
    assert [n.text["en"] for n in notes] == ["thing (r.tif): reprojected to EPSG:32632"]
    known = np.isfinite(raster.values)
    error = np.abs(raster.values - plane(raster, *centres(raster)))[known]
    # a plane stays a plane, but for half a cell at the edge where bilinear has one side only,
    # an eighth of a cell by GDAL's approximate transformer: one step of the plane in all
    assert error.max() < 0.3
    assert np.median(error) < 0.02
    assert raster.values[known].min() > 90  # no zero from beyond the raster's edge
    assert 0.9 < known.mean() <= 1
    assert raster.cell_size_m > 0  # square cells in metres


@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_cells_beyond_a_turned_raster_are_missing_not_zero(
    write_raster: WriteRaster, source: BuildSource, nodata: float | None
) -> None:
    transform = Affine(10, 0, WEST, 0, -10, SOUTH + SIDE_M) @ Affine.rotation(20)
    write_raster(ramp(), transform=transform, nodata=nodata)
    raster, notes = read(source("r.tif"))
    assert [n.text["en"] for n in notes] == ["thing (r.tif): turned north-up"]
    assert raster.transform.b == raster.transform.d == 0
    known = np.isfinite(raster.values)
    # the part of the square that a square turned by 20 degrees about its corner covers
    assert 0.6 < known.mean() < 0.95
    assert raster.values[known].min() >= 100


def test_class_rasters_stay_whole_and_missing_is_no_class(
    write_raster: WriteRaster, source: BuildSource, role: BuildRole
) -> None:
    values = np.random.default_rng(0).integers(0, 200, (100, 100)).astype(np.uint8)
    values[0, 0] = 255
    write_raster(values, nodata=255, transform=Affine(10, 0, WEST, 0, -10, SOUTH + SIDE_M))
    for given, wanted in (
        (source("r.tif", classes={"1": "park"}), None),
        (source("r.tif"), role("raster", categorical=True, unit="C62")),
        (source("r.tif"), role("vector or raster", columns={"class": (True, "")})),
    ):
        raster, _ = read(given, role=wanted)
        assert (raster.values.dtype, raster.nodata, raster.unit) == (np.int32, NO_CLASS, "class")
        assert raster.values[0, 0] == NO_CLASS
        np.testing.assert_array_equal(raster.values.ravel()[1:], values.ravel()[1:])
    turned = Affine(10, 0, WEST, 0, -10, SOUTH + SIDE_M) @ Affine.rotation(20)
    write_raster(values % 3 * 100, transform=turned)
    raster, _ = read(source("r.tif", classes={"1": "park"}))
    assert set(np.unique(raster.values)) == {NO_CLASS, 0, 100, 200}  # never averaged


def test_packed_values_are_unpacked(write_raster: WriteRaster, source: BuildSource) -> None:
    packed = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    write_raster(packed, nodata=0, scale=0.00341802, offset=149.0)
    raster, notes = read(source("r.tif", unit="KEL"))
    assert np.isnan(raster.values[0, 0])
    # Landsat Collection 2 surface temperature: K = DN x 0.00341802 + 149
    np.testing.assert_allclose(raster.values[5, 7], 507 * 0.00341802 + 149, rtol=1e-6)
    assert "unpacked: value x 0.00341802 + 149" in notes[0].text["en"]


def test_oblong_cells_become_square_ones(write_raster: WriteRaster, source: BuildSource) -> None:
    write_raster(ramp(200, 100))
    raster, notes = read(source("r.tif"))
    assert raster.cell_size_m == 5
    assert raster.shape == (200, 200)
    assert "square cells" in notes[0].text["en"]
    # 100 m from the edges the plane is met: its steps are 0.1 for 10 m east, 0.2 for 5 m south
    x, y = centres(raster)
    expected = 100 + 0.1 * ((x - WEST) / 10 - 0.5) + 0.2 * ((SOUTH + SIDE_M - y) / 5 - 0.5)
    np.testing.assert_allclose(raster.values[20:-20, 20:-20], expected[20:-20, 20:-20], rtol=1e-5)


def test_a_raster_without_crs_is_told(write_raster: WriteRaster, source: BuildSource) -> None:
    write_raster(ramp(), crs=None)
    with pytest.raises(CRSError) as caught:
        read(source("r.tif"))
    for part in ("thing (r.tif)", "no coordinate reference system", "crs: EPSG:..."):
        assert part in str(caught.value)
    assert read(source("r.tif", crs="EPSG:32632"))[0].shape == (100, 100)


def test_a_wrong_crs_is_told(write_raster: WriteRaster, source: BuildSource) -> None:
    write_raster(ramp(), crs="EPSG:4326")  # metres sold as degrees
    with pytest.raises(DataError, match=r"thing \(r\.tif\).*check"):
        read(source("r.tif"))


def test_a_raster_elsewhere_is_told(write_raster: WriteRaster, source: BuildSource) -> None:
    write_raster(ramp())
    with pytest.raises(DataError, match=r"thing \(r\.tif\) does not overlap .*CRS and extent"):
        read(source("r.tif"), (0.0, 0.0, 1000.0, 1000.0))


@pytest.mark.parametrize("classes", [{}, {"1": "park"}])
def test_a_raster_of_nodata_is_told(
    write_raster: WriteRaster, source: BuildSource, classes: dict[str, str]
) -> None:
    write_raster(np.full((10, 10), -9999, np.float32), nodata=-9999)
    with pytest.raises(DataError, match="inside the territory: all cells are nodata"):
        read(source("r.tif", classes=classes))


def test_a_map_of_depths_without_a_flood_is_an_answer(
    write_raster: WriteRaster, source: BuildSource, role: BuildRole
) -> None:
    write_raster(np.full((10, 10), -9999, np.float32), nodata=-9999)
    depths = role("raster", unit="MTR", may_be_empty=True)
    raster, notes = read(source("r.tif", unit="MTR"), role=depths)
    assert np.isnan(raster.values).all()
    assert [note.text["en"] for note in notes] == ["thing (r.tif): no value inside the territory"]


def test_units_are_asked_for_and_held(
    write_raster: WriteRaster, source: BuildSource, role: BuildRole
) -> None:
    write_raster(ramp())
    wanted = role("raster", unit="MTR")
    with pytest.raises(DataError, match=r"declares no unit: add `unit: MTR`.*never guessed"):
        read(source("r.tif"), role=wanted)
    with pytest.raises(DataError, match=r"`unit: FOT`, but thing is read in MTR or m"):
        read(source("r.tif", unit="FOT"), role=wanted)
    assert read(source("r.tif", unit="m"), role=wanted)[0].unit == "m"


def test_too_coarse_a_raster_is_told(
    write_raster: WriteRaster, source: BuildSource, role: BuildRole
) -> None:
    write_raster(ramp(10, 10))
    with pytest.raises(DataError, match=r"cells of 100 m; at most 50 m make sense.*finer raster"):
        read(source("r.tif"), role=role("raster", max_resolution_m=50))
    assert read(source("r.tif"), role=role("raster", max_resolution_m=100))[0].shape == (10, 10)


def test_files_that_are_no_raster_are_told(source: BuildSource) -> None:
    source("a.tif").path.write_text("hello", encoding="utf-8")
    with pytest.raises(DataError, match=r"thing \(a\.tif\) is no raster that can be read"):
        read(source("a.tif"))
    with pytest.raises(MissingFileError, match=r"absent\.tif does not exist: check `path`"):
        read(source("absent.tif"))
    with pytest.raises(DataError, match="add `path`"):
        read(Source(role="thing"))
