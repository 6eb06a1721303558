"""The record of a run: an RO-Crate that says what went in, what came out, and how."""

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ldt_toolbox.report.inputs import InputRecord
from ldt_toolbox.sources import file_sha256
from ldt_toolbox.sources.received import INPUTS
from ldt_toolbox.territory import Source, Territory
from ldt_toolbox.use_case import UseCase

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
RECORDED_PACKAGES = (
    "ldt-toolbox", "numpy", "numba", "scipy", "pandas", "geopandas", "shapely", "pyproj",
    "rasterio", "matplotlib", "papermill",
)  # fmt: skip
_MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".csv": "text/csv",
    ".json": "application/json",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
}
_LICENCES = {
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "OGL-UK-3.0": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def input_records(
    case: UseCase,
    territory: Territory,
    *,
    received: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[InputRecord]:
    """What went into a run: the boundary and every role that the use case took.

    Parameters
    ----------
    case : UseCase
        Its roles.
    territory : Territory
        Its sources.
    received : mapping of str to mapping, optional
        What servers sent, by role (see `sources.received.descriptions`).
    """
    received = received or {}
    taken = [territory.boundary]
    taken += [territory.sources[role] for role in case.roles if role in territory.sources]
    return [_record(source, case, received.get(source.role, {})) for source in taken]


def _record(source: Source, case: UseCase, received: Mapping[str, Any]) -> InputRecord:
    digest = file_sha256(source.path) if source.path else source.sha256
    role = case.roles.get(source.role)
    title = dict(role.help) if role else {"en": "Boundary", "fr": "Limite"}
    return InputRecord(
        role=source.role, title=title["en"], source=source.source, url=source.url,
        licence=source.licence, attribution=source.attribution, date=source.date,
        provenance=source.provenance, sha256=received.get("sha256", digest), note=source.note,
        accessed=received.get("accessed", ""),
        query=json.dumps(received["query"], ensure_ascii=False) if received else "",
        kept=f"{INPUTS}/{source.role}.json" if received else "",
    )  # fmt: skip


def write_record(
    folder: Path,
    case: UseCase,
    territory: Territory,
    *,
    parameters: Mapping[str, Any],
    inputs: Sequence[InputRecord],
    run_id: str,
    start: datetime,
    end: datetime,
    peak_memory_mb: float,
) -> None:
    """Write `ro-crate-metadata.json` (Process Run Crate) into a run's folder.

    Parameters
    ----------
    folder : pathlib.Path
        The run; every file in it becomes a part of the crate.
    case, territory, parameters, inputs
        As the run had them.
    run_id : str
        Identifier of the run.
    start, end : datetime.datetime
        UTC.
    peak_memory_mb : float
        10^6 bytes.
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    crate.name = f"{case.title['en']} - {territory.name('en')}"
    crate.description = case.question["en"]
    crate.datePublished = end
    crate.license = "https://creativecommons.org/licenses/by/4.0/"
    crate.root_dataset["conformsTo"] = {"@id": PROFILE}
    results = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        properties = {
            "encodingFormat": _MEDIA.get(path.suffix, "application/octet-stream"),
            "contentSize": str(path.stat().st_size),
            "sha256": file_sha256(path),
        }
        output = case.layers.get(path.stem) if name.startswith("layers/") else None
        if output:
            properties |= {"name": output.title["en"], "description": output.help["en"],
                           "unitText": output.unit, "mim8": output.mim8}  # fmt: skip
        results.append(crate.add_file(path, dest_path=name, properties=properties))
    objects: list[Any] = [_input_entity(crate, ContextEntity, one) for one in inputs]
    objects += [
        crate.add(
            ContextEntity(
                crate, f"#parameter-{name}",
                properties={"@type": "PropertyValue", "name": name, "value": _plain(value),
                            "unitText": case.parameters[name].unit},
            )
        )
        for name, value in parameters.items()
    ]  # fmt: skip
    tools = [
        crate.add(
            ContextEntity(
                crate, f"#software-{name}",
                properties={"@type": "SoftwareApplication", "name": name,
                            "softwareVersion": version(name)},
            )
        )
        for name in RECORDED_PACKAGES
    ]  # fmt: skip
    python = ContextEntity(
        crate, "#software-python",
        properties={"@type": "SoftwareApplication", "name": platform.python_implementation(),
                    "softwareVersion": platform.python_version()},
    )  # fmt: skip
    tools.append(crate.add(python))
    peak = ContextEntity(
        crate, "#peak-memory",
        properties={"@type": "PropertyValue", "name": "peak resident memory",
                    "value": round(peak_memory_mb), "unitText": "MB"},
    )  # fmt: skip
    crate.add(peak)
    action = ContextEntity(
        crate, f"#run-{run_id}",
        properties={
            "@type": "CreateAction",
            "name": f"{case.id} {case.version} on {territory.id}",
            "startTime": start.isoformat(),
            "endTime": end.isoformat(),
            "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
        },
    )  # fmt: skip
    crate.add(action)
    action["instrument"] = tools
    action["object"] = objects
    action["result"] = results
    action["additionalProperty"] = [peak]
    crate.root_dataset["mentions"] = [action]
    crate.metadata.write(folder)


def _input_entity(crate: Any, make: Any, one: InputRecord) -> Any:
    properties = {
        "@type": "Dataset",
        "name": one.title,
        "description": one.note,
        "creditText": one.attribution or one.source,
        "datePublished": one.date,
        "license": {"@id": _LICENCES[one.licence]} if one.licence in _LICENCES else one.licence,
        "provenance": one.provenance,
        "sha256": one.sha256,
        "url": one.url,
        # RO-Crate 1.1, web-based data entities: when the address was asked
        "sdDatePublished": one.accessed,
        "query": one.query,
        "hasPart": {"@id": one.kept} if one.kept else None,
    }
    kept = {key: value for key, value in properties.items() if value}
    return crate.add(make(crate, f"#input-{one.role}", properties=kept))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
