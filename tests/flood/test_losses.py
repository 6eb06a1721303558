import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.losses import (
    LAND_COVER,
    TR55,
    constant_loss_mm,
    curve_number_table,
    curve_numbers,
    for_moisture,
    scs_increments_mm,
    scs_runoff_mm,
)
from ldt_toolbox.heat import surface_classes

RAIN = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 50))


def test_scs_by_hand() -> None:
    # CN 80: S = 63.5 mm, Ia = 12.7 mm; P = 100: 87.3^2 / 150.8 = 50.539...
    assert scs_runoff_mm(100, 80) == pytest.approx(87.3**2 / 150.8, rel=1e-14)
    # TR-55's example in inches: P = 6.0, CN = 75 -> S = 3.333, Q = 3.28
    assert scs_runoff_mm(6 * 25.4, 75) / 25.4 == pytest.approx(3.28, abs=0.005)
    assert scs_runoff_mm(12.7, 80) == 0
    assert scs_runoff_mm(12.8, 80) > 0
    # another ratio: Ia = 0.05 S = 3.175 mm
    found = scs_runoff_mm(100, 80, initial_ratio=0.05)
    assert found == pytest.approx((100 - 3.175) ** 2 / (100 + 0.95 * 63.5), rel=1e-14)


def test_water_and_asphalt() -> None:
    np.testing.assert_array_equal(scs_runoff_mm([0, 7.5], 100), [0, 7.5])
    assert np.isnan(scs_runoff_mm(50, np.nan))


@given(RAIN, hnp.arrays(np.float64, (2, 3), elements=st.floats(1, 100)))
def test_steps_sum_up_to_the_storm_and_never_exceed_the_rain(rain, numbers) -> None:
    steps = scs_increments_mm(rain, numbers)
    assert steps.shape == (len(rain), 2, 3)
    np.testing.assert_allclose(steps.sum(0), scs_runoff_mm(rain.sum(), numbers), atol=1e-9)
    assert (steps >= -1e-9).all()
    assert (steps <= rain[:, None, None] + 1e-9).all()  # dQ/dP <= 1


@given(RAIN, st.floats(0, 40), st.floats(0, 30), st.floats(1, 30))
def test_constant_losses_conserve(rain, rate, initial, step) -> None:
    runoff = constant_loss_mm(rain, step_min=step, rate_mm_h=rate, initial_mm=initial)
    assert ((runoff >= 0) & (runoff <= rain + 1e-12)).all()
    lost = rain.sum() - runoff.sum()
    assert lost <= initial + rate * step / 60 * len(rain) + 1e-9
    if rate == 0:
        assert lost == pytest.approx(min(initial, rain.sum()), abs=1e-9)


def test_constant_losses_by_hand() -> None:
    # 12 mm/h for 10 min take 2 mm; 5 mm initially: the second step has 1 of 4 mm left, a quarter
    # of the step, and loses 0.5 mm
    runoff = constant_loss_mm([2, 4, 6, 1], step_min=10, rate_mm_h=12, initial_mm=5)
    np.testing.assert_allclose(runoff, [0, 0.5, 4, 0])
    cells = constant_loss_mm([6], step_min=10, rate_mm_h=[[0, 12], [36, 60]])
    np.testing.assert_allclose(cells, [[[6, 4], [0, 0]]])


def test_numbers_come_from_the_table_and_grow_from_sand_to_clay() -> None:
    table = curve_number_table()
    assert list(table.columns) == ["A", "B", "C", "D", "tr55_row"]
    assert len(table) == len(LAND_COVER)
    groups = table[["A", "B", "C", "D"]].to_numpy(float)
    assert (np.diff(groups, axis=1) >= 0).all()
    found = curve_numbers([["grass", "paved"], ["wood", "water"]], [["A", "B"], ["C", "D"]])
    np.testing.assert_array_equal(found, [[39, 98], [73, 100]])
    np.testing.assert_array_equal(curve_numbers(["grass", "grass"], "D"), [80, 80])


def test_every_land_cover_of_the_toolbox_has_a_number() -> None:
    assert surface_classes.LAND_COVER.keys() <= LAND_COVER.keys()
    assert set(LAND_COVER.values()) <= TR55.keys()


def test_wet_ground_runs_off_more() -> None:
    # Chow's table: CN 80 -> 63 (dry) and 91 (wet) to whole numbers; 70 -> 49.5 and 84.3
    assert for_moisture(80, wetness="dry") == pytest.approx(62.7, abs=0.05)
    assert for_moisture(80, wetness="wet") == pytest.approx(90.2, abs=0.05)
    assert for_moisture(100, wetness="dry") == pytest.approx(100)
    assert for_moisture(100, wetness="wet") == pytest.approx(100)
    assert for_moisture(70, wetness="average") == 70


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: scs_runoff_mm(5, 0), DataError, "curve number of 0"),
        (lambda: scs_runoff_mm(5, 101), DataError, "101"),
        (lambda: scs_runoff_mm(5, 80, initial_ratio=1), ParameterError, "ratio"),
        (lambda: curve_numbers(["lava"], "A"), DataError, "lava"),
        (lambda: curve_numbers(["grass"], "E"), DataError, "soil group 'E'"),
        (lambda: curve_number_table({"x": "moon"}), ParameterError, "moon"),
        (lambda: for_moisture(80, wetness="damp"), ParameterError, "damp"),
        (lambda: constant_loss_mm([1], step_min=5, rate_mm_h=-1), ParameterError, "negative"),
    ],
)
def test_refusals(make, error, says) -> None:
    with pytest.raises(error, match=says):
        make()
