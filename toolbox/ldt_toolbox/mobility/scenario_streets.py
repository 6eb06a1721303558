"""Streets of a scenario: those that are named, those under water, those that matter most."""

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.documents import nearest
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility import steps
from ldt_toolbox.mobility.network import Network, without_edges
from ldt_toolbox.mobility.secrecy import share_told_pct
from ldt_toolbox.mobility.steps import Places, Site

UNREACHED_MIN = 60.0
_NEAR_CLOSURE_M = 2.0  # a line drawn along a street closes it


def named_streets(network: Network, names: Sequence[str]) -> list[str]:
    """Ids of streets given by name or id.

    Raises
    ------
    ParameterError
        If one is unknown; names the nearest.
    """
    edges = network.edges
    out: list[str] = []
    for name in names:
        mine = (edges["name"] == name) | (edges["street"] == name)
        if not mine.any():
            known = sorted({str(n) for n in edges["name"].dropna()})
            raise ParameterError(
                f"close_streets: no street on foot is called {name!r}: {nearest(name, known)}"
            )
        out += edges.loc[mine, "street"].unique().tolist()
    return out


def streets_under(network: Network, cut: gpd.GeoDataFrame) -> list[str]:
    """Ids of streets that touch an area, or along which a line lies."""
    given = cut.geometry.to_numpy()
    lines = shapely.get_dimensions(given) < 2
    shapes = np.where(lines, shapely.buffer(given, _NEAR_CLOSURE_M), given)
    edges = network.edges
    which, edge = edges.sindex.query(shapes, predicate="intersects")
    length = edges["length_m"].to_numpy(np.float64)[edge]
    part = shapely.length(shapely.intersection(edges.geometry.to_numpy()[edge], shapes[which]))
    # a line that only crosses a street does not close it, however short the street
    across = 2 * _NEAR_CLOSURE_M
    along = (part > 2 * across + 1) | ((part > 0.9 * length) & (0.9 * length > across))
    enough = ~lines[which] | along
    return sorted(set(edges["street"].to_numpy()[edge[enough]].tolist()))


def critical_streets(
    site: Site, here: Places, time: pd.DataFrame, *, count: int, fewest: int
) -> pd.DataFrame | None:
    """Named streets by what their closure would cost people on foot.

    Parameters
    ----------
    site, here
        Streets on foot with all places.
    time : pandas.DataFrame
        Minutes to each class today.
    count : int
        The longest streets that are compared.
    fewest : int
        Shares of fewer residents are not told (`secrecy.share_told_pct`).

    Returns
    -------
    pandas.DataFrame or None
        `street`, `length_m`, `extra_min` (mean over residents or floors and classes; places out of
        reach count as an hour), `cut_off_pct` (homes that lose a class), most costly first. None
        where no class is known.
    """
    if not here.classes:
        return None
    edges = site.network.edges
    named = edges[edges["name"].notna()]
    longest = named.groupby("name")["length_m"].sum().sort_values(ascending=False)[:count]
    weight = here.homes.weight
    today = time.clip(upper=UNREACHED_MIN).to_numpy()
    rows = []
    for name, length in longest.items():
        shut = without_streets(site, (edges["name"] == name).to_numpy(bool))
        then = steps.minutes(shut, here).clip(upper=UNREACHED_MIN).to_numpy()
        extra = np.average((then - today).mean(axis=1), weights=weight)
        lost = ((then >= UNREACHED_MIN) & (today < UNREACHED_MIN)).any(axis=1)
        rows.append(
            (
                name,
                length,
                float(extra),
                share_told_pct(here.homes, np.asarray(lost), fewest=fewest),
            )
        )
    table = pd.DataFrame(rows, columns=["street", "length_m", "extra_min", "cut_off_pct"])
    table["cut_off_pct"] = table["cut_off_pct"].astype(np.float64)
    return table.sort_values("extra_min", ascending=False, kind="stable").reset_index(drop=True)


def without_streets(site: Site, edges: NDArray[np.bool_]) -> Site:
    """Close edges of the streets; doors stay where they are."""
    network = without_edges(site.network, edges)
    return replace(site, network=network, graph=network.graph())
