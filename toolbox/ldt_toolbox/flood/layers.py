"""The maps of a flood run by id of the manifest."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.coarse import side_within
from ldt_toolbox.flood.ground import Ground, coarser
from ldt_toolbox.flood.hand import stage_depth
from ldt_toolbox.flood.robustness import Draws
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.steps import Access, Hazard
from ldt_toolbox.flood.town import Impact, Town
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.space.frames import Frames
from ldt_toolbox.space.paint import pool
from ldt_toolbox.space.raster import Raster

SHOWN_DEPTH_M = 0.05
LEAST_CHANGE_M = 0.01
MOST_FRAME_CELLS = 400_000
# Limits of the hazard rating: caution, danger for some, for most, for all (Defra & Environment
# Agency 2006, FD2321/TR1; from memory).
RATING_LIMITS = (0.75, 1.25, 2.0)
NO_CLASS = 255


def of(
    ground: Ground,
    found: Screening,
    run: Simulation,
    town: Town,
    hit: Impact,
    depths: Hazard,
    access: Access | None,
    change: Mapping[str, NDArray[np.float32]],
    draws: Draws,
    spots: gpd.GeoDataFrame,
    parameters: Parameters,
) -> dict[str, Raster | gpd.GeoDataFrame]:
    """All layers; arguments as in `use_case.assemble`."""
    peak = run.peaks.depth_m
    wet = peak >= SHOWN_DEPTH_M
    shown = found.hand_m <= max(parameters.stages_m)

    def where(mask: NDArray[np.bool_], values: NDArray[np.floating], unit: str = "MTR") -> Raster:
        return ground.raster(np.where(mask, values, np.nan).astype(np.float32), unit)

    made: dict[str, Raster | gpd.GeoDataFrame] = {
        "depth_max": where(wet, peak),
        "velocity_max": where(wet, run.peaks.speed_m_s, "MTS"),
        "hazard_class": rating_classes(ground, run),
        "arrival_time": where(
            np.isfinite(run.peaks.arrival_s) & wet, run.peaks.arrival_s / 60, "MIN"
        ),
        "stage_depth": _stage(ground, found, parameters),
        "height_above_drainage": where(shown, found.hand_m),
        "blue_spots": spots,
        "buildings": buildings(town, hit),
        "wet_share": where(draws.wet_share > 0, draws.wet_share, "share"),
        "elevation": ground.raster(ground.setup.elevation.astype(np.float32)),
    }
    for name, metres in change.items():
        key = "scenario_change" if name == "all" else f"change_{name}"
        made[key] = where(np.abs(metres) >= LEAST_CHANGE_M, metres)
    if access is not None:
        made["streets"] = streets(access)
        if access.streets["cut_pedestrian"].any():
            made["closed_streets"] = closed_streets(access)
    if depths.official:
        rarest = depths.official[max(depths.official)]
        made["official_depth"] = where(rarest >= SHOWN_DEPTH_M, rarest)
    return made


def frames(ground: Ground, run: Simulation) -> dict[str, Frames]:
    """Depths in the course of the event, NaN where dry; nothing where the run kept none.

    A large grid is shown on larger cells, with the mean depth of each.
    """
    if not run.snapshots_m:
        return {}
    side = side_within(ground.grid.values.size, MOST_FRAME_CELLS, power=2)
    grid = coarser(ground.grid, side)
    depth = np.stack([pool(one, side, np.nanmean) for one in run.snapshots_m])
    shown = np.where(depth >= SHOWN_DEPTH_M, depth, np.nan).astype(np.float32)
    minutes = tuple(second / 60 for second in run.snapshot_s)
    return {"event": Frames(shown, minutes, grid.transform, grid.crs, "MTR")}


def rating_classes(ground: Ground, run: Simulation) -> Raster:
    """Hazard rating in four classes, 255 where the water is no deeper than `SHOWN_DEPTH_M`."""
    codes = np.digitize(np.nan_to_num(run.peaks.hazard_rating), RATING_LIMITS) + 1
    shown = np.where(run.peaks.depth_m >= SHOWN_DEPTH_M, codes, NO_CLASS).astype(np.uint8)
    return Raster(shown, ground.grid.transform, ground.grid.crs, "class", NO_CLASS)


def _stage(ground: Ground, found: Screening, parameters: Parameters) -> Raster:
    depth = stage_depth(found.hand_m, parameters.stage_m)
    return ground.raster(np.where(depth > 0, depth, np.nan).astype(np.float32))


def buildings(town: Town, hit: Impact) -> gpd.GeoDataFrame:
    """Buildings with depth and damage."""
    frame = town.buildings
    kept = [c for c in ("id", "name", "use", "people") if c in frame]
    out = frame[[*kept, "class", "footprint_m2", "storeys", "geometry"]].assign(
        depth_m=hit.depth_m.round(3), damaged_m2=hit.damaged_m2.round(1), wet=hit.wet
    )
    return out if hit.damage_eur is None else out.assign(damage_eur=hit.damage_eur.round(0))


def streets(access: Access) -> gpd.GeoDataFrame:
    """Street segments that stand in the water, with whom they are closed to."""
    frame = access.streets[access.streets["depth_m"] >= SHOWN_DEPTH_M]
    kept = [c for c in ("id", "name", "class") if c in frame]
    return frame[
        [*kept, "length_m", "depth_m", "velocity_m_s", "hazard_rating", "cut_car",
         "cut_emergency", "cut_pedestrian", "geometry"]
    ].round({"length_m": 1, "depth_m": 3, "velocity_m_s": 3, "hazard_rating": 3})  # fmt: skip


def closed_streets(access: Access) -> gpd.GeoDataFrame:
    """Street segments that nobody walks through: the mobility use case's role `closed_streets`."""
    frame = access.streets[access.streets["cut_pedestrian"]]
    kept = [c for c in ("id", "name", "class") if c in frame]
    return frame[[*kept, "length_m", "depth_m", "cut_car", "cut_emergency", "geometry"]].round(
        {"length_m": 1, "depth_m": 3}
    )
