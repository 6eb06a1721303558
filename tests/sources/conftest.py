"""A square of one kilometre in a projected grid, and writers of files that lie in it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from ldt_toolbox.territory import Source, Territory
from ldt_toolbox.use_case import Column, Role
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry import box

GRID = CRS.from_epsg(32632)
WEST, SOUTH, SIDE_M = 500_000.0, 5_000_000.0, 1000.0
SQUARE = box(WEST, SOUTH, WEST + SIDE_M, SOUTH + SIDE_M)
BOUNDS = SQUARE.bounds
HEAD = """\
id: square
names: {fr: Carré}
country: FR
codes: {insee: "75107"}
crs: EPSG:2154
languages: [fr]
timezone: Europe/Paris
boundary:
  {protocol: file, path: boundary.geojson, source: a test, licence: CC0-1.0, provenance: derived}
sources:
"""


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Source]:
    def build(name: str, *, role: str = "thing", **fields: object) -> Source:
        return Source(role=role, protocol="file", path=tmp_path / name, **fields)

    return build


@pytest.fixture
def role() -> Callable[..., Role]:
    def build(
        kind: str = "vector",
        columns: Mapping[str, tuple[bool, str]] | None = None,
        **fields: object,
    ) -> Role:
        made = Role(
            id="thing", kind=kind, geometry="", required=True, unit="", columns={},
            accepts=("file",), max_resolution_m=None, margin_km=0.0, categorical=False,
            help={"en": "a thing", "fr": "une chose"}, without={},
        )  # fmt: skip
        named = {n: Column(n, *facts, {}) for n, facts in (columns or {}).items()}
        return replace(made, columns=named, **fields)

    return build


@pytest.fixture
def houses() -> gpd.GeoDataFrame:
    """Three squares of 10 m, 20 m and 30 m."""
    shapes = [box(WEST + x, SOUTH + 100, WEST + x + s, SOUTH + 100 + s) for x, s in
              ((100, 10), (200, 20), (300, 30))]  # fmt: skip
    columns = {"name": ["a", "b", "Émile"], "height_m": ["12", "9 m", None], "levels": [1, 2, 3]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=GRID)


@pytest.fixture
def write_raster(tmp_path: Path) -> Callable[..., Path]:
    def write(
        values: NDArray[np.generic],
        *,
        name: str = "r.tif",
        transform: Affine | None = None,
        crs: str | None = "EPSG:32632",
        scale: float = 1.0,
        offset: float = 0.0,
        **options: object,
    ) -> Path:
        rows, columns = values.shape
        if transform is None:
            transform = Affine(SIDE_M / columns, 0, WEST, 0, -SIDE_M / rows, SOUTH + SIDE_M)
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", width=columns, height=rows, count=1,
            dtype=values.dtype.name, crs=crs, transform=transform, **options,
        ) as file:  # fmt: skip
            file.write(values, 1)
            file.scales, file.offsets = (scale,), (offset,)
        return tmp_path / name

    return write


@pytest.fixture
def territory(tmp_path: Path) -> Callable[..., Territory]:
    def build(**sources: Source) -> Territory:
        frame = gpd.GeoDataFrame({"id": ["1"]}, geometry=[SQUARE], crs=GRID)
        frame.to_parquet(tmp_path / "boundary.parquet")
        return Territory(
            id="square", path=tmp_path / "territory.yaml", names={"en": "Square"}, country="IT",
            codes={}, crs=GRID, languages=("en",), timezone="Europe/Rome",
            boundary=Source(role="boundary", protocol="file", path=tmp_path / "boundary.parquet"),
            sources=sources, parameters={},
        )  # fmt: skip

    return build


def _server_module(name: str) -> Any:
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "servers" / f"{name}.py"
        spec = spec_from_file_location(name, path)
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def broker() -> Iterator[Any]:
    """A context broker of GS CIM 009 in memory; `broker.server` is on a port of this machine."""
    hostile = _server_module("hostile")
    with hostile.HostileServer() as server:
        yield _server_module("ngsi_ld_broker").Broker(
            server, hostile.Reply, _server_module("ngsi_ld_q")
        )


@pytest.fixture
def write_square(tmp_path: Path) -> Callable[..., Path]:
    """Write the territory.yaml of a square in Paris, whose sources begin at line 11."""

    def write(sources: str, *changes: tuple[str, str]) -> Path:
        text = HEAD + sources
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        square = gpd.GeoDataFrame(geometry=[box(2.30, 48.85, 2.31, 48.86)], crs=4326)
        square.to_file(tmp_path / "boundary.geojson")
        path = tmp_path / "territory.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
