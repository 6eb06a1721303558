"""Runs in itzi's own environment: says when it is ready; times a simulation at each line.

Usage: python itzi_run.py INPUT.npz OUT.npy (made by rain_on_grid.py)
"""

import contextlib
import importlib.metadata
import io
import json
import os
import sys
import time
from datetime import datetime, timedelta

import numpy as np
from itzi.const import TemporalType
from itzi.data_containers import SimulationConfig, SurfaceFlowParameters
from itzi.providers.domain_data import DomainData
from itzi.providers.memory_input import MemoryRasterInputProvider, TimedRasterSlice
from itzi.providers.memory_output import MemoryRasterOutputProvider, MemoryVectorOutputProvider
from itzi.simulation_builder import SimulationBuilder

os.environ["ITZI_VERBOSE"] = "0"  # nothing but errors


def simulate(case):
    bed, cell = case["bed"].astype(np.float32), float(case["cell_m"])
    rows, columns = bed.shape
    start = datetime(2000, 1, 1)
    end = start + timedelta(seconds=float(case["duration_s"]))
    stop = start + timedelta(seconds=float(case["rain_s"]))
    domain = DomainData(
        north=rows * cell, south=0, east=columns * cell, west=0, rows=rows, cols=columns, crs_wkt=""
    )
    edge = np.zeros(bed.shape, np.float32)
    edge[:, 0] = 2  # open
    inputs = {
        "dem": bed,
        "friction": np.full(bed.shape, case["manning_n"], np.float32),
        "bctype": edge,
    }
    falling = np.full(bed.shape, case["rain_mm_h"], np.float32)
    slices = [TimedRasterSlice(start_time=start, end_time=stop, array=falling)]
    if stop < end:
        slices.append(TimedRasterSlice(start_time=stop, end_time=end, array=0 * falling))
    names = {"water_depth": "water_depth"}
    config = SimulationConfig(
        start_time=start,
        end_time=end,
        record_step=end - start,
        temporal_type=TemporalType.ABSOLUTE,
        input_map_names={key: key for key in [*inputs, "rain"]},
        output_map_names=names,
        surface_flow_parameters=SurfaceFlowParameters(),
    )
    provider = MemoryRasterInputProvider(
        {
            "domain_data": domain,
            "simulation_start_time": start,
            "simulation_end_time": end,
            "static_arrays": inputs,
            "timed_arrays": {"rain": slices},
        }
    )
    output = MemoryRasterOutputProvider({"out_map_names": names})
    builder = SimulationBuilder(config, np.zeros(bed.shape, bool))
    run = (
        builder.with_input_provider(provider)
        .with_domain_data(domain)
        .with_raster_output_provider(output)
        .with_vector_output_provider(MemoryVectorOutputProvider())
        .build()
    )
    started = time.perf_counter()
    run.initialize()
    while run.sim_time < end:
        run.update()
    seconds = time.perf_counter() - started
    run.finalize()
    return seconds, output.output_maps_dict["water_depth"][-1][1]


def main():
    source, target = sys.argv[1:]
    case = np.load(source)
    version = importlib.metadata.version("itzi")
    print("ready", flush=True)  # nobody is timed while another one loads
    for _ in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()):
            seconds, depth = simulate(case)
        np.save(target, np.asarray(depth))
        print(json.dumps({"seconds": seconds, "version": version}), flush=True)


if __name__ == "__main__":
    main()
