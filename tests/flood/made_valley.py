"""A made valley of five-metre cells, and territories built from it for tests of the use case."""

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import yaml
from affine import Affine
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

EPSG = 32631
WEST, NORTH, CELL = 300_000.0, 5_700_000.0, 5.0
ROWS, COLUMNS = 40, 60
ONE_STORM = {"return_periods_years": [100], "rain_mm": [50]}
QUICK = {"monte_carlo_draws": 0, "check_scheme": False, "snapshot_min": 0}
NAMED = {"source": "made by a test, seed 0", "licence": "CC0-1.0", "date": "2025-07-15",
         "provenance": "derived"}  # fmt: skip


def valley_levels() -> np.ndarray:
    """Falls to the east by 1 in 100, to its middle line by 1 in 20; one hollow beside the river."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    z = 50 - 0.01 * CELL * columns + 0.05 * CELL * np.abs(rows - ROWS / 2)
    z[8:13, 30:36] -= 2.0
    return z.astype(np.float32)


def centre(row: int, column: int) -> tuple[float, float]:
    return WEST + CELL * (column + 0.5), NORTH - CELL * (row + 0.5)


def houses() -> gpd.GeoDataFrame:
    """Three by the river, one in the hollow, one on the ridge; sides along the cells."""
    where = [(19, 10), (19, 30), (21, 50), (11, 32), (1, 20)]
    boxes = [
        shapely.box(x - 7.5, y - 7.5, x + 7.5, y + 7.5) for x, y in (centre(*at) for at in where)
    ]
    return gpd.GeoDataFrame(
        {
            "id": [f"h{i}" for i in range(5)],
            "levels": [1, 2, 3, 1, 2],
            "use": ["house", "retail", "warehouse", "house", "house"],
        },
        geometry=boxes,
        crs=EPSG,
    )


class Valleys:
    """Writes territories and computes on them."""

    def __init__(self, make_folder):
        self._make_folder = make_folder
        self.case = UseCase.find("flood-risk")

    def territory(self, *, levels=None, transform=None, crs=EPSG, roles=None, terrain=None,
                  country="FR"):  # fmt: skip
        """The valley with other levels, grid or CRS, and more roles: (data, more of the source)."""
        folder: Path = self._make_folder()
        where = transform or Affine(CELL, 0, WEST, 0, -CELL, NORTH)
        self.raster(
            folder / "terrain.tif", valley_levels() if levels is None else levels, where, crs
        )
        box = shapely.box(WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
        gpd.GeoDataFrame(geometry=[box], crs=EPSG).to_parquet(folder / "boundary.parquet")
        sources = {
            "terrain": NAMED
            | {"protocol": "file", "path": "terrain.tif", "unit": "m"}
            | (terrain or {}),
        }
        for role, (data, more) in ({"buildings": (houses(), {})} | (roles or {})).items():
            path = folder / f"{role}.csv"
            if isinstance(data, gpd.GeoDataFrame):
                path = path.with_suffix(".parquet")
                data.to_parquet(path)
            elif isinstance(data, pd.DataFrame):
                data.to_csv(path, index=False)
            else:
                path = path.with_suffix(".tif")
                self.raster(path, np.asarray(data, np.float32), where, EPSG)
            sources[role] = NAMED | {"protocol": "file", "path": path.name} | more
        text = {
            "id": "valley", "names": {"en": "Valley", "fr": "Vallée"}, "country": country,
            "codes": {"national": "V"}, "crs": f"EPSG:{EPSG}", "languages": ["en"],
            "boundary": NAMED | {"protocol": "file", "path": "boundary.parquet"},
            "sources": sources,
        }  # fmt: skip
        (folder / "territory.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
        return Territory.read(folder)

    @staticmethod
    def raster(path, values, transform, crs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(
                path, "w", driver="GTiff", count=1, dtype="float32", nodata=np.nan, crs=crs,
                height=values.shape[0], width=values.shape[1], transform=transform,
            ) as file:  # fmt: skip
                file.write(values.astype(np.float32), 1)

    def parameters(self, place, **given):
        return self.case.validate(QUICK | given, territory=place)

    def inputs(self, place):
        return load(self.case, place)

    def compute(self, place, **given):
        """Run the use case and hold the result against the manifest."""
        result = self.case.compute(self.inputs(place), self.parameters(place, **given))
        result.check(self.case)
        return result
