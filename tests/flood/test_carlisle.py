"""Carlisle by reference: mass balance with rain and rivers, water arrives from up to downstream."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ldt_toolbox.flood import steps
from ldt_toolbox.flood.conditioning import fill_depressions
from ldt_toolbox.flood.d8 import steps as d8_steps
from ldt_toolbox.flood.flow import flow_directions
from ldt_toolbox.flood.losses import scs_runoff_mm
from ldt_toolbox.flood.storms import Storm
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from scipy.stats import spearmanr

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning"),
]
SCRIPTS = Path(__file__).parents[2] / "scripts"
CACHE = Path.home() / ".cache" / "ldt-toolbox" / "reference"


@pytest.fixture(scope="module")
def carlisle(tmp_path_factory):
    sys.path.insert(0, str(SCRIPTS))
    spec = importlib.util.spec_from_file_location(
        "carlisle_territory", SCRIPTS / "carlisle_territory.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    sys.path.remove(str(SCRIPTS))
    try:
        wheel = script.fetch(script.PACKAGE, CACHE / "wheels")
    except (subprocess.CalledProcessError, SystemExit) as error:
        pytest.skip(f"{script.PACKAGE.label} can't be fetched: {error}")
    place = Territory.read(script.prepare(wheel, tmp_path_factory.mktemp("carlisle")))
    return script, place


def event(place, **given):
    """Three hours on cells of 20 m: a minute of computing."""
    case = UseCase.find("flood-risk")
    parameters = case.validate(
        {"cell_size_m": 20, "simulation_h": 3, "snapshot_min": 0} | given, territory=place
    )
    inputs = load(case, place)
    ground = steps.lay(inputs, parameters)
    return inputs, ground, parameters, steps.rain(inputs, parameters)


def ways_down(ground, water, names):
    """Cells from each river's entry down the terrain to where another river joins."""
    level = ground.setup.elevation
    code = flow_directions(fill_depressions(level)).reshape(-1)
    step = d8_steps(level.shape[1])
    paths = {}
    for site, inflow in zip(sorted(names), water, strict=True):
        path = [int(np.ravel_multi_index((inflow.rows[0], inflow.columns[0]), level.shape))]
        while step[code[path[-1]]] != 0 and len(path) < 4000:
            path.append(path[-1] + int(step[code[path[-1]]]))
        paths[site] = path
    for site, path in paths.items():
        # below a confluence the water of another river may have been there before
        others = {cell for name, other in paths.items() if name != site for cell in other}
        end = next((i for i, cell in enumerate(path) if cell in others), len(path))
        yield site, np.array(path[:end])


def assert_arrives_in_order(run, ground, water, names, *, before_s=np.inf):
    """Beside each river's way down, the rank of the arrival is that of the distance."""
    arrival = run.peaks.arrival_s.reshape(-1)
    for site, way in ways_down(ground, water, names):
        wet = arrival[way] < before_s  # NaN where dry: not below
        # beyond dry ground that its front has not reached yet, water is backwater of another
        gap = np.flatnonzero(np.convolve(~wet, np.ones(10), "valid") == 10)
        reached = int(gap[0]) if gap.size else len(way)
        times, wet = arrival[way][:reached], wet[:reached]
        assert wet.sum() > 30, f"{site} wets {wet.sum()} cells of its way"
        # side channels may wet a cell before the one above it
        assert spearmanr(np.flatnonzero(wet), times[wet])[0] > 0.9, site


def test_rain_and_three_rivers_are_balanced(carlisle):
    _, place = carlisle
    inputs, ground, parameters, rain = event(place)
    assert rain.observed
    assert 20 < rain.event.total_mm < 200
    run = steps.event(inputs, ground, rain, parameters)
    assert len(steps.inflows(inputs, ground)) == 3
    assert run.ledger.rain > 0
    assert run.ledger.inflow > 3e6
    assert abs(run.ledger.relative_error) <= 1e-6


def test_rivers_arrive_from_upstream_to_downstream(carlisle):
    script, place = carlisle
    inputs, ground, parameters, rain = event(place)
    dry = type(rain)(rain.event.scaled(0.0), {}, rain.table, ())
    run = steps.event(inputs, ground, dry, parameters)
    assert_arrives_in_order(run, ground, steps.inflows(inputs, ground), script.SITES)


@pytest.mark.slow
def test_full_size_two_hours_of_the_heaviest_rain_and_three_rivers(carlisle):
    """All 1855 x 1813 cells of 5 m; the whole event takes the better part of an hour."""
    script, place = carlisle
    inputs, ground, parameters, rain = event(place, cell_size_m=None, simulation_h=2)
    assert ground.grid.shape == (1855, 1813)
    assert ground.setup.cell_m == 5
    hours = rain.event.start_s / 3600
    window = (hours >= 21) & (hours <= 23)
    heavy = Storm(rain.event.start_s[window] - 21 * 3600, rain.event.mm_h[window])
    # dry ground holds 10 mm back, so that rivers have an hour for themselves
    fallen = np.cumsum(heavy.depth_mm)
    first_runoff_s = heavy.start_s[np.searchsorted(fallen, 10.0)]
    assert 3000 < first_runoff_s < 6000
    run = steps.event(inputs, ground, type(rain)(heavy, {}, rain.table, ()), parameters)
    half_numbers = np.rint(2 * ground.setup.curve_number) / 2  # as the model rounds them
    wet_cells = np.isfinite(ground.setup.elevation)
    by_hand = scs_runoff_mm(heavy.total_mm, half_numbers[wet_cells]).sum() / 1000 * 25
    assert by_hand > 3e4
    # rates go through float32 in every step
    assert run.ledger.rain == pytest.approx(by_hand, rel=1e-4)
    assert run.ledger.inflow > 4e6
    assert abs(run.ledger.relative_error) <= 1e-6
    water = steps.inflows(inputs, ground)
    assert_arrives_in_order(run, ground, water, script.SITES, before_s=first_runoff_s)
