"""Mean radiant temperature: what sun, sky, ground and walls radiate onto a standing person."""

import numpy as np
import pvlib
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

STEFAN_BOLTZMANN = 5.670374419e-8
"""W m-2 K-4 (CODATA 2018)."""

BODY_ABSORPTION_SHORTWAVE = 0.7
"""Share of sunlight that a clothed person absorbs (VDI 3787-2)."""

BODY_EMISSIVITY = 0.97
"""Longwave emissivity of a clothed person (VDI 3787-2)."""

SURFACE_EMISSIVITY = 0.95
"""Longwave emissivity of streets and walls; typical of mineral materials, from memory."""

HEAT_STORAGE_SHARE = 0.3
"""Share of net radiation that dry paved ground stores; assumed, measured values: 0.25 to 0.6."""

WALL_SUNLIT_SHARE = 0.5
"""Global radiation on walls as a share of that on open ground, mean of sides; assumed."""

_FLOAT = NDArray[np.float64]


def sky_emissivity(
    air_temperature_c: ArrayLike, relative_humidity_pct: ArrayLike, *, cloud_fraction: float = 0.0
) -> _FLOAT:
    """Return the longwave emissivity of the sky.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature, °C.
    relative_humidity_pct : array-like
        Relative humidity, %.
    cloud_fraction : float
        Share of the sky under cloud, 0..1.

    Returns
    -------
    numpy.ndarray
        Emissivity, 0..1.

    Notes
    -----
    Clear sky: Prata 1996, 10.1002/qj.49712253306; clouds count as black, Crawford and Duchon 1999.
    """
    _check_share("cloud_fraction", cloud_fraction)
    temperature = np.asarray(air_temperature_c, dtype=np.float64)
    humidity = np.asarray(relative_humidity_pct, dtype=np.float64)
    saturation_hpa = 6.112 * np.exp(17.62 * temperature / (243.12 + temperature))
    water = 46.5 * saturation_hpa * humidity / 100 / (temperature + 273.15)
    clear = 1 - (1 + water) * np.exp(-np.sqrt(1.2 + 3 * water))
    return np.asarray(cloud_fraction + (1 - cloud_fraction) * clear)


def projected_area_factor(sun_elevation_deg: ArrayLike) -> _FLOAT:
    """Return how much of a standing person's surface faces the sun.

    Parameters
    ----------
    sun_elevation_deg : array-like
        Elevation of the sun, degrees above the horizon.

    Returns
    -------
    numpy.ndarray
        Projected area / body surface: 0.308 for a low sun, 0.082 overhead; 0 at night.

    Notes
    -----
    VDI 3787-2: 0.308 cos(g (0.998 - g^2 / 50000)), g in degrees.
    """
    elevation = np.asarray(sun_elevation_deg, dtype=np.float64)
    factor = 0.308 * np.cos(np.deg2rad(elevation * (0.998 - elevation**2 / 50_000)))
    return np.where(elevation > 0, factor, 0.0)


def estimate_surface_temperature(
    air_temperature_c: ArrayLike,
    absorbed_shortwave_w_m2: ArrayLike,
    incoming_longwave_w_m2: ArrayLike,
    *,
    wind_speed_ms: ArrayLike = 2.0,
) -> _FLOAT:
    """Estimate the temperature of dry ground in balance with sun, sky and wind.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature, °C.
    absorbed_shortwave_w_m2 : array-like
        Sunlight that the ground keeps, W/m2.
    incoming_longwave_w_m2 : array-like
        Longwave radiation from sky and walls, W/m2.
    wind_speed_ms : array-like
        Wind near the ground, m/s.

    Returns
    -------
    numpy.ndarray
        Surface temperature, °C.

    Notes
    -----
    (1 - storage) Q* = h (Ts - Ta) with net radiation Q* linearised around Ta and
    h = 5.7 + 3.8 wind (McAdams 1954, W m-2 K-1). No memory: the warmth that walls and asphalt
    keep from the afternoon into the night is not in it. Nothing evaporates: lawns are cooler.
    """
    air = np.asarray(air_temperature_c, dtype=np.float64)
    air_k = air + 273.15
    net = np.asarray(absorbed_shortwave_w_m2, np.float64) + SURFACE_EMISSIVITY * (
        np.asarray(incoming_longwave_w_m2, np.float64) - STEFAN_BOLTZMANN * air_k**4
    )
    convection = 5.7 + 3.8 * np.asarray(wind_speed_ms, dtype=np.float64)
    kept = 1 - HEAT_STORAGE_SHARE
    radiative = 4 * SURFACE_EMISSIVITY * STEFAN_BOLTZMANN * air_k**3
    return np.asarray(air + kept * net / (convection + kept * radiative))


def mean_radiant_temperature(
    air_temperature_c: ArrayLike,
    global_radiation_w_m2: ArrayLike,
    relative_humidity_pct: ArrayLike,
    sun_elevation_deg: ArrayLike,
    *,
    day_of_year: int,
    shaded: ArrayLike = 0.0,
    sky_view_factor: ArrayLike = 1.0,
    surface_temperature_c: ArrayLike | None = None,
    wall_temperature_c: ArrayLike | None = None,
    albedo: ArrayLike = 0.2,
    wind_speed_ms: ArrayLike = 2.0,
    cloud_fraction: float = 0.0,
) -> _FLOAT:
    """Return the mean radiant temperature at a standing person, 1.1 m above ground.

    Inputs are broadcast against each other: weather is usually a number, ``shaded`` and
    ``sky_view_factor`` are grids.

    Parameters
    ----------
    air_temperature_c : array-like
        Air temperature, °C.
    global_radiation_w_m2 : array-like
        Global radiation on open, level ground, W/m2.
    relative_humidity_pct : array-like
        Relative humidity, %.
    sun_elevation_deg : array-like
        Elevation of the sun, degrees.
    day_of_year : int
        1..366, for the distance to the sun.
    shaded : array-like
        Share of the direct beam that is blocked, 0 (sun) .. 1 (shade).
    sky_view_factor : array-like
        Radiative sky view factor, 0..1.
    surface_temperature_c : array-like, optional
        Ground temperature, °C; else :func:`estimate_surface_temperature` (dry ground).
    wall_temperature_c : array-like, optional
        Temperature of what hides the sky, °C; else air temperature.
    albedo : array-like
        Share of sunlight that ground and walls reflect, 0..1.
    wind_speed_ms : array-like
        Wind near the ground, m/s; only used to estimate the ground's temperature.
    cloud_fraction : float
        Share of the sky under cloud, 0..1.

    Returns
    -------
    numpy.ndarray
        Mean radiant temperature, °C, of the broadcast shape.

    Raises
    ------
    DataError
        If a share lies outside 0..1.
    ParameterError
        If ``day_of_year`` or ``cloud_fraction`` is out of range.

    Notes
    -----
    VDI 3787-2 as written out by Di Napoli et al. 2020, 10.1007/s00484-020-01900-5. Beam and
    diffuse light: Erbs et al. 1982. Six flux directions weighted 4 x 0.22 for the sides and
    2 x 0.06 for up and down (Höppe 1992) give the upper and the lower half of the surroundings
    half the weight each when radiation does not depend on the azimuth; that is assumed here.

    What it can't show: a sunlit wall on one side (walls have one temperature and one brightness),
    tree crowns (they count as walls), reflections beyond the first, and heat stored during the
    day. It has been checked against closed forms, not against measurements: use it to compare
    places, shade and scenarios rather than for the third digit.
    """
    if not 1 <= day_of_year <= 366:
        raise ParameterError(f"day_of_year is {day_of_year}; give a day from 1 to 366")
    for name, share in (
        ("shaded", shaded),
        ("sky_view_factor", sky_view_factor),
        ("albedo", albedo),
    ):
        _check_share(name, share)
    air = np.asarray(air_temperature_c, dtype=np.float64)
    elevation = np.asarray(sun_elevation_deg, dtype=np.float64)
    sunlit = 1 - np.asarray(shaded, dtype=np.float64)
    open_sky = np.asarray(sky_view_factor, dtype=np.float64)
    hidden_sky = 1 - open_sky
    reflected = np.asarray(albedo, dtype=np.float64)

    # shortwave
    sun_up = elevation > 0
    total = np.where(sun_up, np.maximum(np.asarray(global_radiation_w_m2, np.float64), 0.0), 0.0)
    split = pvlib.irradiance.erbs(total, 90 - elevation, day_of_year)
    beam, diffuse = np.asarray(split["dni"]), np.asarray(split["dhi"])
    beam_on_ground = (total - diffuse) * sunlit
    from_walls = hidden_sky * reflected * WALL_SUNLIT_SHARE * total
    from_above = open_sky * diffuse + from_walls
    on_ground = beam_on_ground + from_above
    from_below = reflected * on_ground

    # longwave
    sky = sky_emissivity(air, relative_humidity_pct, cloud_fraction=cloud_fraction) * _black(air)
    wall_c = air if wall_temperature_c is None else np.asarray(wall_temperature_c, np.float64)
    incoming = open_sky * sky + hidden_sky * _black(wall_c)
    if surface_temperature_c is None:
        ground_c = estimate_surface_temperature(
            air, (1 - reflected) * on_ground, incoming, wind_speed_ms=wind_speed_ms
        )
    else:
        ground_c = np.asarray(surface_temperature_c, dtype=np.float64)
    ground = _radiosity(ground_c, incoming)
    upper = open_sky * sky + hidden_sky * _radiosity(wall_c, incoming)

    absorbed = 0.5 * (upper + ground) + BODY_ABSORPTION_SHORTWAVE / BODY_EMISSIVITY * (
        0.5 * (from_above + from_below) + projected_area_factor(elevation) * beam * sunlit
    )
    return np.asarray((absorbed / STEFAN_BOLTZMANN) ** 0.25 - 273.15)


def _black(temperature_c: _FLOAT) -> _FLOAT:
    return np.asarray(STEFAN_BOLTZMANN * (temperature_c + 273.15) ** 4)


def _radiosity(temperature_c: _FLOAT, incoming: _FLOAT) -> _FLOAT:
    return np.asarray(
        SURFACE_EMISSIVITY * _black(temperature_c) + (1 - SURFACE_EMISSIVITY) * incoming
    )


def _check_share(name: str, value: ArrayLike) -> None:
    array = np.asarray(value, dtype=np.float64)
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        error = ParameterError if array.ndim == 0 else DataError
        raise error(
            f"{name} reaches {array[wrong].max():g} and {array[wrong].min():g} in "
            f"{int(wrong.sum())} places: it is a share, give 0 to 1 (not %)"
        )
