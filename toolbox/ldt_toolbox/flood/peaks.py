"""What is kept of every cell while a flood runs: peaks of depth, speed and hazard, and arrival."""

import math
from dataclasses import dataclass, fields

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.wet_tiles import TILE_ROWS

Peak = NDArray[np.float32]

DEBRIS_FACTORS = {
    # depth up to 0.25 m, up to 0.75 m, above 0.75 m or faster than 2 m/s
    "pasture": (0.0, 0.0, 0.5),
    "woodland": (0.0, 0.5, 1.0),
    "urban": (0.0, 1.0, 1.0),
}
"""Debris factors by land use, Defra/Environment Agency FD2321/TR1, table 3.1 [from memory]."""


@dataclass
class Peaks:
    """Peaks of one run, each of shape (rows, columns) of the padded grid.

    Attributes
    ----------
    depth_m : numpy.ndarray
        Highest depth.
    speed_at_peak_m_s : numpy.ndarray
        Speed when the depth was highest.
    speed_m_s : numpy.ndarray
        Highest speed.
    hazard_rating : numpy.ndarray
        Highest ``depth (speed + 0.5) + debris factor`` (Defra FD2321).
    arrival_s : numpy.ndarray
        First time that the depth reached the threshold; NaN if never.
    """

    depth_m: Peak
    speed_at_peak_m_s: Peak
    speed_m_s: Peak
    hazard_rating: Peak
    arrival_s: Peak

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "Peaks":
        """Nothing seen yet."""
        peaks = cls(*(np.zeros(shape, np.float32) for _ in fields(cls)))
        peaks.arrival_s[:] = np.nan
        return peaks


@numba.njit(cache=True, error_model="numpy", inline="always")
def debris(depth, speed, low, middle, high):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Debris factor of a depth and a speed."""
    if depth > np.float32(0.75) or speed > np.float32(2):
        return high
    return middle if depth > np.float32(0.25) else low


@numba.njit(cache=True, error_model="numpy")
def _track_row(  # type: ignore[no-untyped-def]  # pragma: no cover
    h, west, east, north, south, lo, hi, time_s, threshold, factors, depth, at_peak, fastest,
    rating, arrival,
):  # fmt: skip
    low, middle, high = factors
    half, one, gravity = np.float32(0.5), np.float32(1), np.float32(9.80665)
    deep, fast, torrent, highest = 0, 0, 0, 0.0
    for j in range(lo, hi):
        d = np.float32(h[j])
        if d < threshold:
            depth[j] = max(depth[j], d)
            continue
        u = half * np.float32(west[j] + east[j]) / d
        v = half * np.float32(north[j] + south[j]) / d
        speed = math.sqrt(u * u + v * v)
        froude = speed / math.sqrt(gravity * d)
        deep += 1
        fast += int(froude > half)
        torrent += int(froude > one)
        highest = max(highest, float(froude))
        if d > depth[j]:
            depth[j] = d
            at_peak[j] = speed
        fastest[j] = max(fastest[j], speed)
        value = d * (speed + half) + debris(d, speed, low, middle, high)
        rating[j] = max(rating[j], value)
        if not arrival[j] >= 0:
            arrival[j] = time_s
    return deep, fast, torrent, highest


@numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def track(  # type: ignore[no-untyped-def]  # pragma: no cover
    h, west, east, north, south, runs, counts, time_s, threshold, factors, depth, at_peak, fastest,
    rating, arrival,
):  # fmt: skip
    """Update peaks from depths and face discharges; shallower than the threshold does not count.

    Speed is the mean discharge through opposite faces over the depth.

    Returns
    -------
    array of float
        Number of cells deeper than the threshold, of those with a Froude number above 0.5, above
        1, and the highest Froude number.
    """
    blocks = counts.shape[0]
    found = np.zeros((blocks, 4))
    for block in numba.prange(blocks):
        for i in range(block * TILE_ROWS, min((block + 1) * TILE_ROWS, h.shape[0])):
            for n in range(counts[block]):
                deep, fast, torrent, highest = _track_row(
                    h[i], west[i], east[i], north[i], south[i], runs[block, n, 0],
                    runs[block, n, 1], time_s, threshold, factors, depth[i], at_peak[i],
                    fastest[i], rating[i], arrival[i],
                )  # fmt: skip
                found[block, 0] += deep
                found[block, 1] += fast
                found[block, 2] += torrent
                found[block, 3] = max(found[block, 3], highest)
    total = np.zeros(4)
    for block in range(blocks):
        total[:3] += found[block, :3]
        total[3] = max(total[3], found[block, 3])
    return total
