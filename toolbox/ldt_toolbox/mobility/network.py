"""A clean, routable street network for one way of moving, with an account of how it came about."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.graph import Graph, build_graph
from ldt_toolbox.mobility.private_ways import ways_through
from ldt_toolbox.mobility.slope import climb
from ldt_toolbox.mobility.street_rules import Mode, usable
from ldt_toolbox.mobility.streets import BACKWARD, FORWARD, standard_streets
from ldt_toolbox.mobility.topology import cut_at_nodes
from ldt_toolbox.space.raster import Raster


@dataclass(frozen=True)
class Network:
    """Streets as edges with times, and nodes where they meet.

    Attributes
    ----------
    mode : {"walk", "bike", "car"}
        Who moves.
    edges : geopandas.GeoDataFrame
        A row an edge, index 0, 1, ...: `street` (id of the street), `class`, `name`, `lanes`,
        `one_way` (for cars), `maxspeed_kmh`, `cycleway`, `tunnel`, `bridge`, `level`, `from`, `to`
        (node numbers), `length_m`, `forward_s`, `backward_s` (NaN: closed that way), geometry in a
        CRS in metres.
    node_xy : numpy.ndarray of float64, shape (nodes, 2)
        Where the nodes are. Numbers stay the same through `without_edges`, `attach` and
        `with_line`; later nodes come behind.
    node_elevation_m : numpy.ndarray of float64, shape (nodes,)
        NaN where it is not known.
    report : pandas.DataFrame
        How the network came about: `step`, `what`, `count`, `length_m`.
    dropped : geopandas.GeoDataFrame
        Edges left out: `street`, `class`, `reason`, `length_m`, geometry.
    """

    mode: Mode
    edges: gpd.GeoDataFrame
    node_xy: NDArray[np.float64]
    node_elevation_m: NDArray[np.float64]
    report: pd.DataFrame
    dropped: gpd.GeoDataFrame

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_xy)

    def graph(self, cost: Literal["seconds", "metres"] = "seconds") -> Graph:
        """Arcs to search along; `Graph.edge` is the row of the edge."""
        e = self.edges
        ways = [e["forward_s"].to_numpy(np.float64), e["backward_s"].to_numpy(np.float64)]
        if cost == "metres":
            length = e["length_m"].to_numpy(np.float64)
            ways = [np.where(np.isnan(w), np.nan, length) for w in ways]
        elif cost != "seconds":
            raise ParameterError(f"cost is {cost!r}: give 'seconds' or 'metres'")
        begin, end = e["from"].to_numpy(), e["to"].to_numpy()
        rows = np.arange(len(e), dtype=np.int32)
        return build_graph(
            self.nodes, np.r_[begin, end], np.r_[end, begin], np.concatenate(ways),
            edge=np.r_[rows, rows],
        )  # fmt: skip

    def edges_of(self, streets: Iterable[str]) -> NDArray[np.int64]:
        """Rows of the edges that are part of the streets with these ids."""
        rows: NDArray[np.int64] = np.flatnonzero(self.edges["street"].isin(list(streets)))
        return rows


def build_network(
    streets: gpd.GeoDataFrame,
    *,
    mode: Mode = "walk",
    terrain: Raster | None = None,
    snap_m: float = 1.0,
    components: Literal["largest", "all"] = "largest",
) -> Network:
    """Make a routable network of street lines.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        Lines as `standard_streets` takes them, in the territory's CRS in metres.
    mode : {"walk", "bike", "car"}
        Who moves; rules and speeds are those of `street_rules`.
    terrain : Raster, optional
        Elevation, m, same CRS: walkers and riders then slow down by `slope.climb`. Without it all
        is flat, which the report says.
    snap_m : float
        Dead ends that miss a street by this much or less are joined to it.
    components : {"largest", "all"}
        Whether parts without connection to the longest one are left out (they stay in
        ``dropped``) or kept.

    Raises
    ------
    DataError
        If no street is open to the mode.
    """
    table, notes = standard_streets(streets)
    report = [("as it came", "streets", len(table), float(table.length.sum()))]
    report += [("tags", *n) for n in notes]
    _, _, reason = usable(table, mode, private=True)
    table = table.assign(reason=reason)
    closed = table["reason"] != ""
    if closed.all():
        raise DataError(
            f"none of the {len(table)} streets is open to the mode {mode!r}: "
            f"{table['reason'].value_counts().to_dict()}"
        )
    lost = [_left_out(table[closed].rename(columns={"id": "street"}), table["reason"][closed])]
    topology = cut_at_nodes(table[~closed].reset_index(drop=True), snap_m=snap_m)
    report += [("topology", *n) for n in topology.notes]
    edges = topology.edges.rename(columns={"id": "street"})
    edges, through, kept = _without_ways_through(edges, len(topology.node_xy), mode)
    lost.append(through)
    report += kept
    edges, elevation, steep = _timed(edges, topology.node_xy, mode, terrain)
    report += steep
    edges, xy, elevation, cut_off, parts = _kept(edges, topology.node_xy, elevation, components)
    report += parts
    lost.append(cut_off)
    dropped = pd.concat([part for part in lost if len(part)] or lost[:1], ignore_index=True)
    for why, rows in dropped.groupby("reason"):
        report.append(("left out", str(why), len(rows), float(rows["length_m"].sum())))
    report.append(("result", "edges", len(edges), float(edges["length_m"].sum())))
    report.append(("result", "nodes", len(xy), 0.0))
    account = pd.DataFrame(report, columns=["step", "what", "count", "length_m"])
    account = account[(account["count"] > 0) | account["step"].isin(("result", "terrain"))]
    return Network(mode, edges, xy, elevation, account.reset_index(drop=True), dropped)


_COLUMNS = [
    "street", "class", "name", "lanes", "one_way", "maxspeed_kmh", "cycleway", "tunnel", "bridge",
    "level", "from", "to", "length_m", "forward_s", "backward_s", "geometry",
]  # fmt: skip


def _without_ways_through(
    edges: gpd.GeoDataFrame, nodes: int, mode: Mode
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[tuple[str, str, int, float]]]:
    """Add `forward_m_s` and `backward_m_s`, and shut private ways that would be a short cut."""
    # two copies of a street, one a way, are one street by now: their speeds are those of the class
    forward, backward, closed = usable(edges, mode)
    private = closed != ""
    if private.any():
        forward[private], backward[private], _ = usable(edges[private], mode, private=True)
    edges = edges.assign(forward_m_s=forward, backward_m_s=backward)
    through = ways_through(nodes, edges, private)
    shut = _left_out(edges[through], pd.Series("private, and a way through", edges.index))
    own = edges["length_m"][private & ~through]
    notes = [("tags", "private ways without a way through, kept", len(own), float(own.sum()))]
    return edges[~through].reset_index(drop=True), shut, notes


def _timed(
    edges: gpd.GeoDataFrame, xy: NDArray[np.float64], mode: Mode, terrain: Raster | None
) -> tuple[gpd.GeoDataFrame, NDArray[np.float64], list[tuple[str, str, int, float]]]:
    elevation = np.full(len(xy), np.nan)
    length = edges["length_m"].to_numpy(np.float64)
    slow_forward = slow_backward = np.ones(len(edges))
    notes = [("terrain", "no terrain: all streets count as flat", len(edges), float(length.sum()))]
    if terrain is not None:
        found = climb(edges, xy, terrain, bike=mode == "bike")
        elevation = found.node_elevation_m
        gaps = ~found.known
        notes = [
            ("terrain", "edges in gaps of the terrain, flat there", int(gaps.sum()),
             float(length[gaps].sum())),
        ]  # fmt: skip
        if mode != "car":
            slow_forward, slow_backward = found.forward, found.backward
    edges = edges.assign(
        one_way=np.isin(edges["direction"], (FORWARD, BACKWARD)),
        forward_s=length / edges["forward_m_s"] * slow_forward,
        backward_s=length / edges["backward_m_s"] * slow_backward,
    )
    return edges[_COLUMNS], elevation, notes


def _kept(
    edges: gpd.GeoDataFrame,
    xy: NDArray[np.float64],
    elevation: NDArray[np.float64],
    components: str,
) -> tuple[
    gpd.GeoDataFrame, NDArray[np.float64], NDArray[np.float64], gpd.GeoDataFrame,
    list[tuple[str, str, int, float]],
]:  # fmt: skip
    if components not in ("largest", "all"):
        raise ParameterError(f"components is {components!r}: give 'largest' or 'all'")
    begin, end = edges["from"].to_numpy(), edges["to"].to_numpy()
    length = edges["length_m"].to_numpy(np.float64)
    count, label = _parts(len(xy), begin, end, "weak")
    by_part = np.bincount(label[begin], length, minlength=count)
    main = int(by_part.argmax())
    share = by_part[main] / by_part.sum()
    notes = [
        ("components", "parts in all", count, float(length.sum())),
        ("components", f"the longest part ({100 * share:.1f} % of the length)", 1,
         float(by_part[main])),
    ]  # fmt: skip
    inside = (label[begin] == main) if components == "largest" else np.ones(len(edges), bool)
    gone = _left_out(edges[~inside], pd.Series("no connection to the longest part", edges.index))
    kept = edges[inside].reset_index(drop=True)
    used = np.unique(kept[["from", "to"]].to_numpy())
    number = np.full(len(xy), -1)
    number[used] = np.arange(len(used))
    kept["from"], kept["to"] = number[kept["from"]], number[kept["to"]]
    ways = [kept["forward_s"].notna().to_numpy(), kept["backward_s"].notna().to_numpy()]
    tail = np.r_[kept["from"][ways[0]], kept["to"][ways[1]]]
    head = np.r_[kept["to"][ways[0]], kept["from"][ways[1]]]
    count, strong = _parts(len(used), tail, head, "strong")
    stuck = len(used) - int(np.bincount(strong, minlength=count).max())
    notes.append(("components", "nodes that one can't leave or come back to", stuck, 0.0))
    return kept, xy[used], elevation[used], gone, notes


def _parts(
    nodes: int, tail: NDArray[np.int64], head: NDArray[np.int64], kind: Literal["weak", "strong"]
) -> tuple[int, NDArray[np.int32]]:
    links = csr_array((np.ones(len(tail), np.int8), (tail, head)), shape=(nodes, nodes))
    count, label = connected_components(links, directed=True, connection=kind)
    return int(count), np.asarray(label, np.int32)


def _left_out(edges: gpd.GeoDataFrame, reason: pd.Series) -> gpd.GeoDataFrame:
    out = edges.assign(reason=reason.reindex(edges.index), length_m=edges.length)
    return out[["street", "class", "reason", "length_m", "geometry"]]


def without_edges(network: Network, closed: ArrayLike) -> Network:
    """Close edges in both directions: streets cut by a flood, works, a market.

    Nodes and edges keep their numbers, so that before and after compare row by row.

    Parameters
    ----------
    network : Network
        As it is.
    closed : array_like of bool, shape (edges,), or of int
        Mask, or rows (`Network.edges_of` finds those of a street).

    Raises
    ------
    ParameterError
        If the mask has another length or a row does not exist.
    """
    given = np.asarray(closed)
    count = len(network.edges)
    if given.dtype == bool:
        if given.shape != (count,):
            raise ParameterError(f"the mask has shape {given.shape}, there are {count} edges")
        rows = np.flatnonzero(given)
    else:
        rows = np.unique(given.astype(np.int64))
        if len(rows) and (rows[0] < 0 or rows[-1] >= count):
            raise ParameterError(f"edge {rows[-1]} does not exist: rows go from 0 to {count - 1}")
    edges = network.edges.copy()
    length = float(edges["length_m"].iloc[rows].sum())
    edges.loc[rows, ["forward_s", "backward_s"]] = np.nan
    return replace(
        network, edges=edges, report=noted(network.report, "scenario", "closed", len(rows), length)
    )


def noted(report: pd.DataFrame, step: str, what: str, count: int, length_m: float) -> pd.DataFrame:
    """Return the report with one more line."""
    line = pd.DataFrame([(step, what, count, length_m)], columns=list(report.columns))
    return pd.concat([report, line], ignore_index=True)
