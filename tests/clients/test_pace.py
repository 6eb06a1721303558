"""Limits of servers that threads and clients share."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.clients import errors
from ldt_toolbox.clients.pace import Pace, pace_of
from ldt_toolbox.errors import WrongUseError


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@given(st.floats(0.5, 50), st.integers(1, 5), st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_no_window_holds_more_than_rate_and_burst(rate, burst, gaps):
    clock = Clock()
    pace = Pace(rate, burst=burst, clock=clock, sleep=clock.sleep)
    passed = []
    for gap in gaps:
        clock.now += gap
        pace.wait()
        passed.append(clock.now)
    for start in range(len(passed)):
        for end in range(start, len(passed)):
            # 1e-6 requests: rounding of sums of times around 100 s
            assert end - start + 1 <= burst + rate * (passed[end] - passed[start]) + 1e-6


def test_threads_share_a_pace(server, client):
    asking = client(requests_per_s=50)
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asking.get("/ok"), range(11)))
    # ten gaps of 20 ms; the clock of the machine may be a hair fast
    assert time.monotonic() - begun > 0.199


def test_a_pace_can_be_held():
    clock = Clock()
    pace = Pace(10, burst=3, clock=clock, sleep=clock.sleep)
    pace.hold(5)
    pace.wait()
    assert clock.now == pytest.approx(105)
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(WrongUseError, match="requests_per_s"):
            Pace(rate)


def test_hosts_have_the_paces_of_the_registry():
    wfs = pace_of("https://data.geopf.fr/wfs/ows?x=y")
    assert wfs is pace_of("https://DATA.geopf.fr/other")
    heights = pace_of("https://data.geopf.fr/altimetrie/1.0/calcul")
    assert heights is not wfs
    assert heights._interval_s == pytest.approx(1 / 5)
    assert wfs._interval_s == pytest.approx(1 / 30)
    assert pace_of("https://georisques.gouv.fr/api/v1/x")._interval_s >= 60 / 1000
    assert pace_of("http://127.0.0.1/") is None


def test_a_wait_that_a_server_asks_for_holds_all_threads(server, hostile, client):
    server.route(
        "GET", "/busy", hostile.once(lambda r: hostile.Reply(429, headers=[("Retry-After", "0.3")]))
    )
    asking = client(requests_per_s=1000, retries=0)
    with pytest.raises(errors.TooManyRequests):
        asking.get("/busy")
    begun = time.monotonic()
    asking.get("/ok")
    assert time.monotonic() - begun > 0.25  # 0.3 s less what passed since the answer
