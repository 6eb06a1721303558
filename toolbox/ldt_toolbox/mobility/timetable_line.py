"""New lines of public transport, drawn on the map."""

import datetime as dt
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.gtfs.read import Feed, StopTimes
from ldt_toolbox.mobility.gtfs.supply import distance_m

ROUTE_TYPES = {"tram": 0, "metro": 1, "rail": 2, "bus": 3, "ferry": 4}
SPEED_KMH = 18.0  # halts included; an assumption for town buses
FIRST_H, LAST_H = 6.0, 22.0
_SERVICE = "scenario-new-line"


@dataclass(frozen=True)
class NewLine:
    """A line that runs both ways at an even headway.

    Attributes
    ----------
    name : str
        Its short name.
    mode : str
        One of `ROUTE_TYPES`.
    places : tuple of tuple of float
        Longitude and latitude of each stop in turn (EPSG:4326).
    headway_min : float
        Minutes between departures.
    speed_kmh : float
        From stop to stop along the drawn line, halts included.
    first_h, last_h : float
        First and last departure from either end, hours since midnight.
    """

    name: str
    mode: str
    places: tuple[tuple[float, float], ...]
    headway_min: float
    speed_kmh: float = SPEED_KMH
    first_h: float = FIRST_H
    last_h: float = LAST_H


def drawn_lines(frame: gpd.GeoDataFrame) -> tuple[NewLine, ...]:
    """Read lines whose vertices are their stops.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Lines with `headway_min`, and `name`, `mode`, `speed_kmh`, `first_h`, `last_h` where known.

    Raises
    ------
    DataError
        If a row is no single line, or one of its values cannot be.
    """
    lines = []
    for k, row in enumerate(frame.to_crs("EPSG:4326").to_dict("records")):
        told = {key: value for key, value in row.items() if pd.notna(value)}
        where = f"new_lines, row {k + 1}"
        shape = told.get("geometry")
        if not isinstance(shape, shapely.LineString) or len(shape.coords) < 2:
            raise DataError(f"{where}: draw one line with a vertex at each stop, two or more")
        mode = str(told.get("mode", "bus"))
        if mode not in ROUTE_TYPES:
            raise DataError(f"{where}: mode is {mode!r}: use {', '.join(ROUTE_TYPES)}")
        limits = {"headway_min": (0.5, 1440), "speed_kmh": (1, 400), "first_h": (0, 30),
                  "last_h": (0, 30)}  # fmt: skip
        numbers = {}
        for key, (low, high) in limits.items():
            if key in told or key == "headway_min":
                value = pd.to_numeric(str(told.get(key)), errors="coerce")
                if not low <= value <= high:
                    raise DataError(f"{where}: {key} is {told.get(key)}: give {low} to {high}")
                numbers[key] = float(value)
        places = tuple((float(x), float(y)) for x, y in shapely.get_coordinates(shape))
        line = NewLine(str(told.get("name", f"new line {k + 1}")), mode, places, **numbers)
        if line.last_h < line.first_h:
            raise DataError(f"{where}: last_h is {line.last_h:g}, before first_h {line.first_h:g}")
        lines.append(line)
    return tuple(lines)


def with_new_line(feed: Feed, date: dt.date, line: NewLine) -> Feed:
    """Let a new line run on a day.

    Parameters
    ----------
    feed, date
        As in `timetable_change.with_headway`.
    line : NewLine
        What runs.

    Returns
    -------
    Feed
        With stops of its own for the line, the last of the feed's, in the order drawn; one route,
        and a trip in each direction that repeats by frequency.
    """
    stops, trips = feed["stops"], feed["trips"]
    place = np.array(line.places)
    route = f"{_SERVICE}-{len(trips)}"
    ids = [f"{route}-{k + 1}" for k in range(len(place))]
    rows = {
        "stops": {"stop_id": ids, "stop_name": [line.name] * len(ids), "stop_lon": place[:, 0],
                  "stop_lat": place[:, 1], "location_type": [0] * len(ids)},
        "routes": {"route_id": [route], "route_short_name": [line.name],
                   "route_type": [ROUTE_TYPES[line.mode]]},
        "trips": {"route_id": [route] * 2, "service_id": [_SERVICE] * 2,
                  "trip_id": [f"{route}-there", f"{route}-back"], "direction_id": [0, 1]},
        "calendar_dates": {"service_id": [_SERVICE], "date": [pd.Timestamp(date)],
                           "exception_type": [1]},
        "frequencies": {
            "trip_id": [f"{route}-there", f"{route}-back"],
            "start_time": [round(3600 * line.first_h)] * 2,
            "end_time": [round(3600 * line.last_h) + 1] * 2,
            "headway_secs": [round(60 * line.headway_min)] * 2, "exact_times": [1, 1],
        },
    }  # fmt: skip
    tables = dict(feed.tables)
    for name, columns in rows.items():
        tables[name] = _with_rows(tables[name], pd.DataFrame(columns))
    gap = distance_m(*place[:-1].T, *place[1:].T)
    run = np.round(3.6 * np.r_[0.0, np.cumsum(gap)] / line.speed_kmh).astype(np.int32)
    number = len(stops) + np.arange(len(place), dtype=np.int32)
    times = _longer(feed.stop_times, number, run)
    times = _longer(times, number[::-1], run[-1] - run[::-1])
    return replace(feed, tables=tables, stop_times=times)


def _with_rows(table: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    filled = more.reindex(columns=table.columns)
    filled = filled.astype({c: table[c].dtype for c in table.columns})
    both = pd.concat([table, filled], ignore_index=True) if len(table) else filled
    return both.drop_duplicates(ignore_index=True) if "exception_type" in more else both


def _longer(times: StopTimes, stop: NDArray[np.int32], run_s: NDArray[np.int32]) -> StopTimes:
    """One trip more, that begins at midnight."""
    count = len(stop)
    unknown = np.full(count, -1, np.int8)
    return replace(
        times,
        start=np.r_[times.start, times.start[-1] + count],
        stop=np.r_[times.stop, stop].astype(np.int32),
        arrival_s=np.r_[times.arrival_s, run_s].astype(np.int32),
        departure_s=np.r_[times.departure_s, run_s].astype(np.int32),
        sequence=np.r_[times.sequence, np.arange(count)].astype(np.int32),
        distance=np.r_[times.distance, np.full(count, np.nan)],
        pickup=np.r_[times.pickup, unknown],
        drop_off=np.r_[times.drop_off, unknown],
        timepoint=np.r_[times.timepoint, unknown],
        row=np.r_[times.row, np.full(count, -1)].astype(np.int32),
    )
