"""Batches: each entity ends among the succeeded or with its error."""

from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.clients.errors import ClientError, NotImplementedByServer
from ldt_toolbox.clients.imperfect import ImperfectServerWarning
from ldt_toolbox.clients.ngsi_ld import BatchInterrupted
from ldt_toolbox.errors import WrongUseError


def things(number: int, start: int = 0) -> list[dict]:
    return [{"id": f"urn:x:{n}", "type": "Thing"} for n in range(start, start + number)]


def test_a_batch_lives(broker, client) -> None:
    result = client.batch.create(things(5))
    assert result.ok
    assert result.created == [f"urn:x:{n}" for n in range(5)]
    assert client.batch.upsert(things(7)).created == ["urn:x:5", "urn:x:6"]
    assert client.batch.update(things(7), overwrite=False).ok
    assert client.batch.merge(things(2)).succeeded == ["urn:x:0", "urn:x:1"]
    assert len(client.batch.query(type="Thing")) == 7
    assert client.batch.delete(f"urn:x:{n}" for n in range(7)).ok
    assert broker.entities == {}


def test_partial_success_names_both_sides(broker, client) -> None:
    client.batch.create(things(3))
    result = client.batch.create(things(5))
    assert result.succeeded == ["urn:x:3", "urn:x:4"]
    assert sorted(result.errors_by_id) == ["urn:x:0", "urn:x:1", "urn:x:2"]
    assert result.errors[0].reason == "AlreadyExists"
    with pytest.raises(ClientError, match="3 of 5 entities failed: urn:x:0"):
        result.raise_for_errors()


def test_chunks_keep_to_entities_and_bytes(broker, client, server) -> None:
    client.batch.create(things(250), most_entities=100)
    assert [len(request.json()) for request in server.requests] == [100, 100, 50]
    del server.requests[:]
    client.batch.upsert(things(250), most_bytes=1000)
    assert all(len(request.body) <= 1001 for request in server.requests)
    assert sum(len(request.json()) for request in server.requests) == 250


def test_a_refused_size_is_halved_and_remembered(broker, client, server) -> None:
    broker.largest_batch = 60
    assert client.batch.create(things(200)).ok
    del server.requests[:]
    assert client.batch.create(things(100, start=500)).ok
    assert [len(request.json()) for request in server.requests] == [50, 50]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(bad=st.sets(st.integers(0, 39)), there=st.sets(st.integers(0, 39)))
def test_nothing_is_lost_whatever_fails(broker, client, bad, there) -> None:
    broker.entities.clear()
    broker.put(*[{"id": f"urn:x:{n}", "type": "Thing"} for n in there])
    batch = [t | ({"bad": 1} if n in bad else {}) for n, t in enumerate(things(40))]
    result = client.batch.create(batch, most_entities=16)
    refused = {f"urn:x:{n}" for n in bad | there}
    assert set(result.errors_by_id) == refused
    assert sorted(result.succeeded) == sorted({f"urn:x:{n}" for n in range(40)} - refused)
    assert set(result.succeeded) == set(broker.entities) - {f"urn:x:{n}" for n in there}


def test_an_id_twice_goes_into_two_requests(broker, client, server) -> None:
    assert client.batch.upsert([*things(2), *things(2)]).succeeded == ["urn:x:0", "urn:x:1"] * 2
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(207, {"success": ["urn:x:0"], "errors": []}), (201, ["urn:x:0"])],
)
def test_entities_that_the_answer_forgets_are_errors(server, reply, client, status, body) -> None:
    server.route("*", "*", lambda request: reply(status, body))
    with pytest.warns(ImperfectServerWarning, match="says nothing about 2"):
        result = client.batch.create(things(3))
    assert result.succeeded == ["urn:x:0"]
    assert sorted(result.errors_by_id) == ["urn:x:1", "urn:x:2"]


def test_a_failing_server_leaves_what_was_done(broker, client, server, reply) -> None:
    def handler(request):
        return broker.handle(request) if request.count < 3 else reply(500, {"title": "oh"})

    server.route("*", "*", handler)
    with pytest.raises(BatchInterrupted) as error:
        client.batch.create(things(100), most_entities=30)
    assert len(error.value.result.succeeded) == 60
    assert error.value.unknown == [f"urn:x:{n}" for n in range(60, 90)]
    # a POST that may have taken effect is not sent twice
    assert len(server.requests) == 3


def test_a_server_without_batches_is_named(broker, client) -> None:
    broker.missing = frozenset({"entityOperations"})
    with pytest.raises(NotImplementedByServer, match="batch create"):
        client.batch.create(things(3))


def test_an_entity_without_id_is_refused(client, server) -> None:
    with pytest.raises(WrongUseError, match="entity 1"):
        client.batch.create([*things(1), {"type": "Thing"}])
    assert not server.requests


ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


def problem(detail) -> dict:
    return {"type": ERRORS + "BadRequestData", "title": "Bad", "detail": detail}


ROWS = [{"id": f"urn:x:{n}", "type": "Hall"} for n in range(3)]
BATCHES = {
    "TP 003: created and refused": (
        207, {"success": ["urn:x:0", "urn:x:1"],
              "errors": [{"entityId": "urn:x:2", "error": problem("no")}]},
        {"urn:x:2": "no"}, None),
    "nothing succeeded: null for the list": (
        207, {"success": None, "errors": [
            {"entityId": f"urn:x:{n}", "error": problem("no")} for n in range(3)]},
        {f"urn:x:{n}": "no" for n in range(3)}, None),
    "errors with status 201": (
        201, {"success": ["urn:x:0", "urn:x:1"],
              "errors": [{"entityId": "urn:x:2", "error": problem("no")}]},
        {"urn:x:2": "no"}, None),
    "errors with status 200, as before 1.3": (
        200, {"success": ["urn:x:0", "urn:x:1"],
              "errors": [{"entityId": "urn:x:2", "error": "no"}]}, {"urn:x:2": "no"}, None),
    "Scorpio 466: one object for each entity": (
        207, [{"id": "urn:x:0", "type": "Upsert", "success": [{"attributes": []}]},
              {"id": "urn:x:1", "type": "Upsert", "success": [{"attributes": []}]},
              {"id": "urn:x:2", "type": "Upsert",
               "failure": [problem({"message": "wrong key"})]}],
        {"urn:x:2": "wrong key"}, ImperfectServerWarning),
    "an error without the id": (
        207, {"success": ["urn:x:0", "urn:x:1"], "errors": [{"error": problem("no")}]},
        {"": "no", "urn:x:2": "does not mention"}, ImperfectServerWarning),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_answer_accounts_for_every_entity(server, reply, client, name) -> None:
    status, body, failed, told = BATCHES[name]
    server.route("*", "*", lambda request: reply(status, body))
    with pytest.warns(told) if told else nullcontext():
        result = client.batch.create(ROWS)
    assert {i: e[0].reason for i, e in result.errors_by_id.items()}.keys() == failed.keys()
    assert all(words in result.errors_by_id[i][0].reason for i, words in failed.items())
    assert sorted([*result.succeeded, *(i for i in failed if i)]) == [row["id"] for row in ROWS]


@pytest.mark.parametrize("body", ["", "[1, 2]", '"done"', "<html>"])
def test_a_batch_answer_that_nobody_can_read_leaves_the_ids(server, reply, client, body) -> None:
    server.route("*", "*", lambda request: reply(207, body.encode()))
    with pytest.raises(BatchInterrupted, match="nobody can tell") as error:
        client.batch.upsert(ROWS)
    assert error.value.unknown == [row["id"] for row in ROWS]
