"""Mapping tables: entities that are right, rejects that say why, and nothing lost."""

import json
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DocumentError, MissingFileError, WrongUseError
from ldt_toolbox.models import mapping_table, records
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.mapping import Mapping
from ldt_toolbox.models.record_fields import UnknownFieldWarning
from ldt_toolbox.models.rule_steps import RefusedError
from ldt_toolbox.models.types import catalogue

HERE = Path(__file__).parent
MONACO = (7.35, 43.70, 7.50, 43.78)
STATION = [
    {"source": "id", "target": "WeatherObserved.id", "rule": "urn WeatherObserved",
     "quality": "required; unique when"},
    {"source": "t", "target": "WeatherObserved.temperature", "rule": "unit FAH CEL",
     "quality": "range -40 50"},
    {"source": "rh", "target": "WeatherObserved.relativeHumidity", "rule": "scale 100"},
    {"source": "when", "target": "WeatherObserved.dateObserved",
     "rule": "date iso zone=Europe/Paris"},
    {"source": "when", "target": "WeatherObserved.*.observedAt",
     "rule": "date iso zone=Europe/Paris"},
    {"source": "lon; lat", "target": "WeatherObserved.location", "rule": "point"},
    {"source": "device", "target": "WeatherObserved.refDevice", "rule": "urn Device"},
]  # fmt: skip

NOTHING = dict.fromkeys(["id", "t", "rh", "when", "lon", "lat", "device"])


@pytest.fixture(scope="module")
def station():
    return Mapping.of(STATION)


@pytest.fixture(scope="module")
def counters():
    return Mapping.read(HERE / "counters.csv")


@pytest.fixture(scope="module")
def dirty():
    return records.read(HERE / "counters.jsonl")


def test_dirty_counters_are_rejected_one_by_one_with_the_reason(counters, dirty):
    """Two objects on a line, a double, ids that are no URN, three degrees off, latitude first,
    a null, a date where a period is asked for, an unknown code, a cut line, a list."""
    found, unread = dirty
    entities, rejects = counters.apply(found, bbox=MONACO)
    assert [one["id"] for one in entities] == [
        "urn:ngsi-ld:TrafficFlowObserved:Pont%20Neuf%2F01",
        "urn:ngsi-ld:TrafficFlowObserved:Pont%20Neuf%2F02",
        "urn:ngsi-ld:TrafficFlowObserved:Port%203",
    ]
    told = {one.place: str(one) for one in (*rejects, *unread)}
    words = {
        "line 3": "was at line 1 already: keep one",
        "line 4": "outside of 7.35, 43.7 to 7.5, 43.78",
        "line 5": "latitude first",
        "line 7": "period -> dateObservedFrom: '01' is not ISO 8601",
        "line 8": "'X' is not in the list of codes",
        "line 9": "counter -> id: is missing",
        "line 10": "is no JSON",
        "line 11": "is no JSON object",
    }
    assert set(told) == set(words)
    for place, part in words.items():
        assert part in told[place], place
    assert "count -> intensity: is -1, outside of 0 to 200000" in told["line 8"]
    assert len(entities) + len(rejects) == len(found) == 9
    assert len(unread) == 2


def test_entities_of_dirty_counters_are_clean(counters, dirty):
    entities, _ = counters.apply(dirty[0], bbox=MONACO)
    assert lint(entities, bbox=MONACO) == []
    first, _, third = entities
    assert first["intensity"] == {
        "type": "Property", "value": 1204, "unitCode": "C62", "observedAt": "2024-07-01T22:00:00Z",
    }  # fmt: skip
    assert first["dateObservedFrom"]["value"] == "2024-06-30T22:00:00Z"
    assert first["dataProvider"]["value"] == "Monaco"
    assert first["@context"][0] == {"counterKind": "https://example.org/model/counterKind"}
    assert "intensity" not in third, "a null is no zero: the attribute is left out"
    assert third["vehicleType"]["value"] == "bicycle"


def test_counters_come_back(counters, dirty):
    entities, _ = counters.apply(dirty[0], bbox=MONACO)
    first = counters.back(entities)[0]
    assert first["counter"] == "Pont Neuf/01"
    assert (first["count"], first["lane"], first["mode"]) == (1204, 1, "V")
    assert (first["lon"], first["lat"]) == (7.4189, 43.7311)
    again, rejects = counters.apply(counters.back(entities), bbox=MONACO)
    assert rejects == []
    assert again == entities


PLACES = st.floats(-180, 180).flatmap(lambda x: st.tuples(st.just(x), st.floats(-90, 90)))
GOOD = st.builds(
    lambda number, t, rh, day, place: {
        "id": f"station {number}", "t": round(t, 3), "rh": round(rh, 3),
        "when": f"2024-06-{day:02d}T12:00:00", "lon": place[0], "lat": place[1], "device": "7/8",
    },
    st.integers(0, 10**6), st.floats(-40, 120), st.floats(0, 1), st.integers(1, 30), PLACES,
)  # fmt: skip
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
FIELDS = st.sampled_from(["id", "t", "rh", "when", "lon", "lat", "device", "other"])
BAD = st.dictionaries(FIELDS, ANYTHING | st.lists(ANYTHING, max_size=2), max_size=8) | ANYTHING
MIXED = GOOD | BAD | st.builds(lambda good, bad: {**good, **bad}, GOOD,
                               st.dictionaries(FIELDS, ANYTHING, max_size=2))  # fmt: skip


@pytest.mark.filterwarnings("ignore::ldt_toolbox.models.record_fields.UnknownFieldWarning")
@settings(max_examples=200)
@given(st.lists(MIXED, max_size=12))
def test_no_record_is_lost(rows):
    """Every record is an entity or a reject, never both, in order, and entities are right."""
    table = Mapping.of(STATION)
    entities, rejects = table.apply(rows)
    assert len(entities) + len(rejects) == len(rows)
    places = [int(one.place.removeprefix("record ")) for one in rejects]
    assert places == sorted(set(places))
    for one in rejects:
        assert one.record is rows[int(one.place.removeprefix("record ")) - 1]
        assert one.reasons
        assert all(len(reason.message) > 8 for reason in one.reasons)
    assert [one for one in lint(entities) if one.severity == "error"
            and one.code != "duplicate-id"] == []  # fmt: skip


@settings(max_examples=100)
@given(st.lists(GOOD, max_size=6, unique_by=lambda row: (row["id"], row["when"])))
def test_records_come_back(rows):
    """Numbers to the 12 digits that a rule keeps, everything else exactly."""
    table = Mapping.of(STATION)
    entities, rejects = table.apply(rows)
    assert rejects == []
    for row, back in zip(rows, table.back(entities), strict=True):
        assert {k: back[k] for k in ("id", "when", "device", "lon", "lat")} == {
            k: row[k] for k in ("id", "when", "device", "lon", "lat")
        }
        assert back["t"] == pytest.approx(row["t"], abs=1e-8)
        assert back["rh"] == pytest.approx(row["rh"], abs=1e-10)
    again, rejects = table.apply(table.back(entities))
    assert rejects == []
    assert [one["id"] for one in again] == [one["id"] for one in entities]


def test_the_model_is_quality_control_too(station):
    base = NOTHING | {"id": "1", "when": "2024-07-01T12:00:00", "lon": 7.4, "lat": 43.7}
    for change, words in (
        ({"rh": 3}, "outside of 0 to 100 P1"),
        ({"lon": 7.4, "lat": 4437.0}, "no longitude and latitude"),
        ({"when": None}, "requires `dateObserved`"),
    ):
        entities, (reject,) = station.apply([{**base, **change}])
        assert entities == []
        assert words in str(reject)


def test_entities_in_another_unit_are_read_back(station):
    (entity,), _ = station.apply([
        NOTHING | {"id": "1", "t": 68, "when": "2024-07-01T12:00:00", "lon": 7.4, "lat": 43.7}
    ])  # fmt: skip
    entity["temperature"] = {"type": "Property", "value": 293.15, "unitCode": "KEL"}
    assert station.back([entity])[0]["t"] == pytest.approx(68, abs=1e-9)
    entity["temperature"]["unitCode"] = "MTR"
    with pytest.raises(RefusedError, match="does not convert to CEL"):
        station.back([entity])


def test_entities_that_do_not_fit_are_rejects_and_the_others_come_back(station):
    row = NOTHING | {"id": "1", "t": 68, "when": "2024-07-01T12:00:00", "lon": 7.4, "lat": 43.7}
    (good,), _ = station.apply([row])
    warm, device = good["temperature"], {"type": "Property", "value": "urn:ngsi-ld:Device:7"}
    spoilt = [
        ({"type": "Device"}, "not WeatherObserved"),
        ({"temperature": 20}, "holds no `value`"),
        ({"temperature": [warm, warm]}, "one instance"),
        ({"temperature": {**warm, "unitCode": "MTR"}}, "does not convert to CEL"),
        ({"refDevice": device, "dateObserved": "noon"}, "holds no `object`"),
    ]
    entities = [{**good, **change} for change, _ in spoilt]
    records, rejects = station.restore([good, *entities, 7, {**good, "type": ["X", good["type"]]}])
    assert [record["id"] for record in records] == ["1", "1"]
    assert len(rejects) == len(spoilt) + 1
    for reject, (_, words), entity in zip(rejects, spoilt, entities, strict=False):
        assert words in str(reject)
        assert reject.record is entity
    assert [one.target for one in rejects[4].reasons] == ["dateObserved", "refDevice"]
    assert rejects[0].place == f"entity 2 ({good['id']})"
    with pytest.raises(RefusedError, match="and 1 others: correct them"):
        station.back([*entities, 7])


def test_languages():
    table = Mapping.of([
        {"source": "code", "target": "Scenario.id", "rule": "urn Scenario"},
        {"source": "nom", "target": "Scenario.label@fr"},
        {"source": "name", "target": "Scenario.label@en"},
        {"target": "Scenario.useCase", "rule": "const heat-islands"},
        {"source": "values", "target": "Scenario.parameters"},
    ])  # fmt: skip
    row = {"code": "a", "nom": "Arbres", "name": "Trees", "values": {"share": 0.5}}
    entities, rejects = table.apply([row])
    assert rejects == []
    assert entities[0]["label"]["languageMap"] == {"fr": "Arbres", "en": "Trees"}
    assert table.back(entities) == [row]
    assert lint(entities) == []


def test_unit_chosen_by_the_record():
    table = Mapping.of([
        {"source": "code", "target": "KeyPerformanceIndicator.id", "rule": "prefix urn:kpi:"},
        {"source": "value", "target": "KeyPerformanceIndicator.kpiValue"},
        {"source": "unit", "target": "KeyPerformanceIndicator.kpiValue.unitCode"},
    ])  # fmt: skip
    entities, rejects = table.apply([{"code": "1", "value": 3.5, "unit": "CEL"},
                                     {"code": "2", "value": 3.5, "unit": "degrees"}])  # fmt: skip
    assert entities[0]["kpiValue"] == {"type": "Property", "value": 3.5, "unitCode": "CEL"}
    assert "unit 'degrees'" in str(rejects[0])


def test_problems_of_a_table_come_together_with_their_lines(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "source;target;iri;rule;feature;quality\n"
        "a;WeatherObserved.temprature;;;;\n"
        "b;WeatherObserved.temperature;https://example.org/t;;;\n"
        "c;WeatherObserved.windSpeed;;nubmer;;\n"
        "d;WeatherObserved.windDirection;;;;rnage 0 1\n"
        "e;WeatherObserved.precipitation;;;;\n"
        "f;WeatherObserved.precipitation;;;;\n"
        "g;WeatherObserved.name@fr;;;;\n"
    )
    with pytest.raises(DocumentError) as caught:
        Mapping.read(path)
    found = [(problem.line, problem.message) for problem in caught.value.problems]
    assert {line for line, _ in found} == {None, 2, 3, 4, 5, 7, 8}
    text = str(caught.value)
    for words in (
        "did you mean `temperature`", "is https://smartdatamodels.org/dataModel.Weather/temperature",
        "did you mean `number`", "did you mean `range`", "stands at line 6", "no row for",
        "requires `location`", "write `name`",
    ):  # fmt: skip
        assert words in text, words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the table is empty"),
        ("source,traget\na,b\n", "did you mean `target`"),
        ("rule\nx\n", "column `source` is missing"),
        ("source,target,source field\na,Device.id,b\n", "column `source` stands twice"),
        ("source,target\na,Wether.id\n", "no entity type 'Wether'"),
        ("source,target\na,Device.id\nb,Dataset.id\n", "one table for each type"),
        ("source,target\na,Device.id,c,d\n", "4 cells, the heading has 2"),
        ("source,target\n", "no row"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, words):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(DocumentError, match=words):
        Mapping.read(path)


def test_files_that_are_none(tmp_path):
    with pytest.raises(MissingFileError, match="check the path"):
        Mapping.read(tmp_path / "no.csv")
    with pytest.raises(WrongUseError, match="no mapping table"):
        Mapping.read(tmp_path / "table.odt")
    broken = tmp_path / "table.csv"
    broken.write_bytes(b"source,target\n\xff,x\n")
    with pytest.raises(DocumentError, match="UTF-8"):
        Mapping.read(broken)


def test_csv_yaml_and_memory_are_one_table(counters, tmp_path):
    rows = counters.table()
    path = tmp_path / "table.yaml"
    lines = ["rows:"]
    lines += ["  - " + "\n    ".join(f"{k}: {v!r}" for k, v in row.items() if v) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    counters.write(tmp_path / "copy.csv")
    for other in (Mapping.read(path), Mapping.read(tmp_path / "copy.csv"), Mapping.of(rows)):
        assert other.table() == rows
    assert len(rows) == 12


def test_spreadsheet_with_french_headings(counters, tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "notes"
    sheet = book.create_sheet("mapping")
    sheet.append(["Champ source", "Entité.propriété", "Ontologie", "Règle de transformation",
                  "Nom de la feature", "Contrôle qualité"])  # fmt: skip
    for row in counters.table():
        sheet.append([row[column] or None for column in mapping_table.COLUMNS])
    path = tmp_path / "table.xlsx"
    book.save(path)
    assert Mapping.read(path, sheet="mapping").table() == counters.table()
    with pytest.raises(WrongUseError, match="did you mean `mapping`"):
        Mapping.read(path, sheet="maping")
    (tmp_path / "broken.xlsx").write_text("no spreadsheet")
    with pytest.raises(DocumentError, match="is no spreadsheet"):
        Mapping.read(tmp_path / "broken.xlsx")


def test_types_of_ones_own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "subject: town\nbase: https://data.example.org/model/\ntypes:\n  Fountain:\n"
        "    help: Fountain\n    required: [flow]\n    attributes:\n"
        "      flow: {unit: G51, min: 0, max: 50, help: Flow}\n"
    )
    models = catalogue().extended(path)
    table = Mapping.of(
        [{"source": "n", "target": "Fountain.id", "rule": "urn Fountain"},
         {"source": "q", "target": "Fountain.flow", "rule": "number"}],
        models=models,
    )  # fmt: skip
    entities, rejects = table.apply([{"n": "1", "q": "3.5"}, {"n": "2", "q": "99"}])
    assert lint(entities, models=models) == []
    assert entities[0]["@context"][0]["flow"] == "https://data.example.org/model/flow"
    assert "outside of 0 to 50 G51" in str(rejects[0])


def test_csv_records(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a;b\n1;2\n3\n4;5\n")
    found, rejects = records.read(path)
    assert found == [{"a": "1", "b": "2"}, {"a": "4", "b": "5"}]
    assert [one.place for one in found] == ["line 2", "line 4"]
    assert [str(one) for one in rejects] == ["line 3: 1 cells, the heading has 2: correct the line"]


OBJECTS = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(OBJECTS, max_size=6),
    st.sampled_from(["", " ", ",", "\n", "\n\n"]),
    st.sampled_from([None, 2]),
)
def test_objects_are_found_however_they_stand(tmp_path, objects, between, indent):
    text = between.join(json.dumps(one, indent=indent) for one in objects)
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    found, rejects = records.read(tmp_path / "rows.jsonl")
    assert found == objects
    assert rejects == []


def test_a_field_that_no_record_has_is_told(station):
    row = {"id": "1", "temp": 68, "when": "2024-07-01T12:00:00", "lon": 7.4, "lat": 43.7}
    with pytest.warns(UnknownFieldWarning) as told:
        entities, rejects = station.apply([row | {"rh": None, "device": "7"}] * 2)
    assert [str(one.message) for one in told] == [
        "none of 2 records has the field 't': use one of `device`, `id`, `lat`, `lon`, `rh`, "
        "`temp`, `when`"
    ]
    assert len(entities) + len(rejects) == 2
    with pytest.warns(UnknownFieldWarning) as told:
        station.apply([{}])
    assert len(told) == len(NOTHING)
    assert all("they have no fields at all" in str(one.message) for one in told)


def test_fields_inside_of_others_are_named_with_dots():
    """As open data portals send them."""
    table = Mapping.of([
        {"source": "recordid", "target": "WeatherObserved.id", "rule": "urn WeatherObserved"},
        {"source": "fields.t", "target": "WeatherObserved.temperature", "rule": "number"},
        {"source": "fields.when", "target": "WeatherObserved.dateObserved", "rule": "date iso"},
        {"source": "geometry.coordinates.0; geometry.coordinates.1",
         "target": "WeatherObserved.location", "rule": "point"},
        {"source": "a.b", "target": "WeatherObserved.name"},
    ])  # fmt: skip
    record = {
        "recordid": "7", "a.b": "S7", "a": {"b": "another"},
        "fields": {"t": 21.5, "when": "2024-07-01T12:00:00Z"},
        "geometry": {"type": "Point", "coordinates": [7.4, 43.7]},
    }  # fmt: skip
    (entity,), rejects = table.apply([record])
    assert rejects == []
    assert entity["temperature"]["value"] == 21.5
    assert entity["location"]["value"] == record["geometry"]
    assert entity["name"]["value"] == "S7", "a name as it stands comes first"
    (back,) = table.back([entity])
    assert back["geometry.coordinates.1"] == 43.7
    assert table.apply([back]) == ([entity], [])


def test_a_reject_holds_the_reasons_of_rules_and_model_together(station):
    row = NOTHING | {"id": "1", "t": "hot", "rh": 3, "when": "noon", "lon": 43.7, "lat": 7.4}
    _, (reject,) = station.apply([row], bbox=MONACO)
    assert {one.target for one in reject.reasons} == {
        "temperature", "relativeHumidity", "dateObserved", "*.observedAt", "location",
    }  # fmt: skip
