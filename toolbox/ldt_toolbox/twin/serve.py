"""Starts the twin: in a thread for tests and notebooks, or as a process of its own."""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from ldt_toolbox.errors import OutputError, WrongUseError
from ldt_toolbox.twin.app import Extension, create_app
from ldt_toolbox.twin.guard import is_loopback
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.store import Store

_START_S = 15.0


def names_of(host: str, allowed: Collection[str]) -> list[str] | None:
    """Names to which a twin answers beside those of loopback; None if to any.

    On loopback only to its own, as any page of the web could reach it under a name of the page's
    (DNS rebinding). Elsewhere it has names that it does not know, and writes need a token.
    """
    return [host, *allowed] if allowed or is_loopback(host) else None


def token_for(host: str, token: str | None) -> str | None:
    """Token that writes need: none on loopback unless given, elsewhere a given or a new one.

    Raises
    ------
    WrongUseError
        If a token is too short to be one.
    """
    if token is not None and len(token) < 16:
        raise WrongUseError("the twin's token is shorter than 16 characters; take a longer one")
    return token or (None if is_loopback(host) else secrets.token_urlsafe(24))


class Twin:
    """A twin that runs in a thread of this process.

    Parameters
    ----------
    store : Store or path-like, optional
        The file; a temporary one if left out.
    host : str
        Address to bind to; loopback unless told otherwise.
    port : int
        0 takes a free one.
    token : str, optional
        Writes need it; made up if the host is not loopback and none is given.
    allow_hosts : collection of str
        Host names to which it answers, too, such as that of a proxy in front of it.
    limits : Limits, optional
        What a request may ask for.
    extensions : sequence of callable
        Routes beyond NGSI-LD.
    fetch : callable, optional
        Gets a foreign @context from its address.

    Attributes
    ----------
    url : str
        Address, without a slash at the end.
    ngsi_ld : str
        Base address for an NGSI-LD client: what comes before ``/ngsi-ld/v1``.
    token : str or None
        Token that writes need.

    Examples
    --------
    >>> with Twin() as twin:  # doctest: +SKIP
    ...     broker = NgsiLd(twin.ngsi_ld)
    """

    def __init__(
        self,
        store: Store | str | Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_hosts: Collection[str] = (),
        limits: Limits | None = None,
        extensions: Sequence[Extension] = (),
        fetch: Callable[[str], Mapping[str, Any]] | None = None,
    ) -> None:
        self.token = token_for(host, token)
        self._own = not isinstance(store, Store)
        self.store = store if isinstance(store, Store) else Store(store)
        self.app = create_app(
            self.store, token=self.token, hosts=names_of(host, allow_hosts), limits=limits,
            extensions=extensions, fetch=fetch,
        )  # fmt: skip
        self._socket = _bound(host, port)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}"
        self.ngsi_ld = self.url
        self._server = uvicorn.Server(config(self.app))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="twin-http", daemon=True
        )

    def start(self) -> "Twin":
        """Start to answer; returns when it does."""
        self._thread.start()
        until = time.monotonic() + _START_S
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise OutputError(f"the twin did not start at {self.url}; see its log")
            time.sleep(0.005)
        return self

    def close(self) -> None:
        """Answer what has begun, end, and close the file."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()
        if self._own:
            self.store.close()

    def __enter__(self) -> "Twin":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def config(app: Any) -> uvicorn.Config:
    """Uvicorn's configuration of a twin: quiet, bounded, without websockets."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="on",
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        backlog=512,
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OutputError(f"the twin cannot listen at {host}:{port}: {error.strerror}") from error
    return listening
