"""Never faster than a host allows, whatever number of threads and clients ask it."""

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.registry import limit_of


class Pace:
    """A token bucket: requests pass at a steady rate, after a burst.

    Parameters
    ----------
    requests_per_s : float
        Rate, in requests a second.
    burst : int
        Requests that may pass at once after a rest. With 1, any window of one second holds at
        most `requests_per_s` of them (rounded up).
    clock, sleep : callable
        Monotonic seconds, and a way to let them pass.

    Notes
    -----
    The bucket is kept as the time at which it is full again (ITU-T I.371, virtual scheduling).
    """

    def __init__(
        self,
        requests_per_s: float,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 < requests_per_s < float("inf"):
            raise WrongUseError(f"requests_per_s = {requests_per_s}: give a rate above 0, or None")
        self._interval_s = 1 / requests_per_s
        self._tolerance_s = (burst - 1) * self._interval_s
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._full_at = float("-inf")

    def wait(self) -> float:
        """Take the next free place and sleep until it comes; returns the seconds slept."""
        with self._lock:
            now = self._clock()
            due = max(self._full_at, now)
            self._full_at = due + self._interval_s
            pause_s = max(0.0, due - self._tolerance_s - now)
        if pause_s > 0:
            self._sleep(pause_s)
        return pause_s

    def hold(self, seconds: float) -> None:
        """Let nobody pass for a while, because the server asked for it."""
        with self._lock:
            self._full_at = max(self._full_at, self._clock() + seconds + self._tolerance_s)


_paces: dict[str, Pace] = {}
_lock = threading.Lock()


def pace_of(url: str) -> Pace | None:
    """The pace of a URL by the registry's limits, one for all clients of this process."""
    parts = urlsplit(url)
    limit = limit_of(parts.hostname or "", parts.path)
    if limit is None:
        return None
    name, requests_per_s = limit
    with _lock:
        return _paces.setdefault(name, Pace(requests_per_s))
