"""Jobs: one at a time, each in a process of its own that is bounded and can be ended.

They are in the twin's file before they are acknowledged, and so are their ends. A twin that starts
takes up those that waited when the one before was killed; the one that ran has failed.
"""

import contextlib
import json
import logging
import os
import queue
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psutil

from ldt_toolbox.twin.ogc.answers import refused
from ldt_toolbox.twin.store import Store, Transaction

_LOG = logging.getLogger(__name__)
_QUEUED = 50
_KEPT = 500
_GRACE_S = 6.0
_WATCH_S = 0.2
_LEAST_BYTES = 2e9


def now() -> str:
    """Tell the time, RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Job:
    """A use case that is to run, runs or ran.

    Attributes
    ----------
    id, process : str
        Identifiers of the job and of the use case.
    task : mapping
        What the worker reads: `use_case`, `territory`, `given`.
    memory_bytes, seconds : float
        What it may take at most.
    outputs : tuple of str
        Those that were asked for; all if empty.
    raw : bool
        Whether results are links in headers, and not a document of links.
    status : str
        ``accepted``, ``running``, ``successful``, ``failed`` or ``dismissed``.
    progress : int
        Percent.
    message : str
        What goes on, or why it failed.
    created, updated, started, finished : str
        Instants; empty if not yet.
    place : tuple of str
        Territory, use case and run of its results; empty before.
    ended : threading.Event
        Set with the last status.
    keep : callable
        Writes it down; called with the job when its status changes for good.
    """

    process: str
    task: Mapping[str, Any]
    memory_bytes: float
    seconds: float
    outputs: tuple[str, ...] = ()
    raw: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "accepted"
    progress: int = 0
    message: str = "waiting"
    created: str = field(default_factory=now)
    updated: str = field(default_factory=now)
    started: str = ""
    finished: str = ""
    place: tuple[str, str, str] = ("", "", "")

    def __post_init__(self) -> None:
        self.ended = threading.Event()
        self.keep: Callable[[Job], None] = lambda job: None
        self._lock = threading.Lock()

    def end(self, status: str, message: str) -> None:
        """Set the last status, and keep it before anybody hears of it."""
        with self._lock:
            if not self.ended.is_set():
                self.status, self.message, self.finished = status, message, now()
                self.updated = self.finished
                try:
                    self.keep(self)
                finally:
                    self.ended.set()

    def begin(self) -> bool:
        """Whether it may run: it was not dismissed meanwhile."""
        with self._lock:
            if self.ended.is_set():
                return False
            self.status, self.started, self.message = "running", now(), "starting"
            self.updated = self.started
            self.keep(self)
            return True


class Jobs:
    """The queue of jobs.

    Parameters
    ----------
    root : pathlib.Path or None
        Folder of results; a temporary one if left out.
    store : Store
        The twin's file, which keeps them.
    """

    def __init__(self, root: Path | None, store: Store) -> None:
        self._own = None if root else tempfile.TemporaryDirectory(prefix="ldt-runs-")
        self.root = root or Path(self._own.name if self._own else "")
        self._jobs: dict[str, Job] = {}
        self._queue: queue.Queue[Job | None] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._current: tuple[Job, psutil.Process] | None = None
        self._closed = False
        self._store = store
        self._take_up()

    def _take_up(self) -> None:
        """Jobs of the file: those that waited wait again."""

        def job(connection: sqlite3.Connection) -> list[bytes]:
            found = connection.execute("SELECT body FROM job ORDER BY number").fetchall()
            return [body for (body,) in found]

        for body in self._store.read(job):
            told = json.loads(body)
            kept = Job(**{**told, "place": tuple(told["place"]), "outputs": tuple(told["outputs"])})
            kept.keep = self._keep
            self._jobs[kept.id] = kept
            if kept.status == "running":
                kept.end("failed", "the twin ended while it ran: execute it again")
            elif kept.status == "accepted":
                self._start(kept)
            else:
                kept.ended.set()

    def _keep(self, job: Job) -> None:
        body = json.dumps(asdict(job)).encode()

        def write(to: Transaction) -> None:
            to.connection.execute(
                "INSERT INTO job (id, body) VALUES (?, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (job.id, body),
            )

        self._store.write(write).result()

    def _forget(self, job: Job) -> None:
        del self._jobs[job.id]

        def write(to: Transaction) -> None:
            to.connection.execute("DELETE FROM job WHERE id = ?", (job.id,))

        self._store.write(write).result()

    def _start(self, job: Job) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="twin-jobs", daemon=True)
            self._thread.start()
        self._queue.put(job)

    def all(self) -> list[Job]:
        """Jobs, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, job_id: str) -> Job | None:
        """One job."""
        return self._jobs.get(job_id)

    def submit(self, job: Job) -> None:
        """Queue a job.

        Raises
        ------
        ProblemError
            503 if too many wait.
        """
        with self._lock:
            if self._closed or self._queue.qsize() >= _QUEUED:
                raise refused(f"{_QUEUED} jobs wait already: try again later", status=503)
            job.keep = self._keep
            self._keep(job)
            self._jobs[job.id] = job
            over = len(self._jobs) - _KEPT
            for each in [one for one in self._jobs.values() if one.ended.is_set()][: max(over, 0)]:
                self._forget(each)
            self._start(job)

    def dismiss(self, job: Job) -> None:
        """End a job that waits or runs; forget one that has ended. Results stay on disk."""
        if job.ended.is_set():
            with self._lock:
                if job.id in self._jobs:
                    self._forget(job)
            return
        job.end("dismissed", "dismissed")
        current = self._current
        if current and current[0] is job:
            _end(current[1])

    def close(self) -> None:
        """End what runs and what waits."""
        with self._lock:
            self._closed = True
        for job in self.all():
            if not job.ended.is_set():
                self.dismiss(job)
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(30)
        if self._own:
            self._own.cleanup()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                if job.begin():
                    self._run(job)
            except Exception as error:
                _LOG.exception("job %s failed", job.id)
                job.end("failed", f"the job could not be run: {type(error).__name__}")

    def _run(self, job: Job) -> None:
        staging = self.root / ".jobs" / job.id
        staging.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryFile() as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "ldt_toolbox.twin.ogc.worker"],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                    encoding="utf-8", env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )  # fmt: skip
                with process:
                    self._attend(job, process, staging)
                if not job.ended.is_set():
                    job.end("failed", f"the process ended early ({_reason(process, log)})")
        finally:
            self._current = None
            shutil.rmtree(staging, ignore_errors=True)

    def _attend(self, job: Job, process: "subprocess.Popen[str]", staging: Path) -> None:
        handle = psutil.Process(process.pid)
        self._current = (job, handle)
        watch = threading.Thread(target=_watch, args=(job, process, handle), daemon=True)
        watch.start()
        if job.ended.is_set():  # dismissed between the queue and the start
            _end(handle)
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")  # cannot be: they were asked for
        with contextlib.suppress(BrokenPipeError):
            json.dump({**job.task, "out": str(staging)}, process.stdin)
            process.stdin.close()
        for line in process.stdout:
            with contextlib.suppress(json.JSONDecodeError):
                self._told(job, json.loads(line))
        process.wait()
        watch.join()

    def _told(self, job: Job, what: Mapping[str, Any]) -> None:
        if job.ended.is_set():
            return
        if "progress" in what:
            done, total, step = what["progress"]
            job.progress = min(99, int(100 * done / max(total, 1)))
            job.message, job.updated = str(step), now()
        elif "error" in what:
            job.end("failed", str(what["error"]))
        else:
            made = Path(what["run"])
            place = (made.parts[-3], made.parts[-2], made.parts[-1])
            final = self.root.joinpath(*place)
            final.parent.mkdir(parents=True, exist_ok=True)
            made.rename(final)
            job.place, job.progress = place, 100
            job.end("successful", "done")


def _watch(job: Job, process: "subprocess.Popen[str]", handle: psutil.Process) -> None:
    """End a process that takes more memory or time than it may."""
    until = time.monotonic() + job.seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_WATCH_S)
            return
        taken = 0
        with contextlib.suppress(psutil.Error):  # it can end while it is looked at
            for each in (handle, *handle.children(recursive=True)):
                taken += each.memory_info().rss
        if taken > job.memory_bytes:
            job.end("failed", f"it took more than {job.memory_bytes / 1e9:.1f} GB of memory")
        elif time.monotonic() > until:
            job.end("failed", f"it took longer than {job.seconds / 60:.0f} min")
        else:
            continue
        _end(handle)
        return


def _end(process: psutil.Process) -> None:
    """End a process and all that it started: with a word first, by force after a while."""
    found = []
    with contextlib.suppress(psutil.Error):
        found = process.children(recursive=True)
    with contextlib.suppress(psutil.Error):
        process.terminate()
    _, alive = psutil.wait_procs([process], timeout=_GRACE_S)
    for each in {*alive, *found}:
        with contextlib.suppress(psutil.Error):
            each.kill()


def _reason(process: "subprocess.Popen[str]", log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - 300))
    lines = log.read().decode(errors="replace").strip().splitlines()
    return f"exit code {process.returncode}" + (f": {lines[-1]}" if lines else "")


def bounds(resources: Mapping[str, float]) -> tuple[float, float]:
    """Bytes and seconds that a job may take: three and ten times what its manifest says."""
    memory = max(_LEAST_BYTES, 3e9 * float(resources["memory_gb"]))
    return memory, max(600.0, 600.0 * float(resources["minutes"]))
