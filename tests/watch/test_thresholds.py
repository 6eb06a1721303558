"""Thresholds trigger on passing, once, with hysteresis; changes are gathered until it is quiet."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.watch.pending import Pending
from ldt_toolbox.watch.thresholds import Sides, Threshold

LEVEL = Threshold("height", 1.5, 0.2)


def sides(values, threshold=LEVEL):
    """Side after each value that passed."""
    book = Sides((threshold,))
    return [each.side for value in values for each in book.passings("urn:g", {"height": value})]


def test_a_wave_passes_up_once_and_down_once():
    assert sides([0.4, 1.0, 1.49, 1.5, 2.0, 1.6, 1.4, 1.31, 1.3, 0.5]) == ["above", "below"]


def test_trembling_around_the_threshold_passes_once():
    assert sides([1.4, 1.5, 1.49, 1.5, 1.45, 1.55, 1.35]) == ["above"]
    without = Threshold("height", 1.5, 0.0)
    assert sides([1.4, 1.5, 1.49, 1.5], without) == ["above", "below", "above"]


def test_first_value_counts_only_if_it_is_above():
    assert sides([0.2]) == []
    assert sides([1.6]) == ["above"]


def test_what_is_no_number_is_passed_over():
    book = Sides((LEVEL,))
    for value in ("1.6", None, True, [2.0]):
        assert book.passings("urn:g", {"height": value}) == []
    assert book.passings("urn:g", {"other": 3.0}) == []


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0, 1))
def test_passings_alternate_and_match_a_plain_reading(values, hysteresis):
    threshold = Threshold("height", 1.5, hysteresis)
    found = sides(values, threshold)
    plain, above = [], False
    for value in values:
        if not above and value >= 1.5:
            above = True
            plain.append("above")
        elif above and value < 1.5 and value <= 1.5 - hysteresis:
            above = False
            plain.append("below")
    assert found == plain
    assert all(a != b for a, b in pairwise(found))


def test_gauges_do_not_share_a_side():
    book = Sides((LEVEL,))
    assert book.passings("urn:a", {"height": 2.0})
    assert book.passings("urn:b", {"height": 2.0})


def test_written_form():
    assert Threshold.parse("height=2") == Threshold("height", 2.0, 0.1)
    assert Threshold.parse("WaterObserved.height=-1.5~0") == Threshold(
        "height", -1.5, 0.0, "WaterObserved"
    )
    for wrong in ("height", "height=", "height=high", "height=1~-1", "height=nan", "a.b.c=1", "=1"):
        with pytest.raises(WrongUseError, match="ATTRIBUTE=VALUE"):
            Threshold.parse(wrong)


class Clock:
    """A clock that a test turns."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_it_is_time_when_it_was_quiet_or_has_gone_on_for_long():
    clock = Clock()
    pending = Pending(quiet_s=5, longest_s=20, clock=clock)
    assert pending.left_s() is None
    pending.add(["stations"])
    assert pending.left_s() == 5
    for clock.now in (4.0, 8.0, 12.0):
        pending.add(["rivers"])
        assert pending.left_s() == 5
    clock.now = 16.0
    pending.add([])
    assert pending.left_s() == 4  # twenty seconds after the first
    clock.now = 20.0
    assert pending.take() == {"stations", "rivers"}
    assert pending.left_s() is None


def test_kept_roles_start_nothing_but_come_along():
    clock = Clock()
    pending = Pending(quiet_s=0, longest_s=0, clock=clock)
    pending.keep(["stations"])
    assert pending.left_s() is None
    pending.add(["rivers"])
    assert pending.take() == {"stations", "rivers"}


def test_close_ends_the_wait():
    pending = Pending(quiet_s=5, longest_s=50)
    got = []
    thread = threading.Thread(target=lambda: got.append(pending.take()))
    thread.start()
    pending.close()
    thread.join(5)
    assert got == [None]
    pending.add(["stations"])
    assert pending.take() is None
