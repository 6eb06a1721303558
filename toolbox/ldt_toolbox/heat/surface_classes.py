"""Surface classes and what they mean for heat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNCLASSIFIED, BUILDING, PAVED, BARE, GRASS, PARK, TREE, WATER = range(8)


@dataclass(frozen=True)
class SurfaceClass:
    """Class averages of one kind of surface.

    Attributes
    ----------
    kc : float
        Crop coefficient: evapotranspiration over the reference evapotranspiration.
    albedo : float
        Share of sunlight that is sent back.
    shade : float
        Share of the ground under crowns of at least 2 m height.
    green : float
        1 if it counts as green area, else 0.
    """

    kc: float
    albedo: float
    shade: float
    green: float


# Orders of magnitude: crop coefficients after FAO-56 (turf 0.9, trees 1.0, open water 1.0);
# albedos after Oke 1987 (asphalt 0.05-0.20, roofs 0.1-0.35, grass 0.16-0.26, water 0.03-0.10).
# Shade of mixed ground is an assumption. They are class averages, no measurements of a place.
SURFACES: dict[int, SurfaceClass] = {
    UNCLASSIFIED: SurfaceClass(kc=0.30, albedo=0.18, shade=0.05, green=0.0),
    BUILDING: SurfaceClass(kc=0.05, albedo=0.20, shade=0.00, green=0.0),
    PAVED: SurfaceClass(kc=0.10, albedo=0.14, shade=0.00, green=0.0),
    BARE: SurfaceClass(kc=0.25, albedo=0.20, shade=0.02, green=0.0),
    GRASS: SurfaceClass(kc=0.90, albedo=0.23, shade=0.00, green=1.0),
    PARK: SurfaceClass(kc=0.95, albedo=0.20, shade=0.35, green=1.0),
    TREE: SurfaceClass(kc=1.00, albedo=0.17, shade=1.00, green=1.0),
    WATER: SurfaceClass(kc=1.00, albedo=0.08, shade=0.00, green=0.0),
}
OPEN_GROUND = (UNCLASSIFIED, PAVED, BARE)

# Land cover of the toolbox (the `class` column of the role) -> surface class. Where two areas
# overlap, the smaller one is painted later, so that a lawn in a residential area stays a lawn.
LAND_COVER: dict[str, int] = {
    "park": PARK, "garden": PARK, "cemetery": PARK, "grass": GRASS, "sports_grass": GRASS,
    "farmland": GRASS, "scrub": PARK, "wood": TREE, "sand": BARE, "bare_rock": BARE,
    "residential": BARE, "commercial": BARE, "industrial": BARE, "railway": BARE,
    "construction": BARE, "paved": PAVED, "sports_artificial": PAVED, "harbour": PAVED,
    "water": WATER,
}  # fmt: skip

# Carriageway and pavements together, in metres, where a street tells no width: assumption.
STREET_WIDTH_M: dict[str, float] = {
    "motorway": 22.0, "trunk": 18.0, "primary": 14.0, "secondary": 12.0, "tertiary": 10.0,
    "residential": 8.0, "unclassified": 8.0, "living_street": 7.0, "pedestrian": 7.0,
    "service": 5.0, "cycleway": 3.0, "footway": 2.5, "path": 1.5, "steps": 2.5, "track": 3.0,
}  # fmt: skip
DEFAULT_STREET_WIDTH_M = 6.0


def table(name: str) -> NDArray[np.float32]:
    """Value of a property for each surface class, indexed by its code.

    Parameters
    ----------
    name : str
        `kc`, `albedo`, `shade` or `green`.
    """
    return np.array([getattr(SURFACES[code], name) for code in sorted(SURFACES)], np.float32)
