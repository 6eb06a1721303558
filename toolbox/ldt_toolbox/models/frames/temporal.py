"""Temporal evolution of entities as a tidy frame: one row an observation."""

import json
import mmap
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, MissingFileError, WrongUseError
from ldt_toolbox.models.findings import shown
from ldt_toolbox.models.frames.blocks import MEMBERS, TIMES, Rows, rows, type_text
from ldt_toolbox.models.frames.instants import NO_TIME, instants
from ldt_toolbox.models.frames.scan import ENTITY, ROWS, Scan, scan

COLUMNS = ("entity_id", "type", "attribute", "dataset_id", "time", "value", "unit_code")
_LARGE = 4_000_000
"""Bytes from which on the kernel is worth loading; what it reads is the same."""

_BLANKS = " \t\r\n"
_CODED = ("unit_code", "dataset_id")

Bytes = bytes | bytearray | memoryview | mmap.mmap


def temporal_frame(
    answer: Any, *, attributes: Iterable[str] | None = None, timeproperty: str = "observedAt"
) -> pd.DataFrame:
    """Tidy frame of a temporal evolution: one row an observation.

    Parameters
    ----------
    answer : dict, iterable of dict, bytes, str or pathlib.Path
        One evolution or several, as `client.temporal` gives them; the bytes or the text of a
        broker's answer; or the path of a file with one evolution, a list of them, or one after
        the other (a line each). Normalised, concise and simplified (`temporalValues`), also mixed.
    attributes : iterable of str, optional
        Attributes to take; all if left out.
    timeproperty : {"observedAt", "createdAt", "modifiedAt", "deletedAt"}
        Which time counts where instances tell several. The simplified form tells one.

    Returns
    -------
    pandas.DataFrame
        In the order of the answer, with the columns

        - `entity_id`, `type`, `attribute`, `dataset_id`, `unit_code`: categories, empty if not
          told; several types with `, ` between them;
        - `time`: datetime64[us, UTC], NaT if there is none or it cannot be read;
        - `value`: float64 if all are numbers (NaN: none, or deleted then), else object: texts,
          GeoJSON geometries, objects of relationships, language maps.

        ``frame.attrs["unread_times"]`` holds up to 20 texts that name no instant. Sub-attributes
        are left out.

    Raises
    ------
    DataError
        If the answer is no JSON, or no evolution, such as an aggregated one.

    Notes
    -----
    Representations are those of ETSI GS CIM 009 V1.8.1, 4.5.6 to 4.5.9. Integers beyond 2^53 are
    rounded to the nearest double.

    Examples
    --------
    >>> evolution = {"id": "urn:ngsi-ld:Device:1", "type": "Device", "temperature": {
    ...     "type": "Property", "values": [[21.5, "2026-07-01T12:00:00Z"]]}}
    >>> frame = temporal_frame(evolution)
    >>> float(frame.value[0]), frame.time[0].isoformat()
    (21.5, '2026-07-01T12:00:00+00:00')
    """
    if timeproperty not in TIMES:
        raise WrongUseError(f"timeproperty = {timeproperty!r}: choose one of {', '.join(TIMES)}")
    table = _Table(None if attributes is None else frozenset(attributes), timeproperty)
    if isinstance(answer, str) and answer.lstrip().startswith(("{", "[")):
        answer = answer.encode()
    if isinstance(answer, str | Path):
        path = Path(answer)
        if not path.exists():
            raise MissingFileError(f"{path} does not exist: check the path")
        with path.open("rb") as file:
            # not closed by hand: an error on its way up may still point into it
            size = path.stat().st_size
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        _read(held, path.name, table)
    elif isinstance(answer, bytes | bytearray | memoryview):
        _read(answer, "the answer", table)
    else:
        for entity in [answer] if isinstance(answer, Mapping) else answer:
            table.add_entity(entity)
    return table.frame()


class _Table:
    """Frame that grows by runs of rows with the same entity and attribute."""

    def __init__(self, wanted: frozenset[str] | None, timeproperty: str) -> None:
        self._wanted = wanted
        self.timeproperty = timeproperty
        self._codes: dict[str, dict[str, int]] = {
            column: {} for column in COLUMNS if column not in ("time", "value")
        }
        self._runs: list[tuple[int, int, int, int]] = []  # entity, type, attribute, rows
        self._values: list[NDArray[Any]] = []
        self._times: list[NDArray[np.int64]] = []
        self._units: list[NDArray[np.int32]] = []
        self._sets: list[NDArray[np.int32]] = []
        self._unread: dict[str, None] = {}

    def code(self, column: str, text: str) -> int:
        known = self._codes[column]
        return known.setdefault(text, len(known))

    def wants(self, attribute: str) -> bool:
        return attribute not in MEMBERS and (self._wanted is None or attribute in self._wanted)

    def add_entity(self, entity: Any) -> None:
        if not isinstance(entity, Mapping):
            raise DataError(f"{shown(entity)} is no evolution of an entity: give JSON objects")
        place = self.place(entity.get("id"), entity.get("type"))
        for name, attribute in entity.items():
            if self.wants(name):
                self.add_rows(place, name, rows(attribute, timeproperty=self.timeproperty))

    def place(self, identifier: Any, kind: Any) -> tuple[int, int]:
        named = identifier if isinstance(identifier, str) else ""
        return self.code("entity_id", named), self.code("type", type_text(kind))

    def add_rows(self, place: tuple[int, int], name: str, found: Rows) -> None:
        times = instants(found.times)
        for row in np.flatnonzero(times == NO_TIME).tolist():
            if found.times[row] != "" and len(self._unread) < 20:
                self._unread[str(found.times[row])] = None
        units = [self.code("unit_code", text) for text in found.units]
        sets = [self.code("dataset_id", text) for text in found.sets]
        self.add_run(
            place, name, _array(found.values), times, np.array(units, np.int32),
            np.array(sets, np.int32),
        )  # fmt: skip

    def add_run(
        self, place: tuple[int, int], name: str, values: NDArray[Any], times: NDArray[np.int64],
        units: NDArray[np.int32], sets: NDArray[np.int32],
    ) -> None:  # fmt: skip
        if len(values):
            self._runs.append((*place, self.code("attribute", name), len(values)))
            self._values.append(values)
            self._times.append(times)
            self._units.append(units)
            self._sets.append(sets)

    def frame(self) -> pd.DataFrame:
        runs = np.array(self._runs, np.int64).reshape(-1, 4)
        codes = {
            column: np.repeat(runs[:, place].astype(np.int32), runs[:, 3])
            for place, column in enumerate(("entity_id", "type", "attribute"))
        }
        codes["dataset_id"] = _joined(self._sets, np.int32)
        codes["unit_code"] = _joined(self._units, np.int32)
        times = _joined(self._times, np.int64).view("M8[us]")
        values = _joined(self._values, np.float64)
        columns = {
            column: _categories(codes[column], list(known)) for column, known in self._codes.items()
        }
        index = pd.DatetimeIndex(times).tz_localize("UTC")
        frame = pd.DataFrame(columns | {"time": index, "value": values}, copy=False)
        frame.attrs["unread_times"] = list(self._unread)
        return frame[list(COLUMNS)]


def _categories(codes: NDArray[np.int32], texts: list[str]) -> pd.Categorical:
    """Categories that occur, in alphabetical order."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(texts))).tolist()
    order = sorted(used, key=texts.__getitem__)
    place = np.full(len(texts), -1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    names = pd.Index([texts[code] for code in order], dtype="str")
    return pd.Categorical.from_codes(place[codes], names)


def _joined(parts: list[NDArray[Any]], kind: Any) -> NDArray[Any]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _array(values: list[Any]) -> NDArray[Any]:
    """Doubles if all are numbers or missing, else objects."""
    if set(map(type, values)) <= {int, float, type(None)}:
        try:
            return np.array(values, np.float64)
        except OverflowError:
            pass
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _read(held: Bytes, name: str, table: _Table) -> None:
    """Read a document into the table."""
    if not len(held):
        raise DataError(f"{name} is empty: give the JSON of an answer")
    buffer = np.frombuffer(held, np.uint8)
    if buffer.size < _LARGE:
        for entity in _parsed(buffer.tobytes(), name):
            table.add_entity(entity)
        return
    found = scan(buffer, timeproperty=table.timeproperty)
    if found.fault >= 0:
        raise _no_json(name, f"byte {found.fault}")
    _Assembly(buffer, found, name, table).run()


def _parsed(text: bytes, name: str) -> Iterator[Any]:
    """Entities of a document: an object, a list, or objects one after the other."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if not text.lstrip(_BLANKS.encode()).startswith(b"{"):
            raise _no_json(name, str(error)) from None
        yield from _sequence(text, name)
    else:
        yield from whole if isinstance(whole, list) else [whole]


def _sequence(text: bytes, name: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    try:
        written = text.decode()
        while rest := written[at : at + 1]:
            if rest in _BLANKS:
                at += 1
                continue
            end = decoder.raw_decode(written, at)[1]
            yield orjson.loads(written[at:end])
            at = end
    except (ValueError, RecursionError) as error:
        raise _no_json(name, str(error)) from None


def _no_json(name: str, why: str) -> DataError:
    return DataError(
        f"{name} is no JSON of entities ({why}): give an evolution, a list of them, or one a line"
    )


class _Assembly:
    """Puts what the kernel read and what it left to the parser into the order of the document."""

    def __init__(self, buffer: NDArray[np.uint8], found: Scan, name: str, table: _Table) -> None:
        self._buffer, self._found, self._name, self._table = buffer, found, name, table
        for row, begin, end in found.long_numbers.tolist():
            found.values[row] = float(self._slice(begin, end))
        texts = [self._slice(begin, end).decode() for begin, end in found.texts.tolist()]
        codes = [[table.code(column, text) for text in (*texts, "")] for column in _CODED]
        # the code -1, for none, is the last one
        self._units, self._sets = (np.array(known, np.int32) for known in codes)

    def run(self) -> None:
        pieces = self._found.pieces.tolist()
        starts = [at for at, piece in enumerate(pieces) if piece[0] == ENTITY]
        ends = [piece[5] for piece in pieces[1:]] + [len(self._found.values)]
        for start, stop in pairwise([*starts, len(pieces)]):
            members = [
                (self._json(begin, end), kind, left, right, row, last)
                for (kind, begin, end, left, right, row), last in zip(
                    pieces[start + 1 : stop], ends[start + 1 : stop], strict=True
                )
            ]
            head = {
                name: self._json(left, right)
                for name, _, left, right, *_ in members
                if name in ("id", "type")
            }
            if len({member[0] for member in members}) < len(members):
                # a name stands there twice: which one counts is the parser's business
                self._table.add_entity(self._json(pieces[start][3], pieces[start][4]))
                continue
            self._add(self._table.place(head.get("id"), head.get("type")), members)

    def _add(self, place: tuple[int, int], members: list[tuple[Any, ...]]) -> None:
        found, table = self._found, self._table
        for name, kind, left, right, row, last in members:
            if kind == ROWS and table.wants(name):
                units = self._units[found.units[row:last]]
                sets = self._sets[found.sets[row:last]]
                values, times = found.values[row:last], found.times[row:last]
                table.add_run(place, name, values, times, units, sets)
            elif kind != ROWS:
                value = self._json(left, right)
                if table.wants(name):
                    table.add_rows(place, name, rows(value, timeproperty=table.timeproperty))

    def _slice(self, begin: int, end: int) -> bytes:
        return self._buffer[begin:end].tobytes()

    def _json(self, begin: int, end: int) -> Any:
        try:
            return orjson.loads(self._slice(begin, end))
        except orjson.JSONDecodeError as error:
            raise _no_json(self._name, f"from byte {begin}: {error}") from None
