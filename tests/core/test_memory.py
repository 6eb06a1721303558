import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest
from ldt_toolbox.memory import PeakMemory, kill_children, memory_limit


def test_the_limit_of_binder_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEM_LIMIT", raising=False)
    free = memory_limit()
    assert 0 < free <= psutil.virtual_memory().total
    monkeypatch.setenv("MEM_LIMIT", "1000000")
    assert memory_limit() == 1e6
    for text in ("0", "", "1G"):
        monkeypatch.setenv("MEM_LIMIT", text)
        assert memory_limit() > 1e6


def test_the_peak_is_seen_and_kept() -> None:
    with PeakMemory() as peak:
        time.sleep(0.2)
        before = peak.megabytes
        block = np.ones(20_000_000)  # 160 MB
        time.sleep(0.2)
        del block
    # the allocator may hand back pages of others meanwhile: a tenth is left open
    assert peak.megabytes - before > 0.9 * 160
    assert before > 0


def wait_until(true: Callable[[], bool]) -> None:
    """A process that was only just forked still bears its parent's name."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_only_kernels_among_the_children_are_ended() -> None:
    sleep = "import time; time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", sleep])
    kernel = subprocess.Popen([sys.executable, "-c", sleep, "ipykernel_launcher"])
    try:
        wait_until(lambda: "ipykernel_launcher" in psutil.Process(kernel.pid).cmdline())
        kill_children()
        assert not psutil.pid_exists(kernel.pid)
        assert other.poll() is None
    finally:
        for process in (other, kernel):
            process.kill()
            process.wait()
