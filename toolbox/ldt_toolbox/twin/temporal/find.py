"""Finds evolutions and their instances (GS CIM 009 V1.8.1, 5.7.3, 5.7.4, 6.3.10)."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ldt_toolbox.twin.query.kinds import AllOf, Choice, Leaf
from ldt_toolbox.twin.query.language import Every, Node, Some
from ldt_toolbox.twin.store import Doc, Instance, Store
from ldt_toolbox.twin.store.select import Selection, Selector
from ldt_toolbox.twin.temporal.instants import written
from ldt_toolbox.twin.temporal.question import EARLIEST, LATEST, Question

_HEAD = "h.id, h.entity, h.head, h.created, h.modified, h.deleted"


@dataclass(frozen=True)
class Evolution:
    """Head of an evolution.

    Attributes
    ----------
    number : int
        Row.
    doc : dict
        Document with id, type, scope and times, and no attributes.
    """

    number: int
    doc: Doc


@dataclass(frozen=True)
class Series:
    """One attribute and dataset of an evolution.

    Attributes
    ----------
    number, history : int
        Rows of it and of its evolution.
    attribute, dataset : str
        IRIs; the dataset is empty for the default instance.
    """

    number: int
    history: int
    attribute: str
    dataset: str


@dataclass(frozen=True)
class State:
    """One instance.

    Attributes
    ----------
    number, series : int
        Rows.
    at : int
        The time that counts, in microseconds.
    created, modified : int
        Microseconds.
    deleted : int or None
        Microseconds.
    instance : dict
        As in documents, without times of the twin.
    """

    number: int
    series: int
    at: int
    created: int
    modified: int
    deleted: int | None
    instance: Instance

    def timed(self, *names: str) -> Instance:
        """The instance with its id, and with those of its times that are named or say deletion."""
        out = {**self.instance, "instanceId": instance_id(self.number)}
        if "createdAt" in names:
            out["createdAt"] = written(self.created)
        if "modifiedAt" in names:
            out["modifiedAt"] = written(self.modified)
        if self.deleted is not None:
            out["deletedAt"] = written(self.deleted)
        return out


@dataclass(frozen=True)
class Extract:
    """Instances of some series.

    Attributes
    ----------
    states : list of State
        By time.
    reached : int or None
        If not all are there: the time up to which all are, from the side of the start; with
        lastN, from the side of the end.
    """

    states: list[State]
    reached: int | None = None


@dataclass(frozen=True)
class Archive:
    """History as one read sees it.

    Attributes
    ----------
    store : Store
        For its clock.
    connection : sqlite3.Connection
        Of the read.
    tenant : str
        Name of the tenant.
    """

    store: Store
    connection: sqlite3.Connection
    tenant: str

    def one(self, entity_id: str) -> Evolution | None:
        """Evolution of an entity, or None."""
        row = self.connection.execute(
            f"SELECT {_HEAD} FROM history h WHERE h.entity = ? AND"  # noqa: S608
            " h.tenant = (SELECT id FROM tenant WHERE name = ?)",
            (entity_id, self.tenant),
        ).fetchone()
        return _evolution(row) if row else None

    def select(
        self, selection: Selection, asked: Question, *, limit: int, offset: int, count: bool
    ) -> tuple[list[Evolution], bool, int | None]:
        """Evolutions with an instance in the window that meet the conditions.

        Returns
        -------
        tuple
            Those of the page, whether others follow, and how many there are if that was asked.
        """
        page: list[Evolution] = []
        seen = 0
        for each in self._fitting(selection, asked):
            if offset <= seen < offset + limit:
                page.append(each)
            seen += 1
            if seen > offset + limit and not count:
                break
        return page, seen > offset + limit, seen if count else None

    def series(self, evolutions: Sequence[int], attributes: Sequence[str] = ()) -> list[Series]:
        """Series of some evolutions, in the order in which they began."""
        sql = (
            "SELECT s.id, s.history, t.iri, s.dataset FROM series s JOIN term t ON t.id = s.term"
            " WHERE s.history IN (SELECT value FROM json_each(?)) ORDER BY s.id"
        )
        found = self.connection.execute(sql, (orjson.dumps(list(evolutions)).decode(),))
        return [Series(*row) for row in found if not attributes or row[2] in attributes]

    def extract(self, numbers: Sequence[int], asked: Question, most: int) -> Extract:
        """Instances of some series in the window.

        Parameters
        ----------
        numbers : sequence of int
            Series.
        asked : Question
            When, and how many of the latest.
        most : int
            Instances of an answer; those of one instant stay together.
        """
        if asked.last is None:
            keys = self._keys(numbers, asked, f"ORDER BY {asked.column}, id LIMIT {most + 1:d}")
        else:
            latest = f"ORDER BY {asked.column} DESC, id DESC LIMIT {min(asked.last, most + 1):d}"
            keys = [key for each in numbers for key in self._keys([each], asked, latest)]
            keys.sort(reverse=True)
        reached = None
        if len(keys) > most:
            beyond = keys[most][0]
            whole = [key for key in keys[:most] if key[0] != beyond]
            if not whole:
                at = replace(asked, start=beyond, end=beyond + 1, last=None)
                whole = self._keys(numbers, at, "ORDER BY id")
            keys, reached = whole, whole[-1][0]
        return Extract(self._states(sorted(keys)), reached)

    def _keys(self, numbers: Sequence[int], asked: Question, tail: str) -> list[tuple[int, int]]:
        """Time and row of instances in the window, from an index alone."""
        several = len(numbers) != 1
        whose = "series IN (SELECT value FROM json_each(?))" if several else "series = ?"
        value = orjson.dumps(list(numbers)).decode() if several else numbers[0]
        sql = (
            f"SELECT {asked.column}, id FROM instance WHERE {whose}"  # noqa: S608
            f" AND {asked.column} >= ? AND {asked.column} < ? {tail}"
        )
        return self.connection.execute(sql, (value, asked.start, asked.end)).fetchall()

    def _states(self, keys: Sequence[tuple[int, int]]) -> list[State]:
        found = []
        sql = "SELECT series, created, modified, deleted, body FROM instance WHERE id = ?"
        for done, (at, number) in enumerate(keys):
            if not done % 1024:
                self.store.check_time()
            row = self.connection.execute(sql, (number,)).fetchone()
            found.append(State(number, *_of(at, row)))
        return found

    def _fitting(self, selection: Selection, asked: Question) -> Iterator[Evolution]:
        home = self.connection.execute(
            "SELECT id FROM tenant WHERE name = ?", (self.tenant,)
        ).fetchone()
        if home is None:
            return
        where, values = self._where(home[0], selection, asked)
        sql = f"SELECT {_HEAD} FROM history h WHERE {where} ORDER BY h.id"  # noqa: S608
        looked_at = names_of(selection.q) if selection.q else set()
        if selection.geo is not None:
            looked_at.add(selection.geo.attribute)
        rest = replace(selection, attributes=())
        for number, row in enumerate(self.connection.execute(sql, values)):
            if not number % 64:
                self.store.check_time()
            found = _evolution(row)
            attributes = self._attributes(found.number, looked_at, asked) if looked_at else {}
            if rest.meets({**found.doc, "attrs": attributes}):
                yield found

    def _where(self, home: int, selection: Selection, asked: Question) -> tuple[str, list[Any]]:
        parts, values = ["h.tenant = ?"], [home]
        each = [self._selector(home, one) for one in selection.selectors]
        if each:
            parts.append("(" + " OR ".join(text for text, _ in each) + ")")
            values += [value for _, some in each for value in some]
        terms = [self._term(home, name) for name in selection.attributes]
        of = f" AND s.term IN ({', '.join('?' * len(terms))})" if terms else ""
        parts.append(
            f"EXISTS (SELECT 1 FROM series s WHERE s.history = h.id{of} AND EXISTS ("  # noqa: S608
            f"SELECT 1 FROM instance i WHERE i.series = s.id AND i.{asked.column} >= ?"
            f" AND i.{asked.column} < ?))"
        )
        return " AND ".join(parts), [*values, *terms, asked.start, asked.end]

    def _selector(self, home: int, selector: Selector) -> tuple[str, list[Any]]:
        parts, values = ["1"], []
        if selector.types is not None:
            text, some = self._types(home, selector.types)
            parts.append(text)
            values += some
        if selector.ids:
            parts.append("h.entity IN (SELECT value FROM json_each(?))")
            values.append(orjson.dumps(list(selector.ids)).decode())
        return "(" + " AND ".join(parts) + ")", values

    def _types(self, home: int, choice: Choice) -> tuple[str, list[Any]]:
        if isinstance(choice, Leaf):
            term = self._term(home, choice.name)
            return "h.id IN (SELECT history FROM history_type WHERE term = ?)", [term]
        found = [self._types(home, part) for part in choice.parts]
        word = " AND " if isinstance(choice, AllOf) else " OR "
        return f"({word.join(text for text, _ in found)})", [v for _, some in found for v in some]

    def _term(self, home: int, iri: str) -> int:
        row = self.connection.execute(
            "SELECT id FROM term WHERE tenant = ? AND iri = ?", (home, iri)
        ).fetchone()
        return int(row[0]) if row else -1

    def _attributes(
        self, evolution: int, names: set[str], asked: Question
    ) -> dict[str, list[Instance]]:
        """Attributes as conditions see them: what they were in the window.

        An attribute that never had the time that counts, such as a name without observedAt,
        holds at all times.
        """
        found: dict[str, list[Instance]] = {}
        timeless: dict[str, list[Instance]] = {}
        ever: set[str] = set()
        for each in self.series([evolution], tuple(names)):
            window = f"{asked.column} >= ? AND {asked.column} < ?"
            kept = found.setdefault(each.attribute, [])
            kept += self._instances(each.number, window, (asked.start, asked.end))
            always = replace(asked, start=EARLIEST, end=LATEST)
            if kept or self._keys([each.number], always, "LIMIT 1"):
                ever.add(each.attribute)
            else:
                timeless.setdefault(each.attribute, []).extend(
                    self._instances(each.number, "deleted IS NULL", ())
                )
        return {name: found[name] if name in ever else timeless.get(name, []) for name in found}

    def _instances(
        self, series: int, condition: str, values: tuple[int, ...]
    ) -> Iterator[Instance]:
        rows = self.connection.execute(
            f"SELECT body FROM instance WHERE series = ? AND {condition}",  # noqa: S608
            (series, *values),
        )
        for done, (body,) in enumerate(rows):
            if not done % 4096:
                self.store.check_time()
            yield orjson.loads(body)


def _of(at: int, row: Any) -> tuple[int, int, int, int, int | None, Instance]:
    series, created, modified, deleted, body = row
    return series, at, created, modified, deleted, orjson.loads(body)


def instance_id(number: int) -> str:
    """URI of an instance."""
    return f"urn:ngsi-ld:Instance:{number}"


def names_of(node: Node) -> set[str]:
    """IRIs of the attributes that a query looks at."""
    if isinstance(node, Every | Some):
        return {name for part in node.parts for name in names_of(part)}
    return {node.path.names[0]}


def _evolution(row: Any) -> Evolution:
    number, entity_id, head, created, modified, deleted = row
    doc: Doc = {"id": entity_id, **orjson.loads(head)}
    doc |= {"createdAt": written(created), "modifiedAt": written(modified), "attrs": {}}
    if deleted is not None:
        doc["deletedAt"] = written(deleted)
    return Evolution(number, doc)
