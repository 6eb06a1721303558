"""Who may come in: by which name, from which page, and for writes with which token.

A browser lets any page send requests to loopback. A page cannot read the answers and cannot send
JSON unless its own host name leads to the twin (DNS rebinding) or the twin says that it may; so a
twin on loopback answers to its own names only, and writes that a page of another site asks for are
refused.
"""

import hmac
import ipaddress
import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ldt_toolbox.twin.ngsi_ld.call import problem_response
from ldt_toolbox.twin.problems import ProblemError

_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"(\[[^\[\]]*\]|[^:@/\[\]]*)(?::\d*)?")

#: Paths whose POST reads: queries that are too long for an address.
_QUERIES = ("/entityOperations/query", "/temporal/entityOperations/query")


def is_loopback(host: str) -> bool:
    """Whether nobody outside of this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGI application
        What is behind it.
    token : str or None
        Writes need it as a bearer token (RFC 6750); None lets all write.
    hosts : collection of str, optional
        Names to which the twin answers beside those of loopback; any if left out.
    """

    def __init__(
        self, app: ASGIApp, token: str | None = None, hosts: Collection[str] | None = None
    ) -> None:
        self._app = app
        self._token = token.encode() if token else None
        self._hosts = None if hosts is None else {_plain(each) for each in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        await (problem_response(problem) if problem else self._app)(scope, receive, send)

    def _problem(self, scope: Scope) -> ProblemError | None:
        headers = Headers(scope=scope)
        name = _name(headers.get("host", ""))
        if self._hosts is not None and not (is_loopback(name) or name in self._hosts):
            return ProblemError(
                "",
                f"the twin does not answer to the name {name!r:.80}: take localhost, or start it "
                "with --allow-host NAME",
                status=421,
            )
        if scope["method"] in _READS:
            return None
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return ProblemError("", f"a page of {origin!r:.80} may not write here", status=403)
        if self._token is None or scope["path"].endswith(_QUERIES):
            return None
        return self._token_problem(headers.get("authorization"))

    def _token_problem(self, authorization: str | None) -> ProblemError | None:
        scheme, _, given = (authorization or "").partition(" ")
        fits = hmac.compare_digest(given.strip().encode(), self._token or b"")
        if fits and scheme.lower() == "bearer":
            return None
        wrong = "" if authorization is None else ', error="invalid_token"'
        return ProblemError(
            "",
            "writing needs the token that the twin was started with: Authorization: Bearer ...",
            status=401,
            headers={"WWW-Authenticate": f'Bearer realm="twin"{wrong}'},
        )


def _name(header: str) -> str:
    """Name in a Host header (RFC 9110, 7.2); empty if it holds none."""
    found = _HOST.fullmatch(header)
    return _plain(found[1]) if found else ""


def _plain(host: str) -> str:
    """A host's name without the marks that may be left out."""
    return host.strip("[]").rstrip(".").lower()
