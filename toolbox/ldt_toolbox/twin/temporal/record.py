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
_INSERT = (
    "INSERT INTO instance (series, observed, created, modified, deleted, number, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def record(write: Transaction, changes: Sequence[Change]) -> None:
    """Keep what changed; a recorder of the store."""
    for change in changes:
        after, before = change.after, change.before
        states = list(_states(change))
        known = after or before or {}
        number, _ = evolution(write, change.tenant, known, gone=after is None)
        if states:
            add(write, change.tenant, number, states)


def evolution(
    write: Transaction, tenant: str, doc: Doc, *, gone: bool = False, join: bool = False
) -> tuple[int, bool]:
    """Number of the evolution of an entity, which is made or brought up to date.

    Parameters
    ----------
    write : Transaction
        The job.
    tenant : str
        Name of the tenant.
    doc : dict
        With id, type and maybe scope.
    gone : bool
        Whether the entity was just deleted.
    join : bool
        Whether types and scopes are added to those that are there, instead of taking their place.

    Returns
    -------
    tuple
        The number, and whether it is new.
    """
    execute, home = write.connection.execute, write.tenant(tenant)
    at = _at(write)
    row = execute(
        "SELECT id, head FROM history WHERE tenant = ? AND entity = ?", (home, doc["id"])
    ).fetchone()
    head: dict[str, Any] = {"type": doc["type"]}
    if doc.get("scope"):
        head["scope"] = doc["scope"]
    if row is None:
        number = execute(
            "INSERT INTO history (tenant, entity, head, created, modified, deleted)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (home, doc["id"], orjson.dumps(head), at, at, at if gone else None),
        ).lastrowid
        _types(write, home, int(number or 0), set(), set(doc["type"]))
        return int(number or 0), True
    number, old = int(row[0]), orjson.loads(row[1])
    if join:
        head["type"] = list(dict.fromkeys([*old["type"], *doc["type"]]))
        scopes = list(dict.fromkeys([*old.get("scope", ()), *doc.get("scope", ())]))
        head |= {"scope": scopes} if scopes else {}
    execute(
        "UPDATE history SET head = ?, modified = ?, deleted = ? WHERE id = ?",
        (orjson.dumps(head), at, at if gone else None, number),
    )
    if old["type"] != head["type"]:
        _types(write, home, number, set(old["type"]), set(head["type"]))
    return number, False


def add(write: Transaction, tenant: str, evolution_number: int, states: Iterable[State]) -> None:
    """Add instances to an evolution."""
    execute, home = write.connection.execute, write.tenant(tenant)
    series = {
        (term, dataset): int(number)
        for number, term, dataset in execute(
            "SELECT id, term, dataset FROM series WHERE history = ?", (evolution_number,)
        )
    }
    at, rows = _at(write), []
    for name, instance in states:
        key = (write.term(home, name), instance.get("datasetId", ""))
        number = series.get(key)
        if number is None:
            number = series[key] = int(
                execute(
                    "INSERT INTO series (history, term, dataset) VALUES (?, ?, ?)",
                    (evolution_number, *key),
                ).lastrowid
                or 0
            )
        deleted = at if "deletedAt" in instance else None
        rows.append((number, _observed(instance), at, at, deleted, *kept(instance)))
    write.connection.executemany(_INSERT, rows)


def kept(instance: Instance) -> tuple[float | None, bytes]:
    """What a row holds of an instance: its number, if it is one, and its members."""
    value = instance.get("value") if instance["type"] == "Property" else None
    number = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = number_key(value)
    members = {name: each for name, each in instance.items() if name != "datasetId"}
    return number, orjson.dumps(_plain(members))


def change_instance(write: Transaction, number: int, instance: Instance) -> None:
    """Put other members into an instance; createdAt stays."""
    count, body = kept(instance)
    write.connection.execute(
        "UPDATE instance SET observed = ?, modified = ?, number = ?, body = ? WHERE id = ?",
        (_observed(instance), _at(write), count, body, number),
    )


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


def _types(write: Transaction, home: int, number: int, old: set[str], new: set[str]) -> None:
    many = write.connection.executemany
    gone = [(write.term(home, name), number) for name in old - new]
    come = [(write.term(home, name), number) for name in new - old]
    many("DELETE FROM history_type WHERE term = ? AND history = ?", gone)
    many("INSERT INTO history_type (term, history) VALUES (?, ?)", come)


def _at(write: Transaction) -> int:
    return microseconds(write.at) or 0


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


def _plain(instance: Instance) -> Instance:
    out = {name: each for name, each in instance.items() if name not in _OURS}
    if "attrs" in out:
        out["attrs"] = {
            name: [_plain(each) for each in many] for name, many in out["attrs"].items()
        }
    return out
