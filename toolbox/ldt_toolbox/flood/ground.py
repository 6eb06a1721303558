"""The ground of a territory as a flood sees it: levels, runoff, roughness, obstacles."""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ldt_toolbox.errors import DataError, ParameterError, RunError
from ldt_toolbox.flood.conditioning import cut_culverts, fill_voids
from ldt_toolbox.flood.cover import constant_losses, cover_codes
from ldt_toolbox.flood.losses import curve_number_table
from ldt_toolbox.flood.simulation import memory_needed
from ldt_toolbox.memory import memory_limit
from ldt_toolbox.space.paint import block_mean, paint, pool
from ldt_toolbox.space.raster import Raster

SCREENING_CELL_M = 10.0
LEVELS_M = (-500.0, 9000.0)  # the Dead Sea's shore and the Everest lie within
BYTES_PER_CELL = 260  # of the terrain chain and what is kept of a run, beside the run itself

# Manning's n, s/m^(1/3): floodplain and overland values of Chow 1959 and Arcement & Schneider
# 1989 (USGS WSP 2339), the middle of their ranges, from memory; the choice of class is ours.
MANNING_N: dict[str, float] = {
    "building": 0.05, "paved": 0.02, "harbour": 0.02, "park": 0.05, "garden": 0.05,
    "cemetery": 0.05, "grass": 0.035, "sports_grass": 0.035, "farmland": 0.04, "scrub": 0.07,
    "wood": 0.10, "tree": 0.10, "meadow": 0.035, "sand": 0.03, "bare_rock": 0.04,
    "residential": 0.06, "commercial": 0.05, "industrial": 0.05, "railway": 0.04,
    "construction": 0.04, "sports_artificial": 0.03, "water": 0.035,
}  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """What a simulation reads of the ground; a measure or a random draw changes it.

    Attributes
    ----------
    elevation : numpy.ndarray of float64, shape (rows, columns)
        Bed level, m; NaN where no water may go.
    curve_number, manning_n : numpy.ndarray of float32, same shape
        Runoff of the cell (SCS, 0 to 100) and roughness (s/m^(1/3)).
    built, paved : numpy.ndarray of float32, same shape
        Shares of the cell under buildings, and under streets and other paved ground.
    sewer_mm_h : float
        What sewers take from built and paved ground.
    cell_m : float
        Side of a cell.
    loss_mm_h : numpy.ndarray of float32, shape (rows, columns)
        Constant loss of ground that has one in place of a curve number (which is 100 there).
    """

    elevation: NDArray[np.float64]
    curve_number: NDArray[np.float32]
    manning_n: NDArray[np.float32]
    built: NDArray[np.float32]
    paved: NDArray[np.float32]
    sewer_mm_h: float
    cell_m: float
    loss_mm_h: NDArray[np.float32]


@dataclass(frozen=True)
class Ground:
    """A territory's layers on the grid of its terrain.

    Attributes
    ----------
    grid : Raster
        Gives shape, place and CRS.
    setup : Setup
        Today.
    interpolated, sea, inside, rivers : numpy.ndarray of bool, shape (rows, columns)
        Voids that were filled; sea; the territory; cells of mapped rivers.
    terrain_cell_m : float
        Cell of the terrain file.
    terrain_share : float
        Share of the territory that the terrain covers, 0 to 1.
    voids_kept : int
        Voids inside the terrain that were too large to fill.
    unclassified_share : float
        Share of the territory of which no layer says what covers it, 0 to 1.
    culverts_left_out : int
        Culverts that begin or end where there is no terrain.
    """

    grid: Raster
    setup: Setup
    interpolated: NDArray[np.bool_]
    sea: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    rivers: NDArray[np.bool_]
    terrain_cell_m: float
    terrain_share: float
    voids_kept: int
    unclassified_share: float
    culverts_left_out: int

    @property
    def screening(self) -> bool:
        """Whether the cells are too coarse for more than a screening."""
        return self.setup.cell_m > SCREENING_CELL_M

    def raster(self, values: NDArray[np.generic], unit: str = "MTR") -> Raster:
        """Values on this grid as a raster."""
        return Raster(values, self.grid.transform, self.grid.crs, unit)


def lay_ground(
    boundary: BaseGeometry,
    terrain: Raster,
    *,
    buildings: gpd.GeoDataFrame,
    cell_size_m: float | None = None,
    streets: gpd.GeoDataFrame | None = None,
    rivers: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    culverts: gpd.GeoDataFrame | None = None,
    land_cover: gpd.GeoDataFrame | Raster | None = None,
    land_cover_classes: Mapping[str, str] | None = None,
    unclassified_cover: str = "residential",
    soil_group: str = "C",
    manning_n: float | None = None,
    sewer_mm_h: float = 0.0,
    void_area_m2: float = 10_000.0,
    scheme: str = "inertial",
) -> Ground:
    """Lay all layers on the terrain's grid.

    Parameters
    ----------
    boundary : shapely geometry
        In the terrain's CRS.
    terrain : Raster
        Metres, NaN where missing.
    buildings, streets, rivers, water, culverts : geopandas.GeoDataFrame
        As the roles of the use case describe them.
    cell_size_m : float, optional
        Cells to compute on: the nearest multiple of the terrain's own is taken.
    land_cover : geopandas.GeoDataFrame or Raster, optional
        Polygons with `class`, or a raster of class values.
    land_cover_classes : mapping of str to str, optional
        Class value -> class of the toolbox.
    unclassified_cover : str
        Class of ground of which no layer tells.
    soil_group : str
        Hydrologic soil group, A to D.
    manning_n : float, optional
        One roughness everywhere; by land cover if not given.
    sewer_mm_h : float
        See `Setup`.
    void_area_m2 : float
        Largest void that is filled.
    scheme : str
        Of the simulation, for the memory it takes.

    Raises
    ------
    ParameterError
        If the cells are asked finer than the terrain's.
    DataError
        If the terrain does not reach the territory, or a class of land cover is unknown.
    RunError
        If the memory is too small; says which cells would fit.
    """
    own = terrain.cell_size_m
    factor = 1 if cell_size_m is None else round(cell_size_m / own)
    if cell_size_m is not None and cell_size_m < 0.75 * own:
        raise ParameterError(
            f"cell_size_m = {cell_size_m:g}, but the terrain has cells of {own:.4g} m: smaller "
            "ones show nothing more; leave it empty or give a finer terrain"
        )
    refuse_too_large(terrain.shape, factor=max(1, factor), cell_m=own, scheme=scheme)
    refuse_unmarked_voids(terrain)
    grid = coarser(terrain, max(1, factor))
    filled = fill_voids(
        np.asarray(grid.values, np.float64), cell_size_m=grid.cell_size_m, max_area_m2=void_area_m2
    )
    inside = _painted([boundary], grid)
    if not np.isfinite(filled.elevation[inside]).any():
        raise DataError("terrain: no height inside the territory: check its extent and CRS")
    sea = _painted(_sea(water), grid)
    # culverts first: one that ends in the sea takes the level of its terrain there
    lines, left_out = _culvert_cells(culverts, grid, filled.elevation)
    level = np.where(sea, np.nan, cut_culverts(filled.elevation, lines))
    codes, names = cover_codes(
        grid, streets, water, land_cover, land_cover_classes or {}, buildings
    )
    lost = constant_losses(land_cover, codes, names, grid)
    fine_factor = codes.shape[0] // grid.shape[0]
    rest = names.index("unclassified")
    chosen = [unclassified_cover if name == "unclassified" else name for name in names]
    cn = curve_number_table().loc[chosen, soil_group].to_numpy(np.float32)
    rough = np.array([MANNING_N[name] for name in chosen], np.float32)
    if manning_n is not None:
        rough[:] = manning_n

    def share(which: list[str]) -> NDArray[np.float32]:
        wanted = np.isin(codes, [names.index(name) for name in which])
        return block_mean(wanted.astype(np.uint8), fine_factor)

    setup = Setup(
        elevation=np.asarray(level, np.float64),
        curve_number=block_mean(
            cn[codes] if lost is None else np.where(np.isnan(lost), cn[codes], np.float32(100)),
            fine_factor,
        ),
        manning_n=block_mean(rough[codes], fine_factor),
        built=share(["building"]),
        paved=share(["paved"]),
        sewer_mm_h=sewer_mm_h,
        cell_m=grid.cell_size_m,
        loss_mm_h=np.zeros(grid.shape, np.float32)
        if lost is None
        else block_mean(np.nan_to_num(lost), fine_factor),
    )
    unknown = block_mean((codes == rest).astype(np.uint8), fine_factor)
    covered = boundary.intersection(shapely.box(*grid.bounds)).area / boundary.area
    known = np.isfinite(np.asarray(grid.values))[inside].mean()
    kept = filled.voids[~filled.voids["at_edge"] & ~filled.voids["filled"]]
    return Ground(
        grid=grid,
        setup=setup,
        interpolated=filled.interpolated,
        sea=sea,
        inside=inside & np.isfinite(level),
        rivers=_painted([] if rivers is None else list(rivers.geometry), grid, touched=True),
        terrain_cell_m=own,
        terrain_share=float(covered * known),
        voids_kept=len(kept),
        culverts_left_out=left_out,
        unclassified_share=float(unknown[inside].mean()),
    )


def refuse_too_large(
    shape: tuple[int, int], *, factor: int, cell_m: float, scheme: str = "inertial"
) -> None:
    """Refuse a grid that the memory does not hold, before anything is computed.

    Raises
    ------
    RunError
        Naming the cell size that would fit.
    """
    free = memory_limit()

    def needed(by: int) -> float:
        rows, columns = -(-shape[0] // by), -(-shape[1] // by)
        run = memory_needed((rows, columns), scheme=scheme, snapshots=48)  # type: ignore[arg-type]
        return run + BYTES_PER_CELL * rows * columns

    if needed(factor) <= free:
        return
    enough = factor + 1
    while needed(enough) > free and enough < max(shape):
        enough += 1
    raise RunError(
        f"a terrain of {shape[0]} x {shape[1]} cells of {cell_m:g} m needs about "
        f"{needed(factor) / 1e9:.1f} GB at cell_size_m = {factor * cell_m:g} and "
        f"{free / 1e9:.1f} GB are free: set cell_size_m to {enough * cell_m:g} m or more, or cut "
        "the boundary into parts"
    )


def refuse_unmarked_voids(terrain: Raster) -> None:
    """Refuse heights that no land has: most often cells without a height that nothing marks.

    Raises
    ------
    DataError
        Naming the height and the cells.
    """
    values = np.asarray(terrain.values)
    odd = np.isfinite(values) & ((values < LEVELS_M[0]) | (values > LEVELS_M[1]))
    if odd.any():
        raise DataError(
            f"terrain: {int(odd.sum())} cells have heights such as {values[odd][0]:g} m: if they "
            "stand for missing ones, set the file's nodata value (`gdal_edit.py -a_nodata`), else "
            "check its unit"
        )


def coarser(raster: Raster, factor: int) -> Raster:
    """Mean of blocks of cells, missing ones left out; the same raster for a factor of 1."""
    if factor == 1:
        return raster
    values = np.asarray(raster.values, np.float32)
    t = raster.transform
    transform = Affine(t.a * factor, 0, t.c, 0, t.e * factor, t.f)
    return Raster(pool(values, factor, np.nanmean), transform, raster.crs, raster.unit)


def _painted(
    shapes: list[BaseGeometry], grid: Raster, *, touched: bool = False
) -> NDArray[np.bool_]:
    out = np.zeros(grid.shape, np.uint8)
    paint(((shape, 1) for shape in shapes), grid, out=out, all_touched=touched)
    return np.asarray(out == 1)


def _sea(water: gpd.GeoDataFrame | None) -> list[BaseGeometry]:
    if water is None or "class" not in water:
        return []
    return list(water.geometry[water["class"].astype(str) == "sea"])


def _culvert_cells(
    culverts: gpd.GeoDataFrame | None, grid: Raster, elevation: NDArray[np.floating]
) -> tuple[list[NDArray[np.intp]], int]:
    """Cells of each culvert that lies on the terrain, and how many do not."""
    if culverts is None:
        return [], 0
    pieces = culverts.geometry.explode(index_parts=False)
    lines = []
    for line in pieces:
        xy = shapely.get_coordinates(line)
        rows, columns, inside = grid.cells_at(xy[:, 0], xy[:, 1])
        ends = [0, -1]
        if len(xy) > 1 and inside.all() and np.isfinite(elevation[rows, columns][ends]).all():
            lines.append(np.column_stack([rows, columns]))
    return lines, len(pieces) - len(lines)


def floors(
    buildings: gpd.GeoDataFrame, *, storey_height_m: float, default_height_m: float
) -> gpd.GeoDataFrame:
    """Footprint, storeys (told, from heights, or NaN-free by imputation) and floor area.

    Returns
    -------
    geopandas.GeoDataFrame
        With `footprint_m2`, `storeys`, `storeys_known` (False where imputed), `floor_area_m2`.
    """
    from ldt_toolbox.heat.heights import impute_heights, parse_height

    bare = pd.Series(np.nan, index=buildings.index, dtype=object)
    told = buildings.get("levels", bare)
    heights = impute_heights(
        buildings.assign(
            height_m=buildings.get("height_m", bare), levels=told
        ),
        height_column="height_m", storey_height_m=storey_height_m,
        default_height_m=default_height_m,
    )  # fmt: skip
    levels = pd.Series([parse_height(v) for v in told], index=buildings.index, dtype=np.float64)
    levels = levels.where(levels.between(1, 150))
    storeys = levels.fillna((heights["height_m"] / storey_height_m).round()).clip(lower=1)
    footprint = buildings.geometry.area
    return buildings.assign(
        footprint_m2=footprint,
        storeys=storeys.astype(np.float64),
        storeys_known=heights["height_source"].isin(["height", "levels"]).to_numpy(bool),
        floor_area_m2=footprint * storeys,
    )
