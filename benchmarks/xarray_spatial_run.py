"""Runs in xarray-spatial's own environment: waits for a line, times one sky view, says how long.

Usage: python xarray_spatial_run.py HEIGHTS.npy CELL_SIZE_M RADIUS_CELLS DIRECTIONS OUT.npy
"""

import importlib.metadata
import json
import sys
import time

import numpy as np
import xarray as xr
from xrspatial.sky_view_factor import sky_view_factor


def main():
    source, cell_size, radius, directions, target = sys.argv[1:]
    heights = xr.DataArray(np.load(source), dims=("y", "x"))
    cell = float(cell_size)
    options = {
        "max_radius": int(radius),
        "n_directions": int(directions),
        "cellsize_x": cell,
        "cellsize_y": cell,
    }
    sky_view_factor(heights[:50, :50], **options)  # compiles
    for _ in sys.stdin:
        started = time.perf_counter()
        result = sky_view_factor(heights, **options)
        seconds = time.perf_counter() - started
        np.save(target, result.to_numpy())
        version = importlib.metadata.version("xarray-spatial")
        print(json.dumps({"seconds": seconds, "version": version}), flush=True)


if __name__ == "__main__":
    main()
