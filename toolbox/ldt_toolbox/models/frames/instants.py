"""Instants of NGSI-LD (GS CIM 009 V1.8.1, 4.6.3) as microseconds since 1970, in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: What stands for no time: numpy's NaT.
NO_TIME = int(np.iinfo(np.int64).min)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGE = 50_000
"""Texts from which on the kernel is worth loading."""


@njit(cache=True, nogil=True)
def _digits(buffer, at, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the number that some digits write; negative if one is no digit."""
    number = 0
    for place in range(at, at + count):
        digit = int(buffer[place]) - 48
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
    return number


@njit(cache=True, nogil=True)
def plain_instant(buffer, at, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the instant that ``YYYY-MM-DDThh:mm:ss[.ffffff]Z`` names; NO_TIME for other forms.

    The date is counted by H. Hinnant's days_from_civil: years that begin in March put the leap
    day last.
    """
    length = end - at
    if length < 20 or length > 27 or length == 21 or buffer[end - 1] != 90:
        return NO_TIME
    if buffer[at + 4] != 45 or buffer[at + 7] != 45 or buffer[at + 10] != 84:
        return NO_TIME
    if buffer[at + 13] != 58 or buffer[at + 16] != 58:
        return NO_TIME
    year, month, day = (
        _digits(buffer, at, 4),
        _digits(buffer, at + 5, 2),
        _digits(buffer, at + 8, 2),
    )
    hour, minute = _digits(buffer, at + 11, 2), _digits(buffer, at + 14, 2)
    second = _digits(buffer, at + 17, 2)
    if year < 1 or month < 1 or month > 12 or day < 1 or hour < 0 or hour > 23:
        return NO_TIME
    if minute < 0 or minute > 59 or second < 0 or second > 59:
        return NO_TIME
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 2:
        longest = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    if day > longest:
        return NO_TIME
    micro = 0
    if length > 20:
        micro = _digits(buffer, at + 20, length - 21)
        if buffer[at + 19] != 46 or micro < 0:
            return NO_TIME
        for _ in range(length - 21, 6):
            micro *= 10
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + micro


@njit(cache=True, nogil=True)
def _plain_instants(buffer, width, found):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Read texts of one width each, filled up with zeros."""
    for row in range(found.size):
        at = row * width
        end = at + width
        while end > at and buffer[end - 1] == 0:
            end -= 1
        found[row] = plain_instant(buffer, at, end)


def instant(text: object) -> int:
    """Return the instant that an ISO 8601 text names; without a zone it is UTC.

    Parameters
    ----------
    text : object
        For example ``2024-07-01T12:00:00+02:00``.

    Returns
    -------
    int
        Microseconds since 1970, digits beyond them cut off; `NO_TIME` if the text names none.
    """
    if not isinstance(text, str):
        return NO_TIME
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return NO_TIME
    return (found - _EPOCH) // _MICROSECOND


def instants(texts: Sequence[Any]) -> NDArray[np.int64]:
    """Return the instants that texts name, as `instant` does for one.

    Parameters
    ----------
    texts : sequence
        ISO 8601; anything else has no time.

    Returns
    -------
    numpy.ndarray of int64
        Microseconds since 1970, `NO_TIME` where there is none.
    """
    if len(texts) < _LARGE:
        return np.fromiter(map(instant, texts), np.int64, len(texts))
    found = np.full(len(texts), NO_TIME, np.int64)
    try:
        longest = max(map(len, texts), default=0)
        packed = np.array(texts, dtype="S") if 0 < longest <= 27 else None
    except (TypeError, UnicodeEncodeError):
        packed = None  # some are no texts, or not of ASCII
    if packed is not None:
        _plain_instants(packed.view(np.uint8), packed.dtype.itemsize, found)
    for row in np.flatnonzero(found == NO_TIME).tolist():
        found[row] = instant(texts[row])
    return found
