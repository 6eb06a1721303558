"""Tokens of JSON in bytes: where they end, and what numbers are."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def blank(buffer, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the first place that is not blank."""
    while at < buffer.size and (
        buffer[at] == 32 or buffer[at] == 10 or buffer[at] == 13 or buffer[at] == 9
    ):
        at += 1
    return at


@njit(cache=True, nogil=True)
def text_end(buffer, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the closing quote of a text of plain ASCII whose opening one is at `at`; or -1."""
    if at >= buffer.size or buffer[at] != 34:
        return -1
    at += 1
    while at < buffer.size:
        c = buffer[at]
        if c == 34:
            return at
        if c == 92 or c < 32 or c >= 128:
            return -1
        at += 1
    return -1


@njit(cache=True, nogil=True)
def any_end(buffer, at):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return where a value ends, whatever it is: the parser says whether it is right. Or -1."""
    depth, begin = 0, at
    while at < buffer.size:
        c = buffer[at]
        if c == 34:
            at += 1
            while at < buffer.size and buffer[at] != 34:
                at += 2 if buffer[at] == 92 else 1
            if at >= buffer.size:
                return -1
            if depth == 0:
                return at + 1
        elif c == 91 or c == 123:
            depth += 1
        elif c == 93 or c == 125:
            if depth == 0:
                return at
            depth -= 1
            if depth == 0:
                return at + 1
        elif depth == 0 and (c == 44 or c == 32 or c == 10 or c == 13 or c == 9):
            return at
        at += 1
    return at if depth == 0 and at > begin else -1


@njit(cache=True, nogil=True)
def same(buffer, one, other, length):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether two stretches hold the same; without a way out, so that it takes many at a time."""
    if max(one, other) + length > buffer.size:
        return False
    left, right, found = buffer[one : one + length], buffer[other : other + length], np.uint8(0)
    for place in range(length):
        found |= left[place] ^ right[place]
    return found == 0


@njit(cache=True, nogil=True)
def number(buffer, at, powers):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return end (-1: no number that is read here), value, and whether the value is exact.

    At most 2^53 times or through a power of ten of at most 22: both are doubles, so that the one
    rounding is the right one (W. D. Clinger, 1990).
    """
    size = buffer.size
    begin = at
    negative = at < size and buffer[at] == 45
    at += negative
    first = at
    whole, power, figures = 0, 0, 0
    while at < size and buffer[at] >= 48 and buffer[at] <= 57:
        if figures < 18:
            whole = whole * 10 + int(buffer[at] - 48)
        figures += whole > 0
        at += 1
    if at == first or (buffer[first] == 48 and at - first > 1):
        return -1, 0.0, False
    integer = True
    if at < size and buffer[at] == 46:
        integer = False
        at += 1
        dot = at
        while at < size and buffer[at] >= 48 and buffer[at] <= 57:
            if figures < 18:
                whole = whole * 10 + int(buffer[at] - 48)
                power -= 1
            figures += whole > 0
            at += 1
        if at == dot:
            return -1, 0.0, False
    if at < size and (buffer[at] == 101 or buffer[at] == 69):
        at += 1
        at += at < size and (buffer[at] == 43 or buffer[at] == 45)
        exponent = at
        while at < size and buffer[at] >= 48 and buffer[at] <= 57:
            at += 1
        if at == exponent or at - exponent > 2:
            return -1, 0.0, False
        figures = 99
    if at - begin > 200:
        return -1, 0.0, False  # perhaps beyond a double's range
    if figures > 18 or whole > 9007199254740992 or power < -22:
        return at, 0.0, False
    value = float(whole) / powers[-power]
    return at, -value if negative and not (integer and whole == 0) else value, True
