"""The client and the local twin, which were written apart: no complaint from either side."""

from collections.abc import Iterator

import pytest
from ldt_toolbox.clients.errors import Conflict, NotFound, NotImplementedByServer
from ldt_toolbox.clients.imperfect import strict
from ldt_toolbox.clients.ngsi_ld import (
    GeoQuery,
    NgsiLd,
    Q,
    Receiver,
    aggregates,
    observations,
    subscription,
)
from ldt_toolbox.models.frames import from_frame, temporal_frame, to_frame
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.serve import Twin
from shapely.geometry import Point, box

PORT = Point(7.42, 43.73)


def station(number: int, **attributes) -> dict:
    return {
        "id": f"urn:ngsi-ld:Station:{number}",
        "type": "Station",
        "scope": f"/town/{'north' if number % 2 else 'south'}",
        "temperature": {
            "type": "Property", "value": 10 + number, "unitCode": "CEL",
            "observedAt": "2026-07-01T12:00:00Z",
        },
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [7.42 + number / 1000, 43.73]},
        },
        "name": {"type": "LanguageProperty", "languageMap": {"fr": "gare", "en": "station"}},
        "refDevice": {"type": "Relationship", "object": f"urn:ngsi-ld:Device:{number}"},
        **attributes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """Takes 12 entities, sends 7 or 40 instances at most: everything goes and comes in parts."""
    with Twin(limits=Limits(largest_page=7, instances=40, batch=12)) as running:
        yield running


@pytest.fixture
def broker(twin, request) -> Iterator[NgsiLd]:
    """A client that takes no deviation, in a tenant of its own that holds 30 stations."""
    with NgsiLd(twin.ngsi_ld, tenant=f"t{abs(hash(request.node.nodeid))}") as client, strict():
        client.batch.create(station(n) for n in range(30)).raise_for_errors()
        yield client


def numbers(entities) -> list[int]:
    return sorted(int(entity["id"].rpartition(":")[2]) for entity in entities)


def test_an_entity_lives(broker) -> None:
    new = station(99)
    assert broker.entities.create(new) == new["id"]
    with pytest.raises(Conflict):
        broker.entities.create(new)
    assert broker.entities.get(new["id"]) == new
    broker.entities.merge({"temperature": {"type": "Property", "value": 1}}, id=new["id"])
    told = broker.entities.append_attributes(
        new["id"], {"humidity": {"type": "Property", "value": 0.5}}
    )
    assert not told.not_updated
    broker.entities.update_attributes(
        new["id"], {"humidity": {"type": "Property", "value": 0.6, "datasetId": "urn:d:1"}}
    )
    broker.entities.update_attribute(new["id"], "temperature", {"value": 2})
    broker.entities.replace_attribute(
        new["id"], "temperature", {"type": "Property", "value": 3, "unitCode": "CEL"}
    )
    assert broker.entities.get(new["id"], pick="temperature")["temperature"] == {
        "type": "Property", "value": 3, "unitCode": "CEL",
    }  # fmt: skip
    broker.entities.delete_attribute(new["id"], "humidity", every_instance=True)
    assert "humidity" not in broker.entities.get(new["id"])
    broker.entities.replace(station(99, temperature={"type": "Property", "value": 4}))
    assert broker.entities.get(new["id"], representation="simplified")["temperature"] == 4
    broker.entities.delete(new["id"])
    assert not broker.entities.exists(new["id"])
    with pytest.raises(NotFound):
        broker.entities.get(new["id"])


QUERIES = {
    "type": ({}, range(30)),
    "q": ({"q": Q.attr("temperature").between(12, 14)}, [2, 3, 4]),
    "q and": ({"q": (Q.attr("temperature") < 12) & Q.attr("name").exists()}, [0, 1]),
    "q or": ({"q": (Q.attr("temperature") < 11) | (Q.attr("temperature") == 39)}, [0, 29]),
    "q language": ({"q": Q.attr("name").language("fr") == "gare"}, range(30)),
    "q time": ({"q": Q.attr("temperature.observedAt") > "2026-07-02T00:00:00Z"}, []),
    "q object": ({"q": Q.attr("refDevice") == "urn:ngsi-ld:Device:5"}, [5]),
    "ids": ({"id": [f"urn:ngsi-ld:Station:{n}" for n in (3, 7, 999)]}, [3, 7]),
    "id pattern": ({"id_pattern": ".*:1[0-9]$"}, range(10, 20)),
    "attrs": ({"attrs": "none"}, []),
    "near": ({"geo": GeoQuery.of("near", PORT, max_distance_m=170)}, [0, 1, 2]),
    "within": ({"geo": GeoQuery.of("within", box(7.4205, 43.7, 7.4235, 43.8))}, [1, 2, 3]),
    "disjoint": ({"geo": GeoQuery.of("disjoint", box(7.4195, 43.7, 7.4485, 43.8))}, [29]),
    "scope": ({"scope_q": "/town/north"}, range(1, 30, 2)),
    "scope below": ({"scope_q": "/town/#"}, range(30)),
    "local": ({"local": True}, range(30)),
    "post": ({"post": True, "q": Q.attr("temperature") > 38}, [29]),
}


@pytest.mark.parametrize("name", QUERIES)
def test_conditions_mean_the_same_on_both_sides(broker, name) -> None:
    asked, expected = QUERIES[name]
    found = broker.entities.query(type="Station", **asked)
    assert numbers(found) == list(expected)
    asked.pop("post", None)
    assert broker.entities.count(type="Station", **asked) == len(expected)


def test_pages_of_seven_come_whole_and_once(broker) -> None:
    assert numbers(broker.entities.iterate(type="Station")) == list(range(30))
    assert len(broker.entities.query(type="Station", most=10)) == 10
    assert numbers(broker.entities.iterate(type="Station", split_above=20)) == list(range(30))


def test_every_representation_is_read(broker) -> None:
    first = "urn:ngsi-ld:Station:0"
    concise = broker.entities.get(first, representation="concise")
    assert concise["temperature"] == {
        "value": 10, "unitCode": "CEL", "observedAt": "2026-07-01T12:00:00Z",
    }  # fmt: skip
    simplified = broker.entities.query(type="Station", id=first, representation="simplified")
    assert simplified[0]["refDevice"] == "urn:ngsi-ld:Device:0"
    [feature] = broker.entities.query(type="Station", id=first, representation="geojson")
    assert feature["geometry"] == {"type": "Point", "coordinates": [7.42, 43.73]}
    [feature] = broker.entities.query(type="Station", id=first, representation="simplified-geojson")
    assert feature["properties"]["temperature"] == 10
    frames = [
        to_frame(broker.entities.query(type="Station", representation=form))
        for form in ("normalized", "concise", "simplified", "geojson", "simplified-geojson")
    ]
    for frame in frames:
        assert frame["temperature"].tolist() == frames[0]["temperature"].tolist()
        assert frame.geometry.geom_equals(frames[0].geometry).all()
    picked = broker.entities.query(type="Station", id=first, pick=["id", "temperature"])
    assert set(picked[0]) == {"id", "temperature"}
    omitted = broker.entities.get(first, omit=["name", "location"])
    assert {"name", "location"}.isdisjoint(omitted)
    assert broker.entities.get(first, lang="fr", pick="name")["name"]["value"] == "gare"
    assert "createdAt" in broker.entities.get(first, sys_attrs=True)


def test_frames_go_to_the_twin_and_come_back(broker) -> None:
    frame = to_frame(broker.entities.iterate(type="Station"))
    assert len(frame) == 30
    entities, rejects = from_frame(frame.assign(temperature=frame["temperature"] + 1))
    assert not rejects
    assert broker.batch.upsert(entities, mode="update").ok
    assert to_frame(broker.entities.query(type="Station"))["temperature"].sum() == sum(
        range(11, 41)
    )


def test_batches_tell_what_became_of_each(broker) -> None:
    made = broker.batch.create([station(1), station(50)])
    assert made.created == ["urn:ngsi-ld:Station:50"]
    assert list(made.errors_by_id) == ["urn:ngsi-ld:Station:1"]
    gone = broker.batch.delete(["urn:ngsi-ld:Station:50", "urn:ngsi-ld:Station:51"])
    assert gone.succeeded == ["urn:ngsi-ld:Station:50"]
    assert list(gone.errors_by_id) == ["urn:ngsi-ld:Station:51"]
    merged = broker.batch.merge([{"id": station(2)["id"], "type": "Station", "x": {"value": 1}}])
    assert merged.ok
    assert broker.batch.update([{"id": station(2)["id"], "type": "Station", "x": {"value": 2}}]).ok
    assert broker.batch.query(type="Station", q=Q.attr("x") == 2)[0]["id"] == station(2)["id"]


def test_types_and_attributes_are_discovered(broker) -> None:
    assert broker.types.list() == ["Station"]
    assert broker.types.get("Station")["entityCount"] == 30
    [details] = broker.types.details()
    assert details["typeName"] == "Station"
    names = {"temperature", "location", "name", "refDevice"}
    assert names <= set(broker.attributes.list())
    assert broker.attributes.get("temperature")["attributeCount"] == 30


@pytest.mark.parametrize("form", ["normalized", "concise", "temporalValues"])
def test_history_beyond_the_limit_comes_whole(broker, form) -> None:
    for number in (1, 2):
        series = [
            {"type": "Property", "value": n, "unitCode": "CEL",
             "observedAt": f"2026-07-01T{n // 60:02d}:{n % 60:02d}:00Z"}
            for n in range(150)
        ]  # fmt: skip
        broker.temporal.create({"id": f"urn:x:{number}", "type": "S", "t": series})
    window = {"start": "2026-07-01T00:00:00Z", "end": "2026-07-02T00:00:00Z"}
    frame = temporal_frame(broker.temporal.query(type="S", form=form, **window))
    assert frame.groupby("entity_id", observed=True)["value"].sum().tolist() == [11_175.0] * 2
    single = broker.temporal.get("urn:x:1", form=form, **window)
    assert [o.value for o in observations(single)] == list(range(150))
    if form == "normalized":
        told = broker.temporal.aggregate(
            id="urn:x:1", methods=["max", "totalCount"], period="PT1H", **window
        )
        found = {(o.method, o.start[11:13]): o.value for o in aggregates(told[0])}
        assert found["max", "01"] == 119
        assert sum(value for (method, _), value in found.items() if method == "totalCount") == 150


def test_a_subscription_is_managed_and_heard(broker) -> None:
    with Receiver() as receiver:
        wish = subscription(
            receiver.endpoint(), type="Station", q=Q.attr("temperature") > 50, watched="temperature"
        )
        own = broker.subscriptions.create(wish)
        assert [each["id"] for each in broker.subscriptions.list()] == [own]
        hot = {"temperature": {"type": "Property", "value": 60, "unitCode": "CEL"}}
        broker.entities.update_attributes("urn:ngsi-ld:Station:3", hot)
        [heard] = receiver.wait(1, timeout_s=20)
        assert heard.data[0]["temperature"]["value"] == 60
        broker.subscriptions.pause(own)
        assert broker.subscriptions.get(own)["status"] == "paused"
        broker.subscriptions.resume(own)
        broker.subscriptions.update(own, {"description": "hot"})
        assert broker.subscriptions.get(own)["description"] == "hot"
        broker.subscriptions.delete(own)
        assert broker.subscriptions.list() == []


def test_names_in_a_notification_are_those_of_the_context_that_was_asked_for(broker) -> None:
    # TP 046_20 of the NGSI-LD test suite
    url = broker.contexts.add(
        {"warmth": "https://uri.etsi.org/ngsi-ld/default-context/temperature"}
    )
    with Receiver() as receiver:
        own = broker.subscriptions.create(
            subscription(receiver.endpoint(), type="Station", watched="temperature", context=url)
        )
        warm = {"temperature": {"type": "Property", "value": 21, "unitCode": "CEL"}}
        broker.entities.update_attributes("urn:ngsi-ld:Station:3", warm)
        [heard] = receiver.wait(1, timeout_s=20)
        broker.subscriptions.delete(own)
    assert heard.data[0]["warmth"]["value"] == 21


def test_a_context_is_hosted_and_explains_names(broker) -> None:
    url = broker.contexts.add({"warmth": "urn:model:temperature", "Place": "urn:model:Place"})
    assert url in [
        each["URL"] if isinstance(each, dict) else each for each in broker.contexts.list()
    ]
    mine = broker.with_context(url)
    mine.entities.create({"id": "urn:x:p", "type": "Place", "warmth": {"value": 7}})
    assert mine.entities.query(type="Place", q=Q.attr("warmth") == 7)[0]["id"] == "urn:x:p"
    assert "urn:model:temperature" in broker.entities.get("urn:x:p")
    broker.contexts.delete(url)


def test_tenants_are_apart(broker) -> None:
    other = broker.with_tenant("elsewhere")
    other.entities.create({"id": "urn:x:only-here", "type": "Only"})
    assert other.entities.exists("urn:x:only-here")
    assert not broker.entities.exists("urn:x:only-here")
    assert broker.entities.query(type="Only") == []


def test_what_the_twin_lacks_is_named(broker) -> None:
    assert broker.capabilities()["temporal"] == "yes"
    with pytest.raises(NotImplementedByServer, match="entities"):
        broker.entities.query(type="Station", join="inline")
    with pytest.raises(NotImplementedByServer):
        broker.registrations.list(type="Station")
