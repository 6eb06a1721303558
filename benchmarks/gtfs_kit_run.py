"""GTFS read and stop statistics by gtfs-kit, in its own environment: once for each line read.

Usage: python gtfs_kit_run.py FEED.zip YYYYMMDD
"""

import json
import sys
import time
import warnings
from importlib.metadata import version

import gtfs_kit


def main():
    warnings.simplefilter("ignore")
    for _ in sys.stdin:
        started = time.perf_counter()
        feed = gtfs_kit.read_feed(sys.argv[1], dist_units="km")
        table = feed.compute_stop_stats([sys.argv[2]])
        seconds = time.perf_counter() - started
        departures = int(table["num_trips"].sum())
        print(json.dumps({"seconds": seconds, "version": version("gtfs-kit"),
                          "departures": departures}), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
