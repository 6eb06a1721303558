"""Coordinate reference systems by their URI, with the axes in the order that each defines.

OGC API Features part 2: EPSG codes come in the authority's order (EPSG:4326 is latitude first),
CRS84 is longitude first. Inside, everything is longitude or easting first.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.twin.ogc.conditions import And, Node, Not, Or, Spatial
from ldt_toolbox.twin.problems import ProblemError

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
ALWAYS = (CRS84, f"{EPSG}4326", f"{EPSG}3857")
"""What every collection comes in."""

Box = tuple[float, float, float, float]


@cache
def _known(uri: str) -> CRS:
    return CRS.from_user_input("OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.removeprefix(EPSG)}")


@cache
def north_first(uri: str) -> bool:
    """Whether the first axis of a CRS is latitude or northing."""
    return bool(_known(uri).axis_info[0].direction.lower() in ("north", "south"))


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(_known(source), _known(target), always_xy=True)


def uri_of(crs: Any) -> str | None:
    """URI of a CRS of pyproj that EPSG or OGC names, or None."""
    if crs is None:
        return None
    authority = crs.to_authority()
    if authority is None:
        return None
    if authority == ("OGC", "CRS84"):
        return CRS84
    return EPSG + authority[1] if authority[0] == "EPSG" and authority[1].isdigit() else None


def chosen(uri: str, offered: Sequence[str], *, parameter: str) -> str:
    """Return a URI that a request names if the collection comes in it.

    Raises
    ------
    ProblemError
        400 if not; names what it comes in.
    """
    if uri not in offered:
        detail = f"{parameter} = {uri!r:.100}: this collection comes in {', '.join(offered)}"
        raise ProblemError("", detail, status=400)
    return uri


def moved(geometry: BaseGeometry, source: str, target: str) -> BaseGeometry:
    """Transform a geometry, easting first in both."""
    if source == target:
        return geometry
    transformer = _transformer(source, target)

    def both(xy: Any) -> Any:
        x, y = transformer.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    return shapely.transform(geometry, both)


def turned(geometry: BaseGeometry) -> BaseGeometry:
    """Swap the axes."""
    return shapely.transform(geometry, lambda xy: xy[:, ::-1])


def written(geometry: BaseGeometry, source: str, target: str) -> BaseGeometry | None:
    """Transform a geometry and put its axes as the target has them; None beyond its reach."""
    found = moved(geometry, source, target)
    if not np.isfinite(shapely.get_coordinates(found)).all():
        return None
    return turned(found) if north_first(target) else found


def boxes_of(numbers: Sequence[float], uri: str, *, what: str) -> list[Box]:
    """Boxes, easting first in their own CRS, of a box in the axis order of the CRS.

    Parameters
    ----------
    numbers : sequence of float
        Lower corner, upper corner; with heights six numbers.
    uri : str
        CRS of the numbers.
    what : str
        What the box is called where it was written.

    Returns
    -------
    list of Box
        Two where it crosses the antimeridian.

    Raises
    ------
    ProblemError
        400 for a box without extent.
    """
    low, high = numbers[:2], numbers[len(numbers) // 2 :][:2]
    if north_first(uri):
        low, high = low[::-1], high[::-1]
    (west, south), (east, north) = low, high
    if south > north:
        raise ProblemError("", f"{what}: the lower corner is above the upper one", status=400)
    if west <= east:
        return [(west, south, east, north)]
    if not _known(uri).is_geographic:
        raise ProblemError("", f"{what}: the lower corner is east of the upper one", status=400)
    return [(west, south, 180.0, north), (-180.0, south, east, north)]


def box_in(numbers: Sequence[float], uri: str, target: str) -> list[Box]:
    """Boxes, easting first in the target CRS, of a ``bbox`` in a CRS.

    Parameters
    ----------
    numbers, uri
        As for `boxes_of`.
    target : str
        CRS of the answer.

    Raises
    ------
    ProblemError
        400 for a box without extent or one that the target cannot express.
    """
    parts = boxes_of(numbers, uri, what="bbox")
    if uri == target or {uri, target} == {CRS84, f"{EPSG}4326"}:
        return parts
    transformer = _transformer(uri, target)
    try:
        found = [transformer.transform_bounds(*part, densify_pts=21) for part in parts]
    except ProjError:
        found = []
    if not found or not all(math.isfinite(each) for part in found for each in part):
        raise ProblemError("", f"bbox: it cannot be transformed from {uri}", status=400)
    return [(float(p[0]), float(p[1]), float(p[2]), float(p[3])) for p in found]


def filter_in(node: Node, uri: str, target: str) -> Node:
    """Filter with its geometries in another CRS, easting first.

    Raises
    ------
    ProblemError
        400 for a geometry that the target cannot express.
    """
    if isinstance(node, And | Or):
        return replace(node, parts=tuple(filter_in(part, uri, target) for part in node.parts))
    if isinstance(node, Not):
        return Not(filter_in(node.part, uri, target))
    if not isinstance(node, Spatial):
        return node
    geometry = turned(node.geometry) if north_first(uri) else node.geometry
    try:
        found = moved(geometry, uri, target)
    except (CRSError, ProjError):
        found = None
    if found is None or not np.isfinite(shapely.get_coordinates(found)).all():
        raise ProblemError("", f"filter: a geometry cannot be transformed from {uri}", status=400)
    return replace(node, geometry=found)
