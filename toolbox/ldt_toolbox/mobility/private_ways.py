"""Private ways: who lives there or goes there uses them, nobody passes through.

Routers for people on foot either shut private ways, so that what lies behind is not reached, or let
everybody through. Here those stay that shorten no way between two public places: drives, the yards
of an estate with one gate, and public paths behind them. The others are shut on their whole length.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components


def ways_through(
    nodes: int, edges: gpd.GeoDataFrame, private: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find the private edges that would join public streets which are joined without them.

    Private edges that hang together are judged together, the longest first: they stay where each
    of the public parts that they touch is another one, and shut where two are the same, or where
    they touch none.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    edges : geopandas.GeoDataFrame
        `from`, `to`, `length_m`.
    private : numpy.ndarray of bool, shape (edges,)
        Which edges one may use with permission only.

    Returns
    -------
    numpy.ndarray of bool, shape (edges,)
        Which edges have to be shut; none that is public.
    """
    shut = np.zeros(len(edges), bool)
    if not private.any():
        return shut
    ends = edges[["from", "to"]].to_numpy()
    public = np.zeros(nodes, bool)
    public[ends[~private]] = True
    part, estate = _label(nodes, ends[~private]), _label(nodes, ends[private])
    own = np.flatnonzero(private)
    gates = pd.DataFrame({"node": np.unique(ends[own])})
    gates = gates[public[gates["node"]]]
    gates["estate"] = estate[gates["node"]]
    parts_of = {key: part[rows] for key, rows in gates.groupby("estate")["node"]}
    estate_of = estate[ends[own, 0]]
    length = pd.Series(edges["length_m"].to_numpy()[own]).groupby(estate_of).sum()
    joined = np.arange(part.max() + 1)
    for one in length.sort_values(ascending=False, kind="stable").index:
        here = joined[parts_of.get(one, np.zeros(0, np.int64))]
        if len(here) and len(np.unique(here)) == len(here):
            joined[np.isin(joined, here)] = here[0]
        else:
            shut[own[estate_of == one]] = True
    return shut


def _label(nodes: int, ends: NDArray[np.int64]) -> NDArray[np.int32]:
    links = csr_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
    return np.asarray(connected_components(links, directed=False)[1], np.int32)
