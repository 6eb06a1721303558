"""The tables of a report: headings with units, numbers with the digits that they carry."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ldt_toolbox import units
from ldt_toolbox.report.numbers import NO_VALUE, decimals_for, format_number
from ldt_toolbox.report.words import word
from ldt_toolbox.results import Results
from ldt_toolbox.use_case import Output, UseCase

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 20
# A table that is hardly longer is shown whole: nobody wants to be sent elsewhere for one row.
_SLACK_ROWS = 5


@dataclass(frozen=True)
class Heading:
    """Title of a column, its unit, and whether numbers stand below it."""

    title: str
    unit: str
    numeric: bool


@dataclass(frozen=True)
class TablePiece:
    """A table as it is shown.

    Attributes
    ----------
    id, title, help : str
        What it is.
    headings : tuple of Heading
        One a column.
    rows : tuple of tuple of str
        The first `MOST_ROWS` rows, or all if there are hardly more.
    total : int
        Rows of the whole table.
    synthetic : bool
        Whether it rests on synthetic data.
    """

    id: str
    title: str
    help: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    synthetic: bool


def table_pieces(case: UseCase, results: Results, *, language: str) -> Iterator[TablePiece]:
    """Prepare every table that the run yielded, in the manifest's order.

    Parameters
    ----------
    case, results
        What the report is about. A column's spec may hold `values`, which names the words of
        its cells by language: ``values: {trees: {en: Street trees, fr: Arbres de rue}}``; one
        ``*`` stands for a number. With ``clock: true`` hours are written as hours and minutes.
        Columns without any value are left out.
    language : str
        ``en`` or ``fr``.
    """
    weight = results.weight.get(language, "")
    for key, output in case.tables.items():
        if key not in results.tables:
            continue
        table = results.tables[key]
        specs = _columns(output, table)
        columns = [_cells(table[name], specs[name], language) for name in specs]
        yield TablePiece(
            id=key,
            title=output.title.get(language, key),
            help=output.help.get(language, ""),
            headings=tuple(
                Heading(
                    title=str(spec.get(language) or name),
                    unit=units.symbol(str(spec.get("unit", "")), language=language, weight=weight),
                    numeric=_is_numeric(table[name]),
                )
                for name, spec in specs.items()
            ),
            rows=tuple(zip(*columns, strict=True)) if columns else (),
            total=len(table),
            synthetic=key in results.synthetic,
        )


def _columns(output: Output, table: "pd.DataFrame") -> dict[str, dict[str, Any]]:
    """The manifest's columns that hold anything, then any that it does not know."""
    known = dict(output.spec.get("columns") or {})
    told = table.columns if not len(table) else table.columns[table.notna().any()]
    names = [name for name in known if name in told]
    names += [str(name) for name in told if name not in known]
    return {name: dict(known.get(name) or {}) for name in names}


def _is_numeric(column: "pd.Series[Any]") -> bool:
    return column.dtype.kind in "iuf"


def _cells(column: "pd.Series[Any]", spec: dict[str, Any], language: str) -> list[str]:
    whole = len(column) <= MOST_ROWS + _SLACK_ROWS
    shown = column if whole else column.iloc[:MOST_ROWS]
    if _is_numeric(column) and spec.get("clock"):
        return [_clock(float(value)) for value in shown]
    if _is_numeric(column):
        decimals = decimals_for(column.astype(float).tolist(), unit=str(spec.get("unit", "")))
        return [
            format_number(float(value), language=language, decimals=decimals) for value in shown
        ]
    names = spec.get("values") or {}
    return [_word(value, names, language) for value in shown]


def _word(value: Any, names: dict[str, dict[str, str]], language: str) -> str:
    if value is None or value != value:  # NaN of an empty cell differs from itself
        return NO_VALUE
    if isinstance(value, bool):
        return word("yes" if value else "no", language)
    text = str(value)
    if text in names:
        return names[text].get(language) or text
    for pattern, said in names.items():
        if "*" in pattern and (
            match := re.fullmatch(re.escape(pattern).replace(r"\*", "(.+)"), text)
        ):
            part = match[1].replace(".", ",") if language == "fr" else match[1]
            return said.get(language, pattern).replace("*", part)
    return text


def _clock(hours: float) -> str:
    """Hours after midnight as hours and minutes; a timetable's day goes beyond 24."""
    if not math.isfinite(hours):
        return NO_VALUE
    minutes = round(60 * hours)
    return f"{minutes // 60}:{minutes % 60:02d}"
