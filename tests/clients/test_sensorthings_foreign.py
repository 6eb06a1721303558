"""The SensorThings client against a running service of another maker: django-ogc-sensorthings."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from ldt_toolbox.clients.imperfect import ImperfectServerWarning
from ldt_toolbox.clients.sensorthings import SensorThings

pytestmark = pytest.mark.reference
START = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
COUNTER = {
    "name": "Pont", "description": "a mast",
    "Locations": [{
        "name": "Pont", "description": "", "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [7.42, 43.73]},
    }],
    "Datastreams": [{
        "name": "bicycles", "description": "",
        "observationType":
            "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation",
        "unitOfMeasurement": {"name": "bicycles", "symbol": "1", "definition": "{bicycle}"},
        "ObservedProperty": {
            "name": "Bicycles", "definition": "https://example.org/b", "description": "",
        },
        "Sensor": {
            "name": "loop", "description": "", "encodingType": "text/html", "metadata": "none",
        },
    }],
}  # fmt: skip


@pytest.fixture(scope="module")
def root(programs, tmp_path_factory):
    """Address of a service with a counter and 120 hours of counts, last hour first."""
    folder = tmp_path_factory.mktemp("sensor-things")
    command = programs.from_pip("django-ogc-sensorthings==1.2.0", "sensor_things.py", folder)
    with programs.running(command, str(folder)) as port:
        root = f"http://127.0.0.1:{port}/sta/v1.1"
        send(f"{root}/Things", COUNTER)
        [stream] = requests.get(f"{root}/Datastreams", timeout=10).json()["value"]
        for hour in reversed(range(120)):
            at = (START + hour * HOUR).isoformat()
            send(
                f"{root}/Observations",
                {"Datastream": {"@iot.id": stream["@iot.id"]}, "result": hour,
                 "phenomenonTime": at, "resultTime": at},
            )  # fmt: skip
        yield root


def send(url, body):
    assert requests.post(url, json=body, timeout=10).status_code == 201


def test_a_counter_is_read_whole(root):
    with SensorThings(root) as service:
        assert any("iot_sensing/1.1" in one for one in service.conformance())
        [stream] = service.datastreams(filter="ObservedProperty/name eq 'Bicycles'")
        assert (stream.name, stream.thing, stream.unit_symbol) == ("bicycles", "Pont", "1")
        assert (stream.longitude_deg, stream.latitude_deg) == (7.42, 43.73)
        # it takes no more than 100 at a time, fails where it should sort by phenomenonTime, and
        # sends the last observation of a page once more on the next
        with pytest.warns(ImperfectServerWarning) as told:
            table = service.observation_frame(
                [stream], start=START + 5 * HOUR, end=START + 115 * HOUR
            )
    texts = " ".join(str(one.message) for one in told)
    assert "does not sort by phenomenonTime" in texts
    assert "1 entities came more than once; they are taken once" in texts
    assert len(told) == 2
    assert table["result"].tolist() == list(range(5, 115))
    assert table["phenomenonTime"].iloc[0] == "2026-07-01T05:00:00+00:00"


def test_a_filter_that_finds_nothing(root):
    with SensorThings(root) as service:
        assert service.datastreams(filter="name eq 'cars'") == []
