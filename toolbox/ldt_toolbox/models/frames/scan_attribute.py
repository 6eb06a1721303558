"""Reads one attribute of the usual shapes from the bytes of its JSON; see `scan`.

Arrays that functions here fill: one number, time, unit and dataset each row; begin and end of each
unit and dataset; row, begin and end of each number that needs a parser to be exact.
"""

import numpy as np
from numba import njit

from ldt_toolbox.models.frames.instants import NO_TIME, plain_instant
from ldt_toolbox.models.frames.tokens import blank, number, same, text_end

KEYS = ("value", "observedAt", "createdAt", "modifiedAt", "deletedAt", "unitCode", "datasetId",
         "values", "type", "instanceId")  # fmt: skip
_VALUE, _UNIT, _SET, _VALUES = 0, 5, 6, 7
TABLE = np.zeros((len(KEYS), 12), np.uint8)
for _row, _name in enumerate(KEYS):
    TABLE[_row, 0] = len(_name)
    TABLE[_row, 1 : 1 + len(_name)] = list(_name.encode())
TABLE.setflags(write=False)

#: Different units or datasets that one attribute may have before it is left to the parser.
MANY = 64


@njit(cache=True, nogil=True)
def _key(buffer, at, end, table):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the place of a known name in the table; or -1."""
    length = end - at
    for row in range(table.shape[0]):
        if table[row, 0] == length:
            equal = True
            for place in range(length):
                if buffer[at + place] != table[row, place + 1]:
                    equal = False
                    break
            if equal:
                return row
    return -1


@njit(cache=True, nogil=True)
def _text_code(buffer, at, end, texts, base, count, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the row of a text among those from `base` to `count`; `count` if it is new."""
    for step in range(-1, count - base):
        row = last if step < 0 else base + step
        if row < base:
            continue
        length = end - at
        if texts[row, 1] - texts[row, 0] == length:
            equal, begin = True, texts[row, 0]
            for place in range(length):
                if buffer[at + place] != buffer[begin + place]:
                    equal = False
                    break
            if equal:
                return row
    return count


@njit(cache=True, nogil=True)
def _pairs(  # type: ignore[no-untyped-def]  # pragma: no cover
    buffer, at, row, powers, values, times, long_numbers, n_long
):
    """Read ``[[number, time], ...]``; return its end (-1: not usual), next row, long numbers."""
    size = buffer.size
    if at >= size or buffer[at] != 91:
        return -1, row, n_long
    at = blank(buffer, at + 1)
    if at < size and buffer[at] == 93:
        return at + 1, row, n_long
    while at < size and buffer[at] == 91:
        begin = blank(buffer, at + 1)
        end, value, exact = number(buffer, begin, powers)
        if end < 0:
            return -1, row, n_long
        at = blank(buffer, end)
        if at >= size or buffer[at] != 44:
            return -1, row, n_long
        at = blank(buffer, at + 1)
        close = text_end(buffer, at)
        time = plain_instant(buffer, at + 1, close) if close >= 0 else NO_TIME
        if time == NO_TIME:
            return -1, row, n_long
        at = blank(buffer, close + 1)
        if at >= size or buffer[at] != 93:
            return -1, row, n_long
        if not exact:
            long_numbers[n_long] = (row, begin, end)
            n_long += 1
        values[row], times[row] = value, time
        row += 1
        at = blank(buffer, at + 1)
        if at < size and buffer[at] == 93:
            return at + 1, row, n_long
        if at >= size or buffer[at] != 44:
            return -1, row, n_long
        at = blank(buffer, at + 1)
    return -1, row, n_long


@njit(cache=True, nogil=True)
def _block(  # type: ignore[no-untyped-def]  # pragma: no cover
    buffer, at, row, time_key, table, powers,
    values, times, units, sets, texts, base, n_texts, long_numbers, n_long, spans,
):  # fmt: skip
    """Read an instance or an object with pairs; return end (-1: not usual), row, counts.

    `spans` gets begin of the instance, of its number and of its time, each with the end; its end
    is 0 if there is nothing that a next instance could be compared with.
    """
    size, first, seen = buffer.size, row, 0
    value, exact, begin, end, time = 0.0, True, 0, 0, NO_TIME
    unit, dataset = -1, -1
    spans[0], spans[1] = at, 0
    at = blank(buffer, at + 1)
    while True:
        close = text_end(buffer, at)
        key = _key(buffer, at + 1, close, table) if close >= 0 else -1
        if key < 0 or (seen >> key) & 1:
            return -1, row, n_texts, n_long
        seen |= 1 << key
        at = blank(buffer, close + 1)
        if at >= size or buffer[at] != 58:
            return -1, row, n_texts, n_long
        at = blank(buffer, at + 1)
        if key == _VALUE:
            begin = at
            at, value, exact = number(buffer, at, powers)
            end = at
        elif key == _VALUES:
            at, row, n_long = _pairs(buffer, at, row, powers, values, times, long_numbers, n_long)
        else:
            close = text_end(buffer, at)
            if close < 0:
                return -1, row, n_texts, n_long
            if key == time_key:
                time = plain_instant(buffer, at + 1, close)
                spans[4], spans[5] = at + 1, close
                if time == NO_TIME:
                    return -1, row, n_texts, n_long
            elif key in (_UNIT, _SET):
                last = -1
                if first > 0:
                    last = units[first - 1] if key == _UNIT else sets[first - 1]
                code = _text_code(buffer, at + 1, close, texts, base, n_texts, last)
                if code == n_texts:
                    if code - base >= MANY:
                        return -1, row, n_texts, n_long
                    texts[code, 0], texts[code, 1] = at + 1, close
                    n_texts += 1
                if key == _UNIT:
                    unit = code
                else:
                    dataset = code
            at = close + 1
        if at < 0:
            return -1, row, n_texts, n_long
        at = blank(buffer, at)
        if at < size and buffer[at] == 125:
            break
        if at >= size or buffer[at] != 44:
            return -1, row, n_texts, n_long
        at = blank(buffer, at + 1)
    single, several = seen & (1 << _VALUE), seen & (1 << _VALUES)
    if single and not several and time != NO_TIME:
        if not exact:
            long_numbers[n_long] = (row, begin, end)
            n_long += 1
        values[row], times[row] = value, time
        row += 1
        spans[1], spans[2], spans[3] = at + 1, begin, end
    elif single or not several:
        return -1, row, n_texts, n_long
    units[first:row] = unit
    sets[first:row] = dataset
    return at + 1, row, n_texts, n_long


@njit(cache=True, nogil=True)
def _repeat(buffer, at, spans, powers):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Read an instance that is the one before but for its number and its time.

    Return end (-1: it is another one), begin and end of the number, number, exact, time.
    """
    start, end = spans[0], spans[1]
    value, exact, time, begin, close = 0.0, True, NO_TIME, 0, 0
    early = spans[2] < spans[4]
    left = start
    for turn in range(2):
        number_now = early == (turn == 0)
        first, last = (spans[2], spans[3]) if number_now else (spans[4], spans[5])
        if not same(buffer, left, at, first - left):
            return -1, 0, 0, value, exact, time
        at += first - left
        if number_now:
            begin = at
            close, value, exact = number(buffer, at, powers)
            at = close
        elif at + last - first <= buffer.size:
            time = plain_instant(buffer, at, at + last - first)
            at = at + last - first if time != NO_TIME else -1
        else:
            at = -1
        if at < 0:
            return -1, 0, 0, value, exact, time
        left = last
    if not same(buffer, left, at, end - left):
        return -1, 0, 0, value, exact, time
    return at + end - left, begin, close, value, exact, time


@njit(cache=True, nogil=True)
def attribute(  # type: ignore[no-untyped-def]  # pragma: no cover
    buffer, at, row, time_key, table, powers,
    values, times, units, sets, texts, n_texts, long_numbers, n_long,
):  # fmt: skip
    """Read one block or a list of them; return as `_block` does."""
    size, base = buffer.size, n_texts
    listed = buffer[at] == 91
    if listed:
        at = blank(buffer, at + 1)
    spans = np.zeros(6, np.int64)
    while at < size and buffer[at] == 123:
        begin = at
        if spans[1] > 0:
            at, v0, v1, value, exact, time = _repeat(buffer, begin, spans, powers)
        if spans[1] > 0 and at >= 0:
            if not exact:
                long_numbers[n_long] = (row, v0, v1)
                n_long += 1
            values[row], times[row] = value, time
            units[row], sets[row] = units[row - 1], sets[row - 1]
            row += 1
        else:
            at, row, n_texts, n_long = _block(
                buffer, begin, row, time_key, table, powers,
                values, times, units, sets, texts, base, n_texts, long_numbers, n_long, spans,
            )  # fmt: skip
        if at < 0 or not listed:
            return at, row, n_texts, n_long
        at = blank(buffer, at)
        if at < size and buffer[at] == 93:
            return at + 1, row, n_texts, n_long
        if at >= size or buffer[at] != 44:
            break
        at = blank(buffer, at + 1)
    return -1, row, n_texts, n_long
