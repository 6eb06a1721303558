"""Streets named in territory.yaml as an OpenStreetMap extract or as a node-link graph."""

import json
from collections.abc import Callable

import osmium
import pytest
from ldt_toolbox.errors import DataError
from ldt_toolbox.sources.vector import read_vector
from ldt_toolbox.territory import Source
from ldt_toolbox.use_case import UseCase
from pyproj import CRS

GRID = CRS.from_epsg(32632)
ROLE = UseCase.find("mobility").roles["streets"]
BuildSource = Callable[..., Source]


def read(source: Source, geometry: str = "line", role=ROLE):
    return read_vector(source, crs=GRID, geometry=geometry, clip=None, role=role)


def test_an_extract_gives_streets_with_their_tags(source: BuildSource) -> None:
    one = source("town.osm.pbf", role="streets")
    with osmium.SimpleWriter(str(one.path)) as writer:
        for i in range(3):
            writer.add_node(osmium.osm.mutable.Node(id=i + 1, location=(7.42 + i / 1000, 43.73)))
        tags = {"highway": "residential", "name": "Rue Haute", "oneway": "yes", "lanes": "2"}
        writer.add_way(osmium.osm.mutable.Way(id=7, nodes=[1, 2, 3], tags=tags))
        writer.add_way(
            osmium.osm.mutable.Way(id=9, nodes=[2, 3, 99], tags={"highway": "path", "foot": "no"})
        )
    frame, notes = read(one)
    assert frame.crs == GRID
    assert frame["class"].tolist() == ["residential", "path"]
    assert frame["name"].tolist()[0] == "Rue Haute"
    assert frame["foot"].tolist()[1] == "no"
    # 0.002 degrees of longitude at 43.73 N: 2 x 80.53 m
    assert frame.length.iloc[0] == pytest.approx(161.1, abs=0.3)
    assert [note.text["en"] for note in notes] == [
        "streets (town.osm.pbf): 1 way(s) cross the edge of the extract, taken up to it"
    ]


def test_a_graph_gives_a_line_for_each_direction(source: BuildSource) -> None:
    one = source("street.json", role="streets")
    nodes = [{"id": 1, "x": 377_000.0, "y": 4_843_000.0}, {"id": 2, "x": 377_300.0, "y": 4_843_400}]
    links = [
        {"source": 1, "target": 2, "highway": "primary", "name": "A"},
        {"source": 2, "target": 1, "highway": "primary", "name": "A"},
    ]
    graph = {"graph": {"crs": "EPSG:32632"}, "nodes": nodes, "links": links}
    one.path.write_text(json.dumps(graph), encoding="utf-8")
    frame, notes = read(one)
    assert notes == []
    assert frame["class"].tolist() == ["primary", "primary"]
    assert frame["oneway"].tolist() == ["yes", "yes"]
    assert frame.length.tolist() == pytest.approx([500, 500])


def test_geojson_that_is_named_json_stays_geojson(source: BuildSource) -> None:
    one = source("streets.json", role="streets")
    line = {"type": "LineString", "coordinates": [[7.42, 43.73], [7.43, 43.73]]}
    feature = {"type": "Feature", "properties": {"class": "path"}, "geometry": line}
    one.path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    frame, _ = read(one)
    assert frame["class"].tolist() == ["path"]


@pytest.mark.parametrize(
    ("name", "content", "geometry", "message"),
    [
        ("a.osm.pbf", b"", "polygon", "only streets are read"),
        ("a.osm.pbf", b"no extract at all", "line", "is no OpenStreetMap extract"),
        ("a.json", b"{", "line", "is no valid JSON"),
        ("a.json", b'{"nodes": []}', "line", "no nodes or no links"),
    ],
)
def test_what_is_none_is_refused(
    source: BuildSource, name: str, content: bytes, geometry: str, message: str
) -> None:
    one = source(name, role="streets")
    one.path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(one, geometry, None)
