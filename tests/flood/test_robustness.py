"""Random draws: each measure has its interval, and what speaks against a draw is told."""

import numpy as np
import pandas as pd
import pytest
from ldt_toolbox.flood import robustness, use_case
from ldt_toolbox.flood.ledger import Ledger
from ldt_toolbox.flood.robustness import Draws
from ldt_toolbox.flood.validity import Froude, Tally, range_notes
from made_valley import ONE_STORM

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

SHORT = ONE_STORM | {"simulation_h": 1.2, "monte_carlo_draws": 4}
MEASURES = ["depaving", "retention", "sewers", "all", "climate", "climate_all"]


@pytest.fixture(scope="module")
def drawn(valleys):
    place = valleys.territory()
    return valleys.compute(place, climate_factor=1.5, sewer_extra_mm_h=40, **SHORT)


def test_each_measure_has_an_interval_and_a_map_of_its_own(drawn):
    table = drawn.tables["scenarios"].set_index("scenario")
    assert list(table.index) == ["today", *MEASURES]
    ends = table[["change_low_m2", "change_high_m2"]]
    assert ends.loc["today"].isna().all()
    assert (ends.loc[MEASURES, "change_low_m2"] <= ends.loc[MEASURES, "change_high_m2"]).all()
    # half as much rain again costs more in every draw, 40 mm/h more into sewers never
    assert ends.loc["climate", "change_low_m2"] > 0
    assert ends.loc["sewers", "change_high_m2"] <= 0
    warmer = drawn.indicators["climate_change"]
    assert (warmer.low, warmer.high) == tuple(ends.loc["climate"])
    for name in MEASURES:
        change = drawn.layers["scenario_change" if name == "all" else f"change_{name}"].values
        deeper, lower = np.nansum(change > 0), np.nansum(change < 0)
        if name == "depaving":  # the valley has no street
            assert deeper + lower == 0
            assert tuple(ends.loc[name]) == (0, 0)
            continue
        assert deeper + lower > 0, name
        assert (deeper > lower) == (name in ("climate", "climate_all")), name


def test_draws_on_larger_cells_are_scaled_like_the_totals_that_they_change():
    # on the larger cells today loses 100 m2 and measures change it by -3 to 1 m2: next to nothing,
    # so that their own ratio would be anything
    table = pd.DataFrame({"damaged_m2": [90.0, 110.0], "all.change_m2": [-3.0, 1.0]})
    coarse = Draws(table, np.zeros((2, 2), np.float32), 2, {"damaged_m2": 100.0})
    today = {"damaged_m2": 250.0}
    low, high = coarse.interval("all.change_m2", today)
    # 5th and 95th of two values lie a twentieth inside
    assert (low, high) == pytest.approx((2.5 * -2.8, 2.5 * 0.8))
    assert coarse.interval("damaged_m2", today) == pytest.approx((2.5 * 91, 2.5 * 109))
    dry = Draws(table, coarse.wet_share, 2, {"damaged_m2": 0.0})
    assert dry.interval("all.change_m2", today) is None
    own = Draws(table, np.zeros((2, 2), np.float32), 1)
    assert own.interval("all.change_m2", today) == pytest.approx((-2.8, 0.8))
    assert Draws(table[:0], own.wet_share, 1).interval("damaged_m2", today) is None


def test_many_cells_are_drawn_on_fewer(valleys, monkeypatch):
    place = valleys.territory()
    monkeypatch.setitem(robustness.MOST_CELLS, "inertial", 40 * 60 / 4)
    inputs, parameters = valleys.inputs(place), valleys.parameters(place, **SHORT)
    ground = use_case.steps.lay(inputs, parameters)
    found = use_case.steps.screen(ground, parameters)
    rain = use_case.steps.rain(inputs, parameters)
    seen = []
    draws = use_case.uncertainty(
        inputs, ground, rain, use_case.plan(inputs, ground, found, parameters),
        use_case.steps.town(inputs, parameters), parameters, progress=seen.append,
    )  # fmt: skip
    assert draws.side == 2
    assert draws.base["flooded_ha"] > 0
    assert draws.wet_share.shape == ground.grid.shape
    assert seen == [0.25, 0.5, 0.75, 1.0]
    # today and six scenarios in four draws, and today once without chance
    assert draws.tally.runs == 4 * 7 + 1
    assert draws.tally.mass_error <= 1e-6


def test_a_long_event_draws_the_measures_together_only_and_says_so(valleys, drawn, monkeypatch):
    monkeypatch.setattr(robustness, "MOST_CELL_STEPS", 1e6)
    place = valleys.territory()
    told = valleys.compute(place, climate_factor=1.5, sewer_extra_mm_h=40, **SHORT)
    few, all_ = (
        one.tables["scenarios"].set_index("scenario")[["change_low_m2", "change_high_m2"]]
        for one in (told, drawn)
    )
    assert few.drop(index="all").isna().all(axis=None)
    assert tuple(few.loc["all"]) == tuple(all_.loc["all"])
    climate = told.indicators["climate_change"]
    assert climate.value == drawn.indicators["climate_change"].value
    assert climate.low is None
    assert "the other changes have no interval" in " ".join(n.text["en"] for n in told.notes)
    assert "have no interval" not in " ".join(n.text["en"] for n in drawn.notes)


def test_draws_are_of_the_scheme_of_the_event(valleys, monkeypatch):
    place = valleys.territory()
    seen = []
    simulate = robustness.flooding.flood

    def watched(*arguments, **options):
        seen.append(options.get("scheme", "inertial"))
        return simulate(*arguments, **options)

    monkeypatch.setattr(robustness.flooding, "flood", watched)
    quick = SHORT | {"monte_carlo_draws": 1, "scheme": "shallow-water", "simulation_h": 0.3}
    result = valleys.compute(place, cell_size_m=10, **quick)
    assert set(seen) == {"shallow-water"}
    assert len(seen) == 1 + 6 + 7
    assert "Froude" not in " ".join(note.text["en"] for note in result.notes)


def test_runs_that_leave_the_range_are_counted_in_both_languages():
    torrent = Froude(1000, 200, 50, 2.0)
    tally, other = Tally(), Tally()
    tally.add("inertial", Ledger(rain=1.0, stored=1.0), torrent)
    tally.add("inertial", Ledger(rain=1.0, stored=1.0), Froude(1000, 20, 0, 0.6))
    other.add("shallow-water", Ledger(rain=1.0, stored=1.0 + 3e-6), torrent)
    assert (tally.runs, tally.beyond, tally.mass_error) == (2, 1, 0)
    (note,) = range_notes(tally, other)
    assert note.text["en"].startswith("In 1 of the 3 simulations beside the event")
    assert note.text["fr"].startswith("Dans 1 des 3 simulations")
    assert range_notes(other) == ()
    assert other.mass_error == pytest.approx(3e-6)
    other.add("inertial", Ledger(rain=1.0, stored=np.nan), Froude())
    assert other.mass_error == np.inf


def test_a_steep_valley_is_told_of_all_its_runs(valleys):
    rows, columns = np.mgrid[:40, :60]
    steep = 200 - 0.6 * columns + 0.25 * np.abs(rows - 20)
    result = valleys.compute(valleys.territory(levels=steep), **(SHORT | {"monte_carlo_draws": 1}))
    told = " ".join(note.text["en"] for note in result.notes)
    # six scenarios, and seven runs of one draw; the design storm is the event itself
    assert "of the 13 simulations beside the event" in told
