"""The steps of the flood use case: its notebook and `compute` share them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.flood import flooding, ground, hazard_maps, screening, storms, zones
from ldt_toolbox.flood import town as towns
from ldt_toolbox.flood.annual import FEWEST_RETURN_PERIODS, AnnualDamage, expected_annual_damage
from ldt_toolbox.flood.boundaries import Inflow
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.screening import Screening
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.storms import Rain
from ldt_toolbox.flood.streets import (
    LIMITS,
    places_cut_off,
    split_at_junctions,
    streets_cut,
    water_on_streets,
)
from ldt_toolbox.flood.town import Impact, Town
from ldt_toolbox.flood.validity import Tally, beyond_range, mass_notes
from ldt_toolbox.heat.ground import underground
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note
from ldt_toolbox.sources import Inputs

MOST_CHECKED_CELLS = 5_000


@dataclass(frozen=True)
class Hazard:
    """Highest depths by return period.

    Attributes
    ----------
    simulated, official : mapping of float to numpy.ndarray
        Depth in metres on the ground's grid, by return period in years.
    notes : tuple of Note
        Of simulations that gained or lost water, and of zones that are left out.
    tally : Tally
        Of the simulations.
    """

    simulated: Mapping[float, NDArray[np.floating]]
    official: Mapping[float, NDArray[np.floating]]
    notes: tuple[Note, ...] = ()
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Yearly:
    """Damage by return period and in a year on average.

    Attributes
    ----------
    table : pandas.DataFrame
        `source` ("simulated" or "official"), `return_period_years`, and `Impact.totals`.
    source : str
        Which rows the annual means rest on; empty if there are too few return periods.
    damaged_m2, damage_eur : AnnualDamage or None
    """

    table: pd.DataFrame
    source: str
    damaged_m2: AnnualDamage | None
    damage_eur: AnnualDamage | None


@dataclass(frozen=True)
class Access:
    """Streets under water and places that lose them.

    Attributes
    ----------
    streets : geopandas.GeoDataFrame
        Segments with `depth_m`, `velocity_m_s`, `hazard_rating`, `length_m` and `cut_car`,
        `cut_emergency`, `cut_pedestrian`.
    places : geopandas.GeoDataFrame or None
        Amenities with `status` for cars; None without amenities.
    """

    streets: gpd.GeoDataFrame
    places: gpd.GeoDataFrame | None


def lay(inputs: Inputs, parameters: Parameters) -> Ground:
    """Lay the territory's layers on the terrain's grid (see `ground.lay_ground`)."""

    def frame(role: str) -> gpd.GeoDataFrame | None:
        return inputs.frame(role) if role in inputs else None

    cover = inputs.layers.get("land_cover")
    return ground.lay_ground(
        inputs.territory.boundary_geometry,
        inputs.raster("terrain"),
        buildings=inputs.frame("buildings"),
        cell_size_m=parameters.cell_size_m,
        streets=frame("streets"),
        rivers=frame("rivers"),
        water=frame("water"),
        culverts=frame("culverts"),
        land_cover=None if cover is None else cover.data,
        land_cover_classes=None if cover is None else dict(cover.source.classes),
        unclassified_cover=parameters.unclassified_cover,
        soil_group=parameters.soil_group,
        manning_n=parameters.manning_n,
        sewer_mm_h=parameters.sewer_capacity_mm_h,
        void_area_m2=1e4 * parameters.void_area_ha,
        scheme=parameters.scheme,
    )


def screen(land: Ground, parameters: Parameters) -> Screening:
    """Flow paths, height above drainage, blue spots (see `screening.screen`)."""
    return screening.screen(land, parameters)


def rain(inputs: Inputs, parameters: Parameters) -> Rain:
    """Observed event and design storms (see `storms.storms`)."""
    end_s = 0.0
    if "inflows" in inputs:
        end_s = 60 * float(inputs.table("inflows")["time_min"].max())
    return storms.storms(
        parameters,
        observed=inputs.table("rain_event") if "rain_event" in inputs else None,
        series=inputs.table("rain_series") if "rain_series" in inputs else None,
        inflow_end_s=end_s,
    )


def inflows(inputs: Inputs, land: Ground) -> list[Inflow]:
    """Rivers that enter the terrain (see `flooding.inflows_of`); none without the role."""
    if "inflows" not in inputs:
        return []
    return flooding.inflows_of(inputs.table("inflows"), land.grid, land.setup.elevation)


def event(
    inputs: Inputs,
    land: Ground,
    falling: Rain,
    parameters: Parameters,
    *,
    progress: Callable[[float], None] | None = None,
) -> Simulation:
    """Simulate the event, with depth maps on the way for an animation.

    Where the environment variable ``LDT_CHECKPOINTS`` names a folder, the state is kept there, and
    a run that was interrupted goes on from it.
    """
    return flooding.flood(
        land.setup, falling.event, parameters, inflows=inflows(inputs, land),
        scheme=parameters.scheme, snapshot_s=60 * parameters.snapshot_min, progress=progress,
        resumable=True,
    )  # fmt: skip


def check(
    inputs: Inputs, land: Ground, falling: Rain, run: Simulation, parameters: Parameters
) -> Simulation | None:
    """Run the event again with the full scheme where the inertial one left its range.

    Returns
    -------
    Simulation or None
        None where nothing calls for it, it is not wanted, or the grid is too large for a check.
    """
    small = land.grid.values.size <= MOST_CHECKED_CELLS
    if not (beyond_range(run.scheme, run.froude) and small and parameters.check_scheme):
        return None
    return flooding.flood(
        land.setup, falling.event, parameters, inflows=inflows(inputs, land),
        scheme="shallow-water",
    )  # fmt: skip


def town(inputs: Inputs, parameters: Parameters) -> Town:
    """Buildings with damage classes, storeys, residents and, where the GDP is known, values."""
    frame = ground.floors(
        inputs.frame("buildings"), storey_height_m=parameters.storey_height_m,
        default_height_m=parameters.default_height_m,
    ).reset_index(drop=True)  # fmt: skip
    use = frame["use"] if "use" in frame else pd.Series("", index=frame.index)
    frame = frame.assign(**towns.damage_class(use))
    people, notes = towns.residents(
        frame,
        areas=inputs.frame("population") if "population" in inputs else None,
        total=parameters.population_total,
    )
    if people is not None:
        frame = frame.assign(people=people)
    values = towns.maximum_damages(inputs.territory.country, parameters)
    return Town(frame, values, notes)


def hit(run: Simulation, land: Ground, places: Town, parameters: Parameters) -> Impact:
    """What the event does (see `town.impact`)."""
    return towns.impact(run.peaks.depth_m, land, places, parameters)


def hazard(
    inputs: Inputs, land: Ground, falling: Rain, run: Simulation, parameters: Parameters
) -> Hazard:
    """Depths by return period: simulated for each design storm, and those of official maps."""
    simulated: dict[float, NDArray[np.floating]] = {}
    notes: list[Note] = []
    tally = Tally()
    for period, storm in falling.design.items():
        # the design event has been simulated already, if it was that and nothing else
        same = storm is falling.event and "inflows" not in inputs
        again = run if same else flooding.flood(land.setup, storm, parameters, scheme=run.scheme)  # type: ignore[arg-type]
        simulated[period] = again.peaks.depth_m
        if not same:
            tally.add(again.scheme, again.ledger, again.froude)
            of = f" of {period:g} years", f" de {period:g} ans"
            notes += mass_notes(abs(again.ledger.relative_error), where=of)
    rasters = {
        found: inputs.raster(role)
        for role in inputs.layers
        if (found := hazard_maps.return_period_of(role)) is not None
    }
    official = hazard_maps.depths_on_grid(rasters, land)
    if "flood_zones" in inputs:
        told = inputs.frame("flood_zones")
        official = zones.zones_on_grid(told, land) | official
        notes += _later(int(zones.of_later_climate(told).sum()))
    return Hazard(simulated, official, tuple(notes), tally)


def _later(count: int) -> list[Note]:
    if not count:
        return []
    return [
        Note(
            "assumption",
            {
                "en": f"{count} flood zones are of a later climate ({zones.LATER_CLIMATE}): they "
                "count who and what stands in them, and are no part of the damage by return "
                "period.",
                "fr": f"{count} zones inondables sont d'un climat futur ({zones.LATER_CLIMATE}) : "
                "elles comptent qui et quoi s'y trouve, et ne font pas partie du dommage par "
                "période de retour.",
            },
        )
    ]


def yearly(depths: Hazard, land: Ground, places: Town, parameters: Parameters) -> Yearly:
    """Damage by return period, and its mean of all years where five or more are known."""
    rows = []
    for source, maps in (("simulated", depths.simulated), ("official", depths.official)):
        for period in sorted(maps):
            found = towns.impact(maps[period], land, places, parameters).totals()
            rows.append({"source": source, "return_period_years": period} | found)
    columns = ["source", "return_period_years", "flooded_ha", "buildings", "people", "damaged_m2",
               "damage_eur"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    enough = [
        source
        for source, maps in (("official", depths.official), ("simulated", depths.simulated))
        if len(maps) >= FEWEST_RETURN_PERIODS
    ]
    if not enough:
        return Yearly(table, "", None, None)
    chosen = table[table["source"] == enough[0]]

    def mean(column: str) -> AnnualDamage:
        return expected_annual_damage(
            dict(zip(chosen["return_period_years"], chosen[column], strict=True)),
            harmless_return_period_years=parameters.harmless_return_period_years,
            protection_return_period_years=parameters.protection_return_period_years,
        )

    cost = mean("damage_eur") if chosen["damage_eur"].notna().all() else None
    return Yearly(table, enough[0], mean("damaged_m2"), cost)


def access(inputs: Inputs, land: Ground, run: Simulation) -> Access | None:
    """Streets that the event cuts and places that lose them; None without streets."""
    if "streets" not in inputs:
        return None
    lines = inputs.frame("streets")
    lines = lines[~underground(lines)].explode(index_parts=False)
    segments = split_at_junctions(lines.reset_index(drop=True))
    water = water_on_streets(
        segments, land.raster(run.peaks.depth_m.astype(np.float32)),
        velocity_m_s=run.peaks.speed_m_s, hazard_rating=run.peaks.hazard_rating,
    )  # fmt: skip
    bridge = None
    if "bridge" in segments:
        bridge = segments["bridge"].astype(str).str.lower().isin(["true", "yes", "1", "viaduct"])
    segments = segments.assign(length_m=segments.geometry.length).join(
        water[["depth_m", "velocity_m_s", "hazard_rating"]]
    )
    for who, limits in LIMITS.items():
        segments[f"cut_{who}"] = streets_cut(water, limits=limits, above_water=bridge)
    places = None
    if "amenities" in inputs:
        spots = inputs.frame("amenities").reset_index(drop=True)
        places = spots.join(places_cut_off(segments, segments["cut_car"], spots))
    return Access(segments, places)
