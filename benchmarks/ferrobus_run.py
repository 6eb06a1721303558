"""Travel times by ferrobus, in its own environment: a line read, a matrix computed, a line written.

Arguments: a JSON file with streets, gtfs, points (.npy of longitude, latitude), date or null,
max_transfer_s, max_walk_s, nearest_stops, departure_s, rides, out (.npy; -1 where unreached) and
thorough: whether its slower one-to-many search is asked, which looks at more ways to arrive; what
it walks all the way counts as unreached then.
"""

import datetime as dt
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import ferrobus
import numpy as np


def main():
    told = json.loads(Path(sys.argv[1]).read_text())
    date = dt.date.fromisoformat(told["date"]) if told["date"] else None
    model = ferrobus.create_transit_model(
        told["streets"], [told["gtfs"]], date, max_transfer_time=told["max_transfer_s"]
    )
    points = [
        ferrobus.create_transit_point(
            latitude, longitude, model, max_walking_time=told["max_walk_s"],
            max_nearest_stops=told["nearest_stops"],
        )
        for longitude, latitude in np.load(told["points"])
    ]  # fmt: skip
    for _ in sys.stdin:
        started = time.perf_counter()
        # its "max_transfers" counts rides: with 0 there is only walking
        when, rides = told["departure_s"], told["rides"]
        if told["thorough"]:
            found = [
                [
                    route["travel_time_seconds"] if route and route["used_transit"] else None
                    for route in ferrobus.find_routes_one_to_many(model, point, points, when, rides)
                ]
                for point in points
            ]
        else:
            found = ferrobus.travel_time_matrix(model, points, when, rides)
        seconds = time.perf_counter() - started
        np.save(told["out"], [[-1 if x is None else x for x in row] for row in found])
        print(json.dumps({"seconds": seconds, "version": version("ferrobus")}), flush=True)


if __name__ == "__main__":
    main()
