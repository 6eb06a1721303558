"""Read an OpenStreetMap extract (PBF) into plain features."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import osmium
import shapely

Tags = dict[str, str]


@dataclass(frozen=True)
class Feature:
    """One mapped thing: ``n``, ``w`` or ``r`` with its OSM number, tags, geometry in EPSG:4326."""

    id: str
    tags: Tags
    geometry: shapely.geometry.base.BaseGeometry


@dataclass(frozen=True)
class Relation:
    """A relation with its members as (type, number, role)."""

    id: str
    tags: Tags
    members: tuple[tuple[str, int, str], ...]


@dataclass
class Extract:
    """Everything of a PBF that carries tags.

    Attributes
    ----------
    points, lines, areas : list of Feature
        Tagged nodes; tagged ways (open or closed) as lines, broken where the extract lacks a node;
        closed ways and multipolygon relations as areas.
    relations : list of Relation
        All relations.
    cut : list of str
        Ids of ways of which the extract lacks nodes.
    bounds : shapely.Polygon
        Rectangle named in the header, EPSG:4326.
    """

    points: list[Feature] = field(default_factory=list)
    lines: list[Feature] = field(default_factory=list)
    areas: list[Feature] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    bounds: shapely.Polygon = field(default_factory=shapely.Polygon)


def _runs(nodes: osmium.osm.WayNodeList) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for node in nodes:
        if node.location.valid():
            run.append((node.lon, node.lat))
        else:
            if len(run) > 1:
                yield run
            run = []
    if len(run) > 1:
        yield run


def _complete_rings(extract: Extract, known: set[str]) -> None:
    """Add multipolygons whose holes are missing from the extract, from their outer ways alone."""
    lines = {f.id: f for f in extract.lines}
    for relation in extract.relations:
        if relation.id in known or relation.tags.get("type") != "multipolygon":
            continue
        outer = [n for kind, n, role in relation.members if kind == "w" and role in ("outer", "")]
        if not all(f"w{n}" in lines and f"w{n}" not in extract.cut for n in outer):
            continue
        rings = list(
            shapely.get_parts(shapely.polygonize([lines[f"w{n}"].geometry for n in outer]))
        )
        if rings:
            extract.areas.append(Feature(relation.id, relation.tags, shapely.union_all(rings)))


def read_extract(path: Path) -> Extract:
    """Read a PBF file.

    Parameters
    ----------
    path : pathlib.Path
        OpenStreetMap extract.

    Returns
    -------
    Extract
        Features sorted by id.
    """
    factory = osmium.geom.WKBFactory()
    extract = Extract()
    known: set[str] = set()
    for item in osmium.FileProcessor(str(path)).with_locations().with_areas():
        tags: Tags = {t.k: t.v for t in item.tags}
        if item.is_area():
            name = f"{'w' if item.from_way() else 'r'}{item.orig_id()}"
            known.add(name)
            shape = shapely.from_wkb(factory.create_multipolygon(item))
            if shape.geom_type == "MultiPolygon" and len(shape.geoms) == 1:
                shape = shape.geoms[0]
            extract.areas.append(Feature(name, tags, shape))
        elif item.is_node() and tags:
            extract.points.append(Feature(f"n{item.id}", tags, shapely.Point(item.lon, item.lat)))
        elif item.is_way():
            # untagged ways too: they are the rings of relations
            runs = list(_runs(item.nodes))
            if any(not n.location.valid() for n in item.nodes):
                extract.cut.append(f"w{item.id}")
            if runs:
                shape = (
                    shapely.LineString(runs[0]) if len(runs) == 1 else shapely.MultiLineString(runs)
                )
                extract.lines.append(Feature(f"w{item.id}", tags, shape))
        elif item.is_relation():
            members = tuple((m.type, m.ref, m.role) for m in item.members)
            extract.relations.append(Relation(f"r{item.id}", tags, members))
    _complete_rings(extract, known)
    for features in (extract.points, extract.lines, extract.areas):
        features.sort(key=lambda f: f.id)
    extract.relations.sort(key=lambda r: r.id)
    box = osmium.io.Reader(str(path)).header().box()
    extract.bounds = shapely.box(
        box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat
    )
    return extract


def to_layer(rows: list[dict[str, object]], columns: list[str], crs: str) -> gpd.GeoDataFrame:
    """Frame with the named columns and geometry, reprojected from EPSG:4326."""
    return gpd.GeoDataFrame(
        rows, columns=[*columns, "geometry"], geometry="geometry", crs="EPSG:4326"
    ).to_crs(crs)
