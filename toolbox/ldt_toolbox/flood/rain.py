"""Design storms: how much rain falls in how long (Montana), and how it is spread in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

# Bands in which Météo-France adjusts Montana coefficients, minutes.
SHORT_BAND_MIN = (6.0, 120.0)
LONG_BAND_MIN = (120.0, 1440.0)
# Clausius-Clapeyron: 6 to 7 % more water vapour a kelvin; short rain follows it roughly
# (Westra et al. 2014, 10.1002/2014RG000464; from memory).
RAIN_PER_KELVIN = 0.07
_LARGEST_GAP = 0.1


@dataclass(frozen=True)
class Montana:
    """Montana coefficients of one return period in one band of durations.

    ``h(t) = a t^(1 - b)``, h in mm, t in minutes (Météo-France's convention).

    Attributes
    ----------
    a : float
        mm / min^(1 - b).
    b : float
        Between 0 and 1.
    from_min, to_min : float
        Durations for which the coefficients were adjusted, minutes, both ends included.
    """

    a: float
    b: float
    from_min: float = SHORT_BAND_MIN[0]
    to_min: float = SHORT_BAND_MIN[1]

    def __post_init__(self) -> None:
        if not self.a > 0 or not 0 < self.b < 1:
            raise ParameterError(
                f"Montana a = {self.a:g}, b = {self.b:g}: a must be above 0 and b between 0 and 1 "
                "(mm and minutes, h = a t^(1-b)); a table in mm/h or i = a t^-b must be converted"
            )
        if not 0 < self.from_min < self.to_min:
            raise ParameterError(
                f"a band from {self.from_min:g} to {self.to_min:g} min is empty: swap the ends"
            )


def montana_depth_mm(duration_min: ArrayLike, bands: Sequence[Montana]) -> NDArray[np.float64]:
    """Rain of a duration: ``h(t) = a t^(1 - b)`` with the coefficients of its band.

    Parameters
    ----------
    duration_min : array_like of float
        Minutes. Where two bands meet, the shorter one is used.
    bands : sequence of Montana
        Coefficients of one return period.

    Returns
    -------
    numpy.ndarray of float64
        mm, shape of `duration_min`.

    Raises
    ------
    DataError
        If a duration lies in no band: the formula is not extrapolated.
    """
    t = np.asarray(duration_min, np.float64)
    depth = np.full(t.shape, np.nan)
    for band in sorted(bands, key=lambda one: one.from_min, reverse=True):
        inside = (t >= band.from_min) & (t <= band.to_min)
        depth[inside] = band.a * t[inside] ** (1 - band.b)
    if np.isnan(depth).any():
        known = ", ".join(f"{band.from_min:g}-{band.to_min:g} min" for band in bands) or "none"
        raise DataError(
            f"no Montana coefficients for {t[np.isnan(depth)].flat[0]:g} min (bands: {known}): "
            "choose a duration inside, or give the coefficients of its band"
        )
    return depth


def fit_montana(
    duration_min: ArrayLike, depth_mm: ArrayLike, *, band_min: tuple[float, float]
) -> Montana:
    """Montana coefficients by least squares of the logarithms, from depths of one return period.

    Parameters
    ----------
    duration_min, depth_mm : array_like of float, shape (durations,)
        Minutes and mm. Only durations in the band are used.
    band_min : (float, float)
        `SHORT_BAND_MIN`, `LONG_BAND_MIN` or another, minutes.

    Returns
    -------
    Montana
    """
    t, h = np.asarray(duration_min, np.float64), np.asarray(depth_mm, np.float64)
    used = (t >= band_min[0]) & (t <= band_min[1]) & (h > 0)
    if np.unique(t[used]).size < 3:
        raise DataError(
            f"{np.unique(t[used]).size} durations with rain between {band_min[0]:g} and "
            f"{band_min[1]:g} min: Montana needs 3 or more"
        )
    slope, intercept = np.polyfit(np.log(t[used]), np.log(h[used]), 1)
    return Montana(float(np.exp(intercept)), float(1 - slope), *band_min)


@dataclass(frozen=True)
class Hyetograph:
    """Rain in equal steps of time.

    Attributes
    ----------
    depth_mm : numpy.ndarray of float64, shape (steps,)
        Rain that falls within each step, mm.
    step_min : float
        Minutes; the last step may reach beyond the end of the rain.
    """

    depth_mm: NDArray[np.float64]
    step_min: float

    @property
    def total_mm(self) -> float:
        """Rain of the whole storm, mm."""
        return float(self.depth_mm.sum())

    @property
    def intensity_mm_h(self) -> NDArray[np.float64]:
        """Mean intensity of each step, mm/h."""
        return self.depth_mm * (60.0 / self.step_min)

    @property
    def ends_min(self) -> NDArray[np.float64]:
        """End of each step, minutes since the storm began."""
        return self.step_min * np.arange(1.0, len(self.depth_mm) + 1)

    def scaled(self, factor: float) -> "Hyetograph":
        """Same storm with every depth multiplied, for example by a climate factor."""
        if not (np.isfinite(factor) and factor > 0):
            raise ParameterError(f"a rain factor of {factor:g} makes no storm: give one above 0")
        return Hyetograph(self.depth_mm * factor, self.step_min)


def climate_factor(warming_k: float, *, per_kelvin: float = RAIN_PER_KELVIN) -> float:
    """Factor on the depth of a design storm for a warming of the air.

    ``(1 + per_kelvin) ** warming``: an order of magnitude by thermodynamics, no projection for a
    place. Where a national service publishes factors, use those.

    Parameters
    ----------
    warming_k : float
        K against the period in which the storm's statistics were observed.
    per_kelvin : float
        Relative increase a kelvin.
    """
    return float((1 + per_kelvin) ** warming_k)


def uniform_storm(total_mm: float, *, duration_min: float, step_min: float) -> Hyetograph:
    """Constant intensity.

    Parameters
    ----------
    total_mm : float
        mm.
    duration_min, step_min : float
        Minutes.
    """
    ends = _ends(duration_min, step_min)
    return _from_cumulated(_positive("total_mm", total_mm) * ends / duration_min, step_min)


def chicago_storm(
    bands: Sequence[Montana], *, duration_min: float, step_min: float, peak_position: float = 0.4
) -> Hyetograph:
    """Storm that holds the Montana depth of every duration around its peak.

    Parameters
    ----------
    bands : sequence of Montana
        Coefficients of one return period. Shorter than the shortest band, the intensity of its
        beginning is kept: the formula would tend to infinity.
    duration_min, step_min : float
        Minutes.
    peak_position : float
        Share of the duration that passes before the peak, between 0 and 1.

    Returns
    -------
    Hyetograph
        The sum is ``h(duration)``. Météo-France adjusts the bands apart, so that they meet with a
        gap: where the longer band begins lower, the depth of the shorter one's end is kept until
        it is reached (no rain meanwhile); where it begins higher, the storm has a step there.

    Raises
    ------
    DataError
        If two bands meet with a gap of more than a tenth, or the duration lies in none.

    Notes
    -----
    Keifer & Chu 1957, in cumulated form: before the peak fall ``r h(s / r)`` within the last s
    minutes, after it ``(1 - r) h(s / (1 - r))`` within the first s.
    """
    r = peak_position
    if not 0 < r < 1:
        raise ParameterError(f"a peak at {r:g} of the duration: give a share between 0 and 1")
    shortest = _joined(bands)
    since_peak = _ends(duration_min, step_min) - r * duration_min
    # rounding must not push the ends beyond the last band
    early = np.clip(-since_peak / r, 0, duration_min)
    late = np.clip(since_peak / (1 - r), 0, duration_min)
    before = r * _growing_depth(early, bands, shortest)
    after = (1 - r) * _growing_depth(late, bands, shortest)
    whole = float(_growing_depth(np.asarray(duration_min), bands, shortest))
    cumulated = np.where(since_peak < 0, r * whole - before, r * whole + after)
    cumulated[-1] = whole
    return _from_cumulated(cumulated, step_min)


def double_triangle_storm(
    total_mm: float,
    intense_mm: float,
    *,
    duration_min: float,
    intense_min: float,
    step_min: float,
    peak_position: float = 0.5,
) -> Hyetograph:
    """Storm of two triangles: a long weak one and a short intense one on top (Desbordes 1974).

    The intensity rises from 0 to i1, in the intense period to i2 and back to i1, and falls to 0:
    ``i1 = 2 (H - Hi) / (D - Di)``, ``i2 = 2 Hi / Di - i1``, so that both depths are kept.

    Parameters
    ----------
    total_mm, intense_mm : float
        Rain of the whole storm (H) and of its intense period (Hi), mm; for example the Montana
        depths of the two durations.
    duration_min, intense_min, step_min : float
        Minutes (D, Di and the step).
    peak_position : float
        Where the middle of the intense period lies, as a share of the duration.

    Raises
    ------
    ParameterError
        If the intense period does not fit, or is no more intense than the rest.
    """
    _positive("total_mm", total_mm)
    start = peak_position * duration_min - intense_min / 2
    if not 0 < intense_min < duration_min or start < 0 or start + intense_min > duration_min:
        raise ParameterError(
            f"an intense period of {intense_min:g} min around {peak_position:g} of "
            f"{duration_min:g} min does not fit: shorten it or move the peak"
        )
    if not 0 < intense_mm <= total_mm:
        raise ParameterError(
            f"{intense_mm:g} mm in the intense period of a storm of {total_mm:g} mm: "
            "give more than 0 and not more than the whole"
        )
    shoulder = 2 * (total_mm - intense_mm) / (duration_min - intense_min)
    peak = 2 * intense_mm / intense_min - shoulder
    if peak < shoulder:
        raise ParameterError(
            f"{intense_mm:g} mm in {intense_min:g} min is weaker than the rest of the storm: "
            "give a shorter intense period or more rain in it"
        )
    times = np.array([0, start, start + intense_min / 2, start + intense_min, duration_min])
    levels = np.array([0, shoulder, peak, shoulder, 0])
    ends = _ends(duration_min, step_min)
    # the integral of a broken line is exact by trapezoids once its corners are among the points
    points = np.union1d(np.concatenate([[0.0], ends]), times)
    height = np.interp(points, times, levels)
    area = np.concatenate([[0.0], np.cumsum(np.diff(points) * (height[1:] + height[:-1]) / 2)])
    cumulated = np.interp(ends, points, area)
    cumulated[-1] = total_mm
    return _from_cumulated(cumulated, step_min)


def _positive(name: str, value: float) -> float:
    if not (np.isfinite(value) and value > 0):
        raise ParameterError(f"{name} is {value:g}: a storm needs more than 0 mm")
    return value


def _ends(duration_min: float, step_min: float) -> NDArray[np.float64]:
    if not 0 < step_min <= duration_min:
        raise ParameterError(
            f"steps of {step_min:g} min in a storm of {duration_min:g} min: "
            "give a step above 0 and not above the duration"
        )
    count = int(np.ceil(duration_min / step_min - 1e-9))
    return np.minimum(step_min * np.arange(1.0, count + 1), duration_min)


def _from_cumulated(cumulated_mm: NDArray[np.float64], step_min: float) -> Hyetograph:
    # rounding may turn a dry step into -1e-17 mm
    return Hyetograph(np.maximum(np.diff(cumulated_mm, prepend=0.0), 0.0), step_min)


def _joined(bands: Sequence[Montana]) -> float:
    """Start of the shortest band, minutes, after a look at the gaps between them."""
    ordered = sorted(bands, key=lambda band: band.from_min)
    for short, long in pairwise(ordered):
        end, begin = (band.a * short.to_min ** (1 - band.b) for band in (short, long))
        if abs(begin / end - 1) > _LARGEST_GAP:
            raise DataError(
                f"the Montana bands meet at {short.to_min:g} min with {end:.1f} and {begin:.1f} "
                "mm: use one band for the storm, or check the coefficients"
            )
    return ordered[0].from_min if ordered else 0.0


def _growing_depth(
    duration_min: NDArray[np.float64], bands: Sequence[Montana], shortest_min: float
) -> NDArray[np.float64]:
    """Montana depth that never falls with duration; linear below the shortest band."""
    inside = np.maximum(duration_min, shortest_min)
    depth = montana_depth_mm(inside, bands)
    for band in bands:
        end = band.a * band.to_min ** (1 - band.b)
        depth = np.where(inside > band.to_min, np.maximum(depth, end), depth)
    return np.asarray(depth * (duration_min / np.maximum(inside, 1e-9)))
