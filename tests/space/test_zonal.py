import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError, DataError
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.space.zonal import coverage, zonal_statistics
from pyproj import CRS
from shapely.geometry import MultiPolygon, Point, Polygon, box

CELL, ROWS, COLUMNS = 2.5, 31, 43
UTM = CRS.from_epsg(32631)
WEST, NORTH = 448_001.3, 4_412_077.7  # odd on purpose: no corner falls on a round number
AREA = CELL**2


def raster(values: np.ndarray | None = None, **more: object) -> Raster:
    if values is None:
        values = np.random.default_rng(3).normal(size=(ROWS, COLUMNS))
    return Raster(values, Affine(CELL, 0, WEST, 0, -CELL, NORTH), UTM, **more)


def series(*shapes: object) -> gpd.GeoSeries:
    moved = shapely.transform(
        np.asarray(shapes, object), lambda xy: xy + np.array([WEST, NORTH - ROWS * CELL])
    )
    return gpd.GeoSeries(moved, crs=UTM)


def awkward() -> gpd.GeoSeries:
    """Holes, parts, islands in holes, a speck, overlaps, on the border, beyond it, far away."""
    ring = Point(50, 40).buffer(25).difference(Point(52, 41).buffer(15))
    return series(
        box(10, 10, 30, 20), ring, ring.union(Point(52, 41).buffer(4)), Point(50, 40).buffer(20),
        box(40.01, 40.01, 40.02, 40.03), MultiPolygon([box(1, 1, 2, 3), box(60, 60, 80, 61.3)]),
        box(-500, 20, 500, 22), box(-9, -9, 900, 900), box(-40, 5, 3, 9), box(100, 70, 130, 90),
        Polygon([(-50, -40), (60, 35), (-50, 200)]), box(5000, 0, 5001, 9), box(0, 0, CELL, CELL),
        Polygon([(0, 0), (107, 0.001), (107, 0.002)]), Point(0, 77.5).buffer(9),
    )  # fmt: skip


def shapes_of_chance(seed: int, count: int) -> gpd.GeoSeries:
    """Star-shaped polygons, some with a hole, here and there beyond the border."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        corners = rng.integers(3, 12)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        unit = np.column_stack([np.cos(angle), np.sin(angle)])
        reach = 10 ** rng.uniform(-2, 1.9)
        star = Polygon(unit * rng.uniform(0.2, 1, corners)[:, None] * reach).buffer(0)
        hole = Point(0.1 * reach, 0).buffer(0.3 * reach)
        star = star.difference(hole) if rng.random() < 0.5 else star
        found.append(shapely.transform(star, lambda xy: xy + rng.uniform(-20, 120, 2)))
    return series(*[s for s in found if not s.is_empty and s.geom_type.endswith("Polygon")])


@pytest.mark.parametrize("polygons", [awkward(), shapes_of_chance(1, 200)], ids=["awkward", "many"])
def test_coverage_is_exactextracts(polygons: gpd.GeoSeries) -> None:
    grid = raster()
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(grid.values, west, south, east, north, srs_wkt=UTM.to_wkt())
    theirs = exact_extract(
        source, gpd.GeoDataFrame(geometry=polygons), ["cell_id", "coverage"], output="pandas"
    )
    ours = coverage(polygons, grid)
    compared = 0
    for k, row in enumerate(theirs.itertuples()):
        dense = np.zeros(ROWS * COLUMNS)
        if row.cell_id is not None and np.size(row.cell_id):
            dense[np.asarray(row.cell_id, int)] = row.coverage
        # exactextract keeps coverage as 32-bit floats
        np.testing.assert_allclose(ours[[k]].toarray()[0], dense, atol=1e-6, rtol=0)
        compared += (dense > 0).sum()
    assert compared > 2000


def test_statistics_are_exactextracts_with_gaps_in_the_raster() -> None:
    grid = raster()
    grid.values[5:9, 10:30] = np.nan
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(
        grid.values, west, south, east, north, nodata=np.nan, srs_wkt=UTM.to_wkt()
    )
    # exactextract counts cells that an edge only brushes (coverage 1e-12) in min and max
    polygons = pd.concat([awkward().drop(index=[12]), shapes_of_chance(2, 150)], ignore_index=True)
    theirs = exact_extract(
        source, gpd.GeoDataFrame(geometry=polygons), ["count", "mean", "sum", "min", "max"],
        output="pandas",
    )  # fmt: skip
    ours = zonal_statistics(polygons, grid)
    names = {"cells": "count", "mean": "mean", "sum": "sum", "min": "min", "max": "max"}
    for mine, other in names.items():
        expected = theirs[other].to_numpy(float)
        if other == "sum":
            expected = np.nan_to_num(expected)
        # 1e-6 of coverage in each cell, at values of about 1
        np.testing.assert_allclose(ours[mine], expected, rtol=2e-6, atol=2e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_covered_cells_are_the_area_on_the_grid(seed: int) -> None:
    polygons, grid = shapes_of_chance(seed, 12), raster()
    cells = np.asarray(coverage(polygons, grid).sum(axis=1))
    expected = polygons.intersection(box(*grid.bounds)).area.to_numpy() / AREA
    # coordinates of 4,412,000 m carry 1e-9 m, a border is up to 500 cells long
    np.testing.assert_allclose(cells, expected, rtol=1e-9, atol=5e-7)


@given(st.integers(0, 10_000), st.integers(2, 25))
@settings(max_examples=25, deadline=None)
def test_a_partition_covers_each_cell_once(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = shapely.multipoints(rng.uniform([0, 0], [107, 77], (count, 2)))
    whole = box(-1, -1, COLUMNS * CELL + 1, ROWS * CELL + 1)
    cut = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=whole))
    parts = series(*[piece.intersection(whole) for piece in cut])
    total = np.asarray(coverage(parts, raster()).sum(axis=0)).ravel()
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-8)  # 1e-9 m of rounding by neighbour


def test_a_polygon_and_its_hole_make_the_whole_whatever_the_order_of_corners() -> None:
    hole = Point(50, 40).buffer(15)
    ring = Point(50, 40).buffer(30).difference(hole)
    backwards = Polygon(ring.exterior.coords[::-1], [r.coords[::-1] for r in ring.interiors])
    same_way = Polygon(ring.exterior.coords, [r.coords[::-1] for r in ring.interiors])
    outer = Polygon(ring.exterior)
    found = coverage(series(ring, backwards, same_way, outer, hole), raster()).toarray()
    np.testing.assert_allclose(found[1], found[0], atol=1e-12)
    np.testing.assert_allclose(found[2], found[0], atol=1e-12)
    np.testing.assert_allclose(found[0] + found[4], found[3], atol=1e-9)


def test_values_of_two_cells_by_hand() -> None:
    values = np.zeros((ROWS, COLUMNS))
    values[-1, 0], values[-1, 1] = 1.0, 4.0
    quarter = box(CELL / 2, 0, 1.25 * CELL, CELL)  # half of the first cell, a quarter of the next
    found = zonal_statistics(
        series(quarter), raster(values), thresholds=(4, 1, 0), quantiles=(0, 0.5, 0.7, 1)
    ).iloc[0]
    assert found["cells"] == pytest.approx(0.75)
    assert found["known_share"] == pytest.approx(1)
    assert found["sum"] == pytest.approx(1.5)
    assert found["mean"] == pytest.approx(2)
    assert (found["min"], found["max"]) == (1, 4)
    assert found["share_above_4"] == 0
    assert found["share_above_1"] == pytest.approx(1 / 3)
    assert found["share_above_0"] == pytest.approx(1)
    assert list(found[["quantile_0", "quantile_0.5", "quantile_0.7", "quantile_1"]]) == [1, 1, 4, 4]


def test_quantiles_are_of_the_covered_area_of_each_polygon_alone() -> None:
    grid, polygons = raster(), awkward()
    covered = coverage(polygons, grid)
    found = zonal_statistics(polygons, grid, quantiles=(0.3,))["quantile_0.3"]
    for k in range(len(polygons)):
        row = covered[[k]]
        v, w = grid.values.ravel()[row.indices], row.data
        if not w.size:
            assert np.isnan(found.iloc[k])
            continue
        # definition, from the other side: the area below is too small, with the value it suffices
        q = found.iloc[k]
        assert w[v < q].sum() < 0.3 * w.sum() <= w[v <= q].sum() * (1 + 1e-9)


def test_without_values_or_outside_nothing_is_made_up() -> None:
    grid = raster()
    grid.values[:, 20:] = np.nan
    found = zonal_statistics(
        series(box(60, 10, 70, 20), box(900, 0, 910, 9), Polygon(), None, box(40, 10, 60, 20)),
        grid, thresholds=(0.0,), quantiles=(0.5,),
    )  # fmt: skip
    assert list(found["cells"][:4]) == [0, 0, 0, 0]
    assert (
        found.loc[:3, ["mean", "min", "max", "share_above_0", "quantile_0.5"]].isna().all(axis=None)
    )
    assert list(found["known_share"][:2]) == [0, 0]
    assert found["known_share"][2:4].isna().all()
    assert found["known_share"][4] == pytest.approx(0.5)


def test_the_known_share_knows_holes() -> None:
    block = box(10, 10, 60, 60).difference(box(20, 20, 50, 50))
    grid = raster()
    assert zonal_statistics(series(block), grid)["known_share"][0] == pytest.approx(1)
    grid.values[:, : round(35 / CELL)] = np.nan  # the west half of it
    assert zonal_statistics(series(block), grid)["known_share"][0] == pytest.approx(0.5)


def test_whole_numbers_with_nodata_and_the_index_of_the_polygons() -> None:
    values = np.full((ROWS, COLUMNS), 7, np.int16)
    values[:, 4:] = -9999
    polygons = series(box(0, 0, 20, 5), box(50, 0, 60, 5)).set_axis(["a", "b"])
    found = zonal_statistics(polygons, raster(values, nodata=-9999))
    assert list(found.index) == ["a", "b"]
    assert found.loc["a", "mean"] == 7
    assert found.loc["a", "cells"] == pytest.approx(8)
    assert np.isnan(found.loc["b", "max"])


def test_bands_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    polygons = pd.concat([awkward()] * 20, ignore_index=True)
    one = zonal_statistics(polygons, raster(), threads=1)
    pd.testing.assert_frame_equal(one, zonal_statistics(polygons, raster(), threads=3), rtol=0)
    big = np.ones((3000, 1500), np.float32)  # wider than one band of rows
    wide = Raster(big, Affine(CELL, 0, WEST, 0, -CELL, NORTH), UTM)
    disc = gpd.GeoSeries([Point(WEST + 1900, NORTH - 3700).buffer(1800)], crs=UTM)
    found = zonal_statistics(disc, wide).iloc[0]
    assert found["cells"] == pytest.approx(disc.area[0] / AREA, rel=1e-12)


@pytest.mark.parametrize(
    ("polygons", "error", "says"),
    [
        (gpd.GeoSeries([box(0, 0, 1, 1)]), CRSError, "CRS is none"),
        (gpd.GeoSeries([box(0, 0, 1, 1)], crs=4326), CRSError, "reproject"),
        (series(box(0, 0, 1, 1), Point(3, 3)), DataError, "Point at 1"),
        (series(Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])), DataError, "make_valid"),
    ],
)
def test_refusals(polygons: gpd.GeoSeries, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        zonal_statistics(polygons, raster())


def test_a_share_beyond_one_is_no_quantile() -> None:
    with pytest.raises(DataError, match=r"1\.5"):
        zonal_statistics(series(box(0, 0, 1, 1)), raster(), quantiles=(1.5,))


def test_no_polygons_no_rows() -> None:
    assert zonal_statistics(gpd.GeoSeries([], crs=UTM), raster()).empty
    assert coverage(gpd.GeoSeries([], crs=UTM), raster()).shape == (0, ROWS * COLUMNS)
