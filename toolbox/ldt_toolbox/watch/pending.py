"""What waits to be run: changes are gathered until they have been quiet for a while."""

import threading
import time
from collections.abc import Callable, Iterable


class Pending:
    """Roles of which data changed since they were loaded.

    Parameters
    ----------
    quiet_s : float
        How long nothing must come before it is time to run.
    longest_s : float
        After this long it is time even if changes go on coming.
    clock : callable
        What time it is, in seconds.
    """

    def __init__(
        self, *, quiet_s: float, longest_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quiet_s, self._longest_s, self._clock = quiet_s, longest_s, clock
        self._roles: set[str] = set()
        self._first: float | None = None
        self._last = 0.0
        self._closed = False
        self._change = threading.Condition()

    def add(self, roles: Iterable[str]) -> None:
        """Note that data of roles changed; none may be named, if the run depends on none."""
        with self._change:
            now = self._clock()
            self._roles.update(roles)
            self._first = now if self._first is None else self._first
            self._last = now
            self._change.notify_all()

    def keep(self, roles: Iterable[str]) -> None:
        """Note roles for the next run, without a reason to start one."""
        with self._change:
            self._roles.update(roles)

    def close(self) -> None:
        """Let `take` return at once, now and later."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def left_s(self) -> float | None:
        """Seconds until it is time to run; None if nothing waits."""
        if self._first is None:
            return None
        due = min(self._last + self._quiet_s, self._first + self._longest_s)
        return max(0.0, due - self._clock())

    def take(self) -> set[str] | None:
        """Wait until it is time to run; the roles, or None if it was closed."""
        with self._change:
            while not self._closed:
                left = self.left_s()
                if left == 0.0:
                    roles, self._roles, self._first = self._roles, set(), None
                    return roles
                self._change.wait(left)
        return None
