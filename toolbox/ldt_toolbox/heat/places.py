"""Places where green could grow: streets by name, squares and parking; ranked by what it brings."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.heat.ground import Ground, street_areas, underground
from ldt_toolbox.heat.surface_classes import OPEN_GROUND
from ldt_toolbox.space.paint import paint

MINIMUM_STREET_M = 40.0
MINIMUM_LOT_M2 = 150.0


def candidate_places(ground: Ground, streets: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Streets by name and paved lots.

    Parameters
    ----------
    ground : Ground
        Its lots are candidates too.
    streets : geopandas.GeoDataFrame or None
        Lines with `class` and `name`.

    Returns
    -------
    geopandas.GeoDataFrame
        `name`, `kind` (`street` or `lot`), `length_m` (0 for lots), polygon geometry; sorted by
        name so that equal input gives equal output.
    """
    crs = ground.buildings.crs
    columns = ["name", "kind", "length_m", "geometry"]
    parts = []
    if streets is not None and "name" in streets:
        open_air = _named_in_the_open(streets)
        if len(open_air):
            areas = gpd.GeoDataFrame(
                {"name": open_air["name"].astype(str), "length_m": open_air.length},
                geometry=street_areas(open_air), crs=crs,
            )  # fmt: skip
            whole = areas.dissolve(by="name", aggfunc={"length_m": "sum"}).reset_index()
            whole = whole[whole["length_m"] >= MINIMUM_STREET_M]
            parts.append(whole.assign(kind="street")[columns])
    if ground.lots is not None and len(ground.lots):
        lots = ground.lots[ground.lots.area >= MINIMUM_LOT_M2]
        names = _lot_names(lots, streets)
        frame = gpd.GeoDataFrame(
            {"name": names, "kind": "lot", "length_m": 0.0}, geometry=lots.geometry, crs=crs
        )
        parts.append(frame[columns])
    if not parts:
        return gpd.GeoDataFrame({c: [] for c in columns}, geometry="geometry", crs=crs)
    joined = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=crs)
    return joined.sort_values(["kind", "name", "length_m"], kind="stable").reset_index(drop=True)


def _lot_names(lots: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None) -> pd.Series:
    """Own name of each lot, else the nearest named street with the lot's id in brackets."""
    own = lots["name"] if "name" in lots else pd.Series(None, index=lots.index, dtype=object)
    keys = (lots["id"] if "id" in lots else pd.Series(lots.index, index=lots.index)).astype(str)
    near = pd.Series("lot", index=lots.index)
    if streets is not None and "name" in streets:
        named = _named_in_the_open(streets)
        if len(named) and len(lots):
            _, position = named.sindex.nearest(lots.geometry, return_all=False)
            near = pd.Series(named["name"].astype(str).to_numpy()[position], index=lots.index)
    return own.where(_told(own), near + " [" + keys + "]").astype(str)


def _named_in_the_open(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return streets[_told(streets["name"]) & ~underground(streets)]


def _told(names: pd.Series) -> pd.Series:
    return names.notna() & (names.astype(str).str.strip() != "")


def rank_places(
    places: gpd.GeoDataFrame, gain_per_m2: NDArray[np.float32], ground: Ground
) -> gpd.GeoDataFrame:
    """Sort places by what a square metre of green brings there.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        From `candidate_places`.
    gain_per_m2 : numpy.ndarray, model shape
        Summed cooling for one square metre of green in each cell.

    Returns
    -------
    geopandas.GeoDataFrame
        `rank`, `name`, `kind`, `length_m`, `gain_per_m2` (mean over the open ground of the
        place), `plantable_m2` (its open ground inside the boundary), `total_gain`, geometry.
        Places without open ground are left out.
    """
    open_ground = np.isin(ground.classes, OPEN_GROUND) & ground.land
    fine_gain = np.repeat(np.repeat(gain_per_m2, ground.factor, 0), ground.factor, 1)
    usable = open_ground & np.isfinite(fine_gain)
    cell_m2 = ground.fine.cell_size_m**2
    count = len(places)
    cells, sums = np.zeros(count), np.zeros(count)
    # streets cross each other and lots hold streets: each kind has its own canvas
    for kind in ("street", "lot"):
        chosen = np.flatnonzero((places["kind"] == kind).to_numpy())
        label = np.full(ground.fine.shape, -1, np.int32)
        paint(((places.geometry.iloc[i], float(i)) for i in chosen), ground.fine, out=label)
        hit = usable & (label >= 0)
        cells += np.bincount(label[hit], minlength=count)
        sums += np.bincount(label[hit], weights=fine_gain[hit], minlength=count)
    ranked = places.assign(
        gain_per_m2=np.where(cells > 0, sums / np.maximum(cells, 1), np.nan),
        plantable_m2=cells * cell_m2,
        total_gain=sums * cell_m2,
    )
    ranked = ranked[ranked["plantable_m2"] > 0]
    ranked = ranked.sort_values(["gain_per_m2", "name"], ascending=[False, True], kind="stable")
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    return ranked.reset_index(drop=True)


def planting_points(
    places: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None, *, spacing_m: float
) -> gpd.GeoSeries:
    """Points of new trees: along the streets, on a square grid in lots.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        Chosen places with `name` and `kind`.
    streets : geopandas.GeoDataFrame or None
        Lines that carry the names.
    spacing_m : float
        Distance between trees.
    """
    points: list[shapely.Point] = []
    wanted = set(places.loc[places["kind"] == "street", "name"])
    if streets is not None and wanted:
        lines = streets[streets["name"].isin(wanted) & ~underground(streets)].geometry
        for line in shapely.get_parts(lines.to_numpy()):
            along = np.arange(spacing_m / 2, line.length, spacing_m)
            points.extend(np.atleast_1d(shapely.line_interpolate_point(line, along)))
    for lot in places.loc[places["kind"] == "lot"].geometry:
        west, south, east, north = lot.bounds
        x, y = np.meshgrid(
            np.arange(west + spacing_m / 2, east, spacing_m),
            np.arange(south + spacing_m / 2, north, spacing_m),
        )
        inside = shapely.contains_xy(lot, x.ravel(), y.ravel())
        points.extend(map(shapely.Point, x.ravel()[inside], y.ravel()[inside]))
    return gpd.GeoSeries(points, crs=places.crs)
