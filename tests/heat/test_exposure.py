import importlib.util
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError
from ldt_toolbox.heat.exposure import (
    at_buildings,
    at_points,
    sensitive_sites,
    spread_weight,
    weighted_mean,
    weighted_quantile,
    weighted_share,
)

_spec = importlib.util.spec_from_file_location("town", Path(__file__).with_name("town.py"))
T = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(T)
GROUND = T.town()
PAIRS = st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), min_size=1, max_size=30)
HUNDREDTHS = st.integers(0, 100)


def test_a_constant_field_is_the_constant_at_every_building() -> None:
    field = np.full(GROUND.grid.shape, 21.5, np.float32)
    np.testing.assert_array_equal(at_buildings(field, GROUND), [21.5, 21.5, 21.5])


def test_a_plane_is_its_value_at_the_middle_of_each_building() -> None:
    rows, columns = np.mgrid[0 : GROUND.grid.shape[0], 0 : GROUND.grid.shape[1]]
    west, _, _, north = GROUND.grid.bounds
    x = west + (columns + 0.5) * T.CELL_M - T.X
    y = north - (rows + 0.5) * T.CELL_M - T.Y
    found = at_buildings((x + 3 * y).astype(np.float32), GROUND)
    # the houses lie on whole cells: the mean of a plane is its value at the centroid
    np.testing.assert_allclose(found, [10 + 30, 45 + 15, 85 + 15], rtol=1e-6)


def test_gaps_are_left_out_and_small_houses_take_their_cell() -> None:
    field = np.arange(GROUND.grid.values.size, dtype=np.float32).reshape(GROUND.grid.shape)
    rows, columns, _ = GROUND.grid.cells_at(T.X + np.array([2.0]), T.Y + np.array([2.0]))
    gap = field.copy()
    gap[rows, columns] = np.nan
    rest = [field[rows - i, columns + j].item() for i in range(4) for j in range(4) if i or j]
    assert at_buildings(gap, GROUND)[0] == pytest.approx(np.mean(rest))
    hut = T.at(60.1, 60.1, 60.3, 60.3)  # no centre of a fine cell lies in it
    far = T.at(5000, 5000, 5010, 5010)
    ground = replace(GROUND, buildings=T.frame([*GROUND.buildings.geometry, hut, far]))
    found = at_buildings(field, ground)
    expected = at_points(field, ground, [T.X + 60.2], [T.Y + 60.2])
    assert found[3] == expected[0]
    assert np.isnan(found[4])
    assert np.isnan(at_points(field, ground, [T.X - 1e4], [T.Y])).all()


def test_weight_is_kept_when_it_is_spread() -> None:
    weight = np.array([1600.0, 400.0, 123.4])
    spread = spread_weight(weight, GROUND)
    assert spread.shape == GROUND.grid.shape
    assert spread.sum(dtype=float) == pytest.approx(weight.sum(), rel=1e-6)  # float32
    assert (spread >= 0).all()
    rows, columns, _ = GROUND.grid.cells_at([T.X + 10.0], [T.Y + 10.0])
    assert spread[rows, columns] == pytest.approx(1600 / 16)  # 16 cells of 25 m2


@given(PAIRS, HUNDREDTHS)
def test_a_quantile_is_that_of_the_values_repeated_by_weight(
    pairs: list[tuple[int, int]], hundredths: int
) -> None:
    repeated = sorted(v for v, w in pairs for _ in range(w))
    share = Fraction(hundredths, 100)
    expected = next(
        v for k, v in enumerate(repeated, start=1) if Fraction(k, len(repeated)) >= share
    )
    values, weights = zip(*pairs, strict=True)
    assert weighted_quantile(values, weights, hundredths / 100) == expected


@given(PAIRS, st.integers(-6, 6))
def test_mean_and_share_are_those_of_the_values_repeated(
    pairs: list[tuple[int, int]], threshold: int
) -> None:
    repeated = [v for v, w in pairs for _ in range(w)]
    values, weights = zip(*pairs, strict=True)
    assert weighted_mean(values, weights) == pytest.approx(np.mean(repeated), abs=1e-12)
    share = sum(v >= threshold for v in repeated) / len(repeated)
    assert weighted_share(values, weights, at_least=threshold) == pytest.approx(share, abs=1e-12)


def test_what_is_unknown_or_weighs_nothing_does_not_count() -> None:
    values, weights = [1.0, np.nan, 5.0, 9.0, 7.0], [1, 50, 1, 0, np.nan]
    assert weighted_mean(values, weights) == 3
    assert weighted_quantile(values, weights, 1) == 5
    assert weighted_share(values, weights, at_least=5) == 0.5
    for call in (weighted_mean, lambda v, w: weighted_quantile(v, w, 0.5)):
        with pytest.raises(DataError, match="nothing to weigh"):
            call([np.nan, 1.0], [1, 0])


def test_sensitive_sites_are_sorted_hottest_first() -> None:
    amenities = pd.DataFrame(
        {"class": ["school", "bar", "hospital", "school", "school"],
         "name": ["B", "x", None, "A", "far"]}
    )  # fmt: skip
    sites = sensitive_sites(
        amenities, np.array([1.0, 9.0, 2.0, 1.0, np.nan]), classes=("school", "hospital")
    )
    assert sites.to_dict("list") == {
        "name": ["", "A", "B"], "class": ["hospital", "school", "school"],
        "anomaly_k": [2.0, 1.0, 1.0],
    }  # fmt: skip
    nameless = sensitive_sites(amenities[["class"]], np.arange(5.0), classes=("bar",))
    assert nameless["name"].tolist() == [""]
