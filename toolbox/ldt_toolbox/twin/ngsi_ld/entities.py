"""Entities one by one: create, retrieve, replace, merge, delete (GS CIM 009 V1.8.1, 6.4, 6.5)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.expand import expand_entity, expand_fragment
from ldt_toolbox.twin.ngsi_ld.instances import NULL, is_uri
from ldt_toolbox.twin.ngsi_ld.patch import merge as merged
from ldt_toolbox.twin.ngsi_ld.routing import Table
from ldt_toolbox.twin.ngsi_ld.shape import shape_of
from ldt_toolbox.twin.ngsi_ld.simplified import attributes_of
from ldt_toolbox.twin.ngsi_ld.stamp import stamped
from ldt_toolbox.twin.problems import ProblemError, bad, missing
from ldt_toolbox.twin.query.kinds import parse_types, types_fit
from ldt_toolbox.twin.query.values import temporal_key
from ldt_toolbox.twin.store import Doc, Transaction


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


def entity_id(call: Call) -> str:
    """Id of the entity that the path names.

    Raises
    ------
    ProblemError
        BadRequestData if it is no URI.
    """
    own = call.parts["id"]
    if not is_uri(own):
        raise bad(f"id {own!r:.100} is no URI, such as urn:ngsi-ld:Building:1")
    return own


def nothing(own: str) -> ProblemError:
    """Problem of an entity that is not there."""
    return missing(f"there is no entity {own!r:.200}")


def changed(call: Call, change: Callable[[Doc, str], Doc]) -> None:
    """Change the entity that the path names.

    Parameters
    ----------
    call : Call
        With ``id`` among its parts; ``type`` among its parameters narrows it.
    change : callable
        Takes the document and the instant of the write, returns the new document.

    Raises
    ------
    ProblemError
        ResourceNotFound if it is not there.
    """
    tenant, own = call.read_tenant(), entity_id(call)
    wanted = call.params.get("type")
    choice = parse_types(wanted, call.namespace.expand) if wanted else None

    def job(write: Transaction) -> None:
        before = write.get(tenant, own)
        if before is None or (choice and not types_fit(choice, before["type"])):
            raise nothing(own)
        write.put(tenant, change(before, write.at))

    call.store.write(job).result()


def retrieve(call: Call) -> Response:
    """GET entities/{id} (5.7.1)."""
    shape = shape_of(call)
    own = entity_id(call)
    doc = call.store.get(call.read_tenant(), own)
    wanted = call.params.get("type")
    if doc is None or (
        wanted and not types_fit(parse_types(wanted, call.namespace.expand), doc["type"])
    ):
        raise nothing(own)
    if shape.attributes and not shape.attributes & doc["attrs"].keys():
        raise missing(f"entity {own} has none of the attributes that were asked for")
    return shape.answer_one(call, doc)


def check_same_id(call: Call, value: Any) -> None:
    """Raise BadRequestData if a body names another entity than the path."""
    own = value.get("id", value.get("@id")) if isinstance(value, dict) else None
    if own is not None and own != call.parts["id"]:
        raise bad(f"the body's id {own!r:.100} is not that of the address; leave it out")


def replace(call: Call) -> Response:
    """PUT entities/{id} (5.6.18)."""
    call.require_json()
    check_same_id(call, call.json)
    fragment = expand_fragment(call.json, call.namespace, call.limits)

    def change(before: Doc, at: str) -> Doc:
        doc = {**fragment, "id": before["id"], "type": fragment["type"] or before["type"]}
        new = stamped(doc, at)
        return {**new, "createdAt": before["createdAt"]}

    changed(call, change)
    return call.done()


def merge(call: Call) -> Response:
    """PATCH entities/{id} (5.6.17)."""
    call.require_json(patch=True)
    check_same_id(call, call.json)
    options = set(call.params.get("options", "").split(","))
    simplified = "keyValues" in options or "simplified" in (call.params.get("format"), *options)
    change = merger(
        call,
        call.json,
        call.namespace,
        simplified=simplified,
        observed_at=call.params.get("observedAt", ""),
        lang=call.params.get("lang", ""),
    )
    changed(call, change)
    return call.done()


def merger(
    call: Call,
    value: Any,
    namespace: Any,
    *,
    simplified: bool = False,
    observed_at: str = "",
    lang: str = "",
) -> Callable[[Doc, str], Doc]:
    """Make the change that merging a fragment is.

    Parameters
    ----------
    call : Call
        For the limits.
    value : Any
        JSON of the fragment.
    namespace : Namespace
        Of the fragment.
    simplified : bool
        Whether it is in the simplified form.
    observed_at : str
        observedAt of attributes that had one and bring none (5.6.17).
    lang : str
        Language of texts of a simplified fragment.
    """
    if observed_at and (temporal_key(observed_at) or b"")[:1] != b"D":
        raise bad(f"observedAt {observed_at!r:.40} is no DateTime such as 2026-07-01T12:00:00Z")
    if not isinstance(value, dict):
        raise bad("a fragment of an entity is an object")
    scope_null = value.get("scope") == NULL
    ready = None if simplified else expand_fragment(value, namespace, call.limits, nulls=True)

    def change(before: Doc, at: str) -> Doc:
        fragment = ready
        if fragment is None:
            concise = attributes_of(value, before, namespace.expand, lang=lang)
            fragment = expand_fragment(concise, namespace, call.limits, nulls=True)
        if observed_at:
            fragment = _observed(fragment, before, observed_at)
        return merged(before, fragment, at, scope_null=scope_null)

    return change


def _observed(fragment: Doc, before: Doc, at: str) -> Doc:
    attributes = {
        name: [
            {**each, "observedAt": at}
            if "observedAt" not in each
            and any("observedAt" in old for old in before["attrs"].get(name, ()))
            else each
            for each in instances
        ]
        for name, instances in fragment["attrs"].items()
    }
    return {**fragment, "attrs": attributes}


def delete(call: Call) -> Response:
    """DELETE entities/{id} (5.6.6)."""
    tenant, own = call.read_tenant(), entity_id(call)
    wanted = call.params.get("type")
    choice = parse_types(wanted, call.namespace.expand) if wanted else None

    def job(write: Transaction) -> None:
        before = write.get(tenant, own)
        if before is None or (choice and not types_fit(choice, before["type"])):
            raise nothing(own)
        write.delete(tenant, own)

    call.store.write(job).result()
    return call.done()


ENTITIES: Table = (
    ("POST", "/entities", create),
    ("GET", "/entities/{id}", retrieve),
    ("PUT", "/entities/{id}", replace),
    ("PATCH", "/entities/{id}", merge),
    ("DELETE", "/entities/{id}", delete),
)
