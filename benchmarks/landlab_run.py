"""Runs in landlab's own environment: says when it is ready; times a simulation at each line.

Usage: python landlab_run.py INPUT.npz OUT.npy (made by rain_on_grid.py)
"""

import importlib.metadata
import json
import sys
import time

import numpy as np
from landlab import RasterModelGrid
from landlab.components import OverlandFlow


def simulate(case):
    bed = case["bed"][::-1]  # its rows go north
    grid = RasterModelGrid(bed.shape, xy_spacing=float(case["cell_m"]))
    grid.add_field("topographic__elevation", bed.astype(float).ravel(), at="node")
    depth = grid.add_zeros("surface_water__depth", at="node")
    depth += 1e-12
    grid.set_closed_boundaries_at_grid_edges(True, True, False, True)  # open in the west
    flow = OverlandFlow(
        grid,
        mannings_n=float(case["manning_n"]),
        theta=0.9,
        alpha=0.7,
        rainfall_intensity=float(case["rain_mm_h"]) / 3.6e6,
    )
    now, rain_s, duration_s = 0.0, float(case["rain_s"]), float(case["duration_s"])
    started = time.perf_counter()
    while now < duration_s:
        stop = rain_s if now < rain_s else duration_s
        if now >= rain_s:
            flow.rainfall_intensity = 0.0
        step = min(flow.calc_time_step(), 5.0, stop - now)
        flow.overland_flow(dt=step)
        now += step
    seconds = time.perf_counter() - started
    return seconds, depth.reshape(bed.shape)[::-1]


def main():
    source, target = sys.argv[1:]
    case = np.load(source)
    version = importlib.metadata.version("landlab")
    print("ready", flush=True)  # nobody is timed while another one loads
    for _ in sys.stdin:
        seconds, depth = simulate(case)
        np.save(target, depth)
        print(json.dumps({"seconds": seconds, "version": version}), flush=True)


if __name__ == "__main__":
    main()
