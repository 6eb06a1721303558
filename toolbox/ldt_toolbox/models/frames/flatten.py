"""Entities taken apart into cells: one value for each column that they fill."""

import json
import math
from collections.abc import Mapping
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.models.frames.layout import (
    AS_JSON,
    ATTRIBUTE_MEMBERS,
    ENTITY_MEMBERS,
    TIMES,
    Column,
    Path,
    is_geometry,
    kind_of,
)
from ldt_toolbox.models.lint_attributes import CONTENT

Cells = dict[Column, Any]


class Flattener:
    """Takes entities apart.

    Attributes
    ----------
    typed, untyped : bool
        Whether instances that name their kind came, and such that do not (concise).
    """

    def __init__(self) -> None:
        self.typed = self.untyped = False

    @property
    def representation(self) -> str:
        """The one that holds all that came: normalized, concise or keyValues (4.5.1 to 4.5.4)."""
        return "normalized" if self.typed else "concise" if self.untyped else "keyValues"

    def cells(self, entity: Mapping[str, Any]) -> Cells:
        """Cells of one entity; its `@context` is left aside."""
        found: Cells = {}
        for name, value in entity.items():
            if name == "@context":
                continue
            if name not in ENTITY_MEMBERS:
                self._attribute(found, (), name, value)
            elif isinstance(value, str):
                found[Column((), name)] = value
            elif name in ("type", "scope") and _are_texts(value):
                found[Column((), name)] = tuple(value)
            else:
                _keep(found, ((name, ""),), value)
        return found

    def _attribute(self, cells: Cells, path: Path, name: str, value: Any) -> None:
        listed = value if isinstance(value, list) and value and all(map(kind_of, value)) else None
        instances = [value] if listed is None else listed
        datasets = [_dataset(one) for one in instances]
        own: Cells = {}
        fits = None not in datasets and len(set(datasets)) == len(datasets)
        for instance, dataset in zip(instances, datasets, strict=True):
            fits = fits and self._instance(own, (*path, (name, dataset or "")), instance)
        if fits:
            cells.update(own)
        else:
            _keep(cells, (*path, (name, "")), value)

    def _instance(self, cells: Cells, path: Path, instance: Any) -> bool:
        """Take an instance apart; False if it cannot be put together again."""
        kind = kind_of(instance)
        if not kind:
            kind = "GeoProperty" if is_geometry(instance) else "Property"
            return _content(cells, path, kind, instance)
        if "type" in instance:
            self.typed = True
        else:
            self.untyped = True
        if not _content(cells, path, kind, instance.get(CONTENT[kind])):
            return False
        for name, value in instance.items():
            if name in ("type", CONTENT[kind], "datasetId"):
                continue
            if name not in ATTRIBUTE_MEMBERS:
                self._attribute(cells, path, name, value)
            elif value is None or _is_hollow(value) or (name in TIMES and type(value) is not str):
                return False
            else:
                cells[Column(path, name)] = value
        return True


def geometry_of(value: Any) -> BaseGeometry | None:
    """Geometry that gives the same GeoJSON again, and is not empty; None if there is none such."""
    try:
        found = shape(value)
        same = not found.is_empty and _plain(mapping(found)) == value
    except (ShapelyError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        return None
    return found if same else None


def geojson(geometry: BaseGeometry) -> dict[str, Any]:
    """GeoJSON of a geometry, of lists and not of tuples."""
    if geometry.geom_type == "Point" and not geometry.is_empty:
        position = shapely.get_coordinates(geometry, include_z=geometry.has_z)[0].tolist()
        return {"type": "Point", "coordinates": position}
    found: dict[str, Any] = _plain(mapping(geometry))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def _dataset(instance: Any) -> str | None:
    """DatasetId of an instance, empty for the default one; None if it is none."""
    if not kind_of(instance) or "datasetId" not in instance:
        return ""
    said = instance["datasetId"]
    return said if isinstance(said, str) and said else None


def _content(cells: Cells, path: Path, kind: str, content: Any) -> bool:
    if content is None or _is_hollow(content):
        return False
    if kind == "GeoProperty":
        geometry = geometry_of(content)
        cells[Column(path, kind)] = geometry
        return geometry is not None
    if kind == "LanguageProperty":
        if not isinstance(content, Mapping) or not content:
            return False
        cells.update({Column(path, f"@{lang}"): text for lang, text in content.items()})
        return not any(text is None or _is_hollow(text) for text in content.values())
    cells[Column(path, kind)] = content
    return True


def _is_hollow(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _keep(cells: Cells, path: Path, value: Any) -> None:
    cells[Column(path, AS_JSON)] = json.dumps(value, ensure_ascii=False)
