"""OGC API Features part 1 (17-069r4), part 2 (18-058r1) and the text filters of part 3 (19-079r2).

Unknown parameters are refused. `limit` above the twin's largest page is taken as that.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from starlette.responses import Response

from ldt_toolbox.twin.ngsi_ld.call import GEO_JSON, Call
from ldt_toolbox.twin.ngsi_ld.routing import Table as Routes
from ldt_toolbox.twin.ogc import cql2
from ldt_toolbox.twin.ogc.answers import (
    HTML,
    JSON,
    Page,
    Table,
    address,
    answer,
    check_parameters,
    link,
    refused,
    shown,
)
from ldt_toolbox.twin.ogc.collection import Collection, Wanted, names_in, unknown
from ldt_toolbox.twin.ogc.conditions import Node
from ldt_toolbox.twin.ogc.entities import entity_collections
from ldt_toolbox.twin.ogc.filtering import GEOMETRY_NAMES, Record, shape_of
from ldt_toolbox.twin.ogc.layers import LayerBook
from ldt_toolbox.twin.ogc.reference import (
    ALWAYS,
    CRS84,
    Box,
    box_in,
    chosen,
    filter_in,
    written,
)
from ldt_toolbox.twin.ogc.times import Period

SCHEMA = "application/schema+json"
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
PARAMETERS = (
    "f", "limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang",
    "filter-crs",
)  # fmt: skip


class Features:
    """Resources of OGC API Features.

    Parameters
    ----------
    book : LayerBook
        Layers of runs.
    """

    def __init__(self, book: LayerBook) -> None:
        self._book = book

    def table(self) -> Routes:
        """Routes."""
        one = "/collections/{collectionId}"
        return (
            ("GET", "/collections", self.list),
            ("GET", one, self.describe),
            ("GET", f"{one}/queryables", self.queryables),
            ("GET", f"{one}/items", self.items),
            ("GET", f"{one}/items/{{featureId:path}}", self.item),
        )

    def all(self, call: Call) -> Sequence[Collection]:
        """Every collection of the request's tenant; layers belong to the default one."""
        tenant = call.read_tenant()
        found: list[Collection] = list(entity_collections(call.store, call.limits, tenant))
        return found if tenant else [*found, *self._book.collections()]

    def _one(self, call: Call) -> Collection:
        name = call.parts["collectionId"]
        for each in self.all(call):
            if each.id == name:
                return each
        raise refused(f"there is no collection {name!r:.120}: see /collections", status=404)

    def list(self, call: Call) -> Response:
        """List the collections: one for each entity type and each vector layer of a run."""
        check_parameters(call, "f")
        found = [_described(call, each) for each in self.all(call)]
        document = {
            "links": [
                link(call, "/collections", "self", JSON, "Collections"),
                link(call, "/collections", "alternate", HTML, "As a page", f="html"),
            ],
            "crs": list(ALWAYS),
            "collections": found,
        }
        rows = [
            ((each["title"], address(call, f"/collections/{each['id']}", f="html")),
             each["itemCount"], each["description"])
            for each in found
        ]  # fmt: skip
        page = Page("Collections", "", [Table("", ("Collection", "Features", "What"), rows)])
        return answer(call, document, page)

    def describe(self, call: Call) -> Response:
        """Describe a collection: extent, CRSs, links."""
        check_parameters(call, "f")
        collection = self._one(call)
        document = _described(call, collection)
        facts = [
            ("Features", document["itemCount"]),
            ("Extent (west, south, east, north)", shown(collection.extent())),
            ("Comes in", ", ".join(document["crs"])),
        ]
        page = Page(collection.title, collection.description, [Table("", ("", ""), facts)])
        return answer(call, document, page)

    def queryables(self, call: Call) -> Response:
        """JSON Schema of the properties that parameters and filters can name."""
        check_parameters(call, "f")
        collection = self._one(call)
        path = f"/collections/{collection.id}/queryables"
        properties: dict[str, Any] = {
            "geometry": {"title": "geometry", "format": "geometry-any",
                         "x-ogc-role": "primary-geometry"}
        }  # fmt: skip
        properties |= {
            name: {"title": name, **kind} for name, kind in collection.queryables().items()
        }
        document = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": address(call, path),
            "type": "object",
            "title": collection.title,
            "properties": properties,
            "additionalProperties": False,
        }
        rows = [(name, shown(kind)) for name, kind in properties.items()]
        page = Page(f"Queryables of {collection.title}", "", [Table("", ("Name", "Type"), rows)])
        return answer(call, document, page, media=SCHEMA)

    def items(self, call: Call) -> Response:
        """Features of a collection, page by page."""
        collection = self._one(call)
        names = [name for name, _ in call.params.multi_items() if name not in PARAMETERS]
        for name in names:
            if not collection.has(name):
                raise unknown(collection, "parameter", name)
        check_parameters(call, *PARAMETERS, *names)
        target = _crs(call, collection)
        limit, offset = _whole(call, "limit", call.limits.page, 1), _whole(call, "offset", 0, 0)
        limit = min(limit, call.limits.largest_page)
        wanted = Wanted(
            boxes=_boxes(call, collection),
            period=Period.read(call.params["datetime"]) if "datetime" in call.params else None,
            equal={name: call.params[name] for name in names},
            filter=_filter(call, collection),
        )
        found = collection.find(wanted, limit=limit, offset=offset)
        path = f"/collections/{collection.id}/items"
        given = {name: value for name, value in call.params.items() if name != "f"}
        links = [
            link(call, path, "self", GEO_JSON, "This page", **given),
            link(call, path, "alternate", HTML, "This page for people", **given | {"f": "html"}),
            link(call, f"/collections/{collection.id}", "collection", JSON, collection.title),
        ]
        after = {"limit": limit, "offset": offset + limit}
        if offset + len(found.records) < found.total and found.records:
            links.append(link(call, path, "next", GEO_JSON, "Next page", **given | after))
        if offset:
            before = {"limit": limit, "offset": max(0, offset - limit)}
            links.append(link(call, path, "prev", GEO_JSON, "Previous page", **given | before))
        document = {
            "type": "FeatureCollection",
            "timeStamp": _now(),
            "numberMatched": found.total,
            "numberReturned": len(found.records),
            "features": [_feature(each, collection, target) for each in found.records],
            "links": links,
        }
        return answer(
            call, document, _items_page(call, collection, found.records, found.total),
            media=GEO_JSON, headers=_said(target, links),
        )  # fmt: skip

    def item(self, call: Call) -> Response:
        """One feature."""
        check_parameters(call, "f", "crs")
        collection = self._one(call)
        target = _crs(call, collection)
        record = collection.get(call.parts["featureId"])
        if record is None:
            what = f"{collection.id} has no feature {call.parts['featureId']!r:.120}"
            raise refused(what, status=404)
        path = f"/collections/{collection.id}/items/{record.id}"
        links = [
            link(call, path, "self", GEO_JSON, "This feature"),
            link(call, path, "alternate", HTML, "This feature for people", f="html"),
            link(call, f"/collections/{collection.id}", "collection", JSON, collection.title),
        ]
        document = {**_feature(record, collection, target), "links": links}
        rows = [(name, shown(value)) for name, value in record.properties.items()]
        page = Page(record.id, "", [Table("", ("Property", "Value"), rows)])
        return answer(call, document, page, media=GEO_JSON, headers=_said(target, links))


def _described(call: Call, collection: Collection) -> dict[str, Any]:
    path = f"/collections/{collection.id}"
    extent = collection.extent()
    document: dict[str, Any] = {
        "id": collection.id,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "itemCount": collection.count(),
        "crs": list(_offered(collection)),
        "storageCrs": collection.storage_crs,
        "links": [
            link(call, path, "self", JSON, "This collection"),
            link(call, path, "alternate", HTML, "This collection for people", f="html"),
            link(call, f"{path}/items", "items", GEO_JSON, "Features"),
            link(call, f"{path}/items", "items", HTML, "Features for people", f="html"),
            link(call, f"{path}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables",
                 SCHEMA, "Queryables"),
            *({**each, "href": address(call, each["href"])} for each in collection.links),
        ],
    }  # fmt: skip
    if extent is not None:
        document["extent"] = {"spatial": {"bbox": [list(extent)], "crs": CRS84}}
    return document


def _offered(collection: Collection) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*ALWAYS, collection.storage_crs)))


def _crs(call: Call, collection: Collection) -> str:
    return chosen(call.params.get("crs", CRS84), _offered(collection), parameter="crs")


def _whole(call: Call, name: str, default: int, least: int) -> int:
    text = call.params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII) or int(text) < least:
        raise refused(f"{name} = {text!r:.40}: a whole number, {least} or more")
    return int(text)


def _boxes(call: Call, collection: Collection) -> tuple[Box, ...]:
    text = call.params.get("bbox")
    uri = call.params.get("bbox-crs", CRS84)
    chosen(uri, _offered(collection), parameter="bbox-crs")
    if text is None:
        if "bbox-crs" in call.params:
            raise refused("bbox-crs says what CRS bbox is in: give bbox too")
        return ()
    parts = text.split(",")
    fits = len(parts) in (4, 6) and all(_NUMBER.fullmatch(part) for part in parts)
    numbers = [float(part) for part in parts] if fits else []
    if not fits or not all(math.isfinite(each) and abs(each) < 1e12 for each in numbers):
        raise refused(f"bbox = {text!r:.80}: four numbers with commas between, or six with heights")
    return tuple(box_in(numbers, uri, collection.storage_crs))


def _filter(call: Call, collection: Collection) -> Node | None:
    language = call.params.get("filter-lang", "cql2-text")
    if language != "cql2-text":
        raise refused(f"filter-lang = {language!r:.40}: the twin reads cql2-text")
    uri = call.params.get("filter-crs", CRS84)
    chosen(uri, _offered(collection), parameter="filter-crs")
    text = call.params.get("filter")
    if text is None:
        return None
    node = cql2.parse(text, limits=call.limits, crs=uri)
    for name in names_in(node):
        if name not in GEOMETRY_NAMES and not collection.has(name):
            raise unknown(collection, "filter: property", name)
    return filter_in(node, uri, collection.storage_crs)


def _feature(record: Record, collection: Collection, target: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": record.id,
        "geometry": _geometry(record.geometry, collection.storage_crs, target),
        "properties": record.properties,
    }


def _geometry(geometry: Any, source: str, target: str) -> Any:
    """GeoJSON geometry in a CRS; None where there is none or the CRS cannot express it."""
    if source == target and not isinstance(geometry, BaseGeometry):
        return geometry
    shape = shape_of(geometry)
    if shape is None or shape.is_empty:
        return None
    found = written(shape, source, target)
    return None if found is None else mapping(found)


def _said(target: str, links: Sequence[dict[str, str]]) -> dict[str, str]:
    """Headers: the CRS, and the links to the pages beside."""
    beside = [each for each in links if each["rel"] in ("next", "prev")]
    said = {"Content-Crs": f"<{target}>"}
    if beside:
        said["Link"] = ", ".join(
            f'<{each["href"]}>; rel="{each["rel"]}"; type="{each["type"]}"' for each in beside
        )
    return said


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _items_page(call: Call, collection: Collection, records: Sequence[Record], total: int) -> Page:
    names = list(dict.fromkeys(name for each in records for name in each.properties))[:8]
    rows = [
        ((each.id, address(call, f"/collections/{collection.id}/items/{each.id}", f="html")),
         *(shown(each.properties.get(name)) for name in names))
        for each in records
    ]  # fmt: skip
    lead = f"{len(records)} of {total} features"
    return Page(collection.title, lead, [Table("", ("Feature", *names), rows)])
