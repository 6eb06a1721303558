"""A hand-made town of 100 m x 100 m on cells of 5 m: every area is known by heart."""

from typing import Any

import geopandas as gpd
import numpy as np
from affine import Affine
from ldt_toolbox.heat.ground import Ground, lay_ground
from ldt_toolbox.space.raster import Raster
from pyproj import CRS
from shapely.geometry import LineString, Point, Polygon, box

GRID = CRS.from_epsg(32632)
X, Y = 500_000.0, 5_000_000.0
CELL_M = 5.0
BOUNDARY = box(X, Y, X + 100, Y + 100)


def at(west: float, south: float, east: float, north: float) -> Polygon:
    return box(X + west, Y + south, X + east, Y + north)


def line(*points: tuple[float, float]) -> LineString:
    return LineString([(X + x, Y + y) for x, y in points])


def frame(geometry: list[Any], **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=GRID)


def point(x: float, y: float) -> Point:
    return Point(X + x, Y + y)


def buildings() -> gpd.GeoDataFrame:
    """A house of 20 x 20 m and 12 m, one of 10 x 10 m with four storeys, one untold."""
    return frame(
        [at(0, 0, 20, 20), at(40, 0, 50, 10), at(80, 0, 90, 10)],
        height_m=["12 m", None, None],
        levels=[None, "4", None],
    )


def land_cover() -> gpd.GeoDataFrame:
    """The whole town residential, a lawn in it, a pond's shore of wood, a parking lot."""
    return frame(
        [at(60, 40, 80, 60), at(0, 0, 100, 100), at(0, 80, 20, 100), at(30, 80, 50, 100)],
        **{"class": ["grass", "residential", "wood", "paved"], "id": ["l", "r", "w", "p"]},
    )


def streets() -> gpd.GeoDataFrame:
    """One street of 100 m in the open, one in a tunnel, one without a name."""
    return frame(
        [line((0, 30), (100, 30)), line((0, 70), (100, 70)), line((0, 35), (10, 35))],
        name=["Main Street", "Tunnel", None],
        width_m=["10", None, 10.0],
        tunnel=[None, "yes", None],
        **{"class": ["residential", "primary", "footway"]},
    )


def water() -> gpd.GeoDataFrame:
    return frame([at(80, 80, 100, 100)], **{"class": ["pond"]})


def trees() -> gpd.GeoDataFrame:
    """A crown of 10 m on the lawn, one over the house, one over the pond, a sapling of 1 m."""
    return frame(
        [point(70, 50), point(10, 10), point(90, 90), point(30, 55)],
        height_m=[11.0, 20.0, 20.0, 1.0],
        crown_diameter_m=["10 m", 10, 10, 5],
    )


def raster(values: np.ndarray, cell: float, west: float = 0, north: float = 100) -> Raster:
    return Raster(values, Affine(cell, 0, X + west, 0, -cell, Y + north), GRID, "m")


def town(**options: Any) -> Ground:
    given: dict[str, Any] = {
        "land_cover": land_cover(), "streets": streets(), "water": water(), "trees": trees(),
    } | options  # fmt: skip
    return lay_ground(BOUNDARY, buildings(), cell_size_m=CELL_M, **given)
