"""Emissions: the guidebook's equation against its own control values, and link sums by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, MissingColumnError, ParameterError
from ldt_toolbox.mobility.emission_factors import (
    CO2_G_PER_MJ,
    TIER_1,
    WEAR_PM25_MG_PER_KM,
    Curve,
    read_curves,
)
from ldt_toolbox.mobility.emissions import Fleet, fleet_factor, link_emissions

CONTROL = "EF [g/km] or ECF [MJ/km] or #/km or #/kWh or g/kWh"
NAMES = ["Pollutant", "Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zita", "Hta",
         "Reduction Factor [%]", CONTROL]  # fmt: skip
# Petrol Euro 5: coefficients as the guidebook of 2016 has them, control values at 120 km/h as a
# COPERT 5 export prints them (four or three decimals)
PUBLISHED = {
    "CO": (0.000445265807540281, -0.102075931519888, 6.87692822338964, 10.3838494701837,
           0.00162104796148859, -0.43756305596665, 30.3373327734632, 0.9602, 5e-5),
    "NOx": (-0.000314540672240406, 0.103056777252331, 0.239056575951972, -0.3392791490405,
            0.0345358283618128, 1.98601274556741, 1.26376326022528, 0.011, 5e-4),
    "VOC": (3.81411947410715e-06, -0.000707365446956988, 0.0452491977889404, 0.173073521070119,
            0.000069899000382836, -0.0475381691356608, 6.21205348188937, 0.0111, 5e-5),
}  # fmt: skip


@pytest.mark.parametrize("pollutant", PUBLISHED)
def test_the_equation_meets_published_control_values(pollutant) -> None:
    *coefficients, control, rounding = PUBLISHED[pollutant]
    assert float(Curve(*coefficients).at(120)) == pytest.approx(control, abs=rounding)


def appendix(**changes) -> pd.DataFrame:
    """A table in the form of Appendix 4 with one class."""
    nox = PUBLISHED["NOx"]
    rows = [
        # 2 MJ/km at any speed; 0.004 g/km, less a quarter
        ["EC", 0, 0, 2.0, 0, 0, 0, 1.0, np.nan, 2.0],
        ["NOx", *nox[:7], 0.0, float(Curve(*nox[:7]).at(80))],
        ["PM Exhaust", 0, 0, 0.004, 0, 0, 0, 1.0, 0.25, 0.003],
    ]
    table = pd.DataFrame(rows, columns=NAMES).assign(**{
        "Category": "Passenger Cars", "Fuel": "Petrol", "Segment": "Medium",
        "Euro Standard": "Euro 5", "Technology": "PFI", "Mode": None, "Load": np.nan,
        "Road Slope": np.nan, "Min Speed [km/h]": 5, "Max Speed [km/h]": 130, "80": 80,
    })  # fmt: skip
    other = table.assign(Technology="GDI")
    return pd.concat([table.assign(**changes), other], ignore_index=True)


def petrol(table):
    return read_curves(table, category="Passenger Cars", fuel="Petrol", segment="Medium",
                       euro="Euro 5", technology="PFI", wear_pm25_g_per_km=0.01)  # fmt: skip


def test_a_class_is_read_from_the_appendix() -> None:
    own = petrol(appendix())
    assert float(own.curves["co2"].at(50)) == 2.0 * CO2_G_PER_MJ["Petrol"]
    assert float(own.curves["pm25"].at(50)) == pytest.approx(0.003, rel=1e-15)
    assert float(own.curves["nox"].at(50)) == pytest.approx(0.0246, abs=5e-5)
    assert "Euro 5, PFI" in own.source


def test_a_table_that_was_spoilt_is_refused() -> None:
    table = appendix()
    table.loc[2, "Reduction Factor [%]"] = 25.0
    with pytest.raises(DataError, match="reductions as shares"):
        petrol(table)
    rounded = appendix()
    rounded["Alpha"] = rounded["Alpha"].round(3)
    with pytest.raises(DataError, match="unrounded"):
        petrol(rounded)
    with pytest.raises(DataError, match="0 rows for EC"):
        petrol(appendix(Technology="LNT"))
    with pytest.raises(DataError, match="decimal sign"):
        petrol(appendix(Gamma="2,0"))
    with pytest.raises(MissingColumnError, match="HOT_EMISSIONS_PARAMETERS"):
        petrol(appendix().drop(columns="Zita"))


def test_an_electric_car_has_no_exhaust() -> None:
    table = appendix(Fuel="Battery electric", Technology="").query("Pollutant == 'EC'")
    own = read_curves(table, category="Passenger Cars", fuel="Battery electric", segment="Medium",
                      euro="Euro 5")  # fmt: skip
    assert [float(own.curves[name].at(50)) for name in ("co2", "nox", "pm25")] == [0.0] * 3


def test_beyond_its_ends_a_curve_is_held_and_says_so() -> None:
    curve = Curve(delta=10.0, lowest_kmh=5, highest_kmh=130)
    assert curve.at([0, 1, 5, 130, 200]).tolist() == [2, 2, 2, 10 / 130, 10 / 130]
    assert curve.holds([4.9, 5, 130, 131]).tolist() == [False, True, True, False]
    assert np.isnan(curve.at(np.nan))


def test_tier_1_by_hand() -> None:
    # 60 g/km of diesel: 60 * 3.169 g of carbon dioxide, 0.06 * 12.96 g of nitrogen oxides
    own = TIER_1["car-diesel"].curves
    assert float(own["co2"].at(50)) == pytest.approx(190.14, rel=1e-12)
    assert float(own["nox"].at(50)) == pytest.approx(0.7776, rel=1e-12)
    assert float(own["pm25"].at(50)) == pytest.approx(0.066, rel=1e-12)
    assert float(own["nox"].at(20)) == float(own["nox"].at(110)), "tier 1 knows no speed"


def test_wear_is_that_of_an_inventory_that_prints_it() -> None:
    """Tier 1 rounds tyres and brakes together, and the road, to a tenth of a milligram each."""
    for name, own in TIER_1.items():
        printed = sum(WEAR_PM25_MG_PER_KM[name.split("-")[0]])
        assert 1000 * own.wear_pm25_g_per_km == pytest.approx(printed, abs=0.1)


def links(**columns) -> pd.DataFrame:
    made = {"length_m": [500.0, 2000.0], "flow_per_h": [1000.0, 10.0], "speed_kmh": [30.0, 50.0]}
    return pd.DataFrame(made | columns, index=["north", "south"])


MIXED = Fleet({"car-petrol": 0.5, "car-electric": 0.3, "lorry-diesel": 0.2}, "made up for a test")


def test_links_by_hand() -> None:
    found = link_emissions(links(), Fleet({"car-diesel": 1.0}, "made up for a test"))
    assert found["vehicle_km_per_h"].tolist() == [500.0, 20.0]
    np.testing.assert_allclose(found["co2_g_per_h"], [500 * 190.14, 20 * 190.14], rtol=1e-12)
    np.testing.assert_allclose(found["pm25_g_per_h"], np.array([500, 20]) * 0.0775, rtol=1e-12)
    assert list(found.index) == ["north", "south"]


def test_a_fleet_is_the_mean_of_its_classes() -> None:
    speed = pd.Series([20.0, 60.0])
    mixed = fleet_factor(speed, MIXED)
    parts = [share * fleet_factor(speed, Fleet({name: 1.0}, "test"))
             for name, share in MIXED.shares.items()]  # fmt: skip
    pd.testing.assert_frame_equal(mixed, sum(parts), rtol=1e-12)


@given(st.floats(1, 1e4), st.floats(0, 1e4), st.floats(5, 130), st.floats(0.1, 10))
def test_twice_the_flow_or_length_emits_twice(length, flow, speed, k) -> None:
    def of(length, flow):
        table = pd.DataFrame({"length_m": [length], "flow_per_h": [flow], "speed_kmh": [speed]})
        return link_emissions(table, MIXED)["nox_g_per_h"][0]

    assert of(k * length, flow) == pytest.approx(k * of(length, flow), rel=1e-9)
    assert of(length, k * flow) == pytest.approx(k * of(length, flow), rel=1e-9)


def test_slow_traffic_emits_more_with_curves_over_speed() -> None:
    classes = {"car": petrol(appendix())}
    fleet = Fleet({"car": 1.0}, "made up for a test")
    found = fleet_factor(pd.Series([2.0, 30.0, 130.0, 150.0]), fleet, classes=classes)
    assert found["nox_g_per_km"][1] > found["nox_g_per_km"][2]
    assert found["beyond_share"].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert found["nox_g_per_km"][2] == found["nox_g_per_km"][3]


def test_what_is_not_known_stays_so() -> None:
    found = link_emissions(links(flow_per_h=[np.nan, 10.0], speed_kmh=[30.0, np.nan]), MIXED)
    assert found["co2_g_per_h"].isna().all()
    assert found["vehicle_km_per_h"].tolist()[1] == 20.0


def test_wrong_questions() -> None:
    with pytest.raises(ParameterError, match=r"add up to 0\.9"):
        Fleet({"car-petrol": 0.9}, "test")
    with pytest.raises(ParameterError, match="say where"):
        Fleet({"car-petrol": 1.0}, " ")
    with pytest.raises(ParameterError, match="no factors"):
        link_emissions(links(), Fleet({"tram": 1.0}, "test"))
    with pytest.raises(DataError, match=r"flow_per_h of link 'south'"):
        link_emissions(links(flow_per_h=[1.0, -1.0]), MIXED)
    with pytest.raises(MissingColumnError, match="speed_kmh"):
        link_emissions(links().drop(columns="speed_kmh"), MIXED)
