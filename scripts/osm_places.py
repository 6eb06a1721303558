"""Amenities, stops and public transport routes of an OpenStreetMap extract."""

import geopandas as gpd
import pandas as pd
import shapely
from osm_extract import Extract, Feature, Tags, to_layer

GROUPS = {
    "education": "school kindergarten college university language_school music_school "
    "childcare research_institute",
    "health": "hospital clinic doctors dentist pharmacy veterinary nursing_home optician "
    "hearing_aids medical_supply physiotherapist laboratory alternative psychotherapist centre",
    "food": "restaurant cafe fast_food bar pub food_court ice_cream marketplace biergarten "
    "supermarket convenience bakery butcher greengrocer deli cheese seafood pastry confectionery "
    "chocolate alcohol wine beverages coffee tea frozen_food health_food food",
    "culture": "library theatre cinema arts_centre museum gallery place_of_worship "
    "community_centre events_venue conference_centre studio bandstand music_venue",
    "sport": "fitness_centre fitness_station sports_centre sports_hall pitch stadium ice_rink "
    "playground track bowling_alley miniature_golf dance water_park swimming_pool",
    "public": "townhall police fire_station post_office courthouse prison embassy "
    "public_building social_facility toilets drinking_water ferry_terminal bus_station "
    "post_box public_bookcase",
}
GROUP_OF = {value: group for group, values in GROUPS.items() for value in values.split()}
KEYS = ("amenity", "shop", "healthcare", "leisure")
# areas that the land cover, water and street layers already hold
NOT_AMENITIES = frozenset({"park", "garden", "swimming_pool", "marina", "fountain", "track"})


def _amenity_class(tags: Tags) -> str | None:
    for key in KEYS:
        value = tags.get(key)
        if value not in (None, "no", "yes", "vacant") and value not in NOT_AMENITIES:
            return value.split(";")[0]
    return None


def amenities(extract: Extract, crs: str) -> gpd.GeoDataFrame:
    """Amenities, shops, health care and leisure as points, areas by a point inside them."""
    rows = []
    for f in [*extract.points, *extract.areas]:
        found = _amenity_class(f.tags)
        if found is None:
            continue
        rows.append(
            {
                "id": f.id,
                "class": found,
                "group": GROUP_OF.get(found, "other"),
                "name": f.tags.get("name"),
                "geometry": shapely.point_on_surface(f.geometry),
                "outline": f.geometry if f.id[0] != "n" else None,
            }
        )
    layer = to_layer(rows, ["id", "class", "group", "name", "outline"], crs)
    return _without_doubles(layer).drop(columns="outline")


def _without_doubles(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Drop points of the same class and name as an area that holds them."""
    outlines = layer[layer["outline"].notna()]
    shapes = gpd.GeoDataFrame(
        outlines[["class", "name"]], geometry=outlines["outline"].tolist(), crs="EPSG:4326"
    ).to_crs(layer.crs)
    nodes = layer[layer["outline"].isna() & layer["name"].notna()]
    pairs = nodes.sjoin(shapes, predicate="within")
    double = (pairs["class_left"] == pairs["class_right"]) & (
        pairs["name_left"] == pairs["name_right"]
    )
    return layer.drop(index=pairs.index[double].unique())


MODE_OF_ROUTE = {
    "bus": "bus",
    "trolleybus": "bus",
    "tram": "tram",
    "light_rail": "rail",
    "train": "rail",
    "subway": "metro",
    "ferry": "ferry",
}
MODE_OF_TAG = {"bus": "bus", "tram": "tram", "train": "rail", "subway": "metro", "ferry": "ferry"}


def _mode_from_tags(tags: Tags) -> str | None:
    for key, mode in MODE_OF_TAG.items():
        if tags.get(key) == "yes":
            return mode
    if tags.get("highway") == "bus_stop" or tags.get("amenity") == "bus_station":
        return "bus"
    if tags.get("amenity") == "ferry_terminal":
        return "ferry"
    railway = tags.get("railway")
    if railway == "tram_stop":
        return "tram"
    if railway in ("station", "halt"):
        return "metro" if tags.get("station") == "subway" else "rail"
    return None


def _is_stop(tags: Tags) -> bool:
    return (
        tags.get("public_transport") in ("platform", "stop_position", "station")
        or tags.get("highway") == "bus_stop"
        or tags.get("railway") in ("tram_stop", "station", "halt")
        or tags.get("amenity") in ("ferry_terminal", "bus_station")
    )


def stops_and_routes(extract: Extract, crs: str) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Stop points, and the routes as ordered lists of the stops that are in the extract.

    A stop without a mode of its own takes that of the first route that serves it; a stop that
    nothing tells the mode of is left out.
    """
    candidates: dict[str, Feature] = {}
    for f in [*extract.points, *extract.lines, *extract.areas]:
        if _is_stop(f.tags):
            candidates[f.id] = f
    routes = [r for r in extract.relations if r.tags.get("route") in MODE_OF_ROUTE]
    routes = [r for r in routes if r.tags.get("type") == "route"]
    served: dict[str, str] = {}
    for route in routes:
        for kind, reference, _ in route.members:
            served.setdefault(f"{kind}{reference}", MODE_OF_ROUTE[route.tags["route"]])
    rows = []
    for name, f in candidates.items():
        mode = _mode_from_tags(f.tags) or served.get(name)
        if mode is not None:
            point = shapely.point_on_surface(f.geometry)
            rows.append({"id": name, "name": f.tags.get("name"), "mode": mode, "geometry": point})
    stops = to_layer(rows, ["id", "name", "mode"], crs)
    return stops, _route_table(routes, set(stops["id"]))


def _route_table(routes: list, known: set[str]) -> pd.DataFrame:
    rows = []
    for route in routes:
        by_role: dict[str, list[str]] = {"stop": [], "platform": []}
        for kind, reference, role in route.members:
            name = f"{kind}{reference}"
            if name in known:
                # old relations have members without a role
                part = "platform" if role.startswith("platform") else "stop"
                by_role[part].append(name)
        served = max(by_role["stop"], by_role["platform"], key=len)
        if len(served) > 1:
            rows.append(
                {
                    "id": route.id,
                    "ref": route.tags.get("ref"),
                    "name": route.tags.get("name"),
                    "mode": MODE_OF_ROUTE[route.tags["route"]],
                    "stops": ";".join(served),
                }
            )
    table = pd.DataFrame(rows, columns=["id", "ref", "name", "mode", "stops"])
    return table.sort_values("id", kind="stable").reset_index(drop=True)


def restrict_routes(routes: pd.DataFrame, stops: gpd.GeoDataFrame) -> pd.DataFrame:
    """Routes with only the stops of a clipped stop layer; those with fewer than two go."""
    known = set(stops["id"])
    kept = [";".join(s for s in text.split(";") if s in known) for text in routes["stops"]]
    routes = routes.assign(stops=kept)
    return routes[routes["stops"].str.contains(";")].reset_index(drop=True)
