"""One subscription at work: a queue, a thread that empties it, and the times that it keeps to.

Each has a thread of its own, so that a receiver that is slow or gone holds up nobody else: neither
writers, which only queue, nor other subscriptions.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from ldt_toolbox.twin.ngsi_ld.call import JSON_LD
from ldt_toolbox.twin.notify.content import entity, joined, notification
from ldt_toolbox.twin.notify.definition import Definition, now
from ldt_toolbox.twin.notify.endpoint import DeliveryError, post
from ldt_toolbox.twin.store import Change, Doc
from ldt_toolbox.twin.temporal.instants import written

_LOG = logging.getLogger(__name__)

#: Notifications that wait; the oldest go when more come, and count as failed.
_MOST_WAITING = 1000


@dataclass(frozen=True)
class Outcome:
    """How a notification went.

    Attributes
    ----------
    at : str
        When it was sent.
    error : str
        Why it failed; empty if it was taken.
    lost : int
        Notifications that were not even sent, as too many were waiting.
    """

    at: str
    error: str = ""
    lost: int = 0


class Watch:
    """A subscription at work.

    Parameters
    ----------
    definition : Definition
        What it is.
    link : str
        Link header that names the @context of its notifications.
    found : callable
        Gives the entities that it is about, for notifications at intervals.
    done : callable
        Is told how each notification went, in the watch's thread.
    """

    def __init__(
        self,
        definition: Definition,
        link: str,
        *,
        found: Callable[[Definition], list[Doc]],
        done: Callable[[Definition, Outcome], None],
    ) -> None:
        self.definition = definition
        self._link = link
        self._found = found
        self._done = done
        self._waiting: deque[Sequence[Change]] = deque()
        self._lost = 0
        self._change = threading.Condition()
        self._closed = False
        self._rest_until = 0.0
        self._next = time.monotonic() + (definition.interval_s or 0.0)
        self._thread = threading.Thread(target=self._run, name="twin-notify", daemon=True)
        self._thread.start()

    def hear(self, changes: Sequence[Change]) -> None:
        """Queue what one request changed; returns at once."""
        with self._change:
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(changes)
            self._change.notify()

    def close(self) -> None:
        """End after the notification that is on its way; what waits is dropped."""
        with self._change:
            self._closed = True
            self._change.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._closed and (left_s := self._left_s()) != 0:
                    self._change.wait(left_s)
                if self._closed:
                    return
                changes, lost = self._taken()
            try:
                self._notify(changes, lost)
            except Exception:
                _LOG.exception("notifying %s failed", self.definition.id)

    def _left_s(self) -> float | None:
        """Seconds until something is to be sent; None if that is not known yet."""
        at = time.monotonic()
        if self.definition.interval_s is not None:
            return max(0.0, self._next - at) if self.definition.live else None
        return max(0.0, self._rest_until - at) if self._waiting else None

    def _taken(self) -> tuple[Sequence[Change] | None, int]:
        lost, self._lost = self._lost, 0
        if self.definition.interval_s is not None:
            self._next = max(self._next + self.definition.interval_s, time.monotonic())
            return None, lost
        if self.definition.throttling_s or self._rest_until:
            changes = [each for group in self._waiting for each in group]
            self._waiting.clear()
            self._rest_until = 0.0
            return changes, lost
        return self._waiting.popleft(), lost

    def _notify(self, changes: Sequence[Change] | None, lost: int) -> None:
        definition = self.definition
        if not definition.live:
            return
        if changes is None:
            call, shape = definition.call, definition.shape
            data = [shape.entity(call, doc) for doc in self._found(definition)]
        else:
            data = [entity(definition, each) for each in joined(changes)]
        if not data:
            return
        at = written(now())
        body = orjson.dumps(notification(definition, data, at=at))
        error = self._posted(body)
        rest_s = definition.throttling_s
        if error:
            _LOG.warning("notification of %s failed: %s", definition.id, error)
            rest_s = max(rest_s, definition.target.cooldown_s)
        self._rest_until = time.monotonic() + rest_s if rest_s else 0.0
        self._done(definition, Outcome(at, error, lost))

    def _posted(self, body: bytes) -> str:
        """Send a notification; returns why it failed, or nothing."""
        target, tenant = self.definition.target, self.definition.tenant
        headers = {"Content-Type": target.accept, "User-Agent": "ldt-toolbox"}
        if target.accept != JSON_LD:
            headers["Link"] = self._link
        if tenant:
            headers["NGSILD-Tenant"] = tenant
        receivers = self.definition.call.limits.receivers
        try:
            post(target, body, headers, receivers=receivers)
        except DeliveryError as error:
            return str(error)
        return ""
