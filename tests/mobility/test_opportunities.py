"""What one can reach: sums by hand, shared supply that neither gains nor loses any."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.graph import build_graph
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.opportunities import (
    AMENITY_CLASSES,
    classes_of,
    cumulative,
    fifteen_minute_share,
    nearest_of_each,
    two_step_floating_catchment,
)
from ldt_toolbox.mobility.shared_supply import shared_places
from monaco import Town
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from street_traps import bundled

# 0 -60s- 1 -60s- 2 -60s- 3, and back; 3 to 0 in 10 s, one way only
LINE = build_graph(4, [0, 1, 2, 1, 2, 3, 3], [1, 2, 3, 0, 1, 2, 0], [60.0] * 6 + [10.0])


def costs(graph):
    arcs = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    return dijkstra(arcs)


def test_cumulative_by_hand():
    found = cumulative(LINE, [0, 3, -1], [1, 2, 2, -1], [10, 5, 1, 99], limit=60)
    # from 0 only node 1; from 3 node 2 (60 s); node 1 lies at 70 s by way of 0
    assert found.tolist() == [10, 6, 0]
    assert cumulative(LINE, [3], [1], [10], limit=70).tolist() == [10]
    decayed = cumulative(LINE, [0], [1, 2], [10, 5], limit=120, decay_per_cost=0.01)
    assert decayed[0] == pytest.approx(10 * np.exp(-0.6) + 5 * np.exp(-1.2), rel=1e-12)


def test_nearest_of_each_by_hand():
    member = pd.DataFrame({"school": [True, True, False], "shop": [False, False, True]})
    found = nearest_of_each(LINE, [0, 3, -1], [2, 3, -1], member)
    assert found["school"].tolist() == [120, 0, np.inf]
    assert np.isinf(found["shop"]).all(), "a shop off the network is reached by nobody"
    assert np.isinf(nearest_of_each(LINE, [0], [2, 3, -1], member, limit=119)["school"][0])


def test_shared_supply_by_hand():
    """Two doctors at 1, one at 3; 10 people at 0, 20 at 2, 30 at 3; 60 s at most."""
    found = two_step_floating_catchment(LINE, [0, 2, 3], [10, 20, 30], [1, 3], [2, 1], limit=60)
    # node 1 is reached from 0 and 2; node 3 from 2 and from itself
    assert found.per_person.tolist() == [2 / 30, 1 / 50]
    np.testing.assert_allclose(found.access, [2 / 30, 2 / 30 + 1 / 50, 1 / 50], rtol=1e-14)
    assert (found.supply_served, found.supply_unused) == (3, 0)


@st.composite
def towns(draw):
    nodes = draw(st.integers(1, 12))
    node = st.integers(0, nodes - 1)
    arcs = draw(st.lists(st.tuples(node, node, st.floats(0, 100)), max_size=40))
    tail, head, cost = zip(*arcs, strict=True) if arcs else ([], [], [])
    graph = build_graph(nodes, list(tail), list(head), list(cost))
    near = st.integers(-1, nodes - 1)
    homes = draw(st.lists(st.tuples(near, st.integers(0, 500)), min_size=1, max_size=12))
    places = draw(st.lists(st.tuples(near, st.integers(0, 50)), min_size=1, max_size=8))
    return graph, homes, places


@given(towns(), st.floats(0, 150), st.sampled_from([0.0, 0.02]))
@settings(max_examples=200, deadline=None)
def test_sum_of_access_times_people_is_the_supply_that_is_reached(town, limit, decay):
    graph, homes, places = town
    home, people = (np.array(x) for x in zip(*homes, strict=True))
    place, supply = (np.array(x) for x in zip(*places, strict=True))
    found = two_step_floating_catchment(
        graph, home, people, place, supply, limit=limit, decay_per_cost=decay
    )
    assert found.access @ people == pytest.approx(found.supply_served, rel=1e-9, abs=1e-9)
    assert found.supply_served + found.supply_unused == supply.sum()
    assert (found.access[home < 0] == 0).all()
    # each by itself, with scipy's costs
    cost = costs(graph)[np.ix_(np.maximum(home, 0), np.maximum(place, 0))]
    reach = (home >= 0)[:, None] & (place >= 0) & (cost <= limit)
    weight = np.where(reach, np.exp(-decay * np.where(reach, cost, 0)), 0.0)
    demand = people @ weight
    ratio = np.divide(supply, demand, out=np.zeros(len(supply)), where=demand > 0)
    np.testing.assert_allclose(found.access, weight @ ratio, rtol=1e-9, atol=1e-12)


def test_shared_supply_on_the_streets_of_monaco():
    graph = build_network(bundled("monaco")).graph()
    rng = np.random.default_rng(0)
    home, place = rng.integers(0, graph.nodes, 1500), rng.integers(0, graph.nodes, 40)
    people, supply = rng.integers(1, 60, 1500), rng.integers(1, 30, 40)
    found = two_step_floating_catchment(graph, home, people, place, supply, limit=300)
    assert found.access @ people == pytest.approx(found.supply_served, rel=1e-12)
    assert found.supply_served > 0.9 * supply.sum()


def test_share_with_everything_near():
    cost = pd.DataFrame({"a": [100.0, 900.0, 901.0], "b": [900.0, np.inf, 10.0]})
    found = fifteen_minute_share(cost, [50, 30, 20])
    assert found.share == 0.5
    assert found.share_by_class.to_dict() == {"a": 0.8, "b": 0.7}
    assert found.classes_reached.tolist() == [2, 1, 1]


def test_each_kind_belongs_to_one_class():
    kinds = [kind for members in AMENITY_CLASSES.values() for kind in members]
    assert len(kinds) == len(set(kinds))
    table = classes_of(["school", "bakery", "bench"])
    assert table.sum(axis=1).tolist() == [1, 1, 0]
    assert table.loc[0, "education"]
    assert table.loc[1, "food"]


def test_wrong_questions():
    with pytest.raises(DataError, match="people must be 1"):
        two_step_floating_catchment(LINE, [0], [-1], [1], [1], limit=60)
    with pytest.raises(DataError, match="supply must be 1"):
        two_step_floating_catchment(LINE, [0], [1], [1], [np.nan], limit=60)
    with pytest.raises(ParameterError, match="9 is no node"):
        cumulative(LINE, [9], [1], [1], limit=60)
    with pytest.raises(DataError, match="2 amounts for 1 places"):
        cumulative(LINE, [0], [1], [1, 2], limit=60)
    with pytest.raises(ParameterError, match="no class"):
        fifteen_minute_share(pd.DataFrame(index=[0]), [1])


@pytest.fixture(scope="module")
def town():
    return Town()


def test_the_use_case_tells_how_many_share_the_places_they_reach(town):
    table = shared_places(town.site, town.places, limit_min=15, fewest=11).set_index("class")
    assert list(table.index) == list(town.places.classes)
    assert table.loc["green"].isna().all()
    weight = town.places.homes.weight
    cost = costs(town.site.graph)[np.maximum(town.site.home, 0)]
    near = (cost <= 900) & (town.site.home >= 0)[:, None]
    for name in ("health", "education"):
        node = town.site.spot[(town.places.spots["class"] == name).to_numpy()]
        reach = near[:, node] & (node >= 0)
        demand = weight @ reach
        has = 1e4 * (reach[:, demand > 0] @ (1 / demand[demand > 0]))
        order = np.argsort(has)
        run = np.cumsum(weight[order])
        for column, q in (("shared_p10", 0.1), ("shared_median", 0.5)):
            told = has[order][np.searchsorted(run, q * run[-1])]
            assert table.loc[name, column] == pytest.approx(told, abs=6e-4)


def test_places_that_few_residents_reach_do_not_tell_of_them(town):
    """Three people in all: places count as if eleven shared them."""
    few = np.zeros(len(town.site.home))
    few[np.flatnonzero(town.site.home >= 0)[:3]] = 1.0
    here = replace(town.places, homes=replace(town.places.homes, weight=few, people=True))
    table = shared_places(town.site, here, limit_min=15, fewest=11)
    known = table.dropna()
    assert len(known) == len(here.classes) - 1
    places = town.places.spots["class"].value_counts()
    for _, row in known.iterrows():
        # a whole number of places, each shared by eleven
        count = row["shared_median"] * 11 / 1e4
        assert count == pytest.approx(round(count), abs=1e-3)
        assert count <= places[row["class"]]
    bare = shared_places(town.site, here, limit_min=15, fewest=0).dropna()
    assert (bare["shared_median"] >= known["shared_median"] * 11 / 3 - 0.1).all()
