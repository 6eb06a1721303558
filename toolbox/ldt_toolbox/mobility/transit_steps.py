"""The steps of the mobility use case that need a timetable."""

import datetime as dt
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility import steps
from ldt_toolbox.mobility.graph import build_graph
from ldt_toolbox.mobility.gtfs.calendar import representative_day, trips_a_day
from ldt_toolbox.mobility.gtfs.day import day_timetable
from ldt_toolbox.mobility.gtfs.notices import Notices
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.rules import check
from ldt_toolbox.mobility.gtfs.supply import route_supply, stop_supply, stops_within
from ldt_toolbox.mobility.raptor import UNREACHED
from ldt_toolbox.mobility.search import reach
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.timetable import Timetable, Walks, walks
from ldt_toolbox.mobility.transit_access import TransitQuery, cumulative_access, time_blocks
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
    return Offer(
        feed, date, notices, stops, routes, _notes(whole, inside, len(stops), date, notices)
    )


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
    """
    if not parameters.service_date:
        return representative_day(feed)
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


def footpaths(site: Site, here: Places, feed: Feed, *, limit_s: float) -> Walks:
    """Ways on foot between stops: along the streets, through stations, and as the feed says.

    Parameters
    ----------
    site, here
        Streets with the stops of the territory; others are changed at without walking.
    feed : Feed
        `pathways` with a traversal time, and `transfers` of type 2.
    limit_s : float
        Longest walk along the streets between two stops.
    """
    rows = here.stops["row"].to_numpy(np.int64)
    frm, to, seconds = _walks_between(site, site.stop, site.stop, limit_s)
    parts = [(rows[frm], rows[to], seconds)]
    number = {stop: i for i, stop in enumerate(feed["stops"]["stop_id"])}
    transfers = feed["transfers"]
    timed = transfers[(transfers["transfer_type"] == 2) & transfers["min_transfer_time"].notna()]
    parts.append(_between_ids(timed, "min_transfer_time", number))
    paths = feed["pathways"].dropna(subset=["traversal_time"])
    if len(paths):
        back = paths[paths["is_bidirectional"] == 1].rename(
            columns={"from_stop_id": "to_stop_id", "to_stop_id": "from_stop_id"}
        )
        parts.append(_through_stations(pd.concat([paths, back]), number))
    a, b, s = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    apart = a != b
    stops = len(feed["stops"])
    return walks(a[apart], b[apart], s[apart], places=stops, stops=stops)


def _between_ids(
    table: pd.DataFrame, column: str, number: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    a, b = (
        np.array([number.get(name, -1) for name in table[end]], np.int64)
        for end in ("from_stop_id", "to_stop_id")
    )
    known = (a >= 0) & (b >= 0)
    return a[known], b[known], table[column].to_numpy(np.float64)[known]


def _through_stations(
    paths: pd.DataFrame, number: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Quickest way through the pathways from platform to platform."""
    ends = paths[["from_stop_id", "to_stop_id"]]
    names = pd.Index(pd.unique(ends.to_numpy(object).ravel()))
    seconds = paths["traversal_time"].to_numpy(np.float64)
    graph = build_graph(
        len(names), names.get_indexer(ends["from_stop_id"]),
        names.get_indexer(ends["to_stop_id"]), seconds,
    )  # fmt: skip
    found = reach(graph, limit=1800.0)
    row = np.array([number.get(name, -1) for name in names])
    start, end = np.repeat(row, np.diff(found.start)), row[found.node]
    both = (start >= 0) & (end >= 0)
    return start[both].astype(np.int64), end[both].astype(np.int64), found.cost[both]


def _walks_between(
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


@dataclass(frozen=True)
class Journeys:
    """Travel times by public transport or on foot, whichever is quicker.

    Attributes
    ----------
    squares : pandas.DataFrame
        Squares from which the journeys start (`steps.squares`).
    minutes : numpy.ndarray, shape (squares, classes)
        Median over the departures to the nearest destination of each class; inf beyond the limit.
    reached_pct : numpy.ndarray, shape (squares, 3)
        Share of all jobs, or residents, within the limit: for an unlucky departure (5th
        percentile), a usual and a lucky one.
    on_foot_pct : numpy.ndarray, shape (squares,)
        The same without any vehicle.
    """

    squares: pd.DataFrame
    minutes: NDArray[np.float64]
    reached_pct: NDArray[np.float64]
    on_foot_pct: NDArray[np.float64]


def timetable_of(found: Offer, site: Site, here: Places, parameters: Parameters) -> Timetable:
    """Timetable of the day with ways on foot between stops."""
    feet = footpaths(site, here, found.feed, limit_s=60 * parameters.change_walk_min)
    return day_timetable(found.feed, found.date, footpaths=feet, change_s=CHANGE_AT_STOP_S)


def journeys(
    timetable: Timetable, site: Site, here: Places, on_foot: pd.DataFrame, parameters: Parameters
) -> Journeys:
    """Travel times from every square over the departure window.

    Parameters
    ----------
    timetable : Timetable
        From `timetable_of`.
    site, here
        Streets on foot with homes, destinations, stops and jobs.
    on_foot : pandas.DataFrame
        Minutes from each home to each class (`steps.minutes`).
    parameters : Parameters
        `departure_from`, `departure_until`, `departure_step_min`, `transit_minutes`,
        `transit_cell_m`, `access_walk_min`, `max_transfers`.

    Notes
    -----
    All destinations of a class are one place that every stop near one of them leads to: the
    quickest way to it is the quickest way to the nearest. Each square sets out from the home with
    the most weight. Where jobs are not known, residents or floors are what is reached.
    """
    table = steps.squares(here, cell_m=parameters.transit_cell_m)
    origin = table["home"].to_numpy()
    home, rows = site.home[origin], here.stops["row"].to_numpy(np.int64)
    goal = site.job if here.jobs_are_counted else home
    amount = (here.jobs["jobs"] if here.jobs_are_counted else table["weight"]).to_numpy(np.float64)
    classes, stops = len(here.classes), timetable.stop_count
    walk_s, cutoff = 60.0 * parameters.access_walk_min, int(60 * parameters.transit_minutes)
    who, stop, seconds = _walks_between(site, home, site.stop, walk_s)
    access = walks(who, rows[stop], seconds, places=len(home), stops=stops)
    of_spot = pd.Categorical(here.spots["class"], categories=list(here.classes)).codes
    place = np.r_[of_spot.astype(np.int64), classes + np.arange(len(goal))]
    places = classes + len(goal)
    back = replace(site, graph=site.graph.reversed())
    end, halt, egress_s = _walks_between(back, np.r_[site.spot, goal], site.stop, walk_s)
    egress = _least(place[end], rows[halt], egress_s, places=places, stops=stops)
    a, b, s = _walks_between(site, home, goal, float(cutoff))
    near, kind = np.nonzero(60 * on_foot.to_numpy()[origin] <= cutoff)
    direct = _least(
        np.r_[a, near], np.r_[b + classes, kind],
        np.r_[s, 60 * on_foot.to_numpy()[origin][near, kind]], places=len(home), stops=places,
    )  # fmt: skip
    query = TransitQuery(
        timetable, access, egress, departures(parameters), direct=direct,
        max_transfers=parameters.max_transfers, cutoff_s=cutoff,
    )  # fmt: skip
    minutes = np.full((len(home), classes), np.inf)
    reached = np.zeros((len(home), 3))
    for first, times in time_blocks(query, percentiles=None, block=8):
        part = slice(first, first + len(times))
        middle = np.median(times[:, :classes].astype(np.float64), axis=2)
        minutes[part] = np.where(middle < UNREACHED, middle / 60, np.inf)
        sums = cumulative_access(times[:, classes:], amount, [cutoff])[:, :, 0]
        reached[part] = np.percentile(sums, [5, 50, 95], axis=1).T
    walked = np.zeros(len(home))
    np.add.at(walked, a, amount[b])
    return Journeys(table, minutes, 100 * reached / amount.sum(), 100 * walked / amount.sum())


def access_frame(found: Journeys, here: Places, parameters: Parameters) -> gpd.GeoDataFrame:
    """Squares with what public transport lets them reach.

    Returns
    -------
    geopandas.GeoDataFrame
        `weight`, `reached_p05_pct`, `reached_pct`, `reached_p95_pct`, `on_foot_pct`,
        `minutes_all` (median over departures to the farthest class; NaN where one is out of
        reach), `suppressed`, geometry.
    """
    last = (
        found.minutes.max(axis=1) if found.minutes.shape[1] else np.full(len(found.squares), np.nan)
    )
    low, usual, high = np.round(found.reached_pct.T, 3)
    return steps.square_frame(
        here, found.squares, cell_m=parameters.transit_cell_m, fewest=parameters.fewest_people,
        reached_p05_pct=low, reached_pct=usual, reached_p95_pct=high,
        on_foot_pct=np.round(found.on_foot_pct, 3), minutes_all=np.round(last, 2),
    )  # fmt: skip


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


def _least(
    place: NDArray[np.int64],
    stop: NDArray[np.int64],
    seconds: NDArray[np.float64],
    *,
    places: int,
    stops: int,
) -> Walks:
    """Walks with only the shortest between the same two."""
    order = np.lexsort((seconds, stop, place))
    place, stop, seconds = place[order], stop[order], seconds[order]
    new = np.ones(len(place), bool)
    new[1:] = (np.diff(place) != 0) | (np.diff(stop) != 0)
    return walks(place[new], stop[new], seconds[new], places=places, stops=stops)


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
