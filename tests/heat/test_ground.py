import importlib.util
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.ground import (
    MAXIMUM_CELLS,
    Ground,
    lay_ground,
    street_areas,
    tree_crowns,
    underground,
)
from ldt_toolbox.heat.surface_classes import (
    BARE,
    BUILDING,
    GRASS,
    LAND_COVER,
    PARK,
    PAVED,
    SURFACES,
    TREE,
    UNCLASSIFIED,
    WATER,
)
from ldt_toolbox.space.paint import refine
from shapely.geometry import box

_spec = importlib.util.spec_from_file_location("town", Path(__file__).with_name("town.py"))
T = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(T)
BOUNDARY, CELL_M, GRID, X, Y = T.BOUNDARY, T.CELL_M, T.GRID, T.X, T.Y
at, frame, line, point, raster, town = T.at, T.frame, T.line, T.point, T.raster, T.town
buildings, land_cover, streets, trees = T.buildings, T.land_cover, T.streets, T.trees

FINE_M2 = 2.5**2


def area(ground: Ground, code: int) -> float:
    """Area of a class inside the boundary, m2."""
    inside = ground.land | (ground.classes == WATER)
    return float(((ground.classes == code) & inside).sum()) * ground.fine.cell_size_m**2


def test_every_class_has_its_area() -> None:
    ground = town()
    assert (ground.factor, ground.fine.cell_size_m) == (2, 2.5)
    # the circle of 10 m is a polygon of 16 sides: 78.0 m2, within a ring of half cells
    crown = 25 * 16 / 2 * np.sin(2 * np.pi / 16)
    lawn_tree = area(ground, TREE) - 400
    assert abs(lawn_tree - crown) < 0.5 * 2.5 * 2 * np.pi * 5
    assert area(ground, BUILDING) == 400 + 100 + 100
    assert area(ground, WATER) == 400
    assert area(ground, GRASS) == 400 - lawn_tree
    # the lot; the street of 100 x 10; the footway's 10 x 10 lies half on the street
    assert area(ground, PAVED) == 400 + 1000 + 50
    known = 400 + lawn_tree + 600 + 400 + (400 - lawn_tree) + 1450
    assert area(ground, BARE) == 10_000 - known
    assert area(ground, UNCLASSIFIED) == 0
    assert float(ground.land.sum()) * FINE_M2 == 10_000 - 400


def test_a_small_lawn_in_a_large_area_stays_whatever_the_order() -> None:
    reversed_cover = land_cover().iloc[::-1].reset_index(drop=True)
    np.testing.assert_array_equal(town(land_cover=reversed_cover).classes, town().classes)


def test_without_land_cover_the_rest_is_named_unclassified() -> None:
    ground = town(land_cover=None, trees=None)
    assert area(ground, UNCLASSIFIED) == 10_000 - 600 - 400 - 1050
    assert area(ground, BARE) == area(ground, GRASS) == 0
    assert ground.lots is None


def test_a_tunnel_paves_nothing_however_it_is_told() -> None:
    told = ["yes", "true", True, 1, 1.0, "1", "building_passage", "Yes"]
    other = [None, np.nan, "no", False, 0, 0.0, ""]
    both = told + other
    some = frame(
        [line((0, 70), (100, 70))] * len(both), tunnel=both, **{"class": ["primary"] * len(both)}
    )
    assert underground(some).tolist() == [True] * len(told) + [False] * len(other)
    areas = street_areas(some)
    assert [a.is_empty for a in areas] == [True] * len(told) + [False] * len(other)
    # a column of numbers with gaps, as GeoPackage gives it
    gaps = frame([line((0, 0), (9, 0))] * 2, tunnel=np.array([1.0, np.nan]))
    assert underground(gaps).tolist() == [True, False]
    assert not underground(frame([line((0, 0), (9, 0))])).any()
    ground = town(trees=None)
    rows, columns, _ = ground.fine.cells_at(X + np.arange(25, 75, 5), np.full(10, Y + 71.0))
    assert (ground.classes[rows, columns] == BARE).all()


def test_streets_have_their_told_width_else_that_of_their_class() -> None:
    some = frame(
        [line((0, 0), (100, 0))] * 6,
        width_m=["7,5 m", "wide", None, 0.1, 200, 12],
        **{"class": ["primary", "primary", "no such class", "footway", "footway", "footway"]},
    )
    widths = [a.area / 100 for a in street_areas(some)]
    np.testing.assert_allclose(widths, [7.5, 14, 6, 2.5, 2.5, 12], rtol=1e-12)


def test_heights_and_where_they_come_from() -> None:
    ground = town()
    table = ground.buildings
    assert table["height_source"].tolist() == ["height", "levels", "neighbours"]
    # storeys of 3 m; the third house takes the median of its neighbours, 12 and 12
    assert table["height_m"].tolist() == [12.0, 12.0, 12.0]
    assert table["footprint_m2"].tolist() == [400.0, 100.0, 100.0]
    assert table["floor_area_m2"].tolist() == [1600.0, 400.0, 400.0]
    alone = lay_ground(
        BOUNDARY, frame([at(0, 0, 10, 10)]), cell_size_m=CELL_M, default_height_m=7.0,
        storey_height_m=3.5,
    )  # fmt: skip
    assert alone.buildings[["height_m", "height_source", "floor_area_m2"]].iloc[0].tolist() == [
        7.0, "default", 200.0,
    ]  # fmt: skip


def test_the_surface_is_roofs_and_crowns() -> None:
    ground = town()
    roofs = ground.labels >= 0
    assert float(roofs.sum()) * FINE_M2 == 600
    assert set(np.unique(ground.labels)) == {-1, 0, 1, 2}
    # the tree over the house changes no roof
    assert set(np.unique(ground.surface_m[roofs])) == {12.0}
    crowns = (ground.classes == TREE) & ~roofs
    assert set(np.unique(ground.surface_m[crowns])) == {8.0, 11.0}  # wood, told tree
    rest = ~roofs & ~crowns
    assert (ground.surface_m[rest] == 0).all()  # nor water, nor the sapling of 1 m
    np.testing.assert_array_equal(ground.covered, ground.surface_m > 0)
    assert not ground.has_terrain


def test_the_taller_of_two_crowns_shows() -> None:
    both = frame([point(50, 50), point(52, 50)], height_m=[20, 5], crown_diameter_m=[10, 10])
    for some in (both, both.iloc[::-1]):
        ground = town(trees=some, land_cover=None, streets=None)
        rows, columns, _ = ground.fine.cells_at([X + 51.0], [Y + 51.0])
        assert ground.surface_m[rows, columns] == 20


def test_crowns_fall_back_to_the_assumed_size() -> None:
    some = frame(
        [point(0, 0)] * 4, height_m=["6 m", None, "tall", 300], crown_diameter_m=[4, None, -1, 900]
    )
    crowns = tree_crowns(some, diameter_m=6, height_m=8)
    assert crowns["height_m"].tolist() == [6, 8, 8, 8]
    width = crowns.bounds["maxx"] - crowns.bounds["minx"]
    np.testing.assert_allclose(width, [4, 6, 6, 6], rtol=1e-9)
    bare = tree_crowns(frame([point(0, 0)]), diameter_m=6, height_m=8)
    assert bare["height_m"].tolist() == [8]


def test_water_beyond_the_boundary_belongs_to_the_model_but_not_to_the_land() -> None:
    sea = frame([at(100, -500, 900, 500)], **{"class": ["sea"]})
    ground = town(water=sea)
    assert (ground.domain & ~ground.land).any()
    np.testing.assert_array_equal(ground.domain & ~ground.land, ground.classes == WATER)
    assert float(ground.land.sum()) * FINE_M2 == 10_000
    west, south, east, north = ground.grid.bounds
    assert east - west == north - south == 100 + 2 * 300  # the strip of sea that cools


def test_terrain_carries_roofs_and_goes_on_beyond_its_edge() -> None:
    slope = np.repeat(np.linspace(100, 109, 10)[:, None], 5, axis=1)  # rises southward
    ground = town(terrain=raster(slope.astype(np.float32), 10))  # the western half only
    assert ground.has_terrain
    assert np.isfinite(ground.surface_m).all()
    bare = ~ground.covered
    # nothing falls to zero: no cliff casts a shadow
    assert ground.surface_m.min() >= 100
    assert ground.surface_m[bare].max() <= 109
    # east of the raster each height is one that the raster's edge has
    rows, columns, _ = ground.fine.cells_at(X + np.array([45.0, 95.0]), Y + np.array([50.0, 50.0]))
    west, east = ground.surface_m[rows, columns]
    assert abs(west - east) <= 1  # one step of the slope
    flat = town(terrain=raster(np.full((10, 10), 50, np.float32), 10))
    np.testing.assert_array_equal(flat.surface_m, town().surface_m + 50)


def test_too_large_a_town_is_refused_with_advice_that_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = box(X, Y, X + 50_000, Y + 40_000)  # 2000 km2
    house = frame([at(0, 0, 10, 10)])
    with pytest.raises(DataError) as caught:
        lay_ground(large, house, cell_size_m=5)
    text = str(caught.value)
    assert "million fine cells with cell_size_m = 5 (at most 60 million fit)" in text
    assert "cut the boundary into parts" in text
    enough = float(re.search(r"set cell_size_m to (\d+) m", text)[1])
    assert enough <= 50  # within the parameter's range
    # the same advice on a town a hundred times smaller, so that the test can follow it
    monkeypatch.setattr("ldt_toolbox.heat.ground.MAXIMUM_CELLS", MAXIMUM_CELLS // 10_000)
    small = box(X, Y, X + 500, Y + 400)
    for start in (2, 5, 9):
        with pytest.raises(DataError) as caught:
            lay_ground(small, house, cell_size_m=start)
        advised = float(re.search(r"set cell_size_m to (\d+) m", str(caught.value))[1])
        ground = lay_ground(small, house, cell_size_m=advised)
        assert ground.fine.values.size <= MAXIMUM_CELLS // 10_000
        assert ground.factor <= 4


def test_unknown_classes_are_all_named_with_the_way_to_translate_them() -> None:
    cover = land_cover()
    cover["class"] = ["lawn", "houses", "wood", "lawn"]
    with pytest.raises(DataError) as caught:
        town(land_cover=cover)
    text = str(caught.value)
    assert "`lawn`, `houses`" in text
    assert "`classes: {lawn: ...}` in territory.yaml" in text
    for name in LAND_COVER:
        assert name in text
    translated = town(
        land_cover=cover, land_cover_classes={"lawn": "grass", "houses": "residential"}
    )
    assert area(translated, GRASS) > area(town(), GRASS)  # the lot is a lawn now
    assert translated.lots.empty


def test_a_class_raster_needs_its_table() -> None:
    codes = np.array([[10, 10], [20, 30]], np.int32)  # cells of 50 m, north first
    given = raster(codes, 50)
    with pytest.raises(DataError, match=r"`20`, `30`, for which no surface"):
        town(land_cover=given, land_cover_classes={"10": "park"})
    table = {"10": "park", "20": "grass", "30": "wood"}
    ground = town(land_cover=given, land_cover_classes=table, streets=None, water=None, trees=None)
    assert area(ground, PARK) == 5000
    assert area(ground, GRASS) == 2500 - 400 - 100  # two houses stand on it
    assert area(ground, TREE) == 2500 - 100
    assert area(ground, BUILDING) == 600
    assert ground.lots is None


def test_missing_cells_of_a_class_raster_stay_unclassified() -> None:
    codes = np.array([[10, -1], [10, 10]], np.int32)
    given = raster(codes, 50)
    given = type(given)(given.values, given.transform, given.crs, "class", -1)
    ground = town(
        land_cover=given, land_cover_classes={"10": "park"}, streets=None, water=None, trees=None
    )
    assert area(ground, UNCLASSIFIED) == 2500


def test_lots_are_the_paved_areas() -> None:
    assert town().lots["id"].tolist() == ["p"]


def test_the_fine_grid_fits_the_model_grid() -> None:
    for cell in (2, 3, 5, 7.5, 12, 50):
        ground = lay_ground(BOUNDARY, buildings(), cell_size_m=cell)
        assert ground.factor == min(4, int(np.ceil(cell / 2.5)))
        assert ground.fine.shape == refine(ground.grid, ground.factor).shape
        assert ground.fine.bounds == pytest.approx(ground.grid.bounds, rel=1e-12)
        for fine in (ground.classes, ground.land, ground.domain, ground.surface_m, ground.labels):
            assert fine.shape == ground.fine.shape


def test_every_class_of_the_land_cover_has_a_surface() -> None:
    assert len(LAND_COVER) == 19
    assert set(LAND_COVER.values()) <= set(SURFACES)
    assert sorted(SURFACES) == list(range(8))


def test_the_same_town_gives_the_same_ground() -> None:
    one, two = town(), town()
    np.testing.assert_array_equal(one.classes, two.classes)
    np.testing.assert_array_equal(one.surface_m, two.surface_m)
    assert isinstance(one.buildings, gpd.GeoDataFrame)
    assert len(trees()) == 4
    assert len(streets()) == 3
    assert one.grid.crs == GRID
