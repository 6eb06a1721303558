"""Travel times by public transport from many origins, and what they give access to.

Origins are worked through in blocks on all cores; what would not fit into memory is streamed to
Parquet or summed up block by block.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.memory import memory_limit
from ldt_toolbox.mobility.matrix_files import write_rows
from ldt_toolbox.mobility.raptor import (
    UNREACHED,
    checked_cutoff,
    checked_departures,
    checked_rides,
    clear,
    search,
    workspace,
)
from ldt_toolbox.mobility.timetable import Ints, Timetable, Walks, walks

BLOCK = 16  # origins a thread takes at a time
MEMORY_SHARE = 0.5  # of what is free that a matrix may take


@numba.njit(cache=True, nogil=True)
def _block(t, access, egress, direct, departures, cutoff, rides, ranks, first, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Travel times from the origins ``first`` onwards to all destinations.

    ``ranks`` picks from the times sorted over the departures; without any, all are given.
    """
    places, window = len(egress.start) - 1, len(departures)
    labels, scratch = workspace(t, rides)
    times = np.empty((places, window), np.int32)
    on_foot = np.empty(places, np.int32)
    for row in range(out.shape[0]):
        begin, end = access.start[first + row], access.start[first + row + 1]
        near, walk = access.stop[begin:end], access.seconds[begin:end]
        clear(t, labels)
        on_foot[:] = UNREACHED
        for w in range(direct.start[first + row], direct.start[first + row + 1]):
            place = direct.stop[w]
            on_foot[place] = min(on_foot[place], direct.seconds[w])
        for d in range(window - 1, -1, -1):
            leave = departures[d]
            search(t, near, walk, leave, leave + cutoff, labels, scratch)
            last = labels[1][rides]
            for place in range(places):
                best = UNREACHED
                for w in range(egress.start[place], egress.start[place + 1]):
                    best = min(best, last[egress.stop[w]] + egress.seconds[w])
                best = min(best - leave, on_foot[place])
                times[place, d] = best if best <= cutoff else UNREACHED
        if len(ranks) == 0:
            out[row] = times
            continue
        for place in range(places):
            if window > 1:
                times[place].sort()
            for r in range(len(ranks)):
                out[row, place, r] = times[place, ranks[r]]


@dataclass(frozen=True)
class TransitQuery:
    """Who travels where, when, and how long at most.

    Attributes
    ----------
    timetable : Timetable
        From ``build_timetable``.
    access : Walks
        From each origin to stops.
    egress : Walks
        From each destination to stops: the walk at the end, taken backwards.
    departures_s : array_like of int
        Seconds since midnight, rising: one, or a window minute by minute.
    direct : Walks, optional
        From origins to destinations without any vehicle (``stop`` is the destination).
    max_transfers : int
        Changes allowed.
    cutoff_s : int, optional
        Longest journey; two days if not given.
    workers : int, optional
        Threads; all cores if not given.
    """

    timetable: Timetable
    access: Walks
    egress: Walks
    departures_s: ArrayLike
    direct: Walks | None = None
    max_transfers: int = 3
    cutoff_s: int | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        checked_departures(self.departures_s)
        checked_rides(self.max_transfers)
        checked_cutoff(self.cutoff_s)
        stops = self.timetable.stop_count
        for name, given, end in (
            ("access", self.access, stops),
            ("egress", self.egress, stops),
            ("direct", self.direct, self.destinations),
        ):
            if given is not None and len(given.stop) and int(given.stop.max()) >= end:
                raise DataError(
                    f"{name} names {given.stop.max()}: there are {end} (0 to {end - 1})"
                )
        if self.direct is not None and len(self.direct.start) != len(self.access.start):
            raise DataError(
                f"direct has {len(self.direct.start) - 1} origins, access {self.origins}: give each"
            )

    @property
    def origins(self) -> int:
        """How many origins there are."""
        return len(self.access.start) - 1

    @property
    def destinations(self) -> int:
        """How many destinations there are."""
        return len(self.egress.start) - 1


def _ranks(percentiles: Sequence[float] | None, window: int) -> NDArray[np.int64]:
    if percentiles is None:
        return np.empty(0, np.int64)
    share = np.asarray(percentiles, np.float64) / 100
    if not share.size or not ((share >= 0) & (share <= 1)).all():
        raise ParameterError(f"percentiles are {list(percentiles)}: give numbers from 0 to 100")
    # 1e-9: 0.3 * 10 must be 3, not 3.0000000000000004
    return np.maximum(np.ceil(share * window - 1e-9).astype(np.int64) - 1, 0)


def time_blocks(
    query: TransitQuery, *, percentiles: Sequence[float] | None = (50,), block: int = BLOCK
) -> Iterator[tuple[int, Ints]]:
    """Travel times block by block, in the order of the origins.

    Parameters
    ----------
    query : TransitQuery
        Who travels where.
    percentiles : sequence of float or None
        See ``travel_times``.
    block : int
        Origins a block.

    Yields
    ------
    tuple of int and numpy.ndarray, shape (origins of the block, destinations, k)
        First origin of the block; seconds.
    """
    departures = checked_departures(query.departures_s)
    ranks = _ranks(percentiles, len(departures))
    depth = len(ranks) or len(departures)
    direct = query.direct or walks([], [], [], places=query.origins, stops=query.destinations)
    cutoff, rides = checked_cutoff(query.cutoff_s), checked_rides(query.max_transfers)

    def work(first: int) -> tuple[int, Ints]:
        rows = min(block, query.origins - first)
        out = np.empty((rows, query.destinations, depth), np.int32)
        _block(
            query.timetable, query.access, query.egress, direct, departures, cutoff, rides, ranks,
            first, out,
        )  # fmt: skip
        return first, out

    workers = query.workers or os.cpu_count() or 1
    waiting: deque[Future[tuple[int, Ints]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for first in range(0, query.origins, block):
            waiting.append(pool.submit(work, first))
            if len(waiting) > 2 * workers:  # what nobody has taken yet stays few
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def travel_times(query: TransitQuery, *, percentiles: Sequence[float] | None = (50,)) -> Ints:
    """Travel-time matrix over a departure window.

    Parameters
    ----------
    query : TransitQuery
        Who travels where.
    percentiles : sequence of float or None
        Which percentiles over the departures; 50 is the median. The p-th is the shortest time
        that is kept on at least p per cent of the departures, so that departures without any
        journey count as endless ones. None: each departure by itself.

    Returns
    -------
    numpy.ndarray of int32, shape (origins, destinations, percentiles or departures)
        Door-to-door seconds, waiting included; ``UNREACHED`` beyond the cutoff.

    Raises
    ------
    ParameterError
        If the matrix would take more than half of the memory that is free.

    Notes
    -----
    Percentiles of travel time over a departure window: Conway, Byrd and van der Linden 2017,
    Evidence-Based Transit and Land Use Sketch Planning, Transportation Research Record 2653.
    """
    window = len(checked_departures(query.departures_s))
    depth = len(_ranks(percentiles, window)) or window
    size = _size(query, percentiles)
    if size > MEMORY_SHARE * memory_limit():
        raise ParameterError(
            f"the matrix of {query.origins} x {query.destinations} x {depth} would take "
            f"{size / 1e9:.1f} GB: use travel_times_or_file or transit_accessibility"
        )
    out = np.empty((query.origins, query.destinations, depth), np.int32)
    for first, times in time_blocks(query, percentiles=percentiles):
        out[first : first + len(times)] = times
    return out


def write_travel_times(
    query: TransitQuery, path: Path, *, percentiles: Sequence[float] = (50,)
) -> int:
    """Stream the travel-time matrix to Parquet; memory stays that of a few blocks.

    Parameters
    ----------
    query : TransitQuery
        Who travels where.
    path : pathlib.Path
        File to write: columns ``origin``, ``destination`` (numbers from 0) and ``p50_s`` ... for
        each percentile, null where it is unreached. Pairs that no percentile reaches are left
        out. The file appears when it is complete.
    percentiles : sequence of float
        See ``travel_times``.

    Returns
    -------
    int
        Rows written.
    """
    names = [f"p{p:g}_s" for p in percentiles]
    fields = [("origin", pa.int32()), ("destination", pa.int32())]
    schema = pa.schema(fields + [(name, pa.int32()) for name in names])

    def tables() -> Iterator[pa.Table]:
        for first, times in time_blocks(query, percentiles=percentiles, block=4 * BLOCK):
            origin, place = np.nonzero((times < UNREACHED).any(axis=2))
            found = times[origin, place]
            columns = [
                pa.array(found[:, k], mask=found[:, k] >= UNREACHED) for k in range(len(names))
            ]
            ends = [(origin + first).astype(np.int32), place.astype(np.int32)]
            yield pa.table([*map(pa.array, ends), *columns], schema=schema)

    return write_rows(path, schema, tables())


def travel_times_or_file(
    query: TransitQuery, path: Path, *, percentiles: Sequence[float] = (50,)
) -> Ints | Path:
    """Travel-time matrix, streamed to Parquet where it would not fit.

    Parameters
    ----------
    query, percentiles
        See ``travel_times``.
    path : pathlib.Path
        File of ``write_travel_times``, written only if it is needed.

    Returns
    -------
    numpy.ndarray or pathlib.Path
        The matrix, or the file that holds it.
    """
    if _size(query, percentiles) <= MEMORY_SHARE * memory_limit():
        return travel_times(query, percentiles=percentiles)
    write_travel_times(query, path, percentiles=percentiles)
    return path


def _size(query: TransitQuery, percentiles: Sequence[float] | None) -> float:
    """Bytes of a whole matrix."""
    window = len(checked_departures(query.departures_s))
    depth = len(_ranks(percentiles, window)) or window
    return 4.0 * query.origins * query.destinations * depth


def cumulative_access(
    times_s: Ints, opportunities: ArrayLike, thresholds_s: Sequence[float]
) -> NDArray[np.float64]:
    """Opportunities within a travel time: ``A_i = sum O_j [t_ij <= T]``.

    Parameters
    ----------
    times_s : numpy.ndarray, shape (origins, destinations, k)
        From ``travel_times``.
    opportunities : array_like, shape (destinations,)
        How much there is at each destination.
    thresholds_s : sequence of float
        Each T in seconds.

    Returns
    -------
    numpy.ndarray, shape (origins, k, thresholds)
        In the unit of the opportunities. Geurs and van Wee 2004, J. Transport Geography 12(2).
    """
    weight = _weights(times_s, opportunities)
    out = [np.einsum("ijk,j->ik", times_s <= limit, weight) for limit in thresholds_s]
    return np.stack(out, axis=-1)


def gravity_access(times_s: Ints, opportunities: ArrayLike, decay_s: float) -> NDArray[np.float64]:
    """Opportunities that count less the longer the way: ``A_i = sum O_j exp(-t_ij / tau)``.

    Parameters
    ----------
    times_s, opportunities
        See ``cumulative_access``.
    decay_s : float
        tau: after so many seconds an opportunity counts 1/e.

    Returns
    -------
    numpy.ndarray, shape (origins, k)
        In the unit of the opportunities; what is unreached counts nothing. Hansen 1959.
    """
    if not decay_s > 0:
        raise ParameterError(f"decay_s is {decay_s}: give a time in seconds")
    weight = _weights(times_s, opportunities)
    counts = np.where(times_s < UNREACHED, np.exp(-times_s / decay_s), 0.0)
    return np.asarray(np.einsum("ijk,j->ik", counts, weight))


def _weights(times_s: Ints, opportunities: ArrayLike) -> NDArray[np.float64]:
    weight = np.asarray(opportunities, np.float64)
    if weight.shape != times_s.shape[1:2]:
        raise DataError(
            f"{weight.size} opportunities for {times_s.shape[1]} destinations: pair them"
        )
    if not (weight >= 0).all():
        raise DataError("opportunities are negative or missing: give 0 where there is nothing")
    return weight


def transit_accessibility(
    query: TransitQuery,
    opportunities: ArrayLike,
    thresholds_s: Sequence[float],
    *,
    percentiles: Sequence[float] = (5, 50, 95),
) -> NDArray[np.float64]:
    """Cumulative accessibility at every departure, and its percentiles over the window.

    Parameters
    ----------
    query : TransitQuery
        Who travels where.
    opportunities, thresholds_s
        See ``cumulative_access``.
    percentiles : sequence of float
        Of the accessibility over the departures: 5 is what an unlucky traveller has.

    Returns
    -------
    numpy.ndarray, shape (origins, percentiles, thresholds)
        In the unit of the opportunities; linear between departures. The matrix of travel times
        is never held as a whole.
    """
    _ranks(percentiles, 1)
    out = np.empty((query.origins, len(percentiles), len(thresholds_s)))
    for first, times in time_blocks(query, percentiles=None, block=4):
        reached = cumulative_access(times, opportunities, thresholds_s)
        out[first : first + len(times)] = np.moveaxis(
            np.percentile(reached, percentiles, axis=1), 0, 1
        )
    return out
