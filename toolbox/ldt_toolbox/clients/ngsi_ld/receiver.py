"""Receives notifications in a notebook or test (GS CIM 009 V1.8.1, 5.3.1, 5.8.6).

with Receiver() as receiver:
    client.subscriptions.create(subscription(receiver.endpoint(), type="WeatherObserved"))
    first, second = receiver.wait(2, timeout_s=30)
"""

import hmac
import json
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from ldt_toolbox.clients.errors import TimedOut
from ldt_toolbox.errors import WrongUseError

SECRET_HEADER = "X-Receiver-Secret"  # noqa: S105  (the name of a header)
_MOST_BYTES = 50_000_000
_MOST_TRAILERS = 100


@dataclass(frozen=True)
class Notification:
    """What a broker told (5.3.1).

    Attributes
    ----------
    id, subscription_id, notified_at : str
        As the broker wrote them; empty if missing.
    data : list of dict
        Entities; the Features of a GeoJSON notification.
    content : dict
        The whole body.
    content_type : str
        Its media type.
    """

    id: str
    subscription_id: str
    notified_at: str
    data: list[dict[str, Any]]
    content: dict[str, Any]
    content_type: str


class Receiver:
    """Small server that keeps every notification until it is taken.

    Parameters
    ----------
    host : str
        Address to listen at; the loopback by default, so that nobody else reaches it.
    port : int
        Port; 0 takes a free one.
    public_url : str
        Address under which the broker reaches this server, if it is another one.
    secret : bool
        Take notifications only with a secret header, which `endpoint()` tells the broker.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        public_url: str = "",
        secret: bool = True,
    ) -> None:
        if public_url and urlsplit(public_url).scheme not in ("http", "https"):
            raise WrongUseError(f"public_url = {public_url!r} is no http or https address")
        self._address = (host, port)
        self._public_url = public_url
        self._secret = secrets.token_urlsafe(24) if secret else ""
        self._arrived: deque[Notification] = deque()
        self._change = threading.Condition()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.rejected: list[str] = []
        """Why requests were not taken, one line each."""

    def __repr__(self) -> str:
        state = f"at {self.url}" if self._server else "closed"
        return f"<Receiver {state}, {len(self._arrived)} waiting, {len(self.rejected)} rejected>"

    def __enter__(self) -> Self:
        self._server = _Server(self._address, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; what has arrived can still be taken."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        server.shutdown()
        thread.join()
        server.server_close()
        with self._change:
            self._server = None
            self._change.notify_all()

    @property
    def url(self) -> str:
        """Address for notifications."""
        if self._public_url:
            return self._public_url
        if self._server is None:
            raise WrongUseError("the receiver is closed; use it inside `with Receiver() as ...`")
        host, port = self._server.server_address[:2]
        named = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{named}:{port}/notify"

    def endpoint(self, *, accept: str = "application/json") -> dict[str, Any]:
        """Endpoint of a subscription (5.2.15), with the secret that the broker has to send."""
        endpoint: dict[str, Any] = {"uri": self.url, "accept": accept}
        if self._secret:
            endpoint["receiverInfo"] = [{"key": SECRET_HEADER, "value": self._secret}]
        return endpoint

    def wait(self, number: int = 1, *, timeout_s: float = 30) -> list[Notification]:
        """The next notifications, in the order of their arrival.

        Parameters
        ----------
        number : int
            How many to wait for.
        timeout_s : float
            How long at most, in seconds.

        Raises
        ------
        TimedOut
            Fewer came; those are kept for the next call.
        """
        until = time.monotonic() + timeout_s
        with self._change:
            while len(self._arrived) < number:
                left_s = until - time.monotonic()
                if left_s <= 0 or self._server is None:
                    raise TimedOut(
                        f"{len(self._arrived)} of {number} notifications came in {timeout_s:g} s"
                        f"{self._hint()}; is the endpoint within the broker's reach?"
                    )
                self._change.wait(left_s)
            return [self._arrived.popleft() for _ in range(number)]

    def __iter__(self) -> Iterator[Notification]:
        """Notifications as they come, until the receiver is closed."""
        while True:
            with self._change:
                while not self._arrived and self._server is not None:
                    self._change.wait(1)
                if not self._arrived:
                    return
                following = self._arrived.popleft()
            yield following

    def _hint(self) -> str:
        if not self.rejected:
            return ""
        return f" and {len(self.rejected)} were rejected ({self.rejected[-1]})"

    def take(self, headers: Message, body: bytes) -> int:
        """Keep a notification; returns the HTTP status of the answer."""
        given = headers.get(SECRET_HEADER) or ""
        if self._secret and not hmac.compare_digest(given.encode(), self._secret.encode()):
            return self.reject(401, "without the secret header")
        try:
            content = json.loads(body)
            data = content["data"]
            if isinstance(data, dict):
                data = data["features"] if data.get("type") == "FeatureCollection" else [data]
            entities = [dict(entity) for entity in data]
        except (ValueError, TypeError, KeyError, RecursionError):
            return self.reject(400, "no notification: JSON with the member data is due (5.3.1)")
        notification = Notification(
            str(content.get("id", "")),
            str(content.get("subscriptionId", "")),
            str(content.get("notifiedAt", "")),
            entities,
            content,
            (headers.get("Content-Type") or "").partition(";")[0].strip().lower(),
        )
        with self._change:
            self._arrived.append(notification)
            self._change.notify_all()
        return 200

    def reject(self, status: int, reason: str) -> int:
        """Note why a request is not taken; returns the HTTP status of the answer."""
        with self._change:
            self.rejected.append(f"{status} {reason}")
        return status


class _UnreadableError(Exception):
    """A request whose body cannot be had."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for notifications that are on their way
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is no notification and no reason to print."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        receiver = self.server.receiver
        try:
            body = self._body()
        except _UnreadableError as error:
            self._end(receiver.reject(error.status, str(error)))
        else:
            self._end(receiver.take(self.headers, body))

    def _body(self) -> bytes:
        """Body of a known length, or in chunks as many HTTP clients of brokers send it."""
        coding = (self.headers.get("Transfer-Encoding") or "").strip().lower()
        if coding == "chunked":
            return b"".join(self._chunks())
        length = self.headers.get("Content-Length") or ""
        if coding or not length.isascii() or not length.isdecimal():
            raise _UnreadableError(411, "without a length")
        if int(length) > _MOST_BYTES:
            raise _UnreadableError(413, f"larger than {_MOST_BYTES} bytes")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _UnreadableError(400, "cut")
        return body

    def _chunks(self) -> Iterator[bytes]:
        """Chunks (RFC 9112, 7.1); trailers are read and left aside."""
        left = _MOST_BYTES
        while size := self._chunk_size():
            left -= size
            if left < 0:
                raise _UnreadableError(413, f"larger than {_MOST_BYTES} bytes")
            chunk = self.rfile.read(size)
            if len(chunk) < size or self.rfile.readline(3).strip():
                raise _UnreadableError(400, "cut")
            yield chunk
        # What stays unread would end the connection before the answer
        for _ in range(_MOST_TRAILERS):
            if not self.rfile.readline(1000).strip():
                break

    def _chunk_size(self) -> int:
        written = self.rfile.readline(1000).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", written):
            raise _UnreadableError(400, "cut")
        return int(written, 16)

    def _end(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def version_string(self) -> str:
        return "ldt-toolbox"

    def log_message(self, format: str, *args: object) -> None:
        pass
