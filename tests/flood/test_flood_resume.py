"""An event that was interrupted goes on from its last state, where a folder for states is named."""

import numpy as np
import pytest
from ldt_toolbox.errors import MissingFileError
from ldt_toolbox.flood import flooding, steps
from ldt_toolbox.flood.checkpoint import Checkpoint
from made_valley import ONE_STORM

SHORT_STORM = ONE_STORM | {"simulation_h": 0.5}


@pytest.fixture(scope="module")
def scene(valleys):
    place = valleys.territory()
    inputs, parameters = valleys.inputs(place), valleys.parameters(place, **SHORT_STORM)
    ground = steps.lay(inputs, parameters)
    return inputs, ground, steps.rain(inputs, parameters), parameters


def assert_same(one, other):
    for name in ("depth_m", "arrival_s", "hazard_rating", "speed_m_s"):
        np.testing.assert_array_equal(getattr(one.peaks, name), getattr(other.peaks, name))
    assert (one.ledger, one.froude, one.steps) == (other.ledger, other.froude, other.steps)


def test_a_killed_event_goes_on_and_ends_with_the_same_bits(scene, monkeypatch, tmp_path):
    whole = steps.event(*scene)
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("LDT_CHECKPOINTS", str(tmp_path))
    seen = []

    def killed(share):
        seen.append(share)
        if share > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.event(*scene, progress=killed)
    (kept,) = tmp_path.iterdir()
    reached = Checkpoint.read(kept).arrays["flow.clock"][0]
    assert 900 < reached < 1800
    later = []
    again = steps.event(*scene, progress=later.append)
    assert min(later) > 0.5, "began again"
    assert_same(again, whole)
    # the state of the end is kept: the same run once more has nothing left to do
    nothing = []
    assert_same(steps.event(*scene, progress=nothing.append), whole)
    assert len(nothing) <= 1


def test_another_run_does_not_take_the_state(scene, valleys, monkeypatch, tmp_path):
    monkeypatch.setenv("LDT_CHECKPOINTS", str(tmp_path))
    inputs, ground, rain, parameters = scene
    steps.event(inputs, ground, rain, parameters)
    steps.event(inputs, ground, type(rain)(rain.event.scaled(1.5), {}, rain.table, ()), parameters)
    longer = valleys.parameters(inputs.territory, **(SHORT_STORM | {"simulation_h": 0.6}))
    steps.event(inputs, ground, rain, longer)
    rougher = valleys.parameters(inputs.territory, **(SHORT_STORM | {"manning_n": 0.1}))
    steps.event(inputs, steps.lay(inputs, rougher), rain, rougher)
    assert len(list(tmp_path.glob("flood-*.npz"))) == 4


def test_only_the_event_keeps_states(scene, monkeypatch, tmp_path):
    monkeypatch.setenv("LDT_CHECKPOINTS", str(tmp_path))
    _, ground, rain, parameters = scene
    flooding.flood(ground.setup, rain.event, parameters)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_none_is_told(scene, monkeypatch, tmp_path):
    monkeypatch.setenv("LDT_CHECKPOINTS", str(tmp_path / "nowhere"))
    with pytest.raises(MissingFileError, match=r"LDT_CHECKPOINTS names .*nowhere"):
        steps.event(*scene)
