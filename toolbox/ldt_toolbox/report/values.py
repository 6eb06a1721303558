"""The numbers of a layer and where they lie, alike for rasters and vectors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.space.raster import Raster

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class LayerValues:
    """Values that are there, with their places.

    Attributes
    ----------
    values : numpy.ndarray, shape (n,)
        Finite values only.
    x, y : numpy.ndarray, shape (n,)
        Their places in units of the layer's CRS.
    """

    values: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def layer_values(layer: "Raster | gpd.GeoDataFrame", column: str = "") -> LayerValues:
    """Take the finite values of a layer.

    Parameters
    ----------
    layer : Raster or geopandas.GeoDataFrame
        Empty geometries are left out.
    column : str
        Which column of a vector layer; one that it does not have gives no values.
    """
    if isinstance(layer, Raster):
        rows, columns = np.nonzero(present(layer))
        west, _, _, north = layer.bounds
        return LayerValues(
            layer.values[rows, columns].astype(np.float64),
            np.asarray(west + (columns + 0.5) * layer.transform.a, dtype=np.float64),
            np.asarray(north + (rows + 0.5) * layer.transform.e, dtype=np.float64),
        )
    if column not in layer.columns:
        return LayerValues(*(np.empty(0) for _ in range(3)))
    values = np.asarray(layer[column], dtype=np.float64)
    keep = np.isfinite(values) & ~np.asarray(layer.geometry.is_empty | layer.geometry.isna())
    bounds = np.asarray(layer.geometry.bounds, dtype=np.float64)[keep]
    return LayerValues(
        values[keep], (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    )


def present(raster: Raster) -> NDArray[np.bool_]:
    """Which cells hold a value."""
    if np.issubdtype(raster.values.dtype, np.floating):
        return np.asarray(np.isfinite(raster.values), dtype=np.bool_)
    if raster.nodata is None:
        return np.ones(raster.shape, dtype=np.bool_)
    return np.asarray(raster.values != raster.nodata, dtype=np.bool_)


def main_sector(
    x: NDArray[np.float64], y: NDArray[np.float64], extent: LayerValues
) -> tuple[str, float]:
    """Find in which ninth of a layer's extent most of some places lie.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        The places, at least one.
    extent : LayerValues
        The layer.

    Returns
    -------
    (str, float)
        `nw`, `n`, ... `c`, ... `se`, and the share of the places in it.
    """
    along = _thirds(x, extent.x)
    down = _thirds(-y, -extent.y)
    counts = np.bincount(down * 3 + along, minlength=9)
    best = int(np.argmax(counts))
    return ("nw", "n", "ne", "w", "c", "e", "sw", "s", "se")[best], float(counts[best] / len(x))


def _thirds(places: NDArray[np.float64], extent: NDArray[np.float64]) -> NDArray[np.intp]:
    low, high = float(extent.min()), float(extent.max())
    span = high - low or 1.0
    return np.minimum((places - low) / span * 3, 2).astype(np.intp)
