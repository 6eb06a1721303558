"""Flow across flats: away from higher ground and towards the outlet.

Garbrecht & Martz 1997 (https://doi.org/10.1016/S0022-1694(96)03138-1) as made exact and linear by
Barnes et al. 2014 (https://doi.org/10.1016/j.cageo.2013.01.009): each cell of a flat gets twice
its distance to the flat's outlet less its distance from higher ground, in cells, and drains to
the neighbour with the least. Distances of neighbours differ by one at most, so that it is enough
to count them round and round in a byte.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.d8 import CODES, COLUMN_STEPS, END, PIT, ROW_STEPS
from ldt_toolbox.flood.strips import in_strips, strips_of
from ldt_toolbox.heat.mixing import Floats


@numba.njit(cache=True, nogil=True)
def _flat_cells(z, code, first, last, beside):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Cells without a direction: all, those below higher ground, those at the flat's outlet.

    In ``beside`` bit k says that neighbour k belongs to the same flat.
    """
    columns = z.shape[1]
    count = 0
    for i in range(first, last):
        for j in range(columns):
            count += code[i, j] == PIT
    cells, low, open_ = (
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
    )
    count, lows, opens = 0, 0, 0
    for i in range(first, last):
        for j in range(columns):
            if code[i, j] != PIT:
                continue
            cell = i * columns + j
            cells[count] = cell
            count += 1
            higher, outlet, same = False, False, 0
            for k in range(8):  # a cell at the edge has a direction: all eight exist
                a, b = i + ROW_STEPS[k], j + COLUMN_STEPS[k]
                level = z[a, b] == z[i, j]
                higher |= z[a, b] > z[i, j]
                pit = code[a, b] == PIT
                outlet |= level and not pit
                same |= (level and pit) << k
            beside[i, j] = same
            if higher:
                low[lows] = cell
                lows += 1
            if outlet:
                open_[opens] = cell
                opens += 1
    return cells, low[:lows], open_[:opens]


_ROUND = 255  # distances are 1, 2, ... 255, 1, 2, ...; 0 where none was found


@numba.njit(cache=True, nogil=True)
def _spread(beside, columns, seeds, size, distance):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the distance in cells from the seeds across their flats, in turns of _ROUND."""
    queue = np.empty(size, np.int32)
    tail = seeds.shape[0]
    for place in range(tail):
        queue[place] = seeds[place]
        distance[seeds[place]] = 1
    head = 0
    while head < tail:
        cell = queue[head]
        head += 1
        same = beside[cell]
        after = np.uint8(distance[cell] % _ROUND + 1)
        for k in range(8):
            if (same >> k) & 1:
                near = cell + ROW_STEPS[k] * columns + COLUMN_STEPS[k]
                if distance[near] == 0:
                    distance[near] = after
                    queue[tail] = near
                    tail += 1


@numba.njit(cache=True, nogil=True)
def _point(z, code, beside, cells, from_high, to_low, chosen):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Choose the direction of flat cells; END where the flat has no outlet."""
    columns = z.shape[1]
    flat_z, flat_code = z.reshape(-1), code.reshape(-1)
    for place in range(cells.shape[0]):
        cell = cells[place]
        chosen[place] = END
        if to_low[cell] == 0:
            continue
        same, least = beside[cell], 0
        for k in range(8):
            near = cell + ROW_STEPS[k] * columns + COLUMN_STEPS[k]
            if (same >> k) & 1:
                height = 2 * _apart(to_low[near], to_low[cell])
                height -= _apart(from_high[near], from_high[cell])
                if height < least:
                    least = height
                    chosen[place] = CODES[k]
            elif flat_z[near] == flat_z[cell] and flat_code[near] != PIT:
                chosen[place] = CODES[k]  # the outlet itself
                break


@numba.njit(cache=True, nogil=True)
def _apart(one, other):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Difference of the distances of two neighbours: -1, 0 or 1."""
    difference = np.int64(one) - np.int64(other)
    if difference > 1:
        return difference - _ROUND
    if difference < -1:
        return difference + _ROUND
    return difference


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
    # Pages of these three that nobody writes to take no memory.
    beside = np.zeros(z.shape, np.uint8)
    from_high, to_low = np.zeros(z.size, np.uint8), np.zeros(z.size, np.uint8)
    parts = in_strips(
        lambda first, last: _flat_cells(z, code, first, last, beside), strips_of(z.shape[0])
    )
    cells, below, at_outlet = (np.concatenate(part) for part in zip(*parts, strict=True))
    jobs = ((below, from_high), (at_outlet, to_low))

    def spread(job: int, _: int) -> None:
        seeds, distance = jobs[job]
        _spread(beside.reshape(-1), z.shape[1], seeds, cells.size, distance)

    in_strips(spread, strips_of(len(jobs), 1))
    chosen = np.empty(cells.size, np.uint8)

    def point(first: int, last: int) -> None:
        _point(
            z, code, beside.reshape(-1), cells[first:last], from_high, to_low, chosen[first:last]
        )

    in_strips(point, strips_of(cells.size, 1 << 16))
    code.reshape(-1)[cells] = chosen
