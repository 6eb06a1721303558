"""What one can reach: nearest, how many, shared supply, and everything within 15 minutes.

Amenities are told apart by OpenStreetMap's ``amenity``, ``shop``, ``leisure``, ``healthcare`` and
``tourism`` values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.graph import Graph
from ldt_toolbox.mobility.search import nearest, sums_within

# The functions of Moreno et al. 2021 (living, working, commerce, healthcare, education,
# entertainment) as far as a map knows them; which values count is a choice made here.
AMENITY_CLASSES: dict[str, tuple[str, ...]] = {
    "education": ("school", "kindergarten", "childcare", "college", "university"),
    "health": ("hospital", "clinic", "doctors", "doctor", "pharmacy", "dentist"),
    "food": (
        "supermarket", "convenience", "bakery", "greengrocer", "butcher", "marketplace", "deli",
        "grocery", "farm",
    ),
    "green": ("park", "garden", "playground", "nature_reserve", "dog_park"),
    "culture": (
        "library", "theatre", "cinema", "museum", "arts_centre", "community_centre", "gallery",
    ),
    "sport": (
        "sports_centre", "sports_hall", "pitch", "fitness_centre", "fitness_station",
        "swimming_pool", "stadium", "track", "swimming_area",
    ),
    "services": ("post_office", "bank", "townhall", "police", "social_facility"),
}  # fmt: skip
# Jobs are on no map. Places that employ people stand for them, one each whatever its size: a
# proxy, to be called so wherever it is shown.
JOBS_PROXY: tuple[str, ...] = (
    *AMENITY_CLASSES["education"], *AMENITY_CLASSES["health"], *AMENITY_CLASSES["food"],
    *AMENITY_CLASSES["services"], "restaurant", "cafe", "bar", "pub", "fast_food", "hotel",
    "clothes", "hairdresser", "theatre", "cinema", "museum", "library", "company", "office",
    "government", "embassy", "casino", "car", "jewelry", "fuel",
)  # fmt: skip


def classes_of(
    kinds: Sequence[str] | pd.Series,
    *,
    classes: Mapping[str, Sequence[str]] = AMENITY_CLASSES,
) -> pd.DataFrame:
    """Which amenities belong to which class.

    Parameters
    ----------
    kinds : sequence of str
        OSM value of each amenity.
    classes : mapping of str to sequence of str
        Values of each class.

    Returns
    -------
    pandas.DataFrame of bool
        A row an amenity (index of `kinds`), a column a class. A class without any amenity is all
        False: nobody can reach it, which is an answer.
    """
    values = pd.Series(kinds)
    return pd.DataFrame({name: values.isin(list(members)) for name, members in classes.items()})


def nearest_of_each(
    graph: Graph,
    origins: ArrayLike,
    places: ArrayLike,
    member: pd.DataFrame,
    *,
    limit: float = np.inf,
) -> pd.DataFrame:
    """Cost from each origin to the nearest place of each class.

    Parameters
    ----------
    graph : Graph
        From origins to places.
    origins : array_like of int
        Nodes; -1 (not on the network) reaches nothing.
    places : array_like of int, shape (places,)
        Node of each place; -1 is left out.
    member : pandas.DataFrame of bool, shape (places, classes)
        From `classes_of`.
    limit : float
        Farthest that counts, in the graph's unit.

    Returns
    -------
    pandas.DataFrame of float
        A row an origin, a column a class; inf where there is none.
    """
    start, node = _nodes(graph, origins), _nodes(graph, places)
    if len(member) != len(node):
        raise DataError(f"{len(node)} places but {len(member)} rows of classes: give one of each")
    out = {}
    for name in member.columns:
        targets = node[(node >= 0) & member[name].to_numpy(bool)]
        cost, _ = nearest(graph, targets, limit=limit)
        out[name] = np.where(start >= 0, cost[start], np.inf)
    return pd.DataFrame(out)


def cumulative(
    graph: Graph,
    origins: ArrayLike,
    places: ArrayLike,
    amounts: ArrayLike,
    *,
    limit: float,
    decay_per_cost: float = 0.0,
) -> NDArray[np.float64]:
    """Sum of what lies within a limit of each origin: ``A_i = sum_j O_j f(c_ij) [c_ij <= T]``.

    Parameters
    ----------
    graph : Graph
        From origins to places.
    origins, places : array_like of int
        Nodes; -1 reaches nothing and is not reached.
    amounts : array_like of float, shape (places,) or (places, kinds)
        What each place has to offer.
    limit : float
        Farthest that counts.
    decay_per_cost : float
        ``f = exp(-decay_per_cost c)``: gravity accessibility (Hansen 1959); 0 counts all alike.

    Returns
    -------
    numpy.ndarray of float64, shape (origins,) or (origins, kinds)
    """
    start, node = _nodes(graph, origins), _nodes(graph, places)
    offer = _at_nodes(graph, node, amounts)
    out = np.zeros((len(start), *offer.shape[1:]))
    on = start >= 0
    out[on] = sums_within(
        graph, offer, limit=limit, origins=start[on], decay_per_cost=decay_per_cost
    )
    return out


@dataclass(frozen=True)
class SharedSupply:
    """Two-step floating catchment.

    Attributes
    ----------
    access : numpy.ndarray of float64, shape (origins,)
        Supply per person at each origin; the sum of ``access * people`` is ``supply_served``.
    per_person : numpy.ndarray of float64, shape (places,)
        Supply of each place for each person in its catchment; NaN where nobody is.
    supply_served : float
        Supply of the places that have somebody in their catchment.
    supply_unused : float
        Supply of the others.
    """

    access: NDArray[np.float64]
    per_person: NDArray[np.float64]
    supply_served: float
    supply_unused: float


def two_step_floating_catchment(
    graph: Graph,
    origins: ArrayLike,
    people: ArrayLike,
    places: ArrayLike,
    supply: ArrayLike,
    *,
    limit: float,
    decay_per_cost: float = 0.0,
) -> SharedSupply:
    """Share supply (doctors, school seats, m2 of park) among those who can reach it.

    ``R_j = S_j / sum_i P_i f(c_ij)``, ``A_i = sum_j R_j f(c_ij)`` over pairs within the limit. So
    ``sum_i A_i P_i`` is the supply of all places that anyone reaches.

    Parameters
    ----------
    graph : Graph
        From people to places.
    origins : array_like of int
        Node of each group of people; -1 reaches nothing.
    people : array_like of float, shape (origins,)
        How many, 0 or more.
    places : array_like of int
        Node of each place; -1 serves nobody.
    supply : array_like of float, shape (places,)
        0 or more.
    limit : float
        Farthest that anyone goes.
    decay_per_cost : float
        ``f = exp(-decay_per_cost c)``; 0 is the method of the source.

    Raises
    ------
    DataError
        If people or supply are negative, missing or of another number than their nodes.

    Notes
    -----
    Source: Luo & Wang 2003, Environment and Planning B 30(6); with decay Luo & Qi 2009 (from
    memory).
    """
    home, node = _nodes(graph, origins), _nodes(graph, places)
    p, s = np.asarray(people, np.float64), np.asarray(supply, np.float64)
    for name, values, of in (("people", p, home), ("supply", s, node)):
        if values.shape != of.shape or not (values >= 0).all() or np.isinf(values).any():
            raise DataError(f"{name} must be {len(of)} finite numbers of 0 or more, one a node")
    on, open_ = home >= 0, node >= 0
    demand = np.zeros(len(node))
    demand[open_] = sums_within(
        graph.reversed(), _at_nodes(graph, home, p), limit=limit, origins=node[open_],
        decay_per_cost=decay_per_cost,
    )  # fmt: skip
    per_person = np.full(len(node), np.nan)
    served = demand > 0
    per_person[served] = s[served] / demand[served]
    ratio = _at_nodes(graph, np.where(served, node, -1), np.nan_to_num(per_person))
    access = np.zeros(len(home))
    access[on] = sums_within(
        graph, ratio, limit=limit, origins=home[on], decay_per_cost=decay_per_cost
    )
    return SharedSupply(access, per_person, float(s[served].sum()), float(s[~served].sum()))


@dataclass(frozen=True)
class FifteenMinutes:
    """Who has everything near.

    Attributes
    ----------
    share : float
        Share of the weight (people or floor area) with every class within the limit; NaN without
        any weight.
    share_by_class : pandas.Series of float
        Share with each class.
    classes_reached : numpy.ndarray of int, shape (origins,)
        How many classes each origin reaches.
    """

    share: float
    share_by_class: pd.Series
    classes_reached: NDArray[np.int64]


def fifteen_minute_share(
    cost: pd.DataFrame, weight: ArrayLike, *, limit: float = 900.0
) -> FifteenMinutes:
    """Share of residents or floor area with all classes of amenities within reach.

    Parameters
    ----------
    cost : pandas.DataFrame of float, shape (origins, classes)
        From `nearest_of_each`, s.
    weight : array_like of float, shape (origins,)
        People or m2 of floor. Origins off the network count in the whole, as not reaching any.
    limit : float
        Seconds.

    Notes
    -----
    Source: Moreno et al. 2021, Smart Cities 4(1), 10.3390/smartcities4010006, for the idea.
    """
    w = np.asarray(weight, np.float64)
    if w.shape != (len(cost),) or not (w >= 0).all():
        raise DataError(f"weights must be {len(cost)} numbers of 0 or more, one an origin")
    if not len(cost.columns):
        raise ParameterError("no class of amenities: give at least one column")
    near = cost.to_numpy(np.float64) <= limit
    whole = w.sum() if w.sum() > 0 else np.nan
    return FifteenMinutes(
        float(w[near.all(axis=1)].sum() / whole),
        pd.Series(w @ near / whole, index=cost.columns, name="share"),
        near.sum(axis=1).astype(np.int64),
    )


def _nodes(graph: Graph, nodes: ArrayLike) -> NDArray[np.int64]:
    wanted = np.asarray(nodes, np.int64).reshape(-1)
    wrong = (wanted < -1) | (wanted >= graph.nodes)
    if wrong.any():
        raise ParameterError(
            f"{wanted[wrong.argmax()]} is no node: give 0 to {graph.nodes - 1}, or -1 for none"
        )
    return wanted


def _at_nodes(graph: Graph, node: NDArray[np.int64], amounts: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(amounts, np.float64)
    if len(values) != len(node):
        raise DataError(f"{len(values)} amounts for {len(node)} places: give one of each")
    out = np.zeros((graph.nodes, *values.shape[1:]))
    np.add.at(out, node[node >= 0], values[node >= 0])
    return out
