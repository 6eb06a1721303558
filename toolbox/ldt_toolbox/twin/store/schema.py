"""Tables of the twin's file, and how a file of an earlier version becomes one of today's.

`PRAGMA user_version` is the number of upgrades that a file has seen; `upgrade` runs those that
are left, each in a transaction. An upgrade that was released is never changed: a new one follows.
"""

import sqlite3

from ldt_toolbox.errors import DataError

_FIRST = """
CREATE TABLE tenant (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE term (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, iri TEXT NOT NULL, UNIQUE (tenant, iri));
CREATE TABLE entity (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, id TEXT NOT NULL,
    doc BLOB NOT NULL, UNIQUE (tenant, id));
CREATE INDEX entity_tenant ON entity (tenant);
CREATE TABLE entity_type (
    term INTEGER NOT NULL, entity INTEGER NOT NULL, PRIMARY KEY (term, entity)) WITHOUT ROWID;
CREATE TABLE entity_attribute (
    term INTEGER NOT NULL, entity INTEGER NOT NULL, PRIMARY KEY (term, entity)) WITHOUT ROWID;
CREATE TABLE entity_scope (
    tenant INTEGER NOT NULL, scope TEXT NOT NULL, entity INTEGER NOT NULL,
    PRIMARY KEY (tenant, scope, entity)) WITHOUT ROWID;
CREATE TABLE entity_value (
    term INTEGER NOT NULL, value, entity INTEGER NOT NULL,
    PRIMARY KEY (term, value, entity)) WITHOUT ROWID;
CREATE INDEX entity_value_entity ON entity_value (entity, term, value);
CREATE TABLE entity_place (
    id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, term INTEGER NOT NULL, rank INTEGER NOT NULL);
CREATE INDEX entity_place_entity ON entity_place (entity);
CREATE VIRTUAL TABLE place USING rtree (
    id, west, east, south, north, term_low, term_high, +entity INTEGER);
CREATE TABLE context (
    id TEXT PRIMARY KEY, url TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body BLOB NOT NULL,
    created TEXT NOT NULL, used TEXT, hits INTEGER NOT NULL DEFAULT 0);
"""

#: Evolutions of entities; times are microseconds since the year 1.
_HISTORY = """
CREATE TABLE history (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, entity TEXT NOT NULL, head BLOB NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, deleted INTEGER, UNIQUE (tenant, entity));
CREATE TABLE history_type (
    term INTEGER NOT NULL, history INTEGER NOT NULL, PRIMARY KEY (term, history)) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, history INTEGER NOT NULL, term INTEGER NOT NULL, dataset TEXT NOT NULL,
    UNIQUE (history, term, dataset));
CREATE TABLE instance (
    id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, observed INTEGER,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, deleted INTEGER, number,
    body BLOB NOT NULL);
CREATE INDEX instance_observed ON instance (series, observed) WHERE observed IS NOT NULL;
CREATE INDEX instance_modified ON instance (series, modified);
CREATE INDEX instance_deleted ON instance (series, deleted) WHERE deleted IS NOT NULL;
"""

#: Subscriptions, and how their notifications went.
_SUBSCRIPTIONS = """
CREATE TABLE subscription (
    tenant INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, context BLOB NOT NULL,
    link TEXT NOT NULL, created TEXT NOT NULL, modified TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
    last_notification TEXT, last_success TEXT, last_failure TEXT, PRIMARY KEY (tenant, id));
"""

#: Extent of an attribute in the R-tree's third dimension. Without one all boxes have no volume, and
#: the tree, which splits and grows by volume, becomes a list.
TERM_WIDTH = 0.5

_TERM_EXTENTS = f"UPDATE place SET term_high = term_low + {TERM_WIDTH};\n"  # noqa: S608

#: Jobs of OGC API Processes, in the order in which they came.
_JOBS = """
CREATE TABLE job (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL);
"""

#: One text of SQL a version, in order.
UPGRADES: tuple[str, ...] = (_FIRST, _HISTORY, _SUBSCRIPTIONS, _TERM_EXTENTS, _JOBS)


#: "LDT1" in the file's head.
APPLICATION = 0x4C445431


class StoreVersionError(DataError):
    """A file was written by a later version of the twin."""


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Whether a file is a database of another program, such as a GeoPackage.

    Parameters
    ----------
    connection : sqlite3.Connection
        Nothing is written.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return application not in (0, APPLICATION) or bool(tables and not {"tenant", "term"} <= tables)


def upgrade(connection: sqlite3.Connection) -> int:
    """Bring a file up to today's tables.

    Parameters
    ----------
    connection : sqlite3.Connection
        In autocommit mode (`isolation_level` None).

    Returns
    -------
    int
        Version that the file had before; 0 for a new one.

    Raises
    ------
    StoreVersionError
        If the file is newer than this program.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(UPGRADES):
        raise StoreVersionError(
            f"the twin's file has version {found}, this program knows {len(UPGRADES)}: "
            "update ldt-toolbox, or start with another file"
        )
    for version, script in enumerate(UPGRADES[found:], found + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version:d}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    return found
