import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError, DataError, MissingColumnError
from ldt_toolbox.heat.population import areal_to_buildings, spread_population
from shapely.geometry import box

CRS = "EPSG:3035"


def town(count, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 1000, (2, count))
    frame = gpd.GeoDataFrame(
        geometry=[box(a, b, a + 8, b + 8) for a, b in zip(x, y, strict=True)], crs=CRS
    )
    return frame, pd.Series(rng.uniform(0, 2000, count)), rng


@given(
    st.lists(st.floats(0, 1e5), min_size=1, max_size=50).filter(lambda a: sum(a) > 1e-3),
    st.floats(0, 1e7),
)
def test_spread_conserves_people(areas, total):
    area = pd.Series(areas)
    people = spread_population(pd.DataFrame(index=area.index), area, total)
    assert people.sum() == pytest.approx(total, rel=1e-9)
    assert (people >= 0).all()
    assert (people[area == 0] == 0).all()


def test_spread_follows_floor_area_and_use():
    frame = pd.DataFrame(index=list("abc"))
    area = pd.Series([100.0, 300.0, 600.0], index=frame.index)
    assert spread_population(frame, area, 50).tolist() == pytest.approx([5, 15, 30])
    lived_in = pd.Series([True, True, False], index=frame.index)
    people = spread_population(frame, area, 50, residential=lived_in)
    assert people.to_dict() == pytest.approx({"a": 12.5, "b": 37.5, "c": 0})


def test_spread_needs_somewhere_to_live():
    frame, area = pd.DataFrame(index=[0, 1]), pd.Series([0.0, 0.0])
    assert spread_population(frame, area, 0).tolist() == [0, 0]
    with pytest.raises(DataError, match="12 people but no residential floor area"):
        spread_population(frame, area, 12)
    with pytest.raises(DataError, match="population is nan"):
        spread_population(frame, area + 1, float("nan"))
    with pytest.raises(DataError, match="1 floor areas"):
        spread_population(frame, pd.Series([1.0, -1.0]), 12)
    with pytest.raises(DataError, match="different indexes"):
        spread_population(frame, pd.Series([1.0, 1.0], index=[1, 2]), 12)
    with pytest.raises(DataError, match="1 buildings do not say"):
        spread_population(frame, area + 1, 12, residential=pd.Series([True, None]))


def test_cells_conserve_people_with_gaps_overlaps_and_missing_numbers():
    buildings, area, rng = town(400)
    cells = [box(x, y, x + 100, y + 100) for x in range(0, 1200, 100) for y in range(0, 1200, 100)]
    cells += [box(50, 50, 250, 250)]  # overlaps four of them
    polygons = gpd.GeoDataFrame(
        {"population": rng.uniform(0, 500, len(cells))}, geometry=cells, crs=CRS
    )
    polygons.loc[3, "population"] = np.nan
    residential = pd.Series(rng.random(400) < 0.3)
    people, unallocated = areal_to_buildings(polygons, buildings, area, residential=residential)
    assert people.sum() + unallocated["people"].sum() == pytest.approx(
        polygons["population"].sum(), rel=1e-9
    )
    assert (people[~residential] == 0).all()
    # the outer cells hold no building, and some inner ones none that is lived in
    assert set(unallocated["reason"]) == {"no building", "no residential floor area"}
    assert unallocated.loc[polygons.index[-2], "reason"] == "no building"


def test_each_cell_keeps_its_own_people():
    buildings = gpd.GeoDataFrame(
        geometry=[box(1, 1, 2, 2), box(5, 5, 6, 6), box(11, 1, 12, 2), box(50, 50, 51, 51)], crs=CRS
    )
    cells = gpd.GeoDataFrame(
        {"population": [40, 7, 9]},
        geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10)],
        crs=CRS,
        index=["w", "m", "e"],
    )
    people, unallocated = areal_to_buildings(cells, buildings, pd.Series([30.0, 10, 5, 99]))
    assert people.tolist() == pytest.approx([30, 10, 7, 0])
    assert unallocated.to_dict("index") == {"e": {"people": 9.0, "reason": "no building"}}


def test_a_building_on_a_border_is_counted_once_for_each_side():
    building = gpd.GeoDataFrame(geometry=[box(9, 1, 11, 3)], crs=CRS)  # centre on x = 10
    cells = gpd.GeoDataFrame(
        {"population": [40, 7]}, geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)], crs=CRS
    )
    people, unallocated = areal_to_buildings(cells, building, pd.Series([100.0]))
    assert people.tolist() == pytest.approx([47])
    assert unallocated.empty


def test_errors_of_the_cells():
    buildings, area, _ = town(2)
    cells = gpd.GeoDataFrame({"population": [-1]}, geometry=[box(0, 0, 9, 9)], crs=CRS)
    with pytest.raises(DataError, match="1 cells have a negative 'population'"):
        areal_to_buildings(cells, buildings, area)
    with pytest.raises(MissingColumnError, match="no column 'people'"):
        areal_to_buildings(cells, buildings, area, population_column="people")
    with pytest.raises(CRSError, match="EPSG:32631"):
        areal_to_buildings(cells.set_crs(32631, allow_override=True), buildings, area)
