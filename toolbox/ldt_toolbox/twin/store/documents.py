"""What the twin stores of an entity, and what it says when one changes.

A document is the entity with expanded names::

    {"id": "urn:...", "type": ["https://.../Building"], "scope": ["/a/b"],
     "createdAt": "...Z", "modifiedAt": "...Z",
     "attrs": {"https://.../height": [
         {"type": "Property", "value": 12.5, "unitCode": "MTR",
          "createdAt": "...Z", "modifiedAt": "...Z", "attrs": {...}}]}}

Names of attributes and of types, and values of VocabProperties, are IRIs. Every attribute is a
list of instances, one for each `datasetId`. Attributes of attributes are under `attrs` again, so
that no name of a user can collide with one of the standard. Documents are never changed in place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Doc = dict[str, Any]
"""An entity as it is stored."""

Instance = dict[str, Any]
"""One instance of an attribute."""

#: Member that holds the value, by type of attribute (GS CIM 009 V1.8.1, 4.5.2 to 4.5.24).
VALUE_KEY: Mapping[str, str] = {
    "Property": "value",
    "GeoProperty": "value",
    "Relationship": "object",
    "LanguageProperty": "languageMap",
    "VocabProperty": "vocab",
    "JsonProperty": "json",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entity before and after a committed write.

    Attributes
    ----------
    tenant : str
        Name of the tenant; empty for the default one.
    entity_id : str
        The entity.
    types : tuple of str
        IRIs of its types, before and after.
    attributes : frozenset of str
        IRIs of the attributes that were written, added or removed.
    before, after : dict or None
        Documents; None where there is none.
    at : str
        When it was written (modifiedAt of what was written).
    """

    tenant: str
    entity_id: str
    types: tuple[str, ...]
    attributes: frozenset[str]
    before: Doc | None
    after: Doc | None
    at: str


def change(tenant: str, before: Doc | None, after: Doc | None, at: str) -> Change:
    """Say what differs between two documents of an entity, of which one may be None."""
    old = before["attrs"] if before else {}
    new = after["attrs"] if after else {}
    names = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    either = after or before or {"id": "", "type": []}
    kinds = [*(after or {}).get("type", ()), *(before or {}).get("type", ())]
    return Change(
        tenant, either["id"], tuple(dict.fromkeys(kinds)), frozenset(names), before, after, at
    )


def clock() -> Callable[[], str]:
    """Make a clock that never gives the same instant twice, so that writes have an order."""
    last = datetime.min.replace(tzinfo=UTC)

    def now() -> str:
        nonlocal last
        last = max(datetime.now(UTC), last + timedelta(microseconds=1))
        return last.isoformat(timespec="microseconds").replace("+00:00", "Z")

    return now
