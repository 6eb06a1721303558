"""How sure a flood result is: random roughness, rain, runoff and damage functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.flood.boundaries import Inflow, Series
from ldt_toolbox.flood.coarse import coarse_ground, coarse_setup, finer, side_within
from ldt_toolbox.flood.flooding import flood, inflows_of
from ldt_toolbox.flood.ground import Ground, Setup
from ldt_toolbox.flood.scenario import Scenario, above_old_ground
from ldt_toolbox.flood.storms import Storm
from ldt_toolbox.flood.town import Town, impact
from ldt_toolbox.parameters import Parameters

MOST_CELLS = 20_000
ROUGHNESS = (0.6, 1.6)
RAIN = (0.8, 1.2)
CURVE_NUMBER = (-6.0, 6.0)
DAMAGE = (0.7, 1.3)


@dataclass(frozen=True)
class Draws:
    """Random reruns of today and of one scenario.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a draw: the factors and `flooded_ha`, `buildings`, `people`, `damaged_m2`,
        `damage_eur`, `change_ha`, `change_m2`.
    wet_share : numpy.ndarray of float32, shape of the ground
        Share of the draws in which a cell is wet; NaN where no water may go.
    side : int
        Cells of the ground along a side of a cell of the draws.
    """

    table: pd.DataFrame
    wet_share: NDArray[np.float32]
    side: int

    def interval(self, key: str, value: float) -> tuple[float, float] | None:
        """5th to 95th percentile of a column, None without draws.

        Draws on coarser cells are scaled by what the undisturbed run gives there.
        """
        if self.table.empty or not np.isfinite(self.table[key]).all():
            return None
        low, high = np.quantile(self.table[key], [0.05, 0.95])
        base = self.table.attrs["base"].get(key, 0.0)
        scale = value / base if base else 1.0
        return tuple(sorted((float(low * scale), float(high * scale))))  # type: ignore[return-value]


COLUMNS = ("roughness", "rain", "curve_number", "damage", "flooded_ha", "buildings", "people",
           "damaged_m2", "damage_eur", "change_ha", "change_m2")  # fmt: skip


def draws(
    ground: Ground,
    storm: Storm,
    changed: Scenario,
    town: Town,
    parameters: Parameters,
    *,
    inflows: pd.DataFrame | None = None,
) -> Draws:
    """Rerun today and a scenario with random roughness, rain, curve numbers and damage.

    Each is drawn evenly and alone: roughness times 0.6 to 1.6, rain and inflows times 0.8 to 1.2,
    curve numbers plus or minus 6, damaged share times 0.7 to 1.3. The ranges are a judgement;
    both runs of a draw share them, so that the interval of a change is that of the change.
    """
    side = side_within(ground.grid.values.size, MOST_CELLS, power=2)
    coarse = coarse_ground(ground, side)
    plan = coarse_setup(changed.setup, side, before=ground.setup)
    random = np.random.default_rng(parameters.seed)
    water = [] if inflows is None else inflows_of(inflows, coarse.grid, coarse.setup.elevation)
    wet = np.zeros(coarse.grid.shape)
    rows = []
    neutral = np.array([1.0, 1.0, 0.0, 1.0])
    ranges = np.array([ROUGHNESS, RAIN, CURVE_NUMBER, DAMAGE])
    base = {}
    count = parameters.monte_carlo_draws
    for number in range(count + 1 if side > 1 and count else count):
        first = side > 1 and number == 0
        factors = neutral if first else random.uniform(ranges[:, 0], ranges[:, 1])
        after = (plan, changed.rain_factor)
        row, depth = _draw(coarse, after, storm, water, town, parameters, factors)
        if first:
            base = row
            continue
        wet += depth > parameters.wet_depth_m
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame.attrs["base"] = base
    share = wet / max(len(rows), 1)
    missing = ~np.isfinite(ground.setup.elevation)
    fine = finer(share, side, ground.grid.shape)
    return Draws(frame, np.where(missing, np.nan, fine).astype(np.float32), side)


def _draw(
    ground: Ground,
    changed: tuple[Setup, float],
    storm: Storm,
    water: Sequence[Inflow],
    town: Town,
    parameters: Parameters,
    factors: NDArray[np.float64],
) -> tuple[dict[str, float], NDArray[np.floating]]:
    rough, rain, numbers, damage = (float(x) for x in factors)
    sums = []
    depths = []
    for setup, more in ((ground.setup, 1.0), changed):
        drawn = replace(
            setup,
            manning_n=(setup.manning_n * rough).astype(np.float32),
            curve_number=np.clip(setup.curve_number + numbers, 1, 100).astype(np.float32),
        )
        series = [_scaled(one, rain) for one in water]
        run = flood(drawn, storm.scaled(rain * more), parameters, inflows=series)
        depth = above_old_ground(run.peaks.depth_m, setup, ground.setup)
        depths.append(depth)
        found = impact(depth, ground, town, parameters).totals()
        found["damaged_m2"] *= damage
        found["damage_eur"] *= damage
        sums.append(found)
    today, then = sums
    row = dict(zip(COLUMNS[:4], (rough, rain, numbers, damage), strict=True)) | today
    row["change_ha"] = then["flooded_ha"] - today["flooded_ha"]
    row["change_m2"] = then["damaged_m2"] - today["damaged_m2"]
    return row, depths[0]


def _scaled(one: Inflow, factor: float) -> Inflow:
    series = one.discharge_m3_s
    return replace(one, discharge_m3_s=Series(series.time_s, series.values * factor))
