"""Write the bundled layers so that the same input gives the same bytes."""

import re
from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
from affine import Affine
from pinned_packages import sha256_of
from pyproj import CRS

GRID_M = 0.01  # coordinates are rounded to a centimetre


def tidy_geometry(layer: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """Round coordinates to a centimetre, repair what is invalid, drop what is empty.

    Parameters
    ----------
    layer : geopandas.GeoDataFrame
        Any geometry, in a projected CRS (m).

    Returns
    -------
    geopandas.GeoDataFrame
        Same columns, valid geometry of the same dimension.
    int
        Number of features that needed a repair.
    """
    geometry = layer.geometry.to_numpy()
    broken = ~shapely.is_valid(geometry)
    dimension = shapely.get_dimensions(geometry)
    geometry = np.where(broken, shapely.make_valid(geometry), geometry)
    geometry = shapely.set_precision(geometry, GRID_M)
    kept = [
        _parts_of_dimension(g, d)
        for g, d in zip(geometry.tolist(), dimension.tolist(), strict=True)
    ]
    # a repair can leave a line beside a polygon; only parts of the first dimension stay
    layer = layer.set_geometry(gpd.GeoSeries(kept, index=layer.index, crs=layer.crs))
    layer = layer[~layer.geometry.is_empty]
    return layer, int(broken.sum())


def _parts_of_dimension(
    geometry: shapely.geometry.base.BaseGeometry, dimension: int
) -> shapely.geometry.base.BaseGeometry:
    parts = [
        p
        for p in shapely.get_parts(geometry, return_index=False)
        if shapely.get_dimensions(p) == dimension and not p.is_empty
    ]
    if geometry.geom_type == "GeometryCollection":
        nested = [q for p in shapely.get_parts(geometry) for q in shapely.get_parts(p)]
        parts = [q for q in nested if shapely.get_dimensions(q) == dimension]
    if not parts:
        return shapely.Point()
    if len(parts) == 1:
        return parts[0]
    kinds = {0: shapely.MultiPoint, 1: shapely.MultiLineString, 2: shapely.MultiPolygon}
    return kinds[dimension](parts)


def write_layer(layer: gpd.GeoDataFrame, path: Path) -> int:
    """Write a vector layer as GeoParquet, sorted by id; return the number of repairs."""
    layer, repaired = tidy_geometry(layer)
    layer = layer.sort_values("id", kind="stable").reset_index(drop=True)
    if not layer["id"].is_unique:
        twice = layer.loc[layer["id"].duplicated(), "id"].tolist()
        raise SystemExit(f"{path.name}: ids occur twice: {twice[:5]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    layer.to_parquet(path, index=False, compression="zstd", compression_level=19)
    return repaired


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a plain table as Parquet, without the index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow, path, compression="zstd", compression_level=19)


def write_terrain(values: np.ndarray, transform: Affine, crs: CRS, path: Path) -> None:
    """Write an int16 elevation grid (m, nodata -32768) as a deflated GeoTIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff",
        "dtype": "int16",
        "count": 1,
        "height": values.shape[0],
        "width": values.shape[1],
        "crs": crs.to_wkt(),
        "transform": transform,
        "nodata": -32768,
        "compress": "deflate",
        "predictor": 2,
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(values.astype("int16"), 1)
        target.set_band_description(1, "elevation")
        target.units = ("m",)


def stamp_hashes(territory_yaml: Path) -> str:
    """Text of a territory.yaml in which every ``sha256`` is that of the ``path`` before it.

    Comments and order stay, because only the hash after ``sha256:`` is replaced.
    """
    lines = territory_yaml.read_text(encoding="utf-8").splitlines()
    current: Path | None = None
    for number, line in enumerate(lines):
        if match := re.match(r"\s+path: (\S+)", line):
            current = territory_yaml.parent / match[1]
        if match := re.match(r"(\s+sha256:)", line):
            if current is None:
                raise SystemExit(f"{territory_yaml}:{number + 1}: sha256 before any path")
            lines[number] = f"{match[1]} {sha256_of(current)}"
            current = None
    return "\n".join(lines) + "\n"


def manifest(root: Path, files: Iterable[Path]) -> str:
    """Lines for ``sha256sum --check``, paths relative to the root, sorted."""
    names = sorted((p.relative_to(root).as_posix(), p) for p in files)
    return "".join(f"{sha256_of(path)}  {name}\n" for name, path in names)
