"""Exact zonal statistics: how much of each cell a polygon covers, and what the cells say there.

Each edge of a polygon adds to every cell it crosses the signed area to its right; the running sum
along a row is then the covered share of each cell. This is the exact-area method of font
rasterisers: no sampling, no sub-cells, holes and parts come out by the sign of their rings.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from ldt_toolbox.errors import CRSError, DataError
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.space.zonal_kernels import list_cells, summarise

_CHUNKS_PER_THREAD = 16
_POLYGON, _MULTIPOLYGON = 3, 6


def zonal_statistics(
    polygons: gpd.GeoSeries | gpd.GeoDataFrame,
    raster: Raster,
    *,
    thresholds: Sequence[float] = (),
    quantiles: Sequence[float] = (),
    threads: int | None = None,
) -> pd.DataFrame:
    """Statistics of a raster under each polygon, cells weighted by the share that is covered.

    Parameters
    ----------
    polygons : geopandas.GeoSeries or GeoDataFrame
        Polygons and multipolygons in the raster's CRS; they may overlap, lie partly or wholly
        outside, be smaller than a cell, empty or missing.
    raster : Raster
        NaN (or its ``nodata``) marks cells without a value.
    thresholds : sequence of float
        In the raster's unit: the share of the known area that lies above each.
    quantiles : sequence of float
        Between 0 and 1: the smallest value that this share of the known area does not exceed.
    threads : int, optional
        Number of threads; as many as the machine has cores, if not given.

    Returns
    -------
    pandas.DataFrame
        Index of ``polygons``. ``cells`` (covered cells with a value, in shares of a cell),
        ``known_share`` (of the polygon's area that lies on such cells, 0 to 1), ``mean``, ``sum``
        (value times covered share), ``min`` and ``max`` (of all cells that are covered at least
        by a billionth), ``share_above_<threshold>``, ``quantile_<q>``. Where no cell has a value
        all but ``cells``, ``known_share`` and ``sum`` are NaN.

    Raises
    ------
    CRSError
        If a CRS is missing or differs from the raster's.
    DataError
        If a geometry is no polygon, or crosses or overlaps itself.
    """
    values = _floats(raster)
    wrong = [q for q in quantiles if not 0 <= q <= 1]
    if wrong:
        raise DataError(f"a quantile of {wrong[0]:g} does not exist: give shares between 0 and 1")
    rings = _rings(polygons, raster)
    limits = np.asarray(sorted(set(thresholds)), np.float64)
    out = np.empty((len(polygons), 5 + len(limits)), np.float64)

    def work(first: int, last: int) -> None:
        summarise(*rings, values, limits, first, last, out)

    _in_chunks(work, len(polygons), _workers(threads))
    cells, area, total, low, high = out[:, :5].T
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.where(area > 0, np.minimum(cells / area, 1.0), np.nan)
        columns = {
            "cells": cells, "known_share": known, "mean": total / cells, "sum": total,
            "min": low, "max": high,
        }  # fmt: skip
        for k, limit in enumerate(limits):
            columns[f"share_above_{limit:g}"] = np.minimum(out[:, 5 + k] / cells, 1.0)
    if len(quantiles):
        covered = coverage(polygons, raster, threads=threads)
        for q in quantiles:
            columns[f"quantile_{q:g}"] = _quantile(covered, values.ravel(), q)
    return pd.DataFrame(columns, index=polygons.index)


def coverage(
    polygons: gpd.GeoSeries | gpd.GeoDataFrame, raster: Raster, *, threads: int | None = None
) -> sparse.csr_array:
    """Share of each cell that each polygon covers.

    Parameters
    ----------
    polygons : geopandas.GeoSeries or GeoDataFrame
        As in `zonal_statistics`.
    raster : Raster
        Gives shape, transform and CRS; its values are not read.
    threads : int, optional
        Number of threads; as many as the machine has cores, if not given.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (polygons, rows * columns)
        Column ``row * columns + column`` of the raster; 0 to 1. Multiplied with the flattened
        values of any raster of this shape it gives sums over all polygons at once.
    """
    workers = _workers(threads)
    rings = _rings(polygons, raster)
    rows, columns = raster.shape
    ends = np.zeros(len(polygons) + 1, np.int64)
    cells, shares = np.empty(0, np.int64), np.empty(0, np.float64)

    def work(first: int, last: int) -> None:
        list_cells(*rings, rows, columns, first, last, ends, cells, shares)

    _in_chunks(work, len(polygons), workers)  # counts
    np.cumsum(ends, out=ends)
    cells, shares = np.empty(ends[-1], np.int64), np.empty(ends[-1], np.float64)
    if ends[-1]:
        _in_chunks(work, len(polygons), workers)  # fills
    return sparse.csr_array((shares, cells, ends), shape=(len(polygons), rows * columns))


def _workers(threads: int | None) -> int:
    return max(1, threads if threads is not None else os.cpu_count() or 1)


def _in_chunks(work: Callable[[int, int], None], count: int, workers: int) -> None:
    """Run ``work(first, last)`` over all polygons; big ones keep one thread, the others go on."""
    step = max(1, -(-count // (workers * _CHUNKS_PER_THREAD)))
    firsts = range(0, count, step)
    if workers == 1 or len(firsts) < 2:
        for first in firsts:
            work(first, min(first + step, count))
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda first: work(first, min(first + step, count)), firsts))


def _floats(raster: Raster) -> NDArray[np.floating]:
    values = raster.values
    if values.dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        return np.ascontiguousarray(values)
    out = np.ascontiguousarray(values, np.float64)
    if raster.nodata is not None:
        out = np.where(values == raster.nodata, np.nan, out)
    return out


def _rings(
    polygons: gpd.GeoSeries | gpd.GeoDataFrame, raster: Raster
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Coordinates in cells (column, row), and where rings, parts and polygons begin."""
    if polygons.crs is None or polygons.crs != raster.crs:
        theirs = "none" if polygons.crs is None else polygons.crs.to_string()
        raise CRSError(
            f"the polygons' CRS is {theirs}, the raster's {raster.crs.to_string()}: "
            "reproject the polygons with to_crs"
        )
    shapes = np.asarray(polygons.geometry.array, dtype=object)
    kinds = shapely.get_type_id(shapes)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    odd = np.flatnonzero(~empty & (kinds != _POLYGON) & (kinds != _MULTIPOLYGON))
    if odd.size:
        raise DataError(
            f"{odd.size} geometries are no polygons (the first is a {shapes[odd[0]].geom_type} at "
            f"{polygons.index[odd[0]]}): buffer them or leave them out"
        )
    # in one thread: shapely silences warnings meanwhile, which is not safe in several
    bad = np.flatnonzero(~shapely.is_valid(shapes) & ~empty)
    if bad.size:
        raise DataError(
            f"{bad.size} polygons cross or overlap themselves (the first at "
            f"{polygons.index[bad[0]]}: {shapely.is_valid_reason(shapes[bad[0]])}): "
            "repair them with make_valid"
        )
    if empty.any():
        shapes = shapes.copy()
        shapes[empty] = shapely.MultiPolygon()
    t = raster.transform
    if len(shapes) == 0 or empty.all():
        nothing = np.zeros(1, np.int64)
        return np.empty((0, 2)), nothing, nothing, np.zeros(len(shapes) + 1, np.int64)
    kind, xy, offsets = shapely.to_ragged_array(shapes, include_z=False)
    cells = np.empty(xy.shape, np.float64)
    cells[:, 0] = (xy[:, 0] - t.c) / t.a
    cells[:, 1] = (xy[:, 1] - t.f) / t.e
    rings = np.asarray(offsets[0], np.int64)
    parts = np.asarray(offsets[1], np.int64)
    whole = (
        np.asarray(offsets[2], np.int64)
        if kind == shapely.GeometryType.MULTIPOLYGON
        else np.arange(len(shapes) + 1, dtype=np.int64)
    )
    return cells, rings, parts, whole


def _quantile(
    covered: sparse.csr_array, values: NDArray[np.floating], q: float
) -> NDArray[np.float64]:
    """Smallest value of each row at or below which the share ``q`` of its weight lies."""
    count = covered.shape[0]
    rows = np.repeat(np.arange(count), np.diff(covered.indptr))
    v, w = values[covered.indices].astype(np.float64), covered.data
    known = np.isfinite(v)
    rows, v, w = rows[known], v[known], w[known]
    order = np.lexsort((v, rows))
    rows, v, w = rows[order], v[order], w[order]
    out = np.full(count, np.nan)
    if not rows.size:
        return out
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    lengths = np.diff(np.r_[starts, len(rows)])
    reached = np.cumsum(w)
    before = np.repeat(reached[starts] - w[starts], lengths)
    whole = np.repeat(np.add.reduceat(w, starts), lengths)
    enough = reached - before >= q * whole * (1 - 1e-12)
    first = np.minimum.reduceat(np.where(enough, np.arange(len(rows)), len(rows) - 1), starts)
    out[rows[starts]] = v[first]
    return out
