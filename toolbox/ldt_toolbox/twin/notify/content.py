"""What a notification says (GS CIM 009, 5.3.1, 5.8.6: V1.8.1, read again in V1.9.1)."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ldt_toolbox.twin.ngsi_ld.call import JSON_LD
from ldt_toolbox.twin.ngsi_ld.instances import NULL
from ldt_toolbox.twin.notify.definition import Definition
from ldt_toolbox.twin.query.evaluate import Lookup
from ldt_toolbox.twin.store import VALUE_KEY, Change, Doc, Instance
from ldt_toolbox.twin.temporal.record import deleted_instance, without_times


def differing(change: Change) -> Change | None:
    """A change with the attributes that say something else than before; None if nothing does.

    An attribute changes when a member of it gets another value (5.8.6): to write what is there
    already is none. Times that the twin sets do not count.
    """
    before, after = change.before, change.after
    if before is None or after is None:
        return change
    old, new = before["attrs"], after["attrs"]
    names = frozenset(
        name
        for name in change.attributes
        if name not in old
        or name not in new
        or without_times({name: old[name]}) != without_times({name: new[name]})
    )
    if not names and all(before.get(each) == after.get(each) for each in ("type", "scope")):
        return None
    return replace(change, attributes=names)


def concerns(definition: Definition, change: Change, *, lookup: Lookup) -> bool:
    """Whether a subscription wants to hear of a change.

    Parameters
    ----------
    definition : Definition
        The subscription.
    change : Change
        From the store.
    lookup : callable
        Finds linked entities.
    """
    if definition.triggers.isdisjoint(_events(definition, change)):
        return False
    doc = change.after or change.before
    return doc is not None and definition.selection.meets(doc, lookup=lookup)


def _events(definition: Definition, change: Change) -> Iterator[str]:
    """What happened, in the words of notificationTrigger."""
    names = change.attributes & definition.watched if definition.watched else change.attributes
    if definition.watched and not names:
        return
    old = change.before["attrs"] if change.before else {}
    new = change.after["attrs"] if change.after else {}
    if change.before is None:
        yield "entityCreated"
    else:
        yield "entityDeleted" if change.after is None else "entityUpdated"
    for name in names:
        if name not in old:
            yield "attributeCreated"
        elif name not in new:
            yield "attributeDeleted"
        else:
            yield "attributeUpdated"


def joined(changes: Iterable[Change]) -> list[Change]:
    """One change of each entity: from what was first to what is last."""
    found: dict[str, Change] = {}
    for each in changes:
        first = found.get(each.entity_id)
        if first is not None:
            names = first.attributes | each.attributes
            types = tuple(dict.fromkeys([*each.types, *first.types]))
            each = Change(
                each.tenant, each.entity_id, types, names, first.before, each.after, each.at
            )
        found[each.entity_id] = each
    return list(found.values())


def entity(definition: Definition, change: Change) -> dict[str, Any]:
    """Entity of a notification about a change."""
    before, after = change.before, change.after
    if after is None:
        kept = before or {"id": change.entity_id, "type": list(change.types)}
        doc: Doc = {**{n: kept[n] for n in ("id", "type")}, "attrs": {}, **_times(kept)}
        doc = _with_deleted(change, doc) if definition.show_changes else doc
    else:
        doc = _with_deleted(change, after) if "attributeDeleted" in definition.triggers else after
    out = definition.shape.entity(definition.call, doc)
    held = _held(definition, out)
    if after is None:
        held["deletedAt"] = change.at
    if definition.show_changes and before is not None:
        _show(definition, held, change)
    elif not definition.shape.form.sys_attrs:
        _shorten(definition, held, change)
    return out


def notification(
    definition: Definition, data: Sequence[dict[str, Any]], *, at: str
) -> dict[str, Any]:
    """Notification (5.3.1)."""
    value: Any = list(data)
    if definition.shape.form.geojson:
        value = {"type": "FeatureCollection", "features": value}
    out = {
        "id": f"urn:ngsi-ld:Notification:{uuid.uuid4()}",
        "type": "Notification",
        "subscriptionId": definition.id,
        "notifiedAt": at,
        "data": value,
    }
    if definition.target.accept == JSON_LD:
        out["@context"] = definition.call.namespace.body
    return out


def _times(doc: Doc) -> Doc:
    return {name: doc[name] for name in ("createdAt", "modifiedAt") if name in doc}


def _held(definition: Definition, out: dict[str, Any]) -> dict[str, Any]:
    """Where the members of an entity are."""
    held: dict[str, Any] = out["properties"] if definition.shape.form.geojson else out
    return held


def _with_deleted(change: Change, after: Doc) -> Doc:
    old = change.before["attrs"] if change.before else {}
    gone = {
        name: [deleted_instance(each, change.at) for each in old[name]]
        for name in change.attributes
        if name in old and name not in after["attrs"]
    }
    return {**after, "attrs": {**after["attrs"], **gone}} if gone else after


def _shorten(definition: Definition, held: dict[str, Any], change: Change) -> None:
    """Write of an attribute that was deleted no more than the Null (5.8.6)."""
    left = change.after["attrs"] if change.after else {}
    for iri, many in (change.before["attrs"] if change.before else {}).items():
        name = definition.call.namespace.compact(iri)
        if iri not in left and name in held and [each.get("datasetId") for each in many] == [None]:
            held[name] = NULL


def _show(definition: Definition, held: dict[str, Any], change: Change) -> None:
    """Write the values before beside those of now (5.2.14 showChanges)."""
    compact = definition.call.namespace.compact
    for iri in change.attributes:
        name = compact(iri)
        there = change.before["attrs"].get(iri, ()) if change.before else ()
        before = {each.get("datasetId"): each for each in there}
        if name not in held or not before:
            continue
        many = held[name] if isinstance(held[name], list) else [held[name]]
        shown = []
        for each in many:
            block = each if isinstance(each, dict) and _is_instance(each) else {"value": each}
            old = before.get(block.get("datasetId"))
            shown.append(block | _previous(old, compact) if old is not None else block)
        held[name] = shown if isinstance(held[name], list) else shown[0]


def _is_instance(value: dict[str, Any]) -> bool:
    return not value.keys().isdisjoint(VALUE_KEY.values())


def _previous(old: Instance, compact: Any) -> dict[str, Any]:
    key = VALUE_KEY[old["type"]]
    value = old[key]
    if key == "vocab":
        value = [compact(each) for each in value] if isinstance(value, list) else compact(value)
    return {f"previous{key[0].upper()}{key[1:]}": value}
