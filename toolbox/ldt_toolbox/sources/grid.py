"""Raster files: read, reprojected to the territory's CRS, cut to its boundary."""

import math
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window, from_bounds

from ldt_toolbox.errors import CRSError, DataError, MissingFileError
from ldt_toolbox.results import Note
from ldt_toolbox.space.raster import Raster

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source
    from ldt_toolbox.use_case import Role


def read_raster(
    source: "Source",
    *,
    crs: CRS,
    bounds: tuple[float, float, float, float],
    role: "Role | None" = None,
) -> tuple[Raster, list[Note]]:
    """Read the part of a raster that covers the territory.

    Parameters
    ----------
    source : Source
        File, unit and, where the file does not tell it, CRS.
    crs : pyproj.CRS
        Projected CRS of the answer; cells are square in it.
    bounds : tuple of float
        West, south, east, north in `crs`.
    role : Role, optional
        Its unit and coarsest resolution are checked.

    Returns
    -------
    Raster
        float32 with NaN for nodata; class rasters (`source.classes`) stay whole numbers.
    list of Note
        What was resampled.

    Raises
    ------
    MissingFileError, CRSError, DataError
        Naming role, file and what to do.
    """
    if source.path is None:
        raise DataError(f"{source.role}: the source names no file: add `path`")
    name = f"{source.role} ({source.path.name})"
    if not source.path.exists():
        raise MissingFileError(f"{name}: {source.path} does not exist: check `path`")
    classes = bool(source.classes) or (role is not None and role.categorical)
    if role is not None and role.unit and not classes and not source.unit:
        raise DataError(
            f"{name} declares no unit: add `unit: {role.unit}` (or what it really is) to the "
            "source in territory.yaml; units are never guessed"
        )
    try:
        with rasterio.open(source.path) as file:
            found = file.crs
            if found is None and source.crs:
                found = rasterio.crs.CRS.from_user_input(source.crs)
            if found is None:
                raise CRSError(
                    f"{name} tells no coordinate reference system: "
                    "add `crs: EPSG:...` to the source in territory.yaml"
                )
            with WarpedVRT(
                file, src_crs=found, crs=crs.to_wkt(),
                resampling=Resampling.nearest if classes else Resampling.bilinear,
            ) as warped:  # fmt: skip
                raster = _cut(warped, bounds, crs, source.unit or "1", classes, name)
            resampled = CRS.from_user_input(found.to_wkt()) != crs
    except rasterio.errors.RasterioIOError as error:
        raise DataError(f"{name} is no raster that can be read: {error}") from error
    if role is not None and role.max_resolution_m and raster.cell_size_m > role.max_resolution_m:
        raise DataError(
            f"{name} has cells of {raster.cell_size_m:.0f} m; at most {role.max_resolution_m:g} m "
            "make sense for this role: use a finer raster"
        )
    notes = []
    if resampled:
        notes.append(
            Note(
                "repair",
                {
                    "en": f"{name}: reprojected to {crs.to_string()}",
                    "fr": f"{name} : reprojeté en {crs.to_string()}",
                },
            )
        )
    return raster, notes


def _cut(
    warped: WarpedVRT,
    bounds: tuple[float, float, float, float],
    crs: CRS,
    unit: str,
    classes: bool,
    name: str,
) -> Raster:
    west, south, east, north = bounds
    left, bottom, right, top = warped.bounds
    if right <= west or left >= east or top <= south or bottom >= north:
        raise DataError(f"{name} does not overlap the territory: check its CRS and extent")
    window = from_bounds(
        max(west, left), max(south, bottom), min(east, right), min(north, top), warped.transform
    )
    first_row, first_column = math.floor(window.row_off), math.floor(window.col_off)
    window = Window.from_slices(
        (first_row, min(warped.height, math.ceil(window.row_off + window.height))),
        (first_column, min(warped.width, math.ceil(window.col_off + window.width))),
    )
    values = warped.read(1, window=window, masked=True)
    transform: Affine = warped.window_transform(window)
    if classes:
        nodata = -1
        return Raster(values.astype(np.int32).filled(nodata), transform, crs, "class", nodata)
    filled = values.astype(np.float32).filled(np.nan)
    if not np.isfinite(filled).any():
        raise DataError(f"{name} holds no value inside the territory: all cells are nodata")
    return Raster(filled, transform, crs, unit)
