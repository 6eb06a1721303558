"""The flood use case as one function: inputs and parameters in, results out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.flood import (
    flooding,
    indicators,
    layers,
    observed,
    robustness,
    scenario,
    screening,
    steps,
    story,
    tables,
)
from ldt_toolbox.flood.coarse import coarse_ground, coarse_setup, finer
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.notes import notes_on, without_repetition
from ldt_toolbox.flood.observed import Comparison
from ldt_toolbox.flood.robustness import Draws
from ldt_toolbox.flood.scenario import Scenario
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.steps import Access, Hazard, Yearly
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.flood.town import Impact, Town, impact
from ldt_toolbox.flood.validity import Tally
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Results
from ldt_toolbox.sources import Inputs


def compute(inputs: Inputs, parameters: Parameters) -> Results:
    """Answer which places flood, who and what is hit, at what cost, and what measures change.

    Parameters
    ----------
    inputs : Inputs
        Layers by role, as the manifest of the use case describes them.
    parameters : Parameters
        Validated.

    Returns
    -------
    Results
        Every output of the manifest.

    Raises
    ------
    DataError, ParameterError
        Naming what is missing or wrong.
    RunError
        If the memory is too small for the grid.
    """
    do = inputs.step
    ground = do(steps.lay, inputs, parameters)
    found = do(steps.screen, ground, parameters)
    rain = do(steps.rain, inputs, parameters)
    run = do(steps.event, inputs, ground, rain, parameters)
    second = do(steps.check, inputs, ground, rain, run, parameters)
    town = do(steps.town, inputs, parameters)
    hit = do(steps.hit, run, ground, town, parameters)
    depths = do(steps.hazard, inputs, ground, rain, run, parameters)
    yearly = do(steps.yearly, depths, ground, town, parameters)
    access = do(steps.access, inputs, ground, run)
    measures = do(plan, inputs, ground, found, parameters)
    draws = do(uncertainty, inputs, ground, rain, measures, town, parameters)
    table, change = do(compare, inputs, ground, rain, measures, run, hit, draws, town, parameters)
    seen = do(compare_observed, inputs, ground, rain, run, parameters)
    return assemble(
        inputs, parameters, ground=ground, found=found, rain=rain, run=run, second=second,
        town=town, hit=hit, depths=depths, yearly=yearly, access=access, table=table,
        change=change, draws=draws, seen=seen,
    )  # fmt: skip


def plan(
    inputs: Inputs, ground: Ground, found: Screening, parameters: Parameters
) -> dict[str, Scenario]:
    """Build the scenarios (see `scenario.scenarios`)."""
    return scenario.scenarios(
        ground, found, parameters,
        basins=inputs.frame("retention_basins") if "retention_basins" in inputs else None,
        walls=inputs.frame("walls") if "walls" in inputs else None,
    )  # fmt: skip


def uncertainty(
    inputs: Inputs,
    ground: Ground,
    rain: Rain,
    measures: dict[str, Scenario],
    town: Town,
    parameters: Parameters,
    *,
    progress: Callable[[float], None] | None = None,
) -> Draws:
    """Rerun today and each scenario with random constants (see `robustness.draws`)."""
    table = inputs.table("inflows") if "inflows" in inputs else None
    return robustness.draws(
        ground, rain.event, measures, town, parameters, inflows=table, progress=progress
    )


def compare(
    inputs: Inputs,
    ground: Ground,
    rain: Rain,
    measures: dict[str, Scenario],
    run: Simulation,
    hit: Impact,
    draws: Draws,
    town: Town,
    parameters: Parameters,
) -> tuple[pd.DataFrame, dict[str, NDArray[np.float32]]]:
    """Simulate the event with each scenario and compare with today.

    Where the event took more than `MOST_CELL_STEPS`, today and all scenarios run on larger cells.

    Returns
    -------
    pandas.DataFrame
        See `scenario.table`; `attrs["tally"]` holds the `Tally` of all runs.
    dict of str to numpy.ndarray of float32, shape of the ground
        Change of the highest depth by scenario, m, above the ground of today.
    """
    side = scenario.side_of(run)
    before = coarse_ground(ground, side)
    water = steps.inflows(inputs, before)
    tally = Tally()

    def peak(one: Scenario) -> NDArray[np.floating]:
        setup = coarse_setup(one.setup, side, before=ground.setup)
        again = flooding.flood(
            setup, rain.event.scaled(one.rain_factor), parameters, inflows=water,
            scheme=run.scheme,  # type: ignore[arg-type]
        )  # fmt: skip
        tally.add(again.scheme, again.ledger, again.froude)
        return scenario.above_old_ground(again.peaks.depth_m, setup, before.setup)

    today = run.peaks.depth_m if side == 1 else peak(Scenario(ground.setup))
    base = hit if side == 1 else impact(today, before, town, parameters)
    totals = {"today": base.totals()}
    change = {}
    for name, one in measures.items():
        depth = peak(one)
        totals[name] = impact(depth, before, town, parameters).totals()
        change[name] = finer(depth - today, side, ground.grid.shape).astype(np.float32)
    found = {name: draws.interval(f"{name}.change_m2", totals["today"]) for name in measures}
    intervals = {name: ends for name, ends in found.items() if ends is not None}
    table = scenario.table(measures, totals, intervals)
    table.attrs["tally"] = tally
    return table, change


def compare_observed(
    inputs: Inputs, ground: Ground, rain: Rain, run: Simulation, parameters: Parameters
) -> Comparison:
    """Hold the event against observations (see `observed.compare`)."""
    same = rain.observed or "inflows" in inputs
    return observed.compare(run, inputs, ground, parameters, same_event=same)


def assemble(
    inputs: Inputs,
    parameters: Parameters,
    *,
    ground: Ground,
    found: Screening,
    rain: Rain,
    run: Simulation,
    second: Simulation | None,
    town: Town,
    hit: Impact,
    depths: Hazard,
    yearly: Yearly,
    access: Access | None,
    table: pd.DataFrame,
    change: dict[str, NDArray[np.float32]],
    draws: Draws,
    seen: Comparison,
) -> Results:
    """Join what the steps yield into the outputs of the manifest.

    Parameters
    ----------
    inputs, parameters
        As in `compute`.
    ground, found, rain, run, second, town, hit, depths, yearly, access, table, change, draws, seen
        What the steps of `compute` return.
    """
    result = Results(weight={"en": "m² lost entirely", "fr": "m² entièrement perdus"})
    spots = screening.spot_areas(found, ground)
    result.indicators = (
        indicators.of(
            ground, rain, run, second, town, hit, yearly, access, table, draws, spots, parameters
        )
        | seen.indicators
    )
    result.layers = layers.of(
        ground, found, run, town, hit, depths, access, change, draws, spots, parameters
    )
    result.animations = layers.frames(ground, run)
    stages = screening.stages(found, ground, parameters)
    result.tables = (
        tables.of(
            rain, town, hit, yearly, access, table, spots, stages, ground, inputs, run, parameters
        )
        | seen.tables
    )
    result.notes = [
        *without_repetition(inputs).notes(), *rain.notes, *town.notes, *run.notes, *seen.notes,
        *depths.notes,
        *notes_on(
            inputs, ground, rain, town, run, second, depths, yearly, table, draws, parameters
        ),
    ]  # fmt: skip
    if inputs.synthetic:
        result.synthetic = tuple(sorted(set(result.layers) | set(result.tables)))
        result.indicators = indicators.marked(result.indicators)
    result.answer = story.answer(
        inputs.territory.names, ground, rain, result.indicators,
        wet_depth_m=parameters.wet_depth_m,
        assumed_rain=not rain.observed and parameters.origin["rain_mm"] == "manifest"
        and not parameters.montana_a and "rain_series" not in inputs,
        inflows="inflows" in inputs,
    )  # fmt: skip
    return result
