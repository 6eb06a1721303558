"""Real runs of the shipped use cases, published and read back."""

from collections.abc import Iterator

import pytest
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.publish import FinishedRun, entities_of, publish, read_indicators
from ldt_toolbox.run import run
from ldt_toolbox.territory import Territory
from ldt_toolbox.twin.serve import Twin
from ldt_toolbox.use_case import UseCase, use_case_folders

pytestmark = pytest.mark.slow

#: Where each has its data, and what makes it quick.
RUNS = {
    "heat-islands": ("monaco", {"cell_size_m": 20, "monte_carlo_draws": 2}),
    "flood-risk": ("east-london", {}),
    "mobility": ("monaco", {}),
}


@pytest.fixture(scope="module", params=RUNS)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A run as `ldt run` makes it."""
    place, given = RUNS[request.param]
    case, territory = UseCase.find(request.param), Territory.find(place)
    made = run(case, territory, given, out=tmp_path_factory.mktemp("results"))
    return FinishedRun.read(made.folder, case=case, territory=territory)


@pytest.fixture(scope="module")
def broker(done: FinishedRun) -> Iterator[NgsiLd]:
    """A twin to which the run was published."""
    with Twin() as twin, NgsiLd(twin.ngsi_ld) as client:
        outcome = publish(done, client)
        assert outcome.ok, outcome.lines(dry_run=False)[:3]
        yield client


def test_every_shipped_use_case_is_here() -> None:
    assert RUNS.keys() == {name for name, _ in use_case_folders()}


def test_indicators_read_back_are_the_runs(done: FinishedRun, broker: NgsiLd) -> None:
    assert read_indicators(broker, done.id) == done.indicators
    assert len(done.indicators) > 10


def test_a_second_time_changes_nothing(done: FinishedRun, broker: NgsiLd) -> None:
    again = publish(done, broker)
    assert sorted(again.unchanged) == sorted(one["id"] for one in entities_of(done).entities)
    assert (again.created, again.updated, again.failed) == ([], [], {})
