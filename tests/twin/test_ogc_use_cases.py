"""Each shipped use case as an OGC API Process: described, executed at once and as a job."""

import json
import time

import pytest
import requests
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.use_case import UseCase, use_case_folders

pytestmark = pytest.mark.slow

PATIENCE_S = 240
#: A territory that has the data, and parameters that make it quick.
GIVEN = {
    "heat-islands": ("monaco", {"cell_size_m": 20, "monte_carlo_draws": 2}),
    "flood-risk": ("east-london", {"monte_carlo_draws": 2}),
    "mobility": ("monaco", {}),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with Twin(extensions=[ogc_apis(runs=tmp_path_factory.mktemp("results"))]) as twin:
        yield twin.url


def read(url, status=200):
    answer = requests.get(url, timeout=30)
    assert answer.status_code == status, answer.text
    return answer


def started(base, name, **headers):
    territory, given = GIVEN[name]
    known = read(f"{base}/processes/{name}").json()["inputs"]
    inputs = {key: value for key, value in given.items() if key in known}
    return requests.post(
        f"{base}/processes/{name}/execution", headers=headers, timeout=PATIENCE_S,
        json={"inputs": {"territory": territory, **inputs}},
    )  # fmt: skip


def indicators(document):
    """Values by id, read through the link to the file."""
    found = json.loads(read(document["indicators"]["href"]).content)
    return {one["id"]: one["value"] for one in found["indicators"]}


def test_every_shipped_use_case_is_here(base):
    shipped = {name for name, _ in use_case_folders()}
    assert shipped == GIVEN.keys()
    listed = {each["id"] for each in read(f"{base}/processes").json()["processes"]}
    assert shipped <= listed


@pytest.mark.parametrize("name", GIVEN)
def test_it_answers_at_once_and_as_a_job_with_the_same_numbers(base, name):
    answer = started(base, name)
    assert answer.status_code == 200, answer.text
    at_once = answer.json()
    case = UseCase.find(name)
    given = indicators(at_once)
    assert given.keys() <= case.indicators.keys()
    assert {key for key, one in case.indicators.items() if not one.optional} <= given.keys()
    assert read(at_once["report"]["href"]).headers["Content-Type"].startswith("text/html")

    answer = started(base, name, Prefer="respond-async")
    assert answer.status_code == 201, answer.text
    job, seen = answer.headers["Location"], []
    until = time.monotonic() + PATIENCE_S
    while True:
        status = read(job).json()
        seen.append(status["progress"])
        if status["status"] not in ("accepted", "running"):
            break
        assert time.monotonic() < until, status
        time.sleep(0.2)
    assert status["status"] == "successful", status
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert any(0 < each < 100 for each in seen), "progress is told"
    later = read(f"{job}/results").json()
    assert later.keys() == at_once.keys()
    assert indicators(later) == given
    # the layers of both runs are collections
    collections = {each["id"] for each in read(f"{base}/collections").json()["collections"]}
    runs = {each.rsplit(".", 1)[0] for each in collections if f".{name}." in each}
    assert len(runs) == 2
