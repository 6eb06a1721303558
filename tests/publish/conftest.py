"""A run of a use case of one's own, made without a notebook, and places to publish it to."""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import requests
from affine import Affine
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.publish import FinishedRun
from ldt_toolbox.record import input_records, write_record
from ldt_toolbox.results import Indicator, Note, Results
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.use_case import UseCase
from pyproj import CRS
from shapely import box

CASE, PLACE, RUN_ID = "wet-feet", "monaco", "20260701T120000Z-abc123"


def _results(*, rows: int = 8, suppressed: tuple[str, ...] = ()) -> Results:
    crs, corner = CRS.from_epsg(32632), (374000.0, 4844000.0)
    depth = np.zeros((rows, 10), dtype=np.float32)
    depth[8:] = 40.0  # further rows are under water
    depth[:4, :4] = 80.0  # one cell of 20 m, 5 m each
    depth[4:, 8:] = 20.0  # the last block is half a cell wide
    depth[0, 0] = np.nan
    transform = Affine(5, 0, corner[0], 0, -5, corner[1])
    shapes = [box(corner[0] + 30 * i, corner[1], corner[0] + 30 * i + 9, corner[1] + 9)
              for i in range(4)]  # fmt: skip
    wet = gpd.GeoDataFrame(
        {"name": ["town hall", "school", "dry", "broken"], "depth_m": [0.4, 1.25, np.nan, 500.0],
         "hours": [3.0, np.nan, np.nan, 1.0]},
        geometry=shapes, crs=crs,
    )  # fmt: skip
    if suppressed:
        wet["suppressed"] = wet["name"].isin(suppressed)
    return Results(
        answer={"en": "Ankles.", "fr": "Chevilles."},
        weight={"en": "people", "fr": "habitants"},
        indicators={
            "worst": Indicator(1.25, 0.9, 1.75, "5th to 95th percentile of 40 draws"),
            "wet_share": Indicator(0.125, 0.1, 0.2, "range of three models", "synthetic"),
            "lost_rain": Indicator(4.5),
            "people": Indicator(1200, provenance="observed"),
            "unknown": Indicator(None),
        },
        layers={
            "depth": Raster(depth, transform, crs, "CMT"),
            "wet_buildings": wet,
            "ground": Raster(np.ones((8, 10), dtype=np.float32), transform, crs, "MTR"),
        },
        tables={"measures": pd.DataFrame({"measure": ["dyke"], "cost": [3.5]})},
        notes=[Note("assumption", {"en": "The sea is calm.", "fr": "La mer est calme."})],
        synthetic=("wet_buildings",),
    )


def finished_run(
    folder: Path, *, run_id: str = RUN_ID, worst: float = 1.25, **shape: Any
) -> FinishedRun:
    """Write a run and read it back; `shape` is that of the layers."""
    case_folder = folder / "use-cases" / CASE
    case_folder.mkdir(parents=True, exist_ok=True)
    manifest = Path(__file__).with_name(f"{CASE}.yaml").read_text(encoding="utf-8")
    (case_folder / "use-case.yaml").write_text(manifest, encoding="utf-8")
    (case_folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
    case, place = UseCase.read(case_folder), Territory.find(PLACE)
    results = _results(**shape)
    results.indicators["worst"] = Indicator(worst, 0.9, 1.75, "5th to 95th percentile of 40 draws")
    out = folder / run_id
    results.write(out, case, territory=PLACE)
    start = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
    write_record(
        out, case, place, parameters={"rain_mm": 50.0}, inputs=input_records(case, place),
        run_id=run_id, start=start, end=start.replace(minute=1), peak_memory_mb=100.0,
    )  # fmt: skip
    return FinishedRun.read(out, case=case)


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    """One finished run."""
    return finished_run(tmp_path)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., FinishedRun]:
    """Make further runs with their own `run_id` and value `worst`."""
    return lambda **differing: finished_run(tmp_path, **differing)


@pytest.fixture
def twin() -> Iterator[Twin]:
    """A local twin, empty."""
    with Twin() as started:
        yield started


@pytest.fixture
def client(twin: Twin) -> Iterator[NgsiLd]:
    """A client of the twin."""
    with NgsiLd(twin.ngsi_ld) as made:
        yield made


class Between:
    """Stands between client and twin: lets so many writes through, spoils or refuses others."""

    def __init__(self, twin: Twin, hostile: Any) -> None:
        self._twin, self._hostile = twin, hostile
        self.writes_left = 10**9
        self.after_the_write = False  # cut the answer instead of the request
        self.refused: dict[str, str] = {}

    def __call__(self, request: Any) -> Any:
        body = request.body
        refused: list[Any] = []
        if request.method == "POST" and not request.path.endswith("/query"):
            self.writes_left -= 1
            if self.writes_left < 0:
                if self.after_the_write:
                    self._forward(request, body)
                return self._hostile.Raw([], reset=True)
            items = json.loads(body)
            ids = [item if isinstance(item, str) else item["id"] for item in items]
            refused = [one for one in ids if one in self.refused]
            kept = [item for item, one in zip(items, ids, strict=True) if one not in self.refused]
            body = json.dumps(kept).encode()
        answer = self._forward(request, body)
        if refused:
            assert answer.status_code in (201, 204)
            errors = [{"entityId": one, "error": {"title": self.refused[one]}} for one in refused]
            success = [one for one in ids if one not in self.refused]
            return self._hostile.Reply(207, {"success": success, "errors": errors})
        headers = [(name, answer.headers[name]) for name in ("NGSILD-Results-Count", "Link")
                   if name in answer.headers]  # fmt: skip
        media = answer.headers.get("Content-Type", "application/json")
        return self._hostile.Reply(answer.status_code, answer.content, headers, media)

    def _forward(self, request: Any, body: bytes) -> requests.Response:
        kept = ("content-type", "accept", "ngsild-tenant", "link")
        headers = {name: value for name, value in request.headers.items() if name.lower() in kept}
        return requests.request(
            request.method, self._twin.url + request.target, data=body, headers=headers, timeout=20
        )


@pytest.fixture
def between(twin: Twin) -> Iterator[tuple[Between, NgsiLd]]:
    """A faulty way to the twin, and a client that takes it."""
    path = Path(__file__).parents[1] / "servers" / "hostile.py"
    spec = importlib.util.spec_from_file_location("publish_hostile", path)
    assert spec is not None
    assert spec.loader is not None
    hostile = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = hostile
    spec.loader.exec_module(hostile)
    way = Between(twin, hostile)
    with hostile.HostileServer() as server, NgsiLd(server.url) as client:
        server.route("*", "*", way)
        yield way, client
