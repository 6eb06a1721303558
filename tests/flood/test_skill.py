import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.skill import ExtentSkill, extent_skill, mark_skill, match_marks
from ldt_toolbox.space.raster import Raster
from pyproj import CRS

COUNTS = st.integers(0, 1000)
GRID = Affine(10, 0, 1000, 0, -10, 2000)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_scores_belong_together(hits: int, alarms: int, misses: int, dry: int) -> None:
    skill = ExtentSkill(hits, alarms, misses, dry)
    if hits == 0:
        assert not skill.critical_success_index > 0
        return
    csi, rate, far = skill.critical_success_index, skill.hit_rate, skill.false_alarm_ratio
    # Schaefer 1990: 1 / CSI = 1 / (1 - FAR) + 1 / POD - 1; bias = POD / (1 - FAR)
    assert 1 / csi == pytest.approx(1 / (1 - far) + 1 / rate - 1)
    assert skill.bias == pytest.approx(rate / (1 - far))
    assert csi <= min(rate, 1 - far) + 1e-12


@given(
    hnp.arrays(np.float64, (6, 7), elements=st.sampled_from([0.0, 0.05, 0.1, 0.2, 3.0, np.nan])),
    hnp.arrays(bool, (6, 7)),
)
def test_every_known_cell_is_counted_once(depth: np.ndarray, seen: np.ndarray) -> None:
    if np.isnan(depth).all():
        return
    skill = extent_skill(depth, seen)
    counted = skill.hits + skill.false_alarms + skill.misses + skill.both_dry
    assert counted == np.isfinite(depth).sum()
    assert skill.hits + skill.misses == seen[np.isfinite(depth)].sum()


def test_extent_by_hand() -> None:
    depth = np.array([[0.5, 0.5, 0.1], [0.0, np.nan, 2.0]])
    seen = np.array([[True, False, True], [False, True, True]])
    assert extent_skill(depth, seen) == ExtentSkill(2, 1, 1, 1)
    known = np.array([[True, True, True], [True, True, False]])
    assert extent_skill(depth, seen, known=known) == ExtentSkill(1, 1, 1, 1)
    assert extent_skill(depth, seen, wet_above_m=0.05) == ExtentSkill(3, 1, 0, 1)
    perfect = extent_skill(depth, depth > 0.1)
    assert (perfect.critical_success_index, perfect.bias, perfect.false_alarm_ratio) == (1, 1, 0)
    assert np.isnan(extent_skill(np.zeros((2, 2)), np.zeros((2, 2), bool)).hit_rate)


def test_marks_take_the_nearest_wet_cell_and_far_ones_stay_unmatched() -> None:
    depth = np.zeros((5, 6))
    depth[2, 3], depth[2, 4], depth[0, 0] = 1.5, 2.0, np.nan
    raster = Raster(depth, GRID, CRS.from_epsg(32631), "m")
    # centres of the wet cells: (1035, 1975) and (1045, 1975)
    marks = pd.DataFrame(
        {"x": [1026.0, 1045.0, 1005.0], "y": [1975.0, 1978.0, 1995.0], "observed": [1.2, 2.4, 1.0]},
        index=["m1", "m2", "m3"],
    )
    found = match_marks(marks, raster, radius_m=20)
    np.testing.assert_allclose(found["modelled"], [1.5, 2.0, np.nan])
    np.testing.assert_allclose(found["error"], [0.3, -0.4, np.nan], atol=1e-12)
    np.testing.assert_allclose(found["distance_m"], [9, 3, np.nan])
    skill = mark_skill(found)
    assert (skill.matched, skill.unmatched) == (2, 1)
    assert skill.rmse_m == pytest.approx(np.sqrt((0.09 + 0.16) / 2))
    assert skill.bias_m == pytest.approx(-0.05)
    assert skill.mean_absolute_m == pytest.approx(0.35)


def test_levels_need_their_own_wet_cells() -> None:
    level = np.full((3, 3), 52.0)
    wet = np.zeros((3, 3), bool)
    wet[2, 2] = True
    marks = pd.DataFrame({"x": [1005.0], "y": [1995.0], "observed": [52.5]})
    raster = Raster(level, GRID, CRS.from_epsg(32631), "m")
    assert match_marks(marks, raster, wet=wet, radius_m=30)["distance_m"][0] == pytest.approx(
        800**0.5
    )
    assert match_marks(marks, raster, wet=wet, radius_m=28)["modelled"].isna().all()


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(DataError, match="overlap"):
        extent_skill(np.full((2, 2), np.nan), np.ones((2, 2), bool))
    with pytest.raises(DataError, match="one grid"):
        extent_skill(np.zeros((2, 2)), np.ones((2, 3), bool))
    raster = Raster(np.zeros((3, 3)), GRID, CRS.from_epsg(32631))
    marks = pd.DataFrame({"x": [1005.0], "y": [1995.0], "observed": [1.0]})
    skill = mark_skill(match_marks(marks, raster))
    assert (skill.matched, skill.unmatched) == (0, 1)
    assert np.isnan(skill.rmse_m)
    with pytest.raises(DataError, match="radius"):
        match_marks(marks, raster, radius_m=0)
