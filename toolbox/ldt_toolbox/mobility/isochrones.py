"""Isochrones: where one gets to, as polygons round the stretches of street really reached."""

from collections.abc import Hashable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.search import reach
from ldt_toolbox.mobility.topology import split_line


def reached_parts(
    network: Network, cost: NDArray[np.float64], *, limit: float
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Cut out the stretches of street within a limit, to the metre.

    An edge is entered from both ends as far as its direction and the time left allow; speed along
    an edge is even.

    Parameters
    ----------
    network : Network
        Streets.
    cost : numpy.ndarray of float64, shape (nodes,)
        Least seconds to each node; inf where it is not reached.
    limit : float
        Seconds.

    Returns
    -------
    lines : numpy.ndarray of shapely.LineString
        The stretches; two of one edge if it is reached from both ends but not in between.
    edge : numpy.ndarray of int
        Row of each stretch's edge.
    """
    e = network.edges
    forward, backward = e["forward_s"].to_numpy(), e["backward_s"].to_numpy()
    first = _share(limit - cost[e["from"].to_numpy()], forward)
    second = _share(limit - cost[e["to"].to_numpy()], backward)
    lines = np.asarray(e.geometry.array, dtype=object)
    whole = first + second >= 1
    ahead, behind = ~whole & (first > 0), ~whole & (second > 0)
    parts = [
        lines[whole],
        _beginnings(lines[ahead], first[ahead]),
        _beginnings(np.asarray(shapely.reverse(lines[behind]), dtype=object), second[behind]),
    ]
    rows = [np.flatnonzero(which) for which in (whole, ahead, behind)]
    return np.concatenate(parts), np.concatenate(rows)


def isochrones(
    network: Network,
    origins: ArrayLike,
    limits_s: Sequence[float],
    *,
    buffer_m: float = 25.0,
    names: Sequence[Hashable] | None = None,
) -> gpd.GeoDataFrame:
    """Draw what is within each limit of each origin.

    The polygon is the union of strips of ``buffer_m`` on either side of the stretches reached.
    Nothing is filled in between: a park without paths, a harbour or a block wider than two strips
    stays a hole, and a bridge does not colour the river bank below.

    Parameters
    ----------
    network : Network
        Streets.
    origins : array_like of int
        Nodes.
    limits_s : sequence of float
        Seconds.
    buffer_m : float
        How far from the street still counts as reached.
    names : sequence, optional
        Name of each origin; by default its node.

    Returns
    -------
    geopandas.GeoDataFrame
        A row an origin and limit, larger limits first for drawing: `origin`, `limit_s`, `area_m2`,
        `reached_m` (length of street), geometry in the network's CRS.

    Raises
    ------
    ParameterError
        If the buffer or a limit is not positive, or names and origins differ in number.
    """
    nodes = np.asarray(origins, np.int64).reshape(-1)
    labels: Sequence[Hashable] = nodes.tolist() if names is None else names
    if len(labels) != len(nodes):
        raise ParameterError(f"{len(labels)} names for {len(nodes)} origins: give one of each")
    if not buffer_m > 0 or not all(limit > 0 for limit in limits_s) or not len(limits_s):
        raise ParameterError(
            f"buffer_m is {buffer_m} and limits_s {list(limits_s)}: give positive numbers"
        )
    found = reach(network.graph(), nodes, limit=max(limits_s))
    rows = []
    for i, name in enumerate(labels):
        cost = np.full(network.nodes, np.inf)
        mine = slice(found.start[i], found.start[i + 1])
        cost[found.node[mine]] = found.cost[mine]
        for limit in sorted(limits_s, reverse=True):
            lines, _ = reached_parts(network, cost, limit=limit)
            # an origin from which no way leads still is where it is
            at = shapely.Point(network.node_xy[nodes[i]])
            area = shapely.union_all(shapely.buffer([*lines, at], buffer_m))
            rows.append((name, limit, area.area, float(shapely.length(lines).sum()), area))
    table = pd.DataFrame(rows, columns=["origin", "limit_s", "area_m2", "reached_m", "geometry"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=network.edges.crs)


def _share(left: NDArray[np.float64], needed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of an edge that the time left is enough for; 0 where it is closed or not reached."""
    usable = np.isfinite(left) & (left >= 0) & ~np.isnan(needed)
    out = np.zeros(len(left))
    out[usable] = np.minimum(1.0, left[usable] / np.maximum(needed[usable], 1e-12))
    return out


def _beginnings(lines: NDArray[np.object_], share: NDArray[np.float64]) -> NDArray[np.object_]:
    """The first part of each line."""
    out = np.empty(len(lines), dtype=object)
    for i, (line, part) in enumerate(zip(lines, share, strict=True)):
        out[i] = split_line(line, [part * line.length])[0]
    return out
