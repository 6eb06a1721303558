"""Subscriptions and the receiver: what comes is kept, what is foreign is refused."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from ldt_toolbox.clients.errors import TimedOut
from ldt_toolbox.clients.ngsi_ld import GeoQuery, Q, Receiver, subscription
from ldt_toolbox.errors import WrongUseError
from shapely.geometry import box


def test_a_subscription_lives(broker, client) -> None:
    own = client.subscriptions.create(subscription("http://127.0.0.1:9/notify", type="Room"))
    assert client.subscriptions.get(own)["entities"] == [{"type": "Room"}]
    client.subscriptions.pause(own)
    assert broker.subscriptions[own]["isActive"] is False
    client.subscriptions.resume(own)
    assert broker.subscriptions[own]["isActive"] is True
    client.subscriptions.update(own, {"q": "a>1"})
    for _ in range(45):
        client.subscriptions.create(subscription("http://127.0.0.1:9", watched="a"))
    assert len(client.subscriptions.list()) == 46
    client.subscriptions.delete(own)
    assert own not in broker.subscriptions


def test_every_member_is_where_the_standard_wants_it() -> None:
    # tables 5.2.12-1, 5.2.14-1, 5.2.15-1
    payload = subscription(
        "https://example.org/notify", id="urn:s:1", name="hot", type="Room",
        entity_id=["urn:x:1", "urn:x:2"], watched=["temperature"],
        q=Q.attr("temperature") > 30, geo=GeoQuery.of("within", box(7, 43, 8, 44)),
        scope_q="/Nice", dataset_id=["@none", "urn:d:1"], attributes="temperature",
        form="concise", triggers=["entityCreated"],
        sys_attrs=True, show_changes=True, throttling_s=5,
        expires_at=datetime(2027, 1, 1, tzinfo=UTC), active=False,
        context="https://example.org/c.jsonld",
    )  # fmt: skip
    geo = payload.pop("geoQ")
    assert (geo["georel"], geo["geometry"]) == ("within", "Polygon")
    assert payload == {
        "id": "urn:s:1", "type": "Subscription", "subscriptionName": "hot",
        "entities": [{"id": "urn:x:1", "type": "Room"}, {"id": "urn:x:2", "type": "Room"}],
        "watchedAttributes": ["temperature"], "q": "temperature>30", "scopeQ": "/Nice",
        "datasetId": ["@none", "urn:d:1"],
        "notificationTrigger": ["entityCreated"], "throttling": 5,
        "expiresAt": "2027-01-01T00:00:00Z", "isActive": False,
        "jsonldContext": "https://example.org/c.jsonld",
        "notification": {
            "endpoint": {"uri": "https://example.org/notify", "accept": "application/json"},
            "format": "concise", "attributes": ["temperature"], "sysAttrs": True,
            "showChanges": True,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (timedelta(minutes=1), 60),
        (np.float64(5), 5),
        (0.5, 0.5),
        (timedelta(milliseconds=20), 0.02),
    ],
)
def test_times_between_notifications_may_be_durations(given, written) -> None:
    assert subscription("https://x.org", type="T", throttling_s=given)["throttling"] == written
    assert subscription("https://x.org", type="T", interval_s=given)["timeInterval"] == written


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"type": "Room", "interval_s": timedelta(0)},
        {"type": "Room", "interval_s": 5, "watched": "a"},
        {"type": "Room", "interval_s": 5, "throttling_s": 5},
        {"type": "Room", "throttling_s": 0},
        {"type": "Room", "triggers": ["changed"]},
        {"type": "Room", "show_changes": True, "form": "simplified"},
        {"watched": "a", "entity_id": "urn:x:1"},
        {"type": "Room", "expires_at": "tomorrow"},
        {"type": "Room", "context": "c.jsonld"},
    ],
)
def test_parts_that_exclude_each_other_are_refused(wrong) -> None:
    with pytest.raises(WrongUseError):
        subscription("http://127.0.0.1:9", **wrong)
    with pytest.raises(WrongUseError, match="endpoint"):
        subscription("localhost", type="Room")


def notify(endpoint: dict, number: int, **changes) -> requests.Response:
    body = {
        "id": f"urn:n:{number}", "type": "Notification", "subscriptionId": "urn:s:1",
        "notifiedAt": "2026-07-01T12:00:00Z", "data": [{"id": "urn:x:1", "type": "Room"}],
    } | changes  # fmt: skip
    headers = {pair["key"].lower(): pair["value"] for pair in endpoint.get("receiverInfo", [])}
    return requests.post(endpoint["uri"], json=body, headers=headers, timeout=5)


def test_every_notification_of_many_senders_is_kept() -> None:
    with Receiver() as receiver:
        endpoint = receiver.endpoint()
        threads = [
            threading.Thread(target=lambda k=k: [notify(endpoint, 100 * k + n) for n in range(25)])
            for k in range(4)
        ]
        for thread in threads:
            thread.start()
        got = receiver.wait(60, timeout_s=20) + receiver.wait(40, timeout_s=20)
        for thread in threads:
            thread.join()
    assert {n.id for n in got} == {f"urn:n:{100 * k + n}" for k in range(4) for n in range(25)}
    assert got[0].data == [{"id": "urn:x:1", "type": "Room"}]
    assert got[0].subscription_id == "urn:s:1"


def test_what_came_before_a_time_out_is_kept() -> None:
    with Receiver() as receiver:
        notify(receiver.endpoint(), 1)
        with pytest.raises(TimedOut, match="1 of 2"):
            receiver.wait(2, timeout_s=0.1)
        assert receiver.wait(1)[0].id == "urn:n:1"


def test_waiting_takes_no_more_than_was_waited_for() -> None:
    with Receiver() as receiver:
        for n in range(3):
            notify(receiver.endpoint(), n)
        assert [n.id for n in receiver.wait(2)] == ["urn:n:0", "urn:n:1"]
        assert [n.id for n in receiver.wait(1)] == ["urn:n:2"]


def test_iterating_ends_when_the_receiver_closes() -> None:
    with Receiver() as receiver:
        for n in range(3):
            notify(receiver.endpoint(), n)
    assert [n.id for n in receiver] == ["urn:n:0", "urn:n:1", "urn:n:2"]


def test_foreign_and_broken_notifications_are_refused_and_told() -> None:
    with Receiver() as receiver:
        endpoint = receiver.endpoint()
        assert notify({"uri": endpoint["uri"]}, 1).status_code == 401
        secret = {pair["key"]: pair["value"] for pair in endpoint["receiverInfo"]}
        for body in (b"{", b"[]", b'{"data": 3}', json.dumps({"id": "x"}).encode()):
            answer = requests.post(endpoint["uri"], data=body, headers=secret, timeout=5)
            assert answer.status_code == 400
        assert requests.get(endpoint["uri"], timeout=5).status_code == 501
        assert len(receiver.rejected) == 5
        assert next(iter(secret.values())) not in repr(receiver) + str(receiver.rejected)
        with pytest.raises(TimedOut, match="5 were rejected"):
            receiver.wait(timeout_s=0.05)


def test_notifications_in_chunks_are_read() -> None:
    # the HTTP clients of many brokers send no Content-Length
    body = json.dumps({"id": "urn:n:1", "data": [{"id": "urn:x:1", "name": "é" * 5000}]}).encode()
    with Receiver() as receiver:
        endpoint = receiver.endpoint()
        secret = {pair["key"]: pair["value"] for pair in endpoint["receiverInfo"]}
        pieces = (body[at : at + 700] for at in range(0, len(body), 700))
        answer = requests.post(endpoint["uri"], data=pieces, headers=secret, timeout=5)
        assert answer.status_code == 200
        assert receiver.wait(1)[0].data[0]["name"] == "é" * 5000


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":', 400),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
        (b"Transfer-Encoding: gzip\r\n\r\n", 411),
        (b"Content-Length: 9\r\n\r\n{}", 400),
        (b"Content-Length: 99999999999\r\n\r\n", 413),
        (b"\r\n", 411),
    ],
)
def test_bodies_that_cannot_be_read_are_refused_and_told(sent, status) -> None:
    with Receiver(secret=False) as receiver:
        address = urlsplit(receiver.endpoint()["uri"])
        with socket.create_connection((address.hostname, address.port), timeout=5) as wire:
            wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + sent)
            wire.shutdown(socket.SHUT_WR)
            assert wire.recv(100).startswith(f"HTTP/1.1 {status} ".encode())
        assert receiver.rejected[0].startswith(f"{status} ")


def test_geojson_notifications_give_features() -> None:
    with Receiver(secret=False) as receiver:
        feature = {"id": "urn:x:1", "type": "Feature"}
        notify(receiver.endpoint(), 1, data={"type": "FeatureCollection", "features": [feature]})
        assert receiver.wait()[0].data == [feature]


def test_a_closed_receiver_has_no_address() -> None:
    receiver = Receiver()
    with pytest.raises(WrongUseError, match="closed"):
        receiver.endpoint()
    with Receiver(public_url="https://notebook.example.org/n") as reachable:
        assert reachable.endpoint()["uri"] == "https://notebook.example.org/n"
