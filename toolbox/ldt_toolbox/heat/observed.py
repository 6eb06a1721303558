"""What observations add: surface temperature, climate zones, stations."""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.exposure import at_points
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.surface import lcz_contrast, surface_uhi
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Note
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import onto_grid, paint
from ldt_toolbox.space.raster import Raster

KELVIN = 273.15
BUILT_ZONES = range(1, 11)
WATER_ZONE = 17
KELVIN_UNITS = {"KEL", "K"}
PLAUSIBLE_K = (200.0, 350.0)
"""No ground on Earth is colder or hotter; cells beyond are fill."""
SEEN_SHARE = 0.5
"""A rural ring of which less is seen gets a warning; a terrain that covers less is not used."""


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

    def note(self, kind: str, en: str, fr: str) -> None:
        """Add a note in both languages."""
        self.notes.append(Note(kind, {"en": en, "fr": fr}))


def surface_heat_island(inputs: Inputs, parameters: Parameters) -> Observed:
    """Surface heat island against three rural rings, and contrast of climate zones.

    The town is the land inside the boundary; where climate zones are given, its built zones.

    Returns
    -------
    Observed
        Empty if the territory has no land surface temperature; notes where a ring has no value,
        is seen by half or less, or could not be cleared of sea and neighbouring towns.

    Raises
    ------
    DataError
        If the numbers are no surface temperatures in the declared unit, or none lies in the town.
    """
    found = Observed()
    if "land_surface_temperature" not in inputs:
        return found
    lst = inputs.raster("land_surface_temperature")
    kelvin = _kelvin(lst, found)
    inside = np.zeros(lst.shape, np.uint8)
    paint([(inputs.territory.boundary_geometry, 1)], lst, out=inside)
    wet = np.zeros(lst.shape, np.uint8)
    if "water" in inputs:
        paint(((s, 1) for s in inputs.frame("water").geometry), lst, out=wet)
    urban, water, built = inside == 1, wet == 1, np.zeros(lst.shape, bool)
    zones: NDArray[np.int32] | None = None
    if "local_climate_zones" in inputs:
        sampled = onto_grid(inputs.raster("local_climate_zones"), lst, nearest=True)
        zones = np.where(np.isfinite(sampled), sampled, 0).astype(np.int32)
        water |= zones == WATER_ZONE
        built = np.isin(zones, BUILT_ZONES)
        if (urban & built).any():
            urban &= built
        built |= zones == 0  # without a zone a cell is not known to be rural
    else:
        found.note(
            "warning",
            "Without local climate zones the rural rings of the surface heat island may hold "
            "neighbouring towns, and sea or lakes beyond the territory's own water.",
            "Sans zones climatiques locales, les anneaux ruraux de l'îlot de chaleur de surface "
            "peuvent contenir des villes voisines, et la mer ou des lacs hors du territoire.",
        )
    rings_km = _three(parameters.rural_rings_km)
    distance_km = ndimage.distance_transform_edt(~urban) * lst.cell_size_m / 1000
    near = (distance_km > 0) & (distance_km <= rings_km[-1])
    rings = surface_uhi(
        kelvin, urban, water, built, _elevation(inputs, lst, near, found),
        cell_size_m=lst.cell_size_m, ring_distances_km=rings_km, seed=parameters.seed,
    )  # fmt: skip
    names = [f"{a:g}-{b:g} km" for a, b in rings[["inner_km", "outer_km"]].to_numpy()]
    found.tables["surface_heat_island"] = pd.DataFrame(
        {
            "ring": names,
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
            "smallest to largest of the rural rings",
            provenance_of(
                inputs, "land_surface_temperature", "local_climate_zones", "water", "terrain"
            ),
        )  # fmt: skip
    seen_km2 = [
        float((np.isfinite(kelvin) & (distance_km > a) & (distance_km <= b)).sum())
        * (lst.cell_size_m / 1000) ** 2
        for a, b in rings[["inner_km", "outer_km"]].to_numpy()
    ]
    _ring_notes(found, inputs, rings, names, seen_km2)
    if zones is not None:
        _zone_contrast(found, kelvin, zones, inputs.raster("local_climate_zones"), lst)
    found.layers["surface_temperature"] = Raster(
        (kelvin - np.float32(KELVIN)).astype(np.float32), lst.transform, lst.crs, "CEL"
    )
    return found


def _kelvin(lst: Raster, found: Observed) -> NDArray[np.float32]:
    kelvin = lst.values.astype(np.float32)
    if lst.unit not in KELVIN_UNITS:
        kelvin = kelvin + np.float32(KELVIN)
    low, high = PLAUSIBLE_K
    middle = float(np.nanmedian(kelvin))
    if not low <= middle <= high:
        raise DataError(
            f"land_surface_temperature, declared as {lst.unit}, has a median of {middle:.0f} K: "
            "scale raw Landsat numbers with heat.landsat.surface_temperature first, and declare "
            "`unit: KEL` or `unit: CEL`"
        )
    odd = (kelvin < low) | (kelvin > high)
    if odd.any():
        kelvin[odd] = np.nan
        found.note(
            "repair",
            f"land_surface_temperature: {int(odd.sum())} cells below {low:g} K or above "
            f"{high:g} K are no temperatures of ground and were left out.",
            f"land_surface_temperature : {int(odd.sum())} mailles sous {low:g} K ou au-dessus de "
            f"{high:g} K ne sont pas des températures de sol et ont été écartées.",
        )
    return kelvin


def _elevation(
    inputs: Inputs, lst: Raster, near: NDArray[np.bool_], found: Observed
) -> NDArray[np.float32] | None:
    """Altitude on the grid, or None with a note where the terrain ends before the rings."""
    if "terrain" not in inputs:
        return None
    elevation = onto_grid(inputs.raster("terrain"), lst)
    covered = float(np.isfinite(elevation[near]).mean()) if near.any() else 1.0
    if covered >= SEEN_SHARE:
        return elevation
    found.note(
        "warning",
        f"The terrain covers {100 * covered:.0f} % of the rural rings: the surface heat island "
        "was not held to places at the town's altitude.",
        f"Le terrain couvre {100 * covered:.0f} % des anneaux ruraux : l'îlot de chaleur de "
        "surface n'a pas été limité aux lieux à l'altitude de la ville.",
    )
    return None


def _ring_notes(
    found: Observed, inputs: Inputs, rings: pd.DataFrame, names: list[str], seen_km2: list[float]
) -> None:
    empty = [(n, r) for n, r, c in zip(names, rings["reason"], rings["n_rural"], strict=True)
             if c == 0]  # fmt: skip
    if empty:
        found.note(
            "gap",
            "Rural rings without a value: " + "; ".join(f"{n}, {r}" for n, r in empty) + ".",
            "Anneaux ruraux sans valeur : " + ", ".join(n for n, _ in empty) + " (hors du raster, "
            "sous les nuages, en eau, bâtis, sans zone climatique ou à une autre altitude).",
        )
    boundary = inputs.territory.boundary_geometry
    edges = rings[["inner_km", "outer_km"]].to_numpy()
    whole = [boundary.buffer(1000 * b).area - boundary.buffer(1000 * a).area for a, b in edges]
    partly = [n for n, seen, area, count in zip(names, seen_km2, whole, rings["n_rural"],
              strict=True) if count and seen < SEEN_SHARE * area / 1e6]  # fmt: skip
    if partly:
        found.note(
            "warning",
            f"Less than half of the rural ring {', '.join(partly)} is seen: the raster ends "
            "before it, or clouds hide it. Its surface heat island speaks for a part of it only.",
            f"Moins de la moitié de l'anneau rural {', '.join(partly)} est vue : le raster "
            "s'arrête avant, ou des nuages le cachent. Sa valeur ne vaut que pour cette partie.",
        )


def _zone_contrast(
    found: Observed, kelvin: NDArray[np.float32], zones: NDArray[np.int32],
    mapped: Raster, lst: Raster,
) -> None:  # fmt: skip
    # one cell of the zone map, in cells of the temperatures
    edge = max(1, math.ceil(mapped.cell_size_m / lst.cell_size_m - 1e-3))
    try:
        contrast = lcz_contrast(kelvin, zones, edge_cells=edge)
    except DataError as error:
        found.note(
            "gap",
            f"No contrast between climate zones: {error}.",
            "Pas de contraste entre zones climatiques : aucune maille de la zone de référence D "
            "(plantes basses) assez loin de son bord.",
        )
        return
    found.tables["climate_zone_contrast"] = pd.DataFrame(
        {
            "zone": contrast["label"] + " " + contrast["name"],
            "cells": contrast["n"],
            "contrast_k": contrast["contrast_k"],
        }
    )


def provenance_of(inputs: Inputs, *roles: str) -> str:
    """Provenance of the first role, or synthetic as soon as one of them is.

    Parameters
    ----------
    inputs : Inputs
        Layers of the run.
    *roles : str
        The first one is there; the others may be missing.
    """
    told = [inputs.layers[role].source.provenance for role in roles if role in inputs]
    return "synthetic" if "synthetic" in told else told[0]


def _three(rings: tuple[float, ...]) -> tuple[float, float, float]:
    if len(rings) != 3:
        raise DataError(f"rural_rings_km needs three distances, not {list(rings)}")
    return rings[0], rings[1], rings[2]


def stations(temperature_c: NDArray[np.float32], inputs: Inputs, ground: Ground) -> Observed:
    """Modelled minus observed air temperature at stations.

    Returns
    -------
    Observed
        Empty if the territory has no stations. All stations are listed; those outside the model
        or without an observation do not count, and synthetic ones yield no indicator.
    """
    found = Observed()
    if "stations" not in inputs:
        return found
    frame = inputs.frame("stations")
    modelled = at_points(temperature_c, ground, frame.geometry.x, frame.geometry.y)
    observed = frame["temperature_c"].to_numpy(np.float64)
    number = pd.Series([f"station {i}" for i in range(1, len(frame) + 1)], index=frame.index)
    names = frame["name"].astype(object) if "name" in frame else number
    names = names.where(names.notna(), number).astype(str)
    table = pd.DataFrame(
        {"name": names, "observed_c": observed, "modelled_c": modelled,
         "difference_k": modelled - observed}
    )  # fmt: skip
    found.tables["stations"] = table
    difference = table["difference_k"].dropna()
    if outside := int(np.isnan(modelled).sum()):
        found.note(
            "warning",
            f"{outside} of {len(table)} stations lie outside the model: listed, not counted.",
            f"{outside} stations sur {len(table)} sont hors du modèle : listées, non comptées.",
        )
    if provenance_of(inputs, "stations") == "synthetic":
        found.note(
            "warning",
            "The stations are synthetic: they show how the comparison works and validate nothing.",
            "Les stations sont synthétiques : elles montrent la comparaison et ne valident rien.",
        )
    elif len(difference):
        found.indicators["station_bias"] = Indicator(float(difference.mean()))
        found.indicators["station_rmse"] = Indicator(float(np.sqrt((difference**2).mean())))
    return found
