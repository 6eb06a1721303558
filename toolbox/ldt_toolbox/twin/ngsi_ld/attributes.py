"""Attributes of an entity: append, update, replace, delete (GS CIM 009 V1.8.1, 6.6, 6.7)."""

from typing import Any

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld import patch
from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.entities import changed, check_same_id
from ldt_toolbox.twin.ngsi_ld.expand import expand_fragment
from ldt_toolbox.twin.ngsi_ld.instances import Reader, check_name
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.problems import bad, missing
from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES
from ldt_toolbox.twin.store import VALUE_KEY, Doc, Instance


def append(call: Call) -> Response:
    """POST entities/{id}/attrs (5.6.3)."""
    overwrite = "noOverwrite" not in call.params.get("options", "").split(",")
    return _written(call, lambda before, fragment, at: patch.append(
        before, fragment, at, overwrite=overwrite
    ))  # fmt: skip


def update(call: Call) -> Response:
    """PATCH entities/{id}/attrs (5.6.2)."""
    return _written(call, patch.update, nulls=True)


def _written(call: Call, change: Any, *, nulls: bool = False) -> Response:
    """Write a fragment; 207 says what was not written (5.2.18)."""
    call.require_json(patch=nulls)
    check_same_id(call, call.json)
    fragment = expand_fragment(call.json, call.namespace, call.limits, nulls=nulls)
    updated: list[str] = []
    refused: patch.Refused = []

    def job(before: Doc, at: str) -> Doc:
        after, written, not_written = change(before, fragment, at)
        updated[:], refused[:] = written, not_written
        return after  # type: ignore[no-any-return]

    changed(call, job)
    if not refused:
        return call.done()
    compact = call.namespace.compact
    result = {
        "updated": [compact(name) for name in updated],
        "notUpdated": [
            {"attributeName": compact(name), "reason": reason} for name, reason in refused
        ],
    }
    return call.answer(result, status=207)


def partial(call: Call) -> Response:
    """PATCH entities/{id}/attrs/{name} (5.6.4)."""
    call.require_json(patch=True)
    name, value = _name(call), _body(call)
    reader = Reader(call.namespace, call.limits, nulls=True, partial=True)

    def job(before: Doc, at: str) -> Doc:
        old = _instance(before, name, value.get("datasetId"), call)
        return patch.partial(before, name, reader.instance(name, _typed(value, old)), at)

    changed(call, job)
    return call.done()


def replace(call: Call) -> Response:
    """PUT entities/{id}/attrs/{name} (5.6.19)."""
    call.require_json()
    name = _name(call)
    body = {key: each for key, each in _body(call).items() if key != "@context"}
    instances = Reader(call.namespace, call.limits).attribute(name, body)

    def job(before: Doc, at: str) -> Doc:
        for each in instances:
            _instance(before, name, each.get("datasetId"), call)
        return patch.replace_attribute(before, name, instances, at)

    changed(call, job)
    return call.done()


def delete(call: Call) -> Response:
    """DELETE entities/{id}/attrs/{name} (5.6.5)."""
    name = _name(call)
    every = call.params.get("deleteAll", "false")
    if every not in ("true", "false"):
        raise bad("deleteAll is true or false")
    dataset = call.params.get("datasetId")

    def job(before: Doc, at: str) -> Doc:
        if every == "true":
            _attribute(before, name, call)
        else:
            _instance(before, name, dataset, call)
        return patch.without_attribute(
            before, name, at, dataset=_dataset(dataset), every=every == "true"
        )

    changed(call, job)
    return call.done()


def _name(call: Call) -> str:
    return call.namespace.expand(check_name(call.parts["name"]))


def _body(call: Call) -> dict[str, Any]:
    value = call.json
    if not isinstance(value, dict):
        raise bad("an attribute comes as an object, such as {'value': 20}")
    return value


def _dataset(dataset: str | None) -> str | None:
    return None if dataset in (None, "", "@none") else dataset


def _attribute(before: Doc, name: str, call: Call) -> list[Instance]:
    found: list[Instance] | None = before["attrs"].get(name)
    if not found:
        raise missing(f"entity {before['id']} has no attribute {call.parts['name']!r:.100}")
    return found


def _instance(before: Doc, name: str, dataset: str | None, call: Call) -> Instance:
    wanted = _dataset(dataset)
    for each in _attribute(before, name, call):
        if each.get("datasetId") == wanted:
            return each
    of = f"of dataset {wanted!r:.100}" if wanted else "without a datasetId"
    raise missing(f"{call.parts['name']!r:.100} has no instance {of}")


def _typed(value: dict[str, Any], old: Instance) -> dict[str, Any]:
    """A partial instance with the type that it has, where it does not say."""
    if "type" in value:
        return value
    given = value.keys() & set(VALUE_KEY.values())
    geometry = isinstance(value.get("value"), dict) and value["value"].get("type") in GEOMETRY_TYPES
    if given and given != {VALUE_KEY[old["type"]]}:
        raise bad(f"the attribute is a {old['type']}: its value is in {VALUE_KEY[old['type']]!r}")
    if old["type"] == "Property" and geometry:
        raise bad("the attribute is a Property, not a GeoProperty (5.6.4)")
    return {**value, "type": old["type"]}


ATTRIBUTES: Table = (
    ("POST", "/entities/{id}/attrs", append),
    ("PATCH", "/entities/{id}/attrs", update),
    ("PATCH", "/entities/{id}/attrs/{name:path}", partial),
    ("PUT", "/entities/{id}/attrs/{name:path}", replace),
    ("DELETE", "/entities/{id}/attrs/{name:path}", delete),
)
