"""The @contexts at hand: the toolbox's own, and those that were given to the twin to host."""

import hashlib
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from ldt_toolbox.models import contexts as bundled
from ldt_toolbox.twin.ngsi_ld.namespace import Namespace, Namespaces
from ldt_toolbox.twin.store import Store, Transaction


class ContextBook:
    """Finds what a @context means.

    Parameters
    ----------
    store : Store
        Keeps the hosted ones.
    fetch : callable, optional
        Takes an address that is not at hand and returns the document; raises `OSError`. Without
        it the twin asks no other host.
    """

    def __init__(
        self, store: Store, *, fetch: Callable[[str], Mapping[str, Any]] | None = None
    ) -> None:
        self._store = store
        self._fetch = fetch
        self._namespaces = Namespaces(self.load)

    def namespace(self, context: Any) -> Namespace:
        """Names of a @context; raises LdContextNotAvailable (see `Namespaces.of`)."""
        return self._namespaces.of(context)

    def forget(self) -> None:
        """Forget what was worked out: a hosted @context came or went."""
        self._namespaces.forget()

    def load(self, url: str) -> Mapping[str, Any]:
        """Document behind an address; raises `LookupError` or `OSError`."""
        try:
            return bundled.load(url)
        except LookupError:
            found = self._kept(url) or self.fetched(url)
            if found is None:
                raise
        return found

    def fetched(self, url: str) -> dict[str, Any] | None:
        """Fetch and keep the document of a foreign address, if the twin may and can."""
        if self._fetch is None:
            return None
        try:
            found = dict(self._fetch(url))
        except OSError:
            return None
        body = orjson.dumps(found)

        def job(write: Transaction) -> None:
            write.connection.execute(
                "INSERT INTO context (id, url, kind, body, created) VALUES (?, ?, 'Cached', ?, ?)"
                " ON CONFLICT (url) DO UPDATE SET body = excluded.body",
                (uuid.uuid4().hex, url, body, write.at),
            )

        self._store.write(job).result()
        return found

    def kept_address(self, context: Any, base: str) -> str:
        """Address at which a @context that was written out can be had from now on (5.13.1).

        Parameters
        ----------
        context : Any
            Value of @context.
        base : str
            Address of ``jsonldContexts``.
        """
        body = orjson.dumps({"@context": context}, option=orjson.OPT_SORT_KEYS)
        own = hashlib.sha256(body).hexdigest()[:32]
        url = f"{base}/{own}"
        if self._kept(own) is None:

            def job(write: Transaction) -> None:
                write.connection.execute(
                    "INSERT OR IGNORE INTO context (id, url, kind, body, created)"
                    " VALUES (?, ?, 'ImplicitlyCreated', ?, ?)",
                    (own, url, body, write.at),
                )

            self._store.write(job).result()
        return url

    def _kept(self, url: str) -> dict[str, Any] | None:
        """Document that the twin has at an address, or by its id, or None."""
        own = url.rpartition("/jsonldContexts/")[2]

        def job(connection: sqlite3.Connection) -> dict[str, Any] | None:
            found = connection.execute(
                "SELECT body FROM context WHERE url = ? OR id = ?", (url, own)
            ).fetchone()
            return orjson.loads(found[0]) if found else None

        return self._store.read(job)
