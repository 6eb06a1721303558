"""What a depth of water costs: damage functions and maximum damages of the JRC for Europe."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

SOURCE = "Huizinga, De Moel & Szewczyk 2017, Global flood depth-damage functions, 10.2760/16510"
BASE_YEAR = 2010
DEPTH_NODES_M = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)

# Huizinga 2017, Europe: damaged share of the maximum at DEPTH_NODES_M. Residential, commercial
# and roads were compared with a second digital copy of the report and agree. That copy uses the
# commercial curve for industry; industrial and transport stand here as in the project's
# specification and were not found a second time.
DAMAGED_SHARE: dict[str, tuple[float, ...]] = {
    "residential": (0, 0.25, 0.40, 0.50, 0.60, 0.75, 0.85, 0.95, 1),
    "commercial": (0, 0.15, 0.30, 0.45, 0.55, 0.75, 0.90, 1, 1),
    "industrial": (0, 0.15, 0.27, 0.40, 0.52, 0.70, 0.85, 1, 1),
    "transport": (0, 0.317, 0.542, 0.702, 0.832, 1, 1, 1, 1),
    "roads": (0, 0.25, 0.42, 0.55, 0.65, 0.80, 0.90, 1, 1),
    # from memory, not found a second time
    "agriculture": (0, 0.30, 0.55, 0.65, 0.75, 0.85, 0.95, 1, 1),
}
DOUBLE_CHECKED = ("residential", "commercial", "roads")

# Construction cost in EUR of 2010 per m2 = factor * GDP per capita in US$ of 2010 ^ exponent.
# It gives the costs that a second copy of the report prints for France, Germany, Finland and
# Afghanistan within 0.6 %.
_COST: dict[str, tuple[float, float]] = {
    "residential": (24.1, 0.385),
    "commercial": (33.6, 0.357),
    "industrial": (30.8, 0.325),
}
# From construction cost to maximum damage: depreciated value, part that water cannot damage,
# contents as a share of the building's damage. Same second copy.
_DEPRECIATED, _UNDAMAGEABLE = 0.6, 0.4
_CONTENTS: dict[str, float] = {"residential": 0.5, "commercial": 1.0, "industrial": 1.5}

# GDP per capita in US$ of 2010 (World Bank): the European Union, EFTA, the United Kingdom, Monaco.
# Whole hundreds are rounded: 1 % of GDP is less than 0.4 % of damage. Later editions of the World
# Bank's table differ by up to 10 % (Cyprus); these stand beside the costs in that copy.
GDP_PER_CAPITA_USD_2010: dict[str, float] = {
    "AUT": 46_400, "BEL": 44_400, "BGR": 6_600, "CHE": 74_300, "CYP": 27_900, "CZE": 19_800,
    "DEU": 41_723.4, "DNK": 57_600, "ESP": 30_736.0, "EST": 14_600, "FIN": 46_202.4,
    "FRA": 40_706.1, "GBR": 38_363.4, "GRC": 26_900, "HRV": 13_500, "HUN": 13_000, "IRL": 47_900,
    "ISL": 41_700, "ITA": 35_900, "LTU": 11_900, "LUX": 102_900, "LVA": 11_400, "MCO": 145_229.8,
    "MLT": 19_700, "NLD": 50_300, "NOR": 86_100, "POL": 12_484.1, "PRT": 22_500, "ROU": 8_100,
    "SVK": 16_500, "SVN": 23_400, "SWE": 52_100,
}  # fmt: skip


@dataclass(frozen=True)
class MaximumDamage:
    """Damage of a square metre of building at the largest depth, with what it stands for.

    Attributes
    ----------
    building_class : str
        "residential", "commercial" or "industrial".
    building_eur_m2, contents_eur_m2 : float
        EUR of `price_year` per m2 of footprint.
    gdp_per_capita_usd : float
        US$ of 2010.
    price_factor : float
        Prices of `price_year` over prices of 2010.
    price_year : int
        Year of the prices.
    """

    building_class: str
    building_eur_m2: float
    contents_eur_m2: float
    gdp_per_capita_usd: float
    price_factor: float
    price_year: int

    @property
    def eur_m2(self) -> float:
        """Building and contents together, EUR of `price_year` per m2."""
        return self.building_eur_m2 + self.contents_eur_m2

    def describe(self) -> str:
        """One line on where the value comes from, for a report."""
        return (
            f"{self.building_class}: {self.eur_m2:.0f} EUR/m2 in prices of {self.price_year} "
            f"(2010 x {self.price_factor:g}; GDP {self.gdp_per_capita_usd:.0f} US$ of 2010 a head; "
            f"{SOURCE})"
        )


def damaged_share(depth_m: ArrayLike, building_class: str) -> NDArray[np.float64]:
    """Share of the maximum damage at a depth, linear between the report's nodes.

    Parameters
    ----------
    depth_m : array_like of float
        Depth of water above ground, m; negative counts as dry, above 6 m as 6 m.
    building_class : str
        A key of `DAMAGED_SHARE`.

    Returns
    -------
    numpy.ndarray of float64
        0 to 1; NaN where the depth is NaN.
    """
    if building_class not in DAMAGED_SHARE:
        raise ParameterError(
            f"no damage function for {building_class!r}: choose {', '.join(DAMAGED_SHARE)}"
        )
    depth = np.asarray(depth_m, np.float64)
    return np.asarray(np.interp(depth, DEPTH_NODES_M, DAMAGED_SHARE[building_class]), np.float64)


def construction_cost_eur_m2(building_class: str, *, gdp_per_capita_usd: float) -> float:
    """Construction cost in EUR of 2010 per m2, from GDP per capita in US$ of 2010.

    Huizinga 2017, regressions of section 4 (number of the equation from memory).
    """
    if building_class not in _COST:
        raise ParameterError(
            f"no construction cost for {building_class!r}: choose {', '.join(_COST)}"
        )
    if not (np.isfinite(gdp_per_capita_usd) and gdp_per_capita_usd > 0):
        raise ParameterError(
            f"a GDP of {gdp_per_capita_usd:g} US$ a head: give the World Bank's value of 2010"
        )
    factor, exponent = _COST[building_class]
    return float(factor * gdp_per_capita_usd**exponent)


def maximum_damage(
    building_class: str,
    *,
    price_factor: float,
    price_year: int,
    country: str | None = None,
    gdp_per_capita_usd: float | None = None,
) -> MaximumDamage:
    """Maximum damage of a country's buildings: cost x 0.6 x (1 - 0.4) x (1 + contents).

    Parameters
    ----------
    building_class : str
        "residential", "commercial" or "industrial".
    price_factor : float
        Prices of `price_year` over prices of 2010, for example from Eurostat's HICP; 1 keeps
        prices of 2010. There is no default: a damage without its year of prices misleads.
    price_year : int
        Year of the prices.
    country : str, optional
        ISO 3166 alpha-3 code of a country in `GDP_PER_CAPITA_USD_2010`.
    gdp_per_capita_usd : float, optional
        In place of `country`: US$ of 2010.

    Returns
    -------
    MaximumDamage

    Raises
    ------
    ParameterError
        If neither or an unknown country is given, or if factor and year contradict each other.
    """
    if country is not None and gdp_per_capita_usd is None:
        gdp_per_capita_usd = GDP_PER_CAPITA_USD_2010.get(country)
        if gdp_per_capita_usd is None:
            raise ParameterError(
                f"no GDP of {country!r} in the table ({', '.join(GDP_PER_CAPITA_USD_2010)}): "
                "pass gdp_per_capita_usd (World Bank, US$ of 2010)"
            )
    elif country is not None or gdp_per_capita_usd is None:
        raise ParameterError("give either the country or its GDP per capita of 2010, not both")
    if not price_factor > 0 or (price_year == BASE_YEAR and price_factor != 1):
        raise ParameterError(
            f"a price factor of {price_factor:g} for {price_year}: it is prices of that year over "
            f"prices of {BASE_YEAR}, above 0 and 1 for {BASE_YEAR}"
        )
    cost = construction_cost_eur_m2(building_class, gdp_per_capita_usd=gdp_per_capita_usd)
    building = cost * _DEPRECIATED * (1 - _UNDAMAGEABLE) * price_factor
    contents = building * _CONTENTS[building_class]
    return MaximumDamage(
        building_class, building, contents, gdp_per_capita_usd, price_factor, price_year
    )


def building_damage(
    depth_m: pd.Series,
    building_class: pd.Series,
    footprint_m2: pd.Series,
    maximum_eur_m2: Mapping[str, float],
) -> pd.Series:
    """Direct damage of each building: share at its depth x maximum x footprint.

    Parameters
    ----------
    depth_m : pandas.Series of float
        Depth of water at the building above ground, m. NaN stays NaN.
    building_class : pandas.Series of str
        Same index; each one a key of `maximum_eur_m2`.
    footprint_m2 : pandas.Series of float
        Same index, m2: the JRC's values are per footprint.
    maximum_eur_m2 : mapping of str to float
        Maximum damage of each class, EUR/m2.

    Returns
    -------
    pandas.Series
        `damage_eur`, same index.

    Raises
    ------
    DataError
        If indexes differ or a class has no maximum.
    """
    if not (
        depth_m.index.equals(building_class.index) and depth_m.index.equals(footprint_m2.index)
    ):
        raise DataError("depths, classes and footprints have different indexes: align them first")
    missing = sorted(set(building_class.astype(str)) - set(maximum_eur_m2))
    if missing:
        raise DataError(
            f"no maximum damage for {', '.join(missing)}: map the class to one of "
            f"{', '.join(maximum_eur_m2)}"
        )
    damage = np.full(len(depth_m), np.nan)
    classes = building_class.astype(str).to_numpy()
    depth, area = depth_m.to_numpy(np.float64), footprint_m2.to_numpy(np.float64)
    for name, maximum in maximum_eur_m2.items():
        chosen = classes == name
        if chosen.any():
            damage[chosen] = damaged_share(depth[chosen], name) * maximum * area[chosen]
    return pd.Series(damage, index=depth_m.index, name="damage_eur")
