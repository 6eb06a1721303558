"""From one place at one moment: how long it takes to every node, on foot, by bike or by vehicle."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.attach import attach
from ldt_toolbox.mobility.graph import Graph
from ldt_toolbox.mobility.isochrones import reached_parts
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.raptor import earliest_arrivals
from ldt_toolbox.mobility.search import reach
from ldt_toolbox.mobility.timetable import Timetable

_WHOLE_M = 1e-6


@dataclass(frozen=True)
class Start:
    """A place on a network.

    Attributes
    ----------
    network : Network
        With a connector to the place; nodes of the network that was given keep their numbers.
    graph : Graph
        In seconds.
    node : int
        The place.
    """

    network: Network
    graph: Graph
    node: int


def start_at(network: Network, point: shapely.Point, *, max_distance_m: float) -> Start:
    """Join a place to the nearest street.

    Parameters
    ----------
    network : Network
        Streets.
    point : shapely.Point
        In the network's CRS.
    max_distance_m : float
        Longest way to a street.

    Raises
    ------
    ParameterError
        If every street is farther; tells how far the nearest is.
    """
    where = gpd.GeoSeries([point], crs=network.edges.crs)
    joined = attach(network, where, max_distance_m=max_distance_m)
    if not joined.near[0]:
        away = float(shapely.distance(network.edges.geometry.to_numpy(), point).min())
        raise ParameterError(
            f"the nearest street is {away:.0f} m away, farther than {max_distance_m:g} m: choose a "
            "place nearer to a street"
        )
    return Start(joined.network, joined.network.graph(), int(joined.places["node"].iloc[0]))


def seconds_from(start: Start, *, limit_s: float) -> NDArray[np.float64]:
    """Least time from a place to every node along the streets.

    Returns
    -------
    numpy.ndarray of float64, shape (nodes,)
        Seconds; inf beyond the limit.
    """
    found = reach(start.graph, [start.node], limit=limit_s)
    out = np.full(start.network.nodes, np.inf)
    out[found.node] = found.cost
    return out


def seconds_by_transit(
    start: Start,
    timetable: Timetable,
    stop_nodes: NDArray[np.int64],
    stop_rows: NDArray[np.int64],
    *,
    departure_s: int,
    limit_s: float,
    walk_s: float,
    max_transfers: int,
) -> NDArray[np.float64]:
    """Least time from a place to every node on foot or by public transport, whichever is quicker.

    Parameters
    ----------
    start : Start
        On the network on foot.
    timetable : Timetable
        Of the day.
    stop_nodes, stop_rows : numpy.ndarray of int64, shape (stops,)
        Node of each stop, -1 where no street is near, and its number in the timetable.
    departure_s : int
        When one sets out, seconds since midnight.
    limit_s : float
        Longest journey, door to door.
    walk_s : float
        Longest walk to the first stop and from the last.
    max_transfers : int
        Changes allowed.

    Returns
    -------
    numpy.ndarray of float64, shape (nodes,)
        Seconds since setting out; inf beyond the limit.
    """
    out = seconds_from(start, limit_s=limit_s)
    on = np.flatnonzero(stop_nodes >= 0)
    nodes, rows = stop_nodes[on], stop_rows[on]
    near = out[nodes] <= min(walk_s, limit_s)
    if not near.any():
        return out
    arrival = earliest_arrivals(
        timetable, rows[near], out[nodes[near]], departure_s, max_transfers=max_transfers,
        cutoff_s=int(limit_s),
    )[0, -1, rows]  # fmt: skip
    ridden = arrival.astype(np.float64) - departure_s
    got = np.flatnonzero(ridden <= limit_s)
    # each stop by itself: a later vehicle may stop nearer to the door
    away = reach(start.graph, nodes[got], limit=min(walk_s, limit_s))
    total = np.repeat(ridden[got], np.diff(away.start)) + away.cost
    np.minimum.at(out, away.node, total)
    out[out > limit_s] = np.inf
    return out


def bands(
    start: Start, seconds: NDArray[np.float64], limits_s: Sequence[float], *, buffer_m: float = 25.0
) -> gpd.GeoDataFrame:
    """Draw what is within each limit, as `isochrones` does.

    Parameters
    ----------
    start : Start
        The place.
    seconds : numpy.ndarray, shape (nodes,)
        From `seconds_from` or `seconds_by_transit`.
    limits_s : sequence of float
        Seconds.
    buffer_m : float
        How far from the street still counts as reached.

    Returns
    -------
    geopandas.GeoDataFrame
        A row a limit, smallest first: `limit_s`, `area_m2`, `reached_m` (length of street),
        geometry. Each polygon holds the smaller ones.
    """
    edges = start.network.edges
    length = edges.geometry.length.to_numpy()
    area: BaseGeometry = shapely.buffer(shapely.Point(start.network.node_xy[start.node]), buffer_m)
    drawn = np.zeros(len(edges), np.bool_)
    rows = []
    for limit in sorted(limits_s):
        lines, edge = reached_parts(start.network, seconds, limit=limit)
        long = shapely.length(lines)
        strips = shapely.buffer(lines[~drawn[edge]], buffer_m)
        area = shapely.union_all([area, *strips])
        drawn |= np.bincount(edge, long, minlength=len(edges)) >= length - _WHOLE_M
        rows.append((limit, area.area, float(long.sum()), area))
    table = pd.DataFrame(rows, columns=["limit_s", "area_m2", "reached_m", "geometry"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=edges.crs)


def nearest_places(
    seconds: NDArray[np.float64],
    spot_nodes: NDArray[np.int64],
    spots: pd.DataFrame,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Quickest place of each class.

    Parameters
    ----------
    seconds : numpy.ndarray, shape (nodes,)
        From the place where one starts; inf where it is not reached.
    spot_nodes : numpy.ndarray of int64, shape (spots,)
        Node of each destination, -1 where no street is near.
    spots : pandas.DataFrame
        Destinations with `class`, `kind`, `name`.
    classes : sequence of str
        In the order wanted.

    Returns
    -------
    pandas.DataFrame
        A row a class: `class`, `kind`, `name` (empty where none is known), `minutes` (inf where
        none is reached), `row` (of the destination, -1 where none is reached).
    """
    on = spot_nodes >= 0
    time = np.full(len(spot_nodes), np.inf)
    time[on] = seconds[spot_nodes[on]]
    rows = []
    for name in classes:
        mine = np.flatnonzero((spots["class"] == name).to_numpy())
        best = int(mine[time[mine].argmin()]) if len(mine) else -1
        if best < 0 or not np.isfinite(time[best]):
            rows.append((name, "", "", np.inf, -1))
            continue
        found = spots.iloc[best]
        said = ["" if pd.isna(found[part]) else str(found[part]) for part in ("kind", "name")]
        rows.append((name, *said, time[best] / 60, best))
    return pd.DataFrame(rows, columns=["class", "kind", "name", "minutes", "row"])
