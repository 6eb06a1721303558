"""DCAT-AP 3: the data sets of a run as a catalogue record."""

from collections.abc import Callable

from ldt_toolbox.publish.datasets import (
    content_name,
    dataset_urns,
    described,
    distribution_urn,
    input_urn,
    output_of,
    output_urn,
    published_files,
)
from ldt_toolbox.publish.finished import File, FinishedRun, Input
from ldt_toolbox.publish.places import place_of
from ldt_toolbox.publish.rdf import Iri, Literal, Node, texts, typed

_MEDIA = "https://www.iana.org/assignments/media-types/"
_FILE_TYPES = "http://publications.europa.eu/resource/authority/file-type/"
_FORMATS = {".tif": "TIFF", ".csv": "CSV", ".json": "JSON", ".html": "HTML"}
_AVAILABLE = "http://publications.europa.eu/resource/authority/planned-availability/AVAILABLE"
_PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
_THEME = "http://publications.europa.eu/resource/authority/data-theme/REGI"  # regions and cities
_SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"


def record(run: FinishedRun, run_urn: str, *, address_of: Callable[[str], str]) -> list[Node]:
    """Make the record of a run.

    Parameters
    ----------
    run : FinishedRun
        The run.
    run_urn : str
        Id of the run's entity, here a `prov:Activity`.
    address_of : callable
        Gives the address of a file by its path in the run.

    Returns
    -------
    list of Node
        A `dcat:Catalog` with the data sets that the run read and wrote.

    Notes
    -----
    Mandatory and recommended properties of DCAT-AP 3.0: Catalogue, Dataset, Distribution, Agent.
    """
    publisher = _territory(run)
    read, written = dataset_urns(run)
    nodes = [_catalogue(run, publisher, [*read, *written]), publisher]
    nodes += [_input(run, one) for one in run.inputs]
    for file in published_files(run):
        nodes += [_dataset(run, file, run_urn, publisher), _distribution(run, file, address_of)]
    activity = Node(run_urn, ("prov:Activity",))
    activity.add("prov:startedAtTime", typed(run.started, "xsd:dateTime"))
    activity.add("prov:endedAtTime", typed(run.ended, "xsd:dateTime"))
    activity.add("prov:used", *(Iri(one) for one in read))
    return [*nodes, activity]


def _territory(run: FinishedRun) -> Node:
    names = run.territory.names if run.territory else {"en": run.place}
    return Node(f"urn:ldt-toolbox:territory:{run.territory_id}", ("foaf:Agent",)).add(
        "foaf:name", *texts(names)
    )


def _catalogue(run: FinishedRun, publisher: Node, datasets: list[str]) -> Node:
    titles = {language: f"{title}, {run.place}" for language, title in run.case.title.items()}
    catalogue = Node(f"urn:ldt-toolbox:catalogue:{run.case.id}:{run.territory_id}:{run.id}",
                     ("dcat:Catalog",))  # fmt: skip
    catalogue.add("dct:title", *texts(titles))
    catalogue.add("dct:description", *texts(run.case.question))
    catalogue.add("dct:publisher", Iri(publisher.id))
    catalogue.add("dct:license", Iri(run.licence) if run.licence else None)
    catalogue.add("dct:issued", typed(run.ended, "xsd:dateTime"))
    catalogue.add("dcat:dataset", *(Iri(one) for one in datasets))
    return catalogue


def _input(run: FinishedRun, one: Input) -> Node:
    title = one.title or one.role
    dataset = Node(input_urn(run, one), ("dcat:Dataset",))
    dataset.add("dct:title", Literal(title, language="en"))
    dataset.add("dct:description", Literal(one.note or f"{title}, {run.place}", language="en"))
    dataset.add("dct:identifier", Literal(content_name(one.sha256)) if one.sha256 else None)
    dataset.add("dct:publisher", _named(one.credit))
    if one.url:
        dataset.add("dcat:landingPage", Iri(one.url))
        access = Node(types=("dcat:Distribution",)).add("dcat:accessURL", Iri(one.url))
        dataset.add("dcat:distribution", access.add("dct:license", _licence(one.licence)))
    dataset.add("dct:provenance", _statement("dct:ProvenanceStatement", one.provenance))
    dataset.add("ldt:dataRole", Literal("model_input"))
    return dataset


def _named(name: str) -> Node | None:
    return Node(types=("foaf:Agent",)).add("foaf:name", Literal(name)) if name else None


def _licence(name: str) -> Iri | Node | None:
    if not name:
        return None
    return Iri(name) if "://" in name else _statement("dct:LicenseDocument", name)


def _statement(kind: str, label: str) -> Node:
    return Node(types=(kind,)).add("rdfs:label", Literal(label, language="en"))


def _dataset(run: FinishedRun, file: File, run_urn: str, publisher: Node) -> Node:
    title, description, role = described(run, file)
    output = output_of(run, file)
    dataset = Node(output_urn(run, file), ("dcat:Dataset",))
    dataset.add("dct:title", *texts(output.title if output else {"en": title}))
    dataset.add("dct:description", *texts(output.help if output else {"en": description}))
    dataset.add("dct:identifier", Literal(output_urn(run, file)))
    dataset.add("dct:publisher", Iri(publisher.id))
    dataset.add("dct:issued", typed(run.ended, "xsd:dateTime"))
    dataset.add("dct:accessRights", Iri(_PUBLIC))
    dataset.add("dcat:theme", Iri(_THEME))
    dataset.add("dcat:keyword", Literal(run.case.id, language="en"))
    dataset.add("dcat:version", Literal(run.version))
    dataset.add("dcat:distribution", Iri(distribution_urn(run, file)))
    place = place_of(run, file)
    if place:
        box = typed(place.wkt_polygon, "geo:wktLiteral")
        dataset.add("dct:spatial", Node(types=("dct:Location",)).add("dcat:bbox", box))
        if place.transform:
            dataset.add(
                "dcat:spatialResolutionInMeters",
                typed(f"{place.transform[0]:.10g}", "xsd:decimal"),
            )
    dataset.add("ldt:dataRole", Literal(role))
    if file.key in run.synthetic:
        dataset.add(
            "dct:provenance", _statement("dct:ProvenanceStatement", "rests on synthetic data")
        )
    dataset.add("prov:wasGeneratedBy", Iri(run_urn))
    dataset.add("prov:wasDerivedFrom", *(Iri(input_urn(run, one)) for one in run.inputs))
    return dataset


def _distribution(run: FinishedRun, file: File, address_of: Callable[[str], str]) -> Node:
    title, description, _ = described(run, file)
    address = Iri(address_of(file.path))
    made = Node(distribution_urn(run, file), ("dcat:Distribution",))
    made.add("dct:title", Literal(title, language="en"))
    made.add("dct:description", Literal(description, language="en"))
    made.add("dcat:accessURL", address)
    made.add("dcat:downloadURL", address)
    made.add("dct:license", Iri(run.licence) if run.licence else None)
    made.add("dcat:mediaType", Iri(_MEDIA + file.media_type.partition(";")[0]))
    ending = file.path[file.path.rfind(".") :]
    made.add("dct:format", Iri(_FILE_TYPES + _FORMATS[ending]) if ending in _FORMATS else None)
    made.add("dcat:byteSize", typed(str(file.size), "xsd:nonNegativeInteger"))
    made.add("dct:issued", typed(run.ended, "xsd:dateTime"))
    made.add("dcatap:availability", Iri(_AVAILABLE))
    checksum = Node(types=("spdx:Checksum",))
    checksum.add("spdx:algorithm", Iri(_SHA256))
    checksum.add("spdx:checksumValue", typed(file.sha256, "xsd:hexBinary"))
    return made.add("spdx:checksum", checksum)
