"""The latest instances of several series, from a broker that can't send them in one answer."""

import pytest
from ldt_toolbox.clients.ngsi_ld import NgsiLd, observations
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.serve import Twin

STATION = "urn:ngsi-ld:WeatherObserved:roof"
OFTEN, SELDOM = 30, 8


@pytest.fixture(params=[2, 5, 10])
def broker(request):
    with Twin(limits=Limits(instances=request.param)) as twin:
        client = NgsiLd(twin.ngsi_ld)
        series = {
            name: [
                {"type": "Property", "value": i, "observedAt": f"2026-07-01T{hour(i)}:00Z"}
                for i in range(count)
            ]
            for name, count, hour in (
                ("temperature", OFTEN, lambda i: f"12:{i:02d}"),
                ("windSpeed", SELDOM, lambda i: f"{i:02d}:00"),
            )
        }
        client.temporal.create({"id": STATION, "type": "WeatherObserved", **series})
        yield client


@pytest.mark.parametrize("last_n", [1, 3, 5, 8, 12])
def test_each_series_has_its_latest_however_the_answer_is_cut(broker, last_n):
    found = list(observations(broker.temporal.get(STATION, last_n=last_n)))
    for name, count in (("temperature", OFTEN), ("windSpeed", SELDOM)):
        values = sorted(each.value for each in found if each.attribute == name)
        assert values == list(range(max(0, count - last_n), count)), name
