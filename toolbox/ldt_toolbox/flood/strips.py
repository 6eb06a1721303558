"""Work on a large grid in strips of rows, several threads at a time.

The strips depend on the grid only, not on the machine: results are the same on any number of
cores. Kernels that run here release the interpreter (``nogil``) and write to their own strip.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

Strip = tuple[int, int]
_Result = TypeVar("_Result")

ROWS = 128


def strips_of(rows: int, height: int = ROWS) -> list[Strip]:
    """First row and row after the last of each strip, from north to south."""
    return [(first, min(first + height, rows)) for first in range(0, rows, height)]


def in_strips(work: Callable[[int, int], _Result], strips: list[Strip]) -> list[_Result]:
    """Call ``work(first, last)`` for each strip on as many threads as numba may use.

    Returns
    -------
    list
        What the calls returned, in the order of the strips.
    """
    if not strips:
        return []
    threads = min(numba.get_num_threads(), len(strips))
    if threads <= 1:
        return [work(first, last) for first, last in strips]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda strip: work(*strip), strips))
