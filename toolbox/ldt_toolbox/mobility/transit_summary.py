"""Tables and numbers of the timetable: supply, frequency, who has it, what it lets one reach."""

import geopandas as gpd
import numpy as np
import pandas as pd

from ldt_toolbox.mobility import summary, transit_journeys
from ldt_toolbox.mobility.gtfs.changes import DETOUR
from ldt_toolbox.mobility.secrecy import share_told_pct
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.transit_journeys import Journeys
from ldt_toolbox.mobility.transit_steps import Offer
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Note, Results


def add(
    result: Results,
    offered: Offer,
    ridden: Journeys,
    site: Site,
    here: Places,
    parameters: Parameters,
) -> None:
    """Add to the results what rests on the timetable.

    Parameters
    ----------
    result : Results
        Gets layers `stops` and `transit_access`, tables `routes`, `frequency` and `gtfs_notices`,
        indicators, a row of `equity` and notes.
    offered, ridden, site, here, parameters
        As in the steps.
    """
    frequency = frequency_table(offered, site, here, parameters)
    weight = ridden.squares["weight"].to_numpy(np.float64)
    usual = ridden.reached_pct[:, 1]
    result.layers["stops"] = stop_layer(offered)
    result.layers["transit_access"] = transit_journeys.access_frame(ridden, here, parameters)
    result.tables |= {
        "routes": route_table(offered),
        "frequency": frequency,
        "gtfs_notices": offered.notices.table()[["code", "severity", "count", "file", "field"]],
    }
    what = "jobs" if here.jobs_are_counted else "residents or floors"
    row = summary.spread(f"{what} by public transport", usual, weight)
    result.tables["equity"] = pd.concat(
        [result.tables["equity"], pd.DataFrame([row])], ignore_index=True
    )
    result.indicators |= {
        "transit_reach": Indicator(float(np.average(usual, weights=weight))),
        "transit_gain": Indicator(float(np.average(usual - ridden.on_foot_pct, weights=weight))),
        "transit_uncertain": Indicator(
            float(np.average(ridden.reached_pct[:, 2] - ridden.reached_pct[:, 0], weights=weight))
        ),
        "frequent_coverage": Indicator(summary.number(frequency["covered_pct"].iloc[0])),
        "departures": Indicator(int(offered.stops["departures"].sum())),
        "service_km": Indicator(float(offered.routes["service_km"].sum())),
    }
    result.notes += offered.notes
    if here.jobs_are_counted:
        result.notes.append(
            Note(
                "assumption",
                {
                    "en": "From stops beyond the territory, where streets are not known, the walk "
                    f"to a job is {DETOUR:g} times the straight line.",
                    "fr": "Depuis les arrêts hors du territoire, où les rues sont inconnues, la "
                    "marche vers un emploi vaut "
                    f"{str(DETOUR).replace('.', ',')} fois la ligne droite.",
                },
            )
        )


def stop_layer(offered: Offer) -> gpd.GeoDataFrame:
    """Stops served in the territory with their headways."""
    return offered.stops.drop(columns=["row", "departures_per_hour"])


def route_table(offered: Offer) -> pd.DataFrame:
    """Routes with departures, headways, speed and vehicle-kilometres of the day."""
    table = offered.routes
    hours = {f"{end}_h": (table[f"{end}_departure_s"] / 3600).round(2) for end in ("first", "last")}
    kept = table[["route", "direction_id", "departures", "headway_median_min", "headway_p90_min"]]
    return kept.assign(
        **hours, speed_kmh=table["speed_kmh"].round(1), service_km=table["service_km"].round(1)
    )


def frequency_table(
    offered: Offer, site: Site, here: Places, parameters: Parameters
) -> pd.DataFrame:
    """Stops of each frequency class, and who lives near one of this class or a better one.

    Returns
    -------
    pandas.DataFrame
        `frequency_class`, `stops`, `covered_pct`; the most frequent first.
    """
    rows = []
    limits = sorted(parameters.frequency_classes_min)
    names = [f"<= {limit:g} min" for limit in limits] + ["rarer"]
    so_far = np.zeros(len(here.stops), bool)
    for name in names:
        mine = (offered.stops["frequency_class"] == name).to_numpy(bool)
        so_far |= mine
        near = summary.near_stop(
            site, here, stop_m=parameters.stop_distance_m, station_m=parameters.station_distance_m,
            which=so_far,
        )  # fmt: skip
        rows.append(
            {
                "frequency_class": name, "stops": int(mine.sum()),
                "covered_pct": share_told_pct(
                    here.homes, near, fewest=parameters.fewest_people
                ),
            }
        )  # fmt: skip
    return pd.DataFrame(rows).astype({"covered_pct": np.float64})
