"""A million temporal observations from a file to a frame: ours beside polars.

200 entities with 5,000 observations of a temperature each, as a broker sends them: normalised
instances (type, value, observedAt, unitCode; 87 MB) and simplified pairs (31 MB). Both sides read
the file to a table with entity, type, time (as an instant in UTC) and value, a row an observation;
ours has attribute, dataset and unit besides. polars knows the schema beforehand, ours does not, and
polars gets the reader that is the fastest for each form of file: `scan_ndjson`, `read_ndjson` and
`read_json` are all timed, from JSON lines and from one list. Its process stays between the rounds.

The goal is 1.7 times the speed of polars' fastest reading of each form; the script ends with 1 if
it is missed.

Run with ``python benchmarks/observations.py [--entities 200] [--instances 5000]``.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import peers
from ldt_toolbox.models.frames import temporal_frame

GOAL = 1.7
PEER = peers.Peer(("polars>=1.30",), "polars")
READERS = {"lines": ("scan_ndjson", "read_ndjson"), "list": ("read_json",)}


def evolution(number, form, instances, rng):
    start = datetime(2024, 1, 1)
    times = [f"{(start + timedelta(minutes=10 * i)).isoformat()}Z" for i in range(instances)]
    values = np.round(rng.normal(15, 8, instances), 2).tolist()
    if form == "normalised":
        held = [
            {"type": "Property", "value": value, "observedAt": time, "unitCode": "CEL"}
            for value, time in zip(values, times, strict=True)
        ]
    else:
        held = {"type": "Property", "values": list(zip(values, times, strict=True))}
    name = f"urn:ngsi-ld:WeatherObserved:{number}"
    return orjson.dumps({"id": name, "type": "WeatherObserved", "temperature": held})


def write(folder, form, entities, instances):
    rng = np.random.default_rng(1)
    made = [evolution(number, form, instances, rng) for number in range(entities)]
    paths = {"lines": folder / f"{form}.ndjson", "list": folder / f"{form}.json"}
    paths["lines"].write_bytes(b"\n".join(made) + b"\n")
    paths["list"].write_bytes(b"[" + b",".join(made) + b"]")
    return paths


def ours(path):
    def job():
        started = time.perf_counter()
        temporal_frame(path)
        return time.perf_counter() - started

    return job


def polars(python, path, form, reader, target, seen, stack):
    script = Path(__file__).with_name("observations_polars_run.py")
    server = subprocess.Popen(
        [str(part) for part in (python, script, path, form, reader, target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(server.wait)
    stack.callback(server.stdin.close)

    def job():
        server.stdin.write("go\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        seen["version"] = answer["version"]
        return answer["seconds"]

    return job


def check(path, target):
    """Raise if polars' table holds other times or values than ours."""
    frame = temporal_frame(path)
    times, values = np.loadtxt(target, delimiter=",", skiprows=1, unpack=True)
    np.testing.assert_array_equal(times, frame["time"].astype("int64"))
    np.testing.assert_array_equal(values, frame["value"])


def compare(form, folder, options, python):
    paths = write(folder, form, options.entities, options.instances)
    jobs = {f"ours, {shape}": ours(path) for shape, path in paths.items()}
    notes, seen = [], {}
    with ExitStack() as stack:
        for shape, readers in READERS.items() if python else ():
            for reader in readers:
                target = folder / f"{form}-{reader}.csv"
                name = f"polars, {shape}, {reader}"
                jobs[name] = polars(python, paths[shape], form, reader, target, seen, stack)
        seconds = peers.interleaved(jobs, options.repeats)
    for shape, readers in READERS.items() if python else ():
        for reader in readers:
            check(paths[shape], folder / f"{form}-{reader}.csv")
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    slowest = max((name for name in middle if name.startswith("ours")), key=middle.get)
    theirs = [value for name, value in middle.items() if name.startswith("polars")]
    if theirs:
        notes.append(f"polars {seen['version']}: times and values are the same")
        ratio = min(theirs) / middle[slowest]
        notes.append(f"fastest of polars beside our slower one: {ratio:.1f} x, goal {GOAL:g} x")
    sizes = ", ".join(
        f"{shape} {path.stat().st_size / 1e6:.0f} MB" for shape, path in paths.items()
    )
    frame = temporal_frame(paths["list"])
    notes.append(f"frame {frame.memory_usage(deep=True).sum() / 1e6:.0f} MB of {len(frame):,} rows")
    title = f"{options.entities} entities x {options.instances:,} observations, {form} ({sizes})"
    peers.show(title, seconds, ours=slowest, notes=notes)
    return bool(theirs) and ratio < GOAL


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=200)
    parser.add_argument("--instances", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    peers.PEERS["polars"] = PEER
    try:
        python = peers.install("polars")
    except peers.PeerMissingError as reason:
        print(f"polars skipped: {reason}")
        python = None
    with tempfile.TemporaryDirectory() as folder:
        missed = [
            compare(form, Path(folder), options, python) for form in ("normalised", "simplified")
        ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of this process, with the making of the files: {peak:.0f} MB")
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
