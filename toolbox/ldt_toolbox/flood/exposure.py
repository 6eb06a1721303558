"""Who stands in the water: depth at each building, people by depth."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.space.zonal import zonal_statistics

PEOPLE_DEPTHS_M = (0.1, 0.3, 0.5)


def depth_at_buildings(
    buildings: gpd.GeoDataFrame,
    depth: Raster,
    *,
    wet_above_m: float = 0.1,
    ring_m: float | None = None,
    blocked: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Depth of water at each building, by the exact share of each cell under it.

    Parameters
    ----------
    buildings : geopandas.GeoDataFrame
        Footprints in the raster's CRS, any size: a hut smaller than a cell takes its cell's depth.
    depth : Raster
        m; NaN where nothing was computed.
    wet_above_m : float
        Depth above which ground counts as wet.
    ring_m : float, optional
        Look at a ring of this width around the footprint instead: where buildings are blocked
        cells or raised ground, the water stands before the wall. About one to two cells.
    blocked : numpy.ndarray of bool, shape of the raster, optional
        Cells that the simulation took out as buildings; they never count.

    Returns
    -------
    pandas.DataFrame
        Index of `buildings`: `depth_mean_m` and `depth_max_m` (over the known part; NaN if there
        is none), `wet_share` (of the known part, 0 to 1), `known_share` (0 to 1).

    Raises
    ------
    ParameterError
        If the ring is not above 0, or buildings are blocked and no ring is given.
    DataError
        If the mask has another shape, or a footprint crosses itself.
    """
    grid = depth
    if blocked is not None:
        if ring_m is None:
            raise ParameterError(
                "buildings are blocked cells, so there is no water inside: give ring_m, about one "
                f"to two cells ({depth.transform.a:g} to {2 * depth.transform.a:g})"
            )
        if blocked.shape != depth.shape:
            raise DataError(f"the mask has shape {blocked.shape}, the depth {depth.shape}")
        gone = blocked if depth.nodata is None else blocked | (depth.values == depth.nodata)
        grid = depth.with_values(np.where(gone, np.nan, depth.values))
    zones: gpd.GeoSeries = buildings.geometry
    if ring_m is not None:
        zones = _rings(zones, ring_m)
    found = zonal_statistics(zones, grid, thresholds=(wet_above_m,))
    return pd.DataFrame(
        {
            "depth_mean_m": found["mean"],
            "depth_max_m": found["max"],
            "wet_share": found[f"share_above_{wet_above_m:g}"],
            "known_share": found["known_share"],
        }
    )


def people_by_depth(
    people: pd.Series, depth_m: pd.Series, *, depths_m: Sequence[float] = PEOPLE_DEPTHS_M
) -> pd.DataFrame:
    """People in buildings at which the water stands higher than each depth.

    Parameters
    ----------
    people : pandas.Series of float
        People in each building (spread by floor area).
    depth_m : pandas.Series of float
        Depth at each building, m, same index; NaN where unknown.
    depths_m : sequence of float
        m.

    Returns
    -------
    pandas.DataFrame
        Index `depth_m`; `people`, `share` (of all whose depth is known) and `people_unknown`
        (in buildings without a depth; the same in each row).

    Raises
    ------
    DataError
        If indexes differ, or a number of people is missing or negative.
    """
    if not people.index.equals(depth_m.index):
        raise DataError("people and depths have different indexes: align them first")
    number, depth = people.to_numpy(np.float64), depth_m.to_numpy(np.float64)
    if not (number >= 0).all():
        raise DataError("a number of people is missing or negative: spread the population first")
    known = np.isfinite(depth)
    whole = number[known].sum()
    inside = [number[known & (depth > limit)].sum() for limit in depths_m]
    return pd.DataFrame(
        {
            "people": inside,
            "share": [part / whole if whole > 0 else np.nan for part in inside],
            "people_unknown": number[~known].sum(),
        },
        index=pd.Index(depths_m, name="depth_m"),
    )


def _rings(footprints: gpd.GeoSeries, ring_m: float) -> gpd.GeoSeries:
    if not ring_m > 0:
        raise ParameterError(f"a ring of {ring_m:g} m around buildings: give a width above 0")
    bad = np.flatnonzero(~footprints.is_valid.to_numpy() & footprints.notna().to_numpy())
    if bad.size:
        raise DataError(
            f"{bad.size} footprints cross or overlap themselves (the first at "
            f"{footprints.index[bad[0]]}): repair them with make_valid"
        )
    shapes = np.asarray(footprints.array, dtype=object)
    rings = shapely.difference(shapely.buffer(shapes, ring_m, quad_segs=4), shapes)
    return gpd.GeoSeries(rings, index=footprints.index, crs=footprints.crs)
