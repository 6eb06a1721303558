"""Load on the local twin: batch upserts, then filtered queries by many clients at once.

    python benchmarks/twin_load.py --entities 100000 --clients 20 --seconds 10

The twin runs in a process of its own with its file on disk; the clients are processes and threads
of this one. Printed are entities and queries a second, latency percentiles, errors, and the
twin's peak memory.
"""

import argparse
import http.client
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psutil

_SERVER = """
import sys, time
from ldt_toolbox.twin.serve import Twin
with Twin(sys.argv[1]) as twin:
    print(twin.url, flush=True)
    sys.stdin.read()
"""
_BATCH = 1000


def entity(number: int) -> dict[str, object]:
    """A weather station with seven attributes, within France."""
    dice = random.Random(number)
    return {
        "id": f"urn:ngsi-ld:WeatherObserved:{number}",
        "type": "WeatherObserved",
        "temperature": {
            "type": "Property",
            "value": round(dice.uniform(-10, 40), 1),
            "unitCode": "CEL",
            "observedAt": "2026-07-01T12:00:00Z",
        },
        "relativeHumidity": {"type": "Property", "value": dice.randrange(100)},
        "windSpeed": {"type": "Property", "value": round(dice.uniform(0, 30), 1)},
        "stationCode": {"type": "Property", "value": f"S{number % 1000}"},
        "dateObserved": {"type": "Property", "value": "2026-07-01T12:00:00Z"},
        "refDevice": {"type": "Relationship", "object": f"urn:ngsi-ld:Device:{number % 5000}"},
        "location": {
            "type": "GeoProperty",
            "value": {
                "type": "Point",
                "coordinates": [round(dice.uniform(-4, 8), 5), round(dice.uniform(43, 51), 5)],
            },
        },
    }


def queries(dice: random.Random) -> str:
    """One of four kinds of filtered query, with random values."""
    q = [
        f"temperature>{dice.uniform(-10, 40):.1f};relativeHumidity<{dice.randrange(100)}",
        f'stationCode=="S{dice.randrange(1000)}"',
        f'refDevice=="urn:ngsi-ld:Device:{dice.randrange(5000)}"|temperature>39.9',
    ]
    kind = dice.randrange(4)
    if kind < 3:
        return f"type=WeatherObserved&limit=20&q={quote(q[kind])}"
    place = f"[{dice.uniform(-4, 8):.4f},{dice.uniform(43, 51):.4f}]"
    return (
        "type=WeatherObserved&limit=20&georel=near%3BmaxDistance==10000&geometry=Point"
        f"&coordinates={quote(place)}"
    )


def ask(netloc: str, until: float, seed: int, times: list[float], errors: list[str]) -> None:
    """One client: query after query on one connection."""
    dice = random.Random(seed)
    connection = http.client.HTTPConnection(netloc, timeout=30)
    while time.monotonic() < until:
        start = time.perf_counter()
        connection.request("GET", f"/ngsi-ld/v1/entities?{queries(dice)}")
        answer = connection.getresponse()
        body = answer.read()
        times.append(time.perf_counter() - start)
        if answer.status != 200:
            errors.append(f"{answer.status} {body[:200]!r}")


def clients(netloc: str, threads: int, seconds: float, seed: int, out: object) -> None:
    """Clients of one process."""
    times: list[float] = []
    errors: list[str] = []
    until = time.monotonic() + seconds
    running = [
        threading.Thread(target=ask, args=(netloc, until, seed + n, times, errors))
        for n in range(threads)
    ]
    for each in running:
        each.start()
    for each in running:
        each.join()
    out.put((times, errors))  # type: ignore[attr-defined]


def fill(netloc: str, count: int) -> float:
    """Upsert entities in batches; returns seconds, without those of making the JSON."""
    connection = http.client.HTTPConnection(netloc, timeout=120)
    spent = 0.0
    for first in range(0, count, _BATCH):
        body = json.dumps([entity(n) for n in range(first, min(first + _BATCH, count))])
        start = time.perf_counter()
        connection.request(
            "POST",
            "/ngsi-ld/v1/entityOperations/upsert",
            body,
            {"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        said = answer.read()
        spent += time.perf_counter() - start
        if answer.status not in (201, 204):
            raise SystemExit(f"upsert: {answer.status} {said[:300]!r}")
    return spent


def peak_mb(process: psutil.Process) -> float:
    """Most memory that a process ever had; what it has now where the system does not tell."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return process.memory_info().rss / 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entities", type=int, default=100_000)
    options.add_argument("--clients", type=int, default=20)
    options.add_argument("--seconds", type=float, default=10.0)
    said = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(Path(folder) / "twin.sqlite")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            netloc = server.stdout.readline().strip().removeprefix("http://")  # type: ignore[union-attr]
            measure(netloc, said, psutil.Process(server.pid))
        finally:
            server.communicate("")


def measure(netloc: str, said: argparse.Namespace, process: psutil.Process) -> None:
    """Fill, ask, print."""
    seconds = fill(netloc, said.entities)
    print(f"upsert: {said.entities / seconds:,.0f} entities/s in batches of {_BATCH}")
    again = min(said.entities, 20_000)
    print(f"upsert of what is there: {again / fill(netloc, again):,.0f} entities/s")
    out: multiprocessing.Queue[tuple[list[float], list[str]]] = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(
            target=clients, args=(netloc, said.clients // 2, said.seconds, 1000 * n, out)
        )
        for n in range(2)
    ]
    for worker in workers:
        worker.start()
    results = [out.get() for _ in workers]
    for worker in workers:
        worker.join()
    times = sorted(t for some, _ in results for t in some)
    errors = [e for _, some in results for e in some]
    print(f"queries: {len(times) / said.seconds:,.0f}/s at {said.entities:,} entities,")
    for share in (0.5, 0.9, 0.95, 0.99, 1.0):
        at = min(len(times) - 1, int(share * len(times)))
        print(f"  p{share * 100:g}: {times[at] * 1000:.0f} ms")
    print(f"errors: {len(errors)} {errors[:1]}")
    print(f"memory: {peak_mb(process):.0f} MB at most")


if __name__ == "__main__":
    main()
