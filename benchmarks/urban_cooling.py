"""Urban cooling model on 2000 x 2000 cells: ours beside InVEST 3.19.

Timed, same city, in turn:

- InVEST: its public ``execute()``, from a land cover raster, an ET0 raster, a table and an area on
  disk to rasters on disk; imports left out. Its three convolutions are also timed on their own,
  with the block-wise files they work on.
- ours, files to files: read the land cover raster and the table's numbers, run the model, write
  the six rasters that InVEST writes, too.
- ours, arrays to arrays: ``urban_cooling_model`` alone.

The goal is 14 times the speed of InVEST, files to files on both sides; the script ends with 1 if
it is missed.

Run with ``python benchmarks/urban_cooling.py [--side 2000] [--cell-size 30]``.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import peers
import rasterio
from invest_inputs import random_city, read_results, write
from ldt_toolbox.heat.cooling import MINIMUM_GREEN_AREA_HA, urban_cooling_model

GOAL = 14.0
FILES, INVEST = "ldt-toolbox, files to files", "InVEST execute(), files to files"


def arrays_to_arrays(city):
    factors, options = city.factors(), city.options()

    def job():
        started = time.perf_counter()
        urban_cooling_model(*factors, **options)
        return time.perf_counter() - started

    return job


def files_to_files(city, inputs, outputs):
    outputs.mkdir()

    def save(path, values, profile):
        with rasterio.open(path, "w", **profile) as file:
            file.write(values, 1)

    def job():
        started = time.perf_counter()
        with rasterio.open(inputs / "lulc.tif") as file:
            cover, profile = file.read(1), file.profile
        result = urban_cooling_model(*replace(city, cover=cover).factors(), **city.options())
        profile |= {"dtype": "float32", "nodata": np.nan, "compress": "zstd", "zstd_level": 1}
        with ThreadPoolExecutor(2) as pool:
            names = [field.name for field in fields(result)]
            jobs = [
                pool.submit(save, outputs / f"{name}.tif", getattr(result, name), profile)
                for name in names
            ]
            for submitted in jobs:
                submitted.result()
        return time.perf_counter() - started

    return job


def invest(python, inputs, workspace, seen):
    script = Path(__file__).with_name("invest_run.py")

    def job():
        shutil.rmtree(workspace, ignore_errors=True)
        command = [str(x) for x in (python, script, inputs, workspace)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise peers.PeerMissingError(f"InVEST failed: {done.stderr[-800:]}")
        seen.append(json.loads(done.stdout.splitlines()[-1]))
        return seen[-1]["seconds"]

    return job


def differences(city, workspace):
    ours, theirs = urban_cooling_model(*city.factors(), **city.options()), read_results(workspace)
    clear = np.abs(ours.green_area_ha - MINIMUM_GREEN_AREA_HA) > 1e-3
    notes = []
    for name in ("cc", "cc_park", "hm", "temperature_c"):
        gap = np.abs(getattr(ours, name) - theirs[name])
        if name == "hm":
            ties = np.count_nonzero(~clear & (gap > 1e-5))
            notes.append(f"hm: {ties} cells with exactly 2 ha fall on the other side in InVEST")
            gap = gap[clear]
        notes.append(f"largest difference of {name}: {np.nanmax(gap):.1e}")
    return notes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=2000)
    parser.add_argument("--cell-size", type=float, default=30.0, help="metres")
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    city = random_city(options.side, cell_size_m=options.cell_size, missing=True)
    with tempfile.TemporaryDirectory() as folder:
        inputs, workspace, seen = Path(folder, "in"), Path(folder, "invest"), []
        write(city, inputs)
        jobs = {
            "ldt-toolbox, arrays to arrays": arrays_to_arrays(city),
            FILES: files_to_files(city, inputs, Path(folder, "ours")),
        }
        notes = []
        try:
            python = peers.install("invest")
            jobs[INVEST] = invest(python, inputs, workspace, seen)
        except peers.PeerMissingError as reason:
            notes.append(f"InVEST skipped: {reason}")
        seconds = peers.interleaved(jobs, options.repeats)
        if seen:
            seconds[f"InVEST {seen[0]['version']}, its convolutions only"] = [
                run["convolve_2d"] for run in seen[1:]
            ]
            notes += differences(city, workspace)
    title = f"Urban cooling model, {options.side} x {options.side} cells of {options.cell_size:g} m"
    for ours in [name for name in seconds if name.startswith("ldt")]:
        peers.show(title, seconds, ours=ours, notes=notes)
    if INVEST not in seconds:
        return 0
    return int(statistics.median(seconds[INVEST]) < GOAL * statistics.median(seconds[FILES]))


if __name__ == "__main__":
    sys.exit(main())
