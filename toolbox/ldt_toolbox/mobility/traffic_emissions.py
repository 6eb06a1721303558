"""What traffic emits on the streets where it is counted, by a fleet that is stated."""

import geopandas as gpd
import numpy as np
import pandas as pd

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.emission_factors import TIER_1
from ldt_toolbox.mobility.emissions import Fleet, link_emissions
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.parameters import Parameters

LINKS = ["street", "name", "class", "counters", "vehicles", "speed_kmh", "speed_assumed",
         "length_m", "co2_kg", "nox_g", "pm25_g"]  # fmt: skip
ON_STREET_M = 30.0  # a counter farther from every street for cars counts none; an assumption


def stated_fleet(parameters: Parameters) -> Fleet:
    """Read the fleet: a class and its share of vehicle-kilometres in each text.

    Raises
    ------
    ParameterError
        If a class or a share cannot be.
    """
    shares: dict[str, float] = {}
    for told in parameters.fleet:
        name, _, share = str(told).strip().rpartition(" ")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            name = ""
        if name.strip() not in TIER_1:
            raise ParameterError(
                f"fleet: {told!r} is no class with its share: write for example 'car-petrol 0.5'; "
                f"classes are {', '.join(TIER_1)}"
            )
    return Fleet(shares, str(parameters.fleet_source))


def emissions_of(
    counters: gpd.GeoDataFrame, cars: Network | None, fleet: Fleet
) -> gpd.GeoDataFrame:
    """Emissions of the streets with a counter on a usual working day.

    A street is the line that the map has as one; what is counted on it drives along all of it.
    Of several counters on one street the mean counts.

    Parameters
    ----------
    counters : geopandas.GeoDataFrame
        Points with `working_day` and `speed_kmh`, in the CRS of the streets.
    cars : Network or None
        Streets for cars, if there are any; their speed stands where none was measured.
    fleet : Fleet
        Which vehicles drive.

    Returns
    -------
    geopandas.GeoDataFrame
        `street`, `name`, `class`, `counters`, `vehicles` (a day), `speed_kmh`, `speed_assumed`,
        `length_m`, `co2_kg`, `nox_g`, `pm25_g` (a day), geometry; NaN where days or streets are
        not known well enough.
    """
    if cars is None:
        return gpd.GeoDataFrame(dict.fromkeys(LINKS, ()), geometry=[], crs=counters.crs)
    edges = cars.edges
    who, which = edges.sindex.nearest(
        counters.geometry.to_numpy(), return_all=False, max_distance=ON_STREET_M
    )
    on = pd.DataFrame(
        {
            "street": edges["street"].to_numpy()[which],
            "vehicles": counters["working_day"].to_numpy(np.float64)[who],
            "measured": counters["speed_kmh"].to_numpy(np.float64)[who],
        }
    )
    found = on.groupby("street").agg(
        counters=("vehicles", "size"), vehicles=("vehicles", "mean"), measured=("measured", "mean")
    )
    own = edges[edges["street"].isin(found.index)]
    seconds = np.fmin(own["forward_s"].to_numpy(), own["backward_s"].to_numpy())
    lines = own.assign(seconds=seconds).dissolve(
        "street", aggfunc={"name": "first", "class": "first", "length_m": "sum", "seconds": "sum"}
    )
    lines = lines.join(found)
    free_flow = 3.6 * lines["length_m"] / lines["seconds"]
    told = lines.assign(
        flow_per_h=lines["vehicles"] / 24, speed_kmh=lines["measured"].fillna(free_flow)
    )
    a_day = 24 * link_emissions(told, fleet)
    out = told.assign(
        speed_assumed=lines["measured"].isna(), speed_kmh=told["speed_kmh"].round(1),
        length_m=lines["length_m"].round(1), co2_kg=(a_day["co2_g_per_h"] / 1000).round(3),
        nox_g=a_day["nox_g_per_h"].round(2), pm25_g=a_day["pm25_g_per_h"].round(3),
    )  # fmt: skip
    return out.reset_index()[[*LINKS, "geometry"]]
