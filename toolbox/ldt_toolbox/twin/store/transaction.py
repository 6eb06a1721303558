"""What a write may do: read, put and delete documents of the file, all or nothing."""

import sqlite3

import orjson

from ldt_toolbox.twin.store.documents import Change, Doc, change
from ldt_toolbox.twin.store.rows import Rows, rows
from ldt_toolbox.twin.store.schema import TERM_WIDTH


class Transaction:
    """One job of the writer.

    Attributes
    ----------
    connection : sqlite3.Connection
        Open in a transaction; for tables that the entities know nothing of.
    at : str
        The instant of the write: createdAt and modifiedAt of all it writes.
    changes : list of Change
        What was put and deleted so far.
    """

    def __init__(
        self, connection: sqlite3.Connection, at: str, ids: dict[tuple[int, str], int]
    ) -> None:
        self.connection = connection
        self.at = at
        self.changes: list[Change] = []
        self._ids = ids
        self._new_ids: list[tuple[int, str]] = []

    def tenant(self, name: str) -> int:
        """Number of a tenant; it is made if it is new."""
        number = self._ids.get((0, name))
        if number is None:
            found = (
                self.connection.execute("SELECT id FROM tenant WHERE name = ?", (name,)).fetchone()
                or self.connection.execute(
                    "INSERT INTO tenant (name) VALUES (?) RETURNING id", (name,)
                ).fetchone()
            )
            number = self._remember((0, name), int(found[0]))
        return number

    def term(self, tenant: int, iri: str) -> int:
        """Number of a name in a tenant's index; it is made if it is new."""
        number = self._ids.get((tenant, iri))
        if number is None:
            found = (
                self.connection.execute(
                    "SELECT id FROM term WHERE tenant = ? AND iri = ?", (tenant, iri)
                ).fetchone()
                or self.connection.execute(
                    "INSERT INTO term (tenant, iri) VALUES (?, ?) RETURNING id", (tenant, iri)
                ).fetchone()
            )
            number = self._remember((tenant, iri), int(found[0]))
        return number

    def get(self, tenant: str, entity_id: str) -> Doc | None:
        """Document of an entity, or None."""
        found = self._row(tenant, entity_id)
        return found[1] if found else None

    def put(self, tenant: str, doc: Doc) -> None:
        """Write a document, whether there is one of its id or not."""
        number = self.tenant(tenant)
        found = self._row(tenant, doc["id"])
        body = orjson.dumps(doc)
        before = None
        if found is None:
            seq = self.connection.execute(
                "INSERT INTO entity (tenant, id, doc) VALUES (?, ?, ?)", (number, doc["id"], body)
            ).lastrowid
        else:
            seq, before = found
            self.connection.execute("UPDATE entity SET doc = ? WHERE seq = ?", (body, seq))
        self._index(number, int(seq or 0), rows(before), rows(doc))
        self.changes.append(change(tenant, before, doc, self.at))

    def delete(self, tenant: str, entity_id: str) -> bool:
        """Delete an entity; returns whether it was there."""
        found = self._row(tenant, entity_id)
        if found is None:
            return False
        seq, before = found
        self._index(self.tenant(tenant), seq, rows(before), Rows())
        self.connection.execute("DELETE FROM entity WHERE seq = ?", (seq,))
        self.changes.append(change(tenant, before, None, self.at))
        return True

    def forget(self) -> None:
        """Forget the numbers that were given since the start; for the writer, after a rollback."""
        for key in self._new_ids:
            self._ids.pop(key, None)

    def _remember(self, key: tuple[int, str], number: int) -> int:
        self._ids[key] = number
        self._new_ids.append(key)
        return number

    def _row(self, tenant: str, entity_id: str) -> tuple[int, Doc] | None:
        found = self.connection.execute(
            "SELECT seq, doc FROM entity WHERE tenant = ? AND id = ?",
            (self.tenant(tenant), entity_id),
        ).fetchone()
        return (found[0], orjson.loads(found[1])) if found else None

    def _index(self, tenant: int, seq: int, old: Rows, new: Rows) -> None:
        """Bring the index from the old rows to the new ones; what stays is not touched."""
        many = self.connection.executemany
        for table, left, right in (
            ("entity_type", old.types, new.types),
            ("entity_attribute", old.attributes, new.attributes),
        ):
            for statement, names in (
                (f"DELETE FROM {table} WHERE term = ? AND entity = ?", left - right),  # noqa: S608
                (f"INSERT INTO {table} (term, entity) VALUES (?, ?)", right - left),  # noqa: S608
            ):
                if names:
                    many(statement, [(self.term(tenant, name), seq) for name in names])
        for statement, scopes in (
            (
                "DELETE FROM entity_scope WHERE tenant = ? AND scope = ? AND entity = ?",
                old.scopes - new.scopes,
            ),
            (
                "INSERT INTO entity_scope (tenant, scope, entity) VALUES (?, ?, ?)",
                new.scopes - old.scopes,
            ),
        ):
            if scopes:
                many(statement, [(tenant, scope, seq) for scope in scopes])
        for statement, values in (
            (
                "DELETE FROM entity_value WHERE term = ? AND value = ? AND entity = ?",
                old.values - new.values,
            ),
            (
                "INSERT INTO entity_value (term, value, entity) VALUES (?, ?, ?)",
                new.values - old.values,
            ),
        ):
            if values:
                many(statement, [(self.term(tenant, name), key, seq) for name, key in values])
        if old.places != new.places:
            self._places(tenant, seq, old, new)

    def _places(self, tenant: int, seq: int, old: Rows, new: Rows) -> None:
        execute = self.connection.execute
        if old.places:
            execute(
                "DELETE FROM place WHERE id IN (SELECT id FROM entity_place WHERE entity = ?)",
                (seq,),
            )
            execute("DELETE FROM entity_place WHERE entity = ?", (seq,))
        for name, rank, (west, south, east, north) in new.places:
            term = self.term(tenant, name)
            row = execute(
                "INSERT INTO entity_place (entity, term, rank) VALUES (?, ?, ?)", (seq, term, rank)
            ).lastrowid
            execute(
                "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (row, west, east, south, north, term, term + TERM_WIDTH, seq),
            )
