"""Landing page, conformance declaration and the files of the twin's own pages."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.responses import Response

from ldt_toolbox.paths import package_root
from ldt_toolbox.twin.ngsi_ld.call import JSON_LD, Call
from ldt_toolbox.twin.ngsi_ld.routing import Table as Routes
from ldt_toolbox.twin.ogc.answers import (
    HTML,
    JSON,
    Page,
    Table,
    address,
    answer,
    check_parameters,
    link,
    media_of,
    refused,
)
from ldt_toolbox.twin.ogc.catalogue import ROOT
from ldt_toolbox.twin.ogc.collection import Collection

OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/"
_PROCESSES = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"

#: What holds; each is tested in tests/twin/test_ogc_*.py.
CONFORMANCE = (
    *(f"{_FEATURES}1/1.0/conf/{each}" for each in ("core", "oas30", "html", "geojson")),
    f"{_FEATURES}2/1.0/conf/crs",
    *(
        f"{_FEATURES}3/1.0/conf/{each}"
        for each in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        _CQL2 + each
        for each in (
            "cql2-text", "basic-cql2", "advanced-comparison-operators",
            "basic-spatial-functions", "spatial-functions",
        )
    ),
    *(
        _PROCESSES + each
        for each in ("core", "ogc-process-description", "json", "html", "job-list", "dismiss")
    ),
)  # fmt: skip

_CATALOGUE = (
    ("catalogue.jsonld", "related", JSON_LD, "Catalogue of published runs (DCAT-AP)"),
    ("stac/catalog.json", "related", JSON, "Layers of published runs (STAC)"),
    ("ldes/feed.jsonld", "related", JSON_LD, "Event stream of published entities (LDES)"),
)
_MEDIA = {".js": "text/javascript", ".css": "text/css"}


class Landing:
    """The root of the twin.

    Parameters
    ----------
    collections : callable
        Finds the collections of a request.
    catalogue : bool
        Whether a catalogue folder is served.
    """

    def __init__(
        self, collections: Callable[[Call], Sequence[Collection]], *, catalogue: bool = False
    ) -> None:
        self._collections = collections
        self._catalogue = catalogue
        folder = package_root() / "twin" / "web"
        self._assets: Mapping[str, Path] = {
            path.name: path for path in folder.iterdir() if path.suffix in _MEDIA
        }

    def table(self) -> Routes:
        """Routes."""
        return (
            ("GET", "/", self.root),
            ("GET", "/conformance", self.conformance),
            ("GET", "/web/{name}", self.asset),
        )

    def root(self, call: Call) -> Response:
        """Landing page: what there is, and for people a map of it."""
        check_parameters(call, "f")
        rel = "http://www.opengis.net/def/rel/ogc/1.0/"
        links = [
            link(call, "/", "self", JSON, "This document"),
            link(call, "/", "alternate", HTML, "This document for people", f="html"),
            link(call, "/api", "service-desc", OPENAPI, "API definition (OpenAPI)"),
            link(call, "/api", "service-doc", HTML, "API definition for people", f="html"),
            link(call, "/conformance", "conformance", JSON, "Conformance classes"),
            link(call, "/conformance", f"{rel}conformance", JSON, "Conformance classes"),
            link(call, "/collections", "data", JSON, "Collections of features"),
            link(call, "/processes", f"{rel}processes", JSON, "Processes: the use cases"),
            link(call, "/jobs", f"{rel}job-list", JSON, "Jobs"),
            link(call, "/ngsi-ld/v1/types", "related", JSON, "NGSI-LD: types of entities"),
        ]
        if self._catalogue:
            links += [link(call, f"{ROOT}/{path}", *told) for path, *told in _CATALOGUE]
        document: dict[str, Any] = {
            "title": "Local twin",
            "description": "Entities, layers of runs and use cases of a local digital twin",
            "links": links,
        }
        if media_of(call, JSON, HTML) == JSON:
            return answer(call, document, Page(document["title"]))
        found = self._collections(call)
        rows = [
            ((each.title, address(call, f"/collections/{each.id}", f="html")),
             each.count(), each.description)
            for each in found
        ]  # fmt: skip
        shown = [
            {"id": each.id, "title": each.title, "count": each.count()}
            for each in found
            if each.extent() is not None
        ]
        tables = [Table("What is in it", ("Collection", "Features", "What"), rows)] if rows else []
        page = Page(
            document["title"],
            document["description"],
            tables,
            "landing.html.jinja",
            {"shown": shown, "most": call.limits.largest_page},
        )
        return answer(call, document, page)

    def conformance(self, call: Call) -> Response:
        """Conformance classes that hold."""
        check_parameters(call, "f")
        rows = [(each,) for each in CONFORMANCE]
        page = Page("Conformance", "", [Table("", ("Class",), rows)])
        return answer(call, {"conformsTo": list(CONFORMANCE)}, page)

    def asset(self, call: Call) -> Response:
        """Script or style of the twin's pages; only those that come with the package."""
        path = self._assets.get(call.parts["name"])
        if path is None:
            raise refused("there is no such file", status=404)
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return Response(path.read_bytes(), 200, headers, _MEDIA[path.suffix])
