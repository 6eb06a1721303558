"""Changing by transfers.txt and pathways.txt, against a slow router that reads the rules itself."""

import datetime as dt
import itertools
import math

import numpy as np
import pytest
import random_timetables
from ldt_toolbox.mobility.gtfs.changes import NEVER_S, changes, rules_left_out, stop_rules
from ldt_toolbox.mobility.gtfs.day import day_timetable
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.raptor import UNREACHED, earliest_arrivals
from small_feed import BASE, changed, write_folder

DAY = dt.date(2025, 1, 7)
USUAL_S = 60
SPEED = 1.0  # m/s, so that whole metres are whole seconds
KM = 1 / 111.195  # degree of latitude


def clock(seconds):
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


class RandomFeed:
    """Stops, stations with ways through them, rules for changing, and a few lines."""

    def __init__(self, rng):
        self.rng = rng
        count = int(rng.integers(3, 9))
        stations = int(rng.integers(0, 3))
        self.stops = [f"s{k}" for k in range(count)]
        self.parent = {
            stop: f"S{int(rng.integers(stations))}"
            for stop in self.stops
            if stations and rng.random() < 0.7
        }
        self.place = {stop: rng.integers(0, 1500) / 1000 for stop in self.stops}  # km along a line
        self.stations = sorted(set(self.parent.values()))
        self.nodes = {station: [f"n{station}{k}" for k in range(2)] for station in self.stations}
        self.paths = [p for s in self.stations if rng.random() < 0.7 for p in self._pathways(s)]
        self.rules = [self._rule() for _ in range(int(rng.integers(0, 15)))]
        self.trips = self._trips()
        pairs = [p for p in itertools.permutations(range(count), 2) if rng.random() < 0.5]
        self.on_foot = {pair: int(rng.integers(30, 900)) for pair in pairs}

    def _pathways(self, station):
        ends = [stop for stop, one in self.parent.items() if one == station] + self.nodes[station]
        for _ in range(int(self.rng.integers(1, 6))):
            begin, end = self.rng.choice(ends, 2)
            time = int(self.rng.integers(10, 300)) if self.rng.random() < 0.7 else ""
            length = int(self.rng.integers(10, 300))
            stairs = 2 * int(self.rng.integers(-20, 20)) or "" if time == "" else ""
            yield str(begin), str(end), time, length, stairs, int(self.rng.random() < 0.5)

    def _rule(self):
        ends = [str(one) for one in self.rng.choice(self.stops + self.stations, 2)]
        kind = self.rng.choice(["", "0", "1", "2", "3"])
        time = int(self.rng.integers(0, 600)) if self.rng.random() < 0.7 else ""
        return *ends, str(kind), time

    def _trips(self):
        trips = []
        for _ in range(int(self.rng.integers(3, 8))):
            path = self.rng.integers(0, len(self.stops), int(self.rng.integers(2, 5)))
            for _ in range(int(self.rng.integers(2, 7))):
                time = int(self.rng.integers(8 * 120, 9 * 120)) * 30
                trip = []
                for stop in path:
                    trip.append((int(stop), time, time + 30, True, True))
                    time += 30 + int(self.rng.integers(1, 12)) * 30
                trips.append(trip)
        return trips

    def files(self):
        files = {name: BASE[name] for name in ("agency.txt", "routes.txt", "calendar.txt")}
        stops = ["stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station"]
        stops += [
            f"{s},{s},{43.7 + self.place[s] * KM:.9f},7.4,0,{self.parent.get(s, '')}"
            for s in self.stops
        ]
        stops += [f"{s},{s},43.7,7.4,1," for s in self.stations]
        stops += [f"{n},,,,3,{s}" for s, nodes in self.nodes.items() for n in nodes]
        times = ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"]
        for k, trip in enumerate(self.trips):
            times += [
                f"t{k},{clock(arrival)},{clock(departure)},s{stop},{i}"
                for i, (stop, arrival, departure, *_) in enumerate(trip)
            ]
        paths = ["pathway_id,from_stop_id,to_stop_id,pathway_mode,traversal_time,length,"
                 "stair_count,is_bidirectional"]  # fmt: skip
        paths += [
            f"p{k},{a},{b},1,{time},{length},{stairs},{both}"
            for k, (a, b, time, length, stairs, both) in enumerate(self.paths)
        ]
        rules = ["from_stop_id,to_stop_id,transfer_type,min_transfer_time"]
        rules += [",".join(map(str, rule)) for rule in self.rules]
        trips = ["route_id,service_id,trip_id", *(f"r1,week,t{k}" for k in range(len(self.trips)))]
        more = {"stops": stops, "stop_times": times, "pathways": paths, "transfers": rules,
                "trips": trips}  # fmt: skip
        return files | {f"{name}.txt": "\n".join(rows) + "\n" for name, rows in more.items()}

    def through_station(self, begin, end):
        """Bellman and Ford over the pathways, one by one."""
        cost = {begin: 0.0}
        for _ in range(len(self.paths) + 1):
            for a, b, time, length, stairs, both in self.paths:
                seconds = time if time != "" else length / SPEED + abs(stairs or 0) / 2
                for tail, head in ((a, b), (b, a)) if both else ((a, b),):
                    if tail in cost:
                        cost[head] = min(cost.get(head, math.inf), cost[tail] + seconds)
        return cost.get(end, math.inf)

    def seconds(self, begin, end):
        """What a change between two stops takes, read from the files; None where there is none."""
        found = USUAL_S if begin == end else self.on_foot.get((begin, end))
        a, b = self.stops[begin], self.stops[end]
        inside = self.through_station(a, b) if a != b else math.inf
        if inside < math.inf:
            found = math.ceil(inside)
        best = None
        for line, (start, stop, *_) in enumerate(self.rules):
            if start in (a, self.parent.get(a)) and stop in (b, self.parent.get(b)):
                direct = (start == a) + (stop == b)
                best = max(best or (-1, -1), (direct, line))
        if best is None:
            return found
        *_, kind, time = self.rules[best[1]]
        if kind == "3":
            return None
        if time != "" and (kind == "2" or time > 0):
            return time
        if found is None:
            return math.ceil(1.3 * abs(self.place[a] - self.place[b]) * 1000 / SPEED)
        return found


def slow(town, feet, same, origin, leave):
    """Earliest arrivals with at most three changes."""
    one = random_timetables.Town(len(town.stops), town.trips, feet, same, [(origin, 0)])
    found = random_timetables.slow_arrivals(one, leave, 4, 2 * 86400)
    return np.array([[UNREACHED if t is None else t for t in row] for row in found])


def test_journeys_equal_a_time_expanded_dijkstra_that_reads_the_rules(tmp_path):
    compared = differ = 0
    for seed in range(60):
        town = RandomFeed(np.random.default_rng(seed))
        feed = read_feed(write_folder(town.files(), tmp_path / str(seed)))
        walk = np.array(list(town.on_foot), np.int64).reshape(-1, 2).T
        on_foot = (*walk, np.array([*town.on_foot.values()], float))
        # stations and nodes stay among the stops: nobody boards there
        told = changes(feed, feed["stops"], on_foot, change_s=USUAL_S, walking_speed_m_s=SPEED)
        table = day_timetable(feed, DAY, footpaths=told.footpaths, change_s=told.change_s)
        stops = range(len(town.stops))
        between = {p: town.seconds(*p) for p in itertools.product(stops, repeat=2)}
        feet = [(a, b, s) for (a, b), s in between.items() if a != b and s is not None]
        same = [NEVER_S if between[k, k] is None else between[k, k] for k in stops]
        plain = [(a, b, s) for (a, b), s in town.on_foot.items()]
        for origin, leave in itertools.product(stops, (8 * 3600, 9 * 3600 + 7)):
            fast = earliest_arrivals(table, [origin], [0], leave, max_transfers=3)[0]
            expected = slow(town, feet, same, origin, leave)
            where = f"seed {seed}, from {origin} at {leave}"
            np.testing.assert_array_equal(fast[:, : len(stops)], expected, err_msg=where)
            compared += int((expected < UNREACHED).sum())
            differ += (expected != slow(town, plain, [USUAL_S] * len(stops), origin, leave)).any()
    assert compared > 4000
    assert differ > 60  # journeys on which the rules matter


TRANSFERS = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"


def read(tmp_path, rules, *more):
    files = changed(("transfers.txt", "", TRANSFERS + rules), *more)
    return read_feed(write_folder(files, tmp_path))


def told(feed, seconds=100.0):
    """Changes with a walk of so long from each stop to each other, as a dict by ids."""
    pairs = np.array(list(itertools.permutations(range(1, 4), 2))).T
    found = changes(feed, feed["stops"], (*pairs, np.full(6, seconds)), change_s=USUAL_S)
    names = feed["stops"]["stop_id"].to_numpy()
    feet = found.footpaths
    begin = np.repeat(names, np.diff(feet.start))
    out = dict(zip(zip(begin, names[feet.stop], strict=True), feet.seconds.tolist(), strict=True))
    return out, dict(zip(names, found.change_s.tolist(), strict=True))


def test_without_any_rule_ways_stay_as_they_are(tmp_path):
    feet, same = told(read(tmp_path, ""))
    assert set(feet.values()) == {100}
    assert len(feet) == 6
    assert set(same.values()) == {USUAL_S}


def test_a_minimum_time_holds_in_its_direction_only(tmp_path):
    feet, _ = told(read(tmp_path, "s1,s2,2,240\n"))
    assert (feet["s1", "s2"], feet["s2", "s1"]) == (240, 100)


def test_a_change_that_is_forbidden_cannot_be_made(tmp_path):
    feet, same = told(read(tmp_path, "s1,s2,3,\ns3,s3,3,\n"))
    assert ("s1", "s2") not in feet
    assert feet["s2", "s1"] == 100
    assert (same["s3"], same["s2"]) == (NEVER_S, USUAL_S)


def test_a_rule_of_a_stop_goes_before_that_of_its_station(tmp_path):
    parents = [("stops.txt", "s2,Market,43.71,7.40,,", "s2,Market,43.71,7.40,,hub")]
    feet, same = told(read(tmp_path, "s1,s2,2,30\nhub,hub,2,200\n", *parents))
    assert (feet["s1", "s2"], feet["s2", "s1"]) == (30, 200)
    assert (same["s1"], same["s2"], same["s3"]) == (200, 200, USUAL_S)


def test_rules_of_single_routes_and_trips_are_counted_and_not_followed(tmp_path):
    text = "from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_route_id,to_trip_id\n"
    rows = "s1,s2,2,900,r1,\ns1,s3,3,,,t1\ns2,s3,2,50,,\n,,4,,,t2\n"
    feed = read_feed(write_folder(changed(("transfers.txt", "", text + rows)), tmp_path))
    assert rules_left_out(feed) == 3
    assert len(stop_rules(feed, feed["stops"])) == 1
    feet, _ = told(feed)
    assert (feet["s1", "s2"], feet["s1", "s3"], feet["s2", "s3"]) == (100, 100, 50)


def test_boarding_areas_stand_for_their_platform(tmp_path):
    areas = "b1,,,,4,s1\nb2,,,,4,s2\n"
    paths = (
        "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,traversal_time\n"
        "p,b1,b2,1,0,33\n"
    )
    feed = read(tmp_path, "", ("stops.txt", "", areas), ("pathways.txt", "", paths))
    feet, _ = told(feed)
    assert (feet["s1", "s2"], feet["s2", "s1"]) == (33, 100)


def test_recommended_changes_open_a_walk_where_none_is_known(tmp_path):
    feed = read(tmp_path, "s1,s2,0,\n")
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    found = changes(feed, feed["stops"], nothing, walking_speed_m_s=1.3)
    # 0.01 degrees of latitude, and 1.3 m of way for each metre at 1.3 m/s
    assert found.footpaths.seconds.tolist() == [pytest.approx(1112, abs=1)]
