"""The ground of a territory as grids: surface classes, heights, floors."""

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.heights import impute_heights, parse_height
from ldt_toolbox.heat.surface_classes import (
    BUILDING,
    DEFAULT_STREET_WIDTH_M,
    LAND_COVER,
    PAVED,
    STREET_WIDTH_M,
    TREE,
    WATER,
)
from ldt_toolbox.space.paint import grid_over, onto_grid, paint, refine
from ldt_toolbox.space.raster import Raster

FINE_CELL_M = 2.5
MAXIMUM_FACTOR = 4
MINIMUM_TREE_HEIGHT_M = 2.0
SEA_MARGIN_M = 300.0
MAXIMUM_CELLS = 60_000_000


@dataclass(frozen=True)
class Ground:
    """Fine grids of a territory, all of the same shape.

    Attributes
    ----------
    grid : Raster
        Model grid (cells of `cell_size_m`); the fine grids have cells `factor` times smaller.
    fine : Raster
        Template of the fine grids.
    factor : int
        Fine cells along a side of a model cell.
    classes : numpy.ndarray of uint8, fine shape
        Surface class codes of `surface_classes`.
    land : numpy.ndarray of bool, fine shape
        Inside the boundary and no open water: where shares and statistics are taken.
    domain : numpy.ndarray of bool, fine shape
        Land and the water around it: where the model runs.
    surface_m : numpy.ndarray of float32, fine shape
        Height of terrain, roofs and crowns, metres.
    covered : numpy.ndarray of bool, fine shape
        Under roofs or crowns: the ground itself sees nothing of the sky there.
    labels : numpy.ndarray of int32, fine shape
        Position of the building on each cell, -1 for none.
    buildings : geopandas.GeoDataFrame
        With `height_m`, `height_source`, `footprint_m2`, `floor_area_m2`.
    lots : geopandas.GeoDataFrame or None
        Paved areas of the land cover: squares, parking.
    has_terrain : bool
        Whether `surface_m` stands on terrain.
    """

    grid: Raster
    fine: Raster
    factor: int
    classes: NDArray[np.uint8]
    land: NDArray[np.bool_]
    domain: NDArray[np.bool_]
    surface_m: NDArray[np.float32]
    covered: NDArray[np.bool_]
    labels: NDArray[np.int32]
    buildings: gpd.GeoDataFrame
    lots: gpd.GeoDataFrame | None
    has_terrain: bool


def lay_ground(
    boundary: BaseGeometry,
    buildings: gpd.GeoDataFrame,
    *,
    cell_size_m: float,
    land_cover: gpd.GeoDataFrame | Raster | None = None,
    land_cover_classes: dict[str, str] | None = None,
    streets: gpd.GeoDataFrame | None = None,
    trees: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    terrain: Raster | None = None,
    storey_height_m: float = 3.0,
    default_height_m: float = 9.0,
    crown_diameter_m: float = 6.0,
    tree_height_m: float = 8.0,
) -> Ground:
    """Lay all layers of a territory on one grid.

    Parameters
    ----------
    boundary : shapely geometry
        In the CRS of the buildings, projected.
    buildings : geopandas.GeoDataFrame
        Polygons; columns `height_m`, `levels` are used where they are there.
    cell_size_m : float
        Side of a model cell.
    land_cover : geopandas.GeoDataFrame or Raster, optional
        Polygons with `class` (see `surface_classes.LAND_COVER`), or a raster of class values.
    land_cover_classes : dict of str to str, optional
        Class value of the raster or polygons -> class of the toolbox.
    streets, trees, water : geopandas.GeoDataFrame, optional
        As the roles of the use case describe them.
    terrain : Raster, optional
        Metres.
    storey_height_m, default_height_m, crown_diameter_m, tree_height_m : float
        Assumptions where the data say nothing.

    Raises
    ------
    DataError
        If the grid would be too large, or a land-cover class is unknown.
    """
    crs = buildings.crs
    margin = SEA_MARGIN_M if water is not None else 2 * cell_size_m
    west, south, east, north = boundary.bounds
    grid = grid_over(
        (west - margin, south - margin, east + margin, north + margin),
        crs=crs, cell_size_m=cell_size_m,
    )  # fmt: skip
    # at most sixteen fine cells a model cell, so that larger cells do make a smaller model
    factor = min(MAXIMUM_FACTOR, math.ceil(cell_size_m / FINE_CELL_M))
    _refuse_too_many(grid, factor, cell_size_m)
    fine = refine(grid, factor)
    heights = impute_heights(
        buildings.assign(
            height_m=_column(buildings, "height_m"), levels=_column(buildings, "levels")
        ),
        height_column="height_m",
        storey_height_m=storey_height_m,
        default_height_m=default_height_m,
    )
    buildings = _with_floors(buildings, heights, storey_height_m)

    classes = np.zeros(fine.shape, np.uint8)
    lots = None
    if isinstance(land_cover, Raster):
        _paint_class_raster(land_cover, fine, classes, land_cover_classes or {})
    elif land_cover is not None:
        lots = _paint_land_cover(land_cover, fine, classes, land_cover_classes or {})
    if streets is not None:
        paint(((s, PAVED) for s in street_areas(streets)), fine, out=classes)
    wet = np.zeros(fine.shape, np.uint8)
    if water is not None:
        paint(((s, 1) for s in water.geometry), fine, out=wet)
        classes[wet == 1] = WATER
    labels = np.full(fine.shape, -1, np.int32)
    paint(((s, i) for i, s in enumerate(buildings.geometry)), fine, out=labels)
    roofs = labels >= 0
    classes[roofs] = BUILDING

    above = np.zeros(fine.shape, np.float32)
    above[roofs] = buildings["height_m"].to_numpy(np.float32)[labels[roofs]]
    woods = (classes == TREE) & ~roofs
    above[woods] = tree_height_m
    if trees is not None:
        crowns = tree_crowns(trees, diameter_m=crown_diameter_m, height_m=tree_height_m)
        tops = np.zeros(fine.shape, np.float32)
        order = np.argsort(crowns["height_m"].to_numpy(), kind="stable")
        paint(
            zip(crowns.geometry.iloc[order], crowns["height_m"].iloc[order], strict=True),
            fine, out=tops,
        )  # fmt: skip
        crowned = (tops >= MINIMUM_TREE_HEIGHT_M) & ~roofs & (classes != WATER)
        classes[crowned] = TREE
        above[crowned] = tops[crowned]
    covered = above > 0

    inside = np.zeros(fine.shape, np.uint8)
    paint([(boundary, 1)], fine, out=inside)
    land = (inside == 1) & (classes != WATER)
    surface, has_terrain = _on_terrain(above, terrain, fine)
    return Ground(
        grid=grid, fine=fine, factor=factor, classes=classes, land=land,
        domain=(inside == 1) | (classes == WATER), surface_m=surface, covered=covered,
        labels=labels, buildings=buildings, lots=lots, has_terrain=has_terrain,
    )  # fmt: skip


def _refuse_too_many(grid: Raster, factor: int, cell_size_m: float) -> None:
    cells = grid.values.size * factor**2
    if cells <= MAXIMUM_CELLS:
        return
    west, south, east, north = grid.bounds
    enough, edge = math.ceil(cell_size_m), 6  # cells of margin and of rounding up
    while ((east - west) / enough + edge) * (
        (north - south) / enough + edge
    ) * MAXIMUM_FACTOR**2 > MAXIMUM_CELLS:
        enough += 1
    raise DataError(
        f"the model would need {cells / 1e6:.0f} million fine cells with cell_size_m = "
        f"{cell_size_m:g} (at most {MAXIMUM_CELLS / 1e6:.0f} million fit): set cell_size_m to "
        f"{enough} m or more, or cut the boundary into parts"
    )


def street_areas(streets: gpd.GeoDataFrame) -> list[BaseGeometry]:
    """Paved area of each street above ground: its line widened to its width.

    Parameters
    ----------
    streets : geopandas.GeoDataFrame
        Lines with `class`, and `width_m`, `tunnel` where known.

    Returns
    -------
    list of shapely geometry
        Tunnels are empty polygons.
    """
    widths = streets["class"].astype(str).map(STREET_WIDTH_M).fillna(DEFAULT_STREET_WIDTH_M)
    known = pd.Series([parse_height(w) for w in _column(streets, "width_m")], index=streets.index)
    widths = known.where(known.between(0.5, 60), widths)
    areas = shapely.buffer(
        streets.geometry.to_numpy(), widths.to_numpy() / 2, cap_style="flat", quad_segs=2
    )
    areas[underground(streets)] = shapely.Polygon()
    return list(areas)


def underground(streets: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Whether each street runs in a tunnel (False where nothing is known)."""
    text = _column(streets, "tunnel").astype(str).str.lower()
    # a yes beside a gap comes out of many files as the number 1.0
    yes = ["true", "yes", "1", "1.0", "building_passage"]
    found: NDArray[np.bool_] = text.isin(yes).to_numpy(bool)
    return found


def tree_crowns(trees: gpd.GeoDataFrame, *, diameter_m: float, height_m: float) -> gpd.GeoDataFrame:
    """Crown circles of single trees.

    Parameters
    ----------
    trees : geopandas.GeoDataFrame
        Points; `crown_diameter_m` and `height_m` where known.
    diameter_m, height_m : float
        Where they are not.

    Returns
    -------
    geopandas.GeoDataFrame
        Polygons with `height_m`.
    """
    parse = np.vectorize(parse_height, otypes=[np.float64])
    diameters = parse(_column(trees, "crown_diameter_m").to_numpy(object))
    heights = parse(_column(trees, "height_m").to_numpy(object))
    diameters = np.where((diameters >= 0.5) & (diameters <= 40), diameters, diameter_m)
    heights = np.where((heights >= 0.5) & (heights <= 80), heights, height_m)
    circles = shapely.buffer(trees.geometry.to_numpy(), diameters / 2, quad_segs=4)
    return gpd.GeoDataFrame({"height_m": heights}, geometry=circles, crs=trees.crs)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name]
    return pd.Series(np.nan, index=frame.index, dtype=object)


def _with_floors(
    buildings: gpd.GeoDataFrame, heights: pd.DataFrame, storey_height_m: float
) -> gpd.GeoDataFrame:
    footprint = buildings.geometry.area
    told = [parse_height(value) for value in _column(buildings, "levels")]
    levels = pd.Series(told, index=buildings.index, dtype=np.float64)
    levels = levels.where(levels.between(1, 150))
    storeys = levels.fillna((heights["height_m"] / storey_height_m).round()).clip(lower=1)
    return buildings.assign(
        height_m=heights["height_m"].astype(np.float64),
        height_source=heights["height_source"].astype(str),
        footprint_m2=footprint,
        floor_area_m2=footprint * storeys,
    )


def _codes(found: list[str], translate: dict[str, str]) -> dict[str, int]:
    """Surface class of each class that was found, or one message about all that have none."""
    names = {value: translate.get(value, value) for value in found}
    if unknown := [value for value, name in names.items() if name not in LAND_COVER]:
        listed = ", ".join(f"`{value}`" for value in unknown)
        raise DataError(
            f"land_cover has {listed}, for which no surface is known: translate with "
            f"`classes: {{{unknown[0]}: ...}}` in territory.yaml to one of {', '.join(LAND_COVER)}"
        )
    return {value: LAND_COVER[name] for value, name in names.items()}


def _paint_land_cover(
    cover: gpd.GeoDataFrame, fine: Raster, classes: NDArray[np.uint8], translate: dict[str, str]
) -> gpd.GeoDataFrame:
    found = cover["class"].astype(str)
    codes = _codes(list(found.unique()), translate)
    order = np.argsort(-cover.geometry.area.to_numpy(), kind="stable")
    paint(((cover.geometry.iloc[i], codes[found.iloc[i]]) for i in order), fine, out=classes)
    names = found.map(lambda value: translate.get(value, value))
    return cover[names.isin(["paved", "construction"])]


def _paint_class_raster(
    raster: Raster, fine: Raster, classes: NDArray[np.uint8], translate: dict[str, str]
) -> None:
    values = onto_grid(raster, fine, nearest=True)
    found = [str(value) for value in np.unique(values[np.isfinite(values)]).astype(int)]
    for value, code in _codes(found, translate).items():
        classes[values == int(value)] = code


def _on_terrain(
    above: NDArray[np.float32], terrain: Raster | None, fine: Raster
) -> tuple[NDArray[np.float32], bool]:
    if terrain is None:
        return above, False
    ground = onto_grid(terrain, fine)
    known = np.isfinite(ground)
    if not known.any():
        return above, False
    # outside the terrain the nearest known height goes on, so that no cliff casts a shadow
    from scipy.ndimage import distance_transform_edt

    if not known.all():
        rows, columns = distance_transform_edt(~known, return_distances=False, return_indices=True)
        ground = ground[rows, columns]
    return (ground + above).astype(np.float32), True
