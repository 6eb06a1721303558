"""Height above the nearest drainage (HAND) and what a stage would reach.

HAND is a screening index (Nobre et al. 2011, https://doi.org/10.1016/j.jhydrol.2011.03.051): it
ignores discharge, time, walls and what holds water back. A stage map is no flood hazard map; state
the terrain's cell size and the drainage threshold with it.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.d8 import UNKNOWN, mask_like, number_by_root, terrain
from ldt_toolbox.flood.flow import checked_directions
from ldt_toolbox.flood.strips import in_strips, strips_of
from ldt_toolbox.heat.mixing import Floats


@numba.njit(cache=True, nogil=True)
def _above(z, cell, first, last, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    flat = z.reshape(-1)
    for i in range(first, last):
        for j in range(z.shape[1]):
            root = cell[i, j]
            out[i, j] = z[i, j] - flat[root] if root >= 0 else np.nan


@dataclass(frozen=True)
class Hand:
    """Height above the nearest drainage.

    Attributes
    ----------
    height : numpy.ndarray, shape (rows, columns)
        Metres above the drainage cell that the flow reaches first; 0 in drainage cells; NaN where
        the flow leaves the terrain without meeting one, and where there is no terrain.
    drainage_cell : numpy.ndarray of int32, shape (rows, columns)
        That cell's place in the flattened grid (row * columns + column); negative where none.
    """

    height: Floats
    drainage_cell: NDArray[np.int32]


def height_above_drainage(
    elevation: NDArray[np.generic],
    directions: NDArray[np.uint8],
    drainage: NDArray[np.bool_],
) -> Hand:
    """Height of each cell above the drainage cell that its flow reaches first.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres from which the directions come (filled or breached); NaN where missing.
        With unfilled terrain, cells in depressions may come out below their drainage.
    directions : numpy.ndarray of uint8, same shape
        From ``flow_directions``.
    drainage : numpy.ndarray of bool, same shape
        Drainage cells, from ``drainage_mask`` or a river map. Include outlets to give a height to
        the slopes that drain straight off the terrain.

    Returns
    -------
    Hand

    Raises
    ------
    DataError
        If the grids do not fit each other, the directions run in a circle or no cell is drainage.
    """
    z, code = terrain("elevation", elevation), checked_directions(directions)
    mask = mask_like("drainage", drainage, z)
    if code.shape != z.shape or mask is None:
        raise DataError(f"directions have shape {code.shape}, the elevation {z.shape}")
    if not mask.any():
        raise DataError("no cell is drainage: lower the drainage threshold or give a river map")
    root = np.full(z.shape, UNKNOWN, np.int32)
    flat = np.flatnonzero(mask)
    root.reshape(-1)[flat] = flat
    number_by_root(code, root)
    height = np.empty_like(z)
    in_strips(lambda first, last: _above(z, root, first, last, height), strips_of(z.shape[0]))
    return Hand(height, root)


def stage_depth(height: NDArray[np.generic], stage_m: float) -> Floats:
    """Depth where the height above drainage lies below a stage, were it the same everywhere.

    Parameters
    ----------
    height : numpy.ndarray, shape (rows, columns)
        Height above the nearest drainage in metres, NaN where unknown.
    stage_m : float
        Water level above the drainage, more than 0.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        ``stage - height`` in metres where that is positive, 0 elsewhere, NaN where unknown.

    Raises
    ------
    ParameterError
        If the stage is not a positive number.
    """
    if not 0 < stage_m < np.inf:
        raise ParameterError(f"stage_m is {stage_m}: give a positive height in metres")
    z = terrain("height", height)
    return np.asarray(np.maximum(z.dtype.type(stage_m) - z, z.dtype.type(0)))
