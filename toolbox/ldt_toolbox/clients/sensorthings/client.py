"""The SensorThings client: datastreams and their observations as a table."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Self
from urllib.parse import quote

import pandas as pd

from ldt_toolbox.clients.auth import Auth
from ldt_toolbox.clients.errors import (
    BadRequest,
    NotFound,
    NotImplementedByServer,
    ServerFault,
)
from ldt_toolbox.clients.http import HttpClient
from ldt_toolbox.clients.imperfect import CapabilityWarning, ImperfectServerWarning, report
from ldt_toolbox.clients.sensorthings.datastreams import Datastream, datastream
from ldt_toolbox.clients.sensorthings.paging import pages
from ldt_toolbox.errors import WrongUseError

COLUMNS = ("datastream", "name", "phenomenonTime", "result", "unit_symbol",
           "longitude_deg", "latitude_deg")  # fmt: skip
PAGE_SIZE = 1000
_ORDERS = ("phenomenonTime asc", "id asc", "")
EXPANDED = "Thing($expand=Locations),ObservedProperty"


class SensorThings:
    """Client of a service of OGC SensorThings API 1.1 (OGC 18-088); it reads only.

    Making one sends nothing.

    Parameters
    ----------
    base_url : str
        Address with the version, such as `https://host/FROST-Server/v1.1`.
    auth : Auth, optional
        Credentials.
    http : HttpClient, optional
        Own HTTP client, with its own credentials, limits and cache.

    Examples
    --------
    >>> service = SensorThings("https://sta.example.org/v1.1")
    >>> counters = service.datastreams(filter="substringof('bike', name)")  # doctest: +SKIP
    """

    def __init__(
        self, base_url: str, *, auth: Auth | None = None, http: HttpClient | None = None
    ) -> None:
        if http is not None and auth is not None:
            raise WrongUseError("give auth to the HttpClient, or no http; not both")
        self.root = base_url.rstrip("/")
        if not self.root:
            raise WrongUseError("base_url is empty; give the address with its version")
        self._most = PAGE_SIZE  # entities that the service sends at a time, as far as known
        self._own = http is None
        self._http = http or HttpClient(self.root, auth=auth)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._own:
            self._http.close()

    def conformance(self) -> list[str]:
        """Requirements that the service says to fulfil (`serverSettings` of OGC 18-088).

        Warns
        -----
        CapabilityWarning
            It does not say, as services of version 1.0.
        """
        try:
            answer = self._http.get(self.root)
        except NotFound:
            answer = self._http.get(f"{self.root}/")  # some know the root by this name only
        body = answer.json()
        settings = body.get("serverSettings") if isinstance(body, dict) else None
        told = settings.get("conformance") if isinstance(settings, dict) else None
        if not isinstance(told, list):
            report(CapabilityWarning(f"{answer.url} names no conformance; it may be version 1.0"))
            return []
        return [one for one in told if isinstance(one, str)]

    def iterate(
        self,
        path: str,
        *,
        filter: str = "",
        expand: str = "",
        orderby: str = "",
        select: str = "",
        page_size: int = PAGE_SIZE,
    ) -> Iterator[dict[str, Any]]:
        """Entities of a collection, page after page.

        Parameters
        ----------
        path : str
            Below the root, such as `Datastreams` or `Datastreams(7)/Observations`.
        filter, expand, orderby, select : str
            Query options without their `$` (as in OData); empty: not sent.
        page_size : int
            Entities to ask for at a time; servers may send fewer. Lowered when it is refused.

        Yields
        ------
        dict
            Entities as the server sends them.
        """
        options = {"$filter": filter, "$expand": expand, "$orderby": orderby, "$select": select}
        params = {name: text for name, text in options.items() if text}
        sizes = [min(page_size, self._most)]
        for page in pages(self._http, f"{self.root}/{path.lstrip('/')}", params, sizes):
            if sizes[0] < min(page_size, self._most):
                self._most = sizes[0]  # a larger one was refused
            yield from page

    def datastreams(self, *, filter: str = "") -> list[Datastream]:
        """All datastreams, with the names and positions of their things.

        Parameters
        ----------
        filter : str
            `$filter`, such as ``ObservedProperty/name eq 'Bicycles'``; empty: all.

        Warns
        -----
        ImperfectServerWarning
            Datastreams have no id, by which one could ask for their observations.
        """
        found = list(self.iterate("Datastreams", filter=filter, expand=EXPANDED))
        named = [one for one in found if "@iot.id" in one]
        if len(named) < len(found):
            text = f"{len(found) - len(named)} datastreams have no @iot.id and are left out"
            report(ImperfectServerWarning(f"{self.root}: {text}"))
        return [datastream(one) for one in named]

    def observations(
        self, datastream_id: int | str, *, start: datetime, end: datetime
    ) -> Iterator[dict[str, Any]]:
        """Observations of a datastream in a period, by time.

        Parameters
        ----------
        datastream_id : int or str
            Its `@iot.id`.
        start, end : datetime.datetime
            Period with time zone; `end` is not part of it. Observations that begin in it count.

        Yields
        ------
        dict
            `phenomenonTime` (instant or interval), `result`, ...

        Warns
        -----
        CapabilityWarning
            The service sent observations of other times, which are left out: the filter was
            ignored. Or it does not sort by time, which is done here.
        """
        if start.tzinfo is None or end.tzinfo is None or start >= end:
            raise WrongUseError(f"period {start} to {end}: give times with zone, the first earlier")
        wanted = f"phenomenonTime ge {_text(start)} and phenomenonTime lt {_text(end)}"
        path = f"Datastreams({_key(datastream_id)})/Observations"
        outside = 0
        for one in self._by_time(path, wanted):
            begin = _begin(one.get("phenomenonTime"))
            if begin is not None and not start <= begin < end:
                outside += 1
                continue
            yield one
        if outside:
            report(
                CapabilityWarning(
                    f"{self.root}/{path}: {outside} observations lie outside of the period that "
                    "was asked for and are left out; the service does not filter by time as told"
                )
            )

    def _by_time(self, path: str, wanted: str) -> Iterator[dict[str, Any]]:
        """Observations in the order of their begin, from services that do not sort by it as well.

        Without any order a service may give one twice and another not at all from page to page.
        """
        for order in _ORDERS:
            asked = self.iterate(path, filter=wanted, orderby=order)
            try:
                first = list(islice(asked, 1))
            except (BadRequest, NotImplementedByServer, ServerFault):
                if order == _ORDERS[-1]:
                    raise
                continue
            if order == _ORDERS[0]:
                yield from first
                yield from asked
                return
            text = f"{self.root}/{path} does not sort by phenomenonTime; it is done here"
            report(CapabilityWarning(text))
            never = datetime.max.replace(tzinfo=UTC)
            yield from sorted(
                [*first, *asked], key=lambda one: _begin(one.get("phenomenonTime")) or never
            )
            return

    def observation_frame(
        self, datastreams: Iterable[Datastream], *, start: datetime, end: datetime
    ) -> pd.DataFrame:
        """Observations of several datastreams as a tidy table.

        Parameters
        ----------
        datastreams : iterable of Datastream
            As `datastreams` gives them.
        start, end : datetime.datetime
            As for `observations`.

        Returns
        -------
        pandas.DataFrame
            `datastream` (id), `name`, `phenomenonTime` (text as sent: instant or interval),
            `result` (as sent), `unit_symbol`, `longitude_deg`, `latitude_deg` (EPSG:4326). The
            preset `mobility.counts.SENSOR_THINGS` reads it.
        """
        rows = [
            (one.id, one.name, found.get("phenomenonTime"), found.get("result"), one.unit_symbol,
             one.longitude_deg, one.latitude_deg)
            for one in datastreams
            for found in self.observations(one.id, start=start, end=end)
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(COLUMNS))


def _key(found: int | str) -> str:
    """An id in an address: texts in quotes, quotes doubled (as in OData)."""
    if isinstance(found, int):
        return str(found)
    return "'" + quote(found.replace("'", "''"), safe="'") + "'"


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _begin(written: object) -> datetime | None:
    """Begin of a time as it was sent; None if it cannot be read, which is not judged here."""
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written.partition("/")[0])
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
