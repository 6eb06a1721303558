"""A use case that takes a moment, its territory, and a twin that serves its stations."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.models import contexts
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.seed_sensors import sensors
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.use_case import UseCase

WEATHER = contexts.context_of("WeatherObserved")[0]
NIGHT = datetime(2025, 7, 15, tzinfo=UTC)

MANIFEST = {
    "schema_version": 1,
    "id": "mean-warmth",
    "version": "1.0.0",
    "title": {"en": "Mean warmth", "fr": "Chaleur moyenne"},
    "question": {"en": "How warm is it?", "fr": "Quelle chaleur ?"},
    "purpose": {"iso37101_purposes": ["resilience"]},
    "evidence": [{"where": "a test", "what": "a mean"}],
    "method": [{"en": "a mean", "fr": "une moyenne"}],
    "limits": [{"en": "a test", "fr": "un test"}],
    "compute": "mean_warmth:compute",
    "notebook": "notebook.ipynb",
    "roles": {
        "stations": {
            "kind": "vector", "geometry": "point", "required": True, "margin_km": 5, "unit": "CEL",
            "accepts": ["ngsi-ld"], "help": {"en": "Stations", "fr": "Stations"},
            "columns": {
                "temperature_c": {
                    "required": True, "unit": "CEL", "help": {"en": "warmth", "fr": "chaleur"},
                },
            },
        },
        "buildings": {
            "kind": "vector", "geometry": "polygon", "required": True, "accepts": ["file"],
            "help": {"en": "Buildings", "fr": "Bâtiments"},
        },
    },
    "parameters": {
        "pause_s": {
            "type": "number", "unit": "SEC", "min": 0, "max": 60, "default": 0, "source": "a test",
            "help": {"en": "how long it takes", "fr": "durée"},
        },
    },
    "outputs": {
        "indicators": {
            "warmth": {
                "unit": "CEL", "mim8": "model_output", "headline": True,
                "label": {"en": "Warmth", "fr": "Chaleur"}, "help": {"en": "mean", "fr": "moyenne"},
            },
            "buildings": {
                "unit": "C62", "mim8": "model_output",
                "label": {"en": "Buildings", "fr": "Bâtiments"},
                "help": {"en": "number", "fr": "nombre"},
            },
        },
    },
    "resources": {"memory_gb": 0.1, "minutes": 1},
}  # fmt: skip

CODE = """
import os
import time
from pathlib import Path

from ldt_toolbox.errors import DataError
from ldt_toolbox.results import Indicator, Results

HERE = Path(__file__).parent


def houses(inputs):
    return len(inputs.frame("buildings"))


def warmth(inputs):
    return float(inputs.frame("stations")["temperature_c"].mean())


def compute(inputs, parameters):
    with (HERE / "running.txt").open("a") as file:
        file.write("start\\\\n")
        file.flush()
        time.sleep(parameters.pause_s)
        file.write("end\\\\n")
    if (HERE / "die.txt").exists():
        (HERE / "die.txt").unlink()
        os._exit(9)
    if (HERE / "fail.txt").exists():
        (HERE / "fail.txt").unlink()
        raise DataError("the stations make no sense: check them")
    return Results(
        answer={"en": "so", "fr": "ainsi"},
        indicators={
            "warmth": Indicator(round(inputs.step(warmth, inputs), 3)),
            "buildings": Indicator(inputs.step(houses, inputs)),
        },
    )
""".replace("\\\\n", "\\n")


@pytest.fixture
def twin():
    with Twin() as running:
        yield running


@pytest.fixture
def sky(twin):
    """A client that knows the terms of weather."""
    with NgsiLd(twin.ngsi_ld, context=WEATHER) as client:
        yield client


@pytest.fixture
def stations(sky):
    """Two stations with a reading of 20 and 24 °C."""
    made = sensors(Territory.find("east-london"), count=2)[:2]
    entities = []
    for one, value in zip(made, (20.0, 24.0), strict=True):
        entity = one.entity(NIGHT, step_s=3600)
        entity["temperature"] = {**entity["temperature"], "value": value}
        entities.append(entity)
    sky.batch.upsert(entities).raise_for_errors()
    return [entity["id"] for entity in entities]


@pytest.fixture
def place(twin, tmp_path: Path, stations) -> Territory:
    folder = tmp_path / "town"
    town = Territory.find("east-london")
    shutil.copytree(town.folder, folder)
    told = yaml.safe_load(town.path.read_text(encoding="utf-8"))
    told["sources"]["stations"] = {
        "protocol": "ngsi-ld", "url": twin.ngsi_ld, "context": WEATHER, "type": "WeatherObserved",
        "columns": {"temperature_c": "temperature"}, "from": "2025-07-14T00:00:00Z",
        "until": "2025-07-17T00:00:00Z", "source": "a test", "licence": "CC0-1.0",
        "provenance": "observed",
    }  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return Territory.read(folder)


@pytest.fixture
def case(tmp_path: Path, monkeypatch) -> UseCase:
    """The use case in a folder of its own, which the worker process finds too."""
    folder = tmp_path / "mean-warmth"
    folder.mkdir()
    (folder / "use-case.yaml").write_text(yaml.safe_dump(MANIFEST), encoding="utf-8")
    (folder / "mean_warmth.py").write_text(CODE, encoding="utf-8")
    (folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    return UseCase.read(folder)


@pytest.fixture
def report(sky):
    """Let a station report a temperature at an hour."""

    def send(station: str, value: float, hour: int) -> None:
        reading = {"type": "Property", "value": value, "unitCode": "CEL",
                   "observedAt": f"2025-07-15T{hour:02d}:00:00Z"}  # fmt: skip
        sky.entities.update_attributes(station, {"temperature": reading})

    return send
