"""One simulation of a storm on a ground: runoff by curve number, sewers, inflows, open edges."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any, overload

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.boundaries import Inflow, Open, Series, Sides, Wall
from ldt_toolbox.flood.buildings import Buildings
from ldt_toolbox.flood.checkpoint import Checkpoint, state_file
from ldt_toolbox.flood.event import Options, Rates, Scheme
from ldt_toolbox.flood.ground import Setup
from ldt_toolbox.flood.losses import scs_increments_mm
from ldt_toolbox.flood.simulation import Simulation, simulate
from ldt_toolbox.flood.storms import Storm
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.space.raster import Raster

BLOCK_CELL_M = 2.0  # up to here a building fills cells without closing the streets beside it
LEAST_CURVE_NUMBER = 1.0
LEAST_CELLS_FOR_THREADS = 50_000
CHECKPOINTS = 24  # in the course of a run


class RunoffRates(Sequence[NDArray[np.float64]]):
    """Rain that runs off in each step, mm/h: grids made when they are asked for.

    Curve numbers are rounded to a half, so that a table of a few hundred numbers a step stands
    for all grids.

    Parameters
    ----------
    storm : Storm
        Rain.
    curve_number : numpy.ndarray, shape (rows, columns)
        Above 0, at most 100.
    """

    def __init__(self, storm: Storm, curve_number: NDArray[np.floating]) -> None:
        self._half = np.rint(2 * np.clip(curve_number, LEAST_CURVE_NUMBER, 100)).astype(np.uint8)
        numbers = np.maximum(np.arange(201) / 2, LEAST_CURVE_NUMBER)
        runoff = scs_increments_mm(storm.depth_mm, numbers)
        hours = np.append(np.diff(storm.start_s), 1.0) / 3600
        self._table = np.maximum(runoff, 0.0) / hours[:, None]

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.float64]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[np.float64]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._table[index][self._half]


def treatment(parameters: Parameters, cell_m: float) -> str:
    """How buildings stand in the way: as asked, else blocked on fine cells and drag on others."""
    asked: str = parameters.building_treatment
    if asked != "auto":
        return asked
    return "block" if cell_m <= BLOCK_CELL_M else "drag"


def flood(
    setup: Setup,
    storm: Storm,
    parameters: Parameters,
    *,
    inflows: Sequence[Inflow] = (),
    scheme: Scheme = "inertial",
    snapshot_s: float = 0.0,
    progress: Callable[[float], None] | None = None,
    resumable: bool = False,
) -> Simulation:
    """Simulate a storm (see `simulation.simulate`).

    Parameters
    ----------
    setup : Setup
        The ground, today or changed.
    storm : Storm
        Rain; SCS curve numbers take their part of it before it reaches the ground.
    parameters : Parameters
        Of the use case.
    inflows : sequence of Inflow
        From `inflows_of`.
    scheme, snapshot_s, progress
        As in `simulation`.
    resumable : bool
        Whether the state is kept on the way where ``LDT_CHECKPOINTS`` names a folder, and gone on
        from where one of the same run lies there (see `checkpoint.state_file`).
    """
    how = treatment(parameters, setup.cell_m)
    drained = np.clip(setup.built + setup.paved, 0, 1).astype(np.float64) * setup.sewer_mm_h
    taken = drained + setup.loss_mm_h
    losses = Rates([0.0], [taken]) if (taken > 0).any() else None
    length_s = duration_s(storm, inflows, parameters)
    path = None
    if resumable:
        path = state_file(_identity(setup, storm, inflows, parameters, (scheme, snapshot_s)))
    edge = Open() if parameters.edges == "open" else Wall()
    sides = Sides(edge, edge, edge, edge, edge)
    with _threads(setup.elevation.size):
        return simulate(
            setup.elevation,
            cell_m=setup.cell_m,
            duration_s=length_s,
            manning_n=setup.manning_n.astype(np.float64),
            rain=Rates(storm.start_s.tolist(), RunoffRates(storm, setup.curve_number)),
            losses=losses,
            inflows=inflows,
            sides=sides,
            buildings=None if how == "none" else Buildings(setup.built, how),  # type: ignore[arg-type]
            options=Options(
                scheme=scheme, snapshot_s=snapshot_s, checkpoint_s=length_s / CHECKPOINTS
            ),
            progress=progress,
            on_checkpoint=None if path is None else lambda state: state.write(path),
            resume=Checkpoint.read(path) if path is not None and path.exists() else None,
        )


def _identity(
    setup: Setup,
    storm: Storm,
    inflows: Sequence[Inflow],
    parameters: Parameters,
    more: tuple[Scheme, float],
) -> list[Any]:
    """Everything that a run depends on."""
    grids = [getattr(setup, part.name) for part in fields(setup)]
    water = [
        part
        for one in inflows
        for part in (one.rows, one.columns, one.discharge_m3_s.time_s, one.discharge_m3_s.values)
    ]
    chosen = [
        duration_s(storm, inflows, parameters), parameters.edges, parameters.building_treatment
    ]  # fmt: skip
    return [*grids, storm.start_s, storm.mm_h, *water, *chosen, *more]


@contextlib.contextmanager
def _threads(cells: int) -> Iterator[None]:
    """One thread for a small grid: threads would wait for each other longer than they work."""
    before = numba.get_num_threads()
    if cells < LEAST_CELLS_FOR_THREADS:
        numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def duration_s(storm: Storm, inflows: Sequence[Inflow], parameters: Parameters) -> float:
    """Time to simulate: as given, else to the end of rain and inflows and an hour more."""
    if parameters.simulation_h is not None:
        return 3600.0 * float(parameters.simulation_h)
    ends = [storm.end_s, *(float(one.discharge_m3_s.time_s[-1]) for one in inflows)]
    return max(ends) + 3600.0


def inflows_of(table: pd.DataFrame, grid: Raster, elevation: NDArray[np.floating]) -> list[Inflow]:
    """Inflows from hydrographs at points.

    Parameters
    ----------
    table : pandas.DataFrame
        `site`, `x`, `y` (m, the grid's CRS), `time_min`, `discharge_m3_s`, and `width_m` where
        the water enters over more than one cell.
    grid : Raster
        Gives place and shape.
    elevation : numpy.ndarray, shape of the grid
        Cells without a level take no water.

    Raises
    ------
    DataError
        If a site lies outside the terrain, has no place or several, or lacks a discharge.
    """
    found = []
    for site, rows in table.groupby("site", sort=True):
        x, y = float(rows["x"].iloc[0]), float(rows["y"].iloc[0])
        if not np.isfinite([x, y]).all() or rows[["x", "y"]].drop_duplicates().shape[0] > 1:
            raise DataError(
                f"inflows: site `{site}` has no place or several: give one x and y in all its rows"
            )
        told = float(rows["width_m"].iloc[0]) if "width_m" in rows else 0.0
        width = told if told > 0 else 0.0  # missing where only other sites have one
        reach = max(width / 2, 0.71 * grid.cell_size_m)
        i, j = np.nonzero(np.isfinite(elevation))
        t = grid.transform
        away = np.hypot(t.c + (j + 0.5) * t.a - x, t.f + (i + 0.5) * t.e - y)
        near = np.flatnonzero(away <= reach)
        if not near.size:
            raise DataError(
                f"inflows: site `{site}` at {x:.0f}, {y:.0f} lies outside the terrain: "
                f"give x and y in {grid.crs.to_string()}, inside it"
            )
        if not width > 0:
            near = near[[np.argmin(away[near])]]
        ordered = rows.sort_values("time_min")
        flow = ordered["discharge_m3_s"].to_numpy(np.float64)
        if not np.isfinite(flow).all():
            raise DataError(f"inflows: site `{site}` lacks a discharge: fill the gap first")
        found.append(
            Inflow(i[near].tolist(), j[near].tolist(), Series(60 * ordered["time_min"], flow))
        )
    return found
