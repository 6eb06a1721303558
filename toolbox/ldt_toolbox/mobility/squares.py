"""Squares in which people live, with their values; where few live, none is shown."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.mobility.secrecy import hidden_cells
from ldt_toolbox.mobility.steps import Places

CELL_M = 100.0


def squares(here: Places, *, cell_m: float) -> pd.DataFrame:
    """Squares in which people live, and the home that stands for each.

    Returns
    -------
    pandas.DataFrame
        `column`, `row`, `weight`, `home` (the one with the most weight), sorted. `of_home` in its
        ``attrs`` holds the square of each home, -1 for homes without weight.
    """
    point = shapely.get_coordinates(here.homes.places.geometry.representative_point().to_numpy())
    some = np.flatnonzero(here.homes.weight > 0)
    cell = np.floor(point[some] / cell_m).astype(np.int64)
    table = pd.DataFrame(
        {"column": cell[:, 0], "row": cell[:, 1], "weight": here.homes.weight[some], "home": some}
    )
    groups = table.groupby(["column", "row"])
    of_home = np.full(len(here.homes.weight), -1)
    of_home[some] = groups.ngroup()
    out = groups.agg(weight=("weight", "sum"), home=("weight", "idxmax")).reset_index()
    out["home"] = some[out["home"].to_numpy()]
    out.attrs["of_home"] = of_home
    return out


def square_mean(table: pd.DataFrame, values: ArrayLike, here: Places) -> NDArray[np.float64]:
    """Weighted mean of a value of the homes in each square."""
    of_home = table.attrs["of_home"]
    some = of_home >= 0
    total = np.zeros(len(table))
    weighted = np.asarray(values, np.float64)[some] * here.homes.weight[some]
    np.add.at(total, of_home[some], weighted)
    return np.asarray(total / table["weight"].to_numpy())


def square_frame(
    here: Places, table: pd.DataFrame, *, cell_m: float, fewest: int, **columns: NDArray[np.float64]
) -> gpd.GeoDataFrame:
    """Squares with their values; where fewer residents live than allowed, none is shown.

    Parameters
    ----------
    here : Places
        Tells whether residents are counted; floors are nobody's personal data.
    table : pandas.DataFrame
        From `squares`.
    cell_m : float
        Side.
    fewest : int
        Fewest residents of a square that is shown (`secrecy.hidden_cells`).
    **columns : numpy.ndarray, shape (squares,)
        Values; inf becomes NaN.
    """
    few = hidden_cells(table["weight"].to_numpy(np.float64), here.homes, fewest=fewest)
    values = pd.DataFrame(columns, index=table.index).replace(np.inf, np.nan)
    values[few] = np.nan
    west, south = table["column"] * cell_m, table["row"] * cell_m
    return gpd.GeoDataFrame(
        values.assign(suppressed=few),
        geometry=shapely.box(west, south, west + cell_m, south + cell_m),
        crs=here.homes.places.crs,
    )


def told_weight(table: pd.DataFrame) -> NDArray[np.float64]:
    """Residents or floors of squares, to a tenth.

    Only squares of one size tell it: the difference between two sizes would tell of the hidden.
    """
    return table["weight"].to_numpy(np.float64).round(1)


def cells(
    here: Places, time: pd.DataFrame, *, minutes_limit: float, fewest: int
) -> gpd.GeoDataFrame:
    """Access of all homes in squares of 100 m.

    Parameters
    ----------
    here : Places
        From `places`.
    time : pandas.DataFrame
        From `minutes`.
    minutes_limit : float
        Within which a class counts as near.
    fewest : int
        See `square_frame`.

    Returns
    -------
    geopandas.GeoDataFrame
        `weight`, `classes_near` (weighted mean), `share_all_pct`, `minutes_all` (weighted mean
        minutes to the farthest class, NaN where one is out of reach), `suppressed`, geometry.
    """
    table = squares(here, cell_m=CELL_M)
    near = time.to_numpy() <= minutes_limit
    last = time.max(axis=1).to_numpy() if len(time.columns) else np.full(len(time), np.nan)
    return square_frame(
        here, table, cell_m=CELL_M, fewest=fewest, weight=told_weight(table),
        classes_near=square_mean(table, near.sum(axis=1), here).round(3),
        share_all_pct=square_mean(table, 100 * near.all(axis=1), here).round(2),
        minutes_all=square_mean(table, last, here).round(2),
    )  # fmt: skip
