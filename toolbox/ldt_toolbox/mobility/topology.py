"""Streets cut where they meet: nodes at shared vertices of one level, near misses closed."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from ldt_toolbox.mobility.streets import BOTH

_GRID_M = 0.01  # vertices closer than this are one


@dataclass(frozen=True)
class Topology:
    """Streets as edges between nodes.

    Attributes
    ----------
    edges : geopandas.GeoDataFrame
        The columns of the streets, `from`, `to` (node numbers), `length_m`.
    node_xy : numpy.ndarray of float64, shape (nodes, 2)
        In the CRS of the edges.
    notes : list of tuple of (str, int, float)
        What was repaired: what, how many, metres.
    """

    edges: gpd.GeoDataFrame
    node_xy: NDArray[np.float64]
    notes: list[tuple[str, int, float]]


def cut_at_nodes(streets: gpd.GeoDataFrame, *, snap_m: float = 1.0) -> Topology:
    """Cut streets into edges that meet at nodes.

    Lines meet where they share a vertex. Where lines pass through a vertex on different levels,
    they don't meet; ends that lie there join the line of their own level, or else the nearest
    (stairs up to a bridge). Crossings without a common vertex never meet.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        From `standard_streets`.
    snap_m : float
        Dead ends that miss a street of the same level by this much or less are joined to it.
    """
    notes: list[tuple[str, int, float]] = []
    edges, xy, kept_apart = _noded(streets)
    notes.append(("vertices shared by different levels, kept apart", kept_apart, 0.0))
    edges, xy, snapped = _snapped(edges, xy, snap_m) if snap_m > 0 else (edges, xy, 0)
    notes.append((f"dead ends joined over {snap_m:g} m or less", snapped, 0.0))
    edges, count, length = _without_copies(edges)
    notes.append(("lines that lie there twice, made one", count, length))
    used, number = np.unique(edges[["from", "to"]].to_numpy(), return_inverse=True)
    number = number.reshape(-1, 2)
    edges["from"], edges["to"] = number[:, 0], number[:, 1]
    edges["length_m"] = edges.length.to_numpy()
    return Topology(edges.reset_index(drop=True), xy[used], notes)


def _noded(streets: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, NDArray[np.float64], int]:
    lines = np.asarray(streets.geometry.array, dtype=object)
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    cell = np.round(xy / _GRID_M).astype(np.int64)
    repeated = np.r_[False, (cell[1:] == cell[:-1]).all(axis=1) & (owner[1:] == owner[:-1])]
    # a line of no more than a point stays as it is: its end may be joined to others
    lone = np.bincount(owner[~repeated], minlength=len(lines)) < 2
    keep = ~repeated | lone[owner]
    xy, owner, cell = xy[keep], owner[keep], cell[keep]
    _, place = np.unique(cell, axis=0, return_inverse=True)
    place = place.ravel()
    change = owner[1:] != owner[:-1]
    first, last = np.r_[True, change], np.r_[change, True]
    end = first | last
    level = streets["level"].to_numpy()[owner]
    group, kept_apart = _groups(place, level, end)
    uses = np.bincount(group)
    inner_cut = (uses[group] > 1) & ~end
    # a vertex at which a line is cut ends one edge and begins the next: it comes twice
    twice = np.where(inner_cut, 2, 1)
    edge = np.repeat(np.cumsum(first) - 1 + np.cumsum(inner_cut) - inner_cut, twice)
    edge += np.r_[False, np.diff(np.repeat(np.arange(len(xy)), twice)) == 0]
    points, groups = np.repeat(xy, twice, axis=0), np.repeat(group, twice)
    begins = np.r_[True, edge[1:] != edge[:-1]]
    ends = np.r_[begins[1:], True]
    out = streets.iloc[np.repeat(owner, twice)[begins]].reset_index(drop=True)
    out = out.set_geometry(shapely.linestrings(points, indices=edge), crs=streets.crs)
    out["from"], out["to"] = groups[begins], groups[ends]
    where = np.zeros((len(uses), 2))
    where[group] = xy
    return out, where, kept_apart


def _groups(
    place: NDArray[np.intp], level: NDArray[np.int64], end: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], int]:
    """Node of each vertex: its place, unless lines pass through the place on several levels."""
    group = place.astype(np.int64)
    low = np.full(place.max() + 1 if len(place) else 0, np.iinfo(np.int64).max)
    high = np.full(len(low), np.iinfo(np.int64).min)
    np.minimum.at(low, place[~end], level[~end])
    np.maximum.at(high, place[~end], level[~end])
    mixed = np.flatnonzero(low < high)
    by_place = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[by_place], mixed)
    stops = np.searchsorted(place[by_place], mixed, side="right")
    more = len(low)
    for low_at, high_at in zip(starts, stops, strict=True):
        here = by_place[low_at:high_at]
        through = np.unique(level[here][~end[here]])
        nearest = np.abs(level[here][:, None] - through).argmin(axis=1)
        group[here] = np.where(nearest == 0, group[here], more + nearest - 1)
        more += len(through) - 1
    return group, len(mixed)


def _snapped(
    edges: gpd.GeoDataFrame, xy: NDArray[np.float64], snap_m: float
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64], int]:
    """Join dead ends to what lies within ``snap_m`` on the same level."""
    begin, end = edges["from"].to_numpy().copy(), edges["to"].to_numpy().copy()
    degree = np.bincount(np.r_[begin, end], minlength=len(xy))
    own = np.full(len(xy), -1)
    own[begin], own[end] = np.arange(len(edges)), np.arange(len(edges))
    dead = np.flatnonzero(degree == 1)
    lines = np.asarray(edges.geometry.array, dtype=object)
    points = np.asarray(shapely.points(xy[dead]), dtype=object)
    who, which = shapely.STRtree(lines).query(points, predicate="dwithin", distance=snap_m)
    level = edges["level"].to_numpy()
    fits = (own[dead[who]] != which) & (level[own[dead[who]]] == level[which])
    who, which = who[fits], which[fits]
    gap = shapely.distance(points[who], lines[which])
    order = np.lexsort((gap, who))
    who, which = who[order], which[order]
    nearest = np.r_[True, who[1:] != who[:-1]] if len(who) else np.zeros(0, bool)
    same = np.arange(len(xy))
    cuts: dict[int, list[tuple[float, int]]] = {}
    for i, edge in zip(dead[who[nearest]].tolist(), which[nearest].tolist(), strict=True):
        along = shapely.line_locate_point(lines[edge], shapely.Point(xy[i]))
        if along <= snap_m:
            _join(same, i, int(begin[edge]))
        elif along >= lines[edge].length - snap_m:
            _join(same, i, int(end[edge]))
        else:
            cuts.setdefault(edge, []).append((along, i))
            xy[i] = shapely.get_coordinates(shapely.line_interpolate_point(lines[edge], along))[0]
    if not nearest.any():
        return edges, xy, 0
    pieces, rows, ends = [], [], []
    for edge, line in enumerate(lines):
        stops = sorted(cuts.get(edge, ()))
        nodes = [begin[edge], *(node for _, node in stops), end[edge]]
        parts = split_line(line, [along for along, _ in stops]) if stops else [line]
        for part, a, b in zip(parts, nodes[:-1], nodes[1:], strict=True):
            u, v = _root(same, int(a)), _root(same, int(b))
            pieces.append(_with_ends(part, xy[u], xy[v]))
            rows.append(edge)
            ends.append((u, v))
    out = edges.iloc[rows].reset_index(drop=True).set_geometry(pieces, crs=edges.crs)
    out[["from", "to"]] = np.array(ends)
    return out, xy, int(nearest.sum())


def split_line(line: shapely.LineString, along_m: list[float]) -> list[shapely.LineString]:
    """Cut a line at rising distances from its start; the pieces share the cut points."""
    xy = shapely.get_coordinates(line)
    at = np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]
    stops = np.clip(np.r_[0.0, along_m, at[-1]], 0.0, at[-1])
    cut = np.column_stack([np.interp(stops, at, xy[:, k]) for k in (0, 1)])
    cut[0], cut[-1] = xy[0], xy[-1]
    pieces = []
    for i in range(len(stops) - 1):
        inner = (at > stops[i]) & (at < stops[i + 1])
        pieces.append(shapely.LineString(np.vstack([cut[i], xy[inner], cut[i + 1]])))
    return pieces


def _join(same: NDArray[np.intp], a: int, b: int) -> None:
    same[_root(same, a)] = _root(same, b)


def _root(same: NDArray[np.intp], node: int) -> int:
    while same[node] != node:
        node = int(same[node])
    return node


def _with_ends(
    line: shapely.LineString, first: NDArray[np.float64], last: NDArray[np.float64]
) -> shapely.LineString:
    xy = shapely.get_coordinates(line)
    if np.hypot(*(xy[0] - first)) < _GRID_M and np.hypot(*(xy[-1] - last)) < _GRID_M:
        return line
    xy[0], xy[-1] = first, last
    return shapely.LineString(xy)


def _without_copies(edges: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int, float]:
    """One line of those with the same course, class and level, open in the directions of all."""
    seen: dict[tuple[object, ...], int] = {}
    direction = {c: edges[c].to_numpy().copy() for c in ("direction", "direction_bike")}
    keep = np.ones(len(edges), bool)
    kinds = zip(edges["class"], edges["level"], edges["tunnel"], edges["bridge"], strict=True)
    for i, (line, kind) in enumerate(zip(edges.geometry, kinds, strict=True)):
        cells = np.round(shapely.get_coordinates(line) / _GRID_M).astype(np.int64)
        course, back = cells.tobytes(), np.ascontiguousarray(cells[::-1]).tobytes()
        key = (min(course, back), *kind)
        if key not in seen:
            seen[key] = i
            continue
        keep[i], j = False, seen[key]
        other = np.round(shapely.get_coordinates(edges.geometry.iloc[j]) / _GRID_M)
        turned = -1 if other.astype(np.int64).tobytes() != course else 1
        for values in direction.values():
            mine = turned * values[i] if abs(values[i]) == 1 else values[i]
            if mine != values[j]:
                values[j] = BOTH
    out = edges.assign(**direction)[keep].copy()
    return out, int((~keep).sum()), float(edges.length.to_numpy()[~keep].sum())
