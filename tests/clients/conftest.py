"""The hostile server, and clients that wait without losing time."""

import importlib.util
import sys
from pathlib import Path

import pytest
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.retry import Backoff

_path = Path(__file__).parents[1] / "servers" / "hostile.py"
_spec = importlib.util.spec_from_file_location("hostile_server", _path)
_module = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("hostile_server", _module)
_spec.loader.exec_module(_module)


@pytest.fixture(scope="session")
def hostile():
    """The module: `Reply`, `Raw`, `HostileServer`."""
    return _module


@pytest.fixture
def server(hostile):
    with hostile.HostileServer() as running:
        yield running


@pytest.fixture
def waits():
    """Seconds that clients of `client` would have slept between attempts."""
    return []


@pytest.fixture
def client(server, waits):
    """Makes clients of the server; they are closed at the end."""
    made = []

    def make(base_url=None, **options):
        options.setdefault("backoff", Backoff(sleep=waits.append))
        made.append(HttpClient(server.url if base_url is None else base_url, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
