"""Batch operations (GS CIM 009 V1.8.1, 5.6.7 to 5.6.10, 5.6.20, 6.14 to 6.17, 6.31).

Entities are sent in chunks that the server takes; each entity ends up either among the succeeded
or with its error, and none is lost between.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import (
    BadRequest,
    ClientError,
    HttpStatusError,
    InvalidAnswer,
    NotImplementedByServer,
    RequestTooLarge,
)
from ldt_toolbox.clients.imperfect import ImperfectServerWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import Body, Connection, encode
from ldt_toolbox.clients.ngsi_ld.entities import Entities, Entity
from ldt_toolbox.clients.ngsi_ld.outcomes import (
    BatchError,
    batch_errors,
    batch_told,
    succeeded_ids,
)
from ldt_toolbox.errors import WrongUseError

MOST_ENTITIES = 500
"""Entities a request unless the caller says otherwise."""

MOST_BYTES = 1_000_000
"""Bytes a request unless the caller says otherwise."""

Operation = Literal["create", "upsert", "update", "merge", "delete"]


@dataclass
class BatchResult:
    """What became of each entity of a batch.

    Attributes
    ----------
    succeeded : list of str
        Ids of entities that were written or deleted, in the order of the input within a chunk.
    created : list of str
        Those of them of which the server says that they are new.
    errors : list of BatchError
        One or more for each entity that failed.
    """

    succeeded: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    errors: list[BatchError] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything succeeded."""
        return not self.errors

    @property
    def errors_by_id(self) -> dict[str, list[BatchError]]:
        """Errors by entity."""
        found: dict[str, list[BatchError]] = {}
        for error in self.errors:
            found.setdefault(error.entity_id, []).append(error)
        return found

    def raise_for_errors(self) -> None:
        """Raise a `ClientError` that names the first entities that failed, if any did."""
        if self.errors:
            named = "; ".join(f"{e.entity_id}: {e.reason}" for e in self.errors[:5])
            raise ClientError(
                f"{len(self.errors_by_id)} of {len(self.errors_by_id) + len(self.succeeded)} "
                f"entities failed: {named}; see the errors of the result"
            )

    def __repr__(self) -> str:
        return f"<BatchResult {len(self.succeeded)} succeeded, {len(self.errors_by_id)} failed>"


class BatchInterrupted(ClientError):  # noqa: N818
    """A batch ended early: the server or the way to it failed.

    Parameters
    ----------
    message : str
        What is shown.
    result : BatchResult
        What became of the entities before.
    unknown : sequence of str
        Ids of the request that failed: they may have been written.
    """

    def __init__(self, message: str, result: BatchResult, unknown: list[str]) -> None:
        super().__init__(message)
        self.result = result
        self.unknown = unknown


@dataclass(frozen=True)
class _Item:
    id: str
    content: bytes
    embedded: bool  # whether the @context is inside


class Batch:
    """Batch operations; `client.batch`."""

    def __init__(self, connection: Connection, entities: Entities) -> None:
        self._link = connection
        self._entities = entities
        self._most = MOST_ENTITIES

    def create(self, entities: Iterable[Mapping[str, Any]], **size: int) -> BatchResult:
        """Create entities (5.6.7); those that exist are reported.

        Parameters
        ----------
        entities : iterable of mapping
            Read as they are needed.
        **size
            `most_entities` and `most_bytes` of a request.
        """
        return self._run("create", entities, {}, **size)

    def upsert(
        self,
        entities: Iterable[Mapping[str, Any]],
        *,
        mode: Literal["replace", "update"] = "replace",
        **size: int,
    ) -> BatchResult:
        """Create entities, or replace or update those that exist (5.6.8)."""
        if mode not in ("replace", "update"):
            raise WrongUseError(f"mode = {mode!r}: choose replace or update")
        return self._run("upsert", entities, {"options": mode} if mode == "update" else {}, **size)

    def update(
        self, entities: Iterable[Mapping[str, Any]], *, overwrite: bool = True, **size: int
    ) -> BatchResult:
        """Update entities that exist (5.6.9); existing attributes stay if not `overwrite`."""
        params = {} if overwrite else {"options": "noOverwrite"}
        return self._run("update", entities, params, **size)

    def merge(self, entities: Iterable[Mapping[str, Any]], **size: int) -> BatchResult:
        """Merge fragments into entities that exist (5.6.20)."""
        return self._run("merge", entities, {}, **size)

    def delete(self, ids: Iterable[str], **size: int) -> BatchResult:
        """Delete entities (5.6.10)."""
        return self._run("delete", ids, {}, **size)

    def query(self, **asked: Any) -> list[Entity]:
        """Query by POST (6.23), whole; parameters as for `client.entities.iterate`."""
        return self._entities.query(post=True, **asked)

    def _run(
        self,
        operation: Operation,
        items: Iterable[Any],
        params: Mapping[str, str],
        *,
        most_entities: int = 0,
        most_bytes: int = MOST_BYTES,
    ) -> BatchResult:
        result = BatchResult()
        for chunk in self._chunks(items, most_entities or self._most, most_bytes):
            self._send(operation, chunk, params, result)
        return result

    def _chunks(
        self, items: Iterable[Any], most_entities: int, most_bytes: int
    ) -> Iterator[list[_Item]]:
        chunk: list[_Item] = []
        ids: set[str] = set()
        size = 0
        for number, item in enumerate(items):
            one = self._encoded(item, number)
            # One request has one Content-Type, hence one way to carry the @context (6.3.5)
            turns = bool(chunk) and one.embedded is not chunk[0].embedded
            full = len(chunk) >= most_entities or size + len(one.content) > most_bytes
            if chunk and (full or turns or one.id in ids):
                yield chunk
                chunk, ids, size = [], set(), 0
            chunk.append(one)
            ids.add(one.id)
            size += len(one.content) + 1
        if chunk:
            yield chunk

    def _encoded(self, item: Any, number: int) -> _Item:
        if isinstance(item, str):
            return _Item(item, encode(item), embedded=False)
        entity_id = item.get("id") if isinstance(item, Mapping) else None
        if not isinstance(entity_id, str) or not entity_id:
            raise WrongUseError(f"entity {number} of the batch has no id; give it one")
        if self._link.embeds(item):
            return _Item(entity_id, encode(self._link.with_context(item)), embedded=True)
        return _Item(entity_id, encode(dict(item)), embedded=False)

    def _send(
        self,
        operation: Operation,
        chunk: list[_Item],
        params: Mapping[str, str],
        result: BatchResult,
    ) -> None:
        content = b"[" + b",".join(item.content for item in chunk) + b"]"
        if chunk[0].embedded:
            headers = {"Content-Type": "application/ld+json"}
        elif operation == "delete":
            headers = {"Content-Type": "application/json"}
        else:
            headers = self._link.body([]).headers
        try:
            answer = self._link.send(
                "POST",
                f"entityOperations/{operation}",
                Body(content, headers),
                params,
                expected=(200, 201, 204, 207),
                feature=f"batch {operation}",
            )
        except (BadRequest, RequestTooLarge) as error:
            self._smaller(operation, chunk, params, result, error)
        except ClientError as error:
            refused = isinstance(error, HttpStatusError) and error.status < 500
            if not result.succeeded and (refused or isinstance(error, NotImplementedByServer)):
                raise  # nothing was done
            raise BatchInterrupted(
                f"the batch {operation} ended after {len(result.succeeded)} entities: {error}; "
                "what was done is in the result of this error",
                result,
                [item.id for item in chunk],
            ) from error
        else:
            ids = [item.id for item in chunk]
            try:
                _account(operation, answer, ids, result)
            except InvalidAnswer as error:
                raise BatchInterrupted(
                    f"nobody can tell what the batch {operation} did: {error}; look the entities "
                    "of this error up before going on",
                    result,
                    ids,
                ) from error

    def _smaller(
        self,
        operation: Operation,
        chunk: list[_Item],
        params: Mapping[str, str],
        result: BatchResult,
        error: HttpStatusError,
    ) -> None:
        """Nothing of the chunk was done: find out how much, or what, the server refuses."""
        if len(chunk) == 1:
            detail = error.problem.get("detail") or error.problem.get("title") or str(error)
            result.errors.append(BatchError(chunk[0].id, str(detail), dict(error.problem)))
            return
        half = len(chunk) // 2
        if isinstance(error, RequestTooLarge):
            self._most = min(self._most, half)
        self._send(operation, chunk[:half], params, result)
        self._send(operation, chunk[half:], params, result)


def _account(operation: Operation, answer: Answer, ids: list[str], result: BatchResult) -> None:
    """Put each id of a request where the answer says it belongs."""
    told = batch_told(answer)
    if told is not None:
        errors = batch_errors(told)
        failed = {error.entity_id for error in errors}
        succeeded = succeeded_ids(told)
        result.errors.extend(errors)
        result.succeeded.extend(each for each in succeeded if each not in failed)
        if operation == "create":
            result.created.extend(each for each in succeeded if each not in failed)
        _lost(answer, [i for i in ids if i not in failed and i not in set(succeeded)], result)
        return
    created: list[str] = []
    if answer.status == 201 and answer.content.strip():
        value = answer.json()
        created = [str(each) for each in value] if isinstance(value, list) else []
    if operation == "create" and answer.status == 201 and created:
        missing = [each for each in ids if each not in set(created)]
        result.succeeded.extend(each for each in ids if each in set(created))
        _lost(answer, missing, result)
    else:
        result.succeeded.extend(ids)
    result.created.extend(created)


def _lost(answer: Answer, ids: list[str], result: BatchResult) -> None:
    if not ids:
        return
    report(
        ImperfectServerWarning(
            f"{answer.url}: the answer says nothing about {len(ids)} entities of the batch, such "
            f"as {ids[0]}; look them up before going on"
        ),
        stacklevel=4,
    )
    result.errors.extend(
        BatchError(each, "the server's answer does not mention this entity") for each in ids
    )
