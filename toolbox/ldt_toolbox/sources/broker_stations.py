"""Stations from a context broker: points, each with the mean of a period.

Entities give position and name, their temporal evolution the observations of a period. The answer
is as good as a file with one row a station, and goes through the same cleaning.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ldt_toolbox.models.positions import Area
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.models.units import convert
from ldt_toolbox.results import Note
from ldt_toolbox.sources.broker import attribute_value, observed
from ldt_toolbox.sources.broker_entities import nothing, nowhere, places, received_of, selected
from ldt_toolbox.sources.conform import role_columns
from ldt_toolbox.sources.protocols import Loaded
from ldt_toolbox.sources.series import (
    Reject,
    accepted,
    few_note,
    reject_notes,
    station_means,
)
from ldt_toolbox.sources.vector import cleaned

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Column, Role


def read_stations(source: "Source", role: "Role", territory: "Territory") -> Loaded:
    """Load a role of points with one number each: the mean of a period.

    Parameters
    ----------
    source : Source
        Broker and query, or the snapshot of an earlier answer.
    role : Role
        A column with a unit is a mean of observations, one without is read from the entity.
    territory : Territory
        Clips the stations, and knows its time zone.

    Raises
    ------
    DataError, MissingColumnError, MissingFileError
        Naming role, address and next step, if the broker does not answer, its answer is not
        whole, or nothing in it can be used.
    """
    name, asked, entities = selected(source)
    reach = territory.boundary_geometry.buffer(1000 * role.margin_km)
    west, south, east, north = gpd.GeoSeries([reach], crs=territory.crs).to_crs(4326).total_bounds
    measured, told = _attributes(source, role)
    frame, rejects = _stations(
        entities, told, territory.languages[0], Area(west, south, east, north)
    )
    notes = reject_notes(rejects, name)
    if frame.empty:
        raise nowhere(name, rejects)
    frame, mended = cleaned(frame, name=name, crs=territory.crs, geometry=role.geometry, clip=reach)
    notes += mended
    evolutions = asked.evolutions(list(frame["id"]), sorted(set(measured.values())))
    for column, attribute in measured.items():
        series = _Series(source, role.columns[column], attribute, territory.timezone)
        frame[attribute], refused, found = series.join(evolutions, frame, entities, name)
        rejects += refused
        notes += found
    # what an entity says of this moment changes with each reading, and is not used
    used = {"id", "type", "location", *told}
    still = [{key: one[key] for key in one if key in used} for one in entities]
    content = asked.content(still, evolutions)
    received = received_of(source, content, rejects, asked.accessed)
    frame = role_columns(frame, source, role, name, geometry="geometry")
    frame = gpd.GeoDataFrame(frame, geometry="geometry")
    return Loaded(frame, received.sha256, (*notes, *asked.notes), received)


def _attributes(source: "Source", role: "Role") -> tuple[dict[str, str], list[str]]:
    """Attributes with a history by column of the role, and attributes to be read as they are."""
    named = {
        column.name: source.columns.get(column.name, column.name)
        for column in role.columns.values()
    }
    measured = {
        column.name: named[column.name]
        for column in role.columns.values()
        if column.unit and (column.required or column.name in source.columns)
    }
    told = [attribute for column, attribute in named.items() if not role.columns[column].unit]
    return measured, told


def _stations(
    entities: list[dict[str, Any]], told: list[str], language: str, area: Area
) -> tuple[gpd.GeoDataFrame, list[Reject]]:
    """Entities as points in EPSG:4326; those that are no place on Earth are rejected."""
    found, rejects = places(entities, area)
    rows = [
        {name: attribute_value(one.entity.get(name), language) for name in told}
        | {"id": station, "geometry": one.geometry}
        for station, one in found.items()
    ]
    columns = [*dict.fromkeys([*told, "id"]), "geometry"]
    frame = pd.DataFrame(rows, columns=columns)
    # a column that no entity has must be told as missing, not be there without a value
    frame = frame.drop(columns=[one for one in told if one != "id" and frame[one].isna().all()])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=4326), rejects


@dataclass(frozen=True)
class _Series:
    """One attribute of which the mean of a period is wanted."""

    source: "Source"
    column: "Column"
    attribute: str
    zone: str

    def join(
        self,
        evolutions: list[dict[str, Any]],
        frame: gpd.GeoDataFrame,
        entities: list[dict[str, Any]],
        name: str,
    ) -> tuple[pd.Series, list[Reject], list[Note]]:
        """Mean of each station of a frame, what was rejected, and what has to be said of it."""
        settings = self.source.settings
        low, high = self._range()
        good, rejects = accepted(
            observed(evolutions, self.attribute),
            start=datetime.fromisoformat(settings["from"]),
            end=datetime.fromisoformat(settings["until"]),
            unit=self.column.unit,
            declared_unit=self.source.unit,
            low=low,
            high=high,
        )
        means = station_means(good, hours=settings["hours"], zone=self.zone)
        notes = reject_notes(rejects, name)
        if means.empty:
            raise nothing(self.source, name, self.column.name, self.attribute, entities, rejects)
        label = frame["name"].fillna(frame["id"]) if "name" in frame else frame["id"]
        counts = frame["id"].map(means["count"]).fillna(0)
        notes += few_note(counts.set_axis(label.astype(str)), name)
        notes.append(self._meaning(name, int(counts.sum()), int((counts > 0).sum())))
        return frame["id"].map(means["mean"]), rejects, notes

    def _range(self) -> tuple[float, float]:
        """What can be, by the model that the toolbox declares for the type; in the role's unit."""
        kind = catalogue().get(self.source.settings["type"])
        known = kind.attributes.get(self.attribute) if kind is not None else None
        if known is None or not known.unit:
            return -math.inf, math.inf
        low = -math.inf if known.minimum is None else known.minimum
        high = math.inf if known.maximum is None else known.maximum
        unit = self.column.unit
        return float(convert(low, known.unit, unit)), float(convert(high, known.unit, unit))

    def _meaning(self, name: str, observations: int, stations: int) -> Note:
        settings = self.source.settings
        hours = settings["hours"]
        en = f", hours {hours[0]} to {hours[1]} local time" if hours else ""
        fr = f", de {hours[0]} h à {hours[1]} h (heure locale)" if hours else ""
        period_en = f"from {settings['from']} until {settings['until']}{en}"
        period_fr = f"du {settings['from']} au {settings['until']}{fr}"
        return Note(
            "assumption",
            {
                "en": f"{name}: `{self.attribute}` is the mean of {observations} observations of "
                f"{stations} stations {period_en}.",
                "fr": f"{name} : `{self.attribute}` est la moyenne de {observations} observations "
                f"de {stations} stations {period_fr}.",
            },
        )
