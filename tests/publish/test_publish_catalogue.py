"""The folder beside the broker: DCAT-AP, STAC, files, in both writings of RDF."""

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.errors import MissingFileError, OutputError
from ldt_toolbox.publish import (
    FinishedRun,
    entities_of,
    files,
    ldes,
    publish,
    published_ids,
    run_urn,
    undo,
)
from ldt_toolbox.publish.catalogue import Catalogue
from ldt_toolbox.publish.rdf import Iri, Literal, Node, to_jsonld, to_turtle, typed
from pyld import jsonld
from pyproj import Transformer

DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
BASE = "https://example.org/dcat/record"


@pytest.fixture
def folder(run: FinishedRun, tmp_path: Path) -> Path:
    made = tmp_path / "catalogue"
    Catalogue(made).add(run, run_urn(run), entities_of(run).entities)
    return made


def nodes_of(path: Path, kind: str) -> list[dict[str, Any]]:
    """Resources of a type, as pyld expands and flattens the JSON-LD."""
    document = json.loads(path.read_text(encoding="utf-8"))
    flat = jsonld.flatten(document, None, {"base": BASE})
    return [one for one in flat if kind in one.get("@type", [])]


# DCAT-AP 3.0: mandatory properties by class; those of Dataset and Distribution that it recommends
# and that a run can tell stand below
MANDATORY = {
    f"{DCAT}Catalog": [f"{DCT}title", f"{DCT}description", f"{DCT}publisher"],
    f"{DCAT}Dataset": [f"{DCT}title", f"{DCT}description"],
    f"{DCAT}Distribution": [f"{DCAT}accessURL"],
    "http://xmlns.com/foaf/0.1/Agent": ["http://xmlns.com/foaf/0.1/name"],
    "http://spdx.org/rdf/terms#Checksum": [
        "http://spdx.org/rdf/terms#algorithm",
        "http://spdx.org/rdf/terms#checksumValue",
    ],
}


@pytest.mark.parametrize("kind", MANDATORY)
def test_every_mandatory_property_of_dcat_ap_is_there(
    folder: Path, run: FinishedRun, kind: str
) -> None:
    found = nodes_of(folder / "dcat" / f"{run.id}.jsonld", kind)
    assert found
    for node in found:
        for name in MANDATORY[kind]:
            assert node.get(name), (node["@id"], name)


def test_outputs_tell_licence_publisher_place_and_provenance(
    folder: Path, run: FinishedRun
) -> None:
    record = folder / "dcat" / f"{run.id}.jsonld"
    outputs = [one for one in nodes_of(record, f"{DCAT}Dataset") if ":output:" in one["@id"]]
    assert {one["@id"].rpartition(":")[2] for one in outputs} == {
        "depth", "wet_buildings", "ground", "measures", "indicators",
    }  # fmt: skip
    for one in outputs:
        assert one["http://www.w3.org/ns/prov#wasGeneratedBy"] == [{"@id": run_urn(run)}]
        assert len(one["http://www.w3.org/ns/prov#wasDerivedFrom"]) == len(run.inputs)
        assert one[f"{DCT}publisher"][0]["@id"] == "urn:ldt-toolbox:territory:monaco"
        layer = one["@id"].rpartition(":")[2] in run.case.layers
        assert (f"{DCT}spatial" in one) is layer
    files = [
        one
        for one in nodes_of(record, f"{DCAT}Distribution")
        if one["@id"].startswith("urn:ngsi-ld:Distribution:")
    ]
    assert len(files) == len(outputs)
    for one in files:
        assert one[f"{DCT}license"] == [{"@id": "https://creativecommons.org/licenses/by/4.0/"}]
        [address] = one[f"{DCAT}accessURL"]
        assert address["@id"].startswith(f"https://example.org/data/{run.id}/")
        assert (folder / address["@id"].removeprefix("https://example.org/")).is_file()


def test_stac_items_say_what_the_files_are(folder: Path, run: FinishedRun) -> None:
    items = sorted((folder / "stac").glob("*/items/*.json"))
    assert len(items) == 3
    to_own = Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True)
    for path in items:
        item = json.loads(path.read_text(encoding="utf-8"))
        assert (item["type"], item["stac_version"]) == ("Feature", "1.1.0")
        assert {"id", "geometry", "bbox", "properties", "links", "assets", "collection"} <= set(
            item
        )
        asset = item["assets"]["data"]
        content = (path.parent / asset["href"]).resolve().read_bytes()
        assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
        assert asset["file:size"] == len(content)
        assert item["properties"]["proj:code"] == "EPSG:32632"
        # the box in degrees holds the box in metres
        west, south, east, north = item["bbox"]
        x, y = to_own.transform([west, east], [south, north])
        own = item["properties"]["proj:bbox"]
        assert x[0] <= own[0] + 0.02  # what is left beside the rounding is the curved edge
        assert y[0] <= own[1] + 0.02
        assert x[1] >= own[2] - 0.02
        assert y[1] >= own[3] - 0.02
    depth = json.loads((items[0].parent / f"{run.id}-depth.json").read_text(encoding="utf-8"))
    assert depth["properties"]["proj:shape"] == [8, 10]
    assert depth["properties"]["proj:transform"] == [5, 0, 374000, 0, -5, 4844000]
    assert depth["assets"]["data"]["bands"][0]["unit"] == "CMT"
    wet = json.loads((items[0].parent / f"{run.id}-wet_buildings.json").read_text(encoding="utf-8"))
    assert wet["properties"]["ldt:synthetic"] is True


def test_stac_links_lead_somewhere(folder: Path) -> None:
    documents = sorted((folder / "stac").rglob("*.json"))
    assert len(documents) == 5
    links = 0
    for path in documents:
        for link in json.loads(path.read_text(encoding="utf-8"))["links"]:
            if "://" not in link["href"]:
                assert (path.parent / link["href"]).resolve().is_file(), (path.name, link)
                links += 1
    assert links == 16


# their own affairs: what the two readers mean to rename
@pytest.mark.filterwarnings("ignore:.*LocalValidator:DeprecationWarning")
def test_stac_documents_pass_the_schemas_of_stac(folder: Path) -> None:
    """The schemas of STAC 1.1 that pystac carries; it needs its extra `validation`."""
    reason = "pystac[validation] is not installed"
    validation = pytest.importorskip("pystac.validation.local_validator", reason=reason)
    try:
        schemas = validation.LocalValidator()
    except ImportError:
        pytest.skip(reason)
    by_type = {
        "Feature": schemas.item_validator,
        "Collection": schemas.collection_validator,
        "Catalog": schemas.catalog_validator,
    }
    paths = sorted((folder / "stac").rglob("*.json"))
    assert len(paths) == 5
    for path in paths:
        document = json.loads(path.read_text(encoding="utf-8"))
        judge = by_type[document["type"]](document["stac_version"])
        assert [error.message for error in judge.iter_errors(document)] == []
        assert list(judge.iter_errors(document | {"links": None}))


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
def test_both_writings_say_the_same(folder: Path, run: FinishedRun) -> None:
    """rdflib reads both, blank nodes and all."""
    rdflib = pytest.importorskip("rdflib", reason="rdflib is not installed")
    compare = pytest.importorskip("rdflib.compare")
    names = ["catalogue", f"dcat/{run.id}", "ldes/page-000001"]
    for name in names:
        graphs = [
            rdflib.Graph().parse(
                folder / f"{name}.{ending}", publicID=f"https://example.org/{name}"
            )
            for ending in ("ttl", "jsonld")
        ]
        assert len(graphs[0]) > 10
        if name.startswith("ldes"):
            for graph in graphs:  # a page names itself by its own address
                graph.remove((None, rdflib.URIRef("https://w3id.org/tree#view"), None))
                graph.remove((None, None, rdflib.URIRef("https://w3id.org/tree#Node")))
                graph.remove((None, rdflib.URIRef("https://w3id.org/ldes#immutable"), None))
        assert compare.isomorphic(*graphs), name


def test_a_second_run_is_listed_beside_the_first(
    make_run: Callable[..., FinishedRun], tmp_path: Path
) -> None:
    catalogue = Catalogue(tmp_path / "c", url="https://data.example.org/twin/")
    for name in ("20260701T120000Z-aaaaaa", "20260702T120000Z-bbbbbb"):
        run = make_run(run_id=name)
        catalogue.add(run, run_urn(run), entities_of(run).entities)
    collection = tmp_path / "c/stac/wet-feet-monaco/collection.json"
    items = [
        link
        for link in json.loads(collection.read_text(encoding="utf-8"))["links"]
        if link["rel"] == "item"
    ]
    assert len(items) == 6
    [top] = [
        one
        for one in nodes_of(tmp_path / "c/catalogue.jsonld", f"{DCAT}Catalog")
        if f"{DCAT}catalog" in one
    ]
    assert len(top[f"{DCAT}catalog"]) == 2
    assert '"https://data.example.org/twin/data/' in (
        tmp_path / "c/stac/wet-feet-monaco/items/20260701T120000Z-aaaaaa-depth.json"
    ).read_text(encoding="utf-8")


def test_two_at_once_lose_nothing(make_run: Callable[..., FinishedRun], tmp_path: Path) -> None:
    runs = [make_run(run_id=f"20260701T12000{n}Z-aaaaaa") for n in range(4)]
    made = [entities_of(run).entities for run in runs]
    folder = tmp_path / "c"

    def add(number: int) -> int:
        run = runs[number]
        return Catalogue(folder).add(run, run_urn(run), made[number])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(add, range(4))) == [len(each) for each in made]
    assert sorted(ldes.told(folder / "ldes")) == sorted(one["id"] for each in made for one in each)
    listed = (folder / "catalogue.ttl").read_text(encoding="utf-8")
    assert all(f"dcat/{run.id}.ttl" in listed for run in runs)
    members = sum(
        path.read_text(encoding="utf-8").count("dct:isVersionOf")
        for path in folder.glob("ldes/page-*.ttl")
    )
    assert members == sum(len(each) for each in made)


def test_a_folder_that_is_taken_says_so(
    run: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_WAIT_S", 0.1)
    with files.alone(tmp_path / "c"), pytest.raises(OutputError, match="another command"):
        Catalogue(tmp_path / "c").add(run, run_urn(run), [])
    assert Catalogue(tmp_path / "c").add(run, run_urn(run), []) == 0


def test_publish_and_undo_with_a_catalogue(
    make_run: Callable[..., FinishedRun], client: NgsiLd, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    first, second = make_run(run_id="20260701T120000Z-aaa"), make_run(run_id="20260701T120000Z-bbb")
    publish(first, client, catalogue=folder, catalogue_url="https://example.org/c")
    before = snapshot(folder, without="ldes")
    publish(second, client, catalogue=folder, catalogue_url="https://example.org/c")
    [distribution] = client.entities.query(
        id=f"urn:ngsi-ld:Distribution:wet-feet:monaco:{second.id}:output:depth",
        type="https://smartdatamodels.org/dataModel.DCAT-AP/Distribution",
        representation="simplified",
    )
    address = f"https://example.org/c/data/{second.id}/layers/depth.tif"
    assert address in json.dumps(distribution)
    undo(second, client, catalogue=folder)
    assert snapshot(folder, without="ldes") == before
    publish(second, client, catalogue=folder, dry_run=True)
    undo(first, client, catalogue=folder, dry_run=True)
    assert snapshot(folder, without="ldes") == before


def test_a_folder_that_cannot_be_written_hides_no_outcome(
    run: FinishedRun, client: NgsiLd, tmp_path: Path
) -> None:
    """The entities are at the broker: that must be told, and the next call goes on."""
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "data").write_text("a file where a folder should be", encoding="utf-8")
    first = publish(run, client, catalogue=folder)
    assert len(first.created) == len(entities_of(run).entities)
    assert "data" in first.failed["files"]
    (folder / "data").unlink()
    second = publish(run, client, catalogue=folder)
    assert "files" not in second.failed
    assert sorted(second.unchanged) == sorted(first.created)
    assert sorted(ldes.told(folder / "ldes")) == sorted(first.created)


def test_undo_needs_no_results(run: FinishedRun, client: NgsiLd, tmp_path: Path) -> None:
    """Who has deleted or changed the files of a run can still take back what it published."""
    folder = tmp_path / "c"
    entities = entities_of(run).entities
    publish(run, client, catalogue=folder)
    shutil.rmtree(run.folder / "layers")
    (run.folder / "tables" / "measures.csv").write_text("changed", encoding="utf-8")
    with pytest.raises(MissingFileError, match="not there"):
        FinishedRun.read(run.folder, case=run.case)
    left = FinishedRun.read(run.folder, case=run.case, whole=False)
    outcome = undo(left, client, catalogue=folder)
    assert sorted(outcome.deleted) == sorted(one["id"] for one in entities)
    assert published_ids(client, run.case, run_urn(run)) == []
    assert not list(folder.glob("data/*"))
    feed = "".join(
        path.read_text(encoding="utf-8") for path in sorted(folder.glob("ldes/page-*.ttl"))
    )
    assert feed.count("a as:Delete") == len(entities)
    assert ldes.told(folder / "ldes") == []


def snapshot(folder: Path, *, without: str = "-") -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path.read_bytes()
             for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip
    return {name: content for name, content in found.items() if not name.startswith(without)}


def test_turtle_writes_what_it_must_escape() -> None:
    node = Node("urn:a:1", ("dcat:Dataset",))
    node.add("dct:title", Literal('a "quoted"\nline\\ \x07', language="fr"))
    node.add(
        "dct:spatial", Node(types=("dct:Location",)).add("dct:issued", typed("1", "xsd:gYear"))
    )
    node.add("dct:source", Iri("https://example.org/a b"), None)
    assert to_turtle([node]).splitlines()[5:] == [
        "<urn:a:1>",
        "  a dcat:Dataset ;",
        '  dct:title "a \\"quoted\\"\\nline\\\\ \\u0007"@fr ;',
        "  dct:spatial [",
        "    a dct:Location ;",
        '    dct:issued "1"^^xsd:gYear',
        "  ] ;",
        "  dct:source <https://example.org/a%20b> .",
    ]
    [read] = jsonld.expand(json.loads(to_jsonld([node])))
    assert read[f"{DCT}title"] == [{"@value": 'a "quoted"\nline\\ \x07', "@language": "fr"}]
