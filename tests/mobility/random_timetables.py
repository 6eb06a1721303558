"""Random timetables with every difficulty at once, and a slow router to judge the fast one by."""

import heapq
from dataclasses import dataclass

import numpy as np
from ldt_toolbox.mobility.timetable import build_timetable, walks


@dataclass
class Town:
    """Trips as lists of (stop, arrival, departure, can board, can alight)."""

    stops: int
    trips: list
    footpaths: list  # (from stop, to stop, seconds)
    change_s: list
    access: list  # (stop, seconds)

    def timetable(self):
        rows = [row for trip in self.trips for row in trip]
        columns = list(zip(*rows, strict=True)) if rows else [[], [], [], [], []]
        start = np.concatenate([[0], np.cumsum([len(trip) for trip in self.trips])])
        from_stop, to_stop, seconds = list(zip(*self.footpaths, strict=True)) or ([], [], [])
        return build_timetable(
            start, columns[0], columns[1], columns[2], stops=self.stops, can_board=columns[3],
            can_alight=columns[4], change_s=self.change_s,
            footpaths=walks(from_stop, to_stop, seconds, places=self.stops, stops=self.stops),
        )  # fmt: skip


def random_town(rng):
    """Few stops and many lines: overtaking, loops, stops twice in a row, past midnight."""
    stops = int(rng.integers(2, 13))
    trips = []
    for _ in range(int(rng.integers(1, 7))):
        path = rng.integers(0, stops, int(rng.integers(1, 7)))
        forbidden = rng.random((len(path), 2)) < 0.1
        for _ in range(int(rng.integers(1, 7))):
            time = int(rng.integers(-1800, 5400)) + (86400 if rng.random() < 0.1 else 0)
            trip = []
            for i, stop in enumerate(path):
                arrival = time
                time += int(rng.integers(0, 3)) * 30
                trip.append((int(stop), arrival, time, not forbidden[i, 0], not forbidden[i, 1]))
                time += int(rng.integers(0, 20)) * 30  # express and slow: they overtake
            trips.append(trip)
    pairs = rng.integers(0, stops, (int(rng.integers(0, 2 * stops)), 2))
    footpaths = [(int(a), int(b), int(rng.integers(0, 900))) for a, b in pairs]
    change_s = rng.integers(0, 4, stops) * 60 if rng.random() < 0.5 else np.zeros(stops, int)
    access = [
        (int(stop), int(rng.integers(0, 600)))
        for stop in rng.choice(stops, int(rng.integers(1, min(stops, 4) + 1)), replace=False)
    ]
    return Town(stops, trips, footpaths, [int(c) for c in change_s], access)


def slow_arrivals(town, departure_s, rides, cutoff_s):
    """Dijkstra on the time-expanded graph: one node a trip and stop time, and number of rides.

    Returns the earliest time of stepping off at each stop after at most 0, 1, ... rides.
    """
    limit = departure_s + cutoff_s
    rode = [[None] * town.stops for _ in range(rides + 1)]
    heap, done = [], set()

    def push(time, node):
        if time <= limit and node not in done:
            heapq.heappush(heap, (time, node))

    for stop, seconds in town.access:
        push(departure_s + seconds, ("ready", 0, stop, 0))
    while heap:
        time, node = heapq.heappop(heap)
        if node in done:
            continue
        done.add(node)
        kind, k, a, i = node
        if kind == "ready" and k < rides:  # at stop a, free to board whatever leaves from now on
            for number, trip in enumerate(town.trips):
                for j, (stop, _, departure, board, _) in enumerate(trip):
                    if stop == a and board and departure >= time:
                        push(departure, ("aboard", k + 1, number, j))
        elif kind == "aboard" and i + 1 < len(town.trips[a]):  # trip a leaves its stop time i
            stop, arrival, departure, _, alight = town.trips[a][i + 1]
            push(departure, ("aboard", k, a, i + 1))
            if alight:
                push(arrival, ("off", k, stop, 0))
        elif kind == "off":
            if rode[k][a] is None or time < rode[k][a]:
                rode[k][a] = time
            push(time + town.change_s[a], ("ready", k, a, 0))
            for here, there, seconds in town.footpaths:
                if here == a:
                    push(time + seconds, ("ready", k, there, 0))
    for k in range(1, rides + 1):
        for stop in range(town.stops):
            known = [t for t in (rode[k - 1][stop], rode[k][stop]) if t is not None]
            rode[k][stop] = min(known) if known else None
    return rode
