import warnings

import numpy as np
import pytest
from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.comfort import (
    UTCI_STRESS_CATEGORIES,
    dew_point,
    humidex,
    utci,
    utci_stress_category,
    wbgt,
    wet_bulb,
)
from ldt_toolbox.heat.utci_polynomial import (
    COEFFICIENTS,
    DEGREE,
    saturation_pressure_kpa,
    vapour_row,
)
from pythermalcomfort.models import utci as independent_utci
from pythermalcomfort.models import wbgt as independent_wbgt


def random_weather(count, dtype):
    rng = np.random.default_rng(20260101)
    air = rng.uniform(-50, 50, count).astype(dtype)
    radiant = (air + rng.uniform(-30, 70, count)).astype(dtype)
    wind = rng.uniform(0.5, 17, count).astype(dtype)
    humidity = rng.uniform(0, 100, count).astype(dtype)
    return air, radiant, wind, humidity


def independent(*weather):
    with warnings.catch_warnings(action="ignore"):  # it names every point out of range
        return independent_utci(
            *(np.asarray(w, dtype=np.float64) for w in weather), round_output=False
        ).utci


# float64: rounding of 210 terms stays below 1e-11 K. float32: 24 bits on partial sums of up to
# some thousand K leave a few 1e-4 K; a hundredth of a kelvin is what a map can show.
@pytest.mark.parametrize(("dtype", "tolerance_k"), [("float64", 1e-6), ("float32", 0.01)])
def test_utci_equals_an_independent_implementation(dtype, tolerance_k):
    weather = random_weather(20_011, dtype)  # no multiple of the kernel's block
    ours, theirs = utci(*weather), independent(*weather)
    assert ours.dtype == np.dtype(dtype)
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > 15_000
    assert np.abs(ours - theirs)[both].max() < tolerance_k
    # rounding can push a point over the edge of the fitted range, in float32 only
    assert (np.isfinite(ours) != np.isfinite(theirs)).sum() <= (0 if dtype == "float64" else 5)


def test_the_polynomial_is_complete():
    # C(10, 4) monomials of total degree <= 6 in four variables
    assert sum(len(row) for row in COEFFICIENTS.values()) == 210
    assert all(len(row) == DEGREE + 1 - sum(powers) for powers, row in COEFFICIENTS.items())


def test_vapour_pressure_keeps_to_its_formula():
    # Wagner and Pruss 2002 (IAPWS-95): 2.3392 kPa at 20 °C, 12.352 kPa at 50 °C, four digits
    assert saturation_pressure_kpa(np.array([20.0, 50.0])) == pytest.approx(
        [2.3392, 12.352], rel=2e-4
    )
    air = np.linspace(-50, 50, 4001)
    exact = saturation_pressure_kpa(air)
    row = vapour_row(np.dtype("float64"))
    # 1e-12 kPa moves the UTCI by far less than the last digit anyone prints
    assert np.abs(np.polyval(row, air / 50) - exact).max() < 1e-12


# Examples printed in the documentation of pythermalcomfort, one decimal
@pytest.mark.parametrize(("air", "expected"), [(25, 24.6), (40, 40.4)])
def test_utci_published_examples(air, expected):
    assert float(utci(air, 25, 1.0, 50)) == pytest.approx(expected, abs=0.05)


def test_utci_is_air_temperature_in_the_reference_environment():
    # Definition (Bröde 2012): Tmrt = Ta, 0.5 m/s, 50 % up to 2 kPa. The paper gives the
    # polynomial a root-mean-square error of 1.1 K.
    air = np.arange(-40.0, 29.0, 0.5)
    difference = utci(air, air, 0.5, 50.0) - air
    assert np.sqrt(np.mean(difference**2)) < 1.1


@pytest.mark.parametrize(
    "weather",
    [
        (-50.1, -50, 5, 50),
        (50.1, 50, 5, 5),
        (20, -10.1, 5, 50),
        (20, 90.1, 5, 50),
        (20, 20, 0.49, 50),
        (20, 20, 17.1, 50),
        (20, 20, 5, -1),
        (20, 20, 5, 101),
        (45, 45, 5, 90),  # 8.6 kPa
        (np.nan, 20, 5, 50),
        (20, np.nan, 5, 50),
        (20, 20, np.nan, 50),
        (20, 20, 5, np.nan),
    ],
)
def test_utci_is_missing_outside_its_range(weather):
    assert np.isnan(utci(*weather))


def test_utci_includes_the_edges_of_its_range():
    edges = [(-50, -80, 0.5, 100), (50, 50, 17, 0), (20, 90, 0.5, 50)]
    assert np.isfinite([utci(*map(float, edge)) for edge in edges]).all()


def test_utci_keeps_shape_and_broadcasts():
    air = np.full((3, 4), 30, dtype=np.float32)
    result = utci(air, air + np.float32(20), 1.5, 40)
    assert result.shape == (3, 4)
    assert result.dtype == np.float32
    assert np.ptp(result) == 0
    columns = utci(np.float64([[20], [30]]), np.float64([20, 30, 40]), 1.0, 50)
    assert columns.shape == (2, 3)
    assert columns[1, 2] == utci(30, 40, 1.0, 50)
    assert utci(np.empty(0), np.empty(0), 1.0, 50).shape == (0,)


def test_utci_names_shapes_that_do_not_fit():
    with pytest.raises(DataError, match=r"\(3,\).*\(2,\)"):
        utci(np.zeros(3), np.zeros(2), 1.0, 50)


def test_stress_categories():
    values = [-60, -40, -39.9, -20, -5, 5, 9, 9.1, 26, 26.1, 32.1, 38.1, 46, 46.1, np.nan]
    codes = utci_stress_category(values)
    assert codes.tolist() == [0, 0, 1, 2, 3, 4, 4, 5, 5, 6, 7, 8, 8, 9, -1]
    assert len(UTCI_STRESS_CATEGORIES) == 10
    named = [UTCI_STRESS_CATEGORIES[code] for code in codes[:-1]]
    independent_names = independent_utci(25, 25, 1.0, 50).stress_category
    assert named[7] == independent_names == "no thermal stress"


def test_humidex_of_the_canadian_weather_service():
    # Environment Canada's glossary: 30 °C with a dew point of 15 °C feels like 34
    assert humidex(30, 15) == pytest.approx(34, abs=0.5)
    # at e = 10 hPa the humidex is the air temperature: Td = 1 / (1/273.16 - ln(10/6.11)/5417.753)
    dew_point_k = 1 / (1 / 273.16 - np.log(10 / 6.11) / 5417.753)
    assert humidex(24.0, dew_point_k - 273.15) == pytest.approx(24.0, abs=1e-9)


def test_dew_point_equals_air_temperature_in_saturated_air():
    air = np.linspace(-20, 40, 13)
    assert np.allclose(dew_point(air, 100), air, atol=1e-9)
    assert np.isnan(dew_point(20, 0))


def test_wet_bulb_of_the_paper():
    # Stull 2011 works the example 20 °C, 50 %: 13.7 °C
    assert wet_bulb(20, 50) == pytest.approx(13.7, abs=0.05)
    assert np.isnan(wet_bulb(20, 3))
    assert np.isnan(wet_bulb(60, 50))


def test_wbgt_weights():
    for wet, globe, air in [(25, 32, 20), (18, 45, 30)]:
        assert wbgt(wet, globe) == pytest.approx(
            independent_wbgt(wet, globe, round_output=False).wbgt, abs=1e-12
        )
        assert wbgt(wet, globe, air) == pytest.approx(
            independent_wbgt(wet, globe, air, with_solar_load=True, round_output=False).wbgt,
            abs=1e-12,
        )
    assert wbgt(25.0, 25.0, 25.0) == pytest.approx(25.0)  # weights add up to one
