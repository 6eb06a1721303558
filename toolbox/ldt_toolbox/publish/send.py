"""Entities to a broker and away from it: only what differs, resumable, nothing lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ldt_toolbox.clients.errors import ClientError, NotFound
from ldt_toolbox.clients.ngsi_ld import BatchInterrupted, BatchResult, NgsiLd
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish.compare import Comparer
from ldt_toolbox.publish.vocabulary import Entity

#: Entities that are looked up, compared and written at a time.
CHUNK = 200

Told = Callable[[int, int], None]
T = TypeVar("T")


@dataclass
class Outcome:
    """What became of each entity.

    Attributes
    ----------
    created, updated, unchanged, deleted : list of str
        Ids; in a dry run those that would be.
    failed : dict of str to str
        Reason by id; whatever is not in the others is here.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    def lines(self, *, dry_run: bool) -> list[str]:
        """One line for each that failed; in a dry run also for each that would be touched."""
        names = ("created", "updated", "deleted") if dry_run else ()
        verbs = {"created": "create", "updated": "update", "deleted": "delete"}
        found = [f"{verbs[name]} {each}" for name in names for each in getattr(self, name)]
        return found + [f"failed {each}: {reason}" for each, reason in self.failed.items()]

    def __str__(self) -> str:
        parts = [
            f"{len(getattr(self, name))} {name}"
            for name in ("created", "updated", "unchanged", "deleted", "failed")
            if getattr(self, name)
        ]
        return ", ".join(parts) or "nothing to do"


def send(
    client: NgsiLd,
    entities: Sequence[Entity],
    *,
    dry_run: bool = False,
    told: Told | None = None,
) -> Outcome:
    """Write entities that a broker lacks or holds otherwise; leave the rest untouched.

    Ended half way, it goes on where it stopped when it is called again: what is there and the
    same is not written again.

    Parameters
    ----------
    client : NgsiLd
        Broker and tenant.
    entities : sequence of dict
        Normalised, each with its `@context`.
    dry_run : bool
        Only read, and say what would be done.
    told : callable, optional
        Called with (entities dealt with, entities in all).

    Raises
    ------
    ClientError
        If the broker cannot be asked at all: nothing was written then.
    """
    outcome = Outcome()
    comparer = Comparer()
    done = 0
    for chunk in _chunks(entities):
        try:
            _send_chunk(client, chunk, comparer, outcome, dry_run=dry_run)
        except ClientError as error:
            if done == 0 and not _accounted(outcome):
                raise
            _not_sent(entities, outcome, str(error))
            return outcome
        done += len(chunk)
        if told:
            told(done, len(entities))
    return outcome


def withdraw(
    client: NgsiLd, ids: Sequence[str], *, dry_run: bool = False, told: Told | None = None
) -> Outcome:
    """Delete entities; those that are not there are left alone.

    Parameters
    ----------
    client : NgsiLd
        Broker and tenant.
    ids : sequence of str
        What was found there.
    dry_run, told
        As for `send`.
    """
    outcome = Outcome()
    done = 0
    for chunk in _chunks(ids):
        if dry_run:
            outcome.deleted += chunk
            continue
        try:
            result = client.batch.delete(chunk)
        except BatchInterrupted as error:
            _delete_result(error.result, outcome)
            _rest_failed(ids, outcome, str(error))
            return outcome
        except ClientError as error:
            if not _accounted(outcome):
                raise
            _rest_failed(ids, outcome, str(error))
            return outcome
        _delete_result(result, outcome)
        done += len(chunk)
        if told:
            told(done, len(ids))
    return outcome


def _send_chunk(
    client: NgsiLd, chunk: Sequence[Entity], comparer: Comparer, outcome: Outcome, *, dry_run: bool
) -> None:
    there = {one["id"]: one for one in held(client, chunk)}
    new = {entity["id"] for entity in chunk if entity["id"] not in there}
    same = {
        entity["id"]
        for entity in chunk
        if entity["id"] in there and comparer.same(entity, there[entity["id"]])
    }
    outcome.unchanged += [entity["id"] for entity in chunk if entity["id"] in same]
    changed = [entity for entity in chunk if entity["id"] not in same]
    if dry_run:
        result = BatchResult(succeeded=[entity["id"] for entity in changed])
    elif changed:
        try:
            result = client.batch.upsert(changed)
        except BatchInterrupted as error:
            _sent(error.result, new, outcome)
            raise
    else:
        return
    _sent(result, new, outcome)


def held(client: NgsiLd, entities: Sequence[Entity]) -> list[dict[str, Any]]:
    """Entities that a broker holds of some, by their ids and types."""
    kinds = sorted({catalogue()[entity["type"]].iri for entity in entities})
    try:
        return client.entities.query(id=[entity["id"] for entity in entities], type=kinds)
    except NotFound:  # a tenant comes into being with its first entity (4.14)
        return []


def _sent(result: BatchResult, new: set[str], outcome: Outcome) -> None:
    for each in result.succeeded:
        (outcome.created if each in new else outcome.updated).append(each)
    for each, errors in result.errors_by_id.items():
        outcome.failed[each] = "; ".join(error.reason for error in errors)


def _delete_result(result: BatchResult, outcome: Outcome) -> None:
    outcome.deleted += result.succeeded
    for each, errors in result.errors_by_id.items():
        outcome.failed[each] = "; ".join(error.reason for error in errors)


def _accounted(outcome: Outcome) -> set[str]:
    lists = (outcome.created, outcome.updated, outcome.unchanged, outcome.deleted, outcome.failed)
    return {each for one in lists for each in one}


def _not_sent(entities: Sequence[Entity], outcome: Outcome, reason: str) -> None:
    _rest_failed([entity["id"] for entity in entities], outcome, reason)


def _rest_failed(ids: Sequence[str], outcome: Outcome, reason: str) -> None:
    known = _accounted(outcome)
    for each in ids:
        if each not in known:
            outcome.failed[each] = f"not known to be done, publish again to go on: {reason}"


def _chunks(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), CHUNK):
        yield list(items[start : start + CHUNK])
