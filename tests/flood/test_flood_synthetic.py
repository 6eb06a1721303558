"""What rests on something made up says so, whatever it is that is made up."""

from dataclasses import replace

import pytest


@pytest.mark.parametrize("made_up", ["boundary", "buildings", ""])
def test_every_output_of_something_made_up_is_marked(valleys, made_up):
    place = valleys.territory()
    inputs = valleys.inputs(place)
    if made_up == "boundary":
        line = replace(place.boundary, provenance="synthetic")
        inputs = replace(inputs, territory=replace(place, boundary=line))
    elif made_up:
        layer = inputs.layers[made_up]
        fake = replace(layer, source=replace(layer.source, provenance="synthetic"))
        inputs = replace(inputs, layers={**inputs.layers, made_up: fake})
    assert inputs.synthetic == ({made_up} if made_up else set())
    result = valleys.case.compute(inputs, valleys.parameters(place))
    outputs = set(result.layers) | set(result.tables)
    assert len(outputs) > 5
    assert set(result.synthetic) == (outputs if made_up else set())
    marks = {one.provenance == "synthetic" for one in result.indicators.values()}
    assert marks == {bool(made_up)}
