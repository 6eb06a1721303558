"""Tables of text to typed tables, with a notice for every value that is not what it should be."""

from typing import Any
from zoneinfo import available_timezones

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.scan import header_of
from ldt_toolbox.mobility.gtfs.schema import FileSpec

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)  # what pandas 3 calls str
EMPTY = {"date": "datetime64[s]", "float": "float64", "latitude": "float64", "longitude": "float64"}
RANGES = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0)}
PATTERNS = {
    "int": r"^[+-]?\d{1,9}$",
    "date": r"^\d{8}$",
    "time": r"^\d{1,3}:[0-5]\d:[0-5]\d$",
    "colour": r"^[0-9A-Fa-f]{6}$",
}
CODES = {
    "int": "invalid_integer", "date": "invalid_date", "time": "invalid_time",
    "colour": "invalid_color", "float": "invalid_float", "latitude": "invalid_float",
    "longitude": "invalid_float", "timezone": "invalid_timezone",
}  # fmt: skip


def parse_text(content: bytes, file: str, notices: Notices) -> pa.Table:
    """CSV to a table of strings; rows with too few or too many values are left out and noted.

    Parameters
    ----------
    content : bytes
        The file without byte-order mark.
    file : str
        Its name without ".txt".
    notices : Notices
        Receives what is wrong.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        notices.add("invalid_character", file, rows=[line], detail="not UTF-8, read as Latin-1")
        content = content.decode("latin-1").encode()
    names = header_of(content.partition(b"\n")[0])
    if not content.strip() or not any(names):
        notices.add("empty_file", file)
        return pa.table({})
    check_header(names, file, notices)
    wrong: list[int] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        wrong.append(row.number or 0)
        return "skip"

    # columns are numbered here, so that doubled or empty names can be told apart
    numbers = [str(k) for k in range(len(names))]
    table = pacsv.read_csv(
        pa.BufferReader(content),
        read_options=pacsv.ReadOptions(column_names=numbers, skip_rows=1, use_threads=False),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(numbers, pa.string()), strings_can_be_null=False
        ),
    )
    notices.add("invalid_row_length", file, count=len(wrong), rows=wrong)
    first = {name: k for k, name in reversed(list(enumerate(names))) if name}
    return table.select([str(k) for k in first.values()]).rename_columns(list(first))


def check_header(names: list[str], file: str, notices: Notices) -> None:
    """Note empty and doubled column names."""
    notices.add("empty_column_name", file, count=sum(not name for name in names))
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    notices.add("duplicated_column", file, ", ".join(doubled), count=len(doubled))


def typed(table: pa.Table, file: str, spec: FileSpec, notices: Notices) -> pd.DataFrame:
    """Type the columns that the specification knows; others stay text.

    Values that cannot be typed become missing and are noted, so are missing required ones.
    """
    out: dict[str, pd.Series] = {}
    missing = [name for name in spec.required if name not in table.column_names]
    for name in missing:
        notices.add("missing_required_column", file, name)
    unknown = [name for name in table.column_names if name not in spec.columns]
    notices.add("unknown_column", file, ", ".join(unknown), count=len(unknown))
    padded = 0
    for name in table.column_names:
        text = table[name]
        trimmed = pc.utf8_trim_whitespace(text)
        padded += pc.sum(pc.not_equal(text, trimmed)).as_py() or 0
        known = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
        strings: Any = known.cast(pa.large_string())  # pandas takes these as they are
        values = pd.Series(pd.array(strings, dtype=TEXT))
        out[name] = _convert(values, name, file, spec.columns.get(name, "text"), notices)
        if name in spec.required:
            notices.add_rows("missing_required_field", file, name, values.isna())
    notices.add("leading_or_trailing_whitespaces", file, count=padded)
    for name, kind in spec.columns.items():
        if name not in out:
            empty = pd.Series(np.nan, index=range(table.num_rows), dtype=TEXT)
            out[name] = _convert(empty, name, file, kind, notices)
    return pd.DataFrame(out)


def _convert(values: pd.Series, name: str, file: str, kind: str, notices: Notices) -> pd.Series:
    given = values.notna()
    if kind in {"text", "id", "timezone", "colour"} and not given.any():
        return values
    if not given.any():
        return pd.Series(None, index=values.index, dtype=EMPTY.get(kind, "Int64"))
    if kind in {"text", "id"}:
        return values
    code = CODES.get(kind, "invalid_integer")
    if kind == "timezone":
        notices.add_rows(code, file, name, given & ~values.isin(available_timezones()))
        return values
    if kind in {"float", *RANGES}:
        numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
        notices.add_rows(code, file, name, given & ~np.isfinite(numbers))
        low, high = RANGES.get(kind, (0.0, np.inf))
        notices.add_rows("number_out_of_range", file, name, (numbers < low) | (numbers > high))
        return numbers.where(np.isfinite(numbers))
    pattern = PATTERNS.get(kind, PATTERNS["int"])
    fits = given & values.str.match(pattern).fillna(False).astype(bool)
    kept = values.where(fits)
    if kind == "date":
        dates = pd.to_datetime(kept, format="%Y%m%d", errors="coerce")
        notices.add_rows(code, file, name, given & dates.isna())
        return dates
    notices.add_rows(code, file, name, given & ~fits)
    if kind == "colour":
        return kept
    if kind == "time":
        parts = [pd.to_numeric(kept.str.slice(*cut)) for cut in ((None, -6), (-5, -3), (-2, None))]
        return (parts[0] * 3600 + parts[1] * 60 + parts[2]).astype("Int64")
    whole = pd.to_numeric(kept).astype("Int64")
    if kind != "int":
        allowed = [int(value) for value in kind.split("|")]
        notices.add_rows(
            "unexpected_enum_value", file, name, (whole.notna() & ~whole.isin(allowed))
        )
    return whole
