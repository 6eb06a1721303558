"""Doors, stops and new paths joined to a street network."""

import itertools
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.errors import CRSError, DataError, ParameterError
from ldt_toolbox.mobility.network import Network, noted
from ldt_toolbox.mobility.street_rules import WALK_M_S
from ldt_toolbox.mobility.topology import split_line

_END_M = 0.01  # nearer to a node than this is at the node
# No door opens onto these.
_NOT_TO = ("motorway", "motorway_link", "trunk_link", "connector")


@dataclass(frozen=True)
class Attached:
    """A network with places on it.

    Attributes
    ----------
    network : Network
        Edges cut where places join, and a `connector` edge to each place that does not lie on a
        street. Nodes keep their numbers; edges don't.
    places : pandas.DataFrame
        Index of the places: `node` (-1: too far from any street) and `distance_m` (length of the
        connector; NaN if too far).
    """

    network: Network
    places: pd.DataFrame

    @property
    def near(self) -> NDArray[np.bool_]:
        """Which places are on the network."""
        return np.asarray(self.places["node"].to_numpy() >= 0)


def attach(network: Network, places: gpd.GeoSeries, *, max_distance_m: float = 100.0) -> Attached:
    """Join each place to the nearest point of the nearest street.

    The edge is cut there, times in proportion to length, and a connector leads to a node of the
    place's own, so that a way from place to place never goes through a third one. On connectors
    everyone walks, both ways. Tunnels and motorways have no doors.

    Parameters
    ----------
    network : Network
        Streets.
    places : geopandas.GeoSeries
        Points or polygons in the network's CRS. Polygons are joined from their outline; lengths
        inside a building don't count.
    max_distance_m : float
        Places farther from any street are left out and reported.

    Raises
    ------
    CRSError
        If CRS differ.
    DataError
        If a place has no geometry.
    ParameterError
        If the distance is negative.
    """
    if places.crs != network.edges.crs:
        raise CRSError("places and streets have different CRS: reproject the places with to_crs")
    if not max_distance_m >= 0:
        raise ParameterError(f"max_distance_m is {max_distance_m}: give 0 or more")
    shapes = np.asarray(places.array, dtype=object)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if empty.any():
        raise DataError(
            f"{int(empty.sum())} places have no geometry, the first is "
            f"{places.index[empty.argmax()]!r}: leave them out"
        )
    edges = network.edges
    is_open = edges[["forward_s", "backward_s"]].notna().any(axis=1)
    doors = is_open & ~edges["tunnel"] & ~edges["class"].isin(_NOT_TO)
    rows = np.flatnonzero(doors)
    lines = np.asarray(edges.geometry.array, dtype=object)[rows]
    who, which = shapely.STRtree(lines).query_nearest(
        shapes, max_distance=max(max_distance_m, 1e-9), all_matches=False
    )
    joint = shapely.shortest_line(lines[which], shapes[who])
    along = shapely.line_locate_point(lines[which], shapely.get_point(joint, 0))
    cut, node_of_cut, more_xy = _cut(network, rows[which], along)
    distance = shapely.length(joint)
    apart = distance > 0
    door = node_of_cut.copy()
    first = network.nodes + len(more_xy)
    door[apart] = first + np.arange(int(apart.sum()))
    connectors = gpd.GeoDataFrame(
        {
            "street": [f"connector of {name}" for name in places.index[who[apart]]],
            "class": "connector", "name": None, "lanes": np.nan, "one_way": False,
            "maxspeed_kmh": np.nan, "cycleway": None, "tunnel": False, "bridge": False,
            "level": edges["level"].to_numpy()[rows[which[apart]]],
            "from": node_of_cut[apart], "to": door[apart], "length_m": distance[apart],
            "forward_s": distance[apart] / WALK_M_S, "backward_s": distance[apart] / WALK_M_S,
        },
        geometry=joint[apart], crs=edges.crs,
    )  # fmt: skip
    xy = shapely.get_coordinates(shapely.get_point(joint[apart], -1))
    node, away = np.full(len(places), -1, np.int64), np.full(len(places), np.nan)
    node[who], away[who] = door, distance
    added = np.full(len(more_xy) + len(xy), np.nan)
    report = noted(network.report, "places", "attached", len(who), float(distance.sum()))
    far = len(places) - len(who)
    if far:
        what = f"farther than {max_distance_m:g} m from any street, left out"
        report = noted(report, "places", what, far, 0.0)
    joined = replace(
        network,
        edges=_stacked(cut, connectors),
        node_xy=np.vstack([network.node_xy, more_xy, xy]),
        node_elevation_m=np.r_[network.node_elevation_m, added],
        report=report,
    )
    return Attached(joined, pd.DataFrame({"node": node, "distance_m": away}, index=places.index))


def with_line(
    network: Network, line: shapely.LineString, *, join_m: float = 20.0, name: str = "new path"
) -> Network:
    """Open a path, a stair or a bridge: its two ends join the streets nearest to them.

    The new line is used at walking speed on the flat in both directions, by every mode (cars:
    `ParameterError`). It joins at its ends only; give several lines for junctions between.

    Parameters
    ----------
    network : Network
        As it is.
    line : shapely.LineString
        In the network's CRS.
    join_m : float
        How far an end may be from a street.
    name : str
        Id of the new street.

    Raises
    ------
    DataError
        If an end is farther from any street.
    """
    if network.mode == "car":
        raise ParameterError("paths are opened for mode 'walk' or 'bike', this network is for cars")
    ends = gpd.GeoSeries(
        [shapely.get_point(line, 0), shapely.get_point(line, -1)],
        index=[f"{name}, start", f"{name}, end"],
        crs=network.edges.crs,
    )
    joined = attach(network, ends, max_distance_m=join_m)
    if not joined.near.all():
        lost = joined.places.index[~joined.near][0]
        raise DataError(f"the {lost} is farther than {join_m:g} m from any street: move it")
    begin, end = joined.places["node"].to_numpy()
    seconds = line.length / WALK_M_S
    path = gpd.GeoDataFrame(
        {
            "street": [name], "class": "path", "name": name, "lanes": np.nan, "one_way": False,
            "maxspeed_kmh": np.nan, "cycleway": None, "tunnel": False, "bridge": False, "level": 0,
            "from": begin, "to": end, "length_m": line.length, "forward_s": seconds,
            "backward_s": seconds,
        },
        geometry=[line], crs=network.edges.crs,
    )  # fmt: skip
    report = noted(joined.network.report, "scenario", "opened", 1, float(line.length))
    return replace(joined.network, edges=_stacked(joined.network.edges, path), report=report)


def _cut(
    network: Network, row: NDArray[np.intp], along: NDArray[np.float64]
) -> tuple[gpd.GeoDataFrame, NDArray[np.int64], NDArray[np.float64]]:
    """Cut edges at distances from their start; give the edges, the node of each cut, new nodes."""
    edges = network.edges
    lines = np.asarray(edges.geometry.array, dtype=object)
    begin, end = edges["from"].to_numpy(), edges["to"].to_numpy()
    node = np.full(len(row), -1, np.int64)
    node[along <= _END_M] = begin[row[along <= _END_M]]
    at_end = (along >= shapely.length(lines[row]) - _END_M) & (node < 0)
    node[at_end] = end[row[at_end]]
    inner = np.flatnonzero(node < 0)
    inner = inner[np.lexsort((along[inner], row[inner]))]
    new = np.ones(len(inner), bool)
    new[1:] = (np.diff(row[inner]) != 0) | (np.diff(along[inner]) > _END_M)
    node[inner] = network.nodes + np.cumsum(new) - 1
    stops = inner[new]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(lines[row[stops]], along[stops]))
    hit, first = np.unique(row[stops], return_index=True)
    pieces, source, ends = [], [], []
    for i, edge in enumerate(hit.tolist()):
        mine = stops[first[i] : first[i + 1] if i + 1 < len(hit) else None]
        chain = [begin[edge], *node[mine], end[edge]]
        pieces += split_line(lines[edge], along[mine].tolist())
        source += [edge] * (len(mine) + 1)
        ends += list(itertools.pairwise(chain))
    whole = edges.drop(index=hit)
    if not len(hit):
        return whole, node, xy.reshape(-1, 2)
    parts = edges.iloc[source].reset_index(drop=True).set_geometry(pieces, crs=edges.crs)
    share = parts.length.to_numpy() / shapely.length(lines[source])
    parts[["from", "to"]] = np.array(ends, np.int64)
    for column in ("length_m", "forward_s", "backward_s"):
        parts[column] = parts[column].to_numpy() * share
    return _stacked(whole, parts), node, xy


def _stacked(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if not len(second):
        return first.reset_index(drop=True)
    second = second[list(first.columns)].astype(
        {c: first[c].dtype for c in first.columns if c != "geometry"}
    )
    return pd.concat([first, second], ignore_index=True)
