"""Steps are done again when what they were made of has changed, and only then."""

from dataclasses import replace

import pytest
from ldt_toolbox.sources import Inputs, Layer, Memory, load
from ldt_toolbox.territory import Source, Territory
from ldt_toolbox.use_case import UseCase

MONACO = Territory.find("monaco")
MADE = Source(role="houses", provenance="synthetic", source="made by a test")


def layer(role, data):
    return Layer(role, data, MADE, "")


def count(inputs, factor):
    return [factor * len(inputs.layers["houses"].data)]


def shade(inputs, found):
    return found + (["trees"] if "trees" in inputs else [])


def total(found, *, plus=0):
    return sum(each for each in found if isinstance(each, int)) + plus


class Run:
    """A use case of three steps on layers that the tests change."""

    def __init__(self):
        self.memory = Memory()
        self.layers = {"houses": layer("houses", [1, 2, 3]), "stops": layer("stops", [1])}

    def __call__(self, factor=2, plus=0):
        self.memory.begin()
        inputs = Inputs(MONACO, dict(self.layers), {}, self.memory)
        counted = inputs.step(count, inputs, factor)
        shaded = inputs.step(shade, inputs, counted)
        value = inputs.step(total, shaded, plus=plus)
        return value, [name.rpartition(".")[2] for name in self.memory.done]


@pytest.fixture
def run():
    found = Run()
    assert found() == (6, ["count", "shade", "total"])
    return found


def test_nothing_is_done_again_while_nothing_changes(run):
    assert run() == (6, [])


def test_a_layer_that_no_step_looks_at_changes_nothing(run):
    run.layers["stops"] = layer("stops", [1, 2])
    assert run() == (6, [])


def test_a_layer_changes_the_steps_that_look_at_it_and_those_that_rest_on_them(run):
    run.layers["houses"] = layer("houses", [1])
    assert run() == (2, ["count", "shade", "total"])


def test_a_layer_that_comes_or_goes_is_noticed_where_it_was_looked_for(run):
    run.layers["trees"] = layer("trees", [])
    assert run()[1] == ["count", "shade", "total"]  # a step could have asked for the list of roles
    run.layers["trees"] = layer("trees", [1])
    assert run() == (6, ["shade", "total"])


def test_an_argument_counts_like_a_layer(run):
    assert run(plus=1) == (7, ["total"])
    assert run(factor=3, plus=1) == (10, ["count", "shade", "total"])
    assert run(factor=3.0, plus=1)[1] == ["count", "shade", "total"]  # not the same type


def test_calls_of_one_step_in_a_run_are_told_apart(run):
    inputs = Inputs(MONACO, run.layers, {}, run.memory)
    for done in (["count", "count"], []):
        run.memory.begin()
        assert (inputs.step(count, inputs, 5), inputs.step(count, inputs, 7)) == ([15], [21])
        assert [name.rpartition(".")[2] for name in run.memory.done] == done


def test_a_step_that_fails_is_tried_again(run):
    def fails(inputs):
        raise ValueError("a fault")

    inputs = Inputs(MONACO, run.layers, {}, run.memory)
    for _ in range(2):
        run.memory.begin()
        with pytest.raises(ValueError, match="a fault"):
            inputs.step(fails, inputs)
        assert run.memory.done == []


def files(result, case, folder):
    result.write(folder, case, territory="monaco")
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


COARSE = {"cell_size_m": 20, "monte_carlo_draws": 2}
NETWORKS = ["steps.streets", "traffic_steps.traffic", "transit_steps.offer"]
#: Use case, given, role that changes, steps that this leaves alone (and no others).
CASES = [
    ("heat-islands", COARSE, "amenities", "all"),
    ("heat-islands", COARSE, "streets", ["heat.steps.climate"]),
    ("mobility", {}, "amenities", [f"mobility.{step}" for step in NETWORKS]),
    ("mobility", {}, "trees", "all"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "given", "role", "left_alone"), CASES)
def test_results_are_those_of_a_run_that_remembers_nothing(name, given, role, left_alone, tmp_path):
    """To the byte, after a change and after its return: no step changes what another one keeps."""
    case = UseCase.find(name)
    parameters = case.validate(given, territory=MONACO)
    before = load(case, MONACO)
    if role not in before:
        before = replace(before, layers={**before.layers, role: before.layers["buildings"]})
    old = before.layers[role]
    changed = replace(old, data=old.data.iloc[::2].reset_index(drop=True))
    after = replace(before, layers={**before.layers, role: changed})
    memory = Memory()
    ran = []
    for number, inputs in enumerate((before, after, before)):
        memory.begin()
        kept = case.compute(replace(inputs, memory=memory), parameters)
        ran.append(list(memory.done))
        fresh = case.compute(inputs, parameters)
        one = files(kept, case, tmp_path / f"{number}-kept")
        other = files(fresh, case, tmp_path / f"{number}-fresh")
        assert len(one) > 5
        assert one.keys() == other.keys()
        assert [path for path in one if one[path] != other[path]] == []
    if left_alone == "all":
        assert ran[1] == []
    else:
        assert set(ran[0]) - set(ran[1]) == set(left_alone)
