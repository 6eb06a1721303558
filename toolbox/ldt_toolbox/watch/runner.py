"""Starts the worker process, hands it jobs, and ends it whatever it is doing."""

import multiprocessing
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ldt_toolbox.watch.worker import Done, Job, serve

_LOOK_S = 0.1
_END_S = 5.0


class Runner:
    """One worker process, started when it is needed and again if it died.

    Parameters
    ----------
    case_path, territory_path, given, out
        As for `worker.serve`.
    """

    def __init__(
        self, case_path: Path, territory_path: Path, given: Mapping[str, Any], out: Path
    ) -> None:
        self._arguments = (case_path, territory_path, dict(given), out)
        self._process: Any = None
        self._pipe: Any = None
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def run(self, job: Job) -> Done | None:
        """Run a job and wait for it; None if the runner was closed meanwhile."""
        with self._lock:  # a process is whole or not there when `close` ends it
            if self._closed.is_set():
                return None
            if self._process is None or not self._process.is_alive():
                self._start()
        try:
            self._pipe.send(job)
            while not self._pipe.poll(_LOOK_S):
                if self._closed.is_set():
                    return None
                if not self._process.is_alive() and not self._pipe.poll():
                    return self._died()
            done = self._pipe.recv()
        except (EOFError, OSError):
            return None if self._closed.is_set() else self._died()
        assert isinstance(done, Done)  # noqa: S101 - the worker sends nothing else
        return done

    def close(self) -> None:
        """End the process, also in the middle of a run."""
        with self._lock:
            self._closed.set()
            process = self._process
        if process is None:
            return
        process.terminate()
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join(_END_S)

    def _start(self) -> None:
        # a fresh interpreter: a fork would copy the threads' locks in whatever state they are
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, *self._arguments), name="ldt-watch", daemon=True
        )
        self._process.start()
        theirs.close()
        self._pipe = ours

    def _died(self) -> Done:
        self._process.join(_END_S)
        code = self._process.exitcode
        return Done(
            problem=f"the process of the run ended with {code}, most often because memory ran out; "
            "everything is loaded anew for the next one"
        )
