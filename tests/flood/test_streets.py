import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError, DataError
from ldt_toolbox.flood.streets import (
    LIMITS,
    places_cut_off,
    split_at_junctions,
    streets_cut,
    water_on_streets,
)
from ldt_toolbox.space.raster import Raster
from pyproj import CRS
from shapely.geometry import LineString, MultiLineString, Point

UTM = CRS.from_epsg(32631)


def lines(*coordinates: list[tuple[float, float]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[LineString(c) for c in coordinates], crs=UTM)


def water(values: np.ndarray) -> Raster:
    return Raster(values, Affine(10, 0, 0, 0, -10, 10 * values.shape[0]), UTM, "m")


# a way along y = 5 with a side street at x = 20 and a bridge over it at x = 30
WAYS = lines(
    [(0, 5), (20, 5), (40, 5)], [(20, 5), (20, 35)], [(30, 0), (30, 40)], [(20, 35), (38, 35)]
).assign(name=["main", "side", "bridge", "end"])


def test_ways_are_cut_where_they_share_a_vertex() -> None:
    found = split_at_junctions(WAYS)
    assert list(found["street"]) == [0, 0, 1, 2, 3]
    assert list(found["name"]) == ["main", "main", "side", "bridge", "end"]
    assert found.crs == UTM
    assert found.geometry[0].equals(LineString([(0, 5), (20, 5)]))
    assert found.geometry[1].equals(LineString([(20, 5), (40, 5)]))
    assert split_at_junctions(WAYS.iloc[:0]).empty


@given(st.integers(0, 5000))
@settings(max_examples=30, deadline=None)
def test_splitting_keeps_every_metre_and_leaves_no_inner_junction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walks = [rng.integers(0, 6, (rng.integers(2, 8), 2)) * 10.0 for _ in range(6)]
    walks = [w[np.r_[True, np.any(np.diff(w, axis=0) != 0, axis=1)]] for w in walks]
    ways = lines(*[w for w in walks if len(w) > 1])
    found = split_at_junctions(ways)
    by_street = found.length.groupby(found["street"]).sum()
    np.testing.assert_allclose(by_street, ways.length, rtol=1e-12)
    uses: dict[tuple[float, ...], int] = {}
    for line in found.geometry:
        for corner in set(line.coords):
            uses[corner] = uses.get(corner, 0) + 1
    inner = [c for line in found.geometry for c in line.coords[1:-1]]
    assert all(uses[c] == 1 for c in inner)


def test_the_worst_water_along_a_street() -> None:
    values = np.zeros((4, 4))
    values[3, 2] = 0.4  # x 20-30, y 0-10
    values[0, :] = np.nan
    speed = np.full((4, 4), 2.0)
    found = water_on_streets(WAYS, water(values), velocity_m_s=speed)
    np.testing.assert_allclose(found["depth_m"], [0.4, 0.4, 0, np.nan])
    np.testing.assert_allclose(found["velocity_m_s"], [2, 2, 0, np.nan])  # only where it is wet
    np.testing.assert_allclose(found["depth_velocity_m2_s"], [0.8, 0.8, 0, np.nan])
    assert found["known_share"][0] == pytest.approx(8 / 9)  # the end at x = 40 is outside
    assert found["known_share"][3] == 0
    assert (found["hazard_rating"].dropna() == 0).all()


def test_water_between_two_far_vertices_is_seen() -> None:
    values = np.zeros((1, 50))
    values[0, 25] = 1.0
    found = water_on_streets(lines([(1, 5), (499, 5)]), water(values))
    assert found["depth_m"][0] == 1


def test_who_passes_where() -> None:
    water_ = pd.DataFrame(
        {
            "depth_m": [0.29, 0.30, 0.45, 0.5, 0.2, 0.1, 0.3, np.nan],
            "velocity_m_s": [0, 0, 0, 0, 1.75, 3.0, 0, np.nan],
            "depth_velocity_m2_s": [0, 0, 0, 0, 0.35, 0.3, 0, np.nan],
            "hazard_rating": [0, 0, 0, 0, 0, 0, 1.25, np.nan],
        }
    )
    cut = {name: list(streets_cut(water_, limits=limit)) for name, limit in LIMITS.items()}
    assert cut["car"] == [False, True, True, True, True, True, True, False]
    assert cut["emergency"] == [False, False, False, True, False, True, False, False]
    assert cut["pedestrian"] == [False, False, False, True, False, True, True, False]
    bridge = pd.Series([False] * 3 + [True] + [False] * 4)
    assert not streets_cut(water_, above_water=bridge)[3]
    with pytest.raises(DataError, match="align"):
        streets_cut(water_, above_water=bridge.iloc[:3])


def test_places_lose_their_way() -> None:
    # a spine from west to east with a dead end to the north, and an island that never connects
    net = lines(
        [(0, 0), (100, 0)], [(100, 0), (200, 0)], [(100, 0), (100, 40)], [(100, 40), (100, 80)],
        [(500, 0), (520, 0)],
    ).set_axis(["west", "east", "stub", "end", "island"])  # fmt: skip
    cut = pd.Series([False, False, True, False, False], net.index)
    places = gpd.GeoDataFrame(
        geometry=[Point(50, 3), Point(104, 20), Point(104, 70), Point(510, 5), Point(50, 900)],
        crs=UTM, index=["school", "clinic", "hospital", "hut", "far"],
    )  # fmt: skip
    found = places_cut_off(net, cut, places)
    assert list(found["status"]) == [
        "reachable", "street flooded", "cut off", "never connected", "no street near",
    ]  # fmt: skip
    assert list(found["segment"][:4]) == ["west", "stub", "end", "island"]
    assert found["segment"].isna()["far"]
    assert found.loc["school", "distance_m"] == pytest.approx(3)
    everything = places_cut_off(net, pd.Series(True, net.index), places)
    assert set(everything["status"][:3]) == {"street flooded"}
    nothing = places_cut_off(net.iloc[:0], cut.iloc[:0], places)
    assert set(nothing["status"]) == {"no street near"}


@given(st.integers(0, 5000))
@settings(max_examples=20, deadline=None)
def test_cut_off_is_networkxs_components(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = nx.grid_2d_graph(5, 5)
    edges = [e for e in grid.edges if rng.random() < 0.8]
    shift = rng.uniform(-0.2, 0.2, (5, 5, 2))  # lengths differ, so that the longest part is unique
    at = {(i, j): tuple((np.array([i, j]) + shift[i, j]) * 100) for i, j in grid.nodes}
    net = lines(*[[at[a], at[b]] for a, b in edges])
    cut = pd.Series(rng.random(len(edges)) < 0.3)
    places = gpd.GeoDataFrame(geometry=net.interpolate(0.5, normalized=True), crs=UTM)
    found = places_cut_off(net, cut, places, within_m=1)["status"]

    def main(chosen: list[int]) -> set[int]:
        graph = nx.Graph([(*edges[k], {"k": k}) for k in chosen])
        parts = [graph.subgraph(c) for c in nx.connected_components(graph)]
        ways = [[d["k"] for *_, d in part.edges(data=True)] for part in parts]
        return set(max(ways, key=lambda w: net.length.iloc[w].sum())) if ways else set()

    before = main(list(range(len(edges))))
    after = main([k for k in range(len(edges)) if not cut[k]])
    for k in range(len(edges)):
        if k not in before:
            assert found[k] == "never connected"
        elif cut[k]:
            assert found[k] == "street flooded"
        else:
            assert found[k] == ("reachable" if k in after else "cut off")


def test_refusals() -> None:
    grid = water(np.zeros((4, 4)))
    with pytest.raises(CRSError, match="to_crs"):
        water_on_streets(WAYS.to_crs(4326), grid)
    with pytest.raises(DataError, match="velocity has shape"):
        water_on_streets(WAYS, grid, velocity_m_s=np.zeros((2, 2)))
    many = gpd.GeoDataFrame(geometry=[MultiLineString([[(0, 0), (1, 1)]])], crs=UTM)
    with pytest.raises(DataError, match="explode"):
        split_at_junctions(many)
    places = gpd.GeoDataFrame(geometry=[Point(0, 0)], crs=UTM)
    with pytest.raises(DataError, match="align"):
        places_cut_off(WAYS, pd.Series([True]), places)
    with pytest.raises(CRSError, match="to_crs"):
        places_cut_off(WAYS, pd.Series(False, WAYS.index), places.to_crs(4326))
