"""Once warmed, a real run with a timetable finds every kernel compiled."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import importlib, pkgutil, sys, tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import ldt_toolbox.mobility
from ldt_toolbox import warm
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from monaco import CASE, PLACE, compute, inputs
from small_feed import busy, feed_in_monaco


def compiled():
    found = {}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("ldt_toolbox."):
            for name, one in vars(module).items():
                if hasattr(one, "nopython_signatures"):
                    found[one.py_func.__module__, name] = len(one.signatures)
    return found


for one in pkgutil.walk_packages(ldt_toolbox.mobility.__path__, "ldt_toolbox.mobility."):
    importlib.import_module(one.name)
case = UseCase.find("mobility")
case.compute(load(case, PLACE), case.validate(territory=PLACE))
warm._warm_timetables()
before = compiled()
with tempfile.TemporaryDirectory() as folder:
    feed = feed_in_monaco(Path(folder, "feed"))
compute(inputs(gtfs=busy(feed)), service_date="2025-01-07", departure_step_min=60)
late = [key for key, count in compiled().items() if count != before[key]]
print(sum(before.values()), late)
"""


@pytest.mark.slow
def test_nothing_is_left_to_compile():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    count, _, rest = done.stdout.strip().splitlines()[-1].partition(" ")
    assert int(count) > 10
    assert rest == "[]"
