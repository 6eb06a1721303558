"""Grids of one quantity at several times: what an animation is made of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from ldt_toolbox.errors import DataError, MissingFileError
from ldt_toolbox.space.geotiff import crs_of
from ldt_toolbox.space.raster import Raster

_MINUTE = "minute"


@dataclass(frozen=True)
class Frames:
    """Rasters on one grid, in the order of time.

    Attributes
    ----------
    values : numpy.ndarray of float32, shape (times, rows, columns)
        NaN where there is nothing to show.
    minutes : tuple of float
        Time of each since the start, min.
    transform : affine.Affine
        From (column, row) of a cell's upper left corner to CRS units.
    crs : pyproj.CRS
        Projected.
    unit : str
        UN/CEFACT code of the values.
    """

    values: NDArray[np.float32]
    minutes: tuple[float, ...]
    transform: Affine
    crs: CRS
    unit: str = "1"

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or len(self.values) != len(self.minutes) or not self.minutes:
            raise DataError(
                f"an animation has values of shape {self.values.shape} and {len(self.minutes)} "
                "times: give one grid for each time, and at least one"
            )

    @property
    def highest(self) -> Raster:
        """The largest value of each cell over all times, NaN where it never has one."""
        filled = np.where(np.isnan(self.values), -np.inf, self.values).max(axis=0)
        values = np.where(np.isfinite(filled), filled, np.nan).astype(np.float32)
        return Raster(values, self.transform, self.crs, self.unit)


def write_frames(path: Path, frames: Frames) -> None:
    """Write frames as the bands of one GeoTIFF, each with its minute.

    Parameters
    ----------
    path : pathlib.Path
        Written under a temporary name first, so that no half file is left.
    frames : Frames
        What to write.
    """
    count, rows, columns = frames.values.shape
    part = path.with_name(path.name + ".part")
    try:
        with rasterio.open(
            part, "w", driver="GTiff", count=count, height=rows, width=columns, dtype="float32",
            crs=frames.crs.to_wkt(), transform=frames.transform, nodata=np.nan,
            compress="deflate", predictor=3, interleave="band",
        ) as file:  # fmt: skip
            file.write(frames.values)
            for band, minute in enumerate(frames.minutes, start=1):
                file.update_tags(band, **{_MINUTE: repr(float(minute))})
                file.set_band_unit(band, frames.unit)
        part.replace(path)
    except rasterio.errors.RasterioError as error:
        raise OSError(str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def read_frames(path: Path) -> Frames:
    """Read what `write_frames` wrote.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    MissingFileError
        If it is not there.
    DataError
        If its bands do not tell their minutes.
    """
    if not path.exists():
        raise MissingFileError(f"{path} does not exist: check the path")
    with rasterio.open(path) as file:
        told = [file.tags(band).get(_MINUTE) for band in file.indexes]
        minutes = tuple(float(minute) for minute in told if minute is not None)
        if len(minutes) != len(told):
            raise DataError(f"{path} holds bands without a minute: write it with write_frames")
        unit = file.units[0] or "1"
        return Frames(file.read(), minutes, file.transform, crs_of(file.crs), unit)
