"""Flow over terrain: directions, accumulation, upstream area, drainage network.

Everything here is D8: each cell drains to one of its eight neighbours (O'Callaghan & Mark 1984).
It screens where water gathers; it says nothing about depth or speed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.accumulate import gather
from ldt_toolbox.flood.d8 import CODES, END, NODATA, codes_in, mask_like, steepest_descent, terrain
from ldt_toolbox.flood.flats import drain_flats
from ldt_toolbox.flood.strips import in_strips, strips_of


def flow_directions(
    elevation: NDArray[np.generic], *, outlets: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Direction of flow of each cell: steepest descent, with flats drained to their outlet.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres, row 0 in the north, square cells, NaN where missing. Fill or breach it
        first: what lies in a depression can't drain.
    outlets : numpy.ndarray of bool, same shape, optional
        Cells in which all flow ends, such as the sea.

    Returns
    -------
    numpy.ndarray of uint8, shape (rows, columns)
        1 east, 2 south-east, 4 south, 8 south-west, 16 west, 32 north-west, 64 north,
        128 north-east (ESRI); 0 where the flow leaves the terrain or ends; 255 where missing.
        A cell at the edge of the grid or beside a missing cell drains inwards if a neighbour is
        lower and leaves the terrain otherwise.

    Raises
    ------
    DataError
        If the terrain is no grid of numbers or has no height at all, or the mask does not fit.

    Notes
    -----
    Flats after Garbrecht & Martz 1997 and Barnes et al. 2014, see ``flats``. Of equal slopes the
    first in the order east, south, west, north, then the diagonals wins.
    """
    z = terrain("elevation", elevation)
    code = steepest_descent(z, mask_like("outlets", outlets, z), raw=False)
    drain_flats(z, code)
    return code


def checked_directions(directions: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return directions as a contiguous grid after checking their codes and the grid's edge.

    Raises
    ------
    DataError
        If a code is unknown or a direction leads off the grid.
    """
    code = np.ascontiguousarray(directions)
    if code.ndim != 2 or code.dtype != np.uint8 or code.size == 0:
        raise DataError(
            f"directions are {code.dtype} of shape {code.shape}: give what flow_directions returned"
        )
    present = in_strips(lambda first, last: codes_in(code[first:last]), strips_of(code.shape[0]))
    wrong = np.setdiff1d(np.flatnonzero(np.any(present, axis=0)), [END, NODATA, *CODES]).tolist()
    if wrong:
        raise DataError(f"directions hold {wrong}: known are 0, 255 and {sorted(CODES)}")
    north, south, west, east = (32, 64, 128), (2, 4, 8), (8, 16, 32), (1, 2, 128)
    edges = zip(
        (code[0], code[-1], code[:, 0], code[:, -1]), (north, south, west, east), strict=True
    )
    if any(np.isin(cells, off).any() for cells, off in edges):
        raise DataError("directions lead off the grid: compute them with flow_directions")
    return code


def flow_accumulation(directions: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Count the cells that drain through each cell, itself included.

    Parameters
    ----------
    directions : numpy.ndarray of uint8, shape (rows, columns)
        From `flow_directions`.

    Returns
    -------
    numpy.ndarray of int32, shape (rows, columns)
        1 on ridges; 0 where there is no terrain.

    Raises
    ------
    DataError
        If the directions are unsound: unknown codes, a circle, a way off the grid.
    """
    code = checked_directions(directions)
    total = np.asarray(code != NODATA, np.int32)
    gather(code, total)
    return total


def weighted_accumulation(
    directions: NDArray[np.uint8], weights: NDArray[np.generic]
) -> NDArray[np.float64]:
    """Sum a quantity over all cells that drain through each cell, itself included.

    Parameters
    ----------
    directions : numpy.ndarray of uint8, shape (rows, columns)
        From `flow_directions`.
    weights : numpy.ndarray, same shape
        What each cell contributes, for example runoff in m3; finite wherever there is terrain.

    Returns
    -------
    numpy.ndarray of float64, shape (rows, columns)
        In the weights' unit; NaN where there is no terrain.

    Raises
    ------
    DataError
        If the directions are unsound, or a weight is missing or does not fit the grid.
    """
    code = checked_directions(directions)
    if weights.shape != code.shape:
        raise DataError(f"weights have shape {weights.shape}, the directions {code.shape}")
    land = code != NODATA
    total: NDArray[Any] = np.where(land, weights, 0).astype(np.float64)
    if not np.isfinite(total).all():
        raise DataError(
            f"weights are missing in {int((~np.isfinite(total)).sum())} cells with terrain: "
            "give 0 where a cell contributes nothing"
        )
    gather(code, total)
    total[~land] = np.nan
    return np.asarray(total, np.float64)


def upstream_area(directions: NDArray[np.uint8], *, cell_size_m: float) -> NDArray[np.float32]:
    """Area that drains through each cell, itself included, in m2.

    Parameters
    ----------
    directions : numpy.ndarray of uint8, shape (rows, columns)
        From `flow_directions`.
    cell_size_m : float
        Side of a cell.

    Returns
    -------
    numpy.ndarray of float32, shape (rows, columns)
        NaN where there is no terrain; 7 digits are kept.
    """
    _check_cell_size(cell_size_m)
    area = flow_accumulation(directions).astype(np.float32)
    area *= np.float32(cell_size_m**2)
    area[directions == NODATA] = np.nan
    return area


def drainage_mask(
    accumulation: NDArray[np.int32], *, min_area_m2: float, cell_size_m: float
) -> NDArray[np.bool_]:
    """Cells that belong to the drainage network: those through which enough land drains.

    Parameters
    ----------
    accumulation : numpy.ndarray of int, shape (rows, columns)
        Cells, from `flow_accumulation`.
    min_area_m2 : float
        Upstream area from which on a cell is drainage. It decides how dense the network is and
        with it every height above it: state it with the result.
    cell_size_m : float
        Side of a cell.

    Returns
    -------
    numpy.ndarray of bool, shape (rows, columns)

    Raises
    ------
    ParameterError
        If an area or size is not positive.
    """
    _check_cell_size(cell_size_m)
    if not min_area_m2 > 0:
        raise ParameterError(f"min_area_m2 is {min_area_m2}: give a positive area in m2")
    least = np.ceil(min_area_m2 / cell_size_m**2 * (1 - 1e-12))  # rounding of the quotient
    return np.asarray(accumulation >= max(1, int(least)))


def _check_cell_size(cell_size_m: float) -> None:
    if not cell_size_m > 0:
        raise ParameterError(f"cell_size_m is {cell_size_m}: give the side of a cell in metres")
