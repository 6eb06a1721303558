"""Green area around each place."""

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.heat.mixing import Floats, as_floats, weight_inside, whole_cells

SQUARE_METRES_PER_HECTARE = 10_000.0


@numba.njit(parallel=True, cache=True, fastmath=True)
def _disc_sum(running, half_widths, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    # A disc is a stack of row pieces, each one difference of two running sums.
    rows, columns = out.shape
    reach = half_widths.shape[0] // 2
    for row in numba.prange(rows):
        i = np.int64(row)  # prange counts unsigned, and -i would wrap
        line = out[i]
        line[:] = 0
        for k in range(max(-reach, -i), min(reach, rows - 1 - i) + 1):
            half = half_widths[k + reach]
            upto, before = running[i + k, reach + half + 1 :], running[i + k, reach - half :]
            for j in range(columns):
                line[j] += upto[j] - before[j]


def _disc_sums(values: Floats, half_widths: NDArray[np.int64]) -> Floats:
    # running[i, reach + j] is the sum of row i up to, not including, column j; beyond the ends it
    # stays what it is there.
    rows, columns = values.shape
    reach = half_widths.shape[0] // 2
    running = np.zeros((rows, columns + 1 + 2 * reach), values.dtype)
    sums = running[:, reach + 1 : reach + 1 + columns]
    np.cumsum(values, axis=1, out=sums)
    running[:, reach + 1 + columns :] = sums[:, -1:]
    out = np.empty(values.shape, values.dtype)
    _disc_sum(running, half_widths, out)
    return out


def green_area_within(green: NDArray[np.generic], *, cell_size_m: float, radius_m: float) -> Floats:
    """Green area within a radius of each cell, in hectares.

    Parameters
    ----------
    green : numpy.ndarray, shape (rows, columns)
        1 (or True) where a cell is green; shares are allowed; NaN where missing.
    cell_size_m : float
        Side of a cell.
    radius_m : float
        Radius between cell centres, rounded to whole cells.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Hectares. As in InVEST 3.19, where part of the disc is missing or outside the grid the
        share found in the rest is taken for the whole disc.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, equation 3.
    """
    share = as_floats("green", green)
    valid = np.isfinite(share)
    cells = whole_cells("radius_m", radius_m, cell_size_m)
    offset = np.arange(-cells, cells + 1)
    half_widths = np.floor(np.sqrt(cells**2 - offset**2.0) + 1e-9).astype(np.int64)
    disc = (np.hypot(offset[:, None], offset[None, :]) <= cells).astype(np.float64)
    everywhere = bool(valid.all())
    if everywhere:
        seen = weight_inside(disc, (share.shape[0], share.shape[1])).astype(share.dtype)
    else:
        share = np.where(valid, share, share.dtype.type(0))
        seen = np.maximum(_disc_sums(valid.astype(share.dtype), half_widths), 1)
    area = _disc_sums(share, half_widths)
    area *= share.dtype.type(disc.sum() * cell_size_m**2 / SQUARE_METRES_PER_HECTARE)
    area /= seen
    if not everywhere:
        area[~valid] = np.nan
    return area
