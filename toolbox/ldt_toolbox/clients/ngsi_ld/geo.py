"""Geographic conditions (GS CIM 009 V1.8.1, clause 4.10) from shapely geometries.

Coordinates are WGS 84 longitude, latitude, as GeoJSON has them (RFC 7946, 3.1.1 and 4).
"""

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from ldt_toolbox.clients.ngsi_ld.query import Q, literal
from ldt_toolbox.errors import WrongUseError

Relation = Literal["near", "within", "contains", "overlaps", "intersects", "equals", "disjoint"]

_TYPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


@dataclass(frozen=True)
class GeoQuery:
    """A spatial condition on a GeoProperty.

    Attributes
    ----------
    relation : str
        As the standard writes it, such as `within` or `near;maxDistance==2000`.
    geometry : str
        GeoJSON type of the reference geometry.
    coordinates : list
        Its GeoJSON coordinates, longitude first, in degrees.
    geoproperty : str
        GeoProperty of the entities; empty for `location`.
    """

    relation: str
    geometry: str
    coordinates: list[Any]
    geoproperty: str = ""

    @classmethod
    def of(
        cls,
        relation: Relation,
        geometry: BaseGeometry,
        *,
        max_distance_m: float | None = None,
        min_distance_m: float | None = None,
        geoproperty: str = "",
        decimals: int = 7,
    ) -> "GeoQuery":
        """Condition from a shapely geometry.

        Parameters
        ----------
        relation : {"near", "within", "contains", "overlaps", "intersects", "equals", "disjoint"}
            What the entity's geometry is to the reference geometry.
        geometry : shapely geometry
            Longitude, latitude in degrees (EPSG:4326 in GeoJSON's order); holes count.
        max_distance_m, min_distance_m : float, optional
            For `near`, exactly one of them, in metres.
        geoproperty : str
            GeoProperty that is compared; `location` if empty.
        decimals : int
            Decimals of the coordinates; 7 are about a centimetre.

        Raises
        ------
        WrongUseError
            The geometry is empty, invalid, a collection, or not in degrees; or distances and
            relation do not fit.
        """
        _check(geometry)
        if geoproperty:
            Q.attr(geoproperty)  # the name must be one of the grammar
        shape = mapping(_oriented(geometry))
        return cls(
            _relation(relation, max_distance_m, min_distance_m),
            str(shape["type"]),
            _rounded(shape["coordinates"], decimals),
            geoproperty,
        )

    def params(self) -> dict[str, str]:
        """URL parameters (Table 6.4.3.2-1)."""
        params = {
            "georel": self.relation,
            "geometry": self.geometry,
            "coordinates": json.dumps(self.coordinates, separators=(",", ":")),
        }
        return params | ({"geoproperty": self.geoproperty} if self.geoproperty else {})

    def member(self) -> dict[str, Any]:
        """Member `geoQ` of a query or subscription (5.2.13)."""
        member: dict[str, Any] = {
            "georel": self.relation,
            "geometry": self.geometry,
            "coordinates": self.coordinates,
        }
        return member | ({"geoproperty": self.geoproperty} if self.geoproperty else {})


def _relation(relation: Relation, most_m: float | None, least_m: float | None) -> str:
    if relation != "near":
        if most_m is not None or least_m is not None:
            raise WrongUseError(f"{relation} takes no distance; use near, or buffer the geometry")
        return relation
    given = [
        (name, value)
        for name, value in (("maxDistance", most_m), ("minDistance", least_m))
        if value is not None
    ]
    if len(given) != 1:
        raise WrongUseError("near takes one of max_distance_m and min_distance_m; give one")
    name, distance_m = given[0]
    if not (math.isfinite(distance_m) and distance_m > 0):
        raise WrongUseError(f"{name} = {distance_m} m: give a distance above 0")
    return f"near;{name}=={literal(distance_m)}"


def _check(geometry: BaseGeometry) -> None:
    if not isinstance(geometry, BaseGeometry):
        raise WrongUseError(
            f"a {type(geometry).__name__} is no geometry; give one of shapely: shapely.box(*bbox), "
            "or series.union_all()"
        )
    if geometry.geom_type not in _TYPES:
        raise WrongUseError(
            f"a {geometry.geom_type} cannot be a reference geometry (GS CIM 009, 4.10); "
            f"give one of {', '.join(_TYPES)}"
        )
    if geometry.is_empty:
        raise WrongUseError("the reference geometry is empty; give one with coordinates")
    coordinates = shapely.get_coordinates(geometry)
    longitude, latitude = abs(coordinates).max(axis=0)
    if not (longitude <= 180 and latitude <= 90):
        if longitude <= 90 and latitude <= 180:
            hint = "they look like latitude, longitude: swap them"
        else:
            hint = "they look projected: to_crs(4326) first"
        raise WrongUseError(
            f"coordinates up to {longitude:g}, {latitude:g} are no longitude and latitude; {hint}"
        )
    if not geometry.is_valid:
        raise WrongUseError(
            f"the reference geometry is invalid: {shapely.is_valid_reason(geometry)}; "
            "repair it with shapely.make_valid"
        )


def _oriented(geometry: BaseGeometry) -> BaseGeometry:
    """Rings by the right-hand rule (RFC 7946, 3.1.6)."""
    if isinstance(geometry, shapely.Polygon):
        return orient(geometry)
    if isinstance(geometry, shapely.MultiPolygon):
        return shapely.MultiPolygon([orient(part) for part in geometry.geoms])
    return geometry


def _rounded(value: Any, decimals: int) -> Any:
    if isinstance(value, list | tuple):
        return [_rounded(each, decimals) for each in value]
    return round(float(value), decimals)
