import importlib.util
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from ldt_toolbox.heat.cooling import urban_cooling_model
from ldt_toolbox.heat.cover import Cover, cover_of
from ldt_toolbox.heat.places import candidate_places, planting_points
from ldt_toolbox.heat.scenario import compare, measures, with_trees
from ldt_toolbox.heat.surface_classes import BUILDING, PAVED, SURFACES, TREE, WATER

_spec = importlib.util.spec_from_file_location("town", Path(__file__).with_name("town.py"))
T = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(T)
NOWHERE = gpd.GeoSeries([], crs=T.GRID)


@pytest.fixture(scope="module")
def ground():
    return T.town()


def model(cover: Cover) -> np.ndarray:
    return urban_cooling_model(
        cover.shade, cover.albedo, cover.kc, cover.green, cell_size_m=T.CELL_M,
        reference_temperature_c=20.0, uhi_max_k=3.0, cooling_distance_m=100.0,
        mixing_radius_m=30.0, minimum_green_area_ha=2.0,
    ).temperature_c  # fmt: skip


def plan(ground, points=NOWHERE, *, roofs: float = 0.0, albedo: float = 0.65, lots: float = 0.0):
    return measures(
        ground, points, crown_diameter_m=6.0, cool_roof_share=roofs, cool_roof_albedo=albedo,
        depave_share=lots,
    )  # fmt: skip


def table(ground, planned):
    today = model(cover_of(ground))
    weight = ground.buildings["floor_area_m2"].to_numpy()
    rows, change = compare(today, planned, model, ground, weight, et0_mm_day=5.0)
    return rows.set_index("measure"), change


def street_points(ground, spacing: float) -> gpd.GeoSeries:
    places = candidate_places(ground, T.streets())
    return planting_points(places[places["kind"] == "street"], T.streets(), spacing_m=spacing)


def test_nothing_done_changes_exactly_nothing(ground) -> None:
    rows, change = table(ground, plan(ground))
    assert rows.index.tolist() == ["trees", "cool_roofs", "depaving", "all"]
    assert (rows == 0).all(axis=None)
    assert np.nanmin(change) == np.nanmax(change) == 0


def test_trees_find_no_place_on_houses_water_or_under_crowns(ground) -> None:
    spots = {
        "house": (10, 10), "water": (90, 90), "lawn tree": (70, 50), "wood": (10, 90),
        "outside": (-3, 50), "far away": (9000, 9000), "street": (30, 30), "field": (30, 55),
    }  # fmt: skip
    points = gpd.GeoSeries([T.point(*xy) for xy in spots.values()], crs=T.GRID)
    classes, count = with_trees(ground, points, crown_diameter_m=6)
    assert count == 2
    grown = classes != ground.classes
    assert (classes[grown] == TREE).all()
    assert not np.isin(ground.classes[grown], (BUILDING, WATER, TREE)).any()
    assert ground.land[grown].all()
    # two crowns of 6 m: the 16-sided circle, within a ring of half cells
    crown = 9 * 16 / 2 * np.sin(2 * np.pi / 16)
    assert abs(float(grown.sum()) * 2.5**2 / 2 - crown) < 0.5 * 2.5 * 2 * np.pi * 3
    np.testing.assert_array_equal(ground.classes, T.town().classes)


def test_a_crown_over_a_wall_covers_the_ground_only(ground) -> None:
    beside = gpd.GeoSeries([T.point(21, 10)], crs=T.GRID)  # a metre from the house
    classes, count = with_trees(ground, beside, crown_diameter_m=10)
    assert count == 1
    np.testing.assert_array_equal(classes == BUILDING, ground.classes == BUILDING)
    assert (classes == TREE).sum() > (ground.classes == TREE).sum()


def test_areas_trees_and_water_add_up(ground) -> None:
    points = street_points(ground, 10)
    planned = plan(ground, points, roofs=0.3, lots=0.5)
    assert planned["cool_roofs"].treated_m2 == pytest.approx(0.3 * 600)
    assert planned["depaving"].treated_m2 == pytest.approx(0.5 * 400)
    grass, paved = SURFACES[6 - 2].kc, SURFACES[PAVED].kc
    assert planned["depaving"].extra_kc_m2 == pytest.approx(200 * (grass - paved))
    assert planned["trees"].trees == planned["all"].trees == len(points) == 10
    # the street lies clear of the lot: nothing is counted twice
    total = sum(planned[name].treated_m2 for name in ("trees", "cool_roofs", "depaving"))
    assert planned["all"].treated_m2 == pytest.approx(total)
    kc = planned["trees"].treated_m2 * (SURFACES[TREE].kc - paved)
    assert planned["trees"].extra_kc_m2 == pytest.approx(kc, rel=1e-6)  # float32 table
    rows, _ = table(ground, planned)
    # 5 mm a day on a square metre with the added crop coefficient, in m3
    assert rows.loc["trees", "water_m3_day"] == pytest.approx(kc * 5 / 1000, rel=1e-6)
    assert rows.loc["cool_roofs", "water_m3_day"] == 0


def test_trees_on_a_lot_leave_less_to_depave(ground) -> None:
    places = candidate_places(ground, None)
    points = planting_points(places, None, spacing_m=8)
    planned = plan(ground, points, lots=1.0)
    trees, lots = planned["trees"].treated_m2, planned["depaving"].treated_m2
    assert 0 < trees < lots == 400
    assert planned["all"].treated_m2 == pytest.approx(400)


@pytest.mark.parametrize("what", ["roofs", "lots"])
def test_more_share_cools_more(ground, what: str) -> None:
    changes = []
    for share in (0.0, 0.2, 0.5, 1.0):
        rows, change = table(ground, plan(ground, **{what: share}))
        changes.append(rows.loc["all", "mean_k"])
        assert np.nanmax(change) <= 1e-5  # nowhere warmer, to the last digit of float32 at 20 °C
    assert changes[0] == 0
    assert (np.diff(changes) < 0).all()


def test_more_trees_cool_more(ground) -> None:
    means = [
        table(ground, plan(ground, street_points(ground, s)))[0]["mean_k"] for s in (50, 20, 7)
    ]
    assert means[0]["trees"] < 0
    assert means[0]["trees"] > means[1]["trees"] > means[2]["trees"]


def test_a_darker_roof_warms(ground) -> None:
    rows, _ = table(ground, plan(ground, roofs=1.0, albedo=0.05))
    assert rows.loc["cool_roofs", "mean_k"] > 0
    assert rows.loc["cool_roofs", "degrees"] < 0


def test_the_summary_is_that_of_the_buildings(ground) -> None:
    rows, change = table(ground, plan(ground, roofs=1.0, lots=1.0))
    weight = ground.buildings["floor_area_m2"].to_numpy()
    from ldt_toolbox.heat.exposure import at_buildings

    each = at_buildings(change, ground)
    every = rows.loc["all"]
    assert every["mean_k"] == pytest.approx(np.average(each, weights=weight))
    assert every["degrees"] == pytest.approx(-float((each * weight).sum()))
    assert every["p05_k"] == each.min()
    assert every["p95_k"] == each.max()
    assert rows["mean_k"].min() == every["mean_k"]
