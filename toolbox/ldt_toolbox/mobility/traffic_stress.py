"""Bicycle level of traffic stress: 1 fit for children, 2 most adults, 3 confident, 4 fearless.

Criteria of Mekuria, Furth & Nixon 2012, Low-stress bicycling and network connectivity, Mineta
Transportation Institute report 11-19, tables 2 to 4 (from memory), as far as a street map knows
them: speed limit, lanes, separation. What can't be known from it: traffic volume, parking, width of
bike lanes, how often they are blocked, and crossings, whose stress the report rates on their own.
So a level here is a screening, and low where the map is silent on what would make it higher.
"""

import numpy as np
import pandas as pd

from ldt_toolbox.errors import MissingColumnError

_SEPARATE = ("cycleway", "path", "track", "footway", "pedestrian", "bridleway")
_CALM = ("residential", "living_street", "service", "unclassified", "road")
_CLOSED = ("motorway", "motorway_link", "steps")
_MPH_KMH = 1.609344
# Where no speed is tagged; urban defaults, an assumption.
ASSUMED_KMH = {
    "living_street": 20.0, "service": 20.0, "residential": 30.0, "unclassified": 50.0,
    "road": 50.0, "tertiary": 50.0, "tertiary_link": 50.0, "secondary": 50.0,
    "secondary_link": 50.0, "primary": 50.0, "primary_link": 50.0, "trunk": 80.0,
    "trunk_link": 60.0,
}  # fmt: skip
_TRACKS = ("track", "separate", "opposite_track")
_LANES = ("lane", "opposite_lane", "both", "left", "right")


def traffic_stress(streets: pd.DataFrame) -> pd.DataFrame:
    """Rate each street.

    Parameters
    ----------
    streets : pandas.DataFrame
        `class` (OSM), `lanes` (both directions together; NaN counts as 2), `maxspeed_kmh` (NaN:
        `ASSUMED_KMH`), and where they are known `cycleway` and `one_way`, whose lanes are those of
        one direction, also where the line is half of a wide street: from ``Network.edges``.

    Returns
    -------
    pandas.DataFrame
        Index of the streets: `level` (1 to 4; <NA> where bikes can't ride), `speed_assumed`,
        `lanes_assumed` and `reason`.

    Raises
    ------
    MissingColumnError
        If there is no `class`.
    """
    if "class" not in streets:
        raise MissingColumnError("the streets have no column 'class': give OSM's highway value")
    kind = streets["class"].astype(str)

    def numbers(name: str) -> pd.Series:
        nothing = pd.Series(np.nan, streets.index)
        return streets[name].astype(float) if name in streets else nothing

    bike = streets["cycleway"] if "cycleway" in streets else pd.Series(None, streets.index)
    speed, lanes = numbers("maxspeed_kmh"), numbers("lanes")
    speed_assumed, lanes_assumed = speed.isna(), lanes.isna()
    mph = speed.fillna(kind.map(ASSUMED_KMH)).fillna(50.0) / _MPH_KMH
    told = streets["one_way"] if "one_way" in streets else pd.Series(False, streets.index)
    one_way = told.to_numpy(bool) & lanes.notna().to_numpy()
    wide = lanes.fillna(2.0) * np.where(one_way, 2, 1)
    # 30 and 50 km/h stand where the report has 20 to 25 and 30 mph: 50 km/h is 31.07 mph
    fast, medium = (mph > 32).to_numpy(), (mph > 25).to_numpy()
    calm = (kind.isin(_CALM) & (wide < 3)).to_numpy()
    mixed = np.select(
        [fast, (wide >= 6).to_numpy(), (wide >= 4).to_numpy() & medium, (wide >= 4).to_numpy(),
         medium],
        [4, 4, 4, 3, np.where(calm, 2, 3)],
        np.where(calm, 1, 2),
    )  # fmt: skip
    # a bike lane without parking beside it: one lane a direction (a third one is for turning), two
    # where nobody comes the other way or a median keeps them off (such a street is drawn as two),
    # else more; speed up to 30, 35 mph
    marked = np.maximum(
        np.where(wide > 3, np.where(one_way & (wide <= 4), 2, 3), 1),
        np.select([(mph > 37).to_numpy(), fast], [4, 3], 1),
    )
    separate = kind.isin(_SEPARATE) | bike.isin(_TRACKS)
    closed = kind.isin(_CLOSED).to_numpy()
    lane = bike.isin(_LANES).to_numpy() & ~separate.to_numpy()
    level = np.where(separate, 1, np.where(lane, np.minimum(marked, mixed), mixed))
    alone = separate.to_numpy() | closed
    why = np.select(
        [closed, separate.to_numpy(), lane],
        ["closed to bikes", "away from cars", "bike lane"],
        "mixed traffic",
    )
    return pd.DataFrame(
        {
            "level": pd.array(np.where(closed, 0, level), dtype="Int64"),
            "speed_assumed": speed_assumed & ~alone,
            "lanes_assumed": lanes_assumed & ~alone,
            "reason": why,
        },
        index=streets.index,
    ).assign(level=lambda t: t["level"].mask(closed))
