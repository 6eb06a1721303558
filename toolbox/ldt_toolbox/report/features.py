"""Shapes as matplotlib wants them, and which way north is."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.path import Path
from numpy.typing import NDArray
from pyproj import CRS, Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    Shapes = Sequence[BaseGeometry] | NDArray[Any]

_STEP_DEG = 1e-3


def polygon_paths(shapes: "Shapes") -> tuple[list[Path], NDArray[np.intp]]:
    """Turn polygons, courtyards included, into paths.

    Parameters
    ----------
    shapes : sequence of shapely geometries
        Parts that are no polygon are left out.

    Returns
    -------
    (list of matplotlib.path.Path, numpy.ndarray)
        A path for each part and the index of the shape that it belongs to.
    """
    parts, owner = shapely.get_parts(
        shapely.normalize(np.asarray(shapes, dtype=object)), return_index=True
    )
    keep = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    parts, owner = parts[keep], owner[keep]
    rings, of_part = shapely.get_rings(parts, return_index=True)
    corners, of_ring = shapely.get_coordinates(rings, return_index=True)
    if not len(corners):
        return [], owner
    codes = np.full(len(corners), Path.LINETO, dtype=Path.code_type)
    first = np.flatnonzero(np.diff(of_ring, prepend=-1))
    codes[first] = Path.MOVETO
    codes[np.append(first[1:], len(corners)) - 1] = Path.CLOSEPOLY
    cuts = np.flatnonzero(np.diff(of_part[of_ring], prepend=-1))[1:]
    pairs = zip(np.split(corners, cuts), np.split(codes, cuts), strict=True)
    return [Path(xy, code) for xy, code in pairs], owner


def outline_lines(shapes: "Shapes") -> list[Any]:
    """Lines and rings of shapes, each as an array of shape (n, 2)."""
    parts = shapely.get_parts(np.asarray(shapes, dtype=object))
    surface = shapely.get_dimensions(parts) == 2
    rings = shapely.get_rings(parts[surface])
    lines = np.concatenate([rings, parts[shapely.get_dimensions(parts) == 1]])
    corners, owner = shapely.get_coordinates(lines, return_index=True)
    return np.split(corners, np.flatnonzero(np.diff(owner)) + 1) if len(corners) else []


def true_north_deg(crs: CRS | None, x: float, y: float) -> float:
    """Angle of true north from the grid's up, clockwise positive.

    Parameters
    ----------
    crs : pyproj.CRS or None
        None, a geographic CRS and one that does not know give 0.
    x, y : float
        Place in CRS units.

    Returns
    -------
    float
        Degrees, from a short step north along the meridian.
    """
    if crs is None or not crs.is_projected:
        return 0.0
    to_lonlat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_lonlat.transform(x, y)
    up_x, up_y = to_lonlat.transform(lon, lat + _STEP_DEG, direction="INVERSE")
    if not np.isfinite([lon, lat, up_x, up_y]).all():
        return 0.0
    return math.degrees(math.atan2(up_x - x, up_y - y))
