import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.exposure import depth_at_buildings, people_by_depth
from ldt_toolbox.space.raster import Raster
from pyproj import CRS
from shapely.geometry import Polygon, box

UTM = CRS.from_epsg(32631)


def water(values: np.ndarray) -> Raster:
    return Raster(values, Affine(10, 0, 0, 0, -10, 10 * values.shape[0]), UTM, "m")


def houses(*shapes: Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=UTM)


def test_every_building_counts_by_the_area_in_each_cell() -> None:
    values = np.zeros((4, 4))
    values[3, 0], values[3, 1] = 0.2, 1.0  # lowest row: y 0 to 10
    values[0, 3] = np.nan
    found = depth_at_buildings(
        houses(box(5, 2, 15, 8), box(12, 1, 12.5, 1.5), box(35, 25, 40, 35), box(90, 0, 95, 5)),
        water(values),
    )
    # half in 0.2 m, half in 1 m
    np.testing.assert_allclose(found["depth_mean_m"], [0.6, 1.0, 0.0, np.nan], atol=1e-12)
    np.testing.assert_allclose(found["depth_max_m"], [1.0, 1.0, 0.0, np.nan])
    np.testing.assert_allclose(found["wet_share"], [1, 1, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(found["known_share"], [1, 1, 0.5, 0], atol=1e-12)
    half = depth_at_buildings(houses(box(5, 2, 15, 8)), water(values), wet_above_m=0.5)
    assert half["wet_share"][0] == pytest.approx(0.5)


def test_before_the_walls_of_blocked_buildings() -> None:
    values = np.zeros((5, 5))
    values[:, 3:] = 0.8  # water stands east of the house
    house = box(20, 20, 30, 30)
    blocked = np.zeros((5, 5), bool)
    blocked[2, 2] = True
    values[2, 2] = 9.9  # whatever a solver leaves there must not count
    found = depth_at_buildings(houses(house), water(values), ring_m=10, blocked=blocked).iloc[0]
    assert found["depth_max_m"] == pytest.approx(0.8)
    # ring of 10 m with rounded corners: 4 sides of 100 m2, 4 corners of 10^2 (4 chords a quarter)
    corner = 0.5 * 100 * 4 * np.sin(np.pi / 8)
    ring = 400 + 4 * corner
    east = 100 + 2 * corner
    assert found["wet_share"] == pytest.approx(east / ring, rel=1e-9)
    assert found["depth_mean_m"] == pytest.approx(0.8 * east / ring, rel=1e-9)


def test_a_blocked_neighbour_is_no_water_before_the_wall() -> None:
    values = np.full((5, 5), 0.8)
    blocked = np.zeros((5, 5), bool)
    blocked[2, 2:4] = True
    values[blocked] = 9.9
    house = houses(box(20, 20, 30, 30))
    found = depth_at_buildings(house, water(values), ring_m=8, blocked=blocked).iloc[0]
    assert found["depth_max_m"] == pytest.approx(0.8)
    assert found["known_share"] < 1


def test_a_ring_sees_what_the_roof_hides() -> None:
    values = np.full((5, 5), 0.6)
    values[2, 2] = 0.0  # a raised block in the terrain: dry
    house = houses(box(20, 20, 30, 30))
    assert depth_at_buildings(house, water(values))["depth_max_m"][0] == 0
    assert depth_at_buildings(house, water(values), ring_m=5)["depth_mean_m"][0] == pytest.approx(
        0.6
    )


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 3) | st.just(np.nan)), max_size=20))
def test_people_by_depth_fall_with_depth_and_none_is_lost(rows: list[tuple[float, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["people", "depth"], dtype=float)
    found = people_by_depth(frame["people"], frame["depth"], depths_m=(-1, 0.1, 0.3, 0.5))
    assert (np.diff(found["people"]) <= 0).all()
    all_known = found.loc[-1, "people"]
    assert all_known + found["people_unknown"].iloc[0] == pytest.approx(frame["people"].sum())


def test_people_by_hand() -> None:
    people = pd.Series([10.0, 5.0, 2.0, 3.0])
    depth = pd.Series([0.3, 0.31, 0.0, np.nan])
    found = people_by_depth(people, depth)
    assert list(found.index) == [0.1, 0.3, 0.5]
    assert list(found["people"]) == [15, 5, 0]
    np.testing.assert_allclose(found["share"], [15 / 17, 5 / 17, 0])
    assert (found["people_unknown"] == 3).all()


def test_refusals() -> None:
    grid, house = water(np.zeros((4, 4))), houses(box(5, 5, 9, 9))
    mask = np.zeros((4, 4), bool)
    with pytest.raises(ParameterError, match="give ring_m"):
        depth_at_buildings(house, grid, blocked=mask)
    with pytest.raises(ParameterError, match="width above 0"):
        depth_at_buildings(house, grid, ring_m=0)
    with pytest.raises(DataError, match="mask has shape"):
        depth_at_buildings(house, grid, ring_m=5, blocked=mask[:2])
    bow = houses(Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]))
    with pytest.raises(DataError, match="make_valid"):
        depth_at_buildings(bow, grid, ring_m=5)
    with pytest.raises(DataError, match="align"):
        people_by_depth(pd.Series([1.0]), pd.Series([1.0], [3]))
    with pytest.raises(DataError, match="negative"):
        people_by_depth(pd.Series([-1.0]), pd.Series([1.0]))
