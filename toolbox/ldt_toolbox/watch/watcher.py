"""Subscribes to the inputs of a use case and runs it again when they change."""

import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ldt_toolbox.clients.errors import ClientError, NotFound, TimedOut
from ldt_toolbox.clients.ngsi_ld import NgsiLd, Notification, Receiver
from ldt_toolbox.errors import LDTError, WrongUseError
from ldt_toolbox.watch.brokers import (
    State,
    broker_roles,
    interest_of,
    latest,
    type_interest,
    values,
)
from ldt_toolbox.watch.known import Known
from ldt_toolbox.watch.pending import Pending
from ldt_toolbox.watch.publishing import publish_live
from ldt_toolbox.watch.rerun import Rerun
from ldt_toolbox.watch.runner import Runner
from ldt_toolbox.watch.thresholds import Sides, Threshold
from ldt_toolbox.watch.worker import Done, Job

if TYPE_CHECKING:
    from ldt_toolbox.territory import Territory
    from ldt_toolbox.use_case import UseCase

Log = Callable[[dict[str, Any]], None]

_LONGEST = 10
"""A run waits at most this many times the debounce, however much goes on coming."""
_CHECKS = 10
"""A subscription expires when it was not prolonged for so many times `check_s`."""
_PATIENCE_S = 5.0


class Watch:
    """A use case on a territory that is kept up to date while it is entered.

    Parameters
    ----------
    case, territory
        What and where.
    given : mapping of str to object, optional
        Parameter values.
    out : pathlib.Path
        Results go to `out/<territory>/<use case>/live/`.
    debounce_s : float
        Changes are gathered until none has come for this long, in seconds.
    thresholds : sequence of Threshold
        Changes of their attributes count only when they are passed.
    check_s : float
        How often to ask the brokers for what they did not tell, in seconds: notifications get
        lost, brokers that start anew forget subscriptions, and few tell of what is deleted.
    last_days : float, optional
        Take observations of the days before the latest one instead of territory.yaml's period.
    publish_to : NgsiLd, optional
        Broker that gets the results of each run.
    layers : collection of str, optional
        Layers whose features are published; none if left out, indicators always are.
    gauges : NgsiLd, optional
        Broker of thresholds with a type of their own; that of the first input if left out.
    receiver : Receiver, optional
        Where notifications go; one on the loopback if left out.
    log : callable, optional
        Gets every event as a dict.

    Raises
    ------
    WrongUseError
        If no input comes from a broker, or a number is out of range.
    ParameterError
        If a parameter is unknown or out of range.
    """

    def __init__(
        self,
        case: "UseCase",
        territory: "Territory",
        *,
        given: Mapping[str, Any] | None = None,
        out: Path = Path("results"),
        debounce_s: float = 5.0,
        thresholds: Sequence[Threshold] = (),
        check_s: float = 60.0,
        last_days: float | None = None,
        publish_to: NgsiLd | None = None,
        layers: Collection[str] = (),
        gauges: NgsiLd | None = None,
        receiver: Receiver | None = None,
        log: Log | None = None,
    ) -> None:
        if not (debounce_s >= 0 and check_s > 0 and (last_days is None or last_days > 0)):
            raise WrongUseError(
                f"debounce_s = {debounce_s}, check_s = {check_s}, last_days = {last_days}: give "
                "positive numbers"
            )
        case.validate(given, territory=territory)
        self.case, self.territory = case, territory
        self._roles = broker_roles(case, territory)
        self._typed = sorted({one.type for one in thresholds if one.type})
        if not self._roles and not (self._typed and gauges):
            raise WrongUseError(
                f"{case.id} takes nothing from a broker in {territory.path}: give one of its "
                "roles a source with `protocol: ngsi-ld`, or name a threshold with its type and "
                "a broker, such as WaterObserved.height=1.5"
            )
        self._gauges = gauges
        self._sides = Sides(tuple(thresholds))
        self._pending = Pending(quiet_s=debounce_s, longest_s=_LONGEST * debounce_s)
        self._runner = Runner(case.path, territory.path, given or {}, out)
        self._last_days, self._publish_to, self._layers = last_days, publish_to, layers
        self._check_s = check_s
        self._receiver = receiver or Receiver()
        self._say = log or (lambda event: None)
        self._known: dict[str, Known] = {}
        self._lock = threading.Lock()  # of what is known
        self._latest: datetime | None = None
        self._indicators: Mapping[str, float | int | None] = {}
        self._reruns: queue.Queue[Rerun] = queue.Queue()
        self._unpublished: Rerun | None = None
        self._running = threading.Lock()  # of a run with its publication
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, name="watch-listen", daemon=True),
            threading.Thread(target=self._work, name="watch-work", daemon=True),
            threading.Thread(target=self._look_after, name="watch-check", daemon=True),
        ]

    def start(self) -> Self:
        """Subscribe, and start the first run; `with` does the same.

        Raises
        ------
        ClientError
            If a broker does not answer or refuses; nothing is left there then.
        """
        self._receiver.__enter__()
        try:
            self._subscribe()
        except BaseException:
            self._end()
            raise
        for thread in self._threads:
            thread.start()
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End a run that is going on, delete the subscriptions and stop."""
        self._stopped.set()
        self._pending.close()
        self._runner.close()
        self._threads[-1].join(_PATIENCE_S)  # it may be subscribing
        self._end()
        for thread in self._threads:
            thread.join()
        self._tell("ended")

    def next_run(self, *, timeout_s: float = 120) -> Rerun:
        """Wait for the next run; the first one is that of the start.

        Raises
        ------
        TimedOut
            If none ends in time.
        """
        try:
            return self._reruns.get(timeout=timeout_s)
        except queue.Empty:
            raise TimedOut(
                f"no run of {self.case.id} ended in {timeout_s:g} s: nothing changed that it "
                "depends on, or the run takes longer; see the log"
            ) from None

    def _subscribe(self) -> None:
        wanted = [
            interest_of(source, self.case.roles[role]) for role, source in self._roles.items()
        ]
        broker = self._gauges or (wanted[0].client if wanted else None)
        for name in self._typed if broker is not None else ():
            assert broker is not None  # noqa: S101 - the loop has none else
            watched = self._sides.attributes(name)
            wanted.append(type_interest(broker, name, sorted(watched), self._roles))
        for one in wanted:
            known = Known(one)
            told_by = self._take_up(known)
            # asked after that, so that no change falls between the two
            entities = one.now()
            self._note_latest(latest(entities))
            known.news(entities)
            for entity in entities:
                self._sides.passings(str(entity.get("id", "")), values(entity, one.attributes))
            self._tell_of(told_by, known, entities=len(entities))

    def _take_up(self, known: Known) -> str:
        one = known.interest
        name = f"ldt watch {self.case.id} {self.territory.id}"
        told_by = one.subscribe(self._receiver, name=name, until=self._until())
        self._known = {**self._known, told_by: known}
        return told_by

    def _until(self) -> datetime:
        """How long subscriptions last: a watch that is killed leaves none for long."""
        return datetime.now(UTC) + timedelta(seconds=_CHECKS * self._check_s)

    def _tell_of(self, told_by: str, known: Known, *, entities: int) -> None:
        one = known.interest
        self._tell(
            "subscribed", subscription=told_by, type=one.type, roles=list(one.roles),
            attributes=list(one.attributes), entities=entities,
        )  # fmt: skip

    def _end(self) -> None:
        for told_by, known in self._known.items():
            try:
                known.interest.client.subscriptions.delete(told_by)
            except ClientError as error:
                self._tell("failed", what=f"delete subscription {told_by}", reason=str(error))
            else:
                self._tell("unsubscribed", subscription=told_by)
        for known in self._known.values():
            known.interest.client.close()
        self._known = {}
        self._receiver.close()

    def _look_after(self) -> None:
        while not self._stopped.wait(self._check_s):
            self._publish_again()
            for told_by, known in self._known.items():
                try:
                    self._check(told_by, known)
                except ClientError as error:
                    if self._stopped.is_set():
                        return
                    reason = f"{error}; it is asked again in {self._check_s:g} s"
                    self._tell("failed", what=f"ask for {known.interest.type}", reason=reason)

    def _check(self, told_by: str, known: Known) -> None:
        """Subscribe anew if the broker has forgotten it, and find what it did not tell."""
        began = time.monotonic()
        try:
            known.interest.prolong(told_by, until=self._until())
        except NotFound:
            if self._stopped.is_set():
                return
            renewed = self._take_up(known)
            self._known = {key: one for key, one in self._known.items() if key != told_by}
            self._tell("lost", subscription=told_by)
            told_by = renewed
            self._tell_of(told_by, known, entities=0)
        entities = known.interest.now()
        with self._lock:
            if known.heard < began:  # else a notification may be newer than this answer
                news = known.gone(entities) | known.news(entities)
                self._take(known, entities, news, missed=True)

    def _listen(self) -> None:
        for notification in self._receiver:
            self._came(notification)

    def _came(self, notification: Notification) -> None:
        known = self._known.get(notification.subscription_id)
        if known is None:
            return
        with self._lock:
            known.heard = time.monotonic()
            self._take(known, notification.data, known.news(notification.data), missed=False)

    def _take(
        self, known: Known, entities: Sequence[Mapping[str, Any]], news: set[State], *, missed: bool
    ) -> None:
        """Tell what counts from what does not."""
        one = known.interest
        if missed and not news:
            return
        passed = [
            each
            for entity in entities
            for each in self._sides.passings(
                str(entity.get("id", "")), values(entity, one.attributes)
            )
        ]
        self._note_latest(latest(entities))
        for each in passed:
            self._tell(
                "passed", entity=each.entity, attribute=each.threshold.attribute,
                value=each.value, threshold=each.threshold.value, side=each.side,
            )  # fmt: skip
        guarded = self._sides.attributes(one.type)
        counts = bool(passed) or any(name not in guarded for _, name in news)
        self._tell(
            "came", roles=list(one.roles), entities=sorted({own for own, _ in news}),
            attributes=sorted({name for _, name in news}), counts=counts, missed=missed,
        )  # fmt: skip
        if counts:
            self._pending.add(one.roles)

    def _work(self) -> None:
        self._run(0, ())
        number = 0
        while not self._stopped.is_set() and (roles := self._pending.take()) is not None:
            number += 1
            self._run(number, tuple(sorted(roles)))

    def _publish_again(self) -> None:
        """Publish what could not be published, unless a newer run is at work."""
        if self._running.acquire(blocking=False):
            try:
                if self._unpublished is not None:
                    self._published(self._unpublished)
            finally:
                self._running.release()

    def _run(self, number: int, roles: tuple[str, ...]) -> None:
        with self._running:
            rerun = self._rerun(number, roles)
        if rerun is not None:
            self._reruns.put(rerun)

    def _rerun(self, number: int, roles: tuple[str, ...]) -> Rerun | None:
        self._tell("run", number=number, roles=list(roles))
        began = time.monotonic()
        done = self._runner.run(Job(roles, self._period()))
        if done is None:
            return None  # stopped
        rerun = self._outcome(number, roles, done, time.monotonic() - began)
        if done.problem:
            # what changed has not been used yet: it is loaded with the next change
            self._pending.keep(roles)
        elif self._publish_to is not None:
            rerun = self._published(rerun)
        return rerun

    def _outcome(self, number: int, roles: tuple[str, ...], done: Done, seconds: float) -> Rerun:
        before = self._indicators
        changed = {
            key: (before.get(key), value)
            for key, value in done.indicators.items()
            if number and before.get(key) != value
        }
        if done.problem:
            self._tell("failed", what=f"run {number}", reason=done.problem)
        else:
            self._indicators = done.indicators
            self._tell(
                "ran", number=number, seconds=round(seconds, 2), loaded=list(done.loaded),
                load_s=round(done.load_s, 2), steps=list(done.steps),
                compute_s=round(done.compute_s, 2),
                changed={key: list(pair) for key, pair in changed.items()},
            )  # fmt: skip
        return Rerun(number, roles, changed, done.indicators, seconds, done.folder, done.problem)

    def _published(self, rerun: Rerun) -> Rerun:
        broker, folder = self._publish_to, rerun.folder
        assert broker is not None and folder is not None  # noqa: S101, PT018 - it ran, to publish
        self._unpublished = None
        try:
            outcome = publish_live(folder, self.case, self.territory, broker, layers=self._layers)
        except LDTError as error:
            self._unpublished = rerun
            self._tell("failed", what=f"publish run {rerun.number}", reason=str(error))
            return replace(rerun, problem=f"not published: {error}")
        self._tell("published", number=rerun.number, outcome=str(outcome))
        for each, reason in outcome.failed.items():
            self._tell("failed", what=f"publish {each}", reason=reason)
        return rerun if outcome.ok else replace(rerun, problem=f"not published: {outcome}")

    def _period(self) -> tuple[str, ...]:
        if self._last_days is None:
            return ()
        last = self._latest or datetime.now(UTC)
        end = last.astimezone(UTC) + timedelta(seconds=1)  # the end is not part of the period
        return (end - timedelta(days=self._last_days)).isoformat(), end.isoformat()

    def _note_latest(self, seen: datetime | None) -> None:
        if seen is not None and (self._latest is None or seen > self._latest):
            self._latest = seen

    def _tell(self, event: str, **more: Any) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._say({"at": at, "event": event, **more})
