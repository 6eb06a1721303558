"""Datastreams: what a sensor of a thing observes, in which unit, and where."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import shapely
from shapely.geometry import shape


class Datastream(NamedTuple):
    """One series of observations (entity Datastream of OGC 18-088).

    Attributes
    ----------
    id : int or str
        `@iot.id`.
    name : str
        Name of the datastream.
    unit_symbol, unit_definition : str
        As the server tells them; the definition is mostly a UCUM code or an IRI.
    observed_property, thing : str
        Names; empty if the server does not tell.
    longitude_deg, latitude_deg : float
        EPSG:4326, of the thing's first location, or else of a point of the observed area; NaN
        where there is neither.
    """

    id: int | str
    name: str
    unit_symbol: str
    unit_definition: str
    observed_property: str
    thing: str
    longitude_deg: float
    latitude_deg: float


def datastream(entity: Mapping[str, Any]) -> Datastream:
    """Read an entity of the set `Datastreams`, with what was expanded in it."""
    thing = _part(entity, "Thing")
    unit = _part(entity, "unitOfMeasurement")
    locations = thing.get("Locations")
    written = [one.get("location") for one in locations or [] if isinstance(one, dict)]
    east, north = _point([*written, entity.get("observedArea")])
    return Datastream(
        id=entity["@iot.id"],
        name=_text(entity, "name"),
        unit_symbol=_text(unit, "symbol"),
        unit_definition=_text(unit, "definition"),
        observed_property=_text(_part(entity, "ObservedProperty"), "name"),
        thing=_text(thing, "name"),
        longitude_deg=east,
        latitude_deg=north,
    )


def _part(entity: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = entity.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(entity: Mapping[str, Any], name: str) -> str:
    found = entity.get(name)
    return found if isinstance(found, str) else ""


def _point(geometries: list[Any]) -> tuple[float, float]:
    """Position of the first geometry that is one; a Feature holds its own."""
    for one in geometries:
        if not isinstance(one, Mapping):
            continue
        inner = one.get("geometry") if one.get("type") == "Feature" else one
        try:
            point = shape(dict(inner or {})).representative_point()
        except (ValueError, TypeError, AttributeError, KeyError, shapely.errors.ShapelyError):
            continue
        if not point.is_empty:
            return float(point.x), float(point.y)
    return float("nan"), float("nan")
