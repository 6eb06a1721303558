"""Thermal comfort outdoors (UTCI) from the weather of a hot day, shadows and sky view."""

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.comfort import utci
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.observed import Observed, provenance_of
from ldt_toolbox.heat.radiant import mean_radiant_temperature
from ldt_toolbox.heat.shadows import shadow_mask, sun_position
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import block_mean
from ldt_toolbox.space.raster import Raster

WEATHER_RANGES = {
    "temperature_c": (-60.0, 60.0),
    "relative_humidity_pct": (0.0, 105.0),
    "wind_speed_ms": (0.0, 80.0),
    "global_radiation_w_m2": (-20.0, 1500.0),
}
"""Beyond these a number is a code for "missing" or has another unit."""
SKY_STEPS = 256


def comfort(
    sky: NDArray[np.float32], inputs: Inputs, ground: Ground, parameters: Parameters
) -> Observed:
    """UTCI on open ground at the chosen hours of the given weather.

    Of a file of several days the one with the hottest chosen hour is taken. Wind below 0.5 m/s
    and above 17 m/s counts as these, where UTCI is defined. Under a tree nothing of the sky is
    seen.

    Parameters
    ----------
    sky : numpy.ndarray, fine shape
        Sky view factor.

    Returns
    -------
    Observed
        Empty if the territory has no weather; the hottest of the chosen hours as layer.

    Raises
    ------
    DataError
        If a time cannot be read or tells no offset from UTC, or a value cannot be weather.
    """
    found = Observed()
    if "weather" not in inputs:
        return found
    weather = inputs.table("weather").reset_index(drop=True)
    local = _local_times(weather["time"], inputs.territory.timezone)
    _refuse_odd_weather(weather)
    usable = weather[list(WEATHER_RANGES)].notna().all(axis=1).to_numpy()
    usable = usable & np.isin(local.hour, parameters.comfort_hours)
    if not usable.any():
        found.note(
            "gap",
            "The weather holds none of the chosen hours with all its values: no thermal comfort.",
            "La météo ne contient aucune des heures choisies avec toutes ses valeurs : pas de "
            "confort thermique.",
        )
        return found
    hottest = local[usable][int(np.argmax(weather.loc[usable, "temperature_c"]))]
    usable = usable & (local.normalize() == hottest.normalize())
    lon, lat = inputs.territory.center_lonlat
    moments = local[usable]
    sun = sun_position(moments, latitude_deg=lat, longitude_deg=lon)
    best, best_mean, when = None, -np.inf, hottest
    open_air = ground.land & (ground.labels < 0)
    for k, moment in enumerate(moments):
        felt = _utci_map(weather[usable].iloc[k], sun.iloc[k], moment.day_of_year, sky, ground)
        felt[~open_air] = np.nan
        mean = float(np.nanmean(felt)) if np.isfinite(felt).any() else -np.inf
        if mean > best_mean:
            best, best_mean, when = felt, mean, moment
    if best is None:
        found.note(
            "gap",
            "UTCI is not defined for the weather of the chosen hours (air of -50 to 50 °C, vapour "
            "pressure up to 5 kPa): no thermal comfort.",
            "L'UTCI n'est pas défini pour la météo des heures choisies (air de -50 à 50 °C, "
            "pression de vapeur jusqu'à 5 kPa) : pas de confort thermique.",
        )
        return found
    grid = ground.grid
    found.layers["comfort"] = Raster(
        block_mean(best, ground.factor), grid.transform, grid.crs, "CEL"
    )
    fake = provenance_of(inputs, "weather") == "synthetic"
    found.indicators["comfort_max"] = Indicator(
        best_mean, provenance="synthetic" if fake else "derived"
    )
    told = when.strftime("%Y-%m-%d %H:%M")
    found.note(
        "assumption",
        f"Thermal comfort is that of {told}, local time.",
        f"Le confort thermique est celui du {told}, heure locale.",
    )
    return found


def _local_times(times: pd.Series, timezone: str) -> pd.DatetimeIndex:
    """Moments in local time; a time without offset is refused, since two hours move the sun 30°."""
    moments = []
    for row, value in enumerate(times, 1):
        moment = value
        if not isinstance(value, datetime):
            try:
                moment = datetime.fromisoformat(str(value).strip())
            except ValueError:
                moment = pd.NaT
        if moment is pd.NaT:
            raise DataError(
                f"weather: `{value}` in row {row} is no time: write it as 2025-07-15T13:00:00+02:00"
            )
        if moment.utcoffset() is None:
            raise DataError(
                f"weather: `{value}` in row {row} does not tell its offset from UTC: write local "
                "time as 2025-07-15T13:00:00+02:00, or UTC as 2025-07-15T11:00:00Z"
            )
        moments.append(moment)
    return pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).tz_convert(timezone)


def _refuse_odd_weather(weather: pd.DataFrame) -> None:
    for column, (low, high) in WEATHER_RANGES.items():
        odd = (weather[column] < low) | (weather[column] > high)
        if odd.any():
            row = int(np.argmax(odd))
            raise DataError(
                f"weather: {column} is {weather[column].iloc[row]:g} in row {row + 1}, which no "
                f"weather is ({low:g} to {high:g}): check its unit, and leave missing values empty"
            )


def _utci_map(
    row: pd.Series, sun: pd.Series, day: int, sky: NDArray[np.float32], ground: Ground
) -> NDArray[np.float32]:
    elevation = float(sun["elevation_deg"])
    shaded = np.ones(sky.shape, np.bool_)
    if elevation > 0:
        shaded = shadow_mask(
            ground.surface_m, cell_size_m=ground.fine.cell_size_m, elevation_deg=elevation,
            azimuth_deg=float(sun["azimuth_deg"]),
        ) | ground.covered  # fmt: skip
    air, humidity = float(row["temperature_c"]), float(row["relative_humidity_pct"])
    wind = float(np.clip(row["wind_speed_ms"], 0.5, 17.0))
    # At one moment only sky view and shade differ between cells: two smooth curves say it all.
    views = np.linspace(0.0, 1.0, SKY_STEPS + 1)
    in_sun, in_shade = (
        utci(
            air,
            mean_radiant_temperature(
                air, float(row["global_radiation_w_m2"]), humidity, elevation, day_of_year=day,
                shaded=shade, sky_view_factor=views, wind_speed_ms=wind,
            ), wind, min(humidity, 100.0),
        ) for shade in (0.0, 1.0)
    )  # fmt: skip
    # the given view is that of crown tops; the ground below sees nothing of the sky
    seen = np.where(ground.covered, np.float32(0), sky)
    felt = np.where(shaded, np.interp(seen, views, in_shade), np.interp(seen, views, in_sun))
    return np.asarray(felt, np.float32)
