"""Travel-time matrices against arrivals of single origins, and what they give access to."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import random_timetables
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility import transit_access
from ldt_toolbox.mobility.raptor import UNREACHED, earliest_arrivals
from ldt_toolbox.mobility.timetable import build_timetable, walks
from ldt_toolbox.mobility.transit_access import (
    TransitQuery,
    cumulative_access,
    gravity_access,
    transit_accessibility,
    travel_times,
    travel_times_or_file,
    write_travel_times,
)


def random_query(seed, **options):
    rng = np.random.default_rng(seed)
    timetable = random_timetables.random_town(rng).timetable()
    stops, origins, places = timetable.stop_count, 40, 23

    def some(many, others, count):
        pairs = rng.integers(0, many, count), rng.integers(0, others, count)
        return walks(*pairs, rng.integers(0, 900, count), places=many, stops=others)

    return TransitQuery(
        timetable, some(origins, stops, 70), some(places, stops, 50), np.arange(0, 3000, 300),
        direct=some(origins, places, 60), **options,
    )  # fmt: skip


def one_by_one(query):
    """Door-to-door times of every departure, origin by origin, without the matrix kernel."""
    departures, cutoff = np.asarray(query.departures_s), query.cutoff_s or 2 * 86400
    out = np.full((query.origins, query.destinations, len(departures)), UNREACHED)
    for i in range(query.origins):
        part = slice(query.access.start[i], query.access.start[i + 1])
        for d, leave in enumerate(departures):
            rode = earliest_arrivals(
                query.timetable, query.access.stop[part], query.access.seconds[part], leave,
                max_transfers=query.max_transfers, cutoff_s=query.cutoff_s,
            )[0, -1]  # fmt: skip
            for j in range(query.destinations):
                last = slice(query.egress.start[j], query.egress.start[j + 1])
                ends = rode[query.egress.stop[last]].astype(int) + query.egress.seconds[last]
                straight = slice(query.direct.start[i], query.direct.start[i + 1])
                feet = query.direct.seconds[straight][query.direct.stop[straight] == j]
                best = min([*(ends - leave), *feet, UNREACHED])
                out[i, j, d] = best if best <= cutoff else UNREACHED
    return out


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    cutoff_s=st.sampled_from([None, 900, 3600]),
    transfers=st.integers(0, 3),
)
def test_matrix_equals_single_journeys(seed, cutoff_s, transfers):
    query = random_query(seed, cutoff_s=cutoff_s, max_transfers=transfers)
    expected = one_by_one(query)
    np.testing.assert_array_equal(travel_times(query, percentiles=None), expected)
    # the p-th percentile is the smallest time with at least p per cent of the departures at or
    # below it
    ordered = np.sort(expected, axis=2)
    found = travel_times(query, percentiles=(0, 10, 30, 50, 95, 100))
    np.testing.assert_array_equal(found, ordered[:, :, [0, 0, 2, 4, 9, 9]])


def test_number_of_threads_changes_nothing():
    one, two = (travel_times(random_query(5, workers=n)) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one < UNREACHED).any()


def test_waiting_for_a_periodic_line_is_half_a_headway_at_the_median():
    """A vehicle every 600 s, 300 s of ride: 300 s to 899 s; sorted, the 300th of 600 is 599 s."""
    starts = np.arange(0, 7200, 600)
    times = np.column_stack([starts, starts + 300]).ravel()
    table = build_timetable(np.arange(0, 25, 2), [0, 1] * 12, times, times, stops=2)
    here, there = (walks([0], [stop], [0], places=1, stops=2) for stop in (0, 1))
    query = TransitQuery(table, here, there, np.arange(1800, 2400))
    assert travel_times(query, percentiles=(0, 50, 100))[0, 0].tolist() == [300, 599, 899]


def test_streamed_rows_are_the_matrix(tmp_path):
    query = random_query(11, cutoff_s=3600)
    matrix = travel_times(query, percentiles=(50, 90))
    rows = write_travel_times(query, tmp_path / "times.parquet", percentiles=(50, 90))
    table = pq.read_table(tmp_path / "times.parquet").to_pandas()
    assert list(table) == ["origin", "destination", "p50_s", "p90_s"]
    assert rows == len(table) == (matrix < UNREACHED).any(axis=2).sum() > 0
    again = np.full(matrix.shape, UNREACHED)
    again[table.origin, table.destination] = table[["p50_s", "p90_s"]].fillna(UNREACHED)
    np.testing.assert_array_equal(again, matrix)
    assert [file.name for file in tmp_path.iterdir()] == ["times.parquet"]


def test_what_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(transit_access, "memory_limit", lambda: 1000.0)
    with pytest.raises(ParameterError, match=r"40 x 23 x 1 .* travel_times_or_file"):
        travel_times(random_query(5))


def test_what_does_not_fit_is_streamed_and_what_fits_is_not(monkeypatch, tmp_path):
    query, path = random_query(11, cutoff_s=3600), tmp_path / "times.parquet"
    matrix = travel_times_or_file(query, path)
    assert not path.exists()
    monkeypatch.setattr(transit_access, "memory_limit", lambda: 2.0 * matrix.nbytes - 1)
    assert travel_times_or_file(query, path) == path
    table = pq.read_table(path).to_pandas()
    assert len(table) == (matrix < UNREACHED).sum() > 0
    np.testing.assert_array_equal(table.p50_s, matrix[table.origin, table.destination, 0])
    monkeypatch.setattr(transit_access, "memory_limit", lambda: 2.0 * matrix.nbytes)
    np.testing.assert_array_equal(travel_times_or_file(query, path), matrix)


def test_cumulative_and_gravity_by_hand():
    times = np.array([[[600], [1200], [UNREACHED]]], np.int32)
    reached = cumulative_access(times, [10, 5, 100], [599, 600, 1800])
    assert reached.tolist() == [[[0, 10, 15]]]
    expected = 10 * np.exp(-0.5) + 5 * np.exp(-1)
    assert gravity_access(times, [10, 5, 100], 1200)[0, 0] == pytest.approx(expected, rel=1e-12)


def test_accessibility_over_a_window_is_that_of_its_departures():
    query, jobs = random_query(3), np.arange(23)
    every = cumulative_access(travel_times(query, percentiles=None), jobs, [1200, 2400])
    found = transit_accessibility(query, jobs, [1200, 2400], percentiles=(0, 50, 100))
    np.testing.assert_allclose(found[:, 0], every.min(axis=1))
    np.testing.assert_allclose(found[:, 1], np.median(every, axis=1))
    np.testing.assert_allclose(found[:, 2], every.max(axis=1))
    assert (found[:, 2] > found[:, 0]).any()


def test_what_does_not_pair_is_refused():
    query = random_query(5)
    with pytest.raises(DataError, match="2 opportunities for 23 destinations"):
        transit_accessibility(query, [1, 2], [600])
    with pytest.raises(DataError, match="negative or missing"):
        cumulative_access(np.zeros((1, 1, 1), np.int32), [np.nan], [600])
    with pytest.raises(ParameterError, match="percentiles are"):
        travel_times(query, percentiles=(101,))
    far = walks([0], [50], [1], places=1, stops=60)
    with pytest.raises(DataError, match="access names 50"):
        TransitQuery(query.timetable, far, query.egress, 0)
    with pytest.raises(DataError, match="direct has 40 origins"):
        TransitQuery(query.timetable, query.egress, query.egress, 0, direct=query.direct)
