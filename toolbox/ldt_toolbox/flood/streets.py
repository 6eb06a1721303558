"""Streets under water: which are cut for whom, and which places nobody reaches any more."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ldt_toolbox.errors import CRSError, DataError
from ldt_toolbox.space.raster import Raster

_NODE_MM = 10  # vertices closer than a centimetre are one


@dataclass(frozen=True)
class Limits:
    """Beyond which a street cannot be used.

    Attributes
    ----------
    depth_m : float
        Depth of still water.
    depth_velocity_m2_s : float
        Product of depth and velocity.
    velocity_m_s : float
        Velocity, where the water is deeper than `WET_M`.
    hazard_rating : float
        ``h (v + 0.5) + DF`` (Defra FD2321).
    """

    depth_m: float
    depth_velocity_m2_s: float
    velocity_m_s: float = 3.0
    hazard_rating: float = np.inf


WET_M = 0.05
# Vehicles: Shand, Cox, Blacka & Smith 2011, Australian Rainfall and Runoff, project 10, stage 2:
# small passenger cars (0.3 m, 0.3 m2/s) and large four-wheel drives (0.5 m, 0.6 m2/s). People:
# Cox, Shand & Blacka 2010, same project, stage 1: children (0.5 m, 0.4 m2/s); hazard rating 1.25:
# danger for most, Defra & Environment Agency 2006, FD2321/TR1. All from memory, not found a
# second time. Deep-going fire engines and boats pass where "emergency" does not.
LIMITS: dict[str, Limits] = {
    "car": Limits(0.3, 0.3),
    "emergency": Limits(0.5, 0.6),
    "pedestrian": Limits(0.5, 0.4, hazard_rating=1.25),
}


def split_at_junctions(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut street lines where they share a vertex, so that a flood cuts a block, not a whole way.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        Lines in metres. Lines that cross without a common vertex (bridges) stay apart.

    Returns
    -------
    geopandas.GeoDataFrame
        A row a segment with the columns of its street, and `street` (its index there).

    Raises
    ------
    DataError
        If a geometry is no line.
    """
    lines = _lines(streets)
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    node = _nodes(xy)
    first = np.r_[True, owner[1:] != owner[:-1]]
    last = np.r_[owner[1:] != owner[:-1], True]
    uses = np.bincount(node)
    inner_cut = (uses[node] > 1) & ~first & ~last
    # a vertex at which a line is cut ends one segment and begins the next: it comes twice
    repeat = np.where(inner_cut, 2, 1)
    points = np.repeat(xy, repeat, axis=0)
    segment = np.repeat(np.cumsum(first) - 1 + np.cumsum(inner_cut) - inner_cut, repeat)
    second = np.r_[False, np.diff(np.repeat(np.arange(len(xy)), repeat)) == 0]
    segment = segment + second
    street = np.zeros(segment[-1] + 1 if len(segment) else 0, np.intp)
    street[segment] = np.repeat(owner, repeat)
    cut = streets.iloc[street].reset_index(drop=True)
    cut["street"] = streets.index.to_numpy()[street]
    pieces = shapely.linestrings(points, indices=segment) if len(points) else lines
    return cut.set_geometry(gpd.GeoSeries(pieces, crs=streets.crs))


def water_on_streets(
    streets: gpd.GeoDataFrame,
    depth: Raster,
    *,
    velocity_m_s: NDArray[np.floating] | None = None,
    hazard_rating: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Worst water along each street, looked up at least every half cell.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        Lines in the raster's CRS.
    depth : Raster
        Maximum depth, m.
    velocity_m_s, hazard_rating : numpy.ndarray, shape of the raster, optional
        Maxima over the event. Depth and velocity need not peak together, so that their product is
        on the safe side.

    Returns
    -------
    pandas.DataFrame
        Index of `streets`: `depth_m`, `velocity_m_s` (where deeper than `WET_M`),
        `depth_velocity_m2_s`, `hazard_rating`, `known_share` (of the places looked up). Columns
        without a raster are 0; all are NaN where nothing is known.

    Raises
    ------
    CRSError
        If CRS differ.
    DataError
        If a geometry is no line or a grid has another shape.
    """
    if streets.crs is None or streets.crs != depth.crs:
        raise CRSError("the streets' CRS is not the raster's: reproject them with to_crs")
    for name, grid in (("velocity", velocity_m_s), ("hazard rating", hazard_rating)):
        if grid is not None and grid.shape != depth.shape:
            raise DataError(f"the {name} has shape {grid.shape}, the depth {depth.shape}")
    fine = shapely.segmentize(_lines(streets), depth.cell_size_m / 2)
    xy, owner = shapely.get_coordinates(fine, return_index=True)
    rows, columns, inside = depth.cells_at(xy[:, 0], xy[:, 1])
    h = np.where(inside, np.asarray(depth.values, np.float64)[rows, columns], np.nan)
    known = np.isfinite(h)
    owner, h, rows, columns = owner[known], h[known], rows[known], columns[known]

    def worst(values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.full(len(streets), -np.inf)
        np.maximum.at(out, owner, np.nan_to_num(values))
        return np.where(np.isneginf(out), np.nan, out)

    def at(grid: NDArray[np.floating] | None) -> NDArray[np.float64]:
        return np.zeros(len(h)) if grid is None else grid[rows, columns].astype(np.float64)

    v = np.where(h > WET_M, at(velocity_m_s), 0.0)
    looked = shapely.get_num_coordinates(fine)
    return pd.DataFrame(
        {
            "depth_m": worst(h),
            "velocity_m_s": worst(v),
            "depth_velocity_m2_s": worst(h * v),
            "hazard_rating": worst(np.where(h > WET_M, at(hazard_rating), 0.0)),
            "known_share": np.bincount(owner, minlength=len(streets)) / np.maximum(looked, 1),
        },
        index=streets.index,
    )


def streets_cut(
    water: pd.DataFrame, *, limits: Limits = LIMITS["car"], above_water: pd.Series | None = None
) -> pd.Series:
    """Which streets cannot be used.

    Parameters
    ----------
    water : pandas.DataFrame
        From `water_on_streets`.
    limits : Limits
        One of `LIMITS` or your own.
    above_water : pandas.Series of bool, optional
        Bridges and viaducts, same index: the terrain model knows the river below them only, so
        they count as open.

    Returns
    -------
    pandas.Series of bool
        `cut`, index of `water`. Streets without any known depth count as open.
    """
    cut = (
        (water["depth_m"] >= limits.depth_m)
        | (water["depth_velocity_m2_s"] >= limits.depth_velocity_m2_s)
        | (water["velocity_m_s"] >= limits.velocity_m_s)
        | (water["hazard_rating"] >= limits.hazard_rating)
    )
    if above_water is not None:
        if not above_water.index.equals(water.index):
            raise DataError("bridges and streets have different indexes: align them first")
        cut &= ~above_water.astype(bool)
    return cut.rename("cut")


def places_cut_off(
    segments: gpd.GeoDataFrame,
    cut: pd.Series,
    places: gpd.GeoDataFrame,
    *,
    within_m: float = 200.0,
) -> pd.DataFrame:
    """Places that lose their connection to the main network.

    The main network is the connected part with the greatest length, before and after the flood.
    A place stands on the street nearest to it. Detours are not measured: that is the mobility use
    case's work, which takes `segments` without those that are `cut`.

    Parameters
    ----------
    segments : geopandas.GeoDataFrame
        Lines that meet at their ends: from `split_at_junctions`.
    cut : pandas.Series of bool
        Same index.
    places : geopandas.GeoDataFrame
        Points or polygons, same CRS (schools, hospitals ...).
    within_m : float
        Places farther from any street are left out and told.

    Returns
    -------
    pandas.DataFrame
        Index of `places`: `status` ("reachable"; "street flooded": the street it stands on is cut;
        "cut off": the streets to it are; "never connected"; "no street near"), `segment` (index of
        its street) and `distance_m`.
    """
    if not cut.index.equals(segments.index):
        raise DataError("segments and their cut have different indexes: align them first")
    if segments.crs is None or segments.crs != places.crs:
        raise CRSError("places and streets have different CRS: reproject the places with to_crs")
    status = np.full(len(places), "no street near", dtype=object)
    street = np.full(len(places), -1, np.intp)
    distance = np.full(len(places), np.nan)
    if len(segments):
        lines = _lines(segments)
        open_ = ~cut.to_numpy(bool)
        before, after = _in_main(lines, np.ones(len(lines), bool)), _in_main(lines, open_)
        (who, which), away = segments.sindex.nearest(
            places.geometry, return_all=False, return_distance=True, max_distance=within_m
        )
        street[who], distance[who] = which, away
        words = np.select(
            [~before[which], ~open_[which], ~after[which]],
            ["never connected", "street flooded", "cut off"],
            "reachable",
        )
        status[who] = words
    names = pd.Series(segments.index.to_numpy()[street] if len(segments) else None, places.index)
    return pd.DataFrame(
        {"status": status, "segment": names.where(street >= 0), "distance_m": distance},
        index=places.index,
    )


def _in_main(lines: NDArray[np.object_], usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each line belongs to the longest connected part of the usable ones."""
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    node = _nodes(shapely.get_coordinates(ends)).reshape(2, -1)
    if not usable.any():
        return np.zeros(len(lines), bool)
    count = int(node.max()) + 1
    start, end = node[0, usable], node[1, usable]
    graph = sparse.coo_array((np.ones(len(start)), (start, end)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    part = label[node[0]]
    length = np.bincount(part[usable], weights=shapely.length(lines[usable]))
    return np.asarray(usable & (part == np.argmax(length)))


def _nodes(xy: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of each vertex; equal places have equal numbers."""
    if not len(xy):
        return np.zeros(0, np.intp)
    _, node = np.unique(
        np.round(xy * (1000 / _NODE_MM)).astype(np.int64), axis=0, return_inverse=True
    )
    return np.asarray(node, np.intp).ravel()


def _lines(streets: gpd.GeoDataFrame) -> NDArray[np.object_]:
    lines = np.asarray(streets.geometry.array, dtype=object)
    odd = np.flatnonzero((shapely.get_type_id(lines) != 1) | shapely.is_empty(lines))
    if odd.size:
        raise DataError(
            f"{odd.size} streets are no single lines (the first at {streets.index[odd[0]]}): "
            "use explode() and leave empty ones out"
        )
    return lines
