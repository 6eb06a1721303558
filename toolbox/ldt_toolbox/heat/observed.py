"""Where observations are there: surface temperature, climate zones, stations, comfort."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.comfort import utci
from ldt_toolbox.heat.exposure import at_points
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.radiant import mean_radiant_temperature
from ldt_toolbox.heat.shadows import shadow_mask, sun_position
from ldt_toolbox.heat.surface import lcz_contrast, surface_uhi
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Note
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import block_mean, onto_grid, paint
from ldt_toolbox.space.raster import Raster

KELVIN = 273.15
BUILT_ZONES = range(1, 11)
WATER_ZONE = 17
KELVIN_UNITS = {"KEL", "K"}


@dataclass
class Observed:
    """What observations add to a result.

    Attributes
    ----------
    indicators, layers, tables, notes
        As in `Results`.
    """

    indicators: dict[str, Indicator] = field(default_factory=dict)
    layers: dict[str, Raster] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def surface_heat_island(inputs: Inputs, parameters: Parameters) -> Observed:
    """Surface heat island against three rural rings, and contrast of climate zones.

    Returns
    -------
    Observed
        Empty if the territory has no land surface temperature.
    """
    found = Observed()
    if "land_surface_temperature" not in inputs:
        return found
    lst = inputs.raster("land_surface_temperature")
    provenance = inputs.layers["land_surface_temperature"].source.provenance
    kelvin = lst.values.astype(np.float32)
    if lst.unit not in KELVIN_UNITS:
        kelvin = kelvin + np.float32(KELVIN)
    middle = float(np.nanmedian(kelvin))
    if not 200 <= middle <= 350:
        raise DataError(
            f"land_surface_temperature, declared as {lst.unit}, has a median of {middle:.0f} K: "
            "scale raw Landsat numbers with heat.landsat.surface_temperature first, and declare "
            "`unit: KEL` or `unit: CEL`"
        )
    urban = np.zeros(lst.shape, np.uint8)
    paint([(inputs.territory.boundary_geometry, 1)], lst, out=urban)
    zones: NDArray[np.int32] | None = None
    if "local_climate_zones" in inputs:
        sampled = onto_grid(inputs.raster("local_climate_zones"), lst, nearest=True)
        zones = np.where(np.isfinite(sampled), sampled, 0).astype(np.int32)
    water = np.zeros(lst.shape, np.uint8)
    if "water" in inputs:
        paint(((s, 1) for s in inputs.frame("water").geometry), lst, out=water)
    built = np.zeros(lst.shape, bool)
    if zones is not None:
        built = np.isin(zones, BUILT_ZONES)
        water = water | (zones == WATER_ZONE)
    elevation = None
    if "terrain" in inputs:
        elevation = onto_grid(inputs.raster("terrain"), lst)
    rings = surface_uhi(
        kelvin, urban == 1, water > 0, built, elevation,
        cell_size_m=lst.cell_size_m,
        ring_distances_km=_three(parameters.rural_rings_km),
        seed=parameters.seed,
    )  # fmt: skip
    found.tables["surface_heat_island"] = pd.DataFrame(
        {
            "ring": [f"{a:g}-{b:g} km" for a, b in rings[["inner_km", "outer_km"]].to_numpy()],
            "n_rural": rings["n_rural"],
            "suhi_k": rings["suhi_k"],
            "low_k": rings["suhi_p025_k"],
            "high_k": rings["suhi_p975_k"],
        }
    )
    known = rings["suhi_k"].dropna()
    if len(known):
        found.indicators["surface_uhi"] = Indicator(
            float(known.median()), float(known.min()), float(known.max()),
            "smallest to largest of the rural rings", provenance,
        )  # fmt: skip
    else:
        found.notes.append(
            Note(
                "gap",
                {
                    "en": "No rural ring has cells to compare with: " + rings["reason"].iloc[0],
                    "fr": "Aucun anneau rural n'a de mailles de comparaison : le raster doit "
                    "dépasser la limite de plusieurs kilomètres.",
                },
            )
        )
    if zones is not None:
        contrast = lcz_contrast(kelvin, zones)
        found.tables["climate_zone_contrast"] = pd.DataFrame(
            {
                "zone": contrast["label"] + " " + contrast["name"],
                "cells": contrast["n"],
                "contrast_k": contrast["contrast_k"],
            }
        )
    found.layers["surface_temperature"] = Raster(
        (kelvin - np.float32(KELVIN)).astype(np.float32), lst.transform, lst.crs, "CEL"
    )
    return found


def _three(rings: tuple[float, ...]) -> tuple[float, float, float]:
    if len(rings) != 3:
        raise DataError(f"rural_rings_km needs three distances, not {list(rings)}")
    return rings[0], rings[1], rings[2]


def stations(temperature_c: NDArray[np.float32], inputs: Inputs, ground: Ground) -> Observed:
    """Modelled minus observed air temperature at stations.

    Returns
    -------
    Observed
        Empty if the territory has no stations; a note where they lie outside the model.
    """
    found = Observed()
    if "stations" not in inputs:
        return found
    frame = inputs.frame("stations")
    provenance = inputs.layers["stations"].source.provenance
    modelled = at_points(temperature_c, ground, frame.geometry.x, frame.geometry.y)
    observed = frame["temperature_c"].to_numpy(np.float64)
    names = frame["name"].astype(str) if "name" in frame else pd.Series(range(1, len(frame) + 1))
    table = pd.DataFrame(
        {"name": names.astype(str), "observed_c": observed, "modelled_c": modelled,
         "difference_k": modelled - observed}
    )  # fmt: skip
    found.tables["stations"] = table
    difference = table["difference_k"].dropna()
    if provenance == "synthetic":
        found.notes.append(
            Note(
                "warning",
                {
                    "en": "The stations are synthetic: they show how the comparison works and "
                    "validate nothing.",
                    "fr": "Les stations sont synthétiques : elles montrent la comparaison et ne "
                    "valident rien.",
                },
            )
        )
    elif len(difference):
        found.indicators["station_bias"] = Indicator(float(difference.mean()))
        found.indicators["station_rmse"] = Indicator(float(np.sqrt((difference**2).mean())))
    return found


def comfort(
    sky: NDArray[np.float32], inputs: Inputs, ground: Ground, parameters: Parameters
) -> Observed:
    """UTCI on open ground at the chosen hours of the given weather.

    Parameters
    ----------
    sky : numpy.ndarray, fine shape
        Sky view factor.

    Returns
    -------
    Observed
        Empty if the territory has no weather; the hottest of the chosen hours as layer.
    """
    found = Observed()
    if "weather" not in inputs:
        return found
    weather = inputs.table("weather")
    times = pd.to_datetime(weather["time"], utc=True, errors="coerce")
    if times.isna().any():
        row = int(np.flatnonzero(times.isna())[0])
        raise DataError(
            f"weather: `{weather['time'].iloc[row]}` in row {row + 1} is no time: write it as "
            "2025-07-15T13:00:00+02:00"
        )
    local = times.dt.tz_convert(inputs.territory.timezone)
    chosen = weather[local.dt.hour.isin(parameters.comfort_hours).to_numpy()]
    if chosen.empty:
        found.notes.append(
            Note(
                "gap",
                {
                    "en": "The weather holds none of the chosen hours: no thermal comfort.",
                    "fr": "La météo ne contient aucune des heures choisies : pas de confort.",
                },
            )
        )
        return found
    lon, lat = inputs.territory.center_lonlat
    moments = pd.DatetimeIndex(local[chosen.index])
    sun = sun_position(moments, latitude_deg=lat, longitude_deg=lon)
    best: NDArray[np.float32] | None = None
    best_mean = -np.inf
    open_air = ground.land & (ground.labels < 0)
    for k, moment in enumerate(moments):
        felt = _utci_map(chosen.iloc[k], sun.iloc[k], moment.dayofyear, sky, ground)
        felt[~open_air] = np.nan
        mean = float(np.nanmean(felt)) if np.isfinite(felt).any() else -np.inf
        if mean > best_mean:
            best, best_mean = felt, mean
    if best is None:
        return found
    grid = ground.grid
    found.layers["comfort"] = Raster(
        block_mean(best, ground.factor), grid.transform, grid.crs, "CEL"
    )
    found.indicators["comfort_max"] = Indicator(best_mean)
    return found


def _utci_map(
    row: pd.Series, sun: pd.Series, day: int, sky: NDArray[np.float32], ground: Ground
) -> NDArray[np.float32]:
    elevation = float(sun["elevation_deg"])
    shaded = np.ones(sky.shape, np.float32)
    if elevation > 0:
        shaded = shadow_mask(
            ground.surface_m, cell_size_m=ground.fine.cell_size_m, elevation_deg=elevation,
            azimuth_deg=float(sun["azimuth_deg"]),
        ).astype(np.float32)  # fmt: skip
    shaded[ground.covered] = 1.0
    air, humidity = float(row["temperature_c"]), float(row["relative_humidity_pct"])
    wind = float(row["wind_speed_ms"])
    radiant = mean_radiant_temperature(
        air, float(row["global_radiation_w_m2"]), humidity, elevation, day_of_year=day,
        shaded=shaded, sky_view_factor=np.clip(sky, 0.0, 1.0), wind_speed_ms=max(wind, 0.5),
    )  # fmt: skip
    radiant = np.asarray(radiant, np.float32)
    full = np.full_like
    return np.asarray(
        utci(
            full(radiant, air), radiant, full(radiant, np.clip(wind, 0.5, 17.0)),
            full(radiant, humidity),
        ), np.float32,
    )  # fmt: skip
