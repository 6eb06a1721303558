"""The record of a run names what a broker sent, and the run's folder keeps it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ldt_toolbox.run import run
from ldt_toolbox.sources import file_sha256
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

# zmq and traitlets of the notebook's machinery warn about their own future
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
SECRET = "s3cr3t-of-a-broker"  # noqa: S105
QUICK = {"cell_size_m": 20, "monte_carlo_draws": 2}


def place(folder: Path, **source: str | dict[str, str]) -> Territory:
    """Monaco with one more source: stations."""
    monaco = Territory.find("monaco")
    shutil.copytree(monaco.folder, folder, dirs_exist_ok=True)
    told = yaml.safe_load(monaco.path.read_text(encoding="utf-8"))
    told["sources"]["stations"] = {
        "protocol": "ngsi-ld", "type": "WeatherObserved", "source": "a test", "licence": "CC0-1.0",
        "columns": {"temperature_c": "temperature"}, "provenance": "observed",
        "from": "2025-07-01T00:00:00Z", "until": "2025-07-02T00:00:00Z",
    } | source  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return Territory.read(folder)


def test_a_run_can_be_checked_and_repeated_without_the_broker(
    broker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", SECRET)
    one = {"id": "urn:ngsi-ld:WeatherObserved:1", "type": "WeatherObserved"}
    point = {"type": "Point", "coordinates": [7.42, 43.735]}
    broker.put(one | {"location": {"type": "GeoProperty", "value": point}})
    broker.temporal[one["id"]] = one | {
        "temperature": [
            {"type": "Property", "value": 24 + hour / 4, "unitCode": "CEL",
             "observedAt": f"2025-07-01T{hour:02d}:00:00Z"}
            for hour in range(24)
        ]
    }  # fmt: skip
    case = UseCase.find("heat-islands")
    live = place(tmp_path / "place", url=broker.server.url, auth={"token_env": "A_TOKEN"})
    first = run(case, live, QUICK, out=tmp_path / "out")
    kept = first.folder / "inputs" / "stations.json"
    crate = json.loads((first.folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    graph = {entity["@id"]: entity for entity in crate["@graph"]}
    record = graph["#input-stations"]
    assert record["url"] == broker.server.url
    assert record["sha256"] == file_sha256(kept) == graph["inputs/stations.json"]["sha256"]
    assert record["hasPart"] == {"@id": "inputs/stations.json"}
    assert json.loads(record["query"])["until"] == "2025-07-02T00:00:00Z"
    action = next(e for e in graph.values() if e["@type"] == "CreateAction")
    assert action["startTime"][:19] <= record["sdDatePublished"][:19] <= action["endTime"][:19]
    for path in first.folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path.name
    shutil.copy(kept, tmp_path / "place" / "stations.json")
    broker.server.requests.clear()
    frozen = place(
        tmp_path / "place", url=broker.server.url, snapshot="stations.json", sha256=record["sha256"]
    )
    again = run(case, frozen, QUICK, out=tmp_path / "out")
    assert broker.server.requests == []
    for name in ("indicators.json", "tables/stations.csv", "inputs/stations.json"):
        assert (again.folder / name).read_bytes() == (first.folder / name).read_bytes(), name
