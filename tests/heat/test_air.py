import numpy as np
import pytest
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.air import (
    DAYS_IN_MONTH,
    kinematic_shortwave,
    mean_daylight_hours,
    thornthwaite_et0,
    uhi_max_theeuwes,
)

# The worked example in the documentation of PyETo: Aberdeen, 57.1526° N, 2014
ABERDEEN_C = [3.1, 3.5, 5.0, 6.7, 9.3, 12.1, 14.3, 14.1, 11.8, 8.9, 5.5, 3.8]
ABERDEEN_MM_MONTH = [
    *(11.0459, 14.2259, 27.8029, 43.1789, 70.4769, 93.9942),
    *(109.6988, 95.2449, 64.9945, 41.0637, 19.5621, 12.0902),
]
ABERDEEN_DAYLIGHT_H = [
    *(7.182843, 9.135128, 11.523003, 14.035348, 16.277004, 17.505213),
    *(16.891449, 14.861767, 12.394150, 9.884984, 7.658250, 6.489517),
]


def test_daylight_of_the_published_example():
    # six decimals are printed
    assert mean_daylight_hours(57.1526) == pytest.approx(ABERDEEN_DAYLIGHT_H, abs=1e-6)


def test_daylight_at_the_equator_and_the_poles():
    assert mean_daylight_hours(0.0) == pytest.approx(np.full(12, 12.0), abs=1e-12)
    pole = mean_daylight_hours(90.0)
    assert pole[5] == 24
    assert pole[11] == 0
    # the year as a whole is half day, half night on both hemispheres together
    both = mean_daylight_hours(50.0) + mean_daylight_hours(-50.0)
    assert both == pytest.approx(np.full(12, 24.0), abs=1e-9)


def test_thornthwaite_of_the_published_example():
    monthly = thornthwaite_et0(ABERDEEN_C, 57.1526) * DAYS_IN_MONTH
    # four decimals are kept here
    assert monthly == pytest.approx(ABERDEEN_MM_MONTH, abs=1e-4)


def test_thornthwaite_with_pencil_numbers():
    # 12 months of 20 °C on the equator: i = 4^1.514 = 8.156, I = 97.87,
    # a = .49239 + 1.75385 - .73853 + .63281 = 2.1405; 16 (200/97.87)^2.1405 = 73.9 mm in 30 days
    assert thornthwaite_et0(np.full(12, 20.0), 0.0) == pytest.approx(
        np.full(12, 73.9 / 30), rel=2e-3
    )


def test_frost_and_heat():
    winter = np.array([-15.0, -10, -2, 0, 5, 12, 15, 13, 8, 1, -5, -12])
    et0 = thornthwaite_et0(winter, 65)
    assert (et0[winter <= 0] == 0).all()
    assert (et0[winter > 0] > 0).all()
    assert (thornthwaite_et0(np.full(12, -5.0), 65) == 0).all()
    # the tropical parabola at 30 °C: -415.85 + 967.2 - 387 = 164.35 mm in 30 days of 12 h
    assert thornthwaite_et0(np.full(12, 30.0), 0.0) == pytest.approx(np.full(12, 164.35 / 30))


def test_thornthwaite_wants_a_year():
    with pytest.raises(DataError, match=r"shape \(11,\)"):
        thornthwaite_et0(ABERDEEN_C[1:], 57)
    with pytest.raises(DataError, match="1 missing"):
        thornthwaite_et0([*ABERDEEN_C[1:], np.nan], 57)
    with pytest.raises(ParameterError, match="latitude_deg is 91"):
        thornthwaite_et0(ABERDEEN_C, 91)


def test_theeuwes_by_hand():
    # S = 241.2 / 1206 = 0.2 K m/s; 0.2 x 10^3 / 2 = 100; 100^(1/4) = 3.16228
    radiation = kinematic_shortwave(241.2)
    assert radiation == pytest.approx(0.2)
    assert uhi_max_theeuwes(0.5, 0.2, radiation, 10.0, 2.0) == pytest.approx(
        1.3 * 3.16228, abs=1e-5
    )


def test_theeuwes_vanishes_where_there_is_no_town():
    assert uhi_max_theeuwes(1.0, 1.0, 0.2, 12.0, 3.0) == 0
    assert uhi_max_theeuwes(0.5, 0.2, 0.0, 12.0, 3.0) == 0


def test_theeuwes_in_its_directions():
    svf = np.linspace(0.2, 0.9, 8)
    assert (np.diff(uhi_max_theeuwes(svf, 0.1, 0.2, 10, 2)) < 0).all()
    assert uhi_max_theeuwes(0.5, 0.1, 0.2, 10, 1) > uhi_max_theeuwes(0.5, 0.1, 0.2, 10, 5)
    # sixteen times the wind halves it
    assert uhi_max_theeuwes(0.5, 0.1, 0.2, 10, 16) == pytest.approx(
        uhi_max_theeuwes(0.5, 0.1, 0.2, 10, 1) / 2
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((50, 0.1, 0.2, 10, 2), "svf runs from 50"),
        ((0.5, -0.1, 0.2, 10, 2), "vegetation_fraction runs from -0.1"),
        ((0.5, 0.1, 250.0, 10, 2), "convert W/m2 with kinematic_shortwave"),
        ((0.5, 0.1, 0.2, -1, 2), "negative"),
        ((0.5, 0.1, 0.2, 10, 0), "needs some wind"),
    ],
)
def test_theeuwes_refuses_wrong_units(arguments, words):
    with pytest.raises(DataError, match=words):
        uhi_max_theeuwes(*arguments)
