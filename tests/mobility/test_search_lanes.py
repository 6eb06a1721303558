"""Origins searched together against the same searched one by one."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.mobility.graph import build_graph
from ldt_toolbox.mobility.search import reach, sums_within
from ldt_toolbox.mobility.search_lanes import LANES, lane_groups


def streets(nodes, seed, one_way=False):
    """A random graph that is sparse like streets, with some zero costs and dead ends."""
    rng = np.random.default_rng(seed)
    tail = rng.integers(0, nodes, 2 * nodes)
    head = np.clip(tail + rng.integers(-6, 7, 2 * nodes), 0, nodes - 1)
    cost = rng.choice([0.0, 0.1, 1.0, 17.3, 90.7], 2 * nodes) * rng.uniform(0.5, 1, 2 * nodes)
    return build_graph(nodes, tail, head, cost, both_ways=not one_way)


@given(st.integers(1, 150), st.integers(0, 10**6), st.booleans(), st.data())
@settings(deadline=None, max_examples=150)
def test_wanted_nodes_are_grouped_once(nodes, seed, one_way, data):
    graph = streets(nodes, seed, one_way)
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=nodes, max_size=nodes)))
    order, begins = lane_groups(graph.start, graph.head, wanted)
    assert sorted(order.tolist()) == np.flatnonzero(wanted).tolist()
    assert begins[0] == 0
    assert begins[-1] == len(order)
    assert ((np.diff(begins) >= 1) & (np.diff(begins) <= LANES)).all()


@given(st.integers(1, 150), st.integers(0, 10**6), st.booleans(), st.data())
@settings(deadline=None, max_examples=100)
def test_a_limit_at_a_cost_counts_as_in_the_scalar_search(nodes, seed, one_way, data):
    # a limit equal to a cost lets that node in only if the cost is equal to the last bit
    graph = streets(nodes, seed, one_way)
    far = reach(graph, limit=200.0)
    limit = float(data.draw(st.sampled_from(far.cost.tolist())))
    counts = sums_within(graph, np.ones(nodes), limit=limit)
    np.testing.assert_array_equal(counts, np.diff(reach(graph, limit=limit).start))


def test_repeated_and_few_origins_answer_in_their_order():
    graph = streets(400, 5)
    values = np.arange(800.0).reshape(400, 2)  # whole numbers: sums are exact in any order
    whole = sums_within(graph, values, limit=150.0)
    for origins in ([], [7], [9, 9, 300, 2], np.arange(399, -1, -3)):
        some = sums_within(graph, values, limit=150.0, origins=origins)
        np.testing.assert_array_equal(some, whole[np.asarray(origins, int)])


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_one_way_streets_equal_networkx(decay):
    graph = streets(300, 8, one_way=True)
    peer = nx.MultiDiGraph()
    peer.add_nodes_from(range(300))
    peer.add_weighted_edges_from(zip(graph.tail, graph.head, graph.cost, strict=True))
    values = np.random.default_rng(1).random(300)
    truth = [
        sum(
            values[node] * np.exp(-decay * cost)
            for node, cost in nx.single_source_dijkstra_path_length(peer, i, cutoff=120.0).items()
        )
        for i in range(300)
    ]
    # Sums in another order: a few units in the last place.
    mine = sums_within(graph, values, limit=120.0, decay_per_cost=decay)
    np.testing.assert_allclose(mine, truth, rtol=1e-12)
