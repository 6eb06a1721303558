"""What a collection of features is, whatever it is read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ldt_toolbox.twin.ogc.conditions import And, Constant, Node, Not, Or
from ldt_toolbox.twin.ogc.filtering import Record, holds
from ldt_toolbox.twin.ogc.reference import Box
from ldt_toolbox.twin.ogc.times import Period
from ldt_toolbox.twin.problems import ProblemError


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which features of a collection: all conditions hold.

    Attributes
    ----------
    boxes : tuple of Box
        In the storage CRS; the geometry meets one of them. None given means anywhere.
    period : Period or None
        Meets the feature's time.
    equal : mapping of str to str
        Property and what it is, as text.
    filter : Node or None
        CQL2, geometries in the storage CRS.
    """

    boxes: tuple[Box, ...] = ()
    period: Period | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    filter: Node | None = None

    def meets(self, record: Record) -> bool:
        """Whether a feature meets all but the boxes."""
        return (
            all(_is(record.properties.get(name), text) for name, text in self.equal.items())
            and (self.period is None or record.time is None or self.period.meets(*record.time))
            and (self.filter is None or holds(self.filter, record) is True)
        )


def _is(value: Any, text: str) -> bool:
    if isinstance(value, list):
        return any(_is(member, text) for member in value)
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, int | float):
        try:
            return float(text) == value
        except ValueError:
            return False
    return isinstance(value, str) and value == text


@dataclass(frozen=True)
class Found:
    """A page of features: the features, and how many there are in all."""

    records: list[Record]
    total: int


class Collection(Protocol):
    """A set of features with one schema, in a storage CRS."""

    @property
    def id(self) -> str:
        """Identifier, which is a part of paths."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def description(self) -> str:
        """What is in it and where it is from."""

    @property
    def storage_crs(self) -> str:
        """URI of the CRS that geometries are kept in."""

    @property
    def links(self) -> Sequence[Mapping[str, str]]:
        """Links beyond those to the items: `href` below the root, `rel`, `type`, `title`."""

    def count(self) -> int:
        """How many features there are."""

    def extent(self) -> Box | None:
        """Bounding box in CRS84, or None if nothing has a place."""

    def queryables(self) -> Mapping[str, Mapping[str, Any]]:
        """JSON Schema of each property, by name."""

    def has(self, name: str) -> bool:
        """Whether some feature has this property."""

    def find(self, wanted: Wanted, *, limit: int, offset: int) -> Found:
        """Find features, always in the same order."""

    def get(self, feature_id: str) -> Record | None:
        """One feature."""


def names_in(node: Node) -> set[str]:
    """Names of the properties that a filter reads."""
    if isinstance(node, And | Or):
        return set().union(*(names_in(part) for part in node.parts))
    if isinstance(node, Not):
        return names_in(node.part)
    return set() if isinstance(node, Constant) else {node.name}


def unknown(collection: Collection, what: str, name: str) -> ProblemError:
    """Problem of a name that is no property."""
    some = ", ".join(list(collection.queryables())[:12])
    detail = f"{what} {name!r:.80}: {collection.id} has no such property; it has {some}"
    return ProblemError("", detail, status=400)
