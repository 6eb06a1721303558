"""Memory and processes: what is free, what a run took, what it left behind."""

import contextlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

SAMPLE_S = 0.1


def memory_limit() -> float:
    """Bytes that this process may still take.

    The smallest of the machine's free memory, the limit of the container (cgroup) and the
    MEM_LIMIT that JupyterHub and Binder set.
    """
    limits = [float(psutil.virtual_memory().available)]
    text = os.environ.get("MEM_LIMIT", "")
    if text.isdigit() and int(text) > 0:
        limits.append(float(text))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(float(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return min(limits)


class PeakMemory:
    """Largest resident memory of this process and its children, sampled while it is entered.

    Pages that processes share are counted once where the system tells them apart (Linux), as a
    container's limit counts them.

    Attributes
    ----------
    megabytes : float
        Peak so far, 10^6 bytes. Spikes shorter than a tenth of a second can be missed.
    """

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while True:
            total = 0
            for process in [me, *me.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += _resident(process)
            self.megabytes = max(self.megabytes, total / 1e6)
            if self._stop.wait(SAMPLE_S):
                return


def _resident(process: psutil.Process) -> int:
    if psutil.LINUX:
        return int(process.memory_full_info().pss)
    return int(process.memory_info().rss)


def kill_children() -> None:
    """End kernels that this process started and that still run."""
    kernels = [p for p in psutil.Process().children(recursive=True) if _is_kernel(p)]
    for process in kernels:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(kernels, timeout=3)
    for process in alive:
        try:
            process.kill()
        except psutil.Error:
            continue


def _is_kernel(process: psutil.Process) -> bool:
    try:
        return any("ipykernel" in word for word in process.cmdline())
    except psutil.Error:
        return False
