"""Travel times by public transport between 2,000 places: 8,100 stops, 2.1 million stop times.

Ours beside ferrobus 0.2.1, two threads each, the same walks (10 minutes at most to the 10 nearest
stops and between stops, 1.4 m/s on a grid of streets), four rides at most. Both have the timetable
and the walks ready; what is timed is the matrix. For one departure, and for a window of an hour
minute by minute: ferrobus has no window for many to many, so it is timed for one departure.

They do not find the same journeys: ferrobus walks to a stop and on to another before the first
ride, which ours forbids, and prunes so that it misses some early arrivals. Without walks between
stops ours is never later: tests/mobility/test_newport.py.

The goal is 5 times the speed of ferrobus for each departure of the window; the script ends with 1
if it is missed. Run with ``python benchmarks/transit.py [--size full] [--places 2000]``.
"""

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peers
from ldt_toolbox.mobility.gtfs.day import day_timetable
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.timetable import walks
from ldt_toolbox.mobility.transit_access import TransitQuery, travel_times
from made_up_feed import BLOCK_M, SIZES, SPACING_M, write_feed, write_streets
from peer_process import PeerProcess
from scipy.spatial import cKDTree

GOAL = 5.0
DAY, LEAVE_S, WINDOW = dt.date(2025, 6, 3), 8 * 3600, 60
SPEED_M_S, WALK_S, NEAREST, RIDES = 1.4, 600, 10, 4
EACH, ONE, PEER = "ldt-toolbox, a departure of 60", "ldt-toolbox, one departure", "ferrobus"


def near(town, xy, count):
    """Walks along the grid to the nearest stops."""
    stops = np.column_stack(town.stop_xy())
    away, stop = cKDTree(stops).query(xy, count, p=1, distance_upper_bound=WALK_S * SPEED_M_S)
    place, k = np.nonzero(np.isfinite(away))
    return walks(place, stop[place, k], away[place, k] / SPEED_M_S, places=len(xy),
                 stops=town.stops)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--places", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    town, notes, server = SIZES[options.size], [], None
    rng = np.random.default_rng(1)
    blocks = int((town.side - 1) * SPACING_M / BLOCK_M)
    xy = rng.integers(0, blocks + 1, (options.places, 2)) * BLOCK_M
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        count = write_feed(town, home / "gtfs")
        feet = near(town, np.column_stack(town.stop_xy()), 100)
        timetable = day_timetable(read_feed(home / "gtfs"), DAY, footpaths=feet)
        access = near(town, xy, NEAREST)

        def ours(departures_s):
            query = TransitQuery(timetable, access, access, departures_s, max_transfers=RIDES - 1)

            def job():
                started = time.perf_counter()
                travel_times(query)
                return (time.perf_counter() - started) / np.size(departures_s)

            return job

        jobs = {EACH: ours(LEAVE_S + 60 * np.arange(WINDOW)), ONE: ours(LEAVE_S)}
        try:
            python = peers.install("ferrobus")
        except peers.PeerMissingError as reason:
            notes.append(f"ferrobus skipped: {reason}")
        else:
            write_streets(town, home / "streets.osm.pbf")
            np.save(home / "points.npy", np.column_stack(town.position(*xy.T)))
            (home / "told.json").write_text(json.dumps({
                "streets": str(home / "streets.osm.pbf"), "gtfs": str(home / "gtfs"),
                "points": str(home / "points.npy"), "date": str(DAY), "max_transfer_s": WALK_S,
                "max_walk_s": WALK_S, "nearest_stops": NEAREST, "departure_s": LEAVE_S,
                "rides": RIDES, "out": str(home / "out.npy"), "thorough": False,
            }))  # fmt: skip
            server = PeerProcess(
                [python, Path(__file__).with_name("ferrobus_run.py"), home / "told.json"]
            )

            def peer():
                answer = server.ask()
                notes[:] = [f"ferrobus {answer['version']}"]
                return answer["seconds"]

            jobs[PEER] = peer
        seconds = peers.interleaved(jobs, options.repeats)
        if server:
            server.close()
    title = f"Transit travel times, {options.places} x {options.places} places, {count} stop times"
    peers.show(title, seconds, ours=EACH, notes=notes)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return int(PEER in middle and middle[PEER] < GOAL * middle[EACH])


if __name__ == "__main__":
    sys.exit(main())
