"""Slope: Tobler's function by hand, even ramps, bridges, and terrain with every trap."""

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.slope import cycling_share, elevation_at, walking_share
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import bundled_territories
from pyproj import CRS
from shapely import LineString
from street_traps import CRS as STREETS_CRS
from street_traps import bundled, count, streets

CELL_M = 10.0


def terrain(height, *, west=-100.0, south=-100.0, side=60, dtype=float, nodata=None, crs=None):
    """Height as a function of x and y at the centres of the cells."""
    at = (np.arange(side) + 0.5) * CELL_M
    x, y = np.meshgrid(west + at, (south + at)[::-1])
    transform = Affine(CELL_M, 0, west, 0, -CELL_M, south + side * CELL_M)
    values = np.asarray(height(x, y)).astype(dtype)
    return Raster(values, transform, CRS.from_user_input(crs or STREETS_CRS), "MTR", nodata)


def flat(x, y):
    return 0 * x


def test_tobler_by_hand():
    """6 exp(-3.5 |s + 0.05|) km/h: 5.04 on the flat, 6 at 5 % down, 3.55 at 10 % up."""
    on_the_flat = 6 * np.exp(-0.175)
    assert on_the_flat == pytest.approx(5.0367, abs=1e-4)
    found = on_the_flat * walking_share([0, -0.05, 0.1, -0.2, 1.0])
    hand = [5.0367, 6.0, 6 * np.exp(-0.525), 6 * np.exp(-0.525), 6 * np.exp(-3.675)]
    np.testing.assert_allclose(found, hand, rtol=1e-4)


@given(st.floats(-2, 2))
def test_equal_speeds_at_equal_differences_from_five_per_cent_down(difference):
    up, down = walking_share([-0.05 + difference, -0.05 - difference])
    assert up == pytest.approx(down, rel=1e-12)
    assert 0 < up <= walking_share(-0.05)


def test_bikes_are_slow_uphill_quick_downhill_and_bounded():
    assert cycling_share(0) == 1
    assert cycling_share([0.05, -0.05]) == pytest.approx([1 - 5 * 0.0666, 1 + 5 * 0.0396], abs=1e-3)
    assert cycling_share([0.5, -0.5]).tolist() == [0.25, 1.4]
    assert (np.diff(cycling_share(np.linspace(-0.3, 0.3, 200))) <= 0).all()


@pytest.mark.parametrize("percent", [3, 12, 30])
def test_an_even_ramp_takes_what_the_function_says(percent):
    slope = percent / 100
    table = streets(("residential", [(0, 0), (150, 0), (300, 0)]))
    plain = build_network(table).edges
    ramp = build_network(table, terrain=terrain(lambda x, y: slope * x)).edges
    up = plain["forward_s"].sum() / walking_share(slope)
    down = plain["forward_s"].sum() / walking_share(-slope)
    assert ramp["forward_s"].sum() == pytest.approx(up, rel=1e-9)
    assert ramp["backward_s"].sum() == pytest.approx(down, rel=1e-9)
    ridden = build_network(table, mode="bike", terrain=terrain(lambda x, y: slope * x)).edges
    assert ridden["forward_s"].sum() > ridden["backward_s"].sum()


def test_a_hill_between_level_ends_is_climbed():
    table = streets(("residential", [(0, 0), (200, 0)]))
    hill = terrain(lambda x, y: 30 * np.exp(-(((x - 100) / 40) ** 2)))
    over = build_network(table, terrain=hill).edges["forward_s"].iloc[0]
    assert over > 1.3 * build_network(table).edges["forward_s"].iloc[0]


def test_a_bridge_and_a_tunnel_do_not_follow_the_ground():
    """Over a gorge of 50 m and under a ridge as high: even from end to end."""
    gorge = terrain(lambda x, y: np.where(abs(x - 100) < 60, -50.0, 0.0))
    ridge = terrain(lambda x, y: np.where(abs(x - 100) < 60, 50.0, 0.0))
    line = [(0, 0), (200, 0)]
    ways = [("residential", [(-80, 0), (0, 0)]), ("residential", [(200, 0), (280, 0)])]
    for tag, ground in (("bridge", gorge), ("tunnel", ridge)):
        level = build_network(streets(("residential", line, {tag: True}), *ways), terrain=ground)
        down = build_network(streets(("residential", line), *ways), terrain=ground)
        crossing = level.edges.loc[level.edges[tag], "forward_s"]
        assert crossing.tolist() == pytest.approx([200 / 1.33], rel=1e-9)
        assert down.edges["forward_s"].sum() > 1.5 * level.edges["forward_s"].sum()


def test_terrain_of_whole_metres_that_ends_before_the_streets():
    """Cells of int16 with a mark for missing, half as large as the streets: flat there, told."""
    table = streets(("residential", [(0, 0), (100, 0)]), ("residential", [(100, 0), (400, 0)]))
    small = terrain(lambda x, y: np.where(y > 20, -32768, 0.1 * x), side=25, dtype=np.int16,
                    nodata=-32768)  # fmt: skip
    network = build_network(table, terrain=small)
    assert count(network, "edges in gaps of the terrain") == 1
    far = network.edges.loc[network.edges["street"] == "s1"]
    assert np.isfinite(far[["forward_s", "backward_s"]].to_numpy()).all()
    assert np.isnan(network.node_elevation_m).sum() == 1
    lost = build_network(table, terrain=terrain(flat, west=5000.0))
    plain = build_network(table)
    np.testing.assert_array_equal(lost.edges["forward_s"], plain.edges["forward_s"])
    assert count(lost, "edges in gaps of the terrain") == 2
    assert count(plain, "no terrain: all streets count as flat") == 2


def test_elevation_between_cells_is_linear_and_missing_cells_are_not_made_up():
    plane = terrain(lambda x, y: 2 * x - 3 * y + 7)
    xy = np.random.default_rng(0).uniform(-95, 480, (50, 2))
    np.testing.assert_allclose(elevation_at(plane, xy), xy @ [2, -3] + 7, rtol=1e-9)
    hole = terrain(lambda x, y: np.where(abs(x - 100) < 20, np.nan, 0.0))
    assert np.isnan(elevation_at(hole, np.array([[100.0, 0.0], [118.0, 0.0]]))).all()
    assert elevation_at(hole, np.array([[150.0, 0.0]])).tolist() == [0]


def test_a_whole_valley_only_slows_people_down():
    """Andorra's streets on its own terrain, which is smaller than the streets."""
    import rasterio

    folder = dict(bundled_territories())["andorra-la-vella"]
    with rasterio.open(folder / "data" / "terrain.tif") as file:
        nodata = None if file.nodata is None else int(file.nodata)
        crs = CRS.from_wkt(file.crs.to_wkt())
        ground = Raster(file.read(1), file.transform, crs, "MTR", nodata)
    table = bundled("andorra-la-vella")
    steep, level = build_network(table, terrain=ground), build_network(table)
    assert len(steep.edges) == len(level.edges)
    both = [n.edges["forward_s"] + n.edges["backward_s"] for n in (steep, level)]
    # what 5 % down gains the way back costs: there and back takes cosh(3.5 s) times as long or more
    assert (both[0] >= both[1] * (1 - 1e-9)).all()
    assert both[0].sum() > 1.1 * both[1].sum()


def test_another_crs_is_refused():
    with pytest.raises(CRSError, match="terrain"):
        build_network(
            gpd.GeoDataFrame(
                {"class": ["path"]}, geometry=[LineString([(0, 0), (9, 0)])], crs=STREETS_CRS
            ),
            terrain=terrain(flat, crs="EPSG:32631"),
        )
