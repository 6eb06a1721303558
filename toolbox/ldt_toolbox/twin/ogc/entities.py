"""Entities of a type as a collection of features.

Properties have short names: the last part of their IRI; where two IRIs end alike, the later one
gets six digits of its hash behind. A feature's time is the latest `observedAt` of its attributes,
else its `dateObserved`, else its `modifiedAt`.
"""

import contextlib
import hashlib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ngsi_ld.represent import LOCATION
from ldt_toolbox.twin.ogc.collection import Found, Wanted
from ldt_toolbox.twin.ogc.conditions import And, Between, Compare, Node, Spatial
from ldt_toolbox.twin.ogc.filtering import GEOMETRY_NAMES, Record
from ldt_toolbox.twin.ogc.reference import CRS84, Box
from ldt_toolbox.twin.query.boxes import GEOMETRY_TYPES
from ldt_toolbox.twin.query.geo import GeoQuery
from ldt_toolbox.twin.query.kinds import Leaf
from ldt_toolbox.twin.query.language import Every, Literal, Operator, Path, Term
from ldt_toolbox.twin.query.language import Node as Q
from ldt_toolbox.twin.query.values import Key, boolean_key, number_key, temporal_key, uri_key
from ldt_toolbox.twin.store import VALUE_KEY, Doc, Store
from ldt_toolbox.twin.store.select import Selection, Selector, iterate, select

_TENANT = "(SELECT id FROM tenant WHERE name = ?)"
_OWN = {"type": "string", "createdAt": "date-time", "modifiedAt": "date-time",
        "observedAt": "date-time"}  # fmt: skip
_SAMPLE = 200
_OPERATORS: Mapping[str, Operator] = {"=": "==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True)
class Names:
    """Short names of the IRIs of a tenant, the same as long as its file lives.

    Attributes
    ----------
    by_iri, by_name : dict of str to str
        Both directions.
    """

    by_iri: Mapping[str, str]
    by_name: Mapping[str, str]

    @classmethod
    def read(cls, connection: sqlite3.Connection, tenant: str) -> "Names":
        """Read them, in the order in which the IRIs came into the file."""
        by_iri: dict[str, str] = {}
        by_name: dict[str, str] = dict.fromkeys(_OWN, "")
        sql = f"SELECT iri FROM term WHERE tenant = {_TENANT} ORDER BY id"  # noqa: S608
        for (iri,) in connection.execute(sql, (tenant,)):
            name = re.split(r"[/#:]", iri.rstrip("/#:"))[-1] or "name"
            if name in by_name:
                name += "-" + hashlib.sha256(iri.encode()).hexdigest()[:6]
            by_iri[iri], by_name[name] = name, iri
        return cls(by_iri, by_name)


@dataclass(frozen=True)
class EntityCollection:
    """All entities of one type of a tenant.

    Attributes
    ----------
    store : Store
        Where they are.
    limits : Limits
        Of the twin.
    tenant, iri : str
        Tenant and type.
    names : Names
        Of the tenant.
    """

    store: Store
    limits: Limits
    tenant: str
    iri: str
    names: Names

    @property
    def id(self) -> str:
        """Short name of the type."""
        return self.names.by_iri[self.iri]

    @property
    def title(self) -> str:
        """Short name of the type."""
        return self.id

    @property
    def description(self) -> str:
        """What is in it."""
        return f"Entities of type {self.iri}"

    @property
    def storage_crs(self) -> str:
        """NGSI-LD keeps GeoJSON."""
        return CRS84

    @property
    def links(self) -> Sequence[Mapping[str, str]]:
        """None but those of every collection."""
        return ()

    def _one(self, sql: str, *values: Any) -> Any:
        def job(connection: sqlite3.Connection) -> Any:
            return connection.execute(sql, values).fetchone()

        return self.store.read(job, within_s=self.limits.query_s)

    def count(self) -> int:
        """How many entities there are."""
        sql = (
            "SELECT count(*) FROM entity_type WHERE term ="  # noqa: S608
            f" (SELECT id FROM term WHERE tenant = {_TENANT} AND iri = ?)"
        )
        return int(self._one(sql, self.tenant, self.iri)[0])

    def extent(self) -> Box | None:
        """Bounding box of the locations."""
        sql = (
            "SELECT min(west), min(south), max(east), max(north) FROM entity_type t"  # noqa: S608
            " JOIN entity_place e ON e.entity = t.entity JOIN place p ON p.id = e.id"
            f" WHERE t.term = (SELECT id FROM term WHERE tenant = {_TENANT} AND iri = ?)"
            f" AND e.term = (SELECT id FROM term WHERE tenant = {_TENANT} AND iri = ?)"
        )
        found = self._one(sql, self.tenant, self.iri, self.tenant, LOCATION)
        if found[0] is None:
            return None
        # the R-tree keeps 32-bit floats, rounded outwards
        west, south, east, north = (round(float(each), 5) for each in found)
        return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)

    @cached_property
    def _attributes(self) -> set[str]:
        def job(connection: sqlite3.Connection) -> set[str]:
            sql = (
                "SELECT DISTINCT v.term FROM entity_type t JOIN entity_value v"  # noqa: S608
                " ON v.entity = t.entity WHERE t.term ="
                f" (SELECT id FROM term WHERE tenant = {_TENANT} AND iri = ?)"
            )
            outer = f"SELECT iri FROM term WHERE id IN ({sql})"  # noqa: S608
            return {iri for (iri,) in connection.execute(outer, (self.tenant, self.iri))}

        return self.store.read(job, within_s=self.limits.query_s)

    def queryables(self) -> Mapping[str, Mapping[str, Any]]:
        """Type of each attribute, as the first entities have it."""
        found: dict[str, dict[str, Any]] = {
            name: {"type": "string"} | ({"format": kind} if kind != "string" else {})
            for name, kind in _OWN.items()
        }
        sample = select(self.store, self._selection(), limit=_SAMPLE).docs
        for iri in sorted(self._attributes, key=lambda iri: self.names.by_iri[iri]):
            if iri != LOCATION:
                kinds = {kind for doc in sample for kind in _schema_types(doc, iri)}
                found[self.names.by_iri[iri]] = {"type": kinds.pop()} if len(kinds) == 1 else {}
        return found

    def has(self, name: str) -> bool:
        """Whether some entity has this attribute."""
        if name in _OWN:
            return True
        iri = self.names.by_name.get(name)
        if iri is None or iri == LOCATION:
            return False
        sql = (
            "SELECT 1 FROM entity_type t JOIN entity_attribute a ON a.entity = t.entity"  # noqa: S608
            f" WHERE t.term = (SELECT id FROM term WHERE tenant = {_TENANT} AND iri = ?)"
            f" AND a.term = (SELECT id FROM term WHERE tenant = {_TENANT} AND iri = ?) LIMIT 1"
        )
        return self._one(sql, self.tenant, self.iri, self.tenant, iri) is not None

    def _selection(self, **more: Any) -> Selection:
        return Selection(tenant=self.tenant, selectors=(Selector(types=Leaf(self.iri)),), **more)

    def find(self, wanted: Wanted, *, limit: int, offset: int) -> Found:
        """Find entities in the order in which they were created; the index narrows them."""
        conditions = [*self._pushed(wanted.filter), *self._equal(wanted.equal)]
        selection = self._selection(
            q=Every(tuple(conditions)) if conditions else None,
            geo=_geo(_polygon(wanted.boxes)) if wanted.boxes else self._place(wanted.filter),
        )
        if wanted.filter is None and wanted.period is None and not wanted.equal:
            page = select(
                self.store, selection, limit=limit, offset=offset, count=True,
                within_s=self.limits.query_s,
            )  # fmt: skip
            return Found([self._record(doc) for doc in page.docs], page.total or 0)

        def job(connection: sqlite3.Connection) -> Found:
            records, total = [], 0
            for doc in iterate(self.store, connection, selection):
                record = self._record(doc)
                if wanted.meets(record):
                    if offset <= total < offset + limit:
                        records.append(record)
                    total += 1
            return Found(records, total)

        return self.store.read(job, within_s=self.limits.query_s)

    def get(self, feature_id: str) -> Record | None:
        """One entity."""
        doc = self.store.get(self.tenant, feature_id)
        return self._record(doc) if doc is not None and self.iri in doc["type"] else None

    def _pushed(self, node: Node | None) -> list[Q]:
        """Conditions that every entity that meets the filter also meets, for the index."""
        if isinstance(node, And):
            return [each for part in node.parts for each in self._pushed(part)]
        if isinstance(node, Compare):
            path, operator = self._path(node.name), _OPERATORS.get(node.operator)
            value = _equals(node.value) if operator == "==" else _number(node.value)
            if path and operator and value:
                return [Term(path, operator, (value,))]
        if isinstance(node, Between):
            path, low, high = self._path(node.name), _number(node.low), _number(node.high)
            if path and low and high:
                return [Term(path, ">=", (low,)), Term(path, "<=", (high,))]
        return []

    def _equal(self, equal: Mapping[str, str]) -> list[Q]:
        """Attributes of which a parameter gives the value: a text, a number or a truth value."""
        found: list[Q] = []
        for name, text in equal.items():
            path = self._path(name)
            if path:
                keys: set[Key] = {text, uri_key(text), boolean_key(text.lower() == "true")}
                with contextlib.suppress(ValueError):
                    keys.add(number_key(float(text)))
                found.append(Term(path, "==", (Literal(frozenset(keys), None),)))
        return found

    def _path(self, name: str) -> Path | None:
        if name in _OWN or name not in self.names.by_name:
            return None
        return Path((self.names.by_name[name],))

    @staticmethod
    def _place(node: Node | None) -> GeoQuery | None:
        parts = node.parts if isinstance(node, And) else (node,)
        for part in parts:
            if (
                isinstance(part, Spatial)
                and part.relation != "disjoint"
                and part.name in GEOMETRY_NAMES
            ):
                west, south, east, north = part.geometry.bounds
                return _geo(_polygon(((west, south, east, north),)))
        return None

    def _record(self, doc: Doc) -> Record:
        names = self.names.by_iri
        kinds = [names[iri] for iri in doc["type"]]
        own: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
        seen = []
        geometry = None
        for iri, instances in doc["attrs"].items():
            if iri == LOCATION:
                geometry = _geometry(instances)
                continue
            values = [_value(each) for each in instances]
            own[names[iri]] = values[0] if len(values) == 1 else values
            seen += [each["observedAt"] for each in instances if "observedAt" in each]
        latest = max(seen, key=_order) if seen else None
        if latest:
            own["observedAt"] = latest
        own |= {name: doc[name] for name in ("createdAt", "modifiedAt")}
        return Record(doc["id"], own, geometry, _time(own))


def _value(instance: Mapping[str, Any]) -> Any:
    value = instance[VALUE_KEY[instance["type"]]]
    if isinstance(value, dict) and "@value" in value:
        return value["@value"]
    return value


def _schema_types(doc: Doc, iri: str) -> set[str]:
    found = set()
    for each in doc["attrs"].get(iri, ()):
        value = each[VALUE_KEY[each["type"]]]
        for kind, name in (
            (bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"),
            (dict, "object"),
        ):  # fmt: skip
            if isinstance(value, kind):
                found.add(name)
                break
    return found


def _order(text: str) -> bytes:
    return temporal_key(text) or b""


def _time(own: Mapping[str, Any]) -> tuple[str, str]:
    if "observedAt" in own:
        return own["observedAt"], own["observedAt"]
    said = own.get("dateObserved")
    if isinstance(said, str) and said:
        first, slash, last = said.partition("/")
        return first, last if slash else first
    return own["modifiedAt"], own["modifiedAt"]


def _geometry(instances: Sequence[Mapping[str, Any]]) -> Any:
    plain = [each for each in instances if "datasetId" not in each]
    for each in [*plain, *instances]:
        if each["type"] == "GeoProperty" and each["value"].get("type") in GEOMETRY_TYPES:
            return each["value"]
    return None


def _geo(geometry: dict[str, Any]) -> GeoQuery:
    return GeoQuery("intersects", geometry, LOCATION)


def _polygon(boxes: Sequence[Box]) -> dict[str, Any]:
    """Boxes as GeoJSON; one without a width or height becomes the line or point that it is."""
    rings = [[[w, s], [e, s], [e, n], [w, n], [w, s]] for w, s, e, n in boxes]
    if len(rings) > 1:
        return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
    (west, south, east, north) = boxes[0]
    if west == east and south == north:
        return {"type": "Point", "coordinates": [west, south]}
    if west == east or south == north:
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    return {"type": "Polygon", "coordinates": [rings[0]]}


def _number(value: Any) -> Literal | None:
    """Number as a value of `q`; texts and relationships are ordered otherwise there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    key = number_key(value)
    return Literal(frozenset({key}), key)


def _equals(value: Any) -> Literal | None:
    """Number or text as a value of `q` to be equal to."""
    if isinstance(value, str):
        return Literal(frozenset({value, uri_key(value)}), None)
    return _number(value)


def entity_collections(store: Store, limits: Limits, tenant: str) -> list[EntityCollection]:
    """Collections of a tenant: one for each type that some entity has."""

    def job(connection: sqlite3.Connection) -> list[EntityCollection]:
        names = Names.read(connection, tenant)
        sql = (
            f"SELECT iri FROM term WHERE tenant = {_TENANT} AND EXISTS"  # noqa: S608
            " (SELECT 1 FROM entity_type WHERE term = term.id) ORDER BY id"
        )
        return [
            EntityCollection(store, limits, tenant, iri, names)
            for (iri,) in connection.execute(sql, (tenant,)).fetchall()
        ]

    return store.read(job, within_s=limits.query_s)
