import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.damage import (
    DAMAGED_SHARE,
    DEPTH_NODES_M,
    GDP_PER_CAPITA_USD_2010,
    building_damage,
    construction_cost_eur_m2,
    damaged_share,
    maximum_damage,
)
from ldt_toolbox.flood.town import ALPHA3

# Huizinga 2017, Europe, written down again from the specification
NODES = {
    "residential": [0, 0.25, 0.40, 0.50, 0.60, 0.75, 0.85, 0.95, 1],
    "commercial": [0, 0.15, 0.30, 0.45, 0.55, 0.75, 0.90, 1, 1],
    "industrial": [0, 0.15, 0.27, 0.40, 0.52, 0.70, 0.85, 1, 1],
    "transport": [0, 0.317, 0.542, 0.702, 0.832, 1, 1, 1, 1],
}


@pytest.mark.parametrize("name", NODES)
def test_nodes_are_the_reports(name: str) -> None:
    found = damaged_share([0, 0.5, 1, 1.5, 2, 3, 4, 5, 6], name)
    np.testing.assert_array_equal(found, NODES[name])


@given(st.sampled_from(sorted(DAMAGED_SHARE)), st.floats(-3, 20), st.floats(0, 3))
def test_deeper_water_never_costs_less(name: str, depth: float, more: float) -> None:
    low, high = damaged_share([depth, depth + more], name)
    assert 0 <= low <= high <= 1


def test_between_the_nodes_and_beyond() -> None:
    np.testing.assert_allclose(
        damaged_share([0.25, 2.5, -1, 9], "residential"), [0.125, 0.675, 0, 1]
    )
    assert np.isnan(damaged_share(np.nan, "residential"))
    assert len(DEPTH_NODES_M) == 9
    assert {len(nodes) for nodes in DAMAGED_SHARE.values()} == {9}


@pytest.mark.parametrize(
    ("country", "residential", "commercial", "industrial"),
    [
        # EUR of 2010, as a second digital copy of the report prints them
        ("FRA", 1436.35, 1494.08, 969.54),
        ("DEU", 1450.08, 1507.32, 977.35),
        ("FIN", 1508.17, 1563.27, 1010.27),
        ("POL", 911.04, 979.31, 660.38),
        ("MCO", 2344.47, 2353.97, 1465.69),
        ("AUT", 1511.20, 1566.19, 1011.99),
        ("ITA", 1368.14, 1428.13, 930.56),
        ("NLD", 1558.80, 1611.91, 1038.81),
        ("PRT", 1143.85, 1209.53, 800.12),
    ],
)
def test_construction_costs(country, residential, commercial, industrial) -> None:
    gdp = GDP_PER_CAPITA_USD_2010[country]
    for name, expected in zip(
        ("residential", "commercial", "industrial"), (residential, commercial, industrial),
        strict=True,
    ):  # fmt: skip
        found = construction_cost_eur_m2(name, gdp_per_capita_usd=gdp)
        # the report prints factor and exponent with three digits
        assert found == pytest.approx(expected, rel=0.01)


def test_every_country_of_the_table_is_found_by_the_code_of_a_territory() -> None:
    assert set(ALPHA3.values()) == set(GDP_PER_CAPITA_USD_2010)
    assert len(ALPHA3) == len(set(ALPHA3.values())) == 32
    for two, three in ALPHA3.items():
        assert two[0] == three[0]
        assert (
            construction_cost_eur_m2(
                "residential", gdp_per_capita_usd=GDP_PER_CAPITA_USD_2010[three]
            )
            > 400
        )


def test_maximum_damage_says_what_it_stands_for() -> None:
    found = maximum_damage("residential", country="FRA", price_factor=1.3, price_year=2024)
    cost = construction_cost_eur_m2("residential", gdp_per_capita_usd=40_706.1)
    # 0.6 depreciated, 0.6 damageable, half as much again for contents: 0.54 of the cost
    assert found.eur_m2 == pytest.approx(1.3 * 0.54 * cost)
    assert found.building_eur_m2 == pytest.approx(1.3 * 0.36 * cost)
    for word in ("EUR/m2", "2024", "1.3", "40706", "Huizinga"):
        assert word in found.describe()
    same = maximum_damage(
        "residential", gdp_per_capita_usd=40_706.1, price_factor=1, price_year=2010
    )
    assert same.eur_m2 == pytest.approx(found.eur_m2 / 1.3)
    factors = {"commercial": 0.72, "industrial": 0.9}
    for name, factor in factors.items():
        found = maximum_damage(name, country="DEU", price_factor=1, price_year=2010)
        cost = construction_cost_eur_m2(name, gdp_per_capita_usd=found.gdp_per_capita_usd)
        assert found.eur_m2 == pytest.approx(factor * cost)


def test_damage_of_buildings_by_hand() -> None:
    index = pd.Index(["a", "b", "c", "d"])
    damage = building_damage(
        pd.Series([1.0, 0.5, 0.0, np.nan], index),
        pd.Series(["residential", "commercial", "residential", "residential"], index),
        pd.Series([100.0, 200.0, 50.0, 80.0], index),
        {"residential": 700.0, "commercial": 1000.0},
    )
    np.testing.assert_allclose(damage[:3], [0.4 * 700 * 100, 0.15 * 1000 * 200, 0])
    assert np.isnan(damage["d"])
    assert damage.name == "damage_eur"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"country": "FRA", "gdp_per_capita_usd": 4e4}, "not both"),
        ({}, "either"),
        ({"country": "AND"}, "AND"),
        ({"gdp_per_capita_usd": 0.0}, "World Bank"),
        ({"country": "FRA", "price_factor": 1.3, "price_year": 2010}, "2010"),
        ({"country": "FRA", "price_factor": 0.0}, "above 0"),
    ],
)
def test_refusals(options, says) -> None:
    with pytest.raises(ParameterError, match=says):
        maximum_damage("residential", **{"price_factor": 1.2, "price_year": 2020, **options})


def test_unknown_classes_and_indexes_are_refused() -> None:
    with pytest.raises(ParameterError, match="castle"):
        damaged_share(1, "castle")
    with pytest.raises(ParameterError, match="castle"):
        construction_cost_eur_m2("castle", gdp_per_capita_usd=4e4)
    one = pd.Series([1.0])
    with pytest.raises(DataError, match="castle"):
        building_damage(one, pd.Series(["castle"]), one, {"residential": 1.0})
    with pytest.raises(DataError, match="align"):
        building_damage(one, pd.Series(["residential"], [5]), one, {"residential": 1.0})
