"""Streets that the flood closes, handed over: the mobility use case reads them as its own role."""

import shutil

import geopandas as gpd
import pytest
import yaml
from ldt_toolbox.mobility import scenario
from ldt_toolbox.mobility import steps as mobility_steps
from ldt_toolbox.mobility.network import without_edges
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory, bundled_territories
from ldt_toolbox.use_case import UseCase

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")


@pytest.fixture(scope="module")
def flooded(valleys, tmp_path_factory):
    """Andorra la Vella after a storm, its results in a folder."""
    place = Territory.find("andorra-la-vella")
    result = valleys.compute(place, return_periods_years=[100], rain_mm=[50], simulation_h=1)
    folder = tmp_path_factory.mktemp("flood")
    result.write(folder, valleys.case, territory=place.id)
    return result, folder / "layers" / "closed_streets.parquet"


def with_closed(path, folder):
    """The territory as its author would write it: one more source, the layer of the flood run."""
    shutil.copytree(dict(bundled_territories())["andorra-la-vella"], folder)
    told = yaml.safe_load((folder / "territory.yaml").read_text(encoding="utf-8"))
    shutil.copy(path, folder / "data" / "closed_streets.parquet")
    told["sources"]["closed_streets"] = {
        "protocol": "file", "path": "data/closed_streets.parquet", "source": "flood-risk",
        "licence": "ODbL-1.0", "date": "2026-01-01", "provenance": "derived",
    }  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return Territory.read(folder)


def test_the_layer_holds_what_nobody_walks_through(flooded):
    result, path = flooded
    closed, wet = gpd.read_parquet(path), result.layers["streets"]
    assert len(closed) == wet["cut_pedestrian"].sum() > 10
    assert closed.length.sum() <= 1000 * result.indicators["streets_cut"].value + 1
    assert closed.crs == wet.crs


def test_mobility_closes_the_streets_that_the_flood_cuts(flooded, tmp_path):
    _, path = flooded
    place = with_closed(path, tmp_path / "territory")
    case = UseCase.find("mobility")
    inputs, parameters = load(case, place), case.validate(territory=place)
    walk = mobility_steps.streets(inputs, parameters)
    plan = scenario.plan(inputs, walk, None, parameters)
    assert len(plan.closed) > 5
    shut = walk.edges["street"].isin(plan.closed).to_numpy(bool)
    flooded_m = gpd.read_parquet(path).length.sum()
    # whole streets are closed where a block is: never less than what stands in the water; 1 %
    # for pieces that the network leaves out
    assert walk.edges.length[shut].sum() > 0.99 * min(flooded_m, walk.edges.length.sum() / 2)
    left = without_edges(walk, shut)
    assert left.edges["forward_s"].notna().sum() < walk.edges["forward_s"].notna().sum()
