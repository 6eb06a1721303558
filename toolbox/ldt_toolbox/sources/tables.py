"""Tables without geometry, and the climate normals that ship with the toolbox."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError, MissingFileError
from ldt_toolbox.paths import package_root
from ldt_toolbox.registry import registry
from ldt_toolbox.results import Note
from ldt_toolbox.sources.conform import refuse_other_unit, role_columns

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source
    from ldt_toolbox.use_case import Role

EARTH_RADIUS_KM = 6371.0088


def read_table(source: "Source", role: "Role") -> tuple[pd.DataFrame, list[Note]]:
    """Read a CSV or Parquet table with the columns of a role.

    A CSV whose first line holds more semicolons than commas is read as spreadsheets of most of
    Europe write it: semicolons between columns, commas as decimal marks.

    A role without a unit of its own holds rows that its use case judges one by one: what is no
    number in an optional column is left for it to tell.

    Raises
    ------
    MissingFileError, MissingColumnError, DataError
        Naming role, file and what to do.
    """
    if source.path is None or not source.path.exists():
        raise MissingFileError(f"{source.role}: {source.path} does not exist: check `path`")
    name = f"{source.role} ({source.path.name})"
    refuse_other_unit(source, role, name)
    try:
        if source.path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(source.path)
        else:
            frame = _read_csv(source.path)
    except (ValueError, OSError) as error:
        raise DataError(f"{name} cannot be read as a table: {error}") from error
    frame = role_columns(frame, source, role, name, strict=bool(role.unit))
    if frame.empty:
        raise DataError(f"{name} holds no row: check the file")
    return frame, []


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig") as file:
        head = file.readline()
    if head.count(";") > head.count(","):
        return pd.read_csv(path, sep=";", decimal=",", encoding="utf-8-sig")
    return pd.read_csv(path, encoding="utf-8-sig")


def read_normals(entry: str, *, lonlat: tuple[float, float]) -> tuple[pd.DataFrame, list[Note]]:
    """Monthly mean air temperature of the nearest land cell of the bundled normals.

    Parameters
    ----------
    entry : str
        Name in the registry.
    lonlat : tuple of float
        Longitude and latitude, EPSG:4326.

    Returns
    -------
    pandas.DataFrame
        `month` (1 to 12), `temperature_c` (°C).
    list of Note
        How far away the cell is.

    Raises
    ------
    DataError
        If no cell lies within 100 km.
    """
    path = package_root() / "sources" / registry().sources[entry]["file"]
    grid = pd.read_parquet(path)
    lon, lat = np.deg2rad(lonlat[0]), np.deg2rad(lonlat[1])
    lons, lats = np.deg2rad(grid["lon"].to_numpy()), np.deg2rad(grid["lat"].to_numpy())
    half = (
        np.sin((lats - lat) / 2) ** 2 + np.cos(lat) * np.cos(lats) * np.sin((lons - lon) / 2) ** 2
    )
    distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half))
    nearest = int(np.argmin(distance_km))
    far = float(distance_km[nearest])
    if far > 100:
        raise DataError(
            f"{entry}: the nearest cell is {far:.0f} km from {lonlat[0]:.3f}, {lonlat[1]:.3f}; "
            "the bundled normals cover Europe: give a file with month and temperature_c instead"
        )
    cell = grid.iloc[nearest]
    months = np.arange(1, 13)
    frame = pd.DataFrame(
        {"month": months, "temperature_c": [float(cell[f"t{month:02d}"]) for month in months]}
    )
    where = f"{cell['lon']:.2f}, {cell['lat']:.2f}"
    return frame, [
        Note(
            "assumption",
            {
                "en": f"air temperature: half-degree cell at {where}, {far:.0f} km from the centre",
                "fr": f"température de l'air : maille d'un demi-degré en {where}, "
                f"à {far:.0f} km du centre",
            },
        )
    ]
