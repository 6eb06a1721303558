"""Surface heat: how much warmer the town's skin is than what surrounds it."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ldt_toolbox.errors import DataError, ParameterError

LCZ_NAMES = {
    1: ("1", "compact high-rise"),
    2: ("2", "compact mid-rise"),
    3: ("3", "compact low-rise"),
    4: ("4", "open high-rise"),
    5: ("5", "open mid-rise"),
    6: ("6", "open low-rise"),
    7: ("7", "lightweight low-rise"),
    8: ("8", "large low-rise"),
    9: ("9", "sparsely built"),
    10: ("10", "heavy industry"),
    11: ("A", "dense trees"),
    12: ("B", "scattered trees"),
    13: ("C", "bush, scrub"),
    14: ("D", "low plants"),
    15: ("E", "bare rock or paved"),
    16: ("F", "bare soil or sand"),
    17: ("G", "water"),
}
"""Label and name of each local climate zone (Stewart and Oke 2012), keyed as in global rasters."""

ALTITUDE_RANGE_M = 50.0
"""A rural reference may lie this much above or below the median altitude of the town."""

_Mask = NDArray[np.bool_]


def surface_uhi(
    lst: NDArray[np.floating],
    urban_mask: ArrayLike,
    water_mask: ArrayLike,
    built_mask: ArrayLike,
    elevation: NDArray[np.floating] | None = None,
    *,
    cell_size_m: float,
    ring_distances_km: tuple[float, float, float],
    block_size_m: float = 1000.0,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the surface heat island against three rural rings, because the choice decides.

    Parameters
    ----------
    lst : numpy.ndarray, shape (rows, columns)
        Land surface temperature, K; NaN where missing.
    urban_mask, water_mask, built_mask : array-like of bool, same shape
        The town; water; built-up cells anywhere (no rural reference).
    elevation : numpy.ndarray, same shape, optional
        Height above sea, m. Without it altitude is not looked at.
    cell_size_m : float
        Side of a cell, m.
    ring_distances_km : tuple of three floats
        Outer distances of the rings from the nearest urban cell, km, rising. The first ring
        starts at the town's edge, each other one where the one before ends.
    block_size_m : float
        Cells are drawn in square blocks of this side, since neighbours share their temperature
        and a draw of single cells would promise too much.
    draws : int
        Number of bootstrap draws.
    seed : int
        Start of the random numbers; same seed, same interval.

    Returns
    -------
    pandas.DataFrame
        One row per ring: ``ring`` (1..3), ``inner_km``, ``outer_km``, ``n_urban``, ``n_rural``
        (cells), ``mean_urban_k``, ``mean_rural_k``, ``suhi_k``, ``suhi_p025_k``,
        ``suhi_p975_k`` (bootstrap interval of 95 %; missing where town or ring lie in a single
        block), ``spread_k`` (largest minus smallest SUHI of the rings that have one, the same in
        each row), ``altitude_checked``, ``reason`` (why a number is missing, else empty).
        Rural: within 50 m of the town's median altitude, not water, not built, not urban, and
        with a temperature. Urban: without water.

    Raises
    ------
    DataError
        If shapes differ or no urban cell has a temperature.
    ParameterError
        If distances do not rise from above 0 or a size is not above 0.

    Notes
    -----
    Chakraborty and Lee 2019, 10.1016/j.jag.2018.09.015 (from memory), for the dependence on the
    reference.
    """
    _check_sizes(cell_size_m, block_size_m, draws, ring_distances_km)
    temperature = np.asarray(lst, dtype=np.float64)
    urban = _mask(urban_mask, "urban_mask", temperature.shape)
    water = _mask(water_mask, "water_mask", temperature.shape)
    built = _mask(built_mask, "built_mask", temperature.shape)
    seen = np.isfinite(temperature)
    town = urban & ~water & seen
    if not town.any():
        raise DataError(
            f"none of {int(urban.sum())} urban cells has a surface temperature: "
            "check that both rasters cover the same place, or take more scenes"
        )
    rural = ~urban & ~water & ~built & seen
    level = np.ones_like(rural)
    if elevation is not None:
        if elevation.shape != temperature.shape:
            raise DataError(
                f"elevation has shape {elevation.shape}, the temperatures have "
                f"{temperature.shape}: bring both to one grid"
            )
        with np.errstate(invalid="ignore"):
            urban_altitude = elevation[town & np.isfinite(elevation)]
            if not urban_altitude.size:
                raise DataError("no urban cell has an elevation: leave it out or fill its gaps")
            level = np.abs(elevation - np.median(urban_altitude)) <= ALTITUDE_RANGE_M
    distance_km = ndimage.distance_transform_edt(~urban) * cell_size_m / 1000

    generator = np.random.default_rng(seed)
    block = _blocks(temperature.shape, max(1, round(block_size_m / cell_size_m)))
    urban_draws = _block_means(temperature, town, block, draws, generator)
    mean_urban = float(temperature[town].mean())
    rows = []
    inner = 0.0
    for number, outer in enumerate(ring_distances_km, start=1):
        ring = (distance_km > inner) & (distance_km <= outer)
        reference = ring & rural & level
        count = int(reference.sum())
        mean_rural = float(temperature[reference].mean()) if count else np.nan
        low, high = np.nan, np.nan
        reason = _reason(ring, rural, level, seen)
        if count and min(_count_blocks(block, town), _count_blocks(block, reference)) < 2:
            reason = f"no interval: all cells lie in one block of {block_size_m:g} m"
        elif count:
            rural_draws = _block_means(temperature, reference, block, draws, generator)
            low, high = np.quantile(urban_draws - rural_draws, [0.025, 0.975])
        rows.append(
            {
                "ring": number,
                "inner_km": inner,
                "outer_km": float(outer),
                "n_urban": int(town.sum()),
                "n_rural": count,
                "mean_urban_k": mean_urban,
                "mean_rural_k": mean_rural,
                "suhi_k": mean_urban - mean_rural,
                "suhi_p025_k": float(low),
                "suhi_p975_k": float(high),
                "altitude_checked": elevation is not None,
                "reason": reason,
            }
        )
        inner = float(outer)
    table = pd.DataFrame(rows)
    spread = table["suhi_k"].max() - table["suhi_k"].min()
    table.insert(10, "spread_k", spread)
    return table


def lcz_contrast(
    lst: NDArray[np.floating],
    lcz: NDArray[np.integer],
    *,
    reference: str = "D",
    edge_cells: int = 1,
) -> pd.DataFrame:
    """Return how much warmer each local climate zone is than a reference zone.

    Parameters
    ----------
    lst : numpy.ndarray, shape (rows, columns)
        Surface (or air) temperature, K; NaN where missing.
    lcz : numpy.ndarray of integers, same shape
        1..10 built zones, 11..17 land cover A..G; anything else is no zone.
    reference : str
        Label of the reference zone; "D", low plants, by convention.
    edge_cells : int
        Cells closer than this to another zone are left out, in cells of *this* grid: on 30 m
        cells under a zone map of 100 m, one zone cell is 4 of them.

    Returns
    -------
    pandas.DataFrame
        One row per zone present: ``label``, ``name``, ``n`` (cells kept), ``mean_k``, ``std_k``
        and ``contrast_k`` (NaN where no cell is left), index the zone's number.

    Raises
    ------
    DataError
        If shapes differ, or if no cell of the reference zone is left.
    ParameterError
        If the label is unknown or ``edge_cells`` negative.

    Notes
    -----
    Stewart and Oke 2012, 10.1175/BAMS-D-11-00019.1.
    """
    codes = {label: code for code, (label, _) in LCZ_NAMES.items()}
    if reference not in codes:
        raise ParameterError(f"there is no zone {reference!r}: choose from {', '.join(codes)}")
    if edge_cells < 0:
        raise ParameterError(f"edge_cells is {edge_cells}; give 0 or more")
    temperature = np.asarray(lst, dtype=np.float64)
    if lcz.shape != temperature.shape:
        raise DataError(
            f"zones have shape {lcz.shape}, temperatures {temperature.shape}: "
            "bring both to one grid (nearest neighbour for the zones)"
        )
    width = 2 * edge_cells + 1
    inside = ndimage.minimum_filter(lcz, width, mode="nearest") == ndimage.maximum_filter(
        lcz, width, mode="nearest"
    )
    kept = inside & np.isfinite(temperature)
    rows = {}
    for code, (label, name) in LCZ_NAMES.items():
        zone = lcz == code
        if zone.any():
            cells = temperature[kept & zone]
            mean, std = (cells.mean(), cells.std()) if cells.size else (np.nan, np.nan)
            rows[code] = (label, name, int(cells.size), float(mean), float(std))
    if rows.get(codes[reference], ("", "", 0, 0.0, 0.0))[2] == 0:
        found = ", ".join(row[0] for row in rows.values()) or "none"
        raise DataError(
            f"no cell of the reference zone {reference} is left {edge_cells} cells from its edge "
            f"(zones present: {found}): choose another reference, a larger area or fewer edge cells"
        )
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["label", "name", "n", "mean_k", "std_k"]
    ).rename_axis("lcz")
    table["contrast_k"] = table["mean_k"] - rows[codes[reference]][3]
    return table


def _mask(values: ArrayLike, name: str, shape: tuple[int, ...]) -> _Mask:
    array = np.asarray(values)
    if array.dtype != np.bool_ or array.shape != shape:
        raise DataError(
            f"{name} is {array.dtype} of shape {array.shape}; a bool array of shape {shape} is "
            "needed, one grid for all"
        )
    return array


def _check_sizes(
    cell_size_m: float, block_size_m: float, draws: int, rings: tuple[float, float, float]
) -> None:
    for name, value in {
        "cell_size_m": cell_size_m,
        "block_size_m": block_size_m,
        "draws": draws,
    }.items():
        if not value > 0:
            raise ParameterError(f"{name} is {value}; give a number above 0")
    if len(rings) != 3 or not 0 < rings[0] < rings[1] < rings[2]:
        raise ParameterError(
            f"ring_distances_km is {rings}; give three rising distances above 0, "
            "because one ring alone hides how much the choice decides"
        )


def _reason(ring: _Mask, rural: _Mask, level: _Mask, seen: _Mask) -> str:
    if (ring & rural & level).any():
        return ""
    if not ring.any():
        return "the raster ends before this ring"
    if not (ring & seen).any():
        return "no temperature in this ring"
    if not (ring & rural).any():
        return "only water and built-up cells in this ring"
    return f"no rural cell within {ALTITUDE_RANGE_M:g} m of the town's altitude in this ring"


def _blocks(shape: tuple[int, ...], side: int) -> NDArray[np.int64]:
    rows, columns = shape
    across = -(-columns // side)
    return np.asarray(
        (np.arange(rows) // side)[:, None] * across + (np.arange(columns) // side)[None, :],
        dtype=np.int64,
    )


def _count_blocks(block: NDArray[np.int64], chosen: _Mask) -> int:
    return int(np.unique(block[chosen]).size)


def _block_means(
    temperature: NDArray[np.float64],
    chosen: _Mask,
    block: NDArray[np.int64],
    draws: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Means of ``draws`` resamples of whole blocks."""
    _, position = np.unique(block[chosen], return_inverse=True)
    count = np.bincount(position).astype(np.float64)
    centre = temperature[chosen].mean()
    departure = np.bincount(position, weights=temperature[chosen] - centre)
    result = np.empty(draws)
    for draw in range(draws):
        times = np.bincount(generator.integers(count.size, size=count.size), minlength=count.size)
        result[draw] = centre + (times @ departure) / (times @ count)
    return result
