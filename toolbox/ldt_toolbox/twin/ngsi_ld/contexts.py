"""Hosting of @contexts (GS CIM 009 V1.8.1, 5.13, 6.29, 6.30)."""

import sqlite3
import uuid
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from ldt_toolbox.models.contexts import is_core
from ldt_toolbox.twin.ngsi_ld.call import JSON, JSON_LD, Call
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.problems import ProblemError, bad, missing
from ldt_toolbox.twin.store import Transaction

_KINDS = ("Hosted", "Cached", "ImplicitlyCreated")
_COLUMNS = "id, url, kind, body, created, used, hits"


def add(call: Call) -> Response:
    """POST jsonldContexts (5.13.2)."""
    call.require_json()
    document = call.json
    if not isinstance(document, dict) or "@context" not in document:
        raise bad("a @context comes as an object with a member '@context'")
    body = {"@context": document["@context"]}
    call.services.contexts.namespace(body["@context"])  # it must work
    own = uuid.uuid4().hex
    path = f"{call.services.root}/jsonldContexts/{own}"

    def job(write: Transaction) -> None:
        write.connection.execute(
            "INSERT INTO context (id, url, kind, body, created) VALUES (?, ?, 'Hosted', ?, ?)",
            (own, _base(call) + path, orjson.dumps(body), write.at),
        )

    call.store.write(job).result()
    return call.done(201, headers={"Location": path})


def several(call: Call) -> Response:
    """GET jsonldContexts (5.13.3)."""
    kind = call.params.get("kind")
    if kind is not None and kind not in _KINDS:
        raise bad(f"kind {kind!r:.40} is none of {', '.join(_KINDS)}")

    def job(connection: sqlite3.Connection) -> list[Any]:
        return connection.execute(
            f"SELECT {_COLUMNS} FROM context WHERE ? IS NULL OR kind = ? ORDER BY created",  # noqa: S608
            (kind, kind),
        ).fetchall()

    rows = call.store.read(job)
    if _flag(call, "details"):
        return call.plain([_details(row) for row in rows])
    return call.plain([row[1] for row in rows])


def one(call: Call) -> Response:
    """GET jsonldContexts/{id} (5.13.4)."""
    row = _found(call)
    if _flag(call, "details"):
        return call.plain(_details(row))
    media = call.accepting(JSON_LD, JSON)
    return Response(row[3], 200, media_type=media)


def delete(call: Call) -> Response:
    """DELETE jsonldContexts/{id} (5.13.5); with reload, a cached one is fetched again."""
    row = _found(call)
    if _flag(call, "reload"):
        if row[2] != "Cached":
            raise bad("only a cached @context can be reloaded (5.13.5)")
        fresh = call.services.contexts.fetched(row[1])
        if fresh is None:
            raise ProblemError("LdContextNotAvailable", f"{row[1]} cannot be fetched now")
        _execute(call, "UPDATE context SET body = ? WHERE id = ?", orjson.dumps(fresh), row[0])
    else:
        _execute(call, "DELETE FROM context WHERE id = ?", row[0])
    call.services.contexts.forget()
    return call.done()


def _execute(call: Call, statement: str, *values: Any) -> None:
    def job(write: Transaction) -> None:
        write.connection.execute(statement, values)

    call.store.write(job).result()


def _found(call: Call) -> Any:
    own = call.parts["id"]
    if is_core(own):
        raise ProblemError("OperationNotSupported", "the core @context is part of the twin")

    def job(connection: sqlite3.Connection) -> Any:
        return connection.execute(
            f"SELECT {_COLUMNS} FROM context WHERE id = ? OR url = ?",  # noqa: S608
            (own, own),
        ).fetchone()

    row = call.store.read(job)
    if row is None:
        raise missing(f"there is no @context {own!r:.200}")
    return row


def _details(row: Any) -> dict[str, Any]:
    own, url, kind, body, created, used, hits = row
    said = {
        "URL": url,
        "localId": own,
        "kind": kind,
        "createdAt": created,
        "lastUsage": used,
        "numberOfHits": hits or None,
        "extraInfo": None if kind == "Cached" else orjson.loads(body),
    }
    return {name: value for name, value in said.items() if value is not None}


def _flag(call: Call, name: str) -> bool:
    said = call.params.get(name, "false")
    if said not in ("true", "false"):
        raise bad(f"{name} is true or false")
    return said == "true"


def _base(call: Call) -> str:
    """Scheme and host by which the twin was asked."""
    return quote(call.url.split(call.path)[0].rstrip("/"), safe=":/[]")


CONTEXTS: Table = (
    ("POST", "/jsonldContexts", add),
    ("GET", "/jsonldContexts", several),
    ("GET", "/jsonldContexts/{id:path}", one),
    ("DELETE", "/jsonldContexts/{id:path}", delete),
)
