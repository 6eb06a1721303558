"""Emissions of traffic by link, out of length, flow, speed and a fleet that is stated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError, MissingColumnError, ParameterError
from ldt_toolbox.mobility.emission_factors import POLLUTANTS, TIER_1, VehicleClass


@dataclass(frozen=True)
class Fleet:
    """Which vehicles drive.

    Attributes
    ----------
    shares : mapping of str to float
        Share of vehicle-kilometres by class; adds up to 1.
    source : str
        Where the shares come from; shown with each result.
    """

    shares: Mapping[str, float]
    source: str

    def __post_init__(self) -> None:
        total = sum(self.shares.values())
        if any(not share >= 0 for share in self.shares.values()) or abs(total - 1) > 1e-6:
            raise ParameterError(
                f"shares of the fleet add up to {total:.6g}: give shares from 0 that add up to 1"
            )
        if not self.source.strip():
            raise ParameterError("a fleet without a source: say where its shares come from")


def fleet_factor(
    speed_kmh: pd.Series, fleet: Fleet, *, classes: Mapping[str, VehicleClass] = TIER_1
) -> pd.DataFrame:
    """Emission factors of a mean vehicle of the fleet.

    Parameters
    ----------
    speed_kmh : pandas.Series
        Mean speed with all stops, km/h.
    fleet : Fleet
        Which vehicles drive.
    classes : mapping of str to VehicleClass
        What they emit.

    Returns
    -------
    pandas.DataFrame
        Index of `speed_kmh`; `co2_g_per_km`, `nox_g_per_km`, `pm25_g_per_km` (exhaust and wear),
        `beyond_share`: share of the fleet (0 to 1) for which the speed lies outside of a curve, so
        that the curve's end counts.

    Raises
    ------
    ParameterError
        If a class of the fleet has no factors.
    """
    if unknown := [name for name in fleet.shares if name not in classes]:
        raise ParameterError(
            f"class {unknown[0]!r} of the fleet has no factors: choose of {', '.join(classes)}"
        )
    speed = speed_kmh.to_numpy(np.float64)
    sums = {name: np.zeros(len(speed)) for name in POLLUTANTS}
    beyond = np.zeros(len(speed))
    for name, share in fleet.shares.items():
        own = classes[name]
        outside = np.zeros(len(speed), dtype=bool)
        for pollutant in POLLUTANTS:
            curve = own.curves[pollutant]
            sums[pollutant] += share * curve.at(speed)
            outside |= np.isfinite(speed) & ~curve.holds(speed)
        sums["pm25"] += share * own.wear_pm25_g_per_km
        beyond += share * outside
    found = {f"{name}_g_per_km": values for name, values in sums.items()}
    return pd.DataFrame({**found, "beyond_share": beyond}, index=speed_kmh.index)


def link_emissions(
    links: pd.DataFrame, fleet: Fleet, *, classes: Mapping[str, VehicleClass] = TIER_1
) -> pd.DataFrame:
    """Emissions of links.

    Parameters
    ----------
    links : pandas.DataFrame
        `length_m`, `flow_per_h` (vehicles per hour of both directions, or of the link's one),
        `speed_kmh` (mean with all stops). Flow or speed NaN: not known, and so are emissions.
    fleet : Fleet
        Which vehicles drive; the same on all links.
    classes : mapping of str to VehicleClass
        What they emit: `emission_factors.TIER_1`, or curves that `read_curves` read.

    Returns
    -------
    pandas.DataFrame
        Index of `links`; `vehicle_km_per_h`, `co2_g_per_h`, `nox_g_per_h`, `pm25_g_per_h`,
        `beyond_share` as in `fleet_factor`. Hot exhaust and wear: cold starts, evaporation and
        slopes are left out, so town centres come out too low.

    Raises
    ------
    MissingColumnError, DataError, ParameterError
        If a column is missing, a number negative, or a class unknown.

    Notes
    -----
    ``E = length x flow x EF(V)``: EMEP/EEA guidebook 2023, 1.A.3.b.i-iv, tier 3 for hot exhaust.
    """
    for name in ("length_m", "flow_per_h", "speed_kmh"):
        if name not in links:
            raise MissingColumnError(f"links have no column {name!r}: add it")
        wrong = links.index[links[name] < 0]
        if len(wrong):
            raise DataError(f"{name} of link {wrong[0]!r} is negative: clean the counts first")
    factors = fleet_factor(links["speed_kmh"], fleet, classes=classes)
    driven = links["length_m"] / 1000 * links["flow_per_h"]
    # a tier that is flat knows a factor at any speed; a link without a speed is not known anyway
    driven_known = driven.where(links["speed_kmh"].notna())
    found = {f"{name}_g_per_h": factors[f"{name}_g_per_km"] * driven_known for name in POLLUTANTS}
    return pd.DataFrame(
        {"vehicle_km_per_h": driven, **found, "beyond_share": factors["beyond_share"]}
    )
