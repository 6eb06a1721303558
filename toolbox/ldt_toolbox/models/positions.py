"""Positions of GeoJSON geometries: longitude first, and where the territory is."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.findings import as_number, shown
from ldt_toolbox.models.schema import GEOMETRIES

#: Positions that are looked at in one geometry: enough to see a swap, few enough to stay fast.
_MOST = 1000


class Area(NamedTuple):
    """Box in EPSG:4326, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude_deg: float, latitude_deg: float) -> bool:
        """Whether a position is inside or on the edge; `west` above `east` crosses 180°."""
        if not self.south <= latitude_deg <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= longitude_deg <= self.east
        return longitude_deg >= self.west or longitude_deg <= self.east

    def __str__(self) -> str:
        return f"{self.west:g}, {self.south:g} to {self.east:g}, {self.north:g}"


def area_of(bbox: Sequence[float]) -> Area:
    """Box of four numbers.

    Raises
    ------
    WrongUseError
        They are no west, south, east and north in degrees.
    """
    numbers = [as_number(one) for one in bbox]
    if len(numbers) == 4 and None not in numbers:
        area = Area(*bbox)
        if -90 <= area.south <= area.north <= 90 and max(abs(area.west), abs(area.east)) <= 180:
            return area
    raise WrongUseError(
        f"bbox = {shown(list(bbox))} is no box: give west, south, east, north in degrees "
        "(EPSG:4326)"
    )


class Fault(NamedTuple):
    """What is wrong with a position.

    Attributes
    ----------
    code : str
        `swapped-coordinates`, `coordinates-out-of-range`, `outside-territory` or
        `no-geometry`.
    message, remedy : str
        The thing and its value; the next step.
    """

    code: str
    message: str
    remedy: str


def fault(geometry: Any, *, area: Area | None = None) -> Fault | None:
    """Find the first thing that is wrong with the positions of a geometry.

    Parameters
    ----------
    geometry : object
        GeoJSON geometry (RFC 7946), or whatever stands in its place.
    area : Area, optional
        Where entities of the territory are.

    Returns
    -------
    Fault or None
        A swap is certain if the second number is no latitude but the first is, or if the position
        lies outside of the area and its mirror image inside.
    """
    seen = 0
    for position in _positions(geometry):
        seen += 1
        if found := _position_fault(position, area):
            return found
        if seen == _MOST:
            break
    if not seen:
        return Fault(
            "no-geometry",
            f"{shown(geometry)} is no GeoJSON geometry",
            'give {"type": "Point", "coordinates": [longitude, latitude]} or another geometry',
        )
    return None


def _position_fault(position: list[Any], area: Area | None) -> Fault | None:
    numbers = [n for one in position[:2] if (n := as_number(one)) is not None]
    if len(numbers) < 2:
        return Fault(
            "no-geometry",
            f"position {shown(position)} has no two numbers",
            "give [longitude, latitude] in degrees",
        )
    east, north = numbers
    if abs(north) > 90:
        if abs(north) <= 180 and abs(east) <= 90:
            return _swapped(position, f"latitude {north:.6g} is beyond 90°")
        return _too_far(position)
    if abs(east) > 180:
        return _too_far(position)
    if area is None or area.holds(east, north):
        return None
    if abs(north) <= 180 and abs(east) <= 90 and area.holds(north, east):
        return _swapped(position, f"it is outside of {area}, its mirror image inside")
    return Fault(
        "outside-territory",
        f"position {shown(position)} is outside of {area}",
        "check the place and the coordinate reference system; leave it out if it is elsewhere",
    )


def _swapped(position: list[Any], why: str) -> Fault:
    return Fault(
        "swapped-coordinates",
        f"position {shown(position)} has latitude first: {why}",
        f"write [{position[1]}, {position[0]}]: GeoJSON puts longitude first",
    )


def _too_far(position: list[Any]) -> Fault:
    return Fault(
        "coordinates-out-of-range",
        f"position {shown(position)} is no longitude and latitude in degrees",
        "reproject to EPSG:4326 (in a mapping table: `point crs=EPSG:...`)",
    )


def _positions(geometry: Any) -> Iterator[list[Any]]:
    """Positions of a geometry; nothing where it is none that NGSI-LD has (clause 4.6.3)."""
    if isinstance(geometry, dict) and geometry.get("type") in GEOMETRIES:
        yield from _inner(geometry.get("coordinates"), 0)


def _inner(coordinates: Any, depth: int) -> Iterator[list[Any]]:
    if not isinstance(coordinates, list) or not coordinates or depth > 4:
        return
    if isinstance(coordinates[0], list):
        for one in coordinates:
            yield from _inner(one, depth + 1)
    else:
        yield coordinates
