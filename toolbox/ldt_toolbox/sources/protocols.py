"""The ways in which data come: one module a protocol, found through one small table.

A module of the table has

- `KEYS` and `REQUIRED`: keys of a source in territory.yaml beside those that all sources have;
- `check(doc, where)`: notes what is wrong with them and returns them as `Source.settings`;
- `read(source, role, territory)`: loads the data.

A further protocol is one more module and one more line here.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from ldt_toolbox.results import Note
from ldt_toolbox.sources.received import Received

if TYPE_CHECKING:
    from ldt_toolbox.documents import Document, Where
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Role

PROTOCOLS: Mapping[str, str] = {
    "file": "ldt_toolbox.sources.file",
    "gtfs": "ldt_toolbox.sources.gtfs",
    "ngsi-ld": "ldt_toolbox.sources.ngsi_ld",
}
"""Protocol as territory.yaml names it -> its module."""


@dataclass(frozen=True)
class Loaded:
    """What a protocol yields for a role.

    Attributes
    ----------
    data : geopandas.GeoDataFrame, Raster, pandas.DataFrame or Feed
        In the territory's CRS, with the columns of the role; a timetable as it is.
    sha256 : str
        Hash of the file, or of what a server sent.
    notes : tuple of Note
        What was mended, rejected or assumed.
    received : Received or None
        What a server sent, and when; None for a file.
    """

    data: Any
    sha256: str
    notes: tuple[Note, ...] = ()
    received: Received | None = None


class Way(Protocol):
    """What the module of a protocol has."""

    KEYS: tuple[str, ...]
    REQUIRED: tuple[str, ...]

    def check(self, doc: "Document", where: "Where") -> Mapping[str, Any]:
        """Check the keys of the protocol and return them."""

    def read(self, source: "Source", role: "Role", territory: "Territory") -> Loaded:
        """Load the data of a role."""


def way(protocol: str) -> Way:
    """Module of a protocol; imported when it is needed, as clients and readers are heavy.

    Parameters
    ----------
    protocol : str
        A key of `PROTOCOLS`.
    """
    return cast("Way", importlib.import_module(PROTOCOLS[protocol]))
