"""Who may use which street, in which direction, how fast on the flat.

Defaults by OSM class are those of OpenStreetMap's wiki (OSM tags for routing/Access restrictions),
narrowed where noted; a `foot`, `bicycle` or `motor_vehicle` tag goes first, then `vehicle` (but on
foot), then `access`.
"""

from typing import Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.streets import BACKWARD, BOTH, FORWARD

Mode = Literal["walk", "bike", "car"]

WALK_M_S = 1.33  # Weidmann 1993: mean of 1.34 on the flat; from memory
BIKE_M_S = 4.5  # 16 km/h; an assumption
# Horizontal speed on stairs over that on the flat, mean of up and down: Fruin 1971, from memory.
STEPS_SHARE = 0.45
# Free flow in towns by class, where no maxspeed is tagged; an assumption, not a measurement.
CAR_KMH = {
    "motorway": 100.0, "motorway_link": 60.0, "trunk": 70.0, "trunk_link": 50.0,
    "primary": 50.0, "primary_link": 40.0, "secondary": 50.0, "secondary_link": 40.0,
    "tertiary": 45.0, "tertiary_link": 35.0, "unclassified": 40.0, "residential": 30.0,
    "living_street": 15.0, "service": 15.0, "road": 30.0,
}  # fmt: skip
_NO_STREET = (
    "construction", "proposed", "raceway", "abandoned", "razed", "planned", "rest_area",
    "services", "disused", "no", "bus_guideway", "escape", "emergency_bay", "unknown",
)  # fmt: skip
_MOTORWAYS = ("motorway", "motorway_link")
_MAIN_ROADS = ("trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link")
_FOR_BIKES = (
    "cycleway", "path", "track", "busway", "primary", "primary_link", "secondary",
    "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential",
    "living_street", "service", "road", "trunk", "trunk_link",
)  # fmt: skip
_PUSHED = ("footway", "pedestrian", "corridor", "platform", "bridleway")
_ALLOWED = ("yes", "designated", "permissive", "destination", "customers", "official")
_FORBIDDEN = (
    "no", "dismount", "use_sidepath", "agricultural", "forestry", "delivery", "military",
)  # fmt: skip
_PRIVATE = ("private", "permit", "residents")
_TAG = {"walk": "foot", "bike": "bicycle", "car": "motor_vehicle"}


def usable(
    streets: gpd.GeoDataFrame, mode: Mode, *, private: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    """Find who may go where.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        From `standard_streets`.
    mode : {"walk", "bike", "car"}
        Bikes are pushed at walking speed where only people on foot may go, in both directions,
        also where a tag forbids to ride or sends riders to the path beside; stairs are closed to
        them. Reversible lanes are closed to bikes and cars. People on foot don't use tunnels of
        main roads unless a `foot` tag lets them.
    private : bool
        Whether ways that one may use with permission only are open.

    Returns
    -------
    forward_m_s, backward_m_s : numpy.ndarray of float64, shape (streets,)
        Speed on the flat along the line and against it; NaN where closed.
    reason : numpy.ndarray of str
        Why both are closed, or empty.

    Raises
    ------
    ParameterError
        If the mode is unknown.
    """
    if mode not in _TAG:
        raise ParameterError(f"mode is {mode!r}: give one of {', '.join(map(repr, _TAG))}")
    kind = streets["class"].to_numpy(object).astype(str)
    told, by = _told(streets, mode)
    own = streets[_TAG[mode]].to_numpy(object).astype(str)
    reason = np.full(len(streets), "", dtype="U60")

    def close(which: NDArray[np.bool_], why: str) -> None:
        reason[which & (reason == "")] = why

    allowed = np.isin(own, _ALLOWED)
    forbidden = np.isin(told, _FORBIDDEN if private else (*_FORBIDDEN, *_PRIVATE))
    pushed = np.zeros(len(streets), bool)
    if mode == "bike":
        afoot = usable(streets, "walk", private=private)[2] == ""
        pushed = (np.isin(kind, _PUSHED) & ~allowed) | forbidden
        pushed &= afoot & (kind != "steps")
    close(np.isin(kind, _NO_STREET), "not in use as a street")
    for tag in np.unique(by):
        close(forbidden & ~pushed & (by == tag), f"forbidden by its {tag} tag")
    both = np.full(len(streets), WALK_M_S)
    if mode == "walk":
        close(np.isin(kind, _MOTORWAYS), "motorway")
        underground = np.isin(kind, _MAIN_ROADS) & streets["tunnel"].to_numpy(bool)
        close(underground & ~allowed, "tunnel of a main road")
        both[kind == "steps"] *= STEPS_SHARE
        on_foot = np.where(reason == "", both, np.nan)
        return on_foot, on_foot, reason
    direction = streets["direction_bike" if mode == "bike" else "direction"].to_numpy()
    if mode == "bike":
        close(np.isin(kind, _MOTORWAYS), "motorway")
        close(kind == "steps", "stairs")
        ridden = np.isin(kind, _FOR_BIKES) | np.isin(kind, _PUSHED) & allowed
        close(~pushed & ~ridden, "not for bikes by its class")
        both = np.where(pushed, WALK_M_S, BIKE_M_S)
        direction = np.where(pushed, BOTH, direction)
    else:
        close(~np.isin(kind, list(CAR_KMH)), "not for cars by its class")
        by_class = np.array([CAR_KMH.get(k, np.nan) for k in kind])
        tagged = streets["maxspeed_kmh"].to_numpy(np.float64)
        both = np.where(np.isnan(tagged), by_class, tagged) / 3.6
    close(~np.isin(direction, (BOTH, FORWARD, BACKWARD)), "reversible lane")
    open_ = reason == ""
    return (
        np.where(open_ & (direction != BACKWARD), both, np.nan),
        np.where(open_ & (direction != FORWARD), both, np.nan),
        reason,
    )


def _told(streets: gpd.GeoDataFrame, mode: Mode) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """What the most special tag that is understood says of a mode, and which tag that is."""
    told, by = np.full(len(streets), "", "U20"), np.full(len(streets), "", "U20")
    for tag in ("access", *(() if mode == "walk" else ("vehicle",)), _TAG[mode]):
        given = streets[tag].to_numpy(object).astype(str)
        known = np.isin(given, (*_ALLOWED, *_FORBIDDEN, *_PRIVATE))
        told, by = np.where(known, given, told), np.where(known, tag, by)
    return told, by
