"""Tables and numbers of the mobility use case: who reaches what, who is served least."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.mobility.equity import gini, lorenz, palma
from ldt_toolbox.mobility.homes import Homes
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.search import sums_within
from ldt_toolbox.mobility.secrecy import share_told_pct
from ldt_toolbox.mobility.steps import Places, Site, metres_to_stops

ALL = "all"
HIGH_CAPACITY = ("rail", "metro", "ferry")
MODES = ("bus", "tram", "metro", "rail", "ferry")


def weighted_quantile(
    values: NDArray[np.float64], weight: NDArray[np.float64], q: float
) -> float | None:
    """Least value that a share of the weight does not exceed; inf counts as the largest.

    Parameters
    ----------
    values, weight : numpy.ndarray, shape (places,)
        Places without weight don't count.
    q : float
        0 to 1.

    Returns
    -------
    float or None
        None without any weight.
    """
    some = weight > 0
    if not some.any():
        return None
    v, w = values[some], weight[some]
    order = np.argsort(v, kind="stable")
    reached = np.cumsum(w[order])
    return float(v[order][np.searchsorted(reached, q * reached[-1] * (1 - 1e-12))])


def number(value: float | None) -> float | None:
    """A number of a table as an indicator has it: None where there is none."""
    return None if value is None or np.isnan(value) else float(value)


def reached_weight(site: Site, here: Places, *, limit_min: float) -> NDArray[np.float64]:
    """Share of all residents or floors that each home has within so many minutes, per cent."""
    offer = np.zeros(site.graph.nodes)
    on = site.home >= 0
    np.add.at(offer, site.home[on], here.homes.weight[on])
    out = np.zeros(len(site.home))
    out[on] = sums_within(site.graph, offer, limit=60 * limit_min, origins=site.home[on])
    return np.asarray(100 * out / here.homes.weight.sum())


def class_table(
    here: Places, minutes: Mapping[str, pd.DataFrame], *, limit_min: float, fewest: int
) -> pd.DataFrame:
    """Share of the weight near each class, and near all of them.

    Parameters
    ----------
    here : Places
        Homes and destinations.
    minutes : mapping of str to pandas.DataFrame
        `walk`, `bike` and `calm_bike`: minutes to each class.
    limit_min : float
        What counts as near.
    fewest : int
        Shares of fewer residents are not told (`secrecy.share_told_pct`).

    Returns
    -------
    pandas.DataFrame
        `class`, `places`, `walk_pct`, `bike_pct`, `calm_bike_pct`, `median_min`, `p90_min` (on
        foot; NaN beyond an hour).
    """
    weight = here.homes.weight
    green = here.spots["class"] == "green"
    rows = []
    for name in (*here.classes, ALL):
        of = {
            mode: (time.max(axis=1) if name == ALL else time[name]).to_numpy()
            for mode, time in minutes.items()
        }
        mine = here.spots["class"] == name if name != ALL else pd.Series(True, here.spots.index)
        # green areas have a gate every few metres: count the areas
        count = int((mine & ~green).sum()) + here.spots.loc[mine & green, "name"].nunique()
        row = {"class": name, "places": count}
        row |= {
            f"{mode}_pct": share_told_pct(here.homes, time <= limit_min, fewest=fewest)
            for mode, time in of.items()
        }
        for label, q in (("median_min", 0.5), ("p90_min", 0.9)):
            row[label] = weighted_quantile(of["walk"], weight, q)
        rows.append(row)
    told = [f"{mode}_pct" for mode in minutes]
    return pd.DataFrame(rows).replace(np.inf, np.nan).astype(dict.fromkeys(told, np.float64))


def least_served(
    cells: gpd.GeoDataFrame, here: Places, time: pd.DataFrame, network: Network, *, count: int
) -> pd.DataFrame:
    """Cells whose farthest class takes longest, with the street nearest to them.

    Returns
    -------
    pandas.DataFrame
        `rank`, `street`, `weight`, `minutes_all` (NaN: out of reach), `farthest` (class),
        `classes_near`. Suppressed cells are left out.
    """
    shown = cells[~cells["suppressed"]]
    order = shown["minutes_all"].fillna(np.inf).sort_values(ascending=False, kind="stable").index
    worst = shown.loc[order[:count]]
    points = here.homes.places.geometry.representative_point()
    farthest = []
    for square in worst.geometry:
        inside = shapely.intersects(square, points.to_numpy()) & (here.homes.weight > 0)
        mean = np.average(
            time[inside].to_numpy(), axis=0, weights=here.homes.weight[inside]
        )  # inf stays inf
        farthest.append(time.columns[int(np.argmax(mean))])
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(worst) + 1),
            "street": _nearest_streets(worst, network),
            "weight": worst["weight"].to_numpy(),
            "minutes_all": worst["minutes_all"].to_numpy(),
            "farthest": farthest,
            "classes_near": worst["classes_near"].to_numpy(),
        }
    )


def most_changed(change: gpd.GeoDataFrame, network: Network, *, count: int) -> pd.DataFrame:
    """Cells that the scenario changes most, with the street nearest to them.

    Parameters
    ----------
    change : geopandas.GeoDataFrame
        From `scenario.change_frame`; suppressed cells are left out.
    network : Network
        Streets on foot.
    count : int
        Longest list.

    Returns
    -------
    pandas.DataFrame
        `rank`, `street`, `weight`, `extra_min` (NaN where no class is known), `near_pp`; cells
        that nothing changes are left out.
    """
    shown = change[~change["suppressed"]]
    shown = shown if "extra_min" in shown else shown.assign(extra_min=np.nan)
    by = shown["extra_min"] if shown["extra_min"].notna().any() else shown["near_pp"]
    size = by.abs().fillna(0.0)
    order = size[size > 0].sort_values(ascending=False, kind="stable").index[:count]
    most = shown.loc[order]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(most) + 1),
            "street": _nearest_streets(most, network),
            "weight": most["weight"].to_numpy(),
            "extra_min": most["extra_min"].to_numpy(np.float64),
            "near_pp": most["near_pp"].to_numpy(),
        }
    )


def _nearest_streets(cells: gpd.GeoDataFrame, network: Network) -> NDArray[np.object_]:
    """Name of the street nearest to the middle of each cell; empty where none has a name."""
    named = network.edges[network.edges["name"].notna()]
    if not len(named):
        return np.full(len(cells), "", dtype=object)
    which = named.sindex.nearest(cells.geometry.centroid, return_all=False)[1]
    return np.asarray(named["name"].to_numpy(object)[which])


def network_table(reports: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How the networks came about, one after the other.

    Parameters
    ----------
    reports : mapping of str to pandas.DataFrame
        `Network.report` by way of moving.

    Returns
    -------
    pandas.DataFrame
        `mode`, `step`, `what`, `count`, `length_m`.
    """
    parts = [report.assign(mode=mode) for mode, report in reports.items()]
    return pd.concat(parts, ignore_index=True)[["mode", "step", "what", "count", "length_m"]]


def lorenz_table(
    near_pct: NDArray[np.float64], jobs: NDArray[np.float64] | None, homes: Homes, *, fewest: int
) -> pd.DataFrame | None:
    """Lorenz curves in tenths: what the worst-off share of residents or floors has.

    Parameters
    ----------
    near_pct, jobs : numpy.ndarray, shape (homes,)
        What each home has near on foot; no jobs where none are known.
    homes : Homes
        What each home counts for.
    fewest : int
        No curve is given where a tenth counts fewer residents.

    Returns
    -------
    pandas.DataFrame or None
        `people_pct` (0, 10, ... 100), `near_pct` and `jobs_pct` (share of the whole; NaN where
        nobody has any); None where a tenth is too few.
    """
    if homes.people and homes.weight.sum() < 10 * fewest:
        return None
    share = np.linspace(0, 1, 11)
    out = {"people_pct": 100 * share}
    for name, has in (("near_pct", near_pct), ("jobs_pct", jobs)):
        out[name] = np.full(11, np.nan)
        if has is not None and has @ homes.weight > 0:
            out[name] = np.round(100 * np.interp(share, *lorenz(has, homes.weight)), 2)
    return pd.DataFrame(out)


def near_stop(
    site: Site,
    here: Places,
    *,
    stop_m: float,
    station_m: float,
    which: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Homes with a stop within a convenient walk on the street network (SDG 11.2.1).

    Parameters
    ----------
    site, here
        Streets on foot, homes and stops.
    stop_m, station_m : float
        Longest way to a stop, and to a station of rail, metro or ferry.
    which : numpy.ndarray of bool, optional
        Stops that count; all by default.
    """
    counts = np.ones(len(here.stops), bool) if which is None else which
    far = here.stops["mode"].isin(HIGH_CAPACITY).to_numpy(bool)
    return np.asarray(
        (metres_to_stops(site, counts & ~far) <= stop_m)
        | (metres_to_stops(site, counts & far) <= station_m)
    )


def mode_table(
    site: Site,
    here: Places,
    *,
    stop_m: float,
    station_m: float,
    routes: pd.DataFrame | None,
    fewest: int,
) -> pd.DataFrame:
    """Stops, routes and coverage of each mode, and of any; of few residents nothing is told."""
    rows = []
    for mode in (*MODES, ALL):
        mine = (here.stops["mode"] == mode).to_numpy(bool) | (mode == ALL)
        if not mine.any():
            continue
        near = near_stop(site, here, stop_m=stop_m, station_m=station_m, which=mine)
        limit = np.nan if mode == ALL else station_m if mode in HIGH_CAPACITY else stop_m
        rows.append(
            {
                "mode": mode, "stops": int(mine.sum()), "routes": _routes(routes, mode),
                "limit_m": limit, "covered_pct": share_told_pct(here.homes, near, fewest=fewest),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    return table.astype({"covered_pct": np.float64}) if rows else table


def _routes(routes: pd.DataFrame | None, mode: str) -> int | None:
    if routes is None or (mode != ALL and "mode" not in routes):
        return None
    return len(routes) if mode == ALL else int((routes["mode"] == mode).sum())


def spread(
    name: str, values: NDArray[np.float64], weight: NDArray[np.float64]
) -> dict[str, object]:
    """Gini, Palma and quantiles of what homes have; NaN where nobody has anything."""
    some = values @ weight > 0
    return {
        "measure": name,
        "gini": gini(values, weight) if some else np.nan,
        "palma": palma(values, weight) if some else np.nan,
        "p10": weighted_quantile(values, weight, 0.1),
        "median": weighted_quantile(values, weight, 0.5),
        "p90": weighted_quantile(values, weight, 0.9),
    }
