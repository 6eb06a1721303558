"""Where a run's data lie on Earth: extents of layers and the form of rasters."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyproj import CRS, Transformer

from ldt_toolbox.publish.finished import File, FinishedRun
from ldt_toolbox.space.raster import Raster

Bbox = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    """Extent of a layer.

    Attributes
    ----------
    bbox : tuple of float
        West, south, east, north in degrees, EPSG:4326.
    own_bbox : tuple of float
        The same in the layer's CRS.
    code : str
        CRS as `EPSG:2154`; empty if it has no code.
    wkt : str
        CRS as WKT 2 where it has no code.
    shape : tuple of int, optional
        Rows and columns of a raster.
    transform : tuple of float, optional
        The six numbers that take (column, row) to the CRS.
    """

    bbox: Bbox
    own_bbox: Bbox
    code: str
    wkt: str
    shape: tuple[int, int] | None = None
    transform: tuple[float, ...] | None = None

    @property
    def polygon(self) -> dict[str, Any]:
        """The box as a GeoJSON polygon, counterclockwise."""
        west, south, east, north = self.bbox
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return {"type": "Polygon", "coordinates": [ring]}

    @property
    def wkt_polygon(self) -> str:
        """The box as WKT, longitude first."""
        ring = ", ".join(f"{x} {y}" for x, y in self.polygon["coordinates"][0])
        return f"POLYGON (({ring}))"


def place_of(run: FinishedRun, file: File) -> Place | None:
    """Extent of a layer's file; None for files that are no layer or hold nothing."""
    layer = run.results.layers.get(file.key) if file.path.startswith("layers/") else None
    if layer is None:
        return None
    if isinstance(layer, Raster):
        rows, columns = layer.shape
        a, c, e, f = layer.transform.a, layer.transform.c, layer.transform.e, layer.transform.f
        own = (c, f + rows * e, c + columns * a, f)
        code, wkt = _names(layer.crs)
        return Place(
            _degrees(own, layer.crs), own, code, wkt, (rows, columns), tuple(layer.transform)[:6]
        )
    if layer.crs is None or not len(layer) or layer.geometry.is_empty.all():
        return None
    west, south, east, north = (float(one) for one in layer.total_bounds)
    code, wkt = _names(layer.crs)
    own = (west, south, east, north)
    return Place(_degrees(own, layer.crs), own, code, wkt)


def _names(crs: CRS) -> tuple[str, str]:
    authority = crs.to_authority()
    return (":".join(authority), "") if authority else ("", crs.to_wkt())


@cache
def _to_degrees(crs: CRS) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _degrees(own: Bbox, crs: CRS) -> Bbox:
    west, south, east, north = _to_degrees(crs).transform_bounds(*own, densify_pts=21)
    scale = 10**7  # outwards to 1 cm, so that the box never cuts the layer
    return (
        math.floor(west * scale) / scale, math.floor(south * scale) / scale,
        math.ceil(east * scale) / scale, math.ceil(north * scale) / scale,
    )  # fmt: skip
