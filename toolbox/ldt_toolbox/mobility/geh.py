"""GEH statistic: how well modelled flows meet counted ones."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError

GOOD = 5.0
"""GEH below which a link is said to fit; 85 % of links should (UK DMRB vol. 12, TAG unit M3.1)."""


def geh(modelled_per_h: ArrayLike, counted_per_h: ArrayLike) -> NDArray[np.float64]:
    """GEH statistic of hourly flows.

    Parameters
    ----------
    modelled_per_h, counted_per_h : array_like
        Vehicles per hour, same shape. Daily flows give another number: divide first.

    Returns
    -------
    numpy.ndarray
        ``sqrt(2 (M - C)^2 / (M + C))``, 0 where both are 0, NaN where one is not known.

    Raises
    ------
    DataError
        If a flow is negative.

    Notes
    -----
    UK Department for Transport, TAG unit M3.1, section 3.2 (section from memory, not checked
    against a copy).
    """
    model, count = np.asarray(modelled_per_h, np.float64), np.asarray(counted_per_h, np.float64)
    if (model < 0).any() or (count < 0).any():
        raise DataError("a flow is negative: clean the counts first (counts.clean_counts)")
    both = model + count
    return np.sqrt(2 * (model - count) ** 2 / np.where(both == 0, 1.0, both))


def share_within(
    modelled_per_h: ArrayLike, counted_per_h: ArrayLike, *, limit: float = GOOD
) -> float:
    """Share of pairs with a GEH below the limit, of those that are known; NaN if none is."""
    found = geh(modelled_per_h, counted_per_h)
    found = found[np.isfinite(found)]
    return float((found < limit).mean()) if found.size else float("nan")
