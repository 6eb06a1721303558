"""The compiled part of exact zonal statistics: areas of polygons in cells.

Coordinates are in cells: x the column, y the row. A ring's edge from (x0, y0) to (x1, y1) adds
``y1 - y0`` to the running sum of each row it crosses, split between the cell it crosses and the
next by the mean x within the cell. Rings of holes go the other way round, whatever their order.
"""

import math

import numba
import numpy as np

# A wide polygon is taken in bands of rows, so that the memory of a thread stays below 8 MB.
BAND_CELLS = 1_000_000
# Rounding of coordinates leaves up to 1e-12 of a cell where an edge runs along a border.
TRACE = 1e-9


@numba.njit(cache=True, nogil=True)
def _add_row(band, row, x0, x1, dy):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add a piece of an edge that stays within one row and within the columns of the band."""
    last = band.shape[1] - 2
    if x0 > x1:
        x0, x1 = x1, x0  # the sign of dy says which side is inside; x only says where
    j0 = min(int(x0), last)
    j1 = min(int(x1), last)
    if j0 == j1:
        right = dy * (0.5 * (x0 + x1) - j0)
        band[row, j0] += dy - right
        band[row, j0 + 1] += right
        return
    slope = dy / (x1 - x0)
    x = x0
    for j in range(j0, j1 + 1):
        end = min(x1, j + 1.0)
        piece = slope * (end - x)
        right = piece * (0.5 * (x + end) - j)
        band[row, j] += piece - right
        band[row, j + 1] += right
        x = end


@numba.njit(cache=True, nogil=True)
def _add_inside(band, x0, y0, x1, y1, sign):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add an edge that lies wholly within the band."""
    if y0 == y1:
        return
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -sign
    rows = band.shape[0]
    first = min(int(y0), rows - 1)
    last = min(int(y1), rows - 1)
    if first == last:
        _add_row(band, first, x0, x1, sign * (y1 - y0))
        return
    slope = (x1 - x0) / (y1 - y0)
    low, high = min(x0, x1), max(x0, x1)
    x, y = x0, y0
    for row in range(first, last + 1):
        if y1 <= row + 1.0:
            end_y, end_x = y1, x1
        else:
            end_y = row + 1.0
            end_x = min(max(x0 + slope * (end_y - y0), low), high)
        if end_y > y:
            _add_row(band, row, x, end_x, sign * (end_y - y))
        x, y = end_x, end_y


@numba.njit(cache=True, nogil=True)
def _add_edge(band, x0, y0, x1, y1, sign):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Clip an edge to the band; what lies left of it still counts for all of the row."""
    height, width = float(band.shape[0]), float(band.shape[1] - 1)
    if (y0 <= 0 and y1 <= 0) or (y0 >= height and y1 >= height) or (x0 >= width and x1 >= width):
        return
    dx, dy = x1 - x0, y1 - y0
    if dy == 0:
        return
    if y0 < 0:
        x0, y0 = x0 - dx * y0 / dy, 0.0
    elif y0 > height:
        x0, y0 = x0 + dx * (height - y0) / dy, height
    if y1 < 0:
        x1, y1 = x1 - dx * y1 / dy, 0.0
    elif y1 > height:
        x1, y1 = x1 + dx * (height - y1) / dy, height
    if min(x0, x1) >= 0 and max(x0, x1) <= width:
        _add_inside(band, x0, y0, x1, y1, sign)
        return
    if max(x0, x1) <= 0:
        _add_inside(band, 0.0, y0, 0.0, y1, sign)
        return
    # crosses the left or the right border: cut there, the outer pieces become upright
    slope = dy / dx
    left = min(max(y0 + slope * (0.0 - x0), min(y0, y1)), max(y0, y1))
    right = min(max(y0 + slope * (width - x0), min(y0, y1)), max(y0, y1))
    a_x, a_y, b_x, b_y = x0, y0, x1, y1
    if x0 < 0:
        _add_inside(band, 0.0, y0, 0.0, left, sign)
        a_x, a_y = 0.0, left
    elif x0 > width:
        a_x, a_y = width, right
    if x1 < 0:
        _add_inside(band, 0.0, left, 0.0, y1, sign)
        b_x, b_y = 0.0, left
    elif x1 > width:
        b_x, b_y = width, right
    if max(a_x, b_x) > 0 and min(a_x, b_x) < width:
        _add_inside(band, a_x, a_y, b_x, b_y, sign)


@numba.njit(cache=True, nogil=True)
def _ring_area(xy, first, last):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Signed area of a closed ring, in cells, about its first corner."""
    area = 0.0
    ox, oy = xy[first, 0], xy[first, 1]
    for k in range(first, last - 1):
        area += (xy[k, 0] - ox) * (xy[k + 1, 1] - oy) - (xy[k + 1, 0] - ox) * (xy[k, 1] - oy)
    return 0.5 * area


@numba.njit(cache=True, nogil=True)
def _outline(xy, rings, parts, first, last, grid_rows, grid_columns):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Area of a polygon in cells, and the window of the grid in which it lies."""
    area = 0.0
    west, east, top, bottom = math.inf, -math.inf, math.inf, -math.inf
    for part in range(first, last):
        for ring in range(parts[part], parts[part + 1]):
            piece = abs(_ring_area(xy, rings[ring], rings[ring + 1]))
            area += piece if ring == parts[part] else -piece
            if ring == parts[part]:
                for k in range(rings[ring], rings[ring + 1]):
                    west, east = min(west, xy[k, 0]), max(east, xy[k, 0])
                    top, bottom = min(top, xy[k, 1]), max(bottom, xy[k, 1])
    if not (east > 0 and bottom > 0 and west < grid_columns and top < grid_rows):
        return area, 0, 0, 0, 0
    row0, column0 = int(max(0.0, math.floor(top))), int(max(0.0, math.floor(west)))
    row1 = int(min(float(grid_rows), math.ceil(bottom)))
    column1 = int(min(float(grid_columns), math.ceil(east)))
    return area, row0, max(row1, row0 + 1), column0, max(column1, column0 + 1)


@numba.njit(cache=True, nogil=True)
def _cover(xy, rings, parts, first, last, row0, column0, height, width, scratch):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Covered share of each cell of a band, in the scratch buffer; its last column is spare."""
    band = scratch[: height * width].reshape(height, width)
    band[:] = 0.0
    for part in range(first, last):
        for ring in range(parts[part], parts[part + 1]):
            start, end = rings[ring], rings[ring + 1]
            # rows count downwards: a positive area means that rising y adds on its left
            positive = _ring_area(xy, start, end) > 0
            sign = 1.0 if positive != (ring == parts[part]) else -1.0
            for k in range(start, end - 1):
                _add_edge(
                    band, xy[k, 0] - column0, xy[k, 1] - row0,
                    xy[k + 1, 0] - column0, xy[k + 1, 1] - row0, sign,
                )  # fmt: skip
    rows, columns = band.shape
    for i in range(rows):
        total = 0.0
        for j in range(columns):
            total += band[i, j]
            band[i, j] = min(max(total, 0.0), 1.0)
    return band


@numba.njit(cache=True, nogil=True)
def _room(scratch, rows, columns):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Give a buffer that is large enough, the old one if it will do."""
    return scratch if scratch.size >= rows * columns else np.empty(rows * columns, np.float64)


@numba.njit(cache=True, nogil=True)
def summarise(xy, rings, parts, wholes, values, limits, first, last, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Cells, area, sum, min, max and cells above each limit of polygons ``first`` to ``last``."""
    grid_rows, grid_columns = values.shape
    scratch = np.empty(4096, np.float64)
    for p in range(first, last):
        area, row0, row1, column0, column1 = _outline(
            xy, rings, parts, wholes[p], wholes[p + 1], grid_rows, grid_columns
        )
        out[p, :] = 0.0
        out[p, 1] = area
        cells, total, low, high = 0.0, 0.0, np.inf, -np.inf
        trace = min(TRACE, 1e-3 * area)
        width = column1 - column0 + 1
        step = max(1, BAND_CELLS // width)
        scratch = _room(scratch, min(step, row1 - row0), width)
        for top in range(row0, row1, step):
            height = min(step, row1 - top)
            band = _cover(
                xy, rings, parts, wholes[p], wholes[p + 1], top, column0, height, width, scratch
            )
            for i in range(height):
                for j in range(width - 1):
                    share = band[i, j]
                    value = values[top + i, column0 + j]
                    if share <= trace or value != value:
                        continue
                    cells += share
                    total += share * value
                    low, high = min(low, value), max(high, value)
                    for k in range(limits.size):
                        if value > limits[k]:
                            out[p, 5 + k] += share
        out[p, 0], out[p, 2] = cells, total
        out[p, 3] = low if cells > 0 else np.nan
        out[p, 4] = high if cells > 0 else np.nan


@numba.njit(cache=True, nogil=True)
def list_cells(  # type: ignore[no-untyped-def]  # pragma: no cover
    xy, rings, parts, wholes, grid_rows, grid_columns, first, last, ends, cells, shares
):
    """Write the covered cells of polygons ``first`` to ``last`` where ``ends`` says.

    With no room in ``cells`` they are only counted, into ``ends[polygon + 1]``.
    """
    scratch = np.empty(4096, np.float64)
    counting = cells.size == 0
    for p in range(first, last):
        area, row0, row1, column0, column1 = _outline(
            xy, rings, parts, wholes[p], wholes[p + 1], grid_rows, grid_columns
        )
        trace = min(TRACE, 1e-3 * area)
        width = column1 - column0 + 1
        step = max(1, BAND_CELLS // width)
        scratch = _room(scratch, min(step, row1 - row0), width)
        at = 0 if counting else ends[p]
        for top in range(row0, row1, step):
            height = min(step, row1 - top)
            band = _cover(
                xy, rings, parts, wholes[p], wholes[p + 1], top, column0, height, width, scratch
            )
            for place in range(height * width):
                i, j = place // width, place % width
                if j == width - 1 or band[i, j] <= trace:
                    continue
                if not counting:
                    cells[at] = (top + i) * grid_columns + column0 + j
                    shares[at] = band[i, j]
                at += 1
        if counting:
            ends[p + 1] = at
