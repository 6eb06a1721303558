"""What a broker's refusal means: a wrong request, or an operation that it does not have."""

from collections.abc import Iterator
from contextlib import contextmanager

from ldt_toolbox.clients.errors import (
    BadRequest,
    ClientError,
    HttpStatusError,
    NotFound,
    NotImplementedByServer,
    OfflineError,
)


def error_name(error: ClientError) -> str:
    """Name of an NGSI-LD error type (5.5.2), such as `TooManyResults`; empty if there is none."""
    problem = error.problem if isinstance(error, HttpStatusError) else {}
    return str(problem.get("type", "")).rpartition("/")[2]


@contextmanager
def read_refusal(feature: str) -> Iterator[None]:
    """Tell a missing feature of the server from a wrong request (6.3.2)."""
    try:
        yield
    except NotImplementedByServer as error:
        raise _missing(feature, error) from error
    except (BadRequest, NotFound) as error:
        name = error_name(error)
        if name in ("OperationNotSupported", "NoMultiTenantSupport"):
            raise _missing(name if name.startswith("NoMulti") else feature, error) from error
        if feature and isinstance(error, NotFound) and _untyped(error):
            # A resource that is always there (6.2) is not: nobody implemented it
            raise _missing(feature, error) from error
        raise


def nothing_there(error: ClientError) -> bool:
    """Whether nothing was done: a router knows no such address or method, or a cache no answer."""
    if isinstance(error, HttpStatusError):
        return error.status in (404, 405) and _untyped(error)
    return isinstance(error, OfflineError)


def _untyped(error: HttpStatusError) -> bool:
    """Whether an error has no type of its own, as those that no broker wrote."""
    return error_name(error) in ("", "about:blank", "blank")


def _missing(feature: str, error: HttpStatusError) -> NotImplementedByServer:
    if feature == "NoMultiTenantSupport":
        told = "the server knows no tenants; leave out tenant="
    else:
        told = f"the server does not offer {feature or 'this operation'}; ask its operator"
    return NotImplementedByServer(
        f"{told} ({error})",
        status=error.status,
        problem=error.problem,
        request=error.request,
        headers=error.headers,
        attempts=error.attempts,
    )
