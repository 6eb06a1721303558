"""A made-up city as arrays for our kernels and as files for InVEST: the same numbers twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from affine import Affine
from shapely.geometry import box

COVERS = 12
CRS = "EPSG:3035"
NODATA = 255
ET0_MM = 5.0


@dataclass(frozen=True)
class City:
    cover: np.ndarray  # uint8 codes, NODATA where missing
    shade: np.ndarray  # per code, float32
    albedo: np.ndarray
    kc: np.ndarray
    green: np.ndarray
    cell_size_m: float

    def factors(self):
        """Shade, albedo, Kc and green per cell: the look-up that InVEST makes from its table."""
        tables = (self.shade, self.albedo, self.kc, self.green)
        padded = (np.append(t, np.full(NODATA + 1 - COVERS, np.nan)).astype("f4") for t in tables)
        with ThreadPoolExecutor(2) as pool:
            return tuple(pool.map(lambda table: np.take(table, self.cover), list(padded)))

    def options(self):
        return {
            "cell_size_m": self.cell_size_m,
            "reference_temperature_c": 25.0,
            "uhi_max_k": 3.5,
            "cooling_distance_m": 450.0,
            "mixing_radius_m": 500.0,
            "mixing": "exponential",
        }


def random_city(side, *, seed=0, missing=False, cell_size_m=30.0, block=8):
    """Square city of random blocks with round parks; two of twelve covers are green."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, COVERS, (side // block + 1,) * 2, dtype=np.uint8)
    cover = blocks.repeat(block, 0).repeat(block, 1)[:side, :side].copy()
    y, x = np.ogrid[:side, :side]
    for _ in range(side * side // 15_000):  # parks large enough to cool what is around them
        row, column, radius = *rng.integers(0, side, 2), rng.integers(10, 30)
        near = (
            slice(max(row - radius, 0), row + radius),
            slice(max(column - radius, 0), column + radius),
        )
        cover[near][np.hypot(y[near[0]] - row, x[:, near[1]] - column) < radius] = 0
    if missing:
        cover[side // 3 : side // 2, side // 4 : side // 3] = NODATA
        cover[:, : side // 20] = NODATA
    shade, albedo, kc = (np.round(rng.random(COVERS), 3).astype("f4") for _ in range(3))
    green = (np.arange(COVERS) < 2).astype("f4")
    shade = np.round(shade * 0.3, 3)
    shade[:2] = (0.9, 0.4)  # a wood and a lawn
    return City(cover, shade, albedo * np.float32(0.5), kc, green, cell_size_m)


def write(city, folder):
    """Write what InVEST's execute() reads."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = city.cover.shape
    west, north, cell = 4_000_000.0, 3_000_000.0, city.cell_size_m
    transform = Affine(cell, 0, west, 0, -cell, north)
    profile = {
        "driver": "GTiff",
        "width": columns,
        "height": rows,
        "count": 1,
        "crs": CRS,
        "transform": transform,
        "tiled": True,
        "compress": "lzw",
    }
    with rasterio.open(folder / "lulc.tif", "w", dtype="uint8", nodata=NODATA, **profile) as file:
        file.write(city.cover, 1)
    with rasterio.open(folder / "et0.tif", "w", dtype="float32", nodata=-1, **profile) as file:
        file.write(np.full((rows, columns), ET0_MM, "f4"), 1)
    lines = ["lucode,kc,green_area,shade,albedo"]
    lines += [
        f"{code},{city.kc[code]},{int(city.green[code])},{city.shade[code]},{city.albedo[code]}"
        for code in range(COVERS)
    ]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    area = box(west, north - rows * cell, west + columns * cell, north)
    gpd.GeoDataFrame(geometry=[area], crs=CRS).to_file(folder / "aoi.gpkg")


def read_results(folder: Path):
    """InVEST's rasters under our names, NaN where missing."""
    names = {
        "cc": "intermediate/cc.tif",
        "cc_park": "intermediate/cc_park.tif",
        "hm": "hm.tif",
        "temperature_c": "intermediate/T_air.tif",
    }
    results = {}
    for ours, theirs in names.items():
        with rasterio.open(folder / theirs) as file:
            results[ours] = file.read(1, masked=True).astype("f8").filled(np.nan)
    return results
