"""Recipe of ``andorra-la-vella`` and ``east-london``: street graphs, buildings, terrain."""

import ast
import json
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import osm_layers
import rasterio
import shapely
from affine import Affine
from shapely.ops import substring

CRS = "EPSG:32631"  # of the source: reprojecting would resample the terrain
SAME_LINE_M = 0.2  # two copies of a line lie nearer to each other than this
SHORTEST_M = 1.0  # what is left of a covered line is dropped if shorter


@dataclass(frozen=True)
class Members:
    """Paths of a territory's files inside the package."""

    buildings: str
    streets: str
    rivers: str
    terrain: str


_DATA = "tests/test_data"
ANDORRA = Members(
    f"{_DATA}/mvc/download/building.geoparquet",
    f"{_DATA}/mvc/download/street.json",
    f"{_DATA}/mvc/download/river.json",
    f"{_DATA}/mvc/download/elevation.tif",
)
LONDON = Members(
    f"{_DATA}/building.geoparquet",
    f"{_DATA}/demo_street.json",
    f"{_DATA}/demo_river.json",
    f"{_DATA}/demo_elevation.tif",
)


def first(value: object) -> str | None:
    """First of a list, also of one written as text (``"['a', 'b']"``); else the value as text."""
    if isinstance(value, str) and value.startswith("["):
        value = ast.literal_eval(value)
    if isinstance(value, list):
        value = value[0]
    return None if value is None else str(value)


def is_list(value: object) -> bool:
    """Whether a tag holds several values, as a list or as a list written as text."""
    return isinstance(value, list) or (isinstance(value, str) and value.startswith("["))


def undirected_edges(graph: dict) -> tuple[list[dict], list[str]]:
    """One edge a pair of nodes and geometry, whichever way round it is stored.

    Parameters
    ----------
    graph : dict
        Node-link JSON of a directed multigraph, geometry as WKT.

    Returns
    -------
    list of dict
        The tags, with ``shape`` and ``both_ways`` (stored in both directions).
    list of str
        Id of each: the two nodes and a number that tells parallel edges apart.
    """
    seen: dict[tuple, dict] = {}
    order = sorted(
        graph["links"], key=lambda e: (e["reversed"] is True, e["source"], e["target"], e["key"])
    )
    for edge in order:
        shape = shapely.from_wkt(edge["geometry"])
        pair = tuple(sorted((edge["source"], edge["target"])))
        key = (*pair, shapely.set_precision(shape, 0.1).normalize().wkb)
        if key in seen:
            same = seen[key]["source"] == edge["source"] and pair[0] != pair[1]
            seen[key]["both_ways"] |= not same
            for name, value in edge.items():
                seen[key].setdefault(name, value)
        else:
            seen[key] = {**edge, "shape": shape, "both_ways": False}
    edges = [seen[key] for key in sorted(seen)]
    count: dict[tuple, int] = {}
    ids = []
    for a, b, _ in sorted(seen):
        count[a, b] = count.get((a, b), 0) + 1
        ids.append(f"{a}-{b}-{count[a, b]}")
    return edges, ids


def streets(graph: dict) -> tuple[gpd.GeoDataFrame, int]:
    """Streets of a graph, and how many of them had a list where one value belongs.

    The graphs tell `access`, but not `foot` or `motor_vehicle`, which make exceptions of it: the
    main street for people on foot and a tunnel for cars are ``access=no``. So it is left out; what
    is private or closed to both, OSMnx has left out itself.
    """
    edges, ids = undirected_edges(graph)
    used = ("highway", "name", "width", "lanes", "oneway", "tunnel", "bridge", "maxspeed")
    several = sum(any(is_list(e.get(tag)) for tag in used) for e in edges)
    rows = [
        {
            "id": name,
            "class": first(e["highway"]),
            "name": first(e.get("name")),
            "width_m": osm_layers.metres(first(e.get("width"))),
            "lanes": osm_layers.number(first(e.get("lanes"))),
            "oneway": first(e["oneway"]) == "True" and not e["both_ways"],
            "tunnel": first(e.get("tunnel", "no")) != "no",
            "bridge": first(e.get("bridge", "no")) != "no",
            "layer": 0,
            "maxspeed": first(e.get("maxspeed")),
            "network": e["network_type"],
            "geometry": e["shape"],
        }
        for e, name in zip(edges, ids, strict=True)
        if first(e["highway"]) in osm_layers.STREET_CLASSES
    ]
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)
    return _without_second_network(frame).astype({"layer": "int32", "maxspeed": "str"}), several


def _without_second_network(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Keep of the edges for cars only what no edge for walkers covers.

    Both networks hold the same streets, cut at different nodes. The walkers' edges take over the
    direction of a one-way street, which they don't know.
    """
    cars = frame[frame["network"] == "drive"]
    walkers = frame[frame["network"] == "walk"]
    if walkers.empty:
        return frame.drop(columns="network")
    strips = cars.assign(geometry=cars.buffer(SAME_LINE_M))
    pairs = walkers[["geometry"]].sjoin(strips[["geometry"]], predicate="within")["index_right"]
    frame = frame.copy()
    for car, same in pairs.groupby(pairs):
        way = frame.at[car, "geometry"]
        taken = []
        for walker in same.index:
            line = frame.at[walker, "geometry"]
            start, end = (way.project(shapely.Point(line.coords[n])) for n in (0, -1))
            taken.append((min(start, end), max(start, end)))
            if frame.at[car, "oneway"]:
                frame.at[walker, "oneway"] = True
                frame.at[walker, "geometry"] = line if start < end else shapely.reverse(line)
        frame.at[car, "geometry"] = _remainder(way, taken)
    frame = frame[~frame.geometry.is_empty]
    return frame.drop(columns="network").reset_index(drop=True)


def _remainder(
    way: shapely.LineString, taken: list[tuple[float, float]]
) -> shapely.MultiLineString:
    """Parts of a line outside of intervals along it; their ends are the intervals' nodes."""
    position, parts = 0.0, []
    for start, end in [*sorted(taken), (way.length, way.length)]:
        if start - position > SHORTEST_M:
            parts.append(substring(way, position, start))
        position = max(position, end)
    return shapely.MultiLineString(parts)


def rivers(graph: dict) -> gpd.GeoDataFrame:
    """Rivers of a graph; it does not say which are canals, but a name can."""
    edges, ids = undirected_edges(graph)
    rows = []
    for e, name in zip(edges, ids, strict=True):
        called = first(e.get("name"))
        rows.append(
            {
                "id": name,
                "class": "canal" if (called or "").lower().startswith("canal") else "river",
                "name": called,
                "tunnel": first(e.get("tunnel", "no")) != "no",
                "geometry": e["shape"],
            }
        )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def overture_buildings(path: Path) -> gpd.GeoDataFrame:
    """Buildings in the Overture schema, those above ground."""
    table = gpd.read_parquet(path).to_crs(CRS)
    table = table[~table["is_underground"].astype(bool)]
    use = table["class"].where(table["class"].notna(), table["subtype"])
    return gpd.GeoDataFrame(
        {
            "id": table["id"].astype(str),
            "height_m": table["height"].astype(float).round(2),
            "levels": table["num_floors"].astype(float),
            "use": use.astype(object).where(use.notna(), None),
            "name": table["names"].map(_primary_name),
        },
        geometry=table.geometry,
        crs=CRS,
    )


def _primary_name(names: object) -> str | None:
    return names.get("primary") if isinstance(names, dict) else None


def footprint_buildings(path: Path) -> gpd.GeoDataFrame:
    """Buildings without any attribute, numbered from west to east."""
    table = gpd.read_parquet(path).to_crs(CRS)
    order = np.lexsort((table.geometry.bounds["miny"], table.geometry.bounds["minx"]))
    shapes = table.geometry.iloc[order].reset_index(drop=True)
    nothing = np.full(len(shapes), np.nan)
    empty = np.full(len(shapes), None, dtype=object)
    return gpd.GeoDataFrame(
        {
            "id": [f"b{n:04d}" for n in range(1, len(shapes) + 1)],
            "height_m": nothing,
            "levels": nothing,
            "use": empty,
            "name": empty,
        },
        geometry=shapes.to_numpy(),
        crs=CRS,
    ).astype({"use": "string", "name": "string"})


def terrain(path: Path) -> tuple[np.ndarray, Affine]:
    """Elevation (int16, m, nodata -32768) and its transform, as they are."""
    with rasterio.open(path) as source:
        return source.read(1), source.transform


def build(
    files: dict[str, Path], buildings: gpd.GeoDataFrame, boundary_id: str, boundary_name: str
) -> dict[str, gpd.GeoDataFrame]:
    """All vector layers by file name without suffix.

    Parameters
    ----------
    files : dict of str to pathlib.Path
        ``streets`` and ``rivers``: the unpacked graphs.
    buildings : geopandas.GeoDataFrame
        Their bounding box becomes the boundary.
    boundary_id, boundary_name : str
        Of the boundary's one row.
    """
    extent = shapely.box(*np.round(buildings.total_bounds, 2))
    street_layer, several = streets(json.loads(files["streets"].read_text(encoding="utf-8")))
    print(f"{boundary_id:18} {several} streets with a list for a value")
    river_layer = rivers(json.loads(files["rivers"].read_text(encoding="utf-8")))
    boundary = gpd.GeoDataFrame(
        {"id": [boundary_id], "name": [boundary_name]}, geometry=[extent], crs=CRS
    )
    return {
        "boundary": boundary,
        "buildings": buildings,
        "streets": osm_layers.clip_layer(street_layer, extent),
        "rivers": osm_layers.clip_layer(river_layer, extent),
    }
