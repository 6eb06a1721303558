"""Geographic conditions: GeoJSON's order, holes, and no guess about axes."""

import json

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients.ngsi_ld import GeoQuery
from ldt_toolbox.errors import WrongUseError
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box, shape


def test_examples_of_the_standard() -> None:
    # clause 4.10, examples 1 and 2
    near = GeoQuery.of("near", Point(8, 40), max_distance_m=2000, geoproperty="observationSpace")
    assert near.params() == {
        "georel": "near;maxDistance==2000",
        "geometry": "Point",
        "coordinates": "[8.0,40.0]",
        "geoproperty": "observationSpace",
    }
    within = GeoQuery.of("within", box(100, 0, 101, 1))
    ring = [[101.0, 0.0], [101.0, 1.0], [100.0, 1.0], [100.0, 0.0], [101.0, 0.0]]
    assert sorted(map(tuple, within.coordinates[0])) == sorted(map(tuple, ring))


def test_holes_are_kept_and_rings_turn_as_geojson_wants() -> None:
    clockwise = Polygon([(0, 0), (0, 9), (9, 9), (9, 0)], holes=[[(1, 1), (2, 1), (2, 2), (1, 2)]])
    member = GeoQuery.of("intersects", clockwise).member()
    assert member["geometry"] == "Polygon"
    outer, inner = (shapely.LinearRing(ring) for ring in member["coordinates"])
    # RFC 7946, 3.1.6: exterior rings are counterclockwise, holes clockwise
    assert outer.is_ccw
    assert not inner.is_ccw
    assert shape({"type": "Polygon", "coordinates": member["coordinates"]}).equals(clockwise)


@given(
    st.floats(-179, 178), st.floats(-89, 88), st.floats(0.001, 0.9),
    st.sampled_from(["within", "contains", "overlaps", "intersects", "equals", "disjoint"]),
)  # fmt: skip
def test_the_geometry_survives(west, south, size, relation) -> None:
    asked = MultiPolygon([box(west, south, west + size, south + size)])
    params = GeoQuery.of(relation, asked).params()
    sent = shape({"type": params["geometry"], "coordinates": json.loads(params["coordinates"])})
    # Seven decimals: each corner moves by half a unit of the last place at most
    assert sent.hausdorff_distance(asked) <= 1e-7


@pytest.mark.parametrize(
    ("geometry", "told"),
    [
        (Point(43.7, 107.2), "swap"),
        (Point(652_000, 6_860_000), "to_crs"),
        (Point(), "empty"),
        (shapely.GeometryCollection([Point(1, 1)]), "GeometryCollection"),
        (Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "make_valid"),
        (Point(float("nan"), 1), "empty|no longitude"),
    ],
)
def test_geometries_that_cannot_be_asked_are_refused(geometry, told) -> None:
    with pytest.raises(WrongUseError, match=told):
        GeoQuery.of("within", geometry)


@pytest.mark.parametrize("distance", [{}, {"max_distance_m": 0}, {"max_distance_m": float("inf")}])
def test_near_needs_one_distance(distance) -> None:
    with pytest.raises(WrongUseError):
        GeoQuery.of("near", Point(8, 40), **distance)
    with pytest.raises(WrongUseError, match="no distance"):
        GeoQuery.of("within", LineString([(0, 0), (1, 1)]), max_distance_m=5)


@pytest.mark.parametrize("given", [(7, 43, 8, 44), "POINT (7 43)", {"type": "Point"}, None])
def test_what_is_no_geometry_of_shapely_is_named(given) -> None:
    with pytest.raises(WrongUseError, match=r"is no geometry; give one of shapely"):
        GeoQuery.of("within", given)
