"""Timetables of public transport: a GTFS zip or folder beside territory.yaml."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldt_toolbox.errors import DataError
from ldt_toolbox.results import Note
from ldt_toolbox.sources.file import checked_hash
from ldt_toolbox.sources.protocols import Loaded

if TYPE_CHECKING:
    from ldt_toolbox.documents import Document, Where
    from ldt_toolbox.territory import Source, Territory
    from ldt_toolbox.use_case import Role

KEYS = ("path",)
REQUIRED = ("path",)


def check(doc: "Document", where: "Where") -> Mapping[str, Any]:
    """Note a path that leads nowhere."""
    path = doc.text((*where, "path"))
    if path and not (doc.path.parent / path).exists():
        doc.problem((*where, "path"), f"{where[-1]}: no feed {path} beside territory.yaml")
    return {}


def read(source: "Source", role: "Role", territory: "Territory") -> Loaded:
    """Read a feed whole: stops of other places are told apart later, where they are counted.

    Parameters
    ----------
    source : Source
        A zip or a folder.
    role : Role
        Of kind `feed`.
    territory : Territory
        Not used; a feed is in EPSG:4326.

    Returns
    -------
    Loaded
        Data is a `ldt_toolbox.mobility.gtfs.read.Feed`, of which nothing was dropped.

    Raises
    ------
    DataError, MissingFileError
        If the role wants no feed, the hash differs, or there is no feed at the path.
    """
    if role.kind != "feed":
        raise DataError(f"{role.id} must be {role.kind}, but `gtfs` yields a feed: give a file")
    from ldt_toolbox.mobility.gtfs.read import read_feed  # its kernels take a second to import

    digest = checked_hash(source)
    feed = read_feed(source.path or territory.folder)
    rows = {name: len(feed[name]) for name in ("routes", "trips", "stops")}
    note = Note(
        "assumption",
        {
            "en": f"The feed holds {rows['routes']} routes, {rows['trips']} trips, "
            f"{len(feed.stop_times)} stop times and {rows['stops']} stops.",
            "fr": f"L'offre décrit {rows['routes']} lignes, {rows['trips']} courses, "
            f"{len(feed.stop_times)} passages et {rows['stops']} arrêts.",
        },
    )
    return Loaded(feed, digest, (note,))
