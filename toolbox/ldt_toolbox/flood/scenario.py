"""What measures would change: depaving, retention, sewers, a wall; more rain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.coarse import side_within
from ldt_toolbox.flood.ground import Ground, Setup
from ldt_toolbox.flood.losses import curve_number_table
from ldt_toolbox.flood.retention import dig
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.space.paint import paint

MOST_CELL_STEPS = 1e10  # half a minute on two idle cores, and eight runs are compared


@dataclass(frozen=True)
class Scenario:
    """A changed ground, a changed storm, or both.

    Attributes
    ----------
    setup : Setup
        Ground with the measure.
    rain_factor : float
        On the storm.
    treated_m2, storage_m3, length_m : float
        How much is built: ground depaved, storage dug, wall.
    """

    setup: Setup
    rain_factor: float = 1.0
    treated_m2: float = 0.0
    storage_m3: float = 0.0
    length_m: float = 0.0


def depave(ground: Ground, setup: Setup, *, share: float, soil_group: str) -> tuple[Setup, float]:
    """Turn a share of paved ground (not roofs) into lawn.

    Returns
    -------
    Setup
        With the curve number of a lawn in good condition there.
    float
        Area, m2, inside the territory.
    """
    table = curve_number_table()
    numbers = table[soil_group].astype(np.float64)
    fall = float(numbers["grass"] - numbers["paved"])
    part = np.where(ground.inside, setup.paved * share, 0.0)
    changed = (setup.curve_number + fall * part).astype(np.float32)
    paved = (setup.paved - part).astype(np.float32)
    area = float(part.sum()) * setup.cell_m**2
    return replace(setup, curve_number=changed, paved=paved), area


def above_old_ground(
    depth_m: NDArray[np.floating], setup: Setup, before: Setup
) -> NDArray[np.floating]:
    """Depth above the ground of before: what stands inside a basin that was dug is no flood.

    Parameters
    ----------
    depth_m : numpy.ndarray
        Depth on the changed ground.
    setup, before : Setup
        Changed and old ground.
    """
    dug = np.nan_to_num(np.minimum(setup.elevation - before.elevation, 0.0))
    return np.asarray(np.maximum(depth_m + dug, 0.0))


def wall(ground: Ground, setup: Setup, walls: gpd.GeoDataFrame) -> tuple[Setup, float]:
    """Raise the ground along walls by their height.

    Returns
    -------
    Setup
        Every cell that a wall touches is raised: on coarse cells that is wider than any wall.
    float
        Length, m.

    Raises
    ------
    DataError
        If a wall has no height, or none touches the terrain.
    """
    heights = walls["height_m"].astype(np.float64).to_list()
    if bad := sum(not height > 0 for height in heights):
        raise DataError(f"walls: {bad} of {len(heights)} have no height above 0: give height_m")
    rise = np.zeros(setup.elevation.shape, np.float32)
    pairs = sorted(zip(walls.geometry, heights, strict=True), key=lambda one: one[1])
    paint(pairs, ground.grid, out=rise, all_touched=True)
    if not rise.any():
        raise DataError("walls: none lies on the terrain: check their place and CRS")
    return replace(setup, elevation=setup.elevation + rise), float(walls.geometry.length.sum())


def scenarios(
    ground: Ground,
    found: Screening,
    parameters: Parameters,
    *,
    basins: gpd.GeoDataFrame | None = None,
    walls: gpd.GeoDataFrame | None = None,
) -> dict[str, Scenario]:
    """Each measure alone, all together, and a warmer climate without and with them.

    Returns
    -------
    dict of str to Scenario
        `depaving`, `retention`, `sewers`, `wall` (where one is given), `all`, `climate`,
        `climate_all`.
    """
    today = ground.setup
    share, soil = parameters.depave_share, parameters.soil_group
    lawn, lawn_m2 = depave(ground, today, share=share, soil_group=soil)
    level, storage = dig(
        ground, today.elevation, found, basins, count=parameters.basin_count,
        volume_m3=parameters.basin_volume_m3,
    )  # fmt: skip
    more = today.sewer_mm_h + parameters.sewer_extra_mm_h
    each = {
        "depaving": Scenario(lawn, treated_m2=lawn_m2),
        "retention": Scenario(replace(today, elevation=level), storage_m3=storage),
        "sewers": Scenario(replace(today, sewer_mm_h=more)),
    }
    together = replace(lawn, elevation=level, sewer_mm_h=more)  # the parts change different things
    length = 0.0
    if walls is not None:
        walled, length = wall(ground, today, walls)
        each["wall"] = Scenario(walled, length_m=length)
        together, _ = wall(ground, together, walls)
    whole = Scenario(together, 1.0, lawn_m2, storage, length)
    warm = parameters.climate_factor
    return each | {
        "all": whole,
        "climate": Scenario(today, warm),
        "climate_all": replace(whole, rain_factor=warm),
    }


def side_of(run: Simulation) -> int:
    """Cells of the ground along a side of the cells on which scenarios are compared."""
    cells = int(np.isfinite(run.peaks.depth_m).sum())
    return side_within(cells * run.steps, MOST_CELL_STEPS, power=3)


def table(
    changed: Mapping[str, Scenario],
    totals: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, tuple[float, float]],
) -> pd.DataFrame:
    """Compare scenarios with today.

    Parameters
    ----------
    changed : mapping of str to Scenario
        From `scenarios`.
    totals : mapping of str to mapping
        `Impact.totals` of each scenario and of `today`.
    intervals : mapping of str to (float, float)
        Interval of the change of damaged area, by scenario; none without draws.

    Returns
    -------
    pandas.DataFrame
        A row each, `today` first: totals, their change against today, and what is built.
    """
    base = totals["today"]
    rows = []
    for name, found in totals.items():
        measure = changed.get(name)
        low, high = intervals.get(name, (np.nan, np.nan))
        rows.append(
            {
                "scenario": name,
                "flooded_ha": found["flooded_ha"],
                "buildings": found["buildings"],
                "damaged_m2": found["damaged_m2"],
                "damage_eur": found["damage_eur"],
                "change_ha": found["flooded_ha"] - base["flooded_ha"],
                "change_m2": found["damaged_m2"] - base["damaged_m2"],
                "change_low_m2": low,
                "change_high_m2": high,
                "treated_m2": 0.0 if measure is None else measure.treated_m2,
                "storage_m3": 0.0 if measure is None else measure.storage_m3,
            }
        )
    return pd.DataFrame(rows)
