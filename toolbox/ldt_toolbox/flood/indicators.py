"""The numbers of a flood run by id of the manifest."""

from collections.abc import Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.robustness import Draws
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.steps import Access, Yearly
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.flood.town import Impact, Town
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator

DANGER_RATING = 1.25  # "danger for most", see `streets.LIMITS`


def of(
    ground: Ground,
    rain: Rain,
    run: Simulation,
    second: Simulation | None,
    town: Town,
    hit: Impact,
    yearly: Yearly,
    access: Access | None,
    table: pd.DataFrame,
    draws: Draws,
    spots: gpd.GeoDataFrame,
    parameters: Parameters,
) -> dict[str, Indicator]:
    """All indicators that can be told; arguments as in `use_case.assemble`."""
    totals = hit.totals()
    inside_m2 = float(ground.inside.sum()) * ground.setup.cell_m**2
    cells_ha = ground.setup.cell_m**2 / 1e4
    share = 100 * totals["flooded_ha"] * 1e4 / inside_m2

    rows: dict[str, dict[str, float]] = table.set_index("scenario").to_dict("index")  # type: ignore[assignment]

    def drawn(
        key: str, value: float, factor: float = 1.0, today: Mapping[str, float] = totals
    ) -> Indicator:
        interval = draws.interval(key, today)
        if interval is None:
            return Indicator(value)
        low, high = (factor * end for end in interval)
        return Indicator(value, low, high, f"5th to 95th percentile of {len(draws.table)} draws")

    def changed(name: str, column: str) -> Indicator:
        return drawn(f"{name}.{column}", rows[name][column], today=rows["today"])

    rating = np.nan_to_num(run.peaks.hazard_rating)
    found = {
        "cell_size": Indicator(ground.setup.cell_m),
        "terrain_share": Indicator(100 * ground.terrain_share),
        "rain_depth": Indicator(rain.event.total_mm, provenance=_rain_origin(rain)),
        "runoff_share": Indicator(_runoff_share(ground, rain, run)),
        "flooded_area": drawn("flooded_ha", totals["flooded_ha"]),
        "flooded_share": drawn("flooded_ha", share, share / (totals["flooded_ha"] or 1.0) or 1.0),
        "dangerous_area": Indicator(
            float((ground.inside & (rating >= DANGER_RATING)).sum()) * cells_ha
        ),
        "buildings_wet": drawn("buildings", totals["buildings"]),
        "buildings_unknown": Indicator(int(hit.depth_m.isna().sum())),
        "damaged_area": drawn("damaged_m2", totals["damaged_m2"]),
        "blue_spots": Indicator(len(spots)),
        "blue_spot_volume": Indicator(float(spots["volume_m3"].sum())),
        "scenario_change": changed("all", "change_m2"),
        "scenario_area_change": changed("all", "change_ha"),
        "climate_change": changed("climate", "change_m2"),
        "mass_error": Indicator(abs(run.ledger.relative_error)),
        "fast_share": Indicator(100 * run.froude.fast_share),
    }
    if hit.people_wet is not None:
        found["people_wet"] = drawn("people", hit.people_wet)
    if hit.damage_eur is not None:
        found["damage"] = drawn("damage_eur", totals["damage_eur"])
    if yearly.damaged_m2 is not None:
        found["annual_damaged_area"] = Indicator(yearly.damaged_m2.total)
        found["annual_tail_share"] = Indicator(100 * yearly.damaged_m2.tail_share)
    if yearly.damage_eur is not None:
        found["annual_damage"] = Indicator(yearly.damage_eur.total)
    if access is not None:
        cut = access.streets["cut_car"]
        found["streets_cut"] = Indicator(float(access.streets["length_m"][cut].sum()) / 1e3)
        if access.places is not None:
            lost = access.places["status"].isin(["street flooded", "cut off"])
            found["places_cut_off"] = Indicator(int(lost.sum()))
    if second is not None:
        found["scheme_difference"] = Indicator(depth_difference(run, second, ground, parameters))
    return found


def depth_difference(
    run: Simulation, second: Simulation, ground: Ground, parameters: Parameters
) -> float | None:
    """Root mean square difference of the highest depths, where either is wet, m."""
    one, other = run.peaks.depth_m, second.peaks.depth_m
    wet = ground.inside & (np.fmax(one, other) > parameters.wet_depth_m)
    if not wet.any():
        return None
    return float(np.sqrt(np.mean((one[wet].astype(np.float64) - other[wet]) ** 2)))


def marked(found: Mapping[str, Indicator]) -> dict[str, Indicator]:
    """Mark indicators that rest on synthetic data."""
    return {key: replace(one, provenance="synthetic") for key, one in found.items()}


def _rain_origin(rain: Rain) -> str:
    return "observed" if rain.observed else "derived"


def _runoff_share(ground: Ground, rain: Rain, run: Simulation) -> float | None:
    """What of the rain on the terrain ran off, in percent, before sewers."""
    land = np.isfinite(ground.setup.elevation)
    fallen = rain.event.total_mm / 1000 * float(land.sum()) * ground.setup.cell_m**2
    return 100 * run.ledger.rain / fallen if fallen > 0 else None
