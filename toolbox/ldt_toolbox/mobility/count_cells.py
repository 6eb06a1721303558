"""Cells of tables of counts: where they stand, and what is written there."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.models.positions import Area
from ldt_toolbox.models.positions import fault as position_fault


@dataclass(frozen=True)
class Columns:
    """Where a table holds what; empty: it doesn't.

    Attributes
    ----------
    site, lane, vehicle_type : str
        Together they name a series. Empty lane or type: all together.
    start, end : str
        Times of the interval.
    period : str
        ISO 8601 interval ``start/end``; read where `start` or `end` hold nothing.
    count : str
        Vehicles in the interval (`intensity` of TrafficFlowObserved by its definition).
    flow_per_h : str
        Vehicles per hour (what many write into `intensity` all the same); read if `count` is
        empty.
    occupancy, speed : str
        Share of time over the sensor, mean speed.
    lanes : str
        Number of lanes that the counter covers.
    longitude_deg, latitude_deg : str
        EPSG:4326.
    geometry : str
        Geometries, in EPSG:4326 if they have no CRS; of lines and areas a point on them counts.
    """

    site: str
    start: str = ""
    end: str = ""
    period: str = ""
    count: str = ""
    flow_per_h: str = ""
    occupancy: str = ""
    speed: str = ""
    vehicle_type: str = ""
    lane: str = ""
    lanes: str = ""
    longitude_deg: str = ""
    latitude_deg: str = ""
    geometry: str = ""


TRAFFIC_FLOW_OBSERVED = Columns(
    site="id", start="dateObservedFrom", end="dateObservedTo", period="dateObserved",
    count="intensity", occupancy="occupancy", speed="averageVehicleSpeed",
    vehicle_type="vehicleType", lane="laneId", geometry="location",
)  # fmt: skip
"""Entities of this type as `models.frames.to_frame` gives them; replace `site` where each entity
is one observation, for example by `refRoadSegment`."""

SENSOR_THINGS = Columns(
    site="datastream", period="phenomenonTime", count="result",
    longitude_deg="longitude_deg", latitude_deg="latitude_deg",
)  # fmt: skip
"""Observations of SensorThings API 1.1 as a tidy table, a row an observation."""


def texts(table: pd.DataFrame, name: str) -> pd.Series:
    """Texts of a column, numbers without a fraction as integers; empty where there is nothing."""
    if not name or name not in table:
        return pd.Series("", index=table.index, dtype=object)
    column = table[name].astype(object)
    written = [
        "" if one is None or one is pd.NA or one != one
        else str(int(one)) if isinstance(one, float) and one.is_integer()
        else str(one).strip()
        for one in column
    ]  # fmt: skip
    return pd.Series(written, index=table.index, dtype=object)


def written_times(table: pd.DataFrame, columns: Columns) -> tuple[pd.Series, pd.Series]:
    """Starts and ends as they are written, out of two columns or out of intervals."""
    empty = pd.Series(None, index=table.index, dtype=object)
    pair = [
        table[name].astype(object) if name and name in table else empty.copy()
        for name in (columns.start, columns.end)
    ]
    pair = [one.where(one.notna() & (one != ""), None) for one in pair]
    if columns.period and columns.period in table:
        parts = [
            one.split("/") if isinstance(one, str) and one.count("/") == 1 else [one, None]
            for one in table[columns.period].astype(object)
        ]
        use = pair[0].isna()
        for place in (0, 1):
            other = pd.Series([part[place] for part in parts], index=table.index, dtype=object)
            pair[place] = pair[place].where(~use, other.where(other.notna(), None))
    return pair[0], pair[1]


def numbers(
    table: pd.DataFrame, name: str, decimal: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values of a column, and which hold something that is no number."""
    if not name or name not in table:
        return np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
    column = table[name]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        values = column.to_numpy(np.float64)
        return np.where(np.isinf(values), np.nan, values), np.isinf(values)
    read = [_number(one, decimal) for one in column.astype(object)]
    values = np.array([np.nan if one is None else one for one in read], np.float64)
    return values, np.array([one is None for one in read], bool)


def _number(value: object, decimal: str) -> float | None:
    """A number, NaN where there is nothing, None for what is no number."""
    if value is None or value is pd.NA or value is pd.NaT:
        return float("nan")
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, str):
        text = "".join(value.split())
        if not text:
            return float("nan")
        if decimal == ",":
            if "." in text:
                return None
            text = text.replace(",", ".")
        value = text if text.isascii() and "_" not in text else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return None if np.isinf(number) or (isinstance(value, str) and number != number) else number


def positions(
    table: pd.DataFrame, columns: Columns, bbox: Sequence[float] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], pd.Series]:
    """Longitudes, latitudes and the fault of each; none where the table has no positions."""
    nothing = np.full(len(table), np.nan)
    fault = pd.Series("", index=table.index, dtype=object)
    pair = (columns.longitude_deg, columns.latitude_deg)
    if columns.geometry and columns.geometry in table:
        shapes = gpd.GeoSeries(table[columns.geometry])
        if shapes.crs is not None and not shapes.crs.equals("EPSG:4326"):
            shapes = shapes.to_crs("EPSG:4326")
        shapes = shapes.representative_point()
        east, north = (np.asarray(one, np.float64) for one in (shapes.x, shapes.y))
    elif all(pair) and all(name in table for name in pair):
        east, north = (numbers(table, name, ".")[0] for name in pair)
    else:
        return nothing, nothing, fault
    area = None if bbox is None else Area(*bbox)
    known: dict[tuple[float, float], str] = {}
    codes = []
    for point in zip(east.tolist(), north.tolist(), strict=True):
        if point[0] != point[0] or point[1] != point[1]:
            codes.append("no-geometry")
            continue
        if point not in known:
            found = position_fault({"type": "Point", "coordinates": list(point)}, area=area)
            known[point] = found.code if found else ""
        codes.append(known[point])
    fault = pd.Series(codes, index=table.index, dtype=object)
    return east, north, fault


def first_value(table: pd.DataFrame, columns: Columns) -> pd.Series:
    """Column by which a reject shows its value."""
    for name in (columns.count, columns.flow_per_h, columns.speed, columns.occupancy):
        if name and name in table:
            return table[name].astype(object)
    return pd.Series(None, index=table.index, dtype=object)


def shown(column: pd.Series) -> list[str]:
    """Short texts of what was written."""
    return ["" if one is None or one is pd.NaT else str(one)[:80] for one in column]
