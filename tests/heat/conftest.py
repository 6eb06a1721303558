"""Monaco with other sources: what the tests of the heat-island use case share."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from ldt_toolbox.results import Results
from ldt_toolbox.sources import Inputs, Layer, load, load_role
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

CRS = "EPSG:32632"
QUICK = {"cell_size_m": 20, "monte_carlo_draws": 0}


class Bench:
    """Builds territories out of the bundled Monaco, loads roles of them and computes."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self.case = UseCase.find("heat-islands")
        self.bundled = Territory.find("monaco")

    def place(
        self,
        sources: dict[str, dict[str, Any]] | None = None,
        *,
        keep: tuple[str, ...] | None = None,
        boundary: dict[str, Any] | None = None,
    ) -> Territory:
        """Monaco with more sources; of its own only those to keep, if they are named.

        Each source is given by `data` (written to a file), and what territory.yaml says of it.
        """
        folder = self._folder()
        shutil.copytree(self.bundled.folder, folder, dirs_exist_ok=True)
        told = yaml.safe_load((folder / "territory.yaml").read_text(encoding="utf-8"))
        told["boundary"] |= boundary or {}
        if keep is not None:
            told["sources"] = {role: told["sources"][role] for role in keep}
        for role, given in (sources or {}).items():
            spec = dict(given)
            data = spec.pop("data", None)
            if data is not None:
                spec["path"] = write(data, folder / "data" / role)
            told["sources"][role] = {
                "protocol": "file", "source": "made by a test, seed 0", "licence": "CC0-1.0",
                "date": "2025-07-15", "provenance": "synthetic",
            } | spec  # fmt: skip
        (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
        return Territory.read(folder)

    def inputs(self, place: Territory, *roles: str) -> Inputs:
        """Only these roles, or all of them."""
        if not roles:
            return load(self.case, place)
        layers: dict[str, Layer] = {role: load_role(self.case.roles[role], place) for role in roles}
        return Inputs(place, layers)

    def parameters(self, place: Territory | None = None, **given: Any) -> Any:
        """Validated, on a coarse grid and without draws unless said otherwise."""
        return self.case.validate(QUICK | given, territory=place or self.bundled)

    def compute(self, place: Territory, **given: Any) -> Results:
        """Run the use case and hold the result against the manifest."""
        result = self.case.compute(self.inputs(place), self.parameters(place, **given))
        result.check(self.case)
        return result


def write(data: Any, stem: Path) -> str:
    """Write vector, table, or (values, transform[, options]) raster; path from the territory."""
    if isinstance(data, gpd.GeoDataFrame):
        path = stem.with_suffix(".geojson")
        data.to_crs("EPSG:4326").to_file(path, driver="GeoJSON")
    elif isinstance(data, tuple):
        path = stem.with_suffix(".tif")
        values, transform = data[:2]
        profile = {"driver": "GTiff", "count": 1, "height": values.shape[0],
                   "width": values.shape[1], "dtype": values.dtype, "crs": CRS,
                   "transform": transform}  # fmt: skip
        if values.dtype.kind == "f":
            profile["nodata"] = np.nan
        with rasterio.open(path, "w", **profile) as file:
            file.write(values, 1)
    else:
        path = stem.with_suffix(".csv")
        data.to_csv(path, index=False)
    return f"data/{path.name}"


def cells_around(
    place: Territory, *, cell_m: float, beyond_m: float, snap_m: float | None = None
) -> tuple[Affine, np.ndarray, np.ndarray]:
    """Transform of a grid around a territory, and the centres of its cells."""
    west, south, east, north = place.boundary_geometry.bounds
    step = snap_m or cell_m
    left = np.floor((west - beyond_m) / step) * step
    top = np.ceil((north + beyond_m) / step) * step
    columns = int(np.ceil((east + beyond_m - left) / step) * step / cell_m)
    rows = int(np.ceil((top - south + beyond_m) / step) * step / cell_m)
    transform = Affine(cell_m, 0, left, 0, -cell_m, top)
    x, y = np.meshgrid(
        left + cell_m * (np.arange(columns) + 0.5), top - cell_m * (np.arange(rows) + 0.5)
    )
    return transform, x, y


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(lambda: tmp_path_factory.mktemp("monaco"))
