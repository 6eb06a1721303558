"""Lint: each defect by an example, all codes covered, and no JSON that makes it fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models import contexts
from ldt_toolbox.models.findings import CODES, SEVERITIES, is_uri
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.lint_attributes import PREVIOUS
from ldt_toolbox.models.types import catalogue

NICE = (7, 43, 8, 44)


def spoil(entity, **attributes):
    return {**entity, **attributes}


def without(entity, *keys):
    return {key: value for key, value in entity.items() if key not in keys}


def weather(**attributes):
    """The smallest WeatherObserved that is right, and some attributes."""
    return {
        "id": "urn:ngsi-ld:WeatherObserved:nice",
        "type": "WeatherObserved",
        "dateObserved": {"type": "Property", "value": "2024-07-01T12:00:00Z"},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [7.26, 43.7]},
        },
        "@context": contexts.context_of("WeatherObserved"),
        **attributes,
    }


def number(value, unit=None, **more):
    return {"type": "Property", "value": value, **({"unitCode": unit} if unit else {}), **more}


def place(*coordinates):
    return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [*coordinates]}}


# code, attribute, entities, part of message or remedy
DEFECTS = [
    ("not-an-entity", "", [[1]], "JSON objects"),
    ("no-core-context", "@context", without(weather(), "@context"), "there is no `@context`"),
    ("no-core-context", "@context",
     weather(**{"@context": contexts.subject_url("dataModel.Weather")}), "core-context-v1.8"),
    ("unknown-context", "@context",
     weather(**{"@context": ["https://example.org/c.jsonld", contexts.CORE_URL]}), "not at hand"),
    ("no-id", "id", without(weather(), "id"), "urn:ngsi-ld:Device:7"),
    ("id-not-uri", "id", weather(id="station 7"), "`urn`"),
    ("id-not-uri", "id", weather(id=7), "id 7 is no URI"),
    ("duplicate-id", "id", [weather(), weather()], "at [0] and at [1]"),
    ("no-type", "type", without(weather(), "type"), "WeatherObserved"),
    ("unknown-type", "type",
     weather(type="https://example.org/Fountain"), "declare it"),
    ("default-context", "type", weather(type="WeatherObservd"), "nobody says what it means"),
    ("default-context", "temprature", weather(temprature=number(21, "CEL")), "add a context"),
    ("default-context", "temperature",
     weather(temperature=number(21, "CEL"), **{"@context": contexts.CORE_URL}),
     "https://smartdatamodels.org/dataModel.Weather/temperature"),
    ("missing-required", "location", without(weather(), "location"), "requires `location`"),
    ("simplified", "", weather(temperature=21), "bare values"),
    ("wrong-kind", "refDevice",
     weather(refDevice={"type": "Property", "value": "urn:a:b"}), "Relationship with `object`"),
    ("unknown-kind", "temperature",
     weather(temperature={"type": "Number", "value": 21, "unitCode": "CEL"}), "as a Property"),
    ("unknown-kind", "location",
     weather(location={"type": "geo:json",
                       "value": {"type": "Point", "coordinates": [7.26, 43.7]}}), "GeoProperty"),
    ("unknown-kind", "refDevice",
     weather(refDevice={"type": "Text", "value": "urn:ngsi-ld:Device:7"}), "with `object`"),
    ("no-value", "temperature", weather(temperature={"type": "Property"}), "without `value`"),
    ("null-value", "temperature", weather(temperature=number(None, "CEL")), "leave"),
    ("deleted", "temperature", weather(temperature=number("urn:ngsi-ld:null")), "notifications"),
    ("deleted", "location",
     weather(location={"type": "GeoProperty", "value": "urn:ngsi-ld:null"}), "leave it out"),
    ("deleted", "refDevice",
     weather(refDevice={"type": "Relationship", "object": "urn:ngsi-ld:null"}), "merges"),
    ("deleted", "refDevice",
     weather(refDevice={"type": "ListRelationship", "objectList": ["urn:ngsi-ld:null"]}), "merges"),
    ("wrong-value", "temperature", weather(temperature=number("hot", "CEL")), "says number"),
    ("wrong-value", "weatherType", weather(weatherType=number(3)), "says text"),
    ("not-in-list", "status",
     {"id": "urn:a:b", "type": "BikeHireDockingStation", "status": number("broken")},
     "outOfService"),
    ("relationship-not-uri", "refDevice",
     weather(refDevice={"type": "Relationship", "object": "station 7"}), "make it a Property"),
    ("relationship-not-uri", "refDevice",
     weather(refDevice={"type": "Relationship", "object": ["urn:a:b", 7]}), "points to 7"),
    ("dataset-not-uri", "temperature",
     weather(temperature=number(21, "CEL", datasetId="radar")), "urn:ngsi-ld:Dataset"),
    ("number-without-unit", "temperature", weather(temperature=number(21)), '"unitCode": "CEL"'),
    ("unknown-unit", "temperature", weather(temperature=number(21, "°C")), "write 'CEL'"),
    ("unknown-unit", "temperature", weather(temperature=number(21, "mm/d")), "not known"),
    ("other-unit", "temperature", weather(temperature=number(68, "FAH")), "write 20 CEL"),
    ("other-unit", "temperature", weather(temperature=number(68, "MTR")), "does not convert"),
    ("out-of-range", "temperature", weather(temperature=number(-999, "CEL")), "-90 to 60 CEL"),
    ("out-of-range", "temperature", weather(temperature=number(500, "FAH")), "is 260"),
    ("date-not-iso", "dateObserved", weather(dateObserved=number("01/07/2024")), "2024-07-01T12"),
    ("date-not-iso", "dateObserved",
     weather(dateObserved=number("2024-07-01T00:00:00Z/P1D")), "is an interval"),
    ("date-not-iso", "dateObserved", weather(dateObserved=number("2024-02-30T00:00:00Z")), "ISO"),
    ("date-not-iso", "createdAt", weather(createdAt=number("2024-07-01T12:00:00Z")), "ISO 8601"),
    ("date-not-iso", "temperature.observedAt",
     weather(temperature=number(21, "CEL", observedAt="noon")), "'noon'"),
    ("date-not-utc", "temperature.observedAt",
     weather(temperature=number(21, "CEL", observedAt="2024-07-01T12:00:00+02:00")), "trailing Z"),
    ("date-not-utc", "dateObserved",
     weather(dateObserved=number("2024-07-01T12:00:00")), "no time zone"),
    ("date-not-utc", "dateObserved",
     {"id": "urn:a:b", "type": "TrafficFlowObserved",
      "dateObserved": number("2024-07-01T00:00:00/2024-07-02T00:00:00")}, "no time zone"),
    ("swapped-coordinates", "location", weather(location=place(43.7, 7.26)), "write [7.26, 43.7]"),
    ("swapped-coordinates", "location", weather(location=place(43.7, 107.26)), "beyond 90"),
    ("coordinates-out-of-range", "location",
     weather(location=place(1044000.0, 6298000.0)), "reproject"),
    ("outside-territory", "location", weather(location=place(10.26, 43.7)), "outside of 7, 43"),
    ("no-geometry", "location", weather(location=place("7.26", "43.7")), "two numbers"),
    ("no-geometry", "location",
     weather(location={"type": "GeoProperty", "value": "POINT (7 43)"}), "no GeoJSON"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "attribute", "entities", "words"), DEFECTS)
def test_each_defect_is_named_with_its_remedy(code, attribute, entities, words):
    found = [
        one for one in lint(entities, bbox=NICE) if (one.code, one.attribute) == (code, attribute)
    ]
    assert len(found) == 1
    assert words in f"{found[0].message}: {found[0].remedy}"
    assert found[0].severity in SEVERITIES
    assert str(found[0]).endswith(f"[{code}]")


def test_examples_cover_every_code():
    assert {code for code, *_ in DEFECTS} == set(CODES)


def test_a_published_example_in_the_form_of_ngsi_v2_is_judged_as_what_it_means():
    """Faults of upstream's WaterObserved: types of NGSI v2, latitude first, no core context."""
    upstream = {
        "id": "urn:ngsi-ld:WaterObserved:1",
        "type": "WaterObserved",
        "dateObserved": {"type": "DateTime", "value": "2020-03-17T08:45:00.209Z"},
        "flow": {"type": "Number", "value": 12, "metadata": {}},
        "location": {
            "type": "geo:json",
            "value": {"type": "Point", "coordinates": [43.66481, 7.196545]},
        },
        "refDevice": {"type": "Text", "value": "T2"},
        "@context": "https://example.org/context.jsonld",
    }
    told = {(one.attribute, one.code) for one in lint(upstream, bbox=NICE)}
    kinds = {(name, "unknown-kind") for name in ("dateObserved", "flow", "location", "refDevice")}
    assert told == kinds | {
        ("@context", "no-core-context"), ("@context", "unknown-context"),
        ("location", "swapped-coordinates"), ("refDevice", "relationship-not-uri"),
        ("flow", "number-without-unit"),
    }  # fmt: skip


def test_right_entity_has_no_finding():
    good = weather(
        temperature=number(21.5, "CEL", observedAt="2024-07-01T12:00:00Z"),
        refDevice={"type": "Relationship", "object": "urn:ngsi-ld:Device:7"},
    )
    assert lint(good, bbox=NICE) == []


def test_a_defect_leaves_no_trace_elsewhere():
    """One wrong thing, one finding: nothing follows from it."""
    for code, _, entities, _ in DEFECTS:
        codes = [one.code for one in lint(entities, bbox=NICE) if one.severity == "error"]
        assert len(set(codes)) <= 2, (code, codes)


@pytest.mark.parametrize(
    "outer",
    [lambda entity: entity, lambda entity: [entity], lambda entity: iter((entity,))],
)
def test_one_entity_or_a_list(outer):
    assert [one.code for one in lint(outer(weather(id="7 8")))] == ["id-not-uri"]


def test_context_from_a_link_header_counts():
    entity = without(weather(temprature=number(21, "CEL")), "@context")
    link = contexts.context_of("WeatherObserved")
    assert [one.code for one in lint(entity, context=link)] == ["default-context"]


def test_concise_and_simplified_representations_are_read():
    concise = weather(temperature={"value": 68, "unitCode": "FAH"}, refDevice={"object": "7 8"})
    assert {one.code for one in lint(concise)} == {"other-unit", "relationship-not-uri"}
    bare = weather(temperature=99, refDevice="no uri", dateObserved="July", location={
        "type": "Point", "coordinates": [43.7, 7.26]})  # fmt: skip
    assert {one.code for one in lint(bare, bbox=NICE)} == {
        "out-of-range", "relationship-not-uri", "date-not-iso", "swapped-coordinates", "simplified",
    }  # fmt: skip


def test_instances_with_dataset_ids_are_each_judged():
    two = [number(21, "CEL", datasetId="urn:d:1"), number(210, "CEL", datasetId="urn:d:2")]
    assert [one.code for one in lint(weather(temperature=two))] == ["out-of-range"]


def test_temporal_values_are_judged_once_for_each_kind_of_defect():
    pairs = [[21, "2024-07-01T12:00:00Z"], [-999, "2024-07-01T13:00:00Z"], [-999, "14:00"]]
    found = lint(weather(temperature={"type": "Property", "values": pairs}))
    assert [(one.code, one.attribute) for one in found] == [
        ("out-of-range", "temperature"),
        ("date-not-iso", "temperature.values"),
    ]


def test_attributes_of_attributes_are_judged():
    nested = number(21, "CEL", measuredBy={"type": "Relationship", "object": "not a uri"})
    found = {(one.code, one.attribute) for one in lint(weather(temperature=nested))}
    assert ("relationship-not-uri", "temperature.measuredBy") in found


def test_expanded_names_are_the_same_attributes():
    iri = "https://smartdatamodels.org/dataModel.Weather/temperature"
    found = lint(weather(**{iri: number(-999, "CEL")}))
    assert [(one.code, one.attribute) for one in found] == [("out-of-range", iri)]


def test_languages_and_typed_times_are_right():
    scenario = {
        "id": "urn:ngsi-ld:Scenario:1",
        "type": "Scenario",
        "label": {"type": "Property", "value": "Plus d’arbres", "lang": "fr"},
        "useCase": number("heat-islands"),
        "parameters": number({}),
        "@context": contexts.context_of("Scenario"),
    }
    assert lint(scenario) == []
    typed = {"@type": "DateTime", "@value": "2024-07-01T12:00:00Z"}
    assert lint(weather(dateObserved=number(typed))) == []
    found = lint(weather(dateObserved=number({**typed, "@value": "July"})))
    assert [one.code for one in found] == ["date-not-iso"]


def test_upstream_defects_are_found():
    """What was measured on published examples: WaterObserved has latitude first, a date typed as
    a Relationship and no core context."""
    example = {
        "id": "urn:ngsi-ld:WaterObserved:nice",
        "type": "WaterObserved",
        "dateObserved": {"type": "Relationship", "object": "2020-03-17T08:45:00Z"},
        "location": place(43.66, 7.19),
        "height": number(2),
        "@context": ["https://smart-data-models.github.io/dataModel.Environment/context.jsonld"],
    }
    found = {(one.code, one.attribute) for one in lint(example, bbox=NICE)}
    assert found == {
        ("no-core-context", "@context"),
        ("swapped-coordinates", "location"),
        ("wrong-kind", "dateObserved"),
        ("relationship-not-uri", "dateObserved"),
        ("number-without-unit", "height"),
    }


def test_an_anomaly_converts_as_a_difference(right):
    cell = right("UrbanHeatIslandCell")
    cell["temperatureAnomaly"] = number(2.5, "CEL")
    assert [(one.code, one.remedy) for one in lint(cell)] == [("other-unit", "write 2.5 KEL")]


def test_polygons_and_the_date_line():
    ring = [[43.6, 7.2], [43.7, 7.2], [43.7, 7.3], [43.6, 7.2]]
    shape = {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [ring]}}
    assert [one.code for one in lint(weather(location=shape), bbox=NICE)] == ["swapped-coordinates"]
    fiji = (177, -19, -178, -16)
    for east in (178.5, -179.5):
        assert lint(weather(location=place(east, -17)), bbox=fiji) == []
    found = lint(weather(location=place(0, -17)), bbox=fiji)
    assert [one.code for one in found] == ["outside-territory"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["id", "type", "@context", "value", "object", "location", "temperature", "unitCode",
             "observedAt", "coordinates", "languageMap", "datasetId", "@value", "refDevice",
             "values"]
        ) | st.text(max_size=6),
        inner | st.sampled_from(
            ["Property", "Relationship", "GeoProperty", "LanguageProperty", "WeatherObserved",
             "Point", "Polygon", "CEL", "urn:a:b", contexts.CORE_URL, 10**400]
        ),
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=400)
@given(JSON)
def test_no_json_makes_it_fail(anything):
    for found in lint(anything, bbox=NICE):
        assert found.code in CODES
        assert len(found.message) < 2000
        assert found.remedy


@settings(max_examples=200)
@given(st.sampled_from(sorted(catalogue()["WeatherObserved"].attributes)), JSON)
def test_no_attribute_makes_it_fail(term, anything):
    for found in lint(weather(**{term: anything}), bbox=NICE):
        assert found.code in CODES


def test_depth_does_not_make_it_fail():
    deep: object = 1
    for _ in range(5000):
        deep = {"type": "Property", "value": [deep], "sub": deep}
    nested: object = []
    for _ in range(5000):
        nested = [nested]
    for anything in (deep, nested, weather(temperature=deep), weather(location=nested),
                     weather(**{"@context": nested})):  # fmt: skip
        lint(anything, bbox=NICE)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("urn:ngsi-ld:Device:7", True), ("https://example.org/a?b#c", True), ("a:b", True),
        ("urn:ngsi-ld:Gauge:Orb à Béziers", False), ("7", False), ("", False), ("a", False),
        ("urn:", False), (":b", False), ("urn:a{b}", False), (None, False), ("1a:b", False),
        ("urn:a:b\n", False),
    ],
)  # fmt: skip
def test_what_a_uri_is(text, uri):
    assert is_uri(text) is uri


def test_what_a_notification_or_a_linked_answer_holds_is_no_defect():
    """Shapes of TP 046_37, 046_31 and 018_13 of the NGSI-LD test suite."""
    told = {**number(21, "CEL"), "previousValue": 20, "expiresAt": "2026-07-01T12:00:00Z",
            "valueType": "xsd:double"}  # fmt: skip
    device = {"type": "Relationship", "object": "urn:a:b", "previousObjectList": ["urn:a:c"],
              "entity": {"id": "urn:a:b", "type": "Device"}}  # fmt: skip
    assert lint(weather(temperature=told, refDevice=device)) == []
    inline = {"id": "urn:a:b", "type": "Device", "name": "7"}
    assert [one.code for one in lint(weather(refDevice=inline))] == ["simplified"]


def test_every_member_of_the_core_context_that_tells_what_was_before_is_known():
    assert {term for term in contexts.core()["@context"] if term.startswith("previous")} == set(
        PREVIOUS
    )


def test_features_are_judged_as_the_entities_that_they_show():
    made = weather(temperature=number(99, "CEL"))
    heads = {"id": made.pop("id"), "@context": made.pop("@context")}
    shown = {**heads, "type": "Feature", "geometry": made["location"]["value"], "properties": made}
    assert [one.code for one in lint(shown)] == ["out-of-range"]
    context = shown.pop("@context")
    answer = {"type": "FeatureCollection", "features": [shown, shown], "@context": context}
    assert [one.code for one in lint(answer)] == ["out-of-range", "duplicate-id", "out-of-range"]


@pytest.mark.parametrize("bbox", [(7, 43, 8), (7, 44, 8, 43), (700, 43, 8, 44), (7, 43, 8, None)])
def test_a_box_that_is_none_is_refused(bbox):
    with pytest.raises(WrongUseError, match="west, south, east, north"):
        lint([], bbox=bbox)
