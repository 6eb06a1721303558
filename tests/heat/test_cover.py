import importlib.util
from pathlib import Path

import numpy as np
import pytest
from ldt_toolbox.heat.cover import NAMES, cover_of
from ldt_toolbox.heat.surface_classes import BUILDING, GRASS, PAVED, SURFACES, TREE, table
from ldt_toolbox.space.paint import block_mean

_spec = importlib.util.spec_from_file_location("town", Path(__file__).with_name("town.py"))
T = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(T)


@pytest.fixture(scope="module")
def ground():
    return T.town()


def test_tables_follow_the_codes() -> None:
    for name in NAMES:
        values = table(name)
        assert values.shape == (8,)
        for code, surface in SURFACES.items():
            assert values[code] == np.float32(getattr(surface, name))
            assert 0 <= values[code] <= 1


def test_the_mean_over_the_town_is_that_of_its_areas(ground) -> None:
    cover = cover_of(ground)
    for name in NAMES:
        model = getattr(cover, name)
        assert model.shape == ground.grid.shape
        # the town's edges lie on edges of cells: each cell is inside or outside as a whole
        codes = ground.classes[ground.domain]
        expected = np.mean([getattr(SURFACES[code], name) for code in codes])
        assert np.nanmean(model, dtype=float) == pytest.approx(expected, abs=1e-6)
        np.testing.assert_array_equal(
            np.isnan(model), block_mean(ground.domain.astype(np.uint8), ground.factor) == 0
        )


def test_cells_of_one_class_have_its_values(ground) -> None:
    cover = cover_of(ground)
    rows, columns, _ = ground.grid.cells_at([T.X + 10.0, T.X + 40.0], [T.Y + 10.0, T.Y + 90.0])
    for name in NAMES:
        values = getattr(cover, name)[rows, columns]
        expected = [getattr(SURFACES[code], name) for code in (BUILDING, PAVED)]
        np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_blend_mixes_all_properties_in_its_cells_only(ground, share: float) -> None:
    today = cover_of(ground)
    mask = (ground.classes == PAVED) & ground.land
    mixed = cover_of(ground, blend=(mask, share, GRASS))
    part = block_mean(mask.astype(np.uint8), ground.factor)
    for name in NAMES:
        step = share * (getattr(SURFACES[GRASS], name) - getattr(SURFACES[PAVED], name))
        before, after = getattr(today, name), getattr(mixed, name)
        np.testing.assert_allclose(after, before + part * np.float32(step), atol=1e-6)
        np.testing.assert_array_equal(after[part == 0], before[part == 0])
    assert (part > 0).any()


def test_another_albedo_or_class_changes_what_it_names(ground) -> None:
    today = cover_of(ground)
    albedo = table("albedo").copy()
    albedo[BUILDING] = 0.9
    white = cover_of(ground, albedo=albedo)
    roofs = block_mean((ground.classes == BUILDING).astype(np.uint8), ground.factor)
    np.testing.assert_allclose(
        white.albedo, today.albedo + roofs * np.float32(0.7), atol=1e-6, equal_nan=True
    )
    for name in ("shade", "kc", "green"):
        np.testing.assert_array_equal(getattr(white, name), getattr(today, name))
    forest = cover_of(ground, classes=np.full_like(ground.classes, TREE))
    assert np.nanmin(forest.shade) == np.nanmax(forest.shade) == 1
    np.testing.assert_array_equal(ground.classes, T.town().classes)  # the ground is not touched
