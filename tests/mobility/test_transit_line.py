"""New lines of public transport: what runs, whom it serves, and that it takes nothing away."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.gtfs.day import day_timetable
from ldt_toolbox.mobility.gtfs.supply import route_supply, stop_supply
from ldt_toolbox.mobility.raptor import UNREACHED, earliest_arrivals
from ldt_toolbox.mobility.timetable_line import NewLine, drawn_lines, with_new_line
from monaco import compute, inputs
from small_feed import DAY, STOPS, busy, feed_in_monaco

# 0.02 degrees of latitude: 2223.9 m, at 20 km/h 400 s
LINE = NewLine("N1", "tram", ((7.40, 43.70), (7.40, 43.71), (7.40, 43.72)), 12, 20, 7, 9)


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    return feed_in_monaco(tmp_path_factory.mktemp("feed"))


def drawn(**columns):
    """One line past the stops of the small feed."""
    shape = shapely.LineString(STOPS)
    return gpd.GeoDataFrame(columns, geometry=[shape], crs="EPSG:4326")


def test_it_runs_both_ways_at_its_headway_and_speed(feed):
    more = with_new_line(feed, DAY, LINE)
    table = route_supply(more, DAY).reset_index()
    mine = table[table["route_id"].str.startswith("scenario")]
    assert mine["departures"].tolist() == [11, 11]  # 7:00, 7:12, ... 9:00
    assert mine["headway_median_min"].tolist() == mine["headway_p90_min"].tolist() == [12, 12]
    assert (mine["first_departure_s"] == 7 * 3600).all()
    assert (mine["last_departure_s"] == 9 * 3600).all()
    # times are whole seconds: half a second on 400
    np.testing.assert_allclose(mine["speed_kmh"], 20, rtol=0.5 / 400)
    pd.testing.assert_frame_equal(
        table.drop(mine.index).reset_index(drop=True), route_supply(feed, DAY).reset_index(),
        check_dtype=False,
    )  # fmt: skip


def test_a_journey_on_it_takes_its_time(feed):
    first = len(feed["stops"])
    more = with_new_line(feed, DAY, LINE)
    assert more["stops"]["stop_name"].tolist()[first:] == ["N1"] * 3
    for a, b, time in ((0, 2, 400), (2, 0, 400), (0, 1, 200)):
        found = earliest_arrivals(day_timetable(more, DAY), [first + a], [0], 8 * 3600 - 1)
        wait = 1 if a != 1 else 0
        assert found[0, -1, first + b] == 8 * 3600 - 1 + wait + time


def test_two_lines_run_beside_each_other_and_nobody_arrives_later(feed):
    more = with_new_line(with_new_line(feed, DAY, LINE), DAY, LINE)
    supply = stop_supply(more, DAY)
    assert (supply["departures"].iloc[len(feed["stops"]) :] > 0).all()
    before, after = (
        earliest_arrivals(day_timetable(one, DAY), [0], [0], 8 * 3600 - 60)[0, -1]
        for one in (feed, more)
    )
    np.testing.assert_array_equal(after[: len(before)], before)
    # not on other days
    sunday = DAY.replace(day=12)
    assert len(route_supply(more, sunday)) == len(route_supply(feed, sunday)) == 0


def test_the_scenario_tells_what_a_line_changes(feed):
    asked = {"service_date": "2025-01-07", "transit_minutes": 20, "departure_step_min": 20}
    line = drawn(headway_min=[3.0], name=["N1"], speed_kmh=[25.0])
    result = compute(inputs(gtfs=busy(feed), new_lines=line), **asked)
    table = result.tables["scenarios"]
    assert table["measure"].tolist() == ["new_line", "all"]
    assert result.indicators["scenario_transit"].value > 0.5
    # nobody walks faster for it: streets are cut where stops join, which moves the last bits
    np.testing.assert_allclose(table["near_pp"], 0, atol=1e-12)
    works = result.layers["scenario_works"]
    assert works["name"].tolist() == ["N1"]
    assert works["what"].tolist() == [2]


def test_without_a_timetable_a_line_still_brings_stops():
    few = inputs().frame("stops").iloc[:1]
    result = compute(inputs(stops=few, new_lines=drawn(headway_min=[10.0])))
    table = result.tables["scenarios"].iloc[0]
    assert table["stop_pp"] > 5
    assert "transit_pp" not in table


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"headway_min": [None]}, "row 1: headway_min is None"),
        ({"headway_min": ["often"]}, "headway_min is often"),
        ({"headway_min": [10], "mode": ["boat"]}, "mode is 'boat': use tram"),
        ({"headway_min": [10], "speed_kmh": [900]}, "speed_kmh is 900"),
        ({"headway_min": [10], "first_h": [9], "last_h": [8]}, "before first_h"),
    ],
)
def test_lines_that_cannot_be_are_refused(columns, says):
    with pytest.raises(DataError, match=says):
        drawn_lines(drawn(**columns))
    points = gpd.GeoDataFrame({"headway_min": [5]}, geometry=[shapely.Point(7, 43)], crs=4326)
    with pytest.raises(DataError, match="vertex at each stop"):
        drawn_lines(points)


def test_unreached_stays_unreached(feed):
    """Without ways on foot between the stops the line alone does not lead to the others."""
    more = with_new_line(feed, DAY, LINE)
    found = earliest_arrivals(day_timetable(more, DAY), [len(feed["stops"])], [0], 8 * 3600)
    assert (found[0, -1, : len(feed["stops"])] == UNREACHED).all()
