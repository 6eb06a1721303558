"""Which entities are meant, found with the index and, where that does not say all, by looking."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ldt_toolbox.twin.query.evaluate import Lookup, meets
from ldt_toolbox.twin.query.geo import GeoQuery
from ldt_toolbox.twin.query.kinds import Choice, Leaf, scopes_fit, types_fit
from ldt_toolbox.twin.query.language import Every, Node
from ldt_toolbox.twin.query.pattern import Pattern
from ldt_toolbox.twin.store.clauses import Clause, Index, every, some
from ldt_toolbox.twin.store.documents import Doc
from ldt_toolbox.twin.store.store import Store

#: Up to the last of these a condition is followed from the index; above, entities are passed in
#: order and tested, which ends as soon as a page is full. The first condition with no more than the
#: first number is followed without a look at how many the others mean.
_FEW = (100, 600, 4000)


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Entities by what they are (5.2.33): all that is given holds.

    Attributes
    ----------
    types : Choice or None
        Types, as IRIs.
    ids : tuple of str
        Ids; all if empty.
    id_pattern : Pattern or None
        Found in ids.
    """

    types: Choice | None = None
    ids: tuple[str, ...] = ()
    id_pattern: Pattern | None = None

    def fits(self, doc: Doc) -> bool:
        """Whether an entity is one of these."""
        return (
            (self.types is None or types_fit(self.types, doc["type"]))
            and (not self.ids or doc["id"] in self.ids)
            and (self.id_pattern is None or self.id_pattern.found_in(doc["id"]))
        )


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Conditions that all hold.

    Attributes
    ----------
    tenant : str
        Name of the tenant.
    selectors : tuple of Selector
        What the entities are: one of these; anything if empty.
    attributes : tuple of str
        IRIs of attributes of which at least one is there; any if empty.
    q : Node or None
        Condition on values.
    geo : GeoQuery or None
        Condition on a geometry.
    scopes : Choice or None
        Scopes.
    """

    tenant: str = ""
    selectors: tuple[Selector, ...] = ()
    attributes: tuple[str, ...] = ()
    q: Node | None = None
    geo: GeoQuery | None = None
    scopes: Choice | None = None

    def meets(self, doc: Doc, *, lookup: Lookup = lambda _: None) -> bool:
        """Whether a document of the tenant meets all conditions, without the index.

        Parameters
        ----------
        doc : dict
            Document.
        lookup : callable
            Finds linked entities by id.
        """
        if self.selectors and not any(each.fits(doc) for each in self.selectors):
            return False
        if self.attributes and doc["attrs"].keys().isdisjoint(self.attributes):
            return False
        if self.scopes and not scopes_fit(self.scopes, doc.get("scope", ())):
            return False
        if self.q and not meets(doc, self.q, lookup=lookup):
            return False
        return self.geo is None or self.geo.meets(doc)


@dataclass(frozen=True)
class Page:
    """Part of what was found.

    Attributes
    ----------
    docs : list of dict
        Documents in the order in which they were created.
    more : bool
        Whether others follow.
    total : int or None
        How many there are in all, if that was asked.
    """

    docs: list[Doc]
    more: bool
    total: int | None


@dataclass(frozen=True)
class _Plan:
    source: str
    seq: str
    where: str
    values: tuple[Any, ...]
    exact: bool


def select(
    store: Store,
    selection: Selection,
    *,
    limit: int,
    offset: int = 0,
    count: bool = False,
    within_s: float = 20.0,
) -> Page:
    """Find entities.

    Parameters
    ----------
    store : Store
        Where.
    selection : Selection
        Which.
    limit, offset : int
        Page: how many, and how many before it.
    count : bool
        Whether all are counted.
    within_s : float
        Seconds after which `OutOfTimeError` is raised.
    """

    def job(connection: sqlite3.Connection) -> Page:
        plan = _plan(store, connection, selection)
        if plan is None:
            return Page([], False, 0 if count else None)
        if plan.exact:
            sql = f"SELECT seq, id, doc FROM {plan.source} WHERE {plan.where} ORDER BY {plan.seq}"  # noqa: S608
            found = connection.execute(
                f"{sql} LIMIT ? OFFSET ?", (*plan.values, limit + 1, offset)
            ).fetchall()
            total = _count(connection, plan) if count else None
            docs = [orjson.loads(doc) for _, _, doc in found[:limit]]
            return Page(docs, len(found) > limit, total)
        docs, seen = [], 0
        for doc in _fitting(store, connection, plan, selection):
            if offset <= seen < offset + limit:
                docs.append(doc)
            seen += 1
            if seen > offset + limit and not count:
                break
        return Page(docs, seen > offset + limit, seen if count else None)

    return store.read(job, within_s=within_s)


def iterate(store: Store, connection: sqlite3.Connection, selection: Selection) -> Iterator[Doc]:
    """Documents one by one, inside a `store.read`, in the order in which they were created."""
    plan = _plan(store, connection, selection)
    if plan is not None:
        yield from _fitting(store, connection, plan, selection)


def _fitting(
    store: Store, connection: sqlite3.Connection, plan: _Plan, selection: Selection
) -> Iterator[Doc]:
    sql = f"SELECT seq, id, doc FROM {plan.source} WHERE {plan.where} ORDER BY {plan.seq}"  # noqa: S608
    lookup = _lookup(connection, selection.tenant)
    pattern = selection.selectors[0].id_pattern if len(selection.selectors) == 1 else None
    for number, (_, entity_id, body) in enumerate(connection.execute(sql, plan.values)):
        if not number % 256:
            store.check_time()
        if pattern is not None and not pattern.found_in(entity_id):
            continue  # spares reading the document
        doc: Doc = orjson.loads(body)
        if plan.exact or selection.meets(doc, lookup=lookup):
            yield doc


def _lookup(connection: sqlite3.Connection, tenant: str) -> Lookup:
    def found(entity_id: str) -> Doc | None:
        row = connection.execute(
            "SELECT doc FROM entity WHERE id = ? AND"
            " tenant = (SELECT id FROM tenant WHERE name = ?)",
            (entity_id, tenant),
        ).fetchone()
        return orjson.loads(row[0]) if row else None

    return found


def _plan(store: Store, connection: sqlite3.Connection, selection: Selection) -> _Plan | None:
    """How to go about it: from a small set that the index has, or entity by entity."""
    tenant = store.tenant_number(connection, selection.tenant)
    if tenant is None:
        return None
    index = Index(connection, tenant, store.names)
    clauses = _clauses(index, selection)
    exact = all(clause.exact for clause in clauses)
    driver = _small(connection, clauses)
    if driver is not None:
        others = [clause for clause in clauses if clause is not driver]
        where = [f"seq IN ({driver.rows})", "+tenant = ?", *_tests(others, "seq")]
        values = (*driver.row_values, tenant, *_values(others))
        return _Plan("entity", "seq", " AND ".join(where), values, exact)
    types = selection.selectors[0].types if len(selection.selectors) == 1 else None
    if isinstance(types, Leaf):
        others = [*_selector_clauses(index, selection.selectors[0])[1:], *clauses[1:]]
        where = ["t.term = ?", *_tests(others, "t.entity")]
        values = (index.term(types.name), *_values(others))
        source = "entity_type t CROSS JOIN entity ON seq = t.entity"
        return _Plan(source, "t.entity", " AND ".join(where), values, exact)
    where = ["tenant = ?", *_tests(clauses, "seq")]
    return _Plan("entity", "seq", " AND ".join(where), (tenant, *_values(clauses)), exact)


def _clauses(index: Index, selection: Selection) -> list[Clause]:
    found = []
    if selection.selectors:
        found.append(some([_selected(index, each) for each in selection.selectors]))
    if selection.attributes:
        found.append(index.attributes(selection.attributes))
    if selection.q is not None:
        parts = selection.q.parts if isinstance(selection.q, Every) else (selection.q,)
        found.extend(index.query(part) for part in parts)
    if selection.geo is not None:
        found.append(index.geo(selection.geo))
    if selection.scopes is not None:
        found.append(index.scopes(selection.scopes))
    return found


def _selected(index: Index, selector: Selector) -> Clause:
    """Clause of a selector; one with ids starts from these, however many are of its type."""
    clauses = _selector_clauses(index, selector)
    found = every(clauses)
    if not selector.ids or len(clauses) == 1:
        return found
    ids = index.ids(selector.ids)
    others = [clause for clause in clauses if clause != ids]
    rows = f"SELECT seq FROM ({ids.rows}) WHERE {' AND '.join(_tests(others, 'seq'))}"  # noqa: S608
    return replace(found, rows=rows, row_values=(*ids.row_values, *_values(others)))


def _selector_clauses(index: Index, selector: Selector) -> list[Clause]:
    found = []
    if selector.types is not None:
        found.append(index.types(selector.types))
    if selector.ids:
        found.append(index.ids(selector.ids))
    if selector.id_pattern is not None:
        found.append(Clause("1", (), exact=False))
    return found


def _small(connection: sqlite3.Connection, clauses: list[Clause]) -> Clause | None:
    """A clause with few entities, if there is one: of the last ones first, as types have many."""
    left = [clause for clause in reversed(clauses) if clause.rows]
    for few in _FEW:
        for clause in left:
            sql = f"SELECT 1 FROM ({clause.rows}) LIMIT 1 OFFSET ?"  # noqa: S608
            if not connection.execute(sql, (*clause.row_values, few)).fetchone():
                return clause
    return None


def _count(connection: sqlite3.Connection, plan: _Plan) -> int:
    source = plan.source
    sql = f"SELECT count(*) FROM {source} WHERE {plan.where}"  # noqa: S608
    return int(connection.execute(sql, plan.values).fetchone()[0])


def _tests(clauses: list[Clause], seq: str) -> list[str]:
    return [clause.test.replace("{seq}", seq) for clause in clauses]


def _values(clauses: list[Clause]) -> tuple[Any, ...]:
    return tuple(value for clause in clauses for value in clause.test_values)
