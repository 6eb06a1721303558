"""Full shallow-water equations: dam breaks, steep streets, hydraulic jumps.

Finite volumes on the square cells of the grid, second order in space and time, in double
precision; see `riemann` for the fluxes. Ten times slower than the local inertial scheme or more.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.flood.boundaries import Discharge, Domain, Ghosts, Inflow, Stage
from ldt_toolbox.flood.inertial import GRAVITY_M_S2, Grid
from ldt_toolbox.flood.ledger import Ledger
from ldt_toolbox.flood.riemann import fluxes, shares, update
from ldt_toolbox.flood.wet_tiles import TILE_ROWS


class ShallowWaterFlow:
    """Water on a grid, carried forward step by step.

    Parameters
    ----------
    domain : Domain
        Padded terrain with its boundaries, in ``numpy.float64``.
    manning_n : numpy.ndarray
        Roughness, s/m^(1/3), padded like the domain, or of shape (1, columns + 2) if uniform.
    depth_m : numpy.ndarray
        Depth at the start, padded.
    inflows : tuple of Inflow
        Water that enters at cells, without momentum.
    order : int
        2, or 1: no slopes within cells and one stage a step, half the time, more diffusion.
    courant : float
        Cells that the fastest wave may cross in a step, at most 0.5.
    dry_depth_m : float
        Shallower water does not flow.
    longest_step_s : float
        Upper limit of the step.
    chezy : bool
        Whether ``manning_n`` holds the inverse of Chezy's coefficient, s/m^(1/2), instead.

    Attributes
    ----------
    depth_m : numpy.ndarray
        Depth now, padded.
    ledger : Ledger
        Volumes; ``stored`` is set by `measure`.
    time_s, steps : float, int
        How far the run is.
    """

    scheme = "shallow-water"

    def __init__(
        self,
        domain: Domain,
        *,
        manning_n: Grid,
        depth_m: Grid,
        inflows: tuple[Inflow, ...] = (),
        order: int = 2,
        courant: float = 0.45,
        dry_depth_m: float = 1e-6,
        longest_step_s: float = 5.0,
        chezy: bool = False,
    ) -> None:
        shape = domain.bed_m.shape
        self.domain, self.inflows = domain, inflows
        self.order, self.courant, self.chezy = order, courant, chezy
        self.dry_depth_m, self.longest_step_s = dry_depth_m, longest_step_s
        self.depth_m = np.where(domain.water, depth_m, 0).astype(np.float64)
        self.hu_m2_s, self.hv_m2_s = np.zeros(shape), np.zeros(shape)
        self._drag = np.ascontiguousarray(GRAVITY_M_S2 * manning_n**2, np.float64)
        self._source, self._rain_m_s, self._losing = np.zeros((1, shape[1])), 0.0, False
        self._fx, self._fy = np.zeros((*shape, 8)), np.zeros((*shape, 8))
        self._share = np.ones(shape)
        self._fastest, self._gained = np.zeros(shape[0]), np.zeros(shape[0])
        self.wave_m_s = math.sqrt(GRAVITY_M_S2 * float(self.depth_m.max()))
        self.time_s, self.steps = 0.0, 0
        blocks = -(-shape[0] // TILE_ROWS)
        runs = np.zeros((blocks, 1, 2), np.int64)
        runs[:, 0, 1] = shape[1]
        self.tiles = runs, np.ones(blocks, np.int64)
        self.ledger = Ledger()
        self.ledger.initial = self.measure()

    def measure(self) -> float:
        """Volume of water in the model now, m3."""
        self.ledger.stored = float(self.depth_m[self.domain.water].sum()) * self.domain.cell_m**2
        return self.ledger.stored

    def rain(self, rain_m_s: Grid | float, losses_m_s: Grid | float = 0.0) -> None:
        """Set what falls and what seeps away from now on.

        Parameters
        ----------
        rain_m_s, losses_m_s : numpy.ndarray or float
            Padded grids or one number for all cells, m/s, 0 or more. No more is lost than is there.
        """
        water = self.domain.water
        self._source = np.where(water, np.subtract(rain_m_s, losses_m_s), 0.0)
        self._losing = bool((np.asarray(losses_m_s) > 0).any())
        self._rain_m_s = float(np.where(water, rain_m_s, 0.0).sum())

    @property
    def discharges(self) -> tuple[Grid, Grid, int]:
        """Discharges of the cells, m2/s, as `InertialFlow.discharges` gives them by face."""
        return self.hu_m2_s, self.hv_m2_s, 0

    def _set_ghosts(self) -> None:
        h, hu, hv = (a.reshape(-1) for a in (self.depth_m, self.hu_m2_s, self.hv_m2_s))
        for ghosts in self.domain.ghosts:
            cells, near, side = ghosts.cells, ghosts.partners, ghosts.side
            hu[cells], hv[cells] = hu[near], hv[near]
            if isinstance(side, Stage):
                level = side.level_m.at(self.time_s) - self.domain.datum_m
                h[cells] = np.maximum(level - self.domain.bed_m.reshape(-1)[cells], 0)
            elif isinstance(side, Discharge):
                h[cells], normal = self._entering(ghosts, side)
                hv[cells], hu[cells] = normal * ghosts.inward[0], normal * ghosts.inward[1]
            else:
                h[cells] = h[near]

    def _entering(self, ghosts: Ghosts, side: Discharge) -> tuple[Grid, float]:
        """Depth and discharge at a side with a given discharge."""
        discharge = side.per_metre_m2_s.at(self.time_s)
        critical = (discharge**2 / GRAVITY_M_S2) ** (1 / 3)
        near = self.depth_m.reshape(-1)[ghosts.partners]
        if side.depth_m is not None:
            return np.full_like(near, side.depth_m.at(self.time_s)), discharge
        return np.maximum(near, critical), discharge

    def _set_fluxes(self) -> None:
        """Impose the given discharges."""
        for ghosts in self.domain.ghosts:
            if not isinstance(ghosts.side, Discharge):
                continue
            depth, discharge = self._entering(ghosts, ghosts.side)
            face, sign = self._faces(ghosts)
            pressure = np.where(
                depth > 0, discharge**2 / depth + 0.5 * GRAVITY_M_S2 * depth**2, 0.0
            )
            face[:, 0] = sign * discharge
            face[:, 1] = face[:, 2] = pressure
            face[:, 3] = 0
            self._put(ghosts, face)

    def _faces(self, ghosts: Ghosts) -> tuple[Grid, int]:
        """Fluxes between ghosts and partners, and the sign of flow into the model."""
        down, right = ghosts.inward
        table = (self._fy if down else self._fx).reshape(-1, 8)
        behind = ghosts.partners if down + right > 0 else ghosts.cells
        return table[behind], down + right

    def _put(self, ghosts: Ghosts, face: Grid) -> None:
        down, right = ghosts.inward
        table = (self._fy if down else self._fx).reshape(-1, 8)
        table[ghosts.partners if down + right > 0 else ghosts.cells] = face

    def _stage(self, dt: float, weight: float) -> None:
        """Forward Euler in place; books ``weight`` of what went in and out."""
        cell, kind = self.domain.cell_m, self.domain.kind
        self._set_ghosts()
        fluxes(
            self.depth_m, self.hu_m2_s, self.hv_m2_s, self.domain.bed_m, kind, self.dry_depth_m,
            self.order == 2, self._fx, self._fy,
        )  # fmt: skip
        self._set_fluxes()
        shares(self.depth_m, kind, self._fx, self._fy, dt / cell, self._share)
        update(
            self.depth_m, self.hu_m2_s, self.hv_m2_s, kind, self._drag, self.chezy, self._source,
            self._share, self._fx, self._fy, dt, cell, self.dry_depth_m, self._fastest,
            self._gained,
        )  # fmt: skip
        for ghosts in self.domain.ghosts:
            self.ledger.exchange(weight * self._entered(ghosts) * dt * cell)
        fallen = self._rain_m_s * dt
        self.ledger.rain += weight * fallen * cell**2
        if self._losing:
            self.ledger.losses += weight * (fallen - float(self._gained.sum())) * cell**2

    def _entered(self, ghosts: Ghosts) -> float:
        """Mass flux from ghosts into the model, summed, m2/s."""
        share = self._share.reshape(-1)
        if ghosts.inward != (0, 0):
            face, sign = self._faces(ghosts)
            flux = sign * face[:, 0]
            return float((flux * np.where(flux > 0, 1.0, share[ghosts.partners])).sum())
        columns, water = self.domain.bed_m.shape[1], self.domain.water.reshape(-1)
        fx, fy = self._fx.reshape(-1, 8)[:, 0], self._fy.reshape(-1, 8)[:, 0]
        total = 0.0
        for table, step in ((fx, 1), (fy, columns)):
            for cells, near, sign in (
                (ghosts.cells + step, ghosts.cells + step, 1),
                (ghosts.cells, ghosts.cells - step, -1),
            ):
                flux = sign * np.where(water[near], table[cells], 0.0)
                total += float((flux * np.where(flux > 0, 1.0, share[near])).sum())
        return total

    def _pour(self, dt: float) -> None:
        area = self.domain.cell_m**2
        for inflow in self.inflows:
            cells = np.asarray(inflow.rows) + 1, np.asarray(inflow.columns) + 1
            wanted = inflow.discharge_m3_s.at(self.time_s + dt / 2) * dt / area / cells[0].size
            held = self.depth_m[cells]
            self.depth_m[cells] = np.maximum(held + wanted, 0)
            self.ledger.exchange(float((self.depth_m[cells] - held).sum()) * area)
            deepest = float(self.depth_m[cells].max())
            self.wave_m_s = max(self.wave_m_s, math.sqrt(GRAVITY_M_S2 * deepest))

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
        dt = min(limit_s, self.longest_step_s)
        for ghosts in self.domain.ghosts:
            self.wave_m_s = max(self.wave_m_s, self._outside_wave(ghosts))
        if self.wave_m_s > 0:
            dt = min(dt, self.courant * self.domain.cell_m / self.wave_m_s)
        self._pour(dt)
        if self.order == 1:
            self._stage(dt, 1.0)
        else:
            before = self.depth_m.copy(), self.hu_m2_s.copy(), self.hv_m2_s.copy()
            self._stage(dt, 0.5)
            self._stage(dt, 0.5)
            for now, old in zip((self.depth_m, self.hu_m2_s, self.hv_m2_s), before, strict=True):
                now += old
                now *= 0.5
        self.wave_m_s = float(self._fastest.max())
        self.time_s += dt
        self.steps += 1
        return dt

    def _outside_wave(self, ghosts: Ghosts) -> float:
        side = ghosts.side
        if isinstance(side, Stage):
            level = side.level_m.at(self.time_s) - self.domain.datum_m
            deep = float((level - self.domain.bed_m.reshape(-1)[ghosts.cells]).max())
            return math.sqrt(GRAVITY_M_S2 * max(deep, 0.0))
        if isinstance(side, Discharge):
            depth, discharge = self._entering(ghosts, side)
            deep = float(depth.max())
            return math.sqrt(GRAVITY_M_S2 * deep) + (abs(discharge) / deep if deep > 0 else 0.0)
        return 0.0

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything that the next steps depend on; `restore` takes it back."""
        return {
            "depth_m": self.depth_m, "hu_m2_s": self.hu_m2_s, "hv_m2_s": self.hv_m2_s,
            "clock": np.array([self.time_s, self.wave_m_s]), "steps": np.array(self.steps),
        }  # fmt: skip

    def restore(self, state: dict[str, NDArray[np.generic]]) -> None:
        """Go on from a state; rain and losses have to be set again first."""
        self.depth_m[:] = state["depth_m"]
        self.hu_m2_s[:], self.hv_m2_s[:] = state["hu_m2_s"], state["hv_m2_s"]
        self.time_s, self.wave_m_s = (float(x) for x in np.asarray(state["clock"], np.float64))
        self.steps = int(np.asarray(state["steps"], np.int64))
