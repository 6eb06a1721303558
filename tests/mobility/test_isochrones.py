"""Isochrones that don't lie: to the metre along the streets, nothing across walls and water."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.isochrones import isochrones, reached_parts
from ldt_toolbox.mobility.network import build_network, without_edges
from ldt_toolbox.mobility.search import reach
from street_traps import bundled, streets

M_S = 1.33
# round a harbour: 300 m out, 40 m across, 300 m back
HARBOUR = [("residential", [(0, 0), (300, 0), (300, 40), (0, 40)])]


def node_at(network, x, y):
    return int(np.hypot(*(network.node_xy - [x, y]).T).argmin())


def test_reached_to_the_metre():
    network = build_network(streets(("residential", [(0, 0), (500, 0)])))
    found = isochrones(network, [node_at(network, 0, 0)], [100, 200], buffer_m=10)
    assert found["limit_s"].tolist() == [200, 100]
    assert found["reached_m"].tolist() == pytest.approx([200 * M_S, 100 * M_S])
    # a strip 20 m wide with round ends
    length = 100 * M_S
    assert found["area_m2"].iloc[1] == pytest.approx(20 * length + np.pi * 100, rel=0.01)
    assert found.geometry.iloc[1].bounds[2] == pytest.approx(length + 10)


def test_the_other_quay_is_near_as_the_crow_flies_and_not_reached():
    network = build_network(streets(*HARBOUR))
    here = node_at(network, 0, 0)
    found = isochrones(network, [here], [200], buffer_m=15).geometry.iloc[0]
    assert found.contains(shapely.Point(200, 0))
    assert not found.intersects(shapely.Point(0, 40)), "40 m across the water, 640 m on foot"
    assert not found.intersects(shapely.Point(100, 20)), "the water itself"
    whole = isochrones(network, [here], [640 / M_S + 1], buffer_m=15).geometry.iloc[0]
    assert whole.contains(shapely.Point(0, 40))
    assert not whole.intersects(shapely.Point(100, 20)), "nothing is filled in between"


def test_an_edge_reached_from_both_ends_and_not_in_its_middle():
    """A ring of 400 m: 150 m each way leave the last 100 m."""
    ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]
    network = build_network(streets(("residential", [(-50, 0), (0, 0)]), ("residential", ring)))
    cost = np.full(network.nodes, np.inf)
    cost[node_at(network, 0, 0)] = 0.0
    lines, edge = reached_parts(network, cost, limit=150 / M_S)
    of_ring = network.edges["street"].iloc[edge] == "s1"
    assert of_ring.sum() == 2
    assert shapely.length(lines[of_ring]).tolist() == pytest.approx([150, 150])
    assert not shapely.union_all(lines).intersects(shapely.Point(100, 100).buffer(40))


def test_against_the_one_way_nothing_is_coloured():
    table = streets(
        ("residential", [(0, 0), (100, 0)]),
        ("residential", [(100, 0), (300, 0)], {"oneway": "-1"}),
        ("residential", [(0, 0), (0, 200)], {"oneway": "yes"}),
    )
    network = build_network(table, mode="bike")
    area = isochrones(network, [node_at(network, 0, 0)], [40], buffer_m=10).geometry.iloc[0]
    assert area.intersects(shapely.Point(0, 150))
    assert not area.intersects(shapely.Point(150, 0))


def test_a_closed_origin_still_is_where_it_is():
    network = build_network(streets(("residential", [(0, 0), (100, 0)])))
    shut = without_edges(network, np.ones(len(network.edges), bool))
    found = isochrones(shut, [0], [600], names=["home"])
    assert found["reached_m"].tolist() == [0]
    assert found["origin"].tolist() == ["home"]
    assert found["area_m2"].iloc[0] == pytest.approx(np.pi * 25**2, rel=0.01)


@settings(max_examples=40, deadline=None)
@given(origin=st.integers(0, 10**6), limit=st.floats(20, 900))
def test_every_coloured_place_is_within_the_time_on_real_streets(monaco, origin, limit):
    """Each metre coloured lies on an edge at the time that the search says, larger in larger."""
    node = origin % monaco.nodes
    found = reach(monaco.graph(), [node], limit=limit)
    cost = np.full(monaco.nodes, np.inf)
    cost[found.node] = found.cost
    lines, edge = reached_parts(monaco, cost, limit=limit)
    # on a ring a place has two distances from its start; rings have a test of their own
    open_ = ~shapely.is_ring(monaco.edges.geometry.to_numpy()[edge])
    lines, rows = lines[open_], monaco.edges.iloc[edge[open_]]
    along = rows.geometry.to_numpy()
    share = shapely.line_locate_point(along, shapely.get_point(lines, -1), normalized=True)
    start = shapely.line_locate_point(along, shapely.get_point(lines, 0), normalized=True)
    for at in (share, start, (share + start) / 2):
        ahead = cost[rows["from"]] + at * rows["forward_s"].to_numpy()
        back = cost[rows["to"]] + (1 - at) * rows["backward_s"].to_numpy()
        assert (np.fmin(ahead, back) <= limit + 1e-6 * limit + 0.01).all()
    small, large = isochrones(monaco, [node], [limit, 2 * limit]).geometry.iloc[::-1]
    # round ends are drawn as 32 corners: chords lie up to 25 (1 - cos 5.6°) = 0.12 m inside
    assert small.difference(large.buffer(0.13)).area < 1e-6


@pytest.fixture(scope="module")
def monaco():
    return build_network(bundled("monaco"))


def test_wrong_questions():
    network = build_network(streets(*HARBOUR))
    with pytest.raises(ParameterError, match="2 names for 1 origins"):
        isochrones(network, [0], [60], names=["a", "b"])
    with pytest.raises(ParameterError, match="positive"):
        isochrones(network, [0], [0])
    with pytest.raises(ParameterError, match="positive"):
        isochrones(network, [0], [60], buffer_m=0)
