"""Least-cost breaches: the trench that lets a pit out with the least digging.

From each pit, the lowest first, a search spreads over the neighbours in the order of what digging
down to the pit's level would take (Dijkstra), until it meets a cell that is lower than the pit or
an outlet (Lindsay & Dhun 2015, https://doi.org/10.1080/13658816.2014.975715; Lindsay 2016,
https://doi.org/10.1002/hyp.10648). A pit that the limits keep shut stays as it is.
"""

import heapq
import math

import numba
import numpy as np

from ldt_toolbox.flood.d8 import COLUMN_STEPS, ROW_STEPS


@numba.njit(cache=True, nogil=True)
def _search(z, outlet, pit, reach, max_depth, cost, back, visited):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Cell to which the cheapest trench from ``pit`` leads, -1 if there is none within limits.

    ``cost`` and ``back`` are windows of ``2 reach + 1`` cells around the pit; ``visited`` lists
    the places in them that have to be cleaned.
    """
    rows, columns = z.shape
    side = 2 * reach + 1
    row, column = pit // columns, pit % columns
    bottom = z[row, column]
    middle = reach * side + reach
    cost[middle] = 0.0
    count = 1
    visited[0] = middle
    queue = [(0.0, np.int64(middle))]
    while queue:
        paid, place = heapq.heappop(queue)
        if paid > cost[place]:
            continue
        i, j = row - reach + place // side, column - reach + place % side
        if place != middle and (z[i, j] < bottom or outlet[i, j]):
            return place, count
        for k in range(8):
            a, b = i + ROW_STEPS[k], j + COLUMN_STEPS[k]
            if a < 0 or b < 0 or a >= rows or b >= columns:
                continue
            if abs(a - row) > reach or abs(b - column) > reach or z[a, b] != z[a, b]:
                continue
            digging = max(0.0, float(z[a, b]) - float(bottom))
            if digging > max_depth:
                continue
            length = 1.0 if k < 4 else math.sqrt(2.0)
            # A hair per cell makes the shortest of the free ways the cheapest.
            total = paid + (digging + 1e-9) * length
            near = (a - row + reach) * side + b - column + reach
            if total < cost[near]:
                if cost[near] == np.inf:
                    visited[count] = near
                    count += 1
                cost[near] = total
                back[near] = k
                heapq.heappush(queue, (total, np.int64(near)))
    return -1, count


@numba.njit(cache=True, nogil=True)
def _dig(z, pit, place, reach, back):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Lower the way from the pit to ``place`` so that it falls evenly; return its length."""
    columns = z.shape[1]
    side = 2 * reach + 1
    row, column = pit // columns, pit % columns
    bottom = float(z[row, column])
    length, at = 0, place
    while at != reach * side + reach:
        at -= ROW_STEPS[back[at]] * side + COLUMN_STEPS[back[at]]
        length += 1
    end = min(float(z[row - reach + place // side, column - reach + place % side]), bottom)
    left, at = length, place
    while at != reach * side + reach:
        i, j = row - reach + at // side, column - reach + at % side
        wanted = z.dtype.type(bottom + (end - bottom) * left / length)
        z[i, j] = min(z[i, j], wanted)
        at -= ROW_STEPS[back[at]] * side + COLUMN_STEPS[back[at]]
        left -= 1
    return length


@numba.njit(cache=True, nogil=True)
def breach(z, outlet, pits, reach, max_depth, opened):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Open the pits in the given order where the limits allow; mark those that drain now.

    Parameters
    ----------
    z : numpy.ndarray, shape (rows, columns)
        Terrain, changed in place.
    outlet : numpy.ndarray of bool, same shape
        Cells in which flow ends or leaves the terrain.
    pits : numpy.ndarray of int
        Their places in the flattened grid, the lowest first.
    reach : int
        Cells from the pit, in rows and in columns, that a trench may go.
    max_depth : float
        The deepest cut below the ground.
    opened : numpy.ndarray of bool
        One per pit, changed in place.
    """
    side = 2 * reach + 1
    cost = np.full(side * side, np.inf)
    back = np.zeros(side * side, np.int8)
    visited = np.empty(side * side, np.int64)
    for number in range(pits.shape[0]):
        place, count = _search(z, outlet, pits[number], reach, max_depth, cost, back, visited)
        if place >= 0:
            _dig(z, pits[number], place, reach, back)
            opened[number] = True
        for k in range(count):
            cost[visited[k]] = np.inf
