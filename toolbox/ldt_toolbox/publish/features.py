"""Entities of the features of a layer: rows of a vector layer, cells of a raster."""

from typing import Any

import geopandas as gpd
import numpy as np
from shapely import box

from ldt_toolbox.entity_key import CELL_VALUE, EntityKey
from ldt_toolbox.errors import DataError
from ldt_toolbox.models.frames import from_frame
from ldt_toolbox.models.types import EntityType, catalogue
from ldt_toolbox.models.units import convertible, is_standard
from ldt_toolbox.publish.finished import FinishedRun
from ldt_toolbox.publish.vocabulary import Entity, link, text, urn
from ldt_toolbox.space.raster import Raster

_SUPPRESSED = "suppressed"
_ID, _ROLE, _RUN, _SCENARIO = "ldt:id", "ldt:role", "ldt:run", "ldt:scenario"


def feature_entities(
    run: FinishedRun, layer: str, key: EntityKey, *, run_urn: str, scenario: str
) -> tuple[list[Entity], dict[str, str]]:
    """Make an entity of each feature of a layer.

    Parameters
    ----------
    run : FinishedRun
        The run.
    layer : str
        Id of the layer.
    key : EntityKey
        What the manifest says of it: type and attributes.
    run_urn, scenario : str
        Entities to which the features belong.

    Returns
    -------
    entities : list of dict
        Normalised, locations in EPSG:4326.
    refused : dict of str to str
        Reason by id of the features that the model of their type refuses. Features that hold no
        value at all are neither: there is nothing to tell of them. Nor are those that the column
        `suppressed` marks, as too few people live there, whatever values they hold.
    """
    output = run.case.layers[layer]
    model = catalogue()[key.type]
    held = run.results.layers[layer]
    if isinstance(held, Raster):
        frame = _cells(held, cell_m=key.cell_m or held.cell_size_m, above=key.above)
    else:
        frame = _rows(held, key, layer)
    columns = {column: name for column, name in key.attributes.items() if column in frame.columns}
    frame = frame[frame[list(columns)].notna().any(axis=1) & frame.geometry.notna()]
    frame[_ID] = [urn(key.type, run.case.id, run.territory_id, run.id, layer, str(one))
                  for one in frame[_ID]]  # fmt: skip
    links = {"dataRole": (_ROLE, output.mim8), "refSimulationRun": (_RUN, run_urn),
             "refScenario": (_SCENARIO, scenario)}  # fmt: skip
    for attribute, (column, value) in links.items():
        if attribute in model.attributes:
            frame[column] = value
            columns[column] = attribute
    entities, rejects = from_frame(
        frame,
        model=model,
        columns={_ID: "id", frame.geometry.name: "location", **columns},
        unit_codes=_units(key, model, output.unit, str(output.spec.get("column", CELL_VALUE))),
    )
    beside = {
        "dataProvider": text(run.provider(layer, synthetic=layer in run.synthetic)),
        "generatedBy": link(run_urn),
        "dataRole": text(output.mim8),
        "refSimulationRun": link(run_urn),
        "refScenario": link(scenario),
    }
    refused = {
        str(one.record[_ID]): "; ".join(str(reason) for reason in one.reasons) for one in rejects
    }
    return [_rounded({**beside, **entity}) for entity in entities], refused


def _rows(frame: Any, key: EntityKey, layer: str) -> "gpd.GeoDataFrame":
    if absent := [name for name in [key.id, *key.attributes] if name and name not in frame.columns]:
        raise DataError(
            f"layer {layer} has no column {absent[0]!r}, which `entity` of the manifest names: "
            f"correct it, or take of {', '.join(map(str, frame.columns))}"
        )
    frame = frame.copy()
    frame[_ID] = frame[key.id].astype(str) if key.id else [str(row) for row in range(len(frame))]
    if _SUPPRESSED in frame.columns:
        frame = frame[~frame[_SUPPRESSED].astype(bool)]
    if key.above is not None:
        first = next(iter(key.attributes))
        frame = frame[frame[first] > key.above]
    return frame


def _cells(raster: Raster, *, cell_m: float, above: float | None) -> "gpd.GeoDataFrame":
    """Means of the cells that have a value, on a grid that starts at the raster's corner."""
    step = max(1, round(cell_m / raster.cell_size_m))
    values = np.asarray(raster.values, dtype=np.float64)
    if raster.nodata is not None:
        values = np.where(raster.values == raster.nodata, np.nan, values)
    rows, columns = (-(-size // step) for size in values.shape)
    padded = np.full((rows * step, columns * step), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(rows, step, columns, step)
    there = np.isfinite(blocks)
    count = there.sum(axis=(1, 3))
    total = np.where(there, blocks, 0.0).sum(axis=(1, 3))
    mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    row, column = np.nonzero(count > 0 if above is None else mean > above)
    return gpd.GeoDataFrame(
        {_ID: [f"{r}-{c}" for r, c in zip(row, column, strict=True)],
         CELL_VALUE: mean[row, column]},
        geometry=_squares(raster, row * step, column * step, step),
        crs=raster.crs,
    )  # fmt: skip


def _squares(raster: Raster, row: Any, column: Any, step: int) -> Any:
    """Squares of so many cells, cut at the raster's edge."""
    rows, columns = raster.shape
    x = raster.transform.c + np.stack([column, np.minimum(column + step, columns)]) * (
        raster.transform.a
    )
    y = raster.transform.f + np.stack([row, np.minimum(row + step, rows)]) * raster.transform.e
    return box(x[0], y[1], x[1], y[0])


def _units(key: EntityKey, model: EntityType, unit: str, measured: str) -> dict[str, str]:
    """Units of columns that are not in the model's."""
    found = dict(key.units)
    if measured in key.attributes and measured not in found:
        wanted = model.attributes[key.attributes[measured]].unit
        if is_standard(unit) and unit != wanted and wanted and convertible(unit, wanted):
            found[measured] = unit
    return found


def _rounded(entity: Entity) -> Entity:
    """Six significant digits, positions to seven decimals (1 cm): no more than the model knows."""
    for name, attribute in entity.items():
        if isinstance(attribute, dict) and isinstance(attribute.get("value"), float):
            entity[name] = attribute | {"value": float(f"{attribute['value']:.6g}")}
        elif isinstance(attribute, dict) and attribute.get("type") == "GeoProperty":
            shape = attribute["value"]
            entity[name] = attribute | {
                "value": {"type": shape["type"], "coordinates": _short(shape["coordinates"])}
            }
    return entity


def _short(coordinates: Any) -> Any:
    if isinstance(coordinates, int | float):
        return round(float(coordinates), 7)
    return [_short(one) for one in coordinates]
