"""Replicate proven local digital twin use cases on a territory's own data."""

import os as _os

__version__ = "0.1.0"

# Kernels that run on several threads wait for each other many times a second. OpenMP lets threads
# spin while they wait unless told otherwise; beside other work on the machine (a shared Binder
# node, a second notebook) a flood then took twenty times as long as with threads that sleep.
_os.environ.setdefault("OMP_WAIT_POLICY", "passive")
