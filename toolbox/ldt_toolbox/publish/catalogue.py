"""The folder beside the broker: DCAT-AP records, STAC items, feed and files, for any web server.

catalogue.ttl, .jsonld   the runs that are here
dcat/RUN.ttl, .jsonld    DCAT-AP record of a run
stac/catalog.json        STAC: a collection for each use case and territory, an item a layer
ldes/feed.ttl, .jsonld   event stream of the entities
data/RUN/...             the files themselves
"""

import shutil
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ldt_toolbox.errors import OutputError
from ldt_toolbox.publish import dcat, ldes, stac
from ldt_toolbox.publish.datasets import published_files
from ldt_toolbox.publish.files import alone, copy, read_json, write_json, write_text
from ldt_toolbox.publish.finished import RECORD, FinishedRun
from ldt_toolbox.publish.rdf import Iri, Literal, Node, to_jsonld, to_turtle
from ldt_toolbox.publish.vocabulary import Entity, belongs
from ldt_toolbox.sources import file_sha256

_RUNS = "runs.json"


class Catalogue:
    """A folder that holds what was published of runs.

    Parameters
    ----------
    folder : pathlib.Path
        Made when something is written.
    url : str
        Address at which it is served; the one that the folder was given before if it is empty,
        and relative addresses if there is none.
    """

    def __init__(self, folder: Path, *, url: str = "") -> None:
        self.folder = folder
        known = read_json(folder / _RUNS) or {"url": ""}
        self.url = f"{url.rstrip('/')}/" if url else str(known["url"])

    def address(self, run: FinishedRun, path: str) -> str:
        """Address of a file of a run, seen from the folder of the records."""
        return f"{self.url or '../'}data/{quote(run.id)}/{quote(path)}"

    def add(self, run: FinishedRun, run_urn: str, entities: list[Entity]) -> int:
        """Write everything of a run; a second time changes nothing.

        Two that write to one folder at once wait for each other.

        Returns
        -------
        int
            Number of members that the feed got.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        with alone(self.folder):
            for file in published_files(run):
                copy(run.folder / file.path, self._data(run) / file.path, sha256=file.sha256)
            record = run.folder / RECORD
            copy(record, self._data(run) / RECORD, sha256=file_sha256(record))
            nodes = dcat.record(run, run_urn, address_of=partial(self.address, run))
            self._write_rdf(f"dcat/{run.id}", nodes)
            inside = f"{self.url}data/{run.id}/" if self.url else f"../../../data/{run.id}/"
            for name, item in stac.items(run, data=inside).items():
                write_json(self._items(run) / name, item)
            self._index(run, there=True)
            return ldes.append(self.folder / "ldes", entities)

    def remove(self, run: FinishedRun, run_urn: str, *, still_there: Collection[str] = ()) -> int:
        """Take a run out again; the feed, which forgets nothing, tells that its entities are gone.

        Parameters
        ----------
        run : FinishedRun
            The run.
        run_urn : str
            Id of its entity, which every id of the run holds.
        still_there : collection of str
            Entities that a broker still has.
        """
        with alone(self.folder):
            try:
                shutil.rmtree(self._data(run), ignore_errors=True)
                for ending in ("ttl", "jsonld"):
                    (self.folder / "dcat" / f"{run.id}.{ending}").unlink(missing_ok=True)
                for path in self._items(run).glob(f"{run.id}-*.json"):
                    path.unlink()
            except OSError as error:
                raise OutputError(
                    f"{error.filename} cannot be removed ({error.strerror}): check its permissions"
                ) from error
            self._index(run, there=False)
            feed = self.folder / "ldes"
            own = [each for each in ldes.told(feed) if belongs(each, run_urn)]
            gone = sorted(set(own) - set(still_there))
            return ldes.append(feed, [], deleted=gone)

    def _data(self, run: FinishedRun) -> Path:
        return self.folder / "data" / run.id

    def _items(self, run: FinishedRun) -> Path:
        return self.folder / "stac" / stac.collection_id(run) / "items"

    def _index(self, run: FinishedRun, *, there: bool) -> None:
        """Renew what lists the runs: the catalogue, the collection, the root of STAC."""
        runs = (read_json(self.folder / _RUNS) or {"runs": {}})["runs"]
        known = {name: one for name, one in runs.items() if name != run.id}
        if there:
            title = f"{run.case.title['en']}, {run.place}, {run.started[:10]}"
            known[run.id] = {"title": title, "case": run.case.id, "territory": run.territory_id}
        known = dict(sorted(known.items()))
        write_json(self.folder / _RUNS, {"url": self.url, "runs": known})
        self._write_rdf("catalogue", self._all_runs(known))
        collection = self.folder / "stac" / stac.collection_id(run) / "collection.json"
        items = {path.name: read_json(path) for path in sorted(self._items(run).glob("*.json"))}
        if items:
            write_json(collection, stac.collection(run, items))
        else:
            shutil.rmtree(collection.parent, ignore_errors=True)
        collections = {
            path.parent.name: read_json(path)["title"]
            for path in sorted((self.folder / "stac").glob("*/collection.json"))
        }
        write_json(self.folder / "stac" / "catalog.json", stac.root(collections))

    def _all_runs(self, known: Mapping[str, Any]) -> list[Node]:
        publisher = Node("urn:ldt-toolbox:publisher", ("foaf:Agent",))
        publisher.add("foaf:name", Literal("ldt-toolbox"))
        top = Node("urn:ldt-toolbox:catalogue", ("dcat:Catalog",))
        top.add("dct:title", Literal("Results of local digital twin use cases", language="en"))
        top.add("dct:description", Literal("Runs that were published here", language="en"))
        top.add("dct:publisher", Iri(publisher.id))
        parts = []
        for name, one in known.items():
            part = Node(f"urn:ldt-toolbox:catalogue:{one['case']}:{one['territory']}:{name}",
                        ("dcat:Catalog",))  # fmt: skip
            part.add("dct:title", Literal(one["title"], language="en"))
            part.add("dct:description", Literal(f"Data sets of run {name}", language="en"))
            part.add("dct:publisher", Iri(f"urn:ldt-toolbox:territory:{one['territory']}"))
            part.add("foaf:isPrimaryTopicOf", Iri(f"{self.url}dcat/{name}.ttl"))
            top.add("dcat:catalog", Iri(part.id))
            parts.append(part)
        return [top, publisher, *parts]

    def _write_rdf(self, name: str, nodes: list[Node]) -> None:
        write_text(self.folder / f"{name}.ttl", to_turtle(nodes))
        write_text(self.folder / f"{name}.jsonld", to_jsonld(nodes))
