"""Timetable for RAPTOR: trips grouped into patterns that no trip overtakes."""

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Flags = NDArray[np.uint8]


class Walks(NamedTuple):
    """Walks from each of n places to stops, as compressed rows.

    Attributes
    ----------
    start : numpy.ndarray, shape (places + 1,)
        Walks of place i are ``start[i]`` to ``start[i + 1]``.
    stop : numpy.ndarray, shape (walks,)
        Index of the stop.
    seconds : numpy.ndarray, shape (walks,)
        Walking time.
    """

    start: Longs
    stop: Ints
    seconds: Ints


class Timetable(NamedTuple):
    """Trips of one day by pattern: same stops in the same order, and no trip overtakes another.

    Times are seconds since midnight of the day. Patterns have their stops at
    ``stop_start[p]:stop_start[p + 1]`` of ``stops``, ``can_board`` and ``can_alight``; their times
    begin at ``time_start[p]``: ``arrivals`` trip by trip, ``departures`` stop by stop, so that
    riding and looking for the next trip both read memory in order.
    """

    stop_start: Longs
    stops: Ints
    can_board: Flags
    can_alight: Flags
    trip_count: Ints
    time_start: Longs
    arrivals: Ints
    departures: Ints
    trip: Ints  # the caller's number of each trip, pattern by pattern
    trip_start: Longs
    served_start: Longs  # patterns at each stop
    served_pattern: Ints
    served_position: Ints
    footpaths: Walks
    footpaths_back: Walks  # the same, from where they lead to where they begin
    change_s: Ints

    @property
    def stop_count(self) -> int:
        """How many stops the timetable knows."""
        return len(self.change_s)

    @property
    def pattern_count(self) -> int:
        """How many patterns there are."""
        return len(self.trip_count)


def walks(
    place: ArrayLike, stop: ArrayLike, seconds: ArrayLike, *, places: int, stops: int
) -> Walks:
    """Sort walks by place; of several between the same two, each is kept.

    Parameters
    ----------
    place, stop : array_like of int, shape (walks,)
        Index of the place (origin, destination, or stop for footpaths) and of the stop.
    seconds : array_like, shape (walks,)
        Walking time; fractions are rounded up, so that nobody is promised a bus that has left.
    places, stops : int
        How many there are.

    Raises
    ------
    DataError
        If an index is out of range or a time negative or missing.
    """
    places_of, stops_of = np.asarray(place, np.int64), np.asarray(stop, np.int64)
    times = np.ceil(np.asarray(seconds, np.float64))
    for name, values, end in (("place", places_of, places), ("stop", stops_of, stops)):
        wrong = (values < 0) | (values >= end)
        if wrong.any():
            raise DataError(
                f"walks name {name} {values[wrong][0]}: use numbers from 0 to {end - 1}"
            )
    if not ((times >= 0) & (times < 2**30)).all():
        raise DataError("walks have a time that is negative or missing: leave such walks out")
    order = np.argsort(places_of, kind="stable")
    start = np.zeros(places + 1, np.int64)
    np.cumsum(np.bincount(places_of, minlength=places), out=start[1:])
    return Walks(start, stops_of[order].astype(np.int32), times[order].astype(np.int32))


@numba.njit(cache=True, nogil=True)
def _fingerprints(start, stop, board, alight):  # type: ignore[no-untyped-def]  # pragma: no cover
    """64-bit hash of each trip's stops and of where one may get on and off."""
    out = np.empty(len(start) - 1, np.uint64)
    for t in range(len(out)):
        h = np.uint64(14695981039346656037)
        for i in range(start[t], start[t + 1]):
            code = np.uint64(stop[i]) * np.uint64(4) + np.uint64(board[i] * 2 + alight[i])
            h = (h ^ code) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(29)
        out[t] = h
    return out


@numba.njit(cache=True, nogil=True)
def _lanes(order, mark, start, stop, board, alight, arrival, departure):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Give each trip of ``order`` a lane: same stops, and nowhere earlier than the one before.

    ``order`` has trips with the same ``mark`` together, by first departure.
    """
    lane = np.empty(len(order), np.int64)
    last = np.empty(len(order), np.int64)  # last trip of each lane
    lanes, first = 0, 0
    for k in range(len(order)):
        t = order[k]
        if k > 0 and mark[t] != mark[order[k - 1]]:
            first = lanes
        n = start[t + 1] - start[t]
        found = -1
        for candidate in range(first, lanes):
            other = last[candidate]
            fits = start[other + 1] - start[other] == n
            for i in range(n):
                if not fits:
                    break
                a, b = start[t] + i, start[other] + i
                fits = (
                    stop[a] == stop[b] and board[a] == board[b] and alight[a] == alight[b]
                    and arrival[a] >= arrival[b] and departure[a] >= departure[b]
                )  # fmt: skip
            if fits:
                found = candidate
                break
        if found < 0:
            found = lanes
            lanes += 1
        last[found] = t
        lane[k] = found
    return lane, lanes


@numba.njit(cache=True, nogil=True)
def _fill(order, trip_start, stop_start, time_start, start, arrival, departure):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Times of the patterns: arrivals trip by trip, departures stop by stop."""
    arrivals = np.empty(time_start[-1], np.int32)
    departures = np.empty(time_start[-1], np.int32)
    for p in range(len(stop_start) - 1):
        n, trips = stop_start[p + 1] - stop_start[p], trip_start[p + 1] - trip_start[p]
        for k in range(trips):
            source = start[order[trip_start[p] + k]]
            for i in range(n):
                arrivals[time_start[p] + k * n + i] = arrival[source + i]
                departures[time_start[p] + i * trips + k] = departure[source + i]
    return arrivals, departures


def build_timetable(
    trip_start: ArrayLike,
    stop: ArrayLike,
    arrival_s: ArrayLike,
    departure_s: ArrayLike,
    *,
    stops: int,
    can_board: ArrayLike | None = None,
    can_alight: ArrayLike | None = None,
    footpaths: Walks | None = None,
    change_s: int | Sequence[int] | Ints = 0,
) -> Timetable:
    """Group trips into patterns.

    Parameters
    ----------
    trip_start : array_like of int, shape (trips + 1,)
        Stop times of trip t are ``trip_start[t]`` to ``trip_start[t + 1]``, in order of travel.
    stop : array_like of int, shape (stop times,)
        Index of the stop.
    arrival_s, departure_s : array_like of int, shape (stop times,)
        Seconds since midnight; more than 86400 after the following midnight, negative for trips
        of the day before.
    stops : int
        How many stops there are.
    can_board, can_alight : array_like of bool, shape (stop times,), optional
        Where passengers may get on and off; everywhere if not given.
    footpaths : Walks, optional
        Walks between stops for changing; one of them at most between two rides.
    change_s : int or sequence of int
        Time that changing at the same stop takes, for all stops or for each.

    Returns
    -------
    Timetable
        Trips with fewer than two stops are left out: nobody can ride them.

    Raises
    ------
    DataError
        If a time runs backwards along a trip or a stop is out of range.

    Notes
    -----
    Trips that share their stops but overtake each other go to different patterns, as RAPTOR asks
    (Delling, Pajor and Werneck 2015, Round-Based Public Transit Routing, section 2).
    """
    start = np.asarray(trip_start, np.int64)
    stop_of = np.ascontiguousarray(stop, np.int32)
    arrival = np.ascontiguousarray(arrival_s, np.int32)
    departure = np.ascontiguousarray(departure_s, np.int32)
    board, alight = (
        np.ones(len(stop_of), np.uint8) if given is None else np.asarray(given, np.uint8)
        for given in (can_board, can_alight)
    )
    _check(start, stop_of, arrival, departure, stops)
    change = np.asarray(change_s, np.int32)
    if change.ndim and len(change) != stops:
        raise ParameterError(f"change_s has {len(change)} values for {stops} stops: give one each")
    feet = footpaths or walks([], [], [], places=stops, stops=stops)
    if len(feet.start) != stops + 1 or (len(feet.stop) and int(feet.stop.max()) >= stops):
        raise DataError(f"footpaths do not lead between the {stops} stops: number both ends alike")
    kept = np.flatnonzero(np.diff(start) >= 2)
    mark = _fingerprints(start, stop_of, board, alight)
    order = kept[np.lexsort((arrival[start[kept + 1] - 1], departure[start[kept]], mark[kept]))]
    lane, patterns = _lanes(order, mark, start, stop_of, board, alight, arrival, departure)
    by_lane = np.argsort(lane, kind="stable")
    order = order[by_lane]
    trip_count = np.bincount(lane, minlength=patterns)
    trips_from = _running(trip_count)
    first = order[trips_from[:-1]] if patterns else np.empty(0, np.int64)
    lengths = start[first + 1] - start[first]
    stops_from, times_from = _running(lengths), _running(lengths * trip_count)
    taken = np.repeat(start[first] - stops_from[:-1], lengths) + np.arange(stops_from[-1])
    arrivals, departures = _fill(
        order, trips_from, stops_from, times_from, start, arrival, departure
    )
    pattern_stops = stop_of[taken]
    served = np.argsort(pattern_stops, kind="stable")
    pattern_of = np.repeat(np.arange(patterns), lengths)
    position = np.arange(stops_from[-1]) - stops_from[pattern_of]
    return Timetable(
        stop_start=stops_from,
        stops=pattern_stops,
        can_board=board[taken],
        can_alight=alight[taken],
        trip_count=trip_count.astype(np.int32),
        time_start=times_from,
        arrivals=arrivals,
        departures=departures,
        trip=order.astype(np.int32),
        trip_start=trips_from,
        served_start=_running(np.bincount(pattern_stops, minlength=stops)),
        served_pattern=pattern_of[served].astype(np.int32),
        served_position=position[served].astype(np.int32),
        footpaths=feet,
        footpaths_back=walks(
            feet.stop,
            np.repeat(np.arange(stops), np.diff(feet.start)),
            feet.seconds,
            places=stops,
            stops=stops,
        ),
        change_s=np.full(stops, change, np.int32) if change.ndim == 0 else change,
    )


def _running(counts: NDArray[np.integer]) -> Longs:
    out = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def _check(start: Longs, stop: Ints, arrival: Ints, departure: Ints, stops: int) -> None:
    if len(stop) and (stop.min() < 0 or stop.max() >= stops):
        wrong = stop[(stop < 0) | (stop >= stops)][0]
        raise DataError(f"a stop time names stop {wrong}: use numbers from 0 to {stops - 1}")
    backwards = departure < arrival
    inner = np.ones(max(len(stop) - 1, 0), bool)
    ends = start[1:-1]
    inner[ends[(ends > 0) & (ends < len(stop))] - 1] = False
    backwards[1:] |= inner & (arrival[1:] < departure[:-1])
    if backwards.any():
        at = int(np.flatnonzero(backwards)[0])
        trip = int(np.searchsorted(start, at, side="right")) - 1
        raise DataError(
            f"trip {trip} runs backwards in time at its stop time {at - int(start[trip])} "
            f"(arrival {arrival[at]} s): correct the trip or leave it out"
        )
