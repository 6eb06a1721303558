import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.radiant import (
    STEFAN_BOLTZMANN,
    estimate_surface_temperature,
    mean_radiant_temperature,
    projected_area_factor,
    sky_emissivity,
)

NOON = {  # a clear day in late June at 45° N
    "air_temperature_c": 30.0,
    "global_radiation_w_m2": 900.0,
    "relative_humidity_pct": 40.0,
    "sun_elevation_deg": 65.0,
    "day_of_year": 175,
}
NIGHT = {**NOON, "global_radiation_w_m2": 0.0, "sun_elevation_deg": -10.0}


@given(st.floats(-20, 45), st.floats(5, 100), st.floats(0, 1))
def test_a_black_enclosure_has_its_own_temperature(temperature, humidity, albedo):
    # Everything around is at T and no sun gets in: Kirchhoff leaves no choice but Tmrt = T.
    result = mean_radiant_temperature(
        temperature,
        0.0,
        humidity,
        -5.0,
        day_of_year=1,
        sky_view_factor=0.0,
        surface_temperature_c=temperature,
        wall_temperature_c=temperature,
        albedo=albedo,
    )
    assert result == pytest.approx(temperature, abs=1e-9)


def test_an_overcast_night_is_an_enclosure_too():
    # a black sky at air temperature leaves the ground nothing to lose
    result = mean_radiant_temperature(**NIGHT, cloud_fraction=1.0)
    assert result == pytest.approx(30.0, abs=1e-9)


def test_half_sky_half_ground_in_closed_form():
    # no sun, black-ish ground at 40 °C with emissivity 0.95, clear sky over open ground
    sky = float(sky_emissivity(30, 40)) * STEFAN_BOLTZMANN * 303.15**4
    ground = 0.95 * STEFAN_BOLTZMANN * 313.15**4 + 0.05 * sky
    expected = (0.5 * (sky + ground) / STEFAN_BOLTZMANN) ** 0.25 - 273.15
    result = mean_radiant_temperature(**NIGHT, surface_temperature_c=40.0)
    assert result == pytest.approx(expected, abs=1e-9)


def test_clear_night_over_open_ground_is_colder_than_the_air():
    # The clear sky lacks a fifth of 480 W/m2; half of it counts, at 6 W/m2 per kelvin: 8 K,
    # and the cooled ground adds a few.
    assert 3 < 30 - float(mean_radiant_temperature(**NIGHT)) < 15
    street = mean_radiant_temperature(**NIGHT, sky_view_factor=0.3)
    assert mean_radiant_temperature(**NIGHT) < street < 30


def test_summer_noon_sun_against_shade():
    # Beam 0.17 x 880 and reflected 0.5 x 0.2 x 750, times 0.72, and ground 25 K warmer at half
    # weight: some 230 W/m2 at 6 to 7 W/m2 per kelvin, 33 to 38 K before the dimmer shade.
    sun, shade = mean_radiant_temperature(**NOON, shaded=np.array([0.0, 1.0]))
    assert 20 < sun - shade < 40
    assert 55 < sun < 75
    assert 25 < shade < 40


def test_more_shade_is_never_hotter_and_less_sky_by_night_never_colder():
    by_shade = mean_radiant_temperature(**NOON, shaded=np.linspace(0, 1, 21))
    assert (np.diff(by_shade) < 0).all()
    by_sky = mean_radiant_temperature(**NIGHT, sky_view_factor=np.linspace(0, 1, 21))
    assert (np.diff(by_sky) < 0).all()


def test_lighter_paving_reflects_onto_people():
    # with the ground's temperature held, reflection is all that albedo changes
    dark, light = mean_radiant_temperature(
        **NOON, albedo=np.array([0.1, 0.5]), surface_temperature_c=40.0
    )
    assert light > dark


def test_surface_estimate_is_in_balance():
    air, shortwave, longwave, wind = 28.0, 620.0, 370.0, 1.5
    surface = float(estimate_surface_temperature(air, shortwave, longwave, wind_speed_ms=wind))
    net = shortwave + 0.95 * (longwave - STEFAN_BOLTZMANN * (surface + 273.15) ** 4)
    sensible = (5.7 + 3.8 * wind) * (surface - air)
    # the linearised emission misses its curvature, 6 e s T^2 dT^2: 20 W/m2 at dT = 25 K
    curvature = 0.7 * 6 * 0.95 * STEFAN_BOLTZMANN * (air + 273.15) ** 2 * (surface - air) ** 2
    assert 0.7 * net - sensible == pytest.approx(-curvature, rel=0.1)
    assert 10 < surface - air < 35


def test_projected_area_factor():
    assert projected_area_factor(1e-9) == pytest.approx(0.308)
    assert projected_area_factor(-1) == 0
    # g = 90: the argument is 90 (0.998 - 0.162) = 75.24 degrees
    assert projected_area_factor(90) == pytest.approx(0.308 * np.cos(np.deg2rad(75.24)), abs=1e-12)


def test_clear_sky_emissivity():
    # Prata 1996: dry air 1 - exp(-sqrt(1.2)); a mid-latitude summer sky lies near 0.8
    assert sky_emissivity(15, 0) == pytest.approx(1 - np.exp(-np.sqrt(1.2)), abs=1e-12)
    assert 0.75 < sky_emissivity(20, 60) < 0.85


def test_grids_and_missing_cells():
    shaded = np.array([[0.0, 1.0], [0.5, np.nan]])
    result = mean_radiant_temperature(**NOON, shaded=shaded, sky_view_factor=np.float32(0.6))
    assert result.shape == (2, 2)
    assert np.isnan(result).tolist() == [[False, False], [False, True]]


def test_shares_are_checked():
    with pytest.raises(DataError, match=r"sky_view_factor.*60.*1 places"):
        mean_radiant_temperature(**NOON, sky_view_factor=np.array([0.5, 60.0]))
    with pytest.raises(ParameterError, match=r"albedo reaches -0\.1"):
        mean_radiant_temperature(**NOON, albedo=-0.1)
    with pytest.raises(ParameterError, match="day_of_year is 400"):
        mean_radiant_temperature(**{**NOON, "day_of_year": 400})
