"""Optional roles of the mobility use case: residents, incomes, jobs, timetable, and none at all."""

from dataclasses import replace as changed_copy

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility import (
    homes,
    squares,
    steps,
    transit_journeys,
    transit_steps,
    use_case,
)
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.gtfs.supply import route_supply, stop_supply
from ldt_toolbox.mobility.raptor import earliest_arrivals
from ldt_toolbox.mobility.timetable_change import NEW_STOP, with_headway, with_stop
from monaco import PLACE, Town, bundled, compute, inputs, parameters, squares_of_people
from small_feed import DAY, STOPS, STOPS_TXT, busy, changed, feed_in_monaco, write_folder


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    return feed_in_monaco(tmp_path_factory.mktemp("feed"))


def lost(town):
    """Residents that the notes say are not counted."""
    said = [n.text["en"] for n in town.places.homes.notes if "are not counted" in n.text["en"]]
    return sum(float(text.split()[0]) for text in said)


@pytest.mark.slow
def test_people_are_all_placed_and_few_are_not_shown():
    areas = squares_of_people(30)
    result = compute(inputs(population=areas))
    town = Town(inputs(population=areas))
    assert town.places.homes.people
    placed = town.places.homes.weight.sum()
    assert placed + lost(town) == pytest.approx(30 * len(areas))
    cells = result.layers["access"]
    hidden = cells["suppressed"].to_numpy()
    assert 0 < hidden.sum() < len(cells)
    assert cells.loc[~hidden, "weight"].min() >= 11
    shown = [c for c in cells.columns if c not in ("suppressed", "geometry")]
    assert cells.loc[hidden, shown].isna().all().all()
    few = result.layers["scenario_change"]
    assert few.loc[few["suppressed"], ["weight", "near_pp"]].isna().all().all()
    # no layer of single homes tells how many people live there
    assert not {"residents", "weight", "people"} & set(result.layers["buildings"].columns)
    worst = result.tables["least_served"]
    assert worst["weight"].min() >= 11


def test_floors_are_nobodys_secret():
    town = Town()
    cells = squares.cells(town.places, town.time, minutes_limit=15, fewest=10**9)
    assert not cells["suppressed"].any()


def test_another_threshold_hides_more():
    town = Town(inputs(population=squares_of_people(30)))
    hidden = [
        squares.cells(town.places, town.time, minutes_limit=15, fewest=few)["suppressed"].sum()
        for few in (0, 11, 20)
    ]
    assert hidden[0] == 0 < hidden[1] < hidden[2]


def test_people_along_streets_where_no_building_is_known():
    areas = squares_of_people(100)
    town = Town(inputs(without=("buildings", "amenities", "land_cover"), population=areas))
    placed = town.places.homes.weight.sum()
    assert placed + lost(town) == pytest.approx(100 * len(areas), rel=1e-9)
    assert len(town.places.homes.places) == town.walk.nodes
    alone = homes.of_streets(town.walk)
    assert alone.weight.sum() == pytest.approx(town.walk.edges["length_m"].sum(), rel=1e-9)
    assert not alone.people


@pytest.mark.slow
def test_poor_and_rich_are_told_apart_with_an_interval():
    areas = squares_of_people(50, income=lambda f: f.geometry.centroid.x.rank())
    result = compute(inputs(population=areas))
    gap = result.indicators["income_gap"]
    assert gap.low < gap.value < gap.high
    assert "bootstrap" in gap.interval
    alike = use_case.income_gap(
        Town(inputs(population=squares_of_people(50))).places, np.zeros(1), parameters()
    )
    assert alike is None


def test_incomes_may_be_missing_or_text_and_never_a_word():
    areas = squares_of_people(50, income=lambda f: f.geometry.centroid.x.rank())
    known = Town(inputs(population=areas)).places.homes.income
    text = areas.assign(income=areas["income"].astype(str).where(areas.index > 3, None))
    told = Town(inputs(population=text)).places.homes.income
    same = np.isfinite(told)
    assert 0 < (~same).sum() < len(told)
    np.testing.assert_array_equal(told[same], known[same])
    with pytest.raises(DataError, match="income '21 k' in row 6"):
        Town(inputs(population=text.assign(income=text["income"].where(text.index != 5, "21 k"))))


def test_jobs_take_the_place_of_workplaces():
    area = gpd.GeoDataFrame(
        {"jobs": [1000.0]}, geometry=[PLACE.boundary_geometry.representative_point()],
        crs=PLACE.crs,
    )  # fmt: skip
    town = Town(inputs(jobs=area))
    assert town.places.jobs_are_counted
    found = steps.jobs_within(town.site, town.places, limit_min=15)
    assert set(np.unique(found)) == {0.0, 1000.0}
    assert not Town().places.jobs_are_counted


@pytest.mark.slow
def test_nothing_but_streets_still_answers():
    result = compute(inputs(without=set(bundled().layers) - {"streets"}))
    assert "share_all_near" not in result.indicators
    assert result.indicators["reach_median"].value > 0
    assert "no place of daily life is known" in result.answer["en"]
    gaps = {note.text["en"].split(":")[0] for note in result.notes if note.kind == "gap"}
    assert {"No buildings", "No amenities", "No gtfs", "No stops"} <= gaps


def test_headway_that_was_asked_for_is_exact(feed):
    table = route_supply(with_headway(feed, DAY, "2", 7), DAY).reset_index()
    one = table[table["route_id"] == "r2"].iloc[0]
    assert one["headway_median_min"] == one["headway_p90_min"] == 7
    before = route_supply(feed, DAY).reset_index()
    same = before[before["route_id"] == "r2"].iloc[0]
    assert one["first_departure_s"] == same["first_departure_s"]
    assert same["last_departure_s"] - 7 * 60 < one["last_departure_s"] <= same["last_departure_s"]
    rest = before[before["route_id"] == "r1"]
    pd.testing.assert_frame_equal(table[table["route_id"] == "r1"], rest)
    with pytest.raises(ParameterError, match="no route 'x' runs"):
        with_headway(feed, DAY, "x", 7)


def test_a_stop_more_makes_every_trip_halt_and_delays_none(feed):
    lon, lat = (np.array(STOPS[0]) + np.array(STOPS[1])) / 2
    more = with_stop(feed, lon, lat)
    assert more["stops"]["stop_id"].iloc[-1] == NEW_STOP
    assert len(more.stop_times) > len(feed.stop_times)
    supply, before = stop_supply(more, DAY), stop_supply(feed, DAY)
    pd.testing.assert_series_equal(
        supply["departures"].iloc[:-1], before["departures"], check_dtype=False
    )
    assert supply["departures"].iloc[-1] > 0
    leave = np.array([8 * 3600 - 60])
    arrivals = [
        earliest_arrivals(transit_steps.day_timetable(one, DAY), [0], [0], leave)[0, -1]
        for one in (feed, more)
    ]
    assert (arrivals[0] == arrivals[1][:-1]).all()
    assert 8 * 3600 < arrivals[1][-1] < arrivals[0][1]
    with pytest.raises(DataError, match="no trip passes within"):
        with_stop(feed, 7.5, 43.9)


def test_a_timetable_gives_supply_reach_and_no_slower_journeys_than_walking(feed):
    here = inputs(gtfs=busy(feed))
    result = compute(here, service_date="2025-01-07", transit_minutes=20, departure_step_min=10)
    assert {"stops", "transit_access"} <= set(result.layers)
    cells = result.layers["transit_access"]
    assert (cells["reached_p05_pct"] >= cells["on_foot_pct"] - 1e-3).all()
    assert (cells["reached_p95_pct"] >= cells["reached_pct"]).all()
    assert result.indicators["transit_gain"].value > 0
    assert result.tables["frequency"]["stops"].sum() == len(STOPS)
    assert result.tables["frequency"]["covered_pct"].is_monotonic_increasing
    # a stop with a bus each way every ten minutes sees one every five minutes or so
    assert (result.layers["stops"]["headway_median_min"] <= 10).all()
    assert "By public transport" in result.answer["en"]
    assert "Schedules are missing" not in result.answer["en"]


@pytest.mark.slow
def test_more_buses_reach_more_and_the_scenario_says_so(feed):
    here = inputs(gtfs=busy(feed))
    asked = {"service_date": "2025-01-07", "transit_minutes": 20, "departure_step_min": 10}
    rare = compute(here, **asked, new_headway=["1", "120"])
    often = compute(here, **asked, new_headway=["1", "2"])
    assert (
        rare.indicators["scenario_transit"].value < 0 < often.indicators["scenario_transit"].value
    )
    assert rare.tables["scenarios"]["measure"].tolist() == ["new_headway", "all"]
    # the map says where: the mean of its squares by residents is the number
    for found in (rare, often):
        change = found.layers["scenario_transit_change"]["reached_pp"]
        weight = squares.squares(Town(here).places, cell_m=250.0)["weight"]
        mean = np.average(change, weights=weight)
        assert mean == pytest.approx(found.indicators["scenario_transit"].value, abs=1e-3)
    assert (often.layers["scenario_transit_change"]["reached_pp"] >= 0).all()


def test_journeys_to_a_class_equal_the_best_of_all_its_places(feed):
    """One place for a whole class gives what asking for each of its places would give."""
    here = inputs(gtfs=busy(feed))
    told = parameters(
        service_date="2025-01-07", transit_minutes=25, departure_step_min=30, transit_cell_m=1000
    )
    offered = transit_steps.offer(here, told)
    walk = steps.streets(here, told)
    places = steps.places(here, walk, told, stops=offered.stops)
    site = steps.join(walk, places, told)
    time = steps.minutes(site, places)
    timetable = transit_steps.timetable_of(offered, site, places, told)
    where = transit_steps.stop_points(offered, PLACE.crs)
    found = transit_journeys.journeys(timetable, site, places, time, told, stops_xy=where)
    leave = transit_steps.departures(told)
    for square, home in enumerate(found.squares["home"]):
        quickest = np.full((len(leave), len(places.classes)), np.inf)
        seconds = _seconds(site.graph, site.home[home])
        walk_s = np.ceil(seconds[site.stop])
        near = walk_s <= 60 * told.access_walk_min
        rows = places.stops["row"].to_numpy()
        arrive = earliest_arrivals(
            timetable, rows[near], walk_s[near], leave, cutoff_s=int(60 * told.transit_minutes)
        )[:, -1, :][:, rows].astype(float)
        for k, name in enumerate(places.classes):
            goals = site.spot[(places.spots["class"] == name).to_numpy()]
            last = np.array([np.ceil(_seconds(site.graph, s)[goals].min()) for s in site.stop])
            last[last > 60 * told.access_walk_min] = np.inf
            ridden = (arrive + last).min(axis=1) - leave
            quickest[:, k] = np.minimum(ridden, np.ceil(seconds[goals].min()))
        quickest[quickest > 60 * told.transit_minutes] = np.inf
        usual = np.median(np.minimum(quickest, 2**30), axis=0) / 60
        usual[usual > 1e4] = np.inf
        np.testing.assert_allclose(found.minutes[square], usual, rtol=1e-9)


def test_journeys_in_parts_are_those_in_one_piece(feed, monkeypatch):
    told = parameters(service_date="2025-01-07", transit_minutes=25, departure_step_min=30)
    here = inputs(gtfs=busy(feed))
    offered, walk = transit_steps.offer(here, told), steps.streets(here, told)
    places = steps.places(here, walk, told, stops=offered.stops)
    site = steps.join(walk, places, told)
    asked = (transit_steps.timetable_of(offered, site, places, told), site, places)
    where = {"stops_xy": transit_steps.stop_points(offered, PLACE.crs)}
    whole = transit_journeys.journeys(*asked, steps.minutes(site, places), told, **where)
    monkeypatch.setattr(transit_journeys, "MOST_PAIRS", 2000)  # some seven squares at a time
    monkeypatch.setattr(transit_journeys, "MOST_TIMES", 1)
    parts = transit_journeys.journeys(*asked, steps.minutes(site, places), told, **where)
    for name in ("minutes", "reached_pct", "on_foot_pct"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def _seconds(graph, node):
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    arcs = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    return dijkstra(arcs, indices=node)


def test_a_feed_with_errors_blocks_unless_it_is_only_to_be_shown(tmp_path):
    broken = changed(("stop_times.txt", "08:10:30,08:10:30,s3", "08:10:30,08:10:30,s9"))
    files = broken | {"stops.txt": STOPS_TXT}
    here = inputs(gtfs=read_feed(write_folder(files, tmp_path / "broken")))
    with pytest.raises(DataError, match="foreign_key_violation"):
        transit_steps.offer(here, parameters(service_date="2025-01-07"))
    told = parameters(service_date="2025-01-07", feed_errors="show")
    offered = transit_steps.offer(here, told)
    assert "foreign_key_violation" in set(offered.notices.table()["code"])
    assert any(note.kind == "warning" for note in offered.notes)


@pytest.mark.slow
def test_a_made_up_line_marks_the_scenario_and_a_made_up_timetable_what_rests_on_it(feed):
    """Held against the outputs that change where the role is left out."""
    told = {"service_date": "2025-01-07", "transit_minutes": 20, "departure_step_min": 60}
    middle = PLACE.boundary_geometry.representative_point()
    line = shapely.LineString([(middle.x - 300, middle.y), (middle.x + 300, middle.y)])
    lines = gpd.GeoDataFrame({"headway_min": [10.0]}, geometry=[line], crs=PLACE.crs)
    real, planned = inputs(gtfs=busy(feed)), inputs(gtfs=busy(feed), new_lines=lines)
    fake = changed_copy(planned.layers["new_lines"].source, provenance="synthetic")
    planned.layers["new_lines"] = changed_copy(planned.layers["new_lines"], source=fake)
    closed = {"close_streets": ["Boulevard d'Italie"]}
    before, after = compute(real, **told, **closed), compute(planned, **told, **closed)
    for key, one in after.indicators.items():
        # at times nobody's walk changes; what changes is marked, and nothing of today
        differs = one.value != pytest.approx(before.indicators[key].value, rel=1e-9, abs=1e-9)
        assert not differs or one.provenance == "synthetic", key
        assert key.startswith("scenario") or one.provenance != "synthetic", key
    assert {key for key in after.synthetic if not key.startswith("scenario")} == set()
    timetable = compute(inputs(gtfs=busy(feed), provenance="synthetic"), **told, **closed)
    without = compute(inputs(), **closed)
    marked = {k for k, one in timetable.indicators.items() if one.provenance == "synthetic"}
    assert set(timetable.indicators) - set(without.indicators) <= marked
    for key, one in without.indicators.items():
        # other stops cut the streets elsewhere: the last digits of a sum may differ
        same = one.value == pytest.approx(timetable.indicators[key].value, rel=1e-9, abs=1e-9)
        assert same or key in marked, key
    assert set(timetable.layers) - set(without.layers) <= set(timetable.synthetic)
    assert "access" not in timetable.synthetic


def test_days_and_windows_that_cannot_be_are_refused(feed):
    here = inputs(gtfs=feed)
    with pytest.raises(ParameterError, match="nothing runs on that day"):
        transit_steps.offer(here, parameters(service_date="2024-01-07"))
    week = feed["calendar"]
    sundays = week.assign(**{d: int(d == "sunday") for d in week if d.endswith("day")})
    idle = changed_copy(feed, tables={**feed.tables, "calendar": sundays.astype(week.dtypes)})
    with pytest.raises(DataError, match=r"nothing runs on a tuesday .* service_date"):
        transit_steps.offer(inputs(gtfs=idle), parameters())
    offered = transit_steps.offer(inputs(gtfs=idle), parameters(service_date="2025-01-12"))
    assert len(offered.stops) == 3
    with pytest.raises(ParameterError, match="is not after"):
        transit_steps.departures(parameters(departure_from="09:00", departure_until="08:00"))
    with pytest.raises(ParameterError, match="give a time such as"):
        transit_steps.departures(parameters(departure_from="9"))


def test_stops_outside_the_territory_are_counted_and_not_served(feed):
    far = pd.concat([feed["stops"], feed["stops"].iloc[[0]].assign(stop_id="far", stop_lat=50.0)])
    wide = changed_copy(feed, tables={**feed.tables, "stops": far.reset_index(drop=True)})
    offered = transit_steps.offer(inputs(gtfs=wide), parameters(service_date="2025-01-07"))
    assert set(offered.stops["stop_id"]) == {"s1", "s2", "s3"}
    assert "1 of the feed's 4 stops" in offered.notes[0].text["en"]
    moved = changed_copy(feed, tables={**feed.tables, "stops": feed["stops"].assign(stop_lat=50.0)})
    with pytest.raises(DataError, match="no stop in the territory is served"):
        transit_steps.offer(inputs(gtfs=moved), parameters(service_date="2025-01-07"))


def test_a_line_that_crosses_streets_closes_none_of_them():
    from ldt_toolbox.mobility.scenario_streets import streets_under

    town = Town()
    longest = town.walk.edges.iloc[int(town.walk.edges["length_m"].argmax())]
    along = gpd.GeoDataFrame(geometry=[longest.geometry], crs=PLACE.crs)
    assert longest["street"] in streets_under(town.walk, along)
    middle = longest.geometry.interpolate(0.5, normalized=True)
    across = shapely.LineString([(middle.x - 3, middle.y), (middle.x + 3, middle.y)])
    short = gpd.GeoDataFrame(geometry=[across], crs=PLACE.crs)
    assert longest["street"] not in streets_under(town.walk, short)


def test_closures_are_read_alike_each_time_and_close_short_stretches_too():
    from ldt_toolbox.mobility.network import build_network
    from ldt_toolbox.mobility.scenario_streets import streets_under
    from street_traps import CRS, streets

    # a street with a junction every 6 m, and one that crosses it
    main = [("residential", [(6 * k, 0), (6 * k + 6, 0)]) for k in range(4)]
    network = build_network(streets(*main, ("path", [(6, -50), (6, 0), (6, 50)])))
    flooded = gpd.GeoDataFrame(geometry=[shapely.LineString([(6, 0), (12, 0)])], crs=CRS)
    before = flooded.geometry.iloc[0]
    assert streets_under(network, flooded) == ["s1"]
    assert streets_under(network, flooded) == ["s1"], "the layer of the flood was changed"
    assert flooded.geometry.iloc[0] is before
    area = gpd.GeoDataFrame(geometry=[shapely.box(13, -1, 14, 1)], crs=CRS)
    assert streets_under(network, area) == ["s2"]


def test_jobs_beyond_the_territory_are_reached_by_its_buses(feed):
    """A job 200 m from the last stop, which lies 5 km outside: by bus and 260 m on foot."""
    away = feed["stops"].assign(
        stop_lon=feed["stops"]["stop_lon"].where(feed["stops"]["stop_id"] != "s3", 7.36)
    )
    moved = changed_copy(feed, tables={**feed.tables, "stops": away})
    last = away[away["stop_id"] == "s3"].iloc[0]
    there = gpd.GeoSeries.from_xy([last["stop_lon"]], [last["stop_lat"]], crs=4326).to_crs(
        PLACE.crs
    )
    near = PLACE.boundary_geometry.representative_point()
    jobs = gpd.GeoDataFrame(
        {"jobs": [900.0, 100.0]},
        geometry=[shapely.Point(there[0].x, there[0].y - 200), near], crs=PLACE.crs,
    )  # fmt: skip
    here = inputs(gtfs=busy(moved), jobs=jobs)

    def reached(minutes):
        told = parameters(service_date=str(DAY), transit_minutes=minutes, departure_step_min=30,
                          transit_cell_m=1000)  # fmt: skip
        offered, walk = transit_steps.offer(here, told), steps.streets(here, told)
        assert set(offered.stops["stop_id"]) == {"s1", "s2"}
        places = steps.places(here, walk, told, stops=offered.stops)
        site = steps.join(walk, places, told)
        assert site.job[0] == -1, "no street of the territory is near the job"
        found = transit_journeys.journeys(
            transit_steps.timetable_of(offered, site, places, told), site, places,
            steps.minutes(site, places), told,
            stops_xy=transit_steps.stop_points(offered, PLACE.crs),
        )  # fmt: skip
        return found.reached_pct[:, 2]

    assert reached(45).max() == 100, "all jobs, those beyond the boundary too"
    # not earlier than the bus and the walk allow: the ride takes 10.5 min, the walk 260 m
    walk_min = 1.3 * 200 / 1.33 / 60
    assert reached(10.5 + walk_min - 0.5).max() <= 10
