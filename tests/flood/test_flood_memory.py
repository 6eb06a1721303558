"""When residents change, today's flood is not simulated again."""

from dataclasses import replace

import geopandas as gpd
import pytest
import shapely
from ldt_toolbox.sources import Memory
from made_valley import CELL, COLUMNS, EPSG, NORTH, ROWS, WEST


def files(result, valleys, folder):
    result.write(folder, valleys.case, territory="valley")
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_results_are_those_of_a_run_that_remembers_nothing(valleys, tmp_path):
    """To the byte, after a change and after its return: no step changes what another one keeps."""
    box = shapely.box(WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
    people = gpd.GeoDataFrame({"population": [100]}, geometry=[box], crs=EPSG)
    place = valleys.territory(roles={"population": (people, {})})
    parameters = valleys.parameters(place, monte_carlo_draws=2)
    before = valleys.inputs(place)
    more = replace(before.layers["population"], data=people.assign(population=300))
    after = replace(before, layers={**before.layers, "population": more})
    memory = Memory()
    ran = []
    for number, inputs in enumerate((before, after, before)):
        memory.begin()
        kept = valleys.case.compute(replace(inputs, memory=memory), parameters)
        ran.append([name.removeprefix("flood.") for name in memory.done])
        fresh = valleys.case.compute(inputs, parameters)
        one = files(kept, valleys, tmp_path / f"{number}-kept")
        other = files(fresh, valleys, tmp_path / f"{number}-fresh")
        assert len(one) > 5
        assert one.keys() == other.keys()
        assert [path for path in one if one[path] != other[path]] == []
    assert len(ran[0]) == 14
    assert ran[1] == [
        "steps.town", "steps.hit", "steps.yearly", "use_case.uncertainty", "use_case.compare",
    ]  # fmt: skip
