"""Make a terrain fit for flow: voids, depressions, buried streams, culverts under embankments.

Every function returns a new terrain and leaves the one it got alone. Water can leave the terrain
at the edge of the grid, beside missing cells (a void is a way out, not a lake: fill small voids
first) and in cells that the caller names as outlets, such as the sea. The sign of a height means
nothing: land below zero is land, and the sea is sea only where a mask says so.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.basins import basins_of, fill_levels, filled
from ldt_toolbox.flood.breaching import breach
from ldt_toolbox.flood.d8 import END, PIT, mask_like, steepest_descent, terrain
from ldt_toolbox.flood.priority_flood import flood_with_gradient
from ldt_toolbox.heat.mixing import Floats

_ALL_EIGHT = np.ones((3, 3), np.int8)


@dataclass(frozen=True)
class FilledVoids:
    """Terrain after small voids were interpolated.

    Attributes
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Metres, NaN in the voids that were kept.
    interpolated : numpy.ndarray of bool, same shape
        Cells that hold no measurement: show them in maps.
    voids : pandas.DataFrame
        One row a void, the largest first: ``cells``, ``area_m2``, ``row`` and ``column`` of its
        first cell, ``at_edge`` (open to the outside: not a void but the end of the data) and
        ``filled``.
    """

    elevation: Floats
    interpolated: NDArray[np.bool_]
    voids: pd.DataFrame


def fill_voids(
    elevation: NDArray[np.generic], *, cell_size_m: float, max_area_m2: float
) -> FilledVoids:
    """Interpolate small voids from their rim; keep large ones and those open to the edge.

    The surface laid into a void is that of a membrane (Laplace's equation): it meets the rim
    without a step, continues a plane exactly and is nowhere higher or lower than the rim.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres, NaN where missing.
    cell_size_m : float
        Side of a cell.
    max_area_m2 : float
        Largest void to interpolate. Nothing is known about what lies in a void: choose it well
        below the size of the features that matter.

    Returns
    -------
    FilledVoids

    Raises
    ------
    ParameterError
        If a size is not positive.
    DataError
        If the terrain is no grid of numbers or has no height at all.
    """
    if not cell_size_m > 0 or not max_area_m2 >= 0:
        raise ParameterError(
            f"cell_size_m is {cell_size_m} and max_area_m2 {max_area_m2}: give the side of a cell "
            "in metres and an area of 0 m2 or more"
        )
    z = terrain("elevation", elevation)
    labels, count = scipy.ndimage.label(np.isnan(z), structure=_ALL_EIGHT)
    cells = np.bincount(labels.reshape(-1), minlength=count + 1)[1:]
    edge = np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    missing = np.flatnonzero(labels)
    first = missing[np.unique(labels.reshape(-1)[missing], return_index=True)[1]]
    voids = pd.DataFrame(
        {
            "cells": cells,
            "area_m2": cells * cell_size_m**2,
            "row": first // z.shape[1],
            "column": first % z.shape[1],
            "at_edge": np.isin(np.arange(1, count + 1), edge),
        }
    )
    voids["filled"] = ~voids["at_edge"] & (voids["area_m2"] <= max_area_m2 * (1 + 1e-12))
    small = np.concatenate(([False], voids["filled"].to_numpy(np.bool_)))
    interpolated = np.asarray(small[labels])
    out: Floats = z.copy()
    if interpolated.any():
        out[interpolated] = _membrane(z, interpolated)
    voids = voids.sort_values(["cells", "row", "column"], ascending=[False, True, True])
    return FilledVoids(out, interpolated, voids.reset_index(drop=True))


def _membrane(z: Floats, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Heights of the cells inside: each the mean of its four neighbours."""
    number = np.full(z.shape, -1, np.int64)
    number[inside] = np.arange(int(inside.sum()))
    rows, columns = np.nonzero(inside)  # none at the edge of the grid
    here = number[rows, columns]
    known = np.zeros(here.size)
    starts, ends = [here], [here]
    weights = [np.full(here.size, 4.0)]
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        near = number[rows + down, columns + right]
        free = near >= 0
        starts.append(here[free])
        ends.append(near[free])
        weights.append(np.full(int(free.sum()), -1.0))
        known[~free] += z[rows[~free] + down, columns[~free] + right]
    matrix = scipy.sparse.csc_matrix(
        (np.concatenate(weights), (np.concatenate(starts), np.concatenate(ends)))
    )
    return np.asarray(scipy.sparse.linalg.spsolve(matrix, known), np.float64)


def fill_depressions(
    elevation: NDArray[np.generic],
    *,
    outlets: NDArray[np.bool_] | None = None,
    gradient_m: float | None = None,
) -> Floats:
    """Raise the terrain to where the water of every depression overflows.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres, NaN where missing. The edge of the grid and cells beside missing ones
        are outlets.
    outlets : numpy.ndarray of bool, same shape, optional
        More cells in which flow ends: the sea, a drain, the bottom of a sinkhole.
    gradient_m : float, optional
        Let the filled surface rise by this much per cell away from its outlet, so that steepest
        descent drains it without looking for flats. Slower; 0 takes the least step that the
        type of the terrain can tell apart. By default the surface is level.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Same type as ``elevation`` (float32 or float64), never below it, the lowest such surface
        from which every cell drains.

    Raises
    ------
    ParameterError
        If the gradient is negative.
    DataError
        If the terrain is no grid of numbers or has no height at all, or the mask does not fit.

    Notes
    -----
    Surface of the priority flood (Barnes et al. 2014); see ``basins`` for how it is found and
    ``priority_flood`` for the variant with a gradient. About 10 bytes of working memory per cell
    besides the terrain and the result.
    """
    z = terrain("elevation", elevation)
    ends = mask_like("outlets", outlets, z)
    if gradient_m is not None:
        if not 0 <= gradient_m < np.inf:
            raise ParameterError(f"gradient_m is {gradient_m}: give 0 or a few millimetres")
        return flood_with_gradient(z, ends, gradient_m)
    basin, count = basins_of(z, ends)
    return filled(z, basin, fill_levels(z, basin, count))


@dataclass(frozen=True)
class Breached:
    """Terrain after trenches were dug from pits to lower ground.

    Attributes
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Metres, nowhere above the original.
    pits : int
        Pits found.
    left : int
        Pits that the limits kept shut; `fill_depressions` takes care of them.
    deepest_m : float
        Deepest cut.
    volume_m3 : float
        Ground removed.
    """

    elevation: Floats
    pits: int
    left: int
    deepest_m: float
    volume_m3: float


def breach_depressions(
    elevation: NDArray[np.generic],
    *,
    cell_size_m: float,
    max_length_m: float,
    max_depth_m: float,
    outlets: NDArray[np.bool_] | None = None,
) -> Breached:
    """Dig the cheapest trench from each pit to lower ground, within limits.

    Changes less of a terrain than filling where embankments, bridges or noise dam the flow. What
    is a real basin (a quarry, a lake without outlet) should be kept shut by the limits.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres, NaN where missing.
    cell_size_m : float
        Side of a cell.
    max_length_m : float
        How far from the pit, along rows and columns, a trench may lead.
    max_depth_m : float
        Deepest cut, from the ground down to the level of the pit (the trench's own fall comes on
        top); infinity for no limit.
    outlets : numpy.ndarray of bool, same shape, optional
        More cells in which flow ends, besides the edge and those beside missing cells.

    Returns
    -------
    Breached

    Raises
    ------
    ParameterError
        If a limit is not positive.
    DataError
        If the terrain is no grid of numbers or has no height at all, or the mask does not fit.

    Notes
    -----
    Cost: depth of the cut below the pit's level, times the length of the way through the cell
    (Lindsay & Dhun 2015; Lindsay 2016 on combining breaches with filling). Working memory is 17
    bytes times the square of twice the longest trench, in cells.
    """
    if not (cell_size_m > 0 and max_length_m >= cell_size_m and max_depth_m > 0):
        raise ParameterError(
            f"cell_size_m is {cell_size_m}, max_length_m {max_length_m}, max_depth_m "
            f"{max_depth_m}: give positive metres, a length of one cell at least"
        )
    z = terrain("elevation", elevation)
    ends = mask_like("outlets", outlets, z)
    code = steepest_descent(z, ends, raw=True)
    basin, count = basins_of(z, ends)
    pits = np.flatnonzero(code == PIT)
    # Level ground that drains has pits in this sense, too; real ones would be filled.
    deep = fill_levels(z, basin, count)[basin.reshape(-1)[pits]] > z.reshape(-1)[pits]
    pits = pits[deep]
    pits = pits[np.argsort(z.reshape(-1)[pits], kind="stable")]
    out: Floats = z.copy()
    opened = np.zeros(pits.size, np.bool_)
    reach = min(int(max_length_m / cell_size_m + 1e-9), max(z.shape))
    breach(out, code == END, pits, reach, float(max_depth_m), opened)
    cut = np.nan_to_num(z.astype(np.float64) - out)
    return Breached(
        out,
        pits.size,
        int((~opened).sum()),
        float(cut.max()),
        float(cut.sum() * cell_size_m**2),
    )


def burn_streams(
    elevation: NDArray[np.generic],
    streams: NDArray[np.bool_],
    *,
    depth_m: float,
    cell_size_m: float,
    bank_m: float = 0.0,
) -> Floats:
    """Lower the terrain along mapped streams so that the flow follows them.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres, NaN where missing.
    streams : numpy.ndarray of bool, same shape
        Cells of the streams.
    depth_m : float
        How much to lower a stream.
    cell_size_m : float
        Side of a cell.
    bank_m : float
        Width of the banks beside a stream that are lowered, too, evenly less with the distance
        (after AGREE, Hellweger 1997).

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        For directions only: heights and depths are to be taken from the original terrain.

    Raises
    ------
    ParameterError
        If a depth or width is out of its range.
    DataError
        If the grids do not fit, or no cell is a stream.
    """
    if not (0 < depth_m < np.inf and bank_m >= 0 and cell_size_m > 0):
        raise ParameterError(
            f"depth_m is {depth_m}, bank_m {bank_m}, cell_size_m {cell_size_m}: give a positive "
            "depth and cell size, and a bank of 0 m or more"
        )
    z = terrain("elevation", elevation)
    mask = mask_like("streams", streams, z)
    if mask is None or not mask.any():
        raise DataError("no cell is a stream: check that the streams cross the terrain")
    if bank_m == 0:
        return np.asarray(np.where(mask, z - z.dtype.type(depth_m), z))
    away_m = scipy.ndimage.distance_transform_edt(~mask) * cell_size_m
    share = np.clip(1 - away_m / (bank_m + cell_size_m), 0, 1)
    return np.asarray(z - (depth_m * share).astype(z.dtype))


def cut_culverts(elevation: NDArray[np.generic], culverts: Sequence[ArrayLike]) -> Floats:
    """Cut culverts, underpasses and bridges through the embankments that they cross.

    Along each line the terrain is lowered to a ramp between the heights at its two ends; where it
    is lower than the ramp it stays.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (rows, columns)
        Terrain in metres, NaN where missing.
    culverts : sequence of array_like of int, shape (points, 2)
        Row and column of the cells at the points of each line, two or more; the ends lie beyond
        the embankment, in the stream's bed.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)

    Raises
    ------
    DataError
        If a line has one point only, or ends off the grid or in a missing cell.
    """
    z = terrain("elevation", elevation)
    out: Floats = z.copy()
    for number, culvert in enumerate(culverts):
        points = np.asarray(culvert)
        if points.ndim != 2 or points.shape[1] != 2 or points.shape[0] < 2:
            raise DataError(f"culvert {number} has shape {points.shape}: give two points or more")
        if (points < 0).any() or (points >= z.shape).any():
            raise DataError(f"culvert {number} leaves the grid of {z.shape}: clip it first")
        rows, columns, along = _cells_between(points.astype(np.int64))
        upper, lower = float(z[rows[0], columns[0]]), float(z[rows[-1], columns[-1]])
        if not (np.isfinite(upper) and np.isfinite(lower)):
            raise DataError(f"culvert {number} ends in a missing cell: fill the void or move it")
        ramp = (upper + (lower - upper) * along).astype(z.dtype)
        np.fmin.at(out, (rows, columns), ramp)  # a missing cell under the bank is opened, too
    return out


def _cells_between(
    points: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows and columns of an unbroken line of cells, and the share of the way at each."""
    rows, columns = [points[0, 0]], [points[0, 1]]
    for start, end in itertools.pairwise(points):
        count = int(np.abs(end - start).max())
        way = np.arange(1, count + 1) / max(count, 1)
        rows.extend(np.rint(start[0] + way * (end[0] - start[0])).astype(np.int64))
        columns.extend(np.rint(start[1] + way * (end[1] - start[1])).astype(np.int64))
    i, j = np.array(rows), np.array(columns)
    length = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(i), np.diff(j)))))
    return i, j, length / max(float(length[-1]), 1.0)
