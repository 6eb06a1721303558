"""Where the sun is, and what lies in shadow."""

import math

import numpy as np
import pandas as pd
import pvlib
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, MissingColumnError, ParameterError
from ldt_toolbox.heat.mixing import Floats, as_floats
from ldt_toolbox.heat.sky_view import horizon_slope


def sun_position(
    times: pd.DatetimeIndex, *, latitude_deg: float, longitude_deg: float
) -> pd.DataFrame:
    """Position of the sun in the sky.

    Parameters
    ----------
    times : pandas.DatetimeIndex
        Moments with a time zone.
    latitude_deg, longitude_deg : float
        Place, EPSG:4326, degrees north and east.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``times``; ``elevation_deg`` above the horizon as seen through the air,
        ``azimuth_deg`` clockwise from north.

    Raises
    ------
    DataError
        If the times have no time zone.

    Notes
    -----
    Source: NREL's solar position algorithm (Reda & Andreas 2004, doi:10.1016/j.solener.2003.12.003)
    as implemented by pvlib.
    """
    if times.tz is None:
        raise DataError(
            "the times have no time zone: add one, for example times.tz_localize('Europe/Paris')"
        )
    sun = pvlib.solarposition.get_solarposition(times, latitude_deg, longitude_deg)
    return pd.DataFrame(
        {"elevation_deg": sun["apparent_elevation"], "azimuth_deg": sun["azimuth"]}, index=times
    )


def shadow_mask(
    heights: NDArray[np.generic],
    *,
    cell_size_m: float,
    elevation_deg: float,
    azimuth_deg: float,
    max_distance_m: float | None = None,
    canopy_heights: NDArray[np.generic] | None = None,
) -> NDArray[np.bool_]:
    """Cells that the sun does not reach.

    Parameters
    ----------
    heights : numpy.ndarray, shape (rows, columns)
        Heights in metres of terrain with buildings, row 0 in the north; NaN where missing.
    cell_size_m : float
        Side of a cell.
    elevation_deg : float
        Elevation of the sun above the horizon.
    azimuth_deg : float
        Azimuth of the sun, clockwise from north.
    max_distance_m : float, optional
        How far a shadow may reach; by default as far as it does.
    canopy_heights : numpy.ndarray, optional
        Heights of the tops of tree crowns on the scale of ``heights``, NaN where no tree stands.
        Crowns let no light through and reach down to the ground: the ground below them is in
        shadow, and so is what lies behind.

    Returns
    -------
    numpy.ndarray of bool, shape (rows, columns)
        True in shadow: everywhere when the sun is down, nowhere where ``heights`` is missing
        while the sun is up.

    Notes
    -----
    A cell is in shadow if the horizon towards the sun stands higher than the sun; the shadow of
    an edge of height H ends at ``H / tan(elevation)``.
    """
    surface = as_floats("heights", heights)
    if not -90 <= elevation_deg <= 90:
        raise ParameterError(f"elevation_deg is {elevation_deg}: give -90 to 90 degrees")
    if elevation_deg <= 0:
        return np.ones(surface.shape, np.bool_)
    below_crown = np.zeros(surface.shape, np.bool_)
    if canopy_heights is not None:
        crowns = as_floats("canopy_heights", canopy_heights)
        if crowns.shape != surface.shape:
            raise DataError(
                f"canopy_heights has shape {crowns.shape}, heights {surface.shape}: "
                "put both on one grid first"
            )
        below_crown = crowns > surface
        surface = np.where(below_crown, crowns.astype(surface.dtype, copy=False), surface)
    slope = horizon_slope(
        surface,
        azimuth_deg,
        cell_size_m=cell_size_m,
        radius_m=math.inf if max_distance_m is None else max_distance_m,
    )
    return np.asarray((slope > math.tan(math.radians(elevation_deg))) | below_crown)


def shadow_fraction(
    heights: NDArray[np.generic],
    sun: pd.DataFrame,
    *,
    cell_size_m: float,
    max_distance_m: float | None = None,
    canopy_heights: NDArray[np.generic] | None = None,
) -> Floats:
    """Share of the given moments with the sun up that a cell spends in shadow.

    Parameters
    ----------
    heights, cell_size_m, max_distance_m, canopy_heights
        See ``shadow_mask``.
    sun : pandas.DataFrame
        ``elevation_deg`` and ``azimuth_deg``, one row a moment, as from ``sun_position``.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        0 (always in the sun) to 1; NaN where ``heights`` is missing.

    Raises
    ------
    MissingColumnError
        If ``sun`` lacks a column.
    DataError
        If the sun is up at none of the moments.
    """
    for column in ("elevation_deg", "azimuth_deg"):
        if column not in sun.columns:
            raise MissingColumnError(
                f"the table of sun positions has no column {column}: make it with sun_position()"
            )
    up = sun[sun["elevation_deg"] > 0]
    if up.empty:
        raise DataError("the sun is up at none of the moments: give some in daylight")
    surface = as_floats("heights", heights)
    count = np.zeros(surface.shape, surface.dtype)
    for elevation, azimuth in zip(up["elevation_deg"], up["azimuth_deg"], strict=True):
        count += shadow_mask(
            surface,
            cell_size_m=cell_size_m,
            elevation_deg=float(elevation),
            azimuth_deg=float(azimuth),
            max_distance_m=max_distance_m,
            canopy_heights=canopy_heights,
        )
    count /= len(up)
    count[~np.isfinite(surface)] = np.nan
    return count
