"""Which column of a frame holds which part of an entity."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.models.findings import shown
from ldt_toolbox.models.lint_attributes import CONTENT, PREVIOUS
from ldt_toolbox.models.schema import GEOMETRIES

#: Where a frame keeps its layout: ``frame.attrs[LAYOUT]``.
LAYOUT = "ngsi_ld"
#: Part that holds, as JSON text, what no column can hold without loss.
AS_JSON = "json"
#: Members of an entity and of an attribute that are instants.
TIMES = frozenset(("observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt"))
#: Members of an entity that are no attributes (GS CIM 009 V1.8.1, 5.2.4).
ENTITY_MEMBERS = TIMES - {"observedAt"} | {"id", "type", "scope"}
#: Members of an attribute that are no sub-attributes, beside its value and `datasetId`.
ATTRIBUTE_MEMBERS = TIMES | {
    "unitCode", "instanceId", "lang", "valueType", "objectType", "entity", "entityList", *PREVIOUS,
}  # fmt: skip

Path = tuple[tuple[str, str], ...]


class Column(NamedTuple):
    """What a column holds.

    Attributes
    ----------
    path : tuple of (str, str)
        Attribute and its datasetId, from the outermost to the sub-attribute; empty for members of
        the entity.
    part : str
        Kind of the attribute (`Property`, ...) for its value, ``@fr`` for a language, the name of
        a member (`unitCode`), or `AS_JSON`.
    """

    path: Path
    part: str

    @property
    def name(self) -> str:
        """Name for the analyst: ``temperature``, ``temperature.unitCode``, ``name@fr``."""
        base = ".".join(f"{name}[{dataset}]" if dataset else name for name, dataset in self.path)
        if not base or self.part in CONTENT:
            return base or self.part
        return base + self.part if self.part.startswith("@") else f"{base}.{self.part}"


def named(columns: Mapping[Column, Any]) -> dict[str, Column]:
    """Give each column a name of its own."""
    found: dict[str, Column] = {}
    for column in columns:
        name, number = column.name, 2
        if name in found and column.part in CONTENT:
            name = f"{name} ({column.part})"
        while name in found:
            name, number = f"{column.name} ({number})", number + 1
        found[name] = column
    return found


def written(columns: Mapping[str, Column], representation: str) -> dict[str, Any]:
    """Layout as plain JSON, for the attrs of a frame."""
    listed = {name: [list(map(list, one.path)), one.part] for name, one in columns.items()}
    return {"representation": representation, "columns": listed}


def read(attrs: Mapping[Hashable, Any]) -> tuple[dict[str, Column], str]:
    """Read the layout of a frame.

    Raises
    ------
    WrongUseError
        If the frame does not come from `to_frame`, or lost its attrs on the way.
    """
    held = attrs.get(LAYOUT)
    if not isinstance(held, Mapping) or not {"columns", "representation"} <= held.keys():
        raise WrongUseError(
            f"the frame's attrs hold {shown(held)} for {LAYOUT!r}, no layout: give model= or "
            f"mapping=, or copy frame.attrs[{LAYOUT!r}] from the frame that to_frame gave"
        )
    columns = {
        name: Column(tuple((str(term), str(dataset)) for term, dataset in path), part)
        for name, (path, part) in held["columns"].items()
    }
    return columns, held["representation"]


def is_geometry(value: Any) -> bool:
    """Whether a value is a GeoJSON geometry that NGSI-LD has (4.6.3)."""
    return isinstance(value, Mapping) and value.get("type") in GEOMETRIES


def kind_of(instance: Any) -> str:
    """Kind of a normalised or concise instance; empty for a bare value."""
    if not isinstance(instance, Mapping):
        return ""
    if "type" in instance:
        said = instance["type"]
        return said if isinstance(said, str) and said in CONTENT else ""
    kind = next((kind for kind, key in CONTENT.items() if key in instance), "")
    return "GeoProperty" if kind == "Property" and is_geometry(instance["value"]) else kind
