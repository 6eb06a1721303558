"""Streets in files that hold no table: OpenStreetMap extracts and node-link graphs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldt_toolbox.errors import DataError
from ldt_toolbox.results import Note

if TYPE_CHECKING:
    import geopandas as gpd

_WGS84 = "EPSG:4326"


def read_streets(
    path: Path, *, geometry: str, name: str
) -> "tuple[gpd.GeoDataFrame, list[Note]] | None":
    """Read street lines out of a PBF extract or a node-link graph.

    Parameters
    ----------
    path : pathlib.Path
        Extracts end in ``.pbf``; a graph is a ``.json`` with `nodes`.
    geometry : str
        What the role wants; an extract serves lines only.
    name : str
        Role and file, for messages.

    Returns
    -------
    tuple of (geopandas.GeoDataFrame, list of Note), or None
        Lines with the columns that `ldt_toolbox.mobility.osm_streets.read_osm_streets` or
        `ldt_toolbox.mobility.streets.read_node_link` give; None for any other file.

    Raises
    ------
    DataError
        If the role wants no lines, or the file holds no streets.
    """
    if path.suffix.lower() == ".pbf":
        if geometry != "line":
            raise DataError(
                f"{name}: of an OpenStreetMap extract only streets are read; bring what is wanted "
                "here into a GeoPackage, for example in QGIS"
            )
        return _extract(path, name)
    if path.suffix.lower() == ".json" and geometry == "line":
        graph = _json(path, name)
        if isinstance(graph, dict) and "nodes" in graph:
            from ldt_toolbox.mobility.streets import read_node_link  # a second to import

            return read_node_link(path), []
    return None


def _extract(path: Path, name: str) -> "tuple[gpd.GeoDataFrame, list[Note]]":
    from ldt_toolbox.mobility.osm_streets import read_osm_streets  # a second to import

    try:
        streets = read_osm_streets(path, crs=_WGS84)
    except RuntimeError as error:  # what osmium raises on files that are none of its own
        raise DataError(f"{name} is no OpenStreetMap extract that can be read: {error}") from error
    if not (cut := int(streets.attrs.pop("cut_ways"))):
        return streets, []
    text = {
        "en": f"{name}: {cut} way(s) cross the edge of the extract, taken up to it",
        "fr": f"{name} : {cut} voie(s) au bord de l'extrait, prise(s) jusqu'à celui-ci",
    }
    return streets, [Note("repair", text)]


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{name} is no valid JSON: {error}") from error
