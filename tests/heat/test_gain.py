"""The adjoint against a full run of the model for each cell."""

import numpy as np
import pytest
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.cooling import cooling_from_capacity
from ldt_toolbox.heat.scenario_gain import cooling_gain_per_m2

CELL_M = 20.0
REACH = {
    "cell_size_m": CELL_M,
    "uhi_max_k": 4.0,
    "cooling_distance_m": 60.0,
    "mixing_radius_m": 40.0,
}
CC_GAIN = 0.35


def town():
    """A park of 6 ha in a town of low cooling capacity, a hole in the data, people here and there.

    The park's own cells cool more than they receive, cells near it receive more than they have.
    """
    rng = np.random.default_rng(4)
    cc = 0.02 + 0.06 * rng.random((26, 30))
    green = np.zeros(cc.shape)
    green[6:18, 9:22] = 1
    cc[green == 1] = 0.8
    cc[20:23, 3:6] = np.nan
    people = rng.poisson(3, cc.shape).astype(float)
    return cc, green, people


def run(cc, green, *, mixing, minimum_green_area_ha):
    return cooling_from_capacity(
        cc,
        green,
        reference_temperature_c=24.0,
        mixing=mixing,
        minimum_green_area_ha=minimum_green_area_ha,
        **REACH,
    )


def by_brute_force(cc, green, people, *, green_after=1.0, cc_gain=CC_GAIN, **options):
    """Weighted degrees per m2 for each cell in turn, and whether no cell changed branch."""
    before = run(cc, green, **options)
    green_then = np.broadcast_to(green_after, cc.shape)
    gains, same_branch = np.full(cc.shape, np.nan), np.zeros(cc.shape, bool)
    for i, j in zip(*np.nonzero(np.isfinite(cc)), strict=True):
        new_cc, new_green = cc.copy(), green.copy()
        new_cc[i, j] += cc_gain
        new_green[i, j] = green_then[i, j]
        after = run(new_cc, new_green, **options)
        fall = before.temperature_c - after.temperature_c
        gains[i, j] = np.nansum(people * fall) / CELL_M**2
        there = np.isfinite(cc)
        same_branch[i, j] = np.array_equal(
            (before.hm == before.cc)[there], (after.hm == after.cc)[there]
        )
    return gains, same_branch


@pytest.mark.parametrize("mixing", ["gaussian", "exponential"])
@pytest.mark.parametrize("minimum_green_area_ha", [0.1, 0.3])
@pytest.mark.parametrize("share", [0.6, 1.0])  # of a cell that becomes green
def test_equals_a_run_per_cell(mixing, minimum_green_area_ha, share):
    cc, green, people = town()
    green_after = np.maximum(green, share)
    options = {"mixing": mixing, "minimum_green_area_ha": minimum_green_area_ha}
    state = run(cc, green, **options)
    receiving = np.mean((state.hm != state.cc)[np.isfinite(cc)])
    assert 0.05 < receiving < 0.95
    ours = cooling_gain_per_m2(
        state, green, people, cc_gain=CC_GAIN, green_after=green_after, mixing=mixing, **REACH
    )
    theirs, same_branch = by_brute_force(cc, green, people, green_after=green_after, **options)
    assert same_branch.sum() > 100
    # No approximation is left where no cell changes branch: float64 rounding of the transforms.
    np.testing.assert_allclose(ours[same_branch], theirs[same_branch], rtol=1e-9, atol=1e-12)
    # Elsewhere the model gains more, never less.
    there = np.isfinite(cc)
    assert (~same_branch[there]).any()
    assert (theirs[there] >= ours[there] - 1e-12).all()
    np.testing.assert_array_equal(np.isnan(ours), ~there)


def test_without_green_areas_the_gain_is_local():
    """With no park near, a cell is worth its own gain, spread by the mixing and nothing else."""
    cc = np.full((21, 21), 0.3)
    nothing = np.zeros_like(cc)
    people = np.zeros_like(cc)
    people[10, 10] = 7.0
    state = run(cc, nothing, mixing="gaussian", minimum_green_area_ha=2.0)
    gain = cooling_gain_per_m2(state, nothing, people, cc_gain=0.5, **REACH)
    # Cells whose kernel is not cut share out everything: 7 persons x 4 K x 0.5.
    assert gain.sum() * CELL_M**2 == pytest.approx(7 * 4 * 0.5, rel=1e-9)
    assert gain[10, 10] == gain.max()
    # A kernel of three standard deviations of 2 cells.
    assert abs(gain[10, 17]) < 1e-15


def test_single_precision_and_missing_people():
    cc, green, people = town()
    options = {"mixing": "gaussian", "minimum_green_area_ha": 0.2}
    people[3, 3] = np.nan
    double = cooling_gain_per_m2(run(cc, green, **options), green, people, cc_gain=0.2, **REACH)
    state = run(cc.astype(np.float32), green, **options)
    single = cooling_gain_per_m2(state, green, people, cc_gain=0.2, **REACH)
    assert single.dtype == np.float32
    # Transforms in float32 keep six digits of the largest value.
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-6 * np.nanmax(double))


def test_bad_input_is_named():
    cc, green, people = town()
    state = run(cc, green, mixing="gaussian", minimum_green_area_ha=2.0)
    with pytest.raises(DataError, match=r"weights has shape \(2, 2\)"):
        cooling_gain_per_m2(state, green, np.ones((2, 2)), cc_gain=0.2, **REACH)
    with pytest.raises(ParameterError, match="uhi_max_k is -4"):
        cooling_gain_per_m2(state, green, people, cc_gain=0.2, **(REACH | {"uhi_max_k": -4}))
