"""UTCI of a million points: ours against pythermalcomfort, same input, one process.

    python benchmarks/utci.py [--points 1000000]

pythermalcomfort needs no environment of its own, the tests use it as well. Every point lies inside
the range of the polynomial, so that the peer spends no time on naming points outside it. The goal
is 8 times the peer's speed; the script ends with 1 if it is missed and with 0 if the peer can't
be had.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from ldt_toolbox.heat.comfort import utci
from numpy.typing import NDArray
from peers import interleaved, show

GOAL = 8.0
TOLERANCE_K = {"float32": 0.01, "float64": 1e-6}

Weather = tuple[NDArray[np.floating], ...]


def weather(points: int) -> Weather:
    """Summer and winter days: vapour pressure stays below 5 kPa."""
    random = np.random.default_rng(20120101)
    air = random.uniform(-20, 40, points)
    radiant = air + random.uniform(-20, 50, points)
    wind = random.uniform(0.5, 12, points)
    humidity = random.uniform(5, 65, points)
    return air, radiant, wind, humidity


def seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    options = parser.parse_args()
    try:
        from pythermalcomfort.models import utci as peer_utci
    except ImportError:
        print("skipped: pythermalcomfort is not installed (it comes with ldt-toolbox[test])")
        return 0

    double = weather(options.points)
    single = tuple(array.astype(np.float32) for array in double)

    def peer() -> NDArray[np.floating]:
        return peer_utci(*double, limit_inputs=True, round_output=False).utci

    expected = peer()  # also compiles
    notes = []
    for name, inputs in (("float32", single), ("float64", double)):
        difference = float(np.abs(utci(*inputs) - expected).max())
        if not difference <= TOLERANCE_K[name]:
            print(f"{name} departs by {difference:g} K from the peer: speed says nothing then")
            return 1
        notes.append(f"{name}: largest difference from the peer {difference:.2g} K")

    times = interleaved(
        {
            f"pythermalcomfort {version('pythermalcomfort')} (float64)": lambda: seconds(peer),
            "ours (float32)": lambda: seconds(lambda: utci(*single)),
            "ours (float64)": lambda: seconds(lambda: utci(*double)),
        }
    )
    show(f"UTCI of {options.points:,} points", times, ours="ours (float32)", notes=notes)
    medians = [statistics.median(values) for values in times.values()]
    reached = medians[0] / medians[1] >= GOAL
    print(f"  goal {GOAL:g}x: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
