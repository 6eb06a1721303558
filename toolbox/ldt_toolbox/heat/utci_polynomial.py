"""The polynomial behind the Universal Thermal Climate Index: its table and its compiled kernel.

Bröde et al. (2012), 10.1007/s00484-011-0454-1, approximate the offset UTCI - Ta by a complete
polynomial of degree 6 in air temperature Ta (°C), wind speed v (m/s, 10 m above ground),
radiant excess D = Tmrt - Ta (K) and vapour pressure p (kPa): C(10, 4) = 210 terms.
"""

import numba
import numpy as np
from numpy.typing import NDArray

DEGREE = 6

# (power of p, power of D, power of v): coefficients of Ta^0, Ta^1, ... up to total degree 6.
COEFFICIENTS: dict[tuple[int, int, int], tuple[float, ...]] = {
    (0, 0, 0): (
        0.607562052,
        -0.0227712343,
        0.000806470249,
        -0.000154271372,
        -3.24651735e-06,
        7.32602852e-08,
        1.35959073e-09,
    ),
    (0, 0, 1): (
        -2.2583652,
        0.0880326035,
        0.00216844454,
        -1.53347087e-05,
        -5.72983704e-07,
        -2.55090145e-09,
    ),
    (0, 0, 2): (-0.751269505, -0.00408350271, -5.21670675e-05, 1.94544667e-06, 1.14099531e-08),
    (0, 0, 3): (0.158137256, -6.57263143e-05, 2.22697524e-07, -4.16117031e-08),
    (0, 0, 4): (-0.0127762753, 9.66891875e-06, 2.52785852e-09),
    (0, 0, 5): (0.000456306672, -1.74202546e-07),
    (0, 0, 6): (-5.91491269e-06,),
    (0, 1, 0): (
        0.398374029,
        0.000183945314,
        -0.00017375451,
        -7.60781159e-07,
        3.77830287e-08,
        5.43079673e-10,
    ),
    (0, 1, 1): (-0.0200518269, 0.000892859837, 3.45433048e-06, -3.77925774e-07, -1.69699377e-09),
    (0, 1, 2): (0.000169992415, -4.99204314e-05, 2.47417178e-07, 1.07596466e-08),
    (0, 1, 3): (8.49242932e-05, 1.35191328e-06, -6.21531254e-09),
    (0, 1, 4): (-4.99410301e-06, -1.89489258e-08),
    (0, 1, 5): (8.15300114e-08,),
    (0, 2, 0): (0.00075504309, -5.65095215e-05, -4.52166564e-07, 2.46688878e-08, 2.42674348e-10),
    (0, 2, 1): (0.00015454725, 5.2411097e-06, -8.75874982e-08, -1.50743064e-09),
    (0, 2, 2): (-1.56236307e-05, -1.33895614e-07, 2.49709824e-09),
    (0, 2, 3): (6.51711721e-07, 1.94960053e-09),
    (0, 2, 4): (-1.00361113e-08,),
    (0, 3, 0): (-1.21206673e-05, -2.1820366e-07, 7.51269482e-09, 9.79063848e-11),
    (0, 3, 1): (1.25006734e-06, -1.81584736e-09, -3.52197671e-10),
    (0, 3, 2): (-3.3651463e-08, 1.35908359e-10),
    (0, 3, 3): (4.1703262e-10,),
    (0, 4, 0): (-1.30369025e-09, 4.13908461e-10, 9.22652254e-12),
    (0, 4, 1): (-5.08220384e-09, -2.24730961e-11),
    (0, 4, 2): (1.17139133e-10,),
    (0, 5, 0): (6.62154879e-10, 4.0386326e-13),
    (0, 5, 1): (1.95087203e-12,),
    (0, 6, 0): (-4.73602469e-12,),
    (1, 0, 0): (
        5.12733497,
        -0.312788561,
        -0.0196701861,
        0.00099969087,
        9.51738512e-06,
        -4.66426341e-07,
    ),
    (1, 0, 1): (0.548050612, -0.00330552823, -0.0016411944, -5.16670694e-06, 9.52692432e-07),
    (1, 0, 2): (-0.0429223622, 0.00500845667, 1.00601257e-06, -1.81748644e-06),
    (1, 0, 3): (-0.00125813502, -0.000179330391, 2.34994441e-06),
    (1, 0, 4): (0.000129735808, 1.2906487e-06),
    (1, 0, 5): (-2.28558686e-06,),
    (1, 1, 0): (-0.0369476348, 0.00162325322, -3.1427968e-05, 2.59835559e-06, -4.77136523e-08),
    (1, 1, 1): (0.0086420339, -0.000687405181, -9.13863872e-06, 5.15916806e-07),
    (1, 1, 2): (-3.59217476e-05, 3.28696511e-05, -7.10542454e-07),
    (1, 1, 3): (-1.243823e-05, -7.385844e-09),
    (1, 1, 4): (2.20609296e-07,),
    (1, 2, 0): (-0.00073246918, -1.87381964e-05, 4.80925239e-06, -8.7549204e-08),
    (1, 2, 1): (2.7786293e-05, -5.06004592e-06, 1.14325367e-07),
    (1, 2, 2): (2.53016723e-06, -1.72857035e-08),
    (1, 2, 3): (-3.95079398e-08,),
    (1, 3, 0): (-3.59413173e-07, 7.04388046e-07, -1.89309167e-08),
    (1, 3, 1): (-4.79768731e-07, 7.96079978e-09),
    (1, 3, 2): (1.62897058e-09,),
    (1, 4, 0): (3.94367674e-08, -1.18566247e-09),
    (1, 4, 1): (3.34678041e-10,),
    (1, 5, 0): (-1.15606447e-10,),
    (2, 0, 0): (-2.80626406, 0.548712484, -0.0039942841, -0.000954009191, 1.93090978e-05),
    (2, 0, 1): (-0.308806365, 0.0116952364, 0.000495271903, -1.90710882e-05),
    (2, 0, 2): (0.00210787756, -0.000698445738, 2.30109073e-05),
    (2, 0, 3): (0.00041785659, -1.27043871e-05),
    (2, 0, 4): (-3.04620472e-06,),
    (2, 1, 0): (0.0514507424, -0.00432510997, 8.99281156e-05, -7.14663943e-07),
    (2, 1, 1): (-0.000266016305, 0.000263789586, -7.01199003e-06),
    (2, 1, 2): (-0.000106823306, 3.61341136e-06),
    (2, 1, 3): (2.29748967e-07,),
    (2, 2, 0): (0.000304788893, -6.42070836e-05, 1.16257971e-06),
    (2, 2, 1): (7.68023384e-06, -5.47446896e-07),
    (2, 2, 2): (-3.5993791e-08,),
    (2, 3, 0): (-4.36497725e-06, 1.68737969e-07),
    (2, 3, 1): (2.67489271e-08,),
    (2, 4, 0): (3.23926897e-09,),
    (3, 0, 0): (-0.0353874123, -0.22120119, 0.0155126038, -0.000263917279),
    (3, 0, 1): (0.0453433455, -0.00432943862, 0.000145389826),
    (3, 0, 2): (0.00021750861, -6.66724702e-05),
    (3, 0, 3): (3.3321714e-05,),
    (3, 1, 0): (-0.00226921615, 0.000380261982, -5.45314314e-09),
    (3, 1, 1): (-0.000796355448, 2.53458034e-05),
    (3, 1, 2): (-6.31223658e-06,),
    (3, 2, 0): (0.000302122035, -4.77403547e-06),
    (3, 2, 1): (1.73825715e-06,),
    (3, 3, 0): (-4.09087898e-07,),
    (4, 0, 0): (0.614155345, -0.0616755931, 0.00133374846),
    (4, 0, 1): (0.00355375387, -0.000513027851),
    (4, 0, 2): (0.000102449757,),
    (4, 1, 0): (-0.00148526421, -4.11469183e-05),
    (4, 1, 1): (-6.80434415e-06,),
    (4, 2, 0): (-9.77675906e-06,),
    (5, 0, 0): (0.0882773108, -0.00301859306),
    (5, 0, 1): (0.00104452989,),
    (5, 1, 0): (0.000247090539,),
    (6, 0, 0): (0.00148348065,),
}

# Saturation vapour pressure over water, ITS-90 (Hardy 1998), the one the polynomial was fitted
# with: ln(e / Pa) = sum g_i T^(i-2), i = 0..6, + g_7 ln T, T in K.
_G = (
    -2836.5744,
    -6028.076559,
    19.54263612,
    -0.02737830188,
    1.6261698e-5,
    7.0229056e-10,
    -1.8680009e-13,
    2.7150305,
)

MAX_TEMPERATURE_C = 50.0
"""Largest air temperature of the fitted range; the smallest is its negative."""

# Powers of Ta / 50 °C in the polynomial that stands for the formula above.
_VAPOUR_DEGREE = 18

# Points that one thread works on at a time: their rows stay in the first-level cache.
_BLOCK = 256


def saturation_pressure_kpa(temperature_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the saturation vapour pressure over water.

    Parameters
    ----------
    temperature_c : numpy.ndarray
        Air temperature, °C, -100 to 100.

    Returns
    -------
    numpy.ndarray
        kPa.

    Notes
    -----
    Hardy 1998, ITS-90 formulations for vapor pressure; coefficients as in the UTCI program of 2009.
    """
    k = temperature_c + 273.15
    logarithm = _G[7] * np.log(k)
    for power, coefficient in enumerate(_G[:7], start=-2):
        logarithm += coefficient * k**power
    return np.asarray(np.exp(logarithm) / 1000)


def vapour_row(dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Fit a polynomial to the saturation pressure within the range of the UTCI.

    Compilers turn a polynomial into vector instructions, but no logarithm and exponential.
    Within -50..50 °C the polynomial keeps to the formula within 1e-12 kPa.

    Parameters
    ----------
    dtype : numpy.dtype
        float32 or float64.

    Returns
    -------
    numpy.ndarray, shape (19,)
        kPa per power of Ta / 50 °C, descending.
    """
    x = np.polynomial.chebyshev.chebpts1(_VAPOUR_DEGREE + 1)
    series = np.polynomial.chebyshev.chebfit(
        x, saturation_pressure_kpa(MAX_TEMPERATURE_C * x), _VAPOUR_DEGREE
    )
    return np.polynomial.chebyshev.cheb2poly(series)[::-1].astype(dtype)


def coefficient_rows(dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Lay the table out in the order in which nested evaluation consumes it.

    Parameters
    ----------
    dtype : numpy.dtype
        float32 or float64.

    Returns
    -------
    numpy.ndarray, shape (210,)
        Descending powers: p outermost, then D, then v, Ta innermost.
    """
    flat = [
        coefficient
        for p in range(DEGREE, -1, -1)
        for d in range(DEGREE - p, -1, -1)
        for v in range(DEGREE - p - d, -1, -1)
        for coefficient in reversed(COEFFICIENTS[p, d, v])
    ]
    return np.array(flat, dtype=dtype)


@numba.njit(parallel=True, cache=True, fastmath={"contract", "nsz"}, error_model="numpy")
def evaluate(
    ta: NDArray[np.floating],
    tmrt: NDArray[np.floating],
    wind: NDArray[np.floating],
    humidity: NDArray[np.floating],
    table: NDArray[np.floating],
    vapour: NDArray[np.floating],
    out: NDArray[np.floating],
) -> None:
    """Fill ``out`` with the UTCI in °C; NaN where an input lies outside the fitted range.

    Parameters
    ----------
    ta, tmrt, wind, humidity : numpy.ndarray, shape (n,)
        Air temperature (°C), mean radiant temperature (°C), wind speed at 10 m (m/s) and
        relative humidity (%), all of one dtype.
    table : numpy.ndarray, shape (210,)
        From :func:`coefficient_rows`, same dtype.
    vapour : numpy.ndarray, shape (19,)
        From :func:`vapour_row`, same dtype.
    out : numpy.ndarray, shape (n,)
        Written to, same dtype.
    """
    n = ta.size
    for block in numba.prange((n + _BLOCK - 1) // _BLOCK):
        points = slice(block * _BLOCK, min((block + 1) * _BLOCK, n))
        t, v, rh, result = ta[points], wind[points], humidity[points], out[points]
        d = tmrt[points] - t
        p = np.empty_like(t)
        scale = table.dtype.type(1 / MAX_TEMPERATURE_C)
        for j in range(t.size):
            x = t[j] * scale
            e = vapour[0]
            for power in range(1, _VAPOUR_DEGREE + 1):
                e = e * x + vapour[power]
            p[j] = e * rh[j] * table.dtype.type(0.01)
        _offset(t, v, d, p, table, result)
        for j in range(t.size):
            inside = (
                (t[j] >= -MAX_TEMPERATURE_C)
                & (t[j] <= MAX_TEMPERATURE_C)
                & (d[j] >= -30)
                & (d[j] <= 70)
                & (v[j] >= 0.5)
                & (v[j] <= 17)
                & (rh[j] >= 0)
                & (rh[j] <= 100)
                & (p[j] <= 5)
            )
            result[j] = t[j] + result[j] if inside else np.nan


@numba.njit(cache=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _offset(
    t: NDArray[np.floating],
    v: NDArray[np.floating],
    d: NDArray[np.floating],
    p: NDArray[np.floating],
    c: NDArray[np.floating],
    offset: NDArray[np.floating],
) -> None:
    # Nested (Horner) evaluation. Each loop over j runs through the whole block, so that the
    # compiler turns it into vector instructions; i walks through the table.
    sum_d = np.empty_like(t)
    sum_v = np.empty_like(t)
    size = t.size
    i = 0
    offset[:] = 0
    for power_p in range(DEGREE, -1, -1):
        sum_d[:] = 0
        for power_d in range(DEGREE - power_p, -1, -1):
            sum_v[:] = 0
            # highest power of Ta beside the power of v, which falls from what is left to 0
            for highest in range(DEGREE - power_p - power_d + 1):
                if highest == 0:
                    for j in range(size):
                        sum_v[j] = sum_v[j] * v[j] + c[i]
                elif highest == 1:
                    for j in range(size):
                        sum_v[j] = sum_v[j] * v[j] + (c[i] * t[j] + c[i + 1])
                elif highest == 2:
                    for j in range(size):
                        s = (c[i] * t[j] + c[i + 1]) * t[j] + c[i + 2]
                        sum_v[j] = sum_v[j] * v[j] + s
                elif highest == 3:
                    for j in range(size):
                        s = (c[i] * t[j] + c[i + 1]) * t[j] + c[i + 2]
                        s = s * t[j] + c[i + 3]
                        sum_v[j] = sum_v[j] * v[j] + s
                elif highest == 4:
                    for j in range(size):
                        s = (c[i] * t[j] + c[i + 1]) * t[j] + c[i + 2]
                        s = (s * t[j] + c[i + 3]) * t[j] + c[i + 4]
                        sum_v[j] = sum_v[j] * v[j] + s
                elif highest == 5:
                    for j in range(size):
                        s = (c[i] * t[j] + c[i + 1]) * t[j] + c[i + 2]
                        s = (s * t[j] + c[i + 3]) * t[j] + c[i + 4]
                        s = s * t[j] + c[i + 5]
                        sum_v[j] = sum_v[j] * v[j] + s
                else:
                    for j in range(size):
                        s = (c[i] * t[j] + c[i + 1]) * t[j] + c[i + 2]
                        s = (s * t[j] + c[i + 3]) * t[j] + c[i + 4]
                        s = (s * t[j] + c[i + 5]) * t[j] + c[i + 6]
                        sum_v[j] = sum_v[j] * v[j] + s
                i += highest + 1
            for j in range(size):
                sum_d[j] = sum_d[j] * d[j] + sum_v[j]
        for j in range(size):
            offset[j] = offset[j] * p[j] + sum_d[j]
