"""From the bytes of a daily file to entities and rejects: each object is one or the other."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, WrongUseError
from ldt_toolbox.mobility.counts import TRAFFIC_FLOW_OBSERVED, clean_counts
from ldt_toolbox.models import records
from ldt_toolbox.models.frames import to_frame
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.mapping import Mapping

HERE = Path(__file__).parent
MONACO = (7.35, 43.70, 7.50, 43.78)
DAY = "2024-07-01T00:00:00+02:00/2024-07-02T00:00:00+02:00"
GOOD = {
    "counter": "Pont Neuf/01", "period": DAY, "count": "1 204", "lane": 1, "lon": 7.4189,
    "lat": 43.7311, "mode": "V",
}  # fmt: skip
# what is wrong, and the word by which the reject says so; "" if it is no fault
FLAWS = {
    "nothing": ({}, ""),
    "id that is no URN": ({"counter": "Stade Louis II"}, ""),
    "null value": ({"count": None}, ""),
    "null id": ({"counter": None}, "is missing"),
    "three degrees east": ({"lon": 10.4189}, "outside of"),
    "latitude first": ({"lon": 43.7311, "lat": 7.4189}, "latitude first"),
    "null position": ({"lat": None}, "location"),
    "a date for an interval": ({"period": "2024-07-01"}, "a date without a time"),
    "a French date": ({"period": "01/07/2024"}, "not ISO 8601"),
    "a count below nothing": ({"count": "-1"}, "outside of"),
    "an unknown code": ({"mode": "X"}, "not in the list of codes"),
}


def dirty(flaw: str, number: int) -> dict:
    """An object with one flaw; the number keeps it from being a duplicate."""
    made = {**GOOD, **FLAWS[flaw][0]}
    return made | ({"counter": f"{made['counter']} {number}"} if made["counter"] else {})


@pytest.fixture(scope="module")
def table():
    return Mapping.read(HERE / "counters.csv")


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_has_its_reason_and_the_rest_of_the_line_is_read(table, tmp_path, flaw) -> None:
    text = json.dumps(dirty(flaw, 1)) + json.dumps(dirty("nothing", 2))
    (tmp_path / "day.jsonl").write_bytes(text.encode())
    found, unread = records.read(tmp_path / "day.jsonl")
    entities, rejects = table.apply(found, bbox=MONACO)
    told = FLAWS[flaw][1]
    assert (len(entities), len(rejects), len(unread)) == ((1, 1, 0) if told else (2, 0, 0))
    if told:
        assert told in str(rejects[0])
    assert entities[-1]["id"].endswith("Pont%20Neuf%2F01%202")
    assert [one for one in lint(entities, bbox=MONACO) if one.severity == "error"] == []


# a file's name, what is in it, the values of `a` that are read, and where the rejects come from
FILES = {
    "two objects on a line": ("x.json", '{"a": 1}{"a": 2}\n{"a": 3}', [1, 2, 3], []),
    "an object over lines": ("x.jsonl", '{\n "a": 1\n}\n{"a": 2}', [1, 2], []),
    "a list": ("x.json", '[{"a": 1}, 7, {"a": 2}]', [1, 2], ["record 2"]),
    "a list that was cut in an object": ("x.json", '[{"a": 1},\n{"a": 2},\n{"a": ', [1, 2],
                                         ["line 3", "line 3"]),
    "a list that was cut between objects": ("x.json", '[{"a": 1},\n{"a": 2}', [1, 2], ["line 2"]),
    "a slip in a list": ("x.json", '[{"a": 1},\n{"a": 2,,},\n{"a": 3}]', [1, 3],
                         ["line 2"]),
    "a line that was cut after a name": ("x.jsonl", '{"a":\n{"a": 1}\n{"a": 2}\n', [1, 2],
                                         ["line 1"]),
    "a name twice": ("x.jsonl", '{"a": 1, "a": 2}{"a": 3}', [3], ["line 1"]),
    "a name twice in a list": ("x.json", '[{"a": {"b": 1, "b": 2}}, {"a": 3}]', [3], ["line 1"]),
    "a name twice in what was cut": ("x.jsonl", '{"x": {"a": 1, "a": 2},\n{"a": 3}', [3],
                                     ["line 1"]),
    "lists line by line": ("x.jsonl", '[{"a": 1}]\n{"a": 2}\n', [2], ["line 1"]),
    "tabs": ("x.tsv", "a\tb\n1\t2\n", ["1"], []),
    "too deep": ("x.json", "[" * 100_000, [], ["line 1", "line 1"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_what_can_be_read_is_read_and_the_rest_told(tmp_path, name) -> None:
    file, text, there, rejected = FILES[name]
    (tmp_path / file).write_text(text, encoding="utf-8")
    found, unread = records.read(tmp_path / file)
    assert [one["a"] for one in found] == there
    assert [one.place for one in unread] == rejected
    assert all(one.reasons for one in unread)


garbage = st.sampled_from(['{"a": {"b": 1, "b": 2},', '{"a": 1, "a": 2}']) | st.text(
    '{}[]",:1a \\\t', max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.lists(st.one_of(garbage, st.just("")), max_size=8),
    st.sampled_from(["x.json", "x.jsonl"]),
    st.sampled_from(["", "["]),
)
def test_whatever_stands_between_them_no_object_is_lost(tmp_path, between, file, begin) -> None:
    text = begin
    for number, piece in enumerate(between):
        text += f'{piece}\n{{"id": "n{number}n"}}'
    (tmp_path / file).write_text(text, encoding="utf-8")
    found, unread = records.read(tmp_path / file)
    held = [json.dumps(one) for one in (*found, *(one.record for one in unread))]
    for number in range(len(between)):
        assert sum(f"n{number}n" in one for one in held) == 1, (number, held)


def test_features_are_records_as_they_are(tmp_path) -> None:
    feature = {"type": "Feature", "id": 7, "geometry": None, "properties": {"a": 1}}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (tmp_path / "x.geojson").write_text(text, encoding="utf-8")
    assert records.read(tmp_path / "x.geojson") == ([feature], [])


def test_another_encoding_is_named_and_read(tmp_path) -> None:
    (tmp_path / "x.csv").write_text("a;b\nNîmes;1\n", encoding="cp1252")
    with pytest.raises(DataError, match=r"no UTF-8 text .* encoding='cp1252'"):
        records.read(tmp_path / "x.csv")
    found, unread = records.read(tmp_path / "x.csv", encoding="cp1252")
    assert (found, unread) == ([{"a": "Nîmes", "b": "1"}], [])
    with pytest.raises(WrongUseError, match="encoding 'latin9000' is none"):
        records.read(tmp_path / "x.csv", encoding="latin9000")
    with pytest.raises(WrongUseError, match=r"x.xlsx is no file of records: .*from_frame"):
        records.read(tmp_path / "x.xlsx")


GAPS = st.sampled_from(["", " ", "\n", ",\n", "\r\n\n"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(st.lists(st.tuples(st.sampled_from([*FLAWS, "again"]), GAPS), min_size=1, max_size=15))
def test_what_goes_in_comes_out_once(table, tmp_path, parts) -> None:
    objects, text = [], ""
    for number, (flaw, between) in enumerate(parts):
        fresh = dirty("nothing" if flaw == "again" else flaw, number)
        objects.append(objects[-1] if flaw == "again" and objects else fresh)
        text += json.dumps(objects[-1]) + between
    (tmp_path / "day.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode())
    found, unread = records.read(tmp_path / "day.jsonl")
    entities, rejects = table.apply(found, bbox=MONACO)
    assert unread == []
    assert [dict(record) for record in found] == objects, "every object of the file, in order"
    assert len(entities) + len(rejects) == len(objects)
    places = [one.place for one in rejects]
    assert len(set(places)) == len(places)
    assert all(one.reasons and one.record in objects for one in rejects)
    assert len({one["id"] for one in entities}) == len(entities), "a double is a reject"


def read_csv(folder, text):
    (folder / "day.csv").write_text(text, encoding="utf-8", newline="")
    return records.read(folder / "day.csv")


@pytest.mark.parametrize(
    ("text", "there", "rejected"),
    [
        ("a;b\n1;2\n", [("1", "2")], []),
        ("sep=;\n\na;b\n1;2", [("1", "2")], []),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", [("1", "2"), ("3", "4")], []),
        ('a;b\n1;"two\nlines"\n3;4\n', [("1", "two\nlines"), ("3", "4")], []),
        ("a;b\n1;2;3\n4\n5;6\n", [("5", "6")], ["line 2", "line 3"]),
        ('a;b\n1;"2\n3;4\n5;6\n', [("3", "4"), ("5", "6")], ["line 2"]),
        ('a;b\n3;4\n1;"2\n', [("3", "4")], ["line 3"]),
        ("a;b\n1;" + 200_000 * "x" + "\n3;4\n", [("3", "4")], ["line 2"]),
    ],
)
def test_every_line_of_a_csv_file_is_a_record_or_a_reject(tmp_path, text, there, rejected):
    found, unread = read_csv(tmp_path, text)
    assert [tuple(one.values()) for one in found] == there
    assert [one.place for one in unread] == rejected
    assert all(one.record and one.reasons for one in unread)


plain = st.tuples(*[st.text("abc 1,", max_size=4)] * 2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(st.lists(plain, max_size=6), plain, st.lists(plain, max_size=6))
def test_a_stray_quotation_mark_takes_no_other_line_along(tmp_path, before, spoilt, after) -> None:
    lines = [";".join(cells) for cells in (*before, spoilt, *after)]
    lines[len(before)] = f'"{lines[len(before)]}'
    found, unread = read_csv(tmp_path, "\n".join(["a;b", *lines]) + "\n")
    assert [tuple(one.values()) for one in found] == [*before, *after]
    assert [one.place for one in unread] == [f"line {len(before) + 2}"]


def test_two_columns_of_one_name_are_told(tmp_path) -> None:
    with pytest.raises(DataError, match="column a stands twice"):
        read_csv(tmp_path, "a;b;a\n1;2;3\n")


def counter(day, count, **changes):
    """A day of a counter, as cities publish them: entities in the simplified form."""
    return {
        "intensity": count, "laneId": 1, "vehicleType": "bicycle", "reversedLane": False,
        "dateObserved": f"2024-07-{day:02d}T00:00:00/2024-07-{day + 1:02d}T00:00:00",
        "location": {"type": "Point", "coordinates": [7.42, 43.73]},
        "id": "urn:ngsi-ld:EcoCounter:7", "type": "TrafficFlowObserved",
    } | changes  # fmt: skip


def test_a_daily_file_becomes_counts_and_every_object_is_accounted_for(tmp_path) -> None:
    far = {"type": "Point", "coordinates": [10.42, 43.73]}
    days = [
        counter(1, 1204), counter(2, 987), counter(3, None), counter(1, 1204),
        counter(4, 55, location=far), counter(5, 5, id="Pont 7"), counter(6, 8),
    ]  # fmt: skip
    texts = [json.dumps(day) for day in days]
    text = texts[0] + texts[1] + "\n" + "\n".join(texts[2:6]) + "\n" + texts[6][:-9]
    (tmp_path / "EcoCompt_archive.json").write_text(text, encoding="utf-8")
    found, unread = records.read(tmp_path / "EcoCompt_archive.json")
    done = clean_counts(to_frame(found), TRAFFIC_FLOW_OBSERVED, zone="Europe/Paris", bbox=MONACO)
    assert len(unread) == 1
    assert len(done.counts) + len(done.rejects) + len(unread) == len(days)
    assert sorted(done.counts["count"]) == [5, 987, 1204]
    assert done.counts["start"].min().isoformat() == "2024-06-30T22:00:00+00:00"
    assert dict(zip(done.rejects["row"], done.rejects["reason"], strict=True)) == {
        2: "null", 3: "repeated", 4: "outside-territory",
    }  # fmt: skip
