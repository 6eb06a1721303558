"""GeoTIFF in, cloud-optimised GeoTIFF out."""

from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS
from rasterio._err import CPLE_BaseError
from rasterio.io import MemoryFile
from rasterio.shutil import copy as rio_copy

from ldt_toolbox.errors import CRSError, DataError, MissingFileError
from ldt_toolbox.space.raster import Raster


def crs_of(found: rasterio.crs.CRS) -> CRS:
    """CRS of a raster file as pyproj knows it.

    By its EPSG code where it has one: GDAL's text leaves out the order of axes, so a grid such
    as EPSG:3879 (north first) would differ from itself.
    """
    code = found.to_epsg()
    return CRS.from_epsg(code) if code else CRS.from_user_input(found.to_wkt())


def read_geotiff(path: Path, *, crs: CRS | None = None, band: int = 1) -> Raster:
    """Read one band of a raster file.

    Parameters
    ----------
    path : pathlib.Path
        Anything that GDAL reads.
    crs : pyproj.CRS, optional
        CRS of a file that does not tell it.
    band : int
        Counted from 1.

    Returns
    -------
    Raster
        Float rasters have NaN where the file has its nodata value.

    Raises
    ------
    MissingFileError, CRSError, DataError
        If the file is not there, tells no CRS, or is no raster.
    """
    if not path.exists():
        raise MissingFileError(f"{path} does not exist: check the path")
    try:
        with rasterio.open(path) as file:
            values = file.read(band)
            found = crs_of(file.crs) if file.crs else crs
            nodata, transform = file.nodata, file.transform
            unit = file.units[band - 1] or file.tags().get("unit", "") or "1"
    except rasterio.errors.RasterioIOError as error:
        raise DataError(f"{path} is no raster that can be read: {error}") from error
    if found is None:
        raise CRSError(f"{path} tells no coordinate reference system: add `crs: EPSG:...` to it")
    missing = None if nodata is None or np.isnan(nodata) else int(nodata)
    if np.issubdtype(values.dtype, np.floating):
        if nodata is not None and not np.isnan(nodata):
            values = np.where(values == nodata, np.nan, values).astype(values.dtype)
        missing = None
    try:
        return Raster(values, transform, found, unit, missing)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def write_geotiff(path: Path, raster: Raster) -> None:
    """Write a cloud-optimised GeoTIFF (deflate, 256 x 256 blocks, overviews).

    Parameters
    ----------
    path : pathlib.Path
        Written under a temporary name first, so that no half file is left.
    raster : Raster
        Its unit goes into the band's unit.
    """
    floating = np.issubdtype(raster.values.dtype, np.floating)
    profile = {
        "driver": "GTiff", "count": 1, "height": raster.shape[0], "width": raster.shape[1],
        "dtype": raster.values.dtype.name, "crs": raster.crs.to_wkt(),
        "transform": raster.transform, "nodata": np.nan if floating else raster.nodata,
    }  # fmt: skip
    part = path.with_name(path.name + ".part")
    try:
        with MemoryFile() as memory:
            with memory.open(**profile) as file:
                file.write(raster.values, 1)
                file.set_band_unit(1, raster.unit)
            with memory.open() as file:
                rio_copy(
                    file, part, driver="COG", compress="deflate", blocksize=256,
                    predictor="FLOATING_POINT" if floating else "STANDARD",
                    overview_resampling="average" if floating else "mode", num_threads="1",
                )  # fmt: skip
        part.replace(path)
    except CPLE_BaseError as error:  # GDAL's own errors are no OSErrors
        raise OSError(str(error)) from error
    finally:
        part.unlink(missing_ok=True)
