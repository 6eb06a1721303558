"""The reader of stop_times.txt: bytes to numbers in one pass.

Ids become the row numbers of trips.txt and stops.txt, so that no string of this file, by far the
largest of a feed, is ever made.
"""

import csv
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MISSING = -(2**31)  # of integers and times
NO_ID, UNKNOWN_ID = -1, -2
ROLES = (
    "", "trip_id", "stop_id", "arrival_time", "departure_time", "stop_sequence",
    "shape_dist_traveled", "pickup_type", "drop_off_type", "timepoint",
)  # fmt: skip
BAD_ARRIVAL, BAD_DEPARTURE, BAD_SEQUENCE, BAD_DISTANCE = 1, 2, 4, 8
BAD_LENGTH, PADDED, BAD_FLAG, NEGATIVE = 16, 32, 64, 128


class Ids(NamedTuple):
    """Ids in a hash table: row number by text."""

    text: NDArray[np.uint8]
    start: NDArray[np.int64]
    slots: NDArray[np.int32]


class Rows(NamedTuple):
    """Stop times as they stand in the file.

    ``problem`` has a bit for each thing that is wrong in a row (``BAD_ARRIVAL`` ...).
    """

    trip: NDArray[np.int32]
    stop: NDArray[np.int32]
    arrival: NDArray[np.int32]
    departure: NDArray[np.int32]
    sequence: NDArray[np.int32]
    distance: NDArray[np.float64]
    pickup: NDArray[np.int8]
    drop_off: NDArray[np.int8]
    timepoint: NDArray[np.int8]
    problem: NDArray[np.uint8]


@numba.njit(cache=True, nogil=True)
def _hash(text, begin, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    h = np.uint64(14695981039346656037)
    for i in range(begin, end):
        h = (h ^ np.uint64(text[i])) * np.uint64(1099511628211)
    return h ^ (h >> np.uint64(32))


@numba.njit(cache=True, nogil=True)
def _same(a, a_begin, a_end, b, b_begin, b_end):  # type: ignore[no-untyped-def]  # pragma: no cover
    if a_end - a_begin != b_end - b_begin:
        return False
    length = a_end - a_begin
    while length > 0 and a[a_begin + length - 1] == b[b_begin + length - 1]:
        length -= 1  # ids differ at their end, if at all
    return length == 0


@numba.njit(cache=True, nogil=True)
def _hashed(text, start, size):  # type: ignore[no-untyped-def]  # pragma: no cover
    slots = np.full(size, -1, np.int32)
    mask = np.uint64(size - 1)
    for i in range(len(start) - 1):
        slot = _hash(text, start[i], start[i + 1]) & mask
        while slots[slot] >= 0:
            j = slots[slot]
            if _same(text, start[i], start[i + 1], text, start[j], start[j + 1]):
                break  # of equal ids the first counts
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot] = i
    return slots


@numba.njit(cache=True, nogil=True)
def _find(text, begin, end, ids_text, ids_start, slots):  # type: ignore[no-untyped-def]  # pragma: no cover
    mask = np.uint64(len(slots) - 1)
    slot = _hash(text, begin, end) & mask
    while slots[slot] >= 0:
        j = slots[slot]
        if _same(text, begin, end, ids_text, ids_start[j], ids_start[j + 1]):
            return j
        slot = (slot + np.uint64(1)) & mask
    return UNKNOWN_ID


@numba.njit(cache=True, nogil=True)
def parse_time(text, begin, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Seconds of H:MM:SS, HH:MM:SS or HHH:MM:SS; -1 if it is none of them."""
    n = end - begin
    if n < 7 or n > 9 or text[end - 3] != 58 or text[end - 6] != 58:
        return -1
    hours = np.int64(0)
    for i in range(begin, end - 6):
        digit = np.int64(text[i]) - 48
        if digit < 0 or digit > 9:
            return -1
        hours = hours * 10 + digit
    tens, ones = np.int64(text[end - 5]) - 48, np.int64(text[end - 4]) - 48
    deci, seconds = np.int64(text[end - 2]) - 48, np.int64(text[end - 1]) - 48
    if tens < 0 or tens > 5 or ones < 0 or ones > 9:
        return -1
    if deci < 0 or deci > 5 or seconds < 0 or seconds > 9:
        return -1
    return hours * 3600 + (tens * 10 + ones) * 60 + deci * 10 + seconds


@numba.njit(cache=True, nogil=True)
def _number(text, begin, end):  # type: ignore[no-untyped-def]  # pragma: no cover
    """A decimal number, NaN if it is none."""
    i, sign, value, digits = begin, 1.0, 0.0, 0
    if i < end and (text[i] == 45 or text[i] == 43):
        sign = -1.0 if text[i] == 45 else 1.0
        i += 1
    while i < end and 48 <= text[i] <= 57:
        value = value * 10 + (text[i] - 48)
        i += 1
        digits += 1
    if i < end and text[i] == 46:
        i += 1
        places = 0
        while i < end and 48 <= text[i] <= 57:
            value = value * 10 + (text[i] - 48)
            i += 1
            places += 1
        digits += places
        value /= 10.0**places
    if digits == 0:
        return np.nan
    if i < end and (text[i] == 101 or text[i] == 69):
        i += 1
        power, turn, figures = 0, 1, 0
        if i < end and (text[i] == 45 or text[i] == 43):
            turn = -1 if text[i] == 45 else 1
            i += 1
        while i < end and 48 <= text[i] <= 57:
            power = power * 10 + (text[i] - 48)
            i += 1
            figures += 1
        if figures == 0 or power > 300:
            return np.nan
        value *= 10.0 ** (turn * power)
    return sign * value if i == end else np.nan


@numba.njit(cache=True, nogil=True)
def _scan(text, last, roles, trip_ids, stop_ids, out, row):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Read whole records of ``text`` into ``out`` from ``row``; return where rows and text end.

    The last record may end without a newline if ``last``. Columns that the file lacks are left.
    """
    trips, stops, arrivals, departures, sequences, distances, pickups, drops, points, problems = out
    size, columns = len(text), len(roles)
    at, trip = 0, np.int32(NO_ID)
    given = np.zeros(len(ROLES), np.bool_)
    for role in roles:
        given[role] = True
    trip_begin, trip_end = 0, 0
    while at < size:
        first = at
        trips[row] = stops[row] = NO_ID
        arrivals[row] = departures[row] = sequences[row] = MISSING
        if given[6]:
            distances[row] = np.nan
        if given[7]:
            pickups[row] = -1
        if given[8]:
            drops[row] = -1
        if given[9]:
            points[row] = -1
        problem, column, complete = 0, 0, False
        while True:  # field by field
            if at < size and text[at] == 34:
                begin = at + 1
                at += 1
                while at < size and (text[at] != 34 or (at + 1 < size and text[at + 1] == 34)):
                    at += 2 if text[at] == 34 else 1
                end = min(at, size)
                at += 1
                while at < size and text[at] != 44 and text[at] != 10:
                    at += 1
            else:
                begin = at
                while at < size and text[at] != 44 and text[at] != 10:
                    at += 1
                end = at
            over = at >= size
            if over and not last:
                break
            newline = over or text[at] == 10
            if newline and end > begin and text[end - 1] == 13:
                end -= 1
            while begin < end and (text[begin] == 32 or text[begin] == 9):
                begin += 1
                problem |= PADDED
            while begin < end and (text[end - 1] == 32 or text[end - 1] == 9):
                end -= 1
                problem |= PADDED
            role = roles[column] if column < columns else 0
            if role != 0 and end > begin:
                if role == 1:
                    if trip < 0 or not _same(text, begin, end, text, trip_begin, trip_end):
                        trip = _find(
                            text, begin, end, trip_ids.text, trip_ids.start, trip_ids.slots
                        )
                        trip_begin, trip_end = begin, end
                    trips[row] = trip
                elif role == 2:
                    stops[row] = _find(
                        text, begin, end, stop_ids.text, stop_ids.start, stop_ids.slots
                    )
                elif role == 3 or role == 4:
                    time = parse_time(text, begin, end)
                    if time < 0:
                        problem |= BAD_ARRIVAL if role == 3 else BAD_DEPARTURE
                    elif role == 3:
                        arrivals[row] = time
                    else:
                        departures[row] = time
                elif role == 6:
                    distances[row] = _number(text, begin, end)
                    if np.isnan(distances[row]):
                        problem |= BAD_DISTANCE
                    elif distances[row] < 0:
                        problem |= NEGATIVE
                else:
                    value, valid = np.int64(0), True
                    for i in range(begin, end):
                        digit = np.int64(text[i]) - 48
                        if i == begin and digit == -3 and end > begin + 1:
                            problem |= NEGATIVE
                        elif digit < 0 or digit > 9 or value > 10**8:
                            valid = False
                            break
                        else:
                            value = value * 10 + digit
                    if role == 5:
                        if valid:
                            sequences[row] = value
                        else:
                            problem |= BAD_SEQUENCE
                    elif not valid or value > 3 or (role == 9 and value > 1):
                        problem |= BAD_FLAG
                    elif role == 7:
                        pickups[row] = value
                    elif role == 8:
                        drops[row] = value
                    else:
                        points[row] = value
            column += 1
            at += 1
            if newline:
                complete = True
                break
        if not complete:
            return row, first
        if column == 1 and end == begin:
            continue  # an empty line
        if column != columns:
            problem |= BAD_LENGTH
        problems[row] = problem
        row += 1
    return row, min(at, size)


def hashed_ids(values: pa.ChunkedArray) -> Ids:
    """Hash table of a column of ids; of equal ones the first counts."""
    column = pc.fill_null(values.cast(pa.large_string()), "")
    if pc.any(pc.match_substring(column, '"')).as_py():
        column = pc.replace_substring(column, '"', '""')  # as it stands in a quoted field
    whole = (
        pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.large_string())
    )
    size = 16
    while size < 2 * len(whole):
        size *= 2
    start, text = np.zeros(1, np.int64), np.empty(0, np.uint8)
    if len(whole):
        _, offsets, data = whole.buffers()
        start = np.frombuffer(offsets, np.int64, len(whole) + 1, whole.offset * 8)
        text = np.frombuffer(data, np.uint8) if data is not None and data.size else text
    return Ids(text, start, _hashed(text, start, size))


def header_of(line: bytes) -> list[str]:
    """Column names of a header line, without byte-order mark and blanks."""
    text = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return [name.strip() for name in next(csv.reader([text.strip("\r\n")]), [])]


def scan_stop_times(
    chunks: Iterable[bytes], trip_ids: Ids, stop_ids: Ids, *, size: int = 0
) -> tuple[list[str], Rows]:
    """Read stop_times.txt piece by piece; the next piece is unpacked meanwhile.

    Parameters
    ----------
    chunks : iterable of bytes
        The file, cut anywhere.
    trip_ids, stop_ids : Ids
        From ``hashed_ids``.
    size : int
        Bytes of the whole file, if known: memory is then taken once.

    Returns
    -------
    tuple of list of str and Rows
        Column names and stop times.
    """
    names: list[str] | None = None
    roles = np.zeros(0, np.int8)
    rest, out, rows, done = b"", _empty(0), 0, 0
    for piece, last in _ahead(chunks):
        rest = rest + piece if rest else piece
        if names is None:
            line, found, rest = rest.partition(b"\n")
            if not found and not last:
                rest = line
                continue
            names = header_of(line)
            roles = np.array([ROLES.index(n) if n in ROLES[1:] else 0 for n in names], np.int8)
        text = np.frombuffer(rest, np.uint8)
        needed = rows + int(np.count_nonzero(text == 10)) + 1
        if needed > len(out.trip):
            done += len(text)
            out = _grown(out, rows, max(needed, int(1.03 * needed * size / max(done, 1)), 2 * rows))
        rows, used = _scan(text, last, roles, trip_ids, stop_ids, out, rows)
        rest = rest[used:]
    kept = [column[:rows] for column in out]
    for k in range(5, 9):  # what the file lacks takes no memory
        if k + 1 not in roles:
            kept[k] = np.broadcast_to(np.array(np.nan if k == 5 else -1, kept[k].dtype), rows)
    return names or [], Rows._make(kept)


def _grown(out: Rows, rows: int, capacity: int) -> Rows:
    larger = _empty(capacity)
    for k in range(len(out)):
        larger[k][:rows] = out[k][:rows]
    return larger


def _empty(rows: int) -> Rows:
    kinds = [np.int32] * 5 + [np.float64] + [np.int8] * 3 + [np.uint8]
    return Rows._make(np.empty(rows, kind) for kind in kinds)


def _ahead(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pieces and whether each is the last one; a thread reads up to two ahead."""
    ready: queue.Queue[bytes | BaseException | None] = queue.Queue(2)
    stop = threading.Event()

    def read() -> None:
        try:
            for piece in chunks:
                ready.put(piece)
                if stop.is_set():
                    return
            ready.put(None)
        except BaseException as error:  # handed to the reader, who raises it
            ready.put(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        before: bytes | None = None
        while True:
            piece = ready.get()
            if isinstance(piece, BaseException):
                raise piece
            if before is not None:
                yield before, piece is None
            if piece is None:
                return
            before = piece
    finally:
        stop.set()
        while not ready.empty():
            ready.get_nowait()
