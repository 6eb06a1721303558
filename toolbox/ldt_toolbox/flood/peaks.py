"""What is kept of every cell while a flood runs: peaks of depth, speed and hazard, and arrival."""

import math
from dataclasses import dataclass, fields
from typing import Any

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
    shallow = middle if depth > np.float32(0.25) else low
    return high if depth > np.float32(0.75) or speed > np.float32(2) else shallow


# Nothing is allocated, so the views of arrays need no counting: threads that count the views of
# one array wait for each other.
_LEAN: dict[str, Any] = {"cache": True, "_nrt": False, "error_model": "numpy"}


@numba.njit(**_LEAN)
def _track_row(  # type: ignore[no-untyped-def]  # pragma: no cover
    h, west, east, north, south, time_s, threshold, factors, depth, at_peak, fastest, rating,
    arrival, froude_2,
):  # fmt: skip
    """Update one run of cells, without branches; ``froude_2`` keeps squares of Froude numbers."""
    low, middle, high = factors
    half, quarter, one, zero = np.float32(0.5), np.float32(0.25), np.float32(1), np.float32(0)
    gravity = np.float32(9.80665)
    deep, fast, torrent = np.int32(0), np.int32(0), np.int32(0)
    for j in range(h.shape[0]):
        d = np.float32(h[j])
        wet = d >= threshold
        shrunk = one / max(d, threshold)
        u = half * np.float32(west[j] + east[j]) * shrunk
        v = half * np.float32(north[j] + south[j]) * shrunk
        square = u * u + v * v
        speed = math.sqrt(square)
        froude = square * shrunk / gravity if wet else zero
        deep += np.int32(wet)
        fast += np.int32(froude > quarter)
        torrent += np.int32(froude > one)
        froude_2[j] = max(froude_2[j], froude)
        at_peak[j] = speed if wet and d > depth[j] else at_peak[j]
        depth[j] = max(depth[j], d)
        fastest[j] = max(fastest[j], speed if wet else zero)
        value = d * (speed + half) + debris(d, speed, low, middle, high)
        rating[j] = max(rating[j], value if wet else zero)
        before = arrival[j]
        arrival[j] = before if before >= zero or not wet else time_s
    return deep, fast, torrent


@numba.njit(**_LEAN)
def _track_tiles(  # type: ignore[no-untyped-def]  # pragma: no cover
    block, h, qx, qy, apart, runs, counts, time_s, threshold, factors, depth, at_peak, fastest,
    rating, arrival, squares,
):  # fmt: skip
    """Update one row of tiles; returns the numbers of cells of `track`."""
    deep, fast, torrent = 0, 0, 0
    for i in range(block * TILE_ROWS, min((block + 1) * TILE_ROWS, h.shape[0])):
        for n in range(counts[block]):
            a, b = runs[block, n, 0], runs[block, n, 1]
            more = _track_row(
                h[i, a:b], qx[i, a:b], qx[i, a + apart : b + apart], qy[i, a:b],
                qy[i + apart, a:b], time_s, threshold, factors, depth[i, a:b],
                at_peak[i, a:b], fastest[i, a:b], rating[i, a:b], arrival[i, a:b],
                squares[a:b],
            )  # fmt: skip
            deep, fast, torrent = deep + more[0], fast + more[1], torrent + more[2]
    return deep, fast, torrent


@numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def track(  # type: ignore[no-untyped-def]  # pragma: no cover
    h, qx, qy, apart, runs, counts, time_s, threshold, factors, depth, at_peak, fastest, rating,
    arrival,
):  # fmt: skip
    """Update peaks from depths and discharges; shallower than the threshold does not count.

    Speed is the mean discharge through opposite faces over the depth: ``apart`` is 1 where ``qx``
    and ``qy`` hold the discharges through west and north faces, 0 where they hold those of cells.

    Returns
    -------
    array of float, shape (rows of tiles, 4)
        Number of cells deeper than the threshold, of those with a Froude number above 0.5, above
        1, and the highest Froude number. Not summed here, where each sum would start threads.
    """
    blocks = counts.shape[0]
    found = np.zeros((blocks, 4))
    for block in numba.prange(blocks):
        squares = np.zeros(h.shape[1], np.float32)
        found[block, 0], found[block, 1], found[block, 2] = _track_tiles(
            block, h, qx, qy, apart, runs, counts, time_s, threshold, factors, depth, at_peak,
            fastest, rating, arrival, squares,
        )  # fmt: skip
        found[block, 3] = math.sqrt(squares.max())
    return found
