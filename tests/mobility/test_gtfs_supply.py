"""Service days, repeated trips, headways, speeds and lengths: each against numbers by hand."""

import datetime as dt

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.gtfs.calendar import (
    active_trips,
    representative_day,
    service_days,
    trips_a_day,
)
from ldt_toolbox.mobility.gtfs.day import day_timetable, filled_times, runs_of_day
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.gtfs.supply import (
    EARTH_RADIUS_M,
    distance_m,
    route_supply,
    stop_supply,
    stops_within,
    trip_lengths_m,
)
from ldt_toolbox.mobility.raptor import earliest_arrivals
from small_feed import BASE, changed, write_folder

TUESDAY = dt.date(2025, 1, 7)
HUNDREDTH_M = np.radians(0.01) * EARTH_RADIUS_M  # of latitude


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    return read_feed(write_folder(BASE, tmp_path_factory.mktemp("feed")))


def periodic(headway_s, first_s=18_000, last_s=72_000):
    """A line whose vehicles leave every `headway_s` from `first_s` to `last_s`."""
    starts = range(first_s, last_s + 1, headway_s)
    clock = [f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(last_s + 601)]
    times = "".join(
        f"p{k},{clock[s]},{clock[s]},s1,1\np{k},{clock[s + 600]},{clock[s + 600]},s3,2\n"
        for k, s in enumerate(starts)
    )
    trips = "".join(f"r1,week,p{k}\n" for k in range(len(starts)))
    return changed() | {
        "trips.txt": "route_id,service_id,trip_id\n" + trips,
        "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + times,
        "frequencies.txt": "trip_id,start_time,end_time,headway_secs\n",
    }


@pytest.mark.parametrize("headway_s", [300, 450, 1200, 5400])
def test_headways_of_a_periodic_feed_are_exact(tmp_path, headway_s):
    feed = read_feed(write_folder(periodic(headway_s), tmp_path))
    stop = stop_supply(feed, TUESDAY).loc["s1"]
    count = 54_000 // headway_s + 1
    assert stop["departures"] == count
    assert stop["headway_median_min"] == stop["headway_p90_min"] == headway_s / 60
    assert (stop["first_departure_s"], stop["last_departure_s"]) == (18_000, 72_000)
    route = route_supply(feed, TUESDAY).loc[("r1", -1)]
    assert route["departures"] == count
    assert route["headway_median_min"] == headway_s / 60
    # two hundredths of a degree of latitude in ten minutes, straight
    assert route["speed_kmh"] == pytest.approx(2 * HUNDREDTH_M / 1000 * 6, rel=1e-9)
    assert route["service_km"] == pytest.approx(2 * HUNDREDTH_M / 1000 * count, rel=1e-9)
    assert route["shape_share"] == 0
    classes = {300: "every 10 min", 450: "every 10 min", 1200: "every 20 min"}
    assert stop["frequency_class"] == classes.get(headway_s, "less than hourly")
    end = stop_supply(feed, TUESDAY).loc["s3"]
    assert (end["departures"], end["frequency_class"]) == (0, "none")  # nobody boards at the end
    assert np.isnan(end["headway_median_min"])


def test_period_has_its_begin_and_not_its_end(tmp_path):
    feed = read_feed(write_folder(periodic(1800), tmp_path))
    stop = stop_supply(feed, TUESDAY, period_s=(25_200, 32_400)).loc["s1"]  # 7 to 9
    assert (stop["departures"], stop["departures_per_hour"]) == (4, 2)
    assert (stop["first_departure_s"], stop["last_departure_s"]) == (25_200, 30_600)
    assert route_supply(feed, TUESDAY, period_s=(25_200, 32_400))["departures"].sum() == 4
    with pytest.raises(ParameterError, match="later end"):
        stop_supply(feed, TUESDAY, period_s=(3600, 3600))


@settings(max_examples=50, deadline=None)
@given(starts=st.lists(st.integers(0, 90_000), min_size=1, max_size=40))
def test_stop_statistics_are_those_of_numpy(tmp_path_factory, starts):
    files = periodic(1800, 0, 1800 * (len(starts) - 1))
    lines = ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"]
    for k, s in enumerate(starts):
        clock = f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}"
        lines += [f"p{k},{clock},{clock},s1,1", f"p{k},40:00:00,40:00:00,s3,2"]
    files["stop_times.txt"] = "\n".join(lines)
    feed = read_feed(write_folder(files, tmp_path_factory.mktemp("feed")))
    stop = stop_supply(feed, TUESDAY).loc["s1"]
    gaps = np.diff(np.sort(starts)) / 60
    assert stop["departures"] == len(starts)
    assert stop["last_departure_s"] == max(starts)
    expected = np.percentile(gaps, [50, 90]) if len(gaps) else [np.nan] * 2
    # the same interpolation, added in another order
    np.testing.assert_allclose(
        stop[["headway_median_min", "headway_p90_min"]].astype(float), expected, rtol=1e-12
    )


def test_exceptions_add_and_take_away_days(feed):
    days = service_days(feed)["week"]
    assert not days["2025-01-14"]  # a Tuesday taken away
    assert days["2025-01-11"]  # a Saturday added
    assert days.sum() == 20
    assert active_trips(feed, dt.date(2025, 1, 11)).all()
    assert not active_trips(feed, dt.date(2025, 1, 14)).any()
    assert not active_trips(feed, dt.date(2030, 1, 1)).any()
    assert trips_a_day(feed)["2025-01-13"] == 3


def test_representative_day_is_no_holiday(tmp_path):
    feed = read_feed(write_folder(changed(("calendar_dates.txt", "14,2", "07,2")), tmp_path))
    assert representative_day(feed) == dt.date(2025, 1, 9)
    assert representative_day(feed, weekdays=("saturday",)) == dt.date(2025, 1, 11)
    with pytest.raises(DataError, match="nothing runs on a sunday"):
        representative_day(feed, weekdays=("sunday",))
    with pytest.raises(ParameterError, match="give some of monday"):
        representative_day(feed, weekdays=("mardi",))


def test_dates_alone_make_a_calendar(tmp_path):
    dates = ("calendar_dates.txt", BASE["calendar_dates.txt"],
             "service_id,date,exception_type\nweek,20250109,1\nweek,20250114,1\n")  # fmt: skip
    feed = read_feed(write_folder(changed(("calendar.txt", "", None), dates), tmp_path))
    assert feed.notices.counts() == {}
    assert service_days(feed)["week"].sum() == 2
    assert representative_day(feed) == dt.date(2025, 1, 9)


def test_repeated_trips_start_when_frequencies_say(feed):
    runs = runs_of_day(feed, TUESDAY)
    third = feed["trips"].index[feed["trips"]["trip_id"] == "t3"][0]
    starts = 9 * 3600 + runs.offset_s[runs.trip == third]
    every_20 = [36_000 + 1200 * k for k in range(6)]  # end_time not included
    every_15 = [43_200 + 900 * k for k in range(4)]
    assert starts.tolist() == every_20 + every_15
    assert (runs.trip != third).sum() == 2
    stop = stop_supply(feed, TUESDAY).loc["s3"]
    assert (stop["departures"], stop["headway_median_min"], stop["routes"]) == (10, 20.0, 1)


def test_missing_times_are_spread_evenly(feed):
    arrivals, departures, usable = filled_times(feed)
    assert usable.all()
    assert arrivals[1] == departures[1] == 28_800 + 315


def test_lengths_follow_the_shape_or_its_part(tmp_path):
    bend = ("shapes.txt", "line,43.71,7.40,2,1.1", "line,43.71,7.41,2,1.1")
    half = ("stop_times.txt", "t2,25:01:00,25:02:00,s3,2,2.2", "t2,25:01:00,25:02:00,s2,2,1.1")
    feed = read_feed(write_folder(changed(bend, half), tmp_path))
    length, shaped = trip_lengths_m(feed)
    # the sphere's law of cosines, another formula than the package's
    a, b, c = np.radians([43.70, 43.71, 0.01])
    hop = EARTH_RADIUS_M * np.arccos(np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(c))
    assert shaped.tolist() == [True, True, False]
    assert length[1] == pytest.approx(length[0] / 2, rel=1e-9)
    assert length[0] == pytest.approx(2 * hop, rel=1e-4)  # the two hops differ with latitude
    assert length[2] == pytest.approx(2 * HUNDREDTH_M, rel=1e-9)
    assert distance_m(*np.array([[0.0], [0.0], [180.0], [0.0]]))[0] == pytest.approx(
        np.pi * EARTH_RADIUS_M
    )


def test_timetable_of_the_day_with_last_nights_trips(feed):
    timetable = day_timetable(feed, TUESDAY)
    stops = {name: k for k, name in enumerate(feed["stops"]["stop_id"])}
    arrive = earliest_arrivals(timetable, [stops["s1"]], [0], 0)[0, -1]
    assert arrive[stops["s3"]] == 3660  # 25:01 of Monday's service day
    alone = day_timetable(feed, TUESDAY, previous_day=False)
    arrive = earliest_arrivals(alone, [stops["s1"]], [0], 0)[0, -1]
    assert arrive[stops["s3"]] == 29_430
    assert arrive[stops["s2"]] == 28_800 + 315
    back = earliest_arrivals(timetable, [stops["s3"]], [0], 36_001)[0, -1]
    assert back[stops["s1"]] == 37_200 + 720
    night = earliest_arrivals(timetable, [stops["s1"]], [0], 86_400)[0, -1]
    assert night[stops["s3"]] == 90_060


def test_nobody_boards_or_alights_where_it_is_forbidden(tmp_path):
    times = BASE["stop_times.txt"].splitlines()
    flags = ["pickup_type,drop_off_type", *["0,0"] * 8]
    flags[7] = "1,0"  # t3 at s2: for getting off only
    text = "\n".join(f"{a},{b}" for a, b in zip(times, flags, strict=True))
    feed = read_feed(write_folder(changed() | {"stop_times.txt": text}, tmp_path))
    assert stop_supply(feed, TUESDAY).loc["s2", "departures"] == 1  # t1 only
    stops = {name: k for k, name in enumerate(feed["stops"]["stop_id"])}
    arrive = earliest_arrivals(day_timetable(feed, TUESDAY), [stops["s2"]], [0], 36_000)[0, -1]
    assert arrive[stops["s1"]] == 2**30


def test_stops_outside_the_territory_are_told_apart(feed):
    area = shapely.box(7.39, 43.695, 7.41, 43.715)
    assert stops_within(feed, area).tolist() == [False, True, True, False]
    assert stops_within(feed, area, location_types=(1,)).tolist() == [True, False, False, False]
