"""Answers kept on disk: by their content, with what is needed to ask whether they still hold.

Layout of the folder::

    salt                               random key of the hashes below; never leaves the folder
    objects/<2 digits>/<sha256>        a body
    entries/<hash of URL>/<hash>.json  where it came from, its headers, its sha256

Every request header is part of an entry's key, so whatever `Vary` names is respected. URL, headers
and credentials enter the key through a keyed hash only (HMAC-SHA256, RFC 2104).
"""

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests.structures import CaseInsensitiveDict

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.masking import has_secret_query, is_secret_name, mask_text
from ldt_toolbox.clients.retry import http_date
from ldt_toolbox.errors import OutputError

# Headers that say nothing about what is asked for
_NOT_IN_KEY = frozenset({"user-agent", "accept-encoding", "connection", "content-length"})
_KEPT = frozenset(
    {
        "content-type", "etag", "last-modified", "cache-control", "date", "age", "expires", "link",
        # what says whether an answer is whole, and how many there are
        "content-range", "ngsild-results-count", "ngsild-warning", "fiware-total-count",
        "next-page", "page-size",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """An answer in the cache.

    Attributes
    ----------
    answer : Answer
        With `from_cache` set.
    stored_at : float
        When it was stored or last confirmed, in seconds since 1970.
    """

    answer: Answer
    stored_at: float

    def is_fresh(self, now: float) -> bool:
        """Whether it may be used without asking (RFC 9111, 4.2: `max-age` less `Age`)."""
        control = _directives(self.answer.headers)
        if "no-cache" in control or not re.fullmatch(r"\d{1,18}", control.get("max-age", "")):
            return False
        age = str(self.answer.headers.get("Age", "0"))
        had = int(age) if re.fullmatch(r"\d{1,18}", age) else 0
        # A clock that was set back makes an entry look younger than nothing
        return 0 <= now - self.stored_at + had < int(control["max-age"])

    def questions(self) -> dict[str, str]:
        """Headers that ask whether it still holds (RFC 9110, 13.1); empty if nothing can."""
        headers = self.answer.headers
        found = {"If-None-Match": headers.get("ETag"), "If-Modified-Since": _date(headers)}
        return {name: value for name, value in found.items() if value}


class Cache:
    """A folder of answers, shared by threads and processes.

    Parameters
    ----------
    folder : pathlib.Path or str
        Created if missing.
    authorised : bool
        Whether answers to requests with credentials are kept, too. They are then found only by
        requests with the same credentials, but lie unencrypted in the folder.
    clock : callable
        Seconds since 1970.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        authorised: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = Path(folder)
        self.authorised = authorised
        self._clock = clock
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._salt = self._read_salt()

    def __repr__(self) -> str:
        return f"Cache({str(self.folder)!r}, authorised={self.authorised})"

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_salt"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._salt = self._read_salt()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    def key(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, identity: str
    ) -> str | None:
        """Name of an entry.

        Parameters
        ----------
        method, url, headers, body
            The request, without the headers of `identity`.
        identity : str
            Who asks; empty for nobody in particular.

        Returns
        -------
        str or None
            None if the request carries credentials and such answers are not kept.
        """
        secret = bool(identity) or has_secret_query(url) or any(map(is_secret_name, headers))
        if secret and not self.authorised:
            return None
        asked = sorted(
            (name.lower(), value.strip())
            for name, value in headers.items()
            if name.lower() not in _NOT_IN_KEY
        )
        whole = json.dumps([method, url, asked, identity]).encode() + b"\0" + (body or b"")
        return f"{self._hash(url.encode())}/{self._hash(whole)}"

    def find(self, key: str) -> Stored | None:
        """Entry of a key; one whose body is missing or damaged is dropped and not found."""
        path = self._entry(key)
        try:
            entry = json.loads(path.read_bytes())
            digest = entry["sha256"]
            content = self._object(digest).read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                self._object(digest).unlink(missing_ok=True)
                raise ValueError("damaged")
            headers = CaseInsensitiveDict[str](entry["headers"])
            answer = Answer(entry["status"], entry["url"], headers, content, from_cache=True)
            return Stored(answer, float(entry["stored_at"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            path.unlink(missing_ok=True)  # an entry that was cut or edited is as good as none
            return None

    def store(self, key: str, answer: Answer) -> None:
        """Keep an answer, unless it says `no-store` or `Vary: *`, or a header holds credentials.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        barred = "no-store" in _directives(answer.headers) or answer.headers.get("Vary", "") == "*"
        if barred or any(mask_text(text) != text for text in _kept(answer.headers).values()):
            self._entry(key).unlink(missing_ok=True)
            return
        digest = hashlib.sha256(answer.content).hexdigest()
        with self._writing():
            # A damaged object of the same name is replaced, not trusted
            self._write(self._object(digest), answer.content)
            self._write_entry(key, answer, digest)

    def confirm(self, key: str, stored: Stored, headers: Mapping[str, str]) -> Answer:
        """Renew an entry that the server confirmed with 304 (RFC 9111, 4.3.4)."""
        merged = CaseInsensitiveDict[str](stored.answer.headers)
        merged.pop("Age", None)
        merged.update(_kept(headers))
        old = stored.answer
        answer = Answer(old.status, old.url, merged, old.content, from_cache=True)
        with self._writing():
            self._write_entry(key, answer, hashlib.sha256(answer.content).hexdigest())
        return answer

    def forget(self, url: str) -> None:
        """Drop every entry of a URL, because it has been written to (RFC 9111, 4.4)."""
        shutil.rmtree(self.folder / "entries" / self._hash(url.encode()), ignore_errors=True)

    def prune(self, keep_bytes: int) -> int:
        """Remove the bodies that were stored longest ago until the rest fits; returns the bytes.

        Parameters
        ----------
        keep_bytes : int
            What may stay, in bytes of bodies.
        """
        found = []
        for path in (self.folder / "objects").glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        total = removed = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= keep_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
        return removed - total

    def _hash(self, data: bytes) -> str:
        return hmac.new(self._salt, data, hashlib.sha256).hexdigest()

    def _entry(self, key: str) -> Path:
        return self.folder / "entries" / f"{key}.json"

    def _object(self, digest: str) -> Path:
        return self.folder / "objects" / digest[:2] / digest

    def _read_salt(self) -> bytes:
        path = self.folder / "salt"
        if not path.exists():
            self._write(path, secrets.token_bytes(32), only_if_new=True)
        return path.read_bytes()

    def _write_entry(self, key: str, answer: Answer, digest: str) -> None:
        entry = {
            "url": answer.url,
            "status": answer.status,
            "headers": _kept(answer.headers),
            "sha256": digest,
            "stored_at": self._clock(),
        }
        self._write(self._entry(key), json.dumps(entry, indent=1).encode())

    def _write(self, path: Path, data: bytes, *, only_if_new: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if only_if_new:
                with contextlib.suppress(FileExistsError):
                    os.link(part, path)
            else:
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"cache folder {self.folder} cannot be written: {error.strerror}; "
                "choose another folder or free space"
            ) from None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: str(text) for name, text in headers.items() if name.lower() in _KEPT}


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    """Directives of Cache-Control by lower-case name."""
    found = {}
    for part in str(headers.get("Cache-Control", "")).split(","):
        name, _, value = part.partition("=")
        found[name.strip().lower()] = value.strip().strip('"')
    return found


def _date(headers: Mapping[str, str]) -> str | None:
    text = headers.get("Last-Modified")
    return text if text and http_date(text) else None
