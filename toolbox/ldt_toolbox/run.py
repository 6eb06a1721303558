"""One run: execute a use case's notebook, write the report and the record, leave nothing half."""

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldt_toolbox.errors import LDTError, OutputError, RunError
from ldt_toolbox.memory import PeakMemory, kill_children, memory_limit
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.sources import load
from ldt_toolbox.sources.received import INPUTS, kept_in
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

if TYPE_CHECKING:
    import nbformat

NOTEBOOK = "notebook.ipynb"
MINIMUM_FREE_BYTES = 50_000_000
CELL_TIMEOUT_S = 3600

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    id : str
        Starts with the time of the start in UTC.
    folder : pathlib.Path
        Notebook, layers, tables, indicators, report and record.
    report : pathlib.Path
        The page to open.
    seconds : float
        From start to end.
    peak_memory_mb : float
        Largest resident memory of this process and the notebook's kernel together.
    """

    id: str
    folder: Path
    report: Path
    seconds: float
    peak_memory_mb: float


def run(
    case: UseCase,
    territory: Territory,
    given: Mapping[str, Any] | None = None,
    *,
    out: Path = Path("results"),
    progress: Progress | None = None,
) -> Run:
    """Run a use case on a territory.

    Parameters
    ----------
    case : UseCase
        What to run.
    territory : Territory
        Where.
    given : mapping of str to object, optional
        Parameter values; unknown names are refused.
    out : pathlib.Path
        Results go to `out/<territory>/<use case>/<run id>/`.
    progress : callable, optional
        Called with (cells done, cells in all, what is going on).

    Raises
    ------
    ParameterError
        If a parameter is unknown or out of range; nothing has been written then.
    DataError
        If the territory lacks a role that is required, or data cannot be read.
    OutputError
        If results cannot be written.
    RunError
        If a cell failed, the kernel died or time ran out; `<run id>.failed/` keeps the notebook
        and the reason.
    """
    parameters = case.validate(given, territory=territory)
    _refuse_missing_roles(case, territory)
    _refuse_low_memory(case)
    start = datetime.now(UTC)
    run_id = _run_id(case, territory, parameters, start)
    parent = out / territory.id / case.id
    staging = parent / f".{run_id}.part"
    _make_writable(staging)
    with PeakMemory() as peak:
        try:
            with kept_in(staging / INPUTS):
                steps = _execute(case, territory, parameters, staging, progress)
            if not (staging / "indicators.json").exists():
                raise RunError(
                    f"the notebook of {case.id} came to its end without saving results: "
                    "its last cell must call `results.write(...)`"
                )
            if progress:
                progress(steps, steps, "report")
            _finish(case, territory, parameters, staging, run_id, start, peak)
        except BaseException as error:
            kept = _keep_failure(staging, parent / f"{run_id}.failed", error)
            if isinstance(error, LDTError) and kept:
                error.args = (f"{error}\nkept: {kept}",)
                raise
            if isinstance(error, OSError):
                raise OutputError(f"{_os_reason(error)}\nkept: {kept}") from error
            raise
    final = parent / run_id
    staging.rename(final)
    seconds = (datetime.now(UTC) - start).total_seconds()
    return Run(run_id, final, final / "report.html", seconds, peak.megabytes)


def _refuse_missing_roles(case: UseCase, territory: Territory) -> None:
    if any(r.required and r.id not in territory.sources for r in case.roles.values()):
        load(case, territory)  # raises, naming all of them


def _refuse_low_memory(case: UseCase) -> None:
    needed = float(case.resources["memory_gb"]) * 1e9
    limit = memory_limit()
    if limit < 0.5 * needed:
        raise RunError(
            f"{case.id} needs up to {needed / 1e9:g} GB of memory, {limit / 1e9:.2f} GB are free: "
            "close other programs or notebooks"
        )


def _run_id(case: UseCase, territory: Territory, parameters: Parameters, start: datetime) -> str:
    seed = json.dumps(
        [case.id, case.version, territory.id, dict(parameters), os.getpid(), start.isoformat()],
        default=str,
    )
    return f"{start:%Y%m%dT%H%M%SZ}-{hashlib.sha256(seed.encode()).hexdigest()[:6]}"


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
        probe = folder / ".probe"
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputError(
            f"results cannot be written to {folder.parent}: {error.strerror}; "
            "choose another folder with --out"
        ) from error
    if free < MINIMUM_FREE_BYTES:
        shutil.rmtree(folder)
        raise OutputError(
            f"only {free / 1e6:.0f} MB are free in {folder.parent}, "
            f"{MINIMUM_FREE_BYTES / 1e6:.0f} MB are needed: free space or choose another --out"
        )


def _execute(
    case: UseCase,
    territory: Territory,
    parameters: Parameters,
    staging: Path,
    progress: Progress | None,
) -> int:
    import papermill
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in parameters.items()
    }
    given |= {
        "territory": _reference(territory),
        "results_folder": str(staging),
        "territory_values": False,
    }
    sockets = Path(tempfile.mkdtemp(prefix="ldt-"))

    class Manager(AsyncKernelManager):
        """Kernel on local sockets of its own: two runs never meet, nothing listens on TCP."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            if os.name == "posix":
                self.transport, self.ip = "ipc", str(sockets / "k")

    cells: list[int] = []

    def told(cell: "nbformat.NotebookNode", cell_index: int, **_: Any) -> None:
        cells.append(cell_index)
        if progress:
            progress(len(cells), total, _headline(notebook, cell_index))

    import nbformat as nbf

    notebook = nbf.read(case.notebook, as_version=4)  # type: ignore[no-untyped-call]
    # papermill adds the cell with the values; the report is the last step
    total: int = sum(c.cell_type == "code" for c in notebook.cells) + 2
    reason = ""
    # papermill's own check of parameter names does not know `float | None`; ours came before
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        papermill.execute_notebook(
            str(case.notebook), str(staging / NOTEBOOK), parameters=given, kernel_name="python3",
            progress_bar=False, log_output=False, execution_timeout=CELL_TIMEOUT_S,
            kernel_manager_class=Manager, on_cell_executed=told, cwd=str(Path.cwd()),
        )  # fmt: skip
    except PapermillExecutionError as error:
        reason = f"cell {error.exec_count} of the notebook failed: {error.ename}: {error.evalue}"
    except DeadKernelError:
        reason = (
            f"the notebook's kernel died after cell {len(cells)}, most often because memory "
            "ran out: raise cell_size_m or close other notebooks"
        )
    except CellTimeoutError:
        reason = f"cell {len(cells) + 1} took longer than {CELL_TIMEOUT_S} s"
    finally:
        kill_children()
        shutil.rmtree(sockets, ignore_errors=True)
    if reason:
        raise RunError(f"{case.id} on {territory.id}: {reason}")
    return total


def _reference(territory: Territory) -> str:
    """How the notebook finds the territory again: a bundled id, else the path."""
    from ldt_toolbox.territory import bundled_territories

    bundled = dict(bundled_territories())
    if bundled.get(territory.id) == territory.folder:
        return territory.id
    return str(territory.path)


def _headline(notebook: "nbformat.NotebookNode", index: int) -> str:
    """Nearest heading above a cell. Papermill adds one cell, so the index may be off by one."""
    for cell in reversed(notebook.cells[: index + 1]):
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("#"):
                    return str(line.lstrip("# "))
    return ""


def _finish(
    case: UseCase,
    territory: Territory,
    parameters: Parameters,
    staging: Path,
    run_id: str,
    start: datetime,
    peak: PeakMemory,
) -> None:
    from ldt_toolbox.record import input_records, write_record
    from ldt_toolbox.report import write_report
    from ldt_toolbox.sources.received import descriptions

    inputs = input_records(case, territory, received=descriptions(staging / INPUTS))
    write_report(staging, case, territory, run_id=run_id, parameters=parameters, inputs=inputs)
    write_record(
        staging, case, territory, parameters=parameters, inputs=inputs, run_id=run_id,
        start=start, end=datetime.now(UTC), peak_memory_mb=peak.megabytes,
    )  # fmt: skip


def _keep_failure(staging: Path, kept: Path, error: BaseException) -> Path | None:
    """Keep the notebook and the reason, drop everything else that was written."""
    try:
        notebook = staging / NOTEBOOK
        if notebook.exists():
            kept.mkdir(parents=True)
            notebook.rename(kept / NOTEBOOK)
            reason = str(error) or type(error).__name__
            (kept / "reason.txt").write_text(reason + "\n", encoding="utf-8")
        shutil.rmtree(staging, ignore_errors=True)
    except OSError as second:
        print(f"the failed run could not be kept: {second}", file=sys.stderr)
        return None
    return kept if kept.exists() else None


def _os_reason(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"writing failed{where}: {error.strerror or error}; free space or choose another --out"
