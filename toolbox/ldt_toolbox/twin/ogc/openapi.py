"""The OpenAPI 3.0 document of the twin, made of the tables that its routes are made of."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import orjson
from starlette.responses import Response

from ldt_toolbox import __version__
from ldt_toolbox.twin.ngsi_ld.call import Call
from ldt_toolbox.twin.ngsi_ld.elsewhere import ELSEWHERE
from ldt_toolbox.twin.ngsi_ld.routing import Table as Routes
from ldt_toolbox.twin.ngsi_ld.tables import TABLES
from ldt_toolbox.twin.ogc.answers import HTML, Page, Table, base, check_parameters, html, media_of
from ldt_toolbox.twin.ogc.landing import OPENAPI
from ldt_toolbox.twin.ogc.schemas import BODIES, QUERY, SCHEMAS, TAKEN, Json, reference

_BODY_MEDIA = {
    "PATCH": ("application/json", "application/merge-patch+json"),
}
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")


def _with(*names: str) -> Json:
    return {
        "type": "object",
        "required": list(names),
        "properties": {"links": reference("Links")} if "links" in names else {},
    }


#: Media type and schema of a good answer by path, for GET.
ANSWERS: dict[str, tuple[str, Json]] = {
    "/": ("application/json", _with("title", "links")),
    "/conformance": ("application/json", _with("conformsTo")),
    "/collections": ("application/json", _with("collections", "links")),
    "/collections/{collectionId}": ("application/json", _with("id", "links", "crs")),
    "/collections/{collectionId}/queryables": (
        "application/schema+json", _with("$schema", "$id", "type", "properties"),
    ),
    "/collections/{collectionId}/items": ("application/geo+json", reference("FeatureCollection")),
    "/collections/{collectionId}/items/{featureId}": ("application/geo+json", reference("Feature")),
    "/processes": ("application/json", _with("processes", "links")),
    "/processes/{processId}": ("application/json", _with("id", "version", "inputs", "outputs")),
    "/jobs": ("application/json", _with("jobs", "links")),
    "/jobs/{jobId}": ("application/json", reference("StatusInfo")),
    "/jobs/{jobId}/results": ("application/json", {"type": "object"}),
}  # fmt: skip


class OpenApi:
    """The document and its page.

    Parameters
    ----------
    tables : sequence of Table
        Of the OGC resources.
    root : str
        Of the NGSI-LD resources.
    """

    def __init__(self, tables: Sequence[Routes], root: str) -> None:
        self._tables = tables
        self._root = root

    def table(self) -> Routes:
        """Routes."""
        return (("GET", "/api", self.document), ("GET", "/openapi.json", self.document))

    def document(self, call: Call) -> Response:
        """Definition of this API: OpenAPI 3.0."""
        check_parameters(call, "f")
        short = OPENAPI.partition(";")[0]
        media = media_of(call, short, HTML) if call.params.get("f") else call.accepting(
            short, "application/json", HTML
        )  # fmt: skip
        document = {**self._document, "servers": [{"url": base(call)}]}
        if media != HTML:
            said = OPENAPI if media == short else media
            return Response(orjson.dumps(document), 200, {"Vary": "Accept"}, said)
        rows = [
            (method.upper(), path, operation["summary"])
            for path, operations in self._document["paths"].items()
            for method, operation in operations.items()
        ]
        page = Page("API", "Every path of the twin", [Table("", ("Method", "Path", "What"), rows)])
        return html(call, document, page, headers={"Vary": "Accept"})

    @cached_property
    def _document(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for path, method, operation in self._operations():
            paths.setdefault(path, {})[method.lower()] = operation
        return {
            "openapi": "3.0.3",
            "info": {
                "title": "Local twin",
                "version": __version__,
                "description": "NGSI-LD (GS CIM 009 V1.8.1), OGC API Features and Processes",
                "license": {"name": "Apache-2.0"},
            },
            "paths": paths,
            "components": {
                "schemas": SCHEMAS,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{}, {"token": []}],
        }

    def _operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for table, root, tag in (
            *((each, self._root, "NGSI-LD") for each in TABLES if each is not ELSEWHERE),
            *((each, "", "OGC") for each in (*self._tables, self.table())),
        ):
            for method, path, handler in table:
                plain = _PART.sub(r"{\1}", path)
                said = (handler.__doc__ or "").strip().partition("\n")[0]
                yield root + plain, method, _operation(method, plain, said, tag)


def _operation(method: str, path: str, summary: str, tag: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True,
         "schema": {"type": "string", "minLength": 1}}
        for name in _PART.findall(path)
    ]  # fmt: skip
    parameters += [
        {"name": name, "in": "query", **QUERY[name]} for name in TAKEN.get((method, path), ())
    ]
    parameters.append(
        {"name": "NGSILD-Tenant", "in": "header", "schema": {"type": "string", "maxLength": 50}}
    )
    media, schema = ANSWERS.get(path, ("", {})) if method == "GET" else ("", {})
    good: dict[str, Any] = {"description": "As asked"}
    if media:
        good["content"] = {media: {"schema": schema}, HTML: {"schema": {"type": "string"}}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    name = re.sub(r"\W+", "_", f"{method.lower()}_{tag}{path}").strip("_")
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": parameters,
        "responses": {
            "2XX": good,
            "4XX": {"description": "Refused", "content": problem},
        },
    }
    body = BODIES.get((method, path))
    if body is not None:
        media_types = _BODY_MEDIA.get(method, ("application/json",))
        if tag == "OGC":
            media_types = ("application/json",)
        content = {each: {"schema": body} for each in media_types}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
