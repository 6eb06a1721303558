"""Who is exposed to how much heat: temperatures at buildings, weighted by people or floors."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.space.paint import block_mean


def at_buildings(values: NDArray[np.float32], ground: Ground) -> NDArray[np.float64]:
    """Mean of a model grid over the footprint of each building.

    Parameters
    ----------
    values : numpy.ndarray, model shape
        NaN cells are left out.
    ground : Ground
        Its `labels` say which cell belongs to which building; a building without a cell of its
        own takes the cell of its representative point.

    Returns
    -------
    numpy.ndarray of float64, shape (buildings,)
        NaN only where the building lies outside the model.
    """
    fine = np.repeat(np.repeat(values, ground.factor, 0), ground.factor, 1)
    chosen = (ground.labels >= 0) & np.isfinite(fine)
    count = len(ground.buildings)
    cells = np.bincount(ground.labels[chosen], minlength=count)
    sums = np.bincount(ground.labels[chosen], weights=fine[chosen], minlength=count)
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = np.where(cells > 0, sums / np.maximum(cells, 1), np.nan)
    without = np.flatnonzero(cells == 0)
    if without.size:
        points = ground.buildings.geometry.iloc[without].representative_point()
        means[without] = at_points(values, ground, points.x.to_numpy(), points.y.to_numpy())
    return means


def at_points(
    values: NDArray[np.float32], ground: Ground, x: ArrayLike, y: ArrayLike
) -> NDArray[np.float64]:
    """Value of a model grid at points in its CRS; NaN outside.

    Parameters
    ----------
    values : numpy.ndarray, model shape
        A grid of the model.
    x, y : array_like of float
        Coordinates, metres.
    """
    rows, columns, inside = ground.grid.cells_at(x, y)
    return np.where(inside, values[rows, columns].astype(np.float64), np.nan)


def spread_weight(weight: ArrayLike, ground: Ground) -> NDArray[np.float32]:
    """Sum of the buildings' weights on each model cell.

    Parameters
    ----------
    weight : array_like, shape (buildings,)
        People or floor area of each building; spread evenly over its cells.

    Returns
    -------
    numpy.ndarray of float32, model shape
        Sums up to the weight of all buildings that have a cell.
    """
    weight = np.asarray(weight, np.float64)
    chosen = ground.labels >= 0
    cells = np.bincount(ground.labels[chosen], minlength=len(weight))
    per_cell = np.where(cells > 0, weight / np.maximum(cells, 1), 0.0)
    fine = np.zeros(ground.labels.shape, np.float64)
    fine[chosen] = per_cell[ground.labels[chosen]]
    return (block_mean(fine, ground.factor) * ground.factor**2).astype(np.float32)


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> float:
    """Mean of values weighted by people or floors; NaN values are left out with their weight."""
    v, w = _known(values, weights)
    return float(np.average(v, weights=w))


def weighted_quantile(values: ArrayLike, weights: ArrayLike, q: float) -> float:
    """Smallest value at or below which a share `q` of the weight lies.

    Parameters
    ----------
    values, weights : array_like
        Same shape; NaN values are left out.
    q : float
        Between 0 and 1.
    """
    v, w = _known(values, weights)
    order = np.argsort(v, kind="stable")
    reached = np.cumsum(w[order])
    # a hair less, because 0.07 * 100 is above 7 in floating point
    position = np.searchsorted(reached, q * reached[-1] * (1 - 1e-12))
    return float(v[order][position])


def weighted_share(values: ArrayLike, weights: ArrayLike, *, at_least: float) -> float:
    """Share of the weight, 0 to 1, whose value reaches a threshold."""
    v, w = _known(values, weights)
    return float(w[v >= at_least].sum() / w.sum())


def _known(
    values: ArrayLike, weights: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    v, w = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    good = np.isfinite(v) & np.isfinite(w) & (w > 0)
    if not good.any():
        raise DataError("nothing to weigh: no building has a temperature and a floor area")
    return v[good], w[good]


def sensitive_sites(
    amenities: pd.DataFrame, anomaly_k: NDArray[np.float64], *, classes: tuple[str, ...]
) -> pd.DataFrame:
    """Places of the given classes with their heat, hottest first.

    Parameters
    ----------
    amenities : pandas.DataFrame
        Columns `class` and, where known, `name`.
    anomaly_k : numpy.ndarray, shape (places,)
        Modelled air temperature above the reference, K.
    classes : tuple of str
        Which to keep.

    Returns
    -------
    pandas.DataFrame
        `name`, `class`, `anomaly_k`.
    """
    names = amenities["name"] if "name" in amenities else pd.Series("", index=amenities.index)
    frame = pd.DataFrame(
        {"name": names.fillna("").astype(str), "class": amenities["class"], "anomaly_k": anomaly_k}
    )
    frame = frame[frame["class"].isin(classes) & frame["anomaly_k"].notna()]
    return frame.sort_values(["anomaly_k", "name"], ascending=[False, True]).reset_index(drop=True)
