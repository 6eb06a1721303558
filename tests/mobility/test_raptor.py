"""RAPTOR against a slow router of another kind, and range RAPTOR against repeated RAPTOR."""

import numpy as np
import pytest
import random_timetables
from hypothesis import given, settings
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.raptor import UNREACHED, earliest_arrivals
from ldt_toolbox.mobility.timetable import build_timetable, walks


def compare(seed, cutoff_s):
    """Number of labels compared; each must be equal."""
    rng = np.random.default_rng(seed)
    town = random_timetables.random_town(rng)
    timetable = town.timetable()
    stop, seconds = zip(*town.access, strict=True)
    departure_s, transfers = int(rng.integers(-600, 5000)), int(rng.integers(0, 4))
    fast = earliest_arrivals(
        timetable, stop, seconds, departure_s, max_transfers=transfers, cutoff_s=cutoff_s
    )[0]
    slow = random_timetables.slow_arrivals(town, departure_s, transfers + 1, cutoff_s)
    expected = np.array([[UNREACHED if t is None else t for t in row] for row in slow])
    np.testing.assert_array_equal(fast, expected, err_msg=f"seed {seed}")
    return int((expected < UNREACHED).sum()), expected.size


def test_equals_a_time_expanded_dijkstra_on_hundreds_of_random_timetables():
    reached = compared = 0
    for seed in range(600):
        some, of = compare(seed, cutoff_s=2 * 86400)
        reached += some
        compared += of
    assert compared > 10_000
    assert 0.2 < reached / compared < 0.9  # neither trivial case fills the towns


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(10_000, 2**31), cutoff_s=st.sampled_from([300, 1200, 3600, 100_000]))
def test_equals_a_time_expanded_dijkstra_with_a_cutoff(seed, cutoff_s):
    compare(seed, cutoff_s)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    step_s=st.sampled_from([30, 60, 400]),
    count=st.integers(2, 12),
    cutoff_s=st.sampled_from([600, 3600, 100_000]),
)
def test_range_raptor_equals_raptor_repeated(seed, step_s, count, cutoff_s):
    town = random_timetables.random_town(np.random.default_rng(seed))
    timetable = town.timetable()
    stop, seconds = zip(*town.access, strict=True)
    departures = np.arange(count) * step_s
    together = earliest_arrivals(timetable, stop, seconds, departures, cutoff_s=cutoff_s)
    for d, departure in enumerate(departures):
        alone = earliest_arrivals(timetable, stop, seconds, departure, cutoff_s=cutoff_s)[0]
        np.testing.assert_array_equal(together[d], alone)


def test_trips_that_overtake_go_to_different_patterns():
    express = build_timetable(
        [0, 3, 6, 9], [0, 1, 2] * 3, [0, 600, 1200, 60, 300, 500, 70, 700, 1300],
        [0, 600, 1200, 60, 300, 500, 70, 700, 1300], stops=3,
    )  # fmt: skip
    assert express.pattern_count == 2
    assert sorted(express.trip_count) == [1, 2]
    found = earliest_arrivals(express, [0], [0], 0)[0]
    assert found[1].tolist() == [UNREACHED, 300, 500]


def test_past_midnight_and_the_day_before():
    night = build_timetable(
        [0, 2, 4], [0, 1, 0, 1], [90000, 90600, -600, 300], [90000, 90600, -600, 300], stops=2
    )
    assert earliest_arrivals(night, [0], [0], 86400)[0, 1, 1] == 90600
    assert earliest_arrivals(night, [0], [0], -700)[0, 1, 1] == 300


def test_two_footpaths_are_never_walked_in_a_row():
    """Stop 1 is reached on foot from 0 and by a later ride; only the ride goes on to 2 on foot."""
    feet = walks([0, 1], [1, 2], [60, 60], places=4, stops=4)
    table = build_timetable(
        [0, 2, 4, 6], [3, 0, 3, 1, 2, 3], [0, 100, 0, 200, 250, 400], [0, 100, 0, 200, 250, 400],
        stops=4, footpaths=feet,
    )  # fmt: skip
    found = earliest_arrivals(table, [3], [0], 0)[0]
    assert found[2].tolist() == [100, 200, UNREACHED, UNREACHED]  # 260 is too late for 250


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match=r"trip 1 runs backwards in time at its stop time 1"):
        build_timetable([0, 2, 4], [0, 1] * 2, [0, 9, 50, 40], [0, 9, 50, 40], stops=2)
    with pytest.raises(DataError, match="names stop 5"):
        build_timetable([0, 2], [0, 5], [0, 9], [0, 9], stops=2)
    with pytest.raises(DataError, match="walks name stop 9"):
        walks([0], [9], [1], places=1, stops=2)
    with pytest.raises(DataError, match="negative or missing"):
        walks([0], [1], [np.nan], places=1, stops=2)
    table = build_timetable([0, 2], [0, 1], [0, 9], [0, 9], stops=2)
    with pytest.raises(ParameterError, match="each later"):
        earliest_arrivals(table, [0], [0], [60, 60])
    with pytest.raises(ParameterError, match="max_transfers is -1"):
        earliest_arrivals(table, [0], [0], 0, max_transfers=-1)
    with pytest.raises(DataError, match="access names a stop"):
        earliest_arrivals(table, [7], [0], 0)
