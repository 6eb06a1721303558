"""What a server sent: kept beside the results, so that a run can be checked and repeated."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import OutputError

INPUTS = "inputs"
"""Folder of a run in which that is kept."""

FOLDER_VARIABLE = "LDT_RECEIVED"
"""Environment variable: folder in which `load` keeps what servers sent."""


@dataclass(frozen=True)
class Received:
    """One access to a server.

    Attributes
    ----------
    role : str
        The role that it served.
    protocol : str
        For example `ngsi-ld`.
    endpoint : str
        Address, without credentials.
    query : mapping
        What was asked for, as territory.yaml says it, without credentials.
    accessed : str
        When, in UTC (ISO 8601); empty if it was read from a snapshot.
    sha256 : str
        Hash of `content`.
    rejects : tuple of mapping
        Every record that was not used: where it stood and why.
    content : bytes
        What came, in a form that does not depend on the order in which it came.
    """

    role: str
    protocol: str
    endpoint: str
    query: Mapping[str, Any]
    accessed: str
    sha256: str
    rejects: tuple[Mapping[str, str], ...] = ()
    content: bytes = field(default=b"", repr=False)

    @property
    def description(self) -> dict[str, Any]:
        """All but the content."""
        return {
            "role": self.role,
            "protocol": self.protocol,
            "endpoint": self.endpoint,
            "query": dict(self.query),
            "accessed": self.accessed,
            "sha256": self.sha256,
            "rejects": [dict(reject) for reject in self.rejects],
        }

    def keep(self, folder: Path) -> Path:
        """Write `<role>.json` (what came) and `<role>.received.json` (from where, when, hash).

        Parameters
        ----------
        folder : pathlib.Path
            Made if it is not there.

        Returns
        -------
        pathlib.Path
            The snapshot; name it with `snapshot:` in territory.yaml to use it again.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        snapshot = folder / f"{self.role}.json"
        told = json.dumps(self.description, ensure_ascii=False, indent=1) + "\n"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, content in (
                (snapshot, self.content),
                (folder / f"{self.role}.received.json", told.encode()),
            ):
                part = path.with_name(f"{path.name}.part")
                part.write_bytes(content)
                part.replace(path)
        except OSError as error:
            raise OutputError(
                f"what {self.endpoint} sent cannot be kept in {folder}: {error.strerror}; free "
                "space or choose another folder"
            ) from error
        return snapshot


def canonical(content: Any) -> bytes:
    """JSON that is the same for the same content, whatever the order of its keys."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()  # fmt: skip


def sha256_of(content: bytes) -> str:
    """SHA-256 as hexadecimal text."""
    return hashlib.sha256(content).hexdigest()


@contextmanager
def kept_in(folder: Path) -> Iterator[Path]:
    """Let `load`, in this process and those that it starts, keep what servers send.

    Parameters
    ----------
    folder : pathlib.Path
        Made as soon as there is something to keep.
    """
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(folder.absolute())
    try:
        yield folder
    finally:
        if before is None:
            del os.environ[FOLDER_VARIABLE]
        else:
            os.environ[FOLDER_VARIABLE] = before


def keep(received: Received) -> None:
    """Keep what a server sent, where `kept_in` chose a folder."""
    if chosen := os.environ.get(FOLDER_VARIABLE, ""):
        received.keep(Path(chosen))


def descriptions(folder: Path) -> dict[str, dict[str, Any]]:
    """What was kept in a folder, by role: where it is from, when, its hash and its rejects."""
    found = {}
    for path in sorted(folder.glob("*.received.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        found[str(told["role"])] = told
    return found
