"""Entities and fragments of entities that come in, with their names expanded (4.5.1, 5.5.4)."""

import re
from typing import Any

from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ngsi_ld.instances import NULL, Reader, check_name, is_uri
from ldt_toolbox.twin.ngsi_ld.namespace import Namespace
from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.store import Doc

_NOT_ATTRIBUTES = frozenset(
    {"id", "@id", "type", "@type", "scope", "@context", "createdAt", "modifiedAt", "deletedAt"}
)
_SCOPE = re.compile(r"/?[^\W\d_][\w-]*(/[^\W\d_][\w-]*)*")


def expand_entity(value: Any, namespace: Namespace, limits: Limits, *, typed: bool = True) -> Doc:
    """Read an entity.

    Parameters
    ----------
    value : Any
        JSON that came in, normalized or concise.
    namespace : Namespace
        Of the request's @context.
    limits : Limits
        Of the twin.
    typed : bool
        Whether it must have a type.

    Returns
    -------
    dict
        Document without times.

    Raises
    ------
    ProblemError
        BadRequestData that says what is wrong.
    """
    doc = expand_fragment(value, namespace, limits)
    if "id" not in doc:
        raise bad("an entity has an id, which is a URI (4.5.1)")
    if typed and not doc["type"]:
        raise bad(f"entity {doc['id']} has no type (4.5.1)")
    return doc


def expand_fragment(
    value: Any, namespace: Namespace, limits: Limits, *, nulls: bool = False
) -> Doc:
    """Read part of an entity (5.4): id, type and scope may be absent; `type` is then empty."""
    if not isinstance(value, dict):
        raise bad(f"an entity is an object, not {type(value).__name__}")
    doc: Doc = {}
    own = value.get("id", value.get("@id"))
    if own is not None:
        if not is_uri(own):
            raise bad(f"id {own!r:.100} is no URI, such as urn:ngsi-ld:Building:1")
        doc["id"] = own
    doc["type"] = expand_types(value.get("type", value.get("@type", [])), namespace)
    if "scope" in value and not (nulls and value["scope"] == NULL):
        doc["scope"] = read_scopes(value["scope"])
    reader = Reader(namespace, limits, nulls)
    attributes = {}
    for name, each in value.items():
        if name not in _NOT_ATTRIBUTES:
            iri = namespace.expand(check_name(name))
            if iri in attributes:
                raise bad(f"{name}: two names of this entity mean {iri}")
            attributes[iri] = reader.attribute(name, each)
    doc["attrs"] = attributes
    return doc


def expand_types(value: Any, namespace: Namespace) -> list[str]:
    """IRIs of the types of an entity, each once."""
    many = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in many):
        raise bad(f"type {value!r:.80} is neither a name nor a list of names")
    return list(dict.fromkeys(namespace.expand(check_name(each)) for each in many))


def read_scopes(value: Any) -> list[str]:
    """Scopes of an entity, each with a slash in front (4.18)."""
    many = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) and _SCOPE.fullmatch(each) for each in many):
        raise bad(f"scope {value!r:.80} is not of the form /name/name (4.18)")
    return list(dict.fromkeys(f"/{each.lstrip('/')}" for each in many))
