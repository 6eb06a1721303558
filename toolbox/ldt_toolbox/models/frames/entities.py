"""Entities as a GeoDataFrame: one row an entity, one column a part of an attribute."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import DataError
from ldt_toolbox.models.features import unfolded
from ldt_toolbox.models.findings import shown
from ldt_toolbox.models.frames.flatten import Flattener
from ldt_toolbox.models.frames.instants import NO_TIME, instant
from ldt_toolbox.models.frames.layout import LAYOUT, TIMES, Column, named, written
from ldt_toolbox.models.times import read_date_time

CRS = "EPSG:4326"
_EXACT = 2**53


def to_frame(
    entities: Mapping[str, Any] | Iterable[Mapping[str, Any]], *, geometry: str = "location"
) -> gpd.GeoDataFrame:
    """Frame of entities; `from_frame` gives the entities again.

    Parameters
    ----------
    entities : dict or iterable of dict
        Normalised, concise or simplified (`keyValues`) entities, or their GeoJSON Features.
    geometry : str, optional
        GeoProperty that is the active geometry. If no entity has it, the first GeoProperty is, or
        else an empty column of this name.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, a row each entity, with the columns

        - `id`, `type`, `scope`, `createdAt`, ...: of the entity; several types as a tuple;
        - ``temperature``: value of a Property (float64, int64, bool or text where all are so),
          object of a Relationship, geometry of a GeoProperty, ``vocab``, ``json``, list;
        - ``temperature.unitCode``, ``temperature.observedAt`` (datetime64, UTC): its members;
        - ``temperature[urn:ngsi-ld:Dataset:2]``: its instance with that datasetId;
        - ``temperature.accuracy``: a sub-attribute, with its own members;
        - ``name@fr``: one language of a LanguageProperty;
        - ``temperature.json``: JSON text of what fits none of these, such as null.

        What an entity lacks is NaN, None or NaT. ``frame.attrs["ngsi_ld"]`` says which column is
        what; `@context` is kept there too if all entities share it, else in a column.

    Raises
    ------
    DataError
        If one is no entity.

    Notes
    -----
    Representations are those of ETSI GS CIM 009 V1.8.1, 4.5.1 to 4.5.5.

    Examples
    --------
    >>> frame = to_frame({"id": "urn:ngsi-ld:Device:1", "type": "Device", "temperature": {
    ...     "type": "Property", "value": 21.5, "unitCode": "CEL"}})
    >>> list(frame.columns)
    ['id', 'type', 'temperature', 'temperature.unitCode', 'location']
    """
    flattener = Flattener()
    rows, contexts = [], []
    for entity in _listed(entities):
        rows.append(flattener.cells(entity))
        contexts.append(entity.get("@context"))
    order: dict[Column, None] = dict.fromkeys([Column((), "id"), Column((), "type")])
    for row in rows:
        order.update(dict.fromkeys(row))
    columns = named(order)
    made = {
        name: _column([row.get(column) for row in rows], column) for name, column in columns.items()
    }
    layout = written(columns, flattener.representation)
    if contexts and all(context == contexts[0] for context in contexts):
        layout["@context"] = contexts[0]
    else:
        made["@context"] = _objects(contexts)
    found = [name for name, column in columns.items() if column.part == "GeoProperty"]
    active = geometry if geometry in found else next(iter(found), "")
    if not active:
        active = geometry if geometry not in made else f"{geometry} (GeoProperty)"
        made[active] = gpd.GeoSeries([None] * len(rows), crs=CRS)
    frame = gpd.GeoDataFrame(made, geometry=active, crs=CRS)
    frame.attrs[LAYOUT] = layout
    return frame


def _listed(
    entities: Mapping[str, Any] | Iterable[Mapping[str, Any]],
) -> Iterator[Mapping[str, Any]]:
    """Entities one by one."""
    for entity in unfolded(entities):
        if not isinstance(entity, Mapping) or not {"id", "type"} <= entity.keys():
            hint = "give entities with id and type, not expanded JSON-LD or other GeoJSON"
            raise DataError(f"{shown(entity)} is no entity: {hint}")
        yield entity


def _column(cells: Sequence[Any], column: Column) -> Any:
    """Cells as the narrowest type that keeps each of them; missing ones are None."""
    if column.part == "GeoProperty":
        return gpd.GeoSeries([_geometry(cell) for cell in cells], crs=CRS)
    there = [cell for cell in cells if cell is not None]
    kinds = set(map(type, there))
    if column.part in TIMES and all(map(_is_instant, there)):
        times = np.array([NO_TIME if one is None else instant(one) for one in cells], np.int64)
        return pd.Series(pd.DatetimeIndex(times.view("M8[us]")).tz_localize("UTC"))
    whole = len(there) == len(cells)
    if kinds == {str}:
        return pd.Series(list(cells))
    if kinds == {bool} and whole:
        return np.array(cells, bool)
    if kinds and kinds <= {int, float}:
        if kinds == {int} and whole and all(-(2**63) <= one < 2**63 for one in there):
            return np.array(cells, np.int64)
        if all(type(one) is float or abs(one) <= _EXACT for one in there):
            return np.array(cells, np.float64)
    return _objects(cells)


def _geometry(cell: Any) -> BaseGeometry | None:
    return cell if isinstance(cell, BaseGeometry) else None


def _is_instant(text: Any) -> bool:
    found = read_date_time(text)
    return found is not None and found.tzinfo is not None and instant(text) != NO_TIME


def _objects(cells: Sequence[Any]) -> pd.Series:
    made = np.empty(len(cells), object)
    made[:] = list(cells)
    return pd.Series(made, dtype=object)
