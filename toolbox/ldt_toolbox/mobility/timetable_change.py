"""Changes of a timetable: a stop more, another headway."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.gtfs.day import filled_times, runs_of_day
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.supply import distance_m

NEW_STOP = "scenario-new-stop"
_REPLACED = "replaced by the scenario"
_METRES_A_DEGREE = 111_195.0


def with_stop(feed: Feed, lon: float, lat: float, *, farthest_m: float = 500.0) -> Feed:
    """Let all trips that pass a place halt there too.

    The new stop lies between the two successive stops whose straight line passes nearest; trips
    between these two halt there, in both directions, without losing time.

    Parameters
    ----------
    feed : Feed
        Any.
    lon, lat : float
        Place of the new stop, EPSG:4326.
    farthest_m : float
        How far from the line between two stops it may be.

    Returns
    -------
    Feed
        With one stop more, the last of its stops.

    Raises
    ------
    DataError
        If no trip passes so near.
    """
    times, stops = feed.stop_times, feed["stops"]
    follows = np.ones(len(times), bool)
    follows[times.start[1:][np.diff(times.start) > 0] - 1] = False
    first = np.flatnonzero(follows)
    x = (stops["stop_lon"].to_numpy() - lon) * np.cos(np.radians(lat)) * _METRES_A_DEGREE
    y = (stops["stop_lat"].to_numpy() - lat) * _METRES_A_DEGREE
    a, b = times.stop[first], times.stop[first + 1]
    dx, dy = x[b] - x[a], y[b] - y[a]
    length = np.maximum(dx**2 + dy**2, 1e-9)
    share = np.clip(-(x[a] * dx + y[a] * dy) / length, 0, 1)
    away = np.hypot(x[a] + share * dx, y[a] + share * dy)
    if not len(away) or np.nanmin(away) > farthest_m:
        least = f"{np.nanmin(away):.0f} m" if len(away) else "nowhere"
        raise DataError(
            f"new_stop: no trip passes within {farthest_m:g} m of {lon:g}, {lat:g} (the nearest: "
            f"{least}): move it to a route"
        )
    best = int(np.nanargmin(away))
    pair = {int(a[best]), int(b[best])}
    chosen = np.array([{int(p), int(q)} == pair for p, q in zip(a, b, strict=True)])
    at, part = first[chosen] + 1, share[chosen]
    arrival, departure, _ = filled_times(feed)
    halt = np.round(departure[at - 1] + part * (arrival[at] - departure[at - 1])).astype(np.int32)
    trip = times.trip[at - 1]
    more = np.zeros(len(times.start), np.int64)
    np.add.at(more, trip + 1, 1)
    row = pd.DataFrame(
        {
            "stop_id": [NEW_STOP],
            "stop_name": ["new stop"],
            "stop_lat": [lat],
            "stop_lon": [lon],
            "location_type": [0],
        }
    )
    known = pd.concat([stops, row.astype({c: stops[c].dtype for c in row})], ignore_index=True)
    changed = replace(
        times,
        start=times.start + np.cumsum(more),
        stop=np.insert(times.stop, at, np.int32(len(stops))),
        arrival_s=np.insert(arrival, at, halt),
        departure_s=np.insert(departure, at, halt),
        sequence=np.insert(times.sequence, at, times.sequence[at - 1]),
        distance=np.insert(times.distance, at, np.nan),
        pickup=np.insert(times.pickup, at, np.int8(-1)),
        drop_off=np.insert(times.drop_off, at, np.int8(-1)),
        timepoint=np.insert(times.timepoint, at, np.int8(-1)),
        row=np.insert(times.row, at, np.int32(-1)),
    )
    return replace(feed, tables={**feed.tables, "stops": known}, stop_times=changed)


def stop_gap_m(feed: Feed, lon: float, lat: float) -> float:
    """Distance from a place to the nearest stop of a feed, m."""
    stops = feed["stops"]
    here = np.full(len(stops), lon), np.full(len(stops), lat)
    return float(np.nanmin(distance_m(*here, stops["stop_lon"].to_numpy(np.float64),
                                      stops["stop_lat"].to_numpy(np.float64))))  # fmt: skip


def with_headway(feed: Feed, date: dt.date, route: str, headway_min: float) -> Feed:
    """Let a route run at an even headway between its first and last departure of a day.

    Each sequence of stops of each direction runs as its first trip of the day does, at the new
    headway from its first to its last departure.

    Parameters
    ----------
    feed : Feed
        Any.
    date : datetime.date
        Service day.
    route : str
        Short name or id of the route.
    headway_min : float
        Minutes between departures.

    Raises
    ------
    ParameterError
        If no such route runs that day; names the nearest.
    """
    routes, trips = feed["routes"], feed["trips"]
    named = routes["route_short_name"].fillna("") == route
    ids = routes.loc[named | (routes["route_id"] == route), "route_id"]
    of_route = trips["route_id"].isin(ids).to_numpy(bool)
    runs = runs_of_day(feed, date)
    mine = of_route[runs.trip]
    if not mine.any():
        known = sorted({str(name) for name in routes["route_short_name"].dropna()})
        raise ParameterError(
            f"new_headway: no route {route!r} runs on {date}: {nearest(route, known)}"
        )
    times = feed.stop_times
    departure = filled_times(feed)[1]
    begins = departure[times.start[runs.trip]] + runs.offset_s
    groups: dict[bytes, list[int]] = {}
    for run in np.flatnonzero(mine)[np.argsort(begins[mine], kind="stable")]:
        trip = int(runs.trip[run])
        key = times.stop[times.start[trip] : times.start[trip + 1]].tobytes()
        groups.setdefault(key, []).append(int(run))
    rows, templates = [], []
    for group in groups.values():
        first, last = group[0], group[-1]
        template = int(runs.trip[first])
        templates.append(template)
        rows.append(
            {
                "trip_id": trips["trip_id"].iloc[template],
                "start_time": int(begins[first]),
                "end_time": int(begins[last]) + 1,
                "headway_secs": round(60 * headway_min),
                "exact_times": 1,
            }
        )
    silent = of_route.copy()
    silent[templates] = False
    service = trips["service_id"].mask(pd.Series(silent, index=trips.index), _REPLACED)
    table = feed["frequencies"]
    kept = table[~table["trip_id"].isin(trips.loc[of_route, "trip_id"])]
    new = pd.DataFrame(rows).astype({c: table[c].dtype for c in rows[0]})
    tables = {
        **feed.tables,
        "trips": trips.assign(service_id=service),
        "frequencies": pd.concat([kept, new], ignore_index=True) if len(kept) else new,
    }
    return replace(feed, tables=tables)
