"""Newport's real feed, fetched by name and hash: read, counted, and routed beside ferrobus."""

import datetime as dt
import importlib.util
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from ldt_toolbox.mobility.gtfs.calendar import active_trips, representative_day
from ldt_toolbox.mobility.gtfs.day import day_timetable
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.gtfs.rules import check
from ldt_toolbox.mobility.gtfs.supply import route_supply, stop_supply, stops_within
from ldt_toolbox.mobility.timetable import walks
from ldt_toolbox.mobility.transit_access import TransitQuery, travel_times
from osmium.osm.mutable import Node, Way

pytestmark = pytest.mark.reference
ROOT = Path(__file__).parents[2]
CACHE = Path.home() / ".cache" / "ldt-toolbox" / "reference"
MEMBER = "assess_gtfs/data/newport-20230613_gtfs.zip"
SHA256 = "2e6a11a95fae404e0ad6b1b0b531222d4e5eaa656c0328aa076e6da8642fb3d0"
TOWN = shapely.box(-3.12, 51.53, -2.80, 51.65)
TOLERANCE_S = 5  # ferrobus rounds the walk at each end and at each change up to whole seconds


def module(folder, name):
    spec = importlib.util.spec_from_file_location(name, ROOT / folder / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def archive():
    packages = module("scripts", "pinned_packages")
    package = packages.Package("assess_gtfs", "0.0.6", SHA256, "wheel")
    try:
        wheel = packages.fetch(package, CACHE / "wheels")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{package.label} can't be fetched: {error}")
    return packages.unpack(wheel, MEMBER, CACHE)


@pytest.fixture(scope="module")
def feed(archive):
    return read_feed(archive)


def test_counts_and_rules(feed):
    assert len(feed["routes"]) == 16
    assert len(feed["trips"]) == 176
    assert len(feed.stop_times) == 7765
    found = check(feed, today=dt.date(2023, 6, 13))
    found.require_no_errors()
    # four coaches with extended route types, which the canonical enumeration lacks
    assert found.counts()["unexpected_enum_value"] == 4


def test_stops_outside_the_territory_are_most_of_them(feed):
    inside = stops_within(feed, TOWN)
    assert 0 < inside.sum() < len(feed["stops"]) / 2


def test_departures_are_the_stop_times_that_can_be_boarded(feed):
    day = representative_day(feed)
    assert day.weekday() in (1, 3)
    times = feed.stop_times
    last = np.zeros(len(times), bool)
    last[times.start[1:] - 1] = True
    boarded = active_trips(feed, day)[times.trip] & ~last & (times.pickup != 1)
    assert stop_supply(feed, day)["departures"].sum() == boarded.sum() > 1000
    routes = route_supply(feed, day)
    assert routes["departures"].sum() == active_trips(feed, day).sum()
    assert routes["speed_kmh"].between(8, 110).all()  # town buses to coaches on motorways


def test_travel_times_agree_with_ferrobus(feed, archive, tmp_path):
    """Between stops, without walks in between: never later, and the same for nearly all pairs."""
    python = module("benchmarks", "peers").installed("ferrobus")
    if python is None:
        pytest.skip("ferrobus is not installed: run benchmarks/transit.py once")
    day, leave_s, rides = representative_day(feed), 8 * 3600, 4
    used = np.zeros(len(feed["stops"]), bool)
    used[feed.stop_times.stop] = True
    inside = np.flatnonzero(stops_within(feed, TOWN) & used)
    place = feed["stops"][["stop_lon", "stop_lat"]].to_numpy()[inside]
    _, first = np.unique(place, axis=0, return_index=True)
    chosen = np.random.default_rng(0).choice(np.sort(first), 150, replace=False)
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path / "gtfs")
    with osmium.SimpleWriter(str(tmp_path / "streets.osm.pbf")) as writer:  # a path past all stops
        for k, position in enumerate(place.tolist()):
            writer.add_node(Node(id=k + 1, location=position))
        for k in range(1, len(place)):  # a way each, or ferrobus drops the nodes between its ends
            writer.add_way(Way(id=k, nodes=[k, k + 1], tags={"highway": "residential"}))
    np.save(tmp_path / "points.npy", place[chosen])
    told = {
        "streets": "streets.osm.pbf", "gtfs": "gtfs", "points": "points.npy", "date": str(day),
        "max_transfer_s": 1, "max_walk_s": 1, "nearest_stops": 1, "departure_s": leave_s,
        "rides": rides, "out": "out.npy", "thorough": True,
    }  # fmt: skip
    (tmp_path / "told.json").write_text(json.dumps(told))
    script = ROOT / "benchmarks" / "ferrobus_run.py"
    done = subprocess.run(
        [python, script, "told.json"], input="go\n", capture_output=True, text=True, cwd=tmp_path,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = np.load(tmp_path / "out.npy")
    # ferrobus lets passengers on and off wherever a vehicle stops
    free = np.full(len(feed.stop_times), -1, np.int8)
    times = replace(feed.stop_times, pickup=free, drop_off=free)
    table = day_timetable(replace(feed, stop_times=times), day, previous_day=False)
    here = walks(
        np.arange(150), inside[chosen], np.zeros(150), places=150, stops=len(feed["stops"])
    )
    query = TransitQuery(table, here, here, leave_s, max_transfers=rides - 1)
    ours = travel_times(query)[:, :, 0]
    other = ~np.eye(150, dtype=bool)
    reached = (theirs >= 0) & other
    assert reached.sum() > 10_000
    assert (ours[reached] <= theirs[reached] + TOLERANCE_S).all()
    # ferrobus prunes, and so misses an earlier arrival now and then
    assert (np.abs(ours - theirs)[reached] <= TOLERANCE_S).mean() > 0.99
