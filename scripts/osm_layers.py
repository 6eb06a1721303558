"""Turn OpenStreetMap features into the layers of a bundled territory."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from osm_extract import Extract, Tags, to_layer

FOOT_M = 0.3048

# Tags that tell who may use a street and how, kept as they are written.
STREET_TAGS = (
    "access",
    "foot",
    "bicycle",
    "vehicle",
    "motor_vehicle",
    "oneway:bicycle",
    "cycleway",
    "cycleway:both",
    "cycleway:left",
    "cycleway:right",
    "maxspeed",
    "surface",
)
# What lies left of a street lies right of it once the line is turned round.
TURNED = {"cycleway:left": "cycleway:right", "cycleway:right": "cycleway:left"}

STREET_CLASSES = frozenset(
    [
        "motorway",
        "motorway_link",
        "trunk",
        "trunk_link",
        "primary",
        "primary_link",
        "secondary",
        "secondary_link",
        "tertiary",
        "tertiary_link",
        "unclassified",
        "residential",
        "living_street",
        "service",
        "pedestrian",
        "footway",
        "steps",
        "path",
        "cycleway",
        "track",
        "busway",
        "bridleway",
    ]
)

# (key, value) of a tag -> land cover class; the first key that is found decides
LAND_COVER = {
    "landuse": {
        "grass": "grass",
        "meadow": "grass",
        "village_green": "grass",
        "recreation_ground": "grass",
        "flowerbed": "garden",
        "forest": "wood",
        "farmland": "farmland",
        "orchard": "farmland",
        "allotments": "farmland",
        "cemetery": "cemetery",
        "residential": "residential",
        "commercial": "commercial",
        "retail": "commercial",
        "industrial": "industrial",
        "port": "harbour",
        "railway": "railway",
        "construction": "construction",
    },
    "natural": {
        "wood": "wood",
        "scrub": "scrub",
        "heath": "scrub",
        "grassland": "grass",
        "sand": "sand",
        "beach": "sand",
        "shingle": "sand",
        "bare_rock": "bare_rock",
        "scree": "bare_rock",
    },
    "leisure": {"park": "park", "garden": "garden", "track": "sports_artificial"},
    "man_made": {"pier": "harbour", "breakwater": "harbour", "quay": "harbour"},
    "amenity": {
        "grave_yard": "cemetery",
        "parking": "paved",
        "motorcycle_parking": "paved",
        "bicycle_parking": "paved",
        "marketplace": "paved",
    },
    "place": {"square": "paved"},
    "railway": {"platform": "paved"},
    "public_transport": {"platform": "paved"},
}
HARD_SURFACES = frozenset(
    [
        "paved",
        "asphalt",
        "concrete",
        "paving_stones",
        "sett",
        "cobblestone",
        "unhewn_cobblestone",
        "stone",
        "metal",
    ]
)
SPORTS_SURFACES = HARD_SURFACES | {"artificial_turf", "tartan", "acrylic"}
LOOSE_SURFACES = frozenset({"unpaved", "clay", "sand", "gravel", "fine_gravel"})
HARD_COURT_SPORTS = frozenset({"tennis", "basketball", "skateboard"})


def metres(text: str | None) -> float:
    """Length of an OSM tag in metres: ``12``, ``12 m``, ``12,5``, ``40 ft``, ``40'``; else NaN."""
    if text is None:
        return np.nan
    match = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(m|ft|feet|')?\s*", text)
    if match is None:
        return np.nan
    value = float(match[1].replace(",", "."))
    return value * FOOT_M if match[2] in ("ft", "feet", "'") else value


def number(text: str | None) -> float:
    """Plain number of an OSM tag, NaN where it is none."""
    if text is None or re.fullmatch(r"\s*\d+(?:[.,]\d+)?\s*", text) is None:
        return np.nan
    return float(text.replace(",", "."))


def _layer_number(tags: Tags) -> int:
    text = tags.get("layer", "0")
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else 0


def _is_set(tags: Tags, key: str) -> bool:
    return tags.get(key, "no") != "no"


def _is_underground(tags: Tags) -> bool:
    return (
        _layer_number(tags) < 0
        or tags.get("location") == "underground"
        or tags.get("parking") in ("underground", "multi-storey")
        or tags.get("tunnel", "no") not in ("no", "building_passage")
    )


def _is_indoor(tags: Tags) -> bool:
    return (
        tags.get("indoor", "no") != "no"
        or tags.get("covered", "no") != "no"
        or tags.get("location") in ("indoor", "roof", "rooftop")
    )


def buildings(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Building outlines with height (m), levels and use where tagged; no building parts."""
    rows = [
        {
            "id": f.id,
            "height_m": metres(f.tags.get("height")),
            "levels": number(f.tags.get("building:levels")),
            "use": None if f.tags["building"] == "yes" else f.tags["building"],
            "name": f.tags.get("name"),
            "geometry": f.geometry,
        }
        for f in extract.areas
        if f.tags.get("building", "no") not in ("no", "entrance")
    ]
    return to_layer(rows, ["id", "height_m", "levels", "use", "name"], crs)


def _pitch_class(tags: Tags) -> str | None:
    surface = tags.get("surface")
    if surface == "grass":
        return "sports_grass"
    if surface in LOOSE_SURFACES:
        return "sand"
    if surface in SPORTS_SURFACES or (surface is None and tags.get("sport") in HARD_COURT_SPORTS):
        return "sports_artificial"
    return None


def land_cover_class(tags: Tags) -> tuple[str, str] | None:
    """Class of a land cover area and the tag that decided, None where the tags don't say."""
    if _is_underground(tags) or _is_indoor(tags) or _is_set(tags, "building"):
        return None
    if tags.get("natural") == "beach" and tags.get("surface") in HARD_SURFACES:
        return "paved", f"surface={tags['surface']}"
    if tags.get("leisure") == "pitch":
        found = _pitch_class(tags)
        return None if found is None else (found, "leisure=pitch")
    for key, classes in LAND_COVER.items():
        if tags.get(key) in classes:
            return classes[tags[key]], f"{key}={tags[key]}"
    if tags.get("highway") in STREET_CLASSES | {"platform"}:
        if tags.get("surface", "paved") in HARD_SURFACES:
            return "paved", f"highway={tags['highway']}"
        return None
    return None


def land_cover(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Areas whose tags say plainly what covers the ground."""
    rows = [
        {
            "id": f.id,
            "class": found[0],
            "tag": found[1],
            "name": f.tags.get("name"),
            "geometry": f.geometry,
        }
        for f in extract.areas
        if (found := land_cover_class(f.tags)) is not None
    ]
    return to_layer(rows, ["id", "class", "tag", "name"], crs)


def _is_oneway(tags: Tags) -> bool:
    if "oneway" in tags:
        return tags["oneway"] in ("yes", "true", "1", "-1")
    return tags.get("highway") == "motorway" or tags.get("junction") == "roundabout"


def streets(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Centre lines of streets and paths; areas open to walkers are in the land cover."""
    rows = []
    for f in extract.lines:
        if f.tags.get("highway") not in STREET_CLASSES or f.tags.get("area") == "yes":
            continue
        backward = f.tags.get("oneway") == "-1"
        rows.append(
            {
                "id": f.id,
                "class": f.tags["highway"],
                "name": f.tags.get("name"),
                "width_m": metres(f.tags.get("width")),
                "lanes": number(f.tags.get("lanes")),
                "oneway": _is_oneway(f.tags),
                "tunnel": _is_set(f.tags, "tunnel"),
                "bridge": _is_set(f.tags, "bridge"),
                "layer": _layer_number(f.tags),
                **{
                    tag: f.tags.get(TURNED.get(tag, tag) if backward else tag) or None
                    for tag in STREET_TAGS
                },
                "geometry": shapely.reverse(f.geometry) if backward else f.geometry,
            }
        )
    columns = ["id", "class", "name", "width_m", "lanes", "oneway", "tunnel", "bridge", "layer"]
    layer = to_layer(rows, [*columns, *STREET_TAGS], crs)
    # text also where nobody tagged anything: else the file would have a column without a type
    return layer.astype({"layer": "int32", **dict.fromkeys(STREET_TAGS, "str")})


def trees(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Single trees; rows of trees are left out because they don't say how many."""
    rows = [
        {
            "id": f.id,
            "height_m": metres(f.tags.get("height")),
            "crown_diameter_m": metres(f.tags.get("diameter_crown")),
            "geometry": f.geometry,
        }
        for f in extract.points
        if f.tags.get("natural") == "tree"
    ]
    return to_layer(rows, ["id", "height_m", "crown_diameter_m"], crs)


def _water_class(tags: Tags) -> str | None:
    if _is_underground(tags) or _is_indoor(tags) or _is_set(tags, "building"):
        return None
    if tags.get("leisure") == "swimming_pool":
        return "pool"
    if tags.get("amenity") == "fountain":
        return "fountain"
    kind = tags.get("water")
    if kind in ("river", "canal") or tags.get("waterway") == "riverbank":
        return "canal" if kind == "canal" else "river"
    if tags.get("natural") == "water" or kind is not None:
        return "pond"
    return None


def inland_water(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Pools, fountains, ponds and river areas in the open air."""
    rows = [
        {"id": f.id, "class": found, "geometry": f.geometry}
        for f in extract.areas
        if (found := _water_class(f.tags)) is not None
    ]
    return to_layer(rows, ["id", "class"], crs)


def rivers(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Centre lines of streams, rivers and canals."""
    rows = [
        {
            "id": f.id,
            "class": f.tags["waterway"],
            "name": f.tags.get("name"),
            "tunnel": _is_set(f.tags, "tunnel"),
            "geometry": f.geometry,
        }
        for f in extract.lines
        if f.tags.get("waterway") in ("river", "stream", "canal")
    ]
    return to_layer(rows, ["id", "class", "name", "tunnel"], crs)


def coastline(extract: Extract, crs: str) -> gpd.GeoSeries:
    """Coast lines, land on their left."""
    shapes = [f.geometry for f in extract.lines if f.tags.get("natural") == "coastline"]
    return gpd.GeoSeries(shapes, crs="EPSG:4326").to_crs(crs)


def clip_layer(
    layer: gpd.GeoDataFrame, extent: shapely.geometry.base.BaseGeometry
) -> gpd.GeoDataFrame:
    """Cut areas and points to an extent; a line cut in pieces gets one row a piece.

    The pieces of line ``w1`` are called ``w1-1``, ``w1-2`` ...
    """
    shapes = layer.geometry.to_numpy()
    cut = np.where(shapely.covered_by(shapes, extent), shapes, shapely.intersection(shapes, extent))
    layer = layer.set_geometry(gpd.GeoSeries(cut, index=layer.index, crs=layer.crs))
    layer = layer[~layer.geometry.is_empty]
    if not layer.geometry.geom_type.str.contains("Line").any():
        return layer.reset_index(drop=True)
    layer = layer.set_geometry(layer.geometry.map(_merged))
    pieces = layer.explode(index_parts=False, ignore_index=True)
    pieces = pieces[pieces.geometry.geom_type == "LineString"].reset_index(drop=True)
    several = pieces["id"].duplicated(keep=False)
    order = (pieces.groupby("id").cumcount() + 1).astype(str)
    pieces["id"] = pieces["id"].where(~several, pieces["id"] + "-" + order)
    return pieces


def _merged(shape: shapely.geometry.base.BaseGeometry) -> shapely.geometry.base.BaseGeometry:
    # a cut through a vertex leaves two pieces that touch; a line that crosses itself stays as is
    return (
        shapely.line_merge(shape, directed=True) if shape.geom_type == "MultiLineString" else shape
    )


def concat(layers: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """One frame out of several with the same columns and CRS."""
    return gpd.GeoDataFrame(pd.concat(layers, ignore_index=True), crs=layers[0].crs)
