"""Indicators of exposure as AgiRisk (Cerema) reports them, each with what it could not count."""

import geopandas as gpd
import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.damage import damaged_share
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.space.zonal import coverage

COLUMNS = ("indicator", "value", "total", "share", "unknown", "unit", "note")


def agirisk_indicators(
    buildings: pd.DataFrame,
    depth_m: pd.Series,
    *,
    wet_above_m: float = 0.1,
    farmland: gpd.GeoDataFrame | None = None,
    depth: Raster | None = None,
    crop_value_eur_m2: float | None = None,
) -> pd.DataFrame:
    """People, dwellings, jobs, damage and farmland in the flooded zone.

    Parameters
    ----------
    buildings : pandas.DataFrame
        One row a building; the columns that are there are counted: `people`, `storeys` (above
        ground), `elderly` (people of 65 and more), `dwellings`, `jobs`, `damage_eur` together
        with `class` ("residential" counts as dwellings).
    depth_m : pandas.Series of float
        Depth at each building, m, same index; NaN where unknown: not in the zone, but told.
    wet_above_m : float
        A building, or ground, is in the zone above this depth.
    farmland : geopandas.GeoDataFrame, optional
        Fields; overlaps count once.
    depth : Raster, optional
        m; needed for farmland.
    crop_value_eur_m2 : float, optional
        Maximum damage of a square metre of crops, EUR: a value of the place, there is no default.

    Returns
    -------
    pandas.DataFrame
        Index `indicator`; `value` in the zone, `total` of the territory, `share` (0 to 1),
        `unknown` (of which depth or storeys are not known, beside the value; NaN where that
        cannot be told), `unit` and `note`: why an indicator is missing (then the numbers are NaN),
        or what is unknown.

    Raises
    ------
    DataError
        If indexes differ.

    Notes
    -----
    Indicators after the AgiRisk platform of Cerema: population in the flood zone, in single-storey
    buildings and on ground floors, elderly people, dwellings, jobs, damage to dwellings and to
    crops, flooded farmland. People on the ground floor are the people of a building over its
    storeys.
    """
    if not buildings.index.equals(depth_m.index):
        raise DataError("buildings and depths have different indexes: align them first")
    inside = depth_m > wet_above_m
    unknown = depth_m.isna()
    rows = [
        _counted("population", buildings, "people", inside, unknown),
        _single_storey(buildings, inside, unknown),
        _ground_floor(buildings, inside, unknown),
        _counted("elderly", buildings, "elderly", inside, unknown),
        _counted("dwellings", buildings, "dwellings", inside, unknown),
        _counted("jobs", buildings, "jobs", inside, unknown),
        _dwelling_damage(buildings, unknown),
        *_farmland(farmland, depth, wet_above_m, crop_value_eur_m2),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).set_index("indicator")


_UNITS = {"people": "people", "elderly": "people", "dwellings": "dwellings", "jobs": "jobs"}
_Row = tuple[str, float, float, float, float, str, str]


def _row(
    name: str, value: float, total: float, unit: str, note: str = "", unknown: float = 0.0
) -> _Row:
    return name, value, total, value / total if total > 0 else np.nan, unknown, unit, note


def _missing(name: str, unit: str, note: str) -> _Row:
    return name, np.nan, np.nan, np.nan, np.nan, unit, note


def _lacks(*columns: str) -> str:
    return f"not counted: the buildings have no column {' or '.join(columns)}"


def _counted(
    name: str, buildings: pd.DataFrame, column: str, inside: pd.Series, unknown: pd.Series
) -> _Row:
    if column not in buildings:
        return _missing(name, _UNITS[column], _lacks(column))
    return _sum(name, buildings[column], inside, unknown, _UNITS[column])


def _sum(
    name: str,
    numbers: pd.Series,
    inside: pd.Series,
    unknown: pd.Series,
    unit: str,
    *,
    unplaced: float = 0.0,
) -> _Row:
    """Sum a number in the zone; ``unplaced`` is what stands in buildings without it."""
    number = numbers.astype(np.float64)
    notes = []
    if unknown.any():
        notes.append(f"{number[unknown].sum():g} {unit} where no depth is known")
    if number.isna().any():
        notes.append(f"{int(number.isna().sum())} buildings without a number")
    lost = float(number[unknown].sum()) + unplaced
    if number.isna().any() and not unplaced:
        lost = np.nan
    value, total = float(number[inside].sum()), float(number.sum())
    return _row(name, value, total, unit, "; ".join(notes), lost)


def _single_storey(buildings: pd.DataFrame, inside: pd.Series, unknown: pd.Series) -> _Row:
    name = "population_single_storey"
    if not {"people", "storeys"} <= set(buildings.columns):
        return _missing(name, "people", _lacks("people", "storeys"))
    storeys = buildings["storeys"].astype(np.float64)
    low = buildings["people"].where(storeys <= 1, 0.0).where(storeys.notna())
    unplaced = float(buildings["people"][storeys.isna()].sum())
    return _sum(name, low, inside, unknown, "people", unplaced=unplaced)


def _ground_floor(buildings: pd.DataFrame, inside: pd.Series, unknown: pd.Series) -> _Row:
    name = "population_ground_floor"
    if not {"people", "storeys"} <= set(buildings.columns):
        return _missing(name, "people", _lacks("people", "storeys"))
    storeys = buildings["storeys"].astype(np.float64)
    number = buildings["people"] / storeys.clip(lower=1)
    unplaced = float(buildings["people"][storeys.isna()].sum())
    return _sum(name, number, inside, unknown, "people", unplaced=unplaced)


def _dwelling_damage(buildings: pd.DataFrame, unknown: pd.Series) -> _Row:
    name = "damage_dwellings"
    if not {"damage_eur", "class"} <= set(buildings.columns):
        return _missing(name, "EUR", _lacks("damage_eur", "class"))
    lived_in = buildings["class"] == "residential"
    damage = buildings.loc[lived_in, "damage_eur"].astype(np.float64)
    without = int(unknown[lived_in].sum())
    note = f"{without} residential buildings without a depth" if without else ""
    # every damage counts, also below the depth of the zone, so that there is no share to give
    return name, float(damage.sum()), np.nan, np.nan, np.nan if without else 0.0, "EUR", note


def _farmland(
    farmland: gpd.GeoDataFrame | None,
    depth: Raster | None,
    wet_above_m: float,
    crop_value_eur_m2: float | None,
) -> list[_Row]:
    area, damage = "flooded_farmland", "damage_crops"
    if farmland is None or depth is None:
        note = "not counted: farmland and a depth raster are needed"
        return [_missing(damage, "EUR", note), _missing(area, "ha", note)]
    cell_ha = depth.cell_size_m**2 / 1e4
    whole = gpd.GeoSeries([farmland.union_all()], crs=farmland.crs)
    shares = coverage(whole, depth).toarray()[0]
    values = np.asarray(depth.values, np.float64).ravel()
    known = np.isfinite(values)
    wet = float(shares[known & (values > wet_above_m)].sum()) * cell_ha
    total = float(whole.area.iloc[0]) / 1e4
    beyond = total - float(shares[known].sum()) * cell_ha
    # a tenth of a square metre is rounding
    note = f"{beyond:.1f} ha where no depth is known" if beyond > 1e-5 else ""
    field = _row(area, wet, total, "ha", note, beyond if note else 0.0)
    if crop_value_eur_m2 is None:
        return [_missing(damage, "EUR", "not counted: give the value of the crops"), field]
    lost = damaged_share(np.where(known, values, 0.0), "agriculture")
    cost = float((shares * lost).sum()) * cell_ha * 1e4 * crop_value_eur_m2
    beyond_eur = beyond * 1e4 * crop_value_eur_m2 if note else 0.0
    return [_row(damage, cost, total * 1e4 * crop_value_eur_m2, "EUR", note, beyond_eur), field]
