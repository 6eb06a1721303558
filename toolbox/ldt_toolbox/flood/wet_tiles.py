"""Which tiles of a grid can hold moving water: the work of a step goes there and nowhere else."""

import numba
import numpy as np
from numpy.typing import NDArray

TILE_ROWS, TILE_COLUMNS = 16, 64
# Water moves by one cell a step and tiles are widened by one tile, so nothing can leave the tiles
# before they are looked up again.
STEPS_PER_LOOKUP = 12


@numba.njit(cache=True)
def _alive(h, source, dry, r0, r1, c0, c1):  # type: ignore[no-untyped-def]  # pragma: no cover
    k = int(source.shape[0] > 1)
    for i in range(r0, r1):
        depth, fed = h[i], source[i * k]
        for j in range(c0, c1):
            if depth[j] > dry or fed[j] > 0 or (fed[j] < 0 and depth[j] > 0):
                return True
    return False


@numba.njit(cache=True)
def look_up(h, qx, qy, source, dry, active, forced, runs, counts):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Find the tiles to work on next; tiles that drop out lose their discharges.

    Parameters
    ----------
    h, qx, qy, source : arrays
        See ``inertial_step.step_together``.
    dry : float
        Depth below which water rests, m.
    active : bool array, shape (tile rows, tile columns)
        Tiles worked on so far; changed in place.
    forced : bool array, same shape
        Tiles to work on in any case.
    runs, counts : int arrays, shapes (tile rows, tile columns, 2) and (tile rows,)
        Changed in place: columns from and to (excluded) of each run of tiles of a row.

    Returns
    -------
    int
        Number of tiles to work on.
    """
    tall, wide = active.shape
    rows, columns = h.shape
    alive = np.zeros((tall, wide), np.bool_)
    for a in range(tall):
        for b in range(wide):
            if forced[a, b]:
                alive[a, b] = True
            elif active[a, b]:
                r1, c1 = min((a + 1) * TILE_ROWS, rows), min((b + 1) * TILE_COLUMNS, columns)
                alive[a, b] = _alive(h, source, dry, a * TILE_ROWS, r1, b * TILE_COLUMNS, c1)
    number = 0
    for a in range(tall):
        counts[a] = 0
        for b in range(wide):
            near = alive[max(a - 1, 0) : a + 2, max(b - 1, 0) : b + 2].any()
            r0, r1 = a * TILE_ROWS, min((a + 1) * TILE_ROWS, rows)
            c0, c1 = b * TILE_COLUMNS, min((b + 1) * TILE_COLUMNS, columns)
            if active[a, b] and not near:
                qx[r0:r1, c0:c1] = 0
                qy[r0:r1, c0:c1] = 0
            active[a, b] = near
            if not near:
                continue
            number += 1
            if counts[a] and runs[a, counts[a] - 1, 1] == c0:
                runs[a, counts[a] - 1, 1] = c1
            else:
                runs[a, counts[a], 0], runs[a, counts[a], 1] = c0, c1
                counts[a] += 1
    return number


def fed_tiles(source: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Tiles on which rain falls.

    Parameters
    ----------
    source : numpy.ndarray, shape (rows or 1, columns)
        Rain less losses.
    shape : tuple of int
        Rows and columns of the grid.

    Returns
    -------
    numpy.ndarray of bool, shape (tile rows, tile columns)
    """
    return tiles_of(np.broadcast_to(source > 0, shape))


def tiles_of(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tiles in which a cell is marked."""
    rows, columns = cells.shape
    padded = np.pad(cells, ((0, -rows % TILE_ROWS), (0, -columns % TILE_COLUMNS)))
    tall, wide = padded.shape[0] // TILE_ROWS, padded.shape[1] // TILE_COLUMNS
    blocks = padded.reshape(tall, TILE_ROWS, wide, TILE_COLUMNS)
    return np.asarray(blocks.any(axis=(1, 3)))


def bands(
    active: NDArray[np.bool_], rows: int, wanted: int, *, least_tiles: int = 40
) -> NDArray[np.int64]:
    """Cut the rows into bands of about equal work.

    Parameters
    ----------
    active : numpy.ndarray of bool, shape (tile rows, tile columns)
        Tiles to work on.
    rows : int
        Rows of the grid.
    wanted : int
        Number of bands, if there is enough to do.
    least_tiles : int
        Work that a band of its own has to be worth.

    Returns
    -------
    numpy.ndarray
        First row of each band, and `rows`.
    """
    work = np.cumsum(active.sum(axis=1))
    number = max(1, min(wanted, int(work[-1]) // least_tiles))
    cuts = {0, rows}
    for part in range(1, number):
        row = int(np.searchsorted(work, work[-1] * part / number) + 1) * TILE_ROWS
        if 2 <= row <= rows - 2:
            cuts.add(row)
    return np.array(sorted(cuts), np.int64)
