"""From one place at one moment: the same as the isochrones, scipy and every stop by itself."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility import from_place, steps, transit_steps
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.isochrones import isochrones
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.raptor import earliest_arrivals
from monaco import PLACE, inputs, parameters
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from small_feed import changed, write_folder
from test_mobility_roles import STOPS_TXT

EIGHT = 8 * 3600


def cross():
    """Two streets of 200 m that cross in the middle."""
    lines = [
        shapely.LineString([(0, 100), (100, 100), (200, 100)]),
        shapely.LineString([(100, 0), (100, 100), (100, 200)]),
    ]
    streets = gpd.GeoDataFrame({"class": "residential"}, index=[0, 1], geometry=lines,
                               crs="EPSG:32632")  # fmt: skip
    return build_network(streets)


def times(graph, nodes):
    arcs = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    return dijkstra(arcs, indices=nodes)


@pytest.fixture(scope="module")
def ride(tmp_path_factory):
    """Monaco with three stops, and a trip along them that leaves the first at eight."""
    files = changed(("shapes.txt", "", None), ("trips.txt", "line", ""))
    files["stops.txt"] = STOPS_TXT
    here = inputs(gtfs=read_feed(write_folder(files, tmp_path_factory.mktemp("feed"))))
    told = parameters(service_date="2025-01-07")
    offered = transit_steps.offer(here, told)
    walk = steps.streets(here, told)
    places = steps.places(here, walk, told, stops=offered.stops)
    site = steps.join(walk, places, told)
    return site, places, transit_steps.timetable_of(offered, site, places, told)


def by_transit(ride, start, departure_s, **given):
    site, places, timetable = ride
    options = {"limit_s": 2700.0, "walk_s": 900.0, "max_transfers": 3} | given
    rows = places.stops["row"].to_numpy()
    return from_place.seconds_by_transit(
        start, timetable, site.stop, rows, departure_s=departure_s, **options
    )


@pytest.fixture(scope="module")
def start(ride):
    site, places, _ = ride
    first = places.stops.geometry.iloc[0]
    return from_place.start_at(site.network, first, max_distance_m=100)


def test_a_place_between_two_crossings_walks_both_ways():
    start = from_place.start_at(cross(), shapely.Point(140, 100), max_distance_m=10)
    seconds = from_place.seconds_from(start, limit_s=1e4)
    pace = start.network.edges["length_m"].sum() / start.network.edges["forward_s"].sum()
    middle = np.hypot(*(start.network.node_xy - [100, 100]).T).argmin()
    assert seconds[middle] == pytest.approx(40 / pace)
    assert seconds.max() == pytest.approx(140 / pace)


def test_too_far_from_any_street_tells_how_far():
    with pytest.raises(ParameterError, match="the nearest street is 50 m away"):
        from_place.start_at(cross(), shapely.Point(250, 100), max_distance_m=10)


def test_bands_are_the_isochrones(ride):
    site = ride[0]
    where = shapely.Point(*PLACE.boundary_geometry.representative_point().coords)
    start = from_place.start_at(site.network, where, max_distance_m=500)
    limits = [200, 500, 800]
    found = from_place.bands(start, from_place.seconds_from(start, limit_s=800), limits)
    told = isochrones(start.network, [start.node], limits).sort_values("limit_s")
    # strips are joined in another order: the last digits of areas may differ
    np.testing.assert_allclose(found["area_m2"], told["area_m2"], rtol=1e-9)
    np.testing.assert_allclose(found["reached_m"], told["reached_m"], rtol=1e-12)
    gap = shapely.symmetric_difference(found.geometry.to_numpy(), told.geometry.to_numpy())
    assert shapely.area(gap).max() < 1e-3
    assert found["limit_s"].tolist() == limits


def test_nowhere_slower_than_walking_and_somewhere_quicker(ride, start):
    walked = from_place.seconds_from(start, limit_s=2700)
    ridden = by_transit(ride, start, EIGHT - 120)
    assert (ridden <= walked).all()
    assert (ridden < walked - 60).sum() > 100


def test_equals_the_best_stop_for_every_node(ride, start):
    site, places, timetable = ride
    found = by_transit(ride, start, EIGHT - 300)
    walked = times(start.graph, start.node)
    near = walked[site.stop] <= 900
    rows = places.stops["row"].to_numpy()
    arrival = earliest_arrivals(
        timetable, rows[near], walked[site.stop][near], EIGHT - 300, cutoff_s=2700
    )[0, -1, rows]
    away = times(start.graph, site.stop)
    away[away > 900] = np.inf
    best = np.minimum(walked, (arrival[:, None] - (EIGHT - 300.0) + away).min(axis=0))
    best[best > 2700] = np.inf
    # sums in another order than scipy's
    np.testing.assert_allclose(found, best, rtol=1e-12)


def test_after_the_last_trip_one_walks(ride, start):
    walked = from_place.seconds_from(start, limit_s=2700)
    assert (by_transit(ride, start, 27 * 3600) == walked).all()


def test_no_stop_within_the_walk_is_walking(ride):
    site = ride[0]
    far = from_place.start_at(
        site.network, PLACE.boundary_geometry.representative_point(), max_distance_m=500
    )
    walked = from_place.seconds_from(far, limit_s=2700)
    assert (by_transit(ride, far, EIGHT - 300, walk_s=1.0) == walked).all()


def test_nearest_of_each_class_and_none():
    spots = pd.DataFrame(
        {"class": ["food", "food", "health", "green"], "kind": ["shop", "kiosk", "doctor", "park"],
         "name": ["A", None, "C", "D"]}
    )  # fmt: skip
    seconds = np.array([0.0, 120.0, 60.0, np.inf])
    found = from_place.nearest_places(
        seconds, np.array([1, 2, 3, -1]), spots, ["health", "food", "green", "sport"]
    ).set_index("class")
    assert found.loc["food", ["kind", "name", "minutes", "row"]].tolist() == ["kiosk", "", 1.0, 1]
    for name in ("health", "green", "sport"):
        assert found.loc[name, ["name", "minutes", "row"]].tolist() == ["", np.inf, -1]
