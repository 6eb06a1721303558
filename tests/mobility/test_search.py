"""Searches against scipy, networkx and hand-made graphs."""

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.graph import build_graph
from ldt_toolbox.mobility.matrix_files import write_costs
from ldt_toolbox.mobility.search import nearest, reach, reach_in_parts, sums_within
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra


@st.composite
def graphs(draw):
    nodes = draw(st.integers(1, 30))
    arcs = draw(
        st.lists(
            st.tuples(
                st.integers(0, nodes - 1),
                st.integers(0, nodes - 1),
                # ties, zero costs and costs of very different size
                st.sampled_from([0.0, 1.0, 1.0, 2.5, 0.1, 1e-9, 40.0]) | st.floats(0, 100),
            ),
            max_size=90,
        )
    )
    tail, head, cost = (list(x) for x in zip(*arcs, strict=True)) if arcs else ([], [], [])
    return build_graph(nodes, tail, head, cost, both_ways=draw(st.booleans()))


def all_costs(graph):
    """Every pair, by scipy."""
    links = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    return dijkstra(links)


@given(graphs(), st.floats(0, 120))
@settings(deadline=None, max_examples=200)
def test_reach_equals_scipy_to_the_last_bit(graph, limit):
    truth = all_costs(graph)
    found = np.full_like(truth, np.inf)
    answer = reach(graph, limit=limit)
    for i in range(graph.nodes):
        mine = slice(answer.start[i], answer.start[i + 1])
        found[i, answer.node[mine]] = answer.cost[mine]
    np.testing.assert_array_equal(found, np.where(truth <= limit, truth, np.inf))


@given(graphs(), st.floats(0, 120), st.sampled_from([0.0, 0.02, 1.0]))
@settings(deadline=None, max_examples=100)
def test_sums_are_those_over_scipys_costs(graph, limit, decay):
    truth = all_costs(graph)
    values = np.arange(2 * graph.nodes, dtype=float).reshape(-1, 2) % 7
    weight = np.where(truth <= limit, np.exp(-decay * np.where(truth <= limit, truth, 0)), 0)
    sums = sums_within(graph, values, limit=limit, decay_per_cost=decay)
    # Sums in another order: a few units in the last place.
    np.testing.assert_allclose(sums, weight @ values, rtol=1e-12, atol=1e-12)


@given(graphs(), st.data())
@settings(deadline=None, max_examples=100)
def test_nearest_is_the_least_of_all_targets(graph, data):
    targets = data.draw(st.lists(st.integers(0, graph.nodes - 1), max_size=5))
    cost, target = nearest(graph, targets)
    truth = all_costs(graph)[:, targets].min(axis=1, initial=np.inf)
    np.testing.assert_allclose(cost, truth, rtol=1e-14)  # summed from the other end
    for node in range(graph.nodes):
        assert (target[node] in targets) == np.isfinite(truth[node])


def town(side, seed=0):
    """Streets of a town with gaps; node numbers at random."""
    rng = np.random.default_rng(seed)
    number = rng.permutation(side * side).reshape(side, side)
    tail = np.r_[number[:, :-1].ravel(), number[:-1].ravel()]
    head = np.r_[number[:, 1:].ravel(), number[1:].ravel()]
    kept = rng.random(len(tail)) < 0.85
    tail, head = tail[kept], head[kept]
    return tail, head, rng.uniform(40, 140, len(tail))


def test_a_town_equals_networkx():
    tail, head, cost = town(30)
    graph = build_graph(900, tail, head, cost, both_ways=True)
    peer = nx.Graph()
    peer.add_nodes_from(range(900))
    for u, v, w in zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True):
        peer.add_edge(u, v, weight=w)
    origins = np.arange(0, 900, 7)
    answer = reach(graph, origins, limit=900.0)
    assert len(answer.start) == len(origins) + 1
    for i, origin in enumerate(origins.tolist()):
        truth = nx.single_source_dijkstra_path_length(peer, origin, cutoff=900.0)
        mine = slice(answer.start[i], answer.start[i + 1])
        assert (
            dict(zip(answer.node[mine].tolist(), answer.cost[mine].tolist(), strict=True)) == truth
        )


def test_parts_and_threads_change_nothing():
    tail, head, cost = town(25, seed=3)
    graph = build_graph(625, tail, head, cost, both_ways=True)
    whole = reach(graph, limit=700.0)
    pieces = list(reach_in_parts(graph, limit=700.0, part=37))
    assert sum(len(origins) for origins, _ in pieces) == 625
    np.testing.assert_array_equal(np.concatenate([p.node for _, p in pieces]), whole.node)
    np.testing.assert_array_equal(np.concatenate([p.cost for _, p in pieces]), whole.cost)
    values = np.ones(625)
    alone = np.concatenate(
        [sums_within(graph, values, limit=700.0, origins=[i]) for i in range(625)]
    )
    np.testing.assert_array_equal(sums_within(graph, values, limit=700.0), alone)
    np.testing.assert_array_equal(np.diff(whole.start), alone)


def test_the_streamed_matrix_is_what_reach_finds(tmp_path):
    tail, head, cost = town(25, seed=3)
    graph = build_graph(625, tail, head, cost, both_ways=True)
    whole = reach(graph, np.arange(0, 625, 2), limit=700.0)
    path = tmp_path / "costs.parquet"
    rows = write_costs(graph, path, limit=700.0, origins=np.arange(0, 625, 2), part=37)
    table = pq.read_table(path).to_pandas()
    assert rows == len(table) == len(whole.node)
    np.testing.assert_array_equal(
        table.origin, np.repeat(np.arange(0, 625, 2), np.diff(whole.start))
    )
    np.testing.assert_array_equal(table.node, whole.node)
    np.testing.assert_array_equal(table.cost, whole.cost)
    with pytest.raises(ParameterError, match="first is 700"):
        write_costs(graph, tmp_path / "other.parquet", limit=1.0, origins=[700])
    assert [file.name for file in tmp_path.iterdir()] == ["costs.parquet"]


def test_one_way_arcs_lead_one_way_and_closed_ones_nowhere():
    graph = build_graph(3, [0, 1], [1, 2], [5.0, np.nan])
    assert reach(graph, [0], limit=10).node.tolist() == [0, 1]
    assert reach(graph, [1], limit=10).node.tolist() == [1]
    assert reach(graph.reversed(), [1], limit=10).node.tolist() == [0, 1]
    count, labels = graph.components()
    assert count == 2
    assert labels[0] == labels[1] != labels[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0], [3], [1.0]), "names no node below 3"),
        (([0], [1], [-1.0]), "0 or more"),
        (([0], [1], [np.inf]), "0 or more"),
        (([0, 1], [1], [1.0]), "2 tails, 1 heads"),
    ],
)
def test_bad_arcs_are_named(arguments, words):
    with pytest.raises(DataError, match=words):
        build_graph(3, *arguments)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: reach(g, [7], limit=1), "first is 7"),
        (lambda g: reach(g, [0], limit=np.inf), "limit is inf"),
        (lambda g: reach(g, [0], limit=-1), "limit is -1"),
        (lambda g: sums_within(g, [1.0], limit=1), "one row a node"),
        (lambda g: sums_within(g, [1.0] * 3, limit=1, decay_per_cost=-1), "0 or more"),
    ],
)
def test_bad_questions_are_named(call, words):
    with pytest.raises(ParameterError, match=words):
        call(build_graph(3, [0], [1], [1.0]))
