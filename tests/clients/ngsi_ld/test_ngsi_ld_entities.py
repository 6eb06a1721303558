"""Entities, @contexts, representations: what is sent is what the standard wants."""

import logging
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from ldt_toolbox.clients.auth import ApiKey, BearerToken
from ldt_toolbox.clients.cache import Cache
from ldt_toolbox.clients.errors import (
    Conflict,
    HttpStatusError,
    NotFound,
    NotImplementedByServer,
    OfflineError,
)
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.imperfect import CapabilityWarning
from ldt_toolbox.clients.ngsi_ld import GeoQuery, NgsiLd, PartlyDone, Q
from ldt_toolbox.errors import WrongUseError
from shapely.geometry import Point

ROOM = {
    "id": "urn:ngsi-ld:Room:1",
    "type": "Room",
    "temperature": {"type": "Property", "value": 21.5, "unitCode": "CEL"},
    "in": {"type": "Relationship", "object": "urn:ngsi-ld:House:1"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7.2, 43.7]}},
}
CONTEXT = "https://example.org/context.jsonld"
LITERAL = {"temperature": "https://example.org/temperature"}


def test_making_a_client_sends_nothing(broker, server, http) -> None:
    client = NgsiLd(server.url, http=http, tenant="nice", context=CONTEXT)
    client.with_tenant("lyon")
    repr(client)
    assert server.connections == 0


def test_an_entity_lives(broker, client) -> None:
    assert client.entities.create(ROOM) == ROOM["id"]
    assert client.entities.exists(ROOM["id"])
    with pytest.raises(Conflict):
        client.entities.create(ROOM)
    assert client.entities.get(ROOM["id"]) == ROOM
    client.entities.merge({"temperature": {"type": "Property", "value": 22}}, id=ROOM["id"])
    assert client.entities.get(ROOM["id"])["temperature"]["value"] == 22
    result = client.entities.append_attributes(
        ROOM["id"], {"temperature": {"value": 1}, "co2": {"value": 400}}, overwrite=False
    )
    assert (result.updated, dict(result.not_updated)) == (("co2",), {"temperature": "no"})
    assert not result.complete
    assert client.entities.update_attributes(ROOM["id"], {"co2": {"value": 500}}).complete
    client.entities.delete_attribute(ROOM["id"], "co2")
    client.entities.replace({"id": ROOM["id"], "type": "Room"})
    assert client.entities.get(ROOM["id"]) == {"id": ROOM["id"], "type": "Room"}
    client.entities.delete(ROOM["id"])
    assert not client.entities.exists(ROOM["id"])
    with pytest.raises(NotFound):
        client.entities.get(ROOM["id"])


def test_ids_with_slashes_stay_one_part_of_the_path(broker, client, server) -> None:
    odd = "https://example.org/rooms/1?a=b#c é"
    client.entities.create({"id": odd, "type": "Room"})
    assert client.entities.get(odd)["id"] == odd
    assert (
        "/entities/https:%2F%2Fexample.org%2Frooms%2F1%3Fa%3Db%23c%20" in server.requests[-1].target
    )


@pytest.mark.parametrize("location", [
    "/ngsi-ld/v1/entities/urn:ngsi-ld:Room:1", "http://inside:1026/ngsi-ld/v1/entities/urn:ngsi-ld:Room:1",
    "/entities/urn%3Angsi-ld%3ARoom%3A1", "",
])  # fmt: skip
def test_relative_and_absolute_locations_name_the_same_id(server, reply, client, location) -> None:
    headers = [("Location", location)] * bool(location)
    server.route("*", "*", lambda request: reply(201, headers=headers))
    assert client.entities.create(ROOM) == ROOM["id"]


def test_the_context_goes_into_the_link_or_into_the_body_never_both(broker, server, http) -> None:
    # clause 6.3.5; the broker refuses each mixture
    def last():
        request = server.requests[-1]
        return request.headers.get("Content-Type"), CONTEXT in (request.headers.get("Link") or "")

    linked = NgsiLd(server.url, http=http, context=CONTEXT)
    linked.entities.create(ROOM)
    assert last() == ("application/json", True)
    linked.entities.get(ROOM["id"])
    assert last() == (None, True)
    linked.entities.replace({**ROOM, "@context": LITERAL})
    assert last() == ("application/ld+json", False)
    linked.batch.upsert([ROOM, {**ROOM, "id": "urn:x:2", "@context": CONTEXT}])
    kinds = [r.headers["Content-Type"] for r in server.seen("/ngsi-ld/v1/entityOperations/upsert")]
    assert kinds == ["application/json", "application/ld+json"]
    literal = linked.with_context([CONTEXT, LITERAL])
    literal.entities.replace(ROOM)
    assert last() == ("application/ld+json", False)
    assert server.requests[-1].json()["@context"] == [CONTEXT, LITERAL]
    literal.batch.delete(["urn:x:2"])
    with pytest.raises(WrongUseError, match=r"contexts\.add"):
        literal.entities.get(ROOM["id"])


CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.6.jsonld"


@pytest.mark.parametrize(
    ("context", "named"),
    [
        ([CONTEXT, CORE], CONTEXT), ([CORE, CONTEXT], CONTEXT), ([CONTEXT], CONTEXT),
        (CORE, CORE), ([CORE], CORE), ([], None), (None, None),
    ],
)  # fmt: skip
def test_the_core_context_beside_another_need_not_be_named(
    broker, client, server, context, named
) -> None:
    # clause 4.4: it is part of every @context
    client.with_context(context).entities.count(type="Room")
    link = server.requests[-1].headers["Link"]
    assert (link and link.partition(">")[0].removeprefix("<")) == named


def test_a_hosted_context_can_be_used_at_once(broker, client, server) -> None:
    url = client.contexts.add(LITERAL)
    assert client.contexts.list() == [url]
    assert client.contexts.get("c0") == {"@context": LITERAL}
    client.with_context(url).entities.create(ROOM)
    assert f"<{url}>" in server.requests[-1].headers["Link"]
    client.contexts.reload(url)
    assert server.requests[-1].query == {"reload": "true"}
    client.contexts.delete(url)
    assert client.contexts.list() == []


@pytest.mark.parametrize("context", ['https://x/a>; rel="next"', "file:///etc/passwd", "no url"])
def test_a_context_that_would_end_its_header_is_refused(context) -> None:
    with pytest.raises(WrongUseError, match="@context"):
        NgsiLd("https://broker.example.org", context=context)


def test_tenants_are_named_in_their_header(broker, client, server) -> None:
    client.with_tenant("lyon").entities.count(type="Room")
    assert server.requests[-1].headers["NGSILD-Tenant"] == "lyon"
    client.entities.count(type="Room")
    assert server.requests[-1].headers["NGSILD-Tenant"] is None
    with pytest.raises(WrongUseError, match="tenant"):
        client.with_tenant("a\nb")


def test_a_tenant_may_have_its_older_name(broker, server, monkeypatch) -> None:
    monkeypatch.setenv("KEY", "k3y")
    headers = {"Fiware-Service": "nice"}
    with HttpClient(server.url, headers=headers, auth=ApiKey.from_env("KEY")) as http:
        NgsiLd(server.url, http=http).entities.count(type="Room")
    sent = server.requests[-1].headers
    assert (sent["Fiware-Service"], sent["X-API-Key"], sent["NGSILD-Tenant"]) == (
        "nice", "k3y", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("representation", "params", "accept"),
    [
        ("normalized", {}, "application/json"),
        ("concise", {"format": "concise"}, "application/json"),
        ("simplified", {"format": "simplified"}, "application/json"),
        ("geojson", {}, "application/geo+json"),
        ("simplified-geojson", {"format": "simplified"}, "application/geo+json"),
    ],
)
def test_representations_are_asked_as_in_version_1_8(
    broker, client, server, representation, params, accept
) -> None:
    broker.put(ROOM)
    client.entities.get(ROOM["id"], representation=representation)
    assert server.requests[-1].query == params
    assert server.requests[-1].headers["Accept"] == accept
    [found] = client.entities.query(type="Room", representation=representation)
    if "geojson" in representation:
        assert found["type"] == "Feature"
        assert found["geometry"]["coordinates"] == [7.2, 43.7]


def test_a_server_before_1_8_is_asked_by_options(broker, client, server) -> None:
    broker.put(ROOM)
    broker.knows_format = False
    with pytest.warns(CapabilityWarning, match="format"):
        [found] = client.entities.query(type="Room", representation="simplified")
    assert found["temperature"] == 21.5
    assert client.entities.get(ROOM["id"], representation="simplified")["temperature"] == 21.5
    assert server.requests[-1].query == {"options": "keyValues"}


def test_a_server_that_refuses_format_is_asked_by_options(broker, client, server, reply) -> None:
    broker.put(ROOM)

    def handler(request):
        if "format" in request.query:
            return reply(400, {"title": "Invalid request", "detail": "unknown parameter format"})
        return broker.handle(request)

    server.route("*", "*", handler)
    with pytest.warns(CapabilityWarning):
        [found] = client.entities.query(type="Room", representation="simplified")
    assert found["temperature"] == 21.5


FORMS = {
    "full, where values were asked for": ("simplified", ROOM),
    "entities, where Features were asked for": ("geojson", ROOM),
    "full Features, where values were asked for": (
        "simplified-geojson", {"id": ROOM["id"], "type": "Feature", "geometry": None,
                               "properties": {"type": "Room", "temperature": ROOM["temperature"]}}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_another_form_than_was_asked_for_is_told(client, server, reply, name) -> None:
    # As the context sources of the IoT Agent library answer, whatever format and options say
    representation, entity = FORMS[name]
    server.route(
        "*", "*", lambda request: reply(200, [entity] if "type" in request.query else entity)
    )
    for _ in range(2):
        with pytest.warns(CapabilityWarning) as told:
            assert client.entities.get(ROOM["id"], representation=representation) == entity
        assert f"another form than {representation}" in str(told[-1].message)
        with pytest.warns(CapabilityWarning, match="another form") as told:
            found = client.entities.query(type="Room", representation=representation, most=1)
        assert found == [entity]


def test_every_condition_arrives(broker, client, server) -> None:
    client.entities.query(
        type=["Room", "Hall"], id=["urn:x:1", "urn:x:2"], attrs="temperature", q=Q.attr("a") > 1,
        scope_q="/Nice/#", csf="endpoint", lang="fr", local=True, dataset_id="@none",
        geo=GeoQuery.of("near", Point(7.2, 43.7), max_distance_m=500), sys_attrs=True,
        join="inline", join_level=2, contained_by=["urn:x:9"], page_size=10,
    )  # fmt: skip
    assert server.requests[-1].query == {
        "type": "Room,Hall", "id": "urn:x:1,urn:x:2", "attrs": "temperature", "q": "a>1",
        "scopeQ": "/Nice/#", "csf": "endpoint", "lang": "fr", "local": "true",
        "datasetId": "@none", "georel": "near;maxDistance==500", "geometry": "Point",
        "coordinates": "[7.2,43.7]", "options": "sysAttrs", "join": "inline", "joinLevel": "2",
        "containedBy": "urn:x:9", "limit": "10", "count": "true",
    }  # fmt: skip


def test_a_long_query_is_sent_as_a_body(broker, client, server) -> None:
    rooms = [{"id": f"urn:ngsi-ld:Room:{n:040d}", "type": "Room"} for n in range(300)]
    broker.put(*rooms)
    wanted = [room["id"] for room in rooms[::2]]
    found = client.entities.query(type="Room", id=wanted, page_size=100)
    assert [entity["id"] for entity in found] == wanted
    assert {(r.method, r.path) for r in server.requests} == {
        ("POST", "/ngsi-ld/v1/entityOperations/query")
    }
    assert max(len(r.target) for r in server.requests) < 200
    assert client.entities.count(type="Room", id=wanted) == 150
    assert len(client.batch.query(type="Room", q=Q.attr("none"))) == 0


def test_a_query_for_everything_needs_to_be_said(client, server) -> None:
    with pytest.raises(WrongUseError, match=r"5\.7\.2"):
        client.entities.query(id_pattern=".*")
    with pytest.raises(WrongUseError, match="colour"):
        client.entities.query(type="Room", colour="red")
    with pytest.raises(WrongUseError, match="exclude"):
        client.entities.query(type="Room", attrs="a", pick="b")
    assert not server.requests


@pytest.mark.parametrize("status", [501, 405, 422])
def test_what_a_server_does_not_offer_is_named(server, reply, client, status) -> None:
    problem = {"type": "https://uri.etsi.org/ngsi-ld/errors/OperationNotSupported"}
    server.route("*", "*", lambda request: reply(status, problem))
    with pytest.raises(NotImplementedByServer, match="merging entities"):
        client.entities.merge(ROOM)
    with pytest.raises(NotImplementedByServer, match="jsonldContexts"):
        client.contexts.list()


def test_capabilities_are_asked_by_reading(broker, client, server) -> None:
    broker.missing = frozenset({"temporal", "types"})
    found = client.capabilities()
    assert (found["temporal"], found["types"]) == ("no", "no")
    assert (found["subscriptions"], found["contexts"]) == ("yes", "yes")
    assert {request.method for request in server.requests} == {"GET"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_secret_is_shown(server, reply, monkeypatch, caplog) -> None:
    monkeypatch.setenv("BROKER_TOKEN", "very-secret-token-1")
    caplog.set_level(logging.DEBUG)
    server.route("*", "*", lambda r: reply(400, {"detail": r.headers.get("Authorization")}))
    with HttpClient(server.url, auth=BearerToken.from_env("BROKER_TOKEN")) as http:
        client = NgsiLd(server.url, http=http)
        with pytest.raises(HttpStatusError) as error:
            client.entities.query(type="Room")
        assert server.requests[0].headers["Authorization"] == "Bearer very-secret-token-1"
        shown = f"{error.value!r} {error.value.problem} {client!r} {http!r} {caplog.text}"
    assert "very-secret" not in shown


def test_a_write_that_failed_in_some_sources_is_no_success(server, reply, client) -> None:
    # 6.4.3.1 and 6.3.17: 207 with a BatchOperationResult
    failed = {"entityId": ROOM["id"], "registrationId": "urn:r:1", "error": {"title": "timed out"}}
    headers = [("Location", f"/ngsi-ld/v1/entities/{ROOM['id']}")]
    body = {"success": [], "errors": [failed]}
    server.route("*", "*", lambda request: reply(207, body, headers))
    with pytest.raises(PartlyDone, match="urn:r:1: timed out"):
        client.entities.create(ROOM)
    with pytest.raises(PartlyDone) as error:
        client.entities.delete(ROOM["id"])
    assert error.value.errors[0].registration_id == "urn:r:1"


def test_what_was_asked_once_is_answered_without_a_network(broker, server, tmp_path) -> None:
    rooms = [{**ROOM, "id": f"urn:ngsi-ld:Room:{n}"} for n in range(5)]
    broker.put(*rooms)
    asked = {"type": "Room", "page_size": 2}
    with HttpClient(server.url, cache=Cache(tmp_path)) as http:
        found = NgsiLd(server.url, http=http).entities.query(**asked)
    number = len(server.requests)
    with HttpClient(server.url, cache=Cache(tmp_path), offline=True) as http:
        client = NgsiLd(server.url, http=http)
        assert client.entities.query(**asked) == found == rooms
        with pytest.raises(OfflineError, match="Room"):
            client.entities.query(type="Room", q=Q.attr("colour") == "red")
        with pytest.raises(OfflineError):
            client.entities.create(ROOM)
    assert len(server.requests) == number


def test_numbers_and_instants_of_frames_are_written_as_json(broker, client, server) -> None:
    at = pd.Timestamp("2026-07-01T14:00:00+02:00")
    value = {"type": "Property", "value": np.int64(3), "observedAt": at, "flag": np.bool_(True)}
    client.entities.create({"id": "urn:x:1", "type": "Room", "level": value})
    assert server.requests[-1].json()["level"] == {
        "type": "Property", "value": 3, "observedAt": "2026-07-01T12:00:00Z", "flag": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Point(7, 43), "Point is no JSON, write it by shapely.geometry.mapping"),
        (datetime(2026, 7, 1), "has no time zone"),
        (np.float64("nan"), "Out of range"),
        ({1}, "set is no JSON"),
    ],
)
def test_what_json_cannot_hold_is_named(client, server, value, told) -> None:
    with pytest.raises(WrongUseError, match=told):
        client.entities.create({"id": "urn:x:1", "type": "Room", "level": {"value": value}})
    assert not server.requests
