"""What each source of a flood run does to the result, and how unfit ones are refused."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from ldt_toolbox.errors import CRSError, DataError, ParameterError
from ldt_toolbox.flood import steps, tables
from ldt_toolbox.flood.damage import damaged_share
from ldt_toolbox.flood.flooding import inflows_of
from ldt_toolbox.space.paint import paint
from made_valley import CELL, COLUMNS, EPSG, NORTH, ONE_STORM, ROWS, WEST, houses

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


def levels():
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    z = 50 - 0.01 * CELL * columns + 0.05 * CELL * np.abs(rows - ROWS / 2)
    return z.astype(np.float32)


def boxes(*sides, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(*s) for s in sides], crs=EPSG)


def words(result):
    return " ".join(note.text["en"] for note in result.notes)


def event(valleys, place, **given):
    """Ground, storm and simulated event, without the rest."""
    parameters = valleys.parameters(place, **(ONE_STORM | given))
    inputs = valleys.inputs(place)
    ground = steps.lay(inputs, parameters)
    rain = steps.rain(inputs, parameters)
    return ground, steps.event(inputs, ground, rain, parameters), rain


@pytest.fixture(scope="module")
def plain(valleys):
    place = valleys.territory(levels=levels())
    return event(valleys, place)


def test_land_below_zero_floods_like_the_same_land_above(valleys, plain):
    below = event(valleys, valleys.territory(levels=levels() - 64))[1]
    # 64 m is a power of two: only the rounding of the terrain's float32 differs, by 4e-6 m
    np.testing.assert_allclose(below.peaks.depth_m, plain[1].peaks.depth_m, atol=1e-3)


def test_void_inside_is_filled_if_small_and_kept_if_large(valleys, plain):
    holed = levels()
    holed[5:8, 10:13] = np.nan
    place = valleys.territory(levels=holed)
    ground, run, _ = event(valleys, place)
    assert ground.interpolated.sum() == 9
    # a plane goes on through the void; the fold of the valley is elsewhere
    np.testing.assert_allclose(ground.setup.elevation, levels(), atol=1e-4)
    np.testing.assert_allclose(run.peaks.depth_m, plain[1].peaks.depth_m, atol=1e-3)
    kept, run, _ = event(valleys, place, void_area_ha=0.001)
    assert kept.voids_kept == 1
    assert np.isnan(run.peaks.depth_m[6, 11])
    assert kept.inside.sum() == ROWS * COLUMNS - 9


def test_sea_is_a_way_out_and_never_flooded(valleys, plain):
    sea = boxes(
        (WEST + 50 * CELL, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH), **{"class": ["sea"]}
    )
    ground, run, _ = event(valleys, valleys.territory(levels=levels(), roles={"water": (sea, {})}))
    assert ground.sea[:, 50:].all()
    assert np.isnan(run.peaks.depth_m[:, 50:]).all()
    assert run.ledger.outflow > 0
    assert abs(run.ledger.relative_error) <= 1e-6


@pytest.mark.parametrize("case", ["geographic", "turned", "oblong"])
def test_other_grids_are_brought_onto_square_cells(valleys, plain, case):
    if case == "geographic":
        from rasterio.warp import calculate_default_transform, reproject

        t = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
        bounds = (WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
        there, width, height = calculate_default_transform(
            f"EPSG:{EPSG}", "EPSG:4326", COLUMNS, ROWS, *bounds
        )
        values = np.full((height, width), np.nan, np.float32)
        reproject(
            levels(), values, src_transform=t, src_crs=f"EPSG:{EPSG}", dst_transform=there,
            dst_crs="EPSG:4326", dst_nodata=np.nan,
        )  # fmt: skip
        place, said = valleys.territory(levels=values, transform=there, crs=4326), "reprojected"
    elif case == "turned":
        turned = Affine.translation(WEST, NORTH) @ Affine.rotation(10) @ Affine.scale(CELL, -CELL)
        place, said = valleys.territory(levels=levels(), transform=turned), "north-up"
    else:
        flat = Affine(CELL, 0, WEST, 0, -2 * CELL, NORTH)
        place, said = valleys.territory(levels=levels()[::2], transform=flat), "square cells"
    inputs = valleys.inputs(place)
    assert any(said in note.text["en"] for note in inputs.layers["terrain"].notes)
    ground, run, _ = event(valleys, place)
    assert ground.setup.cell_m == pytest.approx(CELL, rel=0.2)
    assert abs(run.ledger.relative_error) <= 1e-6


def test_terrain_without_unit_or_in_feet_is_refused(valleys):
    with pytest.raises(DataError, match="declares no unit"):
        valleys.inputs(valleys.territory(terrain={"unit": ""}))
    with pytest.raises(DataError, match="ft"):
        valleys.inputs(valleys.territory(terrain={"unit": "ft"}))


def test_geographic_territory_is_refused(valleys):
    place = valleys.territory()
    text = place.path.read_text(encoding="utf-8").replace(f"crs: EPSG:{EPSG}", "crs: EPSG:4326")
    place.path.write_text(text, encoding="utf-8")
    with pytest.raises((CRSError, ValueError), match="not projected"):
        type(place).read(place.path)


def test_culverts_open_an_embankment_and_those_off_the_terrain_are_told(valleys):
    """A bank of 3 m across the valley; the sea begins at its foot."""
    bank = levels()
    bank[:, 40:42] += 3.0
    y, end = NORTH - 20.5 * CELL, WEST + COLUMNS * CELL
    lines = gpd.GeoDataFrame(
        geometry=[
            shapely.LineString([(WEST + 38.5 * CELL, y), (WEST + 46.5 * CELL, y)]),  # into the sea
            shapely.LineString([(end - 2 * CELL, y), (end + 5 * CELL, y)]),
        ],
        crs=EPSG,
    )
    sea = boxes((WEST + 44 * CELL, NORTH - ROWS * CELL, end, NORTH), **{"class": ["sea"]})
    roles = {"water": (sea, {})}
    shut, dammed, _ = event(valleys, valleys.territory(levels=bank, roles=roles))
    place = valleys.territory(levels=bank, roles=roles | {"culverts": (lines, {})})
    ground, run, _ = event(valleys, place)
    assert shut.culverts_left_out == 0
    assert ground.culverts_left_out == 1
    cut = ground.setup.elevation[20, 38:44]
    assert (np.diff(cut) <= 1e-6).all(), "falls to the sea"
    assert run.peaks.depth_m[20, 38] < dammed.peaks.depth_m[20, 38] - 0.2
    assert run.ledger.outflow > dammed.ledger.outflow
    assert "Culverts left out: 1, which begin or end where" in words(
        valleys.compute(place, **ONE_STORM)
    )


def test_official_depth_of_one_metre_costs_its_share_of_every_building(valleys):
    roles = {
        f"hazard_depth_{t}": (np.full((ROWS, COLUMNS), depth), {"unit": "m"})
        for t, depth in ((10, 0.0), (20, 0.05), (50, 0.5), (100, 1.0), (500, 2.0))
    }
    place = valleys.territory(roles=roles)
    result = valleys.compute(place, **ONE_STORM)
    table = result.tables["return_periods"].set_index("source").loc["official"]
    footprints = {"residential": 3 * 225, "commercial": 225, "industrial": 225}
    for row in table.to_dict("records"):
        depth = {10: 0.0, 20: 0.0, 50: 0.5, 100: 1.0, 500: 2.0}[row["return_period_years"]]
        by_hand = sum(float(damaged_share(depth, c)) * m2 for c, m2 in footprints.items())
        assert row["damaged_m2"] == pytest.approx(by_hand, rel=1e-6)
    # five return periods of the official maps make a mean, one simulated one does not
    damage = table["damaged_m2"].to_numpy()
    chance = 1 / table["return_period_years"].to_numpy()
    mean = -np.trapezoid(damage, chance) + chance[-1] * damage[-1]
    assert result.indicators["annual_damaged_area"].value == pytest.approx(mean, rel=1e-9)
    assert np.nanmax(result.layers["official_depth"].values) == 2.0


def test_official_map_on_which_nothing_floods_costs_nothing(valleys):
    """Frequent floods leave a whole territory dry; the JRC's maps have no value there."""
    roles = {
        f"hazard_depth_{t}": (np.full((ROWS, COLUMNS), depth), {"unit": "m"})
        for t, depth in ((10, np.nan), (100, 1.0))
    }
    result = valleys.compute(valleys.territory(roles=roles), **ONE_STORM)
    table = result.tables["return_periods"].set_index(["source", "return_period_years"])
    assert table.loc[("official", 10), "damaged_m2"] == 0
    assert table.loc[("official", 100), "damaged_m2"] > 0


def test_official_depth_with_no_or_another_unit_is_refused(valleys):
    one = np.ones((ROWS, COLUMNS))
    with pytest.raises(DataError, match="declares no unit"):
        valleys.inputs(valleys.territory(roles={"hazard_depth_100": (one, {})}))
    with pytest.raises(DataError, match=r"unit: cm"):
        valleys.inputs(valleys.territory(roles={"hazard_depth_100": (one, {"unit": "cm"})}))
    place = valleys.territory(roles={"hazard_depth_100": (150 * one, {"unit": "m"})})
    with pytest.raises(DataError, match="is it in centimetres"):
        valleys.compute(place, **ONE_STORM)


def test_flood_zones_count_with_the_middle_of_their_deepest_class(valleys):
    whole = (WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
    zones = boxes(
        whole, whole, return_period_years=[100, 100], depth_low_m=[1.0, 0.0],
        depth_high_m=[2.0, 0.5],
    )  # fmt: skip
    place = valleys.territory(roles={"flood_zones": (zones, {})})
    result = valleys.compute(place, **ONE_STORM)
    row = result.tables["return_periods"].set_index("source").loc["official"]
    share = {c: float(damaged_share(1.5, c)) for c in ("residential", "commercial", "industrial")}
    by_hand = 225 * (3 * share["residential"] + share["commercial"] + share["industrial"])
    assert row["damaged_m2"] == pytest.approx(by_hand, rel=1e-6)
    swapped = zones.assign(depth_low_m=3.0)
    place = valleys.territory(roles={"flood_zones": (swapped, {})})
    with pytest.raises(DataError, match="are they swapped"):
        valleys.compute(place, **ONE_STORM)


def test_observation_equal_to_the_model_has_full_marks(valleys, plain):
    run = plain[1]
    rows, columns = np.nonzero(run.peaks.depth_m > 0.1)
    x, y = WEST + CELL * columns, NORTH - CELL * rows
    seen = gpd.GeoDataFrame(
        geometry=[shapely.union_all(shapely.box(x, y - CELL, x + CELL, y))], crs=EPSG
    )
    deep = np.argsort(-run.peaks.depth_m[rows, columns])[:3]
    marks = gpd.GeoDataFrame(
        {"depth_m": run.peaks.depth_m[rows[deep], columns[deep]] - 0.25},
        geometry=gpd.points_from_xy(x[deep] + 2.5, y[deep] - 2.5),
        crs=EPSG,
    )
    roles = {"observed_extent": (seen, {}), "flood_marks": (marks, {})}
    result = valleys.compute(valleys.territory(levels=levels(), roles=roles), **ONE_STORM)
    assert result.indicators["critical_success_index"].value == 1
    assert result.indicators["hit_rate"].value == 100
    assert result.indicators["false_alarm_ratio"].value == 0
    # the model stands a quarter of a metre above each mark
    assert result.indicators["mark_bias"].value == pytest.approx(0.25, abs=1e-5)
    assert result.indicators["mark_rmse"].value == pytest.approx(0.25, abs=1e-5)
    assert "design storm, not with the rain" in words(result)
    assert "nothing here is validated" not in words(result)


def test_marks_by_level_and_by_depth_are_compared_each_with_its_own(valleys, plain):
    ground, run, _ = plain
    peak, level = run.peaks.depth_m, run.peaks.depth_m + ground.setup.elevation
    rows, columns = np.nonzero(peak > 0.1)
    deep = np.argsort(-peak[rows, columns])[:4]
    at = rows[deep], columns[deep]
    marks = gpd.GeoDataFrame(
        {
            "name": ["by level", "by depth", "by both", "blank"],
            "level_m": [level[at][0] - 0.3, np.nan, level[at][2] + 0.1, np.nan],
            # where both are told, the level counts: it needs no ground
            "depth_m": [np.nan, peak[at][1] - 0.5, 9.0, np.nan],
        },
        geometry=gpd.points_from_xy(
            WEST + CELL * (at[1] + 0.5), NORTH - CELL * (at[0] + 0.5)
        ),
        crs=EPSG,
    )  # fmt: skip
    place = valleys.territory(levels=levels(), roles={"flood_marks": (marks, {})})
    result = valleys.compute(place, **ONE_STORM)
    table = result.tables["flood_marks"].set_index("name")["difference_m"]
    assert list(table.index) == ["by level", "by depth", "by both"]
    assert table.to_list() == pytest.approx([0.3, 0.5, -0.1], abs=1e-5)
    assert result.indicators["mark_rmse"].value == pytest.approx(
        np.sqrt(np.mean([0.3**2, 0.5**2, 0.1**2])), abs=1e-5
    )
    assert "1 of 4 high-water marks tell neither" in words(result)
    empty = marks.assign(level_m=np.nan, depth_m=np.nan)
    place = valleys.territory(levels=levels(), roles={"flood_marks": (empty, {})})
    with pytest.raises(DataError, match="flood_marks: give level_m"):
        valleys.compute(place, **ONE_STORM)


def test_permanent_water_is_no_hit(valleys, plain):
    """A pond that is wet in model and observation alike says nothing of the model."""
    run = plain[1]
    wet = run.peaks.depth_m > 0.1
    row, column = np.unravel_index(np.nanargmax(run.peaks.depth_m), wet.shape)
    x, y = WEST + CELL * column, NORTH - CELL * row
    pond = boxes((x - CELL, y - 2 * CELL, x + 2 * CELL, y + CELL), **{"class": ["pool"]})
    dry = boxes((WEST, NORTH - 2 * CELL, WEST + 2 * CELL, NORTH))
    seen = gpd.GeoDataFrame(geometry=[*pond.geometry, *dry.geometry], crs=EPSG)
    roles = {"observed_extent": (seen, {})}
    alone = valleys.compute(valleys.territory(levels=levels(), roles=roles), **ONE_STORM)
    assert alone.indicators["hit_rate"].value > 0
    place = valleys.territory(levels=levels(), roles=roles | {"water": (pond, {})})
    assert valleys.compute(place, **ONE_STORM).indicators["hit_rate"].value == 0


def test_montana_rain_is_a_t_to_the_one_minus_b(valleys):
    place = valleys.territory()
    parameters = valleys.parameters(
        place, return_periods_years=[10, 100], montana_a=[5.0, 8.0], montana_b=[0.6, 0.55],
        hyetograph="chicago", rain_duration_min=90,
    )  # fmt: skip
    rain = steps.rain(valleys.inputs(place), parameters)
    assert rain.table["rain_mm"].tolist() == pytest.approx([5 * 90**0.4, 8 * 90**0.45])
    assert rain.event.total_mm == pytest.approx(8 * 90**0.45, rel=1e-9)
    assert rain.table["origin"].unique().tolist() == ["montana"]
    assert rain.notes == ()


def test_a_storm_of_four_hours_takes_its_intense_part_from_the_other_band(valleys):
    """Coefficients of 6 min to 2 h and of 2 to 24 h, as weather services print them."""
    place = valleys.territory()
    asked = {
        "return_periods_years": [10, 100], "rain_duration_min": 240, "intense_duration_min": 30,
        "montana_band_min": [6, 120, 1440], "montana_a": [5.0, 8.0, 9.0, 14.0],
        "montana_b": [0.6, 0.55, 0.72, 0.67],
    }  # fmt: skip
    rain = steps.rain(valleys.inputs(place), valleys.parameters(place, **asked))
    assert rain.table["rain_mm"].tolist() == pytest.approx([9 * 240**0.28, 14 * 240**0.33])
    storm = rain.event
    minutes = storm.start_s / 60
    intense = storm.depth_mm[(minutes >= 105) & (minutes < 135)].sum()
    assert intense == pytest.approx(8 * 30**0.45, rel=1e-9)
    assert storm.total_mm == pytest.approx(14 * 240**0.33, rel=1e-9)
    for wrong, words in (
        ({"montana_band_min": [6, 120, 60]}, "rising, such as"),
        ({"montana_band_min": [6]}, "rising, such as"),
        ({"montana_band_min": [6, 1440]}, "montana_a has 4 values.*1 bands"),
    ):
        with pytest.raises(ParameterError, match=words):
            steps.rain(valleys.inputs(place), valleys.parameters(place, **(asked | wrong)))


def test_record_of_rain_gives_levels_and_refuses_what_it_cannot_tell(valleys):
    random = np.random.default_rng(5)
    times = pd.date_range("2000-01-01", "2012-01-01", freq="15min", tz="UTC", inclusive="left")
    mm = np.where(random.random(len(times)) < 0.01, random.gamma(1.0, 2.0, len(times)), 0.0)
    record = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%SZ"), "rain_mm": mm})
    place = valleys.territory(roles={"rain_series": (record, {})})
    inputs = valleys.inputs(place)
    found = steps.rain(
        inputs, valleys.parameters(place, return_periods_years=[5, 40],
                                   design_return_period_years=40),
    )  # fmt: skip
    assert found.table["origin"].unique().tolist() == ["series"]
    assert (found.table["low_mm"] < found.table["rain_mm"]).all()
    assert (found.table["rain_mm"] < found.table["high_mm"]).all()
    assert found.event.total_mm == pytest.approx(found.table["rain_mm"].iloc[1], rel=1e-9)
    with pytest.raises(ParameterError, match=r"50 years cannot be told from 12 years"):
        steps.rain(inputs, valleys.parameters(place, return_periods_years=[5, 50],
                                              design_return_period_years=50))  # fmt: skip


def test_observed_event_and_inflow_bring_their_volumes(valleys):
    storm = pd.DataFrame({"time_min": [0, 30, 60], "rain_mm_h": [20.0, 40.0, 0.0]})
    flow = pd.DataFrame(
        {
            "site": "upstream", "x": WEST + 2.5, "y": NORTH - 20.5 * CELL,
            "time_min": [0, 30, 60], "discharge_m3_s": [0.0, 2.0, 0.0],
        }
    )  # fmt: skip
    place = valleys.territory(
        levels=levels(), roles={"rain_event": (storm, {}), "inflows": (flow, {})}
    )
    ground, run, rain = event(valleys, place)
    assert rain.observed
    assert rain.event.total_mm == pytest.approx(30)
    # a triangle of 2 m3/s over an hour; steps of up to 5 s cut its corners
    assert run.ledger.inflow == pytest.approx(3600, rel=1e-3)
    assert abs(run.ledger.relative_error) <= 1e-6
    result = valleys.compute(place, **ONE_STORM)
    assert "the observed event (30 mm)" in result.answer["en"]
    assert "rivers bring from outside" not in result.answer["en"]
    with pytest.raises(DataError, match=r"site `upstream` .* outside the terrain"):
        inflows_of(flow.assign(x=WEST - 500), ground.grid, ground.setup.elevation)


def test_rain_and_rivers_of_an_event_are_on_one_clock(valleys):
    """Rain from the twentieth minute on falls after a river that has come in since the first."""
    storm = pd.DataFrame({"time_min": [20, 40], "rain_mm_h": [60.0, 0.0]})
    flow = pd.DataFrame(
        {
            "site": "upstream", "x": WEST + 2.5, "y": NORTH - 20.5 * CELL,
            "time_min": [0, 60], "discharge_m3_s": [0.5, 0.5],
        }
    )  # fmt: skip
    place = valleys.territory(
        levels=levels(), roles={"rain_event": (storm, {}), "inflows": (flow, {})}
    )
    _, run, rain = event(valleys, place, simulation_h=0.3)
    assert rain.event.start_s[0] == 1200
    assert rain.event.total_mm == pytest.approx(20)
    assert run.ledger.rain == 0, "18 minutes"
    assert run.ledger.inflow > 0
    _, run, _ = event(valleys, place, simulation_h=0.5)
    assert run.ledger.rain > 0
    early = valleys.territory(roles={"rain_event": (storm.assign(time_min=[-5, 40]), {})})
    with pytest.raises(DataError, match=r"first time is -5 min.*as in inflows"):
        event(valleys, early)


def test_a_width_of_one_site_leaves_the_others_at_their_cell(valleys, plain):
    ground = plain[0]
    flow = pd.DataFrame(
        {
            "site": ["wide", "narrow"], "x": WEST + 20 * CELL, "y": NORTH - 20.5 * CELL,
            "time_min": 0, "discharge_m3_s": 1.0, "width_m": [6 * CELL, np.nan],
        }
    )  # fmt: skip
    narrow, wide = inflows_of(flow, ground.grid, ground.setup.elevation)
    assert len(narrow.rows) == 1
    # a disc of 6 cells across, 9 pi = 28 of them in area
    assert len(wide.rows) == pytest.approx(9 * np.pi, abs=4)
    for wrong in (flow.assign(x=[WEST, np.nan]), flow.assign(site="both", x=[WEST, WEST + CELL])):
        with pytest.raises(DataError, match="has no place or several"):
            inflows_of(wrong, ground.grid, ground.setup.elevation)


def test_basin_and_wall_of_the_scenario_keep_water_away(valleys, plain):
    ground = plain[0]
    # a wall right across the valley, upstream of the third house
    x = WEST + 45.5 * CELL
    walls = gpd.GeoDataFrame(
        {"height_m": [4.0]},
        geometry=[shapely.LineString([(x, NORTH), (x, NORTH - ROWS * CELL)])],
        crs=EPSG,
    )
    box = (WEST + 40 * CELL, NORTH - 22 * CELL, WEST + 43 * CELL, NORTH - 19 * CELL)
    basin = boxes(box, volume_m3=[500.0])
    place = valleys.territory(
        levels=levels(), roles={"walls": (walls, {}), "retention_basins": (basin, {})}
    )
    result = valleys.compute(place, depave_share=0, sewer_extra_mm_h=0, **ONE_STORM)
    table = result.tables["scenarios"].set_index("scenario")
    assert table.loc["retention", "storage_m3"] == 500
    assert list(table.index)[:5] == ["today", "depaving", "retention", "sewers", "wall"]
    change = result.layers["scenario_change"].values
    below = np.zeros(change.shape, bool)
    below[18:23, 47:] = True
    assert np.nanmin(change[below]) < -0.05, "less water below the wall"
    mask = np.zeros(change.shape, np.uint8)
    paint([(walls.buffer(3 * CELL).iloc[0], 1)], ground.grid, out=mask)
    assert np.nanmax(change[(mask == 1) & ~below]) > 0, "more water before it"


def test_residents_are_spread_and_counted(valleys):
    west, east = WEST + 40 * CELL, WEST + COLUMNS * CELL
    areas = boxes(
        (WEST, NORTH - ROWS * CELL, west, NORTH), (west, NORTH - ROWS * CELL, east, NORTH),
        population=[60, 40],
    )  # fmt: skip
    place = valleys.territory(roles={"population": (areas, {})})
    result = valleys.compute(place, **ONE_STORM)
    agirisk = result.tables["agirisk"].set_index("indicator")
    # the eastern area holds a warehouse only: its people live nowhere
    assert "40 residents of areas without a building" in words(result)
    assert agirisk.loc["population", "total"] == pytest.approx(60)
    wet = result.layers["buildings"]
    assert result.indicators["people_wet"].value == pytest.approx(
        wet.loc[wet["wet"], "people"].sum()
    )
    assert agirisk.loc["population", "value"] == pytest.approx(
        result.indicators["people_wet"].value
    )
    # storeys of the houses are told: 1, 1 and 2 floors, 60 people over 4 floors of 225 m2
    assert agirisk.loc["population_ground_floor", "total"] == pytest.approx(45)
    assert agirisk.loc["jobs", "state"] == "not counted"
    assert agirisk.loc["population", "state"] == "counted"
    blank = houses().assign(levels=[1, None, 3, 1, 2])
    place = valleys.territory(roles={"population": (areas, {}), "buildings": (blank, {})})
    part = valleys.compute(place, **ONE_STORM).tables["agirisk"].set_index("indicator")
    assert part.loc["population", "state"] == "counted"
    floor = part.loc["population_ground_floor"]
    assert floor["state"] == "counted in part"
    deeper = result.tables["people_by_depth"].set_index("depth_m")["people"]
    assert deeper.index.tolist() == [0.1, 0.3, 0.5]
    for limit, people in deeper.items():
        # depths of the layer are written to the millimetre
        assert people == pytest.approx(wet.loc[wet["depth_m"] > limit, "people"].sum())
    assert deeper[0.1] == pytest.approx(result.indicators["people_wet"].value)


@pytest.mark.parametrize("kind", ["polygons", "raster"])
def test_farmland_is_counted_under_its_own_name_or_a_translated_one(valleys, kind):
    """The western half is fields, 1 ha of it under a metre of water."""
    codes = np.full((ROWS, COLUMNS), 10)
    codes[:, :30] = 40
    told = {"classes": {10: "grass", 40: "farmland"}}
    cover = (codes, told)
    if kind == "polygons":
        middle, south = WEST + 30 * CELL, NORTH - ROWS * CELL
        halves = boxes(
            (WEST, south, middle, NORTH), (middle, south, WEST + COLUMNS * CELL, NORTH),
            **{"class": ["40", "10"]},
        )  # fmt: skip
        cover = (halves, told)
    place = valleys.territory(levels=levels(), roles={"land_cover": cover})
    inputs, parameters = valleys.inputs(place), valleys.parameters(place, **ONE_STORM)
    ground = steps.lay(inputs, parameters)
    run = steps.event(inputs, ground, steps.rain(inputs, parameters), parameters)
    run.peaks.depth_m[:] = 0
    run.peaks.depth_m[10:30, 10:30] = 1.0
    town = steps.town(inputs, parameters)
    hit = steps.hit(run, ground, town, parameters)
    table = tables.agirisk(town, hit, ground, inputs, run, parameters).set_index("indicator")
    field = table.loc["flooded_farmland"]
    assert field["state"] == "counted"
    assert field["total"] == pytest.approx(ROWS * 30 * CELL**2 / 1e4)
    assert field["value"] == pytest.approx(20 * 20 * CELL**2 / 1e4)


def test_unknown_land_cover_is_refused_and_known_one_runs_off_less(valleys, plain):
    whole = (WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
    wood = boxes(whole, **{"class": ["wood"]})
    place = valleys.territory(levels=levels(), roles={"land_cover": (wood, {})})
    _, run, _ = event(valleys, place)
    assert run.ledger.rain < plain[1].ledger.rain
    odd = valleys.territory(roles={"land_cover": (wood.assign(**{"class": "lava"}), {})})
    with pytest.raises(DataError, match="land_cover has `lava`"):
        event(valleys, odd)
    told = {"classes": {"lava": "bare_rock"}}
    there = valleys.territory(roles={"land_cover": (wood.assign(**{"class": "lava"}), told)})
    assert event(valleys, there)[1].ledger.rain > plain[1].ledger.rain


def test_constant_losses_by_land_cover_take_their_rate_and_no_curve_number(valleys):
    middle = WEST + 30 * CELL
    halves = boxes(
        (WEST, NORTH - ROWS * CELL, middle, NORTH),
        (middle, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH),
        **{"class": ["grass", "grass"], "loss_mm_h": [8.0, np.nan]},
    )
    place = valleys.territory(levels=levels(), roles={"land_cover": (halves, {})})
    shower = {"rain_mm": [30], "hyetograph": "uniform", "simulation_h": 1, "edges": "closed"}
    ground, run, _ = event(valleys, place, **shower)
    bare = ground.setup.built == 0
    left, right = bare.copy(), bare.copy()
    left[:, 30:], right[:, :30] = False, False
    assert (ground.setup.loss_mm_h[left] == 8).all()
    assert (ground.setup.curve_number[left] == 100).all()
    assert (ground.setup.loss_mm_h[right] == 0).all()
    assert (ground.setup.curve_number[right] == 74).all(), "a lawn on soil of group C"
    # it rains at 30 mm/h throughout, so that the whole hour's loss is taken; rates are float32
    by_hand = ground.setup.loss_mm_h.sum(dtype=np.float64) / 1000 * CELL**2
    assert run.ledger.losses == pytest.approx(by_hand, rel=1e-4)
    assert abs(run.ledger.relative_error) <= 1e-6
    wrong = halves.assign(loss_mm_h=-1.0)
    with pytest.raises(DataError, match="loss_mm_h is -1 somewhere"):
        event(valleys, valleys.territory(roles={"land_cover": (wrong, {})}), **shower)
