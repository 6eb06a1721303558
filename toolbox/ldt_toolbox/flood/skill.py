"""How well a flood was reproduced: against an observed extent, against high-water marks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ldt_toolbox.errors import DataError
from ldt_toolbox.space.raster import Raster


@dataclass(frozen=True)
class ExtentSkill:
    """Cells by what was modelled and what was observed; cells unknown to either are left out.

    Attributes
    ----------
    hits, false_alarms, misses, both_dry : int
        Wet in both; wet in the model only; wet in the observation only; dry in both.
    """

    hits: int
    false_alarms: int
    misses: int
    both_dry: int

    @property
    def critical_success_index(self) -> float:
        """``hits / (hits + misses + false alarms)``, 0 to 1; NaN if all is dry."""
        return _ratio(self.hits, self.hits + self.misses + self.false_alarms)

    @property
    def hit_rate(self) -> float:
        """Share of the observed extent that is modelled: ``hits / (hits + misses)``."""
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def false_alarm_ratio(self) -> float:
        """Share of the modelled extent that was dry: ``false alarms / (hits + false alarms)``."""
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def bias(self) -> float:
        """Modelled over observed extent; 1 is right, above it the model floods too much."""
        return _ratio(self.hits + self.false_alarms, self.hits + self.misses)


def extent_skill(
    modelled_depth_m: NDArray[np.floating],
    observed_wet: ArrayLike,
    *,
    known: ArrayLike | None = None,
    wet_above_m: float = 0.1,
) -> ExtentSkill:
    """Compare a modelled depth with an observed extent, cell by cell.

    Parameters
    ----------
    modelled_depth_m : numpy.ndarray, shape (rows, columns)
        m; NaN cells are left out.
    observed_wet : array_like of bool, same shape
        Observed extent.
    known : array_like of bool, same shape, optional
        Cells that the observation covers; permanent water belongs outside, since it is a hit for
        any model.
    wet_above_m : float
        Depth above which a modelled cell counts as wet.

    Returns
    -------
    ExtentSkill

    Raises
    ------
    DataError
        If shapes differ or no cell is known to both.
    """
    depth, seen = np.asarray(modelled_depth_m), np.asarray(observed_wet, bool)
    chosen = np.isfinite(depth)
    if seen.shape != depth.shape or (known is not None and np.shape(known) != depth.shape):
        raise DataError(
            f"the modelled depth has shape {depth.shape}, the observation {seen.shape}: "
            "bring them onto one grid"
        )
    if known is not None:
        chosen &= np.asarray(known, bool)
    if not chosen.any():
        raise DataError("no cell is known to both model and observation: do they overlap?")
    wet = depth > wet_above_m
    return ExtentSkill(
        hits=int((chosen & wet & seen).sum()),
        false_alarms=int((chosen & wet & ~seen).sum()),
        misses=int((chosen & ~wet & seen).sum()),
        both_dry=int((chosen & ~wet & ~seen).sum()),
    )


def match_marks(
    marks: pd.DataFrame,
    modelled: Raster,
    *,
    wet: NDArray[np.bool_] | None = None,
    radius_m: float = 20.0,
) -> pd.DataFrame:
    """Modelled value at each high-water mark: that of the nearest wet cell within a radius.

    Parameters
    ----------
    marks : pandas.DataFrame
        Columns `x`, `y` (m, the raster's CRS) and `observed` (water level or depth, m, like the
        raster).
    modelled : Raster
        Water level or depth at the maximum, m; NaN cells never match.
    wet : numpy.ndarray of bool, shape of the raster, optional
        Cells that may match; those above 0 if not given, which suits depths, not levels.
    radius_m : float
        From the mark to the centre of the cell. Marks stand on walls and banks, whose own cell is
        often dry in the model.

    Returns
    -------
    pandas.DataFrame
        Index of `marks`: `observed`, `modelled`, `error` (modelled - observed) and `distance_m`;
        NaN where no wet cell lies within the radius. Such marks are misses: report their number
        beside the RMSE.
    """
    if radius_m <= 0:
        raise DataError(f"a search radius of {radius_m:g} m: give one above 0")
    values = np.asarray(modelled.values, np.float64)
    usable = np.isfinite(values) & (values > 0 if wet is None else wet)
    rows, columns = np.nonzero(usable)
    observed = marks["observed"].to_numpy(np.float64)
    found = np.full(len(marks), np.nan)
    distance = np.full(len(marks), np.nan)
    if rows.size and len(marks):
        t = modelled.transform
        centres = np.column_stack([t.c + (columns + 0.5) * t.a, t.f + (rows + 0.5) * t.e])
        points = marks[["x", "y"]].to_numpy(np.float64)
        answer = cKDTree(centres).query(points, distance_upper_bound=radius_m)
        away, nearest = np.asarray(answer[0]), np.asarray(answer[1])
        near = np.isfinite(away)
        found[near] = values[rows[nearest[near]], columns[nearest[near]]]
        distance[near] = away[near]
    return pd.DataFrame(
        {
            "observed": observed,
            "modelled": found,
            "error": found - observed,
            "distance_m": distance,
        },
        index=marks.index,
    )


@dataclass(frozen=True)
class MarkSkill:
    """Agreement with high-water marks.

    Attributes
    ----------
    matched, unmatched : int
        Marks with and without a modelled value.
    rmse_m, bias_m, mean_absolute_m : float
        Of the matched marks, m; NaN without any. Bias above 0: the model is too high.
    """

    matched: int
    unmatched: int
    rmse_m: float
    bias_m: float
    mean_absolute_m: float


def mark_skill(matches: pd.DataFrame) -> MarkSkill:
    """Root mean square error, bias and mean absolute error of `match_marks`' table."""
    error = matches["error"].to_numpy(np.float64)
    error, missing = error[np.isfinite(error)], int((~np.isfinite(error)).sum())
    if not error.size:
        return MarkSkill(0, missing, np.nan, np.nan, np.nan)
    return MarkSkill(
        matched=len(error),
        unmatched=missing,
        rmse_m=float(np.sqrt(np.mean(error**2))),
        bias_m=float(error.mean()),
        mean_absolute_m=float(np.abs(error).mean()),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
