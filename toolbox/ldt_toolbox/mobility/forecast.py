"""Forecast of counts: the usual week times a level that fades, judged against last week's values.

A forecast is worth something only if it beats the seasonal naive one, which repeats the last week;
`rolling_origin` says whether it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.count_clock import time_zone

WEEK_H = 168
Method = Literal["level", "naive"]


@dataclass(frozen=True)
class Model:
    """What the forecast rests on.

    Attributes
    ----------
    weeks : int
        Past weeks whose median makes the usual week.
    level_days : int
        Past days that tell how far the level has moved away from it.
    damping : float
        Part of that move which is left after a day, 0 to 1: what is unusual passes.
    """

    weeks: int = 6
    level_days: int = 7
    damping: float = 0.9

    def __post_init__(self) -> None:
        if self.weeks < 1 or self.level_days < 1 or not 0 <= self.damping <= 1:
            raise ParameterError(
                f"{self}: weeks and level_days count from 1, damping lies between 0 and 1"
            )


@dataclass(frozen=True)
class Skill:
    """How forecasts did from many origins.

    Attributes
    ----------
    origins : pandas.DataFrame
        `origin` (first hour that was forecast), `n` (hours compared), `mae`, `mae_naive`
        (vehicles), `mase`, `mase_naive` (scaled by the naive error before the origin).
    ratio : float
        Mean absolute error of all hours divided by that of the seasonal naive forecast.
    wins : int
        Origins at which the error was smaller.
    """

    origins: pd.DataFrame
    ratio: float
    wins: int

    @property
    def beats_naive(self) -> bool:
        """Whether errors are smaller, over all hours and at most origins."""
        return self.ratio < 1 and 2 * self.wins > len(self.origins)

    @property
    def text(self) -> dict[str, str]:
        """The verdict in a sentence, by language."""
        count, change = len(self.origins), abs(1 - self.ratio)
        if self.beats_naive:
            return {
                "en": f"beats the seasonal naive forecast: error {change:.0%} smaller, "
                f"better at {self.wins} of {count} origins",
                "fr": f"fait mieux que la prévision naïve saisonnière : erreur réduite de "
                f"{change:.0%}, meilleure pour {self.wins} origines sur {count}",
            }
        return {
            "en": f"does not beat the seasonal naive forecast: error ratio {self.ratio:.2f}, "
            f"better at {self.wins} of {count} origins",
            "fr": f"ne fait pas mieux que la prévision naïve saisonnière : rapport d'erreur "
            f"{self.ratio:.2f}, meilleure pour {self.wins} origines sur {count}",
        }


def mase(
    actual: ArrayLike, predicted: ArrayLike, history: ArrayLike, *, season: int = WEEK_H
) -> float:
    """Mean absolute scaled error.

    Parameters
    ----------
    actual, predicted : array_like
        Same shape; NaN is not known.
    history : array_like
        What was known before, on equal steps.
    season : int
        Steps of a season.

    Returns
    -------
    float
        Mean absolute error divided by the mean absolute seasonal difference of `history`; NaN if
        nothing can be compared or history never changes.

    Notes
    -----
    Hyndman & Koehler 2006, 10.1016/j.ijforecast.2006.03.001, with the seasonal scaling of Hyndman
    & Athanasopoulos, Forecasting: principles and practice, 3rd edition, section 5.8.
    """
    error = np.abs(np.asarray(actual, np.float64) - np.asarray(predicted, np.float64))
    past = np.asarray(history, np.float64)
    scale = _mean(np.abs(past[season:] - past[:-season]))
    return _mean(error) / scale if scale > 0 else float("nan")


def forecast(
    series: pd.Series,
    *,
    horizon_h: int = WEEK_H,
    zone: str = "UTC",
    model: Model | None = None,
    method: Method = "level",
    interval: Sequence[float] = (0.05, 0.95),
) -> pd.DataFrame:
    """Forecast an hourly series.

    Parameters
    ----------
    series : pandas.Series
        Counts by hour; index datetime64 with a zone, without a hole; NaN is not known. At least
        two weeks.
    horizon_h : int
        Hours to forecast, up to a week.
    zone : str
        IANA zone whose week counts: rush hours follow the local clock.
    model : Model, optional
        What it rests on.
    method : {"level", "naive"}
        `naive` repeats the last known value of the same hour of the week.
    interval : sequence of float
        Lower and upper quantile.

    Returns
    -------
    pandas.DataFrame
        Index the hours after the series; `count` (vehicles, 0 or more; NaN where this hour of the
        week was never counted), `low`, `high`: the forecast plus quantiles of the errors that the
        same method made from origins a week apart within the series; NaN if there are fewer than
        three of those.

    Raises
    ------
    DataError
        If the series is no hourly one, or too short.
    ParameterError
        If an option is out of its range.

    Notes
    -----
    ``y(t + h) = s(t + h) (1 + (r - 1) d^(h/24))``: s is the median of the last `weeks` values of
    the same local hour of the week, r the sum of the last `level_days` divided by the sum of s at
    the same hours, d the damping. A damped level in the sense of Gardner & McKenzie 1985,
    10.1287/mnsc.31.10.1237, on a robust season.
    """
    if not 1 <= horizon_h <= WEEK_H:
        raise ParameterError(f"horizon_h = {horizon_h}: give 1 to {WEEK_H} hours")
    if method not in ("level", "naive"):
        raise ParameterError(f"method = {method!r}: choose level or naive")
    low, high = interval
    if not 0 <= low < high <= 1:
        raise ParameterError(f"interval = {tuple(interval)}: give two rising shares from 0 to 1")
    model = model or Model()
    past, phase, index = _hourly(series, zone, horizon_h)
    known = len(past)
    count = _predict(past, phase, known, horizon_h, model, method)
    errors = [
        past[origin : origin + horizon_h] - _predict(past, phase, origin, horizon_h, model, method)
        for origin in range(known - horizon_h, 2 * WEEK_H - 1, -WEEK_H)
    ]
    spread = _quantiles(errors, (low, high))
    return pd.DataFrame(
        {
            "count": count,
            "low": np.maximum(count + spread[0], 0),
            "high": np.maximum(count + spread[1], 0),
        },
        index=index[known:],
    )


def rolling_origin(
    series: pd.Series,
    *,
    horizon_h: int = WEEK_H,
    zone: str = "UTC",
    model: Model | None = None,
    method: Method = "level",
    origins: int = 12,
    warm_up_weeks: int = 4,
) -> Skill:
    """Judge a method by what it would have said in the past.

    Parameters
    ----------
    series, horizon_h, zone, model, method
        As for `forecast`.
    origins : int
        Most origins, the latest ones. They are `horizon_h` apart, so that no hour counts twice.
    warm_up_weeks : int
        Weeks before the first origin.

    Returns
    -------
    Skill
        Compared where the value and both forecasts are known.

    Raises
    ------
    DataError
        If the series leaves no room for two origins.
    """
    model = model or Model()
    past, phase, index = _hourly(series, zone, 0)
    first = max(warm_up_weeks, 2) * WEEK_H
    places = list(range(len(past) - horizon_h, first - 1, -horizon_h))[:origins][::-1]
    rows = []
    for origin in places:
        actual = past[origin : origin + horizon_h]
        own = _predict(past, phase, origin, horizon_h, model, method)
        naive = _predict(past, phase, origin, horizon_h, model, "naive")
        shared = np.isfinite(actual) & np.isfinite(own) & np.isfinite(naive)
        if not shared.any():
            continue
        actual, own, naive = actual[shared], own[shared], naive[shared]
        before = past[:origin]
        rows.append({
            "origin": index[origin], "n": int(shared.sum()),
            "mae": _mean(np.abs(actual - own)), "mae_naive": _mean(np.abs(actual - naive)),
            "mase": mase(actual, own, before), "mase_naive": mase(actual, naive, before),
        })  # fmt: skip
    if len(rows) < 2:
        raise DataError(
            f"{len(past)} hours leave room for {len(rows)} comparisons: give at least "
            f"{first + 2 * horizon_h} known hours, or a shorter horizon"
        )
    table = pd.DataFrame(rows)
    own_sum = float((table["mae"] * table["n"]).sum())
    naive_sum = float((table["mae_naive"] * table["n"]).sum())
    ratio = own_sum / naive_sum if naive_sum > 0 else (1.0 if own_sum == 0 else float("inf"))
    return Skill(table, ratio, int((table["mae"] < table["mae_naive"]).sum()))


def best_forecast(
    series: pd.Series, *, horizon_h: int = WEEK_H, zone: str = "UTC", model: Model | None = None
) -> tuple[pd.DataFrame, Method, Skill]:
    """Forecast by the model if it beats the seasonal naive one, else by that.

    Returns
    -------
    pandas.DataFrame
        As `forecast` gives it.
    {"level", "naive"}
        Which it is.
    Skill
        Why.
    """
    skill = rolling_origin(series, horizon_h=horizon_h, zone=zone, model=model)
    method: Method = "level" if skill.beats_naive else "naive"
    made = forecast(series, horizon_h=horizon_h, zone=zone, model=model, method=method)
    return made, method, skill


def _hourly(
    series: pd.Series, zone: str, horizon_h: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], pd.DatetimeIndex]:
    """Values, and the hour of the local week of each hour up to the horizon."""
    index = series.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise DataError("the series has no times with a zone: index it by `start` of its steps")
    if len(index) < 2 * WEEK_H:
        raise DataError(f"{len(index)} hours are too few: give at least two weeks")
    hour = pd.Timedelta(hours=1)
    if not bool((index[1:] - index[:-1] == hour).all()):
        raise DataError("the series is not hourly without a hole: use count_steps.to_steps first")
    full = pd.date_range(index[0], periods=len(index) + horizon_h, freq="h")
    local = full.tz_convert(time_zone(zone))
    phase = np.asarray(local.day_of_week * 24 + local.hour, np.int64)
    return series.to_numpy(np.float64), phase, full


def _predict(
    past: NDArray[np.float64], phase: NDArray[np.int64], origin: int, horizon: int,
    model: Model, method: Method,
) -> NDArray[np.float64]:  # fmt: skip
    """Forecast of the hours from `origin` on, out of those before it only."""
    weeks = model.weeks if method == "level" else 1
    # a value that is not known is replaced by an older one: look back further than needed
    first = max(0, origin - (weeks + 4) * WEEK_H)
    usual = _usual(past[first:origin], phase[first:origin], weeks)
    ahead = usual[phase[origin : origin + horizon]]
    if method == "naive":
        return ahead
    recent = slice(max(0, origin - 24 * model.level_days), origin)
    value, expected = past[recent], usual[phase[recent]]
    both = np.isfinite(value) & np.isfinite(expected)
    total = float(expected[both].sum())
    ratio = float(value[both].sum()) / total if total > 0 else 1.0
    fade = model.damping ** (np.arange(1, horizon + 1) / 24)
    return np.maximum(ahead * (1 + (ratio - 1) * fade), 0)


def _usual(past: NDArray[np.float64], phase: NDArray[np.int64], weeks: int) -> NDArray[np.float64]:
    """Median of the last known values of each hour of the week; NaN where there are none."""
    known = np.isfinite(past)
    value, hour = past[known][::-1], phase[known][::-1]
    order = np.argsort(hour, kind="stable")
    value, hour = value[order], hour[order]
    place = np.arange(len(hour)) - np.searchsorted(hour, hour)
    table = np.full((weeks, WEEK_H), np.nan)
    kept = place < weeks
    table[place[kept], hour[kept]] = value[kept]
    found = np.full(WEEK_H, np.nan)
    some = np.isfinite(table).any(axis=0)
    found[some] = np.nanmedian(table[:, some], axis=0)
    return found


def _quantiles(
    errors: list[NDArray[np.float64]], shares: tuple[float, float]
) -> NDArray[np.float64]:
    """Quantiles of past errors, by blocks of six hours ahead; shape (2, horizon)."""
    horizon = len(errors[0]) if errors else 0
    found = np.full((2, max(horizon, 1)), np.nan)
    if len(errors) < 3:
        return found
    table = np.stack(errors)
    for begin in range(0, horizon, 6):
        block = table[:, begin : begin + 6]
        block = block[np.isfinite(block)]
        if block.size:
            found[:, begin : begin + 6] = np.quantile(block, shares)[:, None]
    return found


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
