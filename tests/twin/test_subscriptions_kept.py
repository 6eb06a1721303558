"""Subscriptions that outlive the process, our own client, and where notifications may go."""

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ldt_toolbox.clients.errors import NotFound, TimedOut
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.clients.ngsi_ld.receiver import Receiver
from ldt_toolbox.clients.ngsi_ld.subscriptions import subscription
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.notify import watch
from ldt_toolbox.twin.notify.endpoint import DeliveryError, Endpoint, endpoint, post
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.twin.store import Store
from ldt_toolbox.twin.store.schema import UPGRADES


def prop(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}


def sensor(value: Any, own: str = "urn:x:1") -> dict[str, Any]:
    return {"id": own, "type": "Sensor", "t": prop(value)}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def counted(client: NgsiLd, own: str, sent: int) -> dict[str, Any]:
    until = time.monotonic() + 10
    while client.subscriptions.get(own)["notification"]["timesSent"] < sent:
        assert time.monotonic() < until
        time.sleep(0.02)
    said: dict[str, Any] = client.subscriptions.get(own)["notification"]
    return said


def test_subscriptions_survive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    path = tmp_path / "twin.sqlite"
    with Twin(path) as twin, NgsiLd(twin.ngsi_ld, tenant="nice") as client:
        own = client.subscriptions.create(
            subscription(receiver.endpoint(), type="Sensor", q="t>1", form="simplified")
        )
        client.entities.create(sensor(2))
        assert receiver.wait(timeout_s=5)[0].data[0]["t"] == 2
        counted(client, own, 1)
    with Twin(path) as twin, NgsiLd(twin.ngsi_ld, tenant="nice") as client:
        client.entities.update_attributes("urn:x:1", {"t": prop(0)})
        client.entities.update_attributes("urn:x:1", {"t": prop(3)})
        assert receiver.wait(timeout_s=5)[0].data[0]["t"] == 3
        assert counted(client, own, 2)["timesFailed"] == 0
        client.subscriptions.delete(own)
    with Twin(path) as twin, NgsiLd(twin.ngsi_ld, tenant="nice") as client:
        with pytest.raises(NotFound):
            client.subscriptions.get(own)
        client.entities.update_attributes("urn:x:1", {"t": prop(9)})
        with pytest.raises(TimedOut):
            receiver.wait(timeout_s=0.2)


def test_our_client_and_receiver_do_it_all(running: Twin, receiver: Receiver) -> None:
    with NgsiLd(running.ngsi_ld, tenant="subscriber") as client:
        own = client.subscriptions.create(
            subscription(
                receiver.endpoint(), name="all", type="Sensor", watched="t",
                triggers=("attributeUpdated", "entityDeleted"), show_changes=True, sys_attrs=True,
            )
        )  # fmt: skip
        [listed] = client.subscriptions.list()
        assert listed["id"] == own
        assert listed["subscriptionName"] == "all"
        client.entities.create(sensor(1))
        client.entities.update_attributes("urn:x:1", {"t": prop(2)})
        [told] = receiver.wait(timeout_s=5)
        assert told.data[0]["t"] == told.data[0]["t"] | {"value": 2, "previousValue": 1}
        assert "modifiedAt" in told.data[0]["t"]
        client.subscriptions.pause(own)
        assert client.subscriptions.get(own)["status"] == "paused"
        client.entities.update_attributes("urn:x:1", {"t": prop(3)})
        running.store.settle()
        client.subscriptions.resume(own)
        client.entities.delete("urn:x:1")
        [told] = receiver.wait(timeout_s=5)
        assert told.data[0].keys() == {"id", "type", "createdAt", "modifiedAt", "deletedAt", "t"}
        assert told.data[0]["t"]["previousValue"] == 3
        client.subscriptions.delete(own)
        assert client.subscriptions.list() == []


def test_a_file_of_the_first_version_gets_history_and_subscriptions(
    tmp_path: Path, receiver: Receiver
) -> None:
    path = tmp_path / "old.sqlite"
    old = sqlite3.connect(path, isolation_level=None)
    for statement in UPGRADES[0].split(";\n"):
        old.execute(statement)
    old.execute("PRAGMA user_version = 1")
    old.close()
    with Twin(path) as twin, NgsiLd(twin.ngsi_ld) as client:
        client.subscriptions.create(subscription(receiver.endpoint(), type="Sensor"))
        client.entities.create(sensor(1) | {"t": prop(1) | {"observedAt": "2026-07-01T00:00:00Z"}})
        receiver.wait(timeout_s=5)
        assert client.temporal.get("urn:x:1", probe=False)["t"][0]["value"] == 1
    with Store(path) as store:
        [(version,)] = store.read(lambda c: c.execute("PRAGMA user_version").fetchall())
    assert version == len(UPGRADES)


def test_more_than_can_wait_is_counted_as_failed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_MOST_WAITING", 3)
    release, began = threading.Event(), threading.Event()
    sending = watch.post

    def slowly(*args: Any, **options: Any) -> None:
        began.set()
        release.wait(10)
        sending(*args, **options)

    monkeypatch.setattr(watch, "post", slowly)
    with Twin() as twin, NgsiLd(twin.ngsi_ld) as client:
        own = client.subscriptions.create(
            subscription(receiver.endpoint(), type="Sensor", form="simplified")
        )
        client.entities.create(sensor(0))
        assert began.wait(5)
        for value in range(1, 8):
            client.entities.update_attributes("urn:x:1", {"t": prop(value)})
        twin.store.settle()
        release.set()
        told = receiver.wait(4, timeout_s=5)
        assert [each.data[0]["t"] for each in told] == [0, 5, 6, 7]
        assert counted(client, own, 4)["timesFailed"] == 4


def test_no_more_subscriptions_than_allowed() -> None:
    body = subscription("http://127.0.0.1:9/", type="Sensor")
    with Twin(limits=Limits(subscriptions=2)) as twin:
        url = f"{twin.url}/ngsi-ld/v1/subscriptions"
        status = [requests.post(url, json=body, timeout=10).status_code for _ in range(3)]
    assert status == [201, 201, 403]


def test_a_token_guards_subscriptions() -> None:
    body = subscription("http://127.0.0.1:9/", type="Sensor")
    with Twin(token="x" * 20) as twin:
        answer = requests.post(f"{twin.url}/ngsi-ld/v1/subscriptions", json=body, timeout=10)
    assert answer.status_code == 401


NETWORKS = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("[::1]", True), ("localhost", True),
        ("10.1.2.3", True), ("[fd00::1]", True), ("[::ffff:10.0.0.1]", True),
        ("example.org", True), ("11.0.0.1", False), ("169.254.169.254", False),
        ("[fe80::1]", False), ("[::ffff:192.168.0.1]", False), ("0.0.0.0", False),  # noqa: S104
    ],
)  # fmt: skip
def test_networks_that_the_operator_allows(host: str, fits: bool) -> None:
    value = {"uri": f"http://{host}:8080/path?x=1"}
    if fits:
        assert endpoint(value, receivers=NETWORKS).uri == value["uri"]
    else:
        with pytest.raises(ProblemError, match="not allowed"):
            endpoint(value, receivers=NETWORKS)


def test_a_network_that_is_none_stops_the_twin() -> None:
    with Store() as store, pytest.raises(WrongUseError, match="receivers"):
        Twin(store, limits=Limits(receivers=("10.0.0.1/8",)))


@pytest.mark.parametrize("address", ["192.168.0.1", "169.254.169.254", "::"])
def test_a_name_is_not_sent_to_where_it_may_not_lead(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(DeliveryError, match="not allowed"):
        post(Endpoint("http://example.org/"), b"{}", {}, receivers=NETWORKS)
