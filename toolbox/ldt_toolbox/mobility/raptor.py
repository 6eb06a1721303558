"""RAPTOR and range RAPTOR: earliest arrivals by public transport, round by round.

A journey is a walk to a stop, a ride, then for each change a wait at the same stop or one footpath
and another ride. A label is kept for every number of rides, apart for "stepped off a vehicle" and
"ready to board", so that footpaths need not be transitively closed: two are never walked in a row.

Delling, Pajor and Werneck 2015, Round-Based Public Transit Routing, Transportation Science 49(3):
RAPTOR (section 3) and rRAPTOR (section 4.2).
"""

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.timetable import Ints, Timetable

UNREACHED = 2**30  # seconds; leaves room to add walks without overflow


@numba.njit(cache=True, nogil=True)
def _ride(t, p, first, k, fresh, ready, rode, caught, limit, stepped, listed, count):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Ride pattern ``p`` from position ``first``; return how many stops have new arrivals.

    ``fresh`` marks the stops where one is ready earlier than with a ride less: elsewhere there is
    nothing new to board. ``caught[k]`` is the earliest trip ridden at each position of the
    patterns with at most k rides: a trip that isn't earlier has nothing new to give further on.
    """
    base, n = t.stop_start[p], t.stop_start[p + 1] - t.stop_start[p]
    times, trips = t.time_start[p], np.int64(t.trip_count[p])
    rounds = rode.shape[0]
    trip = np.int64(-1)
    for i in range(first, n):
        stop = t.stops[base + i]
        known = np.int64(caught[k, base + i])  # of trips boarded before this stop
        if trip >= 0:
            if trip >= known:
                trip = np.int64(-1)
            else:
                for j in range(k, rounds):
                    if trip >= caught[j, base + i]:
                        break
                    caught[j, base + i] = trip
                known = trip
                arrival = t.arrivals[times + trip * n + i]
                if t.can_alight[base + i] and arrival <= limit and arrival < rode[k, stop]:
                    for j in range(k, rounds):
                        if arrival >= rode[j, stop]:
                            break
                        rode[j, stop] = arrival
                    if not listed[stop]:
                        listed[stop] = 1
                        stepped[count] = stop
                        count += 1
        if not fresh[stop] or not t.can_board[base + i]:
            continue
        here = ready[k - 1, stop]
        column = times + i * trips
        # trips leave a stop in order: is the one before the known one still to be had?
        if known == 0 or t.departures[column + known - 1] < here:
            continue
        low, top = np.int64(0), known - 1
        while low < top:
            middle = (low + top) >> 1
            if t.departures[column + middle] < here:
                low = middle + 1
            else:
                top = middle
        trip = low
    return count


@numba.njit(cache=True, nogil=True)
def _change(t, off, ready, limit, stepped, fresh, marked):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Wait or walk from the stops where somebody stepped off; return how many are marked.

    ``off`` is the time of stepping off, ``ready`` the labels of this and of more rides.
    """
    marks, work = 0, 0
    for m in range(len(stepped)):
        work += t.footpaths.start[stepped[m] + 1] - t.footpaths.start[stepped[m]]
    if 3 * work > len(t.footpaths.stop):
        # Most of the town: each stop looks back along its footpaths, without any branch.
        for stop in range(len(t.change_s)):
            there = off[stop] + t.change_s[stop]
            for f in range(t.footpaths_back.start[stop], t.footpaths_back.start[stop + 1]):
                there = min(there, off[t.footpaths_back.stop[f]] + t.footpaths_back.seconds[f])
            if there <= limit and there < ready[0, stop]:
                marks = _mark(stop, there, ready, fresh, marked, marks)
        return marks
    for m in range(len(stepped)):
        stop = stepped[m]
        there = off[stop] + t.change_s[stop]
        if there <= limit and there < ready[0, stop]:
            marks = _mark(stop, there, ready, fresh, marked, marks)
        for f in range(t.footpaths.start[stop], t.footpaths.start[stop + 1]):
            target, there = t.footpaths.stop[f], off[stop] + t.footpaths.seconds[f]
            if there <= limit and there < ready[0, target]:
                marks = _mark(target, there, ready, fresh, marked, marks)
    return marks


@numba.njit(cache=True, nogil=True)
def _mark(stop, time, ready, fresh, marked, marks):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Note that one can be ready earlier at a stop, also with more rides."""
    for j in range(ready.shape[0]):
        if time >= ready[j, stop]:
            break
        ready[j, stop] = time
    if not fresh[stop]:
        fresh[stop] = 1
        marked[marks] = stop
        marks += 1
    return marks


@numba.njit(cache=True, nogil=True)
def search(t, access_stop, access_s, departure_s, limit, labels, scratch):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Improve the labels by journeys that leave at ``departure_s``.

    Labels are the earliest time at each stop with at most k rides, ``ready[k]`` to board and
    ``rode[k]`` off a vehicle, and the earliest trip caught. Those of later departures may stay in
    place (range RAPTOR). ``labels`` and ``scratch`` come from ``workspace``.
    """
    ready, rode, caught = labels
    marked, stepped, listed, fresh, queue, first = scratch
    none = len(t.stops) + 1
    rounds = ready.shape[0]
    marks = 0
    for a in range(len(access_stop)):
        stop = access_stop[a]
        time = departure_s + access_s[a]
        if time <= limit and time < ready[0, stop]:
            marks = _mark(stop, time, ready, fresh, marked, marks)
    for k in range(1, rounds):
        queued = 0
        for m in range(marks):
            stop = marked[m]
            for s in range(t.served_start[stop], t.served_start[stop + 1]):
                p = t.served_pattern[s]
                if first[p] == none:
                    queue[queued] = p
                    queued += 1
                first[p] = min(first[p], t.served_position[s])
        count = 0
        for q in range(queued):
            p = queue[q]
            count = _ride(
                t, p, first[p], k, fresh, ready, rode, caught, limit, stepped, listed, count
            )
            first[p] = none
        for m in range(marks):
            fresh[marked[m]] = 0
        for m in range(count):
            listed[stepped[m]] = 0
        marks = 0
        if k == rounds - 1:
            break
        marks = _change(t, rode[k], ready[k:], limit, stepped[:count], fresh, marked)
        if marks == 0:
            break


@numba.njit(cache=True, nogil=True)
def workspace(t, rides):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Labels, to be cleared before each origin, and scratch that ``search`` leaves as it was."""
    stops, patterns, shape = len(t.change_s), len(t.trip_count), (rides + 1, len(t.change_s))
    ready, rode = np.empty(shape, np.int32), np.empty(shape, np.int32)
    caught = np.empty((rides + 1, len(t.stops)), np.int32)
    return (ready, rode, caught), (
        np.empty(stops, np.int32),
        np.empty(stops, np.int32),
        np.zeros(stops, np.uint8),
        np.zeros(stops, np.uint8),
        np.empty(patterns, np.int32),
        np.full(patterns, len(t.stops) + 1, np.int32),
    )


@numba.njit(cache=True, nogil=True)
def clear(t, labels):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Forget all journeys."""
    ready, rode, caught = labels
    ready[:] = UNREACHED
    rode[:] = UNREACHED
    for p in range(len(t.trip_count)):
        caught[:, t.stop_start[p] : t.stop_start[p + 1]] = t.trip_count[p]


@numba.njit(cache=True, nogil=True)
def _range(t, access_stop, access_s, departures, cutoff, rides, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    stops = len(t.change_s)
    labels, scratch = workspace(t, rides)
    clear(t, labels)
    for d in range(len(departures) - 1, -1, -1):
        limit = departures[d] + cutoff
        search(t, access_stop, access_s, departures[d], limit, labels, scratch)
        rode = labels[1]
        for k in range(rides + 1):
            for s in range(stops):
                out[d, k, s] = rode[k, s] if rode[k, s] <= limit else UNREACHED


def checked_departures(departures_s: ArrayLike) -> Ints:
    """Departure times as the kernels want them: rising, whole seconds.

    Raises
    ------
    ParameterError
        If there is none, one is out of reach, or they don't rise.
    """
    given = np.atleast_1d(np.asarray(departures_s))
    if not given.size or not ((given > -(2**28)) & (given < 2**28)).all():
        raise ParameterError("departures_s: give at least one departure in seconds since midnight")
    out = given.astype(np.int32)
    if (out != given).any() or (np.diff(out) <= 0).any():
        raise ParameterError("departures_s: give whole seconds, each later than the one before")
    return out


def checked_rides(max_transfers: int) -> int:
    """Number of rides that so many changes allow.

    Raises
    ------
    ParameterError
        If the number is negative or absurdly high.
    """
    if not 0 <= max_transfers <= 20:
        raise ParameterError(f"max_transfers is {max_transfers}: give 0 to 20 changes")
    return max_transfers + 1


def checked_cutoff(cutoff_s: int | None) -> int:
    """Longest journey looked for, in seconds; two days if none is given.

    Raises
    ------
    ParameterError
        If it is not positive.
    """
    if cutoff_s is not None and not cutoff_s > 0:
        raise ParameterError(f"cutoff_s is {cutoff_s}: give the longest journey in seconds")
    return min(cutoff_s, 2**28) if cutoff_s is not None else 2 * 86400


def earliest_arrivals(
    timetable: Timetable,
    access_stop: ArrayLike,
    access_s: ArrayLike,
    departures_s: ArrayLike,
    *,
    max_transfers: int = 3,
    cutoff_s: int | None = None,
) -> NDArray[np.int32]:
    """Earliest arrival by vehicle at every stop, for every departure and number of rides.

    Parameters
    ----------
    timetable : Timetable
        From ``build_timetable``.
    access_stop, access_s : array_like of int, shape (n,)
        Stops that can be walked to from the origin, and the seconds it takes.
    departures_s : array_like of int, shape (departures,) or a single one
        When the traveller leaves, seconds since midnight, rising.
    max_transfers : int
        Changes allowed.
    cutoff_s : int, optional
        Journeys that take longer are not looked for.

    Returns
    -------
    numpy.ndarray of int32, shape (departures, rides + 1, stops)
        ``[d, k, s]``: seconds since midnight of stepping off at s after at most k rides;
        ``UNREACHED`` where that cannot be. k = 0 is always unreached.

    Raises
    ------
    DataError
        If the access walks are out of range.
    ParameterError
        If an option is.
    """
    stop, walk = np.atleast_1d(access_stop), np.atleast_1d(access_s)
    stops = timetable.stop_count
    if stop.shape != walk.shape:
        raise DataError(f"access_stop has {stop.size} values, access_s {walk.size}: pair them")
    if stop.size and (stop.min() < 0 or stop.max() >= stops or walk.min() < 0):
        raise DataError(f"access names a stop outside 0 to {stops - 1} or a negative time")
    departures, rides = checked_departures(departures_s), checked_rides(max_transfers)
    out = np.empty((len(departures), rides + 1, stops), np.int32)
    walk_s = np.ceil(walk).astype(np.int32)
    cutoff = checked_cutoff(cutoff_s)
    _range(timetable, stop.astype(np.int32), walk_s, departures, cutoff, rides, out)
    return out
