"""The twin as an ASGI application."""

import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ldt_toolbox.twin.guard import Guard
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ngsi_ld.call import Services, problem_response
from ldt_toolbox.twin.ngsi_ld.hosted import ContextBook
from ldt_toolbox.twin.ngsi_ld.routing import Router
from ldt_toolbox.twin.ngsi_ld.subscriptions import Subscriptions
from ldt_toolbox.twin.ngsi_ld.tables import TABLES
from ldt_toolbox.twin.notify.notifier import Notifier
from ldt_toolbox.twin.paths import Paths
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.store import Store
from ldt_toolbox.twin.temporal.record import record

Extension = Callable[[Services, Router], Sequence[BaseRoute]]
"""Makes more routes, such as those of OGC API Features."""


def create_app(
    store: Store,
    *,
    token: str | None = None,
    hosts: Collection[str] | None = None,
    limits: Limits | None = None,
    extensions: Sequence[Extension] = (),
    fetch: Callable[[str], Mapping[str, Any]] | None = None,
) -> Starlette:
    """Make the application.

    Parameters
    ----------
    store : Store
        The file; the caller closes it.
    token : str, optional
        Writes need it as a bearer token if given.
    hosts : collection of str, optional
        Names to which it answers beside those of loopback; any if left out.
    limits : Limits, optional
        What a request may ask for.
    extensions : sequence of callable
        Routes beyond NGSI-LD.
    fetch : callable, optional
        Gets a foreign @context from its address; without it the twin asks no other host.

    Returns
    -------
    Starlette
        ASGI application.
    """
    limits = limits or Limits()
    services = Services(store, ContextBook(store, fetch=fetch), limits)
    router = Router(services)
    if record not in store.recorders:
        store.recorders.append(record)
    notifier = Notifier(services)
    tables = (Subscriptions(notifier).table, *TABLES)
    routes: list[BaseRoute] = [route for table in tables for route in router.routes(table)]
    for extension in extensions:
        routes.extend(extension(services, router))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        notifier.start()
        yield
        notifier.close()
        router.close()

    app = Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={404: _nothing, 405: _nothing}
    )
    app.router.redirect_slashes = False
    app.add_middleware(Guard, token=token, hosts=hosts)
    app.add_middleware(Paths)
    return app


async def _nothing(request: Request, _: Exception) -> Response:
    return problem_response(
        ProblemError("", f"nothing is at {request.url.path!r:.200}", status=404)
    )
