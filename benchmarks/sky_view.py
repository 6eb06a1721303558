"""Sky view factor of 1000 x 1000 cells: ours beside xarray-spatial.

Both look 200 m far along the same number of directions and get the same heights as an array in
memory. xarray-spatial walks every ray and returns 1 - mean sin(horizon) (Zaksek 2011); ours is the
radiative mean cos^2(horizon), so the numbers differ by definition and are not compared. Compiling
is left out on both sides.

The goals are 10 times the speed of xarray-spatial with 16 directions, and 2 s for 64; the script
ends with 1 if one is missed.

Run with ``python benchmarks/sky_view.py [--cell-size 1] [--side 1000]``.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peers
from ldt_toolbox.heat.sky_view import sky_view_factor

RADIUS_M = 200.0
GOAL, GOAL_64_S = 10.0, 2.0
OURS, OURS_64 = "ldt-toolbox, 16 directions", "ldt-toolbox, 64 directions"
PEER = "xarray-spatial, 16 directions"


def made_up_town(side):
    rng = np.random.default_rng(0)
    heights = np.zeros((side, side), np.float32)
    for row, column in rng.integers(0, side, (side * side // 700, 2)):
        deep, wide = rng.integers(5, 30, 2)
        heights[row : row + deep, column : column + wide] = rng.gamma(4, 4)
    y, x = np.mgrid[:side, :side].astype("f4") / side
    return heights + 30 * np.sin(3 * x) * np.cos(2 * y)  # on hills


def ours(heights, cell_size_m, directions):
    def job():
        started = time.perf_counter()
        sky_view_factor(heights, cell_size_m=cell_size_m, radius_m=RADIUS_M, directions=directions)
        return time.perf_counter() - started

    return job


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--cell-size", type=float, default=1.0, help="metres")
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    heights, cell = made_up_town(options.side), options.cell_size
    jobs = {
        OURS: ours(heights, cell, 16),
        OURS_64: ours(heights, cell, 64),
    }
    notes, server = [], None
    with tempfile.TemporaryDirectory() as folder:
        try:
            python = peers.install("xarray-spatial")
        except peers.PeerMissingError as reason:
            notes.append(f"xarray-spatial skipped: {reason}")
        else:
            np.save(Path(folder, "heights.npy"), heights)
            script = Path(__file__).with_name("xarray_spatial_run.py")
            command = [python, script, Path(folder, "heights.npy"), cell, round(RADIUS_M / cell)]
            command += [16, Path(folder, "sky.npy")]
            server = subprocess.Popen(
                [str(x) for x in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

            def peer():
                server.stdin.write("go\n")
                server.stdin.flush()
                answer = json.loads(server.stdout.readline())
                notes[:] = [f"xarray-spatial {answer['version']}"]
                return answer["seconds"]

            jobs[PEER] = peer
        seconds = peers.interleaved(jobs, options.repeats)
        if server:
            server.stdin.close()
            server.wait()
    side = options.side
    title = f"Sky view factor, {side} x {side} cells of {cell:g} m, radius {RADIUS_M:g} m"
    peers.show(title, seconds, ours=OURS, notes=notes)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    missed = middle[OURS_64] > GOAL_64_S
    if PEER in middle:
        missed |= middle[PEER] < GOAL * middle[OURS]
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
