import importlib.util
from pathlib import Path

import numpy as np
import pytest
import shapely
from ldt_toolbox.heat.places import candidate_places, planting_points, rank_places
from shapely.geometry import MultiLineString, Polygon

_spec = importlib.util.spec_from_file_location("town", Path(__file__).with_name("town.py"))
T = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(T)


def test_candidates_are_named_streets_in_the_open_and_large_lots() -> None:
    ground = T.town()
    places = candidate_places(ground, T.streets())
    # no tunnel, no street without a name
    assert places[["name", "kind"]].to_numpy().tolist() == [
        ["Main Street [p]", "lot"],
        ["Main Street", "street"],
    ]
    assert places["length_m"].tolist() == [0, 100]
    np.testing.assert_allclose(places.area, [400, 1000])
    assert places.crs == T.GRID


def test_pieces_of_a_street_are_one_place_and_short_ones_none() -> None:
    streets = T.frame(
        [T.line((0, 30), (30, 30)), T.line((30, 30), (60, 30)), T.line((0, 50), (39, 50)),
         T.line((0, 60), (90, 60)), T.line((0, 65), (90, 65))],
        name=["Long", "Long", "Short", "", "  "], **{"class": ["residential"] * 5},
    )  # fmt: skip
    places = candidate_places(T.town(land_cover=None), streets)
    assert places["name"].tolist() == ["Long"]
    assert places["length_m"].tolist() == [60]
    np.testing.assert_allclose(places.area, [60 * 8])


def test_lots_take_their_own_name_and_small_ones_none() -> None:
    cover = T.frame(
        [T.at(0, 60, 20, 80), T.at(30, 60, 50, 80), T.at(60, 60, 72, 72)],
        **{"class": ["paved", "construction", "paved"]},
        name=["Market", None, "Nook"],
    )
    places = candidate_places(T.town(land_cover=cover), None)
    assert places["name"].tolist() == ["Market", "lot [1]"]
    # else a lot goes by the nearest street that one can walk along
    by_street = candidate_places(T.town(land_cover=cover), T.streets())
    assert by_street["name"].tolist() == ["Main Street [1]", "Market", "Main Street"]


def test_places_are_ranked_by_what_a_square_metre_brings() -> None:
    ground = T.town()
    places = candidate_places(ground, T.streets())
    gain = np.zeros(ground.grid.shape, np.float32)
    rows, columns, _ = ground.grid.cells_at([T.X + 40.0], [T.Y + 90.0])
    gain[: rows[0] + 3] = 2.0  # the north
    ranked = rank_places(places, gain, ground)
    assert ranked[["rank", "name"]].to_numpy().tolist() == [
        [1, "Main Street [p]"],
        [2, "Main Street"],
    ]
    assert ranked["gain_per_m2"].tolist() == [2.0, 0.0]
    assert ranked["plantable_m2"].tolist() == [400, 1000]
    assert ranked["total_gain"].tolist() == [800, 0]
    # ground that has a house, water or green on it cannot be planted; nor can unknown cells
    gain[:, columns[0]] = np.nan
    assert rank_places(places, gain, ground)["plantable_m2"].iloc[0] == 300


def test_without_places_the_ranking_is_empty() -> None:
    ground = T.town(land_cover=None)
    places = candidate_places(ground, None)
    assert len(places) == 0
    ranked = rank_places(places, np.zeros(ground.grid.shape, np.float32), ground)
    assert len(ranked) == 0
    assert {"rank", "gain_per_m2", "plantable_m2", "total_gain"} <= set(ranked.columns)
    points = planting_points(ranked, None, spacing_m=8)
    assert points.empty
    assert points.crs == T.GRID


@pytest.mark.parametrize("spacing", [4.0, 8.0, 30.0])
def test_trees_stand_at_their_distance_along_a_street(spacing: float) -> None:
    bent = T.line((0, 30), (50, 30), (50, 80))
    streets = T.frame([bent], name=["Bend"], **{"class": ["residential"]})
    places = candidate_places(T.town(land_cover=None), streets)
    points = planting_points(places, streets, spacing_m=spacing)
    assert len(points) == round(100 / spacing)
    along = [bent.project(p) for p in points]
    np.testing.assert_allclose(np.diff(along), spacing, rtol=1e-9)
    assert along[0] == pytest.approx(spacing / 2)
    assert points.distance(bent).max() < 1e-6


def test_only_chosen_streets_are_planted_and_tunnels_never() -> None:
    streets = T.frame(
        [T.line((0, 10), (48, 10)), T.line((0, 20), (48, 20)), T.line((0, 30), (48, 30))],
        name=["A", "B", "A"], tunnel=[None, None, "yes"], **{"class": ["residential"] * 3},
    )  # fmt: skip
    places = candidate_places(T.town(land_cover=None), streets)
    points = planting_points(places[places["name"] == "A"], streets, spacing_m=8)
    assert len(points) == 6
    assert (points.y == T.Y + 10).all()
    both = T.frame(
        [MultiLineString([streets.geometry[0], streets.geometry[1]])],
        name=["A"], **{"class": ["residential"]},
    )  # fmt: skip
    assert len(planting_points(places[places["name"] == "A"], both, spacing_m=8)) == 12


def test_trees_stand_on_a_square_grid_inside_a_lot() -> None:
    lot = Polygon([(T.X, T.Y), (T.X + 40, T.Y), (T.X, T.Y + 40)])
    places = T.frame([lot], name=["Triangle"], kind=["lot"])
    points = planting_points(places, None, spacing_m=8)
    assert shapely.contains(lot, points.to_numpy()).all()
    # a square of 5 x 5, of which the hypotenuse leaves the 10 below it
    assert len(points) == 10
    apart = [min(p.distance(q) for q in points if q is not p) for p in points]
    assert min(apart) == pytest.approx(8)
