"""Bounding boxes of GeoJSON geometries, without making shapes of them."""

from collections.abc import Iterator
from typing import Any

GEOMETRY_TYPES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
    | {"GeometryCollection"}
)
"""GeoJSON geometries (RFC 7946)."""

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


def positions(geometry: dict[str, Any]) -> Iterator[list[float]]:
    """Positions of a geometry, one by one."""
    if geometry.get("type") == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from positions(part)
        return
    stack = [geometry["coordinates"]]
    while stack:
        each = stack.pop()
        if each and isinstance(each[0], list):
            stack.extend(each)
        elif each:
            yield each


def box(geometry: dict[str, Any]) -> Box | None:
    """Bounding box of a geometry, EPSG:4326; None if it has no position."""
    if geometry.get("type") == "Point" and geometry["coordinates"]:
        lon, lat = geometry["coordinates"][:2]
        return lon, lat, lon, lat
    found = [(each[0], each[1]) for each in positions(geometry)]
    if not found:
        return None
    longitudes, latitudes = zip(*found, strict=True)
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)
