"""Files of a publication: written whole or not at all, by one command at a time."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import DataError, OutputError
from ldt_toolbox.sources import file_sha256

#: Seconds to wait for another command.
_WAIT_S = 120.0


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let nobody else who asks so write to a folder; a process that dies lets the next one in.

    Raises
    ------
    OutputError
        If another command takes too long, or the folder cannot be written.

    Notes
    -----
    The lock is SQLite's, on a file that stays empty: it holds on all systems between processes.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    with contextlib.closing(sqlite3.connect(folder / ".lock", timeout=_WAIT_S)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"{folder} cannot be written ({error}): another command may be at work there; call "
                "this one again"
            ) from None
        yield


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document for people to read."""
    write_text(path, json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def copy(source: Path, path: Path, *, sha256: str) -> None:
    """Copy a file, unless the same is there."""
    if path.is_file() and file_sha256(path) == sha256:
        return
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, part)
        part.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def read_json(path: Path) -> Any:
    """Read a JSON document; None if there is none.

    Raises
    ------
    DataError
        If it is no JSON.
    """
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}): take another folder") from None


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written ({error.strerror or error}): free space or choose another folder"
    )
