"""What part of the rain runs off: SCS curve numbers, constant losses."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

SOIL_GROUPS = ("A", "B", "C", "D")
INITIAL_ABSTRACTION = 0.2

# USDA NRCS 1986, Urban Hydrology for Small Watersheds, TR-55, tables 2-2a and 2-2c: average
# runoff condition, Ia = 0.2 S, hydrologic soil groups A to D. The name says which row is meant.
TR55: dict[str, tuple[int, int, int, int]] = {
    "impervious": (98, 98, 98, 98),
    "gravel": (76, 85, 89, 91),
    "dirt": (72, 82, 87, 89),
    "open_space_good": (39, 61, 74, 80),
    "open_space_fair": (49, 69, 79, 84),
    "open_space_poor": (68, 79, 86, 89),
    "commercial_district": (89, 92, 94, 95),
    "industrial_district": (81, 88, 91, 93),
    "residential_65_impervious": (77, 85, 90, 92),
    "residential_38_impervious": (61, 75, 83, 87),
    "newly_graded": (77, 86, 91, 94),
    "meadow": (30, 58, 71, 78),
    "brush_fair": (35, 56, 70, 77),
    "woods_fair": (36, 60, 73, 79),
    "woods_good": (30, 55, 70, 77),
    "farmstead": (59, 74, 82, 86),
    # table 2-2b; from memory, not found a second time
    "row_crops_good": (67, 78, 85, 89),
    "water": (100, 100, 100, 100),
}

# Land cover of the toolbox (the `class` column of the role) -> row of TR-55. The choice of the
# row is ours: residential land is taken with 38 % impervious ground (lots of 1/4 acre).
LAND_COVER: dict[str, str] = {
    "building": "impervious", "paved": "impervious", "harbour": "impervious",
    "park": "open_space_good", "garden": "open_space_good", "cemetery": "open_space_good",
    "grass": "open_space_good", "sports_grass": "open_space_good", "farmland": "row_crops_good",
    "scrub": "brush_fair", "wood": "woods_fair", "tree": "woods_fair", "meadow": "meadow",
    "sand": "newly_graded", "bare_rock": "impervious", "residential": "residential_38_impervious",
    "commercial": "commercial_district", "industrial": "industrial_district", "railway": "gravel",
    "construction": "newly_graded", "sports_artificial": "gravel", "water": "water",
}  # fmt: skip


def curve_number_table(land_cover: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Curve numbers of land cover classes by soil group, with the row they come from.

    Parameters
    ----------
    land_cover : mapping of str to str, optional
        Class -> row of `TR55`; `LAND_COVER` if not given.

    Returns
    -------
    pandas.DataFrame
        Index `class`; columns `A`, `B`, `C`, `D` and `tr55_row`.
    """
    chosen = LAND_COVER if land_cover is None else land_cover
    unknown = sorted(set(chosen.values()) - TR55.keys())
    if unknown:
        raise ParameterError(f"no row {unknown[0]!r} in TR-55; the rows are {', '.join(TR55)}")
    rows = [[*TR55[row], row] for row in chosen.values()]
    index = pd.Index(list(chosen), name="class")
    return pd.DataFrame(rows, index=index, columns=[*SOIL_GROUPS, "tr55_row"])


def curve_numbers(
    cover: ArrayLike, soil_group: ArrayLike, *, table: pd.DataFrame | None = None
) -> NDArray[np.float64]:
    """Curve number of each place from its land cover and soil group.

    Parameters
    ----------
    cover : array_like of str
        Classes of land cover.
    soil_group : array_like of str
        "A" (sand) to "D" (clay), shape of `cover` or one for all.
    table : pandas.DataFrame, optional
        As from `curve_number_table`.

    Returns
    -------
    numpy.ndarray of float64
        Shape of `cover`.

    Raises
    ------
    DataError
        If a class or a soil group is not in the table.
    """
    numbers = curve_number_table() if table is None else table
    classes, groups = np.broadcast_arrays(np.asarray(cover, str), np.asarray(soil_group, str))
    names, which = np.unique(classes, return_inverse=True)
    soils, soil = np.unique(groups, return_inverse=True)
    missing = [str(x) for x in names if x not in numbers.index]
    wrong = [str(x) for x in soils if x not in SOIL_GROUPS]
    if missing or wrong:
        raise DataError(
            f"no curve number for {', '.join([*missing, *(f'soil group {x!r}' for x in wrong)])}: "
            f"add the class to the table; soil groups are {', '.join(SOIL_GROUPS)}"
        )
    values = numbers.loc[list(names), list(soils)].to_numpy(np.float64)
    return np.asarray(values[which.reshape(classes.shape), soil.reshape(classes.shape)])


def for_moisture(curve_number: ArrayLike, *, wetness: str) -> NDArray[np.float64]:
    """Curve number for dry or wet ground before the storm.

    Parameters
    ----------
    curve_number : array_like of float
        Of average conditions (II).
    wetness : str
        "dry" (I): ``4.2 CN / (10 - 0.058 CN)``; "average"; "wet" (III):
        ``23 CN / (10 + 0.13 CN)`` (Chow, Maidment & Mays 1988, eq. 5.5.9 and 5.5.10; the numbers
        of the equations from memory).
    """
    cn = _checked(curve_number)
    if wetness == "average":
        return cn
    if wetness == "dry":
        return 4.2 * cn / (10 - 0.058 * cn)
    if wetness == "wet":
        return 23 * cn / (10 + 0.13 * cn)
    raise ParameterError(f"wetness {wetness!r} is unknown: choose dry, average or wet")


def scs_runoff_mm(
    rain_mm: ArrayLike, curve_number: ArrayLike, *, initial_ratio: float = INITIAL_ABSTRACTION
) -> NDArray[np.float64]:
    """Runoff of a storm after the Soil Conservation Service.

    ``Q = (P - l S)^2 / (P + (1 - l) S)`` if ``P > l S``, else 0; ``S = 25400 / CN - 254``.

    Parameters
    ----------
    rain_mm : array_like of float
        P, mm since the storm began.
    curve_number : array_like of float
        Above 0, at most 100.
    initial_ratio : float
        l, the share of S that is held back before anything runs off.

    Returns
    -------
    numpy.ndarray of float64
        mm; NaN where the curve number is NaN.

    Notes
    -----
    USDA NRCS, TR-55 (1986), eq. 2-3; in mm as in InVEST's user's guide.
    """
    if not 0 <= initial_ratio < 1:
        raise ParameterError(f"an initial ratio of {initial_ratio:g}: give one from 0 to below 1")
    rain = np.asarray(rain_mm, np.float64)
    retention = 25400.0 / _checked(curve_number) - 254.0
    excess = np.maximum(rain - initial_ratio * retention, 0.0)
    # without excess the divisor may be 0 (no rain on water): any other will do
    divisor = np.where(excess == 0, 1.0, excess + retention)
    return np.asarray(excess * excess / divisor, np.float64)


def scs_increments_mm(
    rain_mm: ArrayLike, curve_number: ArrayLike, *, initial_ratio: float = INITIAL_ABSTRACTION
) -> NDArray[np.float64]:
    """Runoff of each step of a storm: the growth of the runoff of all rain so far.

    Parameters
    ----------
    rain_mm : array_like of float, shape (steps,)
        Rain of each step, mm.
    curve_number : array_like of float
        One number, or any shape.
    initial_ratio : float
        As in `scs_runoff_mm`.

    Returns
    -------
    numpy.ndarray of float64, shape (steps, *curve_number.shape)
        mm; the sum over the steps is the runoff of the whole storm, never above the rain.
    """
    rain, cn = np.asarray(rain_mm, np.float64), np.asarray(curve_number, np.float64)
    fallen = np.cumsum(rain).reshape(-1, *([1] * cn.ndim))
    runoff = scs_runoff_mm(fallen, cn, initial_ratio=initial_ratio)
    return np.diff(runoff, axis=0, prepend=np.zeros((1, *runoff.shape[1:])))


def constant_loss_mm(
    rain_mm: ArrayLike, *, step_min: float, rate_mm_h: ArrayLike, initial_mm: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Runoff of each step after an initial loss and then a constant rate.

    The rate may be infiltration or the capacity of a sewer; a step never loses more than it gets.

    Parameters
    ----------
    rain_mm : array_like of float, shape (steps,)
        Rain of each step, mm.
    step_min : float
        Minutes.
    rate_mm_h, initial_mm : array_like of float
        mm/h and mm; one number or any shape, the same for both.

    Returns
    -------
    numpy.ndarray of float64, shape (steps, *rate.shape)
        mm that run off in each step.

    Notes
    -----
    Within the step in which the initial loss is filled, the rate applies to the remaining part of
    the step only.
    """
    rate, initial = np.broadcast_arrays(
        np.asarray(rate_mm_h, np.float64), np.asarray(initial_mm, np.float64)
    )
    if (rate < 0).any() or (initial < 0).any():
        raise ParameterError("a loss is negative: rates and initial losses are 0 or more")
    rain = np.asarray(rain_mm, np.float64).reshape(-1, *([1] * rate.ndim))
    fallen = np.cumsum(rain, axis=0)
    left = np.maximum(fallen - initial, 0.0)
    after = np.minimum(rain, left)  # of each step, what falls once the initial loss is filled
    share = np.divide(
        after, rain, out=np.zeros(after.shape), where=np.broadcast_to(rain > 0, after.shape)
    )
    return np.asarray(np.maximum(after - share * rate * (step_min / 60.0), 0.0))


def _checked(curve_number: ArrayLike) -> NDArray[np.float64]:
    cn = np.asarray(curve_number, np.float64)
    wrong = cn[(cn <= 0) | (cn > 100)]
    if wrong.size:
        raise DataError(
            f"a curve number of {wrong.flat[0]:g}: give numbers above 0 and up to 100, "
            "NaN where unknown"
        )
    return cn
