"""Which rain falls: design storms by return period, or an event that was observed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.flood.frequency import annual_maxima, fit_gev, fit_gumbel, return_levels
from ldt_toolbox.flood.rain import (
    Hyetograph,
    Montana,
    chicago_storm,
    double_triangle_storm,
    montana_depth_mm,
    uniform_storm,
)
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note


@dataclass(frozen=True)
class Storm:
    """Rain over time, the same everywhere.

    Attributes
    ----------
    start_s, mm_h : numpy.ndarray of float64, shape (steps,)
        Rate from each time on; the last one is 0.
    return_period_years : float or None
        None for an observed event.
    """

    start_s: NDArray[np.float64]
    mm_h: NDArray[np.float64]
    return_period_years: float | None = None

    @property
    def depth_mm(self) -> NDArray[np.float64]:
        """Rain of each step, mm; that of the last one is 0."""
        return np.append(self.mm_h[:-1] * np.diff(self.start_s) / 3600, 0.0)

    @property
    def total_mm(self) -> float:
        """Rain of the whole storm, mm."""
        return float(self.depth_mm.sum())

    @property
    def end_s(self) -> float:
        """When it stops."""
        return float(self.start_s[-1])

    def scaled(self, factor: float) -> "Storm":
        """Same storm with every rate multiplied."""
        return replace(self, mm_h=self.mm_h * factor)


@dataclass(frozen=True)
class Rain:
    """The storms of a run.

    Attributes
    ----------
    event : Storm
        What is simulated in full: the observed event, else the design storm.
    design : Mapping of float to Storm
        By return period in years.
    table : pandas.DataFrame
        `return_period_years`, `duration_min`, `rain_mm`, `low_mm`, `high_mm` (NaN where no
        interval is known), `origin`: "montana", "series", "given" or "assumed".
    notes : tuple of Note
        What was assumed.
    """

    event: Storm
    design: Mapping[float, Storm]
    table: pd.DataFrame
    notes: tuple[Note, ...]

    @property
    def observed(self) -> bool:
        """Whether the event was observed."""
        return self.event.return_period_years is None


def storms(
    parameters: Parameters,
    *,
    observed: pd.DataFrame | None = None,
    series: pd.DataFrame | None = None,
    inflow_end_s: float = 0.0,
) -> Rain:
    """Choose the storms from what is known, the best source first.

    Parameters
    ----------
    parameters : Parameters
        Of the use case.
    observed : pandas.DataFrame, optional
        Event: `time_min` (rising, on the clock of the inflows) and `rain_mm_h` from each time on.
    series : pandas.DataFrame, optional
        Record: `time` and `rain_mm` (sum of each step).
    inflow_end_s : float
        End of the inflows; an event with inflows needs no rain.

    Raises
    ------
    ParameterError, DataError
        If lists do not belong together, or a return period goes beyond what a record can tell.
    """
    periods = [float(t) for t in parameters.return_periods_years]
    if sorted(set(periods)) != periods:
        raise ParameterError(
            f"return_periods_years = {periods}: give each once, from frequent to rare"
        )
    table, bands = _depths(parameters, periods, series)
    design = {t: _storm(parameters, bands[t], t) for t in periods}
    notes = _notes(parameters, table)
    if observed is not None:
        return Rain(_observed(observed), design, table, notes)
    if inflow_end_s > 0 and not periods:
        return Rain(Storm(np.array([0.0]), np.array([0.0])), design, table, notes)
    wanted = parameters.design_return_period_years
    if wanted not in design:
        raise ParameterError(
            f"design_return_period_years = {wanted:g} is none of return_periods_years "
            f"({', '.join(f'{t:g}' for t in periods) or 'empty'}): add it there"
        )
    return Rain(design[wanted], design, table, notes)


def _depths(
    parameters: Parameters, periods: Sequence[float], series: pd.DataFrame | None
) -> tuple[pd.DataFrame, dict[float, list[Montana]]]:
    duration, intense = parameters.rain_duration_min, parameters.intense_duration_min
    if not 0 < intense < duration:
        raise ParameterError(
            f"intense_duration_min = {intense:g} must be below rain_duration_min = {duration:g}"
        )
    unknown = [math.nan] * len(periods)
    low, high = unknown, unknown
    if parameters.montana_a:
        origin = "montana"
        bands = _montana(parameters, periods)
        whole = [float(montana_depth_mm(duration, bands[t])) for t in periods]
    elif series is not None and periods:
        origin = "series"
        levels = _levels(series, duration, periods, parameters)
        short = _levels(series, intense, periods, parameters)["level"]
        whole, low, high = (levels[c].to_list() for c in ("level", "low", "high"))
        bands = {
            t: _implied(whole[i], float(short.iloc[i]), duration, intense)
            for i, t in enumerate(periods)
        }
    else:
        origin = "assumed" if parameters.origin["rain_mm"] == "manifest" else "given"
        whole = [float(h) for h in parameters.rain_mm]
        if len(whole) != len(periods):
            raise ParameterError(
                f"rain_mm holds {len(whole)} depths for {len(periods)} return_periods_years: give "
                "as many of both, or montana_a and montana_b, or the role rain_series"
            )
        share = parameters.intense_share
        bands = {
            t: _implied(h, share * h, duration, intense)
            for t, h in zip(periods, whole, strict=True)
        }
    table = pd.DataFrame(
        {
            "return_period_years": list(periods),
            "duration_min": duration,
            "rain_mm": whole,
            "low_mm": low,
            "high_mm": high,
            "origin": origin,
        }
    )
    return table, bands


def _montana(parameters: Parameters, periods: Sequence[float]) -> dict[float, list[Montana]]:
    """Coefficients by return period: all of the first band, then all of the next one."""
    a, b, ends = parameters.montana_a, parameters.montana_b, parameters.montana_band_min
    bands = list(pairwise(ends))
    if not bands or any(end <= start for start, end in bands):
        raise ParameterError(
            f"montana_band_min = {list(ends)}: give the ends of the bands, rising, such as "
            "[6, 120] or [6, 120, 1440]"
        )
    if not len(a) == len(b) == len(periods) * len(bands):
        raise ParameterError(
            f"montana_a has {len(a)} values, montana_b {len(b)}, return_periods_years "
            f"{len(periods)}, montana_band_min {len(bands)} bands: give one pair for each return "
            "period, first for all of the first band, then for all of the next"
        )
    return {
        t: [
            Montana(a[k * len(periods) + i], b[k * len(periods) + i], start, end)
            for k, (start, end) in enumerate(bands)
        ]
        for i, t in enumerate(periods)
    }


def _implied(
    whole_mm: float, intense_mm: float, duration_min: float, intense_min: float
) -> list[Montana]:
    """Montana coefficients that pass through two depths."""
    exponent = math.log(whole_mm / intense_mm) / math.log(duration_min / intense_min)
    if not 0 < exponent < 1:
        raise DataError(
            f"{intense_mm:.1f} mm in {intense_min:g} min and {whole_mm:.1f} mm in "
            f"{duration_min:g} min make no storm: the short rain must be less than the long one "
            "and more intense"
        )
    return [
        Montana(
            whole_mm / duration_min**exponent, 1 - exponent, min(6.0, intense_min), duration_min
        )
    ]


def _levels(
    series: pd.DataFrame, window_min: float, periods: Sequence[float], parameters: Parameters
) -> pd.DataFrame:
    times = pd.to_datetime(series["time"], utc=True)
    record = pd.Series(series["rain_mm"].to_numpy(np.float64), pd.DatetimeIndex(times))
    maxima = annual_maxima(record, window=f"{window_min:g}min")
    used = maxima.loc[maxima["used"], "maximum"]
    fit = (fit_gev if parameters.distribution == "gev" else fit_gumbel)(used)
    return return_levels(fit, periods, seed=parameters.seed)


def _storm(parameters: Parameters, bands: list[Montana], period: float) -> Storm:
    duration, step = parameters.rain_duration_min, parameters.rain_step_min
    total = float(montana_depth_mm(duration, bands))
    kind = parameters.hyetograph
    if kind == "uniform":
        shape = uniform_storm(total, duration_min=duration, step_min=step)
    elif kind == "chicago":
        shape = chicago_storm(
            bands, duration_min=duration, step_min=step, peak_position=parameters.peak_position
        )
    else:
        intense = parameters.intense_duration_min
        shape = double_triangle_storm(
            total, float(montana_depth_mm(intense, bands)), duration_min=duration,
            intense_min=intense, step_min=step, peak_position=parameters.peak_position,
        )  # fmt: skip
    return _of(shape, period)


def _of(shape: Hyetograph, period: float) -> Storm:
    starts = 60 * shape.step_min * np.arange(len(shape.depth_mm) + 1, dtype=np.float64)
    return Storm(starts, np.append(shape.intensity_mm_h, 0.0), period)


def _observed(event: pd.DataFrame) -> Storm:
    minutes = event["time_min"].to_numpy(np.float64)
    rate = event["rain_mm_h"].to_numpy(np.float64)
    if len(minutes) < 2 or not (np.diff(minutes) > 0).all():
        raise DataError("rain_event: its times do not rise, or it has one row only: sort it")
    if not (np.isfinite(rate).all() and (rate >= 0).all()):
        raise DataError(
            f"rain_event: {int((~(rate >= 0)).sum())} rates are missing or negative: fill them "
            "first"
        )
    if not minutes[0] >= 0:
        raise DataError(
            f"rain_event: its first time is {minutes[0]:g} min: count minutes from the start of "
            "the event, as in inflows"
        )
    starts = 60 * minutes
    if rate[-1] > 0:  # the last rate lasts as long as the one before it
        starts, rate = np.append(starts, 2 * starts[-1] - starts[-2]), np.append(rate, 0.0)
    return Storm(starts, rate)


def _notes(parameters: Parameters, table: pd.DataFrame) -> tuple[Note, ...]:
    if table.empty or table["origin"].iloc[0] != "assumed":
        return ()
    return (
        Note(
            "assumption",
            {
                "en": f"The rain depths of {parameters.rain_duration_min:g} min are assumed, of "
                "the order of temperate Europe, not those of this place: all depths, damages and "
                "annual means hang on them. Give montana_a and montana_b, rain_mm or rain_series.",
                "fr": f"Les hauteurs de pluie de {parameters.rain_duration_min:g} min sont "
                "supposées, de l'ordre de l'Europe tempérée, non celles du lieu : toutes les "
                "hauteurs d'eau, tous les dommages et leurs moyennes en dépendent. Donnez "
                "montana_a et montana_b, rain_mm ou rain_series.",
            },
        ),
    )
