# ruff: noqa: E501 - a row of the table is a line
"""Requests and their answers, a table: each row names the clause of GS CIM 009 V1.8.1 it is from.

Each row is played against a twin that holds the entities of `HOUSE`.
"""

from typing import Any

import pytest

CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
LD = {"Content-Type": "application/ld+json"}
JSON = {"Content-Type": "application/json"}
A, B, C = "urn:ngsi-ld:Room:A", "urn:ngsi-ld:Room:B", "urn:ngsi-ld:House:C"

HOUSE: list[dict[str, Any]] = [
    {
        "id": A,
        "type": "Room",
        "scope": "/nice/port",
        "temperature": {
            "type": "Property",
            "value": 21.5,
            "unitCode": "CEL",
            "observedAt": "2026-07-01T12:00:00Z",
            "accuracy": {"type": "Property", "value": 0.5},
        },
        "in": {"type": "Relationship", "object": C},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7, 43]}},
        "name": {"type": "LanguageProperty", "languageMap": {"en": "kitchen", "fr": "cuisine"}},
    },
    {
        "id": B,
        "type": ["Room", "Cellar"],
        "temperature": [
            {"type": "Property", "value": 12, "datasetId": "urn:d:1"},
            {"type": "Property", "value": 14},
        ],
        "address": {"type": "Property", "value": {"city": "Nice", "lines": [1, 2]}},
        "state": {"type": "VocabProperty", "vocab": "Closed"},
    },
    {"id": C, "type": "House", "raw": {"type": "JsonProperty", "json": {"id": 1, "x": None}}},
]


def room(**attributes: Any) -> dict[str, Any]:
    return {"id": "urn:ngsi-ld:Room:N", "type": "Room", **attributes}


def prop(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **more}


# clause, what, method, path, options of the request, status, error type or part of the answer
ROWS: list[tuple[str, str, str, str, dict[str, Any], int, Any]] = [
    ("5.6.1", "create", "POST", "entities", {"json": room(t=prop(1))}, 201, None),
    ("5.6.1", "create again", "POST", "entities", {"json": HOUSE[0]}, 409, "AlreadyExists"),
    ("5.6.1", "no id", "POST", "entities", {"json": {"type": "Room"}}, 400, "BadRequestData"),
    ("5.6.1", "no type", "POST", "entities", {"json": {"id": "urn:x:1"}}, 400, "BadRequestData"),
    ("5.6.1", "id no URI", "POST", "entities", {"json": {"id": "x", "type": "R"}}, 400, "BadRequestData"),
    ("5.5.4", "null", "POST", "entities", {"json": room(t=None)}, 400, "BadRequestData"),
    ("5.5.4", "null value", "POST", "entities", {"json": room(t=prop(None))}, 400, "BadRequestData"),
    ("4.5.0", "NGSI-LD Null", "POST", "entities", {"json": room(t=prop("urn:ngsi-ld:null"))}, 400, "BadRequestData"),
    ("4.5.2", "unknown attribute type", "POST", "entities", {"json": room(t={"type": "Thing", "value": 1})}, 400, "BadRequestData"),
    ("4.5.2", "no value", "POST", "entities", {"json": room(t={"type": "Property"})}, 400, "BadRequestData"),
    ("4.5.3", "object no URI", "POST", "entities", {"json": room(r={"type": "Relationship", "object": "x y"})}, 400, "BadRequestData"),
    ("4.6.3", "observedAt no DateTime", "POST", "entities", {"json": room(t=prop(1, observedAt="2026-07-01"))}, 400, "BadRequestData"),
    ("4.6.2", "forbidden name", "POST", "entities", {"json": room(**{"a(b)": prop(1)})}, 400, "BadRequestData"),
    ("4.5.5", "two default instances", "POST", "entities", {"json": room(t=[prop(1), prop(2)])}, 400, "BadRequestData"),
    ("4.7", "latitude first", "POST", "entities", {"json": room(p={"type": "GeoProperty", "value": {"type": "Point", "coordinates": [43, 107]}})}, 400, "BadRequestData"),
    ("4.7", "open ring", "POST", "entities", {"json": room(p={"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}})}, 400, "BadRequestData"),
    ("4.18", "bad scope", "POST", "entities", {"json": {**room(), "scope": "/a//b"}}, 400, "BadRequestData"),
    ("6.3.2", "no JSON", "POST", "entities", {"data": "{", "headers": JSON}, 400, "InvalidRequest"),
    ("6.3.4", "wrong media type", "POST", "entities", {"data": "<a/>", "headers": {"Content-Type": "text/xml"}}, 415, ""),
    ("6.3.4", "not acceptable", "GET", f"entities/{A}", {"headers": {"Accept": "text/csv"}}, 406, ""),
    ("6.3.5", "@context in json", "POST", "entities", {"json": {**room(), "@context": CORE}}, 400, "BadRequestData"),
    ("6.3.5", "no @context in ld+json", "POST", "entities", {"json": room(), "headers": LD}, 400, "BadRequestData"),
    ("6.3.5", "Link with ld+json", "POST", "entities", {"json": {**room(), "@context": CORE}, "headers": {**LD, "Link": LINK.format(CORE)}}, 400, "BadRequestData"),
    ("6.3.5", "foreign @context", "GET", f"entities/{A}", {"headers": {"Link": LINK.format("https://example.org/none.jsonld")}}, 503, "LdContextNotAvailable"),
    ("6.3.5", "@context that is no address", "POST", "entities", {"json": {**room(), "@context": "town.jsonld"}, "headers": LD}, 400, "BadRequestData"),
    ("6.3.5", "@context of garbage", "POST", "entities", {"json": {**room(), "@context": [CORE, "\x1f\\x9f"]}, "headers": LD}, 400, "BadRequestData"),
    ("6.3.5", "foreign @context in the body", "POST", "entities", {"json": {**room(), "@context": "https://example.org/none.jsonld"}, "headers": LD}, 503, "LdContextNotAvailable"),
    ("5.7.1", "retrieve", "GET", f"entities/{A}", {}, 200, HOUSE[0]),
    ("5.7.1", "retrieve many instances", "GET", f"entities/{B}", {}, 200, HOUSE[1]),
    ("4.5.24", "JSON as it came", "GET", f"entities/{C}", {}, 200, HOUSE[2]),
    ("5.7.1", "not there", "GET", "entities/urn:x:9", {}, 404, "ResourceNotFound"),
    ("5.7.1", "bad id", "GET", "entities/x", {}, 400, "BadRequestData"),
    ("5.7.1", "attrs", "GET", f"entities/{A}", {"params": {"attrs": "in"}}, 200, {"id": A, "type": "Room", "scope": "/nice/port", "in": HOUSE[0]["in"]}),
    ("5.7.1", "attrs that it has not", "GET", f"entities/{A}", {"params": {"attrs": "x"}}, 404, "ResourceNotFound"),
    ("5.7.1", "type fits not", "GET", f"entities/{A}", {"params": {"type": "House"}}, 404, "ResourceNotFound"),
    ("4.21", "pick", "GET", f"entities/{A}", {"params": {"pick": "id,in"}}, 200, {"id": A, "in": HOUSE[0]["in"]}),
    ("4.21", "omit", "GET", f"entities/{C}", {"params": {"omit": "raw,type"}}, 200, {"id": C}),
    ("5.7.2", "pick and attrs", "GET", f"entities/{C}", {"params": {"pick": "a", "attrs": "a"}}, 400, "BadRequestData"),
    ("4.5.4", "simplified", "GET", f"entities/{A}", {"params": {"format": "simplified"}}, 200, {"id": A, "type": "Room", "scope": "/nice/port", "temperature": 21.5, "in": C, "location": {"type": "Point", "coordinates": [7, 43]}, "name": {"languageMap": {"en": "kitchen", "fr": "cuisine"}}}),
    ("4.5.4", "keyValues", "GET", f"entities/{B}", {"params": {"options": "keyValues"}}, 200, {"id": B, "type": ["Room", "Cellar"], "temperature": {"dataset": {"urn:d:1": 12, "@none": 14}}, "address": {"city": "Nice", "lines": [1, 2]}, "state": {"vocab": "Closed"}}),
    ("4.5.1", "concise", "GET", f"entities/{A}", {"params": {"format": "concise", "pick": "id,temperature,location"}}, 200, {"id": A, "temperature": {"value": 21.5, "unitCode": "CEL", "observedAt": "2026-07-01T12:00:00Z", "accuracy": 0.5}, "location": {"type": "Point", "coordinates": [7, 43]}}),
    ("4.5.16", "GeoJSON", "GET", f"entities/{A}", {"params": {"attrs": "in", "options": "keyValues"}, "headers": {"Accept": "application/geo+json", "Prefer": "body=json"}}, 200, {"id": A, "type": "Feature", "geometry": None, "properties": {"type": "Room", "scope": "/nice/port", "in": C}}),
    ("4.15", "language", "GET", f"entities/{A}", {"params": {"lang": "fr-CA,en;q=0.5", "pick": "name"}}, 200, {"name": {"type": "Property", "value": "cuisine", "lang": "fr"}}),
    ("4.5.5", "dataset", "GET", f"entities/{B}", {"params": {"datasetId": "urn:d:1", "attrs": "temperature"}}, 200, {"id": B, "type": ["Room", "Cellar"], "temperature": HOUSE[1]["temperature"][0]}),
    ("6.3.7", "unknown format", "GET", f"entities/{A}", {"params": {"format": "csv"}}, 400, "BadRequestData"),
    ("4.5.23", "join is not done", "GET", f"entities/{A}", {"params": {"join": "inline"}}, 501, ""),
    ("5.6.6", "delete", "DELETE", f"entities/{A}", {}, 204, None),
    ("5.6.6", "delete what is not there", "DELETE", "entities/urn:x:9", {}, 404, "ResourceNotFound"),
    ("5.6.18", "replace", "PUT", f"entities/{A}", {"json": {"type": "Room", "a": prop(1)}}, 204, {"id": A, "type": "Room", "a": prop(1)}),
    ("5.6.18", "replace another", "PUT", f"entities/{A}", {"json": HOUSE[1]}, 400, "BadRequestData"),
    ("5.6.18", "replace what is not there", "PUT", "entities/urn:x:9", {"json": {"type": "R"}}, 404, "ResourceNotFound"),
    ("5.6.17", "merge into a value", "PATCH", f"entities/{B}", {"json": {"address": prop({"city": "Cannes"})}}, 204, {**HOUSE[1], "address": prop({"city": "Cannes", "lines": [1, 2]})}),
    ("5.6.17", "merge deletes a member", "PATCH", f"entities/{B}", {"json": {"address": prop({"lines": "urn:ngsi-ld:null"})}}, 204, {**HOUSE[1], "address": prop({"city": "Nice"})}),
    ("5.6.17", "merge deletes", "PATCH", f"entities/{B}", {"json": {"address": "urn:ngsi-ld:null"}}, 204, {k: v for k, v in HOUSE[1].items() if k != "address"}),
    ("5.6.17", "merge keeps the rest", "PATCH", f"entities/{A}", {"json": {"temperature": {"value": 5}}}, 204, {**HOUSE[0], "temperature": {**HOUSE[0]["temperature"], "value": 5}}),
    ("5.6.17", "merge of a language", "PATCH", f"entities/{A}", {"json": {"name": {"languageMap": {"fr": "urn:ngsi-ld:null", "de": "Küche"}}}}, 204, {**HOUSE[0], "name": {"type": "LanguageProperty", "languageMap": {"en": "kitchen", "de": "Küche"}}}),
    ("5.6.17", "merge adds a type", "PATCH", f"entities/{C}", {"json": {"type": "Villa"}}, 204, {**HOUSE[2], "type": ["House", "Villa"]}),
    ("5.6.17", "merge, simplified", "PATCH", f"entities/{A}", {"params": {"options": "keyValues", "lang": "fr"}, "json": {"name": "salon", "in": "urn:x:2"}}, 204, {**HOUSE[0], "name": {"type": "LanguageProperty", "languageMap": {"en": "kitchen", "fr": "salon"}}, "in": {"type": "Relationship", "object": "urn:x:2"}}),
    ("5.6.17", "merge, common observedAt", "PATCH", f"entities/{A}", {"params": {"observedAt": "2026-07-02T00:00:00Z"}, "json": {"temperature": {"value": 9}, "n": 1}}, 204, {**HOUSE[0], "temperature": {**HOUSE[0]["temperature"], "value": 9, "observedAt": "2026-07-02T00:00:00Z"}, "n": prop(1)}),
    ("5.6.3", "append", "POST", f"entities/{C}/attrs", {"json": {"a": prop(1), "raw": prop(2)}}, 204, {"id": C, "type": "House", "raw": prop(2), "a": prop(1)}),
    ("5.6.3", "append, noOverwrite", "POST", f"entities/{C}/attrs", {"params": {"options": "noOverwrite"}, "json": {"a": prop(1), "raw": prop(2)}}, 207, {"updated": ["a"]}),
    ("5.6.3", "append to nothing", "POST", "entities/urn:x:9/attrs", {"json": {"a": prop(1)}}, 404, "ResourceNotFound"),
    ("5.6.2", "update", "PATCH", f"entities/{A}/attrs", {"json": {"in": {"type": "Relationship", "object": "urn:x:2"}}}, 204, {**HOUSE[0], "in": {"type": "Relationship", "object": "urn:x:2"}}),
    ("5.6.2", "update what is not there", "PATCH", f"entities/{C}/attrs", {"json": {"a": prop(1)}}, 207, {"updated": []}),
    ("5.6.4", "partial update", "PATCH", f"entities/{A}/attrs/temperature", {"json": {"value": 30}}, 204, {**HOUSE[0], "temperature": {**HOUSE[0]["temperature"], "value": 30}}),
    ("5.6.4", "partial update of a sub-attribute", "PATCH", f"entities/{A}/attrs/temperature", {"json": {"accuracy": prop(1), "unitCode": "urn:ngsi-ld:null"}}, 204, {**HOUSE[0], "temperature": {**{k: v for k, v in HOUSE[0]["temperature"].items() if k != "unitCode"}, "accuracy": prop(1)}}),
    ("5.6.4", "partial update of a dataset", "PATCH", f"entities/{B}/attrs/temperature", {"json": {"value": 13, "datasetId": "urn:d:1"}}, 204, {**HOUSE[1], "temperature": [prop(13, datasetId="urn:d:1"), prop(14)]}),
    ("5.6.4", "partial update of nothing", "PATCH", f"entities/{A}/attrs/x", {"json": {"value": 1}}, 404, "ResourceNotFound"),
    ("5.6.4", "partial update of another type", "PATCH", f"entities/{A}/attrs/in", {"json": prop(1)}, 400, "BadRequestData"),
    ("5.6.19", "replace attribute", "PUT", f"entities/{A}/attrs/temperature", {"json": prop(1)}, 204, {**HOUSE[0], "temperature": prop(1)}),
    ("5.6.19", "replace no attribute", "PUT", f"entities/{A}/attrs/x", {"json": prop(1)}, 404, "ResourceNotFound"),
    ("5.6.5", "delete attribute", "DELETE", f"entities/{B}/attrs/temperature", {}, 204, {**HOUSE[1], "temperature": HOUSE[1]["temperature"][0]}),
    ("5.6.5", "delete a dataset", "DELETE", f"entities/{B}/attrs/temperature", {"params": {"datasetId": "urn:d:1"}}, 204, {**HOUSE[1], "temperature": prop(14)}),
    ("5.6.5", "delete all instances", "DELETE", f"entities/{B}/attrs/temperature", {"params": {"deleteAll": "true"}}, 204, {k: v for k, v in HOUSE[1].items() if k != "temperature"}),
    ("5.6.5", "delete no attribute", "DELETE", f"entities/{A}/attrs/x", {}, 404, "ResourceNotFound"),
    ("5.7.2", "too broad", "GET", "entities", {}, 400, "BadRequestData"),
    ("5.7.2", "id alone is too broad", "GET", "entities", {"params": {"id": A}}, 400, "BadRequestData"),
    ("6.3.10", "limit 0", "GET", "entities", {"params": {"type": "Room", "limit": 0}}, 400, "BadRequestData"),
    ("6.3.10", "limit no number", "GET", "entities", {"params": {"type": "Room", "limit": "-1"}}, 400, "BadRequestData"),
    ("5.5.9", "limit too large", "GET", "entities", {"params": {"type": "Room", "limit": 5000}}, 403, "TooManyResults"),
    ("4.9", "q is no query", "GET", "entities", {"params": {"q": "a=="}}, 400, "BadRequestData"),
    ("4.9", "q is too long", "GET", "entities", {"params": {"q": "|".join(["a"] * 300)}}, 403, "TooComplexQuery"),
    ("4.10", "unknown georel", "GET", "entities", {"params": {"georel": "on", "geometry": "Point", "coordinates": "[7,43]"}}, 400, "BadRequestData"),
    ("4.10", "no coordinates", "GET", "entities", {"params": {"georel": "within", "geometry": "Point"}}, 400, "BadRequestData"),
    ("5.2.23", "no Query", "POST", "entityOperations/query", {"json": {"q": "a"}}, 400, "BadRequestData"),
    ("6.3.14", "tenant without data", "GET", "entities", {"params": {"type": "Room"}, "headers": {"NGSILD-Tenant": "nobody"}}, 404, "NonexistentTenant"),
    ("5.7.5", "types", "GET", "types", {}, 200, {"typeList": ["Cellar", "House", "Room"]}),
    ("5.7.7", "type", "GET", "types/Room", {}, 200, {"typeName": "Room", "entityCount": 2}),
    ("5.7.7", "no type", "GET", "types/X", {}, 404, "ResourceNotFound"),
    ("5.7.8", "attributes", "GET", "attributes", {}, 200, {"attributeList": ["address", "in", "location", "name", "raw", "state", "temperature"]}),
    ("5.7.10", "attribute", "GET", "attributes/temperature", {}, 200, {"attributeCount": 3, "attributeTypes": ["Property"], "typeNames": ["Cellar", "Room"]}),
    ("5.7.10", "no attribute", "GET", "attributes/x", {}, 404, "ResourceNotFound"),
    ("5.13.4", "no such @context", "GET", "jsonldContexts/x", {}, 404, "ResourceNotFound"),
    ("5.13.2", "no @context", "POST", "jsonldContexts", {"json": {"a": 1}}, 400, "BadRequestData"),
    ("5.9", "registrations", "GET", "csourceRegistrations", {}, 501, ""),
    ("5.10", "registrations, one", "GET", "csourceRegistrations/urn:x:1", {}, 501, ""),
    ("5.11", "subscriptions to registrations", "POST", "csourceSubscriptions", {"json": {}}, 501, ""),
    ("5.15", "snapshots", "POST", "snapshots", {"json": {}}, 501, ""),
    ("5.16", "identity of the source", "GET", "info/sourceIdentity", {}, 501, ""),
    ("5.14", "split entities", "GET", "entities", {"params": {"type": "Room", "splitEntities": "true"}}, 501, ""),
    ("4.5.23", "containedBy is not done", "GET", "entities", {"params": {"type": "Room", "containedBy": "urn:x:1"}}, 501, ""),
    ("V1.9.1", "orderBy is not done", "GET", "entities", {"params": {"type": "Room", "orderBy": "temperature"}}, 501, ""),
    ("V1.9.1", "orderBy in a body", "POST", "entityOperations/query", {"json": {"type": "Query", "entities": [{"type": "Room"}], "orderBy": ["temperature"]}}, 501, ""),
    ("5.14", "entity maps", "GET", "entityMaps/urn:x:1", {}, 501, ""),
    ("RFC 9110", "no such path", "GET", "nothing", {}, 404, ""),
    ("RFC 9110", "no such method", "PUT", "entities", {"json": {}}, 405, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "wanted"),
    [row[2:] for row in ROWS],
    ids=[f"{row[0]} {row[1]}" for row in ROWS],
)
def test_request(ask, method: str, path: str, options: Any, status: int, wanted: Any) -> None:
    ask.put(*HOUSE)
    answer = ask(method, path, **options)
    if isinstance(wanted, str):
        ask.problem(answer, status, wanted)
        return
    assert answer.status_code == status, answer.text
    if status == 204:
        assert not answer.content
        target = path.split("/")[1]
        if wanted is None:
            assert ask("GET", f"entities/{target}").status_code == 404
        else:
            assert ask.get(target) == wanted
    elif status == 201:
        assert answer.headers["Location"] == f"/ngsi-ld/v1/{path}/{options['json']['id']}"
        assert ask.get(options["json"]["id"]) == options["json"]
    elif path.startswith("entities/") and status == 200:
        assert answer.json() == wanted
        assert answer.headers["Link"] == LINK.format(CORE)
    else:
        assert answer.json() | wanted == answer.json()


def test_the_table_is_read_whole() -> None:
    assert len(ROWS) > 90
    assert len({(row[0], row[1]) for row in ROWS}) == len(ROWS)
