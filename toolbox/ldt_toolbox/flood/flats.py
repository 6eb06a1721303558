"""Flow across flats: away from higher ground and towards the outlet.

Garbrecht & Martz 1997 (https://doi.org/10.1016/S0022-1694(96)03138-1) as made exact and linear by
Barnes et al. 2014 (https://doi.org/10.1016/j.cageo.2013.01.009): each cell of a flat gets twice
its distance to the flat's outlet less its distance from higher ground, in cells, and drains to
the neighbour with the least.
"""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.d8 import CODES, COLUMN_STEPS, END, NODATA, PIT, ROW_STEPS
from ldt_toolbox.flood.strips import in_strips, strips_of
from ldt_toolbox.heat.mixing import Floats


@numba.njit(cache=True, nogil=True)
def _flat_cells(z, code, first, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Cells without a direction: all, those below higher ground, those beside an outlet."""
    columns = z.shape[1]
    count = 0
    for i in range(first, last):
        for j in range(columns):
            count += code[i, j] == PIT
    cells, below, beside = np.empty((3, count), np.int32)
    count, lows, highs = 0, 0, 0
    for i in range(first, last):
        for j in range(columns):
            if code[i, j] != PIT:
                continue
            cell = i * columns + j
            cells[count] = cell
            count += 1
            higher, outlet = False, False
            for k in range(8):  # a cell at the edge has a direction: all eight exist
                a, b = i + ROW_STEPS[k], j + COLUMN_STEPS[k]
                higher |= z[a, b] > z[i, j]
                outlet |= z[a, b] == z[i, j] and code[a, b] != PIT and code[a, b] != NODATA
            if higher:
                below[lows] = cell
                lows += 1
            if outlet:
                beside[highs] = cell
                highs += 1
    return cells, below[:lows], beside[:highs]


@numba.njit(cache=True, nogil=True)
def _spread(z, code, seeds, size, distance):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the distance in cells from the seeds (1 there) across their flats, 0 elsewhere."""
    columns = z.shape[1]
    flat_z, flat_code = z.reshape(-1), code.reshape(-1)
    queue = np.empty(size, np.int32)
    tail = seeds.shape[0]
    queue[:tail] = seeds
    for head in range(tail):
        distance[seeds[head]] = 1
    head = 0
    while head < tail:
        cell = queue[head]
        head += 1
        for k in range(8):
            near = cell + ROW_STEPS[k] * columns + COLUMN_STEPS[k]
            if distance[near] == 0 and flat_code[near] == PIT and flat_z[near] == flat_z[cell]:
                distance[near] = distance[cell] + 1
                queue[tail] = near
                tail += 1


@numba.njit(cache=True, nogil=True)
def _point(z, code, cells, from_high, to_low, chosen):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Choose the direction of flat cells; END where the flat has no outlet."""
    columns = z.shape[1]
    flat_z, flat_code = z.reshape(-1), code.reshape(-1)
    for place in range(cells.shape[0]):
        cell = cells[place]
        chosen[place] = END
        if to_low[cell] == 0:
            continue
        least = 2 * to_low[cell] - from_high[cell]
        for k in range(8):
            near = cell + ROW_STEPS[k] * columns + COLUMN_STEPS[k]
            if flat_z[near] != flat_z[cell]:
                continue
            if flat_code[near] != PIT:
                chosen[place] = CODES[k]  # the outlet itself
                break
            height = 2 * to_low[near] - from_high[near]
            if height < least:
                least = height
                chosen[place] = CODES[k]


def drain_flats(z: Floats, code: NDArray[np.uint8]) -> None:
    """Give the cells of flats a direction.

    Parameters
    ----------
    z : numpy.ndarray, shape (rows, columns)
        Terrain.
    code : numpy.ndarray of uint8, same shape
        Directions, PIT where no neighbour is lower. Changed in place: what cannot drain, because
        the terrain has a depression there, becomes END.
    """
    parts = in_strips(lambda first, last: _flat_cells(z, code, first, last), strips_of(z.shape[0]))
    cells, below, beside = (np.concatenate(part) for part in zip(*parts, strict=True))
    if not cells.size:
        return
    # Pages of an array of zeros that nobody writes to take no memory.
    from_high, to_low = np.zeros(z.size, np.int32), np.zeros(z.size, np.int32)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_spread, z, code, seeds, cells.size, distance)
            for seeds, distance in ((below, from_high), (beside, to_low))
        ]
        for job in jobs:
            job.result()
    chosen = np.empty(cells.size, np.uint8)

    def point(first: int, last: int) -> None:
        _point(z, code, cells[first:last], from_high, to_low, chosen[first:last])

    in_strips(point, strips_of(cells.size, 1 << 16))
    code.reshape(-1)[cells] = chosen
