"""Temporal evolution: a cut answer is mended or told, never taken for whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients import imperfect
from ldt_toolbox.clients.cache import Cache
from ldt_toolbox.clients.errors import NotFound, NotImplementedByServer
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.imperfect import CapabilityWarning, CutAnswerWarning
from ldt_toolbox.clients.ngsi_ld import NgsiLd, Q, aggregates, observations
from ldt_toolbox.clients.ngsi_ld.evolution import merged
from ldt_toolbox.clients.ngsi_ld.windows import range_of
from ldt_toolbox.errors import WrongUseError

BEGIN = datetime(2026, 7, 1, tzinfo=UTC)


def stamp(step: int, minutes: float = 10) -> str:
    return (BEGIN + timedelta(minutes=minutes * step)).isoformat().replace("+00:00", "Z")


def history(name: str, **lengths: int) -> dict:
    """Evolution with as many instances of each attribute as asked for."""
    return {
        "id": f"urn:ngsi-ld:Station:{name}",
        "type": "Station",
        **{
            attribute: [
                {"type": "Property", "value": k, "observedAt": stamp(k), "unitCode": "CEL"}
                for k in range(length)
            ]
            for attribute, length in lengths.items()
        },
    }


def values(entity, attribute="temperature") -> list:
    return [o.value for o in observations(entity) if o.attribute == attribute]


@pytest.fixture
def station(broker):
    broker.temporal["a"] = history("a", temperature=400, humidity=37)
    return "urn:ngsi-ld:Station:a"


WINDOWS = [
    {},
    {"start": stamp(0)},
    {"end": stamp(9999)},
    {"start": stamp(-500), "end": stamp(9999)},
]


@pytest.mark.parametrize("form", ["normalized", "temporalValues"])
@pytest.mark.parametrize("keeps", ["oldest", "newest"])
@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_cut_answer_comes_whole_however_it_was_cut(
    broker, client, station, window, says, keeps, form
) -> None:
    broker.cap, broker.says_206, broker.keeps = 30, says, keeps
    found = client.temporal.get(station, form=form, **window)
    assert values(found) == list(range(400))
    assert values(found, "humidity") == list(range(37))


@pytest.mark.parametrize("cap", [2, 9, 399])
def test_any_limit_of_the_server_will_do(broker, client, station, cap) -> None:
    broker.temporal["a"] = history("a", temperature=400 if cap > 2 else 40)
    broker.cap, broker.says_206 = cap, False
    found = client.temporal.get(station, start=stamp(0), end=stamp(500))
    assert values(found) == list(range(400 if cap > 2 else 40))


def test_a_whole_answer_costs_two_looks_and_later_smaller_ones_none(
    client, server, station
) -> None:
    window = {"start": stamp(-5), "end": stamp(500)}
    client.temporal.get(station, **window)
    assert len(server.requests) == 4, "and, once, one whether the start of a window counts"
    client.temporal.get(station, **window, attrs="humidity")
    assert len(server.requests) == 5
    client.temporal.get(station, **window, probe=False)
    assert len(server.requests) == 6


def test_an_answer_as_large_as_the_largest_whole_one_is_looked_at_again(broker, client) -> None:
    broker.temporal |= {"a": history("a", temperature=30), "b": history("b", temperature=90)}
    broker.cap, broker.says_206 = 30, False
    for name, number in (("a", 30), ("b", 90)):
        found = client.temporal.get(f"urn:ngsi-ld:Station:{name}", start=stamp(-1), end=stamp(99))
        assert values(found) == list(range(number))


def test_windows_are_half_open_as_the_standard_wants(client, station) -> None:
    found = client.temporal.get(station, start=stamp(10), end=stamp(20))
    assert values(found) == list(range(10, 20))  # 4.11: start included, end not
    assert values(client.temporal.get(station, start=stamp(390))) == list(range(390, 400))
    assert values(client.temporal.get(station, end=stamp(3))) == [0, 1, 2]


@pytest.mark.parametrize("says", [True, False])
def test_the_latest_instances_come_whole_too(broker, client, station, says) -> None:
    assert values(client.temporal.get(station, last_n=5)) == list(range(395, 400))
    broker.cap, broker.says_206, broker.keeps = 30, says, "newest"
    found = client.temporal.get(station, last_n=100)
    assert values(found) == list(range(300, 400))
    assert values(found, "humidity") == list(range(37))


def test_several_entities_come_whole_page_by_page(broker, client) -> None:
    broker.temporal |= {n: history(n, temperature=10 * (ord(n) - 96)) for n in "abcdefg"}
    broker.cap, broker.says_206 = 25, False
    found = client.temporal.query(type="Station", start=stamp(0), page_size=3)
    assert [e["id"][-1] for e in found] == list("abcdefg")
    for entity in found:
        assert values(entity) == list(range(10 * (ord(entity["id"][-1]) - 96)))


@pytest.mark.parametrize("keeps", ["oldest", "newest"])
def test_rows_that_a_database_leaves_out_across_entities_come_too(broker, client, keeps) -> None:
    broker.temporal |= {n: history(n, temperature=40, humidity=30) for n in "abc"}
    broker.total_cap, broker.keeps = 100, keeps
    found = client.temporal.query(type="Station", start=stamp(0), end=stamp(99), page_size=3)
    assert [(values(e), values(e, "humidity")) for e in found] == [
        (list(range(40)), list(range(30)))
    ] * 3


def test_more_instances_at_one_instant_than_the_server_sends_are_told(broker, client) -> None:
    same = {"type": "Property", "value": 1, "observedAt": stamp(0)}
    broker.temporal["a"] = {
        "id": "urn:x:a",
        "type": "Station",
        "n": [{**same, "value": k} for k in range(50)],
    }
    broker.cap = 30
    with pytest.warns(CutAnswerWarning, match="missing"):
        client.temporal.get("urn:x:a", start=stamp(-1), end=stamp(1))
    with imperfect.strict(), pytest.raises(CutAnswerWarning):
        client.temporal.get("urn:x:a", start=stamp(-1), end=stamp(1))


def test_a_server_that_always_says_partial_is_not_asked_for_ever(
    broker, client, server, reply, station
) -> None:
    def handler(request):
        answer = broker.handle(request)
        return answer if answer.status != 200 else reply(206, answer.body)

    broker.temporal["a"] = history("a", temperature=8)
    server.route("*", "*", handler)
    found = client.temporal.get(station, start=stamp(0), end=stamp(100))
    assert values(found) == list(range(8))
    assert len(server.requests) < 100


def test_a_condition_on_values_and_a_cut_are_told(broker, client, station) -> None:
    broker.cap = 30
    with pytest.warns(CutAnswerWarning, match="conditions"):
        client.temporal.query(type="Station", start=stamp(0), q=Q.attr("temperature") > 3)


def test_aggregation_is_not_split_but_told(server, reply, client) -> None:
    # clause 4.5.19: [value, start, end] a period
    answer = {"id": "urn:x:a", "type": "S", "t": {"type": "Property", "avg": [[1, "a", "b"]]}}
    server.route("*", "*", lambda request: reply(206, answer))
    with pytest.warns(CutAnswerWarning, match="part of the periods"):
        found = client.temporal.aggregate(
            id="urn:x:a", methods=["avg", "max"], period="PT1H", start=stamp(0), end=stamp(9)
        )
    assert found == [answer]
    asked = server.requests[0].query
    assert asked["format"] == "aggregatedValues"
    assert asked["aggrMethods"] == "avg,max"
    assert asked["aggrPeriodDuration"] == "PT1H"


@pytest.mark.parametrize(
    "wrong",
    [
        {"methods": "mean"},
        {"methods": "avg", "period": "1h"},
        {"methods": "avg", "period": timedelta(0)},
    ],
)
def test_wrong_aggregations_are_refused_before_they_are_sent(client, server, wrong) -> None:
    with pytest.raises(WrongUseError):
        client.temporal.aggregate(id="urn:x:a", **wrong)
    assert not server.requests


AVERAGE = {"type": "Property", "avg": [[3.5, stamp(0), stamp(6)]]}
FULL = {"type": "Property", "value": 3.5, "observedAt": stamp(0)}


@pytest.mark.parametrize("refuses", [True, False])
def test_a_server_before_1_8_is_asked_for_aggregates_by_options(
    server, reply, client, refuses
) -> None:
    def handler(request):
        if request.query.get("options") == "aggregatedValues":
            return reply(200, {"id": "urn:x:a", "type": "Station", "temperature": AVERAGE})
        if refuses:
            return reply(400, {"title": "Bad request", "detail": "format is unknown"})
        return reply(200, {"id": "urn:x:a", "type": "Station", "temperature": [FULL]})

    server.route("*", "*", handler)
    with pytest.warns(CapabilityWarning, match="options"):
        [found] = client.temporal.aggregate(id="urn:x:a", methods="avg", period="PT1H")
    assert [each.value for each in aggregates(found)] == [3.5]
    client.temporal.aggregate(id="urn:x:a", methods="avg")
    assert len(server.requests) == 3, "asked by options from then on"


def test_instances_where_aggregates_were_asked_for_are_told(server, reply, client) -> None:
    entity = {"id": "urn:x:a", "type": "Station", "temperature": [FULL]}
    server.route("*", "*", lambda request: reply(200, entity))
    with pytest.warns(CapabilityWarning) as told:
        assert client.temporal.aggregate(id="urn:x:a", methods="avg") == [entity]
    assert "no aggregates" in str(told[-1].message)


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (timedelta(hours=1), "PT3600S"),
        (timedelta(milliseconds=500), "PT0.5S"),
        (timedelta(days=1), "PT86400S"),
    ],
)
def test_a_period_may_be_a_duration(server, reply, client, period, text) -> None:
    entity = {"id": "urn:x:a", "type": "Station", "temperature": AVERAGE}
    server.route("*", "*", lambda request: reply(200, entity))
    client.temporal.aggregate(id="urn:x:a", methods="avg", period=period)
    assert server.requests[-1].query["aggrPeriodDuration"] == text


def test_windows_without_zone_or_upside_down_are_refused(client) -> None:
    with pytest.raises(WrongUseError, match="no time zone"):
        client.temporal.get("urn:x:a", start=datetime(2026, 7, 1))
    with pytest.raises(WrongUseError, match="not before"):
        client.temporal.get("urn:x:a", start=stamp(3), end=stamp(1))
    with pytest.raises(WrongUseError, match="start or end"):
        client.temporal.iterate(type="Station")


def test_what_is_not_there_is_told_apart_from_what_nobody_built(broker, client) -> None:
    with pytest.raises(NotFound):
        client.temporal.get("urn:x:none")
    broker.missing = frozenset({"temporal"})
    with pytest.raises(NotImplementedByServer, match="temporal"):
        client.temporal.query(type="Station", start=stamp(0))


@pytest.mark.parametrize(
    "temperature",
    [
        {"type": "Property", "values": [[1, "t1"], [2, "t2"]]},
        [{"type": "Property", "values": [[1, "t1"], [2, "t2"]]}],
        [
            {"type": "Property", "values": [[1, "t1"]]},
            {"type": "Property", "values": [[2, "t2"]], "datasetId": "urn:d"},
        ],
        [
            {"type": "Property", "value": 1, "observedAt": "t1"},
            {"type": "Property", "value": 2, "observedAt": "t2"},
        ],
    ],
)
def test_observations_are_read_from_objects_and_lists(temperature) -> None:
    found = list(observations({"id": "urn:x", "type": "S", "temperature": temperature}))
    assert [(o.value, o.time) for o in found] == [(1, "t1"), (2, "t2")]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"values": [["Joe Bloggs", "t"]]}, "Joe Bloggs"),
        (
            {"languageMaps": [[{"languageMap": {"en": "yes", "fr": "oui"}}, "t"]]},
            {"en": "yes", "fr": "oui"},
        ),
        ({"valueLists": [[["First", "Second"], "t"]]}, ["First", "Second"]),
        ({"jsons": [[{"json": [{"id": "85a6"}]}, "t"]]}, [{"id": "85a6"}]),
        ({"vocabs": [[{"vocab": "Male"}, "t"]]}, "Male"),
        ({"objects": [["urn:ngsi-ld:Person:123455", "t"]]}, "urn:ngsi-ld:Person:123455"),
        ({"objectLists": [[["urn:ngsi-ld:Person:Alice"], "t"]]}, ["urn:ngsi-ld:Person:Alice"]),
        # normalized
        ({"languageMap": {"fr": "rue"}, "observedAt": "t"}, {"fr": "rue"}),
        ({"value": 3, "observedAt": "t", "values": [{"type": "Property", "value": 1}]}, 3),
    ],
)
def test_every_kind_of_attribute_is_an_observation(block, expected) -> None:
    # clause 4.5.9, examples 1 to 7
    [found] = observations({"id": "urn:x", "type": "S", "a": {"type": "Property", **block}})
    assert (found.value, found.time) == (expected, "t")


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=40, unique=True),
    st.lists(st.integers(0, 60), max_size=5),
    st.booleans(),
)
def test_windows_that_overlap_at_their_ends_merge_to_the_whole(steps, cuts, pairs) -> None:
    # Servers that count the boundary to both sides send its instance twice
    steps, edges = sorted(steps), [-1, *sorted(set(cuts)), 61]
    parts = []
    for low, high in pairwise(edges):
        kept = [s for s in steps if low <= s <= high]
        block = (
            {"type": "Property", "values": [[s, stamp(s)] for s in kept]}
            if pairs
            else [{"type": "Property", "value": s, "observedAt": stamp(s)} for s in kept]
        )
        parts.append({"id": "urn:x", "type": "S", "n": block})
    assert values(merged(parts, timeproperty="observedAt"), "n") == steps


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("date-time 2020-01-01T01:00:00Z-2020-01-01T04:00:00Z/*", True),
        ("date-time 2020-09-01T12:03:00-2020-09-01T12:07:00/5", True),
        ("date-time 2021-09-16T11:00-2021-09-16T10:22:39.650/3", True),
        ("bytes 0-10/20", False),
        ("", False),
    ],
)
def test_content_ranges_are_read(header, known) -> None:
    assert (range_of(header) is not None) is known


def test_writing_and_deleting_history(server, reply, client) -> None:
    server.route("POST", "/ngsi-ld/v1/temporal/entities", lambda request: reply(
        201, headers=[("Location", "/ngsi-ld/v1/temporal/entities/urn:x:a")]
    ))  # fmt: skip
    server.route("*", "*", lambda request: reply(204))
    assert client.temporal.create(history("a", temperature=2)) == "urn:x:a"
    client.temporal.append("urn:x:a", {"temperature": []})
    client.temporal.update_instance("urn:x:a", "temperature", "urn:i:1", {"temperature": []})
    client.temporal.delete("urn:x:a", attribute="temperature", instance_id="urn:i:1")
    client.temporal.delete("urn:x:a")
    root = "/ngsi-ld/v1/temporal/entities"
    assert [(r.method, r.path.removeprefix(root)) for r in server.requests] == [
        ("POST", ""),
        ("POST", "/urn:x:a/attrs"),
        ("PATCH", "/urn:x:a/attrs/temperature/urn:i:1"),
        ("DELETE", "/urn:x:a/attrs/temperature/urn:i:1"),
        ("DELETE", "/urn:x:a"),
    ]  # fmt: skip


def test_a_server_before_1_8_is_asked_for_pairs_by_options(
    broker, client, server, reply, station
) -> None:
    def handler(request):
        if request.query.get("options") == "temporalValues":
            pairs = {"type": "Property", "values": [[7, stamp(0)]]}
            return reply(200, {"id": station, "type": "Station", "temperature": pairs})
        return broker.handle(request)

    server.route("*", "*", lambda request: handler(_without_format(request)))
    with pytest.warns(CapabilityWarning, match="options"):
        found = client.temporal.get(station, form="temporalValues")
    assert values(found) == [7]


def test_instances_in_full_where_pairs_were_asked_for_are_told(
    broker, client, server, station
) -> None:
    server.route("*", "*", lambda request: broker.handle(_without_format(request)))
    with pytest.warns(CapabilityWarning) as told:
        first = client.temporal.get(station, form="temporalValues", probe=False)
    assert "options" in str(told[0].message)
    assert "answered in full" in str(told[1].message)
    other = client.with_tenant("two")
    other._connection.style = "options"
    with pytest.warns(CapabilityWarning, match="answered in full"):
        assert other.temporal.get(station, form="temporalValues", probe=False) == first


def _without_format(request):
    return replace(request, target=request.target.replace("format=temporalValues", "x=y"))


def test_a_long_temporal_query_is_sent_as_a_body(server, reply, client) -> None:
    ids = [f"urn:ngsi-ld:Station:{n:060d}" for n in range(60)]
    server.route("*", "*", lambda request: reply(200, [], [("NGSILD-Results-Count", "0")]))
    asked = {"type": "Station", "id": ids, "attrs": "temperature", "form": "temporalValues"}
    assert client.temporal.query(start=stamp(0), last_n=3, **asked) == []
    [request] = server.requests
    assert (request.method, request.path) == (
        "POST", "/ngsi-ld/v1/temporal/entityOperations/query",
    )  # fmt: skip
    assert request.query == {"format": "temporalValues", "limit": "50", "count": "true"}
    body = request.json()
    assert [each["id"] for each in body["entities"]] == ids
    assert body["attrs"] == ["temperature"]
    assert body["temporalQ"] == {
        "timerel": "after", "timeAt": stamp(0), "timeproperty": "observedAt", "lastN": 3,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["Station", None])
def test_a_long_temporal_query_is_sent_as_a_url_where_it_has_to_be(
    server, reply, client, kind
) -> None:
    # without a type a body can hold no ids (5.2.33); many brokers don't have 6.24
    ids = [f"urn:ngsi-ld:Station:{n:060d}" for n in range(60)]

    def handler(request):
        return reply(404 if request.method == "POST" else 200, [])

    server.route("*", "*", handler)
    for _ in range(2):
        client.temporal.query(start=stamp(0), type=kind, id=ids, attrs="temperature")
    posts = [request for request in server.requests if request.method == "POST"]
    assert len(posts) == (1 if kind else 0)
    assert server.requests[-1].query["id"] == ",".join(ids)


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("cap", [30, 10**9])
def test_history_that_was_asked_once_is_whole_without_a_network(
    broker, server, station, tmp_path, says, cap
) -> None:
    broker.cap, broker.says_206 = cap, says
    window = {"start": stamp(-500), "end": stamp(9999)}
    found = {}
    for offline in (False, True):
        with HttpClient(server.url, cache=Cache(tmp_path), offline=offline) as http:
            temporal = NgsiLd(server.url, http=http).temporal
            found[offline] = [temporal.get(station, **window)]
            found[offline] += temporal.query(type="Station", **window)
        server.route("*", "*", None)  # nothing answers from now on
    assert found[True] == found[False]
    assert [values(one) for one in found[True]] == [list(range(400))] * 2
