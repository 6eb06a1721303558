"""CQL2 text where SQL is no judge: quotes, boxes, and the relations of geometries."""

import pytest
import requests
import shapely
from ldt_toolbox.twin.limits import Limits
from ldt_toolbox.twin.ogc.cql2 import parse
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.ogc.filtering import Record, holds
from ldt_toolbox.twin.serve import Twin

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
SHAPES = (
    "POINT (1 1)", "POINT (2 0)", "POINT (5 5)", "MULTIPOINT ((1 1), (5 5))",
    "LINESTRING (0 0, 2 2)", "LINESTRING (2 2, 4 2)", "LINESTRING (0 2, 2 0)",
    "LINESTRING (1 1, 3 3)", "LINESTRING (0 1, 4 1)", "MULTILINESTRING ((0 0, 2 2), (4 4, 5 5))",
    "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))", "POLYGON ((1 0, 3 0, 3 2, 1 2, 1 0))",
    "POLYGON ((2 0, 4 0, 4 2, 2 2, 2 0))", "POLYGON ((0 0, 0 2, 2 2, 2 0, 0 0))",
    "POLYGON ((0 0, 6 0, 6 6, 0 6, 0 0), (1 0.5, 3 0.5, 3 1.5, 1 1.5, 1 0.5))",
    "MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((4 4, 6 4, 6 6, 4 6, 4 4)))",
)  # fmt: skip
#: In the Pacific, on both sides of the antimeridian.
ISLANDS = {"Fiji": (178.0, -18.0), "Samoa": (-172.0, -13.5), "Nauru": (166.9, -0.5)}


def entities():
    for number, text in enumerate(SHAPES):
        yield "Shape", str(number), shapely.geometry.mapping(shapely.from_wkt(text))
    for name, place in ISLANDS.items():
        yield "Island", name, {"type": "Point", "coordinates": place}


@pytest.fixture(scope="module")
def base():
    batch = [
        {"id": f"urn:x:{name}", "type": kind, "location": {"type": "GeoProperty", "value": value}}
        for kind, name, value in entities()
    ]
    with Twin(extensions=[ogc_apis()]) as twin:
        url = f"{twin.url}/ngsi-ld/v1/entityOperations/upsert"
        assert requests.post(url, json=batch, timeout=20).status_code == 201
        yield twin.url


def ask(base, kind, text, **more):
    params = {"filter": text, "limit": 1000} | more
    return requests.get(f"{base}/collections/{kind}/items", params=params, timeout=20)


def names(base, kind, text, **more):
    answer = ask(base, kind, text, **more)
    assert answer.status_code == 200, answer.text
    return {each["id"].rpartition(":")[2] for each in answer.json()["features"]}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"n = 'it\'s'", "it's"), ("n = 'it''s'", "it's"), (r"n = '\'a'''", "'a'"),
        (r"n = 'C:\temp'", r"C:\temp"), ("n = ''", ""), (r"n LIKE '100\%'", "100%"),
    ],
)  # fmt: skip
def test_quotes_within_texts(text, meant):
    """escapeQuote: doubled or behind a backslash; any other backslash is as it stands."""
    node = parse(text, limits=Limits())
    assert holds(node, Record("", {"n": meant}, None)) is True
    assert holds(node, Record("", {"n": meant + "x"}, None)) is False


def test_a_box_across_the_antimeridian(base):
    west = "BBOX(170, -30, -160, 0)"
    assert names(base, "Island", f"S_INTERSECTS(location, {west})") == {"Fiji", "Samoa"}
    assert names(base, "Island", f"S_WITHIN(location, {west})") == {"Fiji", "Samoa"}
    assert names(base, "Island", f"S_DISJOINT(location, {west})") == {"Nauru"}
    heights = "S_INTERSECTS(BBOX(170, -30, -9, -160, 0, 9), location)"
    assert names(base, "Island", heights) == {"Fiji", "Samoa"}
    turned = {"filter-crs": f"{EPSG}4326"}  # latitude first
    north = "S_INTERSECTS(location, BBOX(-30, 170, 0, -160))"
    assert names(base, "Island", north, **turned) == {"Fiji", "Samoa"}
    assert names(base, "Island", "S_INTERSECTS(location, BBOX(160, -9, 179, 9))") == {"Nauru"}


@pytest.mark.parametrize(
    "box",
    [
        "1, 2, 3", "1, 2", "1, 2, 3, 4, 5", "1, 2, 'x', 3, 4", "1, 2, TRUE, 4", "1, 4, 3, 2",
        "a, 2, 3, 4", "",
    ],
)  # fmt: skip
def test_a_box_that_is_none_is_refused(base, box):
    answer = ask(base, "Island", f"S_INTERSECTS(location, BBOX({box}))")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("filter: ")


def test_a_box_of_metres_does_not_go_round_the_world(base):
    text = "S_INTERSECTS(location, BBOX(800000, 5400000, 700000, 5500000))"
    answer = ask(base, "Island", text, **{"filter-crs": f"{EPSG}3857"})
    assert answer.status_code == 400
    assert "east of the upper one" in answer.json()["detail"]


def related(name, a, b):
    """Whether two shapes are in a relation, by its DE-9IM (OGC 06-103r4, 6.1.15)."""
    shapes = shapely.from_wkt(a), shapely.from_wkt(b)
    first, second = (int(shapely.get_dimensions(each)) for each in shapes)
    crossing = {-1: ["T*T******"], 1: ["T*****T**"], 0: ["0********"] if first == 1 else []}
    patterns = {
        "EQUALS": ["T*F**FFF*"],
        "DISJOINT": ["FF*FF****"],
        "WITHIN": ["T*F**F***"],
        "CONTAINS": ["T*****FF*"],
        "TOUCHES": [] if first == second == 0 else ["FT*******", "F**T*****", "F***T****"],
        "OVERLAPS": ["1*T***T**" if first == 1 else "T*T***T**"] if first == second else [],
        "CROSSES": crossing[int(first > second) - int(first < second)],
        "INTERSECTS": ["T********", "*T*******", "***T*****", "****T****"],
    }[name]
    return any(shapely.relate_pattern(*shapes, pattern) for pattern in patterns)


@pytest.mark.parametrize(
    "name",
    ["CONTAINS", "CROSSES", "DISJOINT", "EQUALS", "INTERSECTS", "OVERLAPS", "TOUCHES", "WITHIN"],
)
def test_spatial_functions_are_those_of_the_matrix(base, name):
    """Each against each, through the index, with the property on either side."""
    holding = 0
    for literal in SHAPES:
        there = {str(at) for at, own in enumerate(SHAPES) if related(name, own, literal)}
        back = {str(at) for at, own in enumerate(SHAPES) if related(name, literal, own)}
        assert names(base, "Shape", f"S_{name}(location, {literal})") == there, literal
        assert names(base, "Shape", f"S_{name}({literal}, location)") == back, literal
        holding += len(there)
    assert 8 < holding < len(SHAPES) ** 2 - 8, "would pass on nothing"
