import hashlib
import json
import math
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from geopandas.testing import assert_geodataframe_equal
from ldt_toolbox.errors import DataError, MissingFileError, OutputError
from ldt_toolbox.results import Indicator, Note, Results
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.use_case import UseCase
from pandas.testing import assert_frame_equal
from pyproj import CRS
from shapely.geometry import Point, box

Write = Callable[..., Path]
# north comes first in this grid: GDAL's text of it forgets that, its code does not
GRID = CRS.from_epsg(3879)


@pytest.fixture
def case(write_case: Write) -> UseCase:
    return UseCase.read(write_case())


def made() -> Results:
    height = np.arange(12, dtype=np.float32).reshape(3, 4)
    height[1, 2] = np.nan
    transform = Affine(2.5, 0, 25_496_000, 0, -2.5, 6_673_000)
    return Results(
        answer={"en": "Many.", "fr": "Beaucoup : « été »."},
        weight={"en": "trees", "fr": "arbres"},
        indicators={
            "count": Indicator(np.int64(12_345_678)),
            "gap": Indicator(
                np.float32(1.5),
                low=1.0,
                high=math.pi,
                interval="5th to 95th",
                provenance="observed",
            ),
        },
        layers={
            "height": Raster(height, transform, GRID, "MTR"),
            "crowns": gpd.GeoDataFrame(
                {"name": ["a", None], "size": [1.5, np.nan], "rank": [1, 2]},
                geometry=[Point(25_496_001, 6_672_999).buffer(2), box(0, 0, 1, 1)],
                crs=GRID,
            ),
        },
        tables={
            "streets": pd.DataFrame(
                {
                    "station": ["07690", "NA", "", 'a "b", c'],
                    "mean_k": [0.1234567, -1e-9, np.nan, 3.0],
                    "trees": [1, 2, 3, 4],
                }
            )
        },
        notes=[Note("gap", {"en": "no roofs", "fr": "pas de toits"})],
        synthetic=("crowns",),
    )


def test_what_is_written_is_read_again(case: UseCase, tmp_path: Path) -> None:
    before = made()
    before.write(tmp_path / "out", case, territory="village")
    after = Results.read(tmp_path / "out")
    assert set(after.layers) == {"height", "crowns"}
    height = after.layers["height"]
    np.testing.assert_array_equal(height.values, before.layers["height"].values)
    assert height.values.dtype == np.float32
    assert height.transform == before.layers["height"].transform
    assert height.crs == GRID
    assert height.unit == "MTR"
    assert_geodataframe_equal(after.layers["crowns"], before.layers["crowns"])
    assert set(after.tables) == {"streets"}
    # tables keep six significant digits
    assert_frame_equal(
        after.tables["streets"], before.tables["streets"], check_dtype=False, rtol=5e-6, atol=0
    )
    assert after.tables["streets"]["station"].tolist() == ["07690", "NA", "", 'a "b", c']
    assert after.indicators["count"] == Indicator(12_345_678)
    assert type(after.indicators["count"].value) is int
    gap = after.indicators["gap"]
    assert gap == Indicator(1.5, 1.0, 3.14159, "5th to 95th", "observed")
    assert after.notes == before.notes
    assert (after.answer, after.weight) == (before.answer, before.weight)
    assert after.synthetic == ("crowns",)


def test_the_document_holds_what_a_reader_needs(case: UseCase, tmp_path: Path) -> None:
    made().write(str(tmp_path / "out"), case, territory="village")
    document = json.loads((tmp_path / "out" / "indicators.json").read_text(encoding="utf-8"))
    assert (document["use_case"], document["territory"]) == ("trees", "village")
    count, gap = document["indicators"]
    assert (count["id"], count["value"], count["unit"]) == ("count", 12345678, "C62")
    assert count["label"] == {"en": "Count", "fr": "Nombre"}
    assert count["definition"]["fr"] == "arbres comptés"
    assert (count["headline"], count["uncertainty"]) == (True, None)
    assert gap["uncertainty"] == {"low": 1.0, "high": 3.14159, "meaning": "5th to 95th"}


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("nan"), None])
def test_what_is_no_number_is_null_in_json(
    case: UseCase, tmp_path: Path, value: float | None
) -> None:
    result = made()
    result.indicators["gap"] = Indicator(value, low=value, high=1.0)
    result.write(tmp_path, case, territory="village")
    text = (tmp_path / "indicators.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=refuse)
    assert document["indicators"][1]["value"] is None
    assert Results.read(tmp_path).indicators["gap"].value is None


def hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_two_writes_are_equal_byte_for_byte(case: UseCase, tmp_path: Path) -> None:
    for name in ("a", "b"):
        made().write(tmp_path / name, case, territory="village")
    first = hashes(tmp_path / "a")
    assert first == hashes(tmp_path / "b")
    assert sorted(first) == [
        "indicators.json", "layers/crowns.parquet", "layers/height.tif", "tables/streets.csv",
    ]  # fmt: skip


def test_outputs_that_differ_from_the_manifest_are_all_named(case: UseCase, tmp_path: Path) -> None:
    result = made()
    result.layers["depth"] = result.layers.pop("height")
    result.tables.clear()
    result.indicators["cuont"] = result.indicators.pop("count")
    with pytest.raises(DataError) as caught:
        result.write(tmp_path / "out", case, territory="village")
    for part in (
        "layers: `depth` is not in the manifest", "layers: `height` is missing",
        "tables: `streets` is missing", "indicators: `cuont` is not in the manifest",
        "indicators: `count` is missing", "results of trees",
    ):  # fmt: skip
        assert part in str(caught.value)
    assert "shade" not in str(caught.value)  # optional
    assert not (tmp_path / "out").exists()


def test_outputs_of_an_older_run_do_not_stay(case: UseCase, tmp_path: Path) -> None:
    older = made()
    older.layers["shade"] = older.layers["height"]
    older.write(tmp_path, case, territory="village")
    other = tmp_path / "layers" / "my-own-notes.txt"
    other.write_text("mine", encoding="utf-8")
    assert "shade" in Results.read(tmp_path).layers
    newer = made()
    newer.layers["crowns"] = newer.layers["height"]  # another kind under the same name
    newer.write(tmp_path, case, territory="village")
    after = Results.read(tmp_path)
    assert set(after.layers) == {"height", "crowns"}
    assert isinstance(after.layers["crowns"], Raster)
    assert other.exists()


def test_a_layer_is_a_cloud_optimised_geotiff_with_the_manifest_s_unit(
    case: UseCase, tmp_path: Path
) -> None:
    made().write(tmp_path, case, territory="village")
    with rasterio.open(tmp_path / "layers" / "height.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.units == ("MTR",)
        assert math.isnan(file.nodata)
        assert file.crs.to_epsg() == 3879
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_that_cannot_be_is_told_with_the_next_step(case: UseCase, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        made().write(tmp_path / "file" / "out", case, territory="village")
    for part in (str(tmp_path / "file" / "out"), "Not a directory", "--out"):
        assert part in str(caught.value)


def test_missing_results_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="holds no results"):
        Results.read(tmp_path)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond a block: what a full disk feels like, for every library."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("what", ["raster", "vector", "table", "document"])
@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_an_output_error_for_every_kind_of_file(
    case: UseCase, tmp_path: Path, what: str
) -> None:
    result, random = made(), np.random.default_rng(1)
    if what == "raster":
        noise = random.random((200, 200), np.float32)
        result.layers["height"] = Raster(noise, Affine(1, 0, 9, 0, -1, 9), GRID)
    elif what == "vector":
        points = [Point(*xy) for xy in random.random((2000, 2))]
        result.layers["crowns"] = gpd.GeoDataFrame(geometry=points, crs=GRID)
    elif what == "table":
        result.tables["streets"] = pd.DataFrame({"a": random.random(2000)})
    else:
        result.notes = [Note("gap", {"en": "x" * 5000, "fr": "y"})]
    with pytest.raises(OutputError, match=r"cannot be written to .*; free space or choose"):
        result.write(tmp_path / "out", case, territory="village")
    assert not list(tmp_path.rglob("*.part"))
    assert not (tmp_path / "out" / "layers" / "height.tif").exists() or what != "raster"
