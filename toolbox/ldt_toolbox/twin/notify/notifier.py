"""All subscriptions of a twin: kept in its file, met by its changes (GS CIM 009 V1.8.1, 5.8)."""

import ipaddress
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from itertools import groupby

import orjson

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.twin.ngsi_ld.call import JSON_LD, Services
from ldt_toolbox.twin.notify.content import concerns, differing
from ldt_toolbox.twin.notify.definition import Definition, definition
from ldt_toolbox.twin.notify.watch import Outcome, Watch
from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.store import Change, Doc, OutOfTimeError, Transaction
from ldt_toolbox.twin.store.select import select

_LOG = logging.getLogger(__name__)


class Notifier:
    """Lets subscriptions hear of what changes.

    Parameters
    ----------
    services : Services
        The twin's.

    Notes
    -----
    Subscriptions and their counters are in the file and survive a restart; notifications that
    wait to be sent are not, and do not.

    Raises
    ------
    WrongUseError
        If one of the networks that notifications may go to is none.
    """

    def __init__(self, services: Services) -> None:
        for each in services.limits.receivers:
            try:
                ipaddress.ip_network(each)
            except ValueError as error:
                raise WrongUseError(f"receivers: {error}; write 10.0.0.0/8, for example") from None
        self._services = services
        self._watches: dict[str, dict[str, Watch]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Take up the subscriptions of the file, and listen to its changes."""

        def job(connection: sqlite3.Connection) -> list[tuple[str, bytes, bytes, str]]:
            return connection.execute(
                "SELECT t.name, s.body, s.context, s.link FROM subscription s"
                " JOIN tenant t ON t.id = s.tenant"
            ).fetchall()

        for tenant, body, context, link in self._services.store.read(job):
            try:
                found = definition(
                    self._services, tenant, orjson.loads(body), orjson.loads(context)
                )
            except ProblemError as problem:
                _LOG.warning("a subscription of the file does not work: %s", problem.detail)
                continue
            self.put(found, link)
        self._services.store.listeners.append(self.hear)

    def close(self) -> None:
        """Stop; notifications that are on their way come to their end."""
        if self.hear in self._services.store.listeners:
            self._services.store.listeners.remove(self.hear)
        with self._lock:
            watches = [each for of in self._watches.values() for each in of.values()]
            self._watches = {}
        for each in watches:
            each.close()
        until = time.monotonic() + 2.0
        for each in watches:
            each.join(max(0.0, until - time.monotonic()))

    def put(self, found: Definition, link: str) -> None:
        """Take up a subscription, in place of the one of its id."""
        self.drop(found.tenant, found.id)
        watch = Watch(found, link, found=self._found, done=self._done)
        with self._lock:
            self._watches[found.tenant] = {**self._watches.get(found.tenant, {}), found.id: watch}

    def drop(self, tenant: str, own: str) -> None:
        """End a subscription."""
        with self._lock:
            of = dict(self._watches.get(tenant, {}))
            watch = of.pop(own, None)
            self._watches[tenant] = of
        if watch is not None:
            watch.close()

    def hear(self, changes: Sequence[Change]) -> None:
        """Queue what subscriptions are to tell; a listener of the store."""
        for (tenant, _), group in groupby(changes, key=lambda each: (each.tenant, each.at)):
            with self._lock:
                watches = list(self._watches.get(tenant, {}).values())
            if watches:
                told = [each for each in map(differing, group) if each is not None]
                for watch in watches:
                    self._tell(watch, told)

    def _tell(self, watch: Watch, changes: Sequence[Change]) -> None:
        about = watch.definition
        if about.interval_s is not None or not about.live:
            return

        def lookup(entity_id: str) -> Doc | None:
            return self._services.store.get(about.tenant, entity_id)

        found = [each for each in changes if concerns(about, each, lookup=lookup)]
        if found:
            watch.hear(found)

    def _found(self, about: Definition) -> list[Doc]:
        """Entities that a subscription is about, for a notification at intervals."""
        limits = self._services.limits
        try:
            return select(
                self._services.store,
                about.selection,
                limit=limits.batch,
                within_s=limits.query_s,
            ).docs
        except OutOfTimeError as error:
            _LOG.warning("the entities of %s are not found in time: %s", about.id, error)
            return []

    def _done(self, about: Definition, outcome: Outcome) -> None:
        """Count a notification in the file."""
        which = "last_failure" if outcome.error else "last_success"
        failed = int(bool(outcome.error)) + outcome.lost

        def job(write: Transaction) -> None:
            write.connection.execute(
                "UPDATE subscription SET sent = sent + 1, failed = failed + ?,"  # noqa: S608
                f" last_notification = ?, {which} = ? WHERE tenant = ? AND id = ?",
                (failed, outcome.at, outcome.at, write.tenant(about.tenant), about.id),
            )

        self._services.store.write(job)


def link_header(address: str) -> str:
    """Value of a Link header that names a @context (6.3.5)."""
    return f'<{address}>; rel="http://www.w3.org/ns/json-ld#context"; type="{JSON_LD}"'
