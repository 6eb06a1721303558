"""Raster files: read, reprojected to the territory's CRS, cut to its boundary."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from pyproj import CRS
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from ldt_toolbox.errors import CRSError, DataError, MissingFileError
from ldt_toolbox.results import Note
from ldt_toolbox.sources.conform import refuse_other_unit
from ldt_toolbox.space.geotiff import crs_of
from ldt_toolbox.space.raster import Raster

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source
    from ldt_toolbox.use_case import Role

NO_CLASS = -1


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
        float32 with NaN for nodata, unpacked with the file's own scale and offset; class rasters
        (`source.classes`, a categorical role, or a role with a column `class`) stay whole
        numbers, -1 for nodata.
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
    classes = bool(source.classes) or (
        role is not None and (role.categorical or "class" in role.columns)
    )
    if role is not None and not classes:
        if role.unit and not source.unit:
            raise DataError(
                f"{name} declares no unit: add `unit: {role.unit}` (or what it really is) to the "
                "source in territory.yaml; units are never guessed"
            )
        refuse_other_unit(source, role, name)
    try:
        empty = role is not None and role.may_be_empty
        raster, changed = _read(source, crs, bounds, classes, name, may_be_empty=empty)
    except (rasterio.errors.RasterioError, CPLE_BaseError) as error:
        raise DataError(
            f"{name} is no raster that can be read: {error}; check the file and its CRS"
        ) from error
    if role is not None and role.max_resolution_m and raster.cell_size_m > role.max_resolution_m:
        raise DataError(
            f"{name} has cells of {raster.cell_size_m:.0f} m; at most {role.max_resolution_m:g} m "
            "make sense for this role: use a finer raster"
        )
    notes = [Note("repair", {"en": f"{name}: {en}", "fr": f"{name} : {fr}"}) for en, fr in changed]
    return raster, notes


def _read(
    source: "Source",
    crs: CRS,
    bounds: tuple[float, float, float, float],
    classes: bool,
    name: str,
    *,
    may_be_empty: bool,
) -> tuple[Raster, list[tuple[str, str]]]:
    changed = []
    with rasterio.open(source.path) as file:
        found = file.crs
        if found is None and source.crs:
            found = rasterio.crs.CRS.from_user_input(source.crs)
        if found is None:
            raise CRSError(
                f"{name} tells no coordinate reference system: "
                "add `crs: EPSG:...` to the source in territory.yaml"
            )
        options: dict[str, Any] = {}
        tilted = abs(file.transform.b) + abs(file.transform.d) > 0
        width, height = abs(file.transform.a), abs(file.transform.e)
        if crs_of(found) != crs:
            changed.append((f"reprojected to {crs.to_string()}", f"reprojeté en {crs.to_string()}"))
        elif tilted:
            changed.append(("turned north-up", "redressé vers le nord"))
        elif abs(width - height) > 1e-3 * width:
            options = _square(file, min(width, height))
            changed.append(("resampled to square cells", "rééchantillonné en mailles carrées"))
        with WarpedVRT(
            file, src_crs=found, crs=crs.to_wkt(),
            resampling=Resampling.nearest if classes else Resampling.bilinear,
            # a nodata value of its own, else cells that the file does not reach would read 0
            dtype="int32" if classes else "float32", nodata=NO_CLASS if classes else np.nan,
            **options,
        ) as warped:  # fmt: skip
            values, transform = _cut(warped, bounds, name)
        scale, offset = file.scales[0], file.offsets[0]
    if classes:
        if (values == NO_CLASS).all():
            raise DataError(f"{name} holds no class inside the territory: all cells are nodata")
        return Raster(values, transform, crs, "class", NO_CLASS), changed
    if not np.isfinite(values).any():
        if not may_be_empty:
            raise DataError(f"{name} holds no value inside the territory: all cells are nodata")
        changed.append(("no value inside the territory", "aucune valeur dans le territoire"))
    if (scale, offset) != (1.0, 0.0):
        values = (values * np.float64(scale) + offset).astype(np.float32)
        packed = f"value x {scale:g} + {offset:g}"
        changed.append((f"unpacked: {packed}", f"décodé : {packed.replace('value', 'valeur')}"))
    return Raster(values, transform, crs, source.unit or "1"), changed


def _square(file: rasterio.io.DatasetReader, side: float) -> dict[str, Any]:
    west, south, east, north = file.bounds
    return {
        "transform": Affine(side, 0, min(west, east), 0, -side, max(south, north)),
        "width": math.ceil(abs(east - west) / side - 1e-6),
        "height": math.ceil(abs(north - south) / side - 1e-6),
    }


def _cut(
    warped: WarpedVRT, bounds: tuple[float, float, float, float], name: str
) -> tuple[np.ndarray, Affine]:
    west, south, east, north = bounds
    t: Affine = warped.transform
    # whole cells that the bounds touch; a bound on a cell's edge may come out a hair off it
    first_column = max(0, math.floor((west - t.c) / t.a + 1e-6))
    first_row = max(0, math.floor((north - t.f) / t.e + 1e-6))
    last_column = min(warped.width, math.ceil((east - t.c) / t.a - 1e-6))
    last_row = min(warped.height, math.ceil((south - t.f) / t.e - 1e-6))
    if last_column <= first_column or last_row <= first_row:
        raise DataError(f"{name} does not overlap the territory: check its CRS and extent")
    window = Window.from_slices((first_row, last_row), (first_column, last_column))
    corner = Affine(t.a, 0, t.c + first_column * t.a, 0, t.e, t.f + first_row * t.e)
    return warped.read(1, window=window), corner
