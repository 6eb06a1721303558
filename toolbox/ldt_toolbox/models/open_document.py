"""Sheets of OpenDocument spreadsheets (.ods, ISO/IEC 26300), as texts."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MOST_BYTES = 100_000_000
_MOST_COLUMNS = 1000
_MOST_EQUAL_ROWS = 10_000

#: A row: its line in the sheet, counted from 1, and the texts of its cells.
Row = tuple[int, list[str]]


def sheets(path: Path) -> dict[str, list[Row]]:
    """Rows of each sheet that hold something.

    Parameters
    ----------
    path : pathlib.Path
        Spreadsheet.

    Returns
    -------
    dict of str to list of (int, list of str)
        In the order of the file. Cells are what the spreadsheet shows; empty ones at the end of a
        row are left out.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no OpenDocument spreadsheet.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("content.xml").file_size > _MOST_BYTES:
                raise ValueError(f"its content is larger than {_MOST_BYTES} bytes")
            content = archive.read("content.xml")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(str(error)) from None
    if b"<!DOCTYPE" in content:
        raise ValueError("its content declares a document type, which no spreadsheet does")
    try:
        document = ElementTree.fromstring(content)  # noqa: S314  (no entity without a DOCTYPE)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    return {
        table.get(f"{_TABLE}name", ""): list(_rows(table))
        for table in document.iter(f"{_TABLE}table")
    }


def _rows(table: ElementTree.Element) -> Iterator[Row]:
    line = 1
    for row in table.iter(f"{_TABLE}table-row"):
        cells = _cells(row)
        repeated = _count(row, f"{_TABLE}number-rows-repeated")
        if cells and repeated > _MOST_EQUAL_ROWS:
            raise ValueError(f"line {line} is repeated {repeated} times")
        if cells:
            yield from ((line + more, cells) for more in range(repeated))
        line += repeated


def _cells(row: ElementTree.Element) -> list[str]:
    found: list[str] = []
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        repeated = _count(cell, f"{_TABLE}number-columns-repeated")
        found += [_shown(cell)] * min(repeated, _MOST_COLUMNS)
    while found and not found[-1].strip():
        found.pop()
    return found


def _count(element: ElementTree.Element, name: str) -> int:
    written = element.get(name, "1")
    return int(written) if re.fullmatch(r"[1-9]\d{0,6}", written) else 1


def _shown(cell: ElementTree.Element) -> str:
    """Text of a cell; its paragraphs are lines, and what a comment says is none of it."""
    return "\n".join("".join(_words(one)) for one in cell.findall(f"{_TEXT}p"))


def _words(element: ElementTree.Element) -> Iterator[str]:
    yield element.text or ""
    for part in element:
        if part.tag == f"{_TEXT}s":
            yield " " * _count(part, f"{_TEXT}c")
        elif part.tag == f"{_TEXT}tab":
            yield "\t"
        elif part.tag == f"{_TEXT}line-break":
            yield "\n"
        else:
            yield from _words(part)
        yield part.tail or ""
