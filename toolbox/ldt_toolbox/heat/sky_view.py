"""Sky view factor and horizons of a surface model (terrain with buildings, trees if wanted).

For each direction the grid is cut into parallel digital lines, so that every cell lies on exactly
one of them, and the horizon of all cells of a line is found together: the highest slope to what
lies ahead is the tangent to the upper convex hull of the line. The cost per cell and direction
therefore hardly depends on the radius.
"""

import math

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.heat.mixing import Floats, as_floats

_FAST = {"contract", "arcp", "nsz"}  # not all of fastmath: NaN marks missing cells


@numba.njit(cache=True, fastmath=_FAST)
def _push(place, height, top, x, z):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add the point (x, z) to an upper hull whose last point is ``top``; return the new last."""
    while top >= 1:
        # Is the last point below the segment from the new one to the last but one?
        nearer, farther = abs(place[top] - x), abs(place[top - 1] - x)
        if (height[top] - z) * farther > (height[top - 1] - z) * nearer:
            break
        top -= 1
    place[top + 1] = x
    height[top + 1] = z
    return top + 1


@numba.njit(cache=True, fastmath=_FAST)
def _ahead(line, eye, reach, slopes, place, height):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Steepest slope, per step, from each point of a line to the next ``reach``; at least 0.

    The line is worked through in blocks as long as the reach. What a point sees in its own block
    comes from a hull grown backwards from the block's end; what it sees in the next block, from a
    hull grown forwards from that block's start.
    """
    n = line.shape[0]
    number = line.dtype.type
    for start in range(0, n, reach):
        end = min(start + reach, n)
        top = -1
        for i in range(end - 1, start - 1, -1):
            best = number(0)
            z = line[i]
            if z == z:
                x = number(i)
                top = _push(place, height, top, x, z)
                # Points that the push dropped are hidden from an eye above i, too; but a higher
                # eye may see further over the hull.
                level = z + eye
                steepest = number(-np.inf)
                for k in range(top - 1, -1, -1):
                    slope = (height[k] - level) / (place[k] - x)
                    if slope < steepest:
                        break
                    steepest = slope
                    if eye == 0:
                        break
                best = max(best, steepest)
            slopes[i] = best
        top = -1
        peak = number(-np.inf)
        for i in range(start, end):
            new = i + reach
            if new >= n and top < 0:
                break
            if new < n and line[new] == line[new]:
                top = _push(place, height, top, number(new), line[new])
                peak = max(peak, line[new])
            level = line[i] + eye
            # Nothing in the next block can be steeper than its peak at its near end.
            if top < 0 or not (peak - level > slopes[i] * number(end - i)):
                continue
            # Along the hull the slope seen from outside rises, then falls: bisect.
            x = number(i)
            low, high = 0, top
            while low < high:
                middle = (low + high) >> 1
                nearer, farther = place[middle] - x, place[middle + 1] - x
                if (height[middle] - level) * farther < (height[middle + 1] - level) * nearer:
                    low = middle + 1
                else:
                    high = middle
            slope = (height[low] - level) / (place[low] - x)
            if slope > slopes[i]:
                slopes[i] = slope


@numba.njit(parallel=True, cache=True, fastmath=_FAST)
def _sweep(grid, tangent, forward, backward, eye, step, reach, squared_cosine, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add to ``out`` what each cell sees along digital lines ``row = round(tangent * column)``.

    Forward is towards higher columns. ``out`` receives cos^2 of the horizon, or its tangent. No
    two lines share a cell, so they run in parallel.
    """
    rows, columns = grid.shape
    number = grid.dtype.type
    shift = np.empty(columns, np.int64)
    for j in range(columns):
        shift[j] = math.floor(tangent * j + 0.5)
    lowest, highest = min(shift[0], shift[columns - 1]), max(shift[0], shift[columns - 1])
    lines = rows + highest - lowest
    bundle = 16
    shrink = number(1) / step
    for part in numba.prange((lines + bundle - 1) // bundle):
        line, slopes, seen, place, height = np.empty((5, columns + 1), grid.dtype)
        first_line = np.int64(part) * bundle
        for base in range(first_line - highest, min(first_line + bundle, lines) - highest):
            first, last = columns, -1
            for j in range(columns):
                i = base + shift[j]
                if i >= 0 and i < rows:
                    first = min(first, j)
                    last = j
                    line[j - first] = grid[i, j]
                    seen[j - first] = 0
            n = last - first + 1
            if n < 1:
                continue
            for way in range(2):
                if way == 1:
                    line[:n] = line[:n][::-1].copy()
                if (way == 0 and not forward) or (way == 1 and not backward):
                    continue
                _ahead(line[:n], eye, reach, slopes, place, height)
                for k in range(n):
                    slope = slopes[k] * shrink
                    share = number(1) / (number(1) + slope * slope) if squared_cosine else slope
                    seen[k if way == 0 else n - 1 - k] += share
            for k in range(n):
                out[base + shift[first + k], first + k] += seen[k]


def _directed_sweeps(
    grid: Floats,
    azimuths_deg: list[float],
    *,
    both_ways: bool,
    squared_cosine: bool,
    cell_size_m: float,
    radius_m: float,
    observer_height_m: float,
) -> Floats:
    """Sum over azimuths (and their opposites) of cos^2 or of the tangent of the horizon."""
    number = grid.dtype.type
    upright, turned = np.zeros_like(grid), None
    columns_first = None
    for azimuth in azimuths_deg:
        east, south = math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))
        along_columns = abs(east) >= abs(south)
        main, side = (east, south) if along_columns else (south, east)
        tangent = side / main
        if abs(tangent) < 1e-12:
            tangent = 0.0
        step = cell_size_m * math.hypot(1.0, tangent)
        reach = int(min(radius_m / step + 1e-9, max(grid.shape)))
        if along_columns:
            source, target = grid, upright
        else:
            if columns_first is None or turned is None:
                columns_first, turned = np.ascontiguousarray(grid.T), np.zeros_like(grid.T)
            source, target = columns_first, turned
        if reach == 0:
            if squared_cosine:
                target += number(2 if both_ways else 1)
            continue
        _sweep(
            source,
            tangent,
            both_ways or main > 0,
            both_ways or main < 0,
            number(observer_height_m),
            number(step),
            reach,
            squared_cosine,
            target,
        )
    if turned is not None:
        upright += turned.T
    upright[~np.isfinite(grid)] = np.nan
    return upright


def _checked(
    heights: NDArray[np.generic], cell_size_m: float, radius_m: float, observer_height_m: float
) -> Floats:
    if not cell_size_m > 0:
        raise ParameterError(f"cell_size_m is {cell_size_m}: give the side of a cell in metres")
    if not radius_m > 0:
        raise ParameterError(f"radius_m is {radius_m}: give how far to look, in metres")
    if not observer_height_m >= 0:
        raise ParameterError(f"observer_height_m is {observer_height_m}: give 0 or more metres")
    grid = as_floats("heights", heights)
    # One memory layout, or numba compiles the sweep again for each.
    return np.ascontiguousarray(np.where(np.isfinite(grid), grid, grid.dtype.type(np.nan)))


def horizon_slope(
    heights: NDArray[np.generic],
    azimuth_deg: float,
    *,
    cell_size_m: float,
    radius_m: float = math.inf,
    observer_height_m: float = 0.0,
) -> Floats:
    """Tangent of the horizon angle in one direction.

    Parameters
    ----------
    heights : numpy.ndarray, shape (rows, columns)
        Surface heights in metres, row 0 in the north; NaN where missing.
    azimuth_deg : float
        Direction looked at, degrees clockwise from north.
    cell_size_m : float
        Side of a cell.
    radius_m : float
        How far to look; by default to the edge of the grid.
    observer_height_m : float
        Height of the eye above the surface.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        0 where nothing rises above the horizontal; same type as ``heights``; NaN where missing.
    """
    return _directed_sweeps(
        _checked(heights, cell_size_m, radius_m, observer_height_m),
        [azimuth_deg],
        both_ways=False,
        squared_cosine=False,
        cell_size_m=cell_size_m,
        radius_m=radius_m,
        observer_height_m=observer_height_m,
    )


def horizon_angles(
    heights: NDArray[np.generic],
    azimuth_deg: float,
    *,
    cell_size_m: float,
    radius_m: float = math.inf,
    observer_height_m: float = 0.0,
) -> Floats:
    """Horizon angle in one direction, degrees above the horizontal.

    Parameters
    ----------
    heights, azimuth_deg, cell_size_m, radius_m, observer_height_m
        See ``horizon_slope``.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        0 to 90 degrees; NaN where missing.
    """
    slope = horizon_slope(
        heights,
        azimuth_deg,
        cell_size_m=cell_size_m,
        radius_m=radius_m,
        observer_height_m=observer_height_m,
    )
    return np.asarray(np.degrees(np.arctan(slope)))


def sky_view_factor(
    heights: NDArray[np.generic],
    *,
    cell_size_m: float,
    radius_m: float = 200.0,
    directions: int = 16,
    observer_height_m: float = 0.0,
) -> Floats:
    """Sky view factor of a horizontal surface: the mean of ``cos^2(horizon)`` over azimuth.

    Parameters
    ----------
    heights : numpy.ndarray, shape (rows, columns)
        Surface heights in metres, row 0 in the north: terrain with buildings, with tree crowns if
        they are to hide the sky. NaN where missing: nothing stands there.
    cell_size_m : float
        Side of a cell; the grid is in a projected CRS.
    radius_m : float
        How far to look. What lies further hides nothing; nor does what lies outside the grid, so
        cells nearer to the edge than this see too much sky.
    directions : int
        Even number of azimuths, 4 or more, half a step off north so that none runs along a wall
        of a town laid out by the compass. 16 do for maps of a town; 64 bring a street canyon
        within 0.01 of its exact value.
    observer_height_m : float
        Height of the eye above the surface.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        0 to 1, same type as ``heights``; NaN where missing. On the roof of a building it is the
        view from the roof.

    Raises
    ------
    ParameterError
        If a parameter is out of its range.

    Notes
    -----
    Radiative definition (Oke 1987, Boundary Layer Climates; Johnson & Watson 1984). The index of
    Zaksek et al. 2011, 1 - mean sin(horizon), is a different number.
    """
    if directions < 4 or directions % 2:
        raise ParameterError(f"directions is {directions}: give an even number, 4 or more")
    total = _directed_sweeps(
        _checked(heights, cell_size_m, radius_m, observer_height_m),
        [360.0 * (k + 0.5) / directions for k in range(directions // 2)],
        both_ways=True,
        squared_cosine=True,
        cell_size_m=cell_size_m,
        radius_m=radius_m,
        observer_height_m=observer_height_m,
    )
    total /= total.dtype.type(directions)
    return total
