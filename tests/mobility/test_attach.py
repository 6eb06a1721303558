"""Doors, stops and new paths on the street network."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from ldt_toolbox.errors import CRSError, DataError, ParameterError
from ldt_toolbox.mobility.attach import attach, with_line
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.search import reach
from ldt_toolbox.territory import bundled_territories
from street_traps import CRS, bundled, count, streets

M_S = 1.33


def doors(*xy):
    return gpd.GeoSeries([shapely.Point(p) for p in xy], crs=CRS)


def seconds(joined, begin, end):
    found = reach(joined.network.graph(), [joined.places["node"][begin]], limit=1e5)
    at = found.node == joined.places["node"][end]
    return float(found.cost[at][0]) if at.any() else np.inf


def test_from_door_to_door_along_the_street():
    """10 m to the street, 55 m along it, 20 m from it."""
    network = build_network(streets(("residential", [(0, 0), (100, 0)])))
    joined = attach(network, doors((15, 10), (70, -20), (30, 0)))
    assert joined.places["distance_m"].tolist() == [10, 20, 0]
    assert seconds(joined, 0, 1) == pytest.approx(85 / M_S)
    assert seconds(joined, 0, 2) == pytest.approx(25 / M_S)
    assert seconds(joined, 0, 1) == pytest.approx(seconds(joined, 1, 0))
    kept = joined.network.edges[joined.network.edges["class"] != "connector"]
    assert kept["length_m"].sum() == pytest.approx(100)
    np.testing.assert_array_equal(joined.network.node_xy[: network.nodes], network.node_xy)


def test_nobody_walks_through_the_door_of_another():
    """Two streets that touch nowhere: a door between them opens on one of them only."""
    network = build_network(
        streets(("residential", [(0, 0), (100, 0)]), ("residential", [(0, 30), (90, 30)])),
        components="all",
    )
    joined = attach(network, doors((50, 14), (50, 30), (10, 0)))
    assert np.isfinite(seconds(joined, 0, 2))
    assert seconds(joined, 0, 1) == np.inf


def test_a_building_is_joined_from_its_outline():
    network = build_network(streets(("residential", [(0, 0), (100, 0)])))
    house = gpd.GeoSeries([shapely.box(40, 8, 60, 60)], crs=CRS)
    assert attach(network, house).places["distance_m"].tolist() == [8]


def test_no_door_opens_on_a_tunnel_or_a_motorway_and_what_is_far_is_told():
    table = streets(
        ("residential", [(0, 0), (100, 0)]),
        ("tertiary", [(100, 0), (200, 0)], {"tunnel": True}),
        ("residential", [(200, 0), (300, 0)]),
    )
    joined = attach(build_network(table), doors((150, 5), (50, 300)), max_distance_m=100)
    assert joined.places["distance_m"].iloc[0] == pytest.approx(np.hypot(50, 5))
    assert joined.near.tolist() == [True, False]
    assert joined.places["node"].tolist()[1] == -1
    assert count(joined.network, "farther than 100 m from any street") == 1


def test_all_doors_of_monaco_are_as_near_as_their_street():
    network = build_network(bundled("monaco"))
    folder = dict(bundled_territories())["monaco"]
    houses = gpd.read_parquet(folder / "data" / "buildings.parquet").to_crs(network.edges.crs)
    joined = attach(network, houses.geometry, max_distance_m=60)
    length = joined.network.edges.loc[joined.network.edges["class"] != "connector", "length_m"]
    assert length.sum() == pytest.approx(network.edges["length_m"].sum(), rel=1e-9)
    some = joined.places["node"].to_numpy()[joined.near]
    at = joined.network.node_xy[some]
    on = houses.geometry.to_numpy()[joined.near]
    assert shapely.distance(shapely.points(at), on).max() < 0.02
    # 25 stand on ground that nobody mapped a street for, one on a closed site
    assert (~joined.near).sum() == 26


def test_a_new_path_is_a_way_between_its_ends_only():
    table = streets(("residential", [(0, 0), (200, 0)]), ("residential", [(0, 100), (200, 100)]),
                    ("residential", [(0, 0), (0, 100)]))  # fmt: skip
    network = build_network(table)
    opened = with_line(network, shapely.LineString([(150, 2), (150, 95)]))
    new = opened.edges[opened.edges["street"] == "new path"]
    assert new["length_m"].tolist() == [93]
    ends = attach(opened, doors((150, 0), (150, 100)))
    # the path, and the gaps of 2 and 5 m from its ends to the streets
    assert seconds(ends, 0, 1) == pytest.approx(100 / M_S)
    with pytest.raises(DataError, match="new path, end is farther than 20 m"):
        with_line(network, shapely.LineString([(150, 2), (150, 60)]))
    with pytest.raises(ParameterError, match="for cars"):
        with_line(build_network(table, mode="car"), shapely.LineString([(150, 0), (150, 100)]))


def test_what_cannot_be_joined_is_named():
    network = build_network(streets(("residential", [(0, 0), (100, 0)])))
    with pytest.raises(DataError, match="1 places have no geometry, the first is 1"):
        attach(network, gpd.GeoSeries([shapely.Point(1, 1), None], crs=CRS))
    with pytest.raises(CRSError, match="to_crs"):
        attach(network, doors((1, 1)).set_crs("EPSG:32631", allow_override=True))
    with pytest.raises(ParameterError, match="0 or more"):
        attach(network, doors((1, 1)), max_distance_m=-1)
