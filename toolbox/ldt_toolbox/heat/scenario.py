"""What measures would change: trees, cool roofs, depaving, alone and together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ldt_toolbox.heat.cover import Cover, cover_of
from ldt_toolbox.heat.exposure import at_buildings, weighted_mean, weighted_quantile
from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.surface_classes import BUILDING, GRASS, PAVED, SURFACES, TREE, WATER, table
from ldt_toolbox.space.paint import paint

LITRES_PER_MM_M2 = 1.0


@dataclass(frozen=True)
class Measure:
    """A changed ground.

    Attributes
    ----------
    cover : Cover
        What the model reads with the measure in place.
    treated_m2 : float
        Area that changes.
    trees : int
        New trees.
    extra_kc_m2 : float
        Sum over the treated area of the added crop coefficient; times the reference
        evapotranspiration it is the water that the new green draws.
    """

    cover: Cover
    treated_m2: float
    trees: int
    extra_kc_m2: float


def with_trees(
    ground: Ground, points: gpd.GeoSeries, *, crown_diameter_m: float
) -> tuple[NDArray[np.uint8], int]:
    """Surface classes with new trees, and how many found a place.

    Parameters
    ----------
    ground : Ground
        Trees stand on land only, never on buildings, in water or under other crowns.
    points : geopandas.GeoSeries
        Where they are planted.
    crown_diameter_m : float
        Of each new tree.
    """
    classes = ground.classes.copy()
    if points.empty:
        return classes, 0
    i, j, inside = ground.fine.cells_at(points.x.to_numpy(), points.y.to_numpy())
    taken = np.isin(classes[i, j], (BUILDING, WATER, TREE)) | ~ground.land[i, j]
    free = np.flatnonzero(inside & ~taken)
    crowns = shapely.buffer(points.to_numpy()[free], crown_diameter_m / 2, quad_segs=4)
    canvas = np.zeros(classes.shape, np.uint8)
    paint(((c, 1) for c in crowns), ground.fine, out=canvas)
    grown = (canvas == 1) & ground.land & ~np.isin(classes, (BUILDING, WATER))
    classes[grown] = TREE
    return classes, len(free)


def measures(
    ground: Ground,
    points: gpd.GeoSeries,
    *,
    crown_diameter_m: float,
    cool_roof_share: float,
    cool_roof_albedo: float,
    depave_share: float,
) -> dict[str, Measure]:
    """Trees, cool roofs, depaving, and all of them together.

    Parameters
    ----------
    ground : Ground
        Today.
    points : geopandas.GeoSeries
        New trees.
    crown_diameter_m : float
        Of new trees.
    cool_roof_share, cool_roof_albedo : float
        Share of roof area that gets the albedo.
    depave_share : float
        Share of squares and parking that becomes grass.

    Returns
    -------
    dict of str to Measure
        `trees`, `cool_roofs`, `depaving`, `all`.
    """
    cell_m2 = ground.fine.cell_size_m**2
    planted, count = with_trees(ground, points, crown_diameter_m=crown_diameter_m)
    grown = planted != ground.classes
    kc = table("kc")
    tree_kc = float((kc[TREE] - kc[ground.classes[grown]]).sum()) * cell_m2

    albedo = table("albedo").copy()
    albedo[BUILDING] += cool_roof_share * (cool_roof_albedo - albedo[BUILDING])
    roofs = (ground.classes == BUILDING) & ground.land
    roof_m2 = float(roofs.sum()) * cell_m2 * cool_roof_share

    lots = np.zeros(ground.fine.shape, np.uint8)
    if ground.lots is not None:
        paint(((s, 1) for s in ground.lots.geometry), ground.fine, out=lots)
    paved = (lots == 1) & (ground.classes == PAVED) & ground.land
    lot_m2 = float(paved.sum()) * cell_m2 * depave_share
    lot_kc = lot_m2 * (SURFACES[GRASS].kc - SURFACES[PAVED].kc)
    both = paved & ~grown
    both_m2 = float(both.sum()) * cell_m2 * depave_share
    tree_m2 = float(grown.sum()) * cell_m2
    return {
        "trees": Measure(cover_of(ground, classes=planted), tree_m2, count, tree_kc),
        "cool_roofs": Measure(cover_of(ground, albedo=albedo), roof_m2, 0, 0.0),
        "depaving": Measure(
            cover_of(ground, blend=(paved, depave_share, GRASS)), lot_m2, 0, lot_kc
        ),
        "all": Measure(
            cover_of(ground, classes=planted, albedo=albedo, blend=(both, depave_share, GRASS)),
            tree_m2 + roof_m2 + both_m2, count,
            tree_kc + both_m2 * (SURFACES[GRASS].kc - SURFACES[PAVED].kc),
        ),
    }  # fmt: skip


def compare(
    today_c: NDArray[np.float32],
    changed: Mapping[str, Measure],
    model: Callable[[Cover], NDArray[np.float32]],
    ground: Ground,
    weight: NDArray[np.float64],
    *,
    et0_mm_day: float,
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Run the model on each measure and compare with today.

    Parameters
    ----------
    today_c : numpy.ndarray, model shape
        Modelled air temperature of today, °C.
    changed : mapping of str to Measure
        From `measures`.
    model : callable
        From a cover to modelled air temperature, °C.
    ground : Ground
        Grids.
    weight : numpy.ndarray, shape (buildings,)
        People or floor area.
    et0_mm_day : float
        Reference evapotranspiration.

    Returns
    -------
    pandas.DataFrame
        A row for each measure: `measure`, `treated_m2`, `trees`, `mean_k`, `p05_k`, `p95_k`
        (K, weighted, negative is cooler), `degrees` (K x weight taken away), `water_m3_day`.
    numpy.ndarray of float32, model shape
        Change with the measure `all`, K.
    """
    rows = []
    last = np.zeros_like(today_c)
    for name, measure in changed.items():
        last = model(measure.cover) - today_c
        change = at_buildings(last, ground)
        mean = weighted_mean(change, weight)
        known = np.isfinite(change)
        rows.append(
            {
                "measure": name,
                "treated_m2": measure.treated_m2,
                "trees": measure.trees,
                "mean_k": mean,
                "p05_k": weighted_quantile(change, weight, 0.05),
                "p95_k": weighted_quantile(change, weight, 0.95),
                "degrees": -mean * float(weight[known].sum()),
                "water_m3_day": measure.extra_kc_m2 * et0_mm_day * LITRES_PER_MM_M2 / 1000,
            }
        )
    return pd.DataFrame(rows), last
