from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from ldt_toolbox.errors import DataError, MissingRoleError
from ldt_toolbox.sources import file_sha256, load, load_role
from ldt_toolbox.territory import Source, Territory
from ldt_toolbox.use_case import UseCase

BuildSource = Callable[..., Source]
BuildTerritory = Callable[..., Territory]
HEAT = UseCase.find("heat-islands")


@pytest.fixture
def buildings(houses: gpd.GeoDataFrame, source: BuildSource) -> Source:
    made = source(
        "buildings.parquet", role="buildings", unit="m", source="a test", licence="CC0-1.0"
    )
    houses.to_parquet(made.path)
    return made


def test_a_role_is_loaded_with_its_source_and_hash(
    buildings: Source, territory: BuildTerritory
) -> None:
    inputs = load(HEAT, territory(buildings=buildings))
    assert list(inputs.layers) == ["buildings"]
    assert len(inputs.missing) == len(HEAT.roles) - 1 == 12
    layer = inputs.layers["buildings"]
    assert layer.sha256 == file_sha256(buildings.path)
    assert len(layer.sha256) == 64
    assert layer.source.licence == "CC0-1.0"
    assert len(inputs.frame("buildings")) == 3
    summary = inputs.summary()
    assert summary.loc["buildings", ["records", "licence"]].tolist() == [3, "CC0-1.0"]
    # each absent role says what is lost, in both languages
    gaps = [note for note in inputs.notes() if note.kind == "gap"]
    assert len(gaps) == 12
    for note, role in zip(gaps, inputs.missing.values(), strict=True):
        assert role.without["en"] in note.text["en"]
        assert role.without["fr"] in note.text["fr"]


def test_every_missing_required_role_is_named(territory: BuildTerritory) -> None:
    roles = {
        name: replace(role, required=name in {"buildings", "terrain", "trees"})
        for name, role in HEAT.roles.items()
    }
    place = territory()
    with pytest.raises(MissingRoleError) as caught:
        load(replace(HEAT, roles=roles), place)
    text = str(caught.value)
    for name in ("buildings", "terrain", "trees"):
        assert f"\n  {name}: {HEAT.roles[name].help['en']} (accepts file)" in text
    assert "streets" not in text
    assert "heat-islands needs roles for which square names no source" in text
    assert f"under `sources:` in {place.path}" in text


def test_asking_for_an_absent_role_says_what_to_add(
    buildings: Source, territory: BuildTerritory
) -> None:
    place = territory(buildings=buildings)
    inputs = load(HEAT, place)
    with pytest.raises(MissingRoleError, match=r"`trees`: add `sources: trees:` to"):
        inputs.frame("trees")
    assert "trees" not in inputs
    with pytest.raises(MissingRoleError, match="square names no source for `trees`"):
        load_role(HEAT.roles["trees"], place)


@pytest.mark.parametrize("which", ["buildings", "boundary"])
def test_a_changed_file_is_told_by_its_hash(
    buildings: Source, territory: BuildTerritory, which: str
) -> None:
    wrong = "0" * 64
    if which == "buildings":
        place = territory(buildings=replace(buildings, sha256=wrong))
    else:
        place = territory(buildings=buildings)
        place = replace(place, boundary=replace(place.boundary, sha256=wrong))
    with pytest.raises(DataError) as caught:
        load(HEAT, place)
    for part in (f"{which}: {which}.parquet", "000000000000...", "was changed", "remove `sha256`"):
        assert part in str(caught.value)
    right = replace(buildings, sha256=file_sha256(buildings.path))
    assert len(load(HEAT, territory(buildings=right)).frame("buildings")) == 3


def test_a_way_that_the_use_case_does_not_take_is_told(
    buildings: Source, territory: BuildTerritory
) -> None:
    odd = replace(buildings, protocol="ftp")
    with pytest.raises(
        DataError, match=r"buildings comes by `ftp`, but this use case accepts file"
    ):
        load(HEAT, territory(buildings=odd))


def test_the_wrong_kind_of_file_is_told(
    buildings: Source,
    territory: BuildTerritory,
    source: BuildSource,
    write_raster: Callable[..., Path],
) -> None:
    write_raster(np.ones((10, 10), np.float32), name="b.tif")
    with pytest.raises(DataError, match=r"buildings must be vector, but .*b\.tif is not"):
        load(HEAT, territory(buildings=source("b.tif", role="buildings")))
    with pytest.raises(DataError, match=r"terrain must be raster, but .*parquet is not"):
        load(HEAT, territory(buildings=buildings, terrain=replace(buildings, role="terrain")))


def test_a_raster_is_read_beyond_the_boundary_by_the_role_s_margin(
    buildings: Source,
    territory: BuildTerritory,
    source: BuildSource,
    write_raster: Callable[..., Path],
) -> None:
    from affine import Affine

    transform = Affine(40, 0, 480_000, 0, -40, 5_020_000)
    write_raster(np.full((1000, 1000), 7, np.float32), name="t.tif", transform=transform)
    place = territory(buildings=buildings, terrain=source("t.tif", role="terrain", unit="m"))
    terrain = load(HEAT, place).raster("terrain")
    assert HEAT.roles["terrain"].margin_km == 12
    assert terrain.bounds == (488_000, 4_988_000, 513_000, 5_013_000)


def test_climate_normals_come_by_name(buildings: Source, territory: BuildTerritory) -> None:
    place = territory(
        buildings=buildings,
        air_temperature=Source(role="air_temperature", use="cru-normals", protocol="bundled"),
    )
    inputs = load(HEAT, place)
    assert inputs.table("air_temperature")["temperature_c"].max() > 15
    assert "half-degree cell" in inputs.layers["air_temperature"].notes[0].text["en"]
