"""Entities one by one: create, retrieve, delete (GS CIM 009 V1.8.1, 6.4, 6.5)."""

from urllib.parse import quote

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.expand import expand_entity
from ldt_toolbox.twin.ngsi_ld.represent import Form, represent
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.ngsi_ld.stamp import stamped
from ldt_toolbox.twin.problems import ProblemError, missing
from ldt_toolbox.twin.store import Transaction


def create(call: Call) -> Response:
    """POST entities (5.6.1)."""
    call.require_json()
    doc = expand_entity(call.json, call.namespace, call.limits)
    tenant = call.tenant

    def job(write: Transaction) -> None:
        if write.get(tenant, doc["id"]) is not None:
            raise ProblemError("AlreadyExists", f"entity {doc['id']} exists already")
        write.put(tenant, stamped(doc, write.at))

    call.store.write(job).result()
    return call.done(201, headers={"Location": location(call, doc["id"])})


def location(call: Call, entity_id: str) -> str:
    """Path of an entity."""
    return f"{call.services.root}/entities/{quote(entity_id, safe=':')}"


def retrieve(call: Call) -> Response:
    """GET entities/{id} (5.7.1)."""
    doc = call.store.get(call.read_tenant(), call.parts["id"])
    if doc is None:
        raise missing(f"there is no entity {call.parts['id']!r:.200}")
    return call.answer(represent(doc, call.namespace, Form()))


def delete(call: Call) -> Response:
    """DELETE entities/{id} (5.6.6)."""
    tenant, entity_id = call.read_tenant(), call.parts["id"]
    if not call.store.write(lambda write: write.delete(tenant, entity_id)).result():
        raise missing(f"there is no entity {entity_id!r:.200}")
    return call.done()


ENTITIES: Table = (
    ("POST", "/entities", create),
    ("GET", "/entities/{id}", retrieve),
    ("DELETE", "/entities/{id}", delete),
)
