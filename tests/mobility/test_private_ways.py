"""Private ways: reached by those who go there, never a short cut for others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.private_ways import ways_through
from ldt_toolbox.mobility.street_rules import WALK_M_S
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from street_traps import bundled, count, streets

# a street round three sides of a square of 100 m, and what is inside
ROUND = ("residential", [(0, 0), (50, 0), (100, 0), (100, 100), (50, 100), (0, 100)])
PRIVATE = {"access": "private"}


def kept(*rows, mode="walk"):
    network = build_network(streets(ROUND, *rows), mode=mode)
    return sorted(set(network.edges["street"]) - {"s0"}), network


def test_a_drive_stays_and_a_private_short_cut_is_shut():
    for mode in ("walk", "bike", "car"):
        drive, network = kept(("service", [(50, 0), (50, 60)], PRIVATE), mode=mode)
        assert drive == ["s1"]
        assert count(network, "private ways without a way through") == 1
        through, network = kept(("service", [(50, 0), (50, 100)], PRIVATE), mode=mode)
        assert through == []
        assert network.dropped["reason"].tolist() == ["private, and a way through"]


def test_gates_in_a_row_are_judged_together():
    yard = [("service", [(50, 0), (50, 40)], PRIVATE), ("service", [(50, 40), (50, 100)], PRIVATE)]
    assert kept(*yard)[0] == []
    assert kept(*yard[:1], ("service", [(50, 40), (80, 40)], PRIVATE))[0] == ["s1", "s2"]


def test_paths_behind_the_gate_stay_with_it():
    gate = ("service", [(50, 0), (50, 40)], PRIVATE)
    garden = ("footway", [(50, 40), (50, 60), (70, 60)])
    assert kept(gate, garden)[0] == ["s1", "s2"]
    # with a public way out, the garden is reached from there and the gate is a short cut
    assert kept(gate, garden, ("footway", [(50, 60), (50, 100)]))[0] == ["s2", "s3"]
    # of two gates one stays, the longer one, at which more doors are
    low = ("footway", [(50, 40), (50, 45), (70, 45)])
    assert kept(gate, low, ("service", [(50, 45), (50, 100)], PRIVATE))[0] == ["s2", "s3"]


def test_who_may_walk_there_by_its_own_tag_passes_through():
    open_to_walkers = ("service", [(50, 0), (50, 100)], PRIVATE | {"foot": "yes"})
    assert kept(open_to_walkers)[0] == ["s1"]
    assert kept(open_to_walkers, mode="car")[0] == []
    # riders get off where a way is private for wheels only
    pushed = kept(("service", [(50, 0), (50, 100)], {"vehicle": "private"}), mode="bike")[1]
    told = pushed.edges[pushed.edges["street"] == "s1"]
    assert (told["length_m"] / told["forward_s"]).tolist() == pytest.approx([WALK_M_S])
    shut = ("service", [(50, 0), (50, 60)], {"foot": "no"})
    assert kept(shut)[0] == []


def costs(nodes, edges):
    ends = edges[["from", "to"]].to_numpy()
    least = np.full((nodes, nodes), np.inf)
    np.minimum.at(least, (ends[:, 0], ends[:, 1]), edges["length_m"].to_numpy(float))
    least[~np.isfinite(least)] = 0
    return dijkstra(csr_array(least), directed=False)


EDGE = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 30), st.booleans())


@settings(max_examples=300)
@given(st.lists(EDGE.filter(lambda e: e[0] != e[1]), min_size=1, max_size=18))
def test_no_way_between_public_places_gets_shorter(drawn):
    edges = pd.DataFrame(drawn, columns=["from", "to", "length_m", "private"])
    private = edges["private"].to_numpy(bool)
    shut = ways_through(10, edges, private)
    assert not shut[~private].any()
    without, with_them = costs(10, edges[~private]), costs(10, edges[~shut])
    public = np.unique(edges.loc[~private, ["from", "to"]].to_numpy()).astype(int)
    before = without[np.ix_(public, public)]
    joined = np.isfinite(before)
    np.testing.assert_array_equal(with_them[np.ix_(public, public)][joined], before[joined])
    # nothing that could stay was shut: those reach no public place, or the same ones twice
    for row in np.flatnonzero(shut):
        estate = {row}
        while True:
            ends = set(edges.loc[sorted(estate), ["from", "to"]].to_numpy().ravel())
            more = {r for r in np.flatnonzero(private) if {*edges.loc[r, ["from", "to"]]} & ends}
            if more == estate:
                break
            estate = more
        gates = sorted(ends & set(public))
        reached = with_them[np.ix_(gates, gates)]
        assert not gates or np.isfinite(reached[~np.eye(len(gates), dtype=bool)]).any()


def test_private_ways_of_monaco_shorten_no_walk():
    table = bundled("monaco")
    network = build_network(table)
    shut = build_network(table[table["access"].ne("private") | table["foot"].eq("yes")])
    assert network.edges["length_m"].sum() > shut.edges["length_m"].sum() + 500
    grid = {tuple(xy): i for i, xy in enumerate(network.node_xy.round(2))}
    here = [(i, grid[tuple(xy)]) for i, xy in enumerate(shut.node_xy.round(2)) if tuple(xy) in grid]
    some = np.array(here)[::40]
    assert len(some) > 50
    mine, theirs = (
        dijkstra(csr_array((g.cost, g.head, g.start), shape=(g.nodes, g.nodes)), indices=at)[:, at]
        for g, at in ((network.graph("metres"), some[:, 1]), (shut.graph("metres"), some[:, 0]))
    )
    # edges are cut elsewhere, so that sums are in another order
    np.testing.assert_allclose(mine, theirs, rtol=1e-9)
