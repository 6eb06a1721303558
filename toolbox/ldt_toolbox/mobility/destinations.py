"""Where ways lead: places of daily life by class, green areas, jobs."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ldt_toolbox.mobility.opportunities import AMENITY_CLASSES, JOBS_PROXY

GREEN = "green"
"""The class that is areas, not points: one arrives where one comes to their edge."""

GREEN_COVER = ("park", "garden", "wood", "grass", "forest", "meadow", "recreation")
_JOIN_M = 5.0  # green areas nearer than this are one
_GATE_EVERY_M = 25.0


def amenities_by_class(amenities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Points of daily life with the class that they belong to.

    Parameters
    ----------
    amenities : geopandas.GeoDataFrame
        Points with `class` as OpenStreetMap tells it, and `name` where known.

    Returns
    -------
    geopandas.GeoDataFrame
        `class` (a key of `AMENITY_CLASSES`), `kind` (as it was), `name`, geometry; other kinds are
        left out.
    """
    of = {kind: name for name, kinds in AMENITY_CLASSES.items() for kind in kinds}
    found = amenities["class"].map(of)
    kept = amenities[found.notna()]
    named = kept["name"] if "name" in kept else pd.Series(None, index=kept.index, dtype=object)
    return gpd.GeoDataFrame(
        {
            "class": found[found.notna()].to_numpy(),
            "kind": kept["class"].to_numpy(),
            "name": named.fillna("").astype(str).to_numpy(),
        },
        geometry=kept.geometry.to_numpy(),
        crs=amenities.crs,
    )


def green_gates(land_cover: gpd.GeoDataFrame, *, min_area_ha: float) -> gpd.GeoDataFrame:
    """Points along the edges of green areas that are large enough.

    Parameters
    ----------
    land_cover : geopandas.GeoDataFrame
        Polygons with `class`, in a CRS in metres. Neighbouring green polygons are one area.
    min_area_ha : float
        Smaller areas don't count.

    Returns
    -------
    geopandas.GeoDataFrame
        `class` (`GREEN`), `kind`, `name` (number of the area), geometry: a point every 25 m.
        Where a fence stands is not known, so that every edge counts as a gate.
    """
    green = land_cover[land_cover["class"].isin(GREEN_COVER)]
    empty = gpd.GeoDataFrame({"class": [], "kind": [], "name": []}, geometry=[], crs=land_cover.crs)
    if green.empty:
        return empty
    grown = shapely.union_all(shapely.buffer(green.geometry.to_numpy(), _JOIN_M / 2))
    areas = shapely.get_parts(shapely.buffer(grown, -_JOIN_M / 2))
    areas = shapely.get_parts(areas)
    areas = areas[shapely.area(areas) >= min_area_ha * 1e4]
    if not len(areas):
        return empty
    rings = shapely.segmentize(shapely.get_exterior_ring(areas), _GATE_EVERY_M)
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    return gpd.GeoDataFrame(
        {
            "class": [GREEN] * len(xy),
            "kind": [GREEN] * len(xy),
            "name": [f"green area {i + 1}" for i in owner],
        },
        geometry=shapely.points(xy),
        crs=land_cover.crs,
    )


def amenities_of_buildings(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Points of daily life that only the use of buildings tells, where no layer names them.

    Parameters
    ----------
    buildings : geopandas.GeoDataFrame
        Footprints, with `use` where it is known.

    Returns
    -------
    geopandas.GeoDataFrame
        As `amenities_by_class`; empty where no use is known.
    """
    if "use" not in buildings:
        return amenities_by_class(gpd.GeoDataFrame({"class": []}, geometry=[], crs=buildings.crs))
    points = buildings.assign(
        **{"class": buildings["use"].replace({"medical": "clinic", "civic": "townhall"})}
    )
    return amenities_by_class(points.set_geometry(points.geometry.representative_point()))


def jobs_at(jobs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Jobs as points: the representative point of each area.

    Parameters
    ----------
    jobs : geopandas.GeoDataFrame
        Areas or points with `jobs`.

    Returns
    -------
    geopandas.GeoDataFrame
        `jobs`, geometry (points); areas without jobs are left out.
    """
    count = jobs["jobs"].fillna(0).to_numpy(np.float64)
    some = count > 0
    points = jobs.geometry[some].representative_point()
    return gpd.GeoDataFrame({"jobs": count[some]}, geometry=points.to_numpy(), crs=jobs.crs)


def workplaces(amenities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Places that employ people, one each whatever their size: a proxy where jobs are unknown.

    Parameters
    ----------
    amenities : geopandas.GeoDataFrame
        Points with `class` as OpenStreetMap tells it.

    Returns
    -------
    geopandas.GeoDataFrame
        `jobs` (1), geometry.
    """
    kept = amenities[amenities["class"].isin(JOBS_PROXY)]
    one = np.ones(len(kept))
    return gpd.GeoDataFrame({"jobs": one}, geometry=kept.geometry.to_numpy(), crs=amenities.crs)


def together(parts: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """All destinations in one table with a fresh index."""
    some = [part for part in parts if len(part)]
    return pd.concat(some or list(parts[:1]), ignore_index=True)
