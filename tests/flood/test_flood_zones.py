"""Official zones: classes of depth of a TRI by scenario, extents of a PPR that count people."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.zones import depths, return_periods
from made_valley import CELL, COLUMNS, EPSG, NORTH, ONE_STORM, ROWS, WEST

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


def band(from_row, to_row):
    """Rows of the valley as a polygon."""
    return shapely.box(WEST, NORTH - to_row * CELL, WEST + COLUMNS * CELL, NORTH - from_row * CELL)


def zones(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=EPSG)


def test_scenarios_of_a_tri_stand_for_return_periods_that_may_be_told_better():
    told = zones(
        [band(0, 1)] * 4, scenario=["01For", "02Moy", "03Mcc", "04Fai"],
        return_period_years=[np.nan, 150.0, np.nan, np.nan],
    )  # fmt: skip
    np.testing.assert_array_equal(return_periods(told), [20, 150, np.nan, 1000])
    np.testing.assert_array_equal(return_periods(told.drop(columns="scenario"))[1], 150)
    assert np.isnan(return_periods(told[["geometry"]])).all()


def test_depth_is_the_middle_of_the_class_and_the_lower_end_of_an_open_one():
    told = zones([band(0, 1)] * 3, depth_low_m=[0.5, 2.0, np.nan], depth_high_m=[1.0, np.nan, None])
    np.testing.assert_array_equal(depths(told), [0.75, 2.0, np.nan])
    for low, high in ((1.0, 0.5), (-1.0, 0.5), (np.nan, 0.5)):
        with pytest.raises(DataError, match="1 polygons lack depth_low_m"):
            depths(zones([band(0, 1)], depth_low_m=[low], depth_high_m=[high]))


def test_extents_of_a_ppr_count_buildings_and_residents_and_do_no_damage(valleys):
    # houses stand at rows 19, 19, 21, 11 and 1, each 15 m wide; the red zone ends within two
    ppr = zones([band(20, 40), band(10, 13), band(12, 13)], name=["red", "blue", "blue"])
    people = zones([band(0, ROWS)], population=[100.0])
    place = valleys.territory(roles={"flood_zones": (ppr, {}), "population": (people, {})})
    result = valleys.compute(place, **ONE_STORM)
    hit = result.tables["zones_hit"].set_index("zone")
    assert hit["buildings"].to_dict() == {"red": 3, "blue": 1}
    assert hit["return_period_years"].isna().all()
    assert hit.loc["blue", "area_ha"] == pytest.approx(3 * CELL * COLUMNS * CELL / 1e4)
    shares = result.layers["buildings"].set_index("id")["people"]
    # rows 20 to 22.5 of two houses whose middle is in row 19.5: a sixth; of the third all but a bit
    inside = (shares["h0"] + shares["h1"]) * 5 / 15 + shares["h2"] * 1.0
    assert hit.loc["red", "people"] == pytest.approx(inside, rel=1e-9)
    assert set(result.tables["return_periods"]["source"]) == {"simulated"}
    assert "official_depth" not in result.layers


def test_a_tri_by_scenario_gives_damage_by_return_period(valleys):
    whole = band(0, ROWS)
    tri = zones(
        [whole, whole, whole], scenario=["01For", "02Moy", "04Fai"],
        depth_low_m=[0.0, 0.5, 2.0], depth_high_m=[0.5, 1.0, np.nan],
    )  # fmt: skip
    place = valleys.territory(roles={"flood_zones": (tri, {})})
    table = valleys.compute(place, **ONE_STORM).tables["return_periods"]
    official = table[table["source"] == "official"]
    assert official["return_period_years"].tolist() == [20, 100, 1000]
    assert official["damaged_m2"].is_monotonic_increasing
    assert (official["buildings"] == 5).all()


def test_zones_of_a_later_climate_count_what_stands_in_them_only(valleys):
    whole = band(0, ROWS)
    tri = zones(
        [whole, whole, band(10, 13)], scenario=["02Moy", "03Mcc", "03Mcc"],
        depth_low_m=[0.5, 1.0, 2.0], depth_high_m=[1.0, 2.0, np.nan],
    )  # fmt: skip
    result = valleys.compute(valleys.territory(roles={"flood_zones": (tri, {})}), **ONE_STORM)
    table = result.tables["return_periods"].set_index("source")
    assert table.loc[["official"], "return_period_years"].tolist() == [100]
    assert np.nanmax(result.layers["official_depth"].values) == np.float32(0.75)
    assert result.tables["zones_hit"].set_index("zone")["buildings"].to_dict() == {
        "02Moy": 5, "03Mcc": 5
    }  # fmt: skip
    told = " ".join(note.text["en"] for note in result.notes)
    assert "2 flood zones are of a later climate (03Mcc)" in told
    # one whose return period is told counts like any other
    dated = tri.assign(return_period_years=[np.nan, 300, 300])
    result = valleys.compute(valleys.territory(roles={"flood_zones": (dated, {})}), **ONE_STORM)
    table = result.tables["return_periods"].set_index("source")
    assert table.loc["official", "return_period_years"].tolist() == [100, 300]
    assert "later climate" not in " ".join(note.text["en"] for note in result.notes)


def test_a_depth_without_return_period_is_refused(valleys):
    bare = zones([band(0, ROWS)], depth_low_m=[0.0], depth_high_m=[0.5])
    place = valleys.territory(roles={"flood_zones": (bare, {})})
    with pytest.raises(DataError, match="neither return_period_years nor a scenario"):
        valleys.compute(place, **ONE_STORM)


def test_zones_that_touch_no_building_are_listed_with_none(valleys):
    far = zones([band(35, 38)], name=["meadow"])
    result = valleys.compute(valleys.territory(roles={"flood_zones": (far, {})}), **ONE_STORM)
    table = result.tables["zones_hit"]
    assert isinstance(table, pd.DataFrame)
    assert table[["zone", "buildings"]].to_numpy().tolist() == [["meadow", 0]]
    assert "people" not in table
