"""The HTTP client under all clients: time-outs, retries, limits, cache, credentials."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.auth import Auth
from ldt_toolbox.clients.cache import Cache

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


class HttpClient:
    """Skeleton."""

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
    ) -> None: ...

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

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        expected: Collection[int] = (200, 201, 204, 206, 207),
        idempotent: bool | None = None,
    ) -> Answer:
        """Send a request."""
        raise NotImplementedError

    def download(self, url: str, path: Path, *, sha256: str = "") -> Path:
        """Download a file."""
        raise NotImplementedError
