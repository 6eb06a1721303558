from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from ldt_toolbox.errors import CRSError, DataError, MissingColumnError, MissingFileError
from ldt_toolbox.sources.vector import read_vector
from ldt_toolbox.territory import Source
from ldt_toolbox.use_case import Role
from pandas.testing import assert_frame_equal
from pyproj import CRS
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

GRID = CRS.from_epsg(32632)
WEST, SOUTH = 500_000.0, 5_000_000.0
SQUARE = box(WEST, SOUTH, WEST + 1000, SOUTH + 1000)
BuildSource = Callable[..., Source]
BuildRole = Callable[..., Role]


def here(*corners: tuple[float, float]) -> Polygon:
    return Polygon([(WEST + x, SOUTH + y) for x, y in corners])


def read(source: Source, geometry: str = "polygon", **options: object):
    return read_vector(source, crs=GRID, geometry=geometry, clip=SQUARE, **options)


@pytest.mark.parametrize("name", ["a.parquet", "a.gpkg", "a.shp", "a.geojson", "a.fgb"])
def test_the_same_frame_comes_from_every_format(
    houses: gpd.GeoDataFrame, source: BuildSource, name: str
) -> None:
    path = source(name).path
    if name.endswith(".parquet"):
        houses.to_parquet(path)
    elif name.endswith(".geojson"):
        # the format stores degrees: a step of nine decimals is a tenth of a millimetre
        houses.to_crs(4326).to_file(path, COORDINATE_PRECISION=9)
    else:
        houses.to_file(path)
    frame, notes = read(source(name))
    assert notes == []
    frame = frame.sort_values("levels", ignore_index=True)[[*houses.columns]]
    frame["levels"] = frame["levels"].astype("int64")  # a shapefile knows int32 only
    assert_frame_equal(
        pd.DataFrame(frame.drop(columns="geometry")),
        pd.DataFrame(houses.drop(columns="geometry")),
        check_dtype=False,
    )
    assert frame.crs == houses.crs
    assert frame.hausdorff_distance(houses).max() < 2e-4
    assert frame["name"].tolist() == ["a", "b", "Émile"]
    # a fifth of a millimetre on sides of ten metres
    np.testing.assert_allclose(frame.area, [100, 400, 900], rtol=1e-4)


def test_heights_as_text_come_through_as_they_are(
    houses: gpd.GeoDataFrame, source: BuildSource, role: BuildRole
) -> None:
    houses.to_parquet(source("a.parquet").path)
    wanted = role(columns={"height_m": (False, "MTR"), "levels": (False, "C62")}, unit="MTR")
    frame, _ = read(source("a.parquet", unit="m"), role=wanted)
    assert frame["height_m"].iloc[:2].tolist() == ["12", "9 m"]
    assert frame["height_m"].isna().tolist() == [False, False, True]


def test_self_intersecting_polygons_are_mended_and_counted(source: BuildSource) -> None:
    bow_tie = here((0, 0), (10, 10), (10, 0), (0, 10))  # two triangles of 25 m2
    spike = here((20, 0), (30, 0), (30, 10), (30, 20), (30, 10), (20, 10))  # 100 m2 and a line
    whole = here((40, 0), (50, 0), (50, 10), (40, 10))
    flat = here((60, 0), (70, 0), (60, 0))  # no area at all
    frame = gpd.GeoDataFrame(
        {"name": list("abcd")}, geometry=[bow_tie, spike, whole, flat], crs=GRID
    )
    frame.to_parquet(source("a.parquet").path)
    assert not frame.is_valid[[0, 1, 3]].any()
    read_frame, notes = read(source("a.parquet"))
    assert read_frame["name"].tolist() == ["a", "b", "c"]
    assert read_frame.is_valid.all()
    np.testing.assert_allclose(read_frame.area, [50, 100, 100], rtol=1e-12)
    assert set(read_frame.geom_type) <= {"Polygon", "MultiPolygon"}
    assert [n.kind for n in notes] == ["repair", "repair"]
    assert "thing (a.parquet): 3 feature(s) with self-intersecting" in notes[0].text["en"]
    assert "3 objet(s) à polygone auto-sécant" in notes[0].text["fr"]
    assert "1 feature(s) that are no polygon, left out" in notes[1].text["en"]


def test_what_is_left_out_is_counted(source: BuildSource) -> None:
    shapes = [
        here((0, 0), (10, 0), (10, 10)),
        None,
        Polygon(),
        LineString([(WEST, SOUTH), (WEST + 9, SOUTH)]),
        here((5000, 0), (5010, 0), (5010, 10)),
        MultiPolygon([here((20, 0), (30, 0), (30, 10)), here((40, 0), (50, 0), (50, 10))]),
    ]
    gpd.GeoDataFrame({"n": range(6)}, geometry=shapes, crs=GRID).to_parquet(
        source("a.parquet").path
    )
    frame, notes = read(source("a.parquet"))
    assert frame["n"].tolist() == [0, 5]
    assert frame.index.tolist() == [0, 1]
    told = [n.text["en"].partition(": ")[2] for n in notes]
    assert told == [
        "2 feature(s) without geometry, left out",
        "1 feature(s) that are no polygon, left out",
        "1 feature(s) outside the boundary, left out",
    ]


def test_heights_above_sea_are_dropped_and_clusters_of_points_taken_apart(
    source: BuildSource,
) -> None:
    points = [
        Point(WEST + 1, SOUTH + 1, 7.0),
        MultiPoint([(WEST + 2, SOUTH + 2), (WEST + 3, SOUTH + 3)]),
    ]
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=points, crs=GRID).to_parquet(source("a.parquet").path)
    frame, _ = read(source("a.parquet"), "point")
    assert frame.geom_type.tolist() == ["Point"] * 3
    assert frame["n"].tolist() == [1, 2, 2]
    assert not frame.has_z.any()


def test_geometry_of_any_name_and_degrees_become_metres(
    houses: gpd.GeoDataFrame, source: BuildSource
) -> None:
    houses.to_crs(4326).rename_geometry("geom").to_parquet(source("a.parquet").path)
    frame, _ = read(source("a.parquet"))
    assert frame.crs == GRID
    assert frame.geometry.name == "geometry"
    # there and back again through degrees: well below a millimetre
    assert frame.hausdorff_distance(houses).max() < 1e-6


def test_a_crs_is_taken_from_the_territory_where_the_file_tells_none(
    houses: gpd.GeoDataFrame, source: BuildSource
) -> None:
    path = source("a.parquet").path
    houses.set_crs(None, allow_override=True).to_parquet(path)
    with pytest.raises(CRSError) as caught:
        read(source("a.parquet"))
    for part in (
        "thing (a.parquet)",
        "no coordinate reference system",
        "crs: EPSG:...",
        "territory.yaml",
    ):
        assert part in str(caught.value)
    frame, _ = read(source("a.parquet", crs="EPSG:32632"))
    assert len(frame) == 3


def test_a_wrong_crs_is_told(houses: gpd.GeoDataFrame, source: BuildSource) -> None:
    path = source("a.parquet").path
    houses.set_crs(4326, allow_override=True).to_parquet(path)  # metres sold as degrees
    with pytest.raises(DataError) as caught:
        read(source("a.parquet"))
    for part in ("thing (a.parquet)", "3 of 3 features", "EPSG:4326", "500105", "correct the CRS"):
        assert part in str(caught.value)
    houses.set_crs(32631, allow_override=True).to_parquet(path)  # the next zone: six degrees off
    with pytest.raises(DataError) as caught:
        read(source("a.parquet"))
    for part in ("none of its 3 features", "boundary", "EPSG:32631"):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["a.parquet", "a.gpkg"])
def test_an_empty_layer_is_told(houses: gpd.GeoDataFrame, source: BuildSource, name: str) -> None:
    empty = houses.iloc[:0]
    path = source(name).path
    empty.to_parquet(path) if name == "a.parquet" else empty.to_file(path)
    with pytest.raises(DataError, match=rf"thing \({name}\) holds no polygon .*of 0 read.*check"):
        read(source(name))


def test_layers_of_one_file_are_asked_for(houses: gpd.GeoDataFrame, source: BuildSource) -> None:
    path = source("a.gpkg").path
    houses.to_file(path, layer="old")
    houses.iloc[:1].to_file(path, layer="new")
    with pytest.raises(
        DataError, match=r"holds the layers old, new: name one with `layer: \.\.\.`"
    ):
        read(source("a.gpkg"))
    with pytest.raises(DataError, match=r"no layer `newer`: use one of old, new"):
        read(source("a.gpkg", layer="newer"))
    assert len(read(source("a.gpkg", layer="new"))[0]) == 1


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.csv", b"x,y\n1,2\n", "has no geometry (columns: x, y)"),
        ("a.gpkg", b"hello", "cannot be read as vector data"),
        ("a.parquet", b"hello", "cannot be read as vector data"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "cannot be read"),
    ],
)
def test_files_that_are_no_map_are_told(
    source: BuildSource, name: str, content: bytes, part: str
) -> None:
    source(name).path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(source(name))
    assert f"thing ({name})" in str(caught.value)
    assert part in str(caught.value)
    with pytest.raises(MissingFileError, match="check `path`"):
        read(source("absent.gpkg"))


def test_a_table_without_geometry_is_told(source: BuildSource) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(source("a.parquet").path)
    with pytest.raises(DataError, match="Missing geo metadata"):
        read(source("a.parquet"))


COLUMNS = {"class": (True, ""), "population": (True, "C62"), "name": (False, "")}


def test_columns_are_renamed_and_do_not_collide(
    houses: gpd.GeoDataFrame, source: BuildSource, role: BuildRole
) -> None:
    frame = houses.assign(**{"fclass": list("xyz"), "class": list("abc"), "pop": ["1", "2", "3"]})
    frame.to_parquet(source("a.parquet").path)
    given = source("a.parquet", columns={"class": "fclass", "population": "pop"})
    result, _ = read(given, role=role(columns=COLUMNS))
    assert result["class"].tolist() == list("xyz")
    assert result["population"].tolist() == [1.0, 2.0, 3.0]
    assert result.columns.is_unique
    assert {"fclass", "pop"}.isdisjoint(result.columns)
    assert len(result) == 3
    assert result.crs == GRID


def test_a_missing_column_names_what_is_there(
    houses: gpd.GeoDataFrame, source: BuildSource, role: BuildRole
) -> None:
    houses.to_parquet(source("a.parquet").path)
    wanted = role(columns=COLUMNS)
    with pytest.raises(MissingColumnError) as caught:
        read(source("a.parquet"), role=wanted)
    for part in (
        "thing (a.parquet) has no column `class`", "it has: name, height_m, levels",
        "`columns: {class: ...}` in territory.yaml",
    ):  # fmt: skip
        assert part in str(caught.value)
    # an optional column that territory.yaml names must be there too
    with pytest.raises(MissingColumnError, match="no column `nom`"):
        read(source("a.parquet", columns={"class": "name", "population": "levels", "name": "nom"}),
             role=wanted)  # fmt: skip
    with pytest.raises(
        MissingColumnError, match=r"`columns` names klass, .*class, population, name"
    ):
        read(source("a.parquet", columns={"klass": "name"}), role=wanted)


def test_text_where_a_number_is_needed_is_told_with_its_row(
    houses: gpd.GeoDataFrame, source: BuildSource, role: BuildRole
) -> None:
    frame = houses.assign(population=["12", "1 200 hab.", None])
    frame.to_parquet(source("a.parquet").path)
    wanted = role(columns={"population": (True, "C62")})
    with pytest.raises(
        DataError, match=r"`population` holds '1 200 hab\.' in row 2 of 3, .*number"
    ):
        read(source("a.parquet"), role=wanted)


def test_feet_are_refused_where_metres_are_read(
    houses: gpd.GeoDataFrame, source: BuildSource, role: BuildRole
) -> None:
    houses.to_parquet(source("a.parquet").path)
    with pytest.raises(DataError, match=r"`unit: ft`, but thing is read in MTR or m: convert"):
        read(source("a.parquet", unit="ft"), role=role(unit="MTR"))
    for unit in ("m", "MTR", ""):
        assert len(read(source("a.parquet", unit=unit), role=role(unit="MTR"))[0]) == 3


def test_a_source_without_a_file_is_told() -> None:
    with pytest.raises(DataError, match="names no file: add `path`"):
        read(Source(role="thing"))


def test_a_folder_is_hashed_by_all_its_files(tmp_path: Path) -> None:
    from ldt_toolbox.sources import file_sha256

    folder = tmp_path / "a.gdb"
    folder.mkdir()
    (folder / "one").write_text("1", encoding="utf-8")
    first = file_sha256(folder)
    (folder / "two").write_text("2", encoding="utf-8")
    second = file_sha256(folder)
    (folder / "two").rename(folder / "three")
    assert len({first, second, file_sha256(folder)}) == 3
