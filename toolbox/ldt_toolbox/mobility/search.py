"""Bounded shortest-path searches from many origins.

Each search keeps the nodes to visit in buckets by cost, as wide as a typical arc, instead of a
heap. Within a bucket nodes may be visited again when a cheaper way turns up, which is rare; the
costs found are those of Dijkstra's algorithm to the last bit, since both end at the least sum over
all ways. Every thread has arrays of its own, reset only where a search has been.

Source: Dial 1969, Algorithm 360 (buckets); Meyer and Sanders 2003, delta-stepping (visiting again
within a bucket).
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.graph import Graph
from ldt_toolbox.mobility.search_lanes import FEWEST, lane_groups, lane_sums

_MOST_BUCKETS = 4096
_LANE_BUCKET = 3  # typical arcs a bucket where origins share a queue: fewer, fuller buckets
_NOWHERE = np.int32(-1)


@dataclass(frozen=True)
class Reach:
    """What each origin reaches.

    Attributes
    ----------
    start : numpy.ndarray of int64, shape (origins + 1,)
        What origin ``i`` reaches is ``start[i]:start[i + 1]`` of the other two.
    node : numpy.ndarray of int32
        Nodes reached, the origin among them, ascending within an origin.
    cost : numpy.ndarray of float64
        Least cost to each, in the graph's unit.
    """

    start: NDArray[np.int64]
    node: NDArray[np.int32]
    cost: NDArray[np.float64]


@numba.njit(cache=True, nogil=True)
def _enter(first, after, before, place, node, bucket):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Put a node at the head of a bucket."""
    follower = first[bucket]
    after[node] = follower
    before[node] = -1
    if follower >= 0:
        before[follower] = node
    first[bucket] = node
    place[node] = bucket


@numba.njit(cache=True, nogil=True)
def _leave(first, after, before, place, node):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Take a node out of its bucket."""
    previous, follower = before[node], after[node]
    if previous >= 0:
        after[previous] = follower
    else:
        first[place[node]] = follower
    if follower >= 0:
        before[follower] = previous
    place[node] = -1


@numba.njit(cache=True, nogil=True)
def _search(start, head, cost, origin, limit, per_cost, least, first, after, before, place, seen):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fill ``least`` with the costs from one origin; return how many nodes ``seen`` lists."""
    least[origin] = 0.0
    seen[0] = origin
    found = 1
    _enter(first, after, before, place, origin, 0)
    for bucket in range(len(first)):
        while first[bucket] >= 0:
            u = first[bucket]
            _leave(first, after, before, place, u)
            so_far = least[u]
            for arc in range(start[u], start[u + 1]):
                total = so_far + cost[arc]
                if total > limit:
                    break  # the arcs that follow cost as much or more
                v = head[arc]
                if total < least[v]:
                    if least[v] == np.inf:
                        seen[found] = v
                        found += 1
                    least[v] = total
                    goal = int(total * per_cost)
                    if place[v] != goal:
                        if place[v] >= 0:
                            _leave(first, after, before, place, v)
                        _enter(first, after, before, place, v, goal)
    return found


@numba.njit(cache=True, nogil=True)
def _scratch(nodes, buckets):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Empty working arrays of a thread."""
    return (
        np.full(nodes, np.inf),
        np.full(buckets, -1, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.full(nodes, -1, np.int32),
        np.empty(nodes, np.int32),
    )


@numba.njit(cache=True, nogil=True)
def _sums(start, head, cost, origins, limit, per_cost, buckets, values, decay, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    least, first, after, before, place, seen = _scratch(len(start) - 1, buckets)
    for i in range(len(origins)):
        found = _search(
            start, head, cost, origins[i], limit, per_cost, least, first, after, before, place, seen
        )
        for k in range(found):
            node = seen[k]
            weight = np.exp(-decay * least[node]) if decay > 0 else 1.0
            for column in range(values.shape[1]):
                out[i, column] += weight * values[node, column]
            least[node] = np.inf


@numba.njit(cache=True, nogil=True)
def _reach(start, head, cost, origins, limit, per_cost, buckets):  # type: ignore[no-untyped-def]  # pragma: no cover
    least, first, after, before, place, seen = _scratch(len(start) - 1, buckets)
    ends = np.zeros(len(origins), np.int64)
    nodes, costs = np.empty(1024, np.int32), np.empty(1024, np.float64)
    size = 0
    for i in range(len(origins)):
        found = _search(
            start, head, cost, origins[i], limit, per_cost, least, first, after, before, place, seen
        )
        while size + found > len(nodes):
            more_nodes, more_costs = np.empty(2 * len(nodes), np.int32), np.empty(2 * len(nodes))
            more_nodes[:size], more_costs[:size] = nodes[:size], costs[:size]
            nodes, costs = more_nodes, more_costs
        reached = np.sort(seen[:found])
        for k in range(found):
            nodes[size + k] = reached[k]
            costs[size + k] = least[reached[k]]
            least[reached[k]] = np.inf
        size += found
        ends[i] = size
    return ends, nodes[:size].copy(), costs[:size].copy()


def sums_within(
    graph: Graph,
    values: ArrayLike,
    *,
    limit: float,
    origins: ArrayLike | None = None,
    decay_per_cost: float = 0.0,
) -> NDArray[np.float64]:
    """Sum up what lies within a cost of each origin: cumulative or gravity accessibility.

    Neighbouring origins are searched together (`search_lanes`), which takes 128 bytes a node and
    thread; those without wanted neighbours are searched one by one.

    Parameters
    ----------
    graph : Graph
        Searched along its arcs; ``graph.reversed()`` sums what can reach the origin.
    values : array_like of float, shape (nodes,) or (nodes, kinds)
        What there is at each node: shops, seats, people.
    limit : float
        Farthest cost that still counts, in the graph's unit.
    origins : array_like of int, shape (origins,), optional
        Nodes; by default every node.
    decay_per_cost : float
        Weight ``exp(-decay_per_cost * cost)``; 0 counts all alike.

    Returns
    -------
    numpy.ndarray of float64, shape (origins,) or (origins, kinds)

    Raises
    ------
    ParameterError
        If an origin is no node, the limit is no finite number, or the values don't fit the graph.
    """
    wanted = _origins(graph, origins)
    per_cost, buckets = _buckets(graph, limit)
    table = np.asarray(values, np.float64)
    if table.ndim not in (1, 2) or len(table) != graph.nodes:
        raise ParameterError(
            f"values of shape {table.shape} on a graph of {graph.nodes} nodes: give one row a node"
        )
    if not decay_per_cost >= 0:
        raise ParameterError(f"decay_per_cost is {decay_per_cost}: give 0 or more")
    columns = np.ascontiguousarray(table.reshape(graph.nodes, -1))
    by_node = np.zeros((graph.nodes, columns.shape[1]))
    is_wanted = np.zeros(graph.nodes, np.bool_)
    is_wanted[wanted] = True
    order, begins = lane_groups(graph.start, graph.head, is_wanted)
    together = np.flatnonzero(np.diff(begins) >= FEWEST)
    alone = order[np.repeat(np.diff(begins) < FEWEST, np.diff(begins))].astype(np.int64)
    searched_alone = np.zeros((len(alone), columns.shape[1]))
    lane_per_cost, lane_buckets = _buckets(graph, limit, arcs=_LANE_BUCKET)

    def groups(span: slice) -> None:
        lane_sums(
            graph.start, graph.head, graph.cost, order, begins[:-1][together[span]],
            begins[1:][together[span]], float(limit), lane_per_cost, lane_buckets, columns,
            float(decay_per_cost), by_node,
        )  # fmt: skip

    def part(span: slice) -> None:
        _sums(
            graph.start, graph.head, graph.cost, alone[span], float(limit), per_cost, buckets,
            columns, float(decay_per_cost), searched_alone[span],
        )  # fmt: skip

    _in_threads(groups, len(together))
    _in_threads(part, len(alone))
    by_node[alone] = searched_alone
    out = by_node[wanted]
    return out if table.ndim == 2 else out[:, 0]


def reach(graph: Graph, origins: ArrayLike | None = None, *, limit: float) -> Reach:
    """Find every node within a cost of each origin, and the least cost to it.

    Parameters
    ----------
    graph : Graph
        Searched along its arcs.
    origins : array_like of int, shape (origins,), optional
        Nodes; by default every node. The answer takes 12 bytes an origin and node reached; use
        `reach_in_parts` where that is too much.
    limit : float
        Farthest cost that still counts, in the graph's unit.

    Raises
    ------
    ParameterError
        If an origin is no node or the limit is no finite number of 0 or more.
    """
    wanted = _origins(graph, origins)
    per_cost, buckets = _buckets(graph, limit)

    def part(span: slice) -> Any:
        return _reach(
            graph.start, graph.head, graph.cost, wanted[span], float(limit), per_cost, buckets
        )

    pieces = _in_threads(part, len(wanted))
    start = np.zeros(len(wanted) + 1, np.int64)
    offset = at = 0
    for ends, _, _ in pieces:
        start[at + 1 : at + 1 + len(ends)] = ends + offset
        at, offset = at + len(ends), start[at + len(ends)]
    return Reach(
        start,
        np.concatenate([nodes for _, nodes, _ in pieces]) if pieces else np.empty(0, np.int32),
        np.concatenate([costs for _, _, costs in pieces]) if pieces else np.empty(0),
    )


def reach_in_parts(
    graph: Graph, origins: ArrayLike | None = None, *, limit: float, part: int = 2000
) -> Iterator[tuple[NDArray[np.int64], Reach]]:
    """Yield what `reach` finds, ``part`` origins at a time, so that memory stays bounded.

    Yields
    ------
    tuple of (numpy.ndarray of int64, Reach)
        The origins of this part and what they reach.
    """
    wanted = _origins(graph, origins)
    for low in range(0, len(wanted), part):
        yield wanted[low : low + part], reach(graph, wanted[low : low + part], limit=limit)


def nearest(
    graph: Graph, targets: ArrayLike, *, limit: float = np.inf
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Find the nearest target of every node, along the arcs of the graph.

    Parameters
    ----------
    graph : Graph
        From the nodes to the targets.
    targets : array_like of int
        Nodes.
    limit : float
        Farthest cost that still counts.

    Returns
    -------
    tuple of (numpy.ndarray of float64, numpy.ndarray of int32), shape (nodes,)
        Least cost (inf where there is none) and target node (-1 where there is none).
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    wanted = np.unique(_origins(graph, targets))
    if not len(wanted):
        return np.full(graph.nodes, np.inf), np.full(graph.nodes, _NOWHERE, np.int32)
    back = graph.reversed()
    links = csr_array((back.cost, back.head, back.start), shape=(back.nodes, back.nodes))
    cost, _, source = dijkstra(
        links, indices=wanted, min_only=True, return_predecessors=True, limit=limit
    )
    return cost, np.where(np.isinf(cost), _NOWHERE, source).astype(np.int32)


def _origins(graph: Graph, origins: ArrayLike | None) -> NDArray[np.int64]:
    if origins is None:
        return np.arange(graph.nodes, dtype=np.int64)
    wanted = np.asarray(origins, np.int64).reshape(-1)
    wrong = (wanted < 0) | (wanted >= graph.nodes)
    if wrong.any():
        raise ParameterError(
            f"{int(wrong.sum())} origins are no node of the graph, the first is "
            f"{wanted[wrong.argmax()]}: give numbers from 0 to {graph.nodes - 1}"
        )
    return wanted


def _buckets(graph: Graph, limit: float, *, arcs: int = 1) -> tuple[float, int]:
    """Buckets a unit of cost and their number, for some typical arcs a bucket."""
    if not 0 <= limit < np.inf:
        raise ParameterError(f"limit is {limit}: give a finite cost of 0 or more")
    typical = float(np.median(graph.cost)) if graph.arcs else 0.0
    width = max(arcs * typical, limit / (_MOST_BUCKETS - 2), np.finfo(float).tiny)
    return 1 / width, int(limit / width) + 2


def _in_threads(part: Any, count: int) -> list[Any]:
    """Call ``part`` on spans of the origins; small graphs and few origins stay on one thread."""
    workers = numba.get_num_threads()
    pieces = 1 if workers == 1 or count < 64 else 4 * workers
    edges = np.linspace(0, count, pieces + 1).astype(int)
    spans = [slice(a, b) for a, b in itertools.pairwise(edges.tolist()) if b > a]
    if len(spans) <= 1:
        return [part(span) for span in spans]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(part, spans))
