"""The pool of connections: no cookies, no redirects of its own, no trace on the console."""

import importlib.metadata
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from urllib3.poolmanager import PoolManager

from ldt_toolbox.clients.masking import quieten_transport_log

MOST_CONNECTIONS = 16
"""Connections to one host that are kept open."""


def open_session() -> requests.Session:
    """Session of `requests` by the rules of this package.

    Returns
    -------
    requests.Session
        It keeps no cookie, follows no redirect, never tries again by itself and prints no
        request, whatever else runs in the process.
    """
    quieten_transport_log()
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(max_retries=0, pool_maxsize=MOST_CONNECTIONS))
    # No client of an API needs cookies, and each would be one more secret to guard
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    version = importlib.metadata.version("ldt-toolbox")
    session.headers.update(
        {"User-Agent": f"ldt-toolbox/{version}", "Accept-Encoding": "gzip, deflate"}
    )
    return session


class _Session(requests.Session):
    """A session that knows no redirects.

    Even with `allow_redirects=False`, requests prepares the next request, and to that end reads
    the body of the redirect into memory, whatever its size.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections that print no request.

    `http.client.HTTPConnection.debuglevel = 1` is a common way to watch requests, and some
    libraries set it when they are imported. It holds for the whole process and prints each
    request with its `Authorization`; our connections have a level of their own.
    """

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _untraced(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if not known:
            _untraced(manager)
        return manager


def _untraced(manager: PoolManager) -> None:
    """Give the manager pools whose connections ignore the level of the process."""
    pools = {}
    pool: Any
    for scheme, pool in manager.pool_classes_by_scheme.items():
        kind = type("Untraced", (pool.ConnectionCls,), {"debuglevel": 0})
        pools[scheme] = type("UntracedPool", (pool,), {"ConnectionCls": kind})
    manager.pool_classes_by_scheme = pools
