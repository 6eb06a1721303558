import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.agirisk import agirisk_indicators
from ldt_toolbox.space.raster import Raster
from pyproj import CRS
from shapely.geometry import box

UTM = CRS.from_epsg(32631)
TOWN = pd.DataFrame(
    {
        "people": [4.0, 30.0, 6.0, 2.0],
        "storeys": [1.0, 3.0, 2.0, 1.0],
        "elderly": [1.0, 6.0, 0.0, 1.0],
        "dwellings": [1.0, 12.0, 3.0, 1.0],
        "jobs": [0.0, 5.0, 20.0, 0.0],
        "class": ["residential", "residential", "commercial", "residential"],
        "damage_eur": [1000.0, 5000.0, 9000.0, np.nan],
    },
    index=["a", "b", "c", "d"],
)
DEPTH = pd.Series([0.5, 0.2, 0.05, np.nan], TOWN.index)


def test_indicators_by_hand() -> None:
    found = agirisk_indicators(TOWN, DEPTH)
    expected = {
        "population": (34, 42), "population_single_storey": (4, 6),
        "population_ground_floor": (4 + 10, 4 + 10 + 3 + 2), "elderly": (7, 8),
        "dwellings": (13, 17), "jobs": (5, 25),
    }  # fmt: skip
    for name, (value, total) in expected.items():
        assert (found.loc[name, "value"], found.loc[name, "total"]) == (value, total), name
        assert found.loc[name, "share"] == pytest.approx(value / total)
    assert found.loc["damage_dwellings", "value"] == 6000
    assert "2 people where no depth is known" in found.loc["population", "note"]
    # of d, whose depth is not known: 2 people, one of them old, one dwelling; no damage
    unknown = found.loc[list(expected), "unknown"].to_list()
    assert unknown == [2, 2, 2, 1, 1, 0]
    assert np.isnan(found.loc["damage_dwellings", "unknown"])
    assert "1 residential buildings" in found.loc["damage_dwellings", "note"]
    assert list(found["unit"][:7]) == ["people"] * 4 + ["dwellings", "jobs", "EUR"]


def test_what_cannot_be_counted_says_why() -> None:
    found = agirisk_indicators(TOWN[["people"]], DEPTH)
    assert found.loc["population", "value"] == 34
    for name, word in {
        "elderly": "column elderly", "jobs": "jobs", "dwellings": "dwellings",
        "population_single_storey": "storeys", "population_ground_floor": "storeys",
        "damage_dwellings": "damage_eur", "damage_crops": "farmland", "flooded_farmland": "depth",
    }.items():  # fmt: skip
        assert np.isnan(found.loc[name, "value"]), name
        assert word in found.loc[name, "note"], name


def test_storeys_that_are_missing_are_told() -> None:
    town = TOWN.assign(storeys=[1.0, np.nan, 2.0, 1.0])
    found = agirisk_indicators(town, DEPTH)
    assert found.loc["population_single_storey", "value"] == 4
    assert "1 buildings without a number" in found.loc["population_ground_floor", "note"]
    # 30 people in b, whose storeys nobody tells, and those of d, whose depth is not known
    assert found.loc["population_ground_floor", "unknown"] == 32
    assert found.loc["population_single_storey", "unknown"] == 32
    jobs = agirisk_indicators(TOWN.assign(jobs=[0.0, np.nan, 20.0, 0.0]), DEPTH)
    assert np.isnan(jobs.loc["jobs", "unknown"]), "how many jobs nobody knows"


def test_fields_count_once_by_exact_area() -> None:
    values = np.zeros((4, 4))
    values[:, :2] = 0.5  # west half
    values[0, 3] = np.nan
    depth = Raster(values, Affine(100, 0, 0, 0, -100, 400), UTM, "m")
    fields = gpd.GeoDataFrame(geometry=[box(150, 0, 350, 400), box(150, 0, 250, 100)], crs=UTM)
    found = agirisk_indicators(TOWN, DEPTH, farmland=fields, depth=depth, crop_value_eur_m2=0.5)
    row = found.loc["flooded_farmland"]
    assert (row["value"], row["total"], row["unit"]) == (pytest.approx(2), pytest.approx(8), "ha")
    assert "0.5 ha where no depth is known" in row["note"]
    assert row["unknown"] == pytest.approx(0.5)
    assert found.loc["damage_crops", "unknown"] == pytest.approx(0.5 * 10_000 * 0.5)
    # 0.5 m: 0.30 of the crop's value on 20,000 m2
    assert found.loc["damage_crops", "value"] == pytest.approx(0.3 * 20_000 * 0.5)
    without = agirisk_indicators(TOWN, DEPTH, farmland=fields, depth=depth)
    assert "value of the crops" in without.loc["damage_crops", "note"]
    assert without.loc["flooded_farmland", "value"] == pytest.approx(2)


def test_indexes_must_agree() -> None:
    with pytest.raises(DataError, match="align"):
        agirisk_indicators(TOWN, DEPTH.reset_index(drop=True))
