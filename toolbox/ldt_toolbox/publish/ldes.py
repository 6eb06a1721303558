"""Linked data event stream: every version of every entity that was published, in pages.

Pages are written once and never again; a further publication adds pages and renews the small
document that points to them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shapely.geometry import shape

from ldt_toolbox.models.contexts import terms
from ldt_toolbox.publish.files import read_json, write_text
from ldt_toolbox.publish.rdf import Iri, Literal, Node, number, to_jsonld, to_turtle, typed
from ldt_toolbox.publish.vocabulary import Entity

MEMBERS_A_PAGE = 250
_STATE, _STREAM = "state.json", "feed#stream"
_DELETED = "deleted"
_WRITERS: Mapping[str, Callable[[Sequence[Node]], str]] = {"ttl": to_turtle, "jsonld": to_jsonld}
_MEMBERS = ("id", "type", "@context")


def append(
    folder: Path, entities: Sequence[Entity], *, deleted: Sequence[str] = (), at: str = ""
) -> int:
    """Add a version of each entity that is new or differs from its last version.

    Parameters
    ----------
    folder : pathlib.Path
        Of the feed: `feed.ttl`, `feed.jsonld` and pages.
    entities : sequence of dict
        Normalised, each with its `@context`.
    deleted : sequence of str
        Ids of entities that are gone; told as `as:Delete`.
    at : str
        Instant of the versions; now if left out.

    Returns
    -------
    int
        Number of members that were added.

    Notes
    -----
    W3C TREE hypermedia and LDES 1.0: `ldes:timestampPath` is `dct:created`, `ldes:versionOfPath`
    is `dct:isVersionOf`.
    """
    state: dict[str, Any] = read_json(folder / _STATE) or {"pages": [], "versions": {}}
    versions = state["versions"]
    at = at or _instant(datetime.now(UTC))
    if state["pages"]:
        # a version is named by its instant: two of one entity in one instant would be one, and
        # readers would drop the second; so time goes on, whatever a clock says
        last = datetime.fromisoformat(state["pages"][-1]["at"])
        at = max(at, _instant(last + timedelta(milliseconds=1)))
    members = []
    for entity in entities:
        digest = _digest(entity)
        if versions.get(entity["id"]) != digest:
            versions[entity["id"]] = digest
            members.append(member(entity, at))
    for each in deleted:
        if versions.get(each, _DELETED) != _DELETED:
            versions[each] = _DELETED
            members.append(_version(each, at, "as:Delete"))
    for start in range(0, len(members), MEMBERS_A_PAGE):
        name = f"page-{len(state['pages']) + 1:06d}"
        _write_page(folder, name, members[start : start + MEMBERS_A_PAGE])
        state["pages"].append({"name": name, "at": at})
    if members:
        # pages, state, root: interrupted before the state, pages that nothing points to are redone;
        # before the root, the next call renews it
        write_text(folder / _STATE, json.dumps(state, indent=0) + "\n")
    if state["pages"]:
        _write_root(folder, state["pages"])
    return len(members)


def told(folder: Path) -> list[str]:
    """Ids of the entities that a feed tells are there."""
    state = read_json(folder / _STATE) or {"versions": {}}
    return [each for each, version in state["versions"].items() if version != _DELETED]


def member(entity: Entity, at: str) -> Node:
    """Version of an entity as RDF: NGSI-LD's model, geometries as WKT."""
    said = terms(entity["@context"])
    node = _version(entity["id"], at, said.expand(entity["type"]))
    for name, attribute in entity.items():
        if name not in _MEMBERS:
            node.add(said.expand(name), _attribute(attribute, said.expand))
    return node


def _version(entity_id: str, at: str, kind: str) -> Node:
    stamp = "".join(sign for sign in at if sign.isalnum())
    node = Node(f"{entity_id}:v:{stamp}", (kind,))
    node.add("dct:isVersionOf", Iri(entity_id))
    return node.add("dct:created", typed(at, "xsd:dateTime"))


def _attribute(attribute: Mapping[str, Any], expand: Callable[[str], str]) -> Node:
    node = Node(types=(f"ngsi-ld:{attribute['type']}",))
    for name, value in attribute.items():
        if name == "value" and attribute["type"] == "GeoProperty":
            node.add("ngsi-ld:hasValue", typed(shape(value).wkt, "geo:wktLiteral"))
        elif name == "value":
            listed = value if isinstance(value, list) else [value]
            node.add("ngsi-ld:hasValue", *(_literal(one) for one in listed))
        elif name == "object":
            listed = value if isinstance(value, list) else [value]
            node.add("ngsi-ld:hasObject", *(Iri(one) for one in listed))
        elif name == "languageMap":
            told = [Literal(one, language=language) for language, one in value.items()]
            node.add("ngsi-ld:hasLanguageMap", *told)
        elif name == "observedAt":
            node.add("ngsi-ld:observedAt", typed(value, "xsd:dateTime"))
        elif name == "unitCode":
            node.add("ngsi-ld:unitCode", Literal(value))
        elif isinstance(value, Mapping):
            node.add(expand(name), _attribute(value, expand))
    return node


def _literal(value: Any) -> Literal:
    if isinstance(value, str):
        return Literal(value)
    if isinstance(value, bool | int | float):
        return number(value)
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return typed(canonical, "rdf:JSON")


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(entity: Entity) -> str:
    return hashlib.sha256(json.dumps(entity, sort_keys=True).encode()).hexdigest()


def _write_page(folder: Path, name: str, members: Sequence[Node]) -> None:
    for ending, written in _WRITERS.items():
        stream = Node(_STREAM, ("ldes:EventStream",))
        stream.add("tree:view", Iri(f"feed.{ending}"))
        stream.add("tree:member", *(Iri(one.id) for one in members))
        page = Node(f"{name}.{ending}", ("tree:Node",)).add("ldes:immutable", number(True))
        write_text(folder / f"{name}.{ending}", written([stream, page, *members]))


def _write_root(folder: Path, pages: Sequence[Mapping[str, str]]) -> None:
    for ending, written in _WRITERS.items():
        stream = Node(_STREAM, ("ldes:EventStream",))
        stream.add("ldes:timestampPath", Iri("dct:created"))
        stream.add("ldes:versionOfPath", Iri("dct:isVersionOf"))
        stream.add("tree:view", Iri(f"feed.{ending}"))
        view = Node(f"feed.{ending}", ("tree:Node",))
        for page in pages:
            for kind in ("GreaterThanOrEqualTo", "LessThanOrEqualTo"):
                relation = Node(types=(f"tree:{kind}Relation",))
                relation.add("tree:node", Iri(f"{page['name']}.{ending}"))
                relation.add("tree:path", Iri("dct:created"))
                relation.add("tree:value", typed(page["at"], "xsd:dateTime"))
                view.add("tree:relation", relation)
        write_text(folder / f"feed.{ending}", written([stream, view]))
