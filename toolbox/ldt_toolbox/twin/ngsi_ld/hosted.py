"""The @contexts at hand: the toolbox's own, and those that were given to the twin to host."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from ldt_toolbox.models import contexts as bundled
from ldt_toolbox.twin.ngsi_ld.namespace import Namespace, Namespaces
from ldt_toolbox.twin.store import Store


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

    def address(self, namespace: Namespace) -> str:
        """Address of a @context, if it is one; empty for one that was written out."""
        context = namespace.context
        if isinstance(context, list) and len(context) == 1:
            context = context[0]
        return context if isinstance(context, str) else ""

    def load(self, url: str) -> Mapping[str, Any]:
        """Document behind an address; raises `LookupError` or `OSError`."""
        try:
            return bundled.load(url)
        except LookupError:
            found = self.hosted(url)
            if found is not None:
                return found
            if self._fetch is None:
                raise
            return self._fetch(url)

    def hosted(self, url: str) -> dict[str, Any] | None:
        """Document that the twin hosts at an address, or None."""

        def job(connection: sqlite3.Connection) -> dict[str, Any] | None:
            found = connection.execute(
                "SELECT body FROM context WHERE url = ? OR id = ?", (url, url)
            ).fetchone()
            return orjson.loads(found[0]) if found else None

        return self._store.read(job)
