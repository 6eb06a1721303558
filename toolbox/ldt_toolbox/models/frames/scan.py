"""Reads the usual shapes of a temporal evolution straight from the bytes of its JSON.

What it takes, it has checked in full; what is not of a usual shape is left to a JSON parser, with
the place where it stands. Usual are instances ``{"type", "value", "observedAt", "unitCode",
"datasetId"}`` with a number as value (GS CIM 009 V1.8.1, 4.5.7) and pairs ``[number, time]`` under
``values`` (4.5.9).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ldt_toolbox.models.frames.scan_attribute import KEYS, MANY, TABLE, attribute
from ldt_toolbox.models.frames.tokens import any_end, blank

#: Kinds of pieces: an entity begins, rows were read, a member is left to the parser.
ENTITY, ROWS, OTHER = 0, 1, 2

_POWERS = 10.0 ** np.arange(23)
_POWERS.setflags(write=False)


class Scan(NamedTuple):
    """What was read.

    Attributes
    ----------
    fault : int
        Where the text is no JSON document of entities; -1 if it is one.
    pieces : numpy.ndarray of int64, (n, 6)
        Kind, begin and end of the name, begin and end of the value, first row; in the order of the
        document.
    values, times, units, sets : numpy.ndarray
        One each row: number, microseconds since 1970, row of `texts` or -1.
    texts : numpy.ndarray of int64, (m, 2)
        Begin and end of units and datasets.
    long_numbers : numpy.ndarray of int64, (k, 3)
        Row, begin and end of numbers that need a parser to be exact.
    """

    fault: int
    pieces: NDArray[np.int64]
    values: NDArray[np.float64]
    times: NDArray[np.int64]
    units: NDArray[np.int32]
    sets: NDArray[np.int32]
    texts: NDArray[np.int64]
    long_numbers: NDArray[np.int64]


def scan(buffer: NDArray[np.uint8], *, timeproperty: str) -> Scan:
    """Read a document.

    Parameters
    ----------
    buffer : numpy.ndarray of uint8
        JSON of one entity, a list of them, or one after the other (lines).
    timeproperty : str
        Which time counts.
    """
    buffer = buffer.view()
    buffer.setflags(write=False)
    return Scan(*_scan(buffer, KEYS.index(timeproperty), TABLE, _POWERS))


@njit(cache=True, nogil=True)
def _larger(array, room):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the array if it has that room, else a copy with twice as much."""
    if room <= array.shape[0]:
        return array
    wider = np.empty((2 * array.shape[0], array.shape[1]), array.dtype)
    wider[: array.shape[0]] = array
    return wider


@njit(cache=True, nogil=True)
def _scan(buffer, time_key, table, powers):  # type: ignore[no-untyped-def]  # pragma: no cover
    """See `scan`."""
    size = buffer.size
    most = size // 24 + 1  # the shortest row: [1,"2024-01-01T00:00:00Z"]
    values, times = np.empty(most, np.float64), np.empty(most, np.int64)
    units, sets = np.empty(most, np.int32), np.empty(most, np.int32)
    long_numbers = np.empty((most, 3), np.int64)
    pieces, texts = np.empty((64, 6), np.int64), np.empty((4 * MANY, 2), np.int64)
    row, n_long, n_texts, n_pieces, fault = 0, 0, 0, 0, -1
    at = blank(buffer, 0)
    listed = at < size and buffer[at] == 91
    if listed:
        at = blank(buffer, at + 1)
    done = listed and at < size and buffer[at] == 93
    while not done:
        if at >= size or buffer[at] != 123:
            fault = at
            break
        pieces = _larger(pieces, n_pieces + 1)
        own = n_pieces
        pieces[own] = (ENTITY, at, at, at, at, row)
        n_pieces += 1
        at = blank(buffer, at + 1)
        more = not (at < size and buffer[at] == 125)
        while more:
            name, name_end = at, -1
            if at < size and buffer[at] == 34:
                name_end = any_end(buffer, at)
            at = blank(buffer, name_end) if name_end >= 0 else size
            if at >= size or buffer[at] != 58:
                fault = name
                break
            at = blank(buffer, at + 1)
            pieces, texts = _larger(pieces, n_pieces + 1), _larger(texts, n_texts + MANY)
            end, next_row, next_texts, next_long = -1, row, n_texts, n_long
            if at < size and (buffer[at] == 91 or buffer[at] == 123):
                end, next_row, next_texts, next_long = attribute(
                    buffer, at, row, time_key, table, powers,
                    values, times, units, sets, texts, n_texts, long_numbers, n_long,
                )  # fmt: skip
            if end >= 0:
                pieces[n_pieces] = (ROWS, name, name_end, at, end, row)
                row, n_texts, n_long = next_row, next_texts, next_long
            else:
                end = any_end(buffer, at)
                if end <= at:
                    fault = at
                    break
                pieces[n_pieces] = (OTHER, name, name_end, at, end, row)
            n_pieces += 1
            at = blank(buffer, end)
            more = at < size and buffer[at] == 44
            if more:
                at = blank(buffer, at + 1)
            elif at >= size or buffer[at] != 125:
                fault = at
                break
        if fault >= 0:
            break
        at += 1
        pieces[own, 4] = at
        at = blank(buffer, at)
        if not listed:
            done = at == size
        elif at < size and buffer[at] == 44:
            at = blank(buffer, at + 1)
        else:
            done = True
    closed = not listed or (at < size and buffer[at] == 93 and blank(buffer, at + 1) == size)
    if fault < 0 and not closed:
        fault = at
    return (
        fault, pieces[:n_pieces].copy(), values[:row].copy(), times[:row].copy(),
        units[:row].copy(), sets[:row].copy(), texts[:n_texts].copy(),
        long_numbers[:n_long].copy(),
    )  # fmt: skip
