"""Rules on what happens along trips and shapes: times, speeds, distances."""

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

from ldt_toolbox.mobility.gtfs.notices import EXAMPLES, Notices
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.scan import MISSING
from ldt_toolbox.mobility.gtfs.supply import EARTH_RADIUS_M, distance_m

# StopTimeTravelSpeedValidator: km/h by route_type, others 200
SPEED_KMH = {0: 100.0, 1: 150.0, 2: 500.0, 3: 150.0, 4: 80.0, 5: 30.0, 6: 50.0, 7: 50.0,
             11: 150.0, 12: 150.0}  # fmt: skip
OTHER_SPEED_KMH = 200.0
FAR_KM = 10.0  # StopTimeTravelSpeedValidator: what two far stops are
SHAPE_DISTANCE_M = 100.0  # StopToShapeMatcherSettings
STATION_FACTOR = 4.0  # the same, for the ends of trains


def _note(notices: Notices, feed: Feed, code: str, column: str, wrong: NDArray[np.bool_]) -> None:
    at = np.flatnonzero(wrong)
    rows = np.sort(feed.stop_times.row[at])[:EXAMPLES] + 2
    notices.add(code, "stop_times", column, count=len(at), rows=rows.tolist())


def check_times(feed: Feed, notices: Notices) -> None:
    """Times that are missing or run backwards, distances that do not grow."""
    times = feed.stop_times
    if not len(times):
        return
    arrives, departs = times.arrival_s != MISSING, times.departure_s != MISSING
    both = "arrival_time, departure_time"
    _note(notices, feed, "stop_time_with_only_arrival_or_departure_time", both, arrives != departs)
    ends = np.zeros(len(times), bool)
    some = np.diff(times.start) > 0
    ends[times.start[:-1][some]] = True
    ends[times.start[1:][some] - 1] = True
    _note(notices, feed, "missing_trip_edge", both, ends & ~(arrives & departs))
    exact = (times.timepoint == 1) & ~(arrives & departs)
    _note(notices, feed, "stop_time_timepoint_without_times", both, exact)
    latest = _latest_before(times.start, times.departure_s)
    early = arrives & (latest != MISSING) & (times.arrival_s < latest)
    early |= arrives & departs & (times.departure_s < times.arrival_s)
    code = "stop_time_with_arrival_before_previous_departure_time"
    _note(notices, feed, code, both, early)
    distance = times.distance
    falls = np.zeros(len(times), bool)
    falls[1:] = (distance[1:] <= distance[:-1]) & (times.stop[1:] != times.stop[:-1])
    falls[times.start[:-1][some]] = False
    code = "decreasing_or_equal_stop_time_distance"
    _note(notices, feed, code, "shape_dist_traveled", falls)


@numba.njit(cache=True, nogil=True)
def _latest_before(start, departure):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Last departure of the trip before each stop time, MISSING at its first."""
    out = np.full(len(departure), MISSING, np.int32)
    for t in range(len(start) - 1):
        last = MISSING
        for i in range(start[t], start[t + 1]):
            out[i] = last
            if departure[i] != MISSING:
                last = departure[i]
    return out


@numba.njit(cache=True, nogil=True)
def _fast(start, arrival, departure, hop_km, limit):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Hops that are too fast, and trips that are too fast between far stops."""
    hops = np.zeros(len(arrival), np.bool_)
    far = np.zeros(len(arrival), np.bool_)
    for t in range(len(start) - 1):
        found = False
        for end in range(start[t] + 1, start[t + 1]):
            if arrival[end] == MISSING:
                continue
            distance = 0.0
            for begin in range(end - 1, start[t] - 1, -1):
                distance += hop_km[begin + 1]
                if departure[begin] == MISSING:
                    continue
                seconds = arrival[end] - departure[begin]
                if seconds <= 0:
                    seconds = 60
                elif arrival[end] % 60 == 0 and departure[begin] % 60 == 0:
                    seconds += 60  # times in whole minutes may be half a minute off at each end
                if distance * 3600 > limit[t] * seconds:
                    if begin == end - 1:
                        hops[end] = True
                    if distance > FAR_KM and not found:
                        far[end] = True  # once a trip
                        found = True
                if found:
                    break  # what is left are neighbours
    return hops, far


def check_speed(feed: Feed, notices: Notices) -> None:
    """Vehicles that would be too fast between neighbouring or far stops."""
    times = feed.stop_times
    if len(times) < 2:
        return
    where = positions(feed)
    x, y = where[times.stop].T
    hop = np.zeros(len(times))
    hop[1:] = np.nan_to_num(distance_m(x[:-1], y[:-1], x[1:], y[1:]) / 1000)
    kinds = dict(zip(feed["routes"]["route_id"], feed["routes"]["route_type"], strict=True))
    limits = np.array([
        SPEED_KMH.get(int(kinds[route]), OTHER_SPEED_KMH)
        if route in kinds and kinds[route] == kinds[route] else OTHER_SPEED_KMH
        for route in feed["trips"]["route_id"].astype(object)
    ])  # fmt: skip
    hops, far = _fast(times.start, times.arrival_s, times.departure_s, hop, limits)
    _note(notices, feed, "fast_travel_between_consecutive_stops", "arrival_time", hops)
    _note(notices, feed, "fast_travel_between_far_stops", "arrival_time", far)


def positions(feed: Feed) -> NDArray[np.float64]:
    """Longitude and latitude of each stop, of its parent where it has none itself."""
    stops = feed["stops"].drop_duplicates("stop_id").set_index("stop_id")
    parent = stops.reindex(feed["stops"]["parent_station"])
    own = feed["stops"][["stop_lon", "stop_lat"]].to_numpy(np.float64)
    return np.where(np.isfinite(own), own, parent[["stop_lon", "stop_lat"]].to_numpy(np.float64))


def check_shapes(feed: Feed, notices: Notices) -> None:
    """Distances along shapes, and stops too far from the shape of their trip."""
    shapes = feed["shapes"].dropna(subset=["shape_id", "shape_pt_sequence"])
    shapes = shapes.sort_values(["shape_id", "shape_pt_sequence"], kind="stable")
    if shapes.empty:
        return
    rows = shapes.index.to_numpy() + 2
    same = (shapes["shape_id"] == shapes["shape_id"].shift()).to_numpy(bool)
    change = shapes["shape_dist_traveled"].diff().to_numpy(np.float64)
    moved = (shapes[["shape_pt_lat", "shape_pt_lon"]].diff() != 0).any(axis=1).to_numpy(bool)
    for code, wrong in (
        ("decreasing_shape_distance", same & (change < 0)),
        ("equal_shape_distance_diff_coordinates", same & (change == 0) & moved),
        ("equal_shape_distance_same_coordinates", same & (change == 0) & ~moved),
    ):
        at = rows[wrong]
        notices.add(code, "shapes", "shape_dist_traveled", count=len(at), rows=at.tolist())
    _check_stops_by_shapes(feed, notices)


def _check_stops_by_shapes(feed: Feed, notices: Notices) -> None:
    """Each stop once for each shape of its trips, in a plane tangent to the shape."""
    times, trips = feed.stop_times, feed["trips"]
    shapes = feed["shapes"].dropna(subset=["shape_id", "shape_pt_lat", "shape_pt_lon"])
    shapes = shapes.sort_values(["shape_id", "shape_pt_sequence"], kind="stable")
    where = positions(feed)
    trains = set(feed["routes"].loc[(feed["routes"]["route_type"] == 2).fillna(False), "route_id"])
    of_shape = trips.groupby("shape_id").indices
    wrong = np.zeros(len(times), bool)
    for shape, points in shapes.groupby("shape_id"):
        path = points[["shape_pt_lon", "shape_pt_lat"]].to_numpy()
        parts = [np.arange(times.start[t], times.start[t + 1]) for t in of_shape.get(shape, [])]
        if not parts or len(path) < 2:
            continue
        at = np.concatenate(parts)
        limit = np.full(len(at), SHAPE_DISTANCE_M)
        train = trips["route_id"].isin(trains).to_numpy(bool)[times.trip[at]] if trains else None
        if train is not None:
            ends = np.concatenate(
                [np.isin(part, [part[0], part[-1]]) for part in parts if len(part)]
            )
            limit[train & ends] *= STATION_FACTOR
        scale = np.radians(EARTH_RADIUS_M) * np.array([np.cos(np.radians(path[:, 1].mean())), 1.0])
        line = shapely.LineString((path - path[0]) * scale)
        shapely.prepare(line)
        _, first = np.unique(times.stop[at], return_index=True)
        place = (where[times.stop[at[first]]] - path[0]) * scale
        away = shapely.distance(shapely.points(place), line)
        wrong[at[first[away > limit[first]]]] = True
    _note(notices, feed, "stop_too_far_from_shape", "stop_id", wrong)
