"""The one writer: jobs of many requests in one transaction of the file (group commit)."""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from ldt_toolbox.twin.store.documents import Change, clock
from ldt_toolbox.twin.store.transaction import Transaction

T = TypeVar("T")

Job = Callable[[Transaction], T]
"""A write; what it returns is the answer, what it raises undoes it."""

Recorder = Callable[[Transaction, Sequence[Change]], None]
"""Called with what a job changed, before it is committed and in the same transaction."""

Listener = Callable[[Sequence[Change]], None]
"""Called with what was changed, after it was committed, in order, one after the other."""

_LOG = logging.getLogger(__name__)

_GROUP_JOBS = 256
_GROUP_S = 0.05


class Writer:
    """A thread that writes.

    Parameters
    ----------
    connection : sqlite3.Connection
        In autocommit mode; nobody else writes through it.
    recorders, listeners : list
        Read at each job, so that they may be added at any time.

    Notes
    -----
    A job's future is done when its group is committed: what was acknowledged is in the file.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        recorders: list[Recorder],
        listeners: list[Listener],
        ids: dict[tuple[int, str], int],
    ) -> None:
        self._connection = connection
        self._recorders = recorders
        self._listeners = listeners
        self._ids = ids
        self._now = clock()
        self._jobs: queue.SimpleQueue[tuple[Job[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[Sequence[Change] | threading.Event | None] = (
            queue.SimpleQueue()
        )
        self._writing = threading.Thread(target=self._write, name="twin-writer", daemon=True)
        self._telling = threading.Thread(target=self._tell, name="twin-listeners", daemon=True)
        self._writing.start()
        self._telling.start()

    def submit(self, job: Job[T]) -> "Future[T]":
        """Queue a job."""
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    def settle(self, timeout_s: float = 30.0) -> bool:
        """Wait until the listeners have heard of all that is committed; False if they have not."""
        heard = threading.Event()
        self._told.put(heard)
        return heard.wait(timeout_s)

    def close(self) -> None:
        """Write what is queued, tell it, and end."""
        self._jobs.put(None)
        self._writing.join()
        self._told.put(None)
        self._telling.join()

    def _write(self) -> None:
        going = True
        while going:
            first = self._jobs.get()
            if first is None:
                return
            going = self._group(first)

    def _group(self, first: tuple[Job[Any], Future[Any]]) -> bool:
        """Do jobs until none waits or the time is up, and commit; False at the end of all."""
        execute = self._connection.execute
        done: list[tuple[Future[Any], Any]] = []
        taken = [first[1]]
        changes: list[Change] = []
        item: tuple[Job[Any], Future[Any]] | None = first
        until = time.monotonic() + _GROUP_S
        going = True
        try:
            execute("BEGIN IMMEDIATE")
            while item is not None:
                job, future = item
                if future.set_running_or_notify_cancel():
                    outcome = self._one(job, future, changes)
                    if outcome is not None:
                        done.append((future, outcome[0]))
                if len(done) >= _GROUP_JOBS or time.monotonic() > until:
                    break
                try:
                    item = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    going = False
                else:
                    taken.append(item[1])
            execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            self._ids.clear()
            for future in taken:
                if not future.done():
                    future.set_exception(error)
            return going
        if changes:
            self._told.put(changes)
        for future, result in done:
            future.set_result(result)
        return going

    def _one(
        self, job: Job[Any], future: "Future[Any]", changes: list[Change]
    ) -> tuple[Any] | None:
        """Do one job; what it returns in a tuple, or None if it failed and was undone alone.

        Raises
        ------
        BaseException
            What it raised, if everything of the group was undone with it.
        """
        execute = self._connection.execute
        transaction = Transaction(self._connection, self._now(), self._ids)
        execute("SAVEPOINT job")
        try:
            result = job(transaction)
            if transaction.changes:
                for recorder in self._recorders:
                    recorder(transaction, transaction.changes)
            execute("RELEASE job")
        except BaseException as error:
            transaction.forget()
            if not self._connection.in_transaction:
                raise  # SQLite has undone the whole group, as it does when the disk is full
            execute("ROLLBACK TO job")
            execute("RELEASE job")
            future.set_exception(error)
            return None
        changes.extend(transaction.changes)
        return (result,)

    def _tell(self) -> None:
        while True:
            told = self._told.get()
            if told is None:
                return
            if isinstance(told, threading.Event):
                told.set()
                continue
            for listener in tuple(self._listeners):
                try:
                    listener(told)
                except Exception:
                    _LOG.exception("a listener of the twin failed")
