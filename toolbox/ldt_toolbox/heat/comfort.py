"""How heat feels: UTCI, humidex and WBGT from air temperature, radiation, wind and humidity."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.utci_polynomial import coefficient_rows, evaluate, vapour_row

UTCI_STRESS_CATEGORIES = (
    "extreme cold stress",
    "very strong cold stress",
    "strong cold stress",
    "moderate cold stress",
    "slight cold stress",
    "no thermal stress",
    "moderate heat stress",
    "strong heat stress",
    "very strong heat stress",
    "extreme heat stress",
)
"""Names of the ten categories, from cold to hot; the index is the category's number."""

_UPPER_EDGES_C = np.array([-40.0, -27.0, -13.0, 0.0, 9.0, 26.0, 32.0, 38.0, 46.0])

_TABLES = {
    kind: (coefficient_rows(np.dtype(kind)), vapour_row(np.dtype(kind)))
    for kind in ("float32", "float64")
}


def utci(
    air_temperature_c: ArrayLike,
    mean_radiant_temperature_c: ArrayLike,
    wind_speed_10m_ms: ArrayLike,
    relative_humidity_pct: ArrayLike,
) -> NDArray[np.floating]:
    """Return the Universal Thermal Climate Index by its polynomial approximation.

    Inputs are broadcast against each other. float32 arrays (with plain numbers beside them) are
    worked on in float32, anything else in float64.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature 2 m above ground, °C, -50 to 50.
    mean_radiant_temperature_c : array-like
        Mean radiant temperature, °C, from 30 K below to 70 K above air temperature.
    wind_speed_10m_ms : array-like
        Wind speed 10 m above ground, m/s, 0.5 to 17. Weaker wind gives NaN: raise it to 0.5
        beforehand if calm is meant.
    relative_humidity_pct : array-like
        Relative humidity, %, 0 to 100; the vapour pressure it stands for may not pass 5 kPa.

    Returns
    -------
    numpy.ndarray
        UTCI in °C, of the broadcast shape; NaN where an input is missing or out of range.

    Raises
    ------
    DataError
        If the shapes do not fit together.

    Notes
    -----
    Bröde et al. 2012, 10.1007/s00484-011-0454-1: the polynomial departs from the full model by
    1.1 K (root mean square). float32 departs from float64 by less than 0.001 K.
    """
    inputs = [
        np.asarray(value)
        for value in (
            air_temperature_c,
            mean_radiant_temperature_c,
            wind_speed_10m_ms,
            relative_humidity_pct,
        )
    ]
    try:
        shape = np.broadcast_shapes(*(array.shape for array in inputs))
    except ValueError as error:
        raise DataError(
            f"the four inputs of UTCI have shapes {[array.shape for array in inputs]}, which do "
            "not fit together: bring them to one grid first"
        ) from error
    shaped = [array.dtype for array in inputs if array.ndim] or [np.dtype("float64")]
    dtype = np.dtype("float32" if all(kind == np.float32 for kind in shaped) else "float64")
    air, radiant, wind, humidity = (
        np.ascontiguousarray(np.broadcast_to(array.astype(dtype, copy=False), shape)).reshape(-1)
        for array in inputs
    )
    out = np.empty(air.size, dtype=dtype)
    evaluate(air, radiant, wind, humidity, *_TABLES[dtype.name], out)
    return out.reshape(shape)


def utci_stress_category(utci_c: ArrayLike) -> NDArray[np.int8]:
    """Classify UTCI into the ten categories of thermal stress.

    Parameters
    ----------
    utci_c : array-like
        UTCI in °C.

    Returns
    -------
    numpy.ndarray of int8
        Index into :data:`UTCI_STRESS_CATEGORIES`, -1 where UTCI is missing. An upper edge
        belongs to the category below it: 26 °C is still "no thermal stress".

    Notes
    -----
    Edges: assessment scale of Bröde et al. 2012, 10.1007/s00484-011-0454-1.
    """
    values = np.asarray(utci_c, dtype=np.float64)
    category = np.searchsorted(_UPPER_EDGES_C, values, side="left").astype(np.int8)
    return np.where(np.isnan(values), np.int8(-1), category)


def humidex(air_temperature_c: ArrayLike, dew_point_c: ArrayLike) -> NDArray[np.float64]:
    """Return the Canadian humidex.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature, °C.
    dew_point_c : array-like
        Dew point, °C; :func:`dew_point` derives it from relative humidity.

    Returns
    -------
    numpy.ndarray
        Humidex, a number on the scale of °C; discomfort begins at 30, danger at 45.

    Notes
    -----
    Masterson and Richardson 1979: T + 5/9 (e - 10), e = 6.11 exp(5417.753 (1/273.16 - 1/Td)) hPa.
    """
    temperature = np.asarray(air_temperature_c, dtype=np.float64)
    dew_point_k = np.asarray(dew_point_c, dtype=np.float64) + 273.15
    vapour_pressure_hpa = 6.11 * np.exp(5417.753 * (1 / 273.16 - 1 / dew_point_k))
    return np.asarray(temperature + 5 / 9 * (vapour_pressure_hpa - 10))


def dew_point(
    air_temperature_c: ArrayLike, relative_humidity_pct: ArrayLike
) -> NDArray[np.float64]:
    """Return the dew point by inverting the Magnus formula.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature, °C, -45 to 60.
    relative_humidity_pct : array-like
        Relative humidity, %, above 0; NaN comes out for 0 and below.

    Returns
    -------
    numpy.ndarray
        Dew point, °C.

    Notes
    -----
    Sonntag 1990, coefficients over water 17.62 and 243.12 °C.
    """
    temperature = np.asarray(air_temperature_c, dtype=np.float64)
    humidity = np.asarray(relative_humidity_pct, dtype=np.float64)
    humidity = np.where(humidity > 0, humidity, np.nan)
    gamma = np.log(humidity / 100) + 17.62 * temperature / (243.12 + temperature)
    return np.asarray(243.12 * gamma / (17.62 - gamma))


def wet_bulb(air_temperature_c: ArrayLike, relative_humidity_pct: ArrayLike) -> NDArray[np.float64]:
    """Return the (psychrometric) wet bulb temperature by Stull's regression.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature, °C, -20 to 50.
    relative_humidity_pct : array-like
        Relative humidity, %, 5 to 99; at low temperature the lower end is not covered.

    Returns
    -------
    numpy.ndarray
        Wet bulb temperature, °C, for sea-level pressure; NaN outside these ranges.

    Notes
    -----
    Stull 2011, 10.1175/JAMC-D-11-0143.1, equation 1; errors -1 to +0.65 K. This is a ventilated
    and shaded wet bulb. The *natural* wet bulb of ISO 7243 stands in sun and wind and reads
    higher under strong sun, by up to some kelvin: a WBGT built on this value is then too low.
    """
    t = np.asarray(air_temperature_c, dtype=np.float64)
    rh = np.asarray(relative_humidity_pct, dtype=np.float64)
    rh = np.where((rh >= 5) & (rh <= 99) & (t >= -20) & (t <= 50), rh, np.nan)
    return np.asarray(
        t * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(t + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035
    )


def wbgt(
    natural_wet_bulb_c: ArrayLike,
    globe_c: ArrayLike,
    air_temperature_c: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the wet bulb globe temperature.

    Parameters
    ----------
    natural_wet_bulb_c : array-like
        Natural wet bulb temperature, °C. :func:`wet_bulb` approximates it out of the sun.
    globe_c : array-like
        Temperature of a black globe of 150 mm, °C.
    air_temperature_c : array-like, optional
        Air temperature, °C. Give it where the sun shines, leave it out indoors and in shade.

    Returns
    -------
    numpy.ndarray
        WBGT, °C: 0.7 wet bulb + 0.2 globe + 0.1 air with sun, 0.7 wet bulb + 0.3 globe without.

    Notes
    -----
    ISO 7243:2017, the two formulas of WBGT with and without solar load.
    """
    wet = np.asarray(natural_wet_bulb_c, dtype=np.float64)
    globe = np.asarray(globe_c, dtype=np.float64)
    if air_temperature_c is None:
        return np.asarray(0.7 * wet + 0.3 * globe)
    return np.asarray(0.7 * wet + 0.2 * globe + 0.1 * np.asarray(air_temperature_c, np.float64))
