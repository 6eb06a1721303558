"""Publishing over HTTP: once or twice, interrupted, refused, undone, read back."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from ldt_toolbox.clients.errors import ClientError
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish import (
    FinishedRun,
    entities_of,
    publish,
    published_ids,
    read_indicators,
    run_urn,
    undo,
)  # fmt: skip
from ldt_toolbox.publish import send as sending

STRANGER = {"id": "urn:ngsi-ld:Building:1", "type": "Building",
            "name": {"type": "Property", "value": "Town hall"}}  # fmt: skip


def everything(client: NgsiLd) -> list[dict[str, Any]]:
    """All that the broker holds, with the times at which it was changed."""
    kinds = [kind.iri for kind in catalogue().values()]
    found = client.entities.query(type=[*kinds, "Building"], sys_attrs=True)
    return sorted(found, key=lambda one: str(one["id"]))


def test_the_indicators_read_back_are_the_runs(run: FinishedRun, client: NgsiLd) -> None:
    publish(run, client)
    assert read_indicators(client, run.id) == run.indicators
    assert read_indicators(client, run_urn(run)) == run.indicators
    with pytest.raises(WrongUseError, match="no run `20200101"):
        read_indicators(client, "20200101T000000Z-000000")


def test_two_runs_are_told_apart(make_run: Callable[..., FinishedRun], client: NgsiLd) -> None:
    first = make_run(run_id="20260701T120000Z-aaaaaa")
    second = make_run(run_id="20260701T120000Z-bbbbbb", worst=1.5)
    publish(first, client)
    publish(second, client)
    assert read_indicators(client, first.id)["worst"].value == 1.25
    assert read_indicators(client, second.id)["worst"].value == 1.5


def test_publishing_twice_changes_nothing(run: FinishedRun, client: NgsiLd) -> None:
    first = publish(run, client)
    before = everything(client)
    second = publish(run, client)
    assert len(first.created) == len(before) == len(entities_of(run).entities)
    assert sorted(second.unchanged) == sorted(first.created)
    assert not second.created
    assert not second.updated
    assert everything(client) == before, "modifiedAt is a witness"


def test_only_what_differs_is_written(run: FinishedRun, client: NgsiLd) -> None:
    publish(run, client)
    before = {one["id"]: one["modifiedAt"] for one in everything(client)}
    entities = entities_of(run).entities
    spoiled = next(one for one in entities if one["type"] == "KeyPerformanceIndicator")
    client.batch.upsert([spoiled | {"kpiValue": {"type": "Property", "value": 9}}])
    gone = next(one["id"] for one in entities if one["type"] == "FloodDepth")
    client.entities.delete(gone)
    outcome = publish(run, client)
    assert (outcome.created, outcome.updated) == ([gone], [spoiled["id"]])
    after = {one["id"]: one["modifiedAt"] for one in everything(client)}
    assert {one for one in after if after[one] != before[one]} == {gone, spoiled["id"]}


def test_a_dry_run_reads_only(run: FinishedRun, client: NgsiLd) -> None:
    dry = publish(run, client, dry_run=True)
    assert everything(client) == []
    assert not (run.folder / "entities.jsonld").exists()
    assert sorted(dry.created) == sorted(publish(run, client).created)
    assert len(undo(run, client, dry_run=True).deleted) == len(dry.created)
    assert len(everything(client)) == len(dry.created)


def test_the_entities_are_also_a_file(run: FinishedRun, client: NgsiLd) -> None:
    publish(run, client)
    written = json.loads((run.folder / "entities.jsonld").read_text(encoding="utf-8"))
    assert written == entities_of(run).entities


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("writes", [1, 3])
def test_an_interruption_lists_the_rest_and_the_next_call_goes_on(
    run: FinishedRun,
    between: Any,
    client: NgsiLd,
    monkeypatch: pytest.MonkeyPatch,
    writes: int,
    answer_lost: bool,
) -> None:
    monkeypatch.setattr(sending, "CHUNK", 5)
    way, unsafe = between
    way.writes_left, way.after_the_write = writes, answer_lost
    ids = {one["id"] for one in entities_of(run).entities}
    first = publish(run, unsafe)
    refused = entities_of(run).refused
    assert len(first.created) == 5 * writes
    assert {*first.created, *first.failed} == ids | set(refused), "none is lost"
    assert not first.ok
    assert len(everything(client)) == 5 * (writes + answer_lost)
    kept = {one["id"]: one["modifiedAt"] for one in everything(client)}
    second = publish(run, client)
    assert sorted(second.unchanged) == sorted(kept)
    assert len(second.created) == len(ids) - len(kept)
    after = {one["id"]: one["modifiedAt"] for one in everything(client)}
    assert {one: after[one] for one in kept} == kept


def test_what_a_broker_refuses_is_listed_with_its_reason(
    run: FinishedRun, between: Any, client: NgsiLd
) -> None:
    way, unsafe = between
    entities = [one["id"] for one in entities_of(run).entities]
    way.refused = {entities[2]: "no space", entities[-1]: "too large"}
    outcome = publish(run, unsafe)
    assert {one: outcome.failed[one] for one in way.refused} == way.refused
    assert sorted(outcome.created) == sorted(set(entities) - set(way.refused))
    way.refused = {}
    assert sorted(publish(run, unsafe).created) == sorted([entities[2], entities[-1]])


def test_undo_leaves_the_broker_as_it_was(
    make_run: Callable[..., FinishedRun], client: NgsiLd
) -> None:
    client.entities.create(STRANGER)
    other = make_run(run_id="20260701T120000Z-abc12")  # the start of the other's id
    publish(other, client)
    before = everything(client)
    assert before
    run = make_run()
    publish(run, client, layers=["depth"])
    publish(run, client)
    outcome = undo(run, client)
    assert outcome.ok
    assert len(outcome.deleted) == len(entities_of(run).entities)
    assert everything(client) == before
    assert undo(run, client).deleted == []


def test_an_undo_that_is_interrupted_goes_on(
    run: FinishedRun, between: Any, client: NgsiLd, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(run, client)
    monkeypatch.setattr(sending, "CHUNK", 5)
    way, unsafe = between
    way.writes_left = 2
    outcome = undo(run, unsafe)
    ids = {one["id"] for one in entities_of(run).entities}
    assert len(outcome.deleted) == 10
    assert {*outcome.deleted, *outcome.failed} == ids
    assert len(published_ids(client, run.case, run_urn(run))) == len(ids) - 10
    assert run_urn(run) not in outcome.deleted, "the run goes last"
    undo(run, client)
    assert everything(client) == []


def test_a_broker_that_is_not_there(run: FinishedRun, between: Any) -> None:
    way, unsafe = between
    way.writes_left = 0
    with pytest.raises(ClientError):
        publish(run, unsafe)


def test_tenants_are_apart(run: FinishedRun, client: NgsiLd) -> None:
    nice = client.with_tenant("nice")
    publish(run, nice)
    assert everything(client) == []
    assert read_indicators(nice, run.id) == run.indicators
