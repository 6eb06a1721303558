from collections.abc import Callable
from pathlib import Path

import pytest
from ldt_toolbox.errors import DataError, DocumentError, MissingFileError, WrongUseError
from ldt_toolbox.registry import registry
from ldt_toolbox.territory import Territory, bundled_territories

Write = Callable[..., Path]
# area of the boundary in km2 (the towns' own figures) and a point in it, longitude, latitude
BUNDLED = {
    "andorra-la-vella": ("AD", 42.507, 1.52),
    "east-london": ("GB", 51.51, 0.13),
    "helsinki-centre": ("FI", 60.17, 24.94),
    "monaco": ("MC", 43.737, 7.42),
}


def test_the_four_bundled_territories_are_read() -> None:
    assert [name for name, _ in bundled_territories()] == sorted(BUNDLED)
    roles = registry().roles
    for name, (country, latitude, longitude) in BUNDLED.items():
        territory = Territory.find(name)
        assert (territory.id, territory.country) == (name, country)
        assert territory.crs.is_projected
        assert territory.boundary_geometry.area > 1e5
        lon, lat = territory.center_lonlat
        # a tenth of a degree is a town's size: the centre lies in the right town
        assert abs(lon - longitude) < 0.1
        assert abs(lat - latitude) < 0.1
        assert set(territory.sources) <= set(roles)
        assert {"buildings", "streets", "air_temperature"} <= set(territory.sources)
        for source in (territory.boundary, *territory.sources.values()):
            assert source.licence
            assert source.source
            assert source.date
            assert source.provenance in {"observed", "derived", "synthetic"}
            assert source.use or source.path.is_file()


def test_a_territory_is_read_with_codes_and_names_as_written(write_territory: Write) -> None:
    path = write_territory(
        ("country: FR", "country: NO"),
        ('insee: "01004"', "insee: 01004, national: 10.10, lau: 2E5"),
        ("provenance: synthetic\nsources", "provenance: synthetic\n  date: 2023-12-26\nsources"),
    )
    territory = Territory.read(path)
    assert territory.country == "NO"
    assert territory.codes == {"insee": "01004", "national": "10.10", "lau": "2E5"}
    assert territory.boundary.date == "2023-12-26"
    assert (territory.name(), territory.name("fr")) == ("The Village", "Le Village")
    assert territory.name("de") == "Le Village"
    assert territory.folder == path.parent
    assert territory.boundary_geometry.area == pytest.approx(1e6, rel=1e-12)  # 1 km square
    assert Territory.find(path.parent).id == Territory.find(str(path)).id == "village"


def test_eight_mistakes_are_told_with_their_lines(write_territory: Write) -> None:
    path = write_territory(
        ("id: village", "id: The Village"),
        ("country: FR", "country: France"),
        ('codes: {insee: "01004"}', "codes: {inse: 01004}"),
        ("crs: EPSG:2154", "crs: EPSG:4326"),
        ("Europe/Paris", "Europe/Pariss"),
        ("  trees:\n    protocol: file", "  tres:\n    protocol: ftp"),
        ("{use: cru-normals}", "{use: cru-normal}"),
    )
    with pytest.raises(DocumentError) as caught:
        Territory.read(path)
    expected = [
        (1, "`id: The Village`", "saint-etienne"),
        (3, "`country: France`", "`FR`"),
        (4, "`inse`", "did you mean `insee`?"),
        (5, "EPSG:4326` (WGS 84) is not projected, but metres are needed", "EPSG:2154"),
        (7, "`Europe/Pariss`", "Europe/Paris"),
        (15, "unknown role `tres`", "did you mean `trees`?"),
        (16, "`sources.tres.protocol: ftp`", "use one of `file`"),
        (21, "no source `cru-normal`", "did you mean `cru-normals`?"),
    ]
    problems = caught.value.problems
    assert [p.line for p in problems] == [line for line, _, _ in expected]
    for problem, (_, thing, advice) in zip(problems, expected, strict=True):
        assert thing in problem.message
        assert advice in problem.message
    assert "8 problems" in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("EPSG:2154", "EPSG:2264", 5, "measures in US survey foot, but metres are needed"),
        ("EPSG:2154", "EPSG:3857", 5, "stretches distances"),
        ("EPSG:2154", "EPSG:999999", 5, "no coordinate reference system"),
        ("EPSG:2154", "EPSG:4979", 5, "not projected"),
        ("crs: EPSG:2154\n", "", 1, "lacks `crs`"),
        ("languages: [fr, en]", "languages: fr", 6, "such as [a, b]"),
        ("languages: [fr, en]", "languages: [French]", 6, "for example `fr`"),
        ("names: {fr: Le Village, en: The Village}", "names: Village", 2, "`key: value` lines"),
        ("boundary.parquet\n  s", "border.parquet\n  s", 10, "no file border.parquet"),
        ("boundary.parquet\n    s", "[a]\n    s", 17, "must be text"),
        ("    protocol: file", "    protcol: file", 16, "did you mean `protocol`?"),
        ("    licence: CC0-1.0\n", "", 15, "lacks `licence`"),
        ("    provenance: synthetic", "    provenance: made up", 20, "use one of `derived`"),
        ("    licence: CC0-1.0\n    provenance: synthetic", "    licence: x", 15, "`provenance`"),
        ("    licence: CC0-1.0", "    licence: x\n    sha256: abc", 20, "wrong form"),
        ("    licence: CC0-1.0", "    licence: x\n    crs: EPSG:1", 20, "no coordinate reference"),
        ("    licence: CC0-1.0", "    licence: x\n    columns: [a]", 20, "`key: value` lines"),
        ("  air_temperature: {use", "  terrain: {use", 21, "serves air_temperature, not terrain"),
        ("{use: cru-normals}", "{use: cru-normals, paht: x}", 21, "`paht`"),
        ("use_cases:\n", "use_case:\n", 22, "did you mean `use_cases`?"),
        ("trees: {spacing_m: 4}", "trees: 4", 23, "`key: value` lines"),
    ],
)
def test_each_mistake_is_told_with_its_line(
    write_territory: Write, before: str, after: str, line: int, message: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        Territory.read(write_territory((before, after)))
    told = [(p.line, p.message) for p in caught.value.problems]
    assert any(at == line and message in said for at, said in told), told


def test_a_role_that_no_use_case_of_ours_knows_is_left_alone(write_territory: Write) -> None:
    territory = Territory.read(write_territory(("  trees:\n", "  bat_boxes:\n")))
    assert "bat_boxes" in territory.sources


def test_unknown_names_and_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"no territory `monako`.*did you mean `monaco`\?"):
        Territory.find("monako")
    with pytest.raises(MissingFileError, match=r"territory\.yaml does not exist"):
        Territory.find(tmp_path)
    with pytest.raises(MissingFileError, match=r"x\.yaml does not exist"):
        Territory.find(tmp_path / "x.yaml")


def test_a_boundary_without_a_polygon_is_told(write_territory: Write) -> None:
    territory = Territory.read(write_territory())
    boundary = territory.boundary.path
    import geopandas as gpd

    frame = gpd.read_parquet(boundary)
    frame.set_geometry(frame.centroid).to_parquet(boundary)
    with pytest.raises(DataError, match=r"boundary \(boundary\.parquet\) holds no polygon"):
        _ = territory.boundary_geometry
