"""Names to which the twin answers, pages that may write, and receivers that may be notified."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from ldt_toolbox.twin.serve import Twin, names_of

ENTITY = {"id": "urn:x:1", "type": "T"}
LDT = [sys.executable, "-m", "ldt_toolbox.cli", "twin", "up"]


@pytest.fixture(scope="module")
def proxied() -> Iterator[Twin]:
    """A twin that knows one name beside those of loopback."""
    with Twin(allow_hosts=["Twin.Example"]) as twin:
        yield twin


def asked(twin: Twin, host: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{twin.url}/ngsi-ld/v1/types", headers={"Host": host, **headers}, timeout=5
    )


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1026", "localhost.", "127.0.0.1", "127.0.0.1:80", "[::1]",
     "[::1]:1026", "127.8.9.10", "twin.example", "twin.example:443", "TWIN.EXAMPLE."],
)  # fmt: skip
def test_it_answers_to_its_own_names(proxied: Twin, host: str) -> None:
    assert asked(proxied, host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:1026", "localhost.evil.example", "127.0.0.1.evil.example",
     "evil.example@localhost:1", "xtwin.example", "192.0.2.1", "[fe80::1]", "[::1", "0", ""],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/ngsi-ld/v1/types", "/collections"])
def test_a_name_that_was_bound_to_loopback_is_refused(proxied: Twin, host: str, path: str) -> None:
    """DNS rebinding: the page's own name leads here, and the browser sends it as the Host."""
    answer = requests.get(f"{proxied.url}{path}", headers={"Host": host}, timeout=5)
    assert answer.status_code in (400, 421), "the server may refuse what is no name at all itself"
    if answer.status_code == 421:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "--allow-host" in answer.json()["detail"]


def test_elsewhere_any_name_is_answered_unless_names_are_given() -> None:
    assert names_of("127.0.0.1", ()) == ["127.0.0.1"]
    assert names_of("0.0.0.0", ()) is None  # noqa: S104 - nothing is bound
    assert names_of("192.0.2.1", ["twin.example"]) == ["192.0.2.1", "twin.example"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [("{url}", 201), ("http://evil.example", 403), ("null", 403), ("http://[", 403),
     ("http://127.0.0.1:1", 403)],
)  # fmt: skip
@pytest.mark.parametrize("path", ["entities", "entityOperations/upsert"])
def test_a_page_of_another_site_does_not_write(origin: str, status: int, path: str) -> None:
    """What a browser sends without asking first: a POST with the Origin of the page."""
    body = ENTITY if path == "entities" else [ENTITY]
    with Twin() as twin:
        url = f"{twin.url}/ngsi-ld/v1"
        headers = {"Origin": origin.format(url=twin.url)}
        assert requests.post(
            f"{url}/{path}", json=body, headers=headers, timeout=5
        ).status_code == (status)
        kept = requests.get(f"{url}/entities/{ENTITY['id']}", headers=headers, timeout=5)
        assert kept.status_code == (200 if status == 201 else 404)
        assert not [name for name in kept.headers if name.lower().startswith("access-control")]


@contextmanager
def started(folder: Path, *options: str) -> Iterator[str]:
    """`ldt twin up`, and the address that it tells."""
    command = [*LDT, "--port", "0", "--runs", str(folder / "runs"), *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1].rstrip("/")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def wish(host: str) -> dict[str, object]:
    endpoint = {"uri": f"http://{host}:8080/notify"}
    return {
        "type": "Subscription", "entities": [{"type": "T"}], "notification": {"endpoint": endpoint},
    }  # fmt: skip


def test_the_command_opens_names_and_receivers_only_when_told(tmp_path: Path) -> None:
    with started(tmp_path, "--allow-host", "twin.example", "--notify", "192.0.2.0/24") as url:
        headers = {"Host": "twin.example"}
        assert requests.get(f"{url}/collections", headers=headers, timeout=20).status_code == 200
        headers = {"Host": "evil.example"}
        assert requests.get(f"{url}/collections", headers=headers, timeout=20).status_code == 421
        address = f"{url}/ngsi-ld/v1/subscriptions"
        assert requests.post(address, json=wish("192.0.2.7"), timeout=20).status_code == 201
        refused = requests.post(address, json=wish("198.51.100.7"), timeout=20)
        assert refused.status_code == 400
        assert "192.0.2.0/24" in refused.json()["detail"]


def test_a_network_that_is_none_is_said_before_anything_starts() -> None:
    command = [*LDT, "--port", "0", "--notify", "10.0.0.1/8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "10.0.0.1/8" in done.stderr
    assert "Traceback" not in done.stderr
