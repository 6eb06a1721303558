"""The client against a running context source of another maker: the IoT Agent library (npm).

No context broker is published in a package registry. This library, on which the IoT agents of
FIWARE stand, answers the part of the API that brokers forward to context sources: retrieve and
query entities, and update their attributes. It runs as a program of its own.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from ldt_toolbox.clients.errors import NotFound, NotImplementedByServer
from ldt_toolbox.clients.imperfect import CapabilityWarning, PagingWarning, WrongStatusWarning
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.models.frames import to_frame
from ldt_toolbox.models.lint import lint

pytestmark = pytest.mark.reference
ROOF = "urn:ngsi-ld:WeatherObserved:roof"
PLACE = {"type": "Property", "value": "roof"}


def number(value: float) -> dict:
    return {"type": "Property", "value": value, "unitCode": "CEL"}


@pytest.fixture(scope="session")
def agent(programs: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("iot-agent")
    return programs.from_npm("iotagent-node-lib@4.14.0", "iot_agent.js", folder)


@pytest.fixture(scope="module")
def source(programs: Any, agent: list[str]) -> Iterator[NgsiLd]:
    with (
        programs.running(agent) as port,
        NgsiLd(f"http://127.0.0.1:{port}", tenant="nice") as client,
    ):
        yield client


def test_entities_are_read(source: NgsiLd) -> None:
    entity = source.entities.get(ROOF)
    assert entity == {
        "id": ROOF, "type": "WeatherObserved", "temperature": number(31.5), "place": PLACE,
    }  # fmt: skip
    assert source.entities.get(ROOF, attrs="place") == {
        "id": ROOF, "type": "WeatherObserved", "place": PLACE,
    }  # fmt: skip
    frame = to_frame([entity])
    assert frame[["temperature", "temperature.unitCode", "place"]].iloc[0].tolist() == [
        31.5, "CEL", "roof",
    ]  # fmt: skip
    assert source.entities.exists(ROOF)
    assert not source.entities.exists(f"{ROOF}:2")


def test_what_it_says_of_an_error_is_shown(source: NgsiLd) -> None:
    with pytest.raises(NotFound, match="DEVICE_NOT_FOUND"):
        source.entities.get(f"{ROOF}:2")
    with pytest.raises(NotFound, match="No device was found"):
        source.with_tenant("cannes").entities.get(ROOF)


def test_pages_of_a_server_that_knows_none_end(source: NgsiLd) -> None:
    with pytest.warns(PagingWarning, match="the same page comes again and again"):
        [entity] = source.entities.query(type="WeatherObserved", id=ROOF)
    assert entity["id"] == ROOF
    # a fault of the library: asked by type, it names the device and not the entity
    with pytest.warns(PagingWarning):
        [entity] = source.entities.query(type="WeatherObserved")
    assert entity["id"] == "roof"
    assert "id-not-uri" in [finding.code for finding in lint(entity)]


def test_a_form_that_it_does_not_have_is_told(source: NgsiLd) -> None:
    with pytest.warns(CapabilityWarning) as told:
        found = source.entities.get(ROOF, representation="simplified")
    assert found["temperature"] == number(31.5)
    assert "another form than simplified" in str(told[-1].message)


def test_attributes_are_changed(source: NgsiLd) -> None:
    source.entities.update_attribute(ROOF, "temperature", number(33))
    assert source.entities.get(ROOF)["temperature"] == number(33)
    source.entities.replace_attribute(ROOF, "temperature", number(34))
    assert source.entities.get(ROOF)["temperature"] == number(34)
    with pytest.warns(WrongStatusWarning, match="answered 200 where 204 or 207 is due"):
        source.entities.merge({"temperature": number(35)}, id=ROOF)
    assert source.entities.get(ROOF)["temperature"] == number(35)
    source.entities.update_attribute(ROOF, "temperature", number(31.5))


def test_what_it_does_not_offer_is_named(source: NgsiLd) -> None:
    assert set(source.capabilities().values()) == {"no"}
    with pytest.raises(NotImplementedByServer, match="IoT Agents do not support"):
        source.entities.create({"id": f"{ROOF}:2", "type": "WeatherObserved"})
    with pytest.raises(NotImplementedByServer, match="IoT Agents do not support"):
        source.entities.delete(ROOF)
    with pytest.raises(NotImplementedByServer, match="temporal evolution"):
        source.temporal.query(type="WeatherObserved", start="2026-07-01T00:00:00Z")
    with pytest.raises(NotImplementedByServer, match="subscriptions"):
        source.subscriptions.list()
