"""Who may write: a bearer token in front of everything that changes something."""

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ldt_toolbox.twin.ngsi_ld.call import problem_response
from ldt_toolbox.twin.problems import ProblemError

_READS = frozenset({"GET", "HEAD", "OPTIONS"})

#: Paths whose POST reads: queries that are too long for an address.
_QUERIES = ("/entityOperations/query", "/temporal/entityOperations/query")


class Guard:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGI application
        What is behind it.
    token : str or None
        Writes need it as a bearer token (RFC 6750); None lets all write.
    """

    def __init__(self, app: ASGIApp, token: str | None = None) -> None:
        self._app = app
        self._token = token.encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or self._token is None or self._allowed(scope):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("authorization") is not None
        challenge = 'Bearer realm="twin"' + (', error="invalid_token"' if given else "")
        problem = ProblemError(
            "",
            "writing needs the token that the twin was started with: Authorization: Bearer ...",
            status=401,
            headers={"WWW-Authenticate": challenge},
        )
        await problem_response(problem)(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        if scope["method"] in _READS or scope["path"].endswith(_QUERIES):
            return True
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        fits = hmac.compare_digest(given.strip().encode(), self._token or b"")
        return fits and scheme.lower() == "bearer"
