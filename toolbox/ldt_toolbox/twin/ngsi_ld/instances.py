"""Attributes that come in, normalized or concise, as instances of a document (4.5.1, 4.5.2 ff.)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ngsi_ld.namespace import Namespace
from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES
from ldt_toolbox.twin.query.geometry import check_geometry
from ldt_toolbox.twin.query.values import temporal_key
from ldt_toolbox.twin.store import VALUE_KEY, Instance

NULL = "urn:ngsi-ld:null"
"""NGSI-LD Null (4.5.0): deletes what it is written to."""

_KIND_OF_KEY = {
    "value": "Property",
    "object": "Relationship",
    "languageMap": "LanguageProperty",
    "vocab": "VocabProperty",
    "json": "JsonProperty",
    "valueList": "ListProperty",
    "objectList": "ListRelationship",
}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
# a name is a term, a compact IRI or an IRI; none of these may stand in one (4.6.2)
_FORBIDDEN = re.compile(r"[\x00-\x20<>\"'=;()\[\],|\\^`{}]")

#: Members of an instance that are written by the twin and ignored when they come in.
_SYSTEM = frozenset({"createdAt", "modifiedAt", "deletedAt", "instanceId"})
#: Members that an attribute may have beside its value; all others are attributes of it.
_META = frozenset({"observedAt", "unitCode", "datasetId", "objectType", "expiresAt"})
_PREVIOUS = re.compile(r"previous(Value|Object|LanguageMap|Vocab|Json|ValueList|ObjectList)")


def is_uri(text: object) -> bool:
    """Whether something is an absolute URI."""
    return isinstance(text, str) and _ABSOLUTE.fullmatch(text) is not None


def check_name(name: str) -> str:
    """Return a name of an attribute or type if it may be one (4.6.2)."""
    if not name or _FORBIDDEN.search(name):
        raise bad(f"{name!r:.100} is no name: letters, digits, _ and -, or a (compact) IRI")
    return name


@dataclass(frozen=True)
class Reader:
    """Reads attributes of one request.

    Attributes
    ----------
    namespace : Namespace
        Of the request's @context.
    limits : Limits
        Of the twin.
    nulls : bool
        Whether NGSI-LD Null may come (merge and partial update) or is refused.
    partial : bool
        Whether an instance may come without its value (partial update, 5.6.4).
    """

    namespace: Namespace
    limits: Limits
    nulls: bool = False
    partial: bool = False

    def attribute(self, name: str, value: Any) -> list[Instance]:
        """Instances of one attribute, as its name and JSON value come in."""
        if isinstance(value, list) and value and all(_looks_like_instance(v) for v in value):
            instances = [self.instance(name, each) for each in value]
            datasets = [each.get("datasetId") for each in instances]
            if len(set(datasets)) != len(datasets):
                raise bad(f"{name}: two instances have the same datasetId (4.5.5)")
            return instances
        return [self.instance(name, value)]

    def instance(self, name: str, value: Any) -> Instance:
        """One instance of an attribute."""
        if value is None:
            raise bad(f"{name} is null: JSON null is not allowed, write {NULL!r} to delete (4.5.0)")
        if not isinstance(value, dict) or value.get("type") in GEOMETRY_TYPES:
            kind = "GeoProperty" if isinstance(value, dict) else "Property"
            return {"type": kind, "value": self._value(name, kind, value)}
        kind = self._kind(name, value)
        key = VALUE_KEY[kind]
        made: Instance = {"type": kind}
        if key in value:
            made[key] = self._value(name, kind, value[key])
        elif not self.partial:
            raise bad(f"{name}: a {kind} has a member {key!r}")
        attributes: dict[str, list[Instance]] = {}
        for member, each in value.items():
            if member in ("type", key) or member in _SYSTEM or _PREVIOUS.fullmatch(member):
                continue
            if member in _META:
                made[member] = self._meta(name, member, each)
            elif member in _KIND_OF_KEY:
                raise bad(f"{name}: a {kind} has no member {member!r}, which is for another type")
            elif member not in ("@context", "@type", "entity", "entityList"):
                check_name(member)
                iri = self.namespace.expand(member)
                attributes[iri] = self.attribute(f"{name}.{member}", each)
        if attributes:
            made["attrs"] = attributes
        return made

    def _kind(self, name: str, value: Mapping[str, Any]) -> str:
        kind = value.get("type", value.get("@type"))
        if kind is None:
            kind = next((k for key, k in _KIND_OF_KEY.items() if key in value), None)
            if kind is None:
                raise bad(f"{name}: an object has a type or a value; put JSON under 'value'")
            is_geometry = isinstance(value.get("value"), dict) and kind == "Property"
            if is_geometry and value["value"].get("type") in GEOMETRY_TYPES:
                return "GeoProperty"
        if kind not in VALUE_KEY:
            raise bad(f"{name}: type {kind!r:.80} is none of {', '.join(VALUE_KEY)}")
        return str(kind)

    def _meta(self, name: str, member: str, value: Any) -> Any:
        if member in ("observedAt", "expiresAt"):
            key = temporal_key(value) if isinstance(value, str) else None
            if (key is None or key[:1] != b"D") and not (self.nulls and value == NULL):
                raise bad(
                    f"{name}: {member} {value!r:.80} is no DateTime such as 2026-07-01T12:00:00Z"
                )
        elif member == "datasetId":
            if value != "@none" and not is_uri(value):
                raise bad(f"{name}: datasetId {value!r:.80} is no URI")
        elif member == "objectType":
            many = value if isinstance(value, list) else [value]
            if not all(isinstance(each, str) for each in many):
                raise bad(f"{name}: objectType is the name of a type")
            return [self.namespace.expand(each) for each in many]
        elif not isinstance(value, str):
            raise bad(f"{name}: {member} is a text")
        return value

    def _value(self, name: str, kind: str, value: Any) -> Any:
        if value is None or (value == NULL and not self.nulls):
            raise bad(f"{name}: the value is null; leave the attribute out, or delete it (4.5.0)")
        if value == NULL:
            return value
        match kind:
            case "GeoProperty":
                return check_geometry(value, name=name, limits=self.limits)
            case "Relationship":
                many = value if isinstance(value, list) else [value]
                if not many or not all(is_uri(each) for each in many):
                    raise bad(f"{name}: object {value!r:.80} is no URI")
            case "LanguageProperty":
                self._language_map(name, value)
            case "VocabProperty":
                many = value if isinstance(value, list) else [value]
                if not many or not all(isinstance(each, str) for each in many):
                    raise bad(f"{name}: vocab {value!r:.80} is no text")
                found = [self.namespace.expand(each) for each in many]
                return found if isinstance(value, list) else found[0]
            case "ListProperty":
                if not isinstance(value, list):
                    raise bad(f"{name}: valueList is a list")
            case "ListRelationship":
                return self._object_list(name, value)
        return value

    def _language_map(self, name: str, value: Any) -> None:
        fits = isinstance(value, dict) and all(
            isinstance(one, str)
            or (isinstance(one, list) and all(isinstance(each, str) for each in one))
            for one in value.values()
        )
        if not fits or not value:
            raise bad(f"{name}: languageMap gives a text for each language, such as {{'en': ...}}")
        if not self.nulls and NULL in value.values():
            raise bad(f"{name}: a language is null; leave it out (4.5.0)")

    def _object_list(self, name: str, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise bad(f"{name}: objectList is a list")
        found = [each.get("object") if isinstance(each, dict) else each for each in value]
        if not all(is_uri(each) for each in found):
            raise bad(f"{name}: each member of objectList is a URI, or an object that has one")
        return [str(each) for each in found]


def _looks_like_instance(value: Any) -> bool:
    """Whether a member of a list is an instance of an attribute and no JSON value."""
    if not isinstance(value, dict):
        return False
    return value.get("type") in VALUE_KEY or any(key in value for key in _KIND_OF_KEY)
