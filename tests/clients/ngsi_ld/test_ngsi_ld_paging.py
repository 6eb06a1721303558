"""Paging: everything once, the end found, and every way of going astray told."""

import re

import pytest
from ldt_toolbox.clients import imperfect
from ldt_toolbox.clients.errors import BadRequest, Forbidden
from ldt_toolbox.clients.imperfect import CapabilityWarning, PagingWarning
from ldt_toolbox.clients.ngsi_ld import Q


def things(number: int, kind: str = "Thing") -> list[dict]:
    return [
        {"id": f"urn:ngsi-ld:{kind}:{n:05d}", "type": kind, "n": {"type": "Property", "value": n}}
        for n in range(number)
    ]


def ids(entities) -> list[str]:
    return [entity["id"] for entity in entities]


@pytest.mark.parametrize("link", ["absolute", "relative", "opaque", "none"])
def test_all_come_once_and_in_order_however_the_server_links(broker, client, link) -> None:
    broker.put(*things(95))
    broker.link = link
    assert ids(client.entities.query(type="Thing", page_size=10)) == ids(things(95))


def test_a_page_as_long_as_the_count_is_not_asked_again(broker, client, server) -> None:
    broker.put(*things(10))
    assert len(client.entities.query(type="Thing", page_size=10)) == 10
    assert len(server.requests) == 1


def test_without_count_and_links_only_an_empty_page_is_the_end(broker, client) -> None:
    broker.put(*things(25))
    broker.counts, broker.link, broker.silent_page = False, "none", 7
    assert len(client.entities.query(type="Thing", page_size=10)) == 25


def test_a_server_that_sends_fewer_than_asked_is_followed(broker, client) -> None:
    broker.put(*things(50))
    broker.link, broker.silent_page = "none", 7
    assert len(client.entities.query(type="Thing", page_size=20)) == 50


@pytest.mark.parametrize("link", ["self", "back"])
def test_a_next_link_to_itself_is_told_and_passed(broker, client, link) -> None:
    broker.put(*things(30))
    broker.link = link
    with pytest.warns(PagingWarning, match="leads to"):
        assert ids(client.entities.query(type="Thing", page_size=10)) == ids(things(30))


def test_a_next_link_to_another_host_is_not_followed_there(broker, client) -> None:
    broker.put(*things(30))
    broker.link = "foreign"
    with pytest.warns(PagingWarning, match="another host"):
        assert len(client.entities.query(type="Thing", page_size=10)) == 30


def test_different_next_links_are_told(broker, client) -> None:
    broker.put(*things(30))
    broker.link = "two"
    with pytest.warns(PagingWarning, match="2 different links"):
        assert len(client.entities.query(type="Thing", page_size=10)) == 30


def test_an_empty_page_before_the_count_is_told(server, reply, client) -> None:
    def handler(request):
        page = things(10) if "offset" not in request.query else []
        return reply(200, page, [("NGSILD-Results-Count", "40")])

    server.route("*", "*", handler)
    with pytest.warns(PagingWarning, match="10 entities came, but the server counts 40"):
        assert len(client.entities.query(type="Thing", page_size=10)) == 10
    with imperfect.strict(), pytest.raises(PagingWarning):
        client.entities.query(type="Thing", page_size=10)


def test_the_same_page_for_ever_ends(server, reply, client) -> None:
    server.route("*", "*", lambda request: reply(200, things(10)))
    with pytest.warns(PagingWarning, match="again and again"):
        assert len(client.entities.query(type="Thing", page_size=10)) == 10
    assert len(server.requests) == 2


def test_new_pages_for_ever_end_when_there_is_a_count(server, reply, client) -> None:
    def handler(request):
        start = int(request.query.get("offset", 0))
        page = [{"id": f"urn:x:{start + n}", "type": "Thing"} for n in range(10)]
        link = f'</ngsi-ld/v1/entities?offset={start + 10}>; rel="next"'
        return reply(200, page, [("Link", link), ("NGSILD-Results-Count", "30")])

    server.route("*", "*", handler)
    with pytest.warns(PagingWarning) as told:
        client.entities.query(type="Thing", page_size=10)
    assert any("pages go on" in str(each.message) for each in told)
    assert len(server.requests) < 40


def test_duplicates_across_pages_are_dropped_and_told(server, reply, client) -> None:
    def handler(request):
        start = int(request.query.get("offset", 0))
        # something was inserted in front between the first and the second page
        page = things(40)[max(0, start - 1) : start + 9]
        return reply(200, page, [("NGSILD-Results-Count", "40")])

    server.route("*", "*", handler)
    with pytest.warns(PagingWarning) as told:
        found = ids(client.entities.query(type="Thing", page_size=10))
    assert len(found) == len(set(found))
    assert any("more than once" in str(each.message) for each in told)


@pytest.mark.parametrize("largest", [1000, 130, 20])
def test_a_refused_page_size_is_lowered_and_remembered(broker, client, server, largest) -> None:
    broker.put(*things(150))
    broker.largest_page = largest
    assert len(client.entities.query(type="Thing", page_size=1000)) == 150
    sent = [int(request.query["limit"]) for request in server.requests]
    # the complaint names the maximum, so one refusal is enough
    assert sent == [1000] * (largest < 1000) + [largest] * -(-150 // largest)
    del server.requests[:]
    client.entities.query(type="Thing", page_size=1000)
    assert server.requests[0].query["limit"] == str(largest)


@pytest.mark.parametrize("status", [400, 413])
def test_a_page_size_refused_without_a_number_goes_down_the_steps(
    server, reply, client, status
) -> None:
    def handler(request):
        if int(request.query["limit"]) > 60:
            return reply(status, {"title": "limit is too large"})
        return reply(200, things(3), [("NGSILD-Results-Count", "3")])

    server.route("*", "*", handler)
    assert len(client.entities.query(type="Thing")) == 3
    assert [r.query["limit"] for r in server.requests] == ["1000", "500", "100", "50"]


def test_a_wrong_query_is_not_taken_for_a_page_size(server, reply, client) -> None:
    problem = {"title": "Bad request", "detail": "q: unexpected token"}
    server.route("*", "*", lambda request: reply(400, problem))
    with pytest.raises(BadRequest):
        client.entities.query(type="Thing", q="((")
    assert len(server.requests) == 1


def test_a_refused_offset_splits_the_query_by_ids(broker, client) -> None:
    broker.put(*things(700))
    broker.deepest_offset = 50
    found = ids(client.entities.query(type="Thing", page_size=20, split_above=None))
    assert sorted(found) == ids(things(700))


def test_many_results_are_split_before_the_server_has_to_refuse(broker, client, server) -> None:
    broker.put(*things(300))
    found = ids(client.entities.query(type="Thing", page_size=20, split_above=100))
    assert sorted(found) == ids(things(300))
    assert max(int(request.query.get("offset", 0)) for request in server.requests) < 100


def test_more_than_fifty_thousand_come_whole_without_being_asked_for(server, reply, client) -> None:
    # Orion-LD 1407: beyond some offset nothing comes, with status 200; the default is below
    every = [{"id": f"urn:ngsi-ld:Thing:{n:06d}", "type": "Thing"} for n in range(50_400)]

    def handler(request):
        asked = request.query
        matches = re.compile(asked.get("idPattern", ".*")).fullmatch
        found = [each for each in every if matches(each["id"])]
        at, limit = int(asked.get("offset", 0)), int(asked["limit"])
        page = [] if at >= 50_000 else found[at : at + limit]
        return reply(200, page, [("NGSILD-Results-Count", str(len(found)))])

    server.route("*", "*", handler)
    found = client.entities.query(type="Thing")
    assert sorted(ids(found)) == ids(every)
    assert max(int(request.query.get("offset", 0)) for request in server.requests) < 50_000


def test_a_split_that_the_server_ignores_is_told(broker, client) -> None:
    broker.put(*things(300))
    broker.deepest_offset, broker.ignores = 50, frozenset({"idPattern"})
    with pytest.warns(imperfect.ImperfectServerWarning) as told:
        client.entities.query(type="Thing", page_size=20)
    kinds = {type(each.message) for each in told}
    assert kinds == {CapabilityWarning, PagingWarning}  # and the count does not fit


def test_an_own_pattern_cannot_be_split(broker, client) -> None:
    broker.put(*things(300))
    broker.deepest_offset = 50
    with pytest.raises(Forbidden) as error:
        client.entities.query(type="Thing", page_size=20, id_pattern=".*")
    assert "idPattern" in error.value.__notes__[0]


def test_a_busy_server_is_waited_for(broker, client, server, reply) -> None:
    broker.put(*things(30))

    def handler(request):
        if request.count % 2:
            return reply(429, {"title": "slow down"}, [("Retry-After", "0")])
        return broker.handle(request)

    server.route("*", "*", handler)
    assert len(client.entities.query(type="Thing", page_size=10)) == 30


def test_iterating_stops_asking_when_the_reader_stops(broker, client, server) -> None:
    broker.put(*things(100))
    entities = client.entities.iterate(type="Thing", page_size=10)
    next(entities)
    entities.close()
    assert len(server.requests) == 1
    assert len(client.entities.query(type="Thing", page_size=10, most=25)) == 25


def test_count_asks_for_no_entity(broker, client, server) -> None:
    broker.put(*things(42))
    assert client.entities.count(type="Thing") == 42
    assert server.requests[-1].query["limit"] == "0"
    assert client.entities.count(type="Thing", q=Q.attr("n") >= 40) == 2
    broker.counts = False
    with pytest.warns(CapabilityWarning):
        assert client.entities.count(type="Thing") == 42
