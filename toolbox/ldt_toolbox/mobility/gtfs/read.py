"""Read a GTFS feed: typed tables, stop times as numbers, and what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numba
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.gtfs import scan
from ldt_toolbox.mobility.gtfs.archive import FeedFiles
from ldt_toolbox.mobility.gtfs.columns import check_header, parse_text, typed
from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.scan import MISSING, Rows
from ldt_toolbox.mobility.gtfs.schema import FILES, OTHER_FILES, STOP_TIME_COLUMNS

STOP_TIMES = "stop_times"
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class StopTimes:
    """Stop times in order of trip and sequence; trip t has ``start[t]`` to ``start[t + 1]``.

    Attributes
    ----------
    start : numpy.ndarray, shape (trips + 1,)
        By row of trips.
    stop : numpy.ndarray of int32
        Row of stops.
    arrival_s, departure_s : numpy.ndarray of int32
        Seconds since midnight of the service day (noon less 12 hours), beyond 86400 after the
        following midnight; ``MISSING`` where the feed gives none.
    sequence : numpy.ndarray of int32
        stop_sequence.
    distance : numpy.ndarray of float64
        shape_dist_traveled in the feed's own unit, NaN where it gives none.
    pickup, drop_off, timepoint : numpy.ndarray of int8
        -1 where the feed gives none.
    row : numpy.ndarray of int32
        Row of the file, counted from 0 after the header.
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    sequence: NDArray[np.int32]
    distance: NDArray[np.float64]
    pickup: NDArray[np.int8]
    drop_off: NDArray[np.int8]
    timepoint: NDArray[np.int8]
    row: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.stop)

    @property
    def trip(self) -> NDArray[np.int32]:
        """Row of trips of each stop time."""
        return np.repeat(np.arange(len(self.start) - 1, dtype=np.int32), np.diff(self.start))


@dataclass(frozen=True)
class Feed:
    """A GTFS feed.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        By file name without ".txt"; every column that the specification knows is there, typed;
        times are seconds, dates datetime64. Rows as in the file.
    stop_times : StopTimes
        Those whose trip, stop and sequence are known.
    notices : Notices
        What was found while reading; ``rules.check`` finds more.
    files : frozenset of str
        Names of the files that the feed has, with suffix.
    """

    tables: dict[str, pd.DataFrame]
    stop_times: StopTimes
    notices: Notices
    files: frozenset[str]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def read_feed(path: Path | str) -> Feed:
    """Read a GTFS zip or folder.

    Parameters
    ----------
    path : pathlib.Path or str
        Zip file or folder.

    Returns
    -------
    Feed
        Whatever is wrong with its content is in its notices; nothing is dropped without one.

    Raises
    ------
    MissingFileError
        If there is nothing at the path.
    DataError
        If it cannot be a GTFS feed at all.
    """
    notices = Notices()
    tables: dict[str, pd.DataFrame] = {}
    with FeedFiles(Path(path)) as files:
        present = set(files.names)
        _check_files(present, notices)
        for name, spec in FILES.items():
            if f"{name}.txt" in present:
                text = parse_text(files.read(f"{name}.txt"), name, notices)
            else:
                text = pa.table({})
            # of a missing or empty file nothing more is said
            tables[name] = typed(text, name, spec, notices if text.num_columns else Notices())
        chunks: Iterable[bytes] = ()
        size = 0
        if f"{STOP_TIMES}.txt" in present:
            chunks, size = files.chunks(f"{STOP_TIMES}.txt"), files.size(f"{STOP_TIMES}.txt")
        trips, stops = (
            scan.hashed_ids(pa.chunked_array([pa.array(tables[t][c], pa.large_string())]))
            for t, c in (("trips", "trip_id"), ("stops", "stop_id"))
        )
        names, rows = scan.scan_stop_times(chunks, trips, stops, size=size)
    if f"{STOP_TIMES}.txt" in present:
        _check_stop_times(names, rows, notices)
    _check_keys(tables, present, notices)
    times = _in_order(rows, len(tables["trips"]))
    same = np.flatnonzero(times.sequence[1:] == times.sequence[:-1])
    same = same[~np.isin(same + 1, times.start)]
    notices.add(
        "duplicate_key", STOP_TIMES, "trip_id, stop_sequence", count=len(same),
        rows=(times.row[same[:5] + 1] + 2).tolist(),
    )  # fmt: skip
    return Feed(tables, times, notices, frozenset(present))


def _check_files(present: set[str], notices: Notices) -> None:
    needed = [name for name, spec in FILES.items() if spec.presence == "required"]
    for name in (*needed, STOP_TIMES):
        if f"{name}.txt" not in present:
            notices.add("missing_required_file", name)
    for name, spec in FILES.items():
        if spec.presence == "recommended" and f"{name}.txt" not in present:
            notices.add("missing_recommended_file", name)
    if not present & {"calendar.txt", "calendar_dates.txt"}:
        notices.add("missing_calendar_and_calendar_date_files", "calendar")
    known = {f"{name}.txt" for name in (*FILES, STOP_TIMES)} | OTHER_FILES
    for name in sorted(present - known):
        notices.add("unknown_file", name)
    if "stops.txt" not in present and "locations.geojson" in present:
        raise DataError("the feed has zones on demand only (locations.geojson): not supported")


def _check_stop_times(names: list[str], rows: Rows, notices: Notices) -> None:
    if not names:
        notices.add("empty_file", STOP_TIMES)
        return
    check_header(names, STOP_TIMES, notices)
    unknown = [name for name in names if name and name not in STOP_TIME_COLUMNS]
    notices.add("unknown_column", STOP_TIMES, ", ".join(unknown), count=len(unknown))
    problem = rows.problem

    def note(code: str, column: str, bit: int) -> None:
        if (problem & bit).any():
            notices.add_rows(code, STOP_TIMES, column, (problem & bit) > 0)

    note("invalid_row_length", "", scan.BAD_LENGTH)
    note("invalid_time", "arrival_time", scan.BAD_ARRIVAL)
    note("invalid_time", "departure_time", scan.BAD_DEPARTURE)
    note("invalid_integer", "stop_sequence", scan.BAD_SEQUENCE)
    note("invalid_float", "shape_dist_traveled", scan.BAD_DISTANCE)
    note("number_out_of_range", "stop_sequence, shape_dist_traveled", scan.NEGATIVE)
    note("unexpected_enum_value", "pickup_type, drop_off_type, timepoint", scan.BAD_FLAG)
    note("leading_or_trailing_whitespaces", "", scan.PADDED)
    for name, column in (("trip_id", rows.trip), ("stop_id", rows.stop)):
        required = name != "stop_id" or not {"location_id", "location_group_id"} & set(names)
        if name not in names:
            if required:
                notices.add("missing_required_column", STOP_TIMES, name)
            continue
        if required:
            notices.add_rows("missing_required_field", STOP_TIMES, name, column == scan.NO_ID)
        notices.add_rows("foreign_key_violation", STOP_TIMES, name, column == scan.UNKNOWN_ID)
    if "stop_sequence" not in names:
        notices.add("missing_required_column", STOP_TIMES, "stop_sequence")
    else:
        empty = (rows.sequence == MISSING) & ((problem & scan.BAD_SEQUENCE) == 0)
        notices.add_rows("missing_required_field", STOP_TIMES, "stop_sequence", empty)


def _check_keys(tables: dict[str, pd.DataFrame], present: set[str], notices: Notices) -> None:
    for name, spec in FILES.items():
        table = tables[name]
        if not len(table):
            continue
        key = table[list(spec.key)]
        if spec.key:
            doubled = key.duplicated() & key.notna().any(axis=1)
            notices.add_rows("duplicate_key", name, ", ".join(spec.key), doubled)
        for column, (other, target) in spec.foreign.items():
            values = table[column]
            wrong = values.notna() & ~values.isin(tables[other][target].dropna())
            notices.add_rows("foreign_key_violation", name, column, wrong, detail=f"{other}.txt")
    if present & {"calendar.txt", "calendar_dates.txt"}:
        services = pd.concat([tables[n]["service_id"] for n in ("calendar", "calendar_dates")])
        given = tables["trips"]["service_id"]
        notices.add_rows(
            "foreign_key_violation", "trips", "service_id", given.notna() & ~given.isin(services),
            detail="calendar.txt, calendar_dates.txt",
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _order(trip, stop, sequence, trips):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Rows by trip and sequence, where trips begin, and whether rows are in order already."""
    start = np.zeros(trips + 1, np.int64)
    kept, sorted_already = 0, True
    before_trip, before = -1, 0
    for i in range(len(trip)):
        if trip[i] < 0 or stop[i] < 0 or sequence[i] < 0:
            sorted_already = False
            continue
        start[trip[i] + 1] += 1
        kept += 1
        if trip[i] < before_trip or (trip[i] == before_trip and sequence[i] < before):
            sorted_already = False
        before_trip, before = trip[i], sequence[i]
    for t in range(trips):
        start[t + 1] += start[t]
    order = np.empty(0 if sorted_already else kept, np.int32)
    if sorted_already:
        return order, start, sorted_already
    place = start[:-1].copy()
    for i in range(len(trip)):
        if trip[i] >= 0 and stop[i] >= 0 and sequence[i] >= 0:
            k = place[trip[i]]
            place[trip[i]] += 1
            while k > start[trip[i]] and sequence[order[k - 1]] > sequence[i]:
                order[k] = order[k - 1]
                k -= 1
            order[k] = i
    return order, start, sorted_already


def _in_order(rows: Rows, trips: int) -> StopTimes:
    order, start, done = _order(rows.trip, rows.stop, rows.sequence, trips)
    if done:
        order = np.arange(len(rows.stop), dtype=np.int32)

    def pick(column: NDArray[_Number]) -> NDArray[_Number]:
        return column if done else column[order]

    return StopTimes(
        start=start, stop=pick(rows.stop), arrival_s=pick(rows.arrival),
        departure_s=pick(rows.departure), sequence=pick(rows.sequence),
        distance=pick(rows.distance), pickup=pick(rows.pickup), drop_off=pick(rows.drop_off),
        timepoint=pick(rows.timepoint), row=order,
    )  # fmt: skip
