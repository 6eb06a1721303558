"""The NGSI-LD client for programs that wait for many answers at once.

Nothing of the client is written twice: a call runs as it is, in a thread of a small pool, so that
every rule about paging, cuts, retries, paces and secrets is the same.
"""

import asyncio
import contextvars
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from ldt_toolbox.clients.ngsi_ld.client import NgsiLd
from ldt_toolbox.clients.ngsi_ld.context_links import Context
from ldt_toolbox.clients.session import MOST_CONNECTIONS
from ldt_toolbox.errors import WrongUseError

T = TypeVar("T")

PARTS = (
    "entities", "batch", "temporal", "subscriptions", "types", "attributes", "registrations",
    "contexts",
)  # fmt: skip
"""Parts of the API, as of `NgsiLd`."""


class AsyncNgsiLd:
    """`NgsiLd` with methods to await and `iterate` for ``async for``; all names are the same.

    Parameters
    ----------
    base_url : str
        Address of the broker.
    at_once : int
        Requests that may wait at the same time, 1 to 16.
    **options
        As for `NgsiLd`: `tenant`, `context`, `auth`, `http`.

    Attributes
    ----------
    entities, batch, temporal, subscriptions, types, attributes, registrations, contexts
        Parts of the API.

    Notes
    -----
    A task that is cancelled leaves its request to end by itself, within the time-outs of the
    client; what it wrote may have been done.

    Examples
    --------
    >>> async def counts(address, kinds):
    ...     async with AsyncNgsiLd(address) as broker:
    ...         return await asyncio.gather(*(broker.entities.count(type=k) for k in kinds))
    """

    def __init__(self, base_url: str, *, at_once: int = 8, **options: Any) -> None:
        if not 1 <= at_once <= MOST_CONNECTIONS:
            raise WrongUseError(f"at_once = {at_once}: give 1 to {MOST_CONNECTIONS} requests")
        self._share(NgsiLd(base_url, **options), ThreadPoolExecutor(at_once, "ngsi-ld"))

    def _share(self, client: NgsiLd, pool: ThreadPoolExecutor) -> None:
        self._client, self._pool = client, pool
        for name in PARTS:
            setattr(self, name, AsyncPart(getattr(client, name), pool))

    def __getattr__(self, name: str) -> "AsyncPart":
        raise AttributeError(f"the client has no {name!r}; it has {', '.join(PARTS)}")

    def __repr__(self) -> str:
        return f"Async{self._client!r}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections when the requests under way have ended."""
        await asyncio.to_thread(self._pool.shutdown)
        self._client.close()

    def with_tenant(self, tenant: str | None) -> "AsyncNgsiLd":
        """Client of another tenant of this broker; shares connections and threads."""
        return self._beside(self._client.with_tenant(tenant))

    def with_context(self, context: Context) -> "AsyncNgsiLd":
        """Client with another @context; shares connections and threads."""
        return self._beside(self._client.with_context(context))

    def _beside(self, client: NgsiLd) -> "AsyncNgsiLd":
        other = object.__new__(AsyncNgsiLd)
        other._share(client, self._pool)
        return other

    async def capabilities(self) -> dict[str, Literal["yes", "no", "unknown"]]:
        """Which optional parts the broker offers; found out by reading."""
        return await _run(self._pool, self._client.capabilities)

    async def identity(self) -> dict[str, Any]:
        """What the broker says of itself (6.33)."""
        return await _run(self._pool, self._client.identity)


class AsyncPart:
    """A part of the API whose methods are awaited; arguments and results are those of the part.

    Parameters
    ----------
    part : object
        Such as `NgsiLd.entities`.
    pool : ThreadPoolExecutor
        Where its methods run.
    """

    def __init__(self, part: Any, pool: ThreadPoolExecutor) -> None:
        self._part, self._pool = part, pool

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._part) if not name.startswith("_")]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._part, name)

        def call(*args: Any, **options: Any) -> Coroutine[Any, Any, Any]:
            return _run(self._pool, lambda: method(*args, **options))

        def iterate(**options: Any) -> AsyncIterator[Any]:
            size = inspect.signature(method).parameters["page_size"].default
            return _items(self._pool, method(**options), options.get("page_size", size))

        wrapped = iterate if name == "iterate" else call
        wrapped.__name__, wrapped.__doc__ = name, method.__doc__
        return wrapped


async def _run(pool: ThreadPoolExecutor, function: Callable[[], T]) -> T:
    """Result of a function in a thread that sees the context of the caller, such as `strict`."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, function)


async def _items(pool: ThreadPoolExecutor, items: Iterator[T], page_size: int) -> AsyncIterator[T]:
    """Items, taken from the thread a page at a time."""
    while page := await _run(pool, lambda: list(islice(items, page_size))):
        for item in page:
            yield item
