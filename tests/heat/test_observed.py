"""Planted surface temperatures and stations come out as planted."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError
from ldt_toolbox.heat import observed, steps
from scipy.spatial import cKDTree
from shapely.geometry import Point

from .conftest import CRS, cells_around

LST = "land_surface_temperature"
LCZ = "local_climate_zones"
CELL_M = 50.0
BEYOND_M = 13_000


@pytest.fixture(scope="module")
def plane(bench):
    """Cells of 50 m far around Monaco: which are town or water, and how far away the town is."""
    transform, x, y = cells_around(bench.bundled, cell_m=CELL_M, beyond_m=BEYOND_M, snap_m=100)
    town = shapely.contains_xy(bench.bundled.boundary_geometry, x, y)
    sea = shapely.contains_xy(bench.inputs(bench.bundled, "water").frame("water").union_all(), x, y)
    tree = cKDTree(np.column_stack([x[town], y[town]]))
    distance_km = tree.query(np.column_stack([x.ravel(), y.ravel()]))[0].reshape(x.shape) / 1000
    return transform, x, y, town, sea, distance_km


def planted(plane):
    """3, 4 and 5 K between the town and the rings of 2, 5 and 10 km; nonsense in the water."""
    _, _, _, town, sea, distance_km = plane
    kelvin = np.select([distance_km <= 2, distance_km <= 5], [300.0, 299.0], 298.0)
    kelvin[town] = 303.0
    kelvin[sea] = 330.0
    return kelvin.astype(np.float32)


def surface(bench, place, roles, **given):
    return observed.surface_heat_island(
        bench.inputs(place, *roles), bench.parameters(place, **given)
    )


def texts(found, kind):
    return [note.text["en"] for note in found.notes if note.kind == kind]


@pytest.mark.parametrize(("unit", "offset"), [("KEL", 0.0), ("CEL", -273.15)])
def test_planted_rings_come_out(bench, plane, unit, offset):
    values = (planted(plane) + np.float32(offset)).astype(np.float32)
    place = bench.place({LST: {"data": (values, plane[0]), "unit": unit}})
    found = surface(bench, place, (LST, "water"))
    table = found.tables["surface_heat_island"]
    # float32 of 300 K has steps of 3e-5 K, of which the way through Celsius takes two
    np.testing.assert_allclose(table["suhi_k"], [3.0, 4.0, 5.0], atol=1e-4)
    _, _, _, town, sea, distance_km = plane
    rural = ~town & ~sea
    edges = [0, 2, 5, 10]
    counts = [(rural & (distance_km > a) & (distance_km <= b)).sum() for a, b in pairwise(edges)]
    assert table["n_rural"].tolist() == counts
    assert table["ring"].tolist() == ["0-2 km", "2-5 km", "5-10 km"]
    # the resampled blocks of a constant ring have no spread
    np.testing.assert_allclose(table["low_k"], table["suhi_k"], atol=1e-4)
    one = found.indicators["surface_uhi"]
    np.testing.assert_allclose([one.low, one.value, one.high], [3, 4, 5], atol=1e-4)
    assert one.provenance == "synthetic"
    shown = found.layers["surface_temperature"]
    assert np.nanmax(shown.values) == pytest.approx(330 - 273.15, abs=1e-4)
    assert any("neighbouring towns" in text for text in texts(found, "warning"))


def test_other_rings_are_taken(bench, plane):
    place = bench.place({LST: {"data": (planted(plane), plane[0]), "unit": "KEL"}})
    table = surface(bench, place, (LST, "water"), rural_rings_km=[1, 2, 5]).tables[
        "surface_heat_island"
    ]
    np.testing.assert_allclose(table["suhi_k"], [3.0, 3.0, 4.0], atol=1e-4)
    with pytest.raises(DataError, match="three distances"):
        surface(bench, place, (LST,), rural_rings_km=[1, 2])


def zone_map(plane, *, neighbour=True):
    """Zones in cells of 100 m: the town and 500 m around 2, a neighbour 6, a wood A, the rest D."""
    transform, x, y, town, _, distance_km = plane
    fine = np.full(x.shape, 14, np.uint8)
    fine[distance_km <= 0.5] = 2
    west, south = x[town].min(), y[town].min()
    if neighbour:
        fine[(np.abs(x - west + 6000) < 1500) & (np.abs(y - south) < 1500)] = 6
    fine[(np.abs(x - west) < 1500) & (np.abs(y - south - 8000) < 1500)] = 11
    coarse = fine[::2, ::2]
    return coarse, transform @ transform.scale(2), np.repeat(np.repeat(coarse, 2, 0), 2, 1)


def test_neighbouring_town_is_no_rural_reference(bench, plane):
    coarse, transform, zones = zone_map(plane)
    kelvin = np.full(zones.shape, 300.0, np.float32)
    kelvin[plane[3]] = 303.0
    kelvin[(zones == 6) | ((zones == 2) & ~plane[3])] = 306.0
    lst = {"data": (kelvin, plane[0]), "unit": "KEL"}
    without = surface(bench, bench.place({LST: lst}), (LST,))
    place = bench.place({LST: lst, LCZ: {"data": (coarse, transform)}})
    found = surface(bench, place, (LST, LCZ))
    # exact: every cell that is left has 300 K
    np.testing.assert_allclose(found.tables["surface_heat_island"]["suhi_k"], 3.0, atol=1e-9)
    ring = ~plane[3] & (plane[5] > 2) & (plane[5] <= 5)
    diluted = 303.0 - kelvin[ring].mean(dtype=np.float64)
    assert diluted < 2.95
    assert without.tables["surface_heat_island"]["suhi_k"].iloc[1] == pytest.approx(diluted)
    assert not any("neighbouring towns" in text for text in texts(found, "warning"))


def test_zone_contrast_keeps_one_zone_cell_from_the_edge(bench, plane):
    coarse, transform, zones = zone_map(plane)
    kelvin = np.select([zones == 2, zones == 6, zones == 11], [305.0, 302.5, 297.0], 300.0)
    # nonsense in all cells whose centre lies less than one zone cell (100 m) from another zone
    for step in (1, 2):
        for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
            other = np.roll(zones, sign * step, axis)
            kelvin[other != zones] = 340.0
    kelvin = kelvin.astype(np.float32)
    place = bench.place(
        {LST: {"data": (kelvin, plane[0]), "unit": "KEL"}, LCZ: {"data": (coarse, transform)}}
    )
    table = surface(bench, place, (LST, LCZ)).tables["climate_zone_contrast"].set_index("zone")
    assert list(table.index) == ["2 compact mid-rise", "6 open low-rise", "A dense trees",
                                 "D low plants"]  # fmt: skip
    # exact: the loader cuts at 12 km, inside of what was planted, and keeps the cells
    np.testing.assert_allclose(table["contrast_k"], [5.0, 2.5, -3.0, 0.0], atol=1e-9)
    assert table.loc["6 open low-rise", "cells"] == 56**2  # 3 km of 60 cells less two on each side


def test_zones_without_the_reference_are_a_gap_not_a_crash(bench, plane):
    coarse, transform, _ = zone_map(plane)
    place = bench.place(
        {LST: {"data": (planted(plane), plane[0]), "unit": "KEL"},
         LCZ: {"data": (np.where(coarse == 14, 12, coarse).astype(np.uint8), transform)}}
    )  # fmt: skip
    found = surface(bench, place, (LST, LCZ))
    assert "climate_zone_contrast" not in found.tables
    assert any("reference zone D" in text for text in texts(found, "gap"))
    assert found.tables["surface_heat_island"]["suhi_k"].notna().all()


def test_cells_outside_the_zone_map_are_not_rural(bench, plane):
    coarse, transform, _ = zone_map(plane, neighbour=False)
    rows, columns = (slice(s // 2 - 30, s // 2 + 30) for s in coarse.shape)
    part = np.ascontiguousarray(coarse[rows, columns])
    place = bench.place(
        {LST: {"data": (planted(plane), plane[0]), "unit": "KEL"},
         LCZ: {"data": (part, transform @ transform.translation(columns.start, rows.start))}}
    )  # fmt: skip
    table = surface(bench, place, (LST, LCZ)).tables["surface_heat_island"]
    assert table["n_rural"].iloc[2] == 0  # 30 zone cells of 100 m reach 4.3 km at most
    assert table["n_rural"].iloc[1] > 0


def test_raster_of_the_town_alone_yields_notes(bench):
    transform, x, y = cells_around(bench.bundled, cell_m=100, beyond_m=0)
    town = shapely.contains_xy(bench.bundled.boundary_geometry, x, y)
    kelvin = np.where(town, 303.0, 300.0).astype(np.float32)
    place = bench.place({LST: {"data": (kelvin, transform), "unit": "KEL"}})
    found = surface(bench, place, (LST,))
    table = found.tables["surface_heat_island"]
    assert table["suhi_k"].isna().tolist() == [False, True, True]
    gaps, warnings = texts(found, "gap"), texts(found, "warning")
    assert any("2-5 km" in t and "raster ends before" in t for t in gaps), gaps
    assert any("Less than half of the rural ring 0-2 km" in t for t in warnings), warnings


def test_terrain_that_ends_early_does_not_empty_the_rings(bench, plane):
    transform, x, _ = cells_around(bench.bundled, cell_m=20, beyond_m=1500)
    terrain = {"data": (np.full(x.shape, 40, np.float32), transform), "unit": "MTR"}
    lst = {"data": (planted(plane), plane[0]), "unit": "KEL"}
    found = surface(bench, bench.place({LST: lst, "terrain": terrain}), (LST, "water", "terrain"))
    np.testing.assert_allclose(
        found.tables["surface_heat_island"]["suhi_k"], [3.0, 4.0, 5.0], atol=1e-4
    )
    assert any("terrain covers" in text for text in texts(found, "warning"))


def test_fill_cells_are_left_out_and_told(bench, plane):
    values = planted(plane)
    fill = (plane[5] > 3) & (plane[5] < 4)
    values[fill] = 149.0  # digital number 0 of Landsat, scaled without masking
    place = bench.place({LST: {"data": (values, plane[0]), "unit": "KEL"}})
    found = surface(bench, place, (LST, "water"))
    np.testing.assert_allclose(
        found.tables["surface_heat_island"]["suhi_k"], [3.0, 4.0, 5.0], atol=1e-4
    )
    assert any("no temperatures of ground" in text for text in texts(found, "repair"))


@pytest.mark.parametrize(
    ("values", "unit", "message"),
    [(44_000, "KEL", "scale raw Landsat numbers"), (44_000, "CEL", "scale raw Landsat numbers"),
     (30, "KEL", "median of 30 K"), (303, "CEL", "median of 576 K"),
     (303, "", "declares no unit"), (303, "degF", "declared in `unit: degF`")],
)  # fmt: skip
def test_wrong_units_are_refused(bench, values, unit, message):
    transform, x, _ = cells_around(bench.bundled, cell_m=100, beyond_m=500)
    raster = np.full(x.shape, values, np.uint16)
    place = bench.place({LST: {"data": (raster, transform)} | ({"unit": unit} if unit else {})})
    with pytest.raises(DataError, match=message):
        surface(bench, place, (LST,))


@pytest.fixture(scope="module")
def town(bench):
    """Modelled air of Monaco on 20 m and three stations: two inside, one 400 m up the hill."""
    inputs = bench.inputs(bench.bundled)
    parameters = bench.parameters()
    ground = steps.lay(inputs, parameters)
    heat = steps.model(steps.cover(ground), steps.climate(inputs, parameters), parameters)
    shape = bench.bundled.boundary_geometry
    inside = [Point(*shape.representative_point().coords[0]),
              ground.buildings.geometry.iloc[7].representative_point()]  # fmt: skip
    ring = shape.buffer(400).exterior
    outside = next(
        p for p in map(ring.interpolate, range(0, int(ring.length), 50))
        if np.isnan(ground_value(ground, heat.temperature_c, p))
    )  # fmt: skip
    frame = gpd.GeoDataFrame(
        {"name": ["a", None, "far"], "temperature_c": [24.0, 25.5, 10.0]},
        geometry=[*inside, outside], crs=CRS,
    )  # fmt: skip
    return ground, heat, frame


def ground_value(ground, values, point):
    left, top = ground.grid.transform.c, ground.grid.transform.f
    size = ground.grid.cell_size_m
    return float(values[int((top - point.y) // size), int((point.x - left) // size)])


def stations_of(bench, town, **spec):
    ground, heat, frame = town
    place = bench.place({"stations": {"data": frame, "unit": "CEL"} | spec})
    return observed.stations(heat.temperature_c, bench.inputs(place, "stations"), ground)


def test_station_differences_are_exact_and_outside_is_listed_only(bench, town):
    ground, heat, frame = town
    found = stations_of(bench, town, provenance="observed")
    table = found.tables["stations"]
    modelled = [ground_value(ground, heat.temperature_c, p) for p in frame.geometry[:2]]
    difference = np.array(modelled) - [24.0, 25.5]
    np.testing.assert_array_equal(table["difference_k"][:2], difference)
    assert table["name"].tolist() == ["a", "station 2", "far"]
    assert np.isnan(table["modelled_c"].iloc[2])
    assert found.indicators["station_bias"].value == pytest.approx(difference.mean(), rel=1e-12)
    assert found.indicators["station_rmse"].value == pytest.approx(
        np.sqrt((difference**2).mean()), rel=1e-12
    )
    assert any("1 of 3 stations lie outside" in text for text in texts(found, "warning"))


def test_synthetic_stations_validate_nothing(bench, town):
    found = stations_of(bench, town)
    assert len(found.tables["stations"]) == 3
    assert found.indicators == {}
    assert any("validate nothing" in text for text in texts(found, "warning"))


def test_stations_without_map_or_in_kelvin_are_refused(bench, town):
    table = pd.DataFrame({"name": ["a"], "temperature_c": [24.0]})
    place = bench.place({"stations": {"data": table, "provenance": "observed"}})
    with pytest.raises(DataError, match="geometry"):
        bench.inputs(place, "stations")
    with pytest.raises(DataError, match="unit: KEL"):
        stations_of(bench, town, unit="KEL")
