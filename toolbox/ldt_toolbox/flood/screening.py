"""What the terrain alone tells: flow paths, height above drainage, blue spots. A screening."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes

from ldt_toolbox.flood.blue_spots import BlueSpots, blue_spots
from ldt_toolbox.flood.conditioning import (
    Breached,
    breach_depressions,
    burn_streams,
    fill_depressions,
)
from ldt_toolbox.flood.flow import drainage_mask, flow_accumulation, flow_directions
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.hand import height_above_drainage, stage_depth
from ldt_toolbox.heat.mixing import Floats
from ldt_toolbox.parameters import Parameters


@dataclass(frozen=True)
class Screening:
    """Grids of the terrain analysis, all of the ground's shape.

    Attributes
    ----------
    accumulation : numpy.ndarray of int32
        Cells that drain through each cell.
    drainage : numpy.ndarray of bool
        Rivers, or cells with enough upstream area where no river is mapped.
    hand_m : numpy.ndarray of float64
        Height above the nearest drainage; NaN where the flow meets none.
    spots : BlueSpots
        Depressions of the unburnt terrain.
    breached : Breached or None
        What was dug before.
    """

    accumulation: NDArray[np.int32]
    drainage: NDArray[np.bool_]
    hand_m: NDArray[np.float64]
    spots: BlueSpots
    breached: Breached | None


def screen(ground: Ground, parameters: Parameters) -> Screening:
    """Condition the terrain and read flow paths, height above drainage and blue spots from it.

    Parameters
    ----------
    ground : Ground
        Levels, rivers and sea.
    parameters : Parameters
        Of the use case.
    """
    cell = ground.setup.cell_m
    level: Floats = (
        ground.setup.elevation
    )  # the sea is missing there, and what is missing is a way out
    unfilled = fill_depressions(level)
    spots = blue_spots(
        level, unfilled, flow_directions(unfilled), cell_size_m=cell,
        min_depth_m=parameters.blue_spot_depth_m, min_area_m2=parameters.blue_spot_area_m2,
    )  # fmt: skip
    breached = None
    if parameters.breach_length_m >= cell:
        breached = breach_depressions(
            level, cell_size_m=cell, max_length_m=parameters.breach_length_m,
            max_depth_m=parameters.breach_depth_m,
        )  # fmt: skip
        level = breached.elevation
    rivers = ground.rivers & np.isfinite(level)
    bed = level
    if rivers.any() and parameters.burn_depth_m > 0:
        bed = burn_streams(level, rivers, depth_m=parameters.burn_depth_m, cell_size_m=cell)
    directions = flow_directions(fill_depressions(bed))
    accumulation = flow_accumulation(directions)
    drainage = rivers
    if not rivers.any():
        least = min(1e4 * parameters.drainage_area_ha, cell**2 * float(accumulation.max()))
        drainage = drainage_mask(accumulation, min_area_m2=least, cell_size_m=cell)
    filled = fill_depressions(level)
    hand = height_above_drainage(filled, directions, drainage).height
    return Screening(accumulation, drainage, np.maximum(hand, 0.0), spots, breached)


def stages(found: Screening, ground: Ground, parameters: Parameters) -> pd.DataFrame:
    """Area that each stage would reach, were it the same along all rivers.

    Returns
    -------
    pandas.DataFrame
        `stage_m`, `area_ha`, `share_pct` (of the territory whose height above drainage is known).
    """
    known = ground.inside & np.isfinite(found.hand_m)
    cell_ha = ground.setup.cell_m**2 / 1e4
    rows = []
    for stage in parameters.stages_m:
        wet = known & (stage_depth(found.hand_m, stage) > 0)
        rows.append(
            {
                "stage_m": stage,
                "area_ha": float(wet.sum()) * cell_ha,
                "share_pct": 100 * float(wet.sum()) / max(int(known.sum()), 1),
            }
        )
    return pd.DataFrame(rows, columns=["stage_m", "area_ha", "share_pct"])


def spot_areas(found: Screening, ground: Ground) -> gpd.GeoDataFrame:
    """Blue spots inside the territory as polygons, the largest volume first.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns of `blue_spots.BlueSpots.table` that people read, and `rank`.
    """
    label = np.where(ground.inside, found.spots.label, 0).astype(np.int32)
    pieces: dict[int, list[shapely.Geometry]] = {}
    for outline, number in shapes(label, mask=label > 0, transform=ground.grid.transform):
        pieces.setdefault(int(number), []).append(shapely.geometry.shape(outline))
    chosen = sorted(pieces)
    columns = ["volume_m3", "area_m2", "depth_max_m", "contributing_m2", "rain_to_fill_mm"]
    table = found.spots.table.loc[chosen, columns].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    outlines = [shapely.union_all(pieces[number]) for number in chosen]
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(outlines, crs=ground.grid.crs))
