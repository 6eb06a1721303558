"""What covers the ground, on a grid: classes that decide runoff and roughness, constant losses."""

import math
from collections.abc import Mapping

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.losses import LAND_COVER
from ldt_toolbox.heat.ground import street_areas
from ldt_toolbox.space.paint import onto_grid, paint, refine
from ldt_toolbox.space.raster import Raster

FINE_CELL_M = 2.5
MOST_FINE_CELLS = 40_000_000


def cover_codes(
    grid: Raster,
    streets: gpd.GeoDataFrame | None,
    water: gpd.GeoDataFrame | None,
    land_cover: gpd.GeoDataFrame | Raster | None,
    translate: Mapping[str, str],
    buildings: gpd.GeoDataFrame,
) -> tuple[NDArray[np.uint8], list[str]]:
    """Lay the classes on a finer grid, since a cell may hold a house, a street and a garden.

    Parameters
    ----------
    grid : Raster
        The ground's.
    streets, water, land_cover, buildings
        See `ground.lay_ground`; what comes later lies on top, larger polygons below smaller ones.
    translate : mapping of str to str
        Class of the layer -> class of the toolbox.

    Returns
    -------
    numpy.ndarray of uint8, a multiple of the grid's shape
        Index into the names.
    list of str
        `unclassified` first.
    """
    factor = max(1, min(8, math.ceil(grid.cell_size_m / FINE_CELL_M)))
    while factor > 1 and grid.values.size * factor**2 > MOST_FINE_CELLS:
        factor -= 1
    fine = refine(grid, factor)
    names = ["unclassified", *LAND_COVER]
    codes = np.zeros(fine.shape, np.uint8)
    if isinstance(land_cover, Raster):
        values = onto_grid(land_cover, fine, nearest=True)
        for value in np.unique(values[np.isfinite(values)]).astype(int):
            codes[values == value] = _code(str(value), translate, names)
    elif land_cover is not None:
        order = np.argsort(-land_cover.geometry.area.to_numpy(), kind="stable")
        classes = land_cover["class"].astype(str)
        paint(
            (
                (land_cover.geometry.iloc[i], _code(classes.iloc[i], translate, names))
                for i in order
            ),
            fine, out=codes,
        )  # fmt: skip
    if streets is not None:
        paint(((s, names.index("paved")) for s in street_areas(streets)), fine, out=codes)
    if water is not None:
        paint(((s, names.index("water")) for s in water.geometry), fine, out=codes)
    paint(((s, names.index("building")) for s in buildings.geometry), fine, out=codes)
    return codes, names


def constant_losses(
    land_cover: gpd.GeoDataFrame | Raster | None,
    codes: NDArray[np.uint8],
    names: list[str],
    grid: Raster,
) -> NDArray[np.float32] | None:
    """Lay the constant losses of the polygons on the finer grid.

    Parameters
    ----------
    land_cover : geopandas.GeoDataFrame, Raster or None
        Polygons may have `loss_mm_h`; buildings, streets and water on top of them have none.
    codes, names
        From `cover_codes`.
    grid : Raster
        The ground's.

    Returns
    -------
    numpy.ndarray of float32, shape of the codes, or None
        mm/h, NaN where the curve number counts; None where no polygon has a loss.

    Raises
    ------
    DataError
        If a loss is negative.
    """
    if not isinstance(land_cover, gpd.GeoDataFrame) or "loss_mm_h" not in land_cover:
        return None
    rate = land_cover["loss_mm_h"].to_numpy(np.float64)
    if (rate < 0).any():
        raise DataError(
            f"land_cover: loss_mm_h is {np.nanmin(rate):g} somewhere: give 0 or more, in mm/h"
        )
    found = np.full(codes.shape, np.nan, np.float32)
    order = np.argsort(-land_cover.geometry.area.to_numpy(), kind="stable")
    fine = refine(grid, codes.shape[0] // grid.shape[0])
    paint(((land_cover.geometry.iloc[i], float(rate[i])) for i in order), fine, out=found)
    own = [names.index(name) for name in ("paved", "water", "building")]
    found[np.isin(codes, own)] = np.nan
    return found


def _code(value: str, translate: Mapping[str, str], names: list[str]) -> int:
    name = translate.get(value, value)
    if name not in names:
        raise DataError(
            f"land_cover has `{value}`, for which no runoff is known: translate with "
            f"`classes: {{{value}: ...}}` in territory.yaml to one of {', '.join(names[1:])}"
        )
    return names.index(name)
