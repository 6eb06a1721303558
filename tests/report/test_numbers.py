"""Numbers and units as people write them."""

import math

import pytest
from ldt_toolbox import units
from ldt_toolbox.report.numbers import decimals_for, format_number, with_unit


@pytest.mark.parametrize(
    ("value", "decimals", "english", "french"),
    [
        (1234567.891, 1, "1,234,567.9", "1\u202f234\u202f567,9"),
        (0.5, 2, "0.50", "0,50"),
        (-12.34, 1, "\u221212.3", "\u221212,3"),
        (-0.004, 2, "0.00", "0,00"),
        (1000, 0, "1,000", "1\u202f000"),
        (math.nan, 1, "–", "–"),
        (None, 1, "–", "–"),
        (math.inf, 1, "–", "–"),
    ],
)
def test_numbers_follow_the_language(value, decimals, english, french):
    assert format_number(value, language="en", decimals=decimals) == english
    assert format_number(value, language="fr", decimals=decimals) == french


@pytest.mark.parametrize(
    ("value", "half_width", "wanted"),
    [(2.4731, 0.52, 1), (2.4731, 0.16, 2), (43.71, 5.2, 0), (43.71, 13.0, 0), (0.01234, 0.004, 3)],
)
def test_the_last_digit_is_the_first_of_the_uncertainty(value, half_width, wanted):
    assert decimals_for([value], half_width=half_width) == wanted


@pytest.mark.parametrize(
    ("values", "unit", "wanted"),
    [
        ([1, 20, 300], "", 0),
        ([0.1234, 0.5], "", 3),
        ([123.4, 0.5], "", 0),
        ([24.123], "CEL", 1),
        ([0.012345], "P1", 1),
        ([], "", 0),
        ([math.nan, None], "", 0),
        ([1e-12], "", 6),
    ],
)
def test_without_uncertainty_three_digits_are_shown(values, unit, wanted):
    assert decimals_for(values, unit=unit) == wanted


def test_units_stick_to_their_number():
    assert with_unit("2.5", "KEL", language="en") == "2.5\u00a0K"
    assert with_unit("12", "C62", language="en") == "12"
    assert with_unit("0.3", "share", language="en") == "0.3"
    assert with_unit("–", "KEL", language="en") == "–"
    assert with_unit("3", "gain_total", language="fr", weight="m² de plancher").endswith(
        "K × m² de plancher"
    )


def test_symbols_of_the_codes():
    expected = {
        "CEL": "°C", "KEL": "K", "MTR": "m", "MTK": "m²", "HAR": "ha", "P1": "%", "C62": "",
        "MTS": "m/s", "D54": "W/m²", "HUR": "h", "MMT": "mm", "mm/d": "mm/d", "class": "",
    }  # fmt: skip
    assert {code: units.symbol(code) for code in expected} == expected
    assert units.symbol("mm/d", language="fr") == "mm/j"
    assert units.symbol("veh/h") == units.name("veh/h") == "veh/h"


def test_every_unit_speaks_both_languages():
    for code in units.UNITS:
        for language in ("en", "fr"):
            assert "{" not in units.symbol(code, language=language)
            assert units.name(code, language=language, weight="people")
