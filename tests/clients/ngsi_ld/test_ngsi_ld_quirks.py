"""What a broker of another maker does otherwise, as found with a running one, without needing it.

Cassiopeia (GeoNet.MRN, written for NGSI-LD 1.3.1) was asked by `test_ngsi_ld_foreign_broker.py`;
each answer below has the shape of one of its answers.
"""

import warnings
from collections.abc import Iterator

import pytest
from ldt_toolbox.clients.errors import Conflict, NotFound, NotImplementedByServer
from ldt_toolbox.clients.imperfect import CapabilityWarning, ImperfectServerWarning
from ldt_toolbox.clients.ngsi_ld import NgsiLd, observations
from ldt_toolbox.clients.ngsi_ld.forms import single
from ldt_toolbox.models.frames import to_frame

ONE = {
    "id": "urn:ngsi-ld:Hall:1", "type": "Hall",
    "level": {"type": "Property", "value": 3}, "name": {"type": "Property", "value": "Nord"},
}  # fmt: skip
FIRST, LATER = "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"
COUNT = ("NGSILD-Results-Count", "2")
DAY = {"start": FIRST, "end": "2026-07-02T00:00:00Z"}


def series(*times: str) -> list[dict]:
    return [{"type": "Property", "value": n, "observedAt": t} for n, t in enumerate(times)]


@pytest.mark.parametrize("status", [404, 405])  # 405: ScorpioBroker#52
def test_lists_are_found_by_their_uri_with_a_slash(broker, client, server, status) -> None:
    # 6.4.2 and 6.6.2 write /entities/ and /entities/{entityId}/attrs/
    broker.unslashed = status
    assert client.entities.create(ONE) == ONE["id"]
    assert [request.path for request in server.requests] == [
        "/ngsi-ld/v1/entities", "/ngsi-ld/v1/entities/",
    ]  # fmt: skip
    with pytest.raises(Conflict):
        client.entities.create(ONE)
    assert client.entities.query(type="Hall") == [ONE]
    client.entities.append_attributes(ONE["id"], {"width": {"type": "Property", "value": 9}})
    assert client.entities.get(ONE["id"])["width"]["value"] == 9
    assert client.subscriptions.list() == []
    assert len(server.requests) == 7, "the slash is tried once"


def test_a_refusal_under_the_uri_with_a_slash_is_the_one_that_is_told(broker, client) -> None:
    broker.put(ONE)
    broker.unslashed = 404
    with pytest.raises(Conflict):
        client.entities.create(ONE)
    with pytest.raises(NotFound, match="ResourceNotFound"):
        client.entities.append_attributes("urn:ngsi-ld:Hall:2", {"x": {"value": 1}})


def test_a_list_that_is_nowhere_is_told_and_an_entity_that_is_not_there_asked_once(
    broker, client, server
) -> None:
    broker.missing = frozenset({"subscriptions"})
    with pytest.raises(NotImplementedByServer, match="subscriptions"):
        client.subscriptions.list()
    assert len(server.requests) == 2
    with pytest.raises(NotFound):
        client.entities.update_attributes("urn:ngsi-ld:Hall:2", {"x": {"value": 1}})
    assert len(server.requests) == 3


def test_an_attribute_of_one_instance_is_no_list(broker, client) -> None:
    broker.put(ONE)
    broker.lists = True
    assert client.entities.get(ONE["id"]) == ONE
    assert client.entities.query(type="Hall") == [ONE]
    [feature] = client.entities.query(type="Hall", representation="geojson")
    assert feature["properties"]["level"] == ONE["level"]
    concise = {**ONE, "level": {"value": 3}, "name": {"value": "Nord"}}
    broker.put(concise)
    assert client.entities.get(ONE["id"], representation="concise") == concise
    several = [ONE["level"], {**ONE["level"], "datasetId": "urn:d:1"}]
    broker.lists = False
    broker.put({**ONE, "level": several})
    assert client.entities.get(ONE["id"])["level"] == several
    value = {"id": ONE["id"], "level": [ONE["level"]]}  # a value that looks like an instance
    assert single(value, "simplified")["level"] == [ONE["level"]]


ASKED = {
    "pick": ({"pick": ["id", "name"]}, "came with level"),
    "omit": ({"omit": "level"}, "came with level"),
    "idPattern": ({"id_pattern": "Hall:[2-9]$"}, "does not match"),
    "scopeQ": ({"scope_q": "/Nice"}, "has no scope"),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("form", ["normalized", "geojson"])
def test_a_parameter_that_the_server_ignores_is_told_and_nothing_left_out(
    server, reply, client, name, form
) -> None:
    answer = [ONE, {**ONE, "id": "urn:ngsi-ld:Hall:5", "scope": "/Nice"}]
    if form == "geojson":
        answer = [
            {"id": each.pop("id"), "type": "Feature", "geometry": None, "properties": each}
            for each in map(dict, answer)
        ]
    server.route("GET", "/ngsi-ld/v1/entities", lambda _: reply(200, answer, [COUNT]))
    asked, told = ASKED[name]
    with pytest.warns(CapabilityWarning, match=f"ignores {name}.*{told}") as warned:
        found = client.entities.query(type="Hall", representation=form, **asked)
    assert len(found) == 2
    assert len(warned) == 1, "once a query"


@pytest.mark.parametrize("name", ["idPattern", "scopeQ"])
def test_a_count_of_what_was_not_asked_for_is_told_if_it_shows(server, reply, client, name) -> None:
    server.route("GET", "/ngsi-ld/v1/entities", lambda _: reply(200, [ONE], [COUNT]))
    with pytest.warns(CapabilityWarning, match=f"ignores {name}"):
        assert client.entities.count(type="Hall", **ASKED[name][0]) == 2


HEEDED = {
    "names in full": ({"pick": ["id", "level"]},
                      {"id": ONE["id"], "https://example.org/level": ONE["level"]}),
    "names of a model": ({"pick": ["id", "https://example.org/level"]},
                         {"id": ONE["id"], "type": "Hall", "level": ONE["level"]}),
    "a linked entity": ({"pick": ["id", "inside{name}"], "join": "inline"}, ONE),
    "no name": ({"omit": "level"}, {k: v for k, v in ONE.items() if k != "level"}),
    "a pattern of POSIX": ({"id_pattern": "Hall:[[:digit:]]$"}, ONE),
    "a scope": ({"scope_q": "/Nice/#"}, {**ONE, "scope": ["/Nice/port"]}),
    "a scope that was not picked": ({"scope_q": "/Nice", "pick": ["id", "level"]},
                                    {"id": ONE["id"], "level": ONE["level"]}),
}  # fmt: skip


@pytest.mark.parametrize("case", HEEDED)
def test_a_parameter_that_was_heeded_is_not_complained_about(server, reply, client, case) -> None:
    asked, answer = HEEDED[case]
    one = ("NGSILD-Results-Count", "1")
    server.route("GET", "/ngsi-ld/v1/entities", lambda _: reply(200, [answer], [one]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert client.entities.query(type="Hall", **asked) == [answer]


def test_details_where_names_are_due_and_names_where_details_are(server, reply, client) -> None:
    details = [{"id": "urn:0d8f", "type": "EntityType", "typeName": "Hall", "attributeNames": []}]
    names = {"id": "urn:6c1e", "type": "EntityTypeList", "typeList": ["Hall"]}

    def swapped(request):
        return reply(200, names if request.query.get("details") == "true" else details)

    server.route("GET", "/ngsi-ld/v1/types", swapped)
    with pytest.warns(ImperfectServerWarning, match="details where a list of names is due"):
        assert client.types.list() == ["Hall"]
    with pytest.warns(CapabilityWarning, match="names where details are due"):
        assert client.types.details() == [{"id": "Hall", "type": "EntityType", "typeName": "Hall"}]


def test_a_count_of_entities_is_a_number_also_where_it_came_as_a_text(
    server, reply, client
) -> None:
    told = {"id": "urn:1", "type": "EntityTypeInfo", "typeName": "Hall", "entityCount": "30"}
    server.route("GET", "/ngsi-ld/v1/types/Hall", lambda _: reply(200, told))
    assert client.types.get("Hall")["entityCount"] == 30


@pytest.fixture
def late(broker, client) -> Iterator[NgsiLd]:
    """A broker that leaves out what was observed at the start of a window."""
    broker.temporal["1"] = {"id": ONE["id"], "type": "Hall", "level": series(FIRST, LATER)}
    broker.temporal["2"] = {"id": "urn:ngsi-ld:Hall:2", "type": "Hall", "level": series(FIRST)}
    broker.late = True
    return client


@pytest.mark.parametrize("form", ["normalized", "temporalValues"])
@pytest.mark.parametrize("window", [DAY, {"start": FIRST}])
def test_what_was_observed_at_the_start_of_a_window_is_not_lost(late, form, window) -> None:
    # 4.11: the lower bound is inclusive
    with pytest.warns(CapabilityWarning, match="at the very start of a window"):
        found = late.temporal.get(ONE["id"], form=form, **window)
    assert [o.value for o in observations(found)] == [0, 1]


def test_an_entity_that_was_observed_at_the_start_only_comes_too(late, server) -> None:
    with pytest.warns(CapabilityWarning, match="at the very start of a window") as told:
        found = late.temporal.query(type="Hall", **DAY)
    assert [each["id"] for each in found] == [ONE["id"], "urn:ngsi-ld:Hall:2"]
    assert len(told) == 1
    number = len(server.requests)
    assert late.temporal.query(type="Hall", probe=False, **DAY) == found
    assert len(server.requests) == number + 1, "once it is known it costs nothing"


def test_nothing_comes_from_before_a_window_whose_start_is_left_out(late, broker) -> None:
    broker.temporal["1"]["level"] = series("2026-06-30T23:59:59.999500Z", FIRST, LATER)
    with pytest.warns(CapabilityWarning, match="at the very start of a window"):
        found = late.temporal.get(ONE["id"], **DAY)
    assert [o.value for o in observations(found)] == [1, 2]


def test_a_server_that_counts_the_start_is_asked_once_whether_it_does(
    broker, client, server
) -> None:
    broker.temporal["1"] = {"id": ONE["id"], "type": "Hall", "level": series(FIRST, LATER)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            found = client.temporal.get(ONE["id"], **DAY)
    assert [o.value for o in observations(found)] == [0, 1]
    asked = [request.query["endTimeAt"] for request in server.requests]
    assert asked.count("2026-07-01T00:00:00.001000Z") == 1


def test_a_table_of_what_came_as_lists_is_the_same(broker, client) -> None:
    broker.put(ONE)
    plain = to_frame(client.entities.query(type="Hall"))
    broker.lists = True
    assert to_frame(client.entities.query(type="Hall")).equals(plain)
