"""Runs in pandana's own environment: for each line it gets, builds the network and sums.

Usage: python pandana_run.py TOWN.npz LIMIT OUT.npy
"""

import importlib.metadata
import json
import sys
import time

import numpy as np
import pandana
import pandas as pd


def main():
    source, limit, target = sys.argv[1:]
    town = np.load(source)
    for _ in sys.stdin:
        started = time.perf_counter()
        network = pandana.Network(
            pd.Series(town["x"]), pd.Series(town["y"]), pd.Series(town["tail"]),
            pd.Series(town["head"]), pd.DataFrame({"cost": town["cost"]}), twoway=True,
        )  # fmt: skip
        built = time.perf_counter()
        network.precompute(float(limit))
        network.set(pd.Series(np.arange(len(town["x"]))), variable=pd.Series(town["values"]))
        sums = network.aggregate(float(limit), type="sum", decay="flat")
        ended = time.perf_counter()
        np.save(target, sums.to_numpy())
        answer = {
            "build": built - started,
            "search": ended - built,
            "version": importlib.metadata.version("pandana"),
        }
        print("\n" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
