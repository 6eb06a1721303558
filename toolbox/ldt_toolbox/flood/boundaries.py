"""What happens at the edges of a flood model: walls, open edges, levels and inflows.

Grids are padded by one ring of cells. A cell of the ring, or a cell without terrain next to one
with terrain, becomes a ghost: its bed and its depth stand for the world outside. Ghosts are set
before each step; what they gained after it has left the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

Grid = NDArray[np.floating]
BARRIER_M = 1e6  # bed of cells that no water reaches, above any terrain
LEAST_SLOPE = 1e-3  # an open edge never slopes back into the model
SOLID, WATER, GHOST = 0, 1, 2


class Series:
    """A quantity over time, linear between its values and constant beyond them.

    Parameters
    ----------
    time_s : sequence of float
        Rising, seconds from the start.
    values : sequence of float
        As many.

    Raises
    ------
    ParameterError
        If the lengths differ, times do not rise or a number is missing.
    """

    def __init__(self, time_s: ArrayLike, values: ArrayLike) -> None:
        self.time_s = np.atleast_1d(np.asarray(time_s, np.float64))
        self.values = np.atleast_1d(np.asarray(values, np.float64))
        if self.time_s.shape != self.values.shape or self.time_s.ndim != 1:
            raise ParameterError(
                f"a series has {self.time_s.size} times and {self.values.size} values: "
                "give as many of both"
            )
        if not (np.isfinite(self.time_s).all() and np.isfinite(self.values).all()):
            raise ParameterError("a series has missing numbers: fill or drop them first")
        if not (np.diff(self.time_s) > 0).all():
            raise ParameterError("the times of a series do not rise: sort it, drop repetitions")

    def at(self, time_s: float) -> float:
        """Value at a time."""
        return float(np.interp(time_s, self.time_s, self.values))


def constant(value: float) -> Series:
    """Return a series with one value for all times."""
    return Series([0.0], [value])


@dataclass(frozen=True)
class Wall:
    """Nothing passes."""


@dataclass(frozen=True)
class Open:
    """Water leaves as if the ground went on with the same slope.

    Attributes
    ----------
    slope : float or None
        Fall of the bed beyond the edge, m/m; None: that of the last two cells, at least 0.001.
    """

    slope: float | None = None


@dataclass(frozen=True)
class Stage:
    """A water level outside, as of a river or the sea; water goes in and out.

    Attributes
    ----------
    level_m : Series
        In the datum of the terrain.
    """

    level_m: Series


@dataclass(frozen=True)
class Discharge:
    """Water enters along the whole side.

    Attributes
    ----------
    per_metre_m2_s : Series
        Discharge per metre of the side, positive into the model.
    depth_m : Series or None
        Depth of the water outside, for the full scheme: needed where it enters faster than waves
        run (Froude number above 1). The inertial scheme knows no momentum that comes in and does
        without.
    """

    per_metre_m2_s: Series
    depth_m: Series | None = None


Side = Wall | Open | Stage | Discharge


@dataclass(frozen=True)
class Sides:
    """The four sides of the grid, and the rim of cells without terrain inside it."""

    north: Side = field(default_factory=Wall)
    east: Side = field(default_factory=Wall)
    south: Side = field(default_factory=Wall)
    west: Side = field(default_factory=Wall)
    rim: Wall | Open = field(default_factory=Wall)


@dataclass(frozen=True)
class Inflow:
    """Water that enters at cells, as of a river or a burst main.

    Attributes
    ----------
    rows, columns : sequence of int
        The cells, which share the discharge evenly.
    discharge_m3_s : Series
        Negative takes water out, as far as there is some.
    """

    rows: Sequence[int]
    columns: Sequence[int]
    discharge_m3_s: Series


@dataclass(frozen=True)
class Ghosts:
    """Ghost cells of one side.

    Attributes
    ----------
    side : Side
        What they stand for.
    cells, partners : numpy.ndarray of int
        Flat indices into the padded grid: the ghosts, and the cells of the model beside them.
    inward : tuple of int
        Step in rows and columns from a ghost to its partner; (0, 0) on the rim.
    """

    side: Side
    cells: NDArray[np.int64]
    partners: NDArray[np.int64]
    inward: tuple[int, int]


@dataclass(frozen=True)
class Domain:
    """A padded grid.

    Attributes
    ----------
    bed_m : numpy.ndarray, shape (rows + 2, columns + 2)
        Bed level; ``BARRIER_M`` above the terrain where no water goes.
    kind : numpy.ndarray of uint8, same shape
        ``SOLID``, ``WATER`` or ``GHOST``.
    ghosts : tuple of Ghosts
        Side by side.
    cell_m : float
        Side of a cell.
    datum_m : float
        Level that was taken off the bed.
    """

    bed_m: Grid
    kind: NDArray[np.uint8]
    ghosts: tuple[Ghosts, ...]
    cell_m: float
    datum_m: float

    @property
    def water(self) -> NDArray[np.bool_]:
        """Cells of the model, padded."""
        return np.asarray(self.kind == WATER)


def padded_domain(
    terrain_m: Grid,
    sides: Sides,
    *,
    cell_m: float,
    dtype: type[np.floating],
    blocked: NDArray[np.bool_] | None = None,
) -> Domain:
    """Pad a terrain by its boundaries.

    Parameters
    ----------
    terrain_m : numpy.ndarray, shape (rows, columns)
        Bed level, row 0 in the north; NaN where there is no terrain or no water may go.
    sides : Sides
        What happens at the edges.
    cell_m : float
        Side of a cell, in a projected CRS.
    dtype : type
        ``numpy.float32`` or ``numpy.float64``.
    blocked : numpy.ndarray of bool, shape (rows, columns), optional
        Buildings and other cells with walls around them, whatever happens on the rim.

    Raises
    ------
    DataError
        If no cell has a level.
    """
    if terrain_m.ndim != 2 or not np.isfinite(terrain_m).any():
        raise DataError(
            f"terrain of shape {terrain_m.shape} has no cell with a level: give a grid with terrain"
        )
    datum = float(np.floor(np.nanmin(terrain_m)))
    bed = np.full((terrain_m.shape[0] + 2, terrain_m.shape[1] + 2), np.nan)
    bed[1:-1, 1:-1] = terrain_m - datum
    walled = np.zeros(bed.shape, np.bool_)
    if blocked is not None:
        walled[1:-1, 1:-1] = blocked
        bed[walled] = np.nan
    kind = np.where(np.isfinite(bed), WATER, SOLID).astype(np.uint8)
    ghosts = [
        _side(bed, kind, side, inward, cell_m)
        for side, inward in (
            (sides.north, (1, 0)),
            (sides.east, (0, -1)),
            (sides.south, (-1, 0)),
            (sides.west, (0, 1)),
        )
        if not isinstance(side, Wall)
    ]
    if isinstance(sides.rim, Open):
        ghosts.append(_rim(bed, kind, walled, sides.rim, cell_m))
    bed[np.isnan(bed)] = BARRIER_M
    return Domain(bed.astype(dtype), kind, tuple(g for g in ghosts if g.cells.size), cell_m, datum)


def discharges_as_inflows(domain: Domain) -> tuple[Domain, tuple[Inflow, ...]]:
    """Turn sides with a discharge into inflows at their cells, with walls behind them.

    Parameters
    ----------
    domain : Domain
        From `padded_domain`; it stays as it is.

    Returns
    -------
    Domain
        Without such sides.
    tuple of Inflow
        One for each of them.
    """
    kept = tuple(g for g in domain.ghosts if not isinstance(g.side, Discharge))
    if len(kept) == len(domain.ghosts):
        return domain, ()
    bed, kind, found = domain.bed_m.copy(), domain.kind.copy(), []
    for ghosts in domain.ghosts:
        side = ghosts.side
        if not isinstance(side, Discharge):
            continue
        bed.reshape(-1)[ghosts.cells] = BARRIER_M
        kind.reshape(-1)[ghosts.cells] = SOLID
        rows, columns = np.divmod(ghosts.partners, bed.shape[1])
        width_m = domain.cell_m * ghosts.partners.size
        given = side.per_metre_m2_s
        water = Series(given.time_s, given.values * width_m)
        found.append(Inflow((rows - 1).tolist(), (columns - 1).tolist(), water))
    return replace(domain, bed_m=bed, kind=kind, ghosts=kept), tuple(found)


def _side(
    bed: Grid, kind: NDArray[np.uint8], side: Side, inward: tuple[int, int], cell_m: float
) -> Ghosts:
    rows, columns = bed.shape
    down, right = inward
    line = np.zeros(bed.shape, np.bool_)
    line[0 if down == 1 else -1 if down == -1 else slice(1, -1),
         0 if right == 1 else -1 if right == -1 else slice(1, -1)] = True  # fmt: skip
    cells = np.flatnonzero(line)
    step = down * columns + right
    cells = cells[kind.ravel()[cells + step] == WATER]
    partners = cells + step
    flat = bed.reshape(-1)
    fall = np.zeros(cells.size)
    if isinstance(side, Open):
        fall[:] = LEAST_SLOPE if side.slope is None else side.slope
        if side.slope is None and rows * columns > partners.max(initial=0) + abs(step):
            natural = (flat[partners + step] - flat[partners]) / cell_m
            fall = np.where(natural > fall, natural, fall)  # NaN compares as False
    flat[cells] = flat[partners] - fall * cell_m
    kind.reshape(-1)[cells] = GHOST
    return Ghosts(side, cells, partners, inward)


def _rim(
    bed: Grid, kind: NDArray[np.uint8], walled: NDArray[np.bool_], side: Open, cell_m: float
) -> Ghosts:
    """Cells without terrain that touch the model; the lowest neighbour gives the bed."""
    rows, columns = bed.shape
    level = np.where(kind == WATER, bed, np.inf)
    lowest = np.full(bed.shape, np.inf)
    partner = np.zeros(bed.shape, np.int64)
    index = np.arange(rows * columns).reshape(bed.shape)
    inside = (slice(1, -1), slice(1, -1))
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        near = (slice(1 + down, rows - 1 + down), slice(1 + right, columns - 1 + right))
        lower = level[near] < lowest[inside]
        lowest[inside] = np.where(lower, level[near], lowest[inside])
        partner[inside] = np.where(lower, index[near], partner[inside])
    cells = np.flatnonzero((kind == SOLID) & ~walled & np.isfinite(lowest))
    slope = LEAST_SLOPE if side.slope is None else side.slope
    bed.reshape(-1)[cells] = lowest.reshape(-1)[cells] - slope * cell_m
    kind.reshape(-1)[cells] = GHOST
    return Ghosts(side, cells, partner.reshape(-1)[cells], (0, 0))
