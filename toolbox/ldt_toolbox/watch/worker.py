"""The process that runs a use case again and again: what did not change stays loaded."""

import contextlib
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import LDTError
from ldt_toolbox.memory import PeakMemory
from ldt_toolbox.results import Results
from ldt_toolbox.sources import Inputs, Layer, Memory, load, load_role
from ldt_toolbox.sources.received import INPUTS, descriptions
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.watch.brokers import with_period

RUN_ID = "live"
"""Id of every run of a watch: what it publishes keeps its ids, and so gets a history."""


@dataclass(frozen=True)
class Job:
    """What is to be run.

    Attributes
    ----------
    roles : tuple of str
        Roles to load again; all others stay as they are.
    period : tuple of str
        Start and end for the sources that are brokers, or empty for those of territory.yaml.
    """

    roles: tuple[str, ...]
    period: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """What a run yielded.

    Attributes
    ----------
    indicators : mapping of str to float or None
        By id.
    loaded : tuple of str
        Roles that were loaded for it.
    steps : tuple of str
        Steps of the use case that were done for it; the results of the others still held.
    load_s, compute_s : float
        How long that took, in seconds.
    folder : pathlib.Path or None
        Where its results lie.
    problem : str
        Why there are none; empty if it went well.
    """

    indicators: Mapping[str, float | int | None] = field(default_factory=dict)
    loaded: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    load_s: float = 0.0
    compute_s: float = 0.0
    folder: Path | None = None
    problem: str = ""


def serve(
    pipe: Connection, case_path: Path, territory_path: Path, given: Mapping[str, Any], out: Path
) -> None:
    """Answer each job that comes through a pipe; runs in a process of its own.

    Parameters
    ----------
    pipe : multiprocessing.connection.Connection
        Jobs come, `Done` goes.
    case_path, territory_path : pathlib.Path
        Manifest and territory.yaml.
    given : mapping of str to object
        Parameter values.
    out : pathlib.Path
        Results go to `out/<territory>/<use case>/live/`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's matter
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    again = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            try:
                again = again or Again(case_path, territory_path, given, out)
                done = again.run(job)
            except LDTError as error:
                done = Done(problem=str(error))
            except Exception as error:  # whatever it is, the watch must be told
                done = Done(problem=f"{type(error).__name__}: {error}")
            pipe.send(done)


class Again:
    """A use case on a territory, with its inputs and what was made of them in memory.

    Parameters
    ----------
    case_path, territory_path, given, out
        As for `serve`.
    """

    def __init__(
        self, case_path: Path, territory_path: Path, given: Mapping[str, Any], out: Path
    ) -> None:
        self.case = UseCase.read(case_path)
        self.territory = Territory.read(territory_path)
        self._parameters = self.case.validate(given, territory=self.territory)
        self._folder = out / self.territory.id / self.case.id / RUN_ID
        self._layers: dict[str, Layer] = {}
        self._memory = Memory()

    def run(self, job: Job) -> Done:
        """Load what changed, compute, write.

        Raises
        ------
        LDTError
            If data cannot be read, the use case cannot answer, or the folder not be written.
        """
        start, began = datetime.now(UTC), time.monotonic()
        place = with_period(self.territory, *job.period) if job.period else self.territory
        with PeakMemory() as peak:
            inputs, loaded = self._inputs(place, job.roles)
            load_s = time.monotonic() - began
            self._memory.begin()
            results = self.case.compute(inputs, self._parameters)
        compute_s = time.monotonic() - began - load_s
        self._write(results, inputs, start, peak.megabytes)
        kept = {key: one.value for key, one in Results.read(self._folder).indicators.items()}
        steps = tuple(self._memory.done)
        return Done(kept, loaded, steps, load_s, compute_s, self._folder)

    def _inputs(self, territory: Territory, roles: Sequence[str]) -> tuple[Inputs, tuple[str, ...]]:
        if not self._layers:
            inputs = load(self.case, territory)
            self._layers = dict(inputs.layers)
            return replace(inputs, memory=self._memory), tuple(inputs.layers)
        fresh = {
            role: load_role(self.case.roles[role], territory)
            for role in roles
            if role in territory.sources
        }
        self._layers |= fresh
        missing = {
            role.id: role for role in self.case.roles.values() if role.id not in self._layers
        }
        return Inputs(territory, dict(self._layers), missing, self._memory), tuple(fresh)

    def _write(
        self, results: Results, inputs: Inputs, start: datetime, peak_memory_mb: float
    ) -> None:
        """Write beside, then take the place of the run before."""
        from ldt_toolbox.record import input_records, write_record

        part = self._folder.with_name(f".{RUN_ID}.part")
        shutil.rmtree(part, ignore_errors=True)
        results.write(part, self.case, territory=self.territory.id)
        for layer in inputs.layers.values():
            if layer.received is not None:
                layer.received.keep(part / INPUTS)
        records = input_records(self.case, inputs.territory, received=descriptions(part / INPUTS))
        write_record(
            part, self.case, inputs.territory, parameters=self._parameters, inputs=records,
            run_id=RUN_ID, start=start, end=datetime.now(UTC), peak_memory_mb=peak_memory_mb,
        )  # fmt: skip
        # whole or not there, for whoever reads it meanwhile
        old = self._folder.with_name(f".{RUN_ID}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self._folder.exists():
            self._folder.rename(old)
        part.rename(self._folder)
        shutil.rmtree(old, ignore_errors=True)
