"""Fill levels of all depressions at once, from the graph of basins and passes.

A cell drains by steepest descent to the bottom of its basin; water in the bottom rises to the
lowest of the ways out, a way being as high as its highest pass. Kruskal's algorithm joins basins
over ascending passes: the pass over which a basin is joined with the outside is its fill level.
The result is that of a priority flood (Barnes et al. 2014, https://doi.org/10.1016/j.cageo.2013.04.024),
to the last bit, but most of the work runs in parallel.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.d8 import NODATA, NOWHERE, PIT, UNKNOWN, number_by_root, steepest_descent
from ldt_toolbox.flood.strips import in_strips, strips_of
from ldt_toolbox.heat.mixing import Floats

_SLOTS = 1 << 14


@numba.njit(cache=True, nogil=True)
def _number_pits(code, first, last, number, basin):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Basin 0 drains to the outside; pits get the numbers from ``number`` on."""
    for i in range(first, last):
        for j in range(code.shape[1]):
            here = code[i, j]
            if here == PIT:
                basin[i, j] = number
                number += 1
            elif here == 0:
                basin[i, j] = 0
            elif here == NODATA:
                basin[i, j] = NOWHERE
            else:
                basin[i, j] = UNKNOWN


def basins_of(z: Floats, outlets: NDArray[np.bool_] | None = None) -> tuple[NDArray[np.int32], int]:
    """Basin of each cell by steepest descent.

    Parameters
    ----------
    z : numpy.ndarray, shape (rows, columns)
        Terrain, NaN where missing.
    outlets : numpy.ndarray of bool, same shape, or None
        Cells in which flow ends, besides those at the edge or beside a missing cell.

    Returns
    -------
    basin : numpy.ndarray of int32, shape (rows, columns)
        0 for cells that drain to the outside, NOWHERE for missing ones.
    count : int
        Number of basins, the outside included.
    """
    code = steepest_descent(z, outlets, raw=True)
    strips = strips_of(z.shape[0])
    pits = in_strips(lambda first, last: np.count_nonzero(code[first:last] == PIT), strips)
    starts = dict(zip(strips, np.cumsum([1, *pits]).tolist(), strict=False))
    basin = np.empty(z.shape, np.int32)

    def work(first: int, last: int) -> None:
        _number_pits(code, first, last, starts[first, last], basin)

    in_strips(work, strips)
    number_by_root(code, basin)
    return basin, int(sum(pits)) + 1


@numba.njit(cache=True, nogil=True)
def _passes(z, basin, first, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Passes between neighbouring basins: lower number, higher number, height.

    A small table keeps the lowest pass seen between two basins; what falls out of it is listed.
    The list may name a pair several times; it holds its lowest pass.
    """
    rows, columns = z.shape
    low, high = np.full(_SLOTS, -1, np.int32), np.empty(_SLOTS, np.int32)
    lowest = np.empty(_SLOTS, z.dtype)
    room = 4096
    ones, others = np.empty(room, np.int32), np.empty(room, np.int32)
    heights = np.empty(room, z.dtype)
    count = 0
    for i in range(first, last):
        for j in range(columns):
            here = basin[i, j]
            if here < 0:
                continue
            if (
                0 < j < columns - 1
                and i < rows - 1
                and basin[i, j + 1] == here
                and basin[i + 1, j] == here
                and basin[i + 1, j - 1] == here
                and basin[i + 1, j + 1] == here
            ):
                continue  # most cells
            for k in range(4):
                a = i + (1 if k > 0 else 0)
                b = j + (1 if k == 0 else k - 2)
                if a >= rows or b < 0 or b >= columns:
                    continue
                there = basin[a, b]
                if there == here or there < 0:
                    continue
                height = max(z[i, j], z[a, b])
                x, y = min(here, there), max(here, there)
                slot = ((x * 40503) ^ (y * 30011)) & (_SLOTS - 1)
                if low[slot] == x and high[slot] == y:
                    lowest[slot] = min(lowest[slot], height)
                    continue
                if low[slot] >= 0:
                    if count == room:
                        room *= 2
                        ones = np.concatenate((ones, np.empty(count, np.int32)))
                        others = np.concatenate((others, np.empty(count, np.int32)))
                        heights = np.concatenate((heights, np.empty(count, z.dtype)))
                    ones[count], others[count] = low[slot], high[slot]
                    heights[count] = lowest[slot]
                    count += 1
                low[slot], high[slot], lowest[slot] = x, y, height
    kept = np.flatnonzero(low >= 0)
    return (
        np.concatenate((ones[:count], low[kept])),
        np.concatenate((others[:count], high[kept])),
        np.concatenate((heights[:count], lowest[kept])),
    )


@numba.njit(cache=True, nogil=True)
def _levels(ones, others, heights, order, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fill level of each basin: the pass over which it is joined with basin 0."""
    parent = np.arange(count).astype(np.int32)
    following = np.full(count, -1, np.int32)  # members of a joint basin form a chain
    tail = np.arange(count).astype(np.int32)
    level = np.full(count, -np.inf, heights.dtype)
    left = count - 1
    for edge in order:
        a, b = ones[edge], others[edge]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b:
            continue
        if b < a:
            a, b = b, a  # the outside stays the root of what it is joined with
        parent[b] = a
        if a == 0:
            member = b
            while member >= 0:
                level[member] = heights[edge]
                member = following[member]
        else:
            following[tail[a]] = b
            tail[a] = tail[b]
        left -= 1
        if left == 0:
            break
    return level


@numba.njit(cache=True, nogil=True)
def _raise_to(z, basin, level, first, last, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    for i in range(first, last):
        for j in range(z.shape[1]):
            here = basin[i, j]
            out[i, j] = max(z[i, j], level[here]) if here >= 0 else z[i, j]


def fill_levels(z: Floats, basin: NDArray[np.int32], count: int) -> Floats:
    """Level at which each basin overflows.

    Parameters
    ----------
    z : numpy.ndarray, shape (rows, columns)
        Terrain.
    basin : numpy.ndarray of int32, same shape
        From `basins_of`.
    count : int
        Number of basins.

    Returns
    -------
    numpy.ndarray, shape (count,)
        Minus infinity for basin 0, which needs no filling.
    """
    parts = in_strips(lambda first, last: _passes(z, basin, first, last), strips_of(z.shape[0]))
    ones, others, heights = (np.concatenate(part) for part in zip(*parts, strict=True))
    levels: Floats = _levels(ones, others, heights, np.argsort(heights), count)
    return levels


def filled(z: Floats, basin: NDArray[np.int32], level: Floats) -> Floats:
    """Terrain raised to the level of its basins."""
    out = np.empty_like(z)

    def work(first: int, last: int) -> None:
        _raise_to(z, basin, level, first, last, out)

    in_strips(work, strips_of(z.shape[0]))
    return out
