"""A server that does everything a server must not do, on a port of this machine.

    with HostileServer() as server:
        client.get(server.url + "/cut")

Each fault is a route; `server.route(method, path, handler)` adds others. A handler takes a
`Request` and returns a `Reply`, or `Raw` bytes that go out as they are. The server remembers every
request and counts connections.
"""

import contextlib
import gzip
import json
import socket
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What arrived. `count` is the number of requests to this path so far, this one included."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    count: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(urlsplit(self.target).query).items()}

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """A well-formed answer; a dict or list becomes JSON."""

    status: int = 200
    body: Any = b""
    headers: Iterable[tuple[str, str]] = ()
    content_type: str = "application/json"


@dataclass(frozen=True)
class Raw:
    """Bytes as they go onto the wire; afterwards the connection is closed, or reset."""

    pieces: Iterable[bytes]
    reset: bool = False


Handler = Callable[[Request], Reply | Raw]


@dataclass
class HostileServer:
    """Context manager; `url` is there inside it."""

    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._open: set[socket.socket] = set()
        self._routes: dict[tuple[str, str], Handler] = {}
        for path, handler in FAULTS.items():
            self._routes["GET", path] = handler
        self._routes["GET", "/slow"] = self._slow
        self._routes["GET", "/drip"] = lambda request: Raw(self._drip())

    def route(self, method: str, path: str, handler: Handler) -> None:
        """Answer `method path` with a handler; `*` stands for any method or any path."""
        self._routes[method, path] = handler

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        kind = type("_Server", (_Server,), {"address_family": family, "hostile": self})
        self._server = kind((self.host, 0), _Connection)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        assert not self.failures, self.failures

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def seen(self, path: str) -> list[Request]:
        """Requests to a path, in the order of their arrival."""
        return [request for request in self.requests if request.path == path]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Any:
        path = urlsplit(target).path
        with self._lock:
            self._counts[path] += 1
            request = Request(method, target, headers, body, self._counts[path])
            self.requests.append(request)
        for key in ((method, path), ("*", path), (method, "*"), ("*", "*")):
            if key in self._routes:
                return self._routes[key](request)
        return Reply(404, {"title": "nothing here", "detail": path})

    def _slow(self, request: Request) -> Reply:
        self.stopping.wait(float(request.query.get("s", "30")))
        return Reply(body={"late": True})

    def _drip(self) -> Iterable[bytes]:
        """A body that is never silent for long and never ends."""
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n"
        while not self.stopping.wait(0.02):
            yield b"x"


class _Server(ThreadingHTTPServer):
    hostile: HostileServer
    daemon_threads = False  # so that closing waits for them and no socket is left

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.hostile.failures.append(error)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.server.hostile._lock:
            self.server.hostile.connections += 1
            self.server.hostile._open.add(self.connection)

    def finish(self) -> None:
        with self.server.hostile._lock:
            self.server.hostile._open.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def version_string(self) -> str:
        return "hostile"

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.server.hostile.answer(self.command, self.path, self.headers, body)
        if isinstance(reply, Raw):
            self._send_raw(reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        body = reply.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(reply.status)
        given = {name.lower() for name, _ in reply.headers}
        if reply.content_type and "content-type" not in given and reply.status not in (204, 304):
            self.send_header("Content-Type", reply.content_type)
        if "content-length" not in given and reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and reply.status not in (204, 304):
            self.wfile.write(body)

    def _send_raw(self, reply: Raw) -> None:
        self.close_connection = True
        for piece in reply.pieces:
            self.connection.sendall(piece)
        if reply.reset:
            # SO_LINGER of 0 s: the kernel sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _do  # noqa: N815


def head(*lines: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """Status line and headers."""
    return "\r\n".join([f"{version} {status}", *lines, "", ""]).encode("latin-1")


def once(fault: Handler, then: Reply | None = None) -> Handler:
    """The fault at the first request, a good answer at all others."""

    def handler(request: Request) -> Reply | Raw:
        return fault(request) if request.count == 1 else then or Reply(body={"ok": True})

    return handler


def http_date(seconds_from_now: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds_from_now), usegmt=True)


def bomb(megabytes: int) -> bytes:
    """Zeros that weigh a thousandth of what they become."""
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1_000_000)
    return b"".join(engine.compress(block) for _ in range(megabytes)) + engine.flush()


def _endless(request: Request) -> Raw:
    def pieces() -> Iterable[bytes]:
        yield head("Content-Type: text/plain", "Transfer-Encoding: chunked")
        while True:
            yield b"10000\r\n" + bytes(65_536) + b"\r\n"

    return Raw(pieces())


def _endless_redirect(request: Request) -> Raw:
    def pieces() -> Iterable[bytes]:
        yield head("Location: /ok", "Content-Length: 999999999999", status="302 Found")
        while True:
            yield bytes(65_536)

    return Raw(pieces())


def _redirect(request: Request) -> Reply:
    return Reply(int(request.query.get("status", 302)), headers=[("Location", request.query["to"])])


def _chain(request: Request) -> Reply:
    step = int(request.query.get("step", 0))
    return Reply(302, headers=[("Location", f"/chain?step={step + 1}")])


def _cut(request: Request) -> Raw:
    return Raw([head("Content-Type: application/json", "Content-Length: 1000"), b'{"a": '])


def _chunked_cut(request: Request) -> Raw:
    return Raw([head("Content-Type: text/plain", "Transfer-Encoding: chunked"), b"5\r\nabcde\r\n"])


def _silent(request: Request) -> Raw:
    def pieces() -> Iterable[bytes]:
        yield head("Content-Type: text/plain", "Content-Length: 10") + b"abc"
        time.sleep(0.6)

    return Raw(pieces())


def _status(status: int, *headers: tuple[str, str]) -> Handler:
    return lambda request: Reply(status, {"title": "no"}, headers)


_TABLE = b"a,b\n1,2\n"

FAULTS: dict[str, Handler] = {
    "/ok": lambda request: Reply(body={"ok": True}),
    "/echo": lambda request: Reply(
        body={"headers": dict(request.headers.items()), "target": request.target}
    ),
    "/silent": _silent,
    "/cut": _cut,
    "/cut-once": once(_cut),
    "/chunked-cut": _chunked_cut,
    "/chunked-cut-once": once(_chunked_cut),
    "/chunk-garbage": lambda request: Raw(
        [head("Transfer-Encoding: chunked", "Content-Type: text/plain"), b"zz\r\nabc\r\n"]
    ),
    "/reset": lambda request: Raw([], reset=True),
    "/reset-once": once(lambda request: Raw([], reset=True)),
    "/nothing": lambda request: Raw([]),
    "/no-http": lambda request: Raw([b"220 mail.example ESMTP\r\n"]),
    "/429-seconds": once(_status(429, ("Retry-After", "1"))),
    "/429-date": once(lambda request: _status(429, ("Retry-After", http_date(2)))(request)),
    "/429-long": _status(429, ("Retry-After", "86400")),
    "/429": _status(429),
    "/500": _status(500),
    "/500-once": once(_status(500)),
    "/502-once": once(_status(502)),
    "/503-once": once(_status(503, ("Retry-After", "0"))),
    "/503": _status(503),
    "/504-once": once(_status(504)),
    "/wrong-type": lambda request: Reply(body={"ok": True}, content_type="text/plain"),
    "/no-type": lambda request: Reply(body={"ok": True}, content_type=""),
    "/login-page": lambda request: Reply(
        body=b"<!DOCTYPE html><title>Sign in</title>", content_type="text/html"
    ),
    "/invalid-json": lambda request: Reply(body=b'{"a": 1,, "secret": "hunter22"}'),
    "/truncated-200": lambda request: Reply(body=b'[{"a": 1}, {"a": 2'),
    "/empty": lambda request: Reply(),
    "/nan": lambda request: Reply(body=b'{"t": NaN, "u": -Infinity}'),
    "/latin-1": lambda request: Reply(
        body='{"name": "Nîmes"}'.encode("latin-1"),
        content_type="application/json; charset=iso-8859-1",
    ),
    "/gzip": lambda request: Reply(
        body=gzip.compress(b'{"ok": ') + gzip.compress(b"true}") + bytes(8),
        headers=[("Content-Encoding", "gzip")],
    ),
    "/deflate": lambda request: Reply(
        body=zlib.compress(b'{"ok": true}'), headers=[("Content-Encoding", "deflate")]
    ),
    "/raw-deflate": lambda request: Reply(
        body=zlib.compress(b'{"ok": true}')[2:-4], headers=[("Content-Encoding", "deflate")]
    ),
    "/bomb": lambda request: Reply(body=bomb(50), headers=[("Content-Encoding", "gzip")]),
    "/cut-gzip": lambda request: Reply(
        body=gzip.compress(bytes(range(256)) * 99)[:-9], headers=[("Content-Encoding", "gzip")]
    ),
    "/damaged-gzip": lambda request: Reply(
        body=b"\x1f\x8b no gzip at all", headers=[("Content-Encoding", "gzip")]
    ),
    "/brotli": lambda request: Reply(body=b"\x0b\x02", headers=[("Content-Encoding", "br")]),
    "/endless": _endless,
    "/declares-much": lambda request: Raw([head("Content-Length: 999999999999")]),
    "/http10": lambda request: Raw([head("Content-Type: text/csv", version="HTTP/1.0"), _TABLE]),
    "/http10-json": lambda request: Raw(
        [head("Content-Type: application/json", version="HTTP/1.0"), b'{"ok": true}']
    ),
    "/redirect": _redirect,
    "/endless-redirect": _endless_redirect,
    "/loop": lambda request: Reply(302, headers=[("Location", "/loop")]),
    "/chain": _chain,
    "/problem": lambda request: Reply(
        400,
        {
            "type": "https://uri.etsi.org/ngsi-ld/errors/BadRequestData",
            "title": "Bad request data",
            "detail": "q: unexpected token at 7",
        },
        content_type="application/problem+json",
    ),
    "/several-links": lambda request: Reply(
        body=[],
        headers=[
            ("Link", '<https://example.org/c.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'),
            ("Link", '</page?at=2>; rel="next", </page?at=0>;rel=prev'),
        ],
    ),
    "/cookie": lambda request: Reply(
        body={"cookie": request.headers.get("Cookie")},
        headers=[("Set-Cookie", "sid=cookie-secret-1; Path=/")],
    ),
    "/many-headers": lambda request: Raw(
        [head(*[f"X-{n}: y" for n in range(200)], "Content-Length: 0")]
    ),
}
