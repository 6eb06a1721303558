import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError, DataError, ParameterError
from ldt_toolbox.heat.heights import (
    HEIGHT_SOURCES,
    MAX_HEIGHT_M,
    imputation_summary,
    impute_heights,
    parse_height,
)
from shapely.geometry import Polygon, box


def houses(x, **columns):
    squares = [box(at - 5, -5, at + 5, 5) for at in x]
    return gpd.GeoDataFrame(columns, geometry=squares, crs="EPSG:32631")


@pytest.mark.parametrize(
    ("written", "metres"),
    [
        (12, 12),
        (12.5, 12.5),
        (np.float32(7.5), 7.5),
        (np.int64(3), 3),
        ("12", 12),
        (" 12 m ", 12),
        ("12m", 12),
        ("12 metres", 12),
        ("12,5", 12.5),
        ("12.5 M", 12.5),
        ("~12", 12),
        ("40 ft", 12.192),
        ("40'", 12.192),
        ("5'10\"", 1.778),
        ("3;4", 4),
        ("3; 4 m", 4),
        ("-3", -3),
        ("0", 0),
    ],
)
def test_parse_height_reads_what_people_write(written, metres):
    assert parse_height(written) == pytest.approx(metres, abs=1e-9)


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", ";", "high", "12-15", "1,234.5", "12 m 3", "3;x", "1e3", "nan", "2 storeys"),
        *(None, True, math.nan, math.inf, pd.NA, pd.NaT, [12], b"12", 10**400),
    ],
)
def test_parse_height_knows_what_is_no_height(written):
    assert math.isnan(parse_height(written))


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.binary(), st.booleans()))
def test_parse_height_never_raises(value):
    parsed = parse_height(value)
    assert isinstance(parsed, float)
    assert not math.isinf(parsed)


@given(st.floats(min_value=-1e6, max_value=1e6).map(lambda x: round(x, 3)))
def test_parse_height_reads_back_what_it_wrote(value):
    text = f"{value:.3f}"
    assert parse_height(text) == value
    assert parse_height(text.replace(".", ",") + " m") == value


def test_sources_in_their_order():
    frame = houses(
        [0, 20, 40, 60, 5000],
        height=["12 m", None, None, "-1", None],
        levels=[9, "3", None, None, None],
    )
    frame.index = list("abcde")
    result = impute_heights(frame, storey_height_m=3.5)
    assert result.index.tolist() == list("abcde")
    assert result["height_source"].tolist() == [
        "height",
        "levels",
        "neighbours",
        "neighbours",
        "default",
    ]
    # median of 12 and 3 x 3.5 = 10.5; the last house stands 5 km away
    assert result["height_m"].tolist() == [12, 10.5, 11.25, 11.25, 6]
    assert result["implausible"].tolist() == [False, False, False, True, False]


def test_implausible_heights_fall_back_on_levels():
    frame = houses([0, 20, 40], height=[0, 451, MAX_HEIGHT_M], levels=[2, 4, 1])
    result = impute_heights(frame)
    assert result["height_m"].tolist() == [6, 12, 450]
    assert result["height_source"].tolist() == ["levels", "levels", "height"]
    assert result["implausible"].sum() == 2


def test_only_the_nearest_within_reach_vote():
    frame = houses([0, 30, 60, 90, 120], height=[None, 10, 20, 40, 100])
    assert impute_heights(frame, neighbours=3).loc[0, "height_m"] == 20
    assert impute_heights(frame, neighbours=1).loc[0, "height_m"] == 10
    assert impute_heights(frame, neighbours=9, max_distance_m=70).loc[0, "height_m"] == 15
    # imputed heights do not vote: the fourth house is out of reach of every known one
    chain = houses([0, 90, 180], height=[10, None, None])
    assert impute_heights(chain)["height_source"].tolist() == ["height", "neighbours", "default"]


def test_neither_columns_nor_geometry():
    frame = gpd.GeoDataFrame(
        geometry=[box(0, 0, 1, 1), None, Polygon()], crs="EPSG:32631", index=[7, 8, 9]
    )
    result = impute_heights(frame, default_height_m=8)
    assert result["height_m"].tolist() == [8, 8, 8]
    assert impute_heights(frame.iloc[:0]).empty


def test_imputation_summary_adds_up():
    frame = houses([0, 20, 40, 5000], height=["9", None, None, "-4"], levels=[None, 2, None, None])
    heights = impute_heights(frame)
    area = pd.Series([100.0, 200.0, 300.0, 400.0])
    summary = imputation_summary(heights, area)
    assert summary.index.tolist() == list(HEIGHT_SOURCES)
    assert summary["floor_area_share"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert summary["buildings"].tolist() == [1, 1, 1, 1]
    assert summary["implausible"].tolist() == [0, 0, 0, 1]
    assert summary["floor_area_m2"].sum() == area.sum()
    with pytest.raises(DataError, match="1 floor areas are missing"):
        imputation_summary(heights, area.where(area < 400))
    with pytest.raises(DataError, match="different indexes"):
        imputation_summary(heights, area.iloc[::-1])


@pytest.mark.parametrize("crs", [None, "EPSG:4326", "EPSG:2263"])  # 2263 counts in US feet
def test_metres_are_needed(crs):
    frame = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=crs)
    with pytest.raises(CRSError, match=r"CRS|metres"):
        impute_heights(frame)


def test_parameters_have_ranges():
    with pytest.raises(ParameterError, match="storey_height_m is 0"):
        impute_heights(houses([0]), storey_height_m=0)
