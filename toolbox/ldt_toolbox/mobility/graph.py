"""A directed graph with costs on its arcs, in the form that the searches walk through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError


@dataclass(frozen=True)
class Graph:
    """Arcs sorted by the node that they leave, the cheapest first.

    Attributes
    ----------
    start : numpy.ndarray of int64, shape (nodes + 1,)
        The arcs of node ``u`` are ``start[u]:start[u + 1]``.
    head : numpy.ndarray of int32, shape (arcs,)
        Node that each arc leads to.
    cost : numpy.ndarray of float64, shape (arcs,)
        Metres or seconds, never negative, ascending within a node.
    edge : numpy.ndarray of int32, shape (arcs,)
        Row of the table from which the arc was made.
    """

    start: NDArray[np.int64]
    head: NDArray[np.int32]
    cost: NDArray[np.float64]
    edge: NDArray[np.int32]

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.start) - 1

    @property
    def arcs(self) -> int:
        """Number of arcs."""
        return len(self.head)

    @property
    def tail(self) -> NDArray[np.int32]:
        """Node that each arc leaves, shape (arcs,)."""
        return np.repeat(np.arange(self.nodes, dtype=np.int32), np.diff(self.start))

    def reversed(self) -> "Graph":
        """Return the graph with every arc turned round: searches then run against the traffic."""
        return build_graph(self.nodes, self.head, self.tail, self.cost, edge=self.edge)

    def components(self) -> tuple[int, NDArray[np.int32]]:
        """Count the weakly connected parts and name the part of each node.

        Returns
        -------
        tuple of (int, numpy.ndarray of int32, shape (nodes,))
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        links = csr_array(
            (np.ones(self.arcs, np.int8), self.head, self.start), shape=(self.nodes, self.nodes)
        )
        count, labels = connected_components(links, directed=True, connection="weak")
        return int(count), np.asarray(labels, np.int32)


def build_graph(
    nodes: int,
    tail: ArrayLike,
    head: ArrayLike,
    cost: ArrayLike,
    *,
    edge: ArrayLike | None = None,
    both_ways: bool = False,
) -> Graph:
    """Sort arcs into a graph.

    Parameters
    ----------
    nodes : int
        Number of nodes; arcs name them from 0.
    tail, head : array_like of int, shape (arcs,)
        Where each arc comes from and leads to.
    cost : array_like of float, shape (arcs,)
        Metres or seconds. NaN leaves the arc out: it can't be used.
    edge : array_like of int, shape (arcs,), optional
        Row of the table that each arc comes from; by default its own number.
    both_ways : bool
        Whether each arc also leads back at the same cost.

    Raises
    ------
    DataError
        If a cost is negative or infinite, or a node is out of range; names the first arc.
    """
    t, h = np.asarray(tail, np.int64), np.asarray(head, np.int64)
    c = np.asarray(cost, np.float64)
    e = np.arange(len(t), dtype=np.int32) if edge is None else np.asarray(edge, np.int32)
    if not len(t) == len(h) == len(c) == len(e):
        raise DataError(
            f"arcs of unequal number: {len(t)} tails, {len(h)} heads, {len(c)} costs, "
            f"{len(e)} edges: give one of each an arc"
        )
    _refuse(
        (t < 0) | (t >= nodes) | (h < 0) | (h >= nodes), t, h, c, f"names no node below {nodes}"
    )
    _refuse((c < 0) | np.isinf(c), t, h, c, "needs a finite cost of 0 or more, or NaN to close it")
    if both_ways:
        t, h, c, e = np.r_[t, h], np.r_[h, t], np.r_[c, c], np.r_[e, e]
    kept = ~np.isnan(c) & (t != h)
    t, h, c, e = t[kept], h[kept], c[kept], e[kept]
    order = np.lexsort((h, c, t))
    start = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(t, minlength=nodes), out=start[1:])
    return Graph(start, h[order].astype(np.int32), c[order], e[order])


def _refuse(
    wrong: NDArray[np.bool_],
    tail: NDArray[np.int64],
    head: NDArray[np.int64],
    cost: NDArray[np.float64],
    why: str,
) -> None:
    if wrong.any():
        i = int(wrong.argmax())
        raise DataError(
            f"arc {i} from node {tail[i]} to node {head[i]} at cost {cost[i]:g} {why} "
            f"({int(wrong.sum())} arcs in all)"
        )
