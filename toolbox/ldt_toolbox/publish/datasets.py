"""Dataset and Distribution entities: what a run read and what it wrote."""

import base64
from collections.abc import Callable, Iterator

from ldt_toolbox.publish.finished import File, FinishedRun, Input
from ldt_toolbox.publish.places import place_of
from ldt_toolbox.publish.vocabulary import Entity, link, number, text, urn
from ldt_toolbox.use_case import Output

#: What each file of a run is, where no output of the manifest says it.
_OTHER = {
    "indicators.json": ("Indicators", "Indicators, answer and notes of the run", "model_output"),
    "report.html": ("Report", "Report of the run in English and French", "model_output"),
}
_ROLES_OF_INPUTS = "model_input"


def input_urn(run: FinishedRun, one: Input) -> str:
    """Id of an input's Dataset."""
    return urn("Dataset", run.case.id, run.territory_id, run.id, "input", one.role)


def output_urn(run: FinishedRun, file: File) -> str:
    """Id of an output's Dataset."""
    return urn("Dataset", run.case.id, run.territory_id, run.id, "output", file.key)


def distribution_urn(run: FinishedRun, file: File) -> str:
    """Id of an output's Distribution."""
    return urn("Distribution", run.case.id, run.territory_id, run.id, "output", file.key)


def output_of(run: FinishedRun, file: File) -> Output | None:
    """Output of the manifest that a file holds."""
    group = {"layers": run.case.layers, "tables": run.case.tables}.get(file.path.split("/")[0], {})
    return group.get(file.key)


def published_files(run: FinishedRun) -> Iterator[File]:
    """Files that are data sets of their own."""
    for file in run.files:
        if file.path in _OTHER or output_of(run, file) is not None:
            yield file


def described(run: FinishedRun, file: File) -> tuple[str, str, str]:
    """Title, description and MIM8 tag of a file."""
    output = output_of(run, file)
    if output is None:
        return _OTHER[file.path]
    return output.title["en"], output.help["en"], output.mim8 or "model_output"


def dataset_urns(run: FinishedRun) -> tuple[list[str], list[str]]:
    """Ids of the data sets that a run read, and of those that it wrote."""
    read = [input_urn(run, one) for one in run.inputs]
    return read, [output_urn(run, file) for file in published_files(run)]


def content_name(sha256: str) -> str:
    """Name of a file by its content (RFC 6920, section 3); it needs no host.

    Examples
    --------
    >>> content_name("7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069")
    'ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk'
    """
    text64 = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
    return f"ni:///sha-256;{text64}"


def dataset_entities(
    run: FinishedRun, run_urn: str, *, address_of: Callable[[str], str] | None = None
) -> Iterator[Entity]:
    """Make a Dataset for each input, a Dataset and a Distribution for each output."""
    for one in run.inputs:
        yield _input(run, one, run_urn)
    for file in published_files(run):
        yield _output(run, file, run_urn)
        address = address_of(file.path) if address_of else content_name(file.sha256)
        yield _distribution(run, file, address)


def _input(run: FinishedRun, one: Input, run_urn: str) -> Entity:
    title = one.title or one.role
    synthetic = one.provenance == "synthetic"
    return {
        "id": input_urn(run, one),
        "type": "Dataset",
        "title": text([title]),
        "description": text([one.note or f"{title}, {run.place}"]),
        "identifier": text([content_name(one.sha256)] if one.sha256 else []),
        "publisher": text(f"synthetic:{one.credit or one.role}" if synthetic else one.credit),
        "landingPage": text([one.url] if one.url else []),
        "provenance": text([f"{one.provenance}; licence {one.licence or 'not told'}"]),
        "temporal": text([one.date] if one.date else []),
        "dataRole": text(_ROLES_OF_INPUTS),
        "dataProvenance": text(one.provenance),
        "refSimulationRun": link(run_urn),
    }


def _output(run: FinishedRun, file: File, run_urn: str) -> Entity:
    title, description, role = described(run, file)
    output = output_of(run, file)
    synthetic = file.key in run.synthetic
    entity: Entity = {
        "id": output_urn(run, file),
        "type": "Dataset",
        "title": text([title]),
        "description": text([description]),
        "identifier": text([content_name(file.sha256)]),
        "publisher": text(f"synthetic:{file.key}" if synthetic else run.place),
        "issued": text(run.ended),
        "versionInfo": text(run.version),
        "distribution": link([distribution_urn(run, file)]),
        "dataRole": text(role),
        "dataProvenance": text("synthetic" if synthetic else _provenance(output)),
        "refSimulationRun": link(run_urn),
        "generatedBy": link(run_urn),
        "derivedFrom": link([input_urn(run, one) for one in run.inputs]),
    }
    place = place_of(run, file)
    if place is not None:
        entity["spatial"] = {"type": "GeoProperty", "value": place.polygon}
        if place.transform is not None:
            entity["spatialResolutionInMeters"] = number(place.transform[0], "MTR")
    return entity


def _provenance(output: Output | None) -> str:
    return str(output.spec.get("provenance", "derived")) if output else "derived"


def _distribution(run: FinishedRun, file: File, address: str) -> Entity:
    title, _, _ = described(run, file)
    return {
        "id": distribution_urn(run, file),
        "type": "Distribution",
        "title": text([title]),
        "accessURL": text([address]),
        "mediaType": text(file.media_type),
        "byteSize": number(file.size, "AD"),
        "checksum": text(f"sha256:{file.sha256}"),
        "license": text(run.licence),
        "issued": text(run.ended),
        "status": text("Completed"),
        "belongsToDataset": link(output_urn(run, file)),
    }
