from collections import Counter

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ldt_toolbox.errors import DataError
from ldt_toolbox.space.paint import (
    block_majority,
    block_mean,
    grid_over,
    onto_grid,
    paint,
    refine,
)
from ldt_toolbox.space.raster import Raster
from pyproj import CRS
from shapely.geometry import Point, Polygon, box

GRID = CRS.from_epsg(32632)


def canvas(rows: int = 60, columns: int = 80, cell: float = 2.0) -> Raster:
    return Raster(np.zeros((rows, columns)), Affine(cell, 0, 0, 0, -cell, rows * cell), GRID)


@given(
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    st.floats(1, 500), st.floats(1, 500), st.floats(1, 50),
)  # fmt: skip
def test_a_grid_covers_its_bounds_with_corners_on_whole_cells(
    corner: tuple[float, float], width: float, height: float, cell: float
) -> None:
    west, south = corner
    grid = grid_over((west, south, west + width, south + height), crs=GRID, cell_size_m=cell)
    left, bottom, right, top = grid.bounds
    hair = 1e-9 * (1e4 + 500)  # of coordinates in doubles
    assert left <= west + hair
    assert bottom <= south + hair
    assert right >= west + width - hair
    assert top >= south + height - hair
    # no row or column more than it takes
    assert west - left < cell + hair
    assert top - (south + height) < cell + hair
    assert right - (west + width) < cell + hair
    assert south - bottom < cell + hair
    assert abs(left / cell - round(left / cell)) < 1e-6
    assert grid.cell_size_m == pytest.approx(cell)


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_a_refined_grid_has_the_same_extent(factor: int) -> None:
    grid = grid_over((3, 4, 50, 60), crs=GRID, cell_size_m=5)
    fine = refine(grid, factor)
    assert fine.shape == (grid.shape[0] * factor, grid.shape[1] * factor)
    assert fine.cell_size_m == pytest.approx(5 / factor, rel=1e-15)
    np.testing.assert_allclose(fine.bounds, grid.bounds, rtol=1e-14)


@given(
    st.lists(st.tuples(st.floats(10, 150), st.floats(10, 110)), min_size=3, max_size=9),
)
def test_a_painted_area_is_that_of_the_geometry(corners: list[tuple[float, float]]) -> None:
    shape = shapely.MultiPoint(corners).convex_hull
    if not isinstance(shape, Polygon):
        return
    grid = canvas()
    out = np.zeros(grid.shape, np.uint8)
    paint([(shape, 1)], grid, out=out)
    area = int(out.sum()) * grid.cell_size_m**2
    # a convex edge of length L passes at most 2 L / cell + 4 cells, each wrong by less than a cell
    crossed = 2 * shape.length / grid.cell_size_m + 4 * len(shape.exterior.coords)
    assert abs(area - shape.area) <= crossed * grid.cell_size_m**2
    # and every painted cell has its centre in the geometry
    rows, columns = np.nonzero(out)
    x = (columns + 0.5) * 2
    y = 120 - (rows + 0.5) * 2
    near = shapely.buffer(shape, 1e-6)
    assert shapely.contains_xy(near, x, y).all()


def test_the_last_shape_wins_and_the_rest_stays() -> None:
    grid = canvas(4, 4, 1)
    out = np.full(grid.shape, 9, np.int32)
    shapes = [(box(0, 0, 3, 3), 1), (box(1, 1, 4, 4), 2), (Polygon(), 3), (Point(0.5, 0.5), 4)]
    paint(shapes, grid, out=out)
    np.testing.assert_array_equal(out, [[9, 2, 2, 2], [1, 2, 2, 2], [1, 2, 2, 2], [4, 1, 1, 9]])
    before = out.copy()
    paint([], grid, out=out)
    np.testing.assert_array_equal(out, before)


def test_touched_cells_are_painted_on_request() -> None:
    grid = canvas(4, 4, 1)
    some, all_touched = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.uint8)
    sliver = box(0.1, 1.6, 3.9, 1.9)
    paint([(sliver, 1)], grid, out=some)
    paint([(sliver, 1)], grid, out=all_touched, all_touched=True)
    assert (int(some.sum()), int(all_touched.sum())) == (0, 4)


FLOATS = hnp.arrays(
    np.float32, st.tuples(st.sampled_from([6, 12]), st.sampled_from([6, 18])),
    elements=st.floats(-100, 100, width=32),
)  # fmt: skip


@given(FLOATS, st.sampled_from([1, 2, 3, 6]))
def test_block_means_keep_the_mean(values: np.ndarray, factor: int) -> None:
    blocks = block_mean(values, factor)
    assert blocks.shape == (values.shape[0] // factor, values.shape[1] // factor)
    # float32 holds 24 bits; sums stay below 100 in size
    assert abs(blocks.mean(dtype=float) - values.mean(dtype=float)) < 100 * 2**-23
    assert blocks.min() >= values.min() - 1e-5
    assert blocks.max() <= values.max() + 1e-5


@given(FLOATS, st.data())
def test_gaps_are_left_out_of_block_means(values: np.ndarray, data: st.DataObject) -> None:
    gaps = data.draw(hnp.arrays(bool, values.shape))
    values = np.where(gaps, np.nan, values)
    blocks = block_mean(values, 3)
    for i in range(blocks.shape[0]):
        for j in range(blocks.shape[1]):
            block = values[3 * i : 3 * i + 3, 3 * j : 3 * j + 3]
            known = [float(v) for v in block.ravel() if not np.isnan(v)]
            if known:
                assert abs(blocks[i, j] - sum(known) / len(known)) < 1e-4
            else:
                assert np.isnan(blocks[i, j])


@given(hnp.arrays(np.uint8, (6, 8), elements=st.integers(0, 4)), st.sampled_from([1, 2]))
def test_the_majority_is_that_of_plain_counting(values: np.ndarray, factor: int) -> None:
    found = block_majority(values, factor, classes=5)
    for i in range(6 // factor):
        for j in range(8 // factor):
            block = values[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
            counts = Counter(block.ravel().tolist())
            most = max(counts.values())
            assert found[i, j] == min(code for code, n in counts.items() if n == most)


def test_blocks_that_do_not_fit_are_refused() -> None:
    for call in (
        lambda: block_mean(np.zeros((5, 4)), 2),
        lambda: block_majority(np.zeros((4, 5), np.uint8), 2, classes=2),
    ):
        with pytest.raises(DataError, match="has no blocks of 2"):
            call()
    assert block_mean(np.array([[True, False], [True, True]]), 2)[0, 0] == 0.75


@pytest.mark.parametrize("nearest", [True, False])
def test_onto_the_same_grid_nothing_changes(nearest: bool) -> None:
    values = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    values[3, 4] = np.nan
    raster = Raster(values, Affine(5, 0, 100, 0, -5, 500), GRID)
    np.testing.assert_array_equal(onto_grid(raster, raster, nearest=nearest), values)


def test_beyond_a_raster_there_is_nothing_and_classes_stay() -> None:
    codes = Raster(
        np.array([[1, 2], [3, -1]], np.int32), Affine(10, 0, 0, 0, -10, 20), GRID, "class", -1
    )
    grid = Raster(np.zeros((6, 6)), Affine(5, 0, 0, 0, -5, 25), GRID)
    values = onto_grid(codes, grid, nearest=True)
    nan = np.nan
    np.testing.assert_array_equal(
        values,
        [[nan] * 6] + [[1, 1, 2, 2, nan, nan]] * 2 + [[3, 3, nan, nan, nan, nan]] * 2
        + [[nan] * 6],
    )  # fmt: skip


def test_a_plane_stays_a_plane_onto_a_finer_grid() -> None:
    rows, columns = np.mgrid[0:20, 0:20]
    coarse = Raster(
        (2.0 * columns - 3.0 * rows).astype(np.float32), Affine(10, 0, 0, 0, -10, 200), GRID
    )
    fine = refine(coarse, 4)
    values = onto_grid(coarse, fine)
    i, j = np.mgrid[0:80, 0:80]
    plane = 2.0 * ((j + 0.5) / 4 - 0.5) - 3.0 * ((i + 0.5) / 4 - 0.5)
    # half a coarse cell from the edge bilinear has both neighbours and is exact on a plane
    np.testing.assert_allclose(values[2:-2, 2:-2], plane[2:-2, 2:-2], atol=1e-4)
    assert np.isfinite(values).all()
