"""The event stream: append-only, one version a change, read by a client of another hand."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ldt_toolbox.publish import FinishedRun, entities_of, ldes
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin
from pyld import jsonld

TREE, DCT = "https://w3id.org/tree#", "http://purl.org/dc/terms/"
BASE = "https://example.org/ldes/"
FIRST, LATER = "2026-07-01T12:00:00.000Z", "2026-07-02T12:00:00.000Z"


def flat(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    document = json.loads((folder / name).read_text(encoding="utf-8"))
    return {one["@id"]: one for one in jsonld.flatten(document, None, {"base": BASE + name})}


def members(folder: Path) -> dict[str, dict[str, Any]]:
    """Every member, found by following the view's relations."""
    found = {}
    root = flat(folder, "feed.jsonld")
    view = root[f"{BASE}feed.jsonld"]
    pages = {root[one["@id"]][f"{TREE}node"][0]["@id"] for one in view[f"{TREE}relation"]}
    for page in sorted(pages):
        nodes = flat(folder, page.removeprefix(BASE))
        for one in nodes[f"{BASE}feed#stream"][f"{TREE}member"]:
            found[one["@id"]] = nodes[one["@id"]]
    return found


def pages(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("page-*")}


def test_every_entity_is_a_version_of_itself(run: FinishedRun, tmp_path: Path) -> None:
    entities = entities_of(run).entities
    assert ldes.append(tmp_path, entities, at=FIRST) == len(entities)
    found = members(tmp_path)
    versions = {one[f"{DCT}isVersionOf"][0]["@id"] for one in found.values()}
    assert versions == {one["id"] for one in entities}
    assert {one[f"{DCT}created"][0]["@value"] for one in found.values()} == {FIRST}


def test_a_member_holds_value_unit_link_and_place(run: FinishedRun, tmp_path: Path) -> None:
    ldes.append(tmp_path, entities_of(run).entities, at=FIRST)
    nodes = flat(tmp_path, "page-000001.jsonld")
    school = next(one for name, one in nodes.items() if ":school:v:" in name)
    ngsi, own = "https://uri.etsi.org/ngsi-ld/", "urn:ldt-toolbox:model:"
    depth = nodes[school[f"{own}waterDepth"][0]["@id"]]
    assert depth[f"{ngsi}hasValue"][0]["@value"] == "1.25"
    assert depth[f"{ngsi}unitCode"] == [{"@value": "MTR"}]
    run_node = nodes[school["http://www.w3.org/ns/prov#wasGeneratedBy"][0]["@id"]]
    assert run_node[f"{ngsi}hasObject"][0]["@id"].endswith(run.id)
    place = nodes[school[f"{ngsi}location"][0]["@id"]][f"{ngsi}hasValue"][0]
    assert place["@type"].endswith("wktLiteral")
    assert place["@value"].startswith("POLYGON ((7.4")


def test_nothing_new_adds_nothing(run: FinishedRun, tmp_path: Path) -> None:
    entities = entities_of(run).entities
    ldes.append(tmp_path, entities, at=FIRST)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert ldes.append(tmp_path, entities, at=LATER) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == before


def test_pages_are_written_once(
    make_run: Callable[..., FinishedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ldes, "MEMBERS_A_PAGE", 10)
    feed = tmp_path / "feed"
    first = entities_of(make_run(run_id="20260701T120000Z-aaaaaa")).entities
    ldes.append(feed, first, at=FIRST)
    before = pages(feed)
    second = entities_of(make_run(run_id="20260702T120000Z-bbbbbb")).entities
    ldes.append(feed, second, at=LATER)
    after = pages(feed)
    assert len(after) > len(before) >= 2 * (len(first) // 10)
    assert {name: after[name] for name in before} == before
    assert len(members(feed)) == len(first) + len(second)


def test_only_what_differs_gets_a_version_and_what_is_gone_is_told(
    run: FinishedRun, tmp_path: Path
) -> None:
    entities = entities_of(run).entities
    ldes.append(tmp_path, entities, at=FIRST)
    changed = entities[0] | {"name": {"type": "Property", "value": "another"}}
    assert ldes.append(tmp_path, [changed, *entities[1:]], at=LATER) == 1
    # back to what it was: a version of its own, not the first one again
    assert ldes.append(tmp_path, entities, at="2026-07-03T12:00:00.000Z") == 1
    found = members(tmp_path)
    own = [name for name in found if name.startswith(entities[0]["id"] + ":v:")]
    assert len(own) == 3
    gone = [one["id"] for one in entities]
    assert ldes.append(tmp_path, [], deleted=[*gone, "urn:never:seen"], at=LATER) == len(gone)
    deletes = [
        one
        for one in members(tmp_path).values()
        if "https://www.w3.org/ns/activitystreams#Delete" in one["@type"]
    ]
    assert len(deletes) == len(gone)
    # time does not run backwards, whatever the clock says
    assert {one[f"{DCT}created"][0]["@value"] for one in deletes} == {"2026-07-03T12:00:00.001Z"}
    assert ldes.append(tmp_path, [], deleted=gone) == 0


def test_versions_of_one_instant_are_told_apart(run: FinishedRun, tmp_path: Path) -> None:
    """A clock that stands still or is set back: readers know members by their names."""
    entity = entities_of(run).entities[0]
    for number in range(4):
        one = entity | {"name": {"type": "Property", "value": f"version {number}"}}
        assert ldes.append(tmp_path, [one], at=LATER if number < 3 else FIRST) == 1
    assert ldes.append(tmp_path, [], deleted=[entity["id"]], at=FIRST) == 1
    found = members(tmp_path)
    times = sorted(one[f"{DCT}created"][0]["@value"] for one in found.values())
    assert times == [f"2026-07-02T12:00:00.00{number}Z" for number in range(5)]


@pytest.mark.parametrize(
    ("where", "again"), [("page-000002.jsonld", True), ("state.json", True), ("feed.ttl", False)]
)
def test_an_interruption_leaves_no_gap(
    run: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, again: bool
) -> None:
    monkeypatch.setattr(ldes, "MEMBERS_A_PAGE", 10)
    written = ldes.write_text

    def stopped(path: Path, text: str) -> None:
        if path.name == where:
            raise KeyboardInterrupt
        written(path, text)

    entities = entities_of(run).entities
    monkeypatch.setattr(ldes, "write_text", stopped)
    with pytest.raises(KeyboardInterrupt):
        ldes.append(tmp_path, entities, at=FIRST)
    monkeypatch.setattr(ldes, "write_text", written)
    before = pages(tmp_path)
    assert ldes.append(tmp_path, entities, at=LATER) == (len(entities) if again else 0)
    assert len(members(tmp_path)) == len(entities)
    assert again or pages(tmp_path) == before, "they were told already"


@pytest.fixture(scope="session")
def ldes_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Program `ldes-client` of the npm registry, if it can be had."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("ldes-client")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "ldes-client@0.3.0"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer within 180 s")
    if done.returncode:
        pytest.skip(f"npm cannot get ldes-client: {done.stderr.strip()[-200:]}")
    return folder / "node_modules" / ".bin" / "ldes-client"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A feed that a twin serves."""
    folder = tmp_path / "catalogue"
    with Twin(extensions=[ogc_apis(catalogue=folder)]) as twin:
        yield folder / "ldes", f"{twin.url}/catalogue/ldes"


@pytest.mark.reference
@pytest.mark.parametrize("ending", ["ttl", "jsonld"])
def test_ldes_client_reads_every_version(
    make_run: Callable[..., FinishedRun],
    ldes_client: Path,
    served: tuple[Path, str],
    tmp_path: Path,
    ending: str,
) -> None:
    folder, url = served
    first = entities_of(make_run(run_id="20260701T120000Z-aaaaaa")).entities
    second = entities_of(make_run(run_id="20260702T120000Z-bbbbbb")).entities
    ldes.append(folder, first, at=FIRST)
    ldes.append(folder, second, at=LATER)

    def read(*options: str) -> set[str]:
        command = [str(ldes_client), f"{url}/feed.{ending}", *options,
                   "--save", str(tmp_path / f"state{len(options)}")]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
        return {
            line.split("> <")[-1].rstrip("> .")
            for line in done.stdout.splitlines()
            if f"<{DCT}isVersionOf>" in line
        }

    assert read() == {one["id"] for one in [*first, *second]}
    after = read("--after", "2026-07-02T00:00:00Z")
    assert after == {one["id"] for one in second}
