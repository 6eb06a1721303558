import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import CRSError, DataError
from ldt_toolbox.space.raster import Raster
from pyproj import CRS

GRID = CRS.from_epsg(32632)
NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_000_000)


def test_bounds_and_cells_are_those_of_the_transform() -> None:
    raster = Raster(np.zeros((3, 5)), NORTH_UP, GRID)
    assert raster.shape == (3, 5)
    assert raster.cell_size_m == 10
    assert raster.bounds == (500_000, 4_999_970, 500_050, 5_000_000)


@given(st.lists(st.tuples(st.floats(-20, 70), st.floats(-50, 20)), min_size=1))
def test_points_fall_into_the_cell_that_holds_them(points: list[tuple[float, float]]) -> None:
    raster = Raster(np.zeros((3, 5)), NORTH_UP, GRID)
    x = 500_000 + np.array([p[0] for p in points])
    y = 5_000_000 + np.array([p[1] for p in points])
    rows, columns, inside = raster.cells_at(x, y)
    for k in range(len(points)):
        hits = [
            (i, j)
            for i in range(3)
            for j in range(5)
            if 10 * j <= x[k] - 500_000 < 10 * j + 10 and 10 * i <= 5_000_000 - y[k] < 10 * i + 10
        ]
        assert bool(hits) == inside[k]
        if hits:
            assert hits == [(rows[k], columns[k])]
    assert ((rows >= 0) & (rows < 3) & (columns >= 0) & (columns < 5)).all()


def test_points_without_a_place_are_outside() -> None:
    raster = Raster(np.zeros((3, 5)), NORTH_UP, GRID)
    assert not raster.cells_at([np.nan, np.inf], [5e6, 5e6])[2].any()


@pytest.mark.parametrize(
    ("transform", "part"),
    [
        (NORTH_UP @ Affine.rotation(5), "rotated"),
        (Affine(10, 0, 0, 0, 10, 0), "first row is the northernmost"),
        (Affine(-10, 0, 0, 0, -10, 0), "mirrored"),
    ],
)
def test_grids_that_are_not_north_up_are_refused(transform: Affine, part: str) -> None:
    with pytest.raises(DataError, match=part):
        Raster(np.zeros((2, 2)), transform, GRID)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(DataError, match="have 3: pick one band"):
        Raster(np.zeros((1, 2, 2)), NORTH_UP, GRID)
    raster = Raster(np.zeros((2, 2)), NORTH_UP, GRID, "m")
    with pytest.raises(DataError, match=r"shape \(3, 2\), the grid has \(2, 2\)"):
        raster.with_values(np.zeros((3, 2)))
    assert raster.with_values(np.ones((2, 2))).unit == "m"
    assert raster.with_values(np.ones((2, 2)), unit="K").unit == "K"


def test_metres_are_refused_where_there_are_none() -> None:
    degrees = Raster(np.zeros((2, 2)), Affine(0.1, 0, 7, 0, -0.1, 44), CRS.from_epsg(4326))
    with pytest.raises(CRSError, match=r"EPSG:4326 is geographic: reproject"):
        _ = degrees.cell_size_m
    oblong = Raster(np.zeros((2, 2)), Affine(10, 0, 0, 0, -5, 0), GRID)
    with pytest.raises(DataError, match="cells measure 10 x 5; square cells are needed"):
        _ = oblong.cell_size_m
