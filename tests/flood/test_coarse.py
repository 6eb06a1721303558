"""Larger cells for what is computed many times: what stays, and that the reader is told."""

import numpy as np
import pytest
from ldt_toolbox.flood import layers, scenario, steps, use_case
from ldt_toolbox.flood.coarse import coarse_ground, coarse_setup, finer, side_within

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


@pytest.fixture(scope="module")
def ground(valleys):
    place = valleys.territory()
    return steps.lay(valleys.inputs(place), valleys.parameters(place))


@pytest.mark.parametrize(
    ("amount", "most", "power", "side"),
    [(100, 100, 2, 1), (101, 100, 2, 2), (400, 100, 2, 2), (2700, 100, 3, 3), (2701, 100, 3, 4)],
)
def test_the_side_is_the_smallest_that_stays_within(amount, most, power, side):
    assert side_within(amount, most, power=power) == side


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7])
def test_means_keep_the_sums_where_blocks_fit_and_the_bounds_elsewhere(ground, side):
    setup, coarse = ground.setup, coarse_setup(ground.setup, side)
    rows, columns = setup.elevation.shape
    assert coarse.elevation.shape == (-(-rows // side), -(-columns // side))
    assert coarse.cell_m == side * setup.cell_m
    for name in ("elevation", "curve_number", "manning_n", "built", "paved", "loss_mm_h"):
        fine, large = getattr(setup, name), getattr(coarse, name)
        # means of float32
        assert fine.min() - 1e-5 <= large.min()
        assert large.max() <= fine.max() + 1e-5
        if rows % side == 0 and columns % side == 0:
            assert large.mean() == pytest.approx(fine.mean(), rel=1e-6)


def test_a_missing_cell_does_not_make_its_block_missing(ground):
    from dataclasses import replace

    level = ground.setup.elevation.copy()
    level[0, 0] = np.nan
    level[4:6, 4:6] = np.nan
    coarse = coarse_ground(replace(ground, setup=replace(ground.setup, elevation=level)), 2)
    assert np.isfinite(coarse.setup.elevation[0, 0])
    assert np.isnan(coarse.setup.elevation[2, 2])
    assert not coarse.inside[2, 2]
    assert coarse.grid.shape == coarse.setup.elevation.shape


def test_finer_gives_each_cell_the_value_of_its_block():
    large = np.arange(6.0).reshape(2, 3)
    fine = finer(large, 4, (7, 10))
    rows, columns = np.indices((7, 10))
    np.testing.assert_array_equal(fine, large[rows // 4, columns // 4])


def test_a_long_event_compares_measures_on_larger_cells_and_says_so(valleys, monkeypatch):
    place = valleys.territory()
    given = {"return_periods_years": [100], "rain_mm": [50], "simulation_h": 1}
    own = valleys.compute(place, **given)
    inputs, parameters = valleys.inputs(place), valleys.parameters(place, **given)
    ground = steps.lay(inputs, parameters)
    run = steps.event(inputs, ground, steps.rain(inputs, parameters), parameters)
    monkeypatch.setattr(scenario, "MOST_CELL_STEPS", 40 * 60 * run.steps / 8)
    assert scenario.side_of(run) == 2
    large = valleys.compute(place, **given)
    told = " ".join(note.text["en"] for note in large.notes)
    assert "Measures are compared on cells of 10 m" in told
    assert "Measures are compared" not in " ".join(note.text["en"] for note in own.notes)
    # the event itself is not touched
    for key in ("flooded_area", "damaged_area", "mass_error"):
        assert large.indicators[key].value == own.indicators[key].value
    table = large.tables["scenarios"].set_index("scenario")
    assert table.loc["today", "change_m2"] == 0
    assert table.loc["climate", "change_ha"] > 0
    assert table.loc["all", "change_ha"] < 0
    change = large.layers["scenario_change"].values
    assert change.shape == own.layers["scenario_change"].values.shape
    assert np.nanmin(change) < 0


def test_water_lost_by_any_run_is_told(valleys, monkeypatch):
    """A run of a return period, measure or draw that lost water is no quieter than the event."""
    place = valleys.territory()
    given = {"return_periods_years": [10, 100], "rain_mm": [30, 50], "simulation_h": 0.5}
    given |= {"monte_carlo_draws": 1, "check_scheme": True}
    inputs, parameters = valleys.inputs(place), valleys.parameters(place, **given)
    monkeypatch.setattr(steps, "beyond_range", lambda *_: True)
    simulate = use_case.flooding.flood

    def leaky(*arguments, **options):
        run = simulate(*arguments, **options)
        run.ledger.stored *= 0.999
        return run

    monkeypatch.setattr(use_case.flooding, "flood", leaky)
    result = valleys.case.compute(inputs, parameters)
    told = [note.text["en"] for note in result.notes if note.kind == "warning"]
    lost = [text for text in told if "of its water" in text]
    for which in ("of 10 years", "with a measure", "of a random draw", "with the full scheme"):
        assert any(text.startswith(f"The simulation {which} gained") for text in lost), which
    assert result.indicators["mass_error"].value > 1e-6


def test_an_animation_of_a_large_grid_holds_the_same_water_on_fewer_cells(valleys, monkeypatch):
    place = valleys.territory()
    inputs = valleys.inputs(place)
    parameters = valleys.parameters(
        place, return_periods_years=[100], rain_mm=[50], simulation_h=0.5, snapshot_min=10
    )
    ground = steps.lay(inputs, parameters)
    run = steps.event(inputs, ground, steps.rain(inputs, parameters), parameters)
    monkeypatch.setattr(layers, "SHOWN_DEPTH_M", 0.0)
    own = layers.frames(ground, run)["event"]
    assert own.values.shape == (3, 40, 60)
    monkeypatch.setattr(layers, "MOST_FRAME_CELLS", 40 * 60 / 4)
    fewer = layers.frames(ground, run)["event"]
    assert fewer.values.shape == (3, 20, 30)
    assert fewer.transform.a == 2 * own.transform.a
    assert fewer.minutes == own.minutes == (10, 20, 30)
    # means of float32
    np.testing.assert_allclose(
        4 * fewer.values.sum(axis=(1, 2), dtype=np.float64),
        own.values.sum(axis=(1, 2), dtype=np.float64), rtol=1e-6,
    )  # fmt: skip
