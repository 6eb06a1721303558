"""Hold a file against its role: columns, numbers, unit."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError, MissingColumnError

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source
    from ldt_toolbox.use_case import Column, Role

# What people write for a unit of a role. Kelvin and degree Celsius stand side by side because
# whoever reads a temperature converts it; feet or miles are refused, never converted unasked.
_WRITTEN = {
    "MTR": ("MTR", "m", "metre", "meter", "mètre"),
    "KEL": ("KEL", "K", "CEL", "°C"),
    "CEL": ("CEL", "°C"),
}


def refuse_other_unit(source: "Source", role: "Role", name: str) -> None:
    """Refuse a declared unit that is not the role's.

    Parameters
    ----------
    source : Source
        Its `unit` is empty or what territory.yaml declares.
    role : Role
        Its `unit` is a UN/CEFACT code.
    name : str
        Role and file, for messages.

    Raises
    ------
    DataError
        Naming both units.
    """
    written = _WRITTEN.get(role.unit, ())
    if source.unit and written and source.unit not in written:
        raise DataError(
            f"{name} is declared in `unit: {source.unit}`, but {role.id} is read in "
            f"{' or '.join(written[:2])}: convert the file, or correct the unit in territory.yaml"
        )


def role_columns(
    frame: pd.DataFrame,
    source: "Source",
    role: "Role",
    name: str,
    *,
    geometry: str = "",
    strict: bool = True,
) -> pd.DataFrame:
    """Rename the file's columns to the role's, and check that numbers are numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
        As read from the file.
    source : Source
        Its `columns` say which column of the file stands for which of the role.
    role : Role
        Required columns must be there; where they have a unit they must hold numbers.
    name : str
        Role and file, for messages.
    geometry : str
        Name of the geometry column, or empty.
    strict : bool
        Whether optional columns with a unit must hold numbers too. Heights of buildings and trees
        may be text such as `12 m`; the use case reads them.

    Returns
    -------
    pandas.DataFrame
        The role's columns, and those of the file that do not share a name with them.

    Raises
    ------
    MissingColumnError
        Naming the column, what is there, and how to name the right one.
    DataError
        If a number is needed and text is there; names value and row.
    """
    if unknown := sorted(set(source.columns) - set(role.columns)):
        raise MissingColumnError(
            f"{name}: `columns` names {', '.join(unknown)}, which the role does not have "
            f"(it has {', '.join(role.columns) or 'none'}): correct it in territory.yaml"
        )
    found: dict[str, pd.Series] = {}
    for column in role.columns.values():
        given = source.columns.get(column.name, column.name)
        if given in frame.columns:
            found[column.name] = frame[given]
        elif column.required or column.name in source.columns:
            have = ", ".join(str(c) for c in frame.columns if c != geometry)
            raise MissingColumnError(
                f"{name} has no column `{given}` (it has: {have}): "
                f"name the right one with `columns: {{{column.name}: ...}}` in territory.yaml"
            )
    # the file's own column of that name goes, else there would be two
    renamed = set(source.columns) | set(source.columns.values())
    frame = frame.drop(columns=[c for c in frame.columns if c in renamed]).assign(**found)
    for column in role.columns.values():
        if column.name in found and column.unit and (column.required or strict):
            frame[column.name] = _numbers(frame[column.name], column, name)
    return frame


def _numbers(values: pd.Series, column: "Column", name: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    bad = (numbers.isna() & values.notna()) | np.isinf(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        raise DataError(
            f"{name}: column `{column.name}` holds {values.iloc[row]!r} in row "
            f"{row + 1} of {len(values)}, where a number is needed: correct the file"
        )
    return numbers
