"""The OpenAPI document says what there is, and what it says can be fuzzed without a 500."""

import collections
import re

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from ldt_toolbox.twin.ngsi_ld.elsewhere import ELSEWHERE
from ldt_toolbox.twin.ngsi_ld.tables import TABLES
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.ogc.openapi import ANSWERS
from ldt_toolbox.twin.ogc.schemas import BODIES, TAKEN
from ldt_toolbox.twin.serve import Twin

EXAMPLES = 12


@pytest.fixture(scope="module")
def base():
    with Twin(extensions=[ogc_apis()]) as twin:
        yield twin.url


@pytest.fixture(scope="module")
def document(base):
    answer = requests.get(f"{base}/api", timeout=20)
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    return answer.json()


def test_it_names_every_route_that_answers(base, document):
    routes = {
        (method.lower(), "/ngsi-ld/v1" + re.sub(r":\w+", "", path))
        for table in TABLES
        if table is not ELSEWHERE
        for method, path, _ in table
    }
    named = {(method, path) for path, all_ in document["paths"].items() for method in all_}
    assert len(routes) > 30
    assert routes <= named
    assert {("get", "/"), ("post", "/processes/{processId}/execution")} <= named
    assert requests.get(f"{base}/openapi.json", timeout=20).json() == document
    assert "<table>" in requests.get(f"{base}/api?f=html", timeout=20).text


def test_what_is_written_by_hand_belongs_to_a_route(document):
    named = {
        (method.upper(), path.removeprefix("/ngsi-ld/v1"))
        for path, all_ in document["paths"].items()
        for method in all_
    }
    # subscriptions come and go with their module
    written = {each for each in {*TAKEN, *BODIES} if "subscriptions" not in each[1]}
    assert written <= named
    assert {("GET", path) for path in ANSWERS} <= named


def test_it_is_openapi(document):
    schemathesis.openapi.from_dict(document).validate()


#: What paths can name, so that not every request ends at a 404.
KNOWN = {
    "id": "urn:ngsi-ld:Sensor:1", "collectionId": "Sensor", "featureId": "urn:ngsi-ld:Sensor:1",
    "processId": "heat-islands", "name": "temperature", "file": "report.html",
}  # fmt: skip


def refill(base):
    """What the requests may have deleted."""
    entity = {
        "id": KNOWN["id"],
        "type": "Sensor",
        "temperature": {"type": "Property", "value": 3, "observedAt": "2026-07-01T00:00:00Z"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [7, 43]}},
    }
    url = f"{base}/ngsi-ld/v1/entityOperations/upsert"
    assert requests.post(url, json=[entity], timeout=20).status_code in (201, 204)


def unreachable(answer):
    """The standard's answer (6.3.2) to an @context that cannot be had: the twin asks no other."""
    kind = "https://uri.etsi.org/ngsi-ld/errors/LdContextNotAvailable"
    return answer.status_code == 503 and answer.json()["type"] == kind


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_no_request_makes_the_twin_fail(base, document, mode):
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=base)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == sum(len(each) for each in document["paths"].values())
    statuses, failures = collections.Counter(), []
    with requests.Session() as session:
        for operation in operations:
            refill(base)

            @given(operation.as_strategy(generation_mode=mode), booleans())
            @settings(
                max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            def attack(case, known):
                if known:
                    for name in KNOWN.keys() & (case.path_parameters or {}).keys():
                        case.path_parameters[name] = KNOWN[name]
                answer = case.call(session=session, timeout=30)
                statuses[answer.status_code] += 1
                if answer.status_code >= 500 and not unreachable(answer):
                    failures.append((case.as_curl_command(), answer.status_code, answer.text))
                elif answer.status_code >= 400 and answer.headers.get("Content-Type"):
                    assert answer.headers["Content-Type"] == "application/problem+json"

            attack()
            assert not failures, failures[:3]
    assert sum(statuses.values()) > len(operations) * EXAMPLES / 3, statuses
    assert statuses[200], "nothing got through: the claim above would be empty"
