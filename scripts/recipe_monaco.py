"""Recipe of the territory ``monaco``: which part of the extract goes into which layer."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import osm_layers
import osm_places
import pandas as pd
import shapely
from osm_extract import Extract, read_extract

CRS = "EPSG:32632"
LAND_RELATION = "r36990"  # boundary=land_area: Monaco without its territorial sea
WARD_LEVEL = "10"
CONTEXT_M = 100.0  # layers reach this far beyond the border; further out the extract is empty
SEA_M = 300.0  # width of the strip of sea that is drawn
SEAWARD_AZIMUTH_DEG = 150.0  # direction in which the sea strip is cut off at the two frontiers


def _border_lines(extract: Extract, relation_id: str) -> list[shapely.LineString]:
    lines = {f.id: f.geometry for f in extract.lines}
    relation = next(r for r in extract.relations if r.id == relation_id)
    return [lines[f"w{n}"] for kind, n, _ in relation.members if kind == "w" and f"w{n}" in lines]


def _projected(shapes: list[shapely.geometry.base.BaseGeometry]) -> gpd.GeoSeries:
    return gpd.GeoSeries(shapes, crs="EPSG:4326").to_crs(CRS)


def land_boundary(extract: Extract) -> shapely.MultiPolygon:
    """Land area of the state.

    Three ways of the frontier with Beausoleil are not in the extract. The gap is bridged over the
    points where the boundaries of Monaco's wards meet the frontier, then moved outwards round the
    buildings with a Monegasque address that the bridge would cut.
    """
    border = shapely.line_merge(
        shapely.union_all(_projected(_border_lines(extract, LAND_RELATION)).to_numpy())
    )
    parts = list(shapely.get_parts(border))
    ring = next(p for p in parts if not p.is_closed)
    islands = [shapely.Polygon(p) for p in parts if p.is_closed]
    start, end = shapely.Point(ring.coords[-1]), shapely.Point(ring.coords[0])
    gap = shapely.LineString([start, end])

    wards = [r.id for r in extract.relations if r.tags.get("admin_level") == WARD_LEVEL]
    ends = set()
    for ward in wards:
        merged = shapely.line_merge(
            shapely.union_all(_projected(_border_lines(extract, ward)).to_numpy())
        )
        for line in shapely.get_parts(merged):
            if not line.is_closed:
                ends |= {line.coords[0], line.coords[-1]}
    bridge = sorted(
        (shapely.Point(c) for c in ends if 1 < gap.distance(shapely.Point(c)) < 120),
        key=gap.project,
    )
    chain = [p for p in bridge if 20 < gap.project(p) < gap.length - 20]
    land = shapely.make_valid(shapely.Polygon([*ring.coords, *[(p.x, p.y) for p in chain]]))

    near_gap = shapely.LineString([start, *chain, end]).buffer(60)
    homes = [
        f.geometry
        for f in extract.areas
        if "building" in f.tags
        and (f.tags.get("addr:postcode") == "98000" or f.tags.get("addr:country") == "MC")
    ]
    homes = [h for h in _projected(homes) if h.intersects(near_gap)]
    bulge = shapely.union_all([land, *homes])
    # closing by 12 m joins the outlines of neighbouring buildings across the alleys
    closed = bulge.buffer(12, join_style="mitre").buffer(-12, join_style="mitre")
    land = shapely.union_all([land, *homes, closed.intersection(near_gap)])
    if land.geom_type == "MultiPolygon":
        land = max(land.geoms, key=lambda g: g.area)
    return shapely.union_all([shapely.Polygon(land.exterior), *islands])


def sea(
    extract: Extract, land: shapely.geometry.base.BaseGeometry
) -> shapely.geometry.base.BaseGeometry:
    """Strip of sea in front of the coast, cut off at the two ends of Monaco's coast line."""
    coast = osm_layers.coastline(extract, CRS)
    # the mole of Cap-d'Ail goes on from the western end: it touches Monaco, but leads away
    own = coast[[land.boundary.buffer(1).covers(line) for line in coast]]
    coast_ends = _loose_ends(own.to_numpy(), land)
    west = min(coast_ends, key=lambda p: p.x)
    east = max(coast_ends, key=lambda p: p.y)
    frame = shapely.box(*land.bounds).buffer(SEA_M, join_style="mitre")
    azimuth = np.deg2rad(SEAWARD_AZIMUTH_DEG)
    far = 10_000.0
    rays = [
        shapely.LineString(
            [
                # five metres back on land, so that the ray surely crosses the coast
                (p.x - 5 * np.sin(azimuth), p.y - 5 * np.cos(azimuth)),
                (p.x + far * np.sin(azimuth), p.y + far * np.cos(azimuth)),
            ]
        )
        for p in (west, east)
    ]
    network = shapely.union_all([frame.exterior, land.boundary, *rays])
    faces = shapely.get_parts(shapely.polygonize([network]))
    open_sea = shapely.Point(
        (west.x + east.x) / 2 + 900 * np.sin(azimuth), (west.y + east.y) / 2 + 900 * np.cos(azimuth)
    )
    wet = [f for f in faces if not land.contains(f.representative_point())]
    # besides the open sea: basins that the coast line closes off
    kept = [f for f in wet if f.contains(open_sea) or not f.intersects(frame.exterior)]
    near_coast = land.buffer(SEA_M).union(shapely.convex_hull(land))
    return shapely.union_all(kept).intersection(near_coast)


def _loose_ends(coast: np.ndarray, land: shapely.geometry.base.BaseGeometry) -> list[shapely.Point]:
    merged = shapely.line_merge(shapely.union_all(coast))
    ends = [
        shapely.Point(c)
        for line in shapely.get_parts(merged)
        if not line.is_closed
        for c in (line.coords[0], line.coords[-1])
    ]
    return [p for p in ends if p.distance(land) < 1]


def build(pbf: Path) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """All layers of the territory by file name without suffix."""
    extract = read_extract(pbf)
    land = land_boundary(extract)
    boundary = gpd.GeoDataFrame({"id": ["MC"], "name": ["Monaco"]}, geometry=[land], crs=CRS)
    context = land.buffer(CONTEXT_M)
    buildings = osm_layers.buildings(extract, CRS)
    buildings = buildings[buildings.intersects(context)]
    water = osm_layers.clip_layer(osm_layers.inland_water(extract, CRS), context)
    sea_layer = gpd.GeoDataFrame(
        {"id": ["sea"], "class": ["sea"]}, geometry=[sea(extract, land)], crs=CRS
    )
    stops, routes = osm_places.stops_and_routes(extract, CRS)
    stops = osm_layers.clip_layer(stops, context)
    return {
        "boundary": boundary,
        "buildings": buildings,
        "land_cover": osm_layers.clip_layer(osm_layers.land_cover(extract, CRS), context),
        "streets": osm_layers.clip_layer(osm_layers.streets(extract, CRS), context),
        "trees": osm_layers.clip_layer(osm_layers.trees(extract, CRS), context),
        "water": osm_layers.concat([water, sea_layer]),
        "rivers": osm_layers.clip_layer(osm_layers.rivers(extract, CRS), context),
        "amenities": osm_layers.clip_layer(osm_places.amenities(extract, CRS), context),
        "stops": stops,
        "routes": osm_places.restrict_routes(routes, stops),
    }
