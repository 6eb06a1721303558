"""The steps of the mobility use case that need a timetable."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.gtfs.calendar import representative_day, trips_a_day
from ldt_toolbox.mobility.gtfs.changes import (
    Changes,
    changes,
    pathway_seconds,
    rules_left_out,
)
from ldt_toolbox.mobility.gtfs.day import day_timetable
from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.rules import check
from ldt_toolbox.mobility.gtfs.supply import route_supply, stop_supply, stops_within
from ldt_toolbox.mobility.search import reach
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.timetable import Timetable
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Note
from ldt_toolbox.sources import Inputs

CHANGE_AT_STOP_S = 60
# GTFS route_type: tram, metro, rail, bus, ferry, cable tram, aerial lift, funicular, trolleybus,
# monorail; hundreds are the extended types.
_MODES = {0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry", 5: "tram", 6: "aerial lift",
          7: "funicular", 11: "bus", 12: "metro"}  # fmt: skip
_EXTENDED = {1: "rail", 2: "bus", 4: "metro", 7: "bus", 8: "bus", 9: "tram", 10: "ferry",
             12: "ferry", 13: "aerial lift", 14: "funicular"}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """What public transport offers on one day.

    Attributes
    ----------
    feed : Feed
        Stops that no trip serves are left out.
    locations : pandas.DataFrame
        All rows of stops.txt, also stations and entrances.
    date : datetime.date
        Service day.
    notices : Notices
        What the canonical rules find.
    stops : geopandas.GeoDataFrame
        Stops in the territory that are served that day: `stop_id`, `name`, `mode`, `row` (of the
        feed's stops), departures and headways of `stop_supply`, `frequency_class`.
    routes : pandas.DataFrame
        Routes that run, with `name` and what `route_supply` gives.
    notes : tuple of Note
        What a reader has to know.
    """

    feed: Feed
    locations: pd.DataFrame
    date: dt.date
    notices: Notices
    stops: gpd.GeoDataFrame
    routes: pd.DataFrame
    notes: tuple[Note, ...]


def offer(inputs: Inputs, parameters: Parameters) -> Offer | None:
    """Check the timetable and read its day; None where the territory has none.

    Raises
    ------
    DataError
        If the feed has errors and `feed_errors` is `block`; names each.
    ParameterError
        If nothing runs on the chosen date.
    """
    if "gtfs" not in inputs:
        return None
    whole = inputs.feed("gtfs")
    notices = check(whole)
    if parameters.feed_errors == "block":
        notices.require_no_errors()
    boundary = gpd.GeoSeries([inputs.territory.boundary_geometry], crs=inputs.territory.crs)
    feed = served(whole)
    date = service_date(feed, parameters)
    stops = stops_of_day(feed, date, boundary, parameters)
    routes = routes_of_day(feed, date, stops)
    inside = int(stops_within(whole, boundary.to_crs("EPSG:4326").iloc[0]).sum())
    notes = (*_notes(whole, inside, len(stops), date, notices), *_change_notes(whole, parameters))
    return Offer(feed, whole["stops"], date, notices, stops, routes, notes)


def served(feed: Feed) -> Feed:
    """Leave out stops at which no trip halts, and renumber those of the stop times."""
    used = np.zeros(len(feed["stops"]), bool)
    used[feed.stop_times.stop] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    times = replace(feed.stop_times, stop=number[feed.stop_times.stop])
    kept = feed["stops"][used].reset_index(drop=True)
    return replace(feed, tables={**feed.tables, "stops": kept}, stop_times=times)


def service_date(feed: Feed, parameters: Parameters) -> dt.date:
    """The chosen day, or a usual Tuesday or Thursday.

    Raises
    ------
    ParameterError
        If nothing runs on the chosen one.
    DataError
        If none is chosen and nothing runs on such weekdays.
    """
    if not parameters.service_date:
        try:
            return representative_day(feed)
        except DataError as error:
            raise DataError(f"gtfs: {error}, or choose a day: service_date") from error
    date = dt.date.fromisoformat(parameters.service_date)
    trips = trips_a_day(feed)
    if not trips.get(pd.Timestamp(date), 0):
        running = trips[trips > 0]
        raise ParameterError(
            f"service_date = {date}: nothing runs on that day; the feed's trips run from "
            f"{running.index[0].date()} to {running.index[-1].date()}: choose a day of service, or "
            "none for a usual one"
        )
    return date


def stops_of_day(
    feed: Feed, date: dt.date, boundary: gpd.GeoSeries, parameters: Parameters
) -> gpd.GeoDataFrame:
    """Stops in the territory with departures on a day, in the boundary's CRS."""
    supply = stop_supply(feed, date).reset_index()
    inside = stops_within(feed, boundary.to_crs("EPSG:4326").iloc[0])
    rows = np.flatnonzero(inside & (supply["departures"] > 0).to_numpy())
    table = feed["stops"].iloc[rows].reset_index(drop=True)
    kind = _mode_of_stops(feed)
    here = supply.iloc[rows].reset_index(drop=True)
    limits = sorted(parameters.frequency_classes_min)
    frame = here.assign(
        name=table["stop_name"].fillna("").astype(str), mode=kind[rows], row=rows,
        frequency_class=frequency_classes(here["headway_median_min"], limits),
    )  # fmt: skip
    points = gpd.GeoSeries.from_xy(table["stop_lon"], table["stop_lat"], crs="EPSG:4326")
    return gpd.GeoDataFrame(frame, geometry=points.to_crs(boundary.crs).to_numpy(),
                            crs=boundary.crs)  # fmt: skip


def frequency_classes(headway_min: pd.Series, limits: list[float]) -> pd.Series:
    """Name of the shortest limit that a headway keeps, for example `<= 10 min`."""
    out = pd.Series("rarer", index=headway_min.index, dtype=object)
    for limit in reversed(limits):
        out[headway_min <= limit] = f"<= {limit:g} min"
    return out


def _mode_of_stops(feed: Feed) -> NDArray[np.object_]:
    """Most capable mode that serves each stop."""
    types = feed["routes"].set_index("route_id")["route_type"]
    types = types[~types.index.duplicated()]
    of_trip = feed["trips"]["route_id"].map(types).fillna(3).astype(int).tolist()
    names = np.array([_MODES.get(t) or _EXTENDED.get(t // 100, "bus") for t in of_trip])
    out = np.full(len(feed["stops"]), "bus", dtype=object)
    trip = feed.stop_times.trip
    for mode in ("funicular", "aerial lift", "tram", "ferry", "metro", "rail"):
        out[feed.stop_times.stop[(names == mode)[trip]]] = mode
    return out


def routes_of_day(feed: Feed, date: dt.date, stops: gpd.GeoDataFrame) -> pd.DataFrame:
    """Routes that run on a day and halt in the territory, most departures first."""
    supply = route_supply(feed, date).reset_index()
    halts = np.isin(feed.stop_times.stop, stops["row"])
    trips = np.unique(feed.stop_times.trip[halts])
    local = set(feed["trips"]["route_id"].iloc[trips])
    table = feed["routes"].drop_duplicates("route_id").set_index("route_id")
    short = table["route_short_name"].fillna(table["route_long_name"]).fillna("")
    kept = supply[supply["route_id"].isin(local)].copy()
    kept.insert(1, "route", kept["route_id"].map(short).astype(str))
    return kept.sort_values("departures", ascending=False, kind="stable").reset_index(drop=True)


def how_to_change(site: Site, here: Places, found: Offer, parameters: Parameters) -> Changes:
    """Ways on foot between stops: along the streets, through stations, and as the feed says.

    Parameters
    ----------
    site, here
        Streets with the stops of the territory; at others one changes as far as the feed tells.
    found : Offer
        Its feed with `pathways` and `transfers`.
    parameters : Parameters
        `change_walk_min`, the longest walk along the streets between two stops, and
        `walking_speed_m_s`.
    """
    rows = here.stops["row"].to_numpy(np.int64)
    limit_s = 60 * parameters.change_walk_min
    begin, end, seconds = walks_between(site, site.stop, site.stop, limit_s)
    return changes(
        found.feed, found.locations, (rows[begin], rows[end], seconds),
        change_s=CHANGE_AT_STOP_S, walking_speed_m_s=parameters.walking_speed_m_s,
    )  # fmt: skip


def walks_between(
    site: Site, origin: NDArray[np.int64], target: NDArray[np.int64], limit_s: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """All pairs within a walk: number of the origin, of the target, seconds."""
    on, places = np.flatnonzero(origin >= 0), np.flatnonzero(target >= 0)
    by_node = places[np.argsort(target[places], kind="stable")]
    nodes = target[by_node]
    found = reach(site.graph, origin[on], limit=limit_s)
    low = np.searchsorted(nodes, found.node)
    count = np.searchsorted(nodes, found.node, side="right") - low
    who = np.repeat(np.repeat(on, np.diff(found.start)), count)
    seconds = np.repeat(found.cost, count)
    first = np.repeat(low - (np.cumsum(count) - count), count)
    which = by_node[first + np.arange(len(who))]
    return who, which, seconds


def timetable_of(found: Offer, site: Site, here: Places, parameters: Parameters) -> Timetable:
    """Timetable of the day with ways on foot between stops."""
    told = how_to_change(site, here, found, parameters)
    return day_timetable(
        found.feed, found.date, footpaths=told.footpaths, change_s=told.change_s
    )  # fmt: skip


def stop_points(found: Offer, crs: Any) -> NDArray[np.float64]:
    """Where the feed's stops are, also those outside of the territory, shape (stops, 2).

    In the CRS given; NaN where the feed gives no place.
    """
    table = found.feed["stops"]
    points = gpd.GeoSeries.from_xy(table["stop_lon"], table["stop_lat"], crs="EPSG:4326")
    moved = points.to_crs(crs)
    return np.column_stack([moved.x.to_numpy(np.float64), moved.y.to_numpy(np.float64)])


def departures(parameters: Parameters) -> NDArray[np.int64]:
    """Departure times of the window, seconds since midnight.

    Raises
    ------
    ParameterError
        If a time is none or the window is empty.
    """
    begin, end = (_clock(parameters, name) for name in ("departure_from", "departure_until"))
    if end <= begin:
        raise ParameterError(
            f"departure_until = {parameters.departure_until} is not after departure_from = "
            f"{parameters.departure_from}: give a window"
        )
    return np.arange(begin, end, 60 * parameters.departure_step_min)


def _clock(parameters: Parameters, name: str) -> int:
    hour, _, minute = str(parameters[name]).partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 48 and int(minute) < 60):
        raise ParameterError(f"{name} = {parameters[name]!r}: give a time such as 07:30")
    return 3600 * int(hour) + 60 * int(minute)


def _notes(
    feed: Feed, inside: int, served_here: int, date: dt.date, notices: Notices
) -> tuple[Note, ...]:
    outside = len(feed["stops"]) - inside
    wrong = sum(notice.count for notice in notices.blocking)
    notes = [
        Note(
            "assumption",
            {
                "en": f"Service day {date}: {served_here} stops of the territory are served. "
                f"{outside} of the feed's {len(feed['stops'])} stops and stations lie outside; "
                "trips are kept whole.",
                "fr": f"Jour de service {date} : {served_here} arrêts du territoire sont "
                f"desservis. {outside} des {len(feed['stops'])} arrêts et gares de l'offre sont "
                "hors du territoire ; les courses restent entières.",
            },
        )
    ]
    if not served_here:
        raise DataError(
            f"gtfs: on {date} no stop in the territory is served ({outside} stops lie outside): "
            "check the feed, the boundary or the date"
        )
    if wrong:
        notes.append(
            Note(
                "warning",
                {
                    "en": f"The feed has {wrong} errors by the canonical rules, shown in the table "
                    "of notices; results rest on what can be read.",
                    "fr": f"L'offre compte {wrong} erreurs selon les règles canoniques, listées "
                    "dans le tableau ; les résultats reposent sur ce qui est lisible.",
                },
            )
        )
    return tuple(notes)


def _change_notes(feed: Feed, parameters: Parameters) -> list[Note]:
    """What of transfers.txt and pathways.txt is not followed, or estimated."""
    notes = []
    if left := rules_left_out(feed):
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"{left} of the feed's {len(feed['transfers'])} rules for changing are "
                    "about single routes or trips and are not followed.",
                    "fr": f"{left} des {len(feed['transfers'])} règles de correspondance portent "
                    "sur des lignes ou courses précises et ne sont pas suivies.",
                },
            )
        )
    paths = feed["pathways"]
    speed = parameters.walking_speed_m_s
    guessed = pathway_seconds(paths, feed["stops"], walking_speed_m_s=speed)[1]
    if guessed.any():
        notes.append(
            Note(
                "assumption",
                {
                    "en": f"{guessed.sum()} of {len(paths)} ways through stations give no time; it "
                    "is estimated from their length and stairs.",
                    "fr": f"{guessed.sum()} des {len(paths)} cheminements en gare sont sans durée, "
                    "estimée d'après leur longueur et leurs marches.",
                },
            )
        )
    return notes
