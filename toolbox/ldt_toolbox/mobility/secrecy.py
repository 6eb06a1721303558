"""Numbers about few residents are not told, so that nobody is recognised.

The rule is that of statistical offices for small areas (INSEE tells nothing about squares with
fewer than 11 households): whatever counts fewer than so many residents is left out, and so is what
would give it away by subtraction.
"""

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.homes import Homes


def hidden_cells(
    weight: NDArray[np.float64], homes: Homes, *, fewest: int
) -> NDArray[np.bool_]:  # fmt: skip
    """Cells whose values are not shown.

    Parameters
    ----------
    weight : numpy.ndarray, shape (cells,)
        Residents or floors.
    homes : Homes
        Tells whether residents are counted; floors are nobody's personal data.
    fewest : int
        Fewest residents of a cell that is shown.

    Returns
    -------
    numpy.ndarray of bool
        Cells with fewer; and where that hides a single cell, or fewer residents altogether than
        allowed, the next smallest too: else the total less what is shown would tell them.
    """
    few = np.asarray(weight < fewest) & homes.people
    order = np.argsort(weight, kind="stable")
    count = int(few.sum())
    while 0 < count < len(weight) and (count < 2 or weight[order[:count]].sum() < fewest):
        few[order[count]] = True
        count += 1
    return few


def share_told_pct(homes: Homes, reached: NDArray[np.bool_], *, fewest: int) -> float | None:
    """Share of the residents or floors, per cent.

    Returns
    -------
    float or None
        None without any weight, and where the share, or what it leaves over, counts some
        residents but fewer than `fewest`.
    """
    some, rest = float(homes.weight[reached].sum()), float(homes.weight[~reached].sum())
    if some + rest <= 0 or (homes.people and (0 < some < fewest or 0 < rest < fewest)):
        return None
    return 100 * some / (some + rest)


def change_told_pp(
    homes: Homes, before: NDArray[np.bool_], after: NDArray[np.bool_], *, fewest: int
) -> float | None:
    """Change of a share, percentage points; None where fewer residents make the difference."""
    change = float(homes.weight[after].sum() - homes.weight[before].sum())
    if homes.people and 0 < abs(change) < fewest and (before != after).any():
        return None
    return 100 * change / float(homes.weight.sum())


def require_enough(homes: Homes, *, fewest: int) -> None:
    """Stop where nothing may be told at all.

    Raises
    ------
    DataError
        If fewer residents are known than a single cell must have.
    """
    known = float(homes.weight.sum())
    if homes.people and known < fewest:
        raise DataError(
            f"population: {known:.0f} residents in all, and nothing is told about fewer than "
            f"{fewest} (fewest_people): take a larger territory, or leave the role out to count "
            "floors"
        )
