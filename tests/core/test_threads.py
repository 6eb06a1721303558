"""Waiting threads sleep, so that other work on the machine does not stop them."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("chosen", "kept"), [(None, "passive"), ("active", "active")])
def test_threads_sleep_while_they_wait_unless_told_otherwise(chosen, kept):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if chosen:
        environment["OMP_WAIT_POLICY"] = chosen
    # what OpenMP itself read, printed when the first parallel kernel starts it
    environment["OMP_DISPLAY_ENV"] = "true"
    script = (
        "import ldt_toolbox, numba\n"
        "import numpy as np\n"
        "from ldt_toolbox.flood.simulation import simulate\n"
        "bed, depth = np.zeros((300, 300)), np.ones((300, 300))\n"
        "simulate(bed, cell_m=5.0, duration_s=1.0, initial_depth_m=depth)\n"
        "import os; print(numba.threading_layer(), os.environ['OMP_WAIT_POLICY'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    layer, policy = done.stdout.split()
    assert policy == kept
    if layer == "omp" and "OMP_WAIT_POLICY" in done.stderr:
        assert f"OMP_WAIT_POLICY = '{kept.upper()}'" in done.stderr
