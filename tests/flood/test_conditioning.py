"""Filling against brute force and by its properties; voids, breaches, streams, culverts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.conditioning import (
    breach_depressions,
    burn_streams,
    cut_culverts,
    fill_depressions,
    fill_voids,
)
from ldt_toolbox.flood.flow import flow_directions
from terrains import outlets_of, planchon_darboux, rough, with_holes

# Few heights make flats and ties; missing cells make outlets inside the grid.
SMALL = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14),
    elements=st.sampled_from([-3.0, 0.0, 1.0, 1.5, 2.0, 7.0, float("nan")]),
).filter(lambda z: bool(np.isfinite(z).any()))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fill_is_that_of_brute_force(seed, dtype):
    z = rough(200, 200, seed, beta=[1.0, 2.0, 3.0, 3.5][seed], dtype=dtype)
    filled = fill_depressions(z)
    assert filled.dtype == dtype
    np.testing.assert_array_equal(filled, planchon_darboux(z))  # to the last bit
    assert (filled > z).mean() > 0.02  # there was something to fill


def test_fill_with_holes_sea_and_land_below_zero():
    z = with_holes(rough(131, 257, 7) - 5, 7)  # 131 rows: a strip and three rows
    sea = z < -12
    assert sea.any()
    np.testing.assert_array_equal(fill_depressions(z), planchon_darboux(z))
    np.testing.assert_array_equal(fill_depressions(z, outlets=sea), planchon_darboux(z, sea))
    assert (fill_depressions(z)[sea] > z[sea]).any()  # without the mask, a polder


def test_whole_numbers_fill_as_brute_force_does():
    z = np.rint(rough(150, 90, 3)).astype(np.int16)  # terrain as NASADEM comes: flats everywhere
    np.testing.assert_array_equal(fill_depressions(z), planchon_darboux(z.astype(np.float32)))


def test_the_terrain_that_came_in_stays_as_it_was():
    z = with_holes(rough(40, 50, 1), 1)
    before = z.copy()
    z.flags.writeable = False
    mask = z > 5
    mask.flags.writeable = False
    for turned in (z, z.T):  # one of them lies the other way round in memory
        fill_depressions(turned, outlets=mask if turned is z else mask.T)
        fill_depressions(turned, gradient_m=0.001)
        fill_voids(turned, cell_size_m=1, max_area_m2=5)
        breach_depressions(turned, cell_size_m=1, max_length_m=9, max_depth_m=3)
        burn_streams(turned, turned > 5, depth_m=1, cell_size_m=1)
        cut_culverts(turned, [[(20, 20), (25, 25)]])
    np.testing.assert_array_equal(z, before)


@settings(max_examples=150, deadline=None)
@given(SMALL)
def test_fill_by_its_properties(z):
    filled = fill_depressions(z)
    np.testing.assert_array_equal(filled, planchon_darboux(z))
    np.testing.assert_array_equal(fill_depressions(filled), filled)
    known = np.isfinite(z)
    assert (filled[known] >= z[known]).all()
    assert np.isnan(filled[~known]).all()
    ends = flow_directions(filled) == 0
    assert not (ends & ~outlets_of(z)).any()  # nothing but outlets ends a flow


@settings(max_examples=100, deadline=None)
@given(SMALL, st.sampled_from([0.0, 1e-3]))
def test_fill_with_a_gradient_leaves_no_flat(z, gradient_m):
    filled = fill_depressions(z, gradient_m=gradient_m)
    known = np.isfinite(z)
    level = fill_depressions(z)
    assert (filled[known] >= level[known]).all()
    around = np.pad(np.where(known, filled, np.inf), 1, constant_values=np.inf)
    rows, columns = z.shape
    lowest = np.min(
        [around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0
    )
    inner = known & ~outlets_of(z)
    assert (lowest[inner] < filled[inner]).all()
    # No more than the gradient times the longest way; a float32 of 7 rounds to 5e-7.
    assert (filled[known] - level[known]).max() <= (gradient_m + 1e-6) * z.size


def test_voids_small_ones_continue_the_plane_large_ones_stay():
    y, x = np.mgrid[:60, :80].astype(float)
    plane = 100 + 0.5 * x - 0.25 * y
    z = plane.copy()
    z[10:14, 20:25] = np.nan  # 20 cells
    z[14, 25] = np.nan  # touches by its corner: the same void
    z[30:45, 30:50] = np.nan  # 300 cells
    z[0, 5:8] = np.nan  # open to the edge
    done = fill_voids(z, cell_size_m=2, max_area_m2=84)
    np.testing.assert_allclose(done.elevation[10:15, 20:26], plane[10:15, 20:26], rtol=1e-12)
    assert done.interpolated.sum() == 21
    assert np.isnan(done.elevation[30:45, 30:50]).all()
    assert done.voids["cells"].tolist() == [300, 21, 3]
    assert done.voids["filled"].tolist() == [False, True, False]
    assert done.voids["at_edge"].tolist() == [False, False, True]
    assert done.voids.loc[1, ["row", "column", "area_m2"]].tolist() == [10, 20, 84]
    assert fill_voids(z, cell_size_m=2, max_area_m2=83.9).voids["filled"].sum() == 0


@settings(max_examples=60, deadline=None)
@given(SMALL)
def test_voids_stay_between_the_heights_of_their_rim(z):
    done = fill_voids(z, cell_size_m=1, max_area_m2=30)
    kept = ~done.interpolated
    np.testing.assert_array_equal(done.elevation[kept], z[kept])
    new = done.elevation[done.interpolated]
    assert np.isfinite(new).all()
    if new.size:
        tolerance = 1e-5  # float32 of 7 m and the solver
        assert new.min() >= np.nanmin(z) - tolerance
        assert new.max() <= np.nanmax(z) + tolerance
    assert fill_voids(done.elevation, cell_size_m=1, max_area_m2=30).interpolated.sum() == 0


def dammed_valley():
    """Valley that falls to the south, dammed by a bank 6 m high and 3 cells wide."""
    y, x = np.mgrid[:80, :41].astype(float)
    z = 50 - 0.1 * y + 0.5 * np.abs(x - 20)
    z[40:43] += 6
    return z


def test_a_breach_changes_less_than_a_fill():
    z = dammed_valley()
    done = breach_depressions(z, cell_size_m=10, max_length_m=100, max_depth_m=10)
    assert (done.pits, done.left) == (1, 0)
    assert (done.elevation <= z).all()
    np.testing.assert_array_equal(fill_depressions(done.elevation), done.elevation)
    changed = np.argwhere(done.elevation != z)
    assert set(changed[:, 0]) == {40, 41, 42}  # the bank alone, straight through
    assert set(changed[:, 1]) == {20}
    # From row 39 (46.1 m) even down to row 43 (45.7 m), under crests of 52, 51.9 and 51.8 m.
    np.testing.assert_allclose(done.elevation[40:43, 20], [46.0, 45.9, 45.8])
    assert done.deepest_m == pytest.approx(6.0)
    assert done.volume_m3 == pytest.approx(3 * 6.0 * 100)
    assert done.volume_m3 < 0.05 * (fill_depressions(z) - z).sum() * 100


@pytest.mark.parametrize(
    ("limits", "left"),
    [((39, 10), 1), ((40, 10), 0), ((100, 5.8), 1), ((100, 6.0), 0)],
)
def test_limits_keep_a_pit_shut(limits, left):
    z = dammed_valley()
    length, depth = limits  # four steps of 10 m, 5.9 m down to the pit's level
    done = breach_depressions(z, cell_size_m=10, max_length_m=length, max_depth_m=depth)
    assert done.left == left
    assert np.array_equal(done.elevation, z) == bool(left)


@pytest.mark.parametrize("seed", range(3))
def test_breaching_all_leaves_nothing_to_fill(seed):
    z = with_holes(rough(70, 60, seed), seed, share=0.002).astype(np.float64)
    done = breach_depressions(z, cell_size_m=1, max_length_m=100, max_depth_m=np.inf)
    assert done.pits > 3
    assert done.left == 0
    np.testing.assert_array_equal(fill_depressions(done.elevation), done.elevation)
    assert np.nansum(z - done.elevation) < np.nansum(fill_depressions(z) - z)


def test_streams_capture_the_flow():
    y, x = np.mgrid[:40, :40].astype(float)
    z = 10 + 0.01 * y
    streams = np.zeros(z.shape, bool)
    streams[:, 17] = True
    burnt = burn_streams(z, streams, depth_m=2, cell_size_m=5)
    np.testing.assert_array_equal(burnt, np.where(streams, z - 2, z))
    banks = burn_streams(z, streams, depth_m=2, cell_size_m=5, bank_m=15)
    np.testing.assert_allclose(z[0] - banks[0], np.clip(2 - 0.5 * np.abs(x[0] - 17), 0, 2))
    assert (flow_directions(banks)[1:, 14:17] & np.uint8(1 | 2 | 128)).all()  # eastwards


def test_a_culvert_opens_an_embankment():
    z = dammed_valley()
    open_way = cut_culverts(z, [[(38, 20), (44, 20)]])
    np.testing.assert_allclose(open_way[38:45, 20], 50 - 0.1 * np.arange(38, 45))
    np.testing.assert_array_equal(fill_depressions(open_way), open_way)
    elsewhere = np.ones(z.shape, bool)
    elsewhere[38:45, 20] = False
    np.testing.assert_array_equal(open_way[elsewhere], z[elsewhere])


def test_a_bent_culvert_is_unbroken_and_cuts_only():
    z = np.full((30, 30), 5.0)
    z[10:20, 10:20] = 9.0
    z[15, 15] = np.nan  # a gap under the bank
    out = cut_culverts(z, [[(8, 9), (15, 15), (12, 22)], [(29, 0), (29, 0)]])
    cut = np.argwhere(~(out == z) & ~(np.isnan(out) & np.isnan(z)))
    assert np.abs(np.diff(cut[np.argsort(cut[:, 1])], axis=0)).max() == 1
    assert out[15, 15] == 5.0
    assert np.nanmin(out) == 5.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: fill_depressions(z, gradient_m=-1), "gradient_m is -1"),
        (lambda z: fill_depressions(z, outlets=np.ones((2, 2), bool)), "outlets is bool"),
        (lambda z: fill_depressions(np.full((3, 3), np.nan)), "no cell with a height"),
        (lambda z: fill_voids(z, cell_size_m=0, max_area_m2=1), "cell_size_m is 0"),
        (
            lambda z: breach_depressions(z, cell_size_m=5, max_length_m=1, max_depth_m=1),
            "max_length_m 1",
        ),
        (lambda z: burn_streams(z, z > 1e9, depth_m=1, cell_size_m=1), "no cell is a stream"),
        (lambda z: burn_streams(z, z > 0, depth_m=0, cell_size_m=1), "depth_m is 0"),
        (lambda z: cut_culverts(z, [[(0, 0)]]), "give two points"),
        (lambda z: cut_culverts(z, [[(0, 0), (99, 0)]]), "leaves the grid"),
    ],
)
def test_refusals(call, message):
    with pytest.raises((ParameterError, DataError), match=message):
        call(rough(9, 9, 0))
