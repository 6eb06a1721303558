"""When a request is sent again, and after how long."""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ldt_toolbox.clients.errors import ClientError

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that have the same effect when sent twice (RFC 9110, 9.2.2)."""

BUSY_STATUSES = frozenset({429, 502, 503, 504})
"""Answers of a server, or of a gateway before it, that may be over in a moment."""


@dataclass(frozen=True)
class Fault:
    """An attempt that failed, and what may follow.

    Attributes
    ----------
    error : ClientError
        What is raised if there is no further attempt.
    tries : int
        How many further attempts this fault allows at most.
    wait_s : float or None
        What the server asked to wait, in seconds.
    renewed : bool
        Whether the credentials were rejected and others can be had.
    """

    error: ClientError
    tries: int
    wait_s: float | None = None
    renewed: bool = False


@dataclass(frozen=True)
class Backoff:
    """Waits between attempts: full jitter below an exponentially growing bound.

    Attributes
    ----------
    base_s : float
        Bound of the first wait, in seconds; it doubles with each attempt.
    cap_s : float
        Bound of all waits, in seconds.
    longest_wait_s : float
        A server that asks for a longer wait than this is not waited for, in seconds.
    sleep : callable
        Sleeps for a number of seconds.

    Notes
    -----
    Full jitter as in M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """

    base_s: float = 0.5
    cap_s: float = 30.0
    longest_wait_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def wait_s(self, attempt: int, asked_s: float | None) -> float | None:
        """Wait after an attempt, in seconds.

        Parameters
        ----------
        attempt : int
            Number of the attempt that failed, from 1.
        asked_s : float or None
            What the server asked for, in seconds.

        Returns
        -------
        float or None
            Never less than the server asked; None if that is longer than `longest_wait_s`.
        """
        bound = min(self.cap_s, self.base_s * 2.0 ** min(attempt - 1, 30))
        jitter = random.uniform(0, bound)  # noqa: S311  (spreads load, guards nothing)
        if asked_s is None:
            return jitter
        if asked_s > self.longest_wait_s:
            return None
        return asked_s + min(jitter, self.base_s)


def http_date(text: str) -> datetime | None:
    """A date of HTTP in any of its three forms (RFC 9110, 5.6.7); None if it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Wait that a Retry-After header asks for (RFC 9110, 10.2.3).

    Parameters
    ----------
    value : str or None
        The header: seconds or a date.
    now : datetime.datetime
        The server's own time, from its Date header, so that clocks may differ.

    Returns
    -------
    float or None
        Seconds, not negative; None if the header is missing or unreadable.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,300}(\.[0-9]{1,300})?", text):
        return float(text)
    when = http_date(text)
    try:
        return None if when is None else max(0.0, (when - now).total_seconds())
    except OverflowError:
        return None
