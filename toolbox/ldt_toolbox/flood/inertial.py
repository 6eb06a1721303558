"""Local inertial scheme: floods that rise and spread gradually, fast.

The momentum equation without the advection of momentum (Bates, Horritt & Fewtrell 2010,
doi:10.1016/j.jhydrol.2010.03.027), with the discharge averaged over the faces before and behind
(de Almeida et al. 2012, doi:10.1029/2011WR011570), friction by the size of the discharge vector.
What it leaves out matters where water runs nearly as fast as its waves or faster: behind a broken
dam, on steep streets, at the tip of a wave on dry ground. Use `shallow_water` there.
"""

import math

import numba
import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood import wet_tiles
from ldt_toolbox.flood.boundaries import Domain, Inflow, Open, Stage, discharges_as_inflows
from ldt_toolbox.flood.inertial_step import step_alone, step_together
from ldt_toolbox.flood.ledger import Ledger

Grid = NDArray[np.floating]
GRAVITY_M_S2 = 9.80665


@numba.njit(cache=True)
def _emptied(depth, lost, cells, before):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Empty ghosts after a step; return the sum of the depths that they gave to the model."""
    given = 0.0
    for n in range(cells.shape[0]):
        cell = cells[n]
        given += np.float64(before[n]) - (np.float64(depth[cell]) - np.float64(lost[cell]))
        depth[cell] = 0
        lost[cell] = 0
    return given


class InertialFlow:
    """Water on a grid, carried forward step by step.

    Parameters
    ----------
    domain : Domain
        Padded terrain with its boundaries; its type is the type of the computation.
    manning_n : numpy.ndarray
        Roughness, s/m^(1/3), padded like the domain, or of shape (1, columns + 2) if uniform.
    depth_m : numpy.ndarray
        Depth at the start, padded; 0 outside the model.
    inflows : tuple of Inflow
        Water that enters at cells; rows and columns count without the padding.
    theta : float
        Weight of a face's own discharge in the average, 0.7 to 1; smaller smooths more.
    courant : float
        Share of the longest stable step, at most 1.
    dry_depth_m : float
        Shallower water does not flow.
    longest_step_s : float
        Upper limit of the step.

    Attributes
    ----------
    depth_m : numpy.ndarray
        Depth now, padded.
    ledger : Ledger
        Volumes; ``stored`` is set by `measure`.
    time_s, steps : float, int
        How far the run is.
    """

    scheme = "inertial"

    def __init__(
        self,
        domain: Domain,
        *,
        manning_n: Grid,
        depth_m: Grid,
        inflows: tuple[Inflow, ...] = (),
        theta: float = 0.9,
        courant: float = 0.7,
        dry_depth_m: float = 1e-5,
        longest_step_s: float = 5.0,
    ) -> None:
        number = domain.bed_m.dtype.type
        rows, columns = domain.bed_m.shape
        self.domain, entering = discharges_as_inflows(domain)
        self.inflows = (*inflows, *entering)
        self.theta, self.courant = theta, courant
        self.dry_depth_m, self.longest_step_s = dry_depth_m, longest_step_s
        self.depth_m = np.where(self.domain.water, depth_m, 0).astype(number)
        self.qx_m2_s = np.zeros((rows, columns + 1), number)
        self.qy_m2_s = np.zeros((rows + 1, columns), number)
        self._lost = np.zeros_like(self.depth_m)
        self._rough = np.ascontiguousarray(0.5 * math.sqrt(GRAVITY_M_S2) * manning_n, number)
        self._source = np.zeros((1, columns), number)
        self._rain_m_s, self._losing = 0.0, False
        tall, wide = -(-rows // wet_tiles.TILE_ROWS), -(-columns // wet_tiles.TILE_COLUMNS)
        self.active = np.ones((tall, wide), np.bool_)
        self._runs = np.zeros((tall, wide, 2), np.int64)
        self._counts = np.zeros(tall, np.int64)
        self._forced_by_edges = self._edge_tiles()
        self._forced = self._forced_by_edges
        self.time_s, self.steps = 0.0, 0
        self.active_tiles = int(self.active.sum())
        self._most_bands = max(1, numba.get_num_threads())
        self._bounds = np.zeros(0, np.int64)
        self._cut_into(np.array([0, rows], np.int64))
        self.highest_m = float(self.depth_m.max())
        self.ledger = Ledger()
        self.ledger.initial = self.measure()

    def _edge_tiles(self) -> NDArray[np.bool_]:
        cells = np.zeros(self.domain.bed_m.shape, np.bool_)
        for ghosts in self.domain.ghosts:
            if not isinstance(ghosts.side, Open):
                cells.reshape(-1)[ghosts.cells] = True
        for inflow in self.inflows:
            cells[np.asarray(inflow.rows) + 1, np.asarray(inflow.columns) + 1] = True
        return wet_tiles.tiles_of(cells)

    def _cut_into(self, bounds: NDArray[np.int64]) -> None:
        """Work in bands of rows from now on, with room for each of them."""
        columns, number = self.depth_m.shape[1], self.depth_m.dtype
        bands = len(bounds) - 1
        if len(self._bounds) != len(bounds):
            self._seams = np.zeros((bands + 1, columns), number)
            self._kept = np.zeros((bands + 1, columns), number)
            self._edges = np.ones((bands, 2, columns), number)
            self._peaks = np.zeros((bands + 1, columns), number)
            self._totals = np.zeros((bands + 1, columns), np.float64)
            self._work = np.zeros((bands, 7, columns + 1), number)
        self._bounds = bounds

    def measure(self) -> float:
        """Volume of water in the model now, m3."""
        depth = self.depth_m.astype(np.float64) - self._lost
        self.ledger.stored = float(depth[self.domain.water].sum()) * self.domain.cell_m**2
        return self.ledger.stored

    def rain(self, rain_m_s: Grid | float, losses_m_s: Grid | float = 0.0) -> None:
        """Set what falls and what seeps away from now on.

        Parameters
        ----------
        rain_m_s, losses_m_s : numpy.ndarray or float
            Padded grids or one number for all cells, m/s, 0 or more. No more is lost than is there.
        """
        water, number = self.domain.water, self.depth_m.dtype.type
        net = np.where(water, np.subtract(rain_m_s, losses_m_s), 0).astype(number)
        self._losing = bool((np.asarray(losses_m_s) > 0).any())
        self._source = net if net.any() else np.zeros((1, net.shape[1]), number)
        if self._losing:
            fallen = np.where(water, rain_m_s, 0).sum(dtype=np.float64)
        else:
            fallen = net.sum(dtype=np.float64)
        self._rain_m_s = float(fallen)
        fed = wet_tiles.fed_tiles(self._source, self.depth_m.shape)
        self._forced = self._forced_by_edges | fed
        self.active |= fed
        self._look_up()

    def _look_up(self) -> None:
        self.active_tiles = wet_tiles.look_up(
            self.depth_m, self.qx_m2_s, self.qy_m2_s, self._source,
            self.depth_m.dtype.type(self.dry_depth_m), self.active, self._forced, self._runs,
            self._counts,
        )  # fmt: skip
        self._cut_into(wet_tiles.bands(self.active, self.depth_m.shape[0], self._most_bands))

    @property
    def active_share(self) -> float:
        """Share of the tiles that is worked on."""
        return float(self.active_tiles / self.active.size)

    @property
    def tiles(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Runs of columns to look at in each row of tiles, and their number."""
        return self._runs, self._counts

    @property
    def discharges(self) -> tuple[Grid, Grid, int]:
        """Discharges through west and north faces, m2/s, and how far the opposite face is: 1."""
        return self.qx_m2_s, self.qy_m2_s, 1

    def _set_ghosts(self) -> list[Grid]:
        depth = self.depth_m.reshape(-1)
        bed = self.domain.bed_m.reshape(-1)
        before = []
        for ghosts in self.domain.ghosts:
            if isinstance(ghosts.side, Stage):
                level = ghosts.side.level_m.at(self.time_s) - self.domain.datum_m
                outside = np.maximum(level - bed[ghosts.cells], 0).astype(depth.dtype)
                self.highest_m = max(self.highest_m, float(outside.max()))
            else:
                outside = depth[ghosts.partners]
            depth[ghosts.cells] = outside
            before.append(outside)
        return before

    def _book_ghosts(self, before: list[Grid]) -> None:
        depth, lost = self.depth_m.reshape(-1), self._lost.reshape(-1)
        area = self.domain.cell_m**2
        for ghosts, outside in zip(self.domain.ghosts, before, strict=True):
            self.ledger.exchange(float(_emptied(depth, lost, ghosts.cells, outside)) * area)

    def _pour(self, dt: float) -> None:
        """Add the inflows of one step, at their rate in its middle."""
        area = self.domain.cell_m**2
        for inflow in self.inflows:
            cells = np.asarray(inflow.rows) + 1, np.asarray(inflow.columns) + 1
            wanted = inflow.discharge_m3_s.at(self.time_s + dt / 2) * dt / area / cells[0].size
            old = self.depth_m[cells]
            held = old.astype(np.float64) - self._lost[cells]
            total = np.maximum(held + wanted, np.minimum(held, 0))
            new = np.maximum(total, 0).astype(self.depth_m.dtype)
            self.depth_m[cells] = new
            self._lost[cells] = new - total
            booked = new.astype(np.float64) - self._lost[cells]
            self.ledger.exchange(float((booked - held).sum()) * area)
            self.highest_m = max(self.highest_m, float(new.max()))

    def advance(self, limit_s: float) -> float:
        """Carry the water through one step.

        Parameters
        ----------
        limit_s : float
            Longest step wanted.

        Returns
        -------
        float
            The step taken, s.
        """
        if self.steps % wet_tiles.STEPS_PER_LOOKUP == 0:
            self._look_up()
        before = self._set_ghosts()
        number, cell = self.depth_m.dtype.type, self.domain.cell_m
        step = min(limit_s, self.longest_step_s)
        if self.highest_m > 0:
            step = min(step, self.courant * cell / math.sqrt(GRAVITY_M_S2 * self.highest_m))
        dt = number(step)
        self._pour(float(dt))
        factors = (
            number(GRAVITY_M_S2 * float(dt) / cell), dt, number(self.theta),
            number(self.dry_depth_m),
        )  # fmt: skip
        run = step_together if len(self._bounds) > 2 else step_alone
        highest, gained = run(
            self._bounds, self.depth_m, self._lost, self.domain.bed_m, self._rough, self._source,
            self.qx_m2_s, self.qy_m2_s, self._runs, self._counts, self._seams, self._kept,
            self._edges, self._peaks, self._totals, self._work, self._losing,
            number(float(dt) / cell), factors,
        )  # fmt: skip
        self.highest_m = float(highest)
        fallen = self._rain_m_s * float(dt)
        self.ledger.rain += fallen * cell**2
        if self._losing:
            self.ledger.losses += (fallen - float(gained)) * cell**2
        self._book_ghosts(before)
        self.time_s += step
        self.steps += 1
        return step

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything that the next steps depend on; `restore` takes it back."""
        return {
            "depth_m": self.depth_m, "lost_m": self._lost, "qx_m2_s": self.qx_m2_s,
            "qy_m2_s": self.qy_m2_s, "active": self.active, "runs": self._runs,
            "counts": self._counts, "bounds": self._bounds,
            "clock": np.array([self.time_s, self.highest_m]), "steps": np.array(self.steps),
        }  # fmt: skip

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a state; rain and losses have to be set again first."""
        self.depth_m[:], self._lost[:] = state["depth_m"], state["lost_m"]
        self.qx_m2_s[:], self.qy_m2_s[:] = state["qx_m2_s"], state["qy_m2_s"]
        # The tiles, too: sums over them are the same to the last bit only in the same order.
        self.active[:], self._runs[:] = state["active"], state["runs"]
        self._counts[:] = state["counts"]
        self.active_tiles = int(self.active.sum())
        self._cut_into(np.asarray(state["bounds"], np.int64))
        self.time_s, self.highest_m = (float(x) for x in np.asarray(state["clock"], np.float64))
        self.steps = int(np.asarray(state["steps"], np.int64))
