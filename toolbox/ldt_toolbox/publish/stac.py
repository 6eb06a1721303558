"""STAC 1.1: an item for each layer of a run, a collection for use case and territory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ldt_toolbox.publish.datasets import described, output_of
from ldt_toolbox.publish.finished import File, FinishedRun
from ldt_toolbox.publish.places import Bbox, Place, place_of
from ldt_toolbox.space.raster import Raster

VERSION = "1.1.0"
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
FILE_INFO = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
Document = dict[str, Any]

_SPDX = {
    "https://creativecommons.org/licenses/by/4.0/": "CC-BY-4.0",
    "https://opendatacommons.org/licenses/odbl/1-0/": "ODbL-1.0",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
}


def item_id(run: FinishedRun, file: File) -> str:
    """Id of a layer's item."""
    return f"{run.id}-{file.key}"


def collection_id(run: FinishedRun) -> str:
    """Id of the collection of a use case on a territory."""
    return f"{run.case.id}-{run.territory_id}"


def items(run: FinishedRun, *, data: str) -> dict[str, Document]:
    """Items of a run's layers by their file names.

    Parameters
    ----------
    run : FinishedRun
        The run.
    data : str
        Where the run's files lie, seen from the items; ends with a slash.

    Notes
    -----
    STAC item specification 1.1.0, projection extension 2.0.0, file info extension 2.1.0. `datetime`
    is the end of the run: what is modelled holds for the time that the layer's description names.
    """
    found = {}
    for file in run.files:
        place = place_of(run, file)
        if place is not None and output_of(run, file) is not None:
            found[f"{item_id(run, file)}.json"] = _item(run, file, place, data)
    return found


def collection(run: FinishedRun, known: Mapping[str, Document]) -> Document:
    """Collection over all items of a use case on a territory.

    Parameters
    ----------
    run : FinishedRun
        Any run of that use case on that territory.
    known : mapping of str to dict
        Every item in it, by file name.
    """
    boxes = [document["bbox"] for document in known.values()]
    times = sorted(document["properties"]["datetime"] for document in known.values())
    links = [
        {"rel": "root", "href": "../catalog.json", "type": "application/json"},
        {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
        *(
            {"rel": "item", "href": f"./items/{name}", "type": "application/geo+json"}
            for name in sorted(known)
        ),
    ]
    if run.licence:
        links.append({"rel": "license", "href": run.licence})
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "id": collection_id(run),
        "title": f"{run.case.title['en']}, {run.place}",
        "description": run.case.question["en"],
        "license": _SPDX.get(run.licence, "other"),
        "providers": [{"name": run.place, "roles": ["producer"]}],
        "extent": {
            "spatial": {"bbox": [_around(boxes)]},
            "temporal": {"interval": [[times[0], times[-1]]]},
        },
        "links": links,
    }


def root(collections: Mapping[str, str]) -> Document:
    """Catalogue over collections: title by id."""
    me = {"rel": "root", "href": "./catalog.json", "type": "application/json"}
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": "ldt-toolbox",
        "title": "Results of local digital twin use cases",
        "description": "Layers that runs of ldt-toolbox published",
        "links": [
            me,
            *(
                {"rel": "child", "href": f"./{name}/collection.json", "type": "application/json",
                 "title": collections[name]}
                for name in sorted(collections)
            ),
        ],
    }  # fmt: skip


def _item(run: FinishedRun, file: File, place: Place, data: str) -> Document:
    title, description, role = described(run, file)
    properties: Document = {
        "datetime": run.ended,
        "created": run.ended,
        "title": title,
        "description": description,
        "license": _SPDX.get(run.licence, "other"),
        "ldt:run": run.id,
        "ldt:use_case": f"{run.case.id} {run.version}",
        "ldt:data_role": role,
        "ldt:synthetic": file.key in run.synthetic,
        "proj:code": place.code or None,
        "proj:bbox": list(place.own_bbox),
    }
    if not place.code:
        properties["proj:wkt2"] = place.wkt
    if place.shape and place.transform:
        properties |= {"proj:shape": list(place.shape), "proj:transform": list(place.transform)}
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [PROJECTION, FILE_INFO],
        "id": item_id(run, file),
        "collection": collection_id(run),
        "geometry": place.polygon,
        "bbox": list(place.bbox),
        "properties": properties,
        "links": [
            {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": {"data": _asset(run, file, title, data)},
    }


def _asset(run: FinishedRun, file: File, title: str, data: str) -> Document:
    made: Document = {
        "href": f"{data}{file.path}",
        "type": file.media_type,
        "title": title,
        "roles": ["data"],
        "file:size": file.size,
        "file:checksum": f"1220{file.sha256}",  # multihash: SHA-256, 32 bytes
    }
    layer = run.results.layers[file.key]
    if isinstance(layer, Raster):
        band: Document = {
            "name": file.key,
            "data_type": np.dtype(layer.values.dtype).name,
            "unit": layer.unit,
        }
        nodata = "nan" if np.issubdtype(layer.values.dtype, np.floating) else layer.nodata
        made["bands"] = [band if nodata is None else {**band, "nodata": nodata}]
    return made


def _around(boxes: list[Bbox]) -> list[float]:
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]
