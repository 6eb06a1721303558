"""Programs of others that run on Node: fetched from npm by name and version, started, stopped."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVERS = Path(__file__).parent


def installed(package: str, script: str, folder: Path) -> Path:
    """Folder with a package and one of our scripts; skips the test if it can't be had."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("node and npm are not installed")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", package]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer within 180 s")
    if done.returncode:
        pytest.skip(f"npm cannot get {package}: {done.stderr.strip()[-200:]}")
    shutil.copy(SERVERS / script, folder)
    return folder / script


@contextmanager
def running(script: Path, *arguments: str) -> Iterator[int]:
    """Port of the script while it runs; the port is its first argument, `ready` its sign."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", script.name, str(port), *arguments]
    with subprocess.Popen(
        command, cwd=script.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        try:
            assert program.stdout is not None
            told = []
            for line in iter(program.stdout.readline, ""):
                told.append(line)
                if line.strip() == "ready":
                    break
            else:
                pytest.fail(f"{script.name} did not start: {''.join(told)}")
            yield port
        finally:
            program.terminate()
