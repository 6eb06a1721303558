"""The catalogue folder as the twin serves it: every address in it leads to what it says."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import rdflib
import requests
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.publish import FinishedRun, entities_of, publish
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
DCT = rdflib.Namespace("http://purl.org/dc/terms/")
FOAF = rdflib.Namespace("http://xmlns.com/foaf/0.1/")
TREE = rdflib.Namespace("https://w3id.org/tree#")


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[tuple[Twin, Path]]:
    """A twin that serves a folder which is not there yet."""
    folder = tmp_path / "catalogue"
    with Twin(extensions=[ogc_apis(catalogue=folder)]) as twin:
        yield twin, folder


@pytest.fixture
def published(hosted: tuple[Twin, Path], run: FinishedRun) -> str:
    """Address of the catalogue of a run that was published to the same twin."""
    twin, folder = hosted
    address = f"{twin.url}/catalogue/"
    with NgsiLd(twin.ngsi_ld) as client:
        publish(run, client, catalogue=folder, catalogue_url=address)
    return address


def got(url: str, media: str = "") -> requests.Response:
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200, url
    assert answer.headers["Content-Type"].startswith(media), url
    return answer


def graph(url: str) -> rdflib.Graph:
    return rdflib.Graph().parse(
        data=got(url, "text/turtle").text, format="turtle", publicID=url
    )  # fmt: skip


def test_the_records_lead_to_the_files(published: str, run: FinishedRun) -> None:
    catalogue = graph(f"{published}catalogue.ttl")
    [record] = {str(one) for one in catalogue.objects(None, FOAF.isPrimaryTopicOf)}
    files = {str(one) for one in graph(record).objects(None, DCAT.downloadURL)}
    ours = {one for one in files if one.startswith(published)}
    assert len(ours) >= 5
    digests = {file.sha256 for file in run.files}
    assert {hashlib.sha256(got(one).content).hexdigest() for one in ours} <= digests
    got(f"{published}catalogue.jsonld", "application/ld+json")


def test_the_feed_has_every_entity(published: str, run: FinishedRun) -> None:
    root = graph(f"{published}ldes/feed.ttl")
    pages = {str(one) for one in root.objects(None, TREE.node)}
    found = {
        str(one) for page in pages for one in graph(page).objects(None, DCT.isVersionOf)
    }  # fmt: skip
    assert found == {one["id"] for one in entities_of(run).entities}


def test_stac_leads_to_its_items_and_their_files(published: str) -> None:
    def children(url: str, *relations: str) -> list[str]:
        links = got(url, "application/json").json()["links"]
        return [urljoin(url, one["href"]) for one in links if one["rel"] in relations]

    [collection] = children(f"{published}stac/catalog.json", "child")
    items = children(collection, "item")
    assert items
    for item in items:
        for asset in got(item).json()["assets"].values():
            got(urljoin(item, asset["href"]))


def test_the_landing_page_names_them(published: str, hosted: tuple[Twin, Path]) -> None:
    links = requests.get(f"{hosted[0].url}/?f=json", timeout=10).json()["links"]
    ours = [one for one in links if "/catalogue/" in one["href"]]
    assert len(ours) == 3
    for one in ours:
        got(one["href"], one["type"])


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "link.txt", "", "ldes", "none.ttl"],
)  # fmt: skip
def test_nothing_else_is_served(hosted: tuple[Twin, Path], path: str) -> None:
    twin, folder = hosted
    (folder / "ldes").mkdir(parents=True)
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    request = requests.Request("GET", twin.url).prepare()
    request.url = f"{twin.url}/catalogue/{path}"  # as it is, without the client's tidying
    with requests.Session() as session:
        answer = session.send(request, timeout=10)
        assert answer.status_code == 404, answer.text
        assert answer.json()["status"] == 404
        request.method = "PUT"
        assert session.send(request, timeout=10).status_code in (404, 405)


def test_a_report_is_no_page_of_the_twin(hosted: tuple[Twin, Path]) -> None:
    twin, folder = hosted
    folder.mkdir()
    (folder / "report.html").write_text("<script>fetch('/ngsi-ld/v1/entities')</script>")
    answer = got(f"{twin.url}/catalogue/report.html", "text/html")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
