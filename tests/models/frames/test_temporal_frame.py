"""Temporal evolutions to frames: what the kernel reads is what a JSON parser reads."""

import json
from datetime import UTC, datetime

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.clients.ngsi_ld import aggregates, observations
from ldt_toolbox.errors import DataError, MissingFileError, WrongUseError
from ldt_toolbox.models.frames import temporal, temporal_frame
from ldt_toolbox.models.frames.instants import NO_TIME, instant, instants
from ldt_toolbox.models.frames.scan import ROWS, scan

TIME = "2026-07-01T12:00:00Z"


@pytest.fixture(autouse=True)
def kernel(monkeypatch):
    """Let the kernel read small documents, too."""
    monkeypatch.setattr(temporal, "_LARGE", 0)


def entity(**attributes):
    return {"id": "urn:ngsi-ld:Device:1", "type": "Device", **attributes}


def reading(value, time=TIME, **more):
    return {"type": "Property", "value": value, "observedAt": time, **more}


# Numbers as texts, so that forms are tried that no writer of JSON would choose
whole = st.sampled_from(["", "-"]).flatmap(
    lambda sign: st.integers(0, 2**70).map(lambda number: f"{sign}{number}")
)
exponent = st.sampled_from(["", "e5", "E-7", "e+22", "e-99", "e120", "e"])
fraction = st.sampled_from(
    ["", ".", ".0", ".50", ".000000000000000000000001", ".30000000000000004"]
)
number = st.tuples(whole, fraction, exponent).map("".join)
decimal = st.floats(-1e6, 1e6).map(repr)
value = st.one_of(
    decimal, decimal, number, st.sampled_from(["-0", "-0.0", "01", "null", "true", '"text"', "[1]"])
)
moment = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda at: at.isoformat())
time = st.one_of(
    moment.map(lambda at: f"{at}Z"),
    moment,
    st.sampled_from([TIME, "2024-02-30T00:00:00Z", "2024-02-29T23:59:60Z", "", "é", "\\u0032"]),
)
blank = st.sampled_from(["", "", "", " ", "\n ", "\t"])
unit = st.sampled_from(['"CEL"', '"KEL"', '"é"', '"C\\u0045L"', "5"])
extra = st.sampled_from(
    ['"instanceId":"urn:i:1"', '"accuracy":{"type":"Property","value":1}', '"createdAt":"x"',
     '"value":7', '"datasetId":"urn:d:1"', '"datasetId":"urn:d:2"']
)  # fmt: skip


@st.composite
def instance(draw):
    members = [f'"value":{draw(blank)}{draw(value)}', f'"observedAt":{draw(blank)}"{draw(time)}"']
    if draw(st.booleans()):
        members.insert(0, '"type":"Property"')
    if draw(st.booleans()):
        members.append(f'"unitCode":{draw(unit)}')
    if draw(st.integers(0, 3)) == 0:
        members.append(draw(extra))
    if draw(st.integers(0, 3)) == 0:
        members = draw(st.permutations(members))
    return "{" + f"{draw(blank)},{draw(blank)}".join(members) + draw(blank) + "}"


@st.composite
def pairs(draw):
    listed = draw(st.lists(st.tuples(value, time), max_size=3))
    written = ",".join(f'[{one},{draw(blank)}"{at}"]' for one, at in listed)
    more = draw(st.sampled_from(["", ',"unitCode":"CEL"', ',"datasetId":"urn:d:1"', ',"value":3']))
    return '{"type":"Property","values":' + f"[{written}]{more}" + "}"


attribute = st.one_of(
    instance(),
    pairs(),
    st.lists(st.one_of(instance(), instance(), pairs()), max_size=4).map(
        lambda many: f"[{','.join(many)}]"
    ),
    st.sampled_from(['"bare"', "5", "[]", "{}", "[{}]", '{"type":"Point","coordinates":[1,2]}']),
)


@st.composite
def evolution(draw):
    names = draw(st.lists(st.sampled_from(["a", "b", "c\\u0063", "scope"]), max_size=3))
    members = [f'"{name}":{draw(blank)}{draw(attribute)}' for name in names]
    members.insert(draw(st.integers(0, len(members))), '"id":"urn:x:1"')
    members.append(draw(st.sampled_from(['"type":"T"', '"type":["T","U"]'])))
    return "{" + ",".join(members) + "}"


document = st.lists(evolution(), min_size=1, max_size=3).flatmap(
    lambda many: st.sampled_from([f" [{' , '.join(many)}] ", "\n".join(many), "".join(many) + "\n"])
)


def outcome(text):
    try:
        return temporal_frame(text)
    except DataError:
        return None


def assert_same_reading(text, monkeypatch):
    monkeypatch.setattr(temporal, "_LARGE", 0)
    fast = outcome(text)
    monkeypatch.setattr(temporal, "_LARGE", 10**9)
    slow = outcome(text)
    assert (fast is None) == (slow is None), text
    if fast is not None:
        pd.testing.assert_frame_equal(fast, slow, check_exact=True)
        assert fast.attrs == slow.attrs
        if fast.value.dtype == float:
            np.testing.assert_array_equal(np.signbit(fast.value), np.signbit(slow.value))


relaxed = settings(
    deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(text=document)
def test_the_kernel_reads_what_the_parser_reads(text, monkeypatch):
    assert_same_reading(text.encode(), monkeypatch)


@relaxed
@given(text=document, data=st.data())
def test_the_kernel_takes_no_document_that_the_parser_refuses(text, data, monkeypatch):
    written = bytearray(text.encode())
    at = data.draw(st.integers(0, len(written) - 1))
    way = data.draw(st.sampled_from(["change", "delete", "double", "cut"]))
    if way == "change":
        written[at] = data.draw(st.sampled_from(b'\x00\x1f\xff "\\{}[],:0.eE-+Zt'))
    elif way == "cut":
        del written[at:]
    else:
        written[at : at + 1] = written[at : at + 1] * 2 if way == "double" else b""
    assert_same_reading(bytes(written), monkeypatch)


def test_the_usual_shapes_are_read_by_the_kernel():
    listed = [
        entity(a=[reading(1.5, unitCode="CEL"), reading(2, unitCode="KEL")]) for _ in range(3)
    ]
    simplified = entity(b={"type": "Property", "values": [[1, TIME], [-2.5e-3, TIME]]})
    text = orjson.dumps([*listed, simplified])
    found = scan(np.frombuffer(text, np.uint8), timeproperty="observedAt")
    assert (found.pieces[:, 0] == ROWS).sum() == 4
    assert len(found.values) == 3 * 2 + 2


@given(number=st.one_of(st.floats(allow_nan=False, allow_infinity=False).map(repr), number))
@settings(deadline=None)
def test_numbers_are_the_nearest_doubles(number):
    try:
        expected = float(json.loads(number))
    except (ValueError, OverflowError):
        return
    found = temporal_frame(
        orjson.dumps(entity(a=[reading(0)])).replace(b":0,", f":{number},".encode())
    )
    assert found.value[0] == expected


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
@settings(deadline=None)
def test_times_are_those_of_the_standard_library(at):
    frame = temporal_frame(orjson.dumps(entity(a=[reading(1, at.isoformat() + "Z")])))
    assert frame.time[0].to_pydatetime() == at.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "soon", "é"])
def test_what_is_no_time_is_kept_without_one_and_told(text):
    frame = temporal_frame(entity(a=[reading(1), reading(2, text)]))
    assert frame.value.tolist() == [1, 2]
    assert frame.time.isna().tolist() == [False, True]
    assert frame.attrs["unread_times"] == [text]


def test_many_texts_are_read_as_one_by_one():
    texts = [
        f"2024-01-{1 + n % 31:02}T00:{n % 61:02}:00{'Z' if n % 7 else '+02:00'}"
        for n in range(60_000)
    ]
    found = instants([*texts, None, "é"])
    assert found.tolist() == [instant(text) for text in (*texts, None, "é")]
    assert (found == NO_TIME).sum() > 2


def test_every_observation_of_the_client_is_a_row():
    evolution = entity(
        temperature=[reading(1.5, unitCode="CEL"), reading(2.5, datasetId="urn:d:1")],
        humidity={"type": "Property", "values": [[0.5, TIME], [0.6, TIME]]},
        owner={"type": "Relationship", "object": "urn:x:2", "observedAt": TIME},
        name={"type": "LanguageProperty", "languageMaps": [[{"languageMap": {"fr": "un"}}, TIME]]},
        location={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7, 43]}},
    )
    written = orjson.dumps(evolution)
    for answer in (evolution, written, written.decode(), [evolution], iter([evolution])):
        frame = temporal_frame(answer)
        told = [
            (one.entity_id, one.attribute, one.dataset_id, one.unit_code, one.value)
            for one in observations(evolution)
        ]
        columns = ["entity_id", "attribute", "dataset_id", "unit_code", "value"]
        assert list(frame[columns].itertuples(index=False, name=None)) == told
    assert frame.type.unique().tolist() == ["Device"]
    numbers = temporal_frame(evolution, attributes=["temperature", "humidity"])
    assert numbers.value.dtype == float
    assert str(numbers.time.dtype) == "datetime64[us, UTC]"


def test_a_deletion_is_an_observation_without_a_value():
    gone = "urn:ngsi-ld:null"
    evolution = entity(
        t=[reading(1.5), {"type": "Property", "value": gone, "observedAt": TIME}],
        u={"type": "Property", "values": [[0.5, TIME], [gone, TIME]]},
        v={"type": "Relationship", "objects": [[gone, TIME]]},
        w=[{"type": "LanguageProperty", "languageMap": {"@none": gone}, "observedAt": TIME}],
        x={"type": "LanguageProperty", "languageMaps": [[{"languageMap": {"@none": gone}}, TIME]]},
    )
    for answer in (evolution, orjson.dumps(evolution)):
        frame = temporal_frame(answer)
        assert frame["value"].dtype == float
        told = [one.value for one in observations(evolution)]
        assert frame["value"].astype(object).where(frame["value"].notna(), None).tolist() == told
        assert told == [1.5, None, 0.5, None, None, None, None]


def test_aggregates_are_no_observations():
    evolution = entity(t={"type": "Property", "avg": [[100.0, TIME, TIME]]})
    for answer in (evolution, orjson.dumps(evolution)):
        with pytest.raises(DataError, match=r"aggregates \(avg\) are no observations"):
            temporal_frame(answer)
    table = pd.DataFrame(aggregates(evolution))
    assert table[["attribute", "method", "value"]].values.tolist() == [["t", "avg", 100.0]]


def test_another_time_may_count():
    one = reading(1, createdAt="2020-01-01T00:00:00Z")
    for answer in (entity(a=[one, one]), orjson.dumps(entity(a=[one, one]))):
        assert temporal_frame(answer, timeproperty="createdAt").time.dt.year.tolist() == [2020] * 2
    with pytest.raises(WrongUseError, match="choose one of observedAt"):
        temporal_frame([], timeproperty="when")


def test_files_of_all_forms_give_the_same(tmp_path):
    many = [entity(a=[reading(n), reading(n + 0.5)]) for n in range(3)]
    (tmp_path / "list.json").write_bytes(orjson.dumps(many))
    (tmp_path / "lines.ndjson").write_bytes(b"\n".join(map(orjson.dumps, many)) + b"\n")
    for name in ("list.json", "lines.ndjson"):
        pd.testing.assert_frame_equal(temporal_frame(tmp_path / name), temporal_frame(many))
    assert len(temporal_frame(b"[]")) == len(temporal_frame([])) == 0


@pytest.mark.parametrize("text", [b"", b" ", b"{", b"[1]", b"5", b"{} x", b'{"a":[}', b"[{},]"])
def test_what_is_no_answer_is_refused(text, tmp_path):
    path = tmp_path / "answer.json"
    path.write_bytes(text)
    for answer in (text, path):
        with pytest.raises(DataError, match=r"give|JSON"):
            temporal_frame(answer)
    with pytest.raises(MissingFileError, match="check the path"):
        temporal_frame(tmp_path / "none.json")
