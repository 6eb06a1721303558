"""Types and attributes that occur (GS CIM 009 V1.8.1, 5.7.5 to 5.7.10, 6.25 to 6.28)."""

import sqlite3
from collections import defaultdict
from typing import Any

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.problems import bad, missing
from ldt_toolbox.twin.query.kinds import Leaf
from ldt_toolbox.twin.store.select import Selection, Selector, iterate

_TENANT = "(SELECT id FROM tenant WHERE name = ?)"
_TYPES = f"SELECT id, iri FROM term WHERE tenant = {_TENANT} AND EXISTS (SELECT 1 FROM entity_type WHERE term = term.id) ORDER BY iri"  # noqa: E501, S608
_ATTRIBUTES = f"SELECT id, iri FROM term WHERE tenant = {_TENANT} AND EXISTS (SELECT 1 FROM entity_attribute WHERE term = term.id) ORDER BY iri"  # noqa: E501, S608
_PAIRS = (
    "SELECT DISTINCT a.iri, t.iri FROM entity_type x JOIN entity_attribute y"  # noqa: S608
    " ON y.entity = x.entity JOIN term t ON t.id = x.term JOIN term a ON a.id = y.term"
    f" WHERE t.tenant = {_TENANT} ORDER BY a.iri, t.iri"
)


def types(call: Call) -> Response:
    """GET types: an EntityTypeList (5.2.24), or with details a list of EntityTypes (5.2.25)."""
    tenant, compact = call.read_tenant(), call.namespace.compact
    if not _details(call):
        found = _read(call, _TYPES, tenant)
        names = sorted(compact(iri) for _, iri in found)
        return call.answer({"id": _own_id("EntityTypeList"), "type": "EntityTypeList",
                            "typeList": names})  # fmt: skip
    by_type: dict[str, list[str]] = {iri: [] for _, iri in _read(call, _TYPES, tenant)}
    for attribute, kind in _read(call, _PAIRS, tenant):
        by_type[kind].append(compact(attribute))
    out = [
        {
            "id": kind,
            "type": "EntityType",
            "typeName": compact(kind),
            "attributeNames": sorted(names),
        }
        for kind, names in by_type.items()
    ]
    return call.answer(out)


def entity_type(call: Call) -> Response:
    """GET types/{type}: an EntityTypeInfo (5.2.26)."""
    tenant, iri = call.read_tenant(), call.namespace.expand(call.parts["name"])
    count = 0
    seen: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    selection = Selection(tenant=tenant, selectors=(Selector(types=Leaf(iri)),))

    def job(connection: sqlite3.Connection) -> None:
        nonlocal count
        for doc in iterate(call.store, connection, selection):
            count += 1
            for name, instances in doc["attrs"].items():
                seen[name]["types"].update(each["type"] for each in instances)

    call.store.read(job, within_s=call.limits.query_s)
    if not count:
        raise missing(f"no entity has the type {call.parts['name']!r:.100}")
    compact = call.namespace.compact
    details = [
        {
            "id": name,
            "type": "Attribute",
            "attributeName": compact(name),
            "attributeTypes": sorted(seen[name]["types"]),
        }
        for name in sorted(seen)
    ]
    info = {
        "id": iri,
        "type": "EntityTypeInfo",
        "typeName": compact(iri),
        "entityCount": count,
        "attributeDetails": details,
    }
    return call.answer(info)


def attributes(call: Call) -> Response:
    """GET attributes: an AttributeList (5.2.27), or with details a list of Attributes (5.2.28)."""
    tenant, compact = call.read_tenant(), call.namespace.compact
    if not _details(call):
        names = sorted(compact(iri) for _, iri in _read(call, _ATTRIBUTES, tenant))
        return call.answer({"id": _own_id("AttributeList"), "type": "AttributeList",
                            "attributeList": names})  # fmt: skip
    kinds: dict[str, list[str]] = defaultdict(list)
    for attribute, kind in _read(call, _PAIRS, tenant):
        kinds[attribute].append(compact(kind))
    out = [
        {"id": name, "type": "Attribute", "attributeName": compact(name), "typeNames": names}
        for name, names in kinds.items()
    ]
    return call.answer(out)


def attribute(call: Call) -> Response:
    """GET attributes/{name}: an Attribute with counts (5.2.28)."""
    tenant, iri = call.read_tenant(), call.namespace.expand(call.parts["name"])
    count = 0
    kinds: set[str] = set()
    owners: set[str] = set()
    selection = Selection(tenant=tenant, attributes=(iri,))

    def job(connection: sqlite3.Connection) -> None:
        nonlocal count
        for doc in iterate(call.store, connection, selection):
            count += len(doc["attrs"][iri])
            kinds.update(each["type"] for each in doc["attrs"][iri])
            owners.update(doc["type"])

    call.store.read(job, within_s=call.limits.query_s)
    if not count:
        raise missing(f"no entity has the attribute {call.parts['name']!r:.100}")
    compact = call.namespace.compact
    return call.answer(
        {
            "id": iri,
            "type": "Attribute",
            "attributeName": compact(iri),
            "attributeCount": count,
            "attributeTypes": sorted(kinds),
            "typeNames": sorted(compact(each) for each in owners),
        }
    )


def _details(call: Call) -> bool:
    said = call.params.get("details", "false")
    if said not in ("true", "false"):
        raise bad("details is true or false")
    return said == "true"


def _own_id(kind: str) -> str:
    return f"urn:ngsi-ld:{kind}:twin"


def _read(call: Call, sql: str, tenant: str) -> list[Any]:
    return call.store.read(
        lambda connection: connection.execute(sql, (tenant,)).fetchall(),
        within_s=call.limits.query_s,
    )


TYPES: Table = (
    ("GET", "/types", types),
    ("GET", "/types/{name:path}", entity_type),
    ("GET", "/attributes", attributes),
    ("GET", "/attributes/{name:path}", attribute),
)
