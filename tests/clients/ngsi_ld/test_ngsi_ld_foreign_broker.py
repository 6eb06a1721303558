"""The client against any running context broker, whose address is in LDT_TEST_BROKER.

    LDT_TEST_BROKER=http://127.0.0.1:9090 python -m pytest -rsx \\
        tests/clients/ngsi_ld/test_ngsi_ld_foreign_broker.py

LDT_TEST_BROKER_TOKEN holds a token if the broker wants one, LDT_TEST_BROKER_USER and
LDT_TEST_BROKER_PASSWORD a name and a password. Tests reach this machine only, so that the broker,
or a tunnel to it, has to listen here. Only entities whose ids begin with `urn:ngsi-ld:LdtForeign:`
are written, and they are removed again.

Passed: the broker and the client do as the standard says. Skipped: the broker does not offer the
operation. Expected failure: the broker refuses it or does it otherwise, and the client says so.
Failed: something is wrong and nobody says so.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any

import pytest
from ldt_toolbox.clients.errors import (
    BadRequest,
    ClientError,
    Conflict,
    NotFound,
    NotImplementedByServer,
    ServerFault,
)
from ldt_toolbox.clients.imperfect import CapabilityWarning, CutAnswerWarning, ignore
from ldt_toolbox.clients.named_auth import named_auth
from ldt_toolbox.clients.ngsi_ld import (
    GeoQuery,
    NgsiLd,
    Q,
    Receiver,
    observations,
    subscription,
)
from ldt_toolbox.models.frames import from_frame, temporal_frame, to_frame
from shapely.geometry import Point, box

ADDRESS = os.environ.get("LDT_TEST_BROKER", "")
pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(
        not ADDRESS, reason="no broker: set LDT_TEST_BROKER to the address of one on this machine"
    ),
]
PREFIX, TYPE, SERIES = "urn:ngsi-ld:LdtForeign:", "LdtForeign", "LdtForeignSeries"
PORT = Point(7.42, 43.73)
AT = "2026-07-01T12:00:00Z"
DAY = {"start": "2026-07-01T00:00:00Z", "end": "2026-07-02T00:00:00Z"}
SINGLE = ("one", "two", "other", "mine", "series1", "series2")


def right_or_told(test: Callable[..., None]) -> Callable[..., None]:
    """Skip what the broker lacks; excuse what is not right only if the client has said so."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                test(*args, **kwargs)
            except NotImplementedByServer as lack:
                pytest.skip(f"the broker answers: {lack}")
            except (BadRequest, ServerFault) as refusal:
                pytest.xfail(f"the broker refuses it: {refusal}")
            except AssertionError:
                kinds = (CapabilityWarning, CutAnswerWarning)
                said = [str(w.message) for w in told if issubclass(w.category, kinds)]
                if not said:
                    raise
                pytest.xfail(f"the client says: {said[0]}")

    return run


def number(value: float, at: str = AT) -> dict[str, Any]:
    return {"type": "Property", "value": value, "unitCode": "CEL", "observedAt": at}


def station(name: int | str, **attributes: Any) -> dict[str, Any]:
    step = name if isinstance(name, int) else 0
    return {
        "id": f"{PREFIX}{name}", "type": TYPE, "temperature": number(10 + step),
        "name": {"type": "Property", "value": f"gare {name}"},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [7.42 + step / 1000, 43.73]},
        },
        "refDevice": {"type": "Relationship", "object": f"urn:ngsi-ld:Device:{name}"},
        **attributes,
    }  # fmt: skip


def evolution(name: str, length: int) -> dict[str, Any]:
    steps = [f"2026-07-01T{n // 60:02d}:{n % 60:02d}:00Z" for n in range(length)]
    instances = [number(n, step) for n, step in enumerate(steps)]
    return {"id": f"{PREFIX}{name}", "type": SERIES, "temperature": instances}


def numbers(entities: Any) -> list[int]:
    return sorted(int(entity["id"].removeprefix(PREFIX)) for entity in entities)


def remove(client: NgsiLd) -> None:
    """Delete what these tests write, by id: not every broker heeds a pattern."""
    for name in (*range(40), *SINGLE):
        with suppress(ClientError):
            client.entities.delete(f"{PREFIX}{name}")
    for name in SINGLE[-2:]:
        with suppress(ClientError):
            client.temporal.delete(f"{PREFIX}{name}")


@pytest.fixture(scope="module")
def broker() -> Iterator[NgsiLd]:
    """A client of the broker, which holds 30 stations."""
    keys = {
        "token_env": "LDT_TEST_BROKER_TOKEN",
        "user_env": "LDT_TEST_BROKER_USER", "password_env": "LDT_TEST_BROKER_PASSWORD",
    }  # fmt: skip
    auth = named_auth({key: name for key, name in keys.items() if name in os.environ})
    with NgsiLd(ADDRESS, auth=auth) as client:
        remove(client)
        for step in range(30):
            client.entities.create(station(step))
        with ignore():  # how it takes the wish for a form is found out, and told, once
            client.entities.get(f"{PREFIX}0", representation="simplified")
        yield client
        remove(client)


@pytest.fixture
def one(broker: NgsiLd) -> Iterator[str]:
    """An entity of a test's own."""
    own = broker.entities.create(station("one"))
    yield own
    with suppress(NotFound):
        broker.entities.delete(own)


@pytest.fixture
def two(broker: NgsiLd) -> Iterator[str]:
    """An id of which nothing is left; a broker may keep part of what it refused."""
    own = f"{PREFIX}two"
    yield own
    with suppress(NotFound):
        broker.entities.delete(own)


def values(client: NgsiLd, own: str) -> dict[str, Any]:
    return client.entities.get(own, representation="simplified")


@right_or_told
def test_an_entity_is_made_read_and_deleted(broker, two) -> None:
    new = station("two")
    assert broker.entities.create(new) == new["id"]
    assert broker.entities.exists(new["id"])
    with pytest.raises(Conflict):
        broker.entities.create(new)
    found = broker.entities.get(new["id"])
    at = found["temperature"].pop("observedAt")
    assert to_frame([station("two", temperature=number(10, at))]).equals(to_frame([new]))
    assert found["temperature"] == {"type": "Property", "value": 10, "unitCode": "CEL"}
    assert {name: found[name] for name in ("name", "location", "refDevice")} == {
        name: new[name] for name in ("name", "location", "refDevice")
    }
    broker.entities.delete(new["id"])
    assert not broker.entities.exists(new["id"])
    with pytest.raises(NotFound):
        broker.entities.get(new["id"])


@right_or_told
def test_what_is_not_there_cannot_be_deleted(broker) -> None:
    with pytest.raises(NotFound):
        broker.entities.delete(f"{PREFIX}other")


@right_or_told
def test_what_is_no_entity_is_refused(broker) -> None:
    with pytest.raises(BadRequest):
        broker.entities.create({"id": "no uri", "type": TYPE, "level": number(1)})


VALUES = {
    "an apostrophe": {"type": "Property", "value": "L'Escarène"},
    "names in languages": {"type": "LanguageProperty", "languageMap": {"fr": "gare", "en": "stop"}},
    "a tree": {"type": "Property", "value": {"city": "Nice", "lines": [1, 2], "open": True}},
    "a sub-attribute": {"type": "Property", "value": 1, "accuracy": {"type": "Property",
                                                                     "value": 0.5}},
    "two instances": [{"type": "Property", "value": 1},
                      {"type": "Property", "value": 2, "datasetId": "urn:ngsi-ld:Dataset:2"}],
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
@right_or_told
def test_a_value_comes_back_as_it_was_written(broker, two, kind) -> None:
    broker.entities.create({"id": two, "type": TYPE, "level": VALUES[kind]})
    assert broker.entities.get(two)["level"] == VALUES[kind]


CHANGES: dict[str, tuple[Callable[[NgsiLd, str], object], dict[str, Any]]] = {
    "append": (lambda c, i: c.entities.append_attributes(i, {"level": number(1)}), {"level": 1}),
    "append, keep": (
        lambda c, i: c.entities.append_attributes(i, {"temperature": number(1)}, overwrite=False),
        {"temperature": 10}),
    "update": (
        lambda c, i: c.entities.update_attributes(i, {"temperature": number(2)}),
        {"temperature": 2}),
    "part of one": (
        lambda c, i: c.entities.update_attribute(i, "temperature", {"value": 3}),
        {"temperature": 3}),
    "replace one": (
        lambda c, i: c.entities.replace_attribute(i, "temperature", number(4)),
        {"temperature": 4}),
    "merge": (
        lambda c, i: c.entities.merge({"temperature": number(5)}, id=i),
        {"temperature": 5, "name": "gare one"}),
    "replace": (lambda c, i: c.entities.replace(station("one", temperature=number(6))),
                {"temperature": 6}),
    "delete one": (lambda c, i: c.entities.delete_attribute(i, "name"), {"name": None}),
    "batch upsert": (
        lambda c, i: c.batch.upsert([station("one", temperature=number(7))]).raise_for_errors(),
        {"temperature": 7}),
    "batch upsert, update": (
        lambda c, i: c.batch.upsert(
            [{"id": i, "type": TYPE, "temperature": number(8)}], mode="update"
        ).raise_for_errors(),
        {"temperature": 8, "name": "gare one"}),
    "batch update": (
        lambda c, i: c.batch.update([station("one", temperature=number(9))]).raise_for_errors(),
        {"temperature": 9}),
    "batch update, keep": (
        lambda c, i: c.batch.update([station("one", temperature=number(9))], overwrite=False),
        {"temperature": 10}),
    "batch merge": (
        lambda c, i: c.batch.merge(
            [{"id": i, "type": TYPE, "temperature": number(11)}]
        ).raise_for_errors(),
        {"temperature": 11, "name": "gare one"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@right_or_told
def test_a_change_is_found_when_it_is_read(broker, one, change) -> None:
    act, expected = CHANGES[change]
    act(broker, one)
    found = values(broker, one)
    assert {name: found.get(name) for name in expected} == expected


@right_or_told
def test_a_batch_tells_what_became_of_each(broker) -> None:
    made = broker.batch.create([station(1), station(30)])
    assert made.succeeded == [f"{PREFIX}30"]
    assert list(made.errors_by_id) == [f"{PREFIX}1"]
    changed = broker.batch.update([station(30), station(31)])
    assert changed.succeeded == [f"{PREFIX}30"]
    assert list(changed.errors_by_id) == [f"{PREFIX}31"]
    assert broker.batch.delete([f"{PREFIX}30"]).ok
    assert not broker.entities.exists(f"{PREFIX}30")


@right_or_told
def test_a_batch_deletion_tells_what_was_not_there(broker) -> None:
    assert list(broker.batch.delete([f"{PREFIX}31"]).errors_by_id) == [f"{PREFIX}31"]


QUERIES: dict[str, tuple[dict[str, Any], Any]] = {
    "type": ({}, range(30)),
    "another type": ({"type": "LdtForeignNone"}, []),
    "ids": ({"id": [f"{PREFIX}{n}" for n in (3, 7, 999)]}, [3, 7]),
    "id pattern": ({"id_pattern": f"{PREFIX}1[0-9]$"}, range(10, 20)),
    "attrs": ({"attrs": "name"}, range(30)),
    "attrs that nobody has": ({"attrs": "none"}, []),
    "scope": ({"scope_q": "/town/north"}, []),
    "greater": ({"q": Q.attr("temperature") > 36}, [27, 28, 29]),
    "equal": ({"q": Q.attr("name") == "gare 7"}, [7]),
    "unequal": ({"q": Q.attr("temperature") != 10}, range(1, 30)),
    "range": ({"q": Q.attr("temperature").between(12, 14)}, [2, 3, 4]),
    "list": ({"q": Q.attr("name").one_of(["gare 7", "gare 8"])}, [7, 8]),
    "pattern": ({"q": Q.attr("name").matches("gare.1.*")}, [1, *range(10, 20)]),
    "and": ({"q": (Q.attr("temperature") < 12) & (Q.attr("name") == "gare 1")}, [1]),
    "or": ({"q": (Q.attr("temperature") < 11) | (Q.attr("temperature") == 39)}, [0, 29]),
    "exists": ({"q": Q.attr("temperature").exists()}, range(30)),
    "object": ({"q": Q.attr("refDevice") == "urn:ngsi-ld:Device:5"}, [5]),
    "time": ({"q": Q.attr("temperature.observedAt") > "2026-07-01T00:00:00Z"}, range(30)),
    "later": ({"q": Q.attr("temperature.observedAt") > "2026-07-02T00:00:00Z"}, []),
    "unit": ({"q": Q.attr("temperature.unitCode") == "CEL"}, range(30)),
    "near": ({"geo": GeoQuery.of("near", PORT, max_distance_m=170)}, [0, 1, 2]),
    "far": ({"geo": GeoQuery.of("near", PORT, min_distance_m=2250)}, [28, 29]),
    "within": ({"geo": GeoQuery.of("within", box(7.4205, 43.7, 7.4235, 43.8))}, [1, 2, 3]),
    "disjoint": ({"geo": GeoQuery.of("disjoint", box(7.4195, 43.7, 7.4485, 43.8))}, [29]),
    "post": ({"post": True, "q": Q.attr("temperature") > 36}, [27, 28, 29]),
    "post near": ({"post": True, "geo": GeoQuery.of("near", PORT, max_distance_m=170)}, [0, 1, 2]),
}


@pytest.mark.parametrize("name", QUERIES)
@right_or_told
def test_a_condition_finds_what_meets_it(broker, name) -> None:
    asked, expected = QUERIES[name]
    assert numbers(broker.entities.query(**{"type": TYPE, **asked})) == list(expected)
    assert broker.entities.count(**{"type": TYPE, **asked}) == len(expected)


@right_or_told
def test_pages_come_whole_and_once(broker) -> None:
    assert numbers(broker.entities.iterate(type=TYPE, page_size=7)) == list(range(30))
    assert len(broker.entities.query(type=TYPE, page_size=7, most=10)) == 10


@pytest.mark.parametrize(
    "form", ["normalized", "concise", "simplified", "geojson", "simplified-geojson"]
)
@right_or_told
def test_every_form_makes_the_same_table(broker, form) -> None:
    found = to_frame(broker.entities.query(type=TYPE, representation=form)).set_index("id")
    written = to_frame([station(n) for n in range(30)]).set_index("id")
    for column in ("temperature", "name", "refDevice"):
        assert found[column].to_dict() == written[column].to_dict()
    assert found.geometry.loc[written.index].geom_equals(written.geometry).all()


@pytest.mark.parametrize("asked", [{"pick": ["id", "name"]}, {"omit": ["location", "temperature"]},
                                   {"attrs": "name"}])  # fmt: skip
@right_or_told
def test_what_is_not_wanted_does_not_come(broker, asked) -> None:
    for found in (broker.entities.get(f"{PREFIX}3", **asked),
                  *broker.entities.query(type=TYPE, id=f"{PREFIX}3", **asked)):  # fmt: skip
        assert "name" in found
        assert {"location", "temperature"}.isdisjoint(found)


@right_or_told
def test_the_times_of_the_system_come_if_they_are_wanted(broker) -> None:
    assert {"createdAt", "modifiedAt"} <= set(broker.entities.get(f"{PREFIX}3", sys_attrs=True))


@right_or_told
def test_a_table_goes_to_the_broker_and_comes_back(broker) -> None:
    frame = to_frame(broker.entities.query(type=TYPE))
    entities, rejects = from_frame(frame.assign(temperature=frame["temperature"] + 100))
    assert not rejects
    try:
        assert broker.batch.upsert(entities, mode="update").ok
        again = to_frame(broker.entities.query(type=TYPE)).set_index("id")["temperature"]
        assert again.to_dict() == {f"{PREFIX}{n}": 110 + n for n in range(30)}
    finally:
        broker.batch.upsert(station(n) for n in range(30))


@right_or_told
def test_types_are_discovered(broker) -> None:
    assert [name for name in broker.types.list() if name.endswith(f"/{TYPE}") or name == TYPE]
    details = [d for d in broker.types.details() if str(d["typeName"]).endswith(TYPE)]
    names = {name.rpartition("/")[2] for name in details[0].get("attributeNames", [])}
    assert {"temperature", "name", "location", "refDevice"} <= names


@right_or_told
def test_a_type_tells_how_many_there_are(broker) -> None:
    assert broker.types.get(TYPE)["entityCount"] == 30


@right_or_told
def test_attributes_are_discovered(broker) -> None:
    assert "temperature" in {name.rpartition("/")[2] for name in broker.attributes.list()}
    kinds = broker.attributes.get("temperature")["attributeTypes"]
    assert {kind.rpartition("/")[2] for kind in kinds} >= {"Property"}


@right_or_told
def test_names_of_a_model_are_kept_apart(broker) -> None:
    mine = broker.with_context({"warmth": "https://example.org/ldt/warmth"})
    own = mine.entities.create({"id": f"{PREFIX}mine", "type": TYPE, "warmth": number(7)})
    found = broker.entities.get(own)
    broker.entities.delete(own)
    assert found["https://example.org/ldt/warmth"]["value"] == 7


@pytest.fixture(scope="module")
def history(broker: NgsiLd) -> NgsiLd:
    """The broker with two series of 150 and 20 minutes."""
    try:
        for name, length in (("series1", 150), ("series2", 20)):
            broker.temporal.create(evolution(name, length))
    except NotImplementedByServer as lack:
        pytest.skip(f"the broker answers: {lack}")
    return broker


@pytest.mark.parametrize("form", ["normalized", "concise", "temporalValues"])
@right_or_told
def test_history_comes_whole(history, form) -> None:
    single = history.temporal.get(f"{PREFIX}series1", form=form, **DAY)
    assert sorted(o.value for o in observations(single)) == list(range(150))
    frame = temporal_frame(history.temporal.query(type=SERIES, form=form, **DAY))
    assert frame.groupby("entity_id", observed=True)["value"].sum().tolist() == [11_175, 190]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"start": "2026-07-01T02:27:00Z"}, [147, 148, 149]),
        ({"end": "2026-07-01T00:03:00Z"}, [0, 1, 2]),
        ({"start": "2026-07-01T00:01:00Z", "end": "2026-07-01T00:04:00Z"}, [1, 2, 3]),
        ({**DAY, "last_n": 2}, [148, 149]),
    ],
)
@right_or_told
def test_a_window_holds_its_start_and_not_its_end(history, window, expected) -> None:
    found = history.temporal.get(f"{PREFIX}series1", **window)
    assert sorted(o.value for o in observations(found)) == expected


@right_or_told
def test_history_comes_page_by_page(history) -> None:
    found = history.temporal.iterate(type=SERIES, page_size=1, **DAY)
    assert sorted(each["id"] for each in found) == [f"{PREFIX}series1", f"{PREFIX}series2"]


@right_or_told
def test_history_of_what_is_not_there_is_not_found(history) -> None:
    with pytest.raises(NotFound):
        history.temporal.get(f"{PREFIX}other", **DAY)


@right_or_told
def test_history_grows(history) -> None:
    more = number(20, "2026-07-01T00:20:00Z")
    history.temporal.append(f"{PREFIX}series2", {"temperature": [more]})
    found = history.temporal.get(f"{PREFIX}series2", **DAY)
    history.temporal.delete(f"{PREFIX}series2")
    history.temporal.create(evolution("series2", 20))
    assert sorted(o.value for o in observations(found)) == list(range(21))


@right_or_told
def test_a_change_is_heard_of(broker, one) -> None:
    with Receiver() as receiver:
        wish = subscription(receiver.endpoint(), type=TYPE, watched="temperature")
        own = broker.subscriptions.create(wish)
        try:
            assert own in [each["id"] for each in broker.subscriptions.list()]
            broker.entities.update_attributes(one, {"temperature": number(60)})
            [heard] = receiver.wait(1, timeout_s=20)
            assert heard.data[0]["temperature"]["value"] == 60
        finally:
            broker.subscriptions.delete(own)


@right_or_told
def test_what_is_there_is_told(broker) -> None:
    assert set(broker.capabilities().values()) <= {"yes", "no"}
