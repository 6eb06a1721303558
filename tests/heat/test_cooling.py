"""The urban cooling model against sums written out, against InVEST, and its own properties."""

import importlib.util
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat import cooling, mixing
from ldt_toolbox.heat.green_area import green_area_within
from scipy.signal import convolve2d

CELL_M = 20.0
WEIGHTS = (0.6, 0.2, 0.2)
LEVELS = {"reference_temperature_c": 25.0, "uhi_max_k": 3.5}


def city(rows=61, columns=74, *, seed=7, missing=True, dtype=np.float64):
    """Random land cover in blocks of 4 cells, 4 of 10 green, with a hole and a gap."""
    rng = np.random.default_rng(seed)
    cover = rng.integers(0, 10, (rows // 4 + 1, columns // 4 + 1))
    cover = cover.repeat(4, axis=0).repeat(4, axis=1)[:rows, :columns]
    lush = np.where(np.arange(10) < 4, 1.0, 0.3)  # what is not green cools less
    shade, albedo, kc = ((lush * rng.random(10)).astype(dtype)[cover] for _ in range(3))
    green = (cover < 4).astype(dtype)
    if missing:
        shade[20:31, 40:52] = np.nan
        green[:5, :9] = np.nan
    return shade, albedo * dtype(0.5), kc, green


def mean_by_direct_sum(values, kernel):
    """Weighted mean over what is valid, by direct convolution in float64."""
    valid = np.isfinite(values)
    total = convolve2d(np.where(valid, values, 0.0), kernel, mode="same")
    weight = convolve2d(valid.astype(float), kernel, mode="same")
    return np.where(valid, total / np.where(valid, weight, 1.0), np.nan)


def radial(reach, weight):
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.sqrt(x**2.0 + y**2.0)
    return np.where(distance <= reach, weight(distance), 0.0)


def reference_model(shade, albedo, kc, green, *, cooling_cells, mixing_cells, kernel):
    cc = 0.6 * shade + 0.2 * albedo + 0.2 * kc
    cc = np.where(np.isfinite(green), cc, np.nan)
    park = mean_by_direct_sum(
        cc * green, radial(5 * cooling_cells, lambda d: np.exp(-d / cooling_cells))
    )
    disc = radial(cooling_cells, np.ones_like)
    area = mean_by_direct_sum(np.where(np.isfinite(cc), green, np.nan), disc)
    area = area * disc.sum() * CELL_M**2 / 1e4
    hm = np.where((cc >= park) | (area < 0.6 * (1 - 1e-6)), cc, park)
    hm = np.where(np.isfinite(cc), hm, np.nan)
    unmixed = 25.0 + (1 - hm) * 3.5
    if kernel == "gaussian":
        weights = radial(3 * mixing_cells, lambda d: np.exp(-(d**2) / (2 * mixing_cells**2)))
    else:
        weights = radial(5 * mixing_cells, lambda d: np.exp(-d / mixing_cells))
    return cc, area, park, hm, unmixed, mean_by_direct_sum(unmixed, weights)


@pytest.mark.parametrize("kernel", ["gaussian", "exponential"])
@pytest.mark.parametrize(
    ("dtype", "tolerance", "temperature_tolerance"),
    # float64: rounding of transforms of some ten thousand cells; float32: science asks CC 1e-6 and
    # HM 1e-5, and near 28 degrees float32 itself resolves 2e-6.
    [(np.float64, 1e-11, 1e-11), (np.float32, 1e-6, 1e-5)],
)
def test_equals_direct_sums(kernel, dtype, tolerance, temperature_tolerance):
    factors = city(dtype=dtype)
    result = cooling.urban_cooling_model(
        *factors,
        cell_size_m=CELL_M,
        cooling_distance_m=100.0,
        mixing_radius_m=80.0,
        mixing=kernel,
        minimum_green_area_ha=0.6,
        **LEVELS,
    )
    cc, area, park, hm, unmixed, mixed = reference_model(
        *(f.astype(np.float64) for f in factors), cooling_cells=5, mixing_cells=4, kernel=kernel
    )
    assert 0.1 < np.nanmean(hm > cc) < 0.9  # both branches are at work
    np.testing.assert_allclose(result.cc, cc, rtol=0, atol=tolerance)
    np.testing.assert_allclose(result.cc_park, park, rtol=0, atol=tolerance)
    np.testing.assert_allclose(result.hm, hm, rtol=0, atol=tolerance)
    # Areas are sums of about 80 cells, so they keep seven digits.
    np.testing.assert_allclose(result.green_area_ha, area, rtol=0, atol=10 * tolerance)
    for ours, theirs in (
        (result.temperature_unmixed_c, unmixed),
        (result.temperature_c, mixed),
        (
            mixing.mix(
                result.temperature_unmixed_c, cell_size_m=CELL_M, radius_m=80.0, kernel=kernel
            ),
            mixed,
        ),
    ):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=temperature_tolerance)


def test_kernel_wider_than_the_grid():
    values = np.random.default_rng(3).random((9, 5))
    green = np.ones_like(values)
    ours = cooling.park_cooling(values, green, cell_size_m=10, cooling_distance_m=90)
    pad = 45  # convolve2d's "same" is centred on its larger argument: give it room by hand
    padded = np.full((9 + 2 * pad, 5 + 2 * pad), np.nan)
    padded[pad:-pad, pad:-pad] = values
    theirs = mean_by_direct_sum(padded, radial(45, lambda d: np.exp(-d / 9)))[pad:-pad, pad:-pad]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-13)
    area = green_area_within(green, cell_size_m=10, radius_m=90)
    full = radial(9, np.ones_like).sum() * 100 / 1e4
    np.testing.assert_allclose(area, full, rtol=1e-12)


def test_a_lone_park_by_hand():
    green = np.zeros((41, 41))
    green[20, 20] = 1
    park = cooling.park_cooling(0.8 * green, green, cell_size_m=50, cooling_distance_m=100)
    weights = radial(10, lambda d: np.exp(-d / 2))
    # At (20, 24) the whole kernel fits into the grid: one term, 4 cells = two decay lengths away.
    assert park[20, 24] == pytest.approx(0.8 * np.exp(-2) / weights.sum(), rel=1e-12)
    assert park[20, 31] == pytest.approx(0, abs=1e-15)  # 11 cells: past the cut
    area = green_area_within(green, cell_size_m=50, radius_m=100)
    assert area[20, 22] == pytest.approx(0.25)
    assert area[21, 22] == 0  # sqrt(5) cells away, the radius is 2


def test_small_parks_cool_only_themselves():
    cc = np.full((30, 30), 0.2)
    cc[14:16, 14:16] = 0.9
    green = (cc > 0.5).astype(float)  # four cells of 20 m: 0.16 ha
    options = {"cell_size_m": 20.0, "cooling_distance_m": 60.0, "mixing_radius_m": 0.0} | LEVELS
    small = cooling.cooling_from_capacity(cc, green, **options)
    np.testing.assert_array_equal(small.hm, cc)
    np.testing.assert_allclose(small.temperature_c, small.temperature_unmixed_c, rtol=1e-14)
    low_bar = cooling.cooling_from_capacity(cc, green, minimum_green_area_ha=0.1, **options)
    assert (low_bar.hm >= cc).all()


def test_missing_cells_stay_missing_and_do_not_leak():
    shade, albedo, kc, green = city()
    result = cooling.urban_cooling_model(shade, albedo, kc, green, cell_size_m=CELL_M, **LEVELS)
    holes = ~np.isfinite(shade) | ~np.isfinite(green)
    for name in ("cc", "green_area_ha", "cc_park", "hm", "temperature_unmixed_c", "temperature_c"):
        np.testing.assert_array_equal(np.isnan(getattr(result, name)), holes, err_msg=name)


def test_nothing_but_holes():
    empty = np.full((5, 6), np.nan)
    result = cooling.urban_cooling_model(empty, empty, empty, empty, cell_size_m=10, **LEVELS)
    assert np.isnan(result.temperature_c).all()


def test_night_and_evapotranspiration():
    np.testing.assert_allclose(
        cooling.cooling_capacity_from_building_intensity(np.array([[0.0, 0.25, 1.0]])),
        [[1.0, 0.75, 0.0]],
    )
    eti = cooling.evapotranspiration_index(np.array([[0.5, 1.0]]), et0=np.array([[4.0, 2.0]]))
    np.testing.assert_allclose(eti, [[0.5, 0.5]])
    # Weights are scaled to a sum of 1.
    one = np.ones((2, 2))
    np.testing.assert_allclose(cooling.cooling_capacity(one, one, one, weights=(6, 2, 2)), 1.0)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    radius_m=st.floats(0, 400),
    uhi_max_k=st.floats(0, 8),
    kernel=st.sampled_from(["gaussian", "exponential"]),
)
def test_temperature_stays_in_its_range(seed, rows, columns, radius_m, uhi_max_k, kernel):
    factors = city(rows, columns, seed=seed, missing=False)
    result = cooling.urban_cooling_model(
        *factors,
        cell_size_m=CELL_M,
        reference_temperature_c=22.0,
        uhi_max_k=uhi_max_k,
        mixing_radius_m=radius_m,
        mixing=kernel,
    )
    for temperature in (result.temperature_unmixed_c, result.temperature_c):
        assert temperature.min() >= 22.0 - 1e-9
        assert temperature.max() <= 22.0 + uhi_max_k + 1e-9


@settings(max_examples=25, deadline=None)
@given(level=st.floats(-30, 45), cells=st.integers(0, 6), seed=st.integers(0, 1000))
def test_mixing_keeps_constants_and_what_lies_deep_inside(level, cells, seed):
    grid = np.full((30, 41), level)
    grid[np.random.default_rng(seed).random(grid.shape) < 0.2] = np.nan
    grid[0, 0] = level
    mixed = mixing.mix(grid, cell_size_m=1, radius_m=cells)
    np.testing.assert_allclose(mixed, grid, rtol=0, atol=1e-10)
    # A warm spot more than the kernel's reach from the edges is spread, not created or lost.
    spot = np.zeros((100, 101))
    spot[50, 49] = 1.0
    assert mixing.mix(spot, cell_size_m=1, radius_m=cells).sum() == pytest.approx(1.0, abs=1e-9)


def test_adjoint_is_the_transpose():
    rng = np.random.default_rng(5)
    valid = rng.random((23, 31)) < 0.8
    cells = mixing.PresentCells(valid, np.dtype(np.float64), 13)  # wider than the kernel
    mean = mixing.NeighbourhoodMean(mixing.exponential_kernel(2), cells)
    values, weights = rng.random((2, 23, 31))
    forward = np.nansum(mean(values) * weights)
    backward = np.nansum(mean.adjoint(weights) * values)
    assert forward == pytest.approx(backward, rel=1e-12)


def test_bad_input_is_named():
    one = np.ones((4, 4))
    with pytest.raises(DataError, match=r"albedo \(4, 5\)"):
        cooling.cooling_capacity(one, np.ones((4, 5)), one)
    with pytest.raises(DataError, match="shade has shape"):
        cooling.cooling_capacity(np.ones(4), one, one)
    with pytest.raises(DataError, match="not numbers"):
        cooling.cooling_capacity(np.full((2, 2), "high"), one, one)
    with pytest.raises(ParameterError, match="weights"):
        cooling.cooling_capacity(one, one, one, weights=(0, 0, 0))
    with pytest.raises(ParameterError, match="cooling_distance_m is -1"):
        cooling.park_cooling(one, one, cell_size_m=10, cooling_distance_m=-1)
    with pytest.raises(ParameterError, match="cell_size_m is 0"):
        mixing.mix(one, cell_size_m=0, radius_m=5)
    with pytest.raises(ParameterError, match="'box'"):
        mixing.mix(one, cell_size_m=1, radius_m=5, kernel="box")


BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def from_benchmarks(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.reference
def test_equals_invest(tmp_path):
    """CC within 1e-6, HM within 1e-5 of InVEST 3.19's own rasters, and so the temperature."""
    python = from_benchmarks("peers").installed("invest")
    if python is None:
        pytest.skip("natcap.invest is not installed: run benchmarks/urban_cooling.py once")
    invest_inputs = from_benchmarks("invest_inputs")
    case = invest_inputs.random_city(230, seed=11, missing=True)
    invest_inputs.write(case, tmp_path / "in")
    command = [python, BENCHMARKS / "invest_run.py", tmp_path / "in", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1])["seconds"] > 0
    ours = cooling.urban_cooling_model(*case.factors(), **case.options())
    theirs = invest_inputs.read_results(tmp_path / "out")
    assert 0.02 < np.nanmean(theirs["hm"] > theirs["cc"]) < 0.9  # both branches are at work
    # At a green area of exactly 2 ha a rounding error decides which branch is taken.
    clear = ~(np.abs(ours.green_area_ha - cooling.MINIMUM_GREEN_AREA_HA) < 1e-3)
    assert clear.mean() > 0.95
    for name, tolerance in (("cc", 1e-6), ("cc_park", 1e-5), ("hm", 1e-5)):
        np.testing.assert_allclose(
            getattr(ours, name)[clear], theirs[name][clear], rtol=0, atol=tolerance, err_msg=name
        )
    # 1e-5 of HM times UHImax, plus float32 at 28 degrees; cells on the tie spread by mixing.
    assert np.nanmax(np.abs(ours.temperature_c - theirs["temperature_c"])) < 1e-4
