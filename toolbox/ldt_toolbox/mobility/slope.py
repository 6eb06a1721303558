"""What the climb of a street does to the time it takes on foot or by bike."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

from ldt_toolbox.errors import CRSError
from ldt_toolbox.space.raster import Raster

_TOBLER_STEEPNESS, _TOBLER_BEST = 3.5, -0.05
# Parkin & Rotheram 2010, Transport Policy 17: -0.4002 m/s a per cent uphill, +0.2379 m/s downhill
# at 6.01 m/s on the flat, as shares of it here; from memory. The bounds are an assumption: walking
# pace uphill, brakes downhill.
_BIKE_UP, _BIKE_DOWN = 0.4002 / 6.01, 0.2379 / 6.01
_BIKE_SLOWEST, _BIKE_FASTEST = 0.25, 1.4


def walking_share(slope: ArrayLike) -> NDArray[np.float64]:
    """Walking speed over that on the flat.

    ``exp(-3.5 |s + 0.05|) / exp(-3.5 * 0.05)``: fastest at 5 % downhill, and the same speed for
    equal differences from there.

    Parameters
    ----------
    slope : array_like of float
        Rise over run; negative downhill.

    Notes
    -----
    Source: Tobler 1993, Three presentations on geographical analysis and modeling, NCGIA 93-1:
    ``W = 6 exp(-3.5 |dh/dx + 0.05|)`` km/h.
    """
    s = np.asarray(slope, np.float64)
    return np.exp(-_TOBLER_STEEPNESS * (np.abs(s - _TOBLER_BEST) - abs(_TOBLER_BEST)))


def cycling_share(slope: ArrayLike) -> NDArray[np.float64]:
    """Cycling speed over that on the flat, within bounds.

    Parameters
    ----------
    slope : array_like of float
        Rise over run; negative downhill.

    Notes
    -----
    Source: Parkin & Rotheram 2010, Design speeds and acceleration characteristics of bicycle
    traffic, Transport Policy 17 (constants from memory).
    """
    percent = 100 * np.asarray(slope, np.float64)
    share = 1 - np.where(percent > 0, _BIKE_UP, _BIKE_DOWN) * percent
    return np.clip(share, _BIKE_SLOWEST, _BIKE_FASTEST)


def elevation_at(terrain: Raster, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Elevation between the four nearest cell centres; NaN where one of them is missing."""
    values = np.asarray(terrain.values, np.float64)
    if terrain.nodata is not None:
        values = np.where(np.asarray(terrain.values) == terrain.nodata, np.nan, values)
    t, (rows, columns) = terrain.transform, values.shape
    i, j = (xy[:, 1] - t.f) / t.e - 0.5, (xy[:, 0] - t.c) / t.a - 0.5
    inside = (i >= -0.5) & (j >= -0.5) & (i <= rows - 0.5) & (j <= columns - 0.5)
    i, j = np.clip(i, 0, rows - 1), np.clip(j, 0, columns - 1)
    top, left = np.floor(i).astype(int), np.floor(j).astype(int)
    down, right = np.minimum(top + 1, rows - 1), np.minimum(left + 1, columns - 1)
    i, j = i - top, j - left
    upper = values[top, left] * (1 - j) + values[top, right] * j
    lower = values[down, left] * (1 - j) + values[down, right] * j
    return np.where(inside, upper * (1 - i) + lower * i, np.nan)


@dataclass(frozen=True)
class Climb:
    """Elevation of the nodes and what slope does to each edge.

    Attributes
    ----------
    node_elevation_m : numpy.ndarray of float64, shape (nodes,)
        NaN where the terrain has a gap.
    forward, backward : numpy.ndarray of float64, shape (edges,)
        Time along the edge and against it over the time on the flat; 1 where nothing is known.
    known : numpy.ndarray of bool, shape (edges,)
        Whether the elevation of both ends and of all that lies between is known.
    """

    node_elevation_m: NDArray[np.float64]
    forward: NDArray[np.float64]
    backward: NDArray[np.float64]
    known: NDArray[np.bool_]


def climb(
    edges: gpd.GeoDataFrame, node_xy: NDArray[np.float64], terrain: Raster, *, bike: bool = False
) -> Climb:
    """Follow every edge over the terrain, a step no longer than a cell.

    Bridges and tunnels rise evenly from end to end; where several of them meet away from the
    ground, the elevation in between is that of a taut string (harmonic). Parts in gaps of the
    terrain count as flat.

    Parameters
    ----------
    edges : geopandas.GeoDataFrame
        `from`, `to`, `tunnel`, `bridge`, `length_m` and lines in the CRS of the terrain.
    node_xy : numpy.ndarray of float64, shape (nodes, 2)
        Where the nodes are.
    terrain : Raster
        Elevation of the ground, m.
    bike : bool
        Whether riders climb, by `cycling_share`, or walkers, by `walking_share`.

    Raises
    ------
    CRSError
        If CRS differ.
    """
    if edges.crs != terrain.crs:
        raise CRSError("the terrain's CRS is not the streets': reproject one of them")
    above = (edges["bridge"] | edges["tunnel"]).to_numpy(bool)
    begin, end = edges["from"].to_numpy(), edges["to"].to_numpy()
    length = np.maximum(edges["length_m"].to_numpy(np.float64), 1e-9)
    nodes = _node_elevations(elevation_at(terrain, node_xy), begin, end, length, above)
    lines = np.asarray(edges.geometry.array, dtype=object)
    steps = np.where(above, 1, np.ceil(length / terrain.cell_size_m)).astype(int)
    owner = np.repeat(np.arange(len(edges)), steps + 1)
    count = np.cumsum(steps + 1) - (steps + 1)
    share = (np.arange(len(owner)) - count[owner]) / steps[owner]
    at = shapely.line_interpolate_point(lines[owner], share, normalized=True)
    z = elevation_at(terrain, shapely.get_coordinates(at))
    z[share == 0] = nodes[begin]
    z[share == 1] = nodes[end]
    within = owner[1:] == owner[:-1]
    part = owner[1:][within]
    slope = np.diff(z)[within] / (length / steps)[part]
    known = np.bincount(part, np.isnan(slope), minlength=len(edges)) == 0
    slope = np.nan_to_num(slope)
    law = cycling_share if bike else walking_share
    forward = np.bincount(part, 1 / law(slope), minlength=len(edges)) / steps
    backward = np.bincount(part, 1 / law(-slope), minlength=len(edges)) / steps
    return Climb(nodes, forward, backward, known)


def _node_elevations(
    ground: NDArray[np.float64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    length: NDArray[np.float64],
    above: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Ground, except for nodes that only bridges or only tunnels touch: harmonic in between."""
    count = len(ground)
    on_ground = np.zeros(count, bool)
    on_ground[begin[~above]] = on_ground[end[~above]] = True
    # the mouth of a tunnel or the head of a bridge may also be where the data end
    degree = np.bincount(np.r_[begin, end], minlength=count)
    free = ~on_ground & (degree > 1)
    fixed = ~free & ~np.isnan(ground)
    z = np.where(free, np.nan, ground)
    links = above & (begin != end)
    a, b, weight = begin[links], end[links], 1 / length[links]
    both = sparse.csr_array(
        (np.r_[weight, weight], (np.r_[a, b], np.r_[b, a])), shape=(count, count)
    )
    _, part = sparse.csgraph.connected_components(both, directed=False)
    anchored = np.isin(part, part[fixed])
    solve = np.flatnonzero(free & anchored)
    if not len(solve):
        return z
    known = np.flatnonzero(fixed)
    inner = both[solve]
    sums = inner[:, known].sum(axis=1) + inner[:, solve].sum(axis=1)
    matrix = sparse.diags_array(sums) - inner[:, solve]
    z[solve] = spsolve(matrix.tocsc(), inner[:, known] @ ground[known])
    return z
