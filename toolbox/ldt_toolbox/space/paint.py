"""Vector onto grid, fine onto coarse."""

import math
import warnings
from collections.abc import Callable, Iterable

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.warp import reproject
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import DataError
from ldt_toolbox.space.raster import Raster


def grid_over(bounds: tuple[float, float, float, float], *, crs: CRS, cell_size_m: float) -> Raster:
    """Empty float32 grid over bounds, its corners on multiples of the cell size.

    Parameters
    ----------
    bounds : tuple of float
        West, south, east, north in `crs`, metres.
    crs : pyproj.CRS
        Projected.
    cell_size_m : float
        Side of a cell.
    """
    west, south, east, north = bounds
    left = math.floor(west / cell_size_m) * cell_size_m
    top = math.ceil(north / cell_size_m) * cell_size_m
    columns = max(1, math.ceil((east - left) / cell_size_m))
    rows = max(1, math.ceil((top - south) / cell_size_m))
    transform = Affine(cell_size_m, 0, left, 0, -cell_size_m, top)
    return Raster(np.zeros((rows, columns), np.float32), transform, crs)


def refine(grid: Raster, factor: int) -> Raster:
    """Same extent with cells a whole factor smaller, empty."""
    rows, columns = grid.shape
    values = np.zeros((rows * factor, columns * factor), np.float32)
    t = grid.transform
    transform = Affine(t.a / factor, 0, t.c, 0, t.e / factor, t.f)
    return Raster(values, transform, grid.crs, grid.unit)


def paint(
    shapes: Iterable[tuple[BaseGeometry, float]],
    grid: Raster,
    *,
    out: NDArray[np.generic],
    all_touched: bool = False,
) -> None:
    """Paint values of geometries into an array of the grid's shape; the last one wins.

    Parameters
    ----------
    shapes : iterable of (shapely geometry, number)
        In the grid's CRS.
    grid : Raster
        Gives shape and transform.
    out : numpy.ndarray, shape of the grid
        Changed in place: cells whose centre lies in a geometry.
    all_touched : bool
        Also cells that are only touched.
    """
    pairs = [(shape, value) for shape, value in shapes if not shape.is_empty]
    if pairs:
        rasterize(pairs, out=out, transform=grid.transform, all_touched=all_touched)


def block_mean(values: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """Mean of blocks of `factor` x `factor` cells, NaN left out; NaN where all is NaN.

    Raises
    ------
    DataError
        If the shape is no multiple of the factor.
    """
    rows, columns = values.shape
    if rows % factor or columns % factor:
        raise DataError(f"a grid of {rows} x {columns} cells has no blocks of {factor}")
    if factor == 1:
        return values.astype(np.float32)
    blocks = values.reshape(rows // factor, factor, columns // factor, factor)
    if not np.issubdtype(values.dtype, np.floating):
        total = np.add.reduce(blocks, axis=(1, 3), dtype=np.float64)
        return np.asarray(total / factor**2, np.float32)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0).sum(axis=(1, 3), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.asarray(mean, np.float32)


def block_majority(values: NDArray[np.integer], factor: int, *, classes: int) -> NDArray[np.uint8]:
    """Most frequent class of blocks of `factor` x `factor` cells; the lower code wins a tie."""
    rows, columns = values.shape
    if rows % factor or columns % factor:
        raise DataError(f"a grid of {rows} x {columns} cells has no blocks of {factor}")
    best = np.zeros((rows // factor, columns // factor), np.uint8)
    most = np.full(best.shape, -1.0, np.float32)
    for code in range(classes):
        share = block_mean((values == code).astype(np.uint8), factor)
        better = share > most
        best[better], most[better] = code, share[better]
    return best


def onto_grid(raster: Raster, grid: Raster, *, nearest: bool = False) -> NDArray[np.float32]:
    """Resample a raster onto a grid (bilinear, or nearest for classes), NaN outside.

    Parameters
    ----------
    raster : Raster
        Source, any CRS.
    grid : Raster
        Gives shape, transform and CRS.
    """
    out = np.full(grid.shape, np.nan, np.float32)
    source = raster.values.astype(np.float32)
    if raster.nodata is not None:
        source[raster.values == raster.nodata] = np.nan
    reproject(
        source, out, src_transform=raster.transform, src_crs=raster.crs.to_wkt(),
        dst_transform=grid.transform, dst_crs=grid.crs.to_wkt(), src_nodata=np.nan,
        dst_nodata=np.nan, resampling=Resampling.nearest if nearest else Resampling.bilinear,
    )  # fmt: skip
    return out


def pool(values: NDArray[np.float32], side: int, how: Callable[..., object]) -> NDArray[np.float64]:
    """Reduce blocks of `side` x `side` cells; a block that the edge cuts keeps what it has.

    Parameters
    ----------
    values : numpy.ndarray, shape (rows, columns)
        NaN where missing.
    side : int
        Cells along a side of a block.
    how : callable
        `numpy.nanmean`, `numpy.nansum` or alike.
    """
    rows, columns = values.shape
    padded = np.pad(
        values.astype(np.float64), ((0, -rows % side), (0, -columns % side)),
        constant_values=np.nan,
    )  # fmt: skip
    blocks = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a block outside is all NaN
        return np.asarray(how(blocks, axis=(1, 3)))
