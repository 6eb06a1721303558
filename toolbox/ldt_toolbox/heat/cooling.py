"""Urban cooling model: an index of how well each place cools, and the air temperature it implies.

The equations and their order are those of InVEST 3.19 (Urban Cooling Model). It is an index
model: it ranks places and compares scenarios, it does not simulate the weather.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.green_area import green_area_within
from ldt_toolbox.heat.mixing import (
    Floats,
    NeighbourhoodMean,
    PresentCells,
    as_floats,
    exponential_kernel,
    mixing_kernel,
    whole_cells,
)

MINIMUM_GREEN_AREA_HA = 2.0  # below it a green area cools only itself (InVEST user's guide)
TIE = 1e-6  # areas that differ by less are equal: ten times the rounding of float32


@dataclass(frozen=True)
class CoolingResult:
    """Everything one run of the urban cooling model says, on the grid of its inputs.

    Attributes
    ----------
    cc : numpy.ndarray
        Cooling capacity, 0 to 1.
    green_area_ha : numpy.ndarray
        Green area within the cooling distance, hectares.
    cc_park : numpy.ndarray
        Cooling capacity received from green cells around.
    hm : numpy.ndarray
        Heat mitigation, 0 to 1.
    temperature_unmixed_c : numpy.ndarray
        Modelled air temperature before mixing, degrees Celsius.
    temperature_c : numpy.ndarray
        Modelled air temperature, degrees Celsius.
    """

    cc: Floats
    green_area_ha: Floats
    cc_park: Floats
    hm: Floats
    temperature_unmixed_c: Floats
    temperature_c: Floats


def _same_shape(**grids: NDArray[np.generic]) -> None:
    shapes = {name: grid.shape for name, grid in grids.items() if grid.ndim}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(f"the grids differ in shape ({listed}): put them on one grid first")


def evapotranspiration_index(
    kc: NDArray[np.generic], *, et0: NDArray[np.generic] | float = 1.0, et0_max: float | None = None
) -> Floats:
    """Evapotranspiration index ``ETI = Kc * ET0 / ETmax``.

    Parameters
    ----------
    kc : numpy.ndarray, shape (rows, columns)
        Crop coefficient, 1.
    et0 : numpy.ndarray or float
        Reference evapotranspiration, mm per any one period; one number means the same everywhere.
    et0_max : float, optional
        Its largest value in the area; taken from ``et0`` when not given.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Same type as ``kc``.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, equation 1.
    """
    grid = as_floats("kc", kc)
    reference: Floats = np.asarray(et0, dtype=grid.dtype)
    _same_shape(kc=grid, et0=reference)
    largest = float(np.nanmax(reference)) if et0_max is None else et0_max
    if not largest > 0:
        raise ParameterError(f"the largest et0 is {largest}: it must be above 0")
    return grid * (reference / grid.dtype.type(largest))


def cooling_capacity(
    shade: NDArray[np.generic],
    albedo: NDArray[np.generic],
    eti: NDArray[np.generic],
    *,
    weights: tuple[float, float, float] = (0.6, 0.2, 0.2),
) -> Floats:
    """Cooling capacity by day, ``CC = 0.6 shade + 0.2 albedo + 0.2 ETI``.

    Parameters
    ----------
    shade : numpy.ndarray, shape (rows, columns)
        Share of the cell under a canopy of at least 2 m, 0 to 1.
    albedo : numpy.ndarray, shape (rows, columns)
        Share of sunlight reflected, 0 to 1.
    eti : numpy.ndarray, shape (rows, columns)
        Evapotranspiration index, 0 to 1.
    weights : tuple of float
        Of shade, albedo and ETI; divided by their sum.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Same type as ``shade``; NaN where any input is NaN.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, equation 2.
    """
    total = sum(weights)
    if len(weights) != 3 or min(weights) < 0 or not total > 0:
        raise ParameterError(f"weights are {weights}: give three numbers, none negative, not all 0")
    first = as_floats("shade", shade)
    others = as_floats("albedo", albedo), as_floats("eti", eti)
    _same_shape(shade=first, albedo=others[0], eti=others[1])
    cc = first * first.dtype.type(weights[0] / total)
    for grid, weight in zip(others, weights[1:], strict=True):
        cc += grid * grid.dtype.type(weight / total)
    return cc


def cooling_capacity_from_building_intensity(building_intensity: NDArray[np.generic]) -> Floats:
    """Cooling capacity by night, ``CC = 1 - building intensity``.

    Parameters
    ----------
    building_intensity : numpy.ndarray, shape (rows, columns)
        Floor area over land area, scaled to 0 to 1.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Same type.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, "nighttime" variant of cooling capacity.
    """
    grid = as_floats("building_intensity", building_intensity)
    return grid.dtype.type(1) - grid


def park_cooling(
    cc: NDArray[np.generic],
    green: NDArray[np.generic],
    *,
    cell_size_m: float,
    cooling_distance_m: float,
) -> Floats:
    """Cooling capacity that a place receives from the green cells around it.

    Parameters
    ----------
    cc : numpy.ndarray, shape (rows, columns)
        Cooling capacity; NaN where missing.
    green : numpy.ndarray, shape (rows, columns)
        1 (or True) where a cell is green; shares are allowed; NaN where missing.
    cell_size_m : float
        Side of a cell.
    cooling_distance_m : float
        Distance at which the effect has fallen to 1/e, rounded to whole cells.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        ``sum_j g_j CC_j exp(-d / d_cool) / sum_j exp(-d / d_cool)`` over the cells up to five
        cooling distances away that are inside the grid and not missing.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, equation 4, with the cut and the edges of
    InVEST 3.19.
    """
    capacity, share = as_floats("cc", cc), as_floats("green", green)
    _same_shape(cc=capacity, green=share)
    source = capacity * share.astype(capacity.dtype, copy=False)
    valid = np.isfinite(source)
    if not valid.any():
        return source
    cells = whole_cells("cooling_distance_m", cooling_distance_m, cell_size_m)
    kernel = exponential_kernel(cells)
    present = PresentCells(valid, capacity.dtype, kernel.shape[0] // 2)
    return NeighbourhoodMean(kernel, present)(source)


def heat_mitigation(
    cc: Floats,
    cc_park: Floats,
    green_area_ha: Floats,
    *,
    minimum_green_area_ha: float = MINIMUM_GREEN_AREA_HA,
) -> Floats:
    """Heat mitigation: a place's own cooling capacity, or that of a large green area nearby.

    Parameters
    ----------
    cc, cc_park, green_area_ha : numpy.ndarray, shape (rows, columns)
        Cooling capacity, that received from green cells, green area within reach.
    minimum_green_area_ha : float
        Green area below which it cools only itself.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        ``CC`` where ``CC >= CCpark`` or the green area is too small, ``CCpark`` elsewhere.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, equation 5.
    """
    _same_shape(cc=cc, cc_park=cc_park, green_area_ha=green_area_ha)
    hm = cc.copy()
    # A park of exactly the minimum counts, whatever float32 made of its area.
    enough = green_area_ha >= minimum_green_area_ha * (1 - TIE)
    np.copyto(hm, cc_park, where=(cc_park > cc) & enough)
    return hm


def air_temperature(hm: Floats, *, reference_temperature_c: float, uhi_max_k: float) -> Floats:
    """Modelled air temperature before mixing, ``T = Tref + (1 - HM) * UHImax``.

    Parameters
    ----------
    hm : numpy.ndarray, shape (rows, columns)
        Heat mitigation.
    reference_temperature_c : float
        Air temperature of the countryside around, degrees Celsius.
    uhi_max_k : float
        How much warmer the least cooled place is, K.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Degrees Celsius, same type as ``hm``.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, equation 6.
    """
    number = hm.dtype.type
    return number(reference_temperature_c) + (number(1) - hm) * number(uhi_max_k)


def urban_cooling_model(
    shade: NDArray[np.generic],
    albedo: NDArray[np.generic],
    kc: NDArray[np.generic],
    green: NDArray[np.generic],
    *,
    cell_size_m: float,
    reference_temperature_c: float,
    uhi_max_k: float,
    cooling_distance_m: float = 450.0,
    mixing_radius_m: float = 500.0,
    mixing: Literal["gaussian", "exponential"] = "gaussian",
    et0: NDArray[np.generic] | float = 1.0,
    et0_max: float | None = None,
    weights: tuple[float, float, float] = (0.6, 0.2, 0.2),
    minimum_green_area_ha: float = MINIMUM_GREEN_AREA_HA,
) -> CoolingResult:
    """Run the urban cooling model, from land cover factors to mixed air temperature.

    Parameters
    ----------
    shade, albedo, kc : numpy.ndarray, shape (rows, columns)
        Share of tree shade, albedo, crop coefficient; NaN where missing.
    green : numpy.ndarray, shape (rows, columns)
        1 (or True) where a cell counts as green area.
    cell_size_m : float
        Side of a cell; the grid is in a projected CRS.
    reference_temperature_c : float
        Air temperature of the countryside around.
    uhi_max_k : float
        Urban heat island magnitude, K.
    cooling_distance_m : float
        Reach of the cooling of a large green area.
    mixing_radius_m, mixing
        See ``ldt_toolbox.heat.mixing.mix``; ``mixing="exponential"`` equals InVEST 3.19.
    et0, et0_max
        See ``evapotranspiration_index``.
    weights
        See ``cooling_capacity``.
    minimum_green_area_ha
        See ``heat_mitigation``.

    Returns
    -------
    CoolingResult
        NaN wherever one of the inputs is NaN.
    """
    eti = evapotranspiration_index(kc, et0=et0, et0_max=et0_max)
    return cooling_from_capacity(
        cooling_capacity(shade, albedo, eti, weights=weights),
        green,
        cell_size_m=cell_size_m,
        reference_temperature_c=reference_temperature_c,
        uhi_max_k=uhi_max_k,
        cooling_distance_m=cooling_distance_m,
        mixing_radius_m=mixing_radius_m,
        mixing=mixing,
        minimum_green_area_ha=minimum_green_area_ha,
    )


def cooling_from_capacity(
    cc: Floats,
    green: NDArray[np.generic],
    *,
    cell_size_m: float,
    reference_temperature_c: float,
    uhi_max_k: float,
    cooling_distance_m: float = 450.0,
    mixing_radius_m: float = 500.0,
    mixing: Literal["gaussian", "exponential"] = "gaussian",
    minimum_green_area_ha: float = MINIMUM_GREEN_AREA_HA,
) -> CoolingResult:
    """Run the urban cooling model from a given cooling capacity (by day or by night).

    Parameters
    ----------
    cc : numpy.ndarray, shape (rows, columns)
        Cooling capacity; NaN where missing.
    green, cell_size_m, reference_temperature_c, uhi_max_k
        See ``urban_cooling_model``.
    cooling_distance_m, mixing_radius_m, mixing, minimum_green_area_ha
        See ``urban_cooling_model``.

    Returns
    -------
    CoolingResult
        ``cc`` is the given one, with NaN where ``green`` is NaN.
    """
    if not uhi_max_k >= 0:
        raise ParameterError(f"uhi_max_k is {uhi_max_k}: give a difference in K, 0 or more")
    capacity = as_floats("cc", cc)
    share = as_floats("green", green).astype(capacity.dtype, copy=False)
    _same_shape(cc=capacity, green=share)
    valid = np.isfinite(capacity) & np.isfinite(share)
    if not valid.all():
        missing = capacity.dtype.type(np.nan)
        capacity, share = np.where(valid, capacity, missing), np.where(valid, share, missing)
    if not valid.any():
        return CoolingResult(*(capacity.copy() for _ in range(6)))
    spreading = exponential_kernel(
        whole_cells("cooling_distance_m", cooling_distance_m, cell_size_m)
    )
    stirring = mixing_kernel(mixing, whole_cells("mixing_radius_m", mixing_radius_m, cell_size_m))
    reach = max(spreading.shape[0], stirring.shape[0]) // 2
    cells = PresentCells(valid, capacity.dtype, reach)
    area = green_area_within(share, cell_size_m=cell_size_m, radius_m=cooling_distance_m)
    park = NeighbourhoodMean(spreading, cells)(capacity * share)
    hm = heat_mitigation(capacity, park, area, minimum_green_area_ha=minimum_green_area_ha)
    # Mixing is linear and keeps constants, so mixing HM is mixing T, with more digits.
    mixed = NeighbourhoodMean(stirring, cells)(hm)
    levels = {"reference_temperature_c": reference_temperature_c, "uhi_max_k": uhi_max_k}
    return CoolingResult(
        cc=capacity,
        green_area_ha=area,
        cc_park=park,
        hm=hm,
        temperature_unmixed_c=air_temperature(hm, **levels),
        temperature_c=air_temperature(mixed, **levels),
    )
