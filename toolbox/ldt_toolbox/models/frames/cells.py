"""Columns of a frame as plain JSON values, None where there is nothing."""

import math
from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ldt_toolbox.errors import CRSError, WrongUseError
from ldt_toolbox.models.frames.entities import CRS
from ldt_toolbox.models.frames.flatten import geojson


def json_values(column: pd.Series, *, days: bool = False) -> list[Any]:
    """Values of a column as JSON writes them.

    Parameters
    ----------
    column : pandas.Series
        Numbers, texts, times with a zone, geometries with a CRS, or objects.
    days : bool, optional
        Whether times are calendar dates, which need no zone.

    Returns
    -------
    list
        Times as ISO 8601 in UTC, geometries as GeoJSON in EPSG:4326, None for NaN, NaT, infinity
        and empty geometries.

    Raises
    ------
    CRSError, WrongUseError
        If geometries have no CRS or times no zone.
    """
    if isinstance(column.dtype, gpd.array.GeometryDtype):
        shapes = gpd.GeoSeries(column)
        if shapes.crs is None:
            raise CRSError(f"column {column.name!r} has no CRS: set it with set_crs")
        if not shapes.crs.equals(CRS):
            shapes = shapes.to_crs(CRS)
        return [None if one is None or one.is_empty else geojson(one) for one in shapes]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M" and not days:
        raise WrongUseError(
            f"times of column {column.name!r} have no zone: set it, for example with "
            '.dt.tz_localize("Europe/Paris")'
        )
    return [_plain(cell, days) for cell in column.astype(object)]


def utc_text(at: datetime) -> str:
    """ISO 8601 in UTC with a trailing Z, digits of the second only where there are any."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _plain(cell: Any, days: bool) -> Any:
    if isinstance(cell, np.ndarray | np.generic):
        cell = cell.tolist()
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        cell = cell.to_pydatetime(warn=False)
    if isinstance(cell, datetime):
        if days:
            return cell.date().isoformat()
        if cell.tzinfo is None:
            raise WrongUseError(f"time {cell.isoformat()} has no zone: set it with .dt.tz_localize")
        return utc_text(cell)
    return cell.isoformat() if isinstance(cell, date) else cell
