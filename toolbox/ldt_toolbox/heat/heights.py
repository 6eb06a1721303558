"""Heights for every building, and an honest account of where each height comes from."""

import math
import re

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ldt_toolbox.errors import CRSError, DataError, ParameterError

HEIGHT_SOURCES = ("height", "levels", "neighbours", "default")
"""From measured to assumed."""

MAX_HEIGHT_M = 450.0
"""Hardly a building in the world is higher: beyond it, suspect the unit or a typing error."""

_MAX_LEVELS = 150.0
_FOOT_M = 0.3048
_INCH_M = 0.0254

_NUMBER = r"[+-]?\d+(?:[.,]\d+)?|[+-]?[.,]\d+"
_METRES = re.compile(rf"({_NUMBER})\s*(?:m|meters?|metres?|mètres?)?\.?", re.IGNORECASE)
_FEET = re.compile(rf"({_NUMBER})\s*(?:ft|feet|foot)\.?", re.IGNORECASE)
_FEET_INCHES = re.compile(rf"({_NUMBER})\s*(?:'|′)\s*(?:({_NUMBER})\s*(?:\"|″|''))?", re.IGNORECASE)


def parse_height(value: object) -> float:
    r"""Read a height as people and OpenStreetMap write it.

    Parameters
    ----------
    value : object
        A number (metres) or text: ``"12"``, ``"12 m"``, ``"12,5"``, ``"~12"``, ``"40 ft"``,
        ``"5'10\""``. Of several values (``"3;4"``) the highest counts, since it casts the shadow.

    Returns
    -------
    float
        Metres, NaN when it is no height. Implausible numbers come back as they stand:
        whether to believe them is for the caller to say.
    """
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, bool | np.bool_):
        return math.nan
    if isinstance(value, int | float | np.integer | np.floating):
        try:
            number = float(value)
        except OverflowError:
            return math.nan
        return number if math.isfinite(number) else math.nan
    return math.nan


def impute_heights(
    buildings: gpd.GeoDataFrame,
    *,
    height_column: str = "height",
    levels_column: str = "levels",
    storey_height_m: float = 3.0,
    neighbours: int = 5,
    max_distance_m: float = 100.0,
    default_height_m: float = 6.0,
) -> pd.DataFrame:
    """Give every building a height: as told, else from its levels, its neighbours, or a default.

    Parameters
    ----------
    buildings : geopandas.GeoDataFrame
        Footprints in a projected CRS in metres. Columns ``height_column`` and ``levels_column``
        may be text or numbers, and may be absent.
    height_column, levels_column : str
        Where heights (m, or text with a unit) and numbers of storeys stand.
    storey_height_m : float
        Height of one storey, m.
    neighbours : int
        How many of the nearest known buildings vote; their median counts.
    max_distance_m : float
        How far away, centroid to centroid, a neighbour may stand, m.
    default_height_m : float
        What is left when nobody knows, m; the default stands for two storeys.

    Returns
    -------
    pandas.DataFrame
        Same index; ``height_m`` (never missing), ``height_source`` (one of
        :data:`HEIGHT_SOURCES`) and ``implausible``: True where the building's own height or
        levels were refused (0 and below, above 450 m or 150 storeys).

    Raises
    ------
    CRSError
        If the CRS is missing, geographic, or not in metres.
    ParameterError
        If a parameter is out of range.
    """
    _check_crs(buildings)
    for name, number in {
        "storey_height_m": storey_height_m,
        "neighbours": neighbours,
        "max_distance_m": max_distance_m,
        "default_height_m": default_height_m,
    }.items():
        if not number > 0:
            raise ParameterError(f"{name} is {number}; give a number above 0")

    height, implausible_height = _believable(buildings, height_column, MAX_HEIGHT_M)
    levels, implausible_levels = _believable(buildings, levels_column, _MAX_LEVELS)
    source = np.full(len(buildings), "default", dtype=object)
    told = np.isfinite(height)
    from_levels = ~told & np.isfinite(levels)
    height[from_levels] = levels[from_levels] * storey_height_m
    source[told] = "height"
    source[from_levels] = "levels"

    known = told | from_levels
    voted = _median_of_neighbours(
        buildings, height, known, count=neighbours, max_distance_m=max_distance_m
    )
    from_neighbours = ~known & np.isfinite(voted)
    height[from_neighbours] = voted[from_neighbours]
    source[from_neighbours] = "neighbours"
    height[~known & ~from_neighbours] = default_height_m
    return pd.DataFrame(
        {
            "height_m": height,
            "height_source": pd.Categorical(source, categories=list(HEIGHT_SOURCES)),
            "implausible": implausible_height | implausible_levels,
        },
        index=buildings.index,
    )


def imputation_summary(heights: pd.DataFrame, floor_area_m2: pd.Series) -> pd.DataFrame:
    """Say how much of the town's floor area rests on assumed heights.

    Parameters
    ----------
    heights : pandas.DataFrame
        From :func:`impute_heights`.
    floor_area_m2 : pandas.Series
        Floor area of each building, m2, same index.

    Returns
    -------
    pandas.DataFrame
        One row per source, in the order of :data:`HEIGHT_SOURCES`: ``buildings`` (count),
        ``floor_area_m2``, ``floor_area_share`` (0..1, NaN if there is no floor area) and
        ``implausible`` (how many of them had an own value that was refused). What is imputed is
        every row but ``height``.

    Raises
    ------
    DataError
        If the indexes differ or a floor area is missing or negative.
    """
    if not heights.index.equals(floor_area_m2.index):
        raise DataError("heights and floor areas have different indexes: align them first")
    area = floor_area_m2.astype(float)
    wrong = int((~(area >= 0)).sum())
    if wrong:
        raise DataError(f"{wrong} floor areas are missing or negative: compute them first")
    table = pd.DataFrame(
        {
            "height_source": heights["height_source"],
            "floor_area_m2": area,
            "implausible": heights["implausible"],
        }
    )
    grouped = table.groupby("height_source", observed=False)
    summary = pd.DataFrame(
        {
            "buildings": grouped.size(),
            "floor_area_m2": grouped["floor_area_m2"].sum(),
            "implausible": grouped["implausible"].sum().astype(int),
        }
    )
    total = summary["floor_area_m2"].sum()
    share = summary["floor_area_m2"] / (total if total > 0 else np.nan)
    summary.insert(2, "floor_area_share", share)
    return summary


def _parse_text(text: str) -> float:
    parts = [part.strip().removeprefix("~").strip() for part in text.split(";")]
    values = [_parse_one(part) for part in parts if part]
    known = [value for value in values if math.isfinite(value)]
    return max(known) if known and len(known) == len(values) else math.nan


def _parse_one(text: str) -> float:
    if match := _METRES.fullmatch(text):
        return _number(match[1])
    if match := _FEET.fullmatch(text):
        return _number(match[1]) * _FOOT_M
    if match := _FEET_INCHES.fullmatch(text):
        return _number(match[1]) * _FOOT_M + _number(match[2] or "0") * _INCH_M
    return math.nan


def _number(text: str) -> float:
    number = float(text.replace(",", "."))
    return number if math.isfinite(number) else math.nan


def _check_crs(buildings: gpd.GeoDataFrame) -> None:
    crs = buildings.crs
    if crs is None:
        raise CRSError("the buildings have no CRS: set it with set_crs before imputing heights")
    if not crs.is_projected:
        raise CRSError(
            f"distances in metres are needed but the buildings are in {crs.to_string()}: "
            "reproject them to the territory's projected CRS"
        )
    factor = crs.axis_info[0].unit_conversion_factor
    if abs(factor - 1) > 1e-9:
        raise CRSError(
            f"distances in metres are needed but {crs.to_string()} counts in "
            f"{crs.axis_info[0].unit_name}: reproject the buildings to a CRS in metres"
        )


def _believable(
    buildings: gpd.GeoDataFrame, column: str, maximum: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if column not in buildings.columns:
        return np.full(len(buildings), np.nan), np.zeros(len(buildings), dtype=bool)
    values = np.array([parse_height(value) for value in buildings[column]], dtype=np.float64)
    implausible = np.isfinite(values) & ((values <= 0) | (values > maximum))
    values[implausible] = np.nan
    return values, implausible


def _median_of_neighbours(
    buildings: gpd.GeoDataFrame,
    height: NDArray[np.float64],
    known: NDArray[np.bool_],
    *,
    count: int,
    max_distance_m: float,
) -> NDArray[np.float64]:
    result = np.full(len(buildings), np.nan)
    centroid = buildings.geometry.centroid
    xy = np.column_stack([centroid.x.to_numpy(float), centroid.y.to_numpy(float)])
    placed = np.isfinite(xy).all(axis=1)
    givers = np.flatnonzero(known & placed)
    takers = np.flatnonzero(~known & placed)
    if not givers.size or not takers.size:
        return result
    nearest = min(count, int(givers.size))
    distance, position = cKDTree(xy[givers]).query(
        xy[takers], k=np.arange(1, nearest + 1), distance_upper_bound=max_distance_m
    )
    found = np.isfinite(distance)
    votes = np.where(found, height[givers[np.where(found, position, 0)]], np.nan)
    heard = found.any(axis=1)
    result[takers[heard]] = np.nanmedian(votes[heard], axis=1)
    return result
