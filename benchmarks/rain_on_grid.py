"""Rain on a grid of 1000 x 1000 cells of 5 m for 3 h: ours beside itzi and landlab.

All three solve the local inertial equations with a Courant number of 0.7, weights of 0.9 (landlab,
itzi and ours) and steps of 5 s at most, from the same terrain: a valley with hills, open in the
west, an hour of 40 mm/h and two hours of run-off. Ours also keeps peaks, arrival, hazard and the
volumes. Compiling and reading are left out.

With ``--wet`` the cost of a step is shown by the share of the grid that is wet, instead, and drawn
with ``--figure docs/images/cost-by-wet-share.png``.

The goals are 10 times the speed of itzi and 15 times that of landlab; the script ends with 1 if
one is missed.

Run with ``python benchmarks/rain_on_grid.py [--side 1000] [--hours 3] [--repeats 5] [--wet]``.
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
from ldt_toolbox.flood.boundaries import Inflow, Open, Sides, constant
from ldt_toolbox.flood.event import Rates
from ldt_toolbox.flood.simulation import simulate
from scipy.ndimage import gaussian_filter

CELL_M, MANNING_N, RAIN_MM_H = 5.0, 0.03, 40.0
OURS = "ldt-toolbox"
GOALS = {"itzi": 10.0, "landlab": 15.0}


def valley(side):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] * CELL_M
    hills = gaussian_filter(rng.standard_normal((side, side)), 8) * 8
    hills += gaussian_filter(rng.standard_normal((side, side)), 40) * 60
    return 0.01 * x + 0.012 * np.abs(y - side * CELL_M / 2) + hills


def run(bed, duration_s, rain_s):
    return simulate(
        bed,
        cell_m=CELL_M,
        duration_s=duration_s,
        manning_n=MANNING_N,
        rain=Rates([0, rain_s], [RAIN_MM_H, 0.0]),
        sides=Sides(west=Open()),
    )


def timed(job):
    started = time.perf_counter()
    result = job()
    return time.perf_counter() - started, result


def cost_by_wet_share(side, figure):
    """Seconds a step while a river floods a flat plain: how much grid, how much work."""
    y, x = np.mgrid[:side, :side]
    print(f"\nCost of a step by wet share, {side} x {side} cells\n{peers.machine()}")
    print(f"  {'tiles worked on':>16s} {'ms a step':>10s} {'ns a cell':>10s}")
    found = []
    for share in (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0):
        half = share * side / 2
        bed = np.where(np.abs(y - side / 2) < half, 0.0, 50.0) + 1e-5 * x
        depth = np.where(bed < 1, 1.0, 0.0)
        source = Inflow([side // 2], [side // 2], constant(10.0))
        job = lambda bed=bed, depth=depth, source=source: simulate(  # noqa: E731
            bed, cell_m=CELL_M, duration_s=150.0, initial_depth_m=depth, inflows=[source]
        )
        job()
        best = min((timed(job) for _ in range(5)), key=lambda pair: pair[0])
        ms = 1e3 * best[0] / best[1].steps
        found.append((best[1].wet_share, ms))
        print(f"  {found[-1][0]:16.3f} {ms:10.3f} {1e6 * ms / (found[-1][0] * side**2):10.2f}")
    if figure:
        draw(np.array(found), side, figure)


def draw(found, side, path):
    """Milliseconds a step over the share of the grid that is worked on."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    share, ms = 100 * found[:, 0], found[:, 1]
    ax.plot([0, share[-1]], [0, ms[-1]], color="#999999", lw=1, ls="--", label="in proportion")
    ax.plot(share, ms, color="#0072b2", marker="o", label="measured")
    ax.set(xlim=(0, 102), ylim=(0, None))
    ax.set_xlabel("share of the grid with water or next to it, %")
    ax.set_ylabel("time of a step, ms")
    ax.set_title(f"Local inertial scheme, {side} x {side} cells, two cores", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    fig.savefig(path, dpi=150)


def server(name, case, folder):
    """Start a peer and wait until it has loaded; return a job that times it once."""
    python = peers.install(name)
    script = Path(__file__).with_name(f"{name}_run.py")
    process = subprocess.Popen(
        [str(x) for x in (python, script, case, folder / f"{name}.npy")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    if process.stdout.readline().strip() != "ready":
        raise SystemExit(f"{name} ended before it was ready")

    def job():
        process.stdin.write("go\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        job.version = answer["version"]
        return answer["seconds"]

    job.process = process
    return job


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    parser.add_argument("--alone", action="store_true", help="without the other tools")
    parser.add_argument("--wet", action="store_true", help="cost by wet share")
    parser.add_argument("--figure", help="with --wet: draw it into this file, too")
    options = parser.parse_args()
    if options.wet:
        cost_by_wet_share(options.side, options.figure)
        return 0
    bed, duration_s = valley(options.side), 3600 * options.hours
    rain_s = min(3600.0, duration_s / 3)
    notes, last = [], {}

    def ours():
        seconds, last[OURS] = timed(lambda: run(bed, duration_s, rain_s))
        return seconds

    run(bed, 60.0, 30.0)  # compiles
    jobs = {OURS: ours}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = folder / "case.npz"
        np.savez(
            case,
            bed=bed,
            cell_m=CELL_M,
            duration_s=duration_s,
            rain_s=rain_s,
            rain_mm_h=RAIN_MM_H,
            manning_n=MANNING_N,
        )
        for peer in () if options.alone else GOALS:
            try:
                jobs[peer] = server(peer, case, folder)
            except peers.PeerMissingError as reason:
                notes.append(f"{peer} skipped: {reason}")
        # nobody compiles at its first run, and a round takes ten minutes
        seconds = peers.interleaved(jobs, options.repeats, warm=False)
        result = last[OURS]
        wet = result.depth_m > 0.05
        for peer in jobs.keys() - {OURS}:
            theirs = np.load(folder / f"{peer}.npy")
            off = np.abs(theirs - result.depth_m)[wet]
            notes.append(
                f"{peer} {jobs[peer].version}: depths above 5 cm at the end differ by "
                f"{np.median(off):.3f} m (median), {np.quantile(off, 0.95):.3f} m (95 %)"
            )
            jobs[peer].process.stdin.close()
            jobs[peer].process.wait()
    notes.append(
        f"ours: {result.steps} steps, mass error {result.ledger.relative_error:.1e}, "
        f"deepest {np.nanmax(result.peaks.depth_m):.2f} m, {wet.mean():.1%} above 5 cm at the end"
    )
    side = options.side
    title = f"Rain on grid, {side} x {side} cells of {CELL_M:g} m, {options.hours:g} h"
    peers.show(title, seconds, ours=OURS, notes=notes)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return int(any(middle[n] < GOALS[n] * middle[OURS] for n in middle if n != OURS))


if __name__ == "__main__":
    sys.exit(main())
