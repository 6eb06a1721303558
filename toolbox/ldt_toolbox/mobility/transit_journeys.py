"""Journeys by public transport from every square of homes, over a departure window."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ldt_toolbox.mobility import squares
from ldt_toolbox.mobility.gtfs.changes import DETOUR
from ldt_toolbox.mobility.raptor import UNREACHED
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.timetable import Timetable, Walks, walks
from ldt_toolbox.mobility.transit_access import TransitQuery, cumulative_access, time_blocks
from ldt_toolbox.mobility.transit_steps import departures, walks_between
from ldt_toolbox.parameters import Parameters

MOST_PAIRS = 1_000_000  # ways on foot from origins to places that are held at a time
MOST_TIMES = 2_000_000  # travel times that one block holds


@dataclass(frozen=True)
class Journeys:
    """Travel times by public transport or on foot, whichever is quicker.

    Attributes
    ----------
    squares : pandas.DataFrame
        Squares from which the journeys start (`squares.squares`).
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


@dataclass(frozen=True)
class _Goals:
    """Where journeys end: a place for each class, then each workplace or square of homes."""

    node: NDArray[np.int64]
    amount: NDArray[np.float64]
    egress: Walks

    @property
    def places(self) -> int:
        return len(self.egress.start) - 1


def journeys(
    timetable: Timetable,
    site: Site,
    here: Places,
    on_foot: pd.DataFrame,
    parameters: Parameters,
    *,
    stops_xy: NDArray[np.float64],
) -> Journeys:
    """Travel times from every square over the departure window.

    Parameters
    ----------
    timetable : Timetable
        From `transit_steps.timetable_of`.
    site, here
        Streets on foot with homes, destinations, stops and jobs.
    on_foot : pandas.DataFrame
        Minutes from each home to each class (`steps.minutes`).
    parameters : Parameters
        `departure_from`, `departure_until`, `departure_step_min`, `transit_minutes`,
        `transit_cell_m`, `access_walk_min`, `max_transfers`.
    stops_xy : numpy.ndarray, shape (stops, 2)
        From `transit_steps.stop_points`, in the CRS of the streets.

    Notes
    -----
    All destinations of a class are one place that every stop near one of them leads to: the
    quickest way to it is the quickest way to the nearest. Each square sets out from the home with
    the most weight. Where jobs are not known, residents or floors are what is reached. From stops
    beyond the territory, where streets are not known, jobs are `changes.DETOUR` times the straight
    line away. Squares are worked through in parts, so that memory does not grow with their square.
    """
    table = squares.squares(here, cell_m=parameters.transit_cell_m)
    home = site.home[table["home"].to_numpy()]
    classes, cutoff = len(here.classes), int(60 * parameters.transit_minutes)
    goals = _goals(timetable, site, here, table, home, parameters, stops_xy)
    leave = departures(parameters)
    minutes = np.full((len(home), classes), np.inf)
    reached, walked = np.zeros((len(home), 3)), np.zeros(len(home))
    seconds = 60 * on_foot.to_numpy()[table["home"].to_numpy()]
    block = int(np.clip(MOST_TIMES // (goals.places * len(leave)), 1, 8))
    for part in _parts(len(home), goals.places):
        a, b, s = walks_between(site, home[part], goals.node, float(cutoff))
        np.add.at(walked[part], a, goals.amount[b])
        near, kind = np.nonzero(seconds[part] <= cutoff)
        origins = len(home[part])
        direct = walks(
            np.r_[a, near], np.r_[b + classes, kind], np.r_[s, seconds[part][near, kind]],
            places=origins, stops=goals.places,
        )  # fmt: skip
        query = TransitQuery(
            timetable, _access(timetable, site, here, home[part], parameters), goals.egress, leave,
            direct=direct, max_transfers=parameters.max_transfers, cutoff_s=cutoff,
        )  # fmt: skip
        for first, times in time_blocks(query, percentiles=None, block=block):
            rows = slice(part.start + first, part.start + first + len(times))
            middle = np.median(times[:, :classes].astype(np.float64), axis=2)
            minutes[rows] = np.where(middle < UNREACHED, middle / 60, np.inf)
            sums = cumulative_access(times[:, classes:], goals.amount, [cutoff])[:, :, 0]
            reached[rows] = np.percentile(sums, [5, 50, 95], axis=1).T
    whole = goals.amount.sum()
    return Journeys(table, minutes, 100 * reached / whole, 100 * walked / whole)


def _parts(origins: int, places: int) -> Iterator[slice]:
    """Origins in turn, so many at a time that ways on foot to all places can be held."""
    step = max(MOST_PAIRS // max(places, 1), 1)
    for first in range(0, origins, step):
        yield slice(first, min(first + step, origins))


def _goals(
    timetable: Timetable,
    site: Site,
    here: Places,
    table: pd.DataFrame,
    home: NDArray[np.int64],
    parameters: Parameters,
    stops_xy: NDArray[np.float64],
) -> _Goals:
    node = site.job if here.jobs_are_counted else home
    amount = (here.jobs["jobs"] if here.jobs_are_counted else table["weight"]).to_numpy(np.float64)
    classes, rows = len(here.classes), here.stops["row"].to_numpy(np.int64)
    of_spot = pd.Categorical(here.spots["class"], categories=list(here.classes)).codes
    place = np.r_[of_spot.astype(np.int64), classes + np.arange(len(node))]
    back = replace(site, graph=site.graph.reversed())
    walk_s = 60.0 * parameters.access_walk_min
    end, halt, seconds = walks_between(back, np.r_[site.spot, node], site.stop, walk_s)
    ends, halts = place[end], rows[halt]
    if here.jobs_are_counted:
        job, beyond, more = _from_stops_beyond(here, stops_xy, rows, walk_s, parameters)
        ends, halts = np.r_[ends, classes + job], np.r_[halts, beyond]
        seconds = np.r_[seconds, more]
    egress = _least(ends, halts, seconds, places=classes + len(node), stops=timetable.stop_count)
    return _Goals(node, amount, egress)


def _from_stops_beyond(
    here: Places,
    stops_xy: NDArray[np.float64],
    rows: NDArray[np.int64],
    walk_s: float,
    parameters: Parameters,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Walks to jobs from stops outside of the territory: job, row of the stop, seconds."""
    outside = np.setdiff1d(np.flatnonzero(np.isfinite(stops_xy).all(axis=1)), rows)
    pace = DETOUR / parameters.walking_speed_m_s
    jobs = shapely.get_coordinates(here.jobs.geometry.to_numpy())
    if not len(jobs) or not len(outside):
        nothing = np.empty(0, np.int64)
        return nothing, nothing, np.empty(0)
    found = cKDTree(jobs).sparse_distance_matrix(
        cKDTree(stops_xy[outside]), walk_s / pace, output_type="ndarray"
    )
    return found["i"].astype(np.int64), outside[found["j"]], pace * found["v"]


def _access(
    timetable: Timetable,
    site: Site,
    here: Places,
    home: NDArray[np.int64],
    parameters: Parameters,
) -> Walks:
    rows = here.stops["row"].to_numpy(np.int64)
    who, stop, seconds = walks_between(site, home, site.stop, 60.0 * parameters.access_walk_min)
    return walks(who, rows[stop], seconds, places=len(home), stops=timetable.stop_count)


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


def access_frame(found: Journeys, here: Places, parameters: Parameters) -> gpd.GeoDataFrame:
    """Squares with what public transport lets them reach.

    Returns
    -------
    geopandas.GeoDataFrame
        `reached_p05_pct`, `reached_pct`, `reached_p95_pct`, `on_foot_pct`,
        `minutes_all` (median over departures to the farthest class; NaN where one is out of
        reach), `suppressed`, geometry.
    """
    last = (
        found.minutes.max(axis=1) if found.minutes.shape[1] else np.full(len(found.squares), np.nan)
    )
    low, usual, high = np.round(found.reached_pct.T, 3)
    return squares.square_frame(
        here, found.squares, cell_m=parameters.transit_cell_m, fewest=parameters.fewest_people,
        reached_p05_pct=low, reached_pct=usual, reached_p95_pct=high,
        on_foot_pct=np.round(found.on_foot_pct, 3), minutes_all=np.round(last, 2),
    )  # fmt: skip
