"""What can go wrong between a client and a server: one family under `ClientError`.

No message, attribute or cause of these errors holds a token, a password or an API key.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from ldt_toolbox.errors import LDTError


class ClientError(LDTError, OSError):
    """Base of everything that fails between a client and a server."""


class ConnectionFailed(ClientError, ConnectionError):  # noqa: N818
    """No connection came about, or it broke before an answer began."""


class TimedOut(ClientError, TimeoutError):  # noqa: N818
    """The server did not answer, or not to the end, in the time allowed."""


class Truncated(ClientError):  # noqa: N818
    """The body ended before its declared length, or in the middle of its encoding."""


class TooLarge(ClientError):  # noqa: N818
    """The answer, after decompression, is larger than the client accepts."""


class HashMismatch(ClientError):  # noqa: N818
    """A downloaded file is not the one that was asked for."""


class InvalidAnswer(ClientError, ValueError):  # noqa: N818
    """The body is not what it has to be: no JSON, or an unknown encoding."""


class RedirectError(ClientError):
    """A redirect that leads nowhere, in a circle, or where the request must not go."""


class OfflineError(ClientError):
    """The client is offline and the cache does not hold the answer."""


class AuthError(ClientError, PermissionError):
    """Credentials are missing, refused by the token server, or would travel in the open."""


class HttpStatusError(ClientError):
    """The server answered with a status that the caller did not expect.

    Parameters
    ----------
    message : str
        What is shown.
    status : int
        HTTP status.
    problem : mapping, optional
        The problem details of the answer (RFC 9457); empty if it had none.
    request : str
        Method and URL without secrets.
    headers : mapping, optional
        Headers of the answer.
    attempts : int
        How often the request was sent. Above 1, an earlier attempt may have taken effect.

    Attributes
    ----------
    advice : str
        The next step, as it stands at the end of the message.
    """

    advice: ClassVar[str] = "check the address and what was asked for"

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        problem: Mapping[str, Any] | None = None,
        request: str = "",
        headers: Mapping[str, str] | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem: dict[str, Any] = dict(problem or {})
        self.request = request
        self.headers: dict[str, str] = dict(headers or {})
        self.attempts = attempts


class BadRequest(HttpStatusError, ValueError):  # noqa: N818
    """400 or 422: the server does not accept the request as it is."""

    advice = "correct the request"


class Unauthorised(HttpStatusError, PermissionError):  # noqa: N818
    """401: the server wants credentials, or others."""

    advice = "check that credentials are given and still valid"


class Forbidden(HttpStatusError, PermissionError):  # noqa: N818
    """403: these credentials do not reach here."""

    advice = "ask the operator for the right to do this"


class NotFound(HttpStatusError, LookupError):  # noqa: N818
    """404 or 410: there is nothing at this address."""

    advice = "check the address and the id"


class Conflict(HttpStatusError):  # noqa: N818
    """409: it exists already, or has changed meanwhile."""

    advice = "read what is there, then update it instead"


class PreconditionFailed(HttpStatusError):  # noqa: N818
    """412: the resource is not in the state that the request asked for."""

    advice = "read the resource again, then repeat the change"


class RequestTooLarge(HttpStatusError):  # noqa: N818
    """413 or 414: body or URL of the request are larger than the server accepts."""

    advice = "send less at once"


class TooManyRequests(HttpStatusError):  # noqa: N818
    """429: the server's rate limit, also after waiting."""

    advice = "wait, then ask less often (requests_per_s)"


class NotImplementedByServer(HttpStatusError, NotImplementedError):  # noqa: N818
    """405 or 501: the server does not offer this operation."""

    advice = "use an operation that the server declares"


class ServerFault(HttpStatusError):  # noqa: N818
    """Any other 5xx: the server failed."""

    advice = "try again later, then tell the operator"


_BY_STATUS: dict[int, type[HttpStatusError]] = {
    400: BadRequest,
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    405: NotImplementedByServer,
    409: Conflict,
    410: NotFound,
    412: PreconditionFailed,
    413: RequestTooLarge,
    414: RequestTooLarge,
    422: BadRequest,
    429: TooManyRequests,
    501: NotImplementedByServer,
}


def status_error(status: int) -> type[HttpStatusError]:
    """Class of error that stands for an HTTP status."""
    return _BY_STATUS.get(status, ServerFault if status >= 500 else HttpStatusError)
