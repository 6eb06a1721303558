"""People on buildings: a count for an area is shared out by residential floor area."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import CRSError, DataError, MissingColumnError


def spread_population(
    buildings: pd.DataFrame,
    floor_area_m2: pd.Series,
    total: float,
    *,
    residential: pd.Series | None = None,
) -> pd.Series:
    """Share one total among buildings in proportion to their residential floor area.

    Parameters
    ----------
    buildings : pandas.DataFrame or geopandas.GeoDataFrame
        One row a building.
    floor_area_m2 : pandas.Series
        Floor area over all storeys, m2, same index.
    total : float
        People to share out.
    residential : pandas.Series of bool, optional
        Which buildings are lived in, same index; all of them if not given.

    Returns
    -------
    pandas.Series
        People in each building (fractions of persons are meant), same index; adds up to ``total``.

    Raises
    ------
    DataError
        If indexes differ, a floor area or the total is missing or negative, or if there are
        people but no residential floor area to put them.
    """
    if not (np.isfinite(total) and total >= 0):
        raise DataError(f"the population is {total}; give a number of 0 or more")
    weight = _weights(buildings, floor_area_m2, residential)
    whole = weight.sum()
    if whole == 0:
        if total > 0:
            raise DataError(
                f"{total:g} people but no residential floor area among {len(buildings)} buildings: "
                "check heights and the choice of residential buildings"
            )
        return pd.Series(0.0, index=buildings.index, name="people")
    return pd.Series(weight / whole * total, index=buildings.index, name="people")


def areal_to_buildings(
    population_polygons: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    floor_area_m2: pd.Series,
    *,
    population_column: str = "population",
    residential: pd.Series | None = None,
) -> tuple[pd.Series, pd.DataFrame]:
    """Share the people of each census cell among the residential buildings inside it.

    A building belongs to the cell in which its representative point lies.

    Parameters
    ----------
    population_polygons : geopandas.GeoDataFrame
        Cells or districts with ``population_column``; a missing number counts as 0.
    buildings : geopandas.GeoDataFrame
        Footprints, same CRS.
    floor_area_m2 : pandas.Series
        Floor area over all storeys, m2, index of ``buildings``.
    population_column : str
        Where the number of people stands.
    residential : pandas.Series of bool, optional
        Which buildings are lived in, index of ``buildings``; all of them if not given.

    Returns
    -------
    people : pandas.Series
        People in each building, index of ``buildings``; 0 for buildings outside every cell.
    unallocated : pandas.DataFrame
        Cells whose people found no place, index of ``population_polygons``: ``people`` and
        ``reason`` ("no building", "no residential floor area"). Sum of both parts = the input.

    Raises
    ------
    CRSError
        If a CRS is missing or the two differ.
    MissingColumnError
        If ``population_column`` is not there.
    DataError
        If indexes differ or repeat, or if a number is negative.

    Notes
    -----
    Dasymetric mapping, Wright 1936, weighted by floor area. Where cells overlap, a building takes
    people from each of them.
    """
    if population_column not in population_polygons.columns:
        raise MissingColumnError(
            f"the population layer has no column {population_column!r}, only "
            f"{sorted(map(str, population_polygons.columns))}: name it with population_column"
        )
    if population_polygons.crs is None or population_polygons.crs != buildings.crs:
        raise CRSError(
            f"population is in {population_polygons.crs}, buildings are in {buildings.crs}: "
            "bring both to the territory's projected CRS"
        )
    weight = _weights(buildings, floor_area_m2, residential)
    cell_people = population_polygons[population_column].astype(float).fillna(0.0).to_numpy()
    if not (cell_people >= 0).all():
        raise DataError(
            f"{int((cell_people < 0).sum())} cells have a negative {population_column!r}: "
            "secrecy codes such as -1 have to become missing values first"
        )

    pairs = _buildings_in_cells(population_polygons, buildings)
    cell, building = pairs[:, 0], pairs[:, 1]
    cell_weight = np.bincount(cell, weights=weight[building], minlength=cell_people.size)
    cell_buildings = np.bincount(cell, minlength=cell_people.size)
    placed = cell_weight[cell] > 0
    cell, building = cell[placed], building[placed]
    people = np.bincount(
        building,
        weights=weight[building] / cell_weight[cell] * cell_people[cell],
        minlength=len(buildings),
    )

    lost = (cell_people > 0) & (cell_weight == 0)
    unallocated = pd.DataFrame(
        {
            "people": cell_people[lost],
            "reason": np.where(
                cell_buildings[lost] == 0, "no building", "no residential floor area"
            ),
        },
        index=population_polygons.index[lost],
    )
    return pd.Series(people, index=buildings.index, name="people"), unallocated


def _weights(
    buildings: pd.DataFrame, floor_area_m2: pd.Series, residential: pd.Series | None
) -> NDArray[np.float64]:
    if not buildings.index.equals(floor_area_m2.index):
        raise DataError("buildings and floor areas have different indexes: align them first")
    area = floor_area_m2.to_numpy(dtype=np.float64)
    wrong = int((~(np.isfinite(area) & (area >= 0))).sum())
    if wrong:
        raise DataError(f"{wrong} floor areas are missing or negative: compute them first")
    if residential is None:
        return area
    if not buildings.index.equals(residential.index):
        raise DataError("buildings and their residential flag have different indexes: align them")
    if residential.isna().any():
        raise DataError(
            f"{int(residential.isna().sum())} buildings do not say whether they are residential: "
            "fill the flag first"
        )
    return np.where(residential.to_numpy(dtype=bool), area, 0.0)


def _buildings_in_cells(cells: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> NDArray[np.intp]:
    # The spatial index answers with (cell, point) positions. A point on a shared border meets
    # two cells and takes people from both; nobody is counted twice, each cell gives all it has.
    points = buildings.geometry.representative_point()
    found = points.sindex.query(cells.geometry, predicate="intersects")
    return np.asarray(found, dtype=np.intp).T
