"""The heat-island use case as one function: inputs and parameters in, results out."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.heat import (
    caveats,
    observed,
    outdoor_comfort,
    places,
    robustness,
    scenario,
    steps,
    story,
)
from ldt_toolbox.heat.cooling import CoolingResult
from ldt_toolbox.heat.cover import Cover
from ldt_toolbox.heat.exposure import (
    at_buildings,
    at_points,
    sensitive_sites,
    weighted_mean,
    weighted_quantile,
    weighted_share,
)
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.surface_classes import PAVED, SURFACES
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Results
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import block_majority, block_mean
from ldt_toolbox.space.raster import Raster

SENSITIVE = ("school", "kindergarten", "hospital", "clinic", "nursing_home", "social_facility",
             "childcare", "college", "university")  # fmt: skip


def compute(inputs: Inputs, parameters: Parameters) -> Results:
    """Answer where it stays hot, for whom, and what cooling it would take.

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
    MissingRoleError, DataError
        Naming what is missing or wrong.
    """
    do = inputs.step
    ground = do(steps.lay, inputs, parameters)
    summer = do(steps.climate, inputs, parameters)
    today = do(steps.cover, ground)
    heat = do(steps.model, today, summer, parameters)
    seen = do(steps.exposure, inputs, ground, parameters)
    sky = do(steps.sky, ground)
    shade = do(steps.shadow, ground, inputs, parameters)
    gain = do(steps.gain, today, heat, seen, ground, parameters)
    ranked = do(rank, inputs, ground, gain)
    measures = do(plan, inputs, ground, ranked, parameters)
    table, change = do(compare, heat, measures, summer, ground, seen, parameters)
    draws = do(
        robustness.uncertainty, today, measures["all"].cover, summer, ground, seen, parameters
    )
    vulnerable_cells = do(vulnerable, heat, today, summer, seen, ground, parameters)
    extras = do(observations, heat, sky, inputs, ground, parameters)
    return assemble(
        inputs, parameters, ground=ground, summer=summer, heat=heat, seen=seen, sky=sky,
        shade=shade, gain=gain, ranked=ranked, table=table, change=change, draws=draws,
        vulnerable=vulnerable_cells, extras=extras,
    )  # fmt: skip


def rank(inputs: Inputs, ground: Ground, gain: NDArray[np.float32]) -> gpd.GeoDataFrame:
    """Rank streets and lots by what a square metre of green brings there."""
    streets = inputs.frame("streets") if "streets" in inputs else None
    return places.rank_places(places.candidate_places(ground, streets), gain, ground)


def plan(
    inputs: Inputs, ground: Ground, ranked: gpd.GeoDataFrame, parameters: Parameters
) -> dict[str, scenario.Measure]:
    """Build the scenario: trees at the chosen or best places, cool roofs, depaving.

    Raises
    ------
    DataError
        If a chosen place is not among the ranked ones; names the nearest.
    """
    from ldt_toolbox.documents import nearest
    from ldt_toolbox.errors import DataError

    streets = inputs.frame("streets") if "streets" in inputs else None
    wanted = list(parameters.scenario_places)
    known = set(ranked["name"])
    for name in wanted:
        if name not in known:
            raise DataError(
                f"scenario_places: no street or lot with open ground is called `{name}`: "
                f"{nearest(name, known) if len(known) < 30 else _close(name, known)}"
            )
    if wanted:
        chosen = ranked[ranked["name"].isin(wanted)]
    else:
        chosen = ranked[ranked["kind"] == "street"].head(parameters.scenario_place_count)
    points = places.planting_points(chosen, streets, spacing_m=parameters.tree_spacing_m)
    return scenario.measures(
        ground, points,
        crown_diameter_m=parameters.crown_diameter_m,
        cool_roof_share=parameters.cool_roof_share,
        cool_roof_albedo=parameters.cool_roof_albedo,
        depave_share=parameters.depave_share,
    )  # fmt: skip


def compare(
    heat: CoolingResult,
    measures: dict[str, scenario.Measure],
    summer: steps.Climate,
    ground: Ground,
    seen: steps.Exposure,
    parameters: Parameters,
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Run the model on each measure and compare with today (see `scenario.compare`)."""
    return scenario.compare(
        heat.temperature_c, measures, lambda c: steps.model(c, summer, parameters).temperature_c,
        ground, seen.weight, et0_mm_day=summer.et0_mm_day,
    )  # fmt: skip


def vulnerable(
    heat: CoolingResult,
    today: Cover,
    summer: steps.Climate,
    seen: steps.Exposure,
    ground: Ground,
    parameters: Parameters,
) -> gpd.GeoDataFrame:
    """Vulnerability of each neighbourhood cell (see `robustness.vulnerability`)."""
    return robustness.vulnerability(
        heat, today, seen, ground, reference_c=summer.reference_c,
        draws=parameters.monte_carlo_draws, seed=parameters.seed,
    )  # fmt: skip


def observations(
    heat: CoolingResult,
    sky: NDArray[np.float32],
    inputs: Inputs,
    ground: Ground,
    parameters: Parameters,
) -> list[observed.Observed]:
    """Everything that observations of the territory add."""
    return [
        observed.surface_heat_island(inputs, parameters),
        observed.stations(heat.temperature_c, inputs, ground),
        outdoor_comfort.comfort(sky, inputs, ground, parameters),
    ]


def _close(name: str, known: set[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"did you mean {', '.join(close)}?" if close else "see the table of ranked places"


def assemble(
    inputs: Inputs,
    parameters: Parameters,
    *,
    ground: Ground,
    summer: steps.Climate,
    heat: CoolingResult,
    seen: steps.Exposure,
    sky: NDArray[np.float32],
    shade: NDArray[np.float32],
    gain: NDArray[np.float32],
    ranked: gpd.GeoDataFrame,
    table: pd.DataFrame,
    change: NDArray[np.float32],
    draws: pd.DataFrame,
    vulnerable: gpd.GeoDataFrame,
    extras: list[observed.Observed],
) -> Results:
    """Join what the steps yield into the outputs of the manifest.

    Parameters
    ----------
    inputs, parameters
        As in `compute`.
    ground, summer, heat, seen, sky, shade, gain, ranked, table, change, draws, vulnerable, extras
        What the steps of `compute` return.
    """
    anomaly = at_buildings(heat.temperature_c, ground) - summer.reference_c
    result = Results(weight=dict(seen.unit))
    _indicators(result, inputs, parameters, ground, summer, seen, sky, anomaly, table, draws)
    _cooling(result, parameters, gain, seen, ground)
    stable = _stability(vulnerable)
    result.indicators["rank_stability"] = Indicator(stable)
    grid = ground.grid
    land = block_mean(ground.land.astype(np.uint8), ground.factor) > 0

    def layer(values: NDArray[np.float32]) -> Raster:
        shown = np.where(land, values, np.nan).astype(np.float32)
        return Raster(shown, grid.transform, grid.crs)

    fine_land = np.where(ground.land, sky, np.nan)
    classes = block_majority(ground.classes, ground.factor, classes=len(SURFACES))
    domain = block_mean(ground.domain.astype(np.uint8), ground.factor) > 0
    result.layers = {
        "surface_class": Raster(
            np.where(domain, classes, 255).astype(np.uint8), grid.transform, grid.crs, "class", 255
        ),
        "air_temperature": layer(heat.temperature_c),
        "heat_mitigation": layer(heat.hm),
        "sky_view_factor": layer(block_mean(fine_land, ground.factor)),
        "shadow_fraction": layer(block_mean(np.where(ground.land, shade, np.nan), ground.factor)),
        "buildings": _buildings(ground, seen, anomaly, summer.reference_c),
        "vulnerability": vulnerable,
        "cooling_gain": layer(gain),
        "places": ranked.head(parameters.ranked_places),
        "scenario_change": layer(change),
    }
    top = ranked.head(parameters.ranked_places)
    result.tables = {
        "scenarios": table,
        "ranked_places": pd.DataFrame(top.drop(columns="geometry"))[
            ["rank", "name", "kind", "gain_per_m2", "plantable_m2", "total_gain"]
        ],
    }
    if "amenities" in inputs:
        spots = inputs.frame("amenities")
        heat_there = at_points(heat.temperature_c, ground, spots.geometry.x, spots.geometry.y)
        sites = sensitive_sites(spots, heat_there - summer.reference_c, classes=SENSITIVE)
        if len(sites):
            result.tables["sensitive_sites"] = sites
    result.notes = [
        *inputs.notes(),
        *summer.notes,
        *seen.notes,
        *caveats.ground_notes(ground, inputs),
    ]
    for extra in extras:
        result.indicators |= extra.indicators
        result.layers |= extra.layers
        result.tables |= extra.tables
        result.notes += extra.notes
    caveats.mark_synthetic(inputs, result)
    result.answer = story.answer(
        inputs.territory.names, summer, seen, result.indicators, ranked, parameters
    )
    return result


def _indicators(
    result: Results,
    inputs: Inputs,
    parameters: Parameters,
    ground: Ground,
    summer: steps.Climate,
    seen: steps.Exposure,
    sky: NDArray[np.float32],
    anomaly: NDArray[np.float64],
    table: pd.DataFrame,
    draws: pd.DataFrame,
) -> None:
    def with_draws(key: str, value: float) -> Indicator:
        if draws.empty:
            return Indicator(value)
        low, high = np.quantile(draws[key], [0.05, 0.95])
        meaning = f"5th to 95th percentile of {len(draws)} draws"
        return Indicator(value, float(low), float(high), meaning)

    threshold_k = parameters.hot_uhi_share * parameters.uhi_max_k
    share = 100 * weighted_share(anomaly, seen.weight, at_least=threshold_k)
    everything = table.iloc[-1]  # all measures together
    shares = steps.shares(ground)
    knows_trees = "land_cover" in inputs or "trees" in inputs
    imputed = ground.buildings["height_source"] != "height"
    footprint = ground.buildings["footprint_m2"]
    result.indicators = {
        "reference_temperature": Indicator(
            summer.reference_c,
            provenance=observed.provenance_of(inputs, "air_temperature")
            if parameters.reference_temperature_c is None
            else "derived",
        ),
        "mean_anomaly": with_draws("mean_anomaly", weighted_mean(anomaly, seen.weight)),
        "p95_anomaly": with_draws("p95_anomaly", weighted_quantile(anomaly, seen.weight, 0.95)),
        "contrast": Indicator(
            weighted_quantile(anomaly, seen.weight, 0.95)
            - weighted_quantile(anomaly, seen.weight, 0.05)
        ),
        "hot_share": with_draws("hot_share", share),
        "green_share": Indicator(shares["green"] if "land_cover" in inputs else None),
        "tree_share": Indicator(shares["tree"] if knows_trees else None),
        "unclassified_share": Indicator(shares["unclassified"]),
        "height_imputed_share": Indicator(100 * float(footprint[imputed].sum() / footprint.sum())),
        "scenario_change": with_draws("scenario_change", float(everything["mean_k"])),
        "scenario_trees": Indicator(int(everything["trees"])),
    }
    if seen.people:
        result.indicators["people"] = Indicator(round(float(seen.weight.sum())))
    street = (ground.classes == PAVED) & ground.land & ~ground.covered
    if street.any():
        result.indicators["street_sky_view_factor"] = Indicator(float(np.nanmean(sky[street])))


def _cooling(
    result: Results,
    parameters: Parameters,
    gain: NDArray[np.float32],
    seen: steps.Exposure,
    ground: Ground,
) -> None:
    needed, within = steps.green_needed(gain, seen, ground, target_k=parameters.cooling_target_k)
    result.indicators["cooling_within_reach"] = Indicator(within)
    if needed is not None:
        result.indicators["green_needed"] = Indicator(needed)


def _stability(vulnerable: gpd.GeoDataFrame) -> float | None:
    top = vulnerable["index"] >= vulnerable["index"].quantile(0.9)
    shares = vulnerable.loc[top, "top_decile_share"].dropna()
    return 100 * float(shares.mean()) if len(shares) else None


def _buildings(
    ground: Ground, seen: steps.Exposure, anomaly: NDArray[np.float64], reference_c: float
) -> gpd.GeoDataFrame:
    frame = ground.buildings
    kept = [c for c in ("id", "name", "use") if c in frame]
    named = frame[[*kept, "height_m", "height_source", "footprint_m2", "floor_area_m2", "geometry"]]
    people = {"residents": seen.weight} if seen.people else {}
    return named.assign(
        anomaly_k=np.round(anomaly, 4), air_temperature_c=np.round(anomaly + reference_c, 4),
        **people,
    )  # fmt: skip
