"""Requests and answers as ETSI GS CIM 009 V1.8.1 has them, each with its clauses.

Written from the text of the standard, not recorded from a broker: what a conforming broker has to
accept, and what it may answer. `replay` serves one exchange and refuses every other request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROOT = "/ngsi-ld/v1"
CONTEXT = "https://example.org/context.jsonld"
LINK = f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"

VEHICLE = {
    "id": "urn:ngsi-ld:Vehicle:A4567",
    "type": "Vehicle",
    "brandName": {"type": "Property", "value": "Mercedes"},
    "speed": {"type": "Property", "value": 55, "unitCode": "KMH"},
    "isParked": {
        "type": "Relationship",
        "object": "urn:ngsi-ld:OffStreetParking:Downtown1",
        "observedAt": "2017-07-29T12:00:04Z",
    },
}
PICKED = {name: VEHICLE[name] for name in ("id", "type", "speed")}


@dataclass(frozen=True)
class Exchange:
    name: str
    clauses: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    status: int = 200
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: Any = None
    content_type: str = "application/json"


def replay(exchange: Exchange, server: Any, reply: Any) -> None:
    """Serve one exchange; what the request lacks is told in the answer and ends in an error."""

    def handler(request: Any) -> Any:
        wrong = []
        if request.method != exchange.method or request.path != ROOT + exchange.path:
            wrong.append(f"{request.method} {request.path}")
        if request.query != dict(exchange.query):
            wrong.append(f"query {request.query}")
        for name, value in exchange.headers.items():
            if request.headers.get(name, "") != value:
                wrong.append(f"header {name}: {request.headers.get(name)}")
        sent = json.loads(request.body) if request.body else None
        if sent != exchange.body:
            wrong.append(f"body {sent}")
        if wrong:
            return reply(418, {"title": "another request", "detail": "; ".join(wrong)})
        answer = b"" if exchange.answer is None else exchange.answer
        return reply(exchange.status, answer, exchange.answer_headers, exchange.content_type)

    server.route("*", "*", handler)


PAGE = {"limit": "1000", "count": "true"}

EXCHANGES = [
    Exchange(
        "create", "6.4.3.1, 5.6.1, 6.3.5", "POST", "/entities",
        headers={"Content-Type": "application/json", "Link": LINK}, body=VEHICLE, status=201,
        answer_headers=(("Location", "/ngsi-ld/v1/entities/urn:ngsi-ld:Vehicle:A4567"),),
    ),
    Exchange(
        "create-ld", "6.4.3.1, 6.3.5", "POST", "/entities",
        headers={"Content-Type": "application/ld+json", "Link": ""},
        body={**VEHICLE, "@context": CONTEXT}, status=201,
        answer_headers=(("Location", "/ngsi-ld/v1/entities/urn:ngsi-ld:Vehicle:A4567"),),
    ),
    Exchange(
        "create-conflict", "6.4.3.1, 6.3.2", "POST", "/entities", body=VEHICLE, status=409,
        answer={"type": ERRORS + "AlreadyExists", "title": "Already exists", "detail": "A4567"},
    ),
    Exchange(
        "retrieve", "6.5.3.1, 5.7.1, 6.3.6", "GET", "/entities/urn:ngsi-ld:Vehicle:A4567",
        headers={"Accept": "application/json", "Link": LINK}, answer=VEHICLE,
        answer_headers=(("Link", LINK),),
    ),
    Exchange(
        "retrieve-simplified", "4.5.4, 6.3.7", "GET", "/entities/urn:ngsi-ld:Vehicle:A4567",
        query={"format": "simplified"},
        answer={
            "id": VEHICLE["id"], "type": "Vehicle", "brandName": "Mercedes", "speed": 55,
            "isParked": "urn:ngsi-ld:OffStreetParking:Downtown1",
        },
    ),
    Exchange(
        "query", "4.9 example 4, 6.4.3.2, 6.3.13", "GET", "/entities",
        query={"type": "Vehicle", "q": 'speed>50;brandName!="Mercedes"'} | PAGE, answer=[],
        answer_headers=(("NGSILD-Results-Count", "0"),),
    ),
    Exchange(
        "geo-query", "4.10 example 3, 6.4.3.2", "GET", "/entities",
        query={
            "type": "Vehicle", "georel": "near;maxDistance==2000", "geometry": "Point",
            "coordinates": "[8.0,40.0]",
        } | PAGE,
        answer=[VEHICLE], answer_headers=(("NGSILD-Results-Count", "1"),),
    ),
    Exchange(
        "geojson", "4.5.16, 6.3.4, 6.3.6", "GET", "/entities",
        query={"type": "Vehicle"} | PAGE, headers={"Accept": "application/geo+json"},
        answer={"type": "FeatureCollection", "features": [
            {"id": VEHICLE["id"], "type": "Feature", "geometry": None,
             "properties": {"type": "Vehicle"}},
        ]},
        answer_headers=(("NGSILD-Results-Count", "1"),), content_type="application/geo+json",
    ),
    Exchange(
        "query-post", "6.23.3.1, 5.2.23, 5.2.33, 5.2.13", "POST", "/entityOperations/query",
        query=PAGE,
        body={
            "type": "Query", "entities": [{"id": VEHICLE["id"], "type": "Vehicle"}],
            "pick": ["id", "type", "speed"], "q": "speed>50",
            "geoQ": {"georel": "within", "geometry": "Point", "coordinates": [8.0, 40.0]},
        },
        answer=[PICKED], answer_headers=(("NGSILD-Results-Count", "1"),),
    ),
    Exchange(
        "merge", "6.5.3.4, 5.6.17", "PATCH", "/entities/urn:ngsi-ld:Vehicle:A4567",
        query={"observedAt": "2026-07-01T12:00:00Z"},
        body={"speed": {"type": "Property", "value": 60}}, status=204,
    ),
    Exchange(
        "append-partly", "6.6.3.1, 5.6.3, 5.2.18, 5.2.19", "POST",
        "/entities/urn:ngsi-ld:Vehicle:A4567/attrs", query={"options": "noOverwrite"},
        body={"speed": {"value": 1}, "rpm": {"value": 2}}, status=207,
        answer={"updated": ["rpm"], "notUpdated": [{"attributeName": "speed", "reason": "exists"}]},
    ),
    Exchange(
        "delete-attribute", "6.7.3.2, 5.6.5", "DELETE",
        "/entities/urn:ngsi-ld:Vehicle:A4567/attrs/speed",
        query={"datasetId": "urn:ngsi-ld:Dataset:1"}, status=204,
    ),
    Exchange(
        "batch-create", "6.14.3.1, 5.6.7", "POST", "/entityOperations/create", body=[VEHICLE],
        status=201, answer=[VEHICLE["id"]],
    ),
    Exchange(
        "batch-upsert", "6.15.3.1, 5.6.8", "POST", "/entityOperations/upsert",
        query={"options": "update"}, body=[VEHICLE], status=204,
    ),
    Exchange(
        "batch-partly", "6.14.3.1, 5.2.16, 5.2.17, 6.3.6", "POST", "/entityOperations/create",
        body=[VEHICLE, {"id": "urn:ngsi-ld:Vehicle:B1", "type": "Vehicle"}], status=207,
        answer={
            "success": ["urn:ngsi-ld:Vehicle:B1"],
            "errors": [{"entityId": VEHICLE["id"], "error": {
                "type": ERRORS + "AlreadyExists", "title": "Already exists", "status": 409}}],
        },
    ),
    Exchange(
        "batch-delete", "6.17.3.1, 5.6.10", "POST", "/entityOperations/delete",
        headers={"Content-Type": "application/json"}, body=[VEHICLE["id"]], status=204,
    ),
    Exchange(
        "temporal", "4.11 example 2, 6.18.3.2, 5.7.4", "GET", "/temporal/entities",
        query={
            "type": "Vehicle", "timerel": "between", "timeAt": "2017-12-13T14:20:00Z",
            "endTimeAt": "2017-12-13T14:40:00Z", "timeproperty": "modifiedAt", "lastN": "1",
            "limit": "50", "count": "true",
        },
        answer=[{"id": VEHICLE["id"], "type": "Vehicle", "speed": [
            {"type": "Property", "value": 80, "modifiedAt": "2017-12-13T14:30:00Z"}]}],
        answer_headers=(("NGSILD-Results-Count", "1"),),
    ),
    Exchange(
        "temporal-values", "4.5.9, 6.19.3.1", "GET",
        "/temporal/entities/urn:ngsi-ld:Vehicle:A4567",
        query={"format": "temporalValues", "lastN": "2"},
        answer={"id": VEHICLE["id"], "type": "Vehicle", "speed": {"type": "Property", "values": [
            [120, "2018-08-01T12:03:00Z"], [80, "2018-08-01T12:05:00Z"]]}},
    ),
    Exchange(
        "aggregated", "4.5.19, 6.19.3.1", "GET", "/temporal/entities/urn:ngsi-ld:Vehicle:A4567",
        query={
            "format": "aggregatedValues", "aggrMethods": "max,avg", "aggrPeriodDuration": "PT4M",
            "timerel": "after", "timeAt": "2018-08-01T12:00:00Z",
        },
        answer={"id": VEHICLE["id"], "type": "Vehicle", "speed": {
            "type": "Property",
            "max": [[120, "2018-08-01T12:00:00Z", "2018-08-01T12:04:00Z"]],
            "avg": [[100, "2018-08-01T12:00:00Z", "2018-08-01T12:04:00Z"]],
        }},
    ),
    Exchange(
        "types", "6.25.3.1, 5.7.5, 5.2.24", "GET", "/types",
        answer={"id": "urn:ngsi-ld:EntityTypeList:1", "type": "EntityTypeList",
                "typeList": ["Vehicle", "OffStreetParking"]},
    ),
    Exchange(
        "attributes", "6.27.3.1, 5.7.8, 5.2.27", "GET", "/attributes",
        answer={"id": "urn:ngsi-ld:AttributeList:1", "type": "AttributeList",
                "attributeList": ["brandName", "speed"]},
    ),
    Exchange(
        "type", "6.26.3.1, 5.7.7, 5.2.26", "GET", "/types/Vehicle",
        answer={"id": "https://example.org/Vehicle", "type": "EntityTypeInfo",
                "typeName": "Vehicle", "entityCount": 2, "attributeDetails": []},
    ),
    Exchange(
        "subscribe", "6.10.3.1, 5.8.1, 5.2.12, 5.2.14, 5.2.15", "POST", "/subscriptions",
        body={
            "type": "Subscription", "entities": [{"type": "Vehicle"}],
            "watchedAttributes": ["speed"], "q": "speed>50", "throttling": 5,
            "notification": {"format": "normalized", "endpoint": {
                "uri": "https://example.org/notify", "accept": "application/json"}},
        },
        status=201,
        answer_headers=(("Location", "/ngsi-ld/v1/subscriptions/urn:ngsi-ld:Subscription:1"),),
    ),
    Exchange(
        "pause", "6.11.3.2, 5.8.2", "PATCH", "/subscriptions/urn:ngsi-ld:Subscription:1",
        body={"type": "Subscription", "isActive": False}, status=204,
    ),
    Exchange(
        "registrations", "6.8.3.2, 5.10.2", "GET", "/csourceRegistrations",
        query={"type": "Vehicle", "limit": "100", "count": "true"},
        answer=[{
            "id": "urn:ngsi-ld:ContextSourceRegistration:1", "type": "ContextSourceRegistration",
            "information": [{"entities": [{"type": "Vehicle"}]}],
            "endpoint": "https://source.example.org",
        }],
        answer_headers=(("NGSILD-Results-Count", "1"),),
    ),
    Exchange(
        "add-context", "6.29.3.1, 5.13.2", "POST", "/jsonldContexts",
        headers={"Content-Type": "application/json", "Link": ""},
        body={"@context": {"speed": "https://example.org/speed"}}, status=201,
        answer_headers=(("Location", "/ngsi-ld/v1/jsonldContexts/c1"),),
    ),
    Exchange(
        "reload-context", "6.30.3.2, 5.13.5", "DELETE",
        "/jsonldContexts/https:%2F%2Fexample.org%2Fcontext.jsonld", query={"reload": "true"},
        status=204,
    ),
    Exchange(
        "no-such-tenant", "6.3.2, 6.3.14", "GET", "/entities/urn:ngsi-ld:Vehicle:A4567",
        headers={"NGSILD-Tenant": "nowhere"}, status=404,
        answer={"type": ERRORS + "NonexistentTenant", "title": "no such tenant"},
    ),
    Exchange(
        "no-tenants", "6.3.2, 4.14", "GET", "/entities/urn:ngsi-ld:Vehicle:A4567",
        headers={"NGSILD-Tenant": "nowhere"}, status=501,
        answer={"type": ERRORS + "NoMultiTenantSupport", "title": "no tenants"},
    ),
]  # fmt: skip
