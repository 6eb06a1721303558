"""The made valley as fixtures; its folder goes on the path, as folders of tests are no packages."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_valley import Valleys


@pytest.fixture(scope="session")
def valleys(tmp_path_factory):
    return Valleys(lambda: tmp_path_factory.mktemp("valley"))


@pytest.fixture(scope="session")
def valley(valleys):
    """The plain valley and what the use case says of it."""
    place = valleys.territory()
    return place, valleys.compute(place)
