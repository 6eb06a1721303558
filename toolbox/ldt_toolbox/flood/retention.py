"""Retention basins: where they catch most, and the ground with them dug."""

import heapq
import math

import geopandas as gpd
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.space.paint import paint

BASIN_DEPTH_M = 2.0
LEAST_UPSTREAM_CELLS = 5
MOST_BUILT = 0.25
Levels = NDArray[np.float64]
_EIGHT = np.ones((3, 3), np.bool_)


def basin_places(
    ground: Ground, found: Screening, *, count: int, volume_m3: float
) -> list[NDArray[np.intp]]:
    """Open ground off the rivers where a basin catches most, by its upstream area.

    Parameters
    ----------
    ground, found
        As in the steps.
    count : int
        Basins wanted; none lies beside another.
    volume_m3 : float
        Of each. It takes as many cells as it needs at a depth of `BASIN_DEPTH_M`: one cell of
        5 m would be a well of 20 m, and the longest time step falls with the deepest water.

    Returns
    -------
    list of numpy.ndarray of int
        Places of the cells of each basin in the flattened grid, the best first; fewer than
        wanted where there is no more open ground.
    """
    cells = max(1, math.ceil(volume_m3 / (BASIN_DEPTH_M * ground.setup.cell_m**2) - 1e-9))
    free = ground.inside & (ground.setup.built < MOST_BUILT) & ~found.drainage
    free &= np.isfinite(ground.setup.elevation)
    label, _ = scipy.ndimage.label(free)
    free &= np.bincount(label.ravel())[label] >= cells
    value = np.where(free & (found.accumulation >= LEAST_UPSTREAM_CELLS), found.accumulation, 0)
    chosen: list[NDArray[np.intp]] = []
    for seed in np.argsort(-value, axis=None, kind="stable"):
        row, column = divmod(int(seed), value.shape[1])
        if value[row, column] == 0 or len(chosen) >= count:
            break
        if not free[row, column]:
            continue
        grown = _grown(free, row, column, cells)
        if len(grown) < cells:
            continue
        chosen.append(grown)
        mine = np.zeros(free.shape, np.bool_)
        mine.reshape(-1)[grown] = True
        free &= ~scipy.ndimage.binary_dilation(mine, _EIGHT)
    return chosen


def _grown(free: NDArray[np.bool_], row: int, column: int, cells: int) -> NDArray[np.intp]:
    """Grow a patch of free cells around a seed, the nearest first; short where there are none."""
    rows, columns = free.shape
    queue, seen = [(0, row, column)], {(row, column)}
    patch: list[int] = []
    while queue and len(patch) < cells:
        _, i, j = heapq.heappop(queue)
        patch.append(i * columns + j)
        for near in ((i - 1, j), (i, j - 1), (i, j + 1), (i + 1, j)):
            within = 0 <= near[0] < rows and 0 <= near[1] < columns
            if within and near not in seen and free[near]:
                seen.add(near)
                away = (near[0] - row) ** 2 + (near[1] - column) ** 2
                heapq.heappush(queue, (away, *near))
    return np.array(patch, np.intp)


def dig(
    ground: Ground,
    elevation: Levels,
    found: Screening,
    basins: gpd.GeoDataFrame | None,
    *,
    count: int,
    volume_m3: float,
) -> tuple[Levels, float]:
    """Dig retention basins: those that are given, else the best places.

    Parameters
    ----------
    ground, found
        As in the steps.
    elevation : numpy.ndarray, shape of the ground
        Ground to dig into, m.
    basins : geopandas.GeoDataFrame, optional
        Polygons with `volume_m3`.
    count, volume_m3 : int, float
        Number of basins and volume of each, where none is given.

    Returns
    -------
    numpy.ndarray
        Ground lowered so that each basin holds its volume below the lowest ground that it takes.
    float
        Storage, m3.

    Raises
    ------
    DataError
        If a basin lies outside the terrain or has no volume.
    """
    if basins is None:
        places = basin_places(ground, found, count=count, volume_m3=volume_m3)
        volumes = [volume_m3] * len(places)
    else:
        volumes = basins["volume_m3"].astype(np.float64).to_list()
        if bad := sum(not volume > 0 for volume in volumes):
            raise DataError(
                f"retention_basins: {bad} of {len(volumes)} have no volume above 0: give volume_m3"
            )
        places = [_covered(shape, ground, elevation) for shape in basins.geometry]
    level = elevation.copy()
    flat = level.reshape(-1)
    for cells, volume in zip(places, volumes, strict=True):
        flat[cells] = flat[cells].min() - volume / (cells.size * ground.setup.cell_m**2)
    return level, float(sum(volumes))


def _covered(shape: BaseGeometry, ground: Ground, elevation: Levels) -> NDArray[np.intp]:
    painted = np.zeros(elevation.shape, np.uint8)
    paint([(shape, 1)], ground.grid, out=painted, all_touched=True)
    cells = np.flatnonzero((painted == 1) & np.isfinite(elevation))
    if not cells.size:
        raise DataError(
            "retention_basins: a basin lies outside the terrain: check its place and CRS"
        )
    return cells
