"""The client `ngsildclient` of PyPI, which knows nothing of this project, works with the twin."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from ldt_toolbox.twin.serve import Twin
from ngsildclient import Client, Entity, SubscriptionBuilder


@pytest.fixture
def client(running: Twin, request: pytest.FixtureRequest) -> Iterator[Client]:
    address = urlsplit(running.url)
    tenant = f"c{abs(hash(request.node.nodeid))}"
    # reading a tenant that holds nothing is an error, and the client reads when it is made
    running.store.write(lambda write: write.tenant(tenant)).result()
    found = Client(hostname=address.hostname, port=address.port, tenant=tenant)
    yield found
    found.close()


def station(number: int, temperature: float = 20.5) -> Entity:
    entity = Entity("WeatherObserved", f"S{number}")
    entity.prop("temperature", temperature, unitcode="CEL")
    entity.rel("refDevice", "urn:ngsi-ld:Device:1")
    entity.loc((43.7, 7.4))
    return entity


def test_it_creates_reads_and_deletes(client: Client) -> None:
    made = station(1)
    assert client.create(made).id == made.id
    assert client.exists(made)
    read = client.get(made.id)
    assert read.type == "WeatherObserved"
    assert read["temperature.value"] == 20.5
    assert read["temperature.unitCode"] == "CEL"
    assert read["location.value.coordinates"] == [7.4, 43.7]
    assert read["refDevice.object"] == "urn:ngsi-ld:Device:1"
    assert client.delete(made.id)
    assert not client.exists(made)


def test_it_updates_and_upserts(client: Client) -> None:
    client.upsert(station(1))
    client.upsert(station(1, 3.5))
    assert client.get(station(1).id)["temperature.value"] == 3.5
    client.update(station(1, 4.5))
    assert client.get(station(1).id)["temperature.value"] == 4.5
    assert client.create(station(1, 9.5), skip=True) is None
    assert client.get(station(1).id)["temperature.value"] == 4.5


def test_it_works_in_batches_and_queries(client: Client) -> None:
    stations = [station(n, n / 2) for n in range(250)]
    assert client.batch.create(stations)[0]
    assert client.batch.upsert(stations) == (
        True,
        {"success": "all entities already existed and are successfully updated"},
    )
    assert client.count(type="WeatherObserved") == 250
    assert client.count(q="temperature>=100") == 50
    warm = client.query_head(q="temperature>=124")
    assert [each.id for each in warm] == [each.id for each in stations[248:]]
    everything = client.query_all(type="WeatherObserved")
    assert [each.id for each in everything] == [each.id for each in stations]
    assert client.types.list() == ["WeatherObserved"]
    assert client.batch.update([station(0, -9)])[0]
    assert client.get(station(0).id)["temperature.value"] == -9
    assert client.batch.delete(stations)[0]
    assert client.count(type="WeatherObserved") == 0


def test_it_subscribes(client: Client) -> None:
    wanted = (
        SubscriptionBuilder("http://127.0.0.1:9/none")
        .name("warm")
        .select_type("WeatherObserved")
        .watch(["temperature"])
        .query("temperature>30")
        .build()
    )
    own = client.subscriptions.create(wanted)
    assert client.subscriptions.exists(own)
    read = client.subscriptions.get(own)
    assert (read["q"], read["watchedAttributes"]) == ("temperature>30", ["temperature"])
    assert [each["id"] for each in client.subscriptions.list("warm")] == [own]
    assert client.subscriptions.delete("warm")
    assert not client.subscriptions.exists(own)


def test_it_hosts_a_context(client: Client) -> None:
    document = {"@context": {"height": "https://example.org/height"}}
    known = set(client.contexts.list())
    client.contexts.add(document)
    (own,) = set(client.contexts.list()) - known
    assert client.contexts.get(own.rpartition("/")[2]) == document
