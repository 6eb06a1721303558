import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.clients.retry import Backoff

SERVERS = Path(__file__).parents[2] / "servers"


def load(name: str) -> Any:
    """Module of tests/servers, once."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SERVERS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def server() -> Iterator[Any]:
    with load("hostile").HostileServer() as running:
        yield running


@pytest.fixture
def reply() -> Any:
    return load("hostile").Reply


@pytest.fixture(scope="session")
def recorded() -> Any:
    return load("ngsi_ld_recorded")


@pytest.fixture(scope="session")
def q_language() -> Any:
    return load("ngsi_ld_q")


@pytest.fixture
def broker(server: Any, reply: Any, q_language: Any) -> Any:
    return load("ngsi_ld_broker").Broker(server, reply, q_language)


@pytest.fixture
def http(server: Any) -> Iterator[HttpClient]:
    backoff = Backoff(base_s=0.001, cap_s=0.002)
    with HttpClient(server.url, retries=2, backoff=backoff) as client:
        yield client


@pytest.fixture
def client(server: Any, http: HttpClient) -> NgsiLd:
    return NgsiLd(server.url, http=http)
