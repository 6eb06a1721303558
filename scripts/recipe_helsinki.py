"""Recipe of the territory ``helsinki-centre``: the rectangle of the extract."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import osm_layers
import osm_places
import pandas as pd
import shapely
from osm_extract import read_extract

CRS = "EPSG:3879"
TOUCH_M = 1.0  # offset that tells which face of the map lies right of a coast line
REACH_M = 80.0  # the last node of a coast line before the edge of the extract is nearer than this


def sea(coast: gpd.GeoSeries, extent: shapely.Polygon) -> shapely.geometry.base.BaseGeometry:
    """Faces of the extent that lie to the right of a coast line.

    Parameters
    ----------
    coast : geopandas.GeoSeries
        Coast lines, land on their left, CRS of the territory.
    extent : shapely.Polygon
        Rectangle of the extract, same CRS.
    """
    runs = [shapely.remove_repeated_points(g) for g in coast.explode(index_parts=False)]
    ends = [shapely.Point(c) for run in runs for c in (run.coords[0], run.coords[-1])]
    joined = shapely.line_merge(shapely.union_all(runs))
    loose = [p for p in ends if p.within(joined.boundary)]
    bridges = [shapely.shortest_line(p, extent.exterior) for p in loose]
    too_far = [line.length for line in bridges if line.length > REACH_M]
    if too_far:
        raise SystemExit(f"coast lines end {max(too_far):.0f} m inside the extract")
    # a little beyond the edge, so that rounding can't leave a gap
    bridges = [_lengthened(line) for line in bridges if line.length > 0]
    network = shapely.union_all([extent.exterior, *runs, *bridges])
    faces = shapely.get_parts(shapely.polygonize([network]))
    right = [_right_of(run) for run in runs]
    wet = [f for f in faces if any(f.contains(p) for p in right)]
    return shapely.union_all(wet)


def _lengthened(line: shapely.LineString) -> shapely.LineString:
    start, end = (np.array(c) for c in line.coords)
    beyond = end + (end - start) / line.length
    return shapely.LineString([start, beyond])


def _right_of(run: shapely.LineString) -> shapely.Point:
    xy = shapely.get_coordinates(run)
    lengths = np.hypot(*np.diff(xy, axis=0).T)
    longest = int(lengths.argmax())
    middle = (xy[longest] + xy[longest + 1]) / 2
    along = (xy[longest + 1] - xy[longest]) / lengths[longest]
    return shapely.Point(middle + TOUCH_M * np.array([along[1], -along[0]]))


def build(pbf: Path) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """All layers of the territory by file name without suffix."""
    extract = read_extract(pbf)
    outline = shapely.segmentize(extract.bounds, 0.001)  # meridians are not straight in the CRS
    extent = gpd.GeoSeries([outline], crs="EPSG:4326").to_crs(CRS).iloc[0]
    boundary = gpd.GeoDataFrame(
        {"id": ["helsinki-centre"], "name": ["Helsingin keskusta"]}, geometry=[extent], crs=CRS
    )
    sea_layer = gpd.GeoDataFrame(
        {"id": ["sea"], "class": ["sea"]},
        geometry=[sea(osm_layers.coastline(extract, CRS), extent)],
        crs=CRS,
    )
    water = osm_layers.clip_layer(osm_layers.inland_water(extract, CRS), extent)
    stops, routes = osm_places.stops_and_routes(extract, CRS)
    stops = osm_layers.clip_layer(stops, extent)
    return {
        "boundary": boundary,
        "buildings": osm_layers.buildings(extract, CRS),
        "land_cover": osm_layers.clip_layer(osm_layers.land_cover(extract, CRS), extent),
        "streets": osm_layers.clip_layer(osm_layers.streets(extract, CRS), extent),
        "trees": osm_layers.clip_layer(osm_layers.trees(extract, CRS), extent),
        "water": osm_layers.concat([water, sea_layer]),
        "amenities": osm_layers.clip_layer(osm_places.amenities(extract, CRS), extent),
        "stops": stops,
        "routes": osm_places.restrict_routes(routes, stops),
    }
