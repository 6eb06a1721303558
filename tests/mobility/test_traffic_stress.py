"""Level of traffic stress: the cells of the tables that a street map can tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import MissingColumnError
from ldt_toolbox.mobility.network import build_network
from ldt_toolbox.mobility.traffic_stress import ASSUMED_KMH, traffic_stress
from street_traps import bundled

KMH = {"25 mph": 40.0, "30 mph": 48.0, "35 mph": 56.0, "40 mph": 64.0}


def level(kind, lanes=np.nan, kmh=np.nan, cycleway=None, *, one_way=False):
    street = pd.DataFrame(
        {"class": [kind], "lanes": [lanes], "maxspeed_kmh": [kmh], "cycleway": [cycleway],
         "one_way": [one_way]}
    )  # fmt: skip
    return traffic_stress(street)["level"].iloc[0]


@pytest.mark.parametrize(("lanes", "expected"), [(2, (1, 2, 4)), (4, (3, 4, 4)), (6, (4, 4, 4))])
def test_mixed_traffic_on_residential_streets(lanes, expected):
    """Rows of table 4: up to 25 mph, 30 mph, 35 mph and more."""
    found = [level("residential", lanes, KMH[mph]) for mph in ("25 mph", "30 mph", "35 mph")]
    assert tuple(found) == expected


def test_main_roads_in_mixed_traffic_are_a_level_worse():
    assert [level("secondary", 2, KMH[mph]) for mph in ("25 mph", "30 mph", "35 mph")] == [2, 3, 4]


@pytest.mark.parametrize(
    ("lanes", "mph", "expected"),
    [(2, "30 mph", 1), (3, "30 mph", 1), (4, "30 mph", 3), (6, "25 mph", 3), (2, "35 mph", 3),
     (2, "40 mph", 4)],
)  # fmt: skip
def test_bike_lanes(lanes, mph, expected):
    """Table 3 without a raised median: one lane a direction or more, and the speed limit."""
    assert level("secondary", lanes, KMH[mph], "lane") == expected


def test_lanes_of_a_one_way_street_are_those_of_one_direction():
    for kind, lanes, mph in (("residential", 1, "25 mph"), ("secondary", 2, "25 mph"),
                             ("secondary", 2, "30 mph"), ("primary", 3, "25 mph")):  # fmt: skip
        both_ways = level(kind, 2 * lanes, KMH[mph])
        assert level(kind, lanes, KMH[mph], one_way=True) == both_ways
    assert level("tertiary", np.nan, 30, one_way=True) == level("tertiary", np.nan, 30)
    # bike lanes: nobody comes the other way
    found = [level("secondary", n, KMH["30 mph"], "lane", one_way=True) for n in (1, 2, 3)]
    assert found == [1, 2, 3]


def test_halves_of_wide_streets_are_not_calm():
    edges = build_network(bundled("helsinki-centre"), mode="bike").edges
    rated = traffic_stress(edges)
    half = edges["name"].eq("Mannerheimintie") & edges["one_way"] & edges["lanes"].ge(2)
    alone = half & edges["cycleway"].isna()
    assert alone.sum() > 10
    assert rated.loc[alone, "level"].min() == 3
    assert set(rated.loc[half & edges["cycleway"].eq("lane"), "level"]) <= {2, 3}


@given(
    st.sampled_from(sorted(ASSUMED_KMH)), st.integers(1, 8), st.floats(5, 130),
    st.sampled_from(["lane", None]),
)  # fmt: skip
def test_more_lanes_or_speed_are_never_calmer_and_a_lane_never_worse(kind, lanes, kmh, cycleway):
    here = level(kind, lanes, kmh, cycleway)
    assert level(kind, lanes + 1, kmh, cycleway) >= here
    assert level(kind, lanes, kmh + 10, cycleway) >= here
    assert level(kind, lanes, kmh, "lane") <= level(kind, lanes, kmh)


def test_away_from_cars_and_closed():
    assert level("cycleway") == level("primary", 4, 90, "track") == 1
    assert level("motorway") is pd.NA
    assert level("steps") is pd.NA


def test_what_is_assumed_is_told():
    table = traffic_stress(
        pd.DataFrame({"class": ["residential", "primary", "cycleway"], "lanes": [2, np.nan, np.nan],
                      "maxspeed_kmh": [30, np.nan, np.nan]})
    )  # fmt: skip
    assert table["speed_assumed"].tolist() == [False, True, False]
    assert table["lanes_assumed"].tolist() == [False, True, False]
    assert table["reason"].tolist() == ["mixed traffic", "mixed traffic", "away from cars"]
    with pytest.raises(MissingColumnError, match="class"):
        traffic_stress(pd.DataFrame({"lanes": [2]}))


def test_every_street_that_bikes_may_use_has_a_level():
    for name in ("monaco", "helsinki-centre", "andorra-la-vella"):
        edges = build_network(bundled(name), mode="bike").edges
        rated = traffic_stress(edges)
        assert rated["level"].between(1, 4).all()
        assert rated["level"].nunique() >= 3
