"""Writes history: with each write of an entity, and on its own (GS CIM 009 V1.8.1, 5.6.11 ff.).

An evolution is a row of `history`; each attribute and dataset of it a row of `series`; each state
that one was given a row of `instance`, in the order in which they came.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ldt_toolbox.twin.ngsi_ld.instances import NULL
from ldt_toolbox.twin.query.values import number_key
from ldt_toolbox.twin.store import VALUE_KEY, Change, Doc, Instance, Transaction
from ldt_toolbox.twin.temporal.instants import microseconds

State = tuple[str, Instance]
"""IRI of an attribute, and one instance of it."""

_OURS = frozenset({"createdAt", "modifiedAt", "deletedAt", "instanceId"})
_LEFT_OUT = _OURS | {"datasetId"}
_INSERT = (
    "INSERT INTO instance (series, observed, created, modified, deleted, number, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def record(write: Transaction, changes: Sequence[Change]) -> None:
    """Keep what changed; a recorder of the store."""
    recordings: dict[str, Recording] = {}
    for change in changes:
        recording = recordings.get(change.tenant)
        if recording is None:
            recording = recordings[change.tenant] = Recording(write, change.tenant)
        after = change.after
        known = after or change.before
        if known is not None:
            number, new = recording.evolution(known, gone=after is None)
            recording.add(number, _states(change), new=new)
    for recording in recordings.values():
        recording.finish()


class Recording:
    """Writes evolutions of a tenant in one job.

    Parameters
    ----------
    write : Transaction
        The job.
    tenant : str
        Name of the tenant.
    """

    def __init__(self, write: Transaction, tenant: str) -> None:
        self._write = write
        self._execute = write.connection.execute
        self._home = write.tenant(tenant)
        self._at = microseconds(write.at) or 0
        self._rows: list[tuple[Any, ...]] = []

    def evolution(self, doc: Doc, *, gone: bool = False, join: bool = False) -> tuple[int, bool]:
        """Number of the evolution of an entity, which is made or brought up to date.

        Parameters
        ----------
        doc : dict
            With id, type and maybe scope.
        gone : bool
            Whether the entity was just deleted.
        join : bool
            Whether types and scopes are added to those that are there, instead of taking their
            place.

        Returns
        -------
        tuple
            The number, and whether it is new.
        """
        at, deleted = self._at, self._at if gone else None
        row = self._execute(
            "SELECT id, head FROM history WHERE tenant = ? AND entity = ?", (self._home, doc["id"])
        ).fetchone()
        head = _head(doc["type"], doc.get("scope"))
        if row is None:
            made = self._execute(
                "INSERT INTO history (tenant, entity, head, created, modified, deleted)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._home, doc["id"], head, at, at, deleted),
            ).lastrowid
            self._types(int(made or 0), set(), set(doc["type"]))
            return int(made or 0), True
        number = int(row[0])
        if row[1] != head:
            old = orjson.loads(row[1])
            types = [*old["type"], *doc["type"]] if join else doc["type"]
            scopes = [*old.get("scope", ()), *doc.get("scope", ())] if join else doc.get("scope")
            head = _head(types, scopes)
            self._types(number, set(old["type"]), set(types))
        self._execute(
            "UPDATE history SET head = ?, modified = ?, deleted = ? WHERE id = ?",
            (head, at, deleted, number),
        )
        return number, False

    def add(self, number: int, states: Iterable[State], *, new: bool = False) -> None:
        """Add instances to an evolution; `new` says that it has none yet."""
        series: dict[tuple[int, str], int] = {}
        if not new:
            series = {
                (term, dataset): one
                for one, term, dataset in self._execute(
                    "SELECT id, term, dataset FROM series WHERE history = ?", (number,)
                )
            }
        at, term = self._at, self._write.term
        for name, instance in states:
            key = (term(self._home, name), instance.get("datasetId", ""))
            one = series.get(key)
            if one is None:
                made = self._execute(
                    "INSERT INTO series (history, term, dataset) VALUES (?, ?, ?)", (number, *key)
                ).lastrowid
                one = series[key] = int(made or 0)
            deleted = at if "deletedAt" in instance else None
            self._rows.append((one, _observed(instance), at, at, deleted, *kept(instance)))

    def finish(self) -> None:
        """Write the instances that were added."""
        self._write.connection.executemany(_INSERT, self._rows)
        self._rows = []

    def change(self, number: int, instance: Instance) -> None:
        """Put other members into an instance; createdAt stays."""
        self._execute(
            "UPDATE instance SET observed = ?, modified = ?, number = ?, body = ? WHERE id = ?",
            (_observed(instance), self._at, *kept(instance), number),
        )

    def _types(self, number: int, old: set[str], new: set[str]) -> None:
        for name in old - new:
            self._execute(
                "DELETE FROM history_type WHERE term = ? AND history = ?",
                (self._write.term(self._home, name), number),
            )
        for name in new - old:
            self._execute(
                "INSERT INTO history_type (term, history) VALUES (?, ?)",
                (self._write.term(self._home, name), number),
            )


def _head(types: Iterable[str], scopes: Iterable[str] | None) -> bytes:
    """What a row holds of an entity."""
    head = {"type": list(dict.fromkeys(types))}
    return orjson.dumps(head | {"scope": list(dict.fromkeys(scopes))} if scopes else head)


def kept(instance: Instance) -> tuple[float | None, bytes]:
    """What a row holds of an instance: its number, if it is one, and its members."""
    value = instance.get("value") if instance["type"] == "Property" else None
    number = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = number_key(value)
    body = {name: each for name, each in instance.items() if name not in _LEFT_OUT}
    if "attrs" in body:
        body["attrs"] = without_times(body["attrs"])
    return number, orjson.dumps(body)


def delete_series(write: Transaction, numbers: Iterable[int]) -> None:
    """Delete series with all their instances."""
    for number in numbers:
        write.connection.execute("DELETE FROM instance WHERE series = ?", (number,))
        write.connection.execute("DELETE FROM series WHERE id = ?", (number,))


def delete_evolution(write: Transaction, number: int) -> None:
    """Delete an evolution with all that it has."""
    execute = write.connection.execute
    found = execute("SELECT id FROM series WHERE history = ?", (number,)).fetchall()
    delete_series(write, [series for (series,) in found])
    execute("DELETE FROM history_type WHERE history = ?", (number,))
    execute("DELETE FROM history WHERE id = ?", (number,))


def _observed(instance: Instance) -> int | None:
    text = instance.get("observedAt")
    return microseconds(text) if text is not None else None


def _states(change: Change) -> Iterable[State]:
    """Instances that were written, and a Null for each that went (4.5.0)."""
    before, after = change.before, change.after
    for name in change.attributes:
        there = before["attrs"].get(name, ()) if before else ()
        old = {each.get("datasetId"): each for each in there}
        for each in after["attrs"].get(name, ()) if after else ():
            if old.pop(each.get("datasetId"), None) != each:
                yield name, each
        for gone in old.values():
            yield name, deleted_instance(gone, change.at)


def deleted_instance(instance: Instance, at: str) -> Instance:
    """What stands for an instance that was deleted: NGSI-LD Null and deletedAt (4.5.0)."""
    kind = instance["type"]
    value: Any = NULL
    if kind == "LanguageProperty":
        value = {"@none": NULL}
    elif kind in ("ListProperty", "ListRelationship"):
        value = [NULL]
    made: Instance = {"type": kind, VALUE_KEY[kind]: value, "deletedAt": at}
    return made | ({"datasetId": instance["datasetId"]} if "datasetId" in instance else {})


def without_times(attributes: dict[str, list[Instance]]) -> dict[str, list[Instance]]:
    """Attributes, and those of them, without the times of the twin."""
    out: dict[str, list[Instance]] = {}
    for name, many in attributes.items():
        out[name] = [{k: v for k, v in each.items() if k not in _OURS} for each in many]
        for each in out[name]:
            if "attrs" in each:
                each["attrs"] = without_times(each["attrs"])
    return out
