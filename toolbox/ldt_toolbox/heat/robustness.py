"""How sure the heat results are: random model constants, random weights of vulnerability."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ldt_toolbox.heat.cooling import CoolingResult, urban_cooling_model
from ldt_toolbox.heat.cover import Cover
from ldt_toolbox.heat.exposure import (
    at_buildings,
    spread_weight,
    weighted_mean,
    weighted_quantile,
    weighted_share,
)
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.steps import Climate, Exposure
from ldt_toolbox.heat.vulnerability import rank_stability, vulnerability_index
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.space.paint import pool

NEIGHBOURHOOD_M = 100.0
MONTE_CARLO_CELL_M = 20.0
DRAWN = ["mean_anomaly", "p95_anomaly", "hot_share", "scenario_change"]


def vulnerability(
    heat: CoolingResult,
    today: Cover,
    seen: Exposure,
    ground: Ground,
    *,
    reference_c: float,
    draws: int,
    seed: int,
) -> gpd.GeoDataFrame:
    """Vulnerability in cells of about 100 m, with the stability of its ranks.

    Returns
    -------
    geopandas.GeoDataFrame
        Square cells that hold people or floors: `exposure` (K), `sensitivity` (weight per
        hectare), `adaptive_capacity` (green share), `index`, `rank_median`, `rank_p05`,
        `rank_p95`, `top_decile_share`.
    """
    cell = ground.grid.cell_size_m
    side = max(1, round(NEIGHBOURHOOD_M / cell))
    weight = pool(spread_weight(seen.weight, ground), side, np.nansum)
    anomaly = pool(heat.temperature_c - np.float32(reference_c), side, np.nanmean)
    green = pool(today.green, side, np.nanmean)
    rows, columns = np.nonzero((weight > 0) & np.isfinite(anomaly))
    transform = ground.grid.transform
    x = transform.c + columns * side * cell
    y = transform.f - rows * side * cell
    frame = gpd.GeoDataFrame(
        {
            "exposure": anomaly[rows, columns],
            "sensitivity": weight[rows, columns] / ((side * cell) ** 2 / 1e4),
            "adaptive_capacity": green[rows, columns],
        },
        geometry=shapely.box(x, y - side * cell, x + side * cell, y),
        crs=ground.grid.crs,
    )
    parts = frame[["exposure", "sensitivity", "adaptive_capacity"]]
    frame.insert(0, "index", vulnerability_index(*(parts[c] for c in parts)))
    return frame.join(rank_stability(parts, draws=max(draws, 1) * 10, seed=seed))


def uncertainty(
    today: Cover,
    changed: Cover,
    summer: Climate,
    ground: Ground,
    seen: Exposure,
    parameters: Parameters,
) -> pd.DataFrame:
    """Rerun today and the scenario with random model constants.

    Weights of the cooling capacity from a Dirichlet around 0.6, 0.2, 0.2; heat island maximum,
    cooling distance within 30 % of their value; mixing radius from half to double.

    The draws run on cells of about 20 m: air mixes over hundreds of metres, so the coarser grid
    changes the interval less than one more draw does.

    Returns
    -------
    pandas.DataFrame
        A row for each draw: `mean_anomaly`, `p95_anomaly`, `hot_share` (percent),
        `scenario_change`, all weighted. No row without draws.
    """
    random = np.random.default_rng(parameters.seed)
    side = max(1, round(MONTE_CARLO_CELL_M / parameters.cell_size_m))
    shape = ground.grid.shape
    covers = [_coarser(cover, side) for cover in (today, changed)]
    rows = []
    for _ in range(parameters.monte_carlo_draws):
        weights = random.dirichlet(np.array([0.6, 0.2, 0.2]) * 40)
        scale = random.uniform([0.7, 0.7, 0.5], [1.3, 1.3, 2.0])
        maps = [
            urban_cooling_model(
                cover.shade, cover.albedo, cover.kc, cover.green,
                cell_size_m=parameters.cell_size_m * side,
                reference_temperature_c=0.0,
                uhi_max_k=parameters.uhi_max_k * scale[0],
                cooling_distance_m=parameters.cooling_distance_m * scale[1],
                mixing_radius_m=parameters.mixing_radius_m * scale[2],
                minimum_green_area_ha=parameters.minimum_green_area_ha,
                weights=(float(weights[0]), float(weights[1]), float(weights[2])),
            ).temperature_c
            for cover in covers
        ]  # fmt: skip
        anomaly, after = (
            at_buildings(np.repeat(np.repeat(m, side, 0), side, 1)[: shape[0], : shape[1]], ground)
            for m in maps
        )
        rows.append(
            {
                "mean_anomaly": weighted_mean(anomaly, seen.weight),
                "p95_anomaly": weighted_quantile(anomaly, seen.weight, 0.95),
                "hot_share": 100
                * weighted_share(
                    anomaly,
                    seen.weight,
                    at_least=parameters.hot_uhi_share * parameters.uhi_max_k * scale[0],
                ),
                "scenario_change": weighted_mean(after - anomaly, seen.weight),
            }
        )
    return pd.DataFrame(rows, columns=DRAWN, dtype=float)


def _coarser(cover: Cover, side: int) -> Cover:
    if side == 1:
        return cover
    means = (
        pool(grid, side, np.nanmean).astype(np.float32)
        for grid in (cover.shade, cover.albedo, cover.kc, cover.green)
    )
    return Cover(*means)
