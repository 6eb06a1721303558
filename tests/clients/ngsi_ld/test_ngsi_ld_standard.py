"""The client against exchanges written from the standard."""

import pytest
from ldt_toolbox.clients.errors import Conflict, NotFound, NotImplementedByServer
from ldt_toolbox.clients.ngsi_ld import GeoQuery, Q, observations, subscription
from shapely.geometry import Point

A4567 = "urn:ngsi-ld:Vehicle:A4567"
AT = {"start": "2017-12-13T14:20:00Z", "end": "2017-12-13T14:40:00Z"}
FAST = Q.attr("speed") > 50


def calls(r) -> dict:
    """What is asked of the client, and what has to come of it, by name of the exchange."""
    c = r.CONTEXT
    vehicle = r.VEHICLE
    other = {"id": "urn:ngsi-ld:Vehicle:B1", "type": "Vehicle"}
    near = GeoQuery.of("near", Point(8, 40), max_distance_m=2000)
    inside = GeoQuery.of("within", Point(8, 40))
    return {
        "create": (lambda b: b.with_context(c).entities.create(vehicle), A4567),
        "create-ld": (lambda b: b.entities.create({**vehicle, "@context": c}), A4567),
        "create-conflict": (lambda b: b.entities.create(vehicle), Conflict),
        "retrieve": (lambda b: b.with_context(c).entities.get(A4567), vehicle),
        "retrieve-simplified": (
            lambda b: b.entities.get(A4567, representation="simplified")["speed"], 55,
        ),
        "query": (
            lambda b: b.entities.query(
                type="Vehicle", q=FAST & (Q.attr("brandName") != "Mercedes")
            ),
            [],
        ),
        "geo-query": (lambda b: b.entities.query(type="Vehicle", geo=near), [vehicle]),
        "geojson": (
            lambda b: b.entities.query(type="Vehicle", representation="geojson")[0]["type"],
            "Feature",
        ),
        "query-post": (
            lambda b: b.batch.query(
                type="Vehicle", id=A4567, pick=["id", "type", "speed"], q=FAST, geo=inside
            ),
            [r.PICKED],
        ),
        "merge": (
            lambda b: b.entities.merge(
                {"speed": {"type": "Property", "value": 60}}, id=A4567,
                observed_at="2026-07-01T12:00:00Z",
            ),
            None,
        ),
        "append-partly": (
            lambda b: b.entities.append_attributes(
                A4567, {"speed": {"value": 1}, "rpm": {"value": 2}}, overwrite=False
            ).not_updated,
            {"speed": "exists"},
        ),
        "delete-attribute": (
            lambda b: b.entities.delete_attribute(
                A4567, "speed", dataset_id="urn:ngsi-ld:Dataset:1"
            ),
            None,
        ),
        "batch-create": (lambda b: b.batch.create([vehicle]).created, [A4567]),
        "batch-upsert": (lambda b: b.batch.upsert([vehicle], mode="update").succeeded, [A4567]),
        "batch-partly": (
            lambda b: b.batch.create([vehicle, other]).errors[0].reason, "Already exists",
        ),
        "batch-delete": (lambda b: b.batch.delete([A4567]).succeeded, [A4567]),
        "temporal": (
            lambda b: b.temporal.query(
                type="Vehicle", timeproperty="modifiedAt", last_n=1, probe=False, **AT
            )[0]["speed"][0]["value"],
            80,
        ),
        "temporal-values": (
            lambda b: [
                each.value
                for each in observations(
                    b.temporal.get(A4567, form="temporalValues", last_n=2, probe=False)
                )
            ],
            [120, 80],
        ),
        "aggregated": (
            lambda b: b.temporal.aggregate(
                id=A4567, methods=["max", "avg"], period="PT4M", start="2018-08-01T12:00:00Z"
            )[0]["speed"]["max"][0][0],
            120,
        ),
        "types": (lambda b: b.types.list(), ["Vehicle", "OffStreetParking"]),
        "attributes": (lambda b: b.attributes.list(), ["brandName", "speed"]),
        "type": (lambda b: b.types.get("Vehicle")["entityCount"], 2),
        "subscribe": (
            lambda b: b.subscriptions.create(
                subscription(
                    "https://example.org/notify", type="Vehicle", watched="speed", q=FAST,
                    throttling_s=5,
                )
            ),
            "urn:ngsi-ld:Subscription:1",
        ),
        "pause": (lambda b: b.subscriptions.pause("urn:ngsi-ld:Subscription:1"), None),
        "registrations": (lambda b: len(b.registrations.list(type="Vehicle")), 1),
        "add-context": (
            lambda b: b.with_context(c).contexts.add({"speed": "https://example.org/speed"})[-18:],
            "/jsonldContexts/c1",
        ),
        "reload-context": (lambda b: b.contexts.reload(c), None),
        "no-such-tenant": (lambda b: b.with_tenant("nowhere").entities.exists(A4567), NotFound),
        "no-tenants": (
            lambda b: b.with_tenant("nowhere").entities.get(A4567), NotImplementedByServer,
        ),
    }  # fmt: skip


NAMES = [
    "create", "create-ld", "create-conflict", "retrieve", "retrieve-simplified", "query",
    "geo-query", "geojson", "query-post", "merge", "append-partly", "delete-attribute",
    "batch-create", "batch-upsert", "batch-partly", "batch-delete", "temporal", "temporal-values",
    "aggregated", "types", "attributes", "type", "subscribe", "pause", "registrations",
    "add-context", "reload-context", "no-such-tenant", "no-tenants",
]  # fmt: skip


def test_every_exchange_is_used(recorded) -> None:
    assert [exchange.name for exchange in recorded.EXCHANGES] == NAMES
    assert sorted(calls(recorded)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_exchange(recorded, server, reply, client, name) -> None:
    exchange = next(e for e in recorded.EXCHANGES if e.name == name)
    recorded.replay(exchange, server, reply)
    call, expected = calls(recorded)[name]
    if isinstance(expected, type):
        with pytest.raises(expected):
            call(client)
    else:
        assert call(client) == expected
    assert len(server.requests) == 1
