"""OGC API Features over entities and over layers of runs, by the clauses of the standards."""

import contextlib
import json
import sqlite3
from urllib.parse import quote

import geopandas as gpd
import pytest
import requests
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ogc.cql2 import parse
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.ogc.filtering import Record, holds, like
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.serve import Twin
from pyproj import Transformer

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
RUN = "20260701T120000Z-abcdef"
LAYER = f"square.tiny.{RUN}.cells"
LAMBERT = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)


def sensor(number, **more):
    return {
        "id": f"urn:ngsi-ld:Sensor:{number}",
        "type": "Sensor",
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [7 + number / 100, 43.7]},
        },
        "temperature": {
            "type": "Property",
            "value": number / 2,
            "observedAt": f"2026-07-{number + 1:02d}T12:00:00Z",
        },
        "name": {"type": "Property", "value": f"S{number}"},
        "owner": {"type": "Relationship", "object": f"urn:ngsi-ld:Person:{number % 3}"},
        **more,
    }


def write_run(root):
    """A run with a layer of 25 cells of 100 m in Lambert 93, of which one has no value."""
    folder = root / "square" / "tiny" / RUN
    (folder / "layers").mkdir(parents=True)
    (folder / "indicators.json").write_text("{}")
    (folder / "report.html").write_text("<p>report")
    x, y = LAMBERT.transform(2.30, 48.85)
    cells = [
        shapely.box(x + 100 * i, y + 100 * j, x + 100 * i + 100, y + 100 * j + 100)
        for i in range(5)
        for j in range(5)
    ]
    values = [float("nan"), *range(1, 25)]
    frame = gpd.GeoDataFrame({"heat": values, "kind": "cell"}, geometry=cells, crs="EPSG:2154")
    frame.to_parquet(folder / "layers" / "cells.parquet")
    return x, y


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    write_run(root)
    (root / "square" / "tiny" / RUN / "layers" / "broken.parquet").write_bytes(b"PAR1 no")
    with Twin(extensions=[ogc_apis(runs=root)]) as twin:
        batch = [sensor(number) for number in range(25)]
        batch.append({"id": "urn:ngsi-ld:Sensor:bare", "type": "Sensor"})
        answer = requests.post(
            f"{twin.url}/ngsi-ld/v1/entityOperations/upsert", json=batch, timeout=20
        )
        assert answer.status_code == 201
        yield twin.url


def get(base, path, status=200, headers=None, **params):
    params = {name.replace("_", "-"): value for name, value in params.items()}
    answer = requests.get(f"{base}{path}", params=params, headers=headers, timeout=20)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
    return answer


def ids(base, collection="Sensor", **params):
    document = get(base, f"/collections/{collection}/items", limit=1000, **params).json()
    found = [feature["id"].rpartition(":")[2] for feature in document["features"]]
    assert document["numberMatched"] == document["numberReturned"] == len(found)
    return found


def test_collections_are_types_and_layers(base):
    listed = get(base, "/collections").json()["collections"]
    assert [each["id"] for each in listed] == ["Sensor", LAYER]
    sensors, cells = listed
    assert sensors["itemCount"] == 26
    assert sensors["storageCrs"] == CRS84
    west, south, east, north = sensors["extent"]["spatial"]["bbox"][0]
    # the index rounds outwards to 32 bits, which at 43 degrees is 4e-6
    assert (west, south, east, north) == pytest.approx((7, 43.7, 7.24, 43.7), abs=2e-5)
    assert cells["itemCount"] == 25
    assert cells["storageCrs"] == f"{EPSG}2154"
    assert get(base, f"/collections/{LAYER}").json() == cells
    get(base, "/collections/Nothing", status=404)
    get(base, "/collections/Nothing/items", status=404)


def test_pages_follow_each_other_and_hold_each_feature_once(base):
    url, seen, pages = f"{base}/collections/Sensor/items?limit=7", [], 0
    while url:
        document = requests.get(url, timeout=20).json()
        seen += [feature["id"] for feature in document["features"]]
        assert document["numberMatched"] == 26
        links = {link["rel"]: link["href"] for link in document["links"]}
        assert ("prev" in links) == (pages > 0)
        url, pages = links.get("next"), pages + 1
    assert pages == 4
    assert len(seen) == len(set(seen)) == 26


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "-1"}, {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"}, {"bbox": "7,44,8,43"}, {"bbox": "nan,1,2,3"}, {"bbox_crs": CRS84},
        {"bbox": "1,2,3,4", "bbox_crs": "EPSG:1"}, {"crs": f"{EPSG}2154"}, {"datetime": "now"},
        {"datetime": "../.."}, {"datetime": "2026-08-01/2026-07-01"}, {"colour": "red"},
        {"filter": "temperature >"}, {"filter": "x = 1", "filter_lang": "cql2-json"},
        {"filter": "colour = 'red'"}, {"filter": "((("}, {"f": "xml"},
        {"filter": "S_INTERSECTS(location, POLYGON((0 0, 1 1)))"},
        {"filter": "temperature = 1", "filter_crs": "urn:x"},
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(base, params):
    assert get(base, "/collections/Sensor/items", status=400, **params).json()["detail"]


def test_a_limit_above_the_largest_page_is_that_page(base):
    assert len(get(base, "/collections/Sensor/items", limit=10**6).json()["features"]) == 26


def test_bbox_by_place_with_heights_and_in_each_crs(base):
    expected = ["3", "4", "5"]
    assert ids(base, bbox="7.03,43.6,7.05,43.8") == expected
    assert ids(base, bbox="7.03,43.6,-10,7.05,43.8,10") == expected
    assert ids(base, bbox="43.6,7.03,43.8,7.05", bbox_crs=f"{EPSG}4326") == expected
    mercator = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True)
    low, high = mercator.transform(7.0299, 43.6), mercator.transform(7.0501, 43.8)
    text = ",".join(str(each) for each in (*low, *high))
    assert ids(base, bbox=text, bbox_crs=f"{EPSG}3857") == expected
    # across the antimeridian: from 7.2 eastwards to 7.01
    assert ids(base, bbox="7.2,43,7.01,44") == ["0", "1", "20", "21", "22", "23", "24"]


def test_datetime_reads_observed_at(base):
    assert ids(base, datetime="2026-07-03T12:00:00Z") == ["2"]
    assert ids(base, datetime="2026-07-03/2026-07-05") == ["2", "3", "4"]
    assert ids(base, datetime="2026-07-24T13:00:00Z/2026-07-25T12:00:00Z") == ["24"]
    assert ids(base, datetime="../2026-07-02T14:00:00+02:00") == ["0", "1"]
    # the bare one has only its modifiedAt, which is later
    assert ids(base, datetime="2026-07-25T12:00:00Z/..") == ["24", "bare"]
    assert len(ids(base, LAYER, datetime="2026-07-01")) == 25
    assert ids(base, LAYER, datetime="2026-07-02") == []


def test_parameters_named_like_properties(base):
    assert ids(base, name="S7") == ["7"]
    assert ids(base, temperature="3.5") == ["7"]
    assert ids(base, temperature="3.50", name="S8") == []
    assert ids(base, owner="urn:ngsi-ld:Person:1", bbox="7,43,7.05,44") == ["1", "4"]
    assert ids(base, LAYER, heat="7") == ["7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temperature >= 11.5", ["23", "24"]),
        ("11.5 <= temperature", ["23", "24"]),
        ("temperature BETWEEN 1 AND 2", ["2", "3", "4"]),
        ("name IN ('S1', 'S24')", ["1", "24"]),
        ("name LIKE 'S_' AND NOT (temperature < 4)", ["8", "9"]),
        ("temperature IS NULL", ["bare"]),
        ("owner = 'urn:ngsi-ld:Person:0' and temperature < 2", ["0", "3"]),
        ("observedAt < TIMESTAMP('2026-07-02T13:00:00Z')", ["0", "1"]),
        ("S_INTERSECTS(location, BBOX(7.03, 43, 7.05, 44))", ["3", "4", "5"]),
        ("S_WITHIN(geometry, POLYGON((6 43, 7.015 43, 7.015 44, 6 44, 6 43)))", ["0", "1"]),
        ("S_EQUALS(geometry, POINT(7.02 43.7))", ["2"]),
        ("name = 'it''s'", []),
    ],
)
def test_filters(base, text, expected):
    assert ids(base, filter=text) == expected


def test_a_filter_in_latitude_first(base):
    text = "S_INTERSECTS(location, BBOX(43, 7.03, 44, 7.05))"
    assert ids(base, filter=text, filter_crs=f"{EPSG}4326") == ["3", "4", "5"]


def test_layers_find_by_place_value_and_their_own_crs(base):
    x, y = LAMBERT.transform(2.30, 48.85)
    corner = f"{x + 10},{y + 10},{x + 110},{y + 90}"  # cells (0, 0) and (1, 0)
    assert ids(base, LAYER, bbox=corner, bbox_crs=f"{EPSG}2154") == ["0", "5"]
    assert ids(base, LAYER, filter="heat > 22.5") == ["23", "24"]
    assert ids(base, LAYER, filter="heat IS NULL") == ["0"]
    assert ids(base, LAYER, filter="S_CONTAINS(geometry, POINT(2.3005 48.8505))") == ["0"]


def test_coordinates_come_in_the_axis_order_of_the_crs(base):
    def first(uri, collection="Sensor", item="urn:ngsi-ld:Sensor:3"):
        answer = get(base, f"/collections/{collection}/items/{item}", crs=uri)
        assert answer.headers["Content-Crs"] == f"<{uri}>"
        return shapely.geometry.shape(answer.json()["geometry"]).representative_point().coords[0]

    assert first(CRS84) == pytest.approx((7.03, 43.7))
    assert first(f"{EPSG}4326") == pytest.approx((43.7, 7.03))
    # spherical Mercator: x = R lon, R = 6378137 m
    assert first(f"{EPSG}3857")[0] == pytest.approx(7.03 * 6378137 * 3.141592653589793 / 180)
    x, y = LAMBERT.transform(2.30, 48.85)
    assert first(f"{EPSG}2154", LAYER, "0") == pytest.approx((x + 50, y + 50), abs=1e-3)
    # a cell that is square in Lambert 93 lies turned by 0.5 degrees here: its middle stays
    lon, lat = LAMBERT.transform(x + 50, y + 50, direction="INVERSE")
    assert first(CRS84, LAYER, "0") == pytest.approx((lon, lat), abs=1e-7)


def test_one_feature_or_404(base):
    path = "/collections/Sensor/items/urn:ngsi-ld:Sensor:3"
    feature = get(base, path).json()
    assert feature["id"] == "urn:ngsi-ld:Sensor:3"
    assert feature["properties"]["temperature"] == 1.5
    assert feature["properties"]["observedAt"] == "2026-07-04T12:00:00Z"
    get(base, "/collections/Sensor/items/urn:nothing", status=404)
    for item in ("-1", "25", "x", "../../etc/passwd", quote("../x", safe="")):
        get(base, f"/collections/{LAYER}/items/{item}", status=404)


def test_a_tenant_has_its_own_collections(base):
    headers = {"NGSILD-Tenant": "other"}
    get(base, "/collections", status=404, headers=headers)
    requests.post(
        f"{base}/ngsi-ld/v1/entities", json={"id": "urn:x", "type": "Tree"},
        headers=headers, timeout=20,
    )  # fmt: skip
    listed = get(base, "/collections", headers=headers).json()["collections"]
    assert [each["id"] for each in listed] == ["Tree"]


def test_pages_for_people_escape_what_entities_say(base):
    headers = {"NGSILD-Tenant": "evil"}
    name = "<script>alert(1)</script>"
    requests.post(
        f"{base}/ngsi-ld/v1/entities", timeout=20, headers=headers,
        json={"id": "urn:x", "type": "Tree", "label": {"type": "Property", "value": {"a": name}}},
    )  # fmt: skip
    for path in ("/collections/Tree/items", "/collections/Tree/items/urn:x", "/"):
        answer = get(base, path, headers=headers | {"Accept": "text/html"})
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "alert(1)" not in answer.text.replace("&lt;script&gt;alert(1)", "")


def test_files_of_the_pages_only(base):
    assert get(base, "/web/page.css").headers["Content-Type"].startswith("text/css")
    for name in ("landing.html.jinja", "..%2fserve.py", "%2e%2e/serve.py", ""):
        get(base, f"/web/{name}", status=404)


def test_owslib_reads_the_features(base):
    from owslib.ogcapi.features import Features

    client = Features(f"{base}/")
    assert client.feature_collections() == ["Sensor", LAYER]
    assert client.conformance()["conformsTo"]
    found = client.collection_items("Sensor", bbox=[7.03, 43.6, 7.05, 43.8], limit=2)
    assert (found["numberMatched"], found["numberReturned"]) == (3, 2)
    found = client.collection_items("Sensor", filter="temperature > 11")
    assert found["numberMatched"] == 2
    assert client.collection_item("Sensor", "urn:ngsi-ld:Sensor:3")["properties"]["name"] == "S3"
    assert "temperature" in client.collection_queryables("Sensor")["properties"]


numbers = st.integers(-3, 3)
words = st.text("ab%_'", max_size=3).map(lambda text: "'" + text.replace("'", "''") + "'")
conditions = st.one_of(
    st.builds("n {} {}".format, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), numbers),
    st.builds("t {} {}".format, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), words),
    st.builds("n {}BETWEEN {} AND {}".format, st.sampled_from(["", "NOT "]), numbers, numbers),
    st.builds("t {}IN ({}, {})".format, st.sampled_from(["", "NOT "]), words, words),
    st.builds("t {}LIKE {}".format, st.sampled_from(["", "NOT "]), words),
    st.builds("{} IS {}NULL".format, st.sampled_from("nt"), st.sampled_from(["", "NOT "])),
)
filters = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=8,
)
rows = st.lists(
    st.tuples(st.none() | numbers, st.none() | st.text("ab%_'", max_size=4)), max_size=12
)


@given(filters, rows)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_filters_mean_what_sql_means(text, table):
    """This part of CQL2 is SQL: SQLite is the judge, three-valued logic and all."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    connection.execute("CREATE TABLE f (n, t)")
    connection.executemany("INSERT INTO f VALUES (?, ?)", table)
    expected = [row for (row,) in connection.execute(f"SELECT rowid FROM f WHERE {text}")]  # noqa: S608
    node = parse(text, limits=Limits())
    found = [
        number
        for number, (n, t) in enumerate(table, 1)
        if holds(node, Record("", {"n": n, "t": t}, None)) is True
    ]
    assert found == expected


@given(st.text("ab%_\\'\"()=<> 1.n,TANDORLIKE", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ProblemError):
        parse(text, limits=Limits())


def test_a_pattern_cannot_take_forever():
    assert not like("%a" * 30 + "b", "a" * 20_000)


def test_long_and_deep_filters_are_refused():
    for text in ("(" * 100 + "n = 1" + ")" * 100, "NOT " * 100 + "n = 1", "n = 1 OR " * 300,
                 "n = " + "1" * 9000, json.dumps("x" * 9000)):  # fmt: skip
        with pytest.raises(ProblemError):
            parse(text, limits=Limits())
