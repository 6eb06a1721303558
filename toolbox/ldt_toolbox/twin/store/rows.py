"""Rows of the index tables that stand for a document."""

from dataclasses import dataclass, field
from typing import Any

from ldt_toolbox.twin.query.boxes import Box, box
from ldt_toolbox.twin.query.values import Key, cut, instance_keys
from ldt_toolbox.twin.store.documents import VALUE_KEY, Doc

#: Among the values of an attribute: it has several instances, of which each is judged alone.
MANY = b"~many"

Place = tuple[str, int, Box]
"""Attribute, number of the instance, box."""


@dataclass(frozen=True)
class Rows:
    """What the index knows of a document, by IRI.

    Attributes
    ----------
    types, attributes, scopes : set of str
        Types, attributes, and scopes.
    values : set of (str, key)
        Attribute and key of each of its values.
    places : tuple of (str, int, box)
        Attribute, instance and bounding box of each geometry.
    """

    types: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    values: frozenset[tuple[str, Key]] = frozenset()
    places: tuple[Place, ...] = field(default=())


def rows(doc: Doc | None) -> Rows:
    """Rows of a document; none for None."""
    if doc is None:
        return Rows()
    values: set[tuple[str, Key]] = set()
    places: list[Place] = []
    for name, instances in doc["attrs"].items():
        for rank, instance in enumerate(instances):
            kind = instance["type"]
            value: Any = instance[VALUE_KEY[kind]]
            if kind == "GeoProperty":
                found = box(value)
                if found is not None:
                    places.append((name, rank, found))
            values.update((name, cut(key)) for key in instance_keys(kind, value))
        if len(instances) > 1:
            values.add((name, MANY))
    return Rows(
        frozenset(doc["type"]),
        frozenset(doc["attrs"]),
        frozenset(doc.get("scope", ())),
        frozenset(values),
        tuple(places),
    )
