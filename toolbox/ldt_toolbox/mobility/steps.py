"""The steps of the mobility use case on foot and by bike: its notebook and `compute` share them."""

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility import homes as living
from ldt_toolbox.mobility.attach import attach
from ldt_toolbox.mobility.destinations import (
    amenities_by_class,
    amenities_of_buildings,
    green_gates,
    jobs_at,
    together,
    workplaces,
)
from ldt_toolbox.mobility.graph import Graph
from ldt_toolbox.mobility.homes import Homes
from ldt_toolbox.mobility.isochrones import isochrones
from ldt_toolbox.mobility.network import Network, build_network, without_edges
from ldt_toolbox.mobility.opportunities import cumulative, nearest_of_each
from ldt_toolbox.mobility.secrecy import require_enough
from ldt_toolbox.mobility.street_rules import BIKE_M_S, WALK_M_S, Mode
from ldt_toolbox.mobility.traffic_stress import traffic_stress
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.sources import Inputs

LOW_STRESS = 2


@dataclass(frozen=True)
class Site:
    """Homes, destinations and stops joined to the streets of one way of moving.

    Attributes
    ----------
    network : Network
        Cut where places join, with a connector to each.
    graph : Graph
        In seconds.
    home, spot, stop, job : numpy.ndarray of int64
        Node of each home, destination, stop and workplace; -1 where no street is near.
    """

    network: Network
    graph: Graph
    home: NDArray[np.int64]
    spot: NDArray[np.int64]
    stop: NDArray[np.int64]
    job: NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Everything that is joined to the streets.

    Attributes
    ----------
    homes : Homes
        Where ways begin.
    spots : geopandas.GeoDataFrame
        Destinations with `class`, `kind`, `name`.
    classes : tuple of str
        Classes that are counted.
    stops : geopandas.GeoDataFrame
        Stops of public transport, with `name` and `mode`.
    jobs : geopandas.GeoDataFrame
        Points with `jobs`.
    jobs_are_counted : bool
        False where each workplace on the map stands for one job.
    """

    homes: Homes
    spots: gpd.GeoDataFrame
    classes: tuple[str, ...]
    stops: gpd.GeoDataFrame
    jobs: gpd.GeoDataFrame
    jobs_are_counted: bool


def streets(inputs: Inputs, parameters: Parameters, mode: Mode = "walk") -> Network:
    """Make the street network of a way of moving, at the speed of the parameters.

    Parameters
    ----------
    inputs : Inputs
        With `streets`, and `terrain` where it is known.
    parameters : Parameters
        `walking_speed_m_s`, `cycling_speed_m_s`.
    mode : {"walk", "bike", "car"}
        Cars drive at the limits of the streets.
    """
    terrain = inputs.raster("terrain") if "terrain" in inputs else None
    network = build_network(inputs.frame("streets"), mode=mode, terrain=terrain)
    return at_speed(network, parameters)


def at_speed(network: Network, parameters: Parameters) -> Network:
    """Scale the times of a network from the default speed to that of the parameters."""
    usual = {"walk": WALK_M_S, "bike": BIKE_M_S, "car": 1.0}[network.mode]
    wanted = {
        "walk": parameters.walking_speed_m_s, "bike": parameters.cycling_speed_m_s, "car": 1.0,
    }[network.mode]  # fmt: skip
    if wanted == usual:
        return network
    factor = np.full(len(network.edges), usual / wanted)
    return replace(network, edges=network.edges.assign(**slower(network.edges, factor)))


def places(
    inputs: Inputs,
    network: Network,
    parameters: Parameters,
    *,
    stops: gpd.GeoDataFrame | None = None,
) -> Places:
    """Gather homes, destinations, stops and jobs of the territory.

    Parameters
    ----------
    inputs : Inputs
        What the territory has.
    network : Network
        Streets on foot: people live along them where no building is known.
    parameters : Parameters
        `amenity_classes`, `green_min_area_ha`, `population_total`, `fewest_people`.
    stops : geopandas.GeoDataFrame, optional
        Those of the timetable; without it those of the role `stops`.

    Raises
    ------
    ParameterError
        If a class is unknown.
    DataError
        If fewer residents are known than may be told of.
    """
    from ldt_toolbox.mobility.opportunities import AMENITY_CLASSES

    wanted = tuple(parameters.amenity_classes)
    if unknown := sorted(set(wanted) - set(AMENITY_CLASSES)):
        raise ParameterError(
            f"amenity_classes: no class {', '.join(unknown)}: use {', '.join(AMENITY_CLASSES)}"
        )
    population = inputs.frame("population") if "population" in inputs else None
    if "buildings" in inputs:
        lived_in = living.of_buildings(
            inputs.frame("buildings"), population=population,
            population_total=parameters.population_total, fewest=parameters.fewest_people,
        )  # fmt: skip
    else:
        lived_in = living.of_streets(
            network, population=population, fewest=parameters.fewest_people
        )  # fmt: skip
    require_enough(lived_in, fewest=parameters.fewest_people)
    crs = network.edges.crs
    nothing = gpd.GeoDataFrame({"class": [], "kind": [], "name": []}, geometry=[], crs=crs)
    parts = [nothing]
    jobs, counted = gpd.GeoDataFrame({"jobs": []}, geometry=[], crs=crs), "jobs" in inputs
    if "amenities" in inputs:
        parts.append(amenities_by_class(inputs.frame("amenities")))
        jobs = workplaces(inputs.frame("amenities"))
    elif "buildings" in inputs:
        parts.append(amenities_of_buildings(inputs.frame("buildings")))
    if counted:
        jobs = jobs_at(inputs.frame("jobs"))
    if "land_cover" in inputs:
        parts.append(
            green_gates(inputs.frame("land_cover"), min_area_ha=parameters.green_min_area_ha)
        )
    spots = together(parts)
    spots = spots[spots["class"].isin(wanted)].reset_index(drop=True)
    # a class of which the territory's layers say nothing at all is not held against anybody
    told = set(AMENITY_CLASSES) if "amenities" in inputs else set(spots["class"])
    halts = _stops(inputs, crs) if stops is None else stops
    return Places(
        lived_in, spots, tuple(c for c in wanted if c in told), halts, jobs, counted
    )  # fmt: skip


def _stops(inputs: Inputs, crs: object) -> gpd.GeoDataFrame:
    if "stops" not in inputs:
        return gpd.GeoDataFrame({"name": [], "mode": []}, geometry=[], crs=crs)
    found = inputs.frame("stops").reset_index(drop=True)
    return found.assign(
        name=found["name"].fillna("") if "name" in found else "",
        mode=found["mode"].fillna("bus") if "mode" in found else "bus",
    )


def join(network: Network, here: Places, parameters: Parameters) -> Site:
    """Join all places to the streets.

    Parameters
    ----------
    network : Network
        Of any mode.
    here : Places
        From `places`.
    parameters : Parameters
        `join_distance_m`.
    """
    parts = [here.homes.places.geometry, here.spots.geometry, here.stops.geometry,
             here.jobs.geometry]  # fmt: skip
    shapes = gpd.GeoSeries(np.concatenate([p.to_numpy() for p in parts]), crs=network.edges.crs)
    joined = attach(network, shapes, max_distance_m=parameters.join_distance_m)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    home, spot, stop, job = np.split(joined.places["node"].to_numpy(np.int64), ends)
    # from the door to the street everyone walks, as fast as the parameters say
    edges = joined.network.edges
    pace = np.where(edges["class"] == "connector", WALK_M_S / parameters.walking_speed_m_s, 1.0)
    joined_network = replace(joined.network, edges=edges.assign(**slower(edges, pace)))
    return Site(joined_network, joined_network.graph(), home, spot, stop, job)


def slower(edges: gpd.GeoDataFrame, factor: ArrayLike) -> pd.DataFrame:
    """Times of edges, longer by a factor for each."""
    out: pd.DataFrame = edges[["forward_s", "backward_s"]].mul(np.asarray(factor), axis=0)
    return out


def minutes(site: Site, here: Places, *, limit_min: float = 60.0) -> pd.DataFrame:
    """Minutes from each home to the nearest destination of each class.

    Returns
    -------
    pandas.DataFrame of float
        A row a home, a column a class; inf where none is reached within the limit.
    """
    if not here.classes:
        return pd.DataFrame(index=pd.RangeIndex(len(site.home)))
    member = pd.DataFrame({c: (here.spots["class"] == c).to_numpy() for c in here.classes})
    found = nearest_of_each(site.graph, site.home, site.spot, member, limit=60 * limit_min)
    return found / 60


def jobs_within(site: Site, here: Places, *, limit_min: float) -> NDArray[np.float64]:
    """Jobs, or workplaces where jobs are not known, within so many minutes of each home."""
    if not len(site.job):
        return np.zeros(len(site.home))
    amounts = here.jobs["jobs"].to_numpy(np.float64)
    return cumulative(site.graph, site.home, site.job, amounts, limit=60 * limit_min)


def metres_to_stops(site: Site, which: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Network distance from each home to the nearest of some stops, m; inf where there is none."""
    graph = site.network.graph("metres")
    member = pd.DataFrame({"stop": which})
    found = nearest_of_each(graph, site.home, site.stop, member, limit=5000.0)
    return found["stop"].to_numpy(np.float64)


def share_pct(weight: NDArray[np.float64], reached: NDArray[np.bool_]) -> float | None:
    """Share of a weight, per cent; None without any weight."""
    whole = float(weight.sum())
    return 100 * float(weight[reached].sum()) / whole if whole > 0 else None


def centre(site: Site, here: Places, parameters: Parameters) -> tuple[int, str]:
    """Node from which isochrones are drawn: the given point, else the middle of all homes.

    Raises
    ------
    ParameterError
        If the given point is far from every street.
    """
    given = list(parameters.isochrone_from)
    if given:
        point = _point(given, "isochrone_from", here)
        name = f"{given[0]:g}, {given[1]:g}"
    else:
        weight = here.homes.weight
        xy = shapely.get_coordinates(here.homes.places.geometry.representative_point().to_numpy())
        point = shapely.Point(np.average(xy, axis=0, weights=weight))
        name = "middle of all homes"
    away = np.hypot(*(site.network.node_xy - shapely.get_coordinates(point)[0]).T)
    if given and away.min() > 500:
        raise ParameterError(
            f"isochrone_from = {given}: the nearest street is {away.min():.0f} m away; give "
            "longitude and latitude of a place in the territory"
        )
    return int(away.argmin()), name


def _point(lonlat: list[float], name: str, here: Places) -> shapely.Point:
    if len(lonlat) != 2:
        raise ParameterError(f"{name} = {lonlat}: give longitude and latitude, two numbers")
    found = gpd.GeoSeries.from_xy([lonlat[0]], [lonlat[1]], crs="EPSG:4326")
    point: shapely.Point = found.to_crs(here.homes.places.crs).iloc[0]
    return point


def reachable(
    site: Site, node: int, name: str, *, minutes_limits: tuple[float, ...]
) -> gpd.GeoDataFrame:
    """Isochrones on foot from one node, `minutes` and area; larger ones first."""
    limits = [60 * m for m in minutes_limits]
    found = isochrones(site.network, [node], limits, names=[name])
    found.insert(1, "minutes", found["limit_s"] / 60)
    return found.drop(columns="limit_s")


def bike_stress(network: Network) -> gpd.GeoDataFrame:
    """Level of traffic stress of every street that bikes may use.

    Returns
    -------
    geopandas.GeoDataFrame
        `street`, `name`, `class`, `level` (1 calm to 4), `reason`, `length_m`, `speed_assumed`,
        geometry.
    """
    rated = traffic_stress(network.edges)
    table = network.edges[["street", "name", "class", "length_m", "geometry"]].join(rated)
    known = table[table["level"].notna()]
    return known.assign(level=known["level"].astype(np.int64)).reset_index(drop=True)


def calm_only(network: Network) -> Network:
    """The part of a bike network that most adults dare to use (levels 1 and 2)."""
    level = traffic_stress(network.edges)["level"]
    stressful = (level > LOW_STRESS).fillna(False).to_numpy(bool)
    return without_edges(network, stressful)
