"""Query language: what is built means what was meant, whatever the values are."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients.ngsi_ld import Q
from ldt_toolbox.clients.ngsi_ld.query import instant, literal
from ldt_toolbox.errors import WrongUseError

NAMES = ("a", "b", "c")
SCALARS = st.one_of(
    st.text(max_size=8),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
ORDERED = st.one_of(st.text(max_size=4), st.integers(-5, 5))


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (Q.attr("temperature").exists(), "temperature"),
        (Q.attr("temperature") == 20, "temperature==20"),
        (Q.attr("brandName") != "Mercedes", 'brandName!="Mercedes"'),
        (
            Q.attr("isParked") == "urn:ngsi-ld:OffStreetParking:Downtown1",
            'isParked=="urn:ngsi-ld:OffStreetParking:Downtown1"',
        ),
        (
            (Q.attr("speed") > 50) & (Q.attr("brandName") != "Mercedes"),
            'speed>50;brandName!="Mercedes"',
        ),
        (
            ((Q.attr("speed") > 50) | (Q.attr("rpm") > 3000)) & (Q.attr("brandName") == "Mercedes"),
            '(speed>50|rpm>3000);brandName=="Mercedes"',
        ),
        (
            ((Q.attr("temperature") >= 20) & (Q.attr("temperature") <= 25))
            | (Q.attr("capacity") <= 10),
            "temperature>=20;temperature<=25|capacity<=10",
        ),
        (
            Q.attr("temperature.observedAt") >= datetime(2017, 12, 24, 12, tzinfo=UTC),
            "temperature.observedAt>=2017-12-24T12:00:00Z",
        ),
        (Q.attr("address").member("city") == "Berlin", 'address[city]=="Berlin"'),
        (
            Q.attr("sensor.rawdata").member("airquality.particulate") == 40,
            "sensor.rawdata[airquality.particulate]==40",
        ),
        (Q.attr("sensor").linked("humidity") == 40, "sensor{humidity}==40"),
        (
            Q.attr("sensor").linked("humidity", types=["Device"]) == 40,
            "sensor{Device:humidity}==40",
        ),
        (Q.attr("temperature").between(10, 20), "temperature==10..20"),
        (Q.attr("color").one_of(["black", "red"]), 'color=="black","red"'),
        (Q.attr("color").language("en") == "red", 'color[en]=="red"'),
        (Q.attr("name").matches("^Sm.*"), "name~=^Sm.*"),
    ],
)
def test_examples_of_the_standard(built, expected) -> None:
    # clause 4.9, examples 0 to 14 (the outer brackets of examples 6 and 7 say nothing)
    assert str(built) == expected


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        # 4.9: times have no quotes, and a text is no time
        (Q.attr("t.observedAt") > "2026-07-01T12:00:00Z", "t.observedAt>2026-07-01T12:00:00Z"),
        (Q.attr("t.observedAt") > "2026-07-01T14:00:00+02:00", "t.observedAt>2026-07-01T12:00:00Z"),
        (Q.attr("modifiedAt") >= "2026-07-01", "modifiedAt>=2026-07-01"),
        (
            Q.attr("t").sub("observedAt").between("2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"),
            "t.observedAt==2026-07-01T00:00:00Z..2026-07-02T00:00:00Z",
        ),
        (Q.attr("t.observedAt") == "2026-07-01T12:00:00", 't.observedAt=="2026-07-01T12:00:00"'),
        (Q.attr("t.observedAt") == "2026-07-01;12:00:00Z", "t.observedAt==2026-07-01T12:00:00Z"),
        (Q.attr("t.observedAt") == "noon|x", 't.observedAt=="noon|x"'),
        (Q.attr("dateObserved") == "2026-07-01", 'dateObserved=="2026-07-01"'),
    ],
)
def test_a_text_beside_the_time_of_an_attribute_is_a_time(built, expected) -> None:
    assert str(built) == expected


@st.composite
def _terms(draw):
    """A condition as the client builds it, and as plain Python."""
    name = draw(st.sampled_from(NAMES))
    attribute = Q.attr(name)
    kind = draw(st.sampled_from(["==", "!=", ">", "<=", "range", "list", "exists"]))
    if kind == "exists":
        return attribute.exists(), ("exists", name)
    if kind in ("==", "!="):
        value = draw(SCALARS)
        built = attribute == value if kind == "==" else attribute != value
        return built, (kind, name, ("any", value))
    if kind in (">", "<="):
        value = draw(ORDERED)
        return attribute > value if kind == ">" else attribute <= value, (
            kind,
            name,
            ("any", value),
        )
    if kind == "range":
        low, high = draw(ORDERED), draw(ORDERED)
        return attribute.between(low, high), ("==", name, ("range", low, high))
    values = draw(st.lists(SCALARS, min_size=1, max_size=3))
    return attribute.none_of(values), ("!=", name, ("any", *values))


def _joined(parts):
    return st.tuples(st.sampled_from(["and", "or"]), parts, parts).map(
        lambda t: (
            t[1][0] & t[2][0] if t[0] == "and" else t[1][0] | t[2][0],
            (t[0], t[1][1], t[2][1]),
        )
    )


ENTITIES = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(SCALARS, st.lists(SCALARS, max_size=2)).map(
        lambda v: {"type": "Property", "value": v}
    ),
)


@given(st.recursive(_terms(), _joined, max_leaves=6), ENTITIES)
def test_what_is_built_reads_back_with_the_same_meaning(q_language, both, entity) -> None:
    built, meant = both
    read = q_language.parse(str(built))
    assert q_language.meets(entity, read) == q_language.meets(entity, meant)


@given(st.text(), st.text())
def test_no_text_escapes_its_quotes(q_language, text, other) -> None:
    built = (Q.attr("a") == text) & (Q.attr("b") != other)
    assert q_language.parse(str(built)) == (
        "and", ("==", "a", ("any", text)), ("!=", "b", ("any", other))
    )  # fmt: skip


@given(st.text(max_size=12))
def test_a_name_is_one_of_the_grammar_or_is_refused(q_language, name) -> None:
    try:
        built = Q.attr(name) == 1
    except WrongUseError:
        return
    assert q_language.parse(str(built)) == ("==", name, ("any", 1))


@given(st.text(max_size=8))
def test_a_bare_pattern_stays_one_term_or_is_refused(q_language, pattern) -> None:
    try:
        built = Q.attr("a").matches(pattern) & Q.attr("b")
    except WrongUseError:
        return
    assert q_language.parse(str(built)) == ("and", ("~=", "a", pattern), ("exists", "b"))


def test_a_quoted_pattern_may_hold_anything(q_language) -> None:
    built = Q.attr("a").matches('x|y;("z")', quoted=True) | Q.attr("b")
    assert q_language.parse(str(built)) == ("or", ("~=", "a", 'x|y;("z")'), ("exists", "b"))


@pytest.mark.parametrize("name", ["", "a b", "a;b", "1a", "a..b", "a==1", "http://x/y", "é-è"])
def test_wrong_names_are_refused(name) -> None:
    with pytest.raises(WrongUseError, match="attribute name"):
        Q.attr(name)


def test_python_words_that_would_lose_a_condition_are_refused() -> None:
    hot, wet = Q.attr("temperature") > 30, Q.attr("rain") > 1
    with pytest.raises(WrongUseError, match="& and"):
        _ = hot and wet
    with pytest.raises(WrongUseError, match="no truth value"):
        _ = 10 < Q.attr("temperature") < 20
    with pytest.raises(WrongUseError, match="brackets"):
        _ = hot & 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, object(), [1]])
def test_values_without_a_form_are_refused(value) -> None:
    with pytest.raises(WrongUseError):
        _ = Q.attr("a") == value


def test_instants_are_sent_in_utc_and_never_guessed() -> None:
    paris = timezone(timedelta(hours=2))
    assert literal(datetime(2026, 7, 1, 14, tzinfo=paris)) == "2026-07-01T12:00:00Z"
    assert literal(date(2026, 7, 1)) == "2026-07-01"
    assert literal(time(12, 30)) == "12:30:00Z"
    with pytest.raises(WrongUseError, match="no time zone"):
        literal(datetime(2026, 7, 1))


def test_cells_of_a_frame_are_values_too() -> None:
    hot = Q.attr("t")
    assert str(hot > np.int64(3)) == "t>3"
    assert str(hot > np.float32(3.5)) == "t>3.5"
    assert str(hot == np.bool_(True)) == "t==true"
    assert str(hot.between(np.int64(1), 5)) == "t==1..5"
    assert str(hot.one_of(np.array(["a", "b"]))) == 't=="a","b"'
    for wrong in (np.float64("nan"), np.bool_(True)):
        with pytest.raises(WrongUseError):
            str(hot > wrong)
    with pytest.raises(WrongUseError, match="no date and time"):
        instant(date(2026, 7, 1))
