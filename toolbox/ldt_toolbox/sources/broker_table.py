"""Rows from a context broker: one an entity and instant, as a table in a file would hold them.

Entities are selected and placed as for stations, their temporal evolution gives the rows. What each
row is worth is judged by the use case, as for a file.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError
from ldt_toolbox.models.frames import by_instant, temporal_frame
from ldt_toolbox.models.frames.beside import ID, INSTANT
from ldt_toolbox.models.positions import Area
from ldt_toolbox.models.times import is_date, is_interval, read_date_time
from ldt_toolbox.models.units import COUNT, convert, convertible
from ldt_toolbox.results import Note
from ldt_toolbox.sources.broker import Entity, attribute_value
from ldt_toolbox.sources.broker_entities import (
    Placed,
    nothing,
    nowhere,
    places,
    received_of,
    selected,
)
from ldt_toolbox.sources.conform import role_columns
from ldt_toolbox.sources.protocols import Loaded
from ldt_toolbox.sources.series import Reject, reject_notes

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Role

POSITION = ("longitude_deg", "latitude_deg")
"""Columns that an entity's location fills (EPSG:4326) unless `columns` names an attribute."""


def read_rows(source: "Source", role: "Role", territory: "Territory") -> Loaded:
    """Load a table: one row an entity and instant of the period.

    Parameters
    ----------
    source : Source
        Broker and query, or the snapshot of an earlier answer. Its `columns` name attributes, `id`
        (of the entity) or `observedAt` (the instant).
    role : Role
        Observations are converted to the unit of their column.
    territory : Territory
        Only entities in its box are asked for their history.

    Raises
    ------
    DataError, MissingColumnError, MissingFileError
        Naming role, address and next step, if the broker does not answer, its answer is not
        whole, or nothing in it can be used.
    """
    if source.settings["hours"]:
        raise DataError(
            f"{source.role}: `hours` chooses what a mean is made of, but this role takes every "
            "instant: remove it from territory.yaml"
        )
    name, asked, entities = selected(source)
    columns = {
        column.name: source.columns.get(column.name, column.name)
        for column in role.columns.values()
        if column.required or column.name in source.columns
    }
    from_place = [one for one in POSITION if one in role.columns and one not in source.columns]
    columns = {one: named for one, named in columns.items() if one not in from_place}
    area = _box(territory, role.margin_km) if from_place else None
    found, rejects = places(entities, area, clip=True)
    if not found:
        raise nowhere(name, rejects)
    attributes = sorted({named for named in columns.values() if named not in (ID, INSTANT)})
    evolutions = asked.evolutions(list(found), attributes)
    constant = _constants(found, role, columns, territory.languages[0])
    frame = temporal_frame(evolutions, attributes=attributes)
    units = {attribute: role.columns[column].unit for column, attribute in columns.items()}
    good, refused = _accepted(frame, source, units, constant)
    rejects += [reject for _, reject in refused]
    rows = by_instant(good).infer_objects()
    if not rows.empty:
        rows = _with_constants(rows, frame, constant)
    # without rows those lack that make some
    lacking = {one for one in attributes if one not in rows}
    if rows.empty:
        lacking = lacking - constant.keys() or lacking
    for column, attribute in columns.items():
        if attribute in lacking:
            these = [reject for named, reject in refused if named == attribute]
            raise nothing(source, name, column, attribute, entities, these)
    centres = {one: place.geometry.representative_point() for one, place in found.items()
               if place.geometry is not None}  # fmt: skip
    for column, side in zip(POSITION, ("x", "y"), strict=True):
        if column in from_place:
            own = {one: getattr(point, side) for one, point in centres.items()}
            rows[column] = rows[ID].map(own).astype(np.float64)
    content = asked.content(_kept(entities, constant), evolutions)
    received = received_of(source, content, rejects, asked.accessed)
    notes = reject_notes(rejects, name) + _meaning(name, source, rows, found)
    rows = role_columns(rows, source, role, name, strict=False)
    return Loaded(rows, received.sha256, (*notes, *asked.notes), received)


def _box(territory: "Territory", margin_km: float) -> Area:
    reach = territory.boundary_geometry.buffer(1000 * margin_km)
    box = gpd.GeoSeries([reach], crs=territory.crs).to_crs("EPSG:4326").total_bounds
    return Area(*box.tolist())


def _constants(
    found: Mapping[str, Placed], role: "Role", columns: Mapping[str, str], language: str
) -> dict[str, dict[str, Any]]:
    """Attributes that have no history because they don't change, such as names and lanes.

    A number that the role requires, a quantity with a unit and a time are never taken for one:
    they would be those of the latest reading.
    """
    told: dict[str, dict[str, Any]] = {}
    for name, attribute in columns.items():
        column = role.columns[name]
        if column.unit or attribute in (ID, INSTANT):
            continue
        values = {}
        for one, place in found.items():
            value = _constant(place.entity.get(attribute), language)
            number = not isinstance(value, str) and column.name not in POSITION
            if value is not None and not (column.required and number):
                values[one] = value
        if values:
            told[attribute] = values
    return told


def _with_constants(
    rows: pd.DataFrame, frame: pd.DataFrame, constant: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Fill in what does not change, where an entity has no history of it."""
    timed = frame[frame["time"].notna()]
    for attribute, values in constant.items():
        alone = ~rows[ID].isin(timed["entity_id"][timed["attribute"] == attribute])
        told = rows[ID].map(dict(values)).where(alone)
        known = rows[attribute].where(~alone, told) if attribute in rows else told
        rows = rows.assign(**{attribute: known})
    return rows


def _constant(attribute: Any, language: str) -> Any:
    blocks = attribute if isinstance(attribute, list) else [attribute]
    if any(isinstance(block, Mapping) and INSTANT in block for block in blocks):
        return None
    value = attribute_value(attribute, language)
    time = is_date(value) or is_interval(value) or read_date_time(value) is not None
    return value if isinstance(value, str | int | float) and not time else None


def _accepted(
    frame: pd.DataFrame,
    source: "Source",
    units: Mapping[str, str],
    constant: Mapping[str, Mapping[str, Any]],
) -> tuple[pd.DataFrame, list[tuple[str, Reject]]]:
    """Observations in the units of the role, and those that are of no use, by attribute."""
    # an attribute without a time that the entity tells as well is told once
    said = [
        one in constant.get(attribute, ())
        for one, attribute in zip(frame["entity_id"], frame["attribute"], strict=True)
    ]
    frame = frame[~(frame["time"].isna() & np.array(said, bool))].reset_index(drop=True)
    start, end = (datetime.fromisoformat(source.settings[key]) for key in ("from", "until"))
    codes, wanted = frame["unit_code"].astype(str), frame["attribute"].astype(str).map(units)
    codes = codes.mask((codes == "") & (wanted != ""), source.unit)
    there = frame["value"].notna()
    pairs = pd.Series(list(zip(codes, wanted, strict=True)), frame.index, dtype=object)
    fits = {pair: _fits(*pair) for pair in set(pairs)}
    reason = pd.Series("", index=frame.index, dtype=object)
    tests = {
        "dataset": frame["dataset_id"] != "",
        "time": frame["time"].isna(),
        "window": (frame["time"] < start) | (frame["time"] >= end),
        "no-unit": there & (codes == "") & (wanted != ""),
        "unit": there & ~pairs.map(fits).astype(bool),
    }
    for key, met in tests.items():
        reason[(reason == "") & met] = key
    bad = frame[reason != ""]
    rejects = [
        (str(named), Reject(key, str(one), "" if at is pd.NaT else at.isoformat(), _shown(value)))
        for key, named, one, at, value in zip(
            reason[bad.index],
            *(bad[of] for of in ("attribute", "entity_id", "time", "value")),
            strict=True,
        )
    ]
    good = frame[reason == ""].astype({"value": object})
    for pair in fits:
        own = good.index[pairs[good.index] == pair]
        if len(own) and pair[0] != pair[1] and pair[1]:
            good.loc[own, "value"] = _converted(good.loc[own, "value"], *pair)
    return good, rejects


def _fits(code: str, wanted: str) -> bool:
    """Whether a unit code can be brought to that of a column; a plain number has none."""
    return convertible(code, wanted) if wanted else code in ("", COUNT)


def _converted(values: pd.Series, code: str, unit: str) -> pd.Series:
    """Numbers in another unit; what is no number stays, so that it is told as it was written."""
    scalar = values.where(np.array([not isinstance(one, bool | dict | list) for one in values]))
    numbers = np.asarray(pd.to_numeric(scalar, errors="coerce"), np.float64)
    made = pd.Series(convert(numbers, code, unit), values.index, dtype=object)
    return values.where(~np.isfinite(numbers), made)


def _shown(value: Any) -> str:
    return "" if value is None or value != value else str(value)[:80]


def _kept(entities: list[Entity], constant: Mapping[str, Mapping[str, Any]]) -> list[Entity]:
    """What was used of entities; what they say of this moment changes with each reading."""
    return [
        {
            key: value
            for key, value in one.items()
            if key in ("id", "type", "location") or one.get("id") in constant.get(key, ())
        }
        for one in entities
    ]


def _meaning(
    name: str, source: "Source", rows: pd.DataFrame, found: Mapping[str, Placed]
) -> list[Note]:
    settings = source.settings
    start, end = settings["from"], settings["until"]
    taken = ", ".join(f"`{column}`" for column, told in source.columns.items() if told == INSTANT)
    en = f" The instant of an observation is taken for {taken}." if taken else ""
    fr = f" L'instant d'une observation est pris pour {taken}." if taken else ""
    count = rows[ID].nunique()
    notes = [
        Note(
            "assumption",
            {
                "en": f"{name}: {len(rows)} rows of {count} entities from {start} until {end}.{en}",
                "fr": f"{name} : {len(rows)} lignes de {count} entités du {start} au {end}.{fr}",
            },
        )
    ]
    if silent := [one for one in found if one not in set(rows[ID])]:
        notes.append(
            Note(
                "warning",
                {
                    "en": f"{name}: {len(silent)} entities without an observation that can be used "
                    f"in that period (first: {silent[0]})",
                    "fr": f"{name} : {len(silent)} entités sans observation utilisable sur cette "
                    f"période (la première : {silent[0]})",
                },
            )
        )
    return notes
