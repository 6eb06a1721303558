"""Kernels of flow accumulation: from the ridges down, each cell once.

A strip of rows adds up what flows within it; what crosses into another strip is handed over, and
the receiving strip goes on from there, until nothing crosses any more.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.d8 import CODES, COLUMN_STEPS, NODATA, ROW_STEPS, steps
from ldt_toolbox.flood.strips import in_strips, strips_of

_DONE = 255


@numba.njit(cache=True, nogil=True)
def _inflows(code, first, last, waiting):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Count the neighbours that drain into each cell."""
    rows, columns = code.shape
    one, none = np.uint8(1), np.uint8(0)
    for i in range(first, last):
        if 0 < i < rows - 1 and columns > 2:
            nw, n, ne = code[i - 1, :-2], code[i - 1, 1:-1], code[i - 1, 2:]
            w, e = code[i, :-2], code[i, 2:]
            sw, s, se = code[i + 1, :-2], code[i + 1, 1:-1], code[i + 1, 2:]
            out = waiting[i, 1:-1]
            for j in range(columns - 2):
                total = one if nw[j] == 2 else none
                total = np.uint8(total + (one if n[j] == 4 else none))
                total = np.uint8(total + (one if ne[j] == 8 else none))
                total = np.uint8(total + (one if w[j] == 1 else none))
                total = np.uint8(total + (one if e[j] == 16 else none))
                total = np.uint8(total + (one if sw[j] == 128 else none))
                total = np.uint8(total + (one if s[j] == 64 else none))
                out[j] = np.uint8(total + (one if se[j] == 32 else none))
            ends = (0, columns - 1)
            for j in ends:
                waiting[i, j] = _inflow_at(code, i, j)
        else:
            for j in range(columns):
                waiting[i, j] = _inflow_at(code, i, j)


@numba.njit(cache=True, nogil=True)
def _inflow_at(code, i, j):  # type: ignore[no-untyped-def]  # pragma: no cover
    rows, columns = code.shape
    total = 0
    for k in range(8):
        a, b = i - ROW_STEPS[k], j - COLUMN_STEPS[k]
        if 0 <= a < rows and 0 <= b < columns and code[a, b] == CODES[k]:
            total += 1
    return total


@numba.njit(cache=True, nogil=True)
def _descend(code, step, begin, end, cell, waiting, total, targets, amounts, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Pass on what has gathered in a cell as far down as nothing else is waited for."""
    while True:
        waiting[cell] = _DONE
        d = step[code[cell]]
        if d == 0:
            return count
        after = cell + d
        if after < begin or after >= end:
            targets[count], amounts[count] = after, total[cell]
            return count + 1
        total[after] += total[cell]
        waiting[after] -= np.uint8(1)
        if waiting[after] != 0:
            return count
        cell = after


@numba.njit(cache=True, nogil=True)
def _start(code, step, begin, end, columns, waiting, total):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Gather within a strip; return the cells beyond it that receive something, and how much."""
    targets, amounts = np.empty(2 * columns, np.int32), np.empty(2 * columns, total.dtype)
    count = 0
    for cell in range(begin, end):
        if waiting[cell] == 0:
            count = _descend(code, step, begin, end, cell, waiting, total, targets, amounts, count)
    return targets[:count], amounts[:count]


@numba.njit(cache=True, nogil=True)
def _resume(code, step, begin, end, columns, waiting, total, arrived, brought):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Go on with what came from other strips."""
    targets, amounts = np.empty(2 * columns, np.int32), np.empty(2 * columns, total.dtype)
    count = 0
    for k in range(arrived.shape[0]):
        cell = arrived[k]
        if cell < begin or cell >= end:
            continue
        total[cell] += brought[k]
        waiting[cell] -= np.uint8(1)
        if waiting[cell] == 0:
            count = _descend(code, step, begin, end, cell, waiting, total, targets, amounts, count)
    return targets[:count], amounts[:count]


@numba.njit(cache=True, nogil=True)
def _unsound(code, waiting, total, first, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Count cells that still wait, and missing cells that received something."""
    circles, astray = 0, 0
    for i in range(first, last):
        for j in range(code.shape[1]):
            circles += waiting[i, j] != _DONE
            astray += code[i, j] == NODATA and total[i, j] != 0
    return circles, astray


def gather(code: NDArray[np.uint8], total: NDArray[Any]) -> None:
    """Add to each cell what all cells upstream hold.

    Parameters
    ----------
    code : numpy.ndarray of uint8, shape (rows, columns)
        Directions.
    total : numpy.ndarray, same shape
        What each cell contributes; changed in place.

    Raises
    ------
    DataError
        If the directions run in a circle, or lead off the grid or to where no terrain is.
    """
    rows, columns = code.shape
    step = steps(columns)
    flat_code, flat_total = code.reshape(-1), total.reshape(-1)
    waiting = np.empty(code.shape, np.uint8)
    flat_waiting = waiting.reshape(-1)
    strips = strips_of(rows)
    in_strips(lambda first, last: _inflows(code, first, last, waiting), strips)

    def start(first: int, last: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
        begin, end = first * columns, last * columns
        result: tuple[NDArray[np.int32], NDArray[Any]] = _start(
            flat_code, step, begin, end, columns, flat_waiting, flat_total
        )
        return result

    sent = in_strips(start, strips)
    while any(targets.size for targets, _ in sent):
        # A step is one row at most: only the strips beside a strip receive from it.
        inboxes = []
        for number in range(len(strips)):
            near = sent[max(0, number - 1) : number + 2]
            inboxes.append(
                (np.concatenate([m[0] for m in near]), np.concatenate([m[1] for m in near]))
            )
        sent = [
            _resume(
                flat_code, step, first * columns, last * columns, columns, flat_waiting,
                flat_total, *inbox,
            )
            for (first, last), inbox in zip(strips, inboxes, strict=True)
        ]  # fmt: skip
    circles, astray = np.sum(
        in_strips(lambda first, last: _unsound(code, waiting, total, first, last), strips), axis=0
    )
    if circles:
        raise DataError("the flow directions run in a circle: compute them with flow_directions")
    if astray:
        raise DataError("directions lead to cells without terrain: compute them anew")
