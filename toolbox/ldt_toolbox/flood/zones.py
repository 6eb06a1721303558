"""Official flood zones as polygons: with classes of depth (TRI), or extents alone (PPR)."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.town import Town
from ldt_toolbox.space.paint import paint

# Scenarios of a TRI map (French application of directive 2007/60/EC): high probability is 10 to 30
# years, medium 100 to 300, low 1,000 or more. One number has to stand for each; the codes are
# those of the COVADIS standard, from memory. `03Mcc`, medium in a later climate, is no flood of
# today: it has no return period here.
TRI_SCENARIOS: dict[str, float] = {"01For": 20.0, "02Moy": 100.0, "04Fai": 1000.0}
LATER_CLIMATE = "03Mcc"


def return_periods(zones: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return period of each polygon: as told, else of its TRI scenario, else NaN.

    Parameters
    ----------
    zones : geopandas.GeoDataFrame
        `return_period_years` and `scenario` (`01For` ...), both optional.
    """
    unknown = pd.Series(np.nan, zones.index)
    told = zones.get("return_period_years", unknown).astype(np.float64)
    scenario = zones.get("scenario", unknown).astype(object).map(TRI_SCENARIOS)
    return np.asarray(told.fillna(scenario.astype(np.float64)), np.float64)


def of_later_climate(zones: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Whether each polygon is of a later climate's flood, which counts who stands in it only."""
    scenario = zones.get("scenario", pd.Series("", zones.index)).astype(object)
    return np.asarray((scenario == LATER_CLIMATE).to_numpy() & np.isnan(return_periods(zones)))


def depths(zones: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Depth of each polygon: the middle of its class; NaN for an extent without depth.

    The deepest class of a map often has no upper end: its lower one counts then.

    Raises
    ------
    DataError
        If the ends of a class are swapped, negative, or the lower one is missing.
    """
    unknown = pd.Series(np.nan, zones.index)
    low = zones.get("depth_low_m", unknown).to_numpy(np.float64)
    high = zones.get("depth_high_m", unknown).to_numpy(np.float64)
    extent = np.isnan(low) & np.isnan(high)
    upper = np.where(np.isnan(high), low, high)
    wrong = ~extent & ~((low >= 0) & (upper >= low))
    if wrong.any():
        raise DataError(
            f"flood_zones: {int(wrong.sum())} polygons lack depth_low_m, or have it above "
            "depth_high_m (are they swapped?): give both ends of each class of depth in metres, or "
            "neither where only the extent is known"
        )
    return np.asarray((low + upper) / 2)


def zones_on_grid(zones: gpd.GeoDataFrame, ground: Ground) -> dict[float, NDArray[np.float32]]:
    """Depth from flood polygons, by return period.

    Extents without depth, and floods of a later climate, are left out.

    Parameters
    ----------
    zones : geopandas.GeoDataFrame
        As in `return_periods` and `depths`; where polygons overlap, the deepest counts.
    ground : Ground
        Gives the grid.

    Raises
    ------
    DataError
        If classes of depth are wrong, or have no return period.
    """
    depth, period = depths(zones), return_periods(zones)
    known = np.isfinite(depth) & ~of_later_climate(zones)
    if (bare := known & np.isnan(period)).any():
        raise DataError(
            f"flood_zones: {int(bare.sum())} polygons have a depth but neither "
            "return_period_years nor a scenario of a TRI (01For, 02Moy, 04Fai): give one"
        )
    found = {}
    shapes = zones.geometry.to_numpy()
    for one in np.unique(period[known]):
        chosen = np.flatnonzero(known & (period == one))
        chosen = chosen[np.argsort(depth[chosen], kind="stable")]
        layer = np.zeros(ground.grid.shape, np.float32)
        paint(((shapes[k], float(depth[k])) for k in chosen), ground.grid, out=layer)
        found[float(one)] = layer
    return found


def zones_hit(zones: gpd.GeoDataFrame, town: Town) -> pd.DataFrame:
    """Count what stands in the zones, whether their depth is known or not.

    Parameters
    ----------
    zones : geopandas.GeoDataFrame
        With `name` where polygons are to be told apart; polygons of the same name and return
        period count as one zone.
    town : Town
        Buildings, with residents where they are known.

    Returns
    -------
    pandas.DataFrame
        `zone`, `return_period_years`, `area_ha`, `buildings` (those that the zone touches),
        `people` (by the share of each footprint inside; NaN where residents are not known).
    """
    named = zones.get("name", zones.get("scenario", pd.Series("", zones.index)))
    keys = pd.DataFrame(
        {"zone": named.fillna("").astype(str).to_numpy(), "years": return_periods(zones)}
    )
    houses = town.buildings
    rows = []
    for (name, years), members in keys.groupby(["zone", "years"], dropna=False):
        whole = zones.geometry.iloc[members.index].union_all()
        touched = houses.geometry.intersects(whole)
        people = np.nan
        if town.people is not None:
            inside = houses.geometry[touched].intersection(whole).area
            people = float((town.people[touched] * inside / houses.geometry[touched].area).sum())
        rows.append((name, years, whole.area / 1e4, int(touched.sum()), people))
    columns = ["zone", "return_period_years", "area_ha", "buildings", "people"]
    return pd.DataFrame(rows, columns=columns)
