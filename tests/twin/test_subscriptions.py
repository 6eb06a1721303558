# ruff: noqa: E501 - a row of the table is a line
"""Subscriptions and their notifications (GS CIM 009 V1.8.1, 5.8, 5.3.1), over HTTP.

Notifications are received by the toolbox's own `Receiver`, or by a plain server that fails.
"""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ldt_toolbox.clients.errors import TimedOut
from ldt_toolbox.clients.ngsi_ld.receiver import Receiver

A = "urn:ngsi-ld:Sensor:A"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
HERE = {"uri": "http://127.0.0.1:9/none"}
NULL = "urn:ngsi-ld:null"


def prop(value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **more}


def sensor(own: str = A, **attributes: Any) -> dict[str, Any]:
    return {"id": own, "type": "Sensor", **attributes}


def subscription(endpoint: Any, **members: Any) -> dict[str, Any]:
    how = members.pop("notification", {})
    about = {} if {"entities", "localOnly"} & members.keys() else {"entities": [{"type": "Sensor"}]}
    return {
        "type": "Subscription",
        **about,
        **members,
        "notification": {"format": "keyValues", "endpoint": endpoint, **how},
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def subscribe(ask: Any, receiver: Receiver) -> Callable[..., str]:
    def made(*, accept: str = "application/json", **members: Any) -> str:
        endpoint = receiver.endpoint(accept=accept) | members.pop("endpoint", {})
        answer = ask("POST", "subscriptions", json=subscription(endpoint, **members))
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    return made


def counted(ask: Any, own: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What a subscription says of its notifications, once it says what is waited for."""
    deadline = time.monotonic() + 10
    while True:
        said: dict[str, Any] = ask("GET", f"subscriptions/{own}").json()["notification"]
        if until(said):
            return said
        assert time.monotonic() < deadline, said
        time.sleep(0.02)


REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("5.2.12", "no type", {"type": "Query"}, 400, "BadRequestData"),
    ("5.2.12", "id no URI", {"id": "x"}, 400, "BadRequestData"),
    ("5.2.12", "about nothing", {"entities": []}, 400, "BadRequestData"),
    ("5.2.33", "selector without type", {"entities": [{"id": A}]}, 400, "BadRequestData"),
    ("5.2.33", "selector with a bad id", {"entities": [{"type": "S", "id": "x"}]}, 400, "BadRequestData"),
    ("5.2.33", "bad pattern", {"entities": [{"type": "S", "idPattern": "("}]}, 400, "BadRequestData"),
    ("5.2.12", "interval and watched", {"timeInterval": 1, "watchedAttributes": ["t"]}, 400, "BadRequestData"),
    ("5.2.12", "interval and throttling", {"timeInterval": 1, "throttling": 1}, 400, "BadRequestData"),
    ("5.2.12", "negative interval", {"timeInterval": -1}, 400, "BadRequestData"),
    ("5.2.12", "throttling no number", {"throttling": "1"}, 400, "BadRequestData"),
    ("5.2.12", "unknown trigger", {"notificationTrigger": ["entityLost"]}, 400, "BadRequestData"),
    ("5.2.12", "isActive no boolean", {"isActive": "no"}, 400, "BadRequestData"),
    ("5.8.1", "expired", {"expiresAt": "2020-01-01T00:00:00Z"}, 400, "BadRequestData"),
    ("5.8.1", "expiresAt no DateTime", {"expiresAt": "soon"}, 400, "BadRequestData"),
    ("4.9", "bad q", {"q": "t=="}, 400, "BadRequestData"),
    ("5.2.13", "bad geoQ", {"geoQ": {"georel": "on"}}, 400, "BadRequestData"),
    ("4.19", "bad scopeQ", {"scopeQ": "//"}, 400, "BadRequestData"),
    ("5.5.4", "null", {"q": None}, 400, "BadRequestData"),
    ("5.2.12", "entities empty", {"entities": [], "watchedAttributes": ["t"]}, 400, "BadRequestData"),
    ("5.2.12", "watched empty", {"watchedAttributes": []}, 400, "BadRequestData"),
    ("5.2.14", "attributes empty", {"notification": {"attributes": []}}, 400, "BadRequestData"),
    ("5.2.14", "pick empty", {"notification": {"pick": []}}, 400, "BadRequestData"),
    ("5.2.12", "older form", {"ngsildConformance": "1.6"}, 501, ""),
    ("5.2.12", "csf", {"csf": "a==1"}, 501, ""),
    ("5.2.14", "no notification", {"notification": None}, 400, "BadRequestData"),
    ("5.2.14", "unknown format", {"notification": {"format": "csv"}}, 400, "BadRequestData"),
    ("5.2.14", "changes in simplified", {"notification": {"showChanges": True}}, 400, "BadRequestData"),
    ("5.2.14", "join", {"notification": {"join": "inline"}}, 501, ""),
    ("5.2.15", "no uri", {"notification": {"endpoint": {}}}, 400, "BadRequestData"),
    ("5.2.15", "unknown scheme", {"notification": {"endpoint": {"uri": "ftp://127.0.0.1/"}}}, 400, "BadRequestData"),
    ("5.2.15", "MQTT", {"notification": {"endpoint": {"uri": "mqtt://127.0.0.1/a"}}}, 501, ""),
    ("5.2.15", "unknown media type", {"notification": {"endpoint": {**HERE, "accept": "text/csv"}}}, 400, "BadRequestData"),
    ("5.2.22", "header of the twin", {"notification": {"endpoint": {**HERE, "receiverInfo": [{"key": "Host", "value": "a"}]}}}, 400, "BadRequestData"),
    ("5.2.22", "header with a line break", {"notification": {"endpoint": {**HERE, "receiverInfo": [{"key": "X", "value": "a\r\nB: c"}]}}}, 400, "BadRequestData"),
    ("own", "another host", {"notification": {"endpoint": {"uri": "http://10.0.0.1/"}}}, 400, "BadRequestData"),
    ("own", "another host by name", {"notification": {"endpoint": {"uri": "http://example.org/"}}}, 400, "BadRequestData"),
    ("own", "another host, mapped", {"notification": {"endpoint": {"uri": "http://[::ffff:10.0.0.1]/"}}}, 400, "BadRequestData"),
    ("own", "another host behind a name", {"notification": {"endpoint": {"uri": "http://127.0.0.1@10.0.0.1/"}}}, 400, "BadRequestData"),
    ("6.3.5", "foreign context", {"jsonldContext": "https://example.org/none.jsonld"}, 503, "LdContextNotAvailable"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [row[2:] for row in REFUSED],
    ids=[f"{row[0]} {row[1]}" for row in REFUSED],
)
def test_what_is_wrong_is_refused(ask: Any, change: Any, status: int, kind: str) -> None:
    body = subscription(HERE) | {k: v for k, v in change.items() if k != "notification"}
    if "notification" in change:
        how = change["notification"]
        body["notification"] = None if how is None else body["notification"] | how
    ask.problem(ask("POST", "subscriptions", json=body), status, kind)
    if ask("GET", "subscriptions").status_code == 200:
        assert ask("GET", "subscriptions").json() == []


def test_a_subscription_lives(ask: Any) -> None:
    own = "urn:ngsi-ld:Subscription:1"
    body = subscription(HERE, id=own, q="t>20", watchedAttributes=["t"], description="hot")
    answer = ask("POST", "subscriptions", json=body)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/ngsi-ld/v1/subscriptions/{own}"
    ask.problem(ask("POST", "subscriptions", json=body), 409, "AlreadyExists")
    found = ask("GET", f"subscriptions/{own}").json()
    assert found | body == found | {"notification": body["notification"]}
    assert found["notification"] | body["notification"] == found["notification"]
    assert found["status"] == "active"
    assert found["isActive"] is True
    assert found["notification"]["timesSent"] == 0
    assert "createdAt" not in found
    listed = ask("GET", "subscriptions", params={"options": "sysAttrs", "count": "true"})
    assert listed.headers["NGSILD-Results-Count"] == "1"
    assert listed.json()[0].keys() == found.keys() | {"createdAt", "modifiedAt"}
    answer = ask("PATCH", f"subscriptions/{own}", json={"isActive": False, "q": NULL})
    assert answer.status_code == 204, answer.text
    found = ask("GET", f"subscriptions/{own}").json()
    assert found["status"] == "paused"
    assert "q" not in found
    answer = ask("PATCH", f"subscriptions/{own}", json={"notification": {"format": "concise"}})
    assert answer.status_code == 204, answer.text
    found = ask("GET", f"subscriptions/{own}").json()
    assert found["notification"]["endpoint"] == HERE, "members that are not given stay"
    ask.problem(ask("PATCH", f"subscriptions/{own}", json={"id": A}), 400, "BadRequestData")
    ask.problem(ask("PATCH", f"subscriptions/{own}", json={"q": "="}), 400, "BadRequestData")
    assert ask("DELETE", f"subscriptions/{own}").status_code == 204
    for method in ("GET", "DELETE"):
        ask.problem(ask(method, f"subscriptions/{own}"), 404, "ResourceNotFound")
    ask.problem(ask("PATCH", f"subscriptions/{own}", json={}), 404, "ResourceNotFound")


def test_pages_of_subscriptions(ask: Any, subscribe: Any) -> None:
    made = [subscribe() for _ in range(3)]
    first = ask("GET", "subscriptions", params={"limit": 2})
    assert [each["id"] for each in first.json()] == made[:2]
    assert 'rel="next"' in first.headers["Link"]
    second = ask("GET", "subscriptions", params={"limit": 2, "offset": 2})
    assert [each["id"] for each in second.json()] == made[2:]


def test_a_notification_is_as_the_standard_says(
    ask: Any, subscribe: Any, receiver: Receiver
) -> None:
    own = subscribe()
    ask.put(sensor(t=prop(20)))
    [told] = receiver.wait(timeout_s=5)
    assert told.content_type == "application/json"
    assert told.content.keys() == {"id", "type", "subscriptionId", "notifiedAt", "data"}
    assert told.content["type"] == "Notification"
    assert told.subscription_id == own
    assert told.data == [{"id": A, "type": "Sensor", "t": 20}]
    said = counted(ask, own, lambda said: said["timesSent"] == 1)
    assert said["timesFailed"] == 0
    assert said["status"] == "ok"
    assert said["lastNotification"] == said["lastSuccess"] == told.notified_at
    assert "lastFailure" not in said


# what, the subscription, what is done to sensor A (t is 1 and u is 1), what is told of it
FORMS: list[tuple[str, dict[str, Any], tuple[Any, ...], Any]] = [
    ("normalized", {"notification": {"format": "normalized"}}, ("PATCH", "", {"t": prop(2)}), {"t": prop(2), "u": prop(1)}),
    ("concise", {"notification": {"format": "concise"}}, ("PATCH", "", {"t": prop(2)}), {"t": 2, "u": 1}),
    ("attributes", {"notification": {"attributes": ["u"]}}, ("PATCH", "", {"t": prop(2)}), {"u": 1}),
    ("pick", {"notification": {"pick": ["id", "type", "u"]}}, ("PATCH", "", {"t": prop(2)}), {"u": 1}),
    ("omit", {"notification": {"omit": ["u"]}}, ("PATCH", "", {"t": prop(2)}), {"t": 2}),
    ("watched", {"watchedAttributes": ["t"]}, ("PATCH", "", {"t": prop(2)}), {"t": 2, "u": 1}),
    ("not watched", {"watchedAttributes": ["t"]}, ("PATCH", "", {"u": prop(2)}), None),
    ("q", {"q": "t>1"}, ("PATCH", "", {"t": prop(2)}), {"t": 2, "u": 1}),
    ("q not", {"q": "t>2"}, ("PATCH", "", {"t": prop(2)}), None),
    ("scopeQ not", {"scopeQ": "/a"}, ("PATCH", "", {"t": prop(2)}), None),
    ("geoQ", {"geoQ": {"georel": "near;maxDistance==9", "geometry": "Point", "coordinates": [7, 43]}}, ("PATCH", "", {"location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7, 43]}}}), {"t": 1, "u": 1, "location": {"type": "Point", "coordinates": [7, 43]}}),
    ("id", {"entities": [{"type": "Sensor", "id": A}]}, ("PATCH", "", {"t": prop(2)}), {"t": 2, "u": 1}),
    ("other id", {"entities": [{"type": "Sensor", "id": "urn:x:1"}]}, ("PATCH", "", {"t": prop(2)}), None),
    ("idPattern", {"entities": [{"type": "Sensor", "idPattern": "A$"}]}, ("PATCH", "", {"t": prop(2)}), {"t": 2, "u": 1}),
    ("other type", {"entities": [{"type": "Gauge"}]}, ("PATCH", "", {"t": prop(2)}), None),
    ("deleted attribute, by default", {}, ("DELETE", "/attrs/t", None), None),
    ("deleted attribute", {"notificationTrigger": ["attributeDeleted"], "notification": {"format": "concise"}}, ("DELETE", "/attrs/t", None), {"u": 1, "t": NULL}),
    ("deleted attribute with its times", {"notificationTrigger": ["attributeDeleted"], "notification": {"format": "concise", "pick": ["id", "type", "t"], "sysAttrs": True}}, ("DELETE", "/attrs/t", None), {"t": {"value": NULL, "deletedAt": ...}}),
    ("deleted attribute with what was there", {"notificationTrigger": ["attributeDeleted"], "notification": {"format": "concise", "showChanges": True}}, ("DELETE", "/attrs/t", None), {"u": 1, "t": {"value": NULL, "deletedAt": ..., "previousValue": 1}}),
    ("the same again", {}, ("PATCH", "", {"t": prop(1)}), None),
    ("the same value, newly observed", {}, ("PATCH", "", {"t": prop(1, observedAt="2026-07-01T00:00:00Z")}), {"t": 1, "u": 1}),
    ("the same again, watched", {"watchedAttributes": ["t"]}, ("PATCH", "", {"t": prop(1), "u": prop(2)}), None),
    ("datasetId", {"datasetId": ["urn:x:d"]}, ("POST", "/attrs", {"v": prop(3, datasetId="urn:x:d")}), {"v": 3}),
    ("locally", {"localOnly": True}, ("PATCH", "", {"t": prop(2)}), {"t": 2, "u": 1}),
    ("updated, not created", {"notificationTrigger": ["attributeCreated"]}, ("PATCH", "", {"t": prop(2)}), None),
    ("created", {"notificationTrigger": ["attributeCreated"]}, ("PATCH", "", {"v": prop(2)}), {"t": 1, "u": 1, "v": 2}),
    ("entity updated", {"notificationTrigger": ["entityUpdated"]}, ("DELETE", "/attrs/t", None), {"u": 1, "t": NULL}),
    ("entity updated by a new attribute", {"notificationTrigger": ["entityUpdated"]}, ("PATCH", "", {"v": prop(2)}), {"t": 1, "u": 1, "v": 2}),
    ("entity not created", {"notificationTrigger": ["entityCreated"]}, ("PATCH", "", {"v": prop(2)}), None),
    ("entity deleted", {"notificationTrigger": ["entityDeleted"]}, ("DELETE", "", None), {"deletedAt": ...}),
    ("entity deleted, with what was there", {"notificationTrigger": ["entityDeleted"], "notification": {"format": "concise", "pick": ["id", "type", "t"], "showChanges": True}}, ("DELETE", "", None), {"deletedAt": ..., "t": {"value": NULL, "deletedAt": ..., "previousValue": 1}}),
    ("entity deleted, by default", {}, ("DELETE", "", None), None),
    ("changes", {"notification": {"format": "normalized", "showChanges": True}}, ("PATCH", "", {"t": prop(2)}), {"t": prop(2, previousValue=1), "u": prop(1)}),
    ("concise changes", {"notification": {"format": "concise", "showChanges": True}}, ("PATCH", "", {"t": prop(2)}), {"t": {"value": 2, "previousValue": 1}, "u": 1}),
    ("paused", {"isActive": False}, ("PATCH", "", {"t": prop(2)}), None),
]  # fmt: skip


def _same(told: Any, wanted: Any) -> bool:
    """Equal, where `...` is any text."""
    if wanted is ...:
        return isinstance(told, str) and bool(told)
    if isinstance(wanted, dict) and isinstance(told, dict):
        return told.keys() == wanted.keys() and all(_same(told[k], wanted[k]) for k in wanted)
    return bool(told == wanted)


@pytest.mark.parametrize(
    ("members", "action", "wanted"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS]
)
def test_what_is_told(
    ask: Any, subscribe: Any, receiver: Receiver, members: Any, action: Any, wanted: Any
) -> None:
    ask.put(sensor(t=prop(1), u=prop(1)))
    ask.twin.store.settle()
    subscribe(**members)
    subscribe(entities=[{"type": "End"}])
    method, path, body = action
    assert ask(method, f"entities/{A}{path}", json=body).status_code == 204
    ask.put({"id": "urn:ngsi-ld:End:1", "type": "End", "e": prop(1)})
    told = receiver.wait(1 if wanted is None else 2, timeout_s=5)
    data = [each for one in told for each in one.data]
    found = [each for each in data if each["type"] == "Sensor"]
    if wanted is None:
        assert found == []
    else:
        assert len(found) == 1
        assert _same(found[0], {"id": A, "type": "Sensor", **wanted}), found


def test_all_that_one_request_changes_comes_at_once(
    ask: Any, subscribe: Any, receiver: Receiver
) -> None:
    subscribe()
    ask.put(*(sensor(f"urn:x:{n}", t=prop(n)) for n in range(50)))
    ask.put(sensor("urn:x:1", t=prop(99)))
    first, second = receiver.wait(2, timeout_s=5)
    assert [each["t"] for each in first.data] == list(range(50))
    assert second.data == [{"id": "urn:x:1", "type": "Sensor", "t": 99}]


def test_json_ld_and_geojson(ask: Any, subscribe: Any, receiver: Receiver) -> None:
    subscribe(accept="application/ld+json")
    ask.put(sensor(t=prop(1)))
    [told] = receiver.wait(timeout_s=5)
    assert told.content_type == "application/ld+json"
    assert told.content["@context"] == CORE
    own = ask("GET", "subscriptions").json()[0]["id"]
    endpoint = {"accept": "application/geo+json"}
    change = {"notification": {"endpoint": endpoint}}
    assert ask("PATCH", f"subscriptions/{own}", json=change).status_code == 204
    place = {"type": "Point", "coordinates": [7, 43]}
    ask.put(sensor(t=prop(2), location={"type": "GeoProperty", "value": place}))
    [told] = receiver.wait(timeout_s=5)
    assert told.content["data"]["type"] == "FeatureCollection"
    assert told.data[0]["geometry"] == place
    assert told.data[0]["properties"]["t"] == 2


def test_names_are_those_of_the_context_of_the_subscription(ask: Any, receiver: Receiver) -> None:
    here = {"t": "https://example.org/temperature", "Sensor": "https://example.org/Sensor"}
    there = {"wärme": "https://example.org/temperature", "Gerät": "https://example.org/Sensor"}
    body = subscription(receiver.endpoint(), watchedAttributes=["wärme"], q="wärme>1")
    body |= {"entities": [{"type": "Gerät"}], "@context": [there, CORE]}
    headers = {"Content-Type": "application/ld+json"}
    answer = ask("POST", "subscriptions", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    entity = sensor(t=prop(2)) | {"@context": [here, CORE]}
    assert ask("POST", "entities", json=entity, headers=headers).status_code == 201
    [told] = receiver.wait(timeout_s=5)
    assert told.data == [{"id": A, "type": "Gerät", "wärme": 2}]
    [found] = ask("GET", "subscriptions").json()
    assert found["entities"] == [{"type": "https://example.org/Sensor"}]
    assert found["watchedAttributes"] == ["https://example.org/temperature"]


def test_tenants_hear_of_their_own(ask: Any, subscribe: Any, receiver: Receiver) -> None:
    subscribe()
    other = {"NGSILD-Tenant": ask.tenant + "x"}
    assert ask("POST", "entities", json=sensor(t=prop(1)), headers=other).status_code == 201
    ask.put(sensor(t=prop(2)))
    [told] = receiver.wait(timeout_s=5)
    assert told.data[0]["t"] == 2


def test_throttling_gives_the_last_state_at_the_end(
    ask: Any, subscribe: Any, receiver: Receiver
) -> None:
    subscribe(throttling=0.6)
    began = time.monotonic()
    for value in range(6):
        ask.put(sensor(t=prop(value)))
    first, second = receiver.wait(2, timeout_s=5)
    took = time.monotonic() - began
    assert first.data[0]["t"] == 0
    assert [each["t"] for each in second.data] == [5], "one entity, as it is by then"
    assert 0.55 < took < 3, "0.6 s between them, less what the clock counts before the first"


def test_an_interval_tells_whether_something_changes_or_not(
    ask: Any, subscribe: Any, receiver: Receiver
) -> None:
    ask.put(sensor(t=prop(1)), sensor("urn:x:2", t=prop(9)))
    began = time.monotonic()
    own = subscribe(timeInterval=0.3, q="t>5")
    told = receiver.wait(3, timeout_s=5)
    assert 0.85 < time.monotonic() - began < 3, "three times 0.3 s"
    assert all(each.data == [{"id": "urn:x:2", "type": "Sensor", "t": 9}] for each in told)
    assert ask("DELETE", f"subscriptions/{own}").status_code == 204


def test_what_expires_is_silent_and_says_so(ask: Any, subscribe: Any, receiver: Receiver) -> None:
    soon = time.time() + 0.4
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(soon)) + f".{int(soon % 1 * 1000):03}Z"
    own = subscribe(expiresAt=stamp)
    time.sleep(0.45)
    ask.put(sensor(t=prop(1)))
    with pytest.raises(TimedOut):
        receiver.wait(timeout_s=0.2)
    assert ask("GET", f"subscriptions/{own}").json()["status"] == "expired"


class Failing(BaseHTTPRequestHandler):
    """Answers 500, or nothing for a while."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(time.monotonic())  # type: ignore[attr-defined]
        if self.path == "/slow":
            self.server.release.wait(5)  # type: ignore[attr-defined]
        self.send_response(302 if self.path == "/elsewhere" else 500)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def failing() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    server.seen, server.release = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/", "/elsewhere"])
def test_failures_are_counted_and_not_repeated(
    ask: Any, subscribe: Any, receiver: Receiver, failing: Any, path: str
) -> None:
    own = subscribe(endpoint={"uri": failing.url + path})
    ask.put(sensor(t=prop(1)))
    ask.put(sensor(t=prop(2)))
    said = counted(ask, own, lambda said: said["timesSent"] == 2)
    assert said["timesFailed"] == 2
    assert said["status"] == "failed"
    assert said["lastFailure"] == said["lastNotification"]
    assert "lastSuccess" not in said
    assert len(failing.seen) == 2
    change = {"notification": {"endpoint": {"uri": receiver.url}}}
    assert ask("PATCH", f"subscriptions/{own}", json=change).status_code == 204
    ask.put(sensor(t=prop(3)))
    said = counted(ask, own, lambda said: said["timesSent"] == 3)
    assert (said["timesFailed"], said["status"]) == (2, "ok")


def test_a_receiver_that_is_gone_is_a_failure(ask: Any, subscribe: Any, failing: Any) -> None:
    own = subscribe(endpoint={"uri": "http://127.0.0.1:9/none"})
    ask.put(sensor(t=prop(1)))
    assert counted(ask, own, lambda said: said["timesSent"] == 1)["timesFailed"] == 1


def test_cooldown_spares_a_receiver_that_failed(ask: Any, subscribe: Any, failing: Any) -> None:
    own = subscribe(endpoint={"uri": failing.url, "cooldown": 500})
    for value in range(4):
        ask.put(sensor(t=prop(value)))
    counted(ask, own, lambda said: said["timesSent"] == 2)
    first, second = failing.seen
    assert second - first > 0.45, "500 ms, less what sending takes"


def test_a_slow_receiver_holds_up_nobody(
    ask: Any, subscribe: Any, receiver: Receiver, failing: Any
) -> None:
    subscribe(endpoint={"uri": failing.url + "/slow"})
    subscribe()
    began = time.monotonic()
    for value in range(20):
        ask.put(sensor(t=prop(value)))
    told = receiver.wait(20, timeout_s=5)
    assert time.monotonic() - began < 3, "the slow one answers after 5 s"
    assert [each.data[0]["t"] for each in told] == list(range(20)), "in the order of the writes"


def test_a_timeout_is_a_failure(ask: Any, subscribe: Any, failing: Any) -> None:
    own = subscribe(endpoint={"uri": failing.url + "/slow", "timeout": 200})
    ask.put(sensor(t=prop(1)))
    said = counted(ask, own, lambda said: said["timesSent"] == 1)
    assert said["timesFailed"] == 1


def test_the_tables_are_read_whole() -> None:
    assert len(REFUSED) > 30
    assert len(FORMS) > 20
