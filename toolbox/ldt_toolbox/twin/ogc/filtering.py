"""Whether a feature meets a CQL2 filter: three-valued logic, as SQL and CQL2 have it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.twin.ogc.conditions import (
    And,
    Between,
    Compare,
    Constant,
    In,
    IsNull,
    Like,
    Moment,
    Node,
    Not,
    Or,
    Spatial,
    Value,
)
from ldt_toolbox.twin.query.values import temporal_key

GEOMETRY_NAMES = ("geometry", "location")
"""Names under which filters address a feature's own geometry."""

_ANY, _SINGLE = "any", "single"


@dataclass(frozen=True)
class Record:
    """A feature as filters see it.

    Attributes
    ----------
    id : str
        Identifier in its collection.
    properties : mapping
        JSON values by name.
    geometry : dict or BaseGeometry or None
        GeoJSON (EPSG:4326) of an entity, or a shape in the layer's own CRS.
    time : tuple of str or None
        First and last instant or date that it is about.
    """

    id: str
    properties: Mapping[str, Any]
    geometry: Any
    time: tuple[str, str] | None = None

    @cached_property
    def shape(self) -> BaseGeometry | None:
        """The geometry as a shape."""
        return shape_of(self.geometry)


def shape_of(geometry: Any) -> BaseGeometry | None:
    """Shape of GeoJSON or of a shape; None for what is no geometry."""
    if geometry is None or isinstance(geometry, BaseGeometry):
        return geometry
    try:
        found: BaseGeometry = shape(geometry)
    except (shapely.GEOSException, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found


def holds(node: Node, record: Record) -> bool | None:
    """Whether a filter holds for a feature; None where a value that it needs is not there.

    A list holds a comparison if one of its members does, which is how NGSI-LD reads lists.
    """
    match node:
        case And(parts):
            found = [holds(part, record) for part in parts]
            return False if False in found else None if None in found else True
        case Or(parts):
            found = [holds(part, record) for part in parts]
            return True if True in found else None if None in found else False
        case Not(part):
            inner = holds(part, record)
            return None if inner is None else not inner
        case Constant(value):
            return value
        case IsNull(name):
            if name in GEOMETRY_NAMES and name not in record.properties:
                return record.geometry is None
            return record.properties.get(name) is None
        case Spatial(relation, name, geometry):
            return _related(relation, record, name, geometry)
    given = record.properties.get(node.name)
    if given is None:
        return None
    members = given if isinstance(given, list) else [given]
    return any(_fits(node, member) for member in members)


def _fits(node: Compare | Like | Between | In, member: Any) -> bool:
    match node:
        case Compare(_, operator, value):
            return _compared(member, operator, value)
        case Between(_, low, high):
            return _compared(member, ">=", low) and _compared(member, "<=", high)
        case In(_, values):
            return any(_compared(member, "=", value) for value in values)
        case Like(_, pattern):
            return isinstance(member, str) and like(pattern, member)


def _compared(member: Any, operator: str, value: Value) -> bool:
    left, right = member, value
    if isinstance(value, Moment):
        found = temporal_key(member) if isinstance(member, str) else None
        left, right = found, value.key  # type: ignore[assignment]
        if found is None or found[:1] != value.key[:1]:
            return operator == "<>"
    elif isinstance(member, bool) or isinstance(value, bool):
        if not (isinstance(member, bool) and isinstance(value, bool)):
            return operator == "<>"
    elif isinstance(member, str) is not isinstance(value, str) or not isinstance(
        member, str | int | float
    ):
        return operator == "<>"
    match operator:
        case "=":
            return bool(left == right)
        case "<>":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)


def like(pattern: str, text: str) -> bool:
    r"""Whether a text is as a LIKE pattern says.

    ``%`` stands for any characters, ``_`` for one, a backslash takes the next one as it is. The
    time is at most the product of both lengths: only the last ``%`` is ever tried again.
    """
    parts = _parts(pattern)
    at = part = 0
    last, resume = -1, 0
    while at < len(text):
        if part < len(parts) and parts[part] == _ANY:
            last, resume, part = part, at, part + 1
        elif part < len(parts) and parts[part] in (_SINGLE, text[at]):
            at, part = at + 1, part + 1
        elif last >= 0:
            resume += 1
            at, part = resume, last + 1
        else:
            return False
    return all(each == _ANY for each in parts[part:])


@lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[str, ...]:
    signs = {"%": _ANY, "_": _SINGLE}
    found = re.findall(r"\\.|.", pattern, re.DOTALL)
    return tuple(signs.get(each) or each[-1] for each in found)


def _related(relation: str, record: Record, name: str, literal: BaseGeometry) -> bool | None:
    if name in record.properties:
        own = shape_of(record.properties[name])
    else:
        own = record.shape if name in GEOMETRY_NAMES else None
    if own is None:
        return None
    try:
        return bool(getattr(own, relation)(literal))
    except shapely.GEOSException:
        return False
