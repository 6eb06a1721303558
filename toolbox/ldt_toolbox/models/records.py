"""Records of a source, read from files as they are: nothing that is in them gets lost."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import DataError, MissingFileError
from ldt_toolbox.models.findings import shown


class Record(dict[str, Any]):
    """One record and where it came from.

    Parameters
    ----------
    values : mapping
        Value by field.
    place : str
        For example ``line 7``.
    """

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        super().__init__(values)
        self.place = place


@dataclass(frozen=True)
class Reason:
    """Why a record was rejected.

    Attributes
    ----------
    field : str
        Source field or fields; empty for the whole record.
    target : str
        Attribute of the entity; empty if the record did not get that far.
    message : str
        The thing, the value and the next step.
    """

    field: str
    target: str
    message: str

    def __str__(self) -> str:
        where = f"{self.field} -> {self.target}" if self.target and self.field else self.field
        where = where or self.target
        return f"{where}: {self.message}" if where else self.message


@dataclass(frozen=True)
class Reject:
    """A record that did not become an entity, with every reason.

    Attributes
    ----------
    place : str
        Where it came from: ``line 7``, or ``record 3``.
    record : object
        As it came in.
    reasons : tuple of Reason
        At least one.
    """

    place: str
    record: Any
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        return f"{self.place}: " + "; ".join(str(reason) for reason in self.reasons)


def read(path: str | Path) -> tuple[list[Record], list[Reject]]:
    """Read records from a file.

    Parameters
    ----------
    path : str or pathlib.Path
        ``.csv`` (comma, semicolon or tab; all values are text), or JSON: one object a line
        (``.jsonl``, ``.ndjson``) or one list (``.json``). Several objects on a line are all read.

    Returns
    -------
    records : list of Record
        In the order of the file.
    rejects : list of Reject
        Lines that cannot be read.

    Raises
    ------
    DataError, MissingFileError
        If the file is no text or not there, or two columns have one name.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MissingFileError(f"{path} does not exist: check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is no UTF-8 text ({error}): save it as UTF-8") from None
    if path.suffix.lower() == ".csv":
        return _read_csv(text, path)
    if path.suffix.lower() == ".json":
        return _read_list(text, path)
    return _read_lines(text)


def _read_lines(text: str) -> tuple[list[Record], list[Reject]]:
    records: list[Record] = []
    rejects: list[Reject] = []
    for line, written in enumerate(text.split("\n"), 1):
        for place, found in _objects(written, line):
            if isinstance(found, dict):
                records.append(Record(found, place))
            elif isinstance(found, Reason):
                rejects.append(Reject(place, written, (found,)))
            else:
                message = f"{shown(found)} is no JSON object: write {{...}}"
                rejects.append(Reject(place, found, (Reason("", "", message),)))
    return records, rejects


def _objects(written: str, line: int) -> Iterator[tuple[str, Any]]:
    """Every JSON value of a line; a Reason where the rest of the line is none."""
    decoder = json.JSONDecoder()
    at, count = 0, 0
    while at < len(written):
        if written[at] in " \t\r,":
            at += 1
            continue
        count += 1
        place = f"line {line}" if count == 1 else f"line {line}, object {count}"
        try:
            found, at = decoder.raw_decode(written, at)
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too long"
            yield place, Reason("", "", f"{shown(written[at:])} is no JSON ({why}): correct it")
            return
        yield place, found


def _read_list(text: str, path: Path) -> tuple[list[Record], list[Reject]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON ({error}): correct it") from None
    records: list[Record] = []
    rejects: list[Reject] = []
    for number, one in enumerate(found if isinstance(found, list) else [found], 1):
        if isinstance(one, dict):
            records.append(Record(one, f"record {number}"))
        else:
            message = f"{shown(one)} is no JSON object: write {{...}}"
            rejects.append(Reject(f"record {number}", one, (Reason("", "", message),)))
    return records, rejects


def _read_csv(text: str, path: Path) -> tuple[list[Record], list[Reject]]:
    records: list[Record] = []
    rejects: list[Reject] = []
    headings: list[str] = []
    for line, cells, why in _csv_rows(text):
        place = f"line {line}"
        if why:
            rejects.append(Reject(place, cells, (Reason("", "", why),)))
        elif not headings:
            headings = [cell.strip() for cell in cells]
            twice = {one for one in headings if one and headings.count(one) > 1}
            if twice:
                named = ", ".join(sorted(twice))
                raise DataError(f"{path.name}: column {named} stands twice: rename one of them")
        elif len(cells) == len(headings):
            records.append(Record(dict(zip(headings, cells, strict=True)), place))
        else:
            message = f"{len(cells)} cells, the heading has {len(headings)}: correct the line"
            rejects.append(Reject(place, cells, (Reason("", "", message),)))
    return records, rejects


def _csv_rows(text: str) -> Iterator[tuple[int, list[str], str]]:
    """Rows that hold something with their first lines, and what is wrong if a line is no row.

    A quotation mark that nobody closes would take all that follows into one cell: then its line
    alone is no row, and the next one begins a new row.
    """
    lines = list(io.StringIO(text, newline=""))
    at = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    told = lines[at].strip() if at < len(lines) else ""
    named = told.lower().startswith("sep=") and len(told) == len("sep=") + 1
    delimiter = told[-1] if named else max(",;\t", key=told.count)
    at += named
    width = 0
    while at < len(lines):
        begun = at
        reader = csv.reader(map(lines.__getitem__, range(at, len(lines))), delimiter=delimiter)
        try:
            for cells in reader:
                end = begun + reader.line_num
                if (end - at > 1 and len(cells) != (width or len(cells))) or (
                    (end - at > 1 or end == len(lines)) and not _closed(lines[at:end], delimiter)
                ):
                    raise csv.Error("a quotation mark is not closed")
                if cells:
                    width = width or len(cells)
                    yield at + 1, cells, ""
                at = end
        except csv.Error as error:
            yield at + 1, [lines[at].rstrip("\r\n")], f"{error}: correct the line"
            at += 1


def _closed(lines: list[str], delimiter: str) -> bool:
    """Whether every quotation mark that opens a cell has its partner."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" not in str(error)
    return True
