"""What public transport offers on a day: departures, headways, span, speed, vehicle-kilometres."""

import datetime as dt
from collections.abc import Sequence

import numba
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.gtfs.day import filled_times, runs_of_day
from ldt_toolbox.mobility.gtfs.read import Feed

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
# Longest median headway, minutes, of each class
FREQUENCY_CLASSES = {"every 10 min": 10.0, "every 20 min": 20.0, "hourly": 60.0}
RARE = "less than hourly"


def distance_m(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64],
    to_longitude: NDArray[np.float64], to_latitude: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Great-circle distance by the haversine formula, degrees (EPSG:4326) to metres."""
    a, b = np.radians(latitude), np.radians(to_latitude)
    half = np.sin((b - a) / 2) ** 2
    half = half + np.cos(a) * np.cos(b) * np.sin(np.radians(to_longitude - longitude) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1))))


@numba.njit(cache=True, nogil=True)
def _by_group(runs, start, departure, boards, group_of, groups, routes, route_count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Departures of each group in order, and how many routes serve it."""
    run_trip, run_offset = runs
    begin = np.zeros(groups + 1, np.int64)
    for r in range(len(run_trip)):
        for i in range(start[run_trip[r]], start[run_trip[r] + 1] - 1):
            if boards[i]:
                begin[group_of[i] + 1] += 1
    for g in range(groups):
        begin[g + 1] += begin[g]
    times = np.empty(begin[-1], np.int32)
    route = np.empty(begin[-1], np.int32)
    place = begin[:-1].copy()
    for r in range(len(run_trip)):
        for i in range(start[run_trip[r]], start[run_trip[r] + 1] - 1):
            if boards[i]:
                g = group_of[i]
                times[place[g]] = departure[i] + run_offset[r]
                route[place[g]] = routes[run_trip[r]]
                place[g] += 1
    served = np.zeros(groups, np.int32)
    seen = np.full(route_count, -1, np.int32)
    for g in range(groups):
        for k in range(begin[g], begin[g + 1]):
            if seen[route[k]] != g:
                seen[route[k]] = g
                served[g] += 1
        times[begin[g] : begin[g + 1]].sort()
    return times, begin, served


@numba.njit(cache=True, nogil=True)
def _statistics(times, begin, low, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Count, median and P90 of gaps, first and last of sorted times within a period."""
    groups = len(begin) - 1
    out = np.full((groups, 5), np.nan)
    for g in range(groups):
        inside = times[begin[g] : begin[g + 1]]
        first, last = np.searchsorted(inside, low), np.searchsorted(inside, high)
        n = last - first
        out[g, 0] = n
        if n == 0:
            continue
        out[g, 3], out[g, 4] = inside[first], inside[last - 1]
        if n < 2:
            continue
        gaps = np.sort(inside[first + 1 : last] - inside[first : last - 1])
        for column, share in ((1, 0.5), (2, 0.9)):
            at = share * (n - 2)
            k = int(at)
            above = gaps[min(k + 1, n - 2)]
            out[g, column] = gaps[k] + (at - k) * (above - gaps[k])
    return out


def _frame(statistics: NDArray[np.float64], hours: float) -> pd.DataFrame:
    count, median, p90, first, last = statistics.T
    return pd.DataFrame({
        "departures": count.astype(np.int64), "departures_per_hour": count / hours,
        "headway_median_min": median / 60, "headway_p90_min": p90 / 60,
        "first_departure_s": first, "last_departure_s": last,
    })  # fmt: skip


def _checked(period_s: tuple[int, int]) -> float:
    low, high = period_s
    if not high > low:
        raise ParameterError(f"period_s is {period_s}: give its begin and a later end in seconds")
    return (high - low) / 3600


def stop_supply(
    feed: Feed, date: dt.date, *, period_s: tuple[int, int] = (0, 172_800)
) -> pd.DataFrame:
    """Departures of each stop on a service day.

    Parameters
    ----------
    feed : Feed
        Any.
    date : datetime.date
        Service day.
    period_s : tuple of int
        Begin and end, seconds since midnight, end not included; by default the whole service day
        with what runs after midnight.

    Returns
    -------
    pandas.DataFrame
        Index stop_id, rows as in stops: ``departures`` (where passengers may board, all routes
        and directions; the end of a trip is none), ``departures_per_hour``,
        ``headway_median_min`` and ``headway_p90_min`` of the gaps between successive departures
        (linear between ranks, NaN with fewer than two), ``first_departure_s``,
        ``last_departure_s``, ``routes`` and ``frequency_class``.
    """
    hours = _checked(period_s)
    times, begin, served = _departures(feed, date, feed.stop_times.stop, len(feed["stops"]))
    out = _frame(_statistics(times, begin, *period_s), hours)
    out["routes"] = served
    out["frequency_class"] = frequency_class(out["headway_median_min"], out["departures"])
    out.index = pd.Index(feed["stops"]["stop_id"], name="stop_id")
    return out


def _departures(
    feed: Feed, date: dt.date, group_of: NDArray[np.int32], groups: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    stop_times = feed.stop_times
    runs, departures = runs_of_day(feed, date), filled_times(feed)[1]
    routes = pd.Index(feed["routes"]["route_id"].drop_duplicates())
    route = routes.get_indexer(feed["trips"]["route_id"])
    times, begin, served = _by_group(
        runs, stop_times.start, departures, stop_times.pickup != 1,
        group_of, groups, np.where(route < 0, len(routes), route), len(routes) + 1,
    )  # fmt: skip
    return times, begin, served


def frequency_class(headway_median_min: pd.Series, departures: pd.Series) -> pd.Series:
    """Class of a stop by its median headway.

    Returns
    -------
    pandas.Series of str
        One of ``FREQUENCY_CLASSES``, "less than hourly", or "none" without any departure.
    """
    out = pd.Series(RARE, index=headway_median_min.index, dtype=object)
    for name, limit in reversed(FREQUENCY_CLASSES.items()):
        out[headway_median_min <= limit] = name
    out[departures == 0] = "none"
    return out


def trip_lengths_m(feed: Feed) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Length of each trip, and whether it is that of its shape.

    Returns
    -------
    tuple of numpy.ndarray
        Metres; along the shape where there is one, for the part between the first and the last
        stop if the feed gives ``shape_dist_traveled`` on both; else straight from stop to stop.
    """
    times, stops, trips = feed.stop_times, feed["stops"], feed["trips"]
    x, y = (stops[c].to_numpy(np.float64)[times.stop] for c in ("stop_lon", "stop_lat"))
    steps = np.zeros(len(times) + 1)
    if len(times) > 1:
        hop = np.nan_to_num(distance_m(x[:-1], y[:-1], x[1:], y[1:]))
        hop[np.diff(times.trip) != 0] = 0
        steps[2:] = np.cumsum(hop)
    first, last = times.start[:-1], np.maximum(times.start[1:], times.start[:-1] + 1)
    straight = np.where(np.diff(times.start) > 0, steps[np.minimum(last, len(times))], 0)
    straight = straight - np.where(
        np.diff(times.start) > 0, steps[np.minimum(first + 1, len(times))], 0
    )
    shapes = feed["shapes"].dropna(subset=["shape_id", "shape_pt_lat", "shape_pt_lon"])
    shapes = shapes.sort_values(["shape_id", "shape_pt_sequence"], kind="stable")
    if shapes.empty:
        return straight, np.zeros(len(trips), bool)
    lon, lat = shapes["shape_pt_lon"].to_numpy(), shapes["shape_pt_lat"].to_numpy()
    hop = np.r_[0, distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])]
    hop[shapes["shape_id"].ne(shapes["shape_id"].shift()).to_numpy()] = 0
    measured = shapes.assign(hop=hop).groupby("shape_id").agg(
        length=("hop", "sum"), low=("shape_dist_traveled", "min"),
        high=("shape_dist_traveled", "max"),
    )  # fmt: skip
    of_trip = measured.reindex(trips["shape_id"])
    some = np.diff(times.start) > 0
    begin, end = np.full(len(trips), np.nan), np.full(len(trips), np.nan)
    begin[some] = times.distance[times.start[:-1][some]]
    end[some] = times.distance[times.start[1:][some] - 1]
    part = (end - begin) / (of_trip["high"] - of_trip["low"]).to_numpy()
    part = np.where((part > 0) & (part <= 1), part, 1.0)
    along = of_trip["length"].to_numpy() * part
    known = np.isfinite(along) & (along > 0)
    return np.where(known, along, straight), known


def route_supply(
    feed: Feed, date: dt.date, *, period_s: tuple[int, int] = (0, 172_800)
) -> pd.DataFrame:
    """Service of each route and direction on a day.

    Parameters
    ----------
    feed, date, period_s
        See ``stop_supply``; a run belongs to the period in which it starts.

    Returns
    -------
    pandas.DataFrame
        Index route_id and direction_id (-1 where the feed gives none), only those that run:
        ``departures`` of vehicles from their first stop, ``departures_per_hour``, headways, first
        and last departure as in ``stop_supply``; ``speed_kmh`` (commercial: length over time from
        the first departure to the last arrival, waiting at stops included), ``service_km``
        (vehicle-kilometres) and ``shape_share`` (of them, measured along shapes).
    """
    hours = _checked(period_s)
    times, trips = feed.stop_times, feed["trips"]
    arrivals, departures, _ = filled_times(feed)
    runs = runs_of_day(feed, date)
    begins = departures[times.start[runs.trip]] + runs.offset_s
    inside = (begins >= period_s[0]) & (begins < period_s[1])
    trip, begins = runs.trip[inside], begins[inside]
    length, shaped = trip_lengths_m(feed)
    table = pd.DataFrame({
        "route_id": trips["route_id"].to_numpy()[trip],
        "direction_id": trips["direction_id"].fillna(-1).to_numpy(np.int64)[trip],
        "begin": begins, "km": length[trip] / 1000,
        "shape_km": np.where(shaped, length, 0)[trip] / 1000,
        "hours": (arrivals[times.start[trip + 1] - 1] - departures[times.start[trip]]) / 3600,
    }).sort_values(["route_id", "direction_id", "begin"], kind="stable")  # fmt: skip
    groups = table.groupby(["route_id", "direction_id"])
    begin = np.r_[0, np.cumsum(groups.size().to_numpy())].astype(np.int64)
    starts = table["begin"].to_numpy(np.int32)
    out = _frame(_statistics(starts, begin, *period_s), hours)
    total = groups[["km", "shape_km", "hours"]].sum()
    out.index = total.index
    out["speed_kmh"] = (total["km"] / total["hours"]).where(total["hours"] > 0)
    out["service_km"] = total["km"]
    out["shape_share"] = (total["shape_km"] / total["km"]).where(total["km"] > 0)
    return out


def stops_within(
    feed: Feed, area: BaseGeometry, *, location_types: Sequence[int] = (0,)
) -> NDArray[np.bool_]:
    """Which rows of stops lie in a territory.

    Parameters
    ----------
    feed : Feed
        Any; its stops may cover a whole country.
    area : shapely geometry
        Territory in EPSG:4326, its edge included.
    location_types : sequence of int
        Kinds of location wanted; 0 (also where the feed gives none) are stops and platforms.

    Returns
    -------
    numpy.ndarray of bool, shape (stops,)
        The count of those left out is for the caller to show. Trips are kept whole: they also
        serve who travels beyond the territory.
    """
    stops = feed["stops"]
    shapely.prepare(area)
    inside = shapely.intersects_xy(area, stops["stop_lon"].to_numpy(), stops["stop_lat"].to_numpy())
    kind = stops["location_type"].fillna(0).isin(list(location_types))
    return np.asarray(inside & kind.to_numpy(bool), bool)
