"""A file on its way: `<name>.part` until it is whole and its hash is right.

An interrupted download is taken up where it stopped, in the same call or in a later one, if the
server gave a strong ETag or a date by which it can be told that the file is still the same
(RFC 9110, 13.1.5); else it starts anew.
"""

import contextlib
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

from ldt_toolbox.clients.body import coding_of
from ldt_toolbox.clients.errors import HashMismatch, Truncated
from ldt_toolbox.clients.retry import http_date
from ldt_toolbox.errors import OutputError

_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class PartFile:
    """The unfinished file of one download. Made by `claim`.

    Attributes
    ----------
    size : int
        Bytes on disk.
    resumed : bool
        Whether bytes of an earlier attempt are in it.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._final = path
        self._url = url
        self._shared = path.with_name(path.name + ".part")
        # Nobody else writes here: two downloads of one path never mix
        self._own = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        self._validator = ""
        self._total: int | None = None
        self.size = 0
        self.resumed = False

    @classmethod
    @contextlib.contextmanager
    def claim(cls, path: Path, url: str) -> Iterator["PartFile"]:
        """Take over what an earlier download left, and leave what this one could not finish.

        Parameters
        ----------
        path : pathlib.Path
            Where the whole file will lie.
        url : str
            Where it comes from, without secrets.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        part = cls(path, url)
        with part._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            part._adopt()
        try:
            yield part
        finally:
            part._leave()

    @property
    def _note(self) -> Path:
        return self._shared.with_name(self._shared.name + ".json")

    def _adopt(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._shared.rename(self._own)  # atomic: one of several wins
            with contextlib.suppress(ValueError, AttributeError, FileNotFoundError):
                note: Any = json.loads(self._note.read_text(encoding="utf-8"))
                if note.get("url") == self._url:
                    self._validator = str(note.get("validator", ""))
            self._note.unlink(missing_ok=True)
        if self._validator:
            self.size = self._own.stat().st_size
        else:
            self._own.write_bytes(b"")

    def _leave(self) -> None:
        if not self._own.exists():
            return
        if self._validator and self._own.stat().st_size and not self._shared.exists():
            note = {"url": self._url, "validator": self._validator}
            self._note.write_text(json.dumps(note), encoding="utf-8")
            self._own.rename(self._shared)
        else:
            self._own.unlink()

    def question(self) -> dict[str, str]:
        """Headers that ask for what is missing; empty if everything is."""
        if not (self.size and self._validator):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self._validator}

    def restart(self) -> None:
        """Throw away what is there."""
        with self._writing():
            self._own.write_bytes(b"")
        self.size, self._validator, self._total, self.resumed = 0, "", None, False

    def begin(self, response: requests.Response, what: str) -> None:
        """Hold an answer against what was asked for.

        Raises
        ------
        Truncated
            It does not continue what is there; the next attempt starts anew.
        """
        if response.status_code == 206:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if match and int(match[1]) == self.size:
                self.resumed = self.size > 0
                self._total = None if match[3] == "*" else int(match[3])
                return
        if response.status_code in (206, 416):
            self.restart()
            raise Truncated(
                f"{what}: the server did not continue the download where it stopped; try again"
            )
        self.restart()
        self._validator = "" if coding_of(response) else _validator(response.headers)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append what arrives."""
        with self._writing(), self._own.open("ab", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                self.size += len(piece)

    def check_size(self, what: str) -> None:
        """Raise `Truncated` unless the file has the size that the server named."""
        if self._total is not None and self.size != self._total:
            self.restart()
            raise Truncated(f"{what}: the parts do not add up to the whole file; try again")

    def finish(self, sha256: str, what: str) -> None:
        """Give the file its name.

        Raises
        ------
        HashMismatch
            Its hash is not the one given; nothing stays on disk.
        """
        found = file_hash(self._own) if sha256 else ""
        if found != sha256:
            self._validator = ""
            raise HashMismatch(
                f"{what}: sha256 is {found}, {sha256} was asked for; the file has changed at its "
                "source or on the way: check where the hash comes from"
            )
        with self._writing():
            self._own.replace(self._final)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno is None:  # an error of the connection, not of the disk
                raise
            raise OutputError(
                f"{self._final} cannot be written: {error.strerror}; "
                "choose another folder or free space"
            ) from None


def _validator(headers: Mapping[str, str]) -> str:
    """Strong ETag or date of an answer; empty if it has neither."""
    tag = headers.get("ETag", "").strip()
    if tag.startswith('"'):
        return tag
    date = headers.get("Last-Modified", "").strip()
    return date if http_date(date) else ""
