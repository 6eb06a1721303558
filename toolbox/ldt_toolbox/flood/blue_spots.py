"""Blue spots: depressions in which rain collects, how much they hold and what drains into them.

A blue spot says where water stands once enough rain has run in; it knows no sewers, no seepage
and no time. State the terrain's cell size with it: at cells of 20 m most urban hollows vanish.
"""

from dataclasses import dataclass

import numba
import numpy as np
import pandas as pd
import scipy.ndimage
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.d8 import steps, terrain
from ldt_toolbox.flood.flow import checked_directions, flow_accumulation
from ldt_toolbox.heat.mixing import Floats

_ALL_EIGHT = np.ones((3, 3), np.int8)


@dataclass(frozen=True)
class BlueSpots:
    """Depressions of a terrain.

    Attributes
    ----------
    depth : numpy.ndarray, shape (rows, columns)
        Metres of water when full; 0 outside the spots of the table, NaN where no terrain is.
    label : numpy.ndarray of int32, same shape
        Number of the spot, 0 outside.
    table : pandas.DataFrame
        Indexed by ``blue_spot``, the largest volume first: ``volume_m3``, ``area_m2``,
        ``depth_max_m``, ``depth_mean_m``, ``level_m`` (water level when full),
        ``contributing_m2`` (all land that drains through the spot, its own area included),
        ``rain_to_fill_mm`` (runoff depth over that land that fills it, were the spots above it
        full already), ``spill_row`` and ``spill_column`` (cell over which it overflows).
    """

    depth: Floats
    label: NDArray[np.int32]
    table: pd.DataFrame


@numba.njit(cache=True, nogil=True)
def _exits(code, step, level, label, accumulation, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Cells that drain through each spot, and the first dry cell of the largest way out.

    A way out that comes back over dry ground at the water's level is none. The grids are flat.
    """
    through = np.zeros(count + 1, np.int64)
    widest = np.zeros(count + 1, np.int64)
    spill = np.full(count + 1, -1, np.int64)
    for cell in range(label.shape[0]):
        spot = label[cell]
        if spot == 0:
            continue
        out = cell + step[code[cell]]
        if label[out] == spot:
            continue
        after = out
        while level[after] == level[cell] and label[after] != spot:
            if step[code[after]] == 0:
                break
            after += step[code[after]]
        if label[after] == spot:
            continue
        through[spot] += accumulation[cell]
        if accumulation[cell] > widest[spot]:
            widest[spot] = accumulation[cell]
            spill[spot] = out
    return through, spill


def blue_spots(
    elevation: NDArray[np.generic],
    filled: NDArray[np.generic],
    directions: NDArray[np.uint8],
    *,
    cell_size_m: float,
    min_depth_m: float = 0.0,
    min_area_m2: float = 0.0,
) -> BlueSpots:
    """Find the depressions of a terrain, the largest first.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres; burn no streams into it, but do cut culverts.
    filled : numpy.ndarray, same shape
        The same terrain after ``fill_depressions`` without a gradient.
    directions : numpy.ndarray of uint8, same shape
        From ``flow_directions`` of the filled terrain.
    cell_size_m : float
        Side of a cell.
    min_depth_m, min_area_m2 : float
        Spots that are nowhere as deep, or cover less, are left out: noise of the terrain model.

    Returns
    -------
    BlueSpots

    Raises
    ------
    ParameterError
        If a size is out of its range.
    DataError
        If the grids do not belong together.
    """
    if not (cell_size_m > 0 and min_depth_m >= 0 and min_area_m2 >= 0):
        raise ParameterError(
            f"cell_size_m is {cell_size_m}, min_depth_m {min_depth_m}, min_area_m2 {min_area_m2}: "
            "give a positive cell size and limits of 0 or more"
        )
    z, level, code = terrain("elevation", elevation), terrain("filled", filled), directions
    code = checked_directions(code)
    if not z.shape == level.shape == code.shape:
        raise DataError(
            f"the terrain has shape {z.shape}, the filled one {level.shape}, the directions "
            f"{code.shape}: compute all from one terrain"
        )
    if (level < z).any():
        raise DataError("the filled terrain lies below the terrain: fill this one")
    depth: Floats = np.asarray(level - z)
    label, count = _kept(depth, cell_size_m, min_depth_m, min_area_m2)
    depth[(label == 0) & ~np.isnan(z)] = 0
    flat = label.reshape(-1)
    wet = np.flatnonzero(flat)
    spot = flat[wet]
    if (code.reshape(-1)[wet] == 0).any():
        raise DataError("water stands still in a depression: give directions of the filled terrain")
    deep = depth.reshape(-1)[wet].astype(np.float64)
    sizes = np.bincount(spot, minlength=count + 1)[1:]
    volumes = np.bincount(spot, deep, count + 1)[1:] * cell_size_m**2
    highest, levels = np.zeros(count + 1), np.full(count + 1, -np.inf)
    np.maximum.at(highest, spot, deep)
    np.maximum.at(levels, spot, level.reshape(-1)[wet].astype(np.float64))
    through, spill = _exits(
        code.reshape(-1), steps(z.shape[1]), level.reshape(-1), flat,
        flow_accumulation(code).reshape(-1), count,
    )  # fmt: skip
    area, contributing = sizes * cell_size_m**2, through[1:] * cell_size_m**2
    table = pd.DataFrame(
        {
            "volume_m3": volumes,
            "area_m2": area,
            "depth_max_m": highest[1:],
            "depth_mean_m": volumes / area,
            "level_m": levels[1:],
            "contributing_m2": contributing,
            "rain_to_fill_mm": 1000 * volumes / contributing,
            "spill_row": spill[1:] // z.shape[1],
            "spill_column": spill[1:] % z.shape[1],
        },
        index=pd.RangeIndex(1, count + 1, name="blue_spot"),
    )
    return BlueSpots(depth, label, table)


def _kept(
    depth: Floats, cell_size_m: float, min_depth_m: float, min_area_m2: float
) -> tuple[NDArray[np.int32], int]:
    """Number the connected wet cells that are deep and large enough, by falling volume."""
    found, count = scipy.ndimage.label(depth > 0, structure=_ALL_EIGHT)
    flat = found.reshape(-1)
    wet = np.flatnonzero(flat)
    deep = depth.reshape(-1)[wet].astype(np.float64)
    volume = np.bincount(flat[wet], deep, count + 1)
    area = np.bincount(flat[wet], minlength=count + 1) * cell_size_m**2
    highest = np.zeros(count + 1)
    np.maximum.at(highest, flat[wet], deep)
    keep = (highest >= min_depth_m) & (area >= min_area_m2 * (1 - 1e-12))
    keep[0] = False
    chosen = np.flatnonzero(keep)
    chosen = chosen[np.argsort(-volume[chosen], kind="stable")]
    number = np.zeros(count + 1, np.int32)
    number[chosen] = np.arange(1, chosen.size + 1)
    return number[found], chosen.size
