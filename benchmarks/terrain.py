"""Fill, D8, accumulation and height above drainage of 5000 x 5000 cells, beside two other tools.

The terrain is made up: fractal hills on a tilted plain with meandering rivers. Each tool gets it in
memory as 32-bit floats and does the four jobs one after the other: fill depressions and drain
their flats, directions, accumulated cells, height above the nearest cell of a drainage network
that the accumulation gives. whitebox-workflows runs with the fastest of its three fills on this
input; pyflwdir gets its directions out of its fill. Compiling is left out.

The goals are 2.5 times the speed of whitebox-workflows and 25 times that of pyflwdir; the script
ends with 1 if one is missed. Afterwards the answers are compared: filled heights must agree
with pyflwdir's to a rounding, and every cell must arrive at an outlet. Heights above drainage
depend on how flats are drained, which each tool does in its own way; the share of cells that
agree is printed.

Run with ``python benchmarks/terrain.py [--side 5000] [--repeats 5]``. Both tools come with the
project's test extra.
"""

import argparse
import importlib.metadata
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peers
import rasterio
from affine import Affine
from ldt_toolbox.flood.conditioning import fill_depressions
from ldt_toolbox.flood.flow import drainage_mask, flow_accumulation, flow_directions
from ldt_toolbox.flood.hand import height_above_drainage
from ldt_toolbox.memory import PeakMemory

CELL_M, DRAINAGE_CELLS = 5.0, 20_000
OURS, WHITEBOX, PYFLWDIR = "ldt-toolbox", "whitebox-workflows, {}", "pyflwdir"
GOALS = {"whitebox": 2.5, "pyflwdir": 25.0}
FILLS = (
    "fill_depressions",
    "fill_depressions_wang_and_liu",
    "fill_depressions_planchon_and_darboux",
)


def hills_and_rivers(side):
    rng = np.random.default_rng(0)
    wave = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]).astype("f4")
    wave[0, 0] = np.inf
    hills = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side), "f4")) * wave**-1.7)
    hills = (hills * (40 / hills.std())).astype("f4")
    y, x = np.mgrid[:side, :side].astype("f4")
    for middle in (0.15, 0.45, 0.8):
        course = middle * side + side / 25 * np.sin(y[:, :1] / side * 30 + 9 * middle)
        hills -= 40 * np.exp(-np.abs(x - course) / (side / 50))
    return hills - 300 * y / side


def ours(terrain, answers):
    def job():
        started = time.perf_counter()
        filled = fill_depressions(terrain)
        directions = flow_directions(filled)
        cells = flow_accumulation(directions)
        drainage = drainage_mask(cells, min_area_m2=DRAINAGE_CELLS, cell_size_m=1)
        height = height_above_drainage(filled, directions, drainage).height
        seconds = time.perf_counter() - started
        answers[OURS] = filled, height
        assert cells[directions == 0].sum() == terrain.size
        return seconds

    return job


def whiteboxs(path, fill, answers):
    import whitebox_workflows

    def job():
        tools = whitebox_workflows.WbEnvironment()
        terrain = tools.read_raster(str(path))
        terrain.to_numpy(dtype="float32")  # it is read now, if it was not
        hydrology = tools.hydrology
        started = time.perf_counter()
        filled = getattr(hydrology, fill)(dem=terrain, fix_flats=True)
        pointer = hydrology.d8_pointer(dem=filled, esri_pntr=True)
        cells = hydrology.d8_flow_accum(
            input=pointer, input_is_pointer=True, esri_pntr=True, out_type="cells"
        )
        drainage = cells >= DRAINAGE_CELLS
        height = hydrology.elevation_above_stream(dem=filled, streams=drainage)
        seconds = time.perf_counter() - started
        values = height.to_numpy(dtype="float32")
        answers["whitebox"] = np.where(values == height.metadata().nodata, np.nan, values)
        tools.clear_raster_memory()
        return seconds

    return job


def pyflwdirs(terrain, answers):
    import pyflwdir

    def job():
        started = time.perf_counter()
        filled, directions = pyflwdir.dem.fill_depressions(terrain, nodata=np.nan)
        network = pyflwdir.from_array(directions, ftype="d8", check_ftype=False)
        cells = network.upstream_area("cell")
        height = network.hand(cells >= DRAINAGE_CELLS, filled)
        seconds = time.perf_counter() - started
        answers[PYFLWDIR] = filled, height
        return seconds

    return job


def fastest_fill(path, notes):
    """Time whitebox's fills once each and return the fastest."""
    seconds = {fill: whiteboxs(path, fill, {})() for fill in FILLS}
    notes += [f"whitebox with {fill}: {value:.1f} s, one run" for fill, value in seconds.items()]
    return min(seconds, key=seconds.get)


def agreement(answers, notes):
    """Compare what the tools found; return whether the filled terrains are one."""
    filled, height = answers[OURS]
    if "whitebox" in answers:
        other = answers["whitebox"]
        near = np.isclose(height, other, atol=0.05) | (np.isnan(height) & np.isnan(other))
        notes.append(f"height above drainage: {near.mean():.1%} of cells as whitebox within 5 cm")
    if PYFLWDIR not in answers:
        return True
    other, their_height = answers[PYFLWDIR]
    apart = float(np.abs(filled - other).max())
    notes.append(f"filled heights differ from pyflwdir's by {apart:.1g} m at most")
    near = np.isclose(height, their_height, atol=0.05)
    notes.append(f"height above drainage: {near.mean():.1%} of cells as pyflwdir within 5 cm")
    return apart <= 2 * float(np.spacing(np.abs(filled).max()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    parser.add_argument("--pyflwdir-repeats", type=int, default=1, help="it takes minutes")
    options = parser.parse_args()
    terrain = hills_and_rivers(options.side)
    notes, answers, missed = [], {}, False
    job = ours(terrain, answers)
    job()
    with PeakMemory() as peak:
        job()
    raised = (answers[OURS][0] > terrain).mean()
    notes.append(f"filling raises {raised:.0%} of the cells; process peak {peak.megabytes:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "terrain.tif")
        with rasterio.open(
            path, "w", driver="GTiff", height=options.side, width=options.side, count=1,
            dtype="float32", crs="EPSG:32631", nodata=-9999,
            transform=Affine(CELL_M, 0, 5e5, 0, -CELL_M, 5e6),
        ) as target:  # fmt: skip
            target.write(terrain, 1)
        seconds, lists = {OURS: []}, []
        try:
            fill = fastest_fill(path, notes)
            lists.append((WHITEBOX.format(fill), "whitebox", whiteboxs(path, fill, answers)))
        except ImportError as reason:
            notes.append(f"whitebox-workflows skipped: {reason}")
        try:
            if options.pyflwdir_repeats:
                lists.append((PYFLWDIR, PYFLWDIR, pyflwdirs(terrain, answers)))
                pyflwdirs(terrain[:50, :50].copy(), {})()  # compiles
        except ImportError as reason:
            notes.append(f"pyflwdir skipped: {reason}")
        for name, peer, other in lists:
            repeats = options.pyflwdir_repeats if peer == PYFLWDIR else options.repeats
            seconds[name] = []
            for _ in range(repeats):  # in turn
                seconds[OURS].append(job())
                seconds[name].append(other())
            ratio = statistics.median(seconds[name]) / statistics.median(seconds[OURS])
            missed |= ratio < GOALS[peer]
    seconds[OURS] = seconds[OURS] or [job()]
    notes += [f"{p} {importlib.metadata.version(p)}" for p in ("whitebox-workflows", "pyflwdir")]
    same = agreement(answers, notes)
    title = f"Fill, D8, accumulation, HAND of {options.side} x {options.side} cells"
    peers.show(title, seconds, ours=OURS, notes=notes)
    return int(missed or not same)


if __name__ == "__main__":
    sys.exit(main())
