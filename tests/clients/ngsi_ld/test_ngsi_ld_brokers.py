"""The client against answers as brokers and the standard's published test suite have them.

Each payload is a small one of the same shape, written for this test. `TP` names the case of the
NGSI-LD test suite of ETSI ISG CIM (forge.etsi.org, rep/cim/ngsi-ld-test-suite) whose expectation
has this shape; a broker's name with a number is an issue of its repository that shows it.
"""

from contextlib import nullcontext
from dataclasses import replace

import pytest
from ldt_toolbox.clients import imperfect
from ldt_toolbox.clients.errors import BadRequest, InvalidAnswer, NotFound
from ldt_toolbox.clients.imperfect import (
    CapabilityWarning,
    CutAnswerWarning,
    ImperfectServerWarning,
    PagingWarning,
    SourceFailedWarning,
    WrongStatusWarning,
)
from ldt_toolbox.clients.ngsi_ld import (
    PartlyDone,
    aggregates,
    observations,
    subscription,
)
from ldt_toolbox.errors import WrongUseError

HALL = "urn:ngsi-ld:Hall:1"
TOWN = {"id": "urn:ngsi-ld:Town:1", "type": "Town"}
INSIDE = {"type": "Relationship", "object": TOWN["id"]}
PLAIN = {"id": HALL, "type": "Hall", "inside": INSIDE}
LEVEL = {"type": "Property", "value": 3}
POINT = {"type": "Point", "coordinates": [7.4, 43.7]}
COUNT = ("NGSILD-Results-Count", "1")
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
AT = "2026-07-01T12:00:00Z"
LATER = "2026-07-01T13:00:00Z"


def evolution(**attributes) -> dict:
    return {"id": HALL, "type": "Hall", **attributes}


def seen(entity) -> list:
    return [(o.attribute, o.value, o.time) for o in observations(entity)]


def query(client, **asked):
    return client.entities.query(type="Hall", **asked)


def history(client, **asked):
    return client.temporal.get(HALL, probe=False, **asked)


# what answers; what is asked; what must come of it (an error's class if one must); what is told
ANSWERS = {
    "TP 018_10 flat: an array where one entity was asked for": (
        (200, [PLAIN, TOWN]), lambda c: c.entities.with_linked(HALL), [PLAIN, TOWN], None),
    "TP 018_10 inline: the linked entity inside the relationship": (
        (200, {**PLAIN, "inside": {**INSIDE, "entity": TOWN}}),
        lambda c: c.entities.get(HALL, join="inline")["inside"]["entity"], TOWN, None),
    "TP 019_13 flat: linked entities are not among those counted": (
        (200, [PLAIN, TOWN], [COUNT]),
        lambda c: query(c, join="flat"), [PLAIN, TOWN], None),
    "TP 4.21 entities-pick-name: entities without id": (
        (200, [{"level": LEVEL}, {"level": LEVEL}], [("NGSILD-Results-Count", "2")]),
        lambda c: query(c, pick="level"), [{"level": LEVEL}] * 2, None),
    "TP 018 two types, two scopes: lists": (
        (200, {"id": HALL, "type": ["Hall", "Building"], "scope": ["/Nice", "/Old town"]}),
        lambda c: c.entities.get(HALL)["scope"], ["/Nice", "/Old town"], None),
    "TP 018_06 lang: a language of an attribute in full form": (
        (200, evolution(street={"type": "Property", "value": "Rue", "lang": "fr"})),
        lambda c: c.entities.get(HALL, lang="fr")["street"]["lang"], "fr", None),
    "TP 018 datasets: several instances of an attribute": (
        (200, evolution(level=[LEVEL, {**LEVEL, "datasetId": "urn:d:1"}])),
        lambda c: len(c.entities.get(HALL, dataset_id=["@none", "urn:d:1"])["level"]), 2, None),
    "TP 018_17 GeoJSON without the asked geometry": (
        (200, {"id": HALL, "type": "Feature", "geometry": None, "properties": {"type": "Hall"}}),
        lambda c: c.entities.get(HALL, representation="geojson")["geometry"], None, None),
    "TP 018_02 unknown entity": (
        (404, {"type": ERRORS + "ResourceNotFound", "title": "none"}),
        lambda c: c.entities.get(HALL), NotFound, None),
    "TP 022_01 types without an @context: IRIs": (
        (200, {"id": "urn:x", "type": "EntityTypeList", "typeList": ["https://x.org/Hall"]}),
        lambda c: c.types.list(), ["https://x.org/Hall"], None),
    "TP 023_01 types in detail": (
        (200, [{"id": "https://x.org/Hall", "type": "EntityType", "typeName": "Hall",
                "attributeNames": ["level"]}]),
        lambda c: c.types.details()[0]["attributeNames"], ["level"], None),
    "TP 024_01 one type": (
        (200, {"id": "https://x.org/Hall", "type": "EntityTypeInfo", "typeName": "Hall",
               "entityCount": 2, "attributeDetails": [{"id": "https://x.org/level"}]}),
        lambda c: len(c.types.get("Hall")["attributeDetails"]), 1, None),
    "TP 026_01 attributes in detail": (
        (200, [{"id": "https://x.org/level", "type": "Attribute", "attributeName": "level",
                "typeNames": ["Hall"]}]),
        lambda c: c.attributes.details()[0]["typeNames"], ["Hall"], None),
    "TP 027_01 one attribute": (
        (200, {"id": "https://x.org/level", "type": "Attribute", "attributeName": "level",
               "attributeCount": 1, "attributeTypes": ["Property"], "typeNames": ["Hall"]}),
        lambda c: c.attributes.get("level")["attributeTypes"], ["Property"], None),
    "TP 036_01 one registration": (
        (200, {"id": "urn:r:1", "type": "ContextSourceRegistration", "endpoint": "http://s"}),
        lambda c: c.registrations.get("urn:r:1")["endpoint"], "http://s", None),
    "TP 037_05 registrations of several entities": (
        (200, [{"id": "urn:r:1", "type": "ContextSourceRegistration",
                "information": [{"entities": [{"idPattern": ".*7$", "type": "Hall"}],
                                 "propertyNames": ["level"]}]}]),
        lambda c: len(c.registrations.list(type="Hall", csf="endpoint")), 1, None),
    "TP 031_01 subscriptions with their state": (
        (200, [{"id": "urn:s:1", "type": "Subscription", "status": "active"}]),
        lambda c: c.subscriptions.list()[0]["status"], "active", None),
    "TP 050_01 @contexts in detail": (
        (200, [{"URL": "https://x.org/c.jsonld", "localId": "c1", "kind": "Cached",
                "timestamp": AT}]),
        lambda c: c.contexts.details(kind="Cached")[0]["localId"], "c1", None),
    "TP 053 a cached @context, which nobody may serve": (
        (422, {"type": ERRORS + "OperationNotSupported", "title": "cached"}),
        lambda c: c.contexts.get("https://x.org/c.jsonld"), NotImplementedError, None),
    "TP 020_01 full terms without an @context": (
        (200, evolution(**{"https://x.org/level": [{**LEVEL, "observedAt": AT}]})),
        lambda c: seen(history(c)), [("https://x.org/level", 3, AT)], None),
    "TP 021_18 pairs of two datasets": (
        (200, evolution(level=[{"type": "Property", "datasetId": "urn:d:1", "values": [[3, AT]]},
                               {"type": "Property", "datasetId": "urn:d:2", "values": [[4, AT]]}])),
        lambda c: [o.dataset_id for o in observations(history(c, form="temporalValues"))],
        ["urn:d:1", "urn:d:2"], None),
    "TP 020_18 an attribute that was deleted, in pairs": (
        (200, evolution(inside={"type": "Relationship", "objects": [["urn:ngsi-ld:null", AT]]})),
        lambda c: [(o.value, o.deleted) for o in observations(history(c, form="temporalValues"))],
        [(None, True)], None),
    "TP 020_17 a name that was deleted, in full form": (
        (200, evolution(name=[{"type": "LanguageProperty", "deletedAt": AT,
                               "languageMap": {"@none": "urn:ngsi-ld:null"}}])),
        lambda c: [(o.value, o.time, o.deleted) for o in observations(
            history(c, timeproperty="deletedAt"), timeproperty="deletedAt")],
        [(None, AT, True)], None),
    "TP 020_20 a scope that was emptied, in pairs": (
        (200, evolution(scope={"type": "Property", "values": [[[], AT]]})),
        lambda c: seen(history(c, form="temporalValues", timeproperty="deletedAt")),
        [("scope", [], AT)], None),
    "TP 018_13 inline, simplified: the linked entity in the place of its id": (
        (200, {"id": HALL, "type": "Hall", "inside": {**TOWN, "inside": {"id": "urn:c"}}}),
        lambda c: c.entities.get(HALL, join="inline", representation="simplified")["inside"]["id"],
        TOWN["id"], None),
    "TP 018_05_01 GeoJSON, simplified, with two geometries": (
        (200, {"id": HALL, "type": "Feature", "geometry": POINT,
               "properties": {"type": "Hall", "level": 3, "location": POINT, "door": POINT}}),
        lambda c: c.entities.get(HALL, representation="simplified-geojson")["properties"]["door"],
        POINT, None),
    "clause 4.5.0: a list that was deleted": (
        (200, evolution(levels=[{"type": "ListProperty", "valueList": ["urn:ngsi-ld:null"],
                                 "deletedAt": AT}])),
        lambda c: [(o.value, o.deleted) for o in observations(
            history(c, timeproperty="deletedAt"), timeproperty="deletedAt")], [(None, True)], None),
    "Annex B: lists of relationships in pairs": (
        (200, evolution(doors={"type": "ListRelationship",
                               "objectsLists": [[["urn:x:1", "urn:x:2"], AT]]})),
        lambda c: seen(history(c, form="temporalValues")),
        [("doors", ["urn:x:1", "urn:x:2"], AT)], None),
    "TP 456 the scope has an evolution, too": (
        (200, evolution(scope=[{"type": "Property", "value": "/Nice", "observedAt": AT}])),
        lambda c: seen(history(c)), [("scope", "/Nice", AT)], None),
    "TP 020_11 aggregates of several periods": (
        (200, evolution(level={"type": "Property", "avg": [[3.5, AT, LATER], [4.5, LATER, ""]]})),
        lambda c: [(a.attribute, a.method, a.value, a.start, a.end) for a in aggregates(
            c.temporal.aggregate(id=HALL, methods="avg", period="PT1H")[0])],
        [("level", "avg", 3.5, AT, LATER), ("level", "avg", 4.5, LATER, "")], None),
    "aggregates taken for observations": (
        (200, evolution(level={"type": "Property", "avg": [[3.5, AT, LATER]]})),
        lambda c: seen(c.temporal.aggregate(id=HALL, methods="avg")[0]), WrongUseError, None),
    "clause 6.3.17: a source did not answer": (
        (200, [PLAIN], [("NGSILD-Warning", '199 urn:r:1 "no response in time"'), COUNT]),
        query, [PLAIN], SourceFailedWarning),
    "clause 6.3.17: a source answered from its cache": (
        (200, PLAIN, [("NGSILD-Warning", '110 urn:r:1 "stale"')]),
        lambda c: c.entities.get(HALL), PLAIN, SourceFailedWarning),
    "clause 4.3.6.8: in the form of an older version": (
        (203, PLAIN), lambda c: c.entities.get(HALL), PLAIN, WrongStatusWarning),
    "a federation that says 207 to a read": (
        (207, [PLAIN], [COUNT]), query, [PLAIN], SourceFailedWarning),
    "a write that is done, with another status": (
        (200, ""), lambda c: c.entities.merge({"level": LEVEL}, id=HALL), None,
        WrongStatusWarning),
    "Orion-LD: the count by its older name": (
        (200, [], [("Fiware-Total-Count", "7")]),
        lambda c: c.entities.count(type="Hall"), 7, None),
    "Orion-LD 1407: empty beyond an offset": (
        (200, [], [("NGSILD-Results-Count", "7")]), query, [], PagingWarning),
    "Scorpio 44: a next link without its semicolon": (
        (200, [PLAIN], [("Link", '</?type=T1&offset=50>rel="next", <http://h/c>; rel="c"'),
                        COUNT]), query, [PLAIN], None),
    "Scorpio 381: one name is no list": (
        (200, [{"id": "urn:t", "type": "EntityType", "attributeNames": "level"}]),
        lambda c: c.types.details()[0]["attributeNames"], ["level"], None),
    "Scorpio 381: one type in detail is no list either": (
        (200, {"id": "urn:t", "type": "EntityType", "attributeNames": "level"}),
        lambda c: c.types.details()[0]["attributeNames"], ["level"], ImperfectServerWarning),
    "one entity where a list is due": (
        (200, PLAIN, [COUNT]), query, [PLAIN], ImperfectServerWarning),
    "Scorpio 472: an attribute that is not there, as null": (
        (200, {"id": HALL, "type": "Hall", "height": None}),
        lambda c: c.entities.get(HALL, representation="simplified", attrs="height")["height"],
        None, None),
    "Scorpio 553: one instance is no list": (
        (200, evolution(level={**LEVEL, "observedAt": AT})),
        lambda c: seen(history(c)), [("level", 3, AT)], None),
    "Scorpio 620: the full form where pairs were asked for": (
        (200, evolution(level=[{**LEVEL, "observedAt": AT}])),
        lambda c: seen(history(c, form="temporalValues")), [("level", 3, AT)], CapabilityWarning),
    "Scorpio 345: values and times in turn": (
        (200, evolution(level=[3, AT, 4, LATER])),
        lambda c: seen(history(c, form="temporalValues")),
        [("level", 3, AT), ("level", 4, LATER)], None),
    "pairs that lost their outer list": (
        (200, evolution(level={"type": "Property", "values": [3, AT]})),
        lambda c: seen(history(c, form="temporalValues")), [("level", 3, AT)], None),
    "Scorpio 161: the last value only": (
        (200, evolution(level=3)),
        lambda c: seen(history(c, form="temporalValues")), [], ImperfectServerWarning),
    "Scorpio 284: details, not detail": (
        (400, {"type": ERRORS + "BadRequestData", "title": "Bad", "details": "time is unknown"}),
        history, (BadRequest, "time is unknown"), None),
    "Scorpio 17: a list of details, a number for the type": (
        (400, {"type": 400, "title": "Bad", "detail": ["no such option"]}),
        history, (BadRequest, "no such option"), None),
    "Stellio 237: an attribute without instances in the window": (
        (200, evolution(level=[], co2={"type": "Property", "values": []},
                        heat=[{**LEVEL, "observedAt": AT}])),
        lambda c: seen(history(c)), [("heat", 3, AT)], None),
    "Orion-LD 857: a relationship to several, as a value": (
        (200, evolution(inside=[{"type": "Relationship", "value": ["urn:x:1"], "observedAt": AT}])),
        lambda c: seen(history(c)), [("inside", ["urn:x:1"], AT)], None),
    "null among entities": ((200, [PLAIN, None], [COUNT]), query, InvalidAnswer, None),
    "ids instead of entities": ((200, [HALL], [COUNT]), query, InvalidAnswer, None),
    "null among evolutions": (
        (200, [None]), lambda c: c.temporal.query(type="Hall", start=AT), InvalidAnswer, None),
    "lists among subscriptions": (
        (200, [[1]]), lambda c: c.subscriptions.list(), InvalidAnswer, None),
    "HTML with status 200": (
        (200, "<html>"), query, InvalidAnswer, None),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_right_or_told(server, reply, client, name) -> None:
    answer, ask, expected, told = ANSWERS[name]
    server.route("*", "*", lambda request: reply(*answer))
    error, words = expected if isinstance(expected, tuple) else (expected, None)
    with pytest.warns(told) if told else nullcontext():
        if isinstance(error, type):
            with pytest.raises(error, match=words):
                ask(client)
        else:
            assert ask(client) == expected
    if told:
        with imperfect.strict(), pytest.raises(told):
            ask(client.with_tenant("again"))


def test_pages_without_a_stable_order_are_not_taken_for_whole(server, reply, client) -> None:
    # Orion-LD 1573: of what was created at once, some come twice and others not at all
    pages = {0: [0, 1, 2], 3: [2, 4, 5]}

    def handler(request):
        at = int(request.query.get("offset", 0))
        found = [{"id": f"urn:x:{n}", "type": "Hall"} for n in pages[at]]
        return reply(200, found, [("NGSILD-Results-Count", "6")])

    server.route("*", "*", handler)
    with pytest.warns(PagingWarning) as told:
        found = query(client, page_size=3)
    assert [entity["id"] for entity in found] == [f"urn:x:{n}" for n in (0, 1, 2, 4, 5)]
    texts = " ".join(str(each.message) for each in told)
    assert "1 entities came more than once" in texts
    assert "5 entities came, but the server counts 6" in texts


def test_what_was_not_created_of_an_entity_is_no_success(server, reply, client) -> None:
    # An UpdateResult (5.2.18) where a BatchOperationResult (5.2.16) is due
    refused = [{"attributeName": "level", "reason": "held elsewhere", "registrationId": "urn:r:1"}]
    server.route("*", "*", lambda request: reply(207, {"notCreated": refused}))
    with pytest.raises(PartlyDone, match="held elsewhere"):
        client.entities.create(PLAIN)


def test_pages_without_ids_come_whole_although_they_look_alike(broker, client) -> None:
    broker.put(*({"id": f"urn:x:{n}", "type": "Hall", "level": LEVEL} for n in range(25)))
    broker.link = "none"
    assert client.entities.query(type="Hall", pick="level", page_size=10) == [{"level": LEVEL}] * 25


def test_a_page_of_linked_entities_moves_the_offset_by_those_asked_for(
    server, reply, client
) -> None:
    halls = [{**PLAIN, "id": f"urn:x:{n}"} for n in range(5)]

    def handler(request):
        at = int(request.query.get("offset", 0))
        return reply(200, [*halls[at : at + 2], TOWN], [("NGSILD-Results-Count", "5")])

    server.route("*", "*", handler)
    # the last page is short, as pages are; the town comes with each
    found = client.entities.query(type="Hall", join="flat", page_size=2)
    assert [entity["id"] for entity in found if entity["type"] == "Hall"] == [
        f"urn:x:{n}" for n in range(5)
    ]


def test_one_entity_and_its_linked_ones_need_their_own_call(client, server) -> None:
    with pytest.raises(WrongUseError, match="with_linked"):
        client.entities.get(HALL, join="flat")
    with pytest.raises(WrongUseError, match="must leave id"):
        client.temporal.query(type="Hall", start=AT, pick="level")
    assert not server.requests


@pytest.mark.parametrize("counts", [True, False])
def test_pages_behind_an_anchor_are_followed(server, reply, client, counts) -> None:
    # Mintaka pages by Next-Page and pageAnchor, and knows neither offset nor link
    halls = [
        {"id": f"urn:x:{n}", "type": "Hall", "level": [{**LEVEL, "observedAt": AT}]}
        for n in range(7)
    ]

    def handler(request):
        anchor = request.query.get("pageAnchor", "urn:x:0")
        at = next(n for n, hall in enumerate(halls) if hall["id"] == anchor)
        headers = [("Page-Size", "3")] + [("NGSILD-Results-Count", "7")] * counts
        if at + 3 < len(halls):
            headers.append(("Next-Page", halls[at + 3]["id"]))
        return reply(200, halls[at : at + 3], headers)

    server.route("*", "*", handler)
    assert client.temporal.query(type="Hall", start=AT, probe=False) == halls
    assert len(server.requests) == 3
    assert all(request.query["type"] == "Hall" for request in server.requests)


def test_an_anchor_that_leads_nowhere_is_told(server, reply, client) -> None:
    page = [evolution(level={"type": "Property", "values": [[3, AT]]})]
    headers = [("Next-Page", "urn:x:2"), ("NGSILD-Results-Count", "17")]
    server.route("*", "*", lambda request: reply(206, page, headers))
    with pytest.warns(PagingWarning) as told:
        found = client.temporal.query(type="Hall", start=AT, form="temporalValues", probe=False)
    texts = " ".join(str(each.message) for each in told)
    assert "the same page" in texts
    assert "counts 17" in texts
    assert len(found) == 1


def test_one_instance_of_many_is_not_taken_for_whole(server, reply, client) -> None:
    # 206 with a single instance: only a look beyond it tells that there are more
    times = [f"2026-07-01T{hour:02d}:00:00Z" for hour in range(1, 9)]

    def handler(request):
        asked = request.query
        low, high = asked.get("timeAt", ""), asked.get("endTimeAt", "9")
        low, high = ("", low) if asked.get("timerel") == "before" else (low, high)
        kept = [at for at in times if low <= at < high]
        one = kept[-1:] if "lastN" in asked else kept[:1]
        level = [{**LEVEL, "observedAt": at} for at in one]
        return reply(206 if len(kept) > 1 else 200, evolution(level=level) if one else evolution())

    server.route("*", "*", handler)
    found = client.temporal.get(HALL, **DAY)
    assert [time for _, _, time in seen(found)] == times


DAY = {"start": "2026-07-01T00:00:00Z", "end": "2026-07-02T00:00:00Z"}


def cut_in_seven(broker) -> None:
    """Twenty instances, of which the broker sends seven at a time."""
    level = [{**LEVEL, "observedAt": f"2026-07-01T{h:02d}:00:00Z"} for h in range(20)]
    broker.temporal[HALL] = evolution(level=level)
    broker.cap = 7


def test_a_cut_told_by_links_is_mended(broker, client, server) -> None:
    # TS 104 176, 6.4.7.3, the successor of 6.3.10: 200 with links to the intervals beside
    cut_in_seven(broker)

    def handler(request):
        answer = broker.handle(request)
        if answer.status != 206:
            return answer
        link = '</ngsi-ld/v1/temporal/entities?offsetN=7>;rel="intervalafter"'
        return replace(answer, status=200, headers=[("Link", link)])

    server.route("*", "*", handler)
    assert len(client.temporal.get(HALL, probe=False, **DAY)["level"]) == 20


def test_instances_without_the_time_that_counts_are_told(server, reply, client) -> None:
    server.route("*", "*", lambda request: reply(200, evolution(level=[LEVEL, LEVEL])))
    with pytest.warns(CutAnswerWarning, match="names its modifiedAt"):
        client.temporal.get(HALL, timeproperty="modifiedAt")


def test_scope_and_system_attributes_survive_the_splitting(broker, client, server) -> None:
    cut_in_seven(broker)

    def handler(request):
        answer = broker.handle(request)
        members = {"scope": "/Nice", "createdAt": AT} if "level" in answer.body else {}
        return replace(answer, body={**answer.body, **members})

    server.route("*", "*", handler)
    found = client.temporal.get(HALL, **DAY)
    assert (found["scope"], found["createdAt"], len(found["level"])) == ("/Nice", AT, 20)


def test_the_tenant_and_the_core_rules_hold_for_every_request(server, reply, client) -> None:
    """6.3.14: one header on every request, whatever is asked."""
    headers = [COUNT, ("Location", "/ngsi-ld/v1/jsonldContexts/c1")]
    server.route("*", "*", lambda request: reply(200, PLAIN, headers))
    nice = client.with_tenant("nice")
    payload = subscription("https://x.org/notify", type="Hall")
    calls = [
        lambda: nice.entities.create(PLAIN), lambda: nice.entities.get(HALL),
        lambda: nice.entities.replace(PLAIN), lambda: nice.entities.merge(PLAIN),
        lambda: nice.entities.delete(HALL), lambda: nice.entities.exists(HALL),
        lambda: nice.entities.append_attributes(HALL, {"level": LEVEL}),
        lambda: nice.entities.update_attributes(HALL, {"level": LEVEL}),
        lambda: nice.entities.update_attribute(HALL, "level", LEVEL),
        lambda: nice.entities.delete_attribute(HALL, "level"),
        lambda: nice.entities.query(type="Hall"), lambda: nice.entities.count(type="Hall"),
        lambda: nice.batch.query(type="Hall"), lambda: nice.batch.upsert([PLAIN]),
        lambda: nice.batch.delete([HALL]), lambda: nice.temporal.get(HALL, probe=False),
        lambda: nice.temporal.create(PLAIN), lambda: nice.temporal.append(HALL, {"level": []}),
        lambda: nice.temporal.delete(HALL), lambda: nice.subscriptions.create(payload),
        lambda: nice.subscriptions.list(), lambda: nice.subscriptions.get("urn:s:1"),
        lambda: nice.subscriptions.pause("urn:s:1"), lambda: nice.subscriptions.delete("urn:s:1"),
        lambda: nice.types.list(), lambda: nice.attributes.details(),
        lambda: nice.registrations.list(type="Hall"), lambda: nice.contexts.list(),
        lambda: nice.contexts.add({"level": "https://x.org/level"}), nice.identity,
        lambda: nice.contexts.reload("https://x.org/c.jsonld"), nice.capabilities,
    ]  # fmt: skip
    with imperfect.ignore():
        for call in calls:
            call()
    assert len(server.requests) >= len(calls)
    assert {request.headers.get("NGSILD-Tenant") for request in server.requests} == {"nice"}


def test_what_is_picked_left_out_and_expanded_arrives(server, reply, client) -> None:
    server.route("*", "*", lambda request: reply(200, []))
    asked = {
        "id_pattern": ".*7$", "omit": ["level", "inside"], "geometry_property": "place",
        "expand_values": "kind", "json_keys": ["a", "b"],
    }  # fmt: skip
    query(client, **asked)
    sent = server.requests[-1].query
    assert {name: sent[name] for name in sent if name not in ("type", "limit", "count")} == {
        "idPattern": ".*7$", "omit": "level,inside", "geometryProperty": "place",
        "expandValues": "kind", "jsonKeys": "a,b",
    }  # fmt: skip
    client.batch.query(type="Hall", **asked)
    body = server.requests[-1].json()
    assert body["omit"] == ["level", "inside"]
    assert (body["expandValues"], body["jsonKeys"]) == (["kind"], ["a", "b"])
    client.registrations.list(attrs="level", csf='endpoint=="http://s"')
    assert server.requests[-1].query["csf"] == 'endpoint=="http://s"'


def test_members_of_linked_entities_are_picked_in_braces(server, reply, client) -> None:
    # TP 018_20, clause 4.21
    server.route("*", "*", lambda request: reply(200, PLAIN))
    pick = ["id", "inside{id,name,country{id,description}}"]
    client.entities.get(HALL, join="inline", join_level=2, pick=pick)
    assert server.requests[-1].query["pick"] == "id,inside{id,name,country{id,description}}"
    for odd in ("inside{id", "inside}", "inside{}", "{id}", "a,b", "a|b", "inside{id,}", ""):
        with pytest.raises(WrongUseError, match="is no name"):
            client.entities.get(HALL, pick=["id", odd])
    with pytest.raises(WrongUseError, match="is no name"):
        client.entities.get(HALL, attrs="inside{id}")


def test_what_was_created_must_have_a_name(server, reply, client) -> None:
    server.route("*", "*", lambda request: reply(201))
    assert client.entities.create(PLAIN) == HALL
    with pytest.raises(InvalidAnswer, match="names no Location"):
        client.subscriptions.create(subscription("https://x.org/notify", type="Hall"))
    with pytest.raises(InvalidAnswer, match="names no Location"):
        client.contexts.add({"level": "https://x.org/level"})


def test_what_a_notification_holds_is_picked_as_in_a_query(server, reply, client) -> None:
    # 5.2.14, and 5.6.19 for the whole of one attribute
    shaped = subscription(
        "https://x.org/notify", type="Hall", pick=["id", "inside{id}"], omit="level", join="inline"
    )["notification"]
    assert {key: shaped[key] for key in ("pick", "omit", "join", "joinLevel")} == {
        "pick": ["id", "inside{id}"], "omit": ["level"], "join": "inline", "joinLevel": 1,
    }  # fmt: skip
    with pytest.raises(WrongUseError, match="exclude"):
        subscription("https://x.org/notify", type="Hall", pick="id", attributes="level")
    server.route("*", "*", lambda request: reply(204))
    client.entities.replace_attribute(HALL, "level", LEVEL)
    request = server.requests[-1]
    assert (request.method, request.json()) == ("PUT", LEVEL)
    assert request.path == f"/ngsi-ld/v1/entities/{HALL}/attrs/level"
