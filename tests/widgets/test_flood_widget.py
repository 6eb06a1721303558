"""The flood explorer without a browser: its numbers are the model's, on large grids, too."""

import json
import time

import numpy as np
import pytest
from ldt_toolbox.flood import flooding, screening, steps, use_case
from ldt_toolbox.flood.coarse import coarse_ground
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.widgets import flood as widget
from ldt_toolbox.widgets.flood import SLIDERS, flood_explorer

# rasterio 1.4 multiplies affine transforms the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

CELLS = 53 * 48


@pytest.fixture(scope="module")
def parts():
    """Everything that the explorer is given, for a bundled territory."""
    case, place = UseCase.find("flood-risk"), Territory.find("east-london")
    inputs = load(case, place)
    parameters = case.validate({"monte_carlo_draws": 0, "snapshot_min": 0}, territory=place)
    ground = steps.lay(inputs, parameters)
    found = steps.screen(ground, parameters)
    return (
        inputs,
        ground,
        found,
        steps.rain(inputs, parameters),
        steps.town(inputs, parameters),
        (parameters),
    )


@pytest.fixture(scope="module")
def report(parts):
    """The table of scenarios that the use case makes of the same."""
    inputs, ground, found, rain, town, parameters = parts
    run = steps.event(inputs, ground, rain, parameters)
    hit = steps.hit(run, ground, town, parameters)
    measures = use_case.plan(inputs, ground, found, parameters)
    draws = use_case.uncertainty(inputs, ground, rain, measures, town, parameters)
    table, _ = use_case.compare(inputs, ground, rain, measures, run, hit, draws, town, parameters)
    return table.set_index("scenario")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("LDT_OFFLINE", "1")


def test_starts_with_today_and_agrees_with_the_report(parts, report):
    made = flood_explorer(*parts)
    assert made.flooded_ha == report.loc["today", "flooded_ha"]
    assert f"{report.loc['today', 'buildings']:.0f} buildings" in made.answer.value
    for name in SLIDERS:
        if name != "climate_factor":
            made.sliders[name].value = parts[-1][name]
    # the same arithmetic, so the same bits
    assert made.flooded_ha == report.loc["all", "flooded_ha"]
    made.sliders["climate_factor"].value = parts[-1].climate_factor
    assert made.flooded_ha == report.loc["climate_all", "flooded_ha"]


def test_stage_agrees_with_the_table_and_hides_the_measures(parts):
    made = flood_explorer(*parts)
    image = made.image.url
    made.mode.value = "stage"
    _, ground, found, _, _, parameters = parts
    table = screening.stages(found, ground, parameters).set_index("stage_m")["area_ha"]
    for stage in parameters.stages_m:
        made.sliders["stage_m"].value = stage
        assert made.flooded_ha == table[stage]
    assert "never a hazard map" in made.answer.value
    assert made.image.url != image
    assert made.sliders["climate_factor"].layout.display == "none"
    assert made.sliders["stage_m"].layout.display is None
    made.mode.value = "event"
    assert made.image.url == image
    assert made.sliders["stage_m"].layout.display == "none"


def test_a_large_grid_is_shown_on_larger_cells(parts, monkeypatch):
    monkeypatch.setattr(widget, "MOST_CELLS", CELLS / 4)
    made = flood_explorer(*parts)
    assert "cells of 47.4 m" in made.children[-1].value
    assert "than those of the report (23.7 m)" in made.children[-1].value
    _, ground, found, rain, town, parameters = parts
    large = coarse_ground(ground, 2)
    run = flooding.flood(large.setup, rain.event, parameters)
    assert made.flooded_ha == steps.hit(run, large, town, parameters).totals()["flooded_ha"]
    before, image = made.flooded_ha, made.image.url
    made.sliders["climate_factor"].value = 2.0
    assert made.flooded_ha > before
    assert made.image.url != image
    made.mode.value = "stage"
    made.sliders["stage_m"].value = 2.0
    table = screening.stages(found, ground, parameters).set_index("stage_m")["area_ha"]
    assert made.flooded_ha == table[2.0], "of the terrain's own cells"


def test_answers_fast_enough_to_play_with(parts):
    made = flood_explorer(*parts)
    start = time.process_time()
    made.sliders["basin_count"].value = 5
    # processor time, so that a busy machine does not matter: measured 0.4 s
    assert time.process_time() - start < 2


def test_map_holds_image_outlines_and_no_tiles_and_is_light(parts):
    made = flood_explorer(*parts)
    drawn = next(child for child in made.children if hasattr(child, "layers"))
    kinds = [type(layer).__name__ for layer in drawn.layers]
    assert kinds == [
        "ImageOverlay",
        "GeoJSON",
        "GeoJSON",
    ]
    weight = len(made.image.url) + sum(
        len(json.dumps(layer.data)) for layer in drawn.layers if hasattr(layer, "data")
    )
    assert weight < 1_000_000


def test_french(parts):
    made = flood_explorer(*parts, language="fr")
    assert "bâtiments touchés" in made.answer.value
    assert f"{made.flooded_ha:.1f}".replace(".", ",") in made.answer.value
    assert "mailles de 23,7 m" in made.children[-1].value
    assert np.isfinite(made.flooded_ha)
