"""A use case as an OGC process: its description and its inputs."""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import LDTError
from ldt_toolbox.parameters import Parameter
from ldt_toolbox.territory import Territory, bundled_territories
from ldt_toolbox.twin.ogc.layers import RunFolder
from ldt_toolbox.use_case import Output, UseCase, use_case_folders

_LOG = logging.getLogger(__name__)
PARQUET = "application/vnd.apache.parquet"
GEOTIFF = "image/tiff; application=geotiff"
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "choice": {"type": "string"},
}
_LISTS = {"integers": "integer", "numbers": "number", "texts": "text"}
_SUFFIXES = {".tif": GEOTIFF, ".parquet": PARQUET, ".csv": "text/csv"}


@lru_cache(maxsize=64)
def _read(folder: Path, _: float) -> UseCase | None:
    try:
        return UseCase.read(folder)
    except LDTError as error:
        _LOG.warning("a use case cannot be offered: %s", error)
        return None


def use_cases() -> dict[str, UseCase]:
    """Use cases that can be read, by id."""
    found = {}
    for name, folder in use_case_folders():
        case = _read(folder, (folder / "use-case.yaml").stat().st_mtime)
        if case is not None:
            found[name] = case
    return found


def territories(more: Iterable[Path]) -> dict[str, str]:
    """Territories by id, with what `Territory.find` takes."""
    found = {name: name for name, _ in bundled_territories()}
    for path in more:
        found[Territory.find(path).id] = str(path)
    return found


def schema(parameter: Parameter) -> dict[str, Any]:
    """JSON Schema of a parameter, with its range, choices, default and unit."""
    item = _LISTS.get(parameter.type)
    found = dict(_TYPES[item or parameter.type])
    if parameter.choices:
        found["enum"] = list(parameter.choices)
    whole = found["type"] == "integer"
    for word, value in (("minimum", parameter.min), ("maximum", parameter.max)):
        if value is not None:
            found[word] = int(value) if whole else value
    if item:
        found = {"type": "array", "items": found}
    found["default"] = parameter.default
    if parameter.default is None:
        found["nullable"] = True
    if parameter.unit:
        found |= {"x-ogc-unit": parameter.unit, "x-ogc-unitLang": "UN/CEFACT"}
    return found


def inputs(case: UseCase, known: Iterable[str]) -> dict[str, Any]:
    """Inputs of a process: the territory and the parameters of the manifest."""
    found: dict[str, Any] = {
        "territory": {
            "title": "Territory",
            "description": "Where; ids as `ldt territories` lists them",
            "schema": {"type": "string", "enum": list(known)},
            "minOccurs": 1,
            "maxOccurs": 1,
        }
    }
    for name, parameter in case.parameters.items():
        found[name] = {
            "title": name.replace("_", " "),
            "description": parameter.help["en"],
            "schema": schema(parameter),
            "minOccurs": 0,
            "maxOccurs": 1,
        }
    return found


def _output(output: Output, media: str) -> dict[str, Any]:
    binary = not media.startswith(("text/", "application/json"))
    kind = {"type": "string", "contentMediaType": media}
    if binary:
        kind["contentEncoding"] = "binary"
    return {"title": output.title["en"], "description": output.help["en"], "schema": kind}


def outputs(case: UseCase) -> dict[str, Any]:
    """Outputs of a process: layers, tables, the indicators as one document, and the report."""
    found: dict[str, Any] = {}
    for key, output in case.layers.items():
        media = GEOTIFF if output.spec.get("kind") == "raster" else PARQUET
        found[_name(case, "layers", key)] = _output(output, media)
    for key, output in case.tables.items():
        found[_name(case, "tables", key)] = _output(output, "text/csv")
    found["indicators"] = {
        "title": "Indicators",
        "description": "; ".join(output.title["en"] for output in case.indicators.values()),
        "schema": {"type": "object", "contentMediaType": "application/json"},
    }
    found["report"] = {
        "title": "Report",
        "description": "The page to read",
        "schema": {"type": "string", "contentMediaType": "text/html"},
    }
    return found


def _name(case: UseCase, group: str, key: str) -> str:
    """Name of an output; two groups can share a key."""
    taken = key in ("indicators", "report") or (group == "tables" and key in case.layers)
    return f"{group}.{key}" if taken else key


def results(case: UseCase, run: RunFolder) -> dict[str, tuple[str, str]]:
    """File in the run and media type of each output that the run has."""
    files = run.files()
    found = {}
    for group, suffixes in (("layers", (".tif", ".parquet")), ("tables", (".csv",))):
        for key in getattr(case, group):
            for suffix in suffixes:
                name = f"{group}/{key}{suffix}"
                if name in files:
                    found[_name(case, group, key)] = (name, _SUFFIXES[suffix])
    for key, name, media in (
        ("indicators", "indicators.json", "application/json"),
        ("report", "report.html", "text/html"),
    ):
        if name in files:
            found[key] = (name, media)
    return found


def summary(case: UseCase) -> dict[str, Any]:
    """Summary of a process."""
    return {
        "id": case.id,
        "title": case.title["en"],
        "description": case.question["en"],
        "version": case.version,
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["reference"],
    }
