"""From what went wrong on the wire to an error without secrets, and whether to try again."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import NameResolutionError, NewConnectionError

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.body import read_body
from ldt_toolbox.clients.errors import (
    ClientError,
    ConnectionFailed,
    TimedOut,
    Truncated,
    status_error,
)
from ldt_toolbox.clients.masking import mask_text, mask_url, mask_value
from ldt_toolbox.clients.redirects import Hop
from ldt_toolbox.clients.retry import BUSY_STATUSES, Fault, http_date, retry_after_s

_PROBLEM_BYTES = 65_536
_PROBLEM_S = 10.0
_SHOWN_CHARACTERS = 500


def connection_fault(
    error: requests.exceptions.RequestException,
    what: str,
    *,
    retries: int,
    timeout_s: tuple[float, float],
) -> Fault:
    """Fault of a request that got no answer.

    Parameters
    ----------
    error : requests.exceptions.RequestException
        It holds the request with its credentials, and is not kept.
    what : str
        Method and URL without secrets.
    retries : int
        How many further attempts a passing fault allows.
    timeout_s : tuple of float
        Time allowed to connect and between two bytes, in seconds.
    """
    kinds = requests.exceptions
    if isinstance(error, kinds.ConnectTimeout):
        told = f"no connection within {timeout_s[0]:g} s; check address, network and proxy"
        return Fault(TimedOut(f"{what}: {told}"), retries)
    if isinstance(error, kinds.Timeout):
        told = f"no answer within {timeout_s[1]:g} s; ask for less at once, or raise timeout_s"
        return Fault(TimedOut(f"{what}: {told}"), min(retries, 1))
    if isinstance(error, kinds.SSLError):
        told = (
            "the server's certificate is not trusted or TLS failed; if the authority is a private "
            "one, name its bundle with verify= or REQUESTS_CA_BUNDLE"
        )
        return Fault(ConnectionFailed(f"{what}: {told}"), 0)
    if isinstance(error, kinds.ProxyError):
        told = "the proxy refused or broke the connection; check HTTP_PROXY, HTTPS_PROXY, NO_PROXY"
        return Fault(ConnectionFailed(f"{what}: {told}"), retries)
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, NameResolutionError):
        told = "the host name is not known; check the address and the network"
    elif isinstance(reason, NewConnectionError):
        told = "the connection was refused; check that the server runs and the port is right"
    else:
        told = "the connection broke before an answer came; try again"
    return Fault(ConnectionFailed(f"{what}: {told}"), retries)


def body_fault(error: ClientError, *, retries: int) -> Fault:
    """Fault of an answer that could not be read to its end."""
    if isinstance(error, TimedOut):
        return Fault(error, min(retries, 1))
    return Fault(error, retries if isinstance(error, Truncated | ConnectionFailed) else 0)


def status_fault(
    hop: Hop,
    response: requests.Response,
    *,
    retries: int,
    attempt: int,
    secrets: Iterable[str],
) -> Fault:
    """Fault of an answer with a status that was not expected.

    Parameters
    ----------
    hop : Hop
        The request.
    response : requests.Response
        The answer; what is left of its body is read.
    retries : int
        How many further attempts a passing fault allows.
    attempt : int
        Number of this attempt, from 1.
    secrets : iterable of str
        Credentials that the server may quote.
    """
    status = response.status_code
    known = tuple(secrets)
    problem = _problem(hop, response, known)
    kind = status_error(status)
    reason = mask_text(response.reason or "", known)
    text = f"{hop.what} answered {status} {reason}".rstrip()
    if told := _told(problem):
        text += f": {told}"
    wait_s = retry_after_s(response.headers.get("Retry-After"), _server_time(response))
    if wait_s is not None and status in BUSY_STATUSES:
        text += f"; the server asks to wait {wait_s:.0f} s"
    text += f"; {kind.advice}"
    error = kind(
        text,
        status=status,
        problem=problem,
        request=hop.what,
        headers={
            name: mask_text(value, known)
            for name, value in response.headers.items()
            if not name.lower().startswith("set-cookie")
        },
        attempts=attempt,
    )
    tries = retries if status in BUSY_STATUSES else min(retries, 1) if status == 500 else 0
    return Fault(error, tries, wait_s if status in BUSY_STATUSES else None)


def _problem(hop: Hop, response: requests.Response, known: tuple[str, ...]) -> dict[str, Any]:
    """Problem details (RFC 9457), or whatever JSON object the body holds."""
    try:
        pieces = read_body(response, hop.what, max_bytes=_PROBLEM_BYTES, total_s=_PROBLEM_S)
        found = json.loads(b"".join(pieces))
    except (ClientError, ValueError, RecursionError):
        return {}
    return mask_value(_with_detail(found), known) if isinstance(found, dict) else {}


def _with_detail(problem: dict[str, Any]) -> dict[str, Any]:
    """Problem whose `detail` is one text (RFC 9457, 3.1.4), however the server wrote it."""
    detail = problem.get("detail", problem.get("details"))
    if detail is None or isinstance(problem.get("detail"), str):
        return problem
    parts = list(detail.values()) if isinstance(detail, dict) else detail
    texts = [str(part) for part in parts] if isinstance(parts, list) else [str(parts)]
    return {**problem, "detail": "; ".join(texts)}


def _told(problem: dict[str, Any]) -> str:
    parts = [problem.get(name) for name in ("title", "detail", "description", "message")]
    # OAuth 2.0 (RFC 6749, 5.2) names its errors otherwise
    parts += [problem.get(name) for name in ("error", "error_description")]
    said = " - ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
    if isinstance(problem.get("type"), str) and problem["type"] != "about:blank":
        said += f" ({problem['type']})"
    said = " ".join(said.split())
    return said if len(said) <= _SHOWN_CHARACTERS else said[:_SHOWN_CHARACTERS] + "…"


def _server_time(response: requests.Response) -> datetime:
    return http_date(response.headers.get("Date", "")) or datetime.now(UTC)


def answer_of(hop: Hop, response: requests.Response, content: bytes) -> Answer:
    """Answer with what may be shown and kept of a response."""
    headers = CaseInsensitiveDict[str](
        (name, value)
        for name, value in response.headers.items()
        if not name.lower().startswith("set-cookie")
    )
    return Answer(response.status_code, mask_url(hop.url), headers, content)
