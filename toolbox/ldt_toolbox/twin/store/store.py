"""The twin's file: one SQLite database, one writer, as many readers as ask."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import orjson

from ldt_toolbox.errors import DataError
from ldt_toolbox.twin.store.documents import Doc
from ldt_toolbox.twin.store.schema import APPLICATION, is_foreign, upgrade
from ldt_toolbox.twin.store.writer import Job, Listener, Recorder, Writer

T = TypeVar("T")

_CHECK_EVERY = 20_000  # steps of SQLite's machine between two looks at the clock
#: Reads at work at once. Each lets Python go at every row, and with twenty of them the cores are
#: busy with passing it on.
_AT_ONCE = 2
_SHORT_S = 0.1  # after that a read lets the next one begin


class OutOfTimeError(Exception):
    """A read took longer than it may."""


class Store:
    """Entities, and whatever else the twin keeps, in one file.

    Parameters
    ----------
    path : path-like, optional
        The file; it is made if there is none. A temporary one, gone at the end, if left out.
    power_safe : bool
        Whether a commit waits for the disk. If not, what was acknowledged survives the death of
        the process (kill -9) but not that of the machine.

    Attributes
    ----------
    names : dict
        Numbers of tenants (by 0 and name) and of names (by tenant and IRI) that readers have looked
        up; numbers in the file never change.

    Raises
    ------
    DataError
        If the file cannot be opened or is none of a twin: nothing is written to it then.

    Notes
    -----
    The file is in WAL mode. Once closed it is one file, and a copy of it is a backup; while the
    store is open, `backup` makes one, or copy ``-wal`` with it after stopping the writers.
    """

    def __init__(self, path: str | Path | None = None, *, power_safe: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twin-") if path is None else None
        self.path = Path(self._folder.name if self._folder else "", path or "twin.sqlite")
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self.recorders: list[Recorder] = []
        self.listeners: list[Listener] = []
        ids: dict[tuple[int, str], int] = {}  # of the writer, who may have to take some back
        self.names: dict[tuple[int, str], int] = {}
        connection = self._open()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if power_safe else 'NORMAL'}")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        try:
            upgrade(connection)
        except BaseException:
            connection.close()
            raise
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        self._connection = connection
        self._writer = Writer(
            connection,
            recorders=self.recorders,
            listeners=self.listeners,
            ids=ids,
        )

    def write(self, job: Job[T]) -> "Future[T]":
        """Queue a write; its future is done when it is safely in the file."""
        return self._writer.submit(job)

    def read(self, job: Callable[[sqlite3.Connection], T], *, within_s: float = 60.0) -> T:
        """Do a read, in this thread, on one state of the file.

        Parameters
        ----------
        job : callable
            Takes a connection that cannot write.
        within_s : float
            Seconds after which SQLite is stopped.

        Raises
        ------
        OutOfTimeError
            If it took longer.
        """
        connection = self._reader()
        self._turns.acquire()
        self._local.begun = time.monotonic()
        self._local.until = self._local.begun + within_s
        try:
            connection.execute("BEGIN")
            return job(connection)
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise OutOfTimeError(f"a query took longer than {within_s:g} s") from None
            raise
        finally:
            self._let_others()
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def tenant_number(self, connection: sqlite3.Connection, name: str) -> int | None:
        """Number of a tenant in the index, inside a `read`; None if it has nothing."""
        number = self.names.get((0, name))
        if number is None:
            found = connection.execute("SELECT id FROM tenant WHERE name = ?", (name,)).fetchone()
            if found:
                number = self.names[0, name] = int(found[0])
        return number

    def check_time(self) -> None:
        """Raise if the read of this thread has no time left; for loops in Python."""
        if self._late():
            raise OutOfTimeError("a query took longer than it may")

    def get(self, tenant: str, entity_id: str) -> Doc | None:
        """Document of an entity, or None."""

        def job(connection: sqlite3.Connection) -> Doc | None:
            found = connection.execute(
                "SELECT doc FROM entity WHERE id = ? AND"
                " tenant = (SELECT id FROM tenant WHERE name = ?)",
                (entity_id, tenant),
            ).fetchone()
            return orjson.loads(found[0]) if found else None

        return self.read(job)

    def tenants(self) -> list[str]:
        """Names of the tenants that hold or held something; the default one is empty."""

        def job(connection: sqlite3.Connection) -> list[str]:
            return [name for (name,) in connection.execute("SELECT name FROM tenant ORDER BY name")]

        return self.read(job)

    def settle(self) -> bool:
        """Wait until the listeners have heard of all that is committed."""
        return self._writer.settle()

    def backup(self, path: str | Path) -> None:
        """Copy the store as it is now into another file, while it is in use."""
        target = sqlite3.connect(path)
        try:
            self._reader().backup(target)
        finally:
            target.close()

    def close(self) -> None:
        """Write what is queued and leave one file without a log beside it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._writer.close()
        for reader in self._readers:
            reader.close()
        self._connection.execute("PRAGMA optimize")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA cache_size = -4096")
            connection.set_progress_handler(self._late, _CHECK_EVERY)
            self._local.connection = connection
            self._local.begun = self._local.until = float("inf")
            with self._lock:
                self._readers.append(connection)
        return connection

    def _late(self) -> int:
        at = time.monotonic()
        if at > self._local.begun + _SHORT_S:
            self._let_others()
        return int(at > self._local.until)

    def _let_others(self) -> None:
        """Give up the turn of this thread's read, once."""
        if self._local.begun < float("inf"):
            self._local.begun = float("inf")
            self._turns.release()

    def _open(self) -> sqlite3.Connection:
        """First connection, to a file that is the twin's or will be."""
        connection = None
        try:
            connection = self._connect()
            if not is_foreign(connection):
                return connection
        except sqlite3.DatabaseError as error:
            problem = (
                f"{self.path} cannot be the twin's file ({error}): name a file in a folder that is "
                "there, a new one or one of an earlier twin"
            )
        else:
            problem = (
                f"{self.path} is a database of another program, and is left as it is: name another "
                "file"
            )
        if connection is not None:
            connection.close()
        raise DataError(problem)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
            cached_statements=512,
        )
