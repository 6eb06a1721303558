import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from ldt_toolbox.errors import CRSError, DataError, MissingFileError
from ldt_toolbox.space.geotiff import read_geotiff, write_geotiff
from ldt_toolbox.space.raster import Raster
from pyproj import CRS

NORTH_UP = Affine(2.5, 0, 500_000.5, 0, -2.5, 5_000_000.25)


@pytest.mark.parametrize("epsg", [32632, 2154, 3035, 3879, 27700, 31370, 5514, 3301])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int16", "int32"])
def test_what_is_written_is_read_again(tmp_path: Path, epsg: int, dtype: str) -> None:
    values = np.arange(60).reshape(6, 10).astype(dtype)
    nodata = None
    if dtype.startswith("float"):
        values[2, 3] = np.nan
    else:
        nodata = 7
    before = Raster(values, NORTH_UP, CRS.from_epsg(epsg), "CEL", nodata)
    write_geotiff(tmp_path / "a.tif", before)
    after = read_geotiff(tmp_path / "a.tif")
    np.testing.assert_array_equal(after.values, before.values)
    assert after.values.dtype == before.values.dtype
    assert (after.transform, after.crs) == (before.transform, before.crs)
    assert (after.unit, after.nodata) == ("CEL", nodata)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_a_large_raster_is_cloud_optimised_with_overviews(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((600, 700), np.float32)
    write_geotiff(tmp_path / "a.tif", Raster(values, NORTH_UP, CRS.from_epsg(32632)))
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.block_shapes == [(256, 256)]
        assert file.overviews(1) == [2, 4]
        assert file.compression.name == "deflate"
        assert math.isnan(file.nodata)
        np.testing.assert_array_equal(file.read(1), values)


def test_classes_are_not_averaged_in_overviews(tmp_path: Path) -> None:
    values = np.kron(np.random.default_rng(0).integers(0, 2, (75, 75)), np.full((8, 8), 200))
    raster = Raster(values.astype(np.uint8), NORTH_UP, CRS.from_epsg(32632))
    write_geotiff(tmp_path / "a.tif", raster)
    with rasterio.open(tmp_path / "a.tif", overview_level=0) as file:
        assert set(np.unique(file.read(1))) == {0, 200}


def foreign(path: Path, values: np.ndarray, **options: object) -> Path:
    profile = {"crs": "EPSG:32632", "transform": NORTH_UP} | options
    rows, columns = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype=values.dtype.name,
        **profile,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def test_the_nodata_of_other_files_becomes_nan(tmp_path: Path) -> None:
    values = np.array([[1, -9999], [3, 4]], np.float32)
    raster = read_geotiff(foreign(tmp_path / "a.tif", values, nodata=-9999))
    np.testing.assert_array_equal(raster.values, [[1, np.nan], [3, 4]])
    assert raster.values.dtype == np.float32
    assert raster.nodata is None
    assert raster.unit == "1"


def test_files_that_cannot_be_used_are_told_by_name(tmp_path: Path) -> None:
    values = np.ones((4, 4), np.float32)
    turned = foreign(tmp_path / "turned.tif", values, transform=NORTH_UP @ Affine.rotation(9))
    with pytest.raises(DataError, match=r"turned\.tif: the raster is rotated: warp it north-up"):
        read_geotiff(turned)
    bare = foreign(tmp_path / "bare.tif", values, crs=None)
    with pytest.raises(CRSError, match=r"bare\.tif tells no coordinate reference system"):
        read_geotiff(bare)
    assert read_geotiff(bare, crs=CRS.from_epsg(2154)).crs == CRS.from_epsg(2154)
    (tmp_path / "text.tif").write_text("hello", encoding="utf-8")
    with pytest.raises(DataError, match=r"text\.tif is no raster"):
        read_geotiff(tmp_path / "text.tif")
    with pytest.raises(MissingFileError, match=r"absent\.tif does not exist"):
        read_geotiff(tmp_path / "absent.tif")


def test_a_write_that_fails_leaves_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    old = Raster(np.ones((4, 4), np.float32), NORTH_UP, CRS.from_epsg(32632))
    write_geotiff(tmp_path / "a.tif", old)
    with pytest.raises(OSError, match="absent"):
        write_geotiff(tmp_path / "absent" / "a.tif", old)
    (tmp_path / "b.tif").mkdir()  # a folder in the way: the last step fails
    with pytest.raises(OSError, match=r"b\.tif"):
        write_geotiff(tmp_path / "b.tif", old)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tif", "b.tif"]
    np.testing.assert_array_equal(read_geotiff(tmp_path / "a.tif").values, 1)
