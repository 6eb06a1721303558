"""What lies within 1,200 m of each of 100,000 street nodes: ours beside pandana and scipy.

All get the same made-up town of 90 m blocks with gaps, and sum one value a node over what every
node reaches on the network. A round goes from the table of links to the sums, since none answers
without what it builds from the links; the searches alone are told below it: for pandana the
ranges for this distance, then the sum. scipy yields the costs themselves, for 200 origins, and
its time is scaled up.

The goal is 10 times the speed of pandana from links to sums; the script ends with 1 if it is
missed. pandana builds for most of a minute in each round.

Run with ``python benchmarks/walk_access.py [--side 316]``.
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
from ldt_toolbox.mobility.graph import build_graph
from ldt_toolbox.mobility.search import sums_within
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

LIMIT_M, GOAL, PART = 1200.0, 10.0, 200
OURS, PEER, SCIPY = "ldt-toolbox", "pandana", f"scipy, {PART} origins scaled to all"


def made_up_town(side):
    rng = np.random.default_rng(0)
    x, y = (90.0 * g.ravel() for g in np.meshgrid(np.arange(side), np.arange(side)))
    x, y = x + rng.uniform(-25, 25, x.size), y + rng.uniform(-25, 25, y.size)
    number = np.arange(side * side).reshape(side, side)
    tail = np.r_[number[:, :-1].ravel(), number[:-1].ravel()]
    head = np.r_[number[:, 1:].ravel(), number[1:].ravel()]
    kept = rng.random(len(tail)) < 0.85
    tail, head = tail[kept], head[kept]
    cost = np.hypot(x[tail] - x[head], y[tail] - y[head]) * rng.uniform(1, 1.25, len(tail))
    return {"x": x, "y": y, "tail": tail, "head": head, "cost": cost, "values": rng.random(x.size)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=316, help="nodes along a side")
    parser.add_argument("--repeats", type=int, default=peers.REPEATS)
    options = parser.parse_args()
    town = made_up_town(options.side)
    nodes = len(town["x"])
    graph = build_graph(nodes, town["tail"], town["head"], town["cost"], both_ways=True)
    answers, searches, notes, server = {}, {OURS: [], PEER: []}, [], None

    def ours():
        started = time.perf_counter()
        links = build_graph(nodes, town["tail"], town["head"], town["cost"], both_ways=True)
        built = time.perf_counter()
        answers[OURS] = sums_within(links, town["values"], limit=LIMIT_M)
        searches[OURS].append(time.perf_counter() - built)
        return time.perf_counter() - started

    links = csr_array((graph.cost, graph.head, graph.start), shape=(nodes, nodes))

    def scipys():
        some = np.arange(0, nodes, max(1, nodes // PART))[:PART]
        started = time.perf_counter()
        costs = dijkstra(links, indices=some, limit=LIMIT_M)
        answers[SCIPY] = (some, np.isfinite(costs) @ town["values"])
        return (time.perf_counter() - started) * nodes / len(some)

    jobs = {OURS: ours, SCIPY: scipys}
    with tempfile.TemporaryDirectory() as folder:
        try:
            python = peers.install("pandana")
        except peers.PeerMissingError as reason:
            notes.append(f"pandana skipped: {reason}")
        else:
            source, target = Path(folder, "town.npz"), Path(folder, "sums.npy")
            np.savez(source, **town)
            script = Path(__file__).with_name("pandana_run.py")
            command = [str(x) for x in (python, script, source, LIMIT_M, target)]
            server = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

            def pandanas():
                server.stdin.write("go\n")
                server.stdin.flush()
                line = server.stdout.readline()
                while not line.startswith("{"):  # it talks while it builds
                    line = server.stdout.readline()
                answer = json.loads(line)
                answers[PEER] = np.load(target)
                notes[:] = [f"pandana {answer['version']}"]
                searches[PEER].append(answer["search"])
                return answer["build"] + answer["search"]

            jobs[PEER] = pandanas
        seconds = peers.interleaved(jobs, options.repeats)
        if server:
            server.stdin.close()
            server.wait()
    some, theirs = answers[SCIPY]
    np.testing.assert_allclose(answers[OURS][some], theirs, rtol=1e-9)
    notes.append(f"equal to scipy's sums at {len(some)} origins")
    if PEER in answers:
        # pandana keeps values as 32-bit floats and costs as whole millimetres.
        apart = np.abs(answers[OURS] - answers[PEER]) > 1e-5 * answers[OURS]
        notes.append(f"pandana differs at {apart.sum()} of {nodes} origins")
        alone = {name: statistics.median(values[1:]) for name, values in searches.items()}
        notes.append(
            f"searches alone: ours {alone[OURS]:.3f} s, pandana {alone[PEER]:.3f} s, "
            f"{alone[PEER] / alone[OURS]:.1f} x ours"
        )
    peers.show(f"Sum within {LIMIT_M:g} m of {nodes} nodes", seconds, ours=OURS, notes=notes)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return int(PEER in middle and middle[PEER] < GOAL * middle[OURS])


if __name__ == "__main__":
    sys.exit(main())
