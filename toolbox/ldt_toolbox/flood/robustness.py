"""How sure a flood result is: random roughness, rain, runoff and damage functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.flood import flooding
from ldt_toolbox.flood.boundaries import Inflow, Series
from ldt_toolbox.flood.coarse import coarse_ground, coarse_setup, finer, side_within
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.scenario import Scenario, above_old_ground
from ldt_toolbox.flood.storms import Storm
from ldt_toolbox.flood.town import Town, impact
from ldt_toolbox.flood.validity import Tally
from ldt_toolbox.parameters import Parameters

# The full scheme takes about ten times as long.
MOST_CELLS = {"inertial": 20_000, "shallow-water": 2_000}
LONG_STEP_S = 5.0
MOST_CELL_STEPS = 1e10  # of all draws: a few minutes
ROUGHNESS = (0.6, 1.6)
RAIN = (0.8, 1.2)
CURVE_NUMBER = (-6.0, 6.0)
DAMAGE = (0.7, 1.3)
FACTORS = ("roughness", "rain", "curve_number", "damage")


@dataclass(frozen=True)
class Draws:
    """Random reruns of today and of each scenario.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a draw: the factors, the totals of today (`Impact.totals`) and, by scenario, the
        changes against today, such as `all.change_ha` and `all.change_m2`.
    wet_share : numpy.ndarray of float32, shape of the ground
        Share of the draws in which a cell is wet; NaN where no water may go.
    side : int
        Cells of the ground along a side of a cell of the draws.
    base : mapping of str to float
        Totals of today without chance where the draws ran on larger cells, else empty.
    tally : Tally
        Of all runs.
    """

    table: pd.DataFrame
    wet_share: NDArray[np.float32]
    side: int
    base: Mapping[str, float] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    @property
    def together_only(self) -> bool:
        """Whether of the scenarios only all measures together were drawn."""
        return "all.change_m2" in self.table and "climate.change_m2" not in self.table

    def interval(self, key: str, today: Mapping[str, float]) -> tuple[float, float] | None:
        """5th to 95th percentile of a column, None where it was not drawn.

        Parameters
        ----------
        key : str
            Column of the table.
        today : mapping of str to float
            Totals of today's run: draws on larger cells are scaled by what today comes to there,
            changes like the totals that they change.
        """
        if self.table.empty or key not in self.table or not np.isfinite(self.table[key]).all():
            return None
        low, high = (float(end) for end in np.quantile(self.table[key], [0.05, 0.95]))
        total = {"change_ha": "flooded_ha", "change_m2": "damaged_m2"}.get(key.split(".")[-1], key)
        if not self.base:
            return low, high
        if not self.base[total] > 0:
            return None  # dry on the larger cells: nothing to scale by
        scale = today[total] / self.base[total]
        return low * scale, high * scale


def draws(
    ground: Ground,
    storm: Storm,
    scenarios: Mapping[str, Scenario],
    town: Town,
    parameters: Parameters,
    *,
    inflows: pd.DataFrame | None = None,
    progress: Callable[[float], None] | None = None,
) -> Draws:
    """Rerun today and each scenario with random roughness, rain, curve numbers and damage.

    Each is drawn evenly and alone: roughness times 0.6 to 1.6, rain and inflows times 0.8 to 1.2,
    curve numbers plus or minus 6, damaged share times 0.7 to 1.3. The ranges are a judgement;
    all runs of a draw share them, so that the interval of a change is that of the change. The
    scheme is that of the event, on at most `MOST_CELLS`. Where that would take more than
    `MOST_CELL_STEPS`, of the scenarios only `all` is drawn.
    """
    side = side_within(ground.grid.values.size, MOST_CELLS[parameters.scheme], power=2)
    coarse = coarse_ground(ground, side)
    random = np.random.default_rng(parameters.seed)
    water = (
        [] if inflows is None else flooding.inflows_of(inflows, coarse.grid, coarse.setup.elevation)
    )
    steps = flooding.duration_s(storm, water, parameters) / LONG_STEP_S
    work = coarse.grid.values.size * steps * parameters.monte_carlo_draws * (len(scenarios) + 1)
    plans = {
        name: replace(one, setup=coarse_setup(one.setup, side, before=ground.setup))
        for name, one in scenarios.items()
        if name == "all" or work <= MOST_CELL_STEPS
    }
    ranges = np.array([ROUGHNESS, RAIN, CURVE_NUMBER, DAMAGE])
    tally = Tally()
    draw = partial(_draw, coarse, storm, water, town, parameters, tally)
    count = parameters.monte_carlo_draws
    base: dict[str, float] = {}
    if side > 1 and count:
        base, _ = draw({}, np.array([1.0, 1.0, 0.0, 1.0]))
    wet = np.zeros(coarse.grid.shape)
    rows = []
    for number in range(count):
        row, depth = draw(plans, random.uniform(ranges[:, 0], ranges[:, 1]))
        wet += depth > parameters.wet_depth_m
        rows.append(row)
        if progress:
            progress((number + 1) / count)
    share = wet / max(count, 1)
    missing = ~np.isfinite(ground.setup.elevation)
    fine = finer(share, side, ground.grid.shape)
    known = np.where(missing, np.nan, fine).astype(np.float32)
    return Draws(pd.DataFrame(rows), known, side, base, tally)


def _draw(
    ground: Ground,
    storm: Storm,
    water: Sequence[Inflow],
    town: Town,
    parameters: Parameters,
    tally: Tally,
    plans: Mapping[str, Scenario],
    factors: NDArray[np.float64],
) -> tuple[dict[str, float], NDArray[np.floating]]:
    """Return the row of one draw, and today's depths."""
    rough, rain, numbers, damage = (float(x) for x in factors)
    series = [_scaled(one, rain) for one in water]

    def outcome(one: Scenario) -> tuple[dict[str, float], NDArray[np.floating]]:
        drawn = replace(
            one.setup,
            manning_n=(one.setup.manning_n * rough).astype(np.float32),
            curve_number=np.clip(one.setup.curve_number + numbers, 1, 100).astype(np.float32),
        )
        falling = storm.scaled(rain * one.rain_factor)
        run = flooding.flood(drawn, falling, parameters, inflows=series, scheme=parameters.scheme)
        tally.add(run.scheme, run.ledger, run.froude)
        depth = above_old_ground(run.peaks.depth_m, one.setup, ground.setup)
        found = impact(depth, ground, town, parameters).totals()
        return found | {k: found[k] * damage for k in ("damaged_m2", "damage_eur")}, depth

    today, depth = outcome(Scenario(ground.setup))
    row = dict(zip(FACTORS, (rough, rain, numbers, damage), strict=True)) | today
    for name, one in plans.items():
        then, _ = outcome(one)
        row[f"{name}.change_ha"] = then["flooded_ha"] - today["flooded_ha"]
        row[f"{name}.change_m2"] = then["damaged_m2"] - today["damaged_m2"]
    return row, depth


def _scaled(one: Inflow, factor: float) -> Inflow:
    series = one.discharge_m3_s
    return replace(one, discharge_m3_s=Series(series.time_s, series.values * factor))
