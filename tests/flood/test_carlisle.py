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
    run = steps.event(inputs, ground, type(rain)(rain.event.scaled(0.0), {}, rain.table, ()),
                      parameters)  # fmt: skip
    level = ground.setup.elevation
    code = flow_directions(fill_depressions(level)).reshape(-1)
    step = d8_steps(level.shape[1])
    arrival = run.peaks.arrival_s.reshape(-1)
    paths = {}
    for site, inflow in zip(sorted(script.SITES), steps.inflows(inputs, ground), strict=True):
        path = [int(np.ravel_multi_index((inflow.rows[0], inflow.columns[0]), level.shape))]
        while step[code[path[-1]]] != 0 and len(path) < 2000:
            path.append(path[-1] + int(step[code[path[-1]]]))
        paths[site] = path
    for site, path in paths.items():
        # below a confluence the water of another river may have been there before
        others = {cell for name, other in paths.items() if name != site for cell in other}
        own = path[: next((i for i, cell in enumerate(path) if cell in others), len(path))]
        # and beyond dry ground that its front has not reached yet, water is backwater of another
        wet = np.isfinite(arrival[own])
        gap = np.flatnonzero(np.convolve(~wet, np.ones(10), "valid") == 10)
        reached = int(gap[0]) if gap.size else len(own)
        times, wet = arrival[own][:reached], wet[:reached]
        assert wet.sum() > 30, f"{site} wets {wet.sum()} cells of its way"
        # side channels may wet a cell before the one above it
        assert spearmanr(np.flatnonzero(wet), times[wet])[0] > 0.9, site
