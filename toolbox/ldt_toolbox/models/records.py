"""Records of a source, read from files as they are: nothing that is in them gets lost."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import DataError, MissingFileError, WrongUseError
from ldt_toolbox.models.findings import shown

_TABLES = (".csv", ".tsv")
_JSON = (".json", ".jsonl", ".ndjson", ".geojson")


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


def read(path: str | Path, *, encoding: str = "utf-8-sig") -> tuple[list[Record], list[Reject]]:
    """Read records from a file.

    Parameters
    ----------
    path : str or pathlib.Path
        ``.csv`` or ``.tsv`` (comma, semicolon or tab; all values are text), or JSON (``.json``,
        ``.jsonl``, ``.ndjson``, ``.geojson``): a list, the Features of a FeatureCollection, or
        objects one after the other, whatever stands between them.
    encoding : str
        Of the text, for example ``cp1252`` for what French spreadsheets save as CSV.

    Returns
    -------
    records : list of Record
        In the order of the file. Fields that are objects stay objects: a mapping table names what
        is in them with dots.
    rejects : list of Reject
        What cannot be read: lines that are none, objects in which a name stands twice, the end of
        a file that was cut.

    Raises
    ------
    DataError, MissingFileError
        If the file is no text of that encoding or not there, or two columns have one name.
    WrongUseError
        If the file is of another kind, or the encoding is none.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*_TABLES, *_JSON):
        raise WrongUseError(
            f"{path.name} is no file of records: give one of {', '.join((*_TABLES, *_JSON))}; a "
            "frame that pandas or geopandas read goes into from_frame(frame, mapping=...)"
        )
    try:
        text = path.read_text(encoding=encoding)
    except FileNotFoundError:
        raise MissingFileError(f"{path} does not exist: check the path") from None
    except LookupError:
        raise WrongUseError(f"encoding {encoding!r} is none: write utf-8 or cp1252") from None
    except (OSError, UnicodeError) as error:
        said = "UTF-8" if encoding == "utf-8-sig" else encoding
        remedy = "save it as UTF-8, or name its encoding, for example encoding='cp1252'"
        raise DataError(f"{path.name} is no {said} text ({error}): {remedy}") from None
    return _read_csv(text, path) if suffix in _TABLES else _read_json(text)


def _read_json(text: str) -> tuple[list[Record], list[Reject]]:
    try:
        whole = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return _read_pieces(text)
    if isinstance(whole, dict) and whole.get("type") == "FeatureCollection":
        whole = whole.get("features")
    if not isinstance(whole, list):
        return _read_pieces(text)
    return _sorted((f"record {n}", one, one) for n, one in enumerate(whole, 1))


def _read_pieces(text: str) -> tuple[list[Record], list[Reject]]:
    """Objects one after the other, or the elements of a list that is no JSON as a whole."""
    begin = len(text) - len(text.lstrip())
    if not text.startswith("[", begin) or _goes_on(text, begin):
        return _sorted(_pieces(text, 0, ""))
    records, rejects = _sorted(_pieces(text, begin + 1, "]"))
    if not text.rstrip().endswith("]"):
        message = "the list is not closed, the file was cut: fetch it again"
        rejects.append(Reject(f"line {text.count(chr(10)) + 1}", "", (Reason("", "", message),)))
    return records, rejects


def _goes_on(text: str, begin: int) -> bool:
    """Whether a whole value stands there and more comes after it."""
    try:
        end = json.JSONDecoder().raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        return False
    return bool(text[end:].strip())


def _sorted(pieces: Iterable[tuple[str, Any, Any]]) -> tuple[list[Record], list[Reject]]:
    records: list[Record] = []
    rejects: list[Reject] = []
    for place, found, written in pieces:
        if isinstance(found, dict):
            records.append(Record(found, place))
        elif isinstance(found, Reason):
            rejects.append(Reject(place, written, (found,)))
        else:
            message = f"{shown(found)} is no JSON object: write {{...}}"
            rejects.append(Reject(place, found, (Reason("", "", message),)))
    return records, rejects


def _pieces(text: str, at: int, last: str) -> Iterator[tuple[str, Any, Any]]:
    """Place, value and text of each JSON value; a Reason where the rest of a line is none.

    `last` is what may stand between values beside blanks and commas.
    """
    plain = json.JSONDecoder()
    strict = json.JSONDecoder(object_pairs_hook=_once)
    gap = re.compile(rf"[\s,{re.escape(last)}]*")
    line, count, counted = 1, 0, 0
    while (at := gap.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        further = text.count("\n", counted, at)
        line, counted = line + further, at
        count = 1 if further else count + 1
        place = f"line {line}" if count == 1 else f"line {line}, object {count}"
        begun = at
        twice: _TwiceError | None = None
        try:
            try:
                found, at = strict.raw_decode(text, at)
            except _TwiceError as error:
                twice = error
                at = plain.raw_decode(text, at)[1]
        except (ValueError, RecursionError) as error:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too long"
            message = f"{shown(text[begun:at])} is no JSON ({why}): correct it"
            yield place, Reason("", "", message), text[begun:at]
            continue
        if twice is not None:
            found = Reason(twice.name, "", str(twice))
        yield place, found, text[begun:at]


class _TwiceError(ValueError):
    """A name stands twice in an object: JSON readers keep one value and lose the other."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} stands twice in one object: keep one")
        self.name = name


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


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
