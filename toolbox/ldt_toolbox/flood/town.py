"""Who and what a depth of water hits: buildings, people, damage."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.damage import (
    GDP_PER_CAPITA_USD_2010,
    MaximumDamage,
    damaged_share,
    maximum_damage,
)
from ldt_toolbox.flood.exposure import depth_at_buildings
from ldt_toolbox.flood.flooding import treatment
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.heat.population import areal_to_buildings, spread_population
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note

CLASSES = ("residential", "commercial", "industrial")
COMMERCIAL = {
    "commercial", "retail", "office", "hotel", "school", "hospital", "university", "college",
    "kindergarten", "public", "civic", "government", "supermarket", "church", "service",
    "entertainment", "education", "medical", "religious", "kiosk", "sports_centre", "library",
}  # fmt: skip
INDUSTRIAL = {"industrial", "warehouse", "factory", "manufacture", "works", "hangar"}
RESIDENTIAL = {
    "residential", "apartments", "house", "detached", "semidetached_house", "terrace", "dormitory",
    "yes", "nan", "None", "",
}  # fmt: skip
# ISO 3166 alpha-2 of a territory -> alpha-3 of the damage table.
ALPHA3 = {
    "AT": "AUT", "BE": "BEL", "BG": "BGR", "CH": "CHE", "CY": "CYP", "CZ": "CZE", "DE": "DEU",
    "DK": "DNK", "EE": "EST", "ES": "ESP", "FI": "FIN", "FR": "FRA", "GB": "GBR", "GR": "GRC",
    "HR": "HRV", "HU": "HUN", "IE": "IRL", "IS": "ISL", "IT": "ITA", "LT": "LTU", "LU": "LUX",
    "LV": "LVA", "MC": "MCO", "MT": "MLT", "NL": "NLD", "NO": "NOR", "PL": "POL", "PT": "PRT",
    "RO": "ROU", "SE": "SWE", "SI": "SVN", "SK": "SVK",
}  # fmt: skip


@dataclass(frozen=True)
class Town:
    """Buildings and what they are worth.

    Attributes
    ----------
    buildings : geopandas.GeoDataFrame
        With `class` (of the damage functions), `class_known`, `footprint_m2`, `storeys`,
        `floor_area_m2`, and `people` where they are known.
    maximum : dict of str to MaximumDamage, or None
        By class; None where no GDP is known, so that no EUR are told.
    notes : tuple of Note
        What was assumed.
    """

    buildings: gpd.GeoDataFrame
    maximum: dict[str, MaximumDamage] | None
    notes: tuple[Note, ...]

    @property
    def people(self) -> pd.Series | None:
        """Residents of each building, if known."""
        found: pd.Series | None = self.buildings.get("people")
        return found


@dataclass(frozen=True)
class Impact:
    """What one flood does.

    Attributes
    ----------
    depth_m : pandas.Series
        Mean depth under each building (before its walls where it is blocked), NaN where unknown.
    damaged_m2 : pandas.Series
        Damaged share times footprint: square metres of total loss.
    damage_eur : pandas.Series or None
    flooded_m2 : float
        Ground of the territory deeper than the threshold.
    """

    depth_m: pd.Series
    damaged_m2: pd.Series
    damage_eur: pd.Series | None
    flooded_m2: float
    wet: pd.Series
    people_wet: float | None

    def totals(self) -> dict[str, float]:
        """Sums by name; those that cannot be told are NaN."""
        return {
            "flooded_ha": self.flooded_m2 / 1e4,
            "buildings": float(self.wet.sum()),
            "people": np.nan if self.people_wet is None else self.people_wet,
            "damaged_m2": float(self.damaged_m2.sum()),
            "damage_eur": np.nan if self.damage_eur is None else float(self.damage_eur.sum()),
        }


def damage_class(use: pd.Series) -> pd.DataFrame:
    """Class of the damage functions from the use of a building.

    Returns
    -------
    pandas.DataFrame
        `class` and `class_known`: False where the use is missing or translates to none, and
        residential is assumed.
    """
    words = use.astype(str).str.lower()
    commercial, industrial = words.isin(COMMERCIAL), words.isin(INDUSTRIAL)
    lived_in = words.isin(RESIDENTIAL - {"yes", "nan", "None", "", "none"})
    chosen = np.select([commercial, industrial], ["commercial", "industrial"], "residential")
    return pd.DataFrame(
        {"class": chosen, "class_known": commercial | industrial | lived_in}, index=use.index
    )


def maximum_damages(country: str, parameters: Parameters) -> dict[str, MaximumDamage] | None:
    """Maximum damage by class, or None where the GDP of the country is not known."""
    gdp = parameters.gdp_per_capita_usd
    alpha3 = ALPHA3.get(country)
    if gdp is None and alpha3 not in GDP_PER_CAPITA_USD_2010:
        return None
    return {
        name: maximum_damage(
            name, price_factor=parameters.price_factor, price_year=parameters.price_year,
            country=alpha3 if gdp is None else None, gdp_per_capita_usd=gdp,
        )
        for name in CLASSES
    }  # fmt: skip


def residents(
    buildings: gpd.GeoDataFrame,
    *,
    areas: gpd.GeoDataFrame | None,
    total: int | None,
) -> tuple[pd.Series | None, tuple[Note, ...]]:
    """Residents of each building: from areas, else from the total, else unknown.

    Raises
    ------
    DataError
        If areas with residents meet no building.
    """
    housing = buildings["class"] == "residential"
    if not housing.any():
        housing = pd.Series(True, index=buildings.index)
    floors = buildings["floor_area_m2"]
    if areas is not None:
        people, left = areal_to_buildings(areas, buildings, floors, residential=housing)
        if not people.sum() > 0:
            raise DataError(
                "population: no area with residents holds a building that is lived in: check its "
                "column, its extent and the use of the buildings"
            )
        lost = float(left["people"].sum())
        if lost > 0:
            text = {
                "en": f"{lost:.0f} residents of areas without a building are not counted.",
                "fr": f"{lost:.0f} habitants de zones sans bâtiment ne sont pas comptés.",
            }
            return people, (Note("warning", text),)
        return people, ()
    if total is not None:
        people = spread_population(buildings, floors, total, residential=housing)
        text = {
            "en": "Residents are the territory's total, spread over dwellings by floor area.",
            "fr": "Les habitants sont le total du territoire, réparti sur les logements selon les "
            "planchers.",
        }
        return people, (Note("assumption", text),)
    return None, ()


def impact(
    depth_m: NDArray[np.floating], ground: Ground, town: Town, parameters: Parameters
) -> Impact:
    """What a depth of water does.

    Parameters
    ----------
    depth_m : numpy.ndarray, shape of the ground
        Highest depth, NaN where unknown.
    ground, town, parameters
        As in the steps.
    """
    blocked = None
    ring_m = None
    how = treatment(parameters, ground.setup.cell_m)
    if how in {"block", "raise"}:
        blocked = ground.setup.built >= 0.5
        ring_m = 1.5 * ground.setup.cell_m
    grid = ground.raster(depth_m.astype(np.float32))
    found = depth_at_buildings(
        town.buildings, grid, wet_above_m=parameters.wet_depth_m, ring_m=ring_m, blocked=blocked
    )
    depth = found["depth_mean_m"].rename("depth_m")
    wet = depth > parameters.wet_depth_m
    share = np.zeros(len(depth))
    for name in CLASSES:
        chosen = (town.buildings["class"] == name).to_numpy(bool)
        share[chosen] = damaged_share(depth.to_numpy(np.float64)[chosen], name)
    # a film of water on the ground stays outside: below the threshold nothing is damaged
    share = np.where(wet, share, 0.0)
    damaged = pd.Series(share * town.buildings["footprint_m2"].to_numpy(), depth.index)
    cost = None
    if town.maximum is not None:
        each = town.buildings["class"].map({k: m.eur_m2 for k, m in town.maximum.items()})
        cost = damaged * each.astype(np.float64)
    flooded = ground.inside & (depth_m > parameters.wet_depth_m)
    people = town.people
    return Impact(
        depth_m=depth,
        damaged_m2=damaged,
        damage_eur=cost,
        flooded_m2=float(flooded.sum()) * ground.setup.cell_m**2,
        wet=wet,
        people_wet=None if people is None else float(people[wet].sum()),
    )
