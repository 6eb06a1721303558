"""One service day of a feed: every run of every trip, and the timetable for RAPTOR."""

import datetime as dt
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.mobility.gtfs.calendar import active_trips
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.scan import MISSING
from ldt_toolbox.mobility.timetable import Ints, Timetable, Walks, build_timetable

DAY_S = 86400


class Runs(NamedTuple):
    """Vehicles that run on a day.

    Attributes
    ----------
    trip : numpy.ndarray of int32, shape (runs,)
        Row of trips.
    offset_s : numpy.ndarray of int32, shape (runs,)
        To add to the times of the trip; 0 unless frequencies.txt repeats it.
    """

    trip: Ints
    offset_s: Ints


@numba.njit(cache=True, nogil=True)
def _filled(start, arrival, departure):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Times with gaps filled evenly between the stops that have some; trips that can run."""
    arrivals, departures = arrival.copy(), departure.copy()
    usable = np.zeros(len(start) - 1, np.bool_)
    for t in range(len(start) - 1):
        begin, end = start[t], start[t + 1]
        before, good = -1, end - begin >= 2
        for i in range(begin, end):
            if arrivals[i] == MISSING:
                arrivals[i] = departures[i]
            if departures[i] == MISSING:
                departures[i] = arrivals[i]
            if arrivals[i] == MISSING:
                continue
            if departures[i] < arrivals[i] or (before >= 0 and arrivals[i] < departures[before]):
                good = False
                break
            if before < 0 and i > begin:
                good = False  # the first stop has no time
                break
            gap = i - before if before >= 0 else 1
            for k in range(1, gap):
                share = (arrivals[i] - departures[before]) * k // gap
                arrivals[before + k] = departures[before + k] = departures[before] + share
            before = i
        usable[t] = good and before == end - 1
    return arrivals, departures, usable


def filled_times(feed: Feed) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Arrivals and departures with gaps filled, and which trips can run.

    Returns
    -------
    tuple of numpy.ndarray
        Arrival and departure of each stop time, seconds: where the feed gives none, spread
        evenly by stops between the neighbours that have one. Last, for each trip whether it has
        two stops, times at both ends and never runs backwards.
    """
    times = feed.stop_times
    arrivals, departures, usable = _filled(times.start, times.arrival_s, times.departure_s)
    return arrivals, departures, usable


def runs_of_day(feed: Feed, date: dt.date) -> Runs:
    """Each vehicle that runs on a service day, trips by frequency repeated.

    Parameters
    ----------
    feed : Feed
        Any.
    date : datetime.date
        Service day. Its trips may end beyond midnight.

    Returns
    -------
    Runs
        By trip, then time. A trip of frequencies.txt starts at ``start_time`` and every
        ``headway_secs`` after it, before ``end_time``; where ``exact_times`` is 0 that is one of
        the timetables that would keep the headway.
    """
    active = active_trips(feed, date) & filled_times(feed)[2]
    table = feed["frequencies"].dropna(subset=["trip_id", "start_time", "end_time", "headway_secs"])
    table = table[table["headway_secs"] > 0]
    # get_indexer wants unique ids; of doubled ones the first counts, as in stop_times
    rows = (
        {trip: k for k, trip in reversed(list(enumerate(feed["trips"]["trip_id"])))}
        if len(table)
        else {}
    )
    repeated = np.zeros(len(active), bool)
    trips, offsets = [], []
    for trip_id, start, end, headway in zip(
        table["trip_id"], table["start_time"], table["end_time"], table["headway_secs"],
        strict=True,
    ):  # fmt: skip
        trip = rows.get(trip_id, -1)
        if trip < 0 or not active[trip]:
            continue
        repeated[trip] = True
        begins = np.arange(int(start), int(end), int(headway))
        first = int(feed.stop_times.departure_s[feed.stop_times.start[trip]])
        trips.append(np.full(len(begins), trip))
        offsets.append(begins - first)
    once = np.flatnonzero(active & ~repeated)
    trip = np.concatenate([once, *trips]).astype(np.int32)
    offset = np.concatenate([np.zeros(len(once), np.int64), *offsets]).astype(np.int32)
    order = np.lexsort((offset, trip))
    return Runs(trip[order], offset[order])


def day_timetable(
    feed: Feed,
    date: dt.date,
    *,
    footpaths: Walks | None = None,
    change_s: int | Ints = 0,
    previous_day: bool = True,
) -> Timetable:
    """Timetable of a date for RAPTOR; stops are numbered as the rows of stops.

    Parameters
    ----------
    feed : Feed
        Any.
    date : datetime.date
        The day travelled on.
    footpaths : Walks, optional
        For changing, between rows of stops.
    change_s : int or numpy.ndarray of int32, shape (stops,)
        Time that changing at the same stop takes, everywhere or at each.
    previous_day : bool
        Also the trips of the day before that run on after midnight.
    """
    times = feed.stop_times
    arrivals, departures, _ = filled_times(feed)
    runs = runs_of_day(feed, date)
    trip, offset = runs.trip, runs.offset_s
    if previous_day:
        before = runs_of_day(feed, date - dt.timedelta(days=1))
        ends = arrivals[times.start[before.trip + 1] - 1] + before.offset_s
        late = ends > DAY_S
        trip = np.concatenate([trip, before.trip[late]])
        offset = np.concatenate([offset, before.offset_s[late] - np.int32(DAY_S)])
    length = np.diff(times.start)[trip]
    start = np.zeros(len(trip) + 1, np.int64)
    np.cumsum(length, out=start[1:])
    taken = np.repeat(times.start[trip] - start[:-1], length) + np.arange(start[-1])
    shift = np.repeat(offset, length)
    return build_timetable(
        start, times.stop[taken], arrivals[taken] + shift, departures[taken] + shift,
        stops=len(feed["stops"]), can_board=times.pickup[taken] != 1,
        can_alight=times.drop_off[taken] != 1, footpaths=footpaths, change_s=change_s,
    )  # fmt: skip
