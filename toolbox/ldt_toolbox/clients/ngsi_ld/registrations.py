"""Registrations of context sources, to read (GS CIM 009 V1.8.1, 5.10, 6.8, 6.9)."""

from collections.abc import Iterator, Sequence
from typing import Any

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.ngsi_ld.connection import Connection, element, segment
from ldt_toolbox.clients.ngsi_ld.paging import Pages, Tally
from ldt_toolbox.clients.ngsi_ld.selection import selection
from ldt_toolbox.errors import WrongUseError


class Registrations:
    """Which sources a broker knows and for what; `client.registrations`."""

    def __init__(self, connection: Connection) -> None:
        self._link = connection
        self._limits: dict[str, int] = {}

    def get(self, id: str) -> dict[str, Any]:
        """One registration (5.10.1)."""
        path = f"csourceRegistrations/{segment(id)}"
        return element(self._link.ask(path), "a CSourceRegistration (5.2.9)")

    def list(self, **conditions: Any) -> list[dict[str, Any]]:
        """All registrations that may answer a query; conditions as for `iterate`."""
        return list(self.iterate(**conditions))

    def iterate(self, *, page_size: int = 100, **conditions: Any) -> Iterator[dict[str, Any]]:
        """Registrations of sources that may answer a query (5.10.2).

        Parameters
        ----------
        page_size : int
            Registrations a request.
        **conditions
            `type`, `id`, `id_pattern`, `attrs`, `q`, `geo`, `scope_q`, `csf`: see `Selection`.
        """
        params = selection(**conditions).params()
        if not params:
            raise WrongUseError("a query of registrations needs one of type, attrs, id, q, geo")
        return listed(
            self._link, "csourceRegistrations", params, "registrations", page_size, self._limits
        )


def listed(
    connection: Connection,
    path: str,
    params: dict[str, str],
    what: str,
    page_size: int,
    limits: dict[str, int],
) -> Iterator[dict[str, Any]]:
    """Elements of a paged resource other than entities."""

    def fetch(paging: Sequence[tuple[str, str]], whole: bool) -> Answer:
        asked = dict(paging) if whole else params | dict(paging)
        return connection.ask(path, asked, feature=what)

    pages = Pages(fetch, what, limit=page_size, limits=limits, thorough=False)
    tally = Tally(what)
    for page in pages:
        yield from tally.fresh(page)
    tally.finish(pages.count, pages.url)
