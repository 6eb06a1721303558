"""The hostile server, and clients that wait without losing time."""

import importlib.util
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.retry import Backoff

SERVERS = Path(__file__).parents[1] / "servers"


def _load(file, name):
    spec = importlib.util.spec_from_file_location(name, SERVERS / file)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


_module = _load("hostile.py", "hostile_server")


@pytest.fixture(scope="session")
def hostile():
    """The module: `Reply`, `Raw`, `HostileServer`."""
    return _module


@pytest.fixture(scope="session")
def programs():
    """The module: `from_npm`, `from_pip`, `running`."""
    return _load("programs.py", "programs")


@pytest.fixture
def server(hostile):
    with hostile.HostileServer() as running:
        yield running


@pytest.fixture
def secure(server, tmp_path):
    """Address of the server behind TLS, and the authority that signed its certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = server._server
    listener.socket = context.wrap_socket(
        listener.socket, server_side=True, do_handshake_on_connect=False
    )
    return f"https://localhost:{server.port}", tmp_path / "cert.pem"


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


@pytest.fixture(scope="session")
def no_cause():
    """Checks that an error leads to none of requests, which hold the request and its token."""

    def check(error):
        while error is not None:
            assert type(error).__module__.partition(".")[0] not in ("requests", "urllib3", "json")
            error = error.__cause__ or error.__context__

    return check
