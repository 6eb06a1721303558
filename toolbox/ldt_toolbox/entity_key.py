"""The key `entity` of a manifest's outputs: how what a run yields becomes NGSI-LD entities."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ldt_toolbox.documents import Document, Where, nearest
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.units import UNITS

#: Attributes that publishing fills by itself.
FILLED = ("location", "dataRole", "refSimulationRun", "refScenario", "dataProvider")
#: Name under which a raster layer's cells are mapped.
CELL_VALUE = "value"
_LAYER = ("type", "id", "attributes", "cell_m", "above", "scenario")


@dataclass(frozen=True)
class EntityKey:
    """How an output becomes entities.

    Attributes
    ----------
    type : str
        Entity type, one that `ldt_toolbox.models` declares; empty for indicators.
    id : str
        Column that tells the rows apart; empty takes their number.
    attributes : mapping of str to str
        Attribute by column; `value` is a raster's cell.
    units : mapping of str to str
        UN/CEFACT code by column, where it is not the model's unit.
    cell_m : float or None
        Side of the cells into which a raster is averaged, in metres.
    above : float or None
        Cells at or below it are left out, for example dry ones; in the layer's unit.
    scenario : str
        Key of the scenario that it belongs to; empty is the baseline.
    """

    type: str = ""
    id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    cell_m: float | None = None
    above: float | None = None
    scenario: str = ""


def read_entity_key(doc: Document, where: Where, group: str, *, kind: str = "") -> EntityKey:
    """Read and check `entity` of one output.

    Parameters
    ----------
    doc : Document
        The manifest; problems are noted there.
    where : tuple
        Place of the key.
    group : str
        `layers`, `tables` or `indicators`.
    kind : str
        `raster` or `vector`, for layers.
    """
    if group == "indicators":
        doc.mapping(where, known=("scenario",), required=("scenario",))
        return EntityKey(scenario=doc.text((*where, "scenario")))
    if group == "tables":
        doc.mapping(where, known=("type", "id"), required=("type", "id"))
        doc.choice((*where, "type"), ("Scenario",))
        return EntityKey(type=doc.text((*where, "type")), id=doc.text((*where, "id")))
    doc.mapping(where, known=_LAYER, required=("type", "attributes"))
    attributes, units = _attributes(doc, (*where, "attributes"))
    raster = kind == "raster"
    cell_m = doc.number((*where, "cell_m"), above=0)
    if raster and cell_m is None:
        doc.problem(where, "a raster layer needs `cell_m`, the side of its cells in metres: add it")
    if raster and set(attributes) - {CELL_VALUE}:
        doc.problem(where, f"a raster layer maps `{CELL_VALUE}` only: write `{CELL_VALUE}: ...`")
    if not raster and doc.at((*where, "cell_m")) is not None:
        doc.problem((*where, "cell_m"), "`cell_m` is for raster layers: drop it")
    key = EntityKey(
        doc.text((*where, "type")),
        doc.text((*where, "id")),
        attributes,
        units,
        cell_m,
        doc.number((*where, "above")),
        doc.text((*where, "scenario")),
    )
    _check_model(doc, where, key)
    return key


def _attributes(doc: Document, where: Where) -> tuple[dict[str, str], dict[str, str]]:
    attributes, units = {}, {}
    for column, said in doc.mapping(where).items():
        place = (*where, column)
        if isinstance(said, dict):
            doc.mapping(place, known=("attribute", "unit"), required=("attribute",))
            attributes[column] = doc.text((*place, "attribute"))
            if unit := doc.choice((*place, "unit"), tuple(UNITS)):
                units[column] = unit
        else:
            attributes[column] = doc.text(place)
    return attributes, units


def _check_model(doc: Document, where: Where, key: EntityKey) -> None:
    models = catalogue()
    if key.type not in models:
        doc.problem((*where, "type"), f"no entity type `{key.type}`: {nearest(key.type, models)}")
        return
    model = models[key.type]
    for column, name in key.attributes.items():
        if name not in model.attributes:
            message = f"{key.type} has no attribute `{name}`: {nearest(name, model.attributes)}"
            doc.problem((*where, "attributes", column), message)
    missing = set(model.required) - set(key.attributes.values()) - set(FILLED)
    for name in sorted(missing):
        doc.problem((*where, "attributes"), f"{key.type} requires `{name}`: map a column to it")
