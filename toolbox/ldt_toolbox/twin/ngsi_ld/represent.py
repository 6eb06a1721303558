"""Documents as a request wants them: normalized, concise, simplified, GeoJSON (4.5, 6.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldt_toolbox.twin.ngsi_ld.namespace import Namespace
from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES
from ldt_toolbox.twin.store import VALUE_KEY, Doc, Instance

LOCATION = "https://uri.etsi.org/ngsi-ld/location"

#: Types of attribute that the simplified form keeps apart from a plain value (4.5.4).
_WRAPPED = {"LanguageProperty": "languageMap", "JsonProperty": "json"}
_TIMES = ("createdAt", "modifiedAt")
#: Members of an instance that are written as they are kept.
_AS_KEPT = frozenset(
    {"observedAt", "unitCode", "datasetId", "instanceId", "expiresAt", "deletedAt"}
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How entities are written.

    Attributes
    ----------
    format : str
        ``normalized``, ``concise`` or ``simplified``.
    geojson : bool
        Whether each is a Feature.
    sys_attrs : bool
        Whether createdAt and modifiedAt are written (6.3.11).
    geometry_property : str
        IRI of the GeoProperty that becomes a Feature's geometry.
    lang : str
        Language in which LanguageProperties are written as Properties (4.15); empty for all.
    dataset_ids : tuple of str
        Instances to write (4.5.5); all if empty.
    """

    format: str = "normalized"
    geojson: bool = False
    sys_attrs: bool = False
    geometry_property: str = LOCATION
    lang: str = ""
    dataset_ids: tuple[str, ...] = ()


def represent(doc: Doc, namespace: Namespace, form: Form) -> dict[str, Any]:
    """Write a document for an answer, without its @context.

    Parameters
    ----------
    doc : dict
        Document of the store.
    namespace : Namespace
        Whose names are used.
    form : Form
        How.

    Returns
    -------
    dict
        Entity or GeoJSON Feature.
    """
    compact = namespace.compact
    types = [compact(each) for each in doc["type"]]
    head: dict[str, Any] = {"id": doc["id"], "type": types[0] if len(types) == 1 else types}
    scopes = doc.get("scope")
    if scopes:
        head["scope"] = scopes[0] if len(scopes) == 1 else scopes
    if form.sys_attrs:
        head |= {name: doc[name] for name in (*_TIMES, "deletedAt") if name in doc}
    simplified = form.format == "simplified"
    for iri, instances in doc["attrs"].items():
        kept = _of_datasets(instances, form.dataset_ids) if form.dataset_ids else instances
        if not kept:
            continue
        if simplified:
            head[compact(iri)] = _simplified_instances(kept, namespace, form)
        elif len(kept) == 1:
            head[compact(iri)] = _instance(kept[0], namespace, form)
        else:
            head[compact(iri)] = [_instance(each, namespace, form) for each in kept]
    return _feature(head, doc, namespace, form) if form.geojson else head


def _of_datasets(instances: list[Instance], wanted: tuple[str, ...]) -> list[Instance]:
    return [each for each in instances if each.get("datasetId", "@none") in wanted]


def _instance(instance: Instance, namespace: Namespace, form: Form) -> Any:
    """One instance, normalized or concise."""
    concise = form.format == "concise"
    kind = instance["type"]
    key = VALUE_KEY[kind]
    value = _value(kind, instance[key], namespace)
    language = ""
    if form.lang and kind == "LanguageProperty":
        kind, key = "Property", "value"
        value, language = _in_language(value, form.lang)
    out: dict[str, Any] = {} if concise else {"type": kind}
    out[key] = value
    for name, each in instance.items():
        if name in _AS_KEPT:
            out[name] = each
        elif name in _TIMES:
            if form.sys_attrs:
                out[name] = each
        elif name == "objectType":
            types = [namespace.compact(one) for one in each]
            out[name] = types[0] if len(types) == 1 else types
        elif name == "attrs":
            for iri, instances in each.items():
                written = [_instance(one, namespace, form) for one in instances]
                out[namespace.compact(iri)] = written[0] if len(written) == 1 else written
    if language:
        out["lang"] = language
    if concise and len(out) == 1 and kind in ("Property", "GeoProperty") and _bare(kind, value):
        return value
    return out


def _bare(kind: str, value: Any) -> bool:
    """Whether the concise form may leave out the key (4.5.1): JSON objects would be ambiguous."""
    return kind == "GeoProperty" or not isinstance(value, dict | list) or (
        isinstance(value, list) and not any(isinstance(each, dict) for each in value)
    )  # fmt: skip


def _value(kind: str, value: Any, namespace: Namespace) -> Any:
    if kind == "VocabProperty":
        if isinstance(value, list):
            return [namespace.compact(each) for each in value]
        return namespace.compact(value)
    if kind == "ListRelationship":
        return [{"object": each} for each in value]
    return value


def _simplified_instances(instances: list[Instance], namespace: Namespace, form: Form) -> Any:
    """Value of an attribute; several instances are told apart by their dataset (4.5.5)."""
    if len(instances) == 1:
        return _simplified(instances[0], namespace, form)
    return {
        "dataset": {
            each.get("datasetId", "@none"): _simplified(each, namespace, form) for each in instances
        }
    }


def _simplified(instance: Instance, namespace: Namespace, form: Form) -> Any:
    kind = instance["type"]
    value = instance[VALUE_KEY[kind]]
    if kind == "LanguageProperty" and form.lang:
        return _in_language(value, form.lang)[0]
    if kind in _WRAPPED:
        return {_WRAPPED[kind]: value}
    if kind == "VocabProperty":
        return {"vocab": _value(kind, value, namespace)}
    return value


def _in_language(value: Mapping[str, Any], wanted: str) -> tuple[Any, str]:
    """Text in the best language there is (RFC 4647 lookup), and which that is."""
    lower = {tag.lower(): tag for tag in value}
    for tag in _preferences(wanted):
        if tag == "*":
            break
        while tag:
            if tag in lower:
                return value[lower[tag]], lower[tag]
            tag = tag.rpartition("-")[0]
    for tag in ("@none", *value):
        if tag in value:
            return value[tag], tag
    return "", "@none"


def _preferences(wanted: str) -> list[str]:
    """Language tags of an Accept-Language-like text, the best first."""
    ranked = []
    for order, part in enumerate(wanted.split(",")):
        tag, _, quality = part.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            weight = 0.0
        ranked.append((-weight, order, tag.strip().lower()))
    return [tag for _, _, tag in sorted(ranked) if tag]


def _feature(entity: dict[str, Any], doc: Doc, namespace: Namespace, form: Form) -> dict[str, Any]:
    """The entity as a GeoJSON Feature (4.5.16, 4.5.17)."""
    properties = {name: value for name, value in entity.items() if name != "id"}
    geometry = None
    for each in doc["attrs"].get(form.geometry_property, ()):
        if each["type"] == "GeoProperty" and each["value"].get("type") in GEOMETRY_TYPES:
            geometry = each["value"]
            if "datasetId" not in each:
                break
    return {"id": doc["id"], "type": "Feature", "geometry": geometry, "properties": properties}
