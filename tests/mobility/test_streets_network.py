"""Street lines to a routable network: the traps of OpenStreetMap's data, one by one."""

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import pytest
from ldt_toolbox.errors import CRSError, DataError, MissingColumnError, ParameterError
from ldt_toolbox.mobility.network import build_network, without_edges
from ldt_toolbox.mobility.osm_streets import read_osm_streets
from ldt_toolbox.mobility.search import reach, sums_within
from ldt_toolbox.mobility.street_rules import BIKE_M_S, STEPS_SHARE, WALK_M_S, usable
from ldt_toolbox.mobility.streets import read_node_link, speed_kmh, standard_streets
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely import LineString, Point
from street_traps import bundled, count, streets, ways

EW = [(0, 0), (50, 0), (100, 0)]
NS = [(50, -50), (50, 0), (50, 50)]


def test_streets_meet_at_shared_vertices_only():
    joined = build_network(streets(("residential", EW), ("residential", NS)))
    assert (joined.nodes, len(joined.edges)) == (5, 4)
    crossing = build_network(
        streets(("residential", EW), ("residential", [(50, -50), (50, 50)])), components="all"
    )
    assert (crossing.nodes, len(crossing.edges)) == (4, 2)


@pytest.mark.parametrize("tags", [{"bridge": True}, {"layer": 1}, {"tunnel": "yes"}])
def test_levels_that_cross_at_a_vertex_stay_apart(tags):
    network = build_network(
        streets(("residential", EW), ("residential", NS, tags)), components="all"
    )
    assert (network.nodes, len(network.edges)) == (4, 2)
    assert count(network, "vertices shared by different levels") == 1


def test_a_bridge_joins_the_streets_at_its_heads_and_stairs_join_it_midway():
    network = build_network(
        streets(
            ("residential", [(0, 0), (10, 0)]),
            ("residential", [(10, 0), (50, 0), (90, 0)], {"bridge": True, "layer": 1}),
            ("residential", [(90, 0), (100, 0)]),
            ("steps", [(50, 20), (50, 0)], {"layer": 1}),
            ("residential", [(50, 20), (50, 40)]),
            ("residential", [(50, -40), (50, 0), (70, 5)], {"layer": 0}),
        ),
        components="all",
    )
    # the street under the bridge stands alone, everything else is connected
    count_, label = network.graph().components()
    assert count_ == 2
    assert np.bincount(label).min() == 2


def test_one_way_in_every_spelling():
    spelling = [True, False, "yes", "no", "-1", "reversible", "alternating", "['yes', 'no']", None]
    rows = [
        ("residential", [(100 * i, 0), (100 * i + 100, 0)], {"oneway": value})
        for i, value in enumerate(spelling)
    ]
    network = build_network(streets(*rows), mode="car", components="all")
    forward, both, back = [(True, False)], [(True, True)], [(False, True)]
    expected = [forward, both, forward, both, back, [], both, forward, both]
    assert [ways(network, f"s{i}") for i in range(len(spelling))] == expected
    assert network.dropped["reason"].tolist() == ["reversible lane"]
    assert count(network, "several values in a tag") == 1
    on_foot = build_network(streets(*rows))
    assert [ways(on_foot, f"s{i}") for i in range(len(spelling))] == [both] * len(spelling)


@pytest.mark.parametrize(
    "tags",
    [
        {"oneway:bicycle": "no"}, {"cycleway": "opposite_lane"}, {"oneway:bicycle": "['no']"},
        {"cycleway:left": "opposite_lane"},
    ],
)  # fmt: skip
def test_contraflow_is_for_bikes_only(tags):
    street = streets(("residential", EW, {"oneway": "yes"} | tags))
    assert ways(build_network(street, mode="bike"), "s0") == [(True, True)]
    assert ways(build_network(street, mode="car"), "s0") == [(True, False)]


def test_roundabouts_and_motorways_are_one_way_unless_told():
    network = build_network(
        streets(
            ("tertiary", [(0, 0), (10, 0), (10, 10), (0, 0)], {"junction": "roundabout"}),
            ("motorway", [(0, 0), (-50, 0)], {"oneway": None}),
            ("motorway", [(0, 0), (0, -50)], {"oneway": "no"}),
        ),
        mode="car",
    )
    assert [ways(network, f"s{i}") for i in range(3)] == [
        [(True, False)], [(True, False)], [(True, True)],
    ]  # fmt: skip


def test_who_may_go_where():
    kinds = ["footway", "steps", "motorway", "cycleway", "residential", "construction", "primary"]
    rows = [(kind, [(0, 10 * i), (100, 10 * i)]) for i, kind in enumerate(kinds)]
    rows += [
        ("footway", [(0, 100), (100, 100)], {"bicycle": "designated"}),
        ("residential", [(0, 110), (100, 110)], {"access": "private"}),
        ("residential", [(0, 120), (100, 120)], {"access": "no", "foot": "yes", "bicycle": "yes"}),
        ("primary", [(0, 130), (100, 130)], {"tunnel": True}),
        ("primary", [(0, 140), (100, 140)], {"tunnel": True, "foot": "yes"}),
    ]
    table = streets(*rows)

    def opened(mode):
        network = build_network(table, mode=mode, components="all")
        assert len(network.edges) + len(network.dropped) == len(table)
        return {int(s[1:]): 100 / t for s, t in network.edges[["street", "forward_s"]].to_numpy()}

    walk, bike, car = opened("walk"), opened("bike"), opened("car")
    assert sorted(walk) == [0, 1, 3, 4, 6, 7, 9, 11]
    assert sorted(bike) == [0, 3, 4, 6, 7, 9, 10, 11]
    assert sorted(car) == [2, 4, 6, 10, 11]
    assert walk[1] == pytest.approx(STEPS_SHARE * walk[0])
    assert bike[0] == pytest.approx(WALK_M_S)  # pushed
    assert bike[7] > 2 * bike[0]


@pytest.mark.parametrize(
    ("kind", "tags", "m_s"),
    [
        ("residential", {"bicycle": "dismount"}, WALK_M_S),
        ("residential", {"bicycle": "no"}, WALK_M_S),
        ("footway", {"bicycle": "no"}, WALK_M_S),
        ("service", {"vehicle": "no"}, WALK_M_S),
        ("service", {"vehicle": "no", "bicycle": "yes"}, BIKE_M_S),
        ("service", {"access": "no", "foot": "yes"}, WALK_M_S),
        ("service", {"access": "no", "vehicle": "yes"}, BIKE_M_S),
        ("footway", {"bicycle": "yes"}, BIKE_M_S),
        ("footway", {"foot": "no"}, None),  # who pushes walks
        ("service", {"bicycle": "no", "foot": "no"}, None),
        ("primary", {"tunnel": True, "bicycle": "no"}, None),
        ("secondary", {"bicycle": "use_sidepath"}, WALK_M_S),
        ("steps", {"bicycle": "dismount"}, None),
    ],
)
def test_bikes_are_pushed_where_only_riding_is_forbidden(kind, tags, m_s):
    one_way = {"oneway": "yes"} | tags
    table = standard_streets(streets((kind, [(0, 0), (100, 0)], one_way)))[0]
    forward, backward, reason = usable(table, "bike")
    assert forward[0] == pytest.approx(m_s if m_s else np.nan, nan_ok=True)
    # pushing is walking, also against a one-way street
    assert (backward[0] == forward[0]) == (m_s == WALK_M_S)
    assert (reason[0] == "") == (m_s is not None)


def test_access_no_of_graphs_that_lost_its_exceptions_is_not_followed():
    row = ("pedestrian", EW, {"access": "no"})
    network = build_network(streets(row))
    assert network.edges["length_m"].sum() == 100
    assert count(network, "access=no without the tags") == 1
    with pytest.raises(DataError, match="forbidden by its access tag"):
        build_network(streets(row, ("path", NS, {"access": "no", "foot": "no"})))


@pytest.mark.parametrize(
    ("tags", "lane"),
    [
        ({"cycleway": "lane"}, "lane"),
        ({"cycleway:both": "track"}, "track"),
        ({"cycleway": "no", "cycleway:right": "lane"}, None),
        ({"cycleway:right": "lane"}, None),
        ({"cycleway:right": "lane", "oneway": "yes"}, "lane"),
        ({"cycleway:left": "lane", "oneway": "yes"}, "lane"),
        ({"cycleway:left": "opposite_lane", "oneway": "yes"}, None),
        ({"cycleway:left": "lane", "oneway": "yes", "oneway:bicycle": "no"}, None),
        ({"cycleway:left": "lane", "cycleway:right": "track"}, "lane"),
        ({"cycleway:left": "shared_lane", "cycleway:right": "track"}, "shared_lane"),
        ({"cycleway:both": "no"}, None),
        ({"bicycle": "use_sidepath"}, "separate"),
        ({"cycleway:left": "", "cycleway:right": np.nan}, None),
    ],
)
def test_a_lane_counts_where_every_direction_has_it(tags, lane):
    assert standard_streets(streets(("tertiary", EW, tags)))[0]["cycleway"].tolist() == [lane]


def test_dead_ends_that_nearly_meet_are_joined_and_no_others():
    table = streets(
        ("residential", [(0, 0), (100, 0)]),
        ("footway", [(30, 0.6), (30, 40)]),  # misses the middle of the street
        ("footway", [(99.8, 0.5), (140, 40)]),  # misses its end
        ("footway", [(60, 1.5), (60, 40)]),  # too far
        ("footway", [(80, 0.5), (80, 40)], {"layer": 1}),  # above
    )
    network = build_network(table, components="all")
    assert count(network, "dead ends joined over 1 m") == 3  # two of them face each other
    parts, label = network.graph().components()
    assert parts == 3
    assert np.bincount(label).max() == 5
    assert network.edges.length.to_numpy() == pytest.approx(network.edges["length_m"].to_numpy())
    assert build_network(table, components="all", snap_m=0).graph().components()[0] == 5


def test_two_dead_ends_facing_each_other_become_one_node():
    network = build_network(streets(("path", [(0, 0), (10, 0)]), ("path", [(10.5, 0), (20, 0)])))
    assert (network.nodes, len(network.edges)) == (3, 2)
    assert network.edges["length_m"].sum() == pytest.approx(20, abs=1e-9)


def test_ways_drawn_twice_become_one_open_to_both():
    table = streets(
        ("residential", EW, {"oneway": "yes"}),
        ("residential", EW[::-1], {"oneway": "yes"}),
        ("residential", EW, {"oneway": "yes"}),
    )
    network = build_network(table, mode="car")
    assert len(network.edges) == 2  # cut in the middle, where three lines had a vertex
    assert ways(network, "s0") == [(True, True), (True, True)]
    assert count(network, "lines that lie there twice") == 4
    same = build_network(table.iloc[[0, 2]], mode="car")
    assert ways(same, "s0") == [(True, False), (True, False)]


def test_loops_and_lines_without_length():
    ring = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    table = streets(("residential", ring), ("residential", [(0, 0), (-50, 0), (-50, 0)]))
    table.loc[2] = ["dot", "residential", LineString([(5, 5), (5, 5)])]
    network = build_network(table)
    assert (network.nodes, len(network.edges)) == (2, 2)
    assert network.edges["length_m"].sum() == pytest.approx(90)
    assert count(network, "rows without a line") == 1


def test_parts_without_connection_are_told_and_kept_on_demand():
    table = streets(("path", EW), ("path", [(0, 500), (10, 500)]))
    network = build_network(table)
    assert network.dropped[["street", "reason"]].to_numpy().tolist() == [
        ["s1", "no connection to the longest part"]
    ]
    assert network.report["what"].str.contains("90.9 % of the length").any()
    assert len(build_network(table, components="all").edges) == 2


def test_length_is_accounted_for_on_the_bundled_territories():
    for name in ("monaco", "helsinki-centre", "andorra-la-vella", "east-london"):
        table = bundled(name)
        for mode in ("walk", "bike", "car"):
            network = build_network(table, mode=mode, snap_m=0)
            twice = network.report.loc[network.report["what"].str.contains("twice"), "length_m"]
            kept = network.edges["length_m"].sum() + network.dropped["length_m"].sum()
            assert kept + twice.sum() == pytest.approx(table.length.sum(), rel=1e-9)
            why = network.dropped["reason"] != "no connection to the longest part"
            opened = table.length.sum() - twice.sum() - network.dropped["length_m"][why].sum()
            share = network.edges["length_m"].sum() / opened
            assert 0.9 < share <= 1


@pytest.mark.parametrize("name", ["monaco", "helsinki-centre", "andorra-la-vella", "east-london"])
def test_searches_on_bundled_streets_equal_scipy_and_networkx(name):
    network = build_network(bundled(name), mode="bike")
    graph = network.graph()
    peer = nx.MultiDiGraph()
    e = network.edges
    for u, v, there, back in e[["from", "to", "forward_s", "backward_s"]].to_numpy().tolist():
        peer.add_edges_from([(u, v, {"weight": there})] if there == there else [])
        peer.add_edges_from([(v, u, {"weight": back})] if back == back else [])
    limit = 180.0
    links = csr_array((graph.cost, graph.head, graph.start), shape=(graph.nodes, graph.nodes))
    truth = dijkstra(links, limit=limit)
    values = np.arange(graph.nodes) % 5
    np.testing.assert_allclose(
        sums_within(graph, values, limit=limit), np.isfinite(truth) @ values, rtol=1e-12
    )
    found = reach(graph, limit=limit)
    for origin in range(0, graph.nodes, 97):
        mine = slice(found.start[origin], found.start[origin + 1])
        np.testing.assert_array_equal(found.cost[mine], truth[origin][found.node[mine]])
        theirs = nx.single_source_dijkstra_path_length(peer, origin, cutoff=limit)
        got = dict(zip(found.node[mine].tolist(), found.cost[mine].tolist(), strict=True))
        assert got == theirs


def test_closed_edges_keep_the_numbers():
    network = build_network(streets(("path", EW), ("path", NS)))
    row = network.edges_of(["s0"])[:1]
    closed = without_edges(network, row)
    assert len(closed.edges) == len(network.edges)
    assert closed.graph().arcs == network.graph().arcs - 2
    mask = np.zeros(len(network.edges), bool)
    mask[row] = True
    assert without_edges(network, mask).graph().arcs == closed.graph().arcs
    assert closed.report["what"].iloc[-1] == "closed"
    with pytest.raises(ParameterError, match="edge 99 does not exist"):
        without_edges(network, [99])
    with pytest.raises(ParameterError, match="shape"):
        without_edges(network, [True])


def test_an_extract_with_tags_and_a_missing_node(tmp_path):
    path = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for i in range(4):
            writer.add_node(osmium.osm.mutable.Node(id=i + 1, location=(7.42 + i / 1000, 43.73)))
        tags = {"highway": "residential", "oneway": "-1", "maxspeed": "30 mph"}
        writer.add_way(osmium.osm.mutable.Way(id=7, nodes=[1, 2, 3], tags=tags))
        square = {"highway": "pedestrian", "area": "yes"}
        writer.add_way(osmium.osm.mutable.Way(id=8, nodes=[1, 2, 3, 1], tags=square))
        cut = {"highway": "path", "bicycle": "no"}
        writer.add_way(osmium.osm.mutable.Way(id=9, nodes=[1, 2, 99, 3, 4], tags=cut))
        writer.add_way(osmium.osm.mutable.Way(id=10, nodes=[1, 4], tags={"building": "yes"}))
    table = read_osm_streets(path, crs="EPSG:32632")
    assert table["id"].tolist() == ["w7", "w9-1", "w9-2"]
    assert table.attrs["cut_ways"] == 1
    assert table.crs.to_epsg() == 32632
    network = build_network(table, mode="car")
    assert ways(network, "w7") == [(False, True)]
    seconds = network.edges["length_m"] / network.edges["backward_s"]
    assert seconds.tolist() == pytest.approx([30 * 1.609344 / 3.6])


def test_node_link_json_joins_the_two_directions():
    graph = {
        "graph": {"crs": "EPSG:32631"},
        "nodes": [{"id": i, "x": 100.0 * i, "y": 0.0} for i in range(3)],
        "links": [
            {"source": 0, "target": 1, "highway": "['residential', 'service']", "oneway": False},
            {"source": 1, "target": 0, "highway": "['residential', 'service']", "oneway": False},
            {"source": 1, "target": 2, "highway": "residential", "oneway": True,
             "geometry": "LINESTRING (100 0, 150 20, 200 0)"},
        ],
    }  # fmt: skip
    network = build_network(read_node_link(graph), mode="car")
    assert ways(network, "0-1-0") == [(True, True)]
    assert ways(network, "1-2-0") == [(True, False)]
    graph["links"][0]["target"] = 77
    with pytest.raises(DataError, match="link 0 from 0 to 77"):
        read_node_link(graph)


@pytest.mark.parametrize(
    ("text", "kmh"),
    [("50", 50), ("30 mph", 48.28032), ("['50', '30']", 50), ("walk", 7), ("none", np.nan),
     (None, np.nan), (30, 30), ("50;30", 50)],
)  # fmt: skip
def test_speeds_in_every_spelling(text, kmh):
    assert speed_kmh(text) == pytest.approx(kmh, nan_ok=True)


def test_what_can_not_be_used_is_named():
    with pytest.raises(CRSError, match="in metres"):
        build_network(streets(("path", EW), crs="EPSG:4326"))
    with pytest.raises(MissingColumnError, match="class"):
        standard_streets(gpd.GeoDataFrame({"a": [1]}, geometry=[Point(0, 0)], crs="EPSG:32632"))
    with pytest.raises(DataError, match="not for cars by its class"):
        build_network(streets(("path", EW)), mode="car")
    with pytest.raises(ParameterError, match="'walk', 'bike', 'car'"):
        build_network(streets(("path", EW)), mode="boat")
