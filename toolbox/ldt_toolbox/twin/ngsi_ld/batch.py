"""Batch operations (GS CIM 009 V1.8.1, 5.6.7 to 5.6.10, 5.6.20, 6.14 to 6.17, 6.31)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import JSON_LD, Call
from ldt_toolbox.twin.ngsi_ld.entities import merger, nothing
from ldt_toolbox.twin.ngsi_ld.expand import expand_entity
from ldt_toolbox.twin.ngsi_ld.instances import is_uri
from ldt_toolbox.twin.ngsi_ld.patch import append
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.ngsi_ld.stamp import stamped
from ldt_toolbox.twin.problems import ProblemError, bad
from ldt_toolbox.twin.store import Doc, Transaction

Apply = Callable[[Transaction, Doc | None], Doc | None]
"""Takes what is there and gives what shall be; None deletes. May raise a problem."""


@dataclass
class _Outcome:
    created: list[str] = field(default_factory=list)
    success: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def failed(self, entity_id: object, problem: ProblemError) -> None:
        own = entity_id if isinstance(entity_id, str) else ""
        self.errors.append({"entityId": own, "error": problem.document()})


def create(call: Call) -> Response:
    """POST entityOperations/create (5.6.7)."""

    def apply(doc: Doc) -> Apply:
        def made(write: Transaction, before: Doc | None) -> Doc:
            if before is not None:
                raise ProblemError("AlreadyExists", f"entity {doc['id']} exists already")
            return stamped(doc, write.at)

        return made

    outcome = _run(call, _expanded(call, apply))
    return _answer(call, outcome, success=201)


def upsert(call: Call) -> Response:
    """POST entityOperations/upsert (5.6.8): replaces what is there, or updates it."""
    options = call.params.get("options", "replace").split(",")
    updates = "update" in options

    def apply(doc: Doc) -> Apply:
        def made(write: Transaction, before: Doc | None) -> Doc:
            if before is None:
                return stamped(doc, write.at)
            if updates:
                return append(before, doc, write.at)[0]
            return stamped(doc, write.at, before=before)

        return made

    outcome = _run(call, _expanded(call, apply))
    return _answer(call, outcome, success=201 if outcome.created else 204)


def update(call: Call) -> Response:
    """POST entityOperations/update (5.6.9)."""
    overwrite = "noOverwrite" not in call.params.get("options", "").split(",")

    def apply(doc: Doc) -> Apply:
        def made(write: Transaction, before: Doc | None) -> Doc:
            if before is None:
                raise nothing(doc["id"])
            return append(before, doc, write.at, overwrite=overwrite)[0]

        return made

    return _answer(call, _run(call, _expanded(call, apply, typed=False)), success=204)


def merge(call: Call) -> Response:
    """POST entityOperations/merge (5.6.20)."""
    options = call.params.get("options", "").split(",")
    simplified = "keyValues" in options or call.params.get("format") == "simplified"

    def reads(value: Any) -> tuple[str, Apply]:
        own = _own_id(value)
        change = merger(
            call,
            value,
            call.namespace_of(value),
            simplified=simplified,
            observed_at=call.params.get("observedAt", ""),
            lang=call.params.get("lang", ""),
        )

        def made(write: Transaction, before: Doc | None) -> Doc:
            if before is None:
                raise nothing(own)
            return change(before, write.at)

        return own, made

    return _answer(call, _run(call, reads), success=204)


def delete(call: Call) -> Response:
    """POST entityOperations/delete (5.6.10)."""

    def reads(value: Any) -> tuple[str, Apply]:
        own = _own_id({"id": value} if isinstance(value, str) else value)

        def made(_: Transaction, before: Doc | None) -> None:
            if before is None:
                raise nothing(own)

        return own, made

    return _answer(call, _run(call, reads), success=204)


def _own_id(value: Any) -> str:
    own = value.get("id", value.get("@id")) if isinstance(value, dict) else None
    if not is_uri(own):
        raise bad(f"id {own!r:.100} is no URI, such as urn:ngsi-ld:Building:1")
    return str(own)


def _expanded(
    call: Call, apply: Callable[[Doc], Apply], *, typed: bool = True
) -> Callable[[Any], tuple[str, Apply]]:
    def reads(value: Any) -> tuple[str, Apply]:
        namespace = call.namespace_of(value)
        doc = expand_entity(value, namespace, call.limits, typed=typed)
        return doc["id"], apply(doc)

    return reads


def _run(call: Call, reads: Callable[[Any], tuple[str, Apply]]) -> _Outcome:
    """Read all, then write all that could be read in one job; one failure stops none."""
    call.require_json()
    items = call.json
    if not isinstance(items, list) or not items:
        raise bad("a batch is a list that is not empty")
    if len(items) > call.limits.batch:
        raise ProblemError("", f"a batch has at most {call.limits.batch} entities", status=413)
    if call.content_type == JSON_LD and call.link_context:
        raise bad("application/ld+json has its @context in the body, not in a Link (6.3.5)")
    if call.content_type != JSON_LD:
        _ = call.services.contexts.namespace(call.link_context)  # a context that fails fails all
    outcome = _Outcome()
    ready: list[tuple[str, Apply]] = []
    for item in items:
        try:
            ready.append(reads(item))
        except ProblemError as problem:
            if problem.kind == "LdContextNotAvailable" and call.content_type != JSON_LD:
                raise
            outcome.failed(item.get("id") if isinstance(item, dict) else item, problem)
    if not ready:
        return outcome
    tenant = call.tenant

    def job(write: Transaction) -> None:
        for own, apply in ready:
            before = write.get(tenant, own)
            try:
                after = apply(write, before)
            except ProblemError as problem:
                outcome.failed(own, problem)
                continue
            if after is None:
                write.delete(tenant, own)
            else:
                write.put(tenant, after)
            if before is None:
                outcome.created.append(own)
            outcome.success.append(own)

    call.store.write(job).result()
    return outcome


def _answer(call: Call, outcome: _Outcome, *, success: int) -> Response:
    """201 with the ids that are new, 204, or 207 with what failed (6.3.2, 5.2.16)."""
    if outcome.errors:
        done = list(dict.fromkeys(outcome.success))
        result = {"success": done, "errors": outcome.errors}
        return call.plain(result, status=207)
    if success == 201:
        return call.plain(list(dict.fromkeys(outcome.created)), status=201)
    return call.done()


BATCH: Table = (
    ("POST", "/entityOperations/create", create),
    ("POST", "/entityOperations/upsert", upsert),
    ("POST", "/entityOperations/update", update),
    ("POST", "/entityOperations/merge", merge),
    ("POST", "/entityOperations/delete", delete),
)
