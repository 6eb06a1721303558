"""The ground on larger cells, for what has to be computed many times."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.ground import Ground, Setup, coarser
from ldt_toolbox.space.paint import pool


def side_within(amount: float, most: float, *, power: int) -> int:
    """Cells along the side of a larger cell with which an amount stays within a limit.

    Parameters
    ----------
    amount : float
        What the ground's own cells take, such as their number.
    most : float
        Limit.
    power : int
        How fast the amount falls with the side: 2 for cells, 3 for cells times steps, as the
        longest step grows with the cell.

    Returns
    -------
    int
        1 where the ground's own cells will do.
    """
    side = 1
    while amount / side**power > most:
        side += 1
    return side


def coarse_setup(setup: Setup, side: int, *, before: Setup | None = None) -> Setup:
    """Means of blocks of cells; a block without a level anywhere stays without.

    Parameters
    ----------
    setup : Setup
        Today's ground or a changed one.
    side : int
        Cells along the side of a block.
    before : Setup, optional
        Today's ground where the other is a changed one: what a measure raised keeps its height,
        as the mean of a block would level a wall; what it dug keeps its volume.
    """
    if side == 1:
        return setup
    level = pool((before or setup).elevation.astype(np.float32), side, np.nanmean)
    if before is not None:
        change = (setup.elevation - before.elevation).astype(np.float32)
        level += np.nan_to_num(pool(np.maximum(change, 0), side, np.nanmax))
        level += np.nan_to_num(pool(np.minimum(change, 0), side, np.nanmean))

    def mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
        return pool(np.asarray(values, np.float32), side, np.nanmean)

    return replace(
        setup,
        elevation=level,
        curve_number=mean(setup.curve_number).astype(np.float32),
        manning_n=mean(setup.manning_n).astype(np.float32),
        built=mean(setup.built).astype(np.float32),
        paved=mean(setup.paved).astype(np.float32),
        cell_m=setup.cell_m * side,
        loss_mm_h=mean(setup.loss_mm_h).astype(np.float32),
    )


def coarse_ground(ground: Ground, side: int) -> Ground:
    """The same ground on larger cells; a mask holds where it held for half of a cell or more."""
    if side == 1:
        return ground

    def most(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(pool(mask.astype(np.float32), side, np.nanmean) >= 0.5)

    grid = coarser(ground.grid, side)
    setup = coarse_setup(ground.setup, side)
    return replace(
        ground, grid=grid, setup=setup, interpolated=most(ground.interpolated),
        sea=most(ground.sea), inside=most(ground.inside) & np.isfinite(setup.elevation),
        rivers=most(ground.rivers),
    )  # fmt: skip


def finer(values: NDArray[np.floating], side: int, shape: tuple[int, int]) -> NDArray[np.floating]:
    """Values of larger cells on the ground's own, each cell with that of the one it lies in.

    Parameters
    ----------
    values : numpy.ndarray, shape (rows / side, columns / side), rounded up
    side : int
    shape : tuple of int
        Rows and columns of the ground.
    """
    spread = np.repeat(np.repeat(values, side, 0), side, 1)
    return np.asarray(spread[: shape[0], : shape[1]])
