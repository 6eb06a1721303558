"""Files that hold a mapping table: CSV, YAML or a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from ldt_toolbox.documents import Document, nearest
from ldt_toolbox.errors import DocumentError, MissingFileError, Problem, WrongUseError
from ldt_toolbox.models import open_document

COLUMNS = ("source", "target", "iri", "rule", "feature", "quality")
#: Headings that people write, in lower case, and the column that they mean.
HEADINGS = {
    **{column: column for column in COLUMNS},
    "source field": "source",
    "champ source": "source",
    "entity.attribute": "target",
    "entity.property": "target",
    "entité.attribut": "target",
    "entité.propriété": "target",
    "ontology": "iri",
    "ontology iri": "iri",
    "ontologie": "iri",
    "transformation rule": "rule",
    "règle de transformation": "rule",
    "feature name": "feature",
    "nom de la feature": "feature",
    "quality control": "quality",
    "contrôle qualité": "quality",
}

#: A row: its line in the file and its text by column.
Row = tuple[int, dict[str, str]]


def read(path: Path, *, sheet: str = "") -> list[Row]:
    """Read the rows of a table.

    Parameters
    ----------
    path : pathlib.Path
        ``.csv`` (comma or semicolon, UTF-8), ``.yaml`` (a list under ``rows``), ``.xlsx`` or
        ``.ods``.
    sheet : str, optional
        Sheet of the spreadsheet; the first one if left out.

    Returns
    -------
    list of (int, dict)
        Line, counted from 1, and text by column; empty rows are left out.

    Raises
    ------
    DocumentError, MissingFileError
        If the file cannot be read or a column is missing or unknown.
    """
    readers = {".csv": _read_csv, ".yaml": _read_yaml, ".yml": _read_yaml}
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsm"):
        return _columns(path, _read_spreadsheet(path, sheet))
    if suffix == ".ods":
        return _columns(path, _read_open_document(path, sheet))
    if suffix not in readers:
        known = ".csv, .yaml, .xlsx or .ods"
        raise WrongUseError(f"{path.name} is no mapping table: give a {known} file")
    return readers[suffix](path)


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows as CSV, in the order of `COLUMNS`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _read_csv(path: Path) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise MissingFileError(f"{path} does not exist: check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot be read as UTF-8 text ({error}): save it as CSV UTF-8"
        raise DocumentError(path, [Problem(None, message)]) from None
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        return _columns(path, [(reader.line_num, cells) for cells in reader])
    except csv.Error as error:
        raise DocumentError(path, [Problem(reader.line_num, f"{error}: correct it")]) from None


def _read_spreadsheet(path: Path, sheet: str) -> list[tuple[int, list[str]]]:
    openpyxl: Any = import_module("openpyxl")  # here, as few runs need it
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise MissingFileError(f"{path} does not exist: check the path") from None
    except (BadZipFile, OSError, KeyError, ValueError) as error:
        message = f"is no spreadsheet ({error}): save it as .xlsx"
        raise DocumentError(path, [Problem(None, message)]) from None
    try:
        if sheet and sheet not in book.sheetnames:
            raise WrongUseError(
                f"{path.name} has no sheet {sheet!r}: {nearest(sheet, book.sheetnames)}"
            )
        rows = book[sheet or book.sheetnames[0]].iter_rows(values_only=True)
        return [
            (line, ["" if cell is None else _cell(cell) for cell in cells])
            for line, cells in enumerate(rows, 1)
        ]
    finally:
        book.close()


def _read_open_document(path: Path, sheet: str) -> list[tuple[int, list[str]]]:
    try:
        found = open_document.sheets(path)
    except FileNotFoundError:
        raise MissingFileError(f"{path} does not exist: check the path") from None
    except (OSError, ValueError) as error:
        message = f"is no OpenDocument spreadsheet ({error}): save it as .ods"
        raise DocumentError(path, [Problem(None, message)]) from None
    if sheet and sheet not in found:
        raise WrongUseError(f"{path.name} has no sheet {sheet!r}: {nearest(sheet, list(found))}")
    return found[sheet] if sheet else next(iter(found.values()), [])


def _cell(value: Any) -> str:
    """Text of a cell: spreadsheets hold 12 as 12.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _columns(path: Path, lines: list[tuple[int, list[str]]]) -> list[Row]:
    """Give each cell its column, by the headings of the first line that is not empty."""
    filled = [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
    if not filled:
        message = f"the table is empty: give the columns {', '.join(COLUMNS)}"
        raise DocumentError(path, [Problem(1, message)])
    (head, headings), rows = filled[0], filled[1:]
    problems, columns = [], []
    for heading in headings:
        column = HEADINGS.get(" ".join(heading.casefold().split()), "")
        if heading.strip() and not column:
            message = f"unknown column {heading.strip()!r}: {nearest(heading, COLUMNS)}"
            problems.append(Problem(head, message))
        columns.append(column)
    problems += [
        Problem(head, f"column `{column}` stands twice: keep one")
        for column in COLUMNS
        if columns.count(column) > 1
    ]
    problems += [
        Problem(head, f"column `{column}` is missing: add it")
        for column in ("source", "target")
        if column not in columns
    ]
    for line, cells in rows:
        if any(cell.strip() for cell in cells[len(columns) :]):
            message = f"{len(cells)} cells, the heading has {len(columns)}: put cells with the "
            problems.append(Problem(line, message + "separator in them in quotation marks"))
    if problems:
        raise DocumentError(path, problems)
    return [(line, _row(columns, cells)) for line, cells in rows]


def _row(columns: list[str], cells: list[str]) -> dict[str, str]:
    named = {c: cell.strip() for c, cell in zip(columns, cells, strict=False) if c}
    return {column: named.get(column, "") for column in COLUMNS}


def _read_yaml(path: Path) -> list[Row]:
    doc = Document(path)
    doc.mapping((), known=("rows",), required=("rows",))
    rows = []
    for place in range(len(doc.items(("rows",)))):
        where = ("rows", place)
        doc.mapping(where, known=COLUMNS, required=("target",))
        rows.append((doc.line(where) or 0, {c: doc.text((*where, c)).strip() for c in COLUMNS}))
    doc.finish()
    return rows
