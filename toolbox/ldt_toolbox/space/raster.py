"""A raster in memory: values, where they lie, and what they measure."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from ldt_toolbox.errors import CRSError, DataError


@dataclass(frozen=True)
class Raster:
    """North-up grid of numbers.

    Attributes
    ----------
    values : numpy.ndarray, shape (rows, columns)
        Missing cells are NaN in float rasters; integer rasters name their ``nodata``.
    transform : affine.Affine
        From (column, row) of a cell's upper left corner to CRS units.
    crs : pyproj.CRS
        Coordinate reference system.
    unit : str
        UN/CEFACT code or symbol of the values; ``"1"`` for shares and indices.
    nodata : int or None
        The value of missing cells in an integer raster.
    """

    values: NDArray[np.generic]
    transform: Affine
    crs: CRS
    unit: str = "1"
    nodata: int | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise DataError(
                f"a raster needs 2 dimensions, these values have {self.values.ndim}: "
                "pick one band before building it"
            )
        if self.transform.b != 0 or self.transform.d != 0:
            raise DataError(
                "the raster is rotated: warp it north-up first, "
                "for example with rasterio.vrt.WarpedVRT"
            )
        if self.transform.a <= 0 or self.transform.e >= 0:
            raise DataError(
                f"the raster is mirrored (cells of {self.transform.a:g} x {self.transform.e:g}): "
                "flip it so that the first row is the northernmost"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.values.shape
        return rows, columns

    @property
    def cell_size_m(self) -> float:
        """Side of a cell in metres.

        Raises
        ------
        CRSError
            If the CRS is geographic.
        DataError
            If cells are not square within one part in a thousand.
        """
        if not self.crs.is_projected:
            raise CRSError(
                f"metres are needed but {self.crs.to_string()} is geographic: "
                "reproject the raster to the territory's projected CRS"
            )
        width, height = self.transform.a, -self.transform.e
        if abs(width - height) > 1e-3 * abs(width):
            raise DataError(
                f"cells measure {width:g} x {height:g}; square cells are needed: resample first"
            )
        return float(width)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in CRS units."""
        rows, columns = self.shape
        west, north = float(self.transform.c), float(self.transform.f)
        east, south = west + columns * self.transform.a, north + rows * self.transform.e
        return west, float(south), float(east), north

    def cells_at(
        self, x: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Cells in which points lie.

        Parameters
        ----------
        x, y : array_like of float
            Coordinates in the CRS.

        Returns
        -------
        rows, columns : numpy.ndarray of int
            Clipped to the grid.
        inside : numpy.ndarray of bool
            Whether the point lies on the grid.
        """
        rows, columns = self.shape
        t = self.transform
        i = np.floor((np.asarray(y, np.float64) - t.f) / t.e)
        j = np.floor((np.asarray(x, np.float64) - t.c) / t.a)
        inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
        i, j = np.where(inside, i, 0), np.where(inside, j, 0)
        return i.astype(np.intp), j.astype(np.intp), inside

    def with_values(self, values: NDArray[np.generic], *, unit: str | None = None) -> Self:
        """Return the same grid with other values (and, if given, another unit)."""
        if values.shape != self.values.shape:
            raise DataError(f"new values have shape {values.shape}, the grid has {self.shape}")
        return replace(self, values=values, unit=self.unit if unit is None else unit)
