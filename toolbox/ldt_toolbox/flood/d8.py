"""The eight directions of flow: codes, steepest descent, and where flow paths end.

Codes are ESRI's: 1 east, 2 south-east, 4 south, 8 south-west, 16 west, 32 north-west, 64 north,
128 north-east; 0 where the flow ends, 255 where there is no terrain.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.strips import in_strips, strips_of
from ldt_toolbox.heat.mixing import Floats, as_floats

END, PIT, NODATA = 0, 254, 255
CODES = (1, 4, 16, 64, 2, 8, 32, 128)  # the four sides first: they win where slopes are equal
ROW_STEPS = (0, 1, 0, -1, 1, 1, -1, -1)
COLUMN_STEPS = (1, 0, -1, 0, 1, -1, -1, 1)

# Where a path ends, besides the numbers of the roots (0 and more)
UNKNOWN, NOWHERE, ELSEWHERE = -1, -2, -3

MOST_CELLS = 2**31 - 8  # cells are numbered by 32 bits


def steps(columns: int) -> NDArray[np.int32]:
    """Distance in the flattened grid to the cell that a code points at; 0 where it points nowhere.

    Parameters
    ----------
    columns : int
        Of the grid.

    Returns
    -------
    numpy.ndarray of int32, shape (256,)
        By code.
    """
    table = np.zeros(256, np.int32)
    for code, row, column in zip(CODES, ROW_STEPS, COLUMN_STEPS, strict=True):
        table[code] = row * columns + column
    return table


def terrain(name: str, values: NDArray[np.generic]) -> Floats:
    """Return a terrain as a contiguous float32 or float64 grid with NaN where nothing is known.

    Raises
    ------
    DataError
        If it is no grid of numbers, too large, or has no cell with a height.
    """
    grid = as_floats(name, values)
    if grid.size > MOST_CELLS:
        raise DataError(f"{name} has {grid.size} cells, {MOST_CELLS} at most: cut it into tiles")
    grid = np.ascontiguousarray(grid)
    parts = in_strips(lambda first, last: _heights_in(grid[first:last]), strips_of(grid.shape[0]))
    known, infinite = np.sum(parts, axis=0)
    if not known:
        raise DataError(f"{name} has no cell with a height: check the area and the nodata value")
    if infinite:
        grid = np.where(np.isfinite(grid), grid, grid.dtype.type(np.nan))
    return grid


@numba.njit(cache=True, nogil=True)
def _heights_in(z):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Count finite and infinite cells."""
    known, missing = 0, 0
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            known += abs(z[i, j]) < np.inf
            missing += z[i, j] != z[i, j]
    return known, z.size - known - missing


@numba.njit(cache=True, nogil=True)
def codes_in(code):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Tell which of the 256 codes occur."""
    present = np.zeros(256, np.bool_)
    for i in range(code.shape[0]):
        for j in range(code.shape[1]):
            present[code[i, j]] = True
    return present


def mask_like(
    name: str, mask: NDArray[np.bool_] | None, grid: NDArray[np.generic]
) -> NDArray[np.bool_] | None:
    """Return a mask after checking that it is one and fits the grid."""
    if mask is None:
        return None
    checked = np.asarray(mask)
    if checked.shape != grid.shape or checked.dtype != np.bool_:
        raise DataError(
            f"{name} is {checked.dtype} of shape {checked.shape}: "
            f"give truth values of shape {grid.shape}"
        )
    return np.ascontiguousarray(checked)


@numba.njit(cache=True, nogil=True)
def _steepest_at(z, i, j, raw):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Steepest descent of a cell at the grid's edge: the rest of the grid is an outlet."""
    rows, columns = z.shape
    here = z[i, j]
    if here != here:
        return NODATA
    best, code = z.dtype.type(0), END
    if not raw:
        for k in range(8):
            a, b = i + ROW_STEPS[k], j + COLUMN_STEPS[k]
            if a < 0 or b < 0 or a >= rows or b >= columns:
                continue
            drop = here - z[a, b]
            if k >= 4:
                drop *= z.dtype.type(0.7071067811865476)
            if drop > best:
                best, code = drop, CODES[k]
    return code


@numba.njit(cache=True, nogil=True)
def _steepest(z, raw, first, last, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Write the direction of steepest descent of the rows from ``first`` to before ``last``.

    An outlet is a cell at the edge of the grid or beside a missing one. ``raw`` is for terrain
    with depressions: outlets end the flow, and of two cells of one height the later one drains to
    the earlier. Otherwise outlets drain inwards if they can. PIT where nothing is lower.
    """
    rows, columns = z.shape
    one = z.dtype.type(1)
    diagonal = z.dtype.type(0.7071067811865476)
    end, pit, nodata = np.int32(END), np.int32(PIT), np.int32(NODATA)
    for i in range(first, last):
        if i == 0 or i == rows - 1 or columns < 3:
            for j in range(columns):
                out[i, j] = _steepest_at(z, i, j, raw)
            continue
        out[i, 0] = _steepest_at(z, i, 0, raw)
        out[i, columns - 1] = _steepest_at(z, i, columns - 1, raw)
        # Slices that start at the same place let the compiler use vector instructions.
        nw, n, ne = z[i - 1, :-2], z[i - 1, 1:-1], z[i - 1, 2:]
        w, c, e = z[i, :-2], z[i, 1:-1], z[i, 2:]
        sw, s, se = z[i + 1, :-2], z[i + 1, 1:-1], z[i + 1, 2:]
        target = out[i, 1:-1]
        for j in range(columns - 2):
            here = c[j]
            best, code = one * 0, pit
            drop = here - e[j]
            code = np.int32(1) if drop > best else code
            best = drop if drop > best else best
            drop = here - s[j]
            code = np.int32(4) if drop > best else code
            best = drop if drop > best else best
            drop = here - w[j]
            code = np.int32(16) if drop > best else code
            best = drop if drop > best else best
            drop = here - n[j]
            code = np.int32(64) if drop > best else code
            best = drop if drop > best else best
            drop = (here - se[j]) * diagonal
            code = np.int32(2) if drop > best else code
            best = drop if drop > best else best
            drop = (here - sw[j]) * diagonal
            code = np.int32(8) if drop > best else code
            best = drop if drop > best else best
            drop = (here - nw[j]) * diagonal
            code = np.int32(32) if drop > best else code
            best = drop if drop > best else best
            drop = (here - ne[j]) * diagonal
            code = np.int32(128) if drop > best else code
            if raw:
                level = pit
                level = np.int32(128) if ne[j] == here else level
                level = np.int32(64) if n[j] == here else level
                level = np.int32(32) if nw[j] == here else level
                level = np.int32(16) if w[j] == here else level
                code = level if code == pit else code
            around = nw[j] + n[j] + ne[j] + w[j] + e[j] + sw[j] + s[j] + se[j]
            if around != around:
                code = end if raw or code == pit else code
            code = nodata if here != here else code
            target[j] = np.uint8(code)


def steepest_descent(
    z: Floats, outlets: NDArray[np.bool_] | None, *, raw: bool
) -> NDArray[np.uint8]:
    """Direction of steepest descent; PIT in cells that have no lower neighbour and are no outlet.

    Parameters
    ----------
    z : numpy.ndarray, shape (rows, columns)
        From `terrain`.
    outlets : numpy.ndarray of bool, same shape, or None
        Cells in which all flow ends.
    raw : bool
        Terrain with depressions: flow ends in every outlet, also in those at the edge that have
        a lower neighbour, and of level cells the later drains to the earlier.
    """
    out = np.empty(z.shape, np.uint8)

    def work(first: int, last: int) -> None:
        _steepest(z, raw, first, last, out)
        if outlets is not None:
            rows = out[first:last]
            rows[outlets[first:last] & (rows != NODATA)] = END

    in_strips(work, strips_of(z.shape[0]))
    return out


@numba.njit(cache=True, nogil=True)
def _to_roots(code, step, begin, end, root):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Number the cells from ``begin`` to before ``end`` by the root that their path leads to.

    A path that leaves this part of the grid gets ELSEWHERE less the cell at which it goes on.
    Return whether there was no circle.
    """
    for start in range(begin, end):
        if root[start] != UNKNOWN:
            continue
        cell, value, taken = start, NOWHERE, 0
        while True:
            d = step[code[cell]]
            if d == 0:
                break
            after = cell + d
            if after < begin or after >= end:
                value = ELSEWHERE - after
                break
            if root[after] != UNKNOWN:
                value = root[after]
                break
            cell = after
            taken += 1
            if taken > end - begin:
                return False
        last, cell = cell, start
        root[start] = value
        while cell != last:
            cell += step[code[cell]]
            root[cell] = value
    return True


@numba.njit(cache=True, nogil=True)
def _join_strips(root, edges):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Follow the paths of the cells on either side of each border between strips to their end."""
    for edge in edges:
        cell = root[edge]
        steps_taken = 0
        while cell <= ELSEWHERE:
            cell = root[ELSEWHERE - cell]
            steps_taken += 1
            if steps_taken > edges.shape[0]:
                return False
        root[edge] = cell
    return True


@numba.njit(cache=True, nogil=True)
def _settle(root, begin, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Replace references to border cells, which are settled already, by their root."""
    for cell in range(begin, end):
        value = root[cell]
        if value <= ELSEWHERE:
            root[cell] = root[ELSEWHERE - value]


def number_by_root(code: NDArray[np.uint8], root: NDArray[np.int32]) -> None:
    """Give every cell the number of the root that its flow path meets first.

    Parameters
    ----------
    code : numpy.ndarray of uint8, shape (rows, columns)
        Directions; a code without a step ends the path.
    root : numpy.ndarray of int32, same shape
        Numbers at the roots, UNKNOWN elsewhere. Changed in place; NOWHERE where a path ends
        without meeting a root.

    Raises
    ------
    DataError
        If paths run in a circle.
    """
    rows, columns = code.shape
    step = steps(columns)
    flat_code, flat_root = code.reshape(-1), root.reshape(-1)
    strips = strips_of(rows)

    def follow(first: int, last: int) -> bool:
        return bool(_to_roots(flat_code, step, first * columns, last * columns, flat_root))

    def settle(first: int, last: int) -> None:
        _settle(flat_root, first * columns, last * columns)

    sound = all(in_strips(follow, strips))
    if len(strips) > 1 and sound:
        borders = np.array([row for first, last in strips for row in (first, last - 1)])
        edges = (borders[:, None] * columns + np.arange(columns)).reshape(-1)
        sound = bool(_join_strips(flat_root, edges))
        if sound:
            in_strips(settle, strips)
    if not sound:
        raise DataError("the flow directions run in a circle: compute them with flow_directions")
