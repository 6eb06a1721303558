"""Averages over a round neighbourhood: how cool air spreads and how air mixes.

The kernels depend on distance alone, so no pair of one-dimensional passes gives them; they go
through a real Fourier transform whose cost does not grow with the radius. Every average is
normalised over the cells that are really there: cells outside the grid and missing cells (NaN)
neither add to the sum nor to the weights.
"""

from typing import Any, Literal

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError

_FLOAT_TYPES = (np.float32, np.float64)
Floats = NDArray[np.floating[Any]]

EXPONENTIAL_CUT = 5  # InVEST 3.19 cuts its exponential kernels at five decay distances
GAUSSIAN_CUT = 3  # and pygeoprocessing its normal kernel at three standard deviations


def as_floats(name: str, values: NDArray[np.generic]) -> Floats:
    """Return a 2-D grid as float32 or float64, whichever it already is (float32 otherwise).

    Parameters
    ----------
    name : str
        What the grid is called in the error message.
    values : numpy.ndarray, shape (rows, columns)
        Numbers or truth values.

    Returns
    -------
    numpy.ndarray
        The same object when its type already fits.

    Raises
    ------
    DataError
        If the grid has not two dimensions, no cells, or does not hold numbers.
    """
    grid: NDArray[Any] = np.asarray(values)
    if grid.ndim != 2 or grid.size == 0:
        raise DataError(f"{name} has shape {grid.shape}: give a grid with rows and columns")
    if grid.dtype in _FLOAT_TYPES:
        return grid
    if grid.dtype.kind not in "bifu":
        raise DataError(f"{name} holds {grid.dtype}, not numbers: convert it to float32 first")
    return grid.astype(np.float64 if grid.dtype.itemsize > 4 else np.float32)


def whole_cells(name: str, distance_m: float, cell_size_m: float) -> int:
    """Round a distance to whole cells, as InVEST does (halves go to the even number)."""
    if not cell_size_m > 0:
        raise ParameterError(f"cell_size_m is {cell_size_m}: give the side of a cell in metres")
    if not (distance_m >= 0 and np.isfinite(distance_m)):
        raise ParameterError(f"{name} is {distance_m}: give a distance in metres, 0 or more")
    return round(distance_m / cell_size_m)


def _distance(reach: int) -> NDArray[np.float64]:
    axis = np.arange(-reach, reach + 1, dtype=np.float64)
    return np.hypot(axis[:, None], axis[None, :])


def exponential_kernel(decay_cells: int) -> NDArray[np.float64]:
    """Weights ``exp(-d / decay)`` up to five decay distances, summing to 1.

    Parameters
    ----------
    decay_cells : int
        Distance at which the weight has fallen to 1/e; 0 gives the cell alone.

    Returns
    -------
    numpy.ndarray, shape (2 r + 1, 2 r + 1)
        ``r = 5 * decay_cells``.
    """
    reach = EXPONENTIAL_CUT * decay_cells
    distance = _distance(reach)
    kernel = np.where(distance <= reach, np.exp(-distance / max(decay_cells, 1)), 0.0)
    return np.asarray(kernel / kernel.sum())


def gaussian_kernel(sigma_cells: int) -> NDArray[np.float64]:
    """Weights ``exp(-d^2 / (2 sigma^2))`` up to three sigma, summing to 1.

    Parameters
    ----------
    sigma_cells : int
        Standard deviation in cells; 0 gives the cell alone.

    Returns
    -------
    numpy.ndarray, shape (2 r + 1, 2 r + 1)
        ``r = 3 * sigma_cells``.
    """
    reach = GAUSSIAN_CUT * sigma_cells
    distance = _distance(reach)
    kernel = np.where(distance <= reach, np.exp(-0.5 * (distance / max(sigma_cells, 1)) ** 2), 0.0)
    return np.asarray(kernel / kernel.sum())


def weight_inside(kernel: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Part of a kernel that falls inside the grid, for the kernel centred on each cell.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (2 r + 1, 2 r + 1)
        Weights.
    shape : tuple of int
        Rows and columns of the grid.

    Returns
    -------
    numpy.ndarray, shape ``shape``
        Sum of the weights inside; ``kernel.sum()`` away from the edges.
    """
    reach = kernel.shape[0] // 2
    table = np.zeros((kernel.shape[0] + 1, kernel.shape[1] + 1))
    np.cumsum(np.cumsum(kernel, axis=0), axis=1, out=table[1:, 1:])
    low, high = [], []
    for length in shape:
        cell = np.arange(length)
        low.append(np.maximum(reach - cell, 0))
        high.append(np.minimum(reach + length - cell, 2 * reach + 1))
    rows = table[high[0]] - table[low[0]]
    return np.asarray(rows[:, high[1]] - rows[:, low[1]])


class PresentCells:
    """The cells that take part in averages, and their transform, shared by several kernels.

    Parameters
    ----------
    valid : numpy.ndarray of bool, shape (rows, columns)
        Cells that take part; the others get NaN.
    dtype : numpy.dtype
        float32 or float64: the precision of the transforms.
    reach : int
        Half the width of the widest kernel, in cells.
    """

    def __init__(
        self, valid: NDArray[np.bool_], dtype: np.dtype[np.floating[Any]], reach: int
    ) -> None:
        rows, columns = valid.shape
        self.shape = (rows, columns)
        self.dtype = dtype
        self.missing = None if valid.all() else ~valid
        # What wraps around must land outside the grid: half a kernel of padding is enough.
        self.kept = (min(reach, rows - 1), min(reach, columns - 1))
        self.padded = (
            scipy.fft.next_fast_len(rows + self.kept[0]),
            scipy.fft.next_fast_len(columns + self.kept[1], real=True),
        )
        self._workers = numba.get_num_threads()
        self._waves = None if self.missing is None else self.forward(valid.astype(dtype))

    def forward(self, values: Floats) -> NDArray[np.complexfloating[Any]]:
        """Return the transform of a grid, padded with zeros."""
        lines = scipy.fft.rfft(values, n=self.padded[1], axis=1, workers=self._workers)
        waves = scipy.fft.fft(lines, n=self.padded[0], axis=0, workers=self._workers)
        return np.asarray(waves)

    def backward(self, waves: NDArray[np.complexfloating[Any]]) -> Floats:
        """Return the grid of a transform; the transform is overwritten."""
        waves = scipy.fft.ifft(waves, axis=0, overwrite_x=True, workers=self._workers)
        smooth = scipy.fft.irfft(
            waves[: self.shape[0]],
            n=self.padded[1],
            axis=1,
            overwrite_x=True,
            workers=self._workers,
        )
        return np.asarray(smooth[:, : self.shape[1]])

    def spectrum(self, kernel: NDArray[np.float64]) -> Floats:
        """Return the transform of a kernel, which is real because the kernel is symmetric."""
        # Weights so far away that they meet no cell are left out.
        reach = kernel.shape[0] // 2
        down, right = min(reach, self.kept[0]), min(reach, self.kept[1])
        middle = kernel[reach - down : reach + down + 1, reach - right : reach + right + 1]
        around = np.zeros((2 * down + 1, self.padded[1]), self.dtype)
        around[:, : right + 1] = middle[:, right:]
        around[:, self.padded[1] - right :] = middle[:, :right]
        lines = scipy.fft.rfft(around, axis=1, workers=self._workers)
        tall = np.zeros((self.padded[0], lines.shape[1]), lines.dtype)
        tall[: down + 1] = lines[down:]
        tall[self.padded[0] - down :] = lines[:down]
        waves = scipy.fft.fft(tall, axis=0, overwrite_x=True, workers=self._workers)
        return np.ascontiguousarray(waves.real)

    def weight(self, kernel: NDArray[np.float64], spectrum: Floats) -> Floats:
        """Return the part of the kernel that meets cells, centred on each; 1 where missing."""
        if self._waves is None or self.missing is None:
            return weight_inside(kernel, self.shape).astype(self.dtype)
        weight = self.backward(self._waves * spectrum)
        weight[self.missing] = 1
        return weight


class NeighbourhoodMean:
    """Weighted mean over the neighbourhood of each cell, and the adjoint of that operator.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (2 r + 1, 2 r + 1)
        Weights, the same in a cell's mirror images (as every function of distance is).
    cells : PresentCells
        What takes part; its ``reach`` is at least ``r``.
    """

    def __init__(self, kernel: NDArray[np.float64], cells: PresentCells) -> None:
        self._cells = cells
        self._spectrum = cells.spectrum(kernel)
        self._weight = cells.weight(kernel, self._spectrum)

    def _convolve(self, values: Floats) -> Floats:
        waves = self._cells.forward(values)
        waves *= self._spectrum
        return self._cells.backward(waves)

    def _without_missing(self, values: Floats) -> Floats:
        values = values.astype(self._cells.dtype, copy=self._cells.missing is not None)
        if self._cells.missing is not None:
            values[self._cells.missing] = 0
        return values

    def _with_missing(self, values: Floats) -> Floats:
        if self._cells.missing is not None:
            values[self._cells.missing] = np.nan
        return values

    def __call__(self, values: Floats) -> Floats:
        """Return ``sum_j k_ij v_j / sum_j k_ij`` over the valid cells j; NaN where not valid."""
        mean = self._convolve(self._without_missing(values))
        return self._with_missing(np.divide(mean, self._weight))

    def adjoint(self, weights: Floats) -> Floats:
        """Return ``sum_i k_ij w_i / sum_m k_im``: how much each cell j counts in ``sum w mean``."""
        counts = self._convolve(self._without_missing(weights / self._weight))
        return self._with_missing(np.ascontiguousarray(counts))


def mixing_kernel(kernel: Literal["gaussian", "exponential"], cells: int) -> NDArray[np.float64]:
    """Weights of the mixing of air: see ``mix``."""
    if kernel == "gaussian":
        return gaussian_kernel(cells)
    if kernel == "exponential":
        return exponential_kernel(cells)
    raise ParameterError(f"kernel is {kernel!r}: choose 'gaussian' or 'exponential'")


def mix(
    temperature: NDArray[np.generic],
    *,
    cell_size_m: float,
    radius_m: float,
    kernel: Literal["gaussian", "exponential"] = "gaussian",
) -> Floats:
    """Mix air between cells.

    Parameters
    ----------
    temperature : numpy.ndarray, shape (rows, columns)
        Air temperature before mixing, degrees Celsius; NaN where missing.
    cell_size_m : float
        Side of a cell.
    radius_m : float
        Gaussian: the standard deviation; exponential: the distance at which a cell's weight has
        fallen to 1/e. Rounded to whole cells; below half a cell nothing is mixed.
    kernel : {"gaussian", "exponential"}
        InVEST's user's guide describes a Gaussian; the code of InVEST 3.19 uses an exponential
        cut at five radii. ``"exponential"`` gives its numbers.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Mixed temperature, same type; NaN where the input is NaN.

    Notes
    -----
    Source: InVEST user's guide, Urban Cooling Model, "air temperature"; radius 500-600 m after
    Bosch et al. 2021, doi:10.5194/gmd-14-3521-2021.
    """
    grid = as_floats("temperature", temperature)
    valid = np.isfinite(grid)
    if not valid.any():
        return grid.copy()
    cells = whole_cells("radius_m", radius_m, cell_size_m)
    weights = mixing_kernel(kernel, cells)
    mean = NeighbourhoodMean(weights, PresentCells(valid, grid.dtype, weights.shape[0] // 2))
    # Differences from a level in the middle keep all digits of float32.
    level = grid.dtype.type(np.mean(grid[valid], dtype=np.float64))
    return mean(grid - level) + level
