"""Priority flood with a gradient: water surfaces that fall towards their outlet.

Priority-Flood+epsilon of Barnes et al. 2014 (https://doi.org/10.1016/j.cageo.2013.04.024),
with one queue for all cells, so that no cell is raised more than it has to be.
"""

import heapq

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.d8 import COLUMN_STEPS, END, ROW_STEPS, steepest_descent
from ldt_toolbox.heat.mixing import Floats


@numba.njit(cache=True, nogil=True)
def _flood(z, seeds, rise, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Flood inwards from the seeds; raise each cell at least ``rise`` above where it drains to."""
    rows, columns = z.shape
    closed = np.zeros(z.size, np.bool_)
    flat = out.reshape(-1)
    queue = [(flat[seed], np.int64(seed)) for seed in seeds]
    heapq.heapify(queue)
    closed[seeds] = True
    infinite = z.dtype.type(np.inf)
    while queue:
        level, cell = heapq.heappop(queue)
        least = max(z.dtype.type(level + rise), np.nextafter(level, infinite))
        i, j = cell // columns, cell % columns
        for k in range(8):
            a, b = i + ROW_STEPS[k], j + COLUMN_STEPS[k]
            if a < 0 or b < 0 or a >= rows or b >= columns:
                continue
            near = a * columns + b
            if closed[near] or flat[near] != flat[near]:
                continue
            closed[near] = True
            flat[near] = max(flat[near], least)
            heapq.heappush(queue, (flat[near], near))


def flood_with_gradient(z: Floats, outlets: NDArray[np.bool_] | None, rise_m: float) -> Floats:
    """Raise the terrain until every cell has a neighbour lower by ``rise_m`` or is an outlet.

    Parameters
    ----------
    z : numpy.ndarray, shape (rows, columns)
        Terrain, NaN where missing.
    outlets : numpy.ndarray of bool, same shape, or None
        Cells in which flow ends, besides those at the edge or beside a missing cell.
    rise_m : float
        From a cell to the next upstream. Where it is less than the type of the terrain can tell
        apart at that height, the next number is taken.
    """
    out: Floats = z.copy()
    code = steepest_descent(z, outlets, raw=True)
    seeds = np.flatnonzero(code == END)
    del code
    _flood(z, seeds, z.dtype.type(rise_m), out)
    return out
