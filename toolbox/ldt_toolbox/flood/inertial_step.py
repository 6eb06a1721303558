"""One time step of the local inertial scheme, on the tiles of a grid that can hold moving water.

Rows are worked through from north to south in one sweep, so that each value is read from memory
once a step: discharges of a row from the depths before the step, then the share of them that the
cells can give away, then the depths of the row above, whose faces are all final by then. Bands of
rows run in parallel; the faces between two bands are found before and settled after. No result
depends on how many bands there are.
"""

import math
from typing import Any

import numba
import numpy as np

from ldt_toolbox.flood.wet_tiles import TILE_ROWS

_EXACT = {"contract"}  # no reordering: the depths are summed with compensation
# Nothing is allocated, so the views of arrays need no counting, which takes longer than a tile.
_LEAN: dict[str, Any] = {
    "cache": True, "_nrt": False, "error_model": "numpy", "fastmath": _EXACT,
}  # fmt: skip
_ONE, _TINY = np.float32(1), np.float32(1e-30)
# Discharges (m2/s) that mean nothing; their squares would be subnormal numbers, which are slow.
_STILL = np.float32(1e-15)
_THIRD = np.float32(1 / 3)
# (1 - e)^(-7/3) for e from -0.103 to 0.103, by least squares at Chebyshev nodes.
_SERIES = tuple(
    np.float32(c) for c in (1.00000042, 2.33333614, 3.88816912, 5.61539928, 7.67344047, 9.79539714)
)


@numba.njit(cache=True, error_model="numpy", fastmath=_EXACT, inline="always")
def _power_minus_seven_thirds(depth):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return depth^(-7/3) within 1e-6: a cube root guessed from the bits, and a series."""
    a, b, c, d, e, f = _SERIES
    bits = np.float32(np.float32(depth).view(np.int32))
    root = np.int32(np.float32(1419897116) - bits * _THIRD).view(np.float32)
    cube = root * root * root
    off = _ONE - depth * cube
    series = a + off * (b + off * (c + off * (d + off * (e + off * f))))
    return cube * cube * root * series


@numba.njit(cache=True, error_model="numpy", fastmath=_EXACT, inline="always")
def _face(h_a, h_b, z_a, z_b, r_a, r_b, q, q_before, q_after, crossing, gdt_dx, dt, theta, dry):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Discharge per metre from cell a to cell b after the step (de Almeida 2012, equation 22).

    Levels enter as differences only, so that depths keep their precision on high ground.
    ``crossing`` is the sum of the four discharges across the flow.
    """
    zero, half, quarter = np.float32(0), np.float32(0.5), np.float32(0.25)
    two, four = np.float32(2), np.float32(4)
    rise = z_b - z_a
    depth = max(h_a - max(rise, zero), h_b + min(rise, zero))
    fall = (h_a - h_b) - rise
    # A dry or walled-off neighbour has no say in the average.
    before = q_before if q_before != zero else q
    after = q_after if q_after != zero else q
    mean = theta * q + (_ONE - theta) * half * (before + after)
    wet = max(depth, dry)
    pushed = mean + gdt_dx * wet * fall
    rough = r_a + r_b
    k = dt * rough * rough * _power_minus_seven_thirds(wet)
    # Solves s + k s sqrt(s^2 + across^2) = |pushed|: exactly without the cross flow,
    # s = 2 |pushed| / size, then one Newton step, all over one denominator (``vector`` is
    # sqrt(s^2 + across^2) size). Friction of the old discharge would let thin water on a slope go
    # in bursts.
    push = max(abs(pushed), _STILL)
    drag = k * push
    size = _ONE + math.sqrt(_ONE + four * drag)
    across = crossing * quarter * size
    along_2 = four * push * push
    vector_2 = along_2 + across * across
    vector = math.sqrt(vector_2)
    both = vector * size
    above = two * pushed * (both + two * drag * (two * push + vector))
    value = above / (size * (both + k * (vector_2 + along_2)))
    return value if depth > dry and abs(value) > _STILL else zero


# The loops below run over views that start where the loop does: with indices such as j - 1 the
# compiler would have to check for counting from the end and would give up its vectors.


@numba.njit(**_LEAN)
def _discharges(out, h_a, h_b, z_a, z_b, r_a, r_b, q, before, after, c_1, c_2, c_3, c_4, factors):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Discharges of a run of faces from cells a to cells b."""
    gdt_dx, dt, theta, dry = factors
    for j in range(out.shape[0]):
        out[j] = _face(
            h_a[j], h_b[j], z_a[j], z_b[j], r_a[j], r_b[j], q[j], before[j], after[j],
            c_1[j] + c_2[j] + c_3[j] + c_4[j], gdt_dx, dt, theta, dry,
        )  # fmt: skip


@numba.njit(**_LEAN)
def _along(out, h, z, rough, q, upper, lower, lo, hi, factors):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Discharges through the west faces of cells lo to hi of a row; the grid's own edge is shut."""
    lo = max(lo, 1)
    _discharges(
        out[lo:hi], h[lo - 1 : hi - 1], h[lo:hi], z[lo - 1 : hi - 1], z[lo:hi],
        rough[lo - 1 : hi - 1], rough[lo:hi], q[lo:hi], q[lo - 1 : hi - 1], q[lo + 1 : hi + 1],
        upper[lo - 1 : hi - 1], upper[lo:hi], lower[lo - 1 : hi - 1], lower[lo:hi], factors,
    )  # fmt: skip


@numba.njit(**_LEAN)
def _down(out, h, z, rough, i, k, qx, before, qy, lo, hi, factors):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Discharges through the faces between rows i and i + 1 of cells."""
    _discharges(
        out[lo:hi], h[i, lo:hi], h[i + 1, lo:hi], z[i, lo:hi], z[i + 1, lo:hi],
        rough[i * k, lo:hi], rough[(i + 1) * k, lo:hi], qy[i + 1, lo:hi], before[lo:hi],
        qy[i + 2, lo:hi], qx[i, lo:hi], qx[i, lo + 1 : hi + 1], qx[i + 1, lo:hi],
        qx[i + 1, lo + 1 : hi + 1], factors,
    )  # fmt: skip


@numba.njit(**_LEAN)
def _shares(out, x, upper, lower, h, lo, hi, dt_dx):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Share of its outflow that each cell of a row can give without going below zero.

    Returns whether any cell has to keep some; that is rare, and looked up before dividing.
    """
    zero = np.float32(0)
    share, west, east, up, down, depth = (
        out[lo:hi], x[lo:hi], x[lo + 1 : hi + 1], upper[lo:hi], lower[lo:hi], h[lo:hi],
    )  # fmt: skip
    short = np.int32(0)
    for j in range(share.shape[0]):
        away = max(east[j], zero) - min(west[j], zero) + max(down[j], zero) - min(up[j], zero)
        share[j] = _ONE
        short |= np.int32(dt_dx * away > depth[j])
    if short:
        for j in range(share.shape[0]):
            away = max(east[j], zero) - min(west[j], zero) + max(down[j], zero) - min(up[j], zero)
            share[j] = depth[j] / max(max(dt_dx * away, depth[j]), _TINY)
    return short != 0


@numba.njit(**_LEAN)
def _copied(out, values):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Copy a run; the assignment of a slice would first look whether the two overlap."""
    for j in range(out.shape[0]):
        out[j] = values[j]


@numba.njit(**_LEAN)
def _limited(out, q, giver_a, giver_b):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Discharges from cells a to cells b, times the share of the one that gives."""
    zero = np.float32(0)
    for j in range(out.shape[0]):
        value = q[j]
        out[j] = value * (giver_a[j] if value > zero else giver_b[j])


@numba.njit(**_LEAN)
def _filled(h, lost, peak, x, upper, lower, source, lo, hi, dt_dx, dt):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Depths of a row after the step, with what rounding lost (Kahan); keeps the highest."""
    zero = np.float32(0)
    depth, debt, top, west, east, up, down, fed = (
        h[lo:hi], lost[lo:hi], peak[lo:hi], x[lo:hi], x[lo + 1 : hi + 1], upper[lo:hi],
        lower[lo:hi], source[lo:hi],
    )  # fmt: skip
    for j in range(depth.shape[0]):
        old = depth[j]
        moved = dt_dx * ((west[j] - east[j]) + (up[j] - down[j]))
        # No more can seep away than is there.
        gain = max(dt * fed[j], min(-(old + moved), zero))
        change = (moved + gain) - debt[j]
        new = max(old + change, zero)
        debt[j] = (new - old) - change
        depth[j] = new
        top[j] = max(top[j], new)


@numba.njit(**_LEAN)
def _gained(total, h, x, upper, lower, source, lo, hi, dt_dx, dt):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add to ``total`` what rain and losses change; to be called before ``_filled``."""
    zero = np.float32(0)
    sums, depth, west, east, up, down, fed = (
        total[lo:hi], h[lo:hi], x[lo:hi], x[lo + 1 : hi + 1], upper[lo:hi], lower[lo:hi],
        source[lo:hi],
    )  # fmt: skip
    for j in range(sums.shape[0]):
        moved = dt_dx * ((west[j] - east[j]) + (up[j] - down[j]))
        sums[j] += max(dt * fed[j], min(-(depth[j] + moved), zero))


@numba.njit(**_LEAN)
def _settle(i, h, lost, qx, qy, source, runs, counts, peak, total, losing, dt_dx, dt):  # type: ignore[no-untyped-def]  # pragma: no cover
    """New depths of row i, whose discharges are final."""
    block, k = i // TILE_ROWS, int(source.shape[0] > 1)
    for n in range(counts[block]):
        lo, hi = runs[block, n, 0], runs[block, n, 1]
        row = source[i * k]
        if losing:
            _gained(total, h[i], qx[i], qy[i], qy[i + 1], row, lo, hi, dt_dx, dt)
        _filled(h[i], lost[i], peak, qx[i], qy[i], qy[i + 1], row, lo, hi, dt_dx, dt)


@numba.njit(**_LEAN)
def _seam(i, h, z, rough, qx, qy, old, new, runs, counts, factors):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Discharges between rows i - 1 and i before any band starts; keeps those before the step."""
    old[:] = 0
    new[:] = 0
    k = int(rough.shape[0] > 1)
    block = i // TILE_ROWS
    for n in range(counts[block]):
        lo, hi = runs[block, n, 0], runs[block, n, 1]
        _copied(old[lo:hi], qy[i, lo:hi])
        _down(new, h, z, rough, i - 1, k, qx, qy[i - 1], qy, lo, hi, factors)


@numba.njit(**_LEAN)
def _band(  # type: ignore[no-untyped-def]  # pragma: no cover
    first, last, h, lost, z, rough, source, qx, qy, runs, counts, seams, kept, edges, peak, total,
    losing, dt_dx, factors, work,
):  # fmt: skip
    """Carry rows first to last (excluded) through the step, except what the seams settle.

    ``seams`` holds the unlimited discharges above the first row and below the last, ``kept`` those
    of before the step, ``edges`` receives the shares of the first and the last row. ``work`` is
    room for seven rows.
    """
    columns = h.shape[1]
    k = int(rough.shape[0] > 1)
    dt = factors[1]
    zero = h[0, 0] * 0
    x = work[0]
    upper, lower, before, after, above, share = (
        work[1, :columns], work[2, :columns], work[3, :columns], work[4, :columns],
        work[5, :columns], work[6, :columns],
    )  # fmt: skip
    _copied(upper, seams[0])
    _copied(before, kept[0])
    above[:] = _ONE
    share[:] = _ONE
    short_above = False
    for i in range(first, last):
        block = i // TILE_ROWS
        following = min((i + 1) // TILE_ROWS, counts.shape[0] - 1)
        if i == first or following != block or i % TILE_ROWS == 0:
            # The buffers hold other columns where the tiles of two rows differ.
            lower[:] = zero
            after[:] = zero
            x[:] = zero
        if i + 1 == last:
            _copied(lower, seams[1])
            _copied(after, kept[1])
        else:
            for n in range(counts[following]):
                lo, hi = runs[following, n, 0], runs[following, n, 1]
                _copied(after[lo:hi], qy[i + 1, lo:hi])
                _down(lower, h, z, rough, i, k, qx, before, qy, lo, hi, factors)
        for n in range(counts[block]):
            lo, hi = runs[block, n, 0], runs[block, n, 1]
            _along(x, h[i], z[i], rough[i * k], qx[i], before, after, lo, hi, factors)
        short = False
        for n in range(counts[block]):
            lo, hi = runs[block, n, 0], runs[block, n, 1]
            short |= _shares(share, x, upper, lower, h[i], lo, hi, dt_dx)
        for n in range(counts[block]):
            lo, hi = runs[block, n, 0], runs[block, n, 1]
            west = max(lo, 1)
            if short:
                _limited(qx[i, west:hi], x[west:hi], share[west - 1 : hi - 1], share[west:hi])
            else:
                _copied(qx[i, west:hi], x[west:hi])
            if i > first and (short or short_above):
                _limited(qy[i, lo:hi], upper[lo:hi], above[lo:hi], share[lo:hi])
            elif i > first:
                _copied(qy[i, lo:hi], upper[lo:hi])
        if i == first:
            _copied(edges[0], share)
        if i + 1 == last:
            _copied(edges[1], share)
        if i > first + 1 or (i == 1 and first == 0):
            _settle(i - 1, h, lost, qx, qy, source, runs, counts, peak, total, losing, dt_dx, dt)
        upper, lower = lower, upper
        before, after = after, before
        above, share, short_above = share, above, short
    if last == h.shape[0]:
        _settle(last - 1, h, lost, qx, qy, source, runs, counts, peak, total, losing, dt_dx, dt)


@numba.njit(cache=True, error_model="numpy", fastmath=_EXACT)
def _begin(bounds, h, z, rough, qx, qy, runs, counts, seams, kept, peaks, totals, factors):  # type: ignore[no-untyped-def]  # pragma: no cover
    peaks[:] = 0
    totals[:] = 0
    for s in range(1, bounds.shape[0] - 1):
        _seam(bounds[s], h, z, rough, qx, qy, kept[s], seams[s], runs, counts, factors)


@numba.njit(cache=True, error_model="numpy", fastmath=_EXACT)
def _end(  # type: ignore[no-untyped-def]  # pragma: no cover
    bounds, h, lost, source, qx, qy, runs, counts, seams, edges, peaks, totals, losing, dt_dx, dt
):  # fmt: skip
    """Settle the seams; return the highest depth and the sum of gains."""
    for s in range(1, bounds.shape[0] - 1):
        i = bounds[s]
        _limited(qy[i], seams[s], edges[s - 1, 1], edges[s, 0])
        for row in (i - 1, i):
            _settle(
                row, h, lost, qx, qy, source, runs, counts, peaks[s], totals[s], losing, dt_dx, dt
            )
    return peaks.max(), totals.sum()


@numba.njit(cache=True, error_model="numpy", fastmath=_EXACT)
def step_alone(  # type: ignore[no-untyped-def]  # pragma: no cover
    bounds, h, lost, z, rough, source, qx, qy, runs, counts, seams, kept, edges, peaks, totals,
    work, losing, dt_dx, factors,
):  # fmt: skip
    """One step on one thread; see ``step_together``."""
    _begin(bounds, h, z, rough, qx, qy, runs, counts, seams, kept, peaks, totals, factors)
    for b in range(bounds.shape[0] - 1):
        _band(
            bounds[b], bounds[b + 1], h, lost, z, rough, source, qx, qy, runs, counts,
            seams[b : b + 2], kept[b : b + 2], edges[b], peaks[b], totals[b], losing, dt_dx,
            factors, work[b],
        )  # fmt: skip
    return _end(
        bounds, h, lost, source, qx, qy, runs, counts, seams, edges, peaks, totals, losing, dt_dx,
        factors[1],
    )  # fmt: skip


@numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy", fastmath=_EXACT)
def step_together(  # type: ignore[no-untyped-def]  # pragma: no cover
    bounds, h, lost, z, rough, source, qx, qy, runs, counts, seams, kept, edges, peaks, totals,
    work, losing, dt_dx, factors,
):  # fmt: skip
    """Carry depths and discharges through one step, in place, bands of rows in parallel.

    Parameters
    ----------
    bounds : int array, shape (bands + 1,)
        First row of each band, and the number of rows; a band has at least two.
    h, lost, z : arrays, shape (rows, columns)
        Depth, what rounding made of it too much, bed level, metres.
    rough : array, shape (rows or 1, columns)
        Half of Manning's n times the root of gravity.
    source : array, shape (rows or 1, columns)
        Rain less losses, m/s.
    qx, qy : arrays, shapes (rows, columns + 1) and (rows + 1, columns)
        Discharge through west and north faces, m2/s, positive to the east and to the south.
    runs, counts : int arrays
        Columns to work on in each row of tiles, see ``look_up``.
    seams, kept, edges, peaks, totals, work : arrays
        Room to work in; made once, as a step that allocates would start its threads twice.
    losing : bool
        Whether a source is negative.
    dt_dx : float
        Step over cell size, s/m.
    factors : tuple of float
        Gravity times step over cell size, step (s), weight of a face's own discharge, depth below
        which water rests (m).

    Returns
    -------
    tuple of float
        Highest depth (m); sum over cells of what the sources brought (m; 0 if none is negative).
    """
    _begin(bounds, h, z, rough, qx, qy, runs, counts, seams, kept, peaks, totals, factors)
    for b in numba.prange(bounds.shape[0] - 1):
        _band(
            bounds[b], bounds[b + 1], h, lost, z, rough, source, qx, qy, runs, counts,
            seams[b : b + 2], kept[b : b + 2], edges[b], peaks[b], totals[b], losing, dt_dx,
            factors, work[b],
        )  # fmt: skip
    return _end(
        bounds, h, lost, source, qx, qy, runs, counts, seams, edges, peaks, totals, losing, dt_dx,
        factors[1],
    )  # fmt: skip
