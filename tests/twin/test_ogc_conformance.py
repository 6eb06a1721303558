"""Each conformance class that the twin declares, shown by requests: no class without, none beyond.

Checks follow the requirements of OGC 17-069r4 (Features 1), 18-058r1 (2), 19-079r2 (3), 21-065r2
(CQL2) and 18-062r2 (Processes 1). They ask whether a class is there as a whole; what filters,
coordinates and jobs are is tested in test_ogc_features.py, test_cql2.py and test_ogc_processes.py.
"""

import importlib.util
import json
import re
import time
from pathlib import Path

import html5lib
import jsonschema
import pytest
import requests
import shapely
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.ogc.landing import CONFORMANCE
from ldt_toolbox.twin.serve import Twin

pytestmark = pytest.mark.slow

_spec = importlib.util.spec_from_file_location(
    "tiny", Path(__file__).parents[1] / "run" / "tiny.py"
)
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

PATIENCE_S = 60
SPEC = "http://www.opengis.net/spec/"
CHECKS = {}
GEO_JSON, HTML, JSON, SCHEMA = (
    "application/geo+json", "text/html", "application/json", "application/schema+json",
)  # fmt: skip


def shows(name):
    """Register what shows a class, by the end of its address."""

    def registered(check):
        CHECKS[SPEC + name] = check
        return check

    return registered


class Site:
    """The twin, asked."""

    def __init__(self, base):
        self.base = base

    def get(self, path, expected=200, media="", **params):
        url = path if path.startswith("http") else self.base + path
        params = {name.replace("_", "-"): value for name, value in params.items()}
        answer = requests.get(url, params=params, timeout=PATIENCE_S)
        assert answer.status_code == expected, (url, params, answer.text[:300])
        assert answer.headers["Content-Type"].startswith(media), url
        return answer

    def json(self, path, **params):
        return self.get(path, **params).json()

    def found(self, text, **more):
        """Ends of the ids of the sensors that meet a filter."""
        document = self.json("/collections/Sensor/items", filter=text, **more)
        return [each["id"].rpartition(":")[2] for each in document["features"]]

    def execute(self, body, status, process="tiny", **headers):
        url = f"{self.base}/processes/{process}/execution"
        answer = requests.post(url, json=body, headers=headers, timeout=PATIENCE_S)
        assert answer.status_code == status, answer.text[:300]
        return answer

    def job(self, **inputs):
        """Address of a job."""
        body = {"inputs": {"territory": "square", **inputs}}
        return self.execute(body, 201, Prefer="respond-async").headers["Location"]

    def ended(self, job):
        until = time.monotonic() + PATIENCE_S
        while (status := self.json(job))["status"] in ("accepted", "running"):
            assert time.monotonic() < until, status
            time.sleep(0.05)
        return status


def by_rel(document, end):
    return [each for each in document["links"] if each["rel"].rpartition("/")[2] == end]


def sensor(number):
    return {
        "id": f"urn:ngsi-ld:Sensor:{number}",
        "type": "Sensor",
        "location": {"type": "Point", "coordinates": [number, 45]},
        "level": {"type": "Property", "value": number / 2,
                  "observedAt": f"2026-07-0{number + 1}T12:00:00Z"},
        "name": {"type": "Property", "value": f"S{number}"},
        "open": {"type": "Property", "value": number > 1},
        **({"note": {"type": "Property", "value": "a, b"}} if number == 3 else {}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    tiny.write_use_case(folder / "cases")
    place = tiny.write_territory(folder / "square")
    runs = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LDT_USE_CASES", str(folder / "cases"))
        with Twin(extensions=[ogc_apis(runs=runs, territories=[place])]) as twin:
            url = f"{twin.url}/ngsi-ld/v1/entityOperations/upsert"
            batch = [sensor(number) for number in range(4)]
            assert requests.post(url, json=batch, timeout=20).status_code == 201
            yield Site(twin.url)


def test_every_class_that_is_declared_has_its_check_and_no_other(site):
    declared = site.json("/conformance", media=JSON)["conformsTo"]
    assert len(declared) == len(set(declared)) == len(CHECKS)
    assert set(declared) == set(CHECKS) == set(CONFORMANCE)


@pytest.mark.parametrize("uri", CONFORMANCE, ids=lambda uri: uri.removeprefix(SPEC))
def test_class(site, uri):
    CHECKS[uri](site)


@shows("ogcapi-features-1/1.0/conf/core")
def features_core(site):
    landing = site.json("/")
    for rel in ("self", "service-desc", "conformance", "data"):
        for link in by_rel(landing, rel):
            site.get(link["href"], media=link["type"].partition(";")[0])
        assert by_rel(landing, rel), rel
    listed = site.json("/collections")
    assert by_rel(listed, "self")
    [sensors] = [each for each in listed["collections"] if each["id"] == "Sensor"]
    assert site.json(by_rel(sensors, "self")[0]["href"]) == sensors
    assert sensors["extent"]["spatial"]["bbox"] == [[0, 45, 3, 45]]
    [items] = [each for each in by_rel(sensors, "items") if each["type"] == GEO_JSON]
    page = site.json(items["href"], limit=3)
    assert (page["numberMatched"], page["numberReturned"], len(page["features"])) == (4, 3, 3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", page["timeStamp"])
    assert by_rel(page, "self")
    assert by_rel(page, "alternate")
    [after] = by_rel(page, "next")
    assert len(site.json(after["href"])["features"]) == 1
    assert site.json(items["href"], bbox="0.5,44,2.5,46")["numberMatched"] == 2
    assert site.json(items["href"], datetime="2026-07-02T00:00:00Z/..")["numberMatched"] == 3
    assert site.json(items["href"], bbox="0,44,1,46", datetime="2026-07-02")["numberMatched"] == 1
    for wrong in ({"limit": "0"}, {"bbox": "1,2,3"}, {"datetime": "never"}, {"nothing": "1"}):
        site.get(items["href"], 400, **wrong)
    one = site.json("/collections/Sensor/items/urn:ngsi-ld:Sensor:2")
    assert by_rel(one, "self")
    assert site.json(by_rel(one, "collection")[0]["href"])["id"] == "Sensor"
    for absent in ("/collections/None", "/collections/None/items", "/collections/Sensor/items/x"):
        site.get(absent, 404)


@shows("ogcapi-features-1/1.0/conf/oas30")
def features_oas30(site):
    [link] = by_rel(site.json("/"), "service-desc")
    assert link["type"] == "application/vnd.oai.openapi+json;version=3.0"
    api = site.json(link["href"], media="application/vnd.oai.openapi+json;version=3.0")
    assert api["openapi"].startswith("3.0.")
    for path in ("/", "/conformance", "/collections", "/collections/{collectionId}/items"):
        operation = api["paths"][path]["get"]
        assert operation["operationId"]
        assert operation["responses"]["2XX"]["content"]
    for link in by_rel(site.json("/"), "service-doc"):
        site.get(link["href"], media=HTML)


def pages(site, paths):
    """Each document as valid HTML that shows some words."""
    for path, words in paths.items():
        text = site.get(path, media=HTML, f="html").text
        html5lib.HTMLParser(strict=True).parse(text)
        for word in words:
            assert word in text, (path, word)
        plain = requests.get(site.base + path, headers={"Accept": HTML}, timeout=PATIENCE_S)
        assert plain.headers["Content-Type"].startswith(HTML), path


@shows("ogcapi-features-1/1.0/conf/html")
def features_html(site):
    one = "urn:ngsi-ld:Sensor:3"
    pages(site, {
        "/": ["Sensor", "/conformance", "/collections"], "/conformance": CONFORMANCE,
        "/collections": ["Sensor"], "/collections/Sensor": ["CRS84", "/items"],
        "/collections/Sensor/items": [one, "S3"],
        f"/collections/Sensor/items/{one}": ["a, b", "S3", "1.5"],
        "/collections/Sensor/queryables": ["level", "number"],
    })  # fmt: skip


@shows("ogcapi-features-1/1.0/conf/geojson")
def features_geojson(site):
    page = site.json("/collections/Sensor/items", media=GEO_JSON)
    one = site.json("/collections/Sensor/items/urn:ngsi-ld:Sensor:3", media=GEO_JSON)
    assert page["type"] == "FeatureCollection"
    for feature in [*page["features"], one]:
        assert feature["type"] == "Feature"
        assert isinstance(feature["properties"], dict)
        assert shapely.geometry.shape(feature["geometry"]).y == 45
    assert {key: one[key] for key in page["features"][3]} == page["features"][3]
    assert one["properties"].items() >= {"level": 1.5, "name": "S3", "open": True}.items()


@shows("ogcapi-features-2/1.0/conf/crs")
def features_crs(site):
    sensors = site.json("/collections/Sensor")
    default = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    assert {default, sensors["storageCrs"]} <= set(sensors["crs"])
    for uri in sensors["crs"]:
        answer = site.get("/collections/Sensor/items", crs=uri)
        assert answer.headers["Content-Crs"] == f"<{uri}>"
        west, south, east, north = shapely.total_bounds(
            [shapely.geometry.shape(each["geometry"]) for each in answer.json()["features"]]
        )
        box = ",".join(str(each) for each in (west - 1, south - 1, east + 1, north + 1))
        found = site.json("/collections/Sensor/items", bbox=box, bbox_crs=uri)
        assert found["numberMatched"] == 4
    assert site.get("/collections/Sensor/items").headers["Content-Crs"] == f"<{default}>"
    for name in ("crs", "bbox-crs"):
        wrong = {name: "http://www.opengis.net/def/crs/EPSG/0/2154", "bbox": "0,0,1,1"}
        site.get("/collections/Sensor/items", 400, **wrong)


@shows("ogcapi-features-3/1.0/conf/queryables")
def features_queryables(site):
    [link] = by_rel(site.json("/collections/Sensor"), "queryables")
    schema = site.json(link["href"], media=SCHEMA)
    assert schema["$id"] == link["href"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    known = schema["properties"]
    assert (known["level"]["type"], known["name"]["type"], known["open"]["type"]) == (
        "number", "string", "boolean",
    )  # fmt: skip
    assert known["geometry"]["x-ogc-role"] == "primary-geometry"
    for feature in site.json("/collections/Sensor/items")["features"]:
        jsonschema.validate(feature["properties"], schema)


@shows("ogcapi-features-3/1.0/conf/queryables-query-parameters")
def features_parameters(site):
    known = site.json("/collections/Sensor/queryables")["properties"]
    [feature] = site.json("/collections/Sensor/items", name="S3")["features"]
    told = {name: feature["properties"][name] for name in known if name != "geometry"}
    assert len(told) == len(known) - 1
    for name, value in told.items():
        text = value if isinstance(value, str) else json.dumps(value)
        found = site.json("/collections/Sensor/items", **{name: text})["features"]
        assert feature["id"] in [each["id"] for each in found], name
    site.get("/collections/Sensor/items", 400, height="1")


@shows("ogcapi-features-3/1.0/conf/filter")
def features_filter_language(site):
    for name in site.json("/collections/Sensor/queryables")["properties"]:
        assert len(site.found(f'"{name}" IS NULL OR "{name}" IS NOT NULL')) == 4
    text = "S_INTERSECTS(geometry, POINT(45 2))"
    north_first = "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert site.found(text) == []
    assert site.found(text, filter_crs=north_first, filter_lang="cql2-text") == ["2"]
    for wrong in ({"filter": "height = 1"}, {"filter": "level ="},
                  {"filter": "level = 1", "filter-lang": "cql"},
                  {"filter": "level = 1", "filter-crs": "urn:none"}):  # fmt: skip
        site.get("/collections/Sensor/items", 400, **wrong)


@shows("ogcapi-features-3/1.0/conf/features-filter")
def features_filter(site):
    assert site.found("level > 0.2", bbox="0,44,2.5,46", datetime="2026-07-03/..") == ["2"]
    page = site.json("/collections/Sensor/items", filter="level > 0.2", limit=2)
    assert page["numberMatched"] == 3
    [after] = by_rel(page, "next")
    assert [each["id"][-1] for each in site.json(after["href"])["features"]] == ["3"]
    operation = site.json("/api")["paths"]["/collections/{collectionId}/items"]["get"]
    named = {each["name"] for each in operation["parameters"]}
    assert {"filter", "filter-lang", "filter-crs"} <= named


def expect(site, table):
    for text, found in table.items():
        assert "".join(site.found(text)) == found, text


@shows("cql2/1.0/conf/cql2-text")
def cql2_text(site):
    expect(site, {
        "level = 1.5": "3", '"level"=1.5': "3", "level=15E-1": "3", "open = TRUE": "23",
        "level>0 and NOT level>1 Or name='S3'": "123", "name = 'it\'\'s'": "",
        "level > 0 AND (level < 1 OR name = 'S3')": "13", "s_intersects(geometry,point(2 45))": "2",
    })  # fmt: skip


@shows("cql2/1.0/conf/basic-cql2")
def cql2_basic(site):
    expect(site, {
        "level = 1": "2", "level <> 1": "013", "level < 1": "01", "level > 1": "3",
        "level <= 1": "012", "level >= 1": "23", "name > 'S1'": "23", "1 < level": "3",
        "open = TRUE": "23", "TRUE": "0123", "FALSE": "", "note IS NULL": "012",
        "note IS NOT NULL": "3", "NOT level = 1": "013", "level = 1 OR level = 0": "02",
        "level > 0 AND level < 1": "1", "observedAt > TIMESTAMP('2026-07-03T12:00:00Z')": "3",
        "note = 'a, b'": "3", "NOT note = 'a, b'": "",
    })  # fmt: skip


@shows("cql2/1.0/conf/advanced-comparison-operators")
def cql2_comparisons(site):
    expect(site, {
        "name LIKE 'S%'": "0123", "name LIKE '_2'": "2", "name NOT LIKE '%3'": "012",
        "note LIKE 'a, _'": "3", "level BETWEEN 0.5 AND 1": "12", "name IN ('S0', 'S3')": "03",
        "level NOT BETWEEN 0.5 AND 1": "03", "level NOT IN (0, 0.5)": "23",
    })  # fmt: skip


@shows("cql2/1.0/conf/basic-spatial-functions")
def cql2_intersects(site):
    expect(site, {
        "S_INTERSECTS(location, POINT(2 45))": "2",
        "S_INTERSECTS(geometry, BBOX(1, 40, 2, 50))": "12",
        "NOT S_INTERSECTS(location, BBOX(1, 40, 2, 50))": "03",
    })  # fmt: skip


@shows("cql2/1.0/conf/spatial-functions")
def cql2_spatial(site):
    area = "POLYGON((0.5 40, 2.5 40, 2.5 50, 0.5 50, 0.5 40))"
    expect(site, {
        f"S_INTERSECTS(location, {area})": "12", f"S_WITHIN(location, {area})": "12",
        f"S_CONTAINS({area}, location)": "12", f"S_DISJOINT(location, {area})": "03",
        "S_EQUALS(location, POINT(3 45))": "3", "S_TOUCHES(location, LINESTRING(1 45, 1 50))": "1",
        f"S_CROSSES(location, {area})": "", f"S_OVERLAPS(location, {area})": "",
        "S_INTERSECTS(location, MULTIPOINT((1 45), (2 45)))": "12",
        "S_INTERSECTS(location, LINESTRING(0 45, 2 45))": "012",
        "S_INTERSECTS(location, MULTILINESTRING((0 45, 1 45), (3 44, 3 46)))": "013",
        "S_WITHIN(location, MULTIPOLYGON(((-1 44, 0.5 44, 0.5 46, -1 44))))": "0",
        "S_INTERSECTS(location, GEOMETRYCOLLECTION(POINT(1 45), LINESTRING(3 44, 3 46)))": "13",
    })  # fmt: skip


@shows("ogcapi-processes-1/1.0/conf/core")
def processes_core(site):
    [link] = by_rel(site.json("/"), "processes")
    listed = site.json(link["href"], limit=1)
    assert len(listed["processes"]) == 1
    assert by_rel(listed, "self")
    assert site.json("/processes/tiny", media=JSON)["id"] == "tiny"
    answer = site.execute({"inputs": {"territory": "square", "count": 4}}, 200)
    assert answer.headers["Content-Type"] == JSON
    found = site.json(answer.json()["indicators"]["href"])["indicators"]
    assert [each["value"] for each in found] == [4]
    site.execute({"inputs": {"territory": "square"}, "response": "raw"}, 204)
    job = site.job(count=2)
    early = requests.get(f"{job}/results", timeout=PATIENCE_S)
    if early.status_code != 200:
        assert (early.status_code, early.json()["title"]) == (404, "result-not-ready")
    status = site.ended(job)
    assert (status["status"], status["type"], status["progress"]) == ("successful", "process", 100)
    [link] = by_rel(status, "results")
    found = site.json(site.json(link["href"])["indicators"]["href"])["indicators"]
    assert [each["value"] for each in found] == [2]
    failed = site.job(behaviour="fail")
    assert site.ended(failed)["status"] == "failed"
    assert site.get(f"{failed}/results", 422).json()["title"] == "job-results-failed"
    site.execute({"inputs": {"territory": "square", "count": 99}}, 400)
    no_process = site.execute({"inputs": {}}, 404, process="none").json()
    assert no_process["type"].endswith("/1.0/no-such-process")
    assert site.get("/processes/none", 404).json()["type"] == no_process["type"]
    for path in ("/jobs/none", "/jobs/none/results"):
        assert site.get(path, 404).json()["type"].endswith("/1.0/no-such-job")


@shows("ogcapi-processes-1/1.0/conf/ogc-process-description")
def processes_description(site):
    described = site.json("/processes/tiny")
    assert {"id", "title", "description", "version", "inputs", "outputs"} <= described.keys()
    assert set(described["jobControlOptions"]) == {"sync-execute", "async-execute", "dismiss"}
    assert described["outputTransmission"] == ["reference"]
    assert by_rel(described, "execute")[0]["href"].endswith("/processes/tiny/execution")
    for each in described["inputs"].values():
        assert {"title", "description", "schema"} <= each.keys()
        jsonschema.Draft7Validator.check_schema(each["schema"])
        assert 0 <= each["minOccurs"] <= each["maxOccurs"] == 1
    for each in described["outputs"].values():
        jsonschema.Draft7Validator.check_schema(each["schema"])
    [listed] = [one for one in site.json("/processes")["processes"] if one["id"] == "tiny"]
    brief = set(listed) - {"links"}
    assert {name: listed[name] for name in brief} == {name: described[name] for name in brief}
    assert {"id", "version", "jobControlOptions", "outputTransmission"} <= brief


@shows("ogcapi-processes-1/1.0/conf/json")
def processes_json(site):
    job = site.job()
    site.ended(job)
    for path in ("/processes", "/processes/tiny", "/jobs", job, f"{job}/results"):
        site.get(path, media=JSON)
    site.get("/jobs/none", 404, media="application/problem+json")


@shows("ogcapi-processes-1/1.0/conf/html")
def processes_html(site):
    job = site.job()
    site.ended(job)
    own = job.removeprefix(site.base)
    pages(site, {
        "/processes": ["Tiny", "How many?"], "/processes/tiny": ["count", "what the notebook does"],
        "/jobs": [own.rpartition("/")[2], "successful"], own: ["successful", "100"],
        f"{own}/results": ["indicators.json", "report.html"],
    })  # fmt: skip


@shows("ogcapi-processes-1/1.0/conf/job-list")
def processes_job_list(site):
    first, second = site.job(), site.job(behaviour="fail")
    for each in (first, second):
        site.ended(each)
    [link] = by_rel(site.json("/"), "job-list")

    def listed(**params):
        return [f"{site.base}/jobs/{each['jobID']}" for each in jobs(**params)["jobs"]]

    def jobs(**params):
        return site.json(link["href"], **params)

    assert listed(limit=2) == [second, first]
    assert by_rel(jobs(limit=1), "next")
    assert second in listed(status="failed")
    assert first not in listed(status="failed")
    assert listed(processID="none") == []
    assert {first, second} <= set(listed(processID="tiny", type="process"))
    assert listed(datetime="2020-01-01/2020-01-02") == []
    assert listed(minDuration="3600") == []
    assert first in listed(maxDuration="3600")
    site.get(link["href"], 400, status="lost")


@shows("ogcapi-processes-1/1.0/conf/dismiss")
def processes_dismiss(site):
    job = site.job(behaviour="sleep")
    answer = requests.delete(job, timeout=PATIENCE_S)
    assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
    assert site.json(job)["status"] == "dismissed"
    assert requests.delete(f"{site.base}/jobs/none", timeout=PATIENCE_S).status_code == 404
