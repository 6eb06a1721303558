"""Geometries that come in: whether they are GeoJSON (RFC 7946), and small enough."""

import math
from typing import Any

from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES, positions

#: Lists around a position, by type.
_NESTING = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_SHORTEST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}


def check_geometry(value: Any, *, name: str, limits: Limits) -> dict[str, Any]:
    """Return a geometry if it is one.

    Parameters
    ----------
    value : Any
        GeoJSON geometry, EPSG:4326, longitude first.
    name : str
        What it is of, for the message.
    limits : Limits
        Bound on the positions.

    Raises
    ------
    ProblemError
        BadRequestData that says what is wrong.
    """
    if not isinstance(value, dict) or value.get("type") not in GEOMETRY_TYPES:
        raise bad(f"{name}: a GeoProperty's value is a GeoJSON geometry, not {value!r:.80}")
    _check(value, name, 0)
    count = sum(1 for _ in positions(value))
    if count > limits.vertices:
        raise ProblemError(
            "BadRequestData",
            f"{name}: {count} positions; {limits.vertices} are taken. Simplify the geometry",
        )
    return value


def _check(value: dict[str, Any], name: str, depth: int) -> None:
    kind = value.get("type")
    if kind == "GeometryCollection":
        parts = value.get("geometries")
        if not isinstance(parts, list) or depth > 2:
            raise bad(f"{name}: a GeometryCollection has a list of geometries, not nested deeply")
        for part in parts:
            if not isinstance(part, dict) or part.get("type") not in GEOMETRY_TYPES:
                raise bad(f"{name}: a GeometryCollection holds geometries only")
            _check(part, name, depth + 1)
        return
    if kind not in _NESTING:
        raise bad(f"{name}: {kind!r:.40} is no geometry")
    coordinates = value.get("coordinates")
    if not isinstance(coordinates, list):
        raise bad(f"{name}: a {kind} has coordinates")
    _check_nesting(coordinates, _NESTING[kind], str(kind), name)


def _check_nesting(coordinates: Any, nesting: int, kind: str, name: str) -> None:
    if nesting == 0:
        _check_position(coordinates, name)
        return
    if not isinstance(coordinates, list) or not coordinates:
        raise bad(f"{name}: coordinates of a {kind} are nested {_NESTING[kind]} deep and not empty")
    for each in coordinates:
        _check_nesting(each, nesting - 1, kind, name)
    if nesting == 1 and len(coordinates) < _SHORTEST.get(kind, 1):
        raise bad(f"{name}: a part of a {kind} has at least {_SHORTEST[kind]} positions")
    if nesting == 1 and "Polygon" in kind and coordinates[0] != coordinates[-1]:
        raise bad(f"{name}: a ring of a {kind} ends where it began")


def _check_position(position: Any, name: str) -> None:
    fits = (
        isinstance(position, list)
        and 2 <= len(position) <= 4
        and all(
            isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each)
            for each in position
        )
    )
    if not fits:
        raise bad(f"{name}: {position!r:.60} is no position: longitude, latitude, perhaps height")
    if abs(position[0]) > 180 or abs(position[1]) > 90:
        raise bad(
            f"{name}: {position!r:.60} is outside of the earth: longitude comes first, in degrees"
        )
