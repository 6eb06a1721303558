"""A small but complete result of heat-islands, made up from its manifest."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from ldt_toolbox.report import InputRecord, write_report
from ldt_toolbox.results import Indicator, Note, Results
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import Output, UseCase
from pyproj import CRS
from shapely.geometry import Polygon, box

GRID = CRS.from_epsg(32632)
WEST, NORTH, CELL_M, ROWS, COLUMNS = 370_000.0, 4_845_000.0, 20.0, 30, 50

TERRITORY = """\
id: hamlet
names: {{en: "{name}", fr: "{name}"}}
country: FR
codes: {{national: "1"}}
crs: EPSG:32632
languages: [{language}]
boundary: {{protocol: file, path: boundary.parquet, source: a test, licence: CC0-1.0,
  provenance: synthetic}}
sources:
  buildings: {{protocol: file, path: boundary.parquet, source: a test, licence: CC0-1.0,
    provenance: synthetic}}
"""

INPUTS = (
    InputRecord(
        role="buildings",
        title="Buildings",
        source="OpenStreetMap contributors",
        url="https://www.openstreetmap.org",
        licence="ODbL-1.0",
        attribution="© OpenStreetMap contributors",
        date="2023-12-26",
        provenance="observed",
        sha256="ab" * 32,
        note="39 of 1285 buildings have a height",
    ),
    InputRecord(role="air_temperature", source="a school's <i>thermometer</i>", licence=""),
)


@dataclass
class Example:
    """A run's folder and what it was made from."""

    run: Path
    case: UseCase
    territory: Territory
    results: Results
    inputs: tuple[InputRecord, ...] = INPUTS

    def save(self) -> None:
        self.results.write(self.run, self.case, territory=self.territory.id)


@pytest.fixture(scope="session")
def case() -> UseCase:
    return UseCase.find("heat-islands")


@pytest.fixture(scope="session")
def hamlet(tmp_path_factory: pytest.TempPathFactory):
    """Make a territory with a name and a first language."""

    def make(name: str = "Hameau", language: str = "fr") -> Territory:
        folder = tmp_path_factory.mktemp("territory")
        edge = box(WEST + 40, NORTH - CELL_M * ROWS + 40, WEST + CELL_M * COLUMNS - 40, NORTH - 40)
        gpd.GeoDataFrame(geometry=[edge], crs="EPSG:32632").to_parquet(folder / "boundary.parquet")
        text = TERRITORY.format(name=name, language=language)
        (folder / "territory.yaml").write_text(text, encoding="utf-8")
        return Territory.read(folder)

    return make


def _example(case: UseCase, territory: Territory, folder: Path) -> Example:
    run = folder / "20250715T120000Z-abc123"
    run.mkdir()
    made = Example(run, case, territory, complete_results(case))
    made.save()
    return made


@pytest.fixture
def example(case: UseCase, hamlet, tmp_path: Path, monkeypatch) -> Example:
    """Only what the manifest does not call optional, in the folder of a run; no maps, for speed."""
    monkeypatch.setattr("ldt_toolbox.report.page.map_pieces", lambda *_, **__: iter(()))
    return _example(case, hamlet(), tmp_path)


@pytest.fixture
def drawn(case: UseCase, hamlet, tmp_path: Path) -> Example:
    """The same, maps and all."""
    return _example(case, hamlet(), tmp_path)


@pytest.fixture(scope="session")
def written(case: UseCase, hamlet, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The same, maps and all, its report written once: only to be read."""
    made = _example(case, hamlet(), tmp_path_factory.mktemp("written"))
    write_report(made.run, case, made.territory, parameters=case.validate({}), inputs=made.inputs)
    return made


def grid(values: np.ndarray, unit: str = "1", nodata: int | None = None) -> Raster:
    return Raster(values, Affine(CELL_M, 0, WEST, 0, -CELL_M, NORTH), GRID, unit, nodata)


def complete_results(case: UseCase) -> Results:
    """Every output that is not optional, told by the manifest alone; hottest in the north-east."""
    return Results(
        answer={"en": "It stays hot in 40 % of the place.", "fr": "Il fait chaud sur 40 %."},
        weight={"en": "m² of floor", "fr": "m² de plancher"},
        indicators={
            key: Indicator(0.0 + 1.234 * (i + 1), 1.1 * (i + 1), 1.4 * (i + 1),
                           "5th to 95th percentile of 40 draws")
            for i, (key, one) in enumerate(case.indicators.items())
            if not one.optional
        },
        layers={key: _layer(one) for key, one in case.layers.items() if not one.optional},
        tables={key: _table(one) for key, one in case.tables.items() if not one.optional},
        notes=[
            Note("gap", {"en": "No trees: streets look hotter.", "fr": "Pas d'arbres."}),
            Note("repair", {"en": "2 polygons were mended.", "fr": "2 polygones réparés."}),
        ],
    )  # fmt: skip


def _layer(output: Output):
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    field = (columns + (ROWS - rows)) / (ROWS + COLUMNS)
    if output.spec["kind"] == "vector":
        corners = [
            (WEST + x, NORTH - y - 60) for x in range(60, 900, 80) for y in range(60, 500, 80)
        ]
        shapes: list[Polygon] = [box(x, y, x + 50, y + 50) for x, y in corners]
        values = np.array([(x - WEST) + (y - NORTH + 600) for x, y in corners]) / 1600
        return gpd.GeoDataFrame({output.spec["column"]: values}, geometry=shapes, crs="EPSG:32632")
    if output.spec.get("map") == "classes":
        codes = np.array(sorted(int(c) for c in output.spec["classes"]))
        values = codes[(columns // 6) % len(codes)].astype(np.uint8)
        raster = grid(values, output.unit, nodata=255)
    else:
        sign = -1 if output.spec.get("map") == "sequential_reversed" else 1
        raster = grid((sign * field).astype(np.float32), output.unit)
        raster.values[:2, :] = np.nan
    return raster


def _table(output: Output, rows: int = 26) -> pd.DataFrame:
    data: dict[str, list[object]] = {}
    for name, spec in output.spec["columns"].items():
        data[name] = (
            [1234.5678 * (i + 1) for i in range(rows)]
            if "unit" in spec
            else [f"{name} {i}" for i in range(rows)]
        )
    return pd.DataFrame(data)
