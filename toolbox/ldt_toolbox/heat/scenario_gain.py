"""Where a square metre of green helps most: one adjoint pass instead of a model run per cell."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.cooling import CoolingResult
from ldt_toolbox.heat.mixing import (
    Floats,
    NeighbourhoodMean,
    PresentCells,
    as_floats,
    exponential_kernel,
    mixing_kernel,
    whole_cells,
)


def cooling_gain_per_m2(
    state: CoolingResult,
    green: NDArray[np.generic],
    weights: NDArray[np.generic],
    *,
    cc_gain: NDArray[np.generic] | float,
    green_after: NDArray[np.generic] | float = 1.0,
    cell_size_m: float,
    uhi_max_k: float,
    cooling_distance_m: float = 450.0,
    mixing_radius_m: float = 500.0,
    mixing: Literal["gaussian", "exponential"] = "gaussian",
) -> Floats:
    """Cooling, summed over everybody it reaches, of turning a square metre of a cell into green.

    Parameters
    ----------
    state : CoolingResult
        The urban cooling model as things are, run with the same distances and ``uhi_max_k``.
    green : numpy.ndarray, shape (rows, columns)
        1 (or True) where a cell is green now.
    weights : numpy.ndarray, shape (rows, columns)
        Who feels the air of each cell: persons, or floor area in m2. Missing (NaN) counts as 0.
    cc_gain : numpy.ndarray or float
        By how much the cooling capacity of a cell would rise by being made green.
    green_after : numpy.ndarray or float
        Share of the cell that is green then; less than 1 where buildings stay.
    cell_size_m : float
        Side of a cell.
    uhi_max_k : float
        Urban heat island magnitude, K.
    cooling_distance_m, mixing_radius_m, mixing
        See ``ldt_toolbox.heat.cooling.urban_cooling_model``.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Fall of ``sum(weights * temperature_c)`` per m2 of cell, K times the unit of the
        weights per m2; NaN where the model has no value.

    Raises
    ------
    DataError
        If the grids differ in shape.
    ParameterError
        If a parameter is out of its range.

    Notes
    -----
    Air mixing and the cooling received from green areas are linear in ``green * CC``, so their
    transposes carry the weights back to every cell at once. What is not linear is which branch
    of the heat mitigation a cell follows (its own CC, or that of green areas around); each cell is
    kept on its present branch. A change can only move cells to a branch that cools more: a green
    area that reaches the minimum area starts to cool its surroundings, a cell's own CC may come
    to exceed what it receives. So the true gain is at least this one, and is equal to it while no
    cell changes branch. Rank places with it, then run the model again for the ones that are
    chosen.
    """
    if not uhi_max_k >= 0:
        raise ParameterError(f"uhi_max_k is {uhi_max_k}: give a difference in K, 0 or more")
    dtype = state.cc.dtype
    share = as_floats("green", green).astype(dtype, copy=False)
    people = np.nan_to_num(as_floats("weights", weights).astype(dtype, copy=False))
    gain = np.asarray(cc_gain, dtype=dtype)
    after = np.asarray(green_after, dtype=dtype)
    grids = {"green": share, "weights": people, "cc_gain": gain, "green_after": after}
    for name, grid in grids.items():
        if grid.ndim and grid.shape != state.cc.shape:
            raise DataError(
                f"{name} has shape {grid.shape}, the model's grid {state.cc.shape}: "
                "put both on one grid first"
            )
    valid = np.isfinite(state.hm)
    if not valid.any():
        return state.hm.copy()
    stirring = mixing_kernel(mixing, whole_cells("mixing_radius_m", mixing_radius_m, cell_size_m))
    spreading = exponential_kernel(
        whole_cells("cooling_distance_m", cooling_distance_m, cell_size_m)
    )
    cells = PresentCells(valid, dtype, max(spreading.shape[0], stirring.shape[0]) // 2)
    air = NeighbourhoodMean(stirring, cells)
    # What one unit of heat mitigation in a cell is worth, weighted degrees.
    worth = dtype.type(uhi_max_k) * air.adjoint(people)
    # HM is exactly CC or exactly CCpark, so equality tells the branch (CC where both are equal).
    own = state.hm == state.cc
    parks = NeighbourhoodMean(spreading, cells)
    worth_to_others = parks.adjoint(np.where(own, dtype.type(0), worth))
    by_itself = np.where(own, worth, dtype.type(0)) * gain
    more_green_cc = after * (state.cc + gain) - share * state.cc
    per_cell = by_itself + worth_to_others * more_green_cc
    return np.asarray(per_cell / dtype.type(cell_size_m**2))
