"""Rules: forward, back, and what they refuse."""

import math
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models import quality
from ldt_toolbox.models.findings import is_uri
from ldt_toolbox.models.rule_steps import RefusedError, RuleError
from ldt_toolbox.models.rules import STEPS, parse

LOOKUPS = {"sites": {"A": "urn:ngsi-ld:Site:1", "B": "urn:ngsi-ld:Site:2"}}

# rule, values of the source, value of the entity; each goes there and back
BOTH_WAYS = [
    ("", ["as it is"], "as it is"),
    ("text", ["kept"], "kept"),
    ("number", [12], 12),
    ("number | unit FAH CEL", [68.0], 20.0),
    ("unit KMH MTS", [36.0], 10.0),
    ("unit FAH KEL of=difference", [9.0], 5.0),
    ("scale 0.1", [215.0], 21.5),
    ("offset -273.15", [293.15], 20.0),
    ("scale 0.1 | offset -40", [615.0], 21.5),
    ("date iso", ["2024-07-01T12:00:00Z"], "2024-07-01T12:00:00Z"),
    ("date iso zone=Europe/Paris", ["2024-07-01T12:00:00"], "2024-07-01T10:00:00Z"),
    ("date iso zone=Europe/Paris", ["2024-01-01T12:00:00.500000"], "2024-01-01T11:00:00.500000Z"),
    ('date "%d/%m/%Y %H:%M" zone=Europe/Paris', ["01/07/2024 12:30"], "2024-07-01T10:30:00Z"),
    ("date epoch", [1719828000], "2024-07-01T10:00:00Z"),
    ("date epoch-ms", [1719828000500], "2024-07-01T10:00:00.500000Z"),
    ("day %d/%m/%Y", ["01/07/2024"], "2024-07-01"),
    ("day iso", ["2024-07-01"], "2024-07-01"),
    ("codes 1=car 2=bus", ["2"], "bus"),
    ('codes "light car"=car', ["light car"], "car"),
    ("lookup sites", ["B"], "urn:ngsi-ld:Site:2"),
    ("boolean oui non", ["non"], False),
    ("list ,", ["a,b"], ["a", "b"]),
    ("join -", ["a", "b"], "a-b"),
    ('join "|"', ["a", "b"], "a|b"),
    ("prefix https://example.org/", ["7"], "https://example.org/7"),
    ("urn Device", ["7/é b"], "urn:ngsi-ld:Device:7%2F%C3%A9%20b"),
    ("point", [7.42, 43.73], {"type": "Point", "coordinates": [7.42, 43.73]}),
]  # fmt: skip
# rule, values, value of the entity; the way back gives something that means the same
FORWARD = [
    ("text", [" 7 "], "7"),
    ("text", [12.0], "12"),
    ("number", ["12"], 12),
    ("number", ["-1.5e3"], -1500.0),
    ("number", ["−4"], -4),
    ("number decimal=,", ["12,5"], 12.5),
    ("number decimal=, thousands=.", ["1.234.567,5"], 1234567.5),
    ('number thousands=" "', ["1\u202f204\u00a0567"], 1204567),
    ("integer", ["7.0"], 7),
    ("null -999 NA | number", ["-999"], None),
    ("null -999 NA | number", ["NA"], None),
    ("null -999 | number", [-999.0], None),
    ("split / 0 | date iso", ["2024-07-01T00:00:00Z/2024-07-02T00:00:00Z"], "2024-07-01T00:00:00Z"),
    ("date iso zone=Europe/Paris ambiguous=first", ["2024-10-27T02:30:00"], "2024-10-27T00:30:00Z"),
    (
        "date iso zone=Europe/Paris ambiguous=second",
        ["2024-10-27 02:30:00"],
        "2024-10-27T01:30:00Z",
    ),
    ("date iso zone=Europe/Paris", ["2024-07-01T12:00:00-05:00"], "2024-07-01T17:00:00Z"),
]
REFUSED = [
    ("number", ["12,5"], "decimal="),
    ("number", ["hot"], "'hot' is no number"),
    ("number", ["nan"], "no number"),
    ("number", ["1_000"], "no number"),
    ("number decimal=,", ["1.5"], "no number"),
    ("number", [math.inf], "finite"),
    ("number", [True], "finite"),
    ("integer", ["7.5"], "whole"),
    ("scale 1e300", [1e300], "float holds"),
    ("date iso", ["2024-07-01T12:00:00"], "zone="),
    ("date iso", ["01/07/2024"], "not ISO 8601"),
    ("date iso", ["2024-07-01"], "use `day` for dates"),
    ("date iso", ["2024-07-01T00:00:00Z/P1D"], "is an interval"),
    ("date %d/%m/%Y zone=UTC", ["2024-07-01/2024-07-02"], "is an interval"),
    ("date %d/%m/%Y zone=UTC", ["31/02/2024"], "format"),
    ("date iso zone=Europe/Paris", ["2024-10-27T02:30:00"], "occurs twice"),
    ("date iso zone=Europe/Paris", ["2024-03-31T02:30:00"], "does not exist"),
    ("date iso zone=Asia/Tokyo", ["0001-01-01T00:00:00"], "beyond the calendar"),
    ("date epoch", [1e20], "beyond the calendar"),
    ("day iso", ["2024-02-30"], "ISO"),
    ("codes 1=car", ["9"], "is not in the list of codes"),
    ("lookup sites", ["C"], "is not in lookup `sites`"),
    ("boolean oui non", ["maybe"], "neither"),
    ("join -", ["a-b", "c"], "holds the separator"),
    ("split / 3", ["a/b"], "has no part 3"),
    ("text", [{"a": 1}], "no text"),
    ("point", ["7.42", "north"], "no number"),
    ("point", [7.42, None], "lacks a part"),
]
UNREADABLE = [
    ("nubmer", 1, "did you mean `number`"),
    ("number decimal", 1, "takes 0 arguments, not 1"),
    ("number decmial=,", 1, "did you mean `decimal`"),
    ("unit CEL MTR", 1, "does not convert"),
    ("unit °C KEL", 1, "write 'CEL'"),
    ("unit CEL", 1, "takes 2 arguments"),
    ("scale 0", 1, "forgets the value"),
    ("unit CEL KEL of=anomaly", 1, "of=difference"),
    ("scale two", 1, "no number"),
    ("date iso zone=Paris", 1, "no time zone"),
    ("date iso ambiguous=maybe", 1, "first or second"),
    ("date %Q", 1, "no format of a day"),
    ("day %m/%Y", 1, "no format of a day"),
    ("date %H:%M zone=UTC", 1, "no format of a day"),
    ("codes", 1, "nothing to work with"),
    ("null", 1, "nothing to work with"),
    ("lookup towns", 1, "no lookup `towns`"),
    ("point crs=EPSG:0", 2, "no coordinate reference system"),
    ("number", 2, "need `join` or `point` first"),
    ("text | join -", 2, "write them first"),
    ("number", 0, "no source field"),
    ("const a", 1, "without a source field"),
    ("const a | text", 0, "without a source field"),
    ('codes "a=b', 1, "quotation mark"),
    ("urn My Device", 1, "takes 1 argument"),
    ("number decimal=. thousands=.", 1, "same sign"),
    ("split / -1", 1, "count from 0"),
]


@pytest.mark.parametrize(("rule", "values", "value"), BOTH_WAYS)
def test_there_and_back(rule, values, value):
    made = parse(rule, sources=len(values), lookups=LOOKUPS)
    assert made.forward(values) == value
    assert made.backward(value, len(values)) == values
    assert made.lossless


@pytest.mark.parametrize(("rule", "values", "value"), FORWARD)
def test_forward(rule, values, value):
    assert parse(rule, sources=len(values)).forward(values) == value


@pytest.mark.parametrize(("rule", "values", "words"), REFUSED)
def test_what_is_refused_says_why(rule, values, words):
    made = parse(rule, sources=len(values), lookups=LOOKUPS)
    with pytest.raises(RefusedError, match=words.replace("`", ".")):
        made.forward(values)


@pytest.mark.parametrize(("rule", "sources", "words"), UNREADABLE)
def test_rules_that_cannot_be_read(rule, sources, words):
    with pytest.raises(WrongUseError) as caught:
        parse(rule, sources=sources, lookups=LOOKUPS)
    assert words in str(caught.value)


def test_every_step_has_an_example():
    named = " | ".join(rule for rule, *_ in (*BOTH_WAYS, *FORWARD))
    used = {part.split()[0] for part in named.split("|") if part.strip()}
    assert set(STEPS) <= used


def test_projected_coordinates():
    made = parse("point crs=EPSG:2154", sources=2)
    found = made.forward([652380.0, 6861700.0])
    # the false origin of Lambert-93 is exact: 3° E, 46.5° N at x = 700 000, y = 6 600 000
    origin = made.forward([700000.0, 6600000.0])["coordinates"]
    assert origin == pytest.approx([3.0, 46.5], abs=1e-9)
    # a place in Paris, to half a kilometre
    assert found["coordinates"] == pytest.approx([2.35, 48.853], abs=5e-3)
    assert made.backward(found, 2) == [652380.0, 6861700.0]


def test_missing_values_stay_missing():
    for rule in ("number | scale 2", "date iso", "codes 1=car", "text"):
        made = parse(rule)
        for nothing in (None, "", "  ", math.nan, pd.NaT):
            assert made.forward([nothing]) is None
        assert made.backward(None, 1) == [None]


def test_times_of_frames_are_taken():
    made = parse("date iso zone=Europe/Paris")
    assert made.forward([pd.Timestamp("2024-07-01 12:00")]) == "2024-07-01T10:00:00Z"
    assert made.forward([pd.Timestamp("2024-07-01 12:00", tz="UTC")]) == "2024-07-01T12:00:00Z"


def test_a_list_of_codes_that_forgets_says_so():
    assert not parse("codes 1=car 2=car").lossless
    assert parse("codes 1=car 2=car").backward("car", 1) == ["1"]


@given(
    st.floats(-1e9, 1e9), st.sampled_from(["unit KMH MTS", "unit FAH KEL", "scale 0.1", "offset 3"])
)
def test_arithmetic_comes_back(value, rule):
    """To 12 digits of the largest number on the way, which the rule keeps."""
    made = parse(rule)
    (back,) = made.backward(made.forward([value]), 1)
    assert back == pytest.approx(value, rel=1e-11, abs=1e-8)


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2060, 1, 1)))
def test_local_times_come_back_or_are_refused(moment):
    made = parse("date iso zone=Europe/Paris")
    try:
        value = made.forward([moment.isoformat()])
    except RefusedError:
        assert moment.month in (3, 4, 9, 10)  # only where clocks change
    else:
        assert made.backward(value, 1) == [moment.isoformat()]


@given(st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip()))
def test_any_text_becomes_a_uri_and_comes_back(text):
    made = parse("urn Device")
    assert is_uri(made.forward([text]))
    assert made.backward(made.forward([text]), 1) == [text]


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_is_refused_with_a_reason(text):
    try:
        made = parse(text)
    except WrongUseError:
        return
    assert made.text == text


@pytest.mark.parametrize(
    ("text", "good", "bad", "words"),
    [
        ("range -40 50", -40, 50.1, "outside of -40 to 50"),
        ("required", 0, None, "is missing"),
        (r"regex \d{5}", "06000", "6000", "does not fit"),
        ('regex "a;b|c"', "a;b", "a", "does not fit"),
        ("list car bus", "bus", "tram", "use one of car, bus"),
        ("bbox 7 43 8 44", {"type": "Point", "coordinates": [7.4, 43.7]},
         {"type": "Point", "coordinates": [43.7, 7.4]}, "latitude first"),
        ("required; range 0 1", 0.5, 2, "outside"),
    ],
)  # fmt: skip
def test_quality_checks(text, good, bad, words):
    made = quality.parse(text)
    assert made.fault(good) == ""
    assert words in made.fault(bad)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rnage 0 1", "did you mean `range`"),
        ("range 0", "takes 2 arguments"),
        ("range a b", "no number"),
        ("regex [", "no pattern"),
        ("bbox 1 2 3", "takes 4"),
        ("list", "takes values"),
    ],
)
def test_quality_that_cannot_be_read(text, words):
    with pytest.raises(RuleError) as caught:
        quality.parse(text)
    assert words in str(caught.value)
