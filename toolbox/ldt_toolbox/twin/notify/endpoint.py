"""Where notifications go, and the way there (GS CIM 009 V1.8.1, 5.2.15, 6.3.9).

Whoever may write a subscription names an address that the twin then sends to. So it sends to
loopback only, and to networks that the operator names (`Limits.receivers`); the name of a host is
resolved once for each notification, and the address that was checked is the one that is spoken to.
Redirects are not followed.
"""

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ldt_toolbox.twin.ngsi_ld.call import GEO_JSON, JSON, JSON_LD
from ldt_toolbox.twin.problems import ProblemError, bad

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "expect", "te"}
)
_TIMEOUT_S = 10.0
_LONGEST_S = 60.0


class DeliveryError(Exception):
    """A notification was not taken; says why."""


@dataclass(frozen=True)
class Endpoint:
    """Where notifications go.

    Attributes
    ----------
    uri : str
        Address.
    accept : str
        Media type of notifications.
    headers : tuple of (str, str)
        From receiverInfo.
    timeout_s : float
        How long an answer may take.
    cooldown_s : float
        How long to wait after a failure.
    """

    uri: str
    accept: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = _TIMEOUT_S
    cooldown_s: float = 0.0


def endpoint(value: Any, *, receivers: Sequence[str]) -> Endpoint:
    """Read an Endpoint (5.2.15).

    Parameters
    ----------
    value : Any
        JSON.
    receivers : sequence of str
        Networks that are allowed beside loopback.

    Raises
    ------
    ProblemError
        BadRequestData, or 501 for MQTT.
    """
    if not isinstance(value, dict) or not isinstance(value.get("uri"), str):
        raise bad("notification.endpoint is an object with a uri (5.2.15)")
    uri = value["uri"]
    parts = _split(uri)
    if parts.scheme in ("mqtt", "mqtts"):
        raise ProblemError("", "the twin does not do MQTT; give an http endpoint", status=501)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise bad(f"endpoint {uri!r:.100} is no http address without user information")
    _check_host(parts.hostname, receivers)
    accept = value.get("accept", JSON)
    if accept not in (JSON, JSON_LD, GEO_JSON):
        raise bad(f"endpoint.accept {accept!r:.60} is none of {JSON}, {JSON_LD}, {GEO_JSON}")
    return Endpoint(
        uri,
        accept,
        tuple(_headers(value.get("receiverInfo", []))),
        min(_LONGEST_S, _milliseconds(value, "timeout") or _TIMEOUT_S),
        _milliseconds(value, "cooldown"),
    )


def post(
    target: Endpoint, body: bytes, headers: Mapping[str, str], *, receivers: Sequence[str]
) -> None:
    """Deliver a notification.

    Raises
    ------
    DeliveryError
        If it was not answered with a status of success.
    """
    parts = _split(target.uri)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=target.timeout_s)
    connection.set_debuglevel(0)  # a trace of the process would print the receiver's secrets
    try:
        opened = socket.create_connection(
            (_address(host, port, receivers), port), timeout=target.timeout_s
        )
        connection.sock = opened
        if secure:
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(opened, server_hostname=host)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {**dict(target.headers), **headers})
        answer = connection.getresponse()
        answer.read(65_536)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise DeliveryError(f"the receiver answered {answer.status}")


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise bad(f"endpoint {uri!r:.100}: {error}") from None
    if not uri.isascii() or not uri.isprintable() or " " in uri:
        raise bad(f"endpoint {uri!r:.100} is no URI: encode what is not ASCII")
    return parts


def _check_host(host: str, receivers: Sequence[str]) -> None:
    """Raise BadRequestData for a host that can be known already not to be allowed."""
    try:
        fits = _allowed(host, receivers)
    except ValueError:  # a name: which address it has is seen when something is sent
        fits = host == "localhost" or bool(receivers)
    if not fits:
        raise bad(
            f"endpoint host {host!r:.80} is not allowed: this twin notifies loopback"
            f"{''.join(f', {each}' for each in receivers)} only; its operator can allow networks"
        )


def _allowed(address: str, receivers: Sequence[str]) -> bool:
    at = ipaddress.ip_address(address.partition("%")[0])
    at = getattr(at, "ipv4_mapped", None) or at
    return at.is_loopback or any(at in ipaddress.ip_network(each) for each in receivers)


def _address(host: str, port: int, receivers: Sequence[str]) -> str:
    """Address of a host that may be sent to."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [each for each in found if _allowed(each, receivers)]
    if not allowed:
        raise DeliveryError(f"{host} is at {', '.join(found)}, which is not allowed")
    return allowed[0]


def _headers(info: Any) -> list[tuple[str, str]]:
    if not isinstance(info, list) or not all(isinstance(each, dict) for each in info):
        raise bad("receiverInfo is a list of objects with key and value (5.2.22)")
    found = []
    for each in info:
        key, value = each.get("key"), each.get("value")
        if not isinstance(key, str) or not isinstance(value, str) or not _TOKEN.fullmatch(key):
            raise bad(f"receiverInfo: {key!r:.60} is no name of a header, or has no text as value")
        if not value.isprintable() or not value.isascii() or key.lower() in _OURS:
            raise bad(f"receiverInfo: {key} is set by the twin, or its value is not printable")
        found.append((key, value))
    return found


def _milliseconds(value: Mapping[str, Any], name: str) -> float:
    """Seconds of a member in milliseconds."""
    number = value.get(name, 0)
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < 1e9:
        raise bad(f"endpoint.{name} is a number of milliseconds above 0 (5.2.15)")
    return number / 1000
