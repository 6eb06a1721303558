"""Conditions on features: the tree that a CQL2 text stands for."""

from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

Scalar = str | float | int | bool
"""Literal; an instant or a date is a `Moment`."""


@dataclass(frozen=True)
class Moment:
    """``TIMESTAMP('...')`` or ``DATE('...')``.

    Attributes
    ----------
    text : str
        As it was written.
    key : bytes
        Key that orders it among its kind.
    """

    text: str
    key: bytes


Value = Scalar | Moment


@dataclass(frozen=True)
class Compare:
    """Property, operator, literal: ``=``, ``<>``, ``<``, ``<=``, ``>``, ``>=``."""

    name: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Like:
    """Property and pattern, with ``%`` for any characters and ``_`` for one."""

    name: str
    pattern: str


@dataclass(frozen=True)
class Between:
    """Property and two literals, both included."""

    name: str
    low: Value
    high: Value


@dataclass(frozen=True)
class In:
    """Property and literals of which it is one."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class IsNull:
    """Property that is not there."""

    name: str


@dataclass(frozen=True)
class Spatial:
    """Relation of a property's geometry to a literal one, in the CRS of the filter.

    Attributes
    ----------
    relation : str
        Name of shapely's predicate: ``intersects``, ``within`` and so on.
    name : str
        The property.
    geometry : BaseGeometry
        The literal.
    """

    relation: str
    name: str
    geometry: BaseGeometry


@dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    part: "Node"


@dataclass(frozen=True)
class And:
    """All conditions hold."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Or:
    """At least one condition holds."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Constant:
    """``TRUE`` or ``FALSE`` as a condition."""

    value: bool


Node = Compare | Like | Between | In | IsNull | Spatial | Not | And | Or | Constant
