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
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.space.paint import paint

LEAST_BASIN_UPSTREAM_CELLS = 5
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


def basin_cells(ground: Ground, found: Screening, *, count: int) -> NDArray[np.intp]:
    """Cells where a basin catches most: open ground off the rivers with the largest upstream area.

    Parameters
    ----------
    ground, found
        As in the steps.
    count : int
        Cells wanted; none lies beside another.

    Returns
    -------
    numpy.ndarray of int, shape (cells, 2)
        Rows and columns, the best first.
    """
    usable = ground.inside & (ground.setup.built < 0.25) & ~found.drainage
    usable &= found.accumulation >= LEAST_BASIN_UPSTREAM_CELLS
    value = np.where(usable, found.accumulation, 0)
    chosen: list[tuple[int, int]] = []
    for flat in np.argsort(-value, axis=None, kind="stable"):
        row, column = divmod(int(flat), value.shape[1])
        if value[row, column] == 0 or len(chosen) >= count:
            break
        if all(max(abs(row - r), abs(column - c)) > 1 for r, c in chosen):
            chosen.append((row, column))
    return np.array(chosen, np.intp).reshape(-1, 2)


def retain(
    ground: Ground,
    setup: Setup,
    found: Screening,
    basins: gpd.GeoDataFrame | None,
    *,
    count: int,
    volume_m3: float,
) -> tuple[Setup, float]:
    """Dig retention basins: those that are given, else the best places.

    Parameters
    ----------
    ground, setup, found
        As in the steps.
    basins : geopandas.GeoDataFrame, optional
        Polygons with `volume_m3`.
    count, volume_m3 : int, float
        Number of basins and volume of each, where none is given.

    Returns
    -------
    Setup
        Ground lowered so that each basin holds its volume below the lowest ground around it.
    float
        Storage, m3.
    """
    level = setup.elevation.copy()
    cell_m2 = setup.cell_m**2
    total = 0.0
    if basins is not None:
        for shape, volume in zip(basins.geometry, basins["volume_m3"], strict=True):
            cells = np.zeros(level.shape, np.uint8)
            paint([(shape, 1)], ground.grid, out=cells, all_touched=True)
            dug = (cells == 1) & np.isfinite(level)
            if not dug.any():
                raise DataError(
                    "retention_basins: a basin lies outside the terrain: check its place and CRS"
                )
            level[dug] = level[dug].min() - float(volume) / (int(dug.sum()) * cell_m2)
            total += float(volume)
        return replace(setup, elevation=level), total
    for row, column in basin_cells(ground, found, count=count):
        level[row, column] -= volume_m3 / cell_m2
        total += volume_m3
    return replace(setup, elevation=level), total


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
    """
    level = setup.elevation.copy()
    rise = np.zeros(level.shape, np.float32)
    pairs = zip(walls.geometry, walls["height_m"].astype(float), strict=True)
    paint(sorted(pairs, key=lambda one: one[1]), ground.grid, out=rise, all_touched=True)
    return replace(setup, elevation=level + rise), float(walls.geometry.length.sum())


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
    dig = {"count": parameters.basin_count, "volume_m3": parameters.basin_volume_m3}
    dug, storage = retain(ground, today, found, basins, **dig)
    more = today.sewer_mm_h + parameters.sewer_extra_mm_h
    each = {
        "depaving": Scenario(lawn, treated_m2=lawn_m2),
        "retention": Scenario(dug, storage_m3=storage),
        "sewers": Scenario(replace(today, sewer_mm_h=more)),
    }
    together = replace(
        lawn, elevation=dug.elevation, sewer_mm_h=more
    )  # the parts change different things
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
        Interval of the change of damaged area, by scenario, where it was drawn.

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
