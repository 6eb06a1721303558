"""What appending, updating and merging make of a document (GS CIM 009 V1.8.1, 5.5.8, 5.5.12, 5.6).

Pure: documents in, new documents out. Attributes that are not written are passed on as they are,
which is how a change is told from none.
"""

from typing import Any

from ldt_toolbox.twin.ngsi_ld.instances import NULL
from ldt_toolbox.twin.ngsi_ld.stamp import same_dataset, stamped_instance
from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.store import VALUE_KEY, Doc, Instance

Refused = list[tuple[str, str]]
"""IRI of an attribute and why it was not written."""


def append(
    before: Doc, fragment: Doc, at: str, *, overwrite: bool = True
) -> tuple[Doc, list[str], Refused]:
    """Append attributes (5.6.3): new ones are added, those of a dataset that is there replaced.

    Parameters
    ----------
    before : dict
        Document.
    fragment : dict
        From `expand_fragment`.
    at : str
        The instant of the write.
    overwrite : bool
        Whether what is there may be replaced.

    Returns
    -------
    tuple
        The document, IRIs of attributes that were written, and those that were not.
    """
    attributes = dict(before["attrs"])
    written: list[str] = []
    refused: Refused = []
    for name, instances in fragment["attrs"].items():
        found = list(attributes.get(name, ()))
        for each in instances:
            old = same_dataset(found, each)
            if old is not None and not overwrite:
                refused.append((name, "it is there already, and noOverwrite was asked for"))
            else:
                found = _replaced(found, stamped_instance(each, at, old), old)
                written.append(name)
        attributes[name] = found
    types = list(dict.fromkeys([*before["type"], *fragment["type"]]))
    scopes = list(dict.fromkeys([*before.get("scope", ()), *fragment.get("scope", ())]))
    return _made(before, attributes, types, scopes, at), list(dict.fromkeys(written)), refused


def update(before: Doc, fragment: Doc, at: str) -> tuple[Doc, list[str], Refused]:
    """Update attributes (5.6.2): those that are there are replaced, Null deletes them."""
    attributes = dict(before["attrs"])
    written: list[str] = []
    refused: Refused = []
    for name, instances in fragment["attrs"].items():
        found = list(attributes.get(name, ()))
        for each in instances:
            old = same_dataset(found, each)
            if old is None:
                refused.append((name, "there is no such attribute; POST appends one"))
            elif is_null(each):
                found.remove(old)
                written.append(name)
            else:
                found = _replaced(found, stamped_instance(each, at, old), old)
                written.append(name)
        _keep(attributes, name, found)
    types = list(dict.fromkeys([*before["type"], *fragment["type"]]))
    scopes: list[str] = fragment.get("scope") or before.get("scope") or []
    return _made(before, attributes, types, scopes, at), list(dict.fromkeys(written)), refused


def merge(before: Doc, fragment: Doc, at: str, *, scope_null: bool = False) -> Doc:
    """Merge a fragment (5.6.17, 5.5.12): down to members of values, Null deletes."""
    attributes = dict(before["attrs"])
    for name, instances in fragment["attrs"].items():
        _keep(attributes, name, _merged_instances(attributes.get(name, []), instances, at))
    types = list(dict.fromkeys([*before["type"], *fragment["type"]]))
    scopes: list[str] = fragment.get("scope") or before.get("scope") or []
    if scope_null:
        scopes = []
    return _made(before, attributes, types, scopes, at)


def partial(before: Doc, name: str, change: Instance, at: str) -> Doc:
    """Update members of one instance (5.6.4); the caller has checked that it is there."""
    found = list(before["attrs"][name])
    old = same_dataset(found, change)
    if old is None:
        raise bad("there is no such instance")
    if change["type"] != old["type"]:
        raise bad(f"the attribute is a {old['type']}, not a {change['type']} (5.6.4)")
    if is_null(change):
        found.remove(old)
    else:
        key = VALUE_KEY[old["type"]]
        whole = change if key in change else {**change, key: old[key]}
        new = _merged(old, whole, at, deep=False)
        found = _replaced(found, new, old)
    attributes = dict(before["attrs"])
    _keep(attributes, name, found)
    return _made(before, attributes, before["type"], before.get("scope", []), at)


def replace_attribute(before: Doc, name: str, instances: list[Instance], at: str) -> Doc:
    """Replace instances of one attribute (5.6.19)."""
    found = list(before["attrs"][name])
    for each in instances:
        old = same_dataset(found, each)
        found = _replaced(found, stamped_instance(each, at), old)
    attributes = {**before["attrs"], name: found}
    return _made(before, attributes, before["type"], before.get("scope", []), at)


def without_attribute(before: Doc, name: str, at: str, *, dataset: str | None, every: bool) -> Doc:
    """Delete an attribute (5.6.5): one instance, or all."""
    kept = (
        []
        if every
        else [each for each in before["attrs"][name] if each.get("datasetId") != dataset]
    )
    attributes = dict(before["attrs"])
    _keep(attributes, name, kept)
    return _made(before, attributes, before["type"], before.get("scope", []), at)


def is_null(instance: Instance) -> bool:
    """Whether an instance is NGSI-LD Null as a whole (4.5.0)."""
    value = instance.get(VALUE_KEY[instance["type"]])
    if instance["type"] == "LanguageProperty":
        return isinstance(value, dict) and value.get("@none") == NULL
    if instance["type"] in ("ListProperty", "ListRelationship"):
        return value in (NULL, [NULL])
    return bool(value == NULL)


def without_nulls(value: Any) -> Any:
    """JSON without the members that are Null: what a merge adds where nothing was."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each != NULL}
    return value


def _made(before: Doc, attributes: Any, types: list[str], scopes: list[str], at: str) -> Doc:
    doc: Doc = {"id": before["id"], "type": types}
    if scopes:
        doc["scope"] = scopes
    return {**doc, "createdAt": before["createdAt"], "modifiedAt": at, "attrs": attributes}


def _keep(attributes: dict[str, list[Instance]], name: str, instances: list[Instance]) -> None:
    if instances:
        attributes[name] = instances
    else:
        attributes.pop(name, None)


def _replaced(instances: list[Instance], new: Instance, old: Instance | None) -> list[Instance]:
    if old is None:
        return [*instances, new]
    return [new if each is old else each for each in instances]


def _merged_instances(before: list[Instance], changes: list[Instance], at: str) -> list[Instance]:
    found = list(before)
    for each in changes:
        old = same_dataset(found, each)
        if is_null(each):
            if old is not None:
                found.remove(old)
            elif "datasetId" not in each:
                found = []  # Null without a dataset means the attribute
        elif old is None or old["type"] != each["type"]:
            new = stamped_instance(_cleaned(each), at, old)
            found = _replaced(found, new, old)
        else:
            found = _replaced(found, _merged(old, each, at, deep=True), old)
    return found


def _cleaned(instance: Instance) -> Instance:
    """A new instance without Nulls."""
    key = VALUE_KEY[instance["type"]]
    out = {name: each for name, each in instance.items() if each != NULL or name == key}
    out[key] = without_nulls(instance[key])
    if "attrs" in instance:
        out["attrs"] = {
            name: [_cleaned(each) for each in instances if not is_null(each)]
            for name, instances in instance["attrs"].items()
        }
        out["attrs"] = {name: each for name, each in out["attrs"].items() if each}
    return out


def _merged(old: Instance, change: Instance, at: str, *, deep: bool) -> Instance:
    """An instance with the members of a change; values are merged if `deep`."""
    key = VALUE_KEY[old["type"]]
    out = {**old, "modifiedAt": at}
    for name, value in change.items():
        if value == NULL and name != key:
            out.pop(name, None)
        elif name == key and deep and old["type"] != "GeoProperty":
            out[key] = _merged_value(old[key], value)
        elif name != "attrs":
            out[name] = value
    if "attrs" in change:
        inner = dict(old.get("attrs", {}))
        for name, instances in change["attrs"].items():
            _keep(inner, name, _merged_instances(inner.get(name, []), instances, at))
        out["attrs"] = inner
    return out


def _merged_value(old: Any, new: Any) -> Any:
    """Merge of two JSON values (RFC 7396, with NGSI-LD Null for null)."""
    if not isinstance(new, dict):
        return new
    if not isinstance(old, dict) or "@value" in new:
        return without_nulls(new)
    out = dict(old)
    for key, value in new.items():
        if value == NULL:
            out.pop(key, None)
        else:
            out[key] = _merged_value(old.get(key), value)
    return out
