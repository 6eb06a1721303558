"""The map of access without a browser: its areas are the model's, both languages speak."""

import asyncio
import re
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from ldt_toolbox.mobility import steps, transit_steps
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.isochrones import isochrones
from ldt_toolbox.widgets.mobility import CLICKED, MIDDLE, access_explorer

sys.path.insert(0, str(Path(__file__).parents[1] / "mobility"))

from monaco import PLACE, Town, inputs, lonlat, parameters, squares_of_people
from small_feed import changed, write_folder
from test_mobility_roles import STOPS_TXT

pytestmark = pytest.mark.slow
SEA = (43.735, 7.435)  # in the bay, inside no boundary
CASINO = (43.7392, 7.4272)


@pytest.fixture(scope="module")
def town():
    return Town()


@pytest.fixture(scope="module")
def bike(town):
    return steps.streets(town.inputs, town.parameters, "bike")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("LDT_OFFLINE", "1")


@pytest.fixture
def explorer(town, bike):
    return access_explorer(town.inputs, town.site, bike, town.places, town.parameters)


def drawn(made):
    """Bands as they are on the map, in metres."""
    shapes = gpd.GeoDataFrame.from_features(made.areas.data, crs="EPSG:4326")
    return shapes.to_crs(PLACE.crs)


def area_ha(made):
    return float(re.search(r"<b>([\d.]+) ha</b>", made.answer.value)[1])


def test_starts_as_the_isochrones_of_the_report(town, explorer):
    node, _ = steps.centre(town.site, town.places, town.parameters)
    told = isochrones(town.site.network, [node], [300, 600, 900]).sort_values("limit_s")
    assert explorer.reached["limit_s"].tolist() == [300, 600, 900]
    # the middle is a door: the explorer walks a connector of less than a metre to it
    assert explorer.reached["area_m2"].tolist() == pytest.approx(told["area_m2"].tolist(), rel=1e-5)
    assert explorer.reached["reached_m"].tolist() == pytest.approx(
        told["reached_m"].tolist(), abs=1
    )
    assert area_ha(explorer) == pytest.approx(told["area_m2"].iloc[-1] / 1e4, abs=0.05)


def test_bands_on_the_map_do_not_overlap_and_make_up_the_area(explorer):
    bands = drawn(explorer)
    assert bands["minutes"].tolist() == [5, 10, 15]
    whole = bands.geometry.area.sum()
    assert whole == pytest.approx(bands.geometry.union_all().area, rel=1e-3)
    # outlines on the map are a metre coarser than those measured
    assert whole == pytest.approx(explorer.reached["area_m2"].iloc[-1], rel=0.01)


def test_click_sets_out_from_there(explorer):
    before = explorer.areas.data
    explorer._clicked(type="click", coordinates=list(CASINO))
    assert explorer.areas.data != before
    assert explorer.place.value == CLICKED
    assert explorer.dot.location == pytest.approx(CASINO, abs=1e-6)
    nearest_band = drawn(explorer).geometry.iloc[0]
    point = gpd.GeoSeries.from_xy([CASINO[1]], [CASINO[0]], crs=4326).to_crs(PLACE.crs).iloc[0]
    assert nearest_band.distance(point) < 1
    assert "place clicked" in explorer.answer.value


def test_mouse_moves_are_no_clicks(explorer):
    before = explorer.areas.data
    explorer._clicked(type="mousemove", coordinates=list(CASINO))
    assert explorer.areas.data == before


def test_click_outside_says_so_and_keeps_the_map(explorer):
    before = explorer.areas.data
    explorer.start_from(*SEA)
    assert 'role="alert"' in explorer.answer.value
    assert "43.73500, 7.43500 lies outside Monaco" in explorer.answer.value
    assert explorer.areas.data == before
    explorer.start_from(*CASINO)
    assert 'role="status"' in explorer.answer.value


def test_click_far_from_any_street_says_how_far(town, bike):
    strict = Town(join_distance_m=5)
    made = access_explorer(strict.inputs, strict.site, bike, strict.places, strict.parameters)
    west, south, east, north = PLACE.boundary_geometry.bounds
    x, y = np.meshgrid(np.arange(west, east, 25), np.arange(south, north, 25))
    points = shapely.points(x.ravel(), y.ravel())
    points = points[shapely.contains(PLACE.boundary_geometry, points)]
    _, away = strict.site.network.edges.sindex.nearest(
        points, return_all=False, return_distance=True
    )
    lon, lat = lonlat(points[away.argmax()])
    assert away.max() > 20
    made.start_from(lat, lon)
    assert "No street within 5 m of" in made.answer.value


def test_more_minutes_reach_more_and_the_bike_farther(explorer):
    walked = area_ha(explorer)
    explorer.minutes.value = 30
    assert explorer.reached["limit_s"].tolist() == [600, 1200, 1800]
    assert "30 min" in explorer._key.value
    assert area_ha(explorer) > walked
    explorer.minutes.value = 6
    on_foot = area_ha(explorer)
    explorer.mode.value = "bike"
    assert area_ha(explorer) > on_foot


def test_nearest_places_are_the_nearest_by_search(town, explorer):
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = explorer._start.graph
    arcs = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    seconds = dijkstra(arcs, indices=explorer._start.node)
    for _, row in explorer.nearest.iterrows():
        mine = (town.places.spots["class"] == row["class"]).to_numpy() & (town.site.spot >= 0)
        assert row["minutes"] == pytest.approx(seconds[town.site.spot[mine]].min() / 60)
        assert f"<td>{row['name'] or row['kind']}</td>".replace("'", "&#x27;") in (
            explorer.table.value
        )


def test_list_of_places_stands_in_for_the_click(town, explorer):
    label, row = explorer.place.options[5]
    explorer.place.value = row
    spot = town.places.spots.geometry.iloc[row]
    lat, lon = explorer.dot.location
    at = gpd.GeoSeries.from_xy([lon], [lat], crs=4326).to_crs(PLACE.crs).iloc[0]
    assert at.distance(spot) < 1
    assert label.replace("'", "&#x27;") in explorer.answer.value
    explorer.place.value = MIDDLE
    assert "middle of all homes" in explorer.answer.value


def test_without_a_timetable_no_public_transport(explorer):
    assert [value for _, value in explorer.mode.options] == ["walk", "bike"]
    assert explorer.departure.layout.display == "none"


def test_timetable_brings_public_transport_and_its_departure(bike, tmp_path):
    files = changed(("shapes.txt", "", None), ("trips.txt", "line", ""))
    files["stops.txt"] = STOPS_TXT
    here = inputs(gtfs=read_feed(write_folder(files, tmp_path)))
    told = parameters(service_date="2025-01-07", isochrone_from=[7.4350, 43.7480])
    offered = transit_steps.offer(here, told)
    walk = steps.streets(here, told)
    places = steps.places(here, walk, told, stops=offered.stops)
    site = steps.join(walk, places, told)
    made = access_explorer(here, site, bike, places, told, offered=offered)
    assert made.departure.layout.display == "none"
    assert made.place.label == "the place of the parameters", "not the middle of all homes"
    made.minutes.value = 30
    on_foot = area_ha(made)
    made.mode.value = "transit"
    assert made.departure.layout.display is None
    made.departure.value = 7 * 3600 + 55 * 60  # five minutes before the bus
    ridden = area_ha(made)
    assert ridden > on_foot
    assert "leaving at 07:55" in made.answer.value
    made.departure.value = made.departure.options[-1][1]
    assert area_ha(made) == on_foot
    assert "+1" in made.departure.label, "trips go on after midnight"


def test_speaks_french(town, bike):
    made = access_explorer(
        town.inputs, town.site, bike, town.places, town.parameters, language="fr"
    )
    said = made.answer.value + made.table.value + made._key.value
    for words in ("à pied", "m² de plancher", "Lieu le plus proche", "Atteint en"):
        assert words in said
    assert re.search(r"<b>\d+,\d ha</b>", said)
    made.start_from(*SEA)
    assert "est hors de Monaco" in made.answer.value


def test_dragged_slider_searches_once(explorer, monkeypatch):
    """In a notebook the loop runs: three quick moves cost one search, with the last value."""
    seen = []
    monkeypatch.setattr(explorer, "update", lambda: seen.append(explorer.minutes.value))

    async def drag() -> None:
        for value in (18, 21, 24):
            explorer.minutes.value = value
            await asyncio.sleep(0.01)
        assert "Computing" in explorer.answer.value
        await asyncio.sleep(0.5)

    asyncio.run(drag())
    assert seen == [24]


def test_homes_within_are_counted(town, explorer):
    explorer.minutes.value = explorer.minutes.max
    share = float(re.search(r"([\d.]+) % of all", explorer.answer.value)[1])
    weight = town.places.homes.weight
    on = town.site.home >= 0
    assert share == pytest.approx(100 * weight[on].sum() / np.sum(weight), abs=0.5)


def share_said(made):
    found = re.search(r"([\d.]+) % of all residents", made.answer.value)
    return None if found is None else float(found[1])


def test_the_share_tells_of_no_few_residents():
    """Wherever one sets out from and however far: hidden, or in steps of eleven people or more."""
    few = squares_of_people(1)
    few["population"] = np.arange(len(few)) % 7 * 1.0
    town = Town(inputs(population=few))
    bike = steps.streets(town.inputs, town.parameters, "bike")
    made = access_explorer(town.inputs, town.site, bike, town.places, town.parameters)
    homes, on = town.places.homes, town.site.home >= 0
    total, seen = homes.weight.sum(), set()
    step = np.ceil(100 * 11 / total)
    assert step > 2, "the town is too large for this test"
    for minutes in range(3, 31, 3):
        made.minutes.value = minutes
        seconds = made._seconds(town.site, "walk")
        near = np.zeros(len(on), bool)
        near[on] = seconds[town.site.home[on]] <= 60 * minutes
        people, rest = homes.weight[near].sum(), homes.weight[~near].sum()
        said = share_said(made)
        if 0 < people < 11 or 0 < rest < 11:
            assert said is None, (minutes, people)
            assert "is not told" in made.answer.value
            seen.add("hidden")
        else:
            assert said in (*np.arange(0, 100, step), 100)
            assert abs(said - 100 * people / total) <= step / 2
            seen.add("told")
    assert seen == {"hidden", "told"}
