"""A finished run, read back from its folder: what publishing has to know of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ldt_toolbox.errors import DataError, LDTError, MissingFileError
from ldt_toolbox.results import Indicator, Note, Results
from ldt_toolbox.sources import file_sha256
from ldt_toolbox.territory import Territory, bundled_territories
from ldt_toolbox.use_case import UseCase

RECORD, INDICATORS = "ro-crate-metadata.json", "indicators.json"
#: What an entity of this run looks like to somebody who has only the file; made by publishing.
ENTITIES = "entities.jsonld"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Input:
    """One input of a run, as its record tells it.

    Attributes
    ----------
    role, title, note, credit, date, licence, provenance, sha256, url : str
        As in `ldt_toolbox.report.inputs.InputRecord`; the licence is an IRI where it is known.
    """

    role: str
    title: str
    note: str
    credit: str
    date: str
    licence: str
    provenance: str
    sha256: str
    url: str


@dataclass(frozen=True)
class File:
    """One file of a run.

    Attributes
    ----------
    path : str
        Inside the run's folder, with slashes.
    media_type : str
        IANA media type.
    size : int
        Bytes.
    sha256 : str
        Of its bytes.
    """

    path: str
    media_type: str
    size: int
    sha256: str

    @property
    def key(self) -> str:
        """Name without folder and ending: the id of the layer or table."""
        return self.path.rpartition("/")[2].partition(".")[0]


@dataclass(frozen=True)
class FinishedRun:
    """A run that came to its end.

    Attributes
    ----------
    id : str
        Identifier of the run; part of every entity's id.
    folder : pathlib.Path
        Where it lies.
    case : UseCase
        Manifest of the use case that ran.
    territory_id : str
        Where it ran.
    territory : Territory or None
        If it can be found.
    document : mapping
        `indicators.json`.
    started, ended : str
        Instants in UTC with a trailing Z.
    parameters : mapping of str to object
        By name, without those that were left to the use case.
    software_version : str
        Version of ldt-toolbox.
    licence : str
        IRI of the licence of the results.
    inputs : tuple of Input
        What it read.
    files : tuple of File
        What it wrote, without the record.
    """

    id: str
    folder: Path
    case: UseCase
    territory_id: str
    territory: Territory | None
    document: Mapping[str, Any]
    started: str
    ended: str
    parameters: Mapping[str, Any]
    software_version: str
    licence: str
    inputs: tuple[Input, ...]
    files: tuple[File, ...]

    @classmethod
    def read(
        cls,
        folder: Path,
        *,
        case: UseCase | None = None,
        territory: Territory | None = None,
        whole: bool = True,
    ) -> "FinishedRun":
        """Read a run's folder and check that its results are those of its record.

        Parameters
        ----------
        folder : pathlib.Path
            What `ldt run` wrote.
        case, territory : optional
            Taken as they are; else found by the ids in the folder.
        whole : bool
            Whether its results must be there and be those of its record. To undo a publication
            they need not.

        Raises
        ------
        MissingFileError
            If the folder holds no finished run, or a result is not there.
        DataError
            If a result was changed after the run.
        """
        for name in (RECORD, INDICATORS):
            if not (folder / name).is_file():
                raise MissingFileError(
                    f"{folder} is no finished run (no {name}): give the folder that `ldt run` "
                    "printed"
                )
        try:
            return cls._read(folder, case, territory, whole)
        except (KeyError, StopIteration, TypeError, AttributeError) as error:
            if isinstance(error, LDTError):
                raise
            raise DataError(
                f"{folder / RECORD} is no record of `ldt run` ({type(error).__name__}: {error}): "
                "run the use case again"
            ) from error

    @classmethod
    def _read(
        cls, folder: Path, case: UseCase | None, territory: Territory | None, whole: bool
    ) -> "FinishedRun":
        graph = _json(folder / RECORD)["@graph"]
        document = _json(folder / INDICATORS)
        nodes = {node["@id"]: node for node in graph}
        action = next(node for node in graph if node["@type"] == "CreateAction")
        place = _plain_name(document["territory"], "territory")
        near = territory or _bundled(place)
        files = tuple(_files(folder, nodes, action, whole))
        return cls(
            id=_plain_name(action["@id"].removeprefix("#run-"), "run"),
            folder=folder,
            case=case or UseCase.find(document["use_case"], near=near.folder if near else None),
            territory_id=place,
            territory=near,
            document=document,
            started=_utc(action["startTime"]),
            ended=_utc(action["endTime"]),
            parameters=dict(_parameters(nodes, action)),
            software_version=nodes.get("#software-ldt-toolbox", {}).get("softwareVersion", ""),
            licence=_reference(nodes["./"].get("license", "")),
            inputs=tuple(_inputs(nodes, action)),
            files=files,
        )

    @property
    def version(self) -> str:
        """Version of the use case that ran."""
        return str(self.document["use_case_version"])

    @property
    def place(self) -> str:
        """Name of the territory, or its id."""
        return self.territory.name() if self.territory else self.territory_id

    @property
    def notes(self) -> list[Note]:
        """What a reader of the results has to know."""
        return [Note(one["kind"], one["text"]) for one in self.document["notes"]]

    @property
    def synthetic(self) -> tuple[str, ...]:
        """Layers and tables that rest on synthetic data."""
        return tuple(self.document["synthetic"])

    def provider(self, name: str, *, synthetic: bool) -> str:
        """Who provides a result; what rests on synthetic data says so first."""
        if synthetic:
            return f"synthetic:{name}"
        return f"ldt-toolbox {self.case.id} {self.version}"

    @cached_property
    def results(self) -> Results:
        """Layers, tables and indicators."""
        return Results.read(self.folder)

    @property
    def indicators(self) -> dict[str, Indicator]:
        """By id, as the run stored them."""
        return self.results.indicators


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}): run the use case again") from None


def _plain_name(name: str, what: str) -> str:
    """Ids become names of folders: none may lead elsewhere."""
    if not _NAME.fullmatch(name):
        raise DataError(f"{what} `{name:.80}` is no plain name: run the use case again")
    return name


def _bundled(name: str) -> Territory | None:
    folder = dict(bundled_territories()).get(name)
    try:
        return Territory.read(folder) if folder else None
    except LDTError:
        return None


def _files(
    folder: Path, nodes: Mapping[str, Any], action: Mapping[str, Any], whole: bool
) -> list[File]:
    found = []
    for reference in _listed(action.get("result", [])):
        node = nodes.get(reference["@id"], {})
        path = folder / reference["@id"]
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{path} lies outside of the run: run the use case again")
        if whole and not path.is_file():
            raise MissingFileError(
                f"{path} is in the run's record but not there: run the use case again"
            )
        digest = str(node.get("sha256", ""))
        results = reference["@id"].startswith(("layers/", "tables/", INDICATORS))
        if whole and results and digest != file_sha256(path):
            raise DataError(
                f"{path} was changed after the run (its SHA-256 is not that of the record): "
                "run the use case again"
            )
        found.append(
            File(reference["@id"], node["encodingFormat"], int(node["contentSize"]), digest)
        )
    return found


def _parameters(nodes: Mapping[str, Any], action: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for reference in _listed(action.get("object", [])):
        node = nodes.get(reference["@id"], {})
        if reference["@id"].startswith("#parameter-") and node.get("value") is not None:
            found.append((str(node["name"]), node["value"]))
    return found


def _inputs(nodes: Mapping[str, Any], action: Mapping[str, Any]) -> list[Input]:
    found = []
    for reference in _listed(action.get("object", [])):
        if not reference["@id"].startswith("#input-"):
            continue
        node = nodes[reference["@id"]]
        text = {name: str(node.get(name, "")) for name in
                ("name", "description", "creditText", "datePublished", "provenance", "sha256",
                 "url")}  # fmt: skip
        found.append(
            Input(
                reference["@id"].removeprefix("#input-"), text["name"], text["description"],
                text["creditText"], text["datePublished"], _reference(node.get("license", "")),
                text["provenance"], text["sha256"], text["url"],
            )
        )  # fmt: skip
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _reference(value: Any) -> str:
    return str(value.get("@id", "")) if isinstance(value, dict) else str(value)


def _utc(instant: str) -> str:
    moment = datetime.fromisoformat(instant).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
