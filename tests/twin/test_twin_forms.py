"""Answers in each form: GeoJSON, JSON-LD, times of the system, details of types (6.3.6 ff.)."""

from datetime import datetime
from typing import Any

from ldt_toolbox.models.contexts import CORE_URL

GEO = {"Accept": "application/geo+json"}
POINT = {"type": "Point", "coordinates": [7.4, 43.7]}
AREA = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


def house(name: str = "1", **attributes: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": "House", **attributes}


PLACED = house(
    size={"type": "Property", "value": 3},
    location={"type": "GeoProperty", "value": POINT},
    plot={"type": "GeoProperty", "value": AREA},
)


def test_an_entity_is_a_feature(ask) -> None:
    """4.5.16: the location is the geometry, and an attribute as well."""
    ask.put(PLACED)
    answer = ask("GET", "entities/urn:x:1", headers=GEO)
    assert answer.headers["Content-Type"] == "application/geo+json"
    properties = {name: value for name, value in PLACED.items() if name != "id"}
    assert answer.json() == {
        "id": "urn:x:1", "type": "Feature", "geometry": POINT, "properties": properties,
        "@context": CORE_URL,
    }  # fmt: skip
    other = ask(
        "GET", "entities/urn:x:1", headers=GEO,
        params={"geometryProperty": "plot", "options": "keyValues"},
    ).json()  # fmt: skip
    assert other["geometry"] == AREA
    assert other["properties"]["location"] == POINT
    none = ask("GET", "entities/urn:x:1", headers=GEO, params={"geometryProperty": "size"})
    assert none.json()["geometry"] is None


def test_a_list_is_a_feature_collection(ask) -> None:
    """4.5.17, 6.3.15: one @context for all, in the body unless the request prefers a Link."""
    ask.put(PLACED, house("2"))
    params = {"type": "House", "options": "keyValues"}
    answer = ask("GET", "entities", headers=GEO, params=params)
    assert answer.json()["type"] == "FeatureCollection"
    assert answer.json()["@context"] == CORE_URL
    assert [each["geometry"] for each in answer.json()["features"]] == [POINT, None]
    assert all("@context" not in each for each in answer.json()["features"])
    linked = ask("GET", "entities", headers={**GEO, "Prefer": "body=json"}, params=params)
    assert "@context" not in linked.json()
    assert CORE_URL in linked.headers["Link"]


def test_json_ld_has_its_context_in_the_body(ask) -> None:
    """6.3.6: in JSON-LD there, in JSON in a Link; never both."""
    ask.put(PLACED)
    for path, params in (("entities/urn:x:1", {}), ("entities", {"type": "House"})):
        written = ask("GET", path, params=params, headers={"Accept": "application/ld+json"})
        found = written.json() if isinstance(written.json(), list) else [written.json()]
        assert found == [{**PLACED, "@context": CORE_URL}]
        assert "Link" not in written.headers
        plain = ask("GET", path, params=params)
        assert CORE_URL in plain.headers["Link"]
        assert "@context" not in plain.text


def test_times_of_the_system_are_told_when_asked(ask) -> None:
    """4.8, 6.3.11: createdAt stays, modifiedAt is that of the attribute which was written."""
    ask.put(PLACED)
    before = ask.get("urn:x:1", options="sysAttrs")
    assert ask("PATCH", "entities/urn:x:1/attrs/size", json={"value": 4}).status_code == 204
    after = ask.get("urn:x:1", options="sysAttrs")
    assert after["createdAt"] == before["createdAt"] == before["modifiedAt"]
    assert after["size"]["createdAt"] == before["size"]["createdAt"]
    assert after["plot"] == before["plot"]
    changed = datetime.fromisoformat(after["modifiedAt"])
    assert changed > datetime.fromisoformat(before["modifiedAt"])
    assert after["size"]["modifiedAt"] == after["modifiedAt"]
    assert "createdAt" not in ask.get("urn:x:1")


def test_details_of_types_and_attributes(ask) -> None:
    """5.7.6, 5.7.7, 5.7.9."""
    ask.put(PLACED, house("2"), {"id": "urn:x:3", "type": "Tree", "size": {"value": 1}})
    found = ask("GET", "types", params={"details": "true"}).json()
    told = {each["typeName"]: set(each["attributeNames"]) for each in found}
    assert told == {"House": {"size", "location", "plot"}, "Tree": {"size"}}
    assert ask("GET", "types/House").json()["entityCount"] == 2
    attributes = ask("GET", "attributes", params={"details": "true"}).json()
    assert {each["attributeName"]: set(each["typeNames"]) for each in attributes} == {
        "size": {"House", "Tree"}, "location": {"House"}, "plot": {"House"},
    }  # fmt: skip
