"""Streets out of an OpenStreetMap extract (PBF)."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import shapely

from ldt_toolbox.errors import DataError, MissingFileError
from ldt_toolbox.mobility.streets import SIDES, TAGS

_KEPT = (
    "name", "lanes", "oneway", "oneway:bicycle", "junction", "tunnel", "bridge", "layer",
    "maxspeed", *TAGS, *SIDES,
)  # fmt: skip
COLUMNS = ["id", "class", *_KEPT, "geometry"]


def read_osm_streets(path: Path, *, crs: Any) -> gpd.GeoDataFrame:
    """Read every way that carries ``highway`` and is no area.

    Parameters
    ----------
    path : pathlib.Path
        Extract in PBF.
    crs : anything pyproj takes
        The territory's CRS in metres, into which the lines are brought.

    Returns
    -------
    geopandas.GeoDataFrame
        A row a way for `build_network`: `id` (``w`` and the OSM number), `class` (``highway``) and
        the tags as they are, None where missing. A way of which the extract lacks nodes is broken
        there into rows ``w12-1``, ``w12-2``. ``attrs["cut_ways"]`` counts such ways.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DataError
        If the extract has no street.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"{path} is not there: give an OpenStreetMap extract (.osm.pbf)")
    rows: list[dict[str, Any]] = []
    cut = 0
    for way in osmium.FileProcessor(str(path)).with_locations().with_filter(
        osmium.filter.KeyFilter("highway")
    ):  # fmt: skip
        if not isinstance(way, osmium.osm.Way) or way.tags.get("area") == "yes":
            continue
        runs: list[list[tuple[float, float]]] = [[]]
        for node in way.nodes:
            if node.location.valid():
                runs[-1].append((node.lon, node.lat))
            elif runs[-1]:
                runs.append([])
        cut += any(not node.location.valid() for node in way.nodes)
        lines = [shapely.LineString(run) for run in runs if len(run) > 1]
        tags = {key: way.tags.get(key) for key in _KEPT} | {"class": way.tags["highway"]}
        for i, line in enumerate(lines, start=1):
            name = f"w{way.id}" if len(lines) == 1 else f"w{way.id}-{i}"
            rows.append(tags | {"id": name, "geometry": line})
    if not rows:
        raise DataError(f"{path} has no way with a highway tag: is it an extract of streets?")
    streets = gpd.GeoDataFrame(rows, columns=COLUMNS, geometry="geometry", crs="EPSG:4326")
    streets = streets.to_crs(crs)
    streets.attrs["cut_ways"] = cut
    return streets
