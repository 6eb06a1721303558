"""Shaded relief: how bright each cell of a terrain is under a low sun in the north-west."""

import math

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.space.raster import Raster

AZIMUTH_DEG = 315.0  # of cartographers' habit: light from the south turns valleys into ridges
ELEVATION_DEG = 45.0
_WANTED_SLOPE = 0.5
_MOST_EXAGGERATED = 20.0


def hillshade(terrain: Raster) -> NDArray[np.float32]:
    """Brightness of a surface that scatters light evenly (Lambert's cosine law).

    Parameters
    ----------
    terrain : Raster
        Elevation in metres on square cells, north up, projected CRS.

    Returns
    -------
    numpy.ndarray of float32, shape of the terrain
        0 (in its own shade) to 1 (faces the light); NaN where the terrain or a neighbour is
        missing. Flat land is exaggerated up to twentyfold, until its steepest tenth reaches a
        slope of one half: it is a picture to find one's way by, not a measure of slope.
    """
    level = np.asarray(terrain.values, np.float64)
    if min(level.shape) < 2:
        return np.full(level.shape, np.nan, np.float32)
    down, along = np.gradient(level, terrain.cell_size_m)
    slope = np.hypot(down, along)
    steep = float(np.nanpercentile(slope, 90)) if np.isfinite(slope).any() else 0.0
    factor = min(max(_WANTED_SLOPE / steep, 1.0), _MOST_EXAGGERATED) if steep > 0 else 1.0
    east, north = -factor * along, factor * down  # the upward normal, before it is scaled to 1
    azimuth, height = math.radians(AZIMUTH_DEG), math.radians(ELEVATION_DEG)
    light = (
        math.cos(height) * (east * math.sin(azimuth) + north * math.cos(azimuth)) + math.sin(height)
    ) / np.sqrt(1.0 + east**2 + north**2)
    return np.asarray(np.clip(light, 0.0, 1.0), dtype=np.float32)
