"""Queries (GS CIM 009 V1.8.1, 5.7.2, 6.4.3.2)."""

import sqlite3

import orjson
from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.represent import Form, represent
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.store import Doc


def query(call: Call) -> Response:
    """GET entities."""
    tenant = call.read_tenant()
    kinds = [call.namespace.expand(each) for each in call.params.get("type", "").split(",")]

    def job(connection: sqlite3.Connection) -> list[Doc]:
        marks = ", ".join("?" * len(kinds))
        return [
            orjson.loads(body)
            for (body,) in connection.execute(
                "SELECT doc FROM entity WHERE seq IN (SELECT entity FROM entity_type JOIN term"  # noqa: S608
                " ON term.id = entity_type.term JOIN tenant ON tenant.id = term.tenant"
                f" WHERE tenant.name = ? AND iri IN ({marks})) ORDER BY seq LIMIT ?",
                (tenant, *kinds, int(call.params.get("limit", call.limits.page))),
            )
        ]

    docs = call.store.read(job, within_s=call.limits.query_s)
    return call.answer([represent(doc, call.namespace, Form()) for doc in docs])


QUERY: Table = (("GET", "/entities", query),)
