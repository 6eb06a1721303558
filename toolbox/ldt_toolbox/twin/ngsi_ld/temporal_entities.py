"""Writing history: evolutions, their attributes and instances (5.6.11 to 5.6.16, 6.18 to 6.22)."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.entities import check_same_id, entity_id, nothing
from ldt_toolbox.twin.ngsi_ld.expand import expand_entity, expand_fragment
from ldt_toolbox.twin.ngsi_ld.instances import Reader, check_name
from ldt_toolbox.twin.ngsi_ld.patch import partial
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.problems import ProblemError, bad, missing
from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES
from ldt_toolbox.twin.store import VALUE_KEY, Doc, Instance, Transaction
from ldt_toolbox.twin.temporal.record import (
    Recording,
    State,
    delete_evolution,
    delete_series,
)

_OWN = frozenset(
    {"id", "@id", "type", "@type", "scope", "@context", "createdAt", "modifiedAt", "deletedAt"}
)
_INSTANCE = re.compile(r"urn:ngsi-ld:Instance:([0-9]{1,18})", re.IGNORECASE)


def create(call: Call) -> Response:
    """POST temporal/entities (5.6.11): a new evolution, or more of one that is there."""
    call.require_json()
    head, states = _read(call, call.json, whole=True)
    tenant = call.tenant

    def job(write: Transaction) -> bool:
        recording = Recording(write, tenant)
        number, new = recording.evolution(head, join=True)
        recording.add(number, states, new=new)
        recording.finish()
        return new

    new = call.store.write(job).result()
    if not new:
        return call.done()
    path = f"{call.services.root}/temporal/entities/{quote(head['id'], safe=':')}"
    return call.done(201, headers={"Location": path})


def append(call: Call) -> Response:
    """POST temporal/entities/{id}/attrs (5.6.12)."""
    call.require_json()
    check_same_id(call, call.json)
    fragment, states = _read(call, call.json, whole=False)
    tenant, own = call.read_tenant(), entity_id(call)

    def job(write: Transaction) -> None:
        _number(write, tenant, own)
        recording = Recording(write, tenant)
        number, _ = recording.evolution({**fragment, "id": own}, join=True)
        recording.add(number, states)
        recording.finish()

    call.store.write(job).result()
    return call.done()


def delete(call: Call) -> Response:
    """DELETE temporal/entities/{id} (5.6.16)."""
    tenant, own = call.read_tenant(), entity_id(call)

    def job(write: Transaction) -> None:
        delete_evolution(write, _number(write, tenant, own))

    call.store.write(job).result()
    return call.done()


def delete_part(call: Call) -> Response:
    """DELETE temporal/entities/{id}/attrs/{name} and .../{name}/{instance} (5.6.13, 5.6.15)."""
    name, instance = _target(call)
    if instance is not None:
        return _on_instance(call, name, instance, _drop)
    every = call.params.get("deleteAll", "false")
    if every not in ("true", "false"):
        raise bad("deleteAll is true or false")
    dataset = call.params.get("datasetId", "")
    dataset = "" if dataset == "@none" else dataset
    tenant, own = call.read_tenant(), entity_id(call)

    def job(write: Transaction) -> None:
        number = _number(write, tenant, own)
        found = write.connection.execute(
            "SELECT id FROM series WHERE history = ? AND term = ? AND (? OR dataset = ?)",
            (number, write.term(write.tenant(tenant), name), every == "true", dataset),
        ).fetchall()
        if not found:
            raise missing(f"the evolution of {own} has no such attribute or dataset")
        delete_series(write, [series for (series,) in found])

    call.store.write(job).result()
    return call.done()


def update_instance(call: Call) -> Response:
    """PATCH temporal/entities/{id}/attrs/{name}/{instance} (5.6.14)."""
    call.require_json(patch=True)
    name, instance = _target(call)
    if instance is None:
        raise ProblemError(
            "", "PATCH changes one instance: its instanceId follows the attribute", status=405,
            headers={"Allow": "DELETE, OPTIONS"},
        )  # fmt: skip
    fragment = _fragment(call, name)

    def change(write: Transaction, number: int, old: Instance) -> None:
        given = fragment if "type" in fragment else {**fragment, "type": old["type"]}
        new = Reader(call.namespace, call.limits, nulls=True, partial=True).instance(name, given)
        doc: Doc = {"id": "", "type": [], "createdAt": "", "attrs": {name: [old]}}
        new.pop("datasetId", None)
        merged = partial(doc, name, new, write.at)["attrs"].get(name)
        if not merged:
            raise bad("the value is null; DELETE the instance (5.6.15)")
        Recording(write, call.read_tenant()).change(number, merged[0])

    return _on_instance(call, name, instance, change)


Action = Callable[[Transaction, int, Instance], None]


def _on_instance(call: Call, name: str, instance: str, action: Action) -> Response:
    tenant, own = call.read_tenant(), entity_id(call)
    match = _INSTANCE.fullmatch(instance)

    def job(write: Transaction) -> None:
        number = _number(write, tenant, own)
        row = write.connection.execute(
            "SELECT i.id, i.body FROM instance i"
            " JOIN series s ON s.id = i.series WHERE i.id = ? AND s.history = ? AND s.term = ?",
            (int(match[1]) if match else -1, number, write.term(write.tenant(tenant), name)),
        ).fetchone()
        if row is None:
            raise missing(f"the attribute of {own} has no instance {instance!r:.100}")
        action(write, row[0], orjson.loads(row[1]))

    call.store.write(job).result()
    return call.done()


def _drop(write: Transaction, number: int, _: Instance) -> None:
    write.connection.execute("DELETE FROM instance WHERE id = ?", (number,))


def _number(write: Transaction, tenant: str, own: str) -> int:
    connection: sqlite3.Connection = write.connection
    row = connection.execute(
        "SELECT id FROM history WHERE tenant = ? AND entity = ?", (write.tenant(tenant), own)
    ).fetchone()
    if row is None:
        raise nothing(own)
    return int(row[0])


def _target(call: Call) -> tuple[str, str | None]:
    """IRI of the attribute and id of the instance that the path names."""
    rest = call.parts["rest"]
    name, slash, last = rest.rpartition("/")
    if slash and last.lower().startswith("urn:"):
        return call.namespace.expand(check_name(name)), last
    return call.namespace.expand(check_name(rest)), None


def _fragment(call: Call, name: str) -> dict[str, Any]:
    """Members of an instance: as they are, or under the name of the attribute, or in a list."""
    value = call.json
    if isinstance(value, dict):
        inner = {key: each for key, each in value.items() if key not in _OWN}
        if len(inner) == 1 and call.namespace.expand(next(iter(inner))) == name:
            value = next(iter(inner.values()))
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise bad("a fragment of one instance comes as an object, such as {'value': 20} (5.6.14)")
    return {key: each for key, each in value.items() if key != "@context"}


def _read(call: Call, value: Any, *, whole: bool) -> tuple[Doc, list[State]]:
    """Head and instances of an EntityTemporal (5.2.20) or of a fragment of one."""
    if not isinstance(value, dict):
        raise bad("an evolution is an object with an id, a type and lists of instances (5.2.20)")
    head = {key: each for key, each in value.items() if key in _OWN and key != "scope"}
    if "scope" in value:
        head["scope"] = _scopes(value["scope"])
    read = expand_entity if whole else expand_fragment
    doc = read(head, call.namespace, call.limits)
    return doc, list(_instances(call, value))


def _instances(call: Call, value: dict[str, Any]) -> Iterator[State]:
    reader = Reader(call.namespace, call.limits)
    for name, each in value.items():
        if name in _OWN:
            continue
        iri = call.namespace.expand(check_name(name))
        many = each if _is_list(each) else [each]
        for one in many:
            yield iri, reader.instance(name, one)


def _is_list(value: Any) -> bool:
    """Whether an attribute comes as instances, and not as a value that is a list."""
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and each.get("type") not in GEOMETRY_TYPES
        and ("type" in each or not each.keys().isdisjoint(VALUE_KEY.values()))
        for each in value
    )


def _scopes(value: Any) -> Any:
    """Scopes of an evolution, which may come as instances of a Property (4.18)."""
    many = value if isinstance(value, list) else [value]
    found: list[Any] = []
    for each in many:
        inner = each.get("value") if isinstance(each, dict) else each
        found += inner if isinstance(inner, list) else [inner]
    return list(dict.fromkeys(found)) if all(isinstance(one, str) for one in found) else value


HISTORY: Table = (
    ("POST", "/temporal/entities", create),
    ("DELETE", "/temporal/entities/{id}", delete),
    ("POST", "/temporal/entities/{id}/attrs", append),
    ("DELETE", "/temporal/entities/{id}/attrs/{rest:path}", delete_part),
    ("PATCH", "/temporal/entities/{id}/attrs/{rest:path}", update_instance),
)
