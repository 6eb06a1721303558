"""Official or observed depth rasters as the hazard, by return period."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.space.paint import onto_grid
from ldt_toolbox.space.raster import Raster

ROLE = re.compile(r"hazard_depth_(\d+)")
LARGEST_DEPTH_M = 100.0


def return_period_of(role: str) -> float | None:
    """Return period of a role such as `hazard_depth_100`, None for other roles."""
    match = ROLE.fullmatch(role)
    return float(match.group(1)) if match else None


def depths_on_grid(
    rasters: Mapping[float, Raster], ground: Ground
) -> dict[float, NDArray[np.float32]]:
    """Depth rasters on the ground's grid, by return period from frequent to rare.

    Parameters
    ----------
    rasters : mapping of float to Raster
        Depth in metres by return period, on any grid. A missing value is dry ground: that is how
        the JRC's maps, and most others, write it.
    ground : Ground
        Gives the grid.

    Raises
    ------
    DataError
        If a raster does not reach the territory, or holds what can be no depth in metres.
    """
    found = {}
    for period in sorted(rasters):
        raster = rasters[period]
        # dry before resampling, else the water's edge would shrink by half a cell
        values = np.nan_to_num(np.asarray(raster.values, np.float64))
        low, high = float(values.min()), float(values.max())
        if low < 0 or high > LARGEST_DEPTH_M:
            raise DataError(
                f"hazard_depth_{period:g} holds depths from {low:g} to {high:g} m: depths lie "
                "between 0 and 100 m; is it in centimetres, a water level, or are missing cells "
                "not marked as such?"
            )
        depth = onto_grid(raster.with_values(values.astype(np.float32)), ground.grid)
        if not np.isfinite(depth[ground.inside]).any():
            raise DataError(
                f"hazard_depth_{period:g} does not reach the territory: check its extent and CRS"
            )
        found[period] = depth
    return found
