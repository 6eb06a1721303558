"""Temporal evolutions of counters as rows of counts: one row an instant of a counter."""

from typing import Any

import geopandas as gpd
import pandas as pd
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import MissingColumnError
from ldt_toolbox.models.frames import by_instant


def evolution_rows(frame: pd.DataFrame, *, geometry: str = "location") -> gpd.GeoDataFrame:
    """Put the attributes of one entity at one instant beside each other.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `models.frames.temporal_frame` gives it: `entity_id`, `attribute`, `time`, `value`.
    geometry : str
        Attribute that says where the counter is; its last known value holds for all rows of its
        entity.

    Returns
    -------
    geopandas.GeoDataFrame
        `id`, `observedAt` (datetime64, UTC; NaT where the instance tells none) and a column each
        attribute; `geometry` in EPSG:4326. What came twice for one instant makes a further row,
        which `counts.clean_counts` rejects with its reason. The preset
        `counts.TRAFFIC_FLOW_OBSERVED` reads it where the entity tells its interval; else replace
        its `start` by `observedAt` and give `interval_min`.

    Raises
    ------
    MissingColumnError
        If the table is another one.
    """
    wanted = ["entity_id", "attribute", "time", "value"]
    if missing := [name for name in wanted if name not in frame]:
        raise MissingColumnError(f"no column {missing[0]!r}: give what temporal_frame returns")
    table = frame[wanted].astype({"entity_id": str, "attribute": str, "value": object})
    where = table[table["attribute"] == geometry]
    rows = by_instant(table[table["attribute"] != geometry])
    read = pd.Series([_shape(one) for one in where["value"]], where.index, dtype=object)
    places = where.assign(value=read)
    places = places[places["value"].notna()].sort_values("time", kind="stable")
    last = places.groupby("entity_id")["value"].last().to_dict()
    shapes = gpd.GeoSeries([last.get(one) for one in rows["id"]], rows.index, crs="EPSG:4326")
    return gpd.GeoDataFrame(rows.assign(**{geometry: shapes}), geometry=geometry)


def _shape(value: Any) -> BaseGeometry | None:
    """Geometry of GeoJSON; None for what is none."""
    if not isinstance(value, dict):
        return None
    try:
        return shape(value)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, ShapelyError):
        return None
