"""Runs in pandana's own environment: builds the network, then times one sum for each line it gets.

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
    network = pandana.Network(
        pd.Series(town["x"]), pd.Series(town["y"]), pd.Series(town["tail"]),
        pd.Series(town["head"]), pd.DataFrame({"cost": town["cost"]}), twoway=True,
    )  # fmt: skip
    for _ in sys.stdin:
        started = time.perf_counter()
        # The preparation for this distance belongs to the question, as the searches do in ours.
        network.precompute(float(limit))
        network.set(pd.Series(np.arange(len(town["x"]))), variable=pd.Series(town["values"]))
        sums = network.aggregate(float(limit), type="sum", decay="flat")
        seconds = time.perf_counter() - started
        np.save(target, sums.to_numpy())
        version = importlib.metadata.version("pandana")
        print(json.dumps({"seconds": seconds, "version": version}), flush=True)


if __name__ == "__main__":
    main()
