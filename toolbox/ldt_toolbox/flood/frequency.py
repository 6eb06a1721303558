"""How rare is it: annual maxima, Gumbel and GEV by L-moments, return levels with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gamma

from ldt_toolbox.errors import DataError, ParameterError

FEWEST_YEARS = 10
RECORD_FACTOR = 4.0
_LARGEST_MISFIT = 0.01  # of a window, that its steps do not fill
_EULER = float(np.euler_gamma)


@dataclass(frozen=True)
class Fit:
    """Generalised extreme value distribution; ``shape`` 0 is Gumbel.

    Attributes
    ----------
    location, scale : float
        In the unit of the data.
    shape : float
        Hosking's k, also scipy's ``c`` (Coles writes xi = -k): above 0 there is an upper bound,
        below 0 the tail is heavy.
    sample : numpy.ndarray of float64, shape (years,)
        The annual maxima it was fitted to.
    """

    location: float
    scale: float
    shape: float
    sample: NDArray[np.float64]

    @property
    def kind(self) -> str:
        """Name of the distribution: "gumbel" or "gev"."""
        return "gumbel" if self.shape == 0 else "gev"


def annual_maxima(
    series: pd.Series,
    *,
    least_known: float = 0.9,
    first_month: int = 1,
    window: str | None = None,
) -> pd.DataFrame:
    """Largest value of each year, and how much of the year was observed.

    Parameters
    ----------
    series : pandas.Series
        Values by time (DatetimeIndex, in order), NaN for gaps; missing rows are gaps as well.
    least_known : float
        Share of a year that must be observed for its maximum to count.
    first_month : int
        Month in which a year begins: 10 for hydrological years. A year has the name of the
        calendar year in which it begins.
    window : str, optional
        Sum over such a window first ("2h", "30min"): rain depths of one duration, a multiple of
        the series' step. A window with a gap has no sum.

    Returns
    -------
    pandas.DataFrame
        Index `year`; `maximum`, `time`, `known_share` (0 to 1) and `used`. Years that are not
        used stay in the table, so that gaps show.

    Raises
    ------
    DataError
        If the index holds no times, is out of order or repeats a time, or the window is no
        multiple of its step: a shorter one would have the rain of the whole step.
    """
    times = series.index
    if not isinstance(times, pd.DatetimeIndex):
        raise DataError("the series is not indexed by time: set a DatetimeIndex")
    if not times.is_monotonic_increasing or times.has_duplicates:
        raise DataError("the series' times are out of order or repeat: sort and clean it first")
    if len(times) < 2:
        raise DataError(f"a series of {len(times)} values has no annual maxima")
    steps = np.diff(times.to_numpy())
    step = pd.Timedelta(np.median(steps.astype("timedelta64[ns]").astype(np.int64)), unit="ns")
    values = series.astype(np.float64)
    if window is not None:
        width = _steps_of(pd.Timedelta(window), step)
        values = values.rolling(window, min_periods=width).sum()
    years = times.year - (times.month < first_month)
    rows = []
    for year, part in values.groupby(years):
        begin = pd.Timestamp(int(year), first_month, 1, tz=times.tz)
        end = pd.Timestamp(int(year) + 1, first_month, 1, tz=times.tz)
        known = float(series.loc[part.index].notna().sum()) * (step / (end - begin))
        some = part.notna().any()
        rows.append(
            {
                "year": int(year),
                "maximum": part.max() if some else np.nan,
                "time": part.idxmax() if some else pd.NaT,
                "known_share": min(known, 1.0),
            }
        )
    frame = pd.DataFrame(rows).set_index("year")
    frame["used"] = (frame["known_share"] >= least_known) & frame["maximum"].notna()
    return frame


def _steps_of(window: pd.Timedelta, step: pd.Timedelta) -> int:
    """Steps in a window, refused where they do not fill it."""
    count = round(window / step)
    if count < 1 or abs(count * step / window - 1) > _LARGEST_MISFIT:
        minutes, own = window / pd.Timedelta("1min"), step / pd.Timedelta("1min")
        fits = sorted({own * max(1, int(minutes // own)), own * (int(minutes // own) + 1)})
        raise DataError(
            f"rain of {minutes:g} min cannot be told from a record in steps of {own:g} min: choose "
            f"a multiple of them for each duration ({' or '.join(f'{m:g}' for m in fits)} min)"
        )
    return count


def l_moments(sample: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """First two L-moments and the L-skewness, unbiased (Hosking 1990).

    Parameters
    ----------
    sample : array_like of float, shape (..., years)
        The last axis is the sample.

    Returns
    -------
    l1, l2, t3 : numpy.ndarray of float64, shape (...)
        Mean, L-scale (both in the unit of the data), L-skewness (-1 to 1).
    """
    x = np.sort(np.asarray(sample, np.float64), axis=-1)
    n = x.shape[-1]
    rank = np.arange(n)
    b0 = x.mean(-1)
    b1 = (x * rank).sum(-1) / (n * (n - 1))
    b2 = (x * rank * (rank - 1)).sum(-1) / (n * (n - 1) * (n - 2))
    l2 = 2 * b1 - b0
    with np.errstate(invalid="ignore", divide="ignore"):
        return b0, l2, (6 * b2 - 6 * b1 + b0) / l2


def fit_gumbel(maxima: ArrayLike) -> Fit:
    """Gumbel distribution by L-moments: ``scale = l2 / ln 2``, ``location = l1 - 0.5772 scale``.

    Parameters
    ----------
    maxima : array_like of float, shape (years,)
        At least `FEWEST_YEARS`, none missing.

    Returns
    -------
    Fit
        With shape 0.
    """
    x = _sample(maxima)
    location, scale, shape = _parameters(x, "gumbel")
    return Fit(float(location), float(scale), float(shape), x)


def fit_gev(maxima: ArrayLike) -> Fit:
    """Generalised extreme value distribution by L-moments (Hosking, Wallis & Wood 1985).

    The shape solves ``t3 = 2 (1 - 3^-k) / (1 - 2^-k) - 3`` exactly, not by the usual polynomial.

    Parameters
    ----------
    maxima : array_like of float, shape (years,)
        As in `fit_gumbel`.

    Returns
    -------
    Fit
    """
    x = _sample(maxima)
    location, scale, shape = _parameters(x, "gev")
    return Fit(float(location), float(scale), float(shape), x)


def return_levels(
    fit: Fit,
    return_periods_years: Sequence[float],
    *,
    seed: int,
    samples: int = 1000,
    confidence: float = 0.9,
) -> pd.DataFrame:
    """Values that are exceeded once in so many years on average, with a bootstrap interval.

    Parameters
    ----------
    fit : Fit
        From `fit_gumbel` or `fit_gev`.
    return_periods_years : sequence of float
        Above 1 and at most four times the number of years of the record.
    seed : int
        Of the bootstrap.
    samples : int
        Records of the same length that are drawn from the fitted distribution and fitted again.
    confidence : float
        Share of them that lies inside the interval. It holds the uncertainty of a short record
        only, not the choice of the distribution or a changing climate.

    Returns
    -------
    pandas.DataFrame
        Index `return_period_years`; `level`, `low` and `high` in the unit of the data.

    Raises
    ------
    ParameterError
        If a return period is out of range.
    """
    periods = np.asarray(return_periods_years, np.float64)
    longest = RECORD_FACTOR * len(fit.sample)
    beyond = periods[~((periods > 1) & (periods <= longest))]
    if beyond.size:
        raise ParameterError(
            f"a return period of {beyond[0]:g} years cannot be told from {len(fit.sample)} years: "
            f"choose more than 1 and at most {longest:g} (four times the record), or take "
            "regional values"
        )
    if not 0 < confidence < 1:
        raise ParameterError(f"a confidence of {confidence:g}: give a share between 0 and 1")
    level = _quantile(fit.location, fit.scale, fit.shape, periods)
    chance = np.random.default_rng(seed).random((samples, len(fit.sample)))
    drawn = _quantile(fit.location, fit.scale, fit.shape, 1 / (1 - chance))
    again = np.stack(_parameters(drawn, fit.kind))[:, :, None]
    levels = _quantile(again[0], again[1], again[2], periods)
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(levels, [tail, 1 - tail], axis=0)
    index = pd.Index(periods, name="return_period_years")
    return pd.DataFrame({"level": level, "low": low, "high": high}, index=index)


def _sample(maxima: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(maxima, np.float64).ravel()
    if not np.isfinite(x).all():
        raise DataError(
            f"{int((~np.isfinite(x)).sum())} annual maxima are missing: keep the used years only"
        )
    if len(x) < FEWEST_YEARS:
        raise DataError(
            f"{len(x)} annual maxima are too few for a distribution: {FEWEST_YEARS} or more; "
            "take regional values instead"
        )
    if x.min() == x.max():
        raise DataError(f"all {len(x)} annual maxima are {x[0]:g}: there is nothing to fit")
    return x


def _parameters(
    x: NDArray[np.float64], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    l1, l2, t3 = l_moments(x)
    if kind == "gumbel":
        scale = l2 / np.log(2)
        return l1 - _EULER * scale, scale, np.zeros_like(l1)
    k = _shape(t3)
    g = gamma(1 + k)
    near = np.abs(k) < 1e-7  # there both quotients are 0 / 0 in floating point
    safe = np.where(near, 1.0, k)
    scale = np.where(near, l2 / np.log(2), l2 * safe / ((1 - 2.0**-safe) * g))
    offset = np.where(near, -_EULER, -(1 - g) / safe)
    return l1 + scale * offset, scale, k


def _shape(t3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve for k by bisection, for many samples at once; the L-skewness falls with k."""
    low, high = np.full(np.shape(t3), -0.9999), np.full(np.shape(t3), 30.0)
    for _ in range(60):
        middle = (low + high) / 2
        # expm1 keeps the ratio near k = 0, where it tends to ln 3 / ln 2
        k = np.where(np.abs(middle) < 1e-12, 1e-12, middle)
        skew = 2 * np.expm1(-k * np.log(3)) / np.expm1(-k * np.log(2)) - 3
        low, high = np.where(skew > t3, middle, low), np.where(skew > t3, high, middle)
    return np.asarray((low + high) / 2, np.float64)


def _quantile(
    location: ArrayLike, scale: ArrayLike, shape: ArrayLike, period: ArrayLike
) -> NDArray[np.float64]:
    location, scale, k = (np.asarray(p, np.float64) for p in (location, scale, shape))
    # -ln(1 - 1/T); log1p keeps rare events apart
    y = -np.log(-np.log1p(-1 / np.asarray(period, np.float64)))
    safe = np.where(np.abs(k) < 1e-9, 1.0, k)
    reduced = np.where(np.abs(k) < 1e-9, y, -np.expm1(-safe * y) / safe)
    return np.asarray(location + scale * reduced, np.float64)
