"""One flood event on a grid, from rain and inflows to peaks, volumes and notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError, RunError
from ldt_toolbox.flood import validity
from ldt_toolbox.flood.boundaries import Inflow, Sides, padded_domain
from ldt_toolbox.flood.buildings import Buildings
from ldt_toolbox.flood.checkpoint import Checkpoint
from ldt_toolbox.flood.event import Options, Rates, Scheme
from ldt_toolbox.flood.inertial import Grid, InertialFlow
from ldt_toolbox.flood.ledger import Ledger
from ldt_toolbox.flood.peaks import DEBRIS_FACTORS, Peaks, track
from ldt_toolbox.flood.shallow_water import ShallowWaterFlow
from ldt_toolbox.flood.validity import Froude
from ldt_toolbox.memory import memory_limit
from ldt_toolbox.results import Note

MM_PER_HOUR = 1 / 3.6e6  # in m/s
BYTES_PER_CELL = {"inertial": 90, "shallow-water": 330}  # measured, peaks included
MOST_SNAPSHOTS = 48
_FACTORS = {land: tuple(map(np.float32, three)) for land, three in DEBRIS_FACTORS.items()}


@dataclass
class Simulation:
    """What a run yields; grids have the shape of the terrain, NaN where no water may go.

    Attributes
    ----------
    depth_m : numpy.ndarray
        Depth at the end.
    peaks : Peaks
        Highest depth and speed, hazard rating, arrival.
    ledger : Ledger
        Volumes.
    froude : Froude
        How fast the water ran beside its waves.
    notes : tuple of Note
        What speaks against the run, see `validity.notes`.
    snapshot_s, snapshots_m : list
        Times, and depths at them.
    scheme : str
    time_s, steps : float, int
    wet_share : float
        Share of the grid that was worked on, mean over steps.
    """

    depth_m: Grid
    peaks: Peaks
    ledger: Ledger
    froude: Froude
    notes: tuple[Note, ...]
    snapshot_s: list[float]
    snapshots_m: list[NDArray[np.float32]]
    scheme: str
    time_s: float
    steps: int
    wet_share: float


@dataclass
class _Kept:
    """What the driver keeps beside the flow's own state."""

    peaks: Peaks
    froude: Froude = field(default_factory=Froude)
    next_track_s: float = 0.0
    next_snapshot_s: float = 0.0
    worked: float = 0.0
    snapshot_s: list[float] = field(default_factory=list)
    snapshots_m: list[NDArray[np.float32]] = field(default_factory=list)


def memory_needed(shape: tuple[int, int], *, scheme: Scheme, snapshots: int = 0) -> float:
    """Bytes that a run takes at its peak.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the terrain.
    scheme : str
        See `Options`.
    snapshots : int
        Depth maps kept.
    """
    return float(shape[0] + 2) * (shape[1] + 2) * (BYTES_PER_CELL[scheme] + 4 * snapshots)


def _check_memory(shape: tuple[int, int], scheme: Scheme, snapshots: int, cell_m: float) -> None:
    needed, free = memory_needed(shape, scheme=scheme, snapshots=snapshots), memory_limit()
    if needed <= free:
        return
    coarser = cell_m * (needed / free) ** 0.5
    raise RunError(
        f"the simulation of {shape[0]} x {shape[1]} cells needs {needed / 1e9:.1f} GB and "
        f"{free / 1e9:.1f} GB are free: take cells of {np.ceil(coarser):g} m or more, a smaller "
        "area" + (", the scheme `inertial`" if scheme != "inertial" else "") + " or fewer snapshots"
    )


def simulate(
    terrain_m: Grid,
    *,
    cell_m: float,
    duration_s: float,
    manning_n: Grid | float = 0.05,
    rain: Rates | None = None,
    losses: Rates | None = None,
    inflows: Sequence[Inflow] = (),
    sides: Sides | None = None,
    buildings: Buildings | None = None,
    initial_depth_m: Grid | float = 0.0,
    options: Options | None = None,
    progress: Callable[[float], None] | None = None,
    on_checkpoint: Callable[[Checkpoint], None] | None = None,
    resume: Checkpoint | None = None,
) -> Simulation:
    """Simulate one event.

    Parameters
    ----------
    terrain_m : numpy.ndarray, shape (rows, columns)
        Bed level on square cells, row 0 in the north; NaN where there is no terrain.
    cell_m : float
        Side of a cell.
    duration_s : float
        Time to simulate.
    manning_n : numpy.ndarray or float
        Roughness, s/m^(1/3), above 0.
    rain, losses : Rates, optional
        What falls, and what seeps away or enters the sewers as far as there is water.
    inflows : sequence of Inflow
        Water that enters at cells.
    sides : Sides, optional
        What happens at the edges; walls all around by default.
    buildings : Buildings, optional
        What stands in the way.
    initial_depth_m : numpy.ndarray or float
        Depth at the start.
    options : Options, optional
        Scheme, precision, what is kept.
    progress : callable, optional
        Called with the share done, 0 to 1.
    on_checkpoint : callable, optional
        Called with a checkpoint every ``options.checkpoint_s`` and at the end; `Checkpoint.write`
        keeps it.
    resume : Checkpoint, optional
        Go on from here; all other arguments as in the run that made it. The result is the same to
        the last bit as without the interruption.

    Raises
    ------
    ParameterError, DataError
        If an argument is out of range or a grid has the wrong shape.
    RunError
        If the memory is too small.
    """
    options = options or Options()
    _check(terrain_m, cell_m, duration_s, options, inflows)
    interval, count = _snapshot_plan(options.snapshot_s, duration_s)
    _check_memory(terrain_m.shape, options.scheme, count, cell_m)
    flow = _flow(
        terrain_m, cell_m, manning_n, sides or Sides(), buildings, initial_depth_m, inflows, options
    )
    kept = _Kept(Peaks.empty(flow.depth_m.shape), next_snapshot_s=interval)
    if resume is not None:
        _restore_kept(kept, flow, resume)
    starts = sorted({s for rates in (rain, losses) if rates for s in rates.start_s if s > 0})
    next_checkpoint = flow.time_s + options.checkpoint_s
    time = flow.time_s
    while time < duration_s:
        until = min([s for s in starts if s > time + 1e-9] + [duration_s])
        _set_rates(flow, rain, losses, buildings, time)
        if resume is not None:
            flow.restore(_part(resume.arrays, "flow."))
            resume = None
        while until - flow.time_s > 1e-9:
            flow.advance(until - flow.time_s)
            kept.worked += getattr(flow, "active_share", 1.0)
            if flow.time_s >= kept.next_track_s or duration_s - flow.time_s <= 1e-9:
                _track(flow, kept, options)
                kept.next_track_s = flow.time_s + options.track_s
                if progress:
                    progress(min(flow.time_s / duration_s, 1.0))
            if count and flow.time_s >= kept.next_snapshot_s - 1e-9:
                kept.snapshot_s.append(flow.time_s)
                kept.snapshots_m.append(flow.depth_m[1:-1, 1:-1].astype(np.float32))
                kept.next_snapshot_s += interval
            if on_checkpoint and flow.time_s >= next_checkpoint:
                next_checkpoint += options.checkpoint_s
                on_checkpoint(_checkpoint(kept, flow))
        time = until
    if resume is not None:  # from the end of a run
        flow.restore(_part(resume.arrays, "flow."))
    elif on_checkpoint:
        on_checkpoint(_checkpoint(kept, flow))
    return _finished(flow, kept)


def _check(
    terrain_m: Grid,
    cell_m: float,
    duration_s: float,
    options: Options,
    inflows: Sequence[Inflow],
) -> None:
    if terrain_m.ndim != 2:
        raise DataError(f"terrain has shape {terrain_m.shape}: give a grid of rows and columns")
    for name, value in (("cell_m", cell_m), ("duration_s", duration_s)):
        if not (np.isfinite(value) and value > 0):
            raise ParameterError(f"{name} is {value}: give a number above 0")
    if options.scheme not in BYTES_PER_CELL:
        raise ParameterError(
            f"there is no scheme {options.scheme!r}: choose one of {', '.join(BYTES_PER_CELL)}"
        )
    if options.land not in DEBRIS_FACTORS:
        raise ParameterError(
            f"there are no debris factors of {options.land!r}: "
            f"choose one of {', '.join(DEBRIS_FACTORS)}"
        )
    for inflow in inflows:
        cells = np.asarray(inflow.rows), np.asarray(inflow.columns)
        inside = all(
            ((c >= 0) & (c < n)).all() for c, n in zip(cells, terrain_m.shape, strict=True)
        )
        if not inside or not np.isfinite(terrain_m[cells]).all():
            raise ParameterError(
                f"an inflow at rows {list(inflow.rows)}, columns {list(inflow.columns)} lies "
                "outside the terrain: move it to cells with a level"
            )


def _snapshot_plan(wanted_s: float, duration_s: float) -> tuple[float, int]:
    if wanted_s <= 0:
        return np.inf, 0
    while duration_s / wanted_s > MOST_SNAPSHOTS:
        wanted_s *= 2
    return wanted_s, int(duration_s // wanted_s)


def _padded(name: str, values: Grid | float, shape: tuple[int, int]) -> Grid:
    """Pad a grid by its own edge; one number becomes one row."""
    grid = np.asarray(values, np.float64)
    if grid.ndim == 0:
        return np.full((1, shape[1] + 2), float(grid))
    if grid.shape != shape:
        raise DataError(
            f"{name} has shape {grid.shape}, the terrain {shape}: bring them onto one grid"
        )
    return np.pad(grid, 1, mode="edge")


def _flow(
    terrain_m: Grid,
    cell_m: float,
    manning_n: Grid | float,
    sides: Sides,
    buildings: Buildings | None,
    initial_depth_m: Grid | float,
    inflows: Sequence[Inflow],
    options: Options,
) -> InertialFlow | ShallowWaterFlow:
    shape = terrain_m.shape
    ground, blocked = terrain_m, None
    if buildings is not None:
        ground, blocked = buildings.ground(terrain_m), buildings.blocked
        manning_n = buildings.roughness(manning_n)
    rough = _padded("manning_n", manning_n, shape)
    if not (rough > 0).all():
        raise ParameterError(
            "manning_n is 0, negative or missing somewhere: give s/m^(1/3) above 0"
        )
    depth = np.broadcast_to(_padded("initial_depth_m", initial_depth_m, shape), np.add(shape, 2))
    if not (depth >= 0).all():
        raise ParameterError("initial_depth_m is negative or missing somewhere: give 0 or more")
    full = options.scheme == "shallow-water"
    number = np.float64 if full or options.double else np.float32
    domain = padded_domain(ground, sides, cell_m=cell_m, dtype=number, blocked=blocked)
    kind = ShallowWaterFlow if full else InertialFlow
    return kind(
        domain, manning_n=rough, depth_m=depth, inflows=tuple(inflows),
        **options.chosen(),  # type: ignore[arg-type]
    )  # fmt: skip


def _set_rates(
    flow: InertialFlow | ShallowWaterFlow,
    rain: Rates | None,
    losses: Rates | None,
    buildings: Buildings | None,
    time_s: float,
) -> None:
    shape = (flow.depth_m.shape[0] - 2, flow.depth_m.shape[1] - 2)
    falling = rain.at(time_s) if rain else 0.0
    if buildings is not None:
        falling = buildings.shed(falling)
    seeping = losses.at(time_s) if losses else 0.0
    flow.rain(
        _padded("rain", falling, shape) * MM_PER_HOUR,
        _padded("losses", seeping, shape) * MM_PER_HOUR,
    )


def _track(flow: InertialFlow | ShallowWaterFlow, kept: _Kept, options: Options) -> None:
    peaks = kept.peaks
    found = track(  # type: ignore[call-arg]
        flow.depth_m, *flow.discharges, *flow.tiles, np.float32(flow.time_s),
        np.float32(options.wet_depth_m), _FACTORS[options.land], peaks.depth_m,
        peaks.speed_at_peak_m_s, peaks.speed_m_s, peaks.hazard_rating, peaks.arrival_s,
    )  # fmt: skip
    wet, fast, torrent = found[:, :3].sum(axis=0)
    kept.froude.add(int(wet), int(fast), int(torrent), float(found[:, 3].max()))


def _checkpoint(kept: _Kept, flow: InertialFlow | ShallowWaterFlow) -> Checkpoint:
    ledger, froude = flow.ledger, kept.froude
    arrays = {f"flow.{name}": values.copy() for name, values in flow.state().items()}
    arrays |= {f"peaks.{f.name}": getattr(kept.peaks, f.name).copy() for f in fields(Peaks)}
    arrays["ledger"] = np.array([getattr(ledger, f.name) for f in fields(Ledger)])
    arrays["froude"] = np.array([froude.wet, froude.fast, froude.torrent, froude.highest])
    arrays["driver"] = np.array([kept.next_track_s, kept.next_snapshot_s, kept.worked])
    arrays["snapshot_s"] = np.array(kept.snapshot_s)
    arrays["snapshots_m"] = np.array(kept.snapshots_m, np.float32)
    arrays["scheme"] = np.array(flow.scheme)
    return Checkpoint(arrays)


def _part(arrays: dict[str, NDArray[np.generic]], start: str) -> dict[str, NDArray[np.generic]]:
    return {name[len(start) :]: a for name, a in arrays.items() if name.startswith(start)}


def _restore_kept(
    kept: _Kept, flow: InertialFlow | ShallowWaterFlow, checkpoint: Checkpoint
) -> None:
    arrays = checkpoint.arrays
    shape = arrays["flow.depth_m"].shape
    if str(arrays["scheme"]) != flow.scheme or shape != flow.depth_m.shape:
        raise DataError(
            f"the checkpoint is of the scheme {arrays['scheme']} on a padded grid of {shape}, the "
            f"run of {flow.scheme} on {flow.depth_m.shape}: resume with the run's own arguments"
        )
    for name, values in _part(arrays, "peaks.").items():
        getattr(kept.peaks, name)[:] = values
    flow.ledger = Ledger(*(float(x) for x in np.asarray(arrays["ledger"], np.float64)))
    wet, fast, torrent, highest = (float(x) for x in np.asarray(arrays["froude"], np.float64))
    kept.froude = Froude(int(wet), int(fast), int(torrent), highest)
    driver = np.asarray(arrays["driver"], np.float64)
    kept.next_track_s, kept.next_snapshot_s, kept.worked = (float(x) for x in driver)
    kept.snapshot_s = [float(x) for x in np.asarray(arrays["snapshot_s"], np.float64)]
    kept.snapshots_m = list(np.asarray(arrays["snapshots_m"], np.float32))
    flow.time_s = float(np.asarray(arrays["flow.clock"], np.float64)[0])


def _finished(flow: InertialFlow | ShallowWaterFlow, kept: _Kept) -> Simulation:
    flow.measure()
    outside = ~flow.domain.water[1:-1, 1:-1]

    def inner(grid: Grid) -> Grid:
        trimmed = grid[1:-1, 1:-1].copy()
        trimmed[outside] = np.nan
        return trimmed

    peaks = Peaks(*(inner(getattr(kept.peaks, f.name)) for f in fields(Peaks)))
    for snapshot in kept.snapshots_m:
        snapshot[outside] = np.nan
    return Simulation(
        depth_m=inner(flow.depth_m),
        peaks=peaks,
        ledger=replace(flow.ledger),
        froude=kept.froude,
        notes=validity.notes(flow.scheme, flow.ledger, kept.froude),
        snapshot_s=kept.snapshot_s,
        snapshots_m=kept.snapshots_m,
        scheme=flow.scheme,
        time_s=flow.time_s,
        steps=flow.steps,
        wet_share=kept.worked / max(flow.steps, 1),
    )
