"""Whether a document meets a query (GS CIM 009 V1.8.1, 4.9): the meaning, without an index."""

from collections.abc import Callable, Iterator
from typing import Any

from ldt_toolbox.twin.query.language import Every, Literal, Node, Path, Some, Term
from ldt_toolbox.twin.query.values import OTHER, Key, instance_keys, keys
from ldt_toolbox.twin.store.documents import VALUE_KEY, Doc, Instance

Lookup = Callable[[str], Doc | None]
"""Document of a linked entity by its id."""

_NGSI = "https://uri.etsi.org/ngsi-ld/"

#: Members of an instance that a path may end in, by IRI.
_MEMBERS = {
    _NGSI + name: name
    for name in ("observedAt", "unitCode", "createdAt", "modifiedAt", "expiresAt", "instanceId")
} | {_NGSI + "hasDataset": "datasetId", _NGSI + "datasetId": "datasetId"}

#: Of these, those that an entity has itself.
OWN_MEMBERS = frozenset({_NGSI + "createdAt", _NGSI + "modifiedAt"})


def meets(doc: Doc, node: Node, *, lookup: Lookup = lambda _: None) -> bool:
    """Whether a document meets a query.

    Parameters
    ----------
    doc : dict
        Document of the store.
    node : Node
        From `ldt_toolbox.twin.query.language.parse`.
    lookup : callable
        Finds linked entities; none are found if left out.
    """
    if isinstance(node, Every):
        return all(meets(doc, part, lookup=lookup) for part in node.parts)
    if isinstance(node, Some):
        return any(meets(doc, part, lookup=lookup) for part in node.parts)
    return any(holds(node, target) for target in targets(doc, node.path, lookup))


def holds(term: Term, target: set[Key]) -> bool:
    """Whether a condition holds for the keys of one target value."""
    match term.operator:
        case "exists":
            return True
        case "==":
            return _equals(term, target)
        case "!=":
            return not _equals(term, target)
        case "~=" | "!~=":
            return _matches(term, target)
    return any(_ordered(term.operator, key, term.values[0]) for key in target)


def _equals(term: Term, target: set[Key]) -> bool:
    if term.range:
        low, high = term.values
        return any(_ordered(">=", key, low) and _ordered("<=", key, high) for key in target)
    return any(not value.keys.isdisjoint(target) for value in term.values)


def _matches(term: Term, target: set[Key]) -> bool:
    texts = [key for key in target if isinstance(key, str)]
    if not texts or term.pattern is None:
        return False
    matched = any(term.pattern.matches(text) for text in texts)
    return matched is (term.operator == "~=")


def _ordered(operator: str, key: Key, literal: Literal) -> bool:
    bound = literal.order
    if bound is None or key == OTHER or _kind(key) != _kind(bound):
        return False
    left: Any = key
    right: Any = bound
    match operator:
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case "<":
            return bool(left < right)
    return bool(left <= right)


def _kind(key: Key) -> str:
    if isinstance(key, bytes):
        return chr(key[0])
    return "text" if isinstance(key, str) else "number"


def targets(doc: Doc, path: Path, lookup: Lookup) -> Iterator[set[Key]]:
    """Keys of each target value that a path addresses: one set for each instance."""
    first, *rest = path.names
    if not rest and first in OWN_MEMBERS:
        yield keys(doc[_MEMBERS[first]])
        return
    found: list[Instance] = list(doc["attrs"].get(first, ()))
    for at, name in enumerate(rest):
        last = at + 1 == len(rest)
        if last and name in _MEMBERS and not path.linked:
            member = _MEMBERS[name]
            yield from (keys(each[member]) for each in found if member in each)
        found = [one for each in found for one in each.get("attrs", {}).get(name, ())]
    for instance in found:
        yield from _instance_targets(instance, path, lookup)


def _instance_targets(instance: Instance, path: Path, lookup: Lookup) -> Iterator[set[Key]]:
    kind = instance["type"]
    value = instance[VALUE_KEY[kind]]
    if path.linked is not None:
        yield from _linked_targets(kind, value, path, lookup)
    elif not path.members:
        yield instance_keys(kind, value)
    elif kind == "LanguageProperty":
        tag = path.members[0]
        if tag == "*":
            yield instance_keys(kind, value)
        elif tag in value:
            yield keys(value[tag])
    else:
        for member in path.members:
            if not isinstance(value, dict) or member not in value:
                return
            value = value[member]
        yield keys(value)


def _linked_targets(kind: str, value: Any, path: Path, lookup: Lookup) -> Iterator[set[Key]]:
    if kind not in ("Relationship", "ListRelationship") or path.linked is None:
        return
    for each in value if isinstance(value, list) else [value]:
        doc = lookup(each)
        if doc is None or (path.types and not set(path.types) & set(doc["type"])):
            continue
        yield from targets(doc, path.linked, lookup)
