"""Exact zonal statistics of 100,000 buildings on 5000 x 5000 cells: ours beside exactextract.

Both get the same polygons and the same array in memory and return, per building, the covered
cells, mean, sum, minimum and maximum as a table. exactextract runs with the faster of its two
strategies on this input. Compiling is left out on our side. Afterwards the covered cells and the
means are compared: the largest difference is printed, and the covered cells must agree to 1e-6 of
their number (exactextract keeps the share of a cell as a 32-bit float).

The goal is 10 times the speed of exactextract; the script ends with 1 if it is missed.

Run with ``python benchmarks/zonal.py [--buildings 100000] [--side 5000]``. exactextract comes with
the project's test extra.
"""

import argparse
import sys
import time
from statistics import median

import geopandas as gpd
import numpy as np
import peers
import shapely
from affine import Affine
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.space.zonal import coverage, zonal_statistics
from pyproj import CRS

GOAL = 10.0
OURS, OURS_1 = "ldt-toolbox", "ldt-toolbox, one thread"
OURS_RICH = "ldt-toolbox, also shares above 3 depths"
PEER = "exactextract, {}"
OPERATIONS = ["count", "mean", "sum", "min", "max"]


def made_up_buildings(count, side, cell_m):
    """Turned rectangles and L shapes of 5 to 40 m, a tenth with a courtyard."""
    rng = np.random.default_rng(0)
    size = rng.uniform(5, 40, (count, 2))
    corner = np.array([[0, 0], [1, 0], [1, 0.5], [0.5, 0.5], [0.5, 1], [0, 1], [0, 0]])
    square = np.array([[0, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0]])
    outline = np.where((rng.random(count) < 0.3)[:, None, None], corner, square)
    angle = rng.uniform(0, np.pi, count)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1)
    middle = rng.uniform(50, side * cell_m - 50, (count, 2))

    def placed(points):
        grown = (points - 0.5) * size[:, None, :]
        return np.einsum("nij,nkj->nki", turn.reshape(-1, 2, 2), grown) + middle[:, None, :]

    shells = placed(outline)
    yards = placed(np.broadcast_to(0.15 + 0.2 * square[::-1], outline.shape))
    rings = shapely.linearrings(shells)
    shapes = shapely.polygons(rings)
    yard = rng.random(count) < 0.1
    holes = shapely.linearrings(yards[yard])
    shapes[yard] = shapely.polygons(rings[yard], holes=holes[:, None])
    return gpd.GeoDataFrame(geometry=shapes, crs=32631)


def depths(side, cell_m):
    y, x = np.mgrid[:side, :side].astype("f4") / side
    values = np.maximum(0, np.sin(9 * x) + np.cos(7 * y)).astype("f4")
    values[: side // 20] = np.nan  # a strip that nobody surveyed
    transform = Affine(cell_m, 0, 0, 0, -cell_m, side * cell_m)
    return Raster(values, transform, CRS.from_epsg(32631), "m")


def timed(job):
    def run():
        started = time.perf_counter()
        run.result = job()
        return time.perf_counter() - started

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buildings", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=5000, help="cells")
    parser.add_argument("--cell-size", type=float, default=2.0, help="metres")
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    buildings = made_up_buildings(options.buildings, options.side, options.cell_size)
    raster = depths(options.side, options.cell_size)
    jobs = {
        OURS: timed(lambda: zonal_statistics(buildings, raster)),
        OURS_RICH: timed(lambda: zonal_statistics(buildings, raster, thresholds=(0.1, 0.3, 0.5))),
        OURS_1: timed(lambda: zonal_statistics(buildings, raster, threads=1)),
    }
    notes = []
    try:
        import exactextract
        from exactextract.raster import NumPyRasterSource
    except ImportError as reason:
        notes.append(f"exactextract skipped: {reason}")
    else:
        west, south, east, north = raster.bounds
        source = NumPyRasterSource(
            raster.values, west, south, east, north, nodata=np.nan, srs_wkt=raster.crs.to_wkt()
        )

        def theirs(strategy):
            return exactextract.exact_extract(
                source, buildings, OPERATIONS, strategy=strategy, output="pandas"
            )

        seconds = {}
        for strategy in ("feature-sequential", "raster-sequential"):
            seconds[strategy] = timed(lambda s=strategy: theirs(s))()
        best = min(seconds, key=seconds.get)
        peer = PEER.format(best)
        jobs[peer] = timed(lambda: theirs(best))
        notes += [f"exactextract {exactextract.__version__}"]
        notes += [f"one run each: {k} {v:.1f} s" for k, v in seconds.items()]
    seconds = peers.interleaved(jobs, options.repeats)
    missed = False
    if "peer" in locals():
        mine, other = jobs[OURS].result, jobs[peer].result
        known = mine["cells"].to_numpy() > 0
        ratio = other["count"].to_numpy(float)[known] / mine["cells"].to_numpy()[known]
        apart = np.abs(ratio - 1).max()
        means = np.abs(mine["mean"].to_numpy() - other["mean"].to_numpy(float))[known].max()
        notes.append(f"largest difference: covered cells {apart:.1e} (relative), mean {means:.1e}")
        missed = apart > 1e-6 or median(seconds[peer]) < GOAL * median(seconds[OURS])
    pairs = coverage(buildings, raster).nnz
    notes.append(f"{options.buildings} buildings cover {pairs} cells, whole or in part")
    title = f"Exact zonal statistics, {options.buildings} buildings, {options.side}^2 cells"
    peers.show(title, seconds, ours=OURS, notes=notes)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
