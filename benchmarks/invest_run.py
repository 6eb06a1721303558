"""Runs in InVEST's own environment: one Urban Cooling Model, timed without imports.

Usage: python invest_run.py INPUT_FOLDER WORKSPACE
"""

import functools
import json
import logging
import sys
import time
from pathlib import Path

import natcap.invest
import natcap.invest.urban_cooling_model as model
import pygeoprocessing

logging.disable(logging.CRITICAL)
spent = {"convolve_2d": 0.0}


def clocked(function):
    """Let InVEST's convolutions say how long they take, files included."""

    @functools.wraps(function)
    def timed(*args, **kwargs):
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent["convolve_2d"] += time.perf_counter() - started

    return timed


def main():
    folder, workspace = Path(sys.argv[1]), Path(sys.argv[2])
    arguments = {
        "workspace_dir": str(workspace),
        "results_suffix": "",
        "t_ref": 25.0,
        "lulc_raster_path": str(folder / "lulc.tif"),
        "ref_eto_raster_path": str(folder / "et0.tif"),
        "aoi_vector_path": str(folder / "aoi.gpkg"),
        "biophysical_table_path": str(folder / "table.csv"),
        "green_area_cooling_distance": 450.0,
        "t_air_average_radius": 500.0,
        "uhi_max": 3.5,
        "do_energy_valuation": False,
        "do_productivity_valuation": False,
        "cc_method": "factors",
        "n_workers": -1,
    }
    pygeoprocessing.convolve_2d = clocked(pygeoprocessing.convolve_2d)
    started = time.perf_counter()
    model.execute(arguments)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "version": natcap.invest.__version__} | spent))


if __name__ == "__main__":
    main()
