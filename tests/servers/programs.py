"""Programs of others: fetched by name and version, started on a free port, stopped."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVERS = Path(__file__).parent


def from_npm(package: str, script: str, folder: Path) -> list[str]:
    """Command that runs one of our scripts beside a package; skips the test if there is none."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("node and npm are not installed")
    _fetch(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", package], package, folder
    )
    shutil.copy(SERVERS / script, folder)
    return ["node", str(folder / script)]


def from_pip(package: str, script: str, folder: Path) -> list[str]:
    """The same for a package of Python, in an environment of its own."""
    _fetch([sys.executable, "-m", "venv", str(folder / "venv")], package, folder)
    python = str(folder / "venv" / "bin" / "python")
    _fetch(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package],
        package, folder,
    )  # fmt: skip
    return [python, str(SERVERS / script)]


def _fetch(command: list[str], package: str, folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{package} did not come within 180 s")
    if done.returncode:
        pytest.skip(f"{package} cannot be had: {done.stderr.strip()[-200:]}")


@contextmanager
def running(command: list[str], *arguments: str) -> Iterator[int]:
    """Port of a program while it runs; the port is its first argument, `ready` its sign."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [*command, str(port), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as program:  # fmt: skip
        try:
            assert program.stdout is not None
            told = []
            for line in iter(program.stdout.readline, ""):
                told.append(line)
                if line.strip() == "ready":
                    break
            else:
                pytest.fail(f"{command[-1]} did not start: {''.join(told)}")
            yield port
        finally:
            program.terminate()
