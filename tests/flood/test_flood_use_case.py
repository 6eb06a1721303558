"""Properties of the whole flood computation, on a made valley and on the bundled territories."""

import numpy as np
import pandas as pd
import pytest
from ldt_toolbox.errors import MissingRoleError, ParameterError, RunError
from ldt_toolbox.flood import ground as grounds
from ldt_toolbox.flood import steps
from ldt_toolbox.flood.damage import damaged_share
from ldt_toolbox.flood.losses import scs_runoff_mm
from ldt_toolbox.territory import Territory

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

MASS = 1e-6  # what the issue accepts of a run in single precision


def text_of(result, language="en"):
    return " ".join(note.text[language] for note in result.notes)


@pytest.fixture(scope="module")
def london(valleys):
    place = Territory.find("east-london")
    return valleys.compute(place, monte_carlo_draws=2)


def test_water_balance_closes(valley, london):
    for result in (valley[1], london):
        part = result.tables["water_balance"].set_index("part")["volume_m3"]
        out = part["losses"] + part["outflow"] + part["stored"]
        supplied = part["rain"] + part["inflow"] + part["initial"]
        assert supplied > 0
        assert abs(out - supplied) <= MASS * supplied
        assert result.indicators["mass_error"].value <= MASS


def test_rain_that_runs_off_is_what_the_curve_numbers_say(valleys, valley):
    place, result = valley
    ground = steps.lay(valleys.inputs(place), valleys.parameters(place))
    cn = np.rint(2 * ground.setup.curve_number.astype(np.float64)) / 2
    by_hand = scs_runoff_mm(50.0, cn).sum() / 1000 * ground.setup.cell_m**2
    part = result.tables["water_balance"].set_index("part")["volume_m3"]
    # rates go through float32 in every step
    assert part["rain"] == pytest.approx(by_hand, rel=1e-5)
    assert result.indicators["runoff_share"].value == pytest.approx(
        100 * by_hand / (0.05 * ground.setup.elevation.size * 25), rel=1e-5
    )


def test_rarer_rain_floods_no_less(valley, london):
    for result in (valley[1], london):
        table = result.tables["return_periods"]
        assert table["return_period_years"].tolist() == [2, 5, 10, 20, 50, 100]
        for column in ("flooded_ha", "buildings", "damaged_m2"):
            assert (table[column].diff().dropna() >= 0).all(), column
        assert table["flooded_ha"].iloc[-1] > table["flooded_ha"].iloc[0]


def test_the_design_event_is_its_row_of_the_table(valley):
    result = valley[1]
    last = result.tables["return_periods"].iloc[-1]
    assert last["flooded_ha"] == result.indicators["flooded_area"].value
    assert last["damaged_m2"] == result.indicators["damaged_area"].value


def test_annual_mean_is_the_area_under_damage_over_probability(valley):
    result = valley[1]
    table = result.tables["return_periods"]
    chance, damage = 1 / table["return_period_years"].to_numpy(), table["damaged_m2"].to_numpy()
    whole = -np.trapezoid(damage, chance) + chance[-1] * damage[-1]
    assert whole > 0
    assert result.indicators["annual_damaged_area"].value == pytest.approx(whole, rel=1e-9)


def test_water_gathers_in_the_hollow_and_by_the_river_not_on_the_ridge(valley):
    depth = valley[1].layers["buildings"].set_index("id")["depth_m"]
    assert depth["h4"] < 0.02 < 0.05 < depth["h3"]
    peak = valley[1].layers["depth_max"].values
    assert np.isnan(peak[0]).all(), "the ridge"
    spots = valley[1].layers["blue_spots"]
    assert len(spots) == 1
    # dug by 2 m; its rim on the lower side lies 0.25 m below, on the eastern one 0.05 m a cell
    assert 1.4 < spots["depth_max_m"].iloc[0] <= 1.75


def test_damage_is_share_times_footprint(valley):
    houses = valley[1].layers["buildings"]
    wet = houses[houses["wet"]]
    assert len(wet) >= 2
    for row in wet.to_dict("records"):
        # depths are written to the millimetre, areas to a tenth of a square metre
        low, high = (
            225 * float(damaged_share(row["depth_m"] + end, row["class"])) for end in (-6e-4, 6e-4)
        )
        assert low - 0.06 <= row["damaged_m2"] <= high + 0.06


def test_prices_change_euros_alone(valleys, valley):
    place, base = valley
    dearer = valleys.compute(place, price_factor=1.5, price_year=2025)
    assert dearer.indicators["damage"].value == pytest.approx(
        1.5 * base.indicators["damage"].value, rel=1e-12
    )
    assert dearer.indicators["damaged_area"].value == base.indicators["damaged_area"].value
    assert "prices of 2025 (2010 x 1.5)" in text_of(dearer)


def test_no_measure_no_change(valleys, valley):
    place, _ = valley
    result = valleys.compute(
        place, depave_share=0, basin_count=0, sewer_extra_mm_h=0, climate_factor=1
    )
    table = result.tables["scenarios"]
    assert table["scenario"].tolist() == [
        "today", "depaving", "retention", "sewers", "all", "climate", "climate_all"
    ]  # fmt: skip
    # exact: the same numbers run through the same model
    assert (table[["change_ha", "change_m2"]].to_numpy() == 0).all()
    assert np.isnan(result.layers["scenario_change"].values).all()


def test_sewers_take_water_and_more_rain_brings_it(valleys):
    place = valleys.territory()
    table = valleys.compute(place, sewer_extra_mm_h=40).tables["scenarios"].set_index("scenario")
    assert table.loc["sewers", "damaged_m2"] <= table.loc["today", "damaged_m2"]
    assert table.loc["climate", "damaged_m2"] > table.loc["today", "damaged_m2"]
    assert table.loc["climate_all", "damaged_m2"] <= table.loc["climate", "damaged_m2"]


def test_same_seed_same_bytes_and_interval_around_the_value(valleys, valley, tmp_path):
    place, _ = valley
    written = []
    for name in ("one", "other"):
        result = valleys.compute(place, monte_carlo_draws=5)
        result.write(tmp_path / name, valleys.case, territory="valley")
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        written.append({p.relative_to(tmp_path / name).as_posix(): p.read_bytes() for p in files})
    assert len(written[0]) == len(result.layers) + len(result.tables) + 1
    assert written[0] == written[1]
    area = result.indicators["flooded_area"]
    assert area.low < area.value < area.high
    assert area.interval == "5th to 95th percentile of 5 draws"
    share = result.layers["wet_share"].values
    fifths = 5 * share[np.isfinite(share)].astype(np.float64)
    np.testing.assert_allclose(fifths, fifths.round(), atol=1e-5)  # float32 of a fifth
    assert fifths.max() == pytest.approx(5, abs=1e-5)


def test_without_a_gdp_no_euro_is_told(valleys):
    place = valleys.territory(country="AD")
    result = valleys.compute(place)
    assert "damage" not in result.indicators
    assert "annual_damage" not in result.indicators
    assert result.tables["return_periods"]["damage_eur"].isna().all()
    assert "No GDP of AD" in text_of(result)
    assert "EUR" not in result.answer["en"]
    told = valleys.compute(place, gdp_per_capita_usd=40_000)
    assert told.indicators["damage"].value > 0
    assert told.indicators["damaged_area"].value == result.indicators["damaged_area"].value


def test_thousands_in_the_answer_are_written_as_each_language_does(valleys):
    told = valleys.compute(valleys.territory(country="AD"), gdp_per_capita_usd=40_000)
    damage = f"{told.indicators['damage'].value:,.0f}"
    assert "," in damage
    assert f" {damage} EUR" in told.answer["en"]
    assert f" {damage} EUR".replace(",", "\u202f") in told.answer["fr"]


@pytest.mark.parametrize("place", ["monaco", "helsinki-centre"])
def test_no_terrain_is_refused_with_sources_that_would_cure_it(valleys, place):
    with pytest.raises(MissingRoleError, match=r"terrain: .*RGE ALTI.*Copernicus GLO-30"):
        valleys.inputs(Territory.find(place))


def test_coarse_cells_are_called_a_screening(valley, london):
    assert "no street, wall or river bed" in london.answer["en"]
    assert "not a hazard map" in london.answer["en"]
    assert "non une carte d'aléa" in london.answer["fr"]
    assert "23.7 m" in london.answer["en"]
    assert "23,7 m" in london.answer["fr"]
    assert "screening" not in valley[1].answer["en"]
    assert "The cells measure 5 m." in valley[1].answer["en"]
    assert "Les mailles font 5 m." in valley[1].answer["fr"]


def test_andorra_checks_the_scheme_and_says_what_differs(valleys):
    result = valleys.compute(
        Territory.find("andorra-la-vella"), check_scheme=True, simulation_h=1, basin_count=0
    )
    assert 0 < result.indicators["scheme_difference"].value < 0.5
    assert "full shallow-water scheme" in text_of(result)
    assert "Froude number above 0.5 and 1" in text_of(result)
    assert result.indicators["terrain_share"].value == pytest.approx(84, abs=1)
    assert result.indicators["buildings_unknown"].value > 0


def test_assumed_rain_is_said(valleys, valley):
    place, base = valley
    assert "50 mm, assumed" in base.answer["en"]
    assert "50 mm, supposée" in base.answer["fr"]
    given = valleys.compute(place, rain_mm=[10, 20, 30, 40, 50, 60])
    assert "assumed" not in given.answer["en"].split("puts")[0]
    assert given.tables["rain"]["origin"].unique().tolist() == ["given"]


def test_coarser_cells_are_whole_multiples_and_finer_ones_refused(valleys, valley):
    place, _ = valley
    result = valleys.compute(place, cell_size_m=11)
    assert result.indicators["cell_size"].value == 10
    assert "averaged to 10 m" in text_of(result)
    with pytest.raises(ParameterError, match=r"cell_size_m = 2.*cells of 5 m"):
        valleys.compute(place, cell_size_m=2)


def test_a_simulation_that_ends_before_the_rain_or_the_river_says_so(valleys, valley):
    place, base = valley
    assert "The simulation ends" not in text_of(base)
    short = valleys.compute(place, simulation_h=0.5)
    assert "ends after 0.5 h, rain or inflows after 1 h" in text_of(short)
    assert "finit après 0,50 h" in text_of(short, "fr")
    flow = pd.DataFrame(
        {
            "site": "upstream", "x": 300_002.5, "y": 5_700_000 - 20.5 * 5,
            "time_min": [0, 150], "discharge_m3_s": 0.1,
        }
    )  # fmt: skip
    river = valleys.territory(roles={"inflows": (flow, {})})
    late = valleys.compute(river, simulation_h=2, return_periods_years=[100], rain_mm=[50])
    assert "ends after 2 h, rain or inflows after 2.5 h" in text_of(late)
    assert "return periods are of rain alone" in text_of(late)
    assert "The climate factor multiplies rain; what the rivers bring stays" in text_of(late)
    for words in ("of rain alone", "what the rivers bring stays"):
        assert words not in text_of(base)


def test_basins_without_room_are_told(valleys, valley):
    place, base = valley
    assert "Open ground was found" not in text_of(base)
    large = valleys.compute(
        place, basin_volume_m3=120_000, return_periods_years=[100], rain_mm=[50], simulation_h=1
    )
    assert "Open ground was found for 0 of 5 retention basins" in text_of(large)
    table = large.tables["scenarios"].set_index("scenario")
    assert table.loc["retention", "storage_m3"] == table.loc["retention", "change_m2"] == 0


def test_too_little_memory_is_refused_before_the_start(valleys, valley, monkeypatch):
    place, _ = valley
    monkeypatch.setattr(grounds, "memory_limit", lambda: 300_000.0)
    with pytest.raises(RunError, match=r"40 x 60 cells.*cell_size_m to \d+ m or more") as found:
        valleys.compute(place)
    enough = float(str(found.value).split("set cell_size_m to ")[1].split(" m")[0])
    rows, columns = np.ceil(40 * 5 / enough), np.ceil(60 * 5 / enough)
    needed = grounds.memory_needed((int(rows), int(columns)), scheme="inertial", snapshots=48)
    assert needed + grounds.BYTES_PER_CELL * rows * columns <= 300_000


def test_lists_that_do_not_belong_together_are_refused(valleys, valley):
    place, _ = valley
    for given, words in (
        ({"rain_mm": [10, 20]}, "rain_mm holds 2 depths for 6"),
        ({"montana_a": [5.0], "montana_b": [0.5]}, "montana_a has 1 values"),
        ({"design_return_period_years": 30}, "none of return_periods_years"),
        ({"return_periods_years": [100, 10], "rain_mm": [50, 30]}, "from frequent to rare"),
        ({"intense_duration_min": 60}, "must be below rain_duration_min"),
    ):
        with pytest.raises(ParameterError, match=words):
            valleys.compute(place, **given)


def test_every_table_of_the_manifest_names_its_columns(valleys, valley, london):
    for result in (valley[1], london):
        for key, table in result.tables.items():
            assert isinstance(table, pd.DataFrame)
            told = set(valleys.case.tables[key].spec["columns"])
            assert set(table.columns) <= told, key
