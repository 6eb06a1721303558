"""The HTTP client under all clients: time-outs, retries, limits, cache, credentials.

What it does for each fault of a server is listed in `docs/http.md`.
"""

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.auth import Auth
from ldt_toolbox.clients.body import read_body, tells_its_end
from ldt_toolbox.clients.cache import Cache, Stored
from ldt_toolbox.clients.download import PartFile, file_hash
from ldt_toolbox.clients.errors import HashMismatch, OfflineError
from ldt_toolbox.clients.faults import answer_of
from ldt_toolbox.clients.imperfect import UnknownLengthWarning, report
from ldt_toolbox.clients.masking import mask_url
from ldt_toolbox.clients.pace import Pace
from ldt_toolbox.clients.redirects import Hop
from ldt_toolbox.clients.requesting import Params, Target, encode_body
from ldt_toolbox.clients.retry import IDEMPOTENT_METHODS, Backoff
from ldt_toolbox.clients.transport import Transport
from ldt_toolbox.errors import WrongUseError

_OK = (200, 201, 204, 206, 207)
# 206 without a Range is part of an answer by the rules of a standard above HTTP (NGSI-LD 6.3.10);
# 404 comes here only if the caller expects it
_KEPT_STATUSES = frozenset({200, 206, 404})
_CONDITIONS = frozenset(
    {"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "range", "if-range"}
)


class HttpClient:
    """Talks to one server, or to several.

    Parameters
    ----------
    base_url : str
        Address before all relative ones. Credentials and `headers` go to its origin (scheme, host,
        port) only.
    auth : Auth, optional
        Credentials; needs `base_url`.
    headers : mapping, optional
        Sent with each request.
    timeout_s : tuple of float
        Time to connect, and longest silence of the server, in seconds.
    retries : int
        Further attempts after a passing fault of an idempotent request.
    max_bytes : int
        Largest answer kept in memory, in bytes after decompression.
    requests_per_s : float, optional
        Own limit of this client; the registry's limit of a host holds in any case.
    cache : Cache, optional
        Where answers are kept.
    offline : bool
        Answer from the cache only.
    verify : pathlib.Path or str, optional
        Bundle of trusted authorities, instead of REQUESTS_CA_BUNDLE or the usual ones.
    total_s : float
        Longest time for one body in memory, in seconds.
    backoff : Backoff
        Waits between attempts.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: tuple[float, float] = (5, 60),
        retries: int = 4,
        max_bytes: int = 256_000_000,
        requests_per_s: float | None = None,
        cache: Cache | None = None,
        offline: bool = False,
        verify: Path | str | None = None,
        total_s: float = 600,
        backoff: Backoff | None = None,
    ) -> None:
        if len(timeout_s) != 2 or not all(s is not None and 0 < s < math.inf for s in timeout_s):
            raise WrongUseError(
                f"timeout_s = {timeout_s}: give seconds above 0 to connect and between two bytes; "
                "no request may wait for ever"
            )
        self._target = Target(base_url, headers or {}, with_auth=auth is not None)
        if auth is not None:
            auth.check_transport(base_url)
        self._auth = auth
        self._max_bytes = max_bytes
        self._total_s = total_s
        self._cache = cache
        self._offline = offline
        self._transport = Transport(
            auth=auth,
            timeout_s=timeout_s,
            retries=retries,
            pace=None if requests_per_s is None else Pace(requests_per_s),
            verify=None if verify is None else str(verify),
            backoff=backoff or Backoff(),
        )

    def __repr__(self) -> str:
        return f"HttpClient({mask_url(self._target.base_url)!r}, auth={self._auth!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        expected: Collection[int] = _OK,
        idempotent: bool | None = None,
    ) -> Answer:
        """Send a request and read the whole answer.

        Parameters
        ----------
        method : str
            HTTP method.
        url : str
            Absolute, or relative to `base_url` (its path is kept, with or without a leading `/`).
        params : mapping or sequence of pairs, optional
            Query parameters; those that are None are left out.
        headers : mapping, optional
            Headers of this request.
        json : object, optional
            Body as JSON; `Content-Type` is application/json unless `headers` name another.
        content : bytes, optional
            Body as it is.
        expected : collection of int
            Statuses that are no error.
        idempotent : bool, optional
            Whether the request may be sent twice; by default that depends on the method.

        Returns
        -------
        Answer

        Raises
        ------
        ClientError
            Or a subclass: see `docs/http.md`.
        WrongUseError
            The request cannot be sent as it is.

        Warns
        -----
        UnknownLengthWarning
            Nothing tells whether the answer is whole.
        """
        method = method.upper()
        body, given = encode_body(json, content, headers or {})
        hop = self._target.hop(method, url, params, given, body)
        if idempotent is None:
            idempotent = method in IDEMPOTENT_METHODS
        key = self._key(hop, idempotent)
        stored = self._cache.find(key) if self._cache is not None and key else None
        if stored is not None and stored.answer.status not in expected:
            stored = None  # kept for a caller to whom it was no error
        if self._offline:
            if stored is None:
                raise self._not_here(hop, key)
            return stored.answer
        asking: dict[str, str] = {}
        if self._cache is not None and stored is not None and method == "GET":
            if stored.is_fresh(self._cache.now()):
                return stored.answer
            asking = stored.questions()
        sent = Hop(method, hop.url, {**hop.headers, **asking}, body, hop.authorised)
        answer = self._transport.send(
            lambda: sent,
            self._receive,
            expected={*expected, 304} if asking else expected,
            idempotent=idempotent,
        )
        return self._remember(hop, key, stored if asking else None, answer)

    def get(self, url: str, **options: Any) -> Answer:
        """GET; options as for `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Answer:
        """POST; options as for `request`."""
        return self.request("POST", url, **options)

    def patch(self, url: str, **options: Any) -> Answer:
        """PATCH; options as for `request`."""
        return self.request("PATCH", url, **options)

    def put(self, url: str, **options: Any) -> Answer:
        """PUT; options as for `request`."""
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> Answer:
        """DELETE; options as for `request`."""
        return self.request("DELETE", url, **options)

    def download(
        self, url: str, path: Path, *, sha256: str = "", max_bytes: int = 50_000_000_000
    ) -> Path:
        """Download a file: it has its name only when it is whole.

        Parameters
        ----------
        url : str
            As for `request`.
        path : pathlib.Path
            Where the file will lie; an older one is replaced at the end. Until then it is
            `<name>.part`, from which a later call goes on if the server lets it.
        sha256 : str
            Hash that the file must have. If a file with it lies at `path` already, nothing is
            sent.
        max_bytes : int
            Largest file accepted, in bytes.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        ClientError
            Or a subclass: see `docs/http.md`.
        OutputError
            The file cannot be written.
        """
        path, sha256 = Path(path), sha256.lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise WrongUseError(f"sha256 = {sha256!r}: give 64 hexadecimal digits, or leave it out")
        hop = self._target.hop("GET", url, None, {"Accept-Encoding": "identity"}, None)
        if path.is_file() and (file_hash(path) == sha256 if sha256 else self._offline):
            return path
        if self._offline:
            raise OfflineError(
                f"{hop.what}: the client is offline and {path.name} is not at its place; "
                "download it once with offline=False"
            )
        with PartFile.claim(path, mask_url(hop.url)) as part:
            self._fill(part, hop, max_bytes, certain=bool(sha256))
            try:
                part.finish(sha256, hop.what)
            except HashMismatch:
                if not part.resumed:
                    raise
                # The beginning was of another edition: once more, from the first byte
                part.restart()
                self._fill(part, hop, max_bytes, certain=bool(sha256))
                part.finish(sha256, hop.what)
        return path

    def _fill(self, part: PartFile, hop: Hop, max_bytes: int, *, certain: bool) -> None:
        def make() -> Hop:
            return Hop("GET", hop.url, {**hop.headers, **part.question()}, None, hop.authorised)

        def receive(last: Hop, response: requests.Response) -> None:
            part.begin(response, last.what)
            part.write(read_body(response, last.what, max_bytes=max_bytes - part.size))
            part.check_size(last.what)
            if not certain and not tells_its_end(response):
                _warn_of_unknown_length(last)

        self._transport.send(make, receive, expected={200, 206, 416}, idempotent=True)

    def _receive(self, hop: Hop, response: requests.Response) -> Answer:
        pieces = read_body(response, hop.what, max_bytes=self._max_bytes, total_s=self._total_s)
        answer = answer_of(hop, response, b"".join(pieces))
        # A JSON text that was cut cannot be read, so it needs no warning
        is_json = answer.content_type.endswith(("/json", "+json"))
        if answer.content and not is_json and not tells_its_end(response):
            _warn_of_unknown_length(hop)
        return answer

    def _key(self, hop: Hop, idempotent: bool) -> str | None:
        """Name in the cache; None if such a request is not kept."""
        readable = hop.method == "GET" or (hop.method == "POST" and idempotent)
        conditional = any(name.lower() in _CONDITIONS for name in hop.headers)
        if self._cache is None or not readable or conditional:
            return None
        identity = ""
        if hop.authorised and self._auth is not None:
            if not self._cache.authorised:
                return None
            identity = self._auth.identity()
        return self._cache.key(hop.method, hop.url, hop.headers, hop.body, identity)

    def _remember(self, hop: Hop, key: str | None, stored: Stored | None, answer: Answer) -> Answer:
        if self._cache is None:
            return answer
        if key is None:
            if hop.method not in ("GET", "HEAD", "OPTIONS"):
                self._cache.forget(hop.url)
        elif answer.status == 304 and stored is not None:
            return self._cache.confirm(key, stored, answer.headers)
        elif answer.status in _KEPT_STATUSES:
            self._cache.store(key, answer)
        return answer

    def _not_here(self, hop: Hop, key: str | None) -> OfflineError:
        told = f"{hop.what}: the client is offline and "
        if self._cache is None:
            return OfflineError(told + "has no cache; give cache=Cache(folder), or offline=False")
        folder = self._cache.folder
        if key is None:
            return OfflineError(
                told + f"such requests are not kept in {folder}; use offline=False, or for answers "
                "to requests with credentials Cache(folder, authorised=True)"
            )
        return OfflineError(
            told + f"the answer is not in {folder}; send the same request once with offline=False "
            "and this cache folder"
        )


def _warn_of_unknown_length(hop: Hop) -> None:
    report(
        UnknownLengthWarning(
            f"{hop.what}: the server does not say how long the answer is, so a cut would go "
            "unnoticed; compare it with a hash or a count"
        ),
        stacklevel=5,
    )
