"""GTFS zip with 2.1 million stop times: read it and count the departures of each stop.

Ours beside gtfs-kit: both read the same zip and compute departures, headways and span of each stop
on the same day. gtfs-kit counts the last stop of a trip as a departure, too; ours doesn't. The
goal is 8 times the speed of gtfs-kit; the script ends with 1 if it is missed.

Run with ``python benchmarks/gtfs.py [--size full]``.
"""

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path

import peers
from ldt_toolbox.mobility.gtfs.read import read_feed
from ldt_toolbox.mobility.gtfs.supply import stop_supply
from made_up_feed import SIZES, write_feed
from peer_process import PeerProcess

GOAL = 8.0
DAY = dt.date(2025, 6, 3)
OURS, PEER = "ldt-toolbox", "gtfs-kit"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    town, notes, server = SIZES[options.size], [], None
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "feed.zip")
        count = write_feed(town, Path(folder, "gtfs"), archive)

        def ours():
            started = time.perf_counter()
            table = stop_supply(read_feed(archive), DAY)
            seconds = time.perf_counter() - started
            # the last stop of each of the trips is no departure
            trips = 2 * town.lines * town.trips_a_line
            assert table["departures"].sum() == count - trips
            return seconds

        jobs = {OURS: ours}
        try:
            python = peers.install("gtfs-kit")
        except peers.PeerMissingError as reason:
            notes.append(f"gtfs-kit skipped: {reason}")
        else:
            command = [python, Path(__file__).with_name("gtfs_kit_run.py"), archive]
            server = PeerProcess([*command, f"{DAY:%Y%m%d}"])

            def peer():
                answer = server.ask()
                assert answer["departures"] == count
                notes[:] = [f"gtfs-kit {answer['version']}"]
                return answer["seconds"]

            jobs[PEER] = peer
        seconds = peers.interleaved(jobs, options.repeats)
        if server:
            server.close()
    peers.show(f"GTFS, {count} stop times: read and stop statistics", seconds, ours=OURS,
               notes=notes)  # fmt: skip
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return int(PEER in middle and middle[PEER] < GOAL * middle[OURS])


if __name__ == "__main__":
    sys.exit(main())
