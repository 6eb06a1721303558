"""SensorThings against a server written from the standard, and against its careless relatives."""

import math
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from ldt_toolbox.clients.errors import BadRequest, InvalidAnswer, ServerFault
from ldt_toolbox.clients.imperfect import (
    CapabilityWarning,
    ImperfectServerWarning,
    PagingWarning,
    strict,
)
from ldt_toolbox.clients.sensorthings import SensorThings
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.mobility.counts import SENSOR_THINGS, clean_counts

START = datetime(2024, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
POINT = {"type": "Point", "coordinates": [7.42, 43.73]}
AREA = {"type": "Polygon", "coordinates": [[[7.0, 43.0], [7.2, 43.0], [7.2, 43.2], [7.0, 43.0]]]}
FILTER = re.compile(r"phenomenonTime ge (\S+) and phenomenonTime lt (\S+)")


def stream(number, **changes):
    return {
        "@iot.id": number, "name": f"counter {number}",
        "unitOfMeasurement": {"name": "vehicles", "symbol": "veh", "definition": "{vehicle}"},
        "Thing": {"name": f"mast {number}", "Locations": [{"location": POINT}]},
        "ObservedProperty": {"name": "Vehicles"},
    } | changes  # fmt: skip


def observation(number, *, interval=True):
    begin = (START + number * HOUR).isoformat().replace("+00:00", "Z")
    end = (START + (number + 1) * HOUR).isoformat().replace("+00:00", "Z")
    return {"@iot.id": number, "phenomenonTime": f"{begin}/{end}" if interval else begin,
            "result": 100 + number}  # fmt: skip


class Service:
    """A service that pages, counts and filters by time as the standard says."""

    def __init__(self, hostile, running) -> None:
        self.hostile, self.running = hostile, running
        self.root = running.url + "/sta/v1.1"
        self.sets = {"/sta/v1.1/Datastreams": [stream(n) for n in range(7)]}
        self.most = 3
        self.link_root = self.root
        self.filters = True
        self.unsorted: tuple[str, ...] = ()
        self.largest = 10**9
        self.slash = False
        running.route("GET", "*", self.answer)

    def answer(self, request):
        if int(request.query.get("$top", "0")) > self.largest:
            detail = [{"loc": ["query", "$top"], "msg": f"less than or equal to {self.largest}"}]
            return self.hostile.Reply(422, {"detail": detail})
        if request.query.get("$orderby", "") in self.unsorted:
            return self.hostile.Reply(500, {"detail": "Internal server error"})
        if request.path == "/sta/v1.1" + "/" * self.slash:
            settings = {
                "conformance": ["http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel"]
            }
            return self.hostile.Reply(body={"value": [], "serverSettings": settings})
        if request.path not in self.sets:
            return self.hostile.Reply(404)
        found = self.sets[request.path]
        if (asked := FILTER.fullmatch(request.query.get("$filter", ""))) and self.filters:
            low, high = (datetime.fromisoformat(one) for one in asked.groups())
            found = [one for one in found if low <= datetime.fromisoformat(
                one["phenomenonTime"].partition("/")[0]) < high]  # fmt: skip
        skip = int(request.query.get("$skip", "0"))
        top = min(int(request.query.get("$top", "100")), self.most)
        body = {"value": found[skip : skip + top]}
        if request.query.get("$count") == "true":
            body["@iot.count"] = len(found)
        if skip + top < len(found):
            query = urlencode(request.query | {"$skip": str(skip + top)})
            path = request.path.removeprefix("/sta/v1.1")
            body["@iot.nextLink"] = f"{self.link_root}{path}?{query}"
        return self.hostile.Reply(body=body)


@pytest.fixture
def service(hostile, server):
    return Service(hostile, server)


@pytest.fixture
def client(service, client):
    return SensorThings(service.root, http=client(service.root))


def test_all_pages_come_once(service, client) -> None:
    with strict():
        found = client.datastreams()
    assert [one.id for one in found] == list(range(7))
    asked = service.running.seen("/sta/v1.1/Datastreams")
    assert len(asked) == 3
    assert asked[0].query == {
        "$expand": "Thing($expand=Locations),ObservedProperty", "$top": "1000", "$count": "true",
    }  # fmt: skip
    assert found[2][1:] == ("counter 2", "veh", "{vehicle}", "Vehicles", "mast 2", 7.42, 43.73)


def test_positions_of_every_form(service, client) -> None:
    bare = {"name": "mast"}
    service.sets["/sta/v1.1/Datastreams"] = [
        stream(0, Thing={"Locations": [{"location": {"type": "Feature", "geometry": POINT}}]}),
        stream(1, Thing=bare, observedArea=AREA),
        stream(2, Thing=bare),
        stream(3, Thing={"Locations": [{"location": {"type": "Point"}}]}, unitOfMeasurement=None),
    ]
    found = client.datastreams()
    assert (found[0].longitude_deg, found[0].latitude_deg) == (7.42, 43.73)
    assert 7.0 < found[1].longitude_deg < 7.2
    assert all(math.isnan(one.latitude_deg) for one in found[2:])
    assert found[3].unit_symbol == ""


def test_observations_of_a_period_in_order(service, client) -> None:
    service.sets["/sta/v1.1/Datastreams(4)/Observations"] = [observation(n) for n in range(30)]
    with strict():
        found = list(client.observations(4, start=START + 5 * HOUR, end=START + 15 * HOUR))
    assert [one["result"] for one in found] == list(range(105, 115))
    query = service.running.requests[0].query
    assert query["$filter"] == (
        "phenomenonTime ge 2024-07-01T05:00:00.000Z and phenomenonTime lt 2024-07-01T15:00:00.000Z"
    )
    assert query["$orderby"] == "phenomenonTime asc"


def test_ids_that_are_texts_are_quoted(service, client) -> None:
    path = "/sta/v1.1/Datastreams('rue%20de%20l''%C3%A9cole')/Observations"
    service.sets[path] = [observation(0)]
    found = list(client.observations("rue de l'école", start=START, end=START + HOUR))
    assert len(found) == 1


def test_a_filter_that_is_ignored_is_told_and_made_up_for(service, client) -> None:
    service.filters = False
    service.sets["/sta/v1.1/Datastreams(4)/Observations"] = [observation(n) for n in range(30)]
    with pytest.warns(CapabilityWarning, match="27 observations lie outside"):
        found = list(client.observations(4, start=START, end=START + 3 * HOUR))
    assert [one["result"] for one in found] == [100, 101, 102]


def test_a_link_behind_a_proxy_is_followed_at_home(service, client) -> None:
    service.link_root = "http://backend.internal:8080/v1.1"
    with pytest.warns(PagingWarning, match="another host"):
        assert len(client.datastreams()) == 7


@pytest.mark.parametrize(
    ("fault", "told", "number"),
    [
        ({"next": "self"}, "came already", 3),
        ({"next": "fresh", "value": []}, "without anything new", 3),
        ({"next": "fresh"}, "without anything new", 3),
        ({"count": 9}, "3 entities came, but the server counts 9", 3),
        ({"value": [0, 1, 1]}, "1 entities came more than once", 2),
    ],
)
def test_pages_that_do_not_fit(service, client, hostile, fault, told, number) -> None:
    def answer(request):
        later = request.count > 1
        ids = fault["value"] if "value" in fault and (later or fault["value"]) else range(3)
        body = {"value": [stream(n) for n in ids], "@iot.count": fault.get("count", number)}
        if fault.get("next") == "self":
            body["@iot.nextLink"] = f"{service.running.url}{request.target}"
        if fault.get("next") == "fresh":
            body["@iot.nextLink"] = f"{service.root}/Datastreams?$skip={request.count}"
        return hostile.Reply(body=body)

    service.running.route("GET", "/sta/v1.1/Datastreams", answer)
    with pytest.warns(PagingWarning) as warned:
        found = client.datastreams()
    assert len(found) == number
    assert any(told in str(one.message) for one in warned)
    assert len(service.running.requests) <= 5, "it ends"


def test_observations_become_counts(service, client) -> None:
    for number in (1, 2):
        service.sets[f"/sta/v1.1/Datastreams({number})/Observations"] = [
            observation(n, interval=number == 1) for n in range(5)
        ]
    service.sets["/sta/v1.1/Datastreams(1)/Observations"][2]["result"] = None
    streams = [one for one in client.datastreams() if one.id in (1, 2)]
    frame = client.observation_frame(streams, start=START, end=START + 5 * HOUR)
    assert len(frame) == 10
    counts, rejects = clean_counts(frame, SENSOR_THINGS, interval_min=60)
    assert rejects[["row", "reason"]].values.tolist() == [[2, "null"]]
    assert counts.groupby("site")["count"].sum().to_dict() == {"1": 408.0, "2": 510.0}
    assert (counts["hours"] == 1).all()
    assert set(counts["longitude_deg"]) == {7.42}
    assert client.observation_frame([], start=START, end=START + HOUR).empty


def test_conformance(service, client, hostile) -> None:
    assert client.conformance() == ["http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel"]
    service.running.route("GET", "/sta/v1.1", lambda _: hostile.Reply(body={"value": []}))
    with pytest.warns(CapabilityWarning, match=r"1\.0"):
        assert client.conformance() == []


def test_wrong_questions(service, client, hostile) -> None:
    service.running.route("GET", "/sta/v1.1/Things", lambda _: hostile.Reply(body={"Things": []}))
    with pytest.raises(InvalidAnswer, match="with its version"):
        list(client.iterate("Things"))
    with pytest.raises(WrongUseError, match="times with zone"):
        list(client.observations(1, start=datetime(2024, 7, 1), end=START))
    with pytest.raises(WrongUseError, match="base_url"):
        SensorThings("")


# What django-ogc-sensorthings does otherwise than the server above
def test_a_refused_page_size_is_lowered_and_remembered(service, client, server) -> None:
    service.largest = 5
    assert [one.id for one in client.datastreams()] == list(range(7))
    assert [request.query["$top"] for request in server.requests][:2] == ["1000", "5"]
    before = len(server.requests)
    client.datastreams()
    assert {request.query["$top"] for request in server.requests[before:]} == {"5"}


def test_another_refusal_is_no_page_size(service, client, server, hostile) -> None:
    server.route("GET", "*", lambda request: hostile.Reply(400, {"title": "no such property"}))
    with pytest.raises(BadRequest, match="no such property"):
        client.datastreams(filter="colour eq 'red'")
    assert len(server.requests) == 1


@pytest.mark.parametrize("unsorted", [("phenomenonTime asc",), ("phenomenonTime asc", "id asc")])
def test_a_service_that_does_not_sort_is_told_and_made_up_for(
    service, client, server, unsorted
) -> None:
    path = "/sta/v1.1/Datastreams(1)/Observations"
    service.sets[path] = [observation(n) for n in (3, 0, 2, 1)]
    service.unsorted = unsorted
    with pytest.warns(CapabilityWarning, match="does not sort by phenomenonTime"):
        found = list(client.observations(1, start=START, end=START + 9 * HOUR))
    assert [one["@iot.id"] for one in found] == [0, 1, 2, 3]
    wanted = {("phenomenonTime asc",): "id asc"}.get(unsorted)
    assert server.requests[-1].query.get("$orderby") == wanted


def test_a_service_that_fails_at_all_is_told(service, client) -> None:
    service.unsorted = ("phenomenonTime asc", "id asc", "")
    with pytest.raises(ServerFault):
        list(client.observations(1, start=START, end=START + 9 * HOUR))


def test_the_root_may_need_its_slash(service, client) -> None:
    service.slash = True
    assert client.conformance() == ["http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel"]


def test_datastreams_without_an_id_are_told(service, client) -> None:
    nameless = {"name": "nobody"}
    service.sets["/sta/v1.1/Datastreams"] = [stream(1), nameless]
    with pytest.warns(ImperfectServerWarning, match="1 datastreams have no @iot.id"):
        assert [one.id for one in client.datastreams()] == [1]


@pytest.mark.parametrize("written", [None, {"a": 1}, [1], True, 1.5])
def test_ids_that_are_none_are_refused(service, client, written) -> None:
    service.sets["/sta/v1.1/Datastreams"] = [stream(written)]
    with pytest.raises(InvalidAnswer, match="no number and no text"):
        client.datastreams()
