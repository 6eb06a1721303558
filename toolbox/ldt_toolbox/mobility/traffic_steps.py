"""The step of the mobility use case that rests on counters: where traffic is, what it emits."""

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility import steps
from ldt_toolbox.mobility.anomalies import anomaly_events, label_anomalies
from ldt_toolbox.mobility.count_steps import gaps, site_totals, to_steps
from ldt_toolbox.mobility.counts import Columns, clean_counts, reject_notes
from ldt_toolbox.mobility.emissions import Fleet
from ldt_toolbox.mobility.forecast import Skill
from ldt_toolbox.mobility.network import Network
from ldt_toolbox.mobility.profiles import known_share
from ldt_toolbox.mobility.traffic_counters import counter_numbers, days_of_year, hours_of_day
from ldt_toolbox.mobility.traffic_emissions import ON_STREET_M, emissions_of, stated_fleet
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Note, Results
from ldt_toolbox.sources import Inputs

ROLE = "traffic_counts"
COLUMNS = Columns(
    site="site", start="start", end="end", count="count", speed="speed_kmh",
    vehicle_type="vehicle_type", lane="lane", lanes="lanes", longitude_deg="longitude_deg",
    latitude_deg="latitude_deg",
)  # fmt: skip
# vehicle types, also those of TrafficFlowObserved, that burn nothing and are no traffic of cars
NO_ENGINE = ("bicycle", "bicycles", "bike", "bikes", "cyclist", "cyclists", "vélo", "vélos", "velo",
             "pedestrian", "pedestrians", "piéton", "piétons", "pieton", "person")  # fmt: skip
EVENTS = ["site", "start", "end", "label", "difference", "z"]
HOLES = ["site", "lane", "start", "end", "hours"]


@dataclass(frozen=True)
class Traffic:
    """What counters tell.

    Attributes
    ----------
    counters : geopandas.GeoDataFrame
        A point each with the columns of `traffic_counters.counter_numbers`.
    links : geopandas.GeoDataFrame
        Streets with a counter, from `traffic_emissions.emissions_of`.
    hours, days : pandas.DataFrame
        From `traffic_counters.hours_of_day` and `days_of_year`.
    events, holes, rejects : pandas.DataFrame
        Hours that are not as usual, times without a count, rows that cannot be.
    known_pct : float
        Share of all hours that is known, per cent.
    skills : tuple of Skill
        How the forecast did, for each series that is long enough.
    notes : tuple of Note
        What was left out or assumed.
    """

    counters: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    hours: pd.DataFrame
    days: pd.DataFrame
    events: pd.DataFrame
    holes: pd.DataFrame
    rejects: pd.DataFrame
    known_pct: float
    skills: tuple[Skill, ...]
    notes: tuple[Note, ...]


def traffic(inputs: Inputs, parameters: Parameters) -> Traffic | None:
    """Clean counts, and tell how busy streets are, what is not as usual and what that emits.

    Parameters
    ----------
    inputs : Inputs
        `traffic_counts`: a row an interval of a counter; `streets`.
    parameters : Parameters
        `count_interval_min`, `holidays`, `fleet`, `fleet_source`.

    Returns
    -------
    Traffic or None
        None without counts.

    Raises
    ------
    DataError
        If no hour of any counter is known.
    ParameterError
        If the fleet or a holiday cannot be.
    """
    if ROLE not in inputs:
        return None
    fleet, free, zone = stated_fleet(parameters), holidays(parameters), inputs.territory.timezone
    bounds = gpd.GeoSeries([inputs.territory.boundary_geometry], crs=inputs.territory.crs)
    west, south, east, north = bounds.to_crs("EPSG:4326").total_bounds.tolist()
    cleaned = clean_counts(
        inputs.table(ROLE), COLUMNS, zone=zone, ambiguous="order",
        interval_min=parameters.count_interval_min, bbox=(west, south, east, north),
    )  # fmt: skip
    afoot = cleaned.counts["vehicle_type"].str.lower().isin(NO_ENGINE)
    counts = cleaned.counts[~afoot]
    hourly = to_steps(counts, zone=zone)
    totals = site_totals(hourly.steps)
    if not totals["count"].notna().any():
        raise DataError(
            f"{ROLE}: no whole hour of any counter is known (of {len(inputs.table(ROLE))} rows "
            f"{len(cleaned.rejects)} cannot be, {int(afoot.sum())} are of bicycles or people on "
            f"foot, {len(hourly.coarse)} are longer than an hour): check times, intervals and "
            "positions"
        )
    labelled = label_anomalies(totals, zone=zone, holidays=free)
    made, skills = counter_numbers(totals, labelled, zone=zone, holidays=free)
    where = counts.groupby("site")[["longitude_deg", "latitude_deg"]].first()
    place = where.loc[made["site"]]
    points = gpd.GeoSeries.from_xy(
        place["longitude_deg"], place["latitude_deg"], crs="EPSG:4326"
    ).to_crs(inputs.territory.crs)
    counters = gpd.GeoDataFrame(made, geometry=points.to_numpy(), crs=inputs.territory.crs)
    links = emissions_of(counters, _car_streets(inputs, parameters), fleet)
    known = known_share(totals)
    return Traffic(
        counters, links, hours_of_day(totals, zone=zone, holidays=free),
        days_of_year(totals, zone=zone, holidays=free), _local(anomaly_events(labelled), zone),
        _local(gaps(counts), zone), cleaned.rejects.assign(row=cleaned.rejects["row"] + 1),
        100 * float(known["known_h"].sum() / known["hours"].sum()), skills,
        (
            *reject_notes(cleaned.rejects, ROLE),
            *_notes(len(hourly.coarse), int(afoot.sum()), counters, links, fleet),
        ),
    )  # fmt: skip


def _car_streets(inputs: Inputs, parameters: Parameters) -> Network | None:
    """Streets for cars; None where no street is open to them."""
    try:
        return steps.streets(inputs, parameters, "car")
    except DataError:
        return None


def holidays(parameters: Parameters) -> tuple[dt.date, ...]:
    """Public holidays, which count as Sundays.

    Raises
    ------
    ParameterError
        If one is no date.
    """
    try:
        return tuple(dt.date.fromisoformat(str(day)) for day in parameters.holidays)
    except ValueError as error:
        raise ParameterError(f"holidays: {error}; write dates as 2025-07-14") from error


def add(result: Results, found: Traffic) -> None:
    """Add to the results what counters tell.

    Parameters
    ----------
    result : Results
        Gets layers `counters` and `emissions`, tables `traffic_hours`, `traffic_days`,
        `traffic_events`, `traffic_holes` and `traffic_rejects`, indicators and notes.
    found : Traffic
        From `traffic`.
    """
    result.layers |= {"counters": found.counters, "emissions": found.links}
    worst = found.events["z"].abs().sort_values(ascending=False, kind="stable").index
    result.tables |= {
        "traffic_hours": found.hours,
        "traffic_days": found.days,
        "traffic_events": found.events.loc[worst, EVENTS].reset_index(drop=True),
        "traffic_holes": found.holes[HOLES],
        "traffic_rejects": found.rejects,
    }
    result.indicators |= {
        "traffic_working_day": Indicator(_middle(found.counters["working_day"])),
        "traffic_known": Indicator(found.known_pct),
        "traffic_forecast_error": Indicator(_middle(found.counters["error_pct"])),
        "traffic_co2": Indicator(_sum(found.links["co2_kg"])),
        "traffic_nox": Indicator(_sum(found.links["nox_g"])),
    }
    result.notes += found.notes


def _middle(values: pd.Series) -> float | None:
    return float(values.median()) if values.notna().any() else None


def _sum(values: pd.Series) -> float | None:
    return float(values.sum()) if values.notna().any() else None


def _local(table: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Times as the clock on the wall has them, with their offset."""
    told = {
        name: [one.isoformat(timespec="minutes") for one in table[name].dt.tz_convert(zone)]
        for name in ("start", "end")
    }
    return table.assign(**{name: pd.Series(v, table.index, str) for name, v in told.items()})


def _notes(
    coarse: int, afoot: int, counters: gpd.GeoDataFrame, links: gpd.GeoDataFrame, fleet: Fleet
) -> list[Note]:
    shares = ", ".join(f"{name} {100 * share:g} %" for name, share in fleet.shares.items())
    notes = [
        Note(
            "assumption",
            {
                "en": f"Emissions are those of this fleet: {shares} ({fleet.source}), at tier 1 of "
                "the EMEP/EEA guidebook, which is flat over speed, high for today's vehicles and "
                "leaves out cold starts. They compare streets; they are no inventory.",
                "fr": f"Les émissions sont celles de ce parc : {shares} ({fleet.source}), au "
                "niveau 1 du guide EMEP/EEA, indépendant de la vitesse, élevé pour les véhicules "
                "actuels et sans démarrages à froid. Elles comparent des rues ; ce n'est pas un "
                "inventaire.",
            },
        )
    ]
    if coarse:
        notes.append(
            Note(
                "gap",
                {
                    "en": f"{ROLE}: {coarse} rows are longer than an hour and are not spread over "
                    "hours: they are left out.",
                    "fr": f"{ROLE} : {coarse} lignes dépassent une heure et ne sont pas réparties "
                    "par heure : elles sont écartées.",
                },
            )
        )
    if afoot:
        notes.append(
            Note(
                "gap",
                {
                    "en": f"{ROLE}: {afoot} rows count bicycles or people on foot; they are no "
                    "traffic of engines and are left out.",
                    "fr": f"{ROLE} : {afoot} lignes comptent des vélos ou des piétons ; ce n'est "
                    "pas du trafic motorisé, elles sont écartées.",
                },
            )
        )
    if many := int((links["counters"] > 1).sum()):
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"{many} streets have several counters, which are taken as places along "
                    "it: their mean counts. Counters of one direction each belong together: give "
                    "them one `site` and a `lane` each.",
                    "fr": f"{many} rues ont plusieurs compteurs, pris pour des points le long de "
                    "la rue : leur moyenne compte. Des compteurs d'un seul sens vont ensemble : "
                    "donnez-leur un même `site` et une `lane` chacun.",
                },
            )
        )
    if lost := len(counters) - int(links["counters"].sum()):
        notes.append(
            Note(
                "warning",
                {
                    "en": f"{lost} of {len(counters)} counters lie farther than {ON_STREET_M:g} m "
                    "from every street for cars: nothing is told of what their traffic emits.",
                    "fr": f"{lost} des {len(counters)} compteurs sont à plus de {ON_STREET_M:g} m "
                    "de toute rue ouverte aux voitures : rien n'est dit de leurs émissions.",
                },
            )
        )
    return notes
