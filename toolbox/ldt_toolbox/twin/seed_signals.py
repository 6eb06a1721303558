"""Synthetic readings as pure functions of time and seed: the same instant has the same reading.

Nothing here is a model of a place: the curves have the shape that trainers expect to see (a warm
afternoon, a flood wave, a rush hour), and the entities that carry them say that they are synthetic.
Amplitudes without a source are the toolbox's own choice.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Times = NDArray[np.int64]
Values = NDArray[np.float64]

HOUR_S = 3600
DAY_S = 24 * HOUR_S
WARMEST_HOUR = 15.0
DAILY_AMPLITUDE_K = 4.5
WEATHER_K = 1.8
"""Standard deviation of the days around the mean of the month."""

WORKDAY = (
    0.08, 0.05, 0.04, 0.04, 0.07, 0.18, 0.45, 0.90, 1.00, 0.72, 0.60, 0.62,
    0.66, 0.64, 0.64, 0.70, 0.85, 0.98, 0.92, 0.66, 0.45, 0.33, 0.24, 0.14,
)  # fmt: skip
"""Traffic of a working day by hour, as a share of the busiest one."""
_FREE_DAY = 0.65
_MONTH_S = 365.2425 * DAY_S / 12


def key_of(*parts: object) -> int:
    """Key of a stream of noise; different parts give streams that have nothing in common."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def uniform(key: int, index: NDArray[np.int64]) -> Values:
    """Uniform noise in (0, 1) at each index, whichever others are asked for.

    Parameters
    ----------
    key : int
        Of the stream, 64 bits.
    index : array of int64
        Any.

    Notes
    -----
    SplitMix64 of Steele, Lea and Flood 2014 (10.1145/2660193.2660195), with the index as counter.
    """
    with np.errstate(over="ignore"):
        state = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(key: int, index: NDArray[np.int64]) -> Values:
    """Standard normal noise at each index."""
    values: Values = ndtri(uniform(key, index))
    return values


def smooth(key: int, times: Times, *, period_s: float) -> Values:
    """Noise that wanders: standard normal every `period_s`, with a soft curve between."""
    place = times / period_s
    left = np.floor(place).astype(np.int64)
    share = place - left
    share = share * share * (3 - 2 * share)
    return normal(key, left) * (1 - share) + normal(key, left + 1) * share


def temperature_c(
    times: Times, *, normals_c: Sequence[float], lon: float, excess_k: float, seed: int, name: str
) -> Values:
    """Air temperature of a station.

    Parameters
    ----------
    times : array of int64
        Seconds since 1970 in UTC.
    normals_c : sequence of float
        Mean of each month, January first, in °C.
    lon : float
        Longitude in degrees; shifts the day.
    excess_k : float
        By how much the place is warmer than its surroundings in the small hours, in K.
    seed : int
        All stations of a seed share the weather.
    name : str
        Of the station, whose small noise is its own.

    Returns
    -------
    array of float64
        °C, to a tenth.
    """
    hour = times / HOUR_S + lon / 15.0
    day = DAILY_AMPLITUDE_K * np.cos((hour - WARMEST_HOUR) * (2 * np.pi / 24))
    night = np.clip(np.cos((hour - WARMEST_HOUR + 12) * (2 * np.pi / 24)), 0, 1)
    weather = WEATHER_K * smooth(key_of(seed, "weather"), times, period_s=2 * DAY_S)
    own = 0.2 * smooth(key_of(seed, name, "temperature"), times, period_s=6 * HOUR_S)
    return np.round(month_mean(times, normals_c) + day + weather + excess_k * night + own, 1)


def month_mean(times: Times, normals_c: Sequence[float]) -> Values:
    """Monthly means as a curve through the middles of the months, in °C."""
    place = times / _MONTH_S - 0.5
    left = np.floor(place).astype(np.int64)
    means = np.asarray(normals_c, dtype=np.float64)
    share = place - left
    return means[left % 12] * (1 - share) + means[(left + 1) % 12] * share


def humidity_percent(
    times: Times, air_c: Values, *, normals_c: Sequence[float], seed: int
) -> Values:
    """Relative humidity of air whose dew point follows the month, in %, to a whole number.

    Notes
    -----
    Saturation by the Magnus form of Alduchov and Eskridge 1996
    (10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2), equation 21.
    """
    dew_c = month_mean(times, normals_c) - 5.0
    dew_c = dew_c + smooth(key_of(seed, "dew point"), times, period_s=3 * DAY_S)
    share = np.exp(17.625 * dew_c / (243.04 + dew_c) - 17.625 * air_c / (243.04 + air_c))
    rounded: Values = np.round(np.clip(100 * share, 5, 100))
    return rounded


def stage_m(times: Times, *, seed: int, name: str) -> Values:
    """Water height at a gauge: low water and, on some days, a wave that rises fast and ebbs slowly.

    Returns
    -------
    array of float64
        Metres above the zero of the gauge, to a centimetre; 0.3 m or more.
    """
    height = 0.4 + 0.05 * smooth(key_of(seed, name, "low water"), times, period_s=3 * DAY_S)
    today = times // DAY_S
    for back in range(5):
        day = today - back
        comes = uniform(key_of(seed, name, "wave"), day) < 0.15
        top = 0.4 + 1.6 * uniform(key_of(seed, name, "top"), day) ** 2
        start = day * DAY_S + uniform(key_of(seed, name, "start"), day) * DAY_S
        hours = (times - start) / HOUR_S
        # a gamma-shaped wave with its top after three hours
        rise = np.clip(hours, 0, None) / 3.0
        height = height + comes * top * rise * np.exp(1 - rise)
    rounded: Values = np.round(np.maximum(height, 0.3), 2).astype(np.float64)
    return rounded


def vehicles(
    times: Times, local: Times, *, busiest_per_h: float, step_s: int, seed: int, name: str
) -> NDArray[np.int64]:
    """Vehicles that a counter saw in the step that ends at each time.

    Parameters
    ----------
    times, local : array of int64
        The same instants in seconds since 1970, in UTC and as clocks there show them.
    busiest_per_h : float
        Of a working day's busiest hour.
    step_s : int
        Length of a step.
    """
    mean = busiest_per_h * step_s / HOUR_S * _share(local - step_s // 2)
    noise = normal(key_of(seed, name, "vehicles"), times)
    return np.maximum(np.round(mean + np.sqrt(mean) * noise), 0).astype(np.int64)


def speed_kmh(
    times: Times, local: Times, *, free_kmh: float, step_s: int, seed: int, name: str
) -> Values:
    """Mean speed of the vehicles, lower in dense traffic, to a tenth of a km/h."""
    slowed = free_kmh * (1 - 0.35 * _share(local - step_s // 2) ** 2)
    return np.round(slowed + 1.5 * normal(key_of(seed, name, "speed"), times), 1)


def _share(local: Times) -> Values:
    hour = np.asarray(WORKDAY)[(local // HOUR_S) % 24]
    # 1 January 1970 was a Thursday
    free = (local // DAY_S + 3) % 7 >= 5
    return np.where(free, _FREE_DAY * hour, hour)
