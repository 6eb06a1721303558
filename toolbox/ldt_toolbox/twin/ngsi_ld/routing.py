"""From an HTTP request to a handler and back: limits, threads, and errors as problem+json."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ldt_toolbox.twin.ngsi_ld.call import Call, Services, problem_response
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.store import OutOfTimeError

_LOG = logging.getLogger(__name__)

Handler = Callable[[Call], Response]
"""Answers a request, in a thread of the pool; it may block."""

Table = Sequence[tuple[str, str, Handler]]
"""Rows of method, path below the root (Starlette's pattern), handler."""


class Router:
    """Makes Starlette routes of handlers.

    Parameters
    ----------
    services : Services
        Given to each handler in its `Call`.
    threads : int
        Requests at work at once; the others wait.

    Attributes
    ----------
    closing : list of callable
        What extensions end when the twin does, before the threads.
    """

    def __init__(self, services: Services, *, threads: int = 24) -> None:
        self.services = services
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="twin")
        self.closing: list[Callable[[], None]] = []

    def close(self) -> None:
        """End what extensions began, then the threads."""
        for end in self.closing:
            end()
        self._pool.shutdown()

    def routes(self, table: Table) -> list[Route]:
        """Routes of a table; a path answers 405 to methods that the table does not name."""
        by_path: dict[str, dict[str, Handler]] = {}
        for method, path, handler in table:
            by_path.setdefault(path, {})[method] = handler
        return [self._route(path, handlers) for path, handlers in by_path.items()]

    def _route(self, path: str, handlers: dict[str, Handler]) -> Route:
        allowed = sorted({*handlers, "OPTIONS", *(["HEAD"] if "GET" in handlers else [])})
        every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

        async def endpoint(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            handler = handlers.get(method)
            if handler is None:
                allow = {"Allow": ", ".join(allowed)}
                if method == "OPTIONS":
                    return Response(b"", 204, allow)
                detail = f"{method} does not work here, but {', '.join(allowed)} do"
                return problem_response(ProblemError("", detail, status=405, headers=allow))
            return await self._answer(handler, request)

        return Route(self.services.root + path, endpoint, methods=every)

    async def _answer(self, handler: Handler, request: Request) -> Response:
        try:
            call = await self._call(request)
        except ProblemError as problem:
            return problem_response(problem)
        except ClientDisconnect:
            return Response(status_code=499)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, answered, handler, call)

    async def _call(self, request: Request) -> Call:
        limits = self.services.limits
        target = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"]
        if len(target) + len(query) > limits.url:
            raise ProblemError(
                "", f"the address is longer than {limits.url}: send the query with POST", status=414
            )
        reads = target.rstrip("/").endswith("/entityOperations/query")
        most = min(limits.query_bytes, limits.body_bytes) if reads else limits.body_bytes
        body = await _body(request, most)
        parts = {name: unquote(value) for name, value in request.path_params.items()}
        return Call(
            request.method, request.url.path, parts, request.query_params, request.headers,
            body, str(request.url), self.services,
        )  # fmt: skip


def answered(handler: Handler, call: Call) -> Response:
    """Answer of a handler, or of the error that it raised."""
    try:
        return handler(call)
    except ProblemError as problem:
        return problem_response(problem)
    except OutOfTimeError as error:
        detail = f"{error}: narrow it with type, id or a smaller area"
        return problem_response(ProblemError("TooComplexQuery", detail))
    except (sqlite3.DataError, RecursionError, UnicodeError, OverflowError) as error:
        return problem_response(ProblemError("BadRequestData", f"not to be stored: {error}"))
    except Exception as error:
        _LOG.exception("%s %s failed", call.method, call.path)
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            detail = (
                "the disk of the twin is full: nothing was written; free space and send it again"
            )
            return problem_response(ProblemError("", detail, status=507))
        return problem_response(ProblemError("InternalError", "see the twin's log"))


async def _body(request: Request, most: int) -> bytes:
    if request.method in ("GET", "HEAD"):
        return b""
    announced = request.headers.get("content-length")
    if announced is not None and announced.isdigit() and int(announced) > most:
        raise _too_large(most)
    parts = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        parts.append(chunk)
    return b"".join(parts)


def _too_large(most: int) -> ProblemError:
    return ProblemError(
        "",
        f"the body is larger than {most} bytes: send it in parts",
        status=413,
        headers={"Connection": "close"},
    )
