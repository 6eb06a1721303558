"""Fluxes of the shallow-water equations between cells, and what they do to the cells.

HLLC fluxes (Toro 2001) between states that the hydrostatic reconstruction of Audusse et al. 2004
(doi:10.1137/S1064827503431090) lays on a common bed, so that water at rest stays at rest on any
terrain; slopes limited by minmod make it second order.
"""

import math

import numba

SOLID, WATER = 0, 1
WORTH_THREADS = 20_000  # cells; threads take longer to start than fewer take to do
_G = 9.80665


@numba.njit(cache=True, error_model="numpy")
def _minmod(a, b):  # type: ignore[no-untyped-def]  # pragma: no cover
    if a * b <= 0:
        return 0.0
    return a if abs(a) < abs(b) else b


@numba.njit(cache=True, error_model="numpy")
def _hllc(hl, ul, vl, hr, ur, vr):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fluxes of mass, normal and transverse momentum."""
    if hl <= 0 and hr <= 0:
        return 0.0, 0.0, 0.0
    cl, cr = math.sqrt(_G * hl), math.sqrt(_G * hr)
    if hl <= 0:
        sl, sr = ur - 2 * cr, ur + cr
    elif hr <= 0:
        sl, sr = ul - cl, ul + 2 * cl
    else:
        middle = 0.5 * (cl + cr) + 0.25 * (ul - ur)
        um = 0.5 * (ul + ur) + cl - cr
        cm = max(middle, 0.0)
        sl, sr = min(ul - cl, um - cm), max(ur + cr, um + cm)
    fl, fr = hl * ul, hr * ur
    ml, mr = fl * ul + 0.5 * _G * hl * hl, fr * ur + 0.5 * _G * hr * hr
    if sl >= 0:
        return fl, ml, fl * vl
    if sr <= 0:
        return fr, mr, fr * vr
    width = 1 / (sr - sl)
    mass = (sr * fl - sl * fr + sl * sr * (hr - hl)) * width
    momentum = (sr * ml - sl * mr + sl * sr * (fr - fl)) * width
    # The contact wave carries the transverse velocity: the sign of the mass flux is its side.
    return mass, momentum, mass * (vl if mass > 0 else vr)


@numba.njit(cache=True, error_model="numpy")
def _edge(h, n, t, z, kind, i, j, di, dj, sign, dry, second):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Depth, normal and transverse velocity and bed of a cell at its face in direction sign."""
    depth, bed = h[i, j], z[i, j]
    if depth <= dry:
        return depth, 0.0, 0.0, bed
    u, v = n[i, j] / depth, t[i, j] / depth
    ia, ja, ib, jb = i - di, j - dj, i + di, j + dj
    if not second or ia < 0 or ja < 0 or ib >= h.shape[0] or jb >= h.shape[1]:
        return depth, u, v, bed
    if kind[ia, ja] == SOLID or kind[ib, jb] == SOLID:
        return depth, u, v, bed
    ha, hb = h[ia, ja], h[ib, jb]
    if ha <= dry or hb <= dry:
        return depth, u, v, bed
    dh = _minmod(depth - ha, hb - depth)
    level = depth + bed
    de = _minmod(level - ha - z[ia, ja], hb + z[ib, jb] - level)
    du = _minmod(u - n[ia, ja] / ha, n[ib, jb] / hb - u)
    dv = _minmod(v - t[ia, ja] / ha, t[ib, jb] / hb - v)
    half = 0.5 * sign
    # Velocities at the two faces are weighted by depth, so that their momentum is the cell's.
    at = depth + half * dh
    other = depth - half * dh
    return (
        at,
        u + half * du * other / depth,
        v + half * dv * other / depth,
        level + half * de - at,
    )


@numba.njit(cache=True, error_model="numpy")
def _face(h, n, t, z, kind, i, j, di, dj, dry, second, flux):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fluxes between the cell before (i - di, j - dj) and (i, j).

    ``flux`` receives mass, normal momentum as seen from before and from behind, transverse
    momentum, and the beds and depths at the face for the slope term of the cells.
    """
    a, b = i - di, j - dj
    before, behind = kind[a, b], kind[i, j]
    flux[:] = 0
    if before != WATER and behind != WATER:
        return
    hl, ul, vl, zl = _edge(h, n, t, z, kind, a, b, di, dj, 1, dry, second)
    hr, ur, vr, zr = _edge(h, n, t, z, kind, i, j, di, dj, -1, dry, second)
    if before == SOLID:
        hl, ul, vl, zl = hr, -ur, vr, zr
    elif behind == SOLID:
        hr, ur, vr, zr = hl, -ul, vl, zl
    top = max(zl, zr)
    low, high = max(hl + zl - top, 0.0), max(hr + zr - top, 0.0)
    mass, momentum, across = _hllc(low, ul, vl, high, ur, vr)
    flux[0] = mass
    flux[1] = momentum + 0.5 * _G * (hl * hl - low * low)
    flux[2] = momentum + 0.5 * _G * (hr * hr - high * high)
    flux[3] = across
    flux[4], flux[5], flux[6], flux[7] = hl, zl, hr, zr


@numba.njit(cache=True, error_model="numpy")
def _fluxes_row(i, h, hu, hv, z, kind, dry, second, fx, fy):  # type: ignore[no-untyped-def]  # pragma: no cover
    for j in range(h.shape[1]):
        if j > 0:
            _face(h, hu, hv, z, kind, i, j, 0, 1, dry, second, fx[i, j])
        if i > 0:
            _face(h, hv, hu, z, kind, i, j, 1, 0, dry, second, fy[i, j])


@numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def fluxes(h, hu, hv, z, kind, dry, second, fx, fy):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fluxes through the west (``fx``) and north (``fy``) faces of all cells.

    Parameters
    ----------
    h, hu, hv, z : float64 arrays, shape (rows, columns)
        Depth (m), discharge per metre to the east and the south (m2/s), bed (m).
    kind : uint8 array, same shape
        ``boundaries.SOLID``, ``WATER`` or ``GHOST``.
    dry : float
        Shallower water has no velocity, m.
    second : bool
        Whether to use limited slopes.
    fx, fy : float64 arrays, shape (rows, columns, 8)
        Changed in place.
    """
    if h.size < WORTH_THREADS:
        for i in range(h.shape[0]):
            _fluxes_row(i, h, hu, hv, z, kind, dry, second, fx, fy)
    else:
        for i in numba.prange(h.shape[0]):
            _fluxes_row(i, h, hu, hv, z, kind, dry, second, fx, fy)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def shares(h, kind, fx, fy, dt_dx, share):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Share of its outflow that each cell can give without going below zero."""
    share[:] = 1.0
    for i in range(1, h.shape[0] - 1):
        for j in range(1, h.shape[1] - 1):
            if kind[i, j] != WATER:
                continue
            away = max(fx[i, j + 1, 0], 0.0) - min(fx[i, j, 0], 0.0)
            away += max(fy[i + 1, j, 0], 0.0) - min(fy[i, j, 0], 0.0)
            if dt_dx * away > h[i, j]:
                share[i, j] = max(h[i, j], 0.0) / (dt_dx * away)


@numba.njit(cache=True, error_model="numpy")
def _given(flux, before, behind):  # type: ignore[no-untyped-def]  # pragma: no cover
    return flux * (before if flux > 0 else behind)


@numba.njit(cache=True, error_model="numpy")
def _update_row(  # type: ignore[no-untyped-def]  # pragma: no cover
    i, h, hu, hv, kind, drag, chezy, source, share, fx, fy, dt, dx, dry
):  # fmt: skip
    """Update one row in place; returns its fastest wave and what the sources brought."""
    k, s = i * int(drag.shape[0] > 1), i * int(source.shape[0] > 1)
    ratio = dt / dx
    top, total = 0.0, 0.0
    for j in range(h.shape[1]):
        if kind[i, j] != WATER:
            continue
        me = share[i, j]
        west = _given(fx[i, j, 0], share[i, j - 1], me)
        east = _given(fx[i, j + 1, 0], me, share[i, j + 1])
        north = _given(fy[i, j, 0], share[i - 1, j], me)
        south = _given(fy[i + 1, j, 0], me, share[i + 1, j])
        moved = h[i, j] + ratio * ((west - east) + (north - south))
        gain = max(dt * source[s, j], min(-moved, 0.0))
        depth = max(moved + gain, 0.0)
        total += gain
        # Weight of the water between the faces on the bed's slope within the cell.
        wx = 0.5 * _G * (fx[i, j, 6] + fx[i, j + 1, 4]) * (fx[i, j, 7] - fx[i, j + 1, 5])
        wy = 0.5 * _G * (fy[i, j, 6] + fy[i + 1, j, 4]) * (fy[i, j, 7] - fy[i + 1, j, 5])
        u = hu[i, j] + ratio * (
            ((fx[i, j, 2] - fx[i, j + 1, 1]) + wx) + (fy[i, j, 3] - fy[i + 1, j, 3])
        )
        v = hv[i, j] + ratio * (
            ((fy[i, j, 2] - fy[i + 1, j, 1]) + wy) + (fx[i, j, 3] - fx[i, j + 1, 3])
        )
        if depth <= dry:
            u, v = 0.0, 0.0
        else:
            power = depth**2 if chezy else depth ** (7 / 3)
            size = math.sqrt(u * u + v * v)
            slowed = 2 / (1 + math.sqrt(1 + 4 * dt * drag[k, j] * size / power))
            u, v = u * slowed, v * slowed
            top = max(top, math.sqrt(_G * depth) + size * slowed / depth)
        h[i, j], hu[i, j], hv[i, j] = depth, u, v
    return top, total


@numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")
def update(  # type: ignore[no-untyped-def]  # pragma: no cover
    h, hu, hv, kind, drag, chezy, source, share, fx, fy, dt, dx, dry, fastest, gained
):  # fmt: skip
    """Carry the cells through a step of forward Euler, in place, friction implicit.

    Parameters
    ----------
    h, hu, hv, kind, share, fx, fy, dry
        See `fluxes` and `shares`.
    drag : float64 array, shape (rows or 1, columns)
        Gravity times Manning's n squared; gravity over the square of Chezy's coefficient if
        ``chezy``.
    source : float64 array, shape (rows or 1, columns)
        Rain less losses, m/s.
    dt, dx : float
        Step (s) and cell size (m).
    fastest, gained : float64 arrays, shape (rows,)
        Receive the fastest wave (m/s) and what the sources brought (m) of each row.
    """
    if h.size < WORTH_THREADS:
        for i in range(h.shape[0]):
            fastest[i], gained[i] = _update_row(
                i, h, hu, hv, kind, drag, chezy, source, share, fx, fy, dt, dx, dry
            )
    else:
        for i in numba.prange(h.shape[0]):
            fastest[i], gained[i] = _update_row(
                i, h, hu, hv, kind, drag, chezy, source, share, fx, fy, dt, dx, dry
            )
