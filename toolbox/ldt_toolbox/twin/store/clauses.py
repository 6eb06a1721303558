"""Conditions as SQL over the index: as sets of entities, and as tests of one.

A clause never leaves out an entity that fits. It says whether it also leaves out all that do not;
if it does not, the documents are looked at.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ldt_toolbox.twin.query.evaluate import OWN_MEMBERS
from ldt_toolbox.twin.query.geo import GeoQuery
from ldt_toolbox.twin.query.kinds import AllOf, Choice, Leaf
from ldt_toolbox.twin.query.language import Every, Node, Some, Term
from ldt_toolbox.twin.query.values import TEXT_LENGTH, Key, cut
from ldt_toolbox.twin.store.rows import MANY


@dataclass(frozen=True)
class Clause:
    """A condition.

    Attributes
    ----------
    test : str
        SQL that is true of an entity; ``{seq}`` stands for its number.
    test_values : tuple
        Parameters of the test.
    rows : str
        SELECT of the numbers of all entities that may fit; empty if there is none that is cheap.
    row_values : tuple
        Parameters of the SELECT.
    exact : bool
        Whether all that pass fit.
    """

    test: str
    test_values: tuple[Any, ...]
    rows: str = ""
    row_values: tuple[Any, ...] = ()
    exact: bool = True


@dataclass(frozen=True)
class Index:
    """Makes clauses for a tenant.

    Attributes
    ----------
    connection : sqlite3.Connection
        For the numbers of names.
    tenant : int
        Number of the tenant.
    known : dict
        Numbers of names that were looked up before, by tenant and name; they never change.
    """

    connection: sqlite3.Connection
    tenant: int
    known: dict[tuple[int, str], int]

    def term(self, iri: str) -> int:
        """Number of a name; -1 for one that nothing has."""
        number = self.known.get((self.tenant, iri))
        if number is None:
            found = self.connection.execute(
                "SELECT id FROM term WHERE tenant = ? AND iri = ?", (self.tenant, iri)
            ).fetchone()
            if not found:
                return -1
            number = self.known[self.tenant, iri] = int(found[0])
        return number

    def types(self, choice: Choice) -> Clause:
        """Entities of the types that are asked for."""
        return self._choice(choice, lambda name: _listed("entity_type", self.term(name)))

    def attributes(self, names: Iterable[str]) -> Clause:
        """Entities that have at least one of some attributes."""
        return some([_listed("entity_attribute", self.term(name)) for name in names])

    def scopes(self, choice: Choice) -> Clause:
        """Entities in the scopes that are asked for."""
        return self._choice(choice, self._scope)

    def ids(self, ids: Sequence[str]) -> Clause:
        """Entities of some ids."""
        rows = "SELECT seq FROM entity WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))"
        values = (self.tenant, orjson.dumps(list(ids)).decode())
        return Clause(f"{{seq}} IN ({rows})", values, rows, values)

    def geo(self, query: GeoQuery) -> Clause:
        """Entities with a geometry whose box meets that of the condition."""
        number = self.term(query.attribute)
        if query.boxes is None:
            return _inexact(_listed("entity_attribute", number))
        one = (
            "SELECT entity FROM place WHERE west <= ? AND east >= ? AND south <= ? AND north >= ?"
            " AND term_low <= ? AND term_high >= ?"
        )
        rows = " UNION ".join([one] * len(query.boxes))
        values = tuple(
            value
            for west, south, east, north in query.boxes
            for value in (east, west, north, south, number, number)
        )
        return Clause(f"{{seq}} IN ({rows})", values, rows, values, exact=False)

    def query(self, node: Node) -> Clause:
        """Entities that a query of 4.9 may mean."""
        if isinstance(node, Every):
            return every([self.query(part) for part in node.parts])
        if isinstance(node, Some):
            return some([self.query(part) for part in node.parts])
        return self._condition(node)

    def _choice(self, choice: Choice, leaf: Callable[[str], Clause]) -> Clause:
        if isinstance(choice, Leaf):
            return leaf(choice.name)
        parts = [self._choice(part, leaf) for part in choice.parts]
        return every(parts) if isinstance(choice, AllOf) else some(parts)

    def _scope(self, scope: str) -> Clause:
        plain, wild, _ = scope.partition("+")
        below = scope.removesuffix("/#")
        if wild:
            low, high, exact = plain, plain + "\U0010ffff", False
        elif scope == "/#":
            low, high, exact = "/", "0", True
        elif below != scope:
            one = "entity_scope WHERE tenant = ? AND (scope = ? OR (scope >= ? AND scope < ?))"
            values = (self.tenant, below, below + "/", below + "0")
            return _of(one, values)
        else:
            low, high, exact = scope, scope + "\0", True
        one = "entity_scope WHERE tenant = ? AND scope >= ? AND scope < ?"
        found = _of(one, (self.tenant, low, high))
        return found if exact else _inexact(found)

    def _condition(self, term: Term) -> Clause:
        path = term.path
        name = path.names[0]
        number = self.term(name)
        there = _listed("entity_attribute", number)
        if len(path.names) == 1 and name in OWN_MEMBERS:
            return Clause("1", (), exact=False)
        if len(path.names) > 1 or path.members or path.linked:
            return _inexact(there)
        if term.operator == "exists":
            return there
        if term.operator in ("~=", "!~="):
            return _inexact(_valued(number, "value >= '' AND value < x''", ()))
        orders = [value.order for value in term.values]
        if any(isinstance(order, str) and len(order) > TEXT_LENGTH for order in orders):
            return _inexact(there)
        if term.operator == "!=":
            return self._unequal(term, number, there)
        if term.operator == "==" and not term.range:
            return _among(number, {key for value in term.values for key in value.keys})
        return _ranged(term, number)

    def _unequal(self, term: Term, number: int, there: Clause) -> Clause:
        """There, and not equal; of an attribute with several instances each is judged alone."""
        if term.range:
            equal = _ranged(term, number)
        else:
            equal = _among(number, {key for value in term.values for key in value.keys})
        many = _among(number, {MANY})
        if self.connection.execute(f"{many.rows} LIMIT 1", many.row_values).fetchone():
            test = f"{there.test} AND (NOT {equal.test} OR {many.test})"
            values = (*there.test_values, *equal.test_values, *many.test_values)
            return Clause(f"({test})", values, exact=False)
        test = f"({there.test} AND NOT {equal.test})"
        return Clause(test, (*there.test_values, *equal.test_values), exact=equal.exact)


def _of(tail: str, values: tuple[Any, ...]) -> Clause:
    """Clause of a table with a column `entity`."""
    rows = f"SELECT entity FROM {tail}"  # noqa: S608
    test = f"EXISTS (SELECT 1 FROM {tail} AND entity = {{seq}})"  # noqa: S608
    return Clause(test, values, rows, values)


def _listed(table: str, number: int) -> Clause:
    return _of(f"{table} WHERE term = ?", (number,))


def _valued(number: int, condition: str, values: tuple[Any, ...]) -> Clause:
    # the test goes by the entity's own values, the rows by those of all entities
    test = (
        "EXISTS (SELECT 1 FROM entity_value INDEXED BY entity_value_entity"  # noqa: S608
        f" WHERE entity = {{seq}} AND term = ? AND {condition})"
    )
    rows = f"SELECT entity FROM entity_value WHERE term = ? AND {condition}"  # noqa: S608
    return Clause(test, (number, *values), rows, (number, *values))


def _among(number: int, found: Iterable[Key]) -> Clause:
    cuts = tuple(sorted({cut(key) for key in found}, key=repr))
    marks = ", ".join("?" * len(cuts))
    return _valued(number, f"value IN ({marks})", cuts)


def _ranged(term: Term, number: int) -> Clause:
    low, high = (term.values[0].order, term.values[-1].order)
    if term.range:
        least, below = _kind(low), _kind(high)
        if least != below:
            return Clause("0", (), "SELECT 0 WHERE 0", ())
        return _valued(number, "value >= ? AND value <= ?", (low, high))
    first, after = _kind(low)
    if term.operator in (">", ">="):
        upper = "" if after is None else " AND value < ?"
        values = (low,) if after is None else (low, after)
        return _valued(number, f"value {term.operator} ?{upper}", values)
    lower = "" if first is None else " AND value >= ?"
    values = (low,) if first is None else (low, first)
    return _valued(number, f"value {term.operator} ?{lower}", values)


def _kind(key: Key | None) -> tuple[Key | None, Key | None]:
    """First key of the kind of a key, and first key after that kind, where there are such."""
    if isinstance(key, str):
        return "", b""
    if isinstance(key, bytes):
        return key[:1], bytes([key[0] + 1])
    return None, ""


def every(parts: Sequence[Clause]) -> Clause:
    """Clause of entities that fit all of some clauses."""
    if len(parts) == 1:
        return parts[0]
    drives = [part for part in parts if part.rows]
    return Clause(
        "(" + " AND ".join(part.test for part in parts) + ")",
        tuple(value for part in parts for value in part.test_values),
        " INTERSECT ".join(_nested(part) for part in drives),
        tuple(value for part in drives for value in part.row_values),
        exact=all(part.exact for part in parts),
    )


def some(parts: Sequence[Clause]) -> Clause:
    """Clause of entities that fit at least one of some clauses."""
    if len(parts) == 1:
        return parts[0]
    drives = all(part.rows for part in parts)
    return Clause(
        "(" + " OR ".join(part.test for part in parts) + ")",
        tuple(value for part in parts for value in part.test_values),
        " UNION ".join(_nested(part) for part in parts) if drives else "",
        tuple(value for part in parts for value in part.row_values) if drives else (),
        exact=all(part.exact for part in parts),
    )


def _nested(clause: Clause) -> str:
    return f"SELECT * FROM ({clause.rows})"  # noqa: S608 - made of constants and marks


def _inexact(clause: Clause) -> Clause:
    return replace(clause, exact=False)
