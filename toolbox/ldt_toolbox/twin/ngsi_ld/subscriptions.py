"""Subscriptions: create, list, retrieve, update, delete (GS CIM 009 V1.8.1, 5.8, 6.10, 6.11)."""

import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.entities import entity_id
from ldt_toolbox.twin.ngsi_ld.instances import NULL, is_uri
from ldt_toolbox.twin.ngsi_ld.query import page_headers, paging
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.notify.definition import definition, now, renamed
from ldt_toolbox.twin.notify.notifier import Notifier, link_header
from ldt_toolbox.twin.problems import ProblemError, bad, missing
from ldt_toolbox.twin.store import Transaction
from ldt_toolbox.twin.store.select import Page
from ldt_toolbox.twin.temporal.instants import instant

_COLUMNS = (
    "id, body, context, created, modified, sent, failed,"
    " last_notification, last_success, last_failure"
)
_OURS = ("status", "createdAt", "modifiedAt", "@context")
_COUNTED = ("status", "timesSent", "timesFailed", "lastNotification", "lastFailure", "lastSuccess")


class Subscriptions:
    """Handlers of the subscriptions of a twin.

    Parameters
    ----------
    notifier : Notifier
        What puts them to work.
    """

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    @property
    def table(self) -> Table:
        """Rows of method, path, handler."""
        return (
            ("POST", "/subscriptions", self.create),
            ("GET", "/subscriptions", self.several),
            ("GET", "/subscriptions/{id}", self.one),
            ("PATCH", "/subscriptions/{id}", self.update),
            ("DELETE", "/subscriptions/{id}", self.delete),
        )

    def create(self, call: Call) -> Response:
        """POST subscriptions (5.8.1)."""
        call.require_json()
        body = _body(call)
        body.setdefault("id", f"urn:ngsi-ld:Subscription:{uuid.uuid4()}")
        if not is_uri(body["id"]):
            raise bad(f"id {body['id']!r:.100} is no URI, such as urn:ngsi-ld:Subscription:1")
        tenant, own = call.tenant, body["id"]
        context = call.namespace.context
        found = definition(call.services, tenant, body, context)
        _check_expiry(body)
        link = link_header(call.context_address(body.get("jsonldContext", context)))

        def job(write: Transaction) -> None:
            execute, home = write.connection.execute, write.tenant(tenant)
            if _row(write.connection, tenant, own):
                raise ProblemError("AlreadyExists", f"subscription {own} exists already")
            count = execute("SELECT count(*) FROM subscription").fetchone()[0]
            if count >= call.limits.subscriptions:
                raise ProblemError(
                    "TooManyResults", f"there are {count} subscriptions: delete some first"
                )
            execute(
                "INSERT INTO subscription (tenant, id, body, context, link, created, modified)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (home, own, orjson.dumps(body), orjson.dumps(context), link, write.at, write.at),
            )

        call.store.write(job).result()
        self._notifier.put(found, link)
        path = f"{call.services.root}/subscriptions/{quote(own, safe=':')}"
        return call.done(201, headers={"Location": path})

    def several(self, call: Call) -> Response:
        """GET subscriptions (5.8.4)."""
        tenant = call.read_tenant()
        limit, offset, count = paging(call)

        def job(connection: sqlite3.Connection) -> tuple[list[Any], int]:
            where = "FROM subscription WHERE tenant = (SELECT id FROM tenant WHERE name = ?)"
            found = connection.execute(
                f"SELECT {_COLUMNS} {where} ORDER BY created, id LIMIT ? OFFSET ?",
                (tenant, limit, offset),
            ).fetchall()
            total = connection.execute(f"SELECT count(*) {where}", (tenant,)).fetchone()
            return found, int(total[0])

        rows, total = call.store.read(job)
        page = Page([], offset + limit < total, total if count else None)
        headers = page_headers(call, page, limit, offset)
        return call.answer([_shown(call, row) for row in rows], headers=headers)

    def one(self, call: Call) -> Response:
        """GET subscriptions/{id} (5.8.3)."""
        tenant, own = call.read_tenant(), entity_id(call)
        row = call.store.read(lambda connection: _row(connection, tenant, own))
        if row is None:
            raise _nothing(own)
        return call.answer(_shown(call, row))

    def update(self, call: Call) -> Response:
        """PATCH subscriptions/{id} (5.8.2)."""
        call.require_json(patch=True)
        tenant, own = call.read_tenant(), entity_id(call)
        fragment = _body(call, nulls=True)
        if fragment.pop("id", own) != own:
            raise bad("the id of a subscription cannot be changed (5.8.2)")
        if fragment.pop("type", "Subscription") != "Subscription":
            raise bad("the type of a subscription is 'Subscription'")
        before = call.store.read(lambda connection: _row(connection, tenant, own))
        if before is None:
            raise _nothing(own)
        body = _merged(orjson.loads(before[1]), fragment)
        context = _context(call, body, fragment, orjson.loads(before[2]))
        found = definition(call.services, tenant, body, context)
        if "expiresAt" in fragment:
            _check_expiry(body)
        link = link_header(call.context_address(body.get("jsonldContext", context)))

        def job(write: Transaction) -> None:
            changed = write.connection.execute(
                "UPDATE subscription SET body = ?, context = ?, link = ?, modified = ?"
                " WHERE tenant = ? AND id = ? AND modified = ?",
                (
                    orjson.dumps(body), orjson.dumps(context), link, write.at,
                    write.tenant(tenant), own, before[4],
                ),
            )  # fmt: skip
            if not changed.rowcount:
                raise ProblemError("Conflict", f"subscription {own} was changed meanwhile")

        call.store.write(job).result()
        self._notifier.put(found, link)
        return call.done()

    def delete(self, call: Call) -> Response:
        """DELETE subscriptions/{id} (5.8.5)."""
        tenant, own = call.read_tenant(), entity_id(call)

        def job(write: Transaction) -> None:
            gone = write.connection.execute(
                "DELETE FROM subscription WHERE tenant = ? AND id = ?", (write.tenant(tenant), own)
            )
            if not gone.rowcount:
                raise _nothing(own)

        call.store.write(job).result()
        self._notifier.drop(tenant, own)
        return call.done()


def _nothing(own: str) -> ProblemError:
    return missing(f"there is no subscription {own!r:.200}")


def _row(connection: sqlite3.Connection, tenant: str, own: str) -> Any:
    return connection.execute(
        f"SELECT {_COLUMNS} FROM subscription"  # noqa: S608
        " WHERE tenant = (SELECT id FROM tenant WHERE name = ?) AND id = ?",
        (tenant, own),
    ).fetchone()


def _body(call: Call, *, nulls: bool = False) -> dict[str, Any]:
    """Members of a subscription, with IRIs for the names of types and attributes."""
    value = call.json
    if not isinstance(value, dict):
        raise bad("a subscription is an object (5.2.12)")
    value = {name: each for name, each in value.items() if name not in _OURS}
    odd = [name for name, each in value.items() if each is None and not nulls]
    if odd:
        raise bad(f"{odd[0]} is null; leave it out (5.5.4)")
    if isinstance(value.get("notification"), dict):
        inner = value["notification"]
        value["notification"] = {n: each for n, each in inner.items() if n not in _COUNTED}
    return renamed(value, call.namespace.expand)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Members of the old with those of the new; objects are merged, Null deletes (5.5.8)."""
    out = dict(old)
    for name, value in new.items():
        if value is None or value == NULL:
            out.pop(name, None)
        elif name in ("notification", "endpoint") and isinstance(value, dict):
            out[name] = _merged(out.get(name, {}), value)
        else:
            out[name] = value
    return out


def _context(call: Call, body: Mapping[str, Any], fragment: Mapping[str, Any], old: Any) -> Any:
    """The @context that a changed subscription has: names in q and geoQ are read with it."""
    new = call.namespace.context
    written = {name for name in ("q", "geoQ") if name in body}
    if new == old or not written & fragment.keys():
        return old
    if not written <= fragment.keys():
        raise bad("q and geoQ have one @context: give both, or use the one they came with (5.8.2)")
    return new


def _check_expiry(body: Mapping[str, Any]) -> None:
    if "expiresAt" in body and instant("expiresAt", body["expiresAt"]) <= now():
        raise bad("expiresAt has passed (5.8.1)")


def _shown(call: Call, row: Any) -> dict[str, Any]:
    """A subscription with what the twin knows of it (5.2.12, 5.2.14.2)."""
    _, body, _, created, modified, sent, failed, last, success, failure = row
    out = renamed(orjson.loads(body), call.namespace.compact)
    expired = "expiresAt" in out and instant("expiresAt", out["expiresAt"]) <= now()
    active = out.get("isActive", True)
    out["isActive"] = active
    out["status"] = "expired" if expired else "active" if active else "paused"
    counted = {
        "status": "failed" if last is not None and last == failure else "ok",
        "timesSent": sent,
        "timesFailed": failed,
        "lastNotification": last,
        "lastSuccess": success,
        "lastFailure": failure,
    }
    out["notification"] = out["notification"] | {
        name: each for name, each in counted.items() if each is not None
    }
    if "sysAttrs" in call.params.get("options", "").split(","):
        out |= {"createdAt": created, "modifiedAt": modified}
    return out
