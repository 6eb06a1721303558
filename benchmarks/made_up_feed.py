"""A made-up town for the transit benchmarks: GTFS, and streets as .osm.pbf for those who need them.

Stops lie 400 m apart on a grid of streets; lines run straight with a few bends, both ways, all day.
"""

import zipfile
from dataclasses import dataclass

import numpy as np
import osmium
import pandas as pd
from osmium.osm.mutable import Node, Way

SPACING_M = 400.0
BLOCK_M = 200.0
WEST, SOUTH = 10.0, 50.0
DEGREE_M = 111_195.0  # of latitude, on the sphere of 6371 km


@dataclass(frozen=True)
class Town:
    side: int  # stops along a side
    lines: int
    trips_a_line: int  # each way
    line_stops: int = 30

    @property
    def stops(self):
        return self.side**2

    def position(self, x_m, y_m):
        """Longitude and latitude."""
        across = DEGREE_M * np.cos(np.radians(SOUTH))
        return WEST + np.asarray(x_m) / across, SOUTH + np.asarray(y_m) / DEGREE_M

    def stop_xy(self):
        stop = np.arange(self.stops)
        return stop % self.side * SPACING_M, stop // self.side * SPACING_M


SIZES = {"full": Town(90, 300, 117), "small": Town(30, 40, 60)}


def paths(town, rng):
    """Stops of each line: a walk on the grid that seldom turns and stays inside."""
    out = []
    steps = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    while len(out) < town.lines:
        place, way, path = rng.integers(0, town.side, 2), rng.integers(4), []
        while len(path) < town.line_stops:
            path.append(int(place[1] * town.side + place[0]))
            if rng.random() < 0.12:
                way = (way + rng.choice([1, 3])) % 4
            ahead = place + steps[way]
            if ((ahead < 0) | (ahead >= town.side)).any():
                way = (way + 1) % 4
                ahead = place + steps[way]
                if ((ahead < 0) | (ahead >= town.side)).any():
                    break
            place = ahead
        if len(path) == town.line_stops and len(set(path)) == len(path):
            out.append(path)
    return out


def clock(seconds):
    hours, rest = seconds // 3600, seconds % 3600
    return np.array(
        [f"{h:02d}:{r // 60:02d}:{r % 60:02d}" for h, r in zip(hours, rest, strict=True)]
    )


def tables(town, seed=0):
    """GTFS tables as text frames."""
    rng = np.random.default_rng(seed)
    x, y = town.stop_xy()
    longitude, latitude = town.position(x, y)
    stops = pd.DataFrame({
        "stop_id": [f"stop-{i:05d}" for i in range(town.stops)],
        "stop_name": [f"Corner {i}" for i in range(town.stops)],
        "stop_lat": np.char.mod("%.6f", latitude), "stop_lon": np.char.mod("%.6f", longitude),
    })  # fmt: skip
    day = clock(np.arange(0, 30 * 3600))
    trips, times = [], []
    for line, path in enumerate(paths(town, rng)):
        for way in range(2):
            stop = np.array(path if way == 0 else path[::-1])
            start = np.sort(rng.integers(5 * 3600, 24 * 3600, town.trips_a_line))
            hop = rng.integers(55, 110, town.line_stops - 1)
            arrival = np.concatenate([[0], np.cumsum(hop + 15)]) + start[:, None]
            names = [f"trip-{line:04d}-{way}-{k:04d}" for k in range(town.trips_a_line)]
            trips.append(pd.DataFrame({
                "route_id": f"line-{line:04d}", "service_id": "daily", "trip_id": names,
                "direction_id": way,
            }))  # fmt: skip
            times.append(pd.DataFrame({
                "trip_id": np.repeat(names, town.line_stops),
                "arrival_time": day[arrival.ravel()], "departure_time": day[arrival.ravel() + 15],
                "stop_id": np.tile(stops["stop_id"].to_numpy()[stop], town.trips_a_line),
                "stop_sequence": np.tile(np.arange(town.line_stops), town.trips_a_line),
            }))  # fmt: skip
    routes = pd.DataFrame({
        "route_id": [f"line-{k:04d}" for k in range(town.lines)], "agency_id": "town",
        "route_short_name": [str(k) for k in range(town.lines)], "route_long_name": "",
        "route_type": 3,
    })  # fmt: skip
    return {
        "agency": pd.DataFrame({
            "agency_id": ["town"], "agency_name": ["Town"], "agency_url": ["https://example.org"],
            "agency_timezone": ["Europe/Berlin"],
        }),
        "stops": stops, "routes": routes,
        "trips": pd.concat(trips, ignore_index=True),
        "stop_times": pd.concat(times, ignore_index=True),
        "calendar": pd.DataFrame({
            "service_id": ["daily"], **dict.fromkeys(
                ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], 1
            ), "start_date": "20250101", "end_date": "20251231",
        }),
    }  # fmt: skip


def write_feed(town, folder, archive=None):
    """Write the feed as a folder, and as a zip if it is named; return the number of stop times."""
    folder.mkdir(parents=True, exist_ok=True)
    made = tables(town)
    for name, table in made.items():
        table.to_csv(folder / f"{name}.txt", index=False)
    if archive:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            for name in made:
                target.write(folder / f"{name}.txt", f"{name}.txt")
    return len(made["stop_times"])


def write_streets(town, path):
    """Write the grid of streets, a node every 200 m, as .osm.pbf."""
    side = int((town.side - 1) * SPACING_M / BLOCK_M) + 1
    x, y = np.arange(side * side) % side * BLOCK_M, np.arange(side * side) // side * BLOCK_M
    longitude, latitude = town.position(x, y)
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for node, place in enumerate(zip(longitude.tolist(), latitude.tolist(), strict=True)):
            writer.add_node(Node(id=node + 1, location=place))
        for k in range(side):
            east = [k * side + i + 1 for i in range(side)]
            north = [i * side + k + 1 for i in range(side)]
            for number, nodes in ((2 * k + 1, east), (2 * k + 2, north)):
                writer.add_way(Way(id=number, nodes=nodes, tags={"highway": "residential"}))
