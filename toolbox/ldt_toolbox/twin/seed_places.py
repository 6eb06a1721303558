"""What stands still in a territory, as entities: buildings, streets, stops, points of interest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import pandas as pd

from ldt_toolbox.models.frames import from_frame
from ldt_toolbox.publish.vocabulary import Entity, urn, with_context
from ldt_toolbox.sources import load_role
from ldt_toolbox.use_case import Column, Role

if TYPE_CHECKING:
    from ldt_toolbox.territory import Source, Territory

ROAD_CLASSES = {
    "motorway": "NATIONAL_HIGHWAY",
    "trunk": "NATIONAL_HIGHWAY",
    "primary": "MAJOR_CITY_ROAD",
    "secondary": "MAJOR_CITY_ROAD",
    "tertiary": "MINOR_CITY_ROAD",
    "unclassified": "MINOR_CITY_ROAD",
    "residential": "MINOR_CITY_ROAD",
    "living_street": "MINOR_CITY_ROAD",
    "service": "SERVICE_ROAD",
}
"""Class of OpenStreetMap -> roadClass; the toolbox's own reading, upstream gives no table."""

_TEXT = {"en": "", "fr": ""}
_COLUMNS = {
    "buildings": ("levels", "use", "name"),
    "streets": ("class", "name", "width_m", "lanes", "tunnel"),
    "stops": ("name", "mode"),
    "amenities": ("class", "name"),
    "rivers": ("name", "tunnel"),
}
_GEOMETRY = {"buildings": "polygon", "streets": "line", "rivers": "line"}


@dataclass
class Places:
    """Entities of what stands still.

    Attributes
    ----------
    entities : list of dict
        Normalised, each with its `@context` written out.
    left_out : dict of str to int
        How many features are no entity, by reason.
    """

    entities: list[Entity] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def places(territory: "Territory") -> Places:
    """Make entities of the buildings, streets, stops and amenities that a territory has.

    Parameters
    ----------
    territory : Territory
        Roles for which it has no source are passed over.

    Returns
    -------
    Places
        The same territory gives the same entities. Streets are those that vehicles may use; stops
        and amenities those that have a name, as their models ask for one.

    Raises
    ------
    DataError, CRSError, MissingFileError, MissingColumnError
        If data of the territory cannot be read.
    """
    found = Places()
    for role, (kind, fill) in _MODELS.items():
        frame = features(territory, role)
        if frame is None:
            continue
        kept, reason = fill(frame, territory)
        source = territory.sources[role]
        kept = kept.assign(
            id=[urn(kind, territory.id, str(one)) for one in kept["id"]],
            location=kept.geometry,
            dataProvider=source.source,
            source=_origin(source),
        ).drop(columns="geometry")
        columns = {name: name for name in kept.columns}
        entities, rejects = from_frame(
            gpd.GeoDataFrame(kept, geometry="location"), model=kind, columns=columns
        )
        found.entities += [with_context(entity) for entity in entities]
        lost = {reason: len(frame) - len(kept), f"{role} that break {kind}": len(rejects)}
        found.left_out |= {why: number for why, number in lost.items() if number}
    return found


def features(territory: "Territory", role: str) -> gpd.GeoDataFrame | None:
    """Load the features of a role, whatever use case; None if the territory has no source.

    Parameters
    ----------
    territory : Territory
        The place.
    role : str
        `buildings`, `streets`, `stops`, `amenities` or `rivers`.

    Returns
    -------
    geopandas.GeoDataFrame or None
        With `id` and the columns of the role, in the territory's CRS; ordered by `id`.
    """
    if role not in territory.sources or territory.sources[role].protocol != "file":
        return None
    columns = {name: Column(name, False, "", _TEXT) for name in _COLUMNS[role]}
    wanted = Role(
        id=role, kind="vector", geometry=_GEOMETRY.get(role, "point"), required=False, unit="",
        columns=columns, accepts=("file",), max_resolution_m=None, margin_km=0.0,
        categorical=False, help=_TEXT, without=_TEXT,
    )  # fmt: skip
    frame = cast("gpd.GeoDataFrame", load_role(wanted, territory).data)
    frame = frame.assign(**{name: None for name in columns if name not in frame})
    if "id" not in frame:
        frame = frame.assign(id=[str(number) for number in range(len(frame))])
    ordered: gpd.GeoDataFrame = frame.sort_values("id", kind="stable").reset_index(drop=True)
    return ordered


def road_urn(territory: "Territory", feature_id: str) -> str:
    """Id of the entity of a street."""
    return urn("RoadSegment", territory.id, feature_id)


def drivable(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Streets that vehicles may use, with their `road_class`."""
    plain = streets["class"].astype("str").str.removesuffix("_link")
    return streets.assign(road_class=plain.map(ROAD_CLASSES)).dropna(subset="road_class")


def _buildings(frame: gpd.GeoDataFrame, territory: "Territory") -> tuple[gpd.GeoDataFrame, str]:
    address = {"addressCountry": territory.country, "addressLocality": territory.name()}
    filled = gpd.GeoDataFrame(
        {
            "id": frame["id"],
            "name": frame["name"],
            "category": [[str(use)] if pd.notna(use) else ["unknown"] for use in frame["use"]],
            "address": [dict(address) for _ in range(len(frame))],
            "floorsAboveGround": pd.to_numeric(frame["levels"], errors="coerce"),
        },
        geometry=frame.geometry,
    )
    return filled, ""


def _streets(frame: gpd.GeoDataFrame, territory: "Territory") -> tuple[gpd.GeoDataFrame, str]:
    roads = drivable(frame)
    named = roads["name"].notna()
    lines = roads.geometry
    road = roads["name"].where(named, roads["id"].astype("str"))
    filled = gpd.GeoDataFrame(
        {
            "id": roads["id"],
            "name": roads["name"].where(named, roads["class"].astype("str") + " " + road),
            "refRoad": [urn("Road", territory.id, str(one)) for one in road],
            "startPoint": lines.interpolate(0),
            "endPoint": lines.interpolate(1, normalized=True),
            "allowedVehicleType": [["anyVehicle"]] * len(roads),
            "roadClass": roads["road_class"],
            "length": (lines.length / 1000).round(4),
            "width": pd.to_numeric(roads["width_m"], errors="coerce"),
            "totalLaneNumber": pd.to_numeric(roads["lanes"], errors="coerce"),
        },
        geometry=lines,
    )
    return filled, "streets without vehicles"


def _stops(frame: gpd.GeoDataFrame, _: "Territory") -> tuple[gpd.GeoDataFrame, str]:
    named = frame[frame["name"].notna()]
    filled = gpd.GeoDataFrame(
        {
            "id": named["id"],
            "name": named["name"],
            "description": named["mode"],
            "code": named["id"].astype("str"),
        },
        geometry=named.geometry,
    )
    return filled, "stops without a name"


def _amenities(frame: gpd.GeoDataFrame, _: "Territory") -> tuple[gpd.GeoDataFrame, str]:
    named = frame[frame["name"].notna()]
    filled = gpd.GeoDataFrame(
        {
            "id": named["id"],
            "name": named["name"],
            "category": [[str(one)] for one in named["class"]],
        },
        geometry=named.geometry,
    )
    return filled, "amenities without a name"


Fill = Callable[[gpd.GeoDataFrame, Any], tuple[gpd.GeoDataFrame, str]]
_MODELS: dict[str, tuple[str, Fill]] = {
    "buildings": ("Building", _buildings),
    "streets": ("RoadSegment", _streets),
    "stops": ("GtfsStop", _stops),
    "amenities": ("PointOfInterest", _amenities),
}


def _origin(source: "Source") -> str:
    return ", ".join(part for part in (source.url, source.licence, source.date) if part)
