"""Air temperature and evaporation where only sparse weather data exist."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

AIR_HEAT_CAPACITY_J_M3_K = 1.2 * 1005.0
"""Density times specific heat of air near the ground, about 20 °C and sea level."""

DAYS_IN_MONTH = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days of a common year."""

_HOT_C = 26.5


def kinematic_shortwave(shortwave_w_m2: ArrayLike) -> NDArray[np.float64]:
    """Turn a radiation flux into the kinematic unit of :func:`uhi_max_theeuwes`.

    Parameters
    ----------
    shortwave_w_m2 : array-like
        Global radiation, mean over the day and the night, W/m2.

    Returns
    -------
    numpy.ndarray
        K m/s: the flux over density and specific heat of air.
    """
    return np.asarray(shortwave_w_m2, dtype=np.float64) / AIR_HEAT_CAPACITY_J_M3_K


def uhi_max_theeuwes(
    svf: ArrayLike,
    vegetation_fraction: ArrayLike,
    shortwave_k_m_s: ArrayLike,
    diurnal_range_k: ArrayLike,
    wind_ms: ArrayLike,
) -> NDArray[np.float64]:
    """Return the day's largest difference of air temperature between street and countryside.

    Parameters
    ----------
    svf : array-like
        Sky view factor of the neighbourhood, 0..1.
    vegetation_fraction : array-like
        Share of the ground under vegetation within some 500 m, 0..1.
    shortwave_k_m_s : array-like
        Rural global radiation as the mean of 24 h, in K m/s (:func:`kinematic_shortwave`).
    diurnal_range_k : array-like
        Rural daily maximum minus minimum of air temperature, K.
    wind_ms : array-like
        Rural mean wind speed 10 m above ground over 24 h, m/s, above 0.

    Returns
    -------
    numpy.ndarray
        Largest urban minus rural air temperature of the day, K, usually a few hours after sunset.

    Raises
    ------
    DataError
        If shares lie outside 0..1, radiation or range is negative, or wind is not above 0.

    Notes
    -----
    Theeuwes et al. 2017, 10.1002/joc.4717: (2 - SVF - fveg) (S DTR^3 / U)^(1/4). A fit to stations
    in cities of north-western Europe, on days without rain, fog or a passing front. From
    memory: sky view factors of 0.2 to 0.9, vegetation up to 0.4, error about 0.9 K. It knows no
    sea breeze, slope wind or lake: in coastal and mountain towns take it as an upper bound.
    """
    sky = _share("svf", svf)
    green = _share("vegetation_fraction", vegetation_fraction)
    radiation = np.asarray(shortwave_k_m_s, dtype=np.float64)
    diurnal = np.asarray(diurnal_range_k, dtype=np.float64)
    wind = np.asarray(wind_ms, dtype=np.float64)
    if (radiation < 0).any() or (diurnal < 0).any():
        raise DataError("radiation or diurnal range is negative: check their units and signs")
    if (radiation > 1).any():
        raise DataError(
            f"shortwave_k_m_s reaches {np.nanmax(radiation):g} K m/s, above 1 (1,200 W/m2): "
            "convert W/m2 with kinematic_shortwave"
        )
    if (wind <= 0).any():
        raise DataError("wind_ms is 0 or negative in places: the formula needs some wind")
    return np.asarray((2 - sky - green) * (radiation * diurnal**3 / wind) ** 0.25)


def mean_daylight_hours(latitude_deg: float) -> NDArray[np.float64]:
    """Return the mean length of the day in each month of a common year.

    Parameters
    ----------
    latitude_deg : float
        Latitude, degrees, north positive.

    Returns
    -------
    numpy.ndarray, shape (12,)
        Hours, sun's centre above a flat horizon, no refraction.

    Raises
    ------
    ParameterError
        If the latitude is not within -90..90.

    Notes
    -----
    FAO 56 (Allen et al. 1998), equations 24, 25 and 34.
    """
    if not -90 <= latitude_deg <= 90:
        raise ParameterError(f"latitude_deg is {latitude_deg}; give degrees from -90 to 90")
    declination = 0.409 * np.sin(2 * np.pi / 365 * np.arange(1, 366) - 1.39)
    cosine = -np.tan(np.deg2rad(latitude_deg)) * np.tan(declination)
    hours = 24 / np.pi * np.arccos(np.clip(cosine, -1, 1))
    starts = np.concatenate([[0], np.cumsum(DAYS_IN_MONTH)[:-1]])
    return np.asarray(np.add.reduceat(hours, starts) / DAYS_IN_MONTH)


def thornthwaite_et0(monthly_mean_c: ArrayLike, latitude_deg: float) -> NDArray[np.float64]:
    """Return potential evapotranspiration from monthly mean temperatures alone.

    Parameters
    ----------
    monthly_mean_c : array-like, shape (12,)
        Normal mean air temperature of January to December, °C.
    latitude_deg : float
        Latitude, degrees, north positive.

    Returns
    -------
    numpy.ndarray, shape (12,)
        Potential evapotranspiration, mm per day, mean of each month.

    Raises
    ------
    DataError
        If there are not twelve numbers.
    ParameterError
        If the latitude is not within -90..90.

    Notes
    -----
    Thornthwaite 1948, 10.2307/210739: 16 mm (10 T / I)^a per month of 30 days of 12 h, corrected
    for day length; I = sum (T/5)^1.514. Above 26.5 °C the exponent no longer holds; the parabola of
    Willmott et al. 1985 stands in. Known to be too low in dry and windy places: prefer measured
    or reanalysis ET0 where there is one.
    """
    temperature = np.asarray(monthly_mean_c, dtype=np.float64)
    if temperature.shape != (12,) or not np.isfinite(temperature).all():
        raise DataError(
            f"monthly means have shape {temperature.shape} with "
            f"{int(np.isnan(temperature).sum())} missing: give twelve, January to December"
        )
    warm = np.maximum(temperature, 0.0)
    heat_index = float(((warm / 5) ** 1.514).sum())
    exponent = 0.49239 + heat_index * (1.792e-2 + heat_index * (-7.71e-5 + heat_index * 6.75e-7))
    standard_mm = np.zeros(12)
    thawed = warm > 0
    standard_mm[thawed] = 16 * (10 * warm[thawed] / heat_index) ** exponent
    hot = temperature >= _HOT_C
    standard_mm[hot] = -415.85 + 32.24 * temperature[hot] - 0.43 * temperature[hot] ** 2
    return np.asarray(standard_mm / 30 * mean_daylight_hours(latitude_deg) / 12)


def _share(name: str, value: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(value, dtype=np.float64)
    if ((array < 0) | (array > 1)).any():
        raise DataError(
            f"{name} runs from {np.nanmin(array):g} to {np.nanmax(array):g}: "
            "it is a share, give 0 to 1 (not %)"
        )
    return array
