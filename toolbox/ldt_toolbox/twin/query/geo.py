"""Geographic conditions (GS CIM 009 V1.8.1, 4.10): what they mean, and the box they lie in."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import shapely
from pyproj import Geod
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.query.boxes import Box, box
from ldt_toolbox.twin.query.geometry import check_geometry
from ldt_toolbox.twin.store.documents import Doc

_GEOD = Geod(ellps="WGS84")
_METRES_PER_DEGREE = 110_574.0  # of latitude at the equator, where it is shortest
_MARGIN_DEGREE = 1e-6
_NEAR = re.compile(r"near;(max|min)Distance==([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_RELATIONS = ("within", "contains", "overlaps", "intersects", "equals", "disjoint")
_TYPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


@dataclass(frozen=True)
class GeoQuery:
    """A condition on a geometry.

    Attributes
    ----------
    relation : str
        ``near``, ``within``, ``contains``, ``overlaps``, ``intersects``, ``equals``, ``disjoint``:
        what the entity's geometry is to the reference.
    reference : dict
        GeoJSON geometry, EPSG:4326.
    attribute : str
        IRI of the GeoProperty.
    least_m, most_m : float
        For ``near``: distances on the WGS 84 ellipsoid, in metres.
    """

    relation: str
    reference: Mapping[str, Any]
    attribute: str
    least_m: float = 0.0
    most_m: float = math.inf

    @cached_property
    def _shape(self) -> BaseGeometry:
        made = shape(dict(self.reference))
        shapely.prepare(made)
        return made

    @cached_property
    def boxes(self) -> tuple[Box, ...] | None:
        """Boxes of which a geometry that fits meets one; None if it may be anywhere."""
        found = box(dict(self.reference))
        if found is None or self.relation == "disjoint":
            return None
        if self.relation != "near":
            return (found,)
        return None if self.most_m == math.inf else _around(found, self.most_m)

    def fits(self, geometry: Mapping[str, Any]) -> bool:
        """Whether a GeoJSON geometry meets the condition."""
        if self.relation == "near":
            return self.least_m <= self._distance_m(geometry) <= self.most_m
        try:
            other = shape(dict(geometry))
            match self.relation:
                case "within":
                    return bool(self._shape.contains(other))
                case "contains":
                    return bool(self._shape.within(other))
                case "intersects":
                    return bool(self._shape.intersects(other))
                case "disjoint":
                    return bool(self._shape.disjoint(other))
                case "equals":
                    return bool(self._shape.equals(other))
                case _:
                    return bool(self._shape.overlaps(other))
        except (shapely.GEOSException, ValueError):
            return False  # an invalid geometry is in no relation

    def _distance_m(self, geometry: Mapping[str, Any]) -> float:
        if geometry["type"] == "Point" == self.reference["type"]:
            left, right = geometry["coordinates"], self.reference["coordinates"]
        else:
            left, right = _nearest(self._shape, shape(dict(geometry)))
        return float(_GEOD.inv(left[0], left[1], right[0], right[1])[2])

    def meets(self, doc: Doc) -> bool:
        """Whether one of the entity's geometries meets the condition."""
        return any(
            each["type"] == "GeoProperty" and self.fits(each["value"])
            for each in doc["attrs"].get(self.attribute, ())
        )


def _nearest(one: BaseGeometry, other: BaseGeometry) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nearest points of two geometries, on a plane true to scale where the first one is."""
    latitude = one.centroid.y
    scale = max(0.01, math.cos(math.radians(latitude)))

    def flat(geometry: BaseGeometry) -> BaseGeometry:
        return shapely.transform(geometry, lambda xy: xy * (scale, 1.0))

    left, right = nearest_points(flat(one), flat(other))
    return (left.x / scale, left.y), (right.x / scale, right.y)


def _around(inner: Box, distance_m: float) -> tuple[Box, ...] | None:
    """Box with a margin, in two parts if it crosses the antimeridian; None if it is the earth."""
    west, south, east, north = inner
    up = distance_m / _METRES_PER_DEGREE * 1.01 + _MARGIN_DEGREE
    south, north = max(-90.0, south - up), min(90.0, north + up)
    narrow = math.cos(math.radians(max(abs(south), abs(north))))
    if narrow < 0.01:
        return ((-180.0, south, 180.0, north),)
    aside = up / narrow * 1.01
    west, east = west - aside, east + aside
    if east - west >= 360:
        return ((-180.0, south, 180.0, north),)
    parts = [(max(west, -180.0), south, min(east, 180.0), north)]
    if west < -180:
        parts.append((west + 360, south, 180.0, north))
    if east > 180:
        parts.append((-180.0, south, east - 360, north))
    return tuple(parts)


def geo_query(
    relation: Any, geometry: Any, coordinates: Any, attribute: str, *, limits: Limits
) -> GeoQuery:
    """Read a geographic condition.

    Parameters
    ----------
    relation : str
        Parameter ``georel``, such as ``near;maxDistance==2000``.
    geometry : str
        GeoJSON type of the reference geometry.
    coordinates : str or list
        Its coordinates, as JSON text or parsed.
    attribute : str
        IRI of the GeoProperty.
    limits : Limits
        Bound on the positions.

    Raises
    ------
    ProblemError
        BadRequestData that says what is wrong.
    """
    if not isinstance(relation, str) or geometry not in _TYPES or coordinates is None:
        raise bad(
            "a geographic condition has georel, geometry (a GeoJSON type) and coordinates (4.10)"
        )
    if isinstance(coordinates, str):
        try:
            coordinates = orjson.loads(coordinates)
        except orjson.JSONDecodeError:
            raise bad(f"coordinates {coordinates!r:.80} are no JSON, such as [7.26,43.7]") from None
    reference = {"type": geometry, "coordinates": coordinates}
    check_geometry(reference, name="coordinates", limits=limits)
    if relation in _RELATIONS:
        return GeoQuery(relation, reference, attribute)
    near = _NEAR.fullmatch(relation)
    if not near:
        raise bad(
            f"georel {relation!r:.80} is none of near;maxDistance==metres, near;minDistance==metres"
            f", {', '.join(_RELATIONS)}"
        )
    distance_m = float(near[2])
    if near[1] == "max":
        return GeoQuery("near", reference, attribute, most_m=distance_m)
    return GeoQuery("near", reference, attribute, least_m=distance_m)
