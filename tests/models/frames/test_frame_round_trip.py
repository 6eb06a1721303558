"""Entities to a frame and back: nothing is lost, whatever kind an attribute is."""

import json
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, WrongUseError
from ldt_toolbox.models.frames import from_frame, to_frame
from ldt_toolbox.models.lint_attributes import PREVIOUS

TIMES = ("observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt")


def canonical(value, key=""):
    """Same for entities that say the same: numbers are JSON's, datasets have no order."""
    if isinstance(value, dict):
        return {name: canonical(one, name) for name, one in value.items()}
    if isinstance(value, list):
        if any(isinstance(one, dict) and "datasetId" in one for one in value):
            value = sorted(value, key=lambda one: json.dumps(one, sort_keys=True))
        return [canonical(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", value)
    if isinstance(value, bool):
        return ("truth", value)
    if key in TIMES and isinstance(value, str):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError:
            return value
    return value


name = st.sampled_from(
    ["temperature", "location", "a.b", "https://example.org/x.y", "ex:z", "json", "unit"]
)
sub_name = st.sampled_from(["accuracy", "quality", "type2", "a.b"])
uri = st.sampled_from(["urn:x:1", "urn:x:2", "urn:x:3"])
finite = st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.one_of(st.booleans(), st.integers(), finite, st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
degrees = st.tuples(st.integers(-180, 180) | st.floats(-180, 180), st.floats(-90, 90)).map(list)
shapes = st.one_of(
    degrees.map(lambda at: {"type": "Point", "coordinates": at}),
    degrees.map(lambda at: {"type": "Point", "coordinates": [*at, 12.5]}),
    st.lists(degrees, min_size=2, max_size=4).map(
        lambda line: {"type": "LineString", "coordinates": line}
    ),
    st.lists(degrees, min_size=3, max_size=4).map(
        lambda ring: {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    ),
    st.just({"type": "Point", "coordinates": []}),
    st.just({"type": "Point", "coordinates": [1.0, 2.0], "bbox": [1, 2, 1, 2]}),
    st.just({"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 1.0]]]}),
)
instant = st.one_of(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)).map(lambda at: f"{at.isoformat()}Z"),
    st.sampled_from(["2026-07-01T12:00:00.000Z", "2026-07-01T14:00:00+02:00", "2026-07-01", "no"]),
)
contents = {
    "Property": ("value", st.one_of(finite, st.integers(), st.text(max_size=4), anything)),
    "GeoProperty": ("value", shapes),
    "Relationship": ("object", uri | st.lists(uri, max_size=2)),
    "LanguageProperty": (
        "languageMap",
        st.dictionaries(
            st.sampled_from(["fr", "en", "@none"]),
            st.text(max_size=3) | st.lists(st.text(max_size=2)),
            max_size=2,
        ),
    ),
    "VocabProperty": ("vocab", st.text(max_size=3) | st.lists(st.text(max_size=2))),
    "JsonProperty": ("json", anything),
    "ListProperty": ("valueList", st.lists(anything, max_size=3)),
    "ListRelationship": ("objectList", st.lists(uri.map(lambda one: {"object": one}), max_size=2)),
}  # fmt: skip
members = {
    "unitCode": st.sampled_from(["CEL", "KEL"]),
    "observedAt": instant,
    "modifiedAt": instant,
    "instanceId": uri,
    "lang": st.just("fr"),
    "valueType": st.just("xsd:double"),
    "objectType": st.just("T") | st.just(["T", "U"]),
    "expiresAt": instant,
    **dict.fromkeys(PREVIOUS, anything),
}


@st.composite
def instance(draw, *, depth=0, typed=True):
    kind = draw(st.sampled_from(list(contents)))
    key, values = contents[kind]
    made = {"type": kind} if typed else {}
    made[key] = draw(values)
    for member in draw(st.lists(st.sampled_from(list(members)), max_size=2, unique=True)):
        made[member] = draw(members[member])
    if depth < 2:
        for sub in draw(st.lists(sub_name, max_size=1)):
            made[sub] = draw(attribute(depth=depth + 1, typed=typed))
    if typed and draw(st.integers(0, 12)) == 0:
        made[key] = None  # what the standard forbids is kept, too
    return made


@st.composite
def attribute(draw, *, depth=0, typed=True):
    datasets = draw(st.lists(st.sampled_from(["", "urn:d:1", "urn:d:2"]), min_size=1, max_size=3))
    if draw(st.integers(0, 3)):
        datasets = datasets[:1]
    listed = []
    for dataset in datasets:
        one = draw(instance(depth=depth, typed=typed))
        listed.append(one | {"datasetId": dataset} if dataset else one)
    return listed if len(listed) > 1 else listed[0]


@st.composite
def entity(draw, typed=True):
    made = {"id": draw(uri), "type": draw(st.sampled_from(["T", "U", ["T", "U"], ["T"]]))}
    if draw(st.booleans()):
        made["scope"] = draw(st.sampled_from(["/a", ["/a", "/b"], None]))
    if draw(st.booleans()):
        made["createdAt"] = draw(instant)
    if draw(st.booleans()):
        made["@context"] = draw(
            st.sampled_from(["https://x.org/c", ["https://x.org/c", {"a": "b:c"}]])
        )
    for term in draw(st.lists(name, max_size=4)):
        made[term] = draw(attribute(typed=typed))
    return made


@settings(deadline=None, max_examples=80)
@given(st.lists(entity(), max_size=4))
def test_normalised_entities_come_back_as_they_were(entities):
    frame = to_frame(entities)
    assert frame.crs.equals("EPSG:4326")
    assert len(frame) == len(entities)
    back, rejects = from_frame(frame)
    assert not rejects
    assert json.loads(json.dumps(back)) == json.loads(json.dumps(back, allow_nan=False))
    assert list(map(canonical, back)) == list(map(canonical, entities))


def in_full(value):
    """Normalised form of a concise or simplified attribute (4.5.1, 4.5.2)."""
    keys = {key: kind for kind, (key, _) in reversed(contents.items())}
    if (
        isinstance(value, list)
        and value
        and all(isinstance(o, dict) and set(o) & set(keys) for o in value)
    ):
        return [in_full(one) for one in value]
    found = [key for key in keys if isinstance(value, dict) and key in value]
    if not found or (isinstance(value, dict) and "type" in value):
        geometry = isinstance(value, dict) and value.get("type") in (
            "Point",
            "LineString",
            "Polygon",
        )
        return {"type": "GeoProperty" if geometry else "Property", "value": value}
    [key] = found
    content = value[key]
    geometry = key == "value" and isinstance(content, dict) and content.get("type") in (
        "Point", "LineString", "Polygon")  # fmt: skip
    made = {"type": "GeoProperty" if geometry else keys[key] if key != "value" else "Property"}
    for term, one in value.items():
        plain = term in {key, "datasetId", *members}
        made[term] = one if plain else in_full(one)
    return made


@settings(deadline=None, max_examples=80)
@given(st.lists(entity(typed=False), max_size=4))
def test_concise_entities_come_back_saying_the_same(entities):
    back, rejects = from_frame(to_frame(entities))
    assert not rejects
    heads = {"id", "type", "scope", "createdAt", "@context"}
    for one, other in zip(back, entities, strict=True):
        assert one.keys() == other.keys()
        for term in one.keys() - heads:
            assert canonical(in_full(one[term])) == canonical(in_full(other[term]))
        for term in one.keys() & heads:
            assert canonical(one[term], term) == canonical(other[term], term)


bare = st.one_of(
    anything, shapes, st.none(), contents["LanguageProperty"][1].map(lambda m: {"languageMap": m})
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.dictionaries(name, bare, max_size=4), max_size=4))
def test_key_values_come_back_as_they_were(attributes):
    entities = [{"id": "urn:x:1", "type": "T", **one} for one in attributes]
    back, _ = from_frame(to_frame(entities))
    assert list(map(canonical, back)) == list(map(canonical, entities))


STATION = {
    "id": "urn:ngsi-ld:WeatherObserved:1",
    "type": ["WeatherObserved", "Station"],
    "scope": "/nice",
    "temperature": [
        {"type": "Property", "value": 21.5, "unitCode": "CEL", "observedAt": "2026-07-01T12:00:00Z",
         "accuracy": {"type": "Property", "value": 0.1, "unitCode": "KEL"}},
        {"type": "Property", "value": 22, "unitCode": "CEL", "datasetId": "urn:d:2"},
    ],
    "name": {"type": "LanguageProperty", "languageMap": {"fr": "Port", "en": "Harbour"}},
    "owner": {"type": "Relationship", "object": "urn:ngsi-ld:City:1"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7.28, 43.69]}},
    "footprint": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7.2, 43.6]}},
}  # fmt: skip
BARE = {"id": "urn:ngsi-ld:WeatherObserved:2", "type": "WeatherObserved"}


def test_columns_are_what_an_analyst_expects():
    frame = to_frame([STATION, BARE])
    assert list(frame.columns) == [
        "id", "type", "scope", "temperature", "temperature.unitCode", "temperature.observedAt",
        "temperature.accuracy", "temperature.accuracy.unitCode", "temperature[urn:d:2]",
        "temperature[urn:d:2].unitCode", "name@fr", "name@en", "owner", "location", "footprint",
    ]  # fmt: skip
    assert frame.geometry.name == "location"
    assert frame.footprint.crs.equals("EPSG:4326")
    assert frame.geometry.isna().tolist() == [False, True]
    assert frame.temperature.dtype == float
    assert str(frame["temperature.observedAt"].dtype) == "datetime64[us, UTC]"
    assert frame["type"].tolist() == [("WeatherObserved", "Station"), "WeatherObserved"]


def test_there_is_a_geometry_even_without_a_location():
    frame = to_frame([BARE])
    assert isinstance(frame, gpd.GeoDataFrame)
    assert frame.geometry.isna().all()
    assert from_frame(frame) == ([BARE], [])
    assert len(to_frame([])) == 0


def test_what_an_analyst_changes_is_in_the_entities():
    frame = to_frame([STATION, BARE])
    frame = frame[frame["temperature"].notna()].assign(temperature=frame["temperature"] + 1)
    frame = frame.to_crs("EPSG:2154")
    [entity], _ = from_frame(frame)
    assert entity["temperature"][0]["value"] == 22.5
    # a nanometre is more than what the projection and its inverse leave open
    assert entity["location"]["value"]["coordinates"] == pytest.approx([7.28, 43.69], abs=1e-9)
    frame["temperature"] = np.nan
    [entity], _ = from_frame(frame)
    assert entity["temperature"]["datasetId"] == "urn:d:2"


def test_what_is_no_layout_is_told():
    with pytest.raises(WrongUseError, match="give model= or"):
        from_frame(pd.DataFrame({"id": ["urn:x:1"]}))
    with pytest.raises(WrongUseError, match="'anomaly' are not of to_frame"):
        from_frame(to_frame([BARE]).assign(anomaly=1.5))
    other = {"type": "Feature", "id": 7, "geometry": None, "properties": {"name": "x"}}
    with pytest.raises(DataError, match="other GeoJSON"):
        to_frame({"type": "FeatureCollection", "features": [other]})
    frame = to_frame([STATION, BARE])
    frame.loc[1, "id"] = None
    [entity], [reject] = from_frame(frame)
    assert entity["id"] == STATION["id"]
    assert (reject.place, reject.reasons[0].field) == ("row 1", "id")


def feature(entity, shape):
    kept = {name: value for name, value in entity.items() if name not in ("id", "@context")}
    heads = {name: entity[name] for name in ("id", "@context") if name in entity}
    return {**heads, "type": "Feature", "geometry": shape, "properties": kept}


def test_features_are_read_as_the_entities_that_they_show():
    # clauses 4.5.16 and 4.5.17: all attributes are properties, the geometry is one of them
    place = STATION["location"]["value"]
    shown = feature(STATION, place)
    for answer in (shown, [shown], {"type": "FeatureCollection", "features": [shown]}):
        assert from_frame(to_frame(answer)) == ([STATION], [])
    simplified = {"id": "urn:x:1", "type": "T", "t": 21, "location": place}
    assert from_frame(to_frame(feature(simplified, place))) == ([simplified], [])
    assert from_frame(to_frame(feature(BARE, None))) == ([BARE], [])
    assert len(to_frame({"type": "FeatureCollection", "features": []})) == 0
    context = "https://example.org/c.jsonld"
    bare = {name: value for name, value in STATION.items() if name != "@context"}
    collection = {"type": "FeatureCollection", "features": [feature(bare, place)]}
    [entity], _ = from_frame(to_frame(collection | {"@context": context}))
    assert entity["@context"] == context


def test_the_geometry_of_a_feature_is_kept_where_its_properties_lack_it():
    place = STATION["location"]["value"]
    without = {name: value for name, value in STATION.items() if name != "location"}
    [entity], _ = from_frame(to_frame(feature(without, place)))
    assert entity["location"] == STATION["location"]
    frame = to_frame(feature({"id": "urn:x:1", "type": "T", "t": 21}, place))
    assert (frame.geometry[0].x, frame.geometry[0].y) == (7.28, 43.69)
