"""Ids are URIs: whatever they hold, the address of their entity finds it again."""

from urllib.parse import quote

import pytest
import requests
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin


@pytest.fixture(scope="module")
def base():
    with Twin(extensions=[ogc_apis()]) as twin:
        yield twin.url


@pytest.mark.parametrize(
    "entity_id",
    ["https://example.org/tree/1", "urn:x:a%20b", "urn:x:a%2Fb", "urn:x:a+b", "urn:x:é"],
)
def test_an_entity_is_where_its_id_says(base, entity_id):
    entities = f"{base}/ngsi-ld/v1/entities"
    made = requests.post(entities, json={"id": entity_id, "type": "Tree"}, timeout=20)
    assert made.status_code == 201
    name = quote(entity_id, safe="")
    for path in (f"{entities}/{name}", f"{base}/collections/Tree/items/{name}"):
        answer = requests.get(path, timeout=20)
        assert answer.status_code == 200, path
        assert answer.json()["id"] == entity_id
    document = requests.get(f"{base}/collections/Tree/items?limit=100", timeout=20).json()
    assert entity_id in [feature["id"] for feature in document["features"]]
    location = made.headers["Location"]
    url = location if location.startswith("http") else base + location
    assert requests.get(url, timeout=20).json()["id"] == entity_id
    assert requests.delete(f"{entities}/{name}", timeout=20).status_code == 204


@pytest.mark.parametrize(
    "path",
    ["/collections", "/conformance", "/processes", "/processes/heat-islands", "/jobs", "/api", "",
     "/ngsi-ld/v1/types"],
)  # fmt: skip
def test_a_slash_at_the_end_is_ignored(base, path):
    plain, slashed = (requests.get(base + path + end, timeout=20) for end in ("", "/"))
    assert plain.status_code == slashed.status_code == 200
    assert plain.json().keys() == slashed.json().keys()


def test_an_id_keeps_its_slash_at_the_end(base):
    entities = f"{base}/ngsi-ld/v1/entities"
    for own in ("https://example.org/park/", "https://example.org/park"):
        made = requests.post(entities, json={"id": own, "type": "Park"}, timeout=20)
        assert made.status_code == 201
        found = requests.get(f"{base}/collections/Park/items/{own}", timeout=20)
        assert found.json()["id"] == own, "written as it is, as some clients do"
