"""Conversion of units: known pairs, there and back, and what must not convert."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.models.units import UnitError, convert, convertible, is_standard, suggestion
from ldt_toolbox.units import UNITS

PAIRS = [(a, b) for a in UNITS for b in UNITS if a != b and convertible(a, b)]
# exact by definition of the units, but for the rounding of a double
KNOWN = [
    (100.0, "CEL", "FAH", 212.0),
    (-40.0, "CEL", "FAH", -40.0),
    (0.0, "KEL", "CEL", -273.15),
    (36.0, "KMH", "MTS", 10.0),
    (1.0, "KNT", "KMH", 1.852),
    (60.0, "HM", "KMH", 96.56064),
    (1.0, "MQS", "G51", 1000.0),
    (86400.0, "G52", "MQS", 1.0),
    (3600.0, "MQH", "MQS", 1.0),
    (60.0, "L2", "G51", 1.0),
    (36.0, "H67", "C16", 0.01),
    (1013.25, "A97", "KPA", 101.325),
    (1.0, "MBR", "A97", 1.0),
    (45.0, "P1", "C62", 0.45),
    (180.0, "DD", "C81", math.pi),
    (1.0, "HAR", "MTK", 10000.0),
    (1.0, "FOT", "CMT", 30.48),
    (1.0, "KWH", "JOU", 3.6e6),
    (90.0, "MIN", "HUR", 1.5),
    (24.0, "mm/d", "H67", 1.0),
]


@pytest.mark.parametrize(("value", "origin", "target", "expected"), KNOWN)
def test_known_pairs(value, origin, target, expected):
    # a few roundings of a double each
    assert convert(value, origin, target) == pytest.approx(expected, rel=1e-14, abs=1e-12)


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_there_and_back(pair, value):
    """Relative to the value in SI, where the offset of a temperature scale lies."""
    origin, target = pair
    back = convert(convert(value, origin, target), target, origin)
    scale = abs(value) + abs(UNITS[origin].offset / UNITS[origin].factor)
    assert back == pytest.approx(value, rel=0, abs=1e-13 * max(scale, 1e-3) * 10)


@given(st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_arrays_convert_as_their_values(values):
    together = convert(np.array(values), "FAH", "CEL")
    assert together.tolist() == [convert(value, "FAH", "CEL") for value in values]


def test_differences_leave_the_offset_out():
    assert convert(2.0, "CEL", "KEL", difference=True) == 2.0
    assert convert(9.0, "FAH", "CEL", difference=True) == pytest.approx(5.0, rel=1e-15)
    assert convert(9.0, "KMH", "MTS", difference=True) == convert(9.0, "KMH", "MTS")


def test_same_unit_changes_nothing():
    assert convert(0.1 + 0.2, "CEL", "CEL") == 0.1 + 0.2


@pytest.mark.parametrize(
    ("origin", "target"), [("CEL", "MTR"), ("class", "C62"), ("gain", "KEL"), ("LUX", "D54")]
)
def test_other_quantities_do_not_convert(origin, target):
    with pytest.raises(UnitError, match="does not convert"):
        convert(1.0, origin, target)


def test_unknown_unit_says_what_may_be_meant():
    with pytest.raises(UnitError, match="'CEL'"):
        convert(1.0, "°C", "KEL")
    assert "'MQS'" in suggestion("m³/s")
    assert "Recommendation 20" in suggestion(["no", "code"])


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ug/m3", "GQ"), ("μg/m³", "GQ"), ("degC", "CEL"), ("deg C", "CEL"), ("Celsius", "CEL"),
        ("°", "DD"), ("W/m2", "D54"), ("m^3/s", "MQS"), ("m2", "MTK"), ("meters", "MTR"),
        ("mètre", "MTR"), ("L/s", "G51"), ("percent", "P1"), ("veh/h", "H10"), ("kWh", "KWH"),
        ("kph", "KMH"), ("m s-1", "MTS"), ("hours", "HUR"), ("s", "SEC"), ("lux", "LUX"),
    ],
)  # fmt: skip
def test_what_people_write_leads_to_the_code(written, code):
    assert suggestion(written).startswith(f"write '{code}' (")


def test_money_is_no_hour():
    assert "money has no code there" in suggestion("EUR")


def test_every_symbol_and_name_leads_to_its_own_code():
    for code, unit in UNITS.items():
        for written in (*unit.symbol.values(), *unit.name.values()):
            if unit.standard and written:
                assert suggestion(written).startswith(f"write '{code}' ("), (code, written)


def test_units_of_the_toolbox_are_no_standard_codes():
    assert is_standard("CEL")
    assert not is_standard("mm/d")
    assert not is_standard(None)
    assert not is_standard(["CEL"])


def test_table_has_factors_that_can_be_divided_by():
    for code, unit in UNITS.items():
        assert unit.factor > 0, code
        assert unit.quantity or (unit.factor, unit.offset) == (1.0, 0.0), code
        assert set(unit.symbol) == set(unit.name) == {"en", "fr"}, code
