"""The worker process ends whenever its owner says so."""

import threading
from multiprocessing.context import SpawnProcess

import pytest
from ldt_toolbox.watch.runner import Runner
from ldt_toolbox.watch.worker import Job


@pytest.fixture
def runner(case, place, tmp_path):
    return Runner(case.path, place.path, {"pause_s": 30}, tmp_path / "results")


def test_closed_while_the_process_starts(runner, monkeypatch):
    """As when a watch is left right after it was entered: the process is there only in part."""
    begun, children = threading.Event(), []
    start = SpawnProcess.start

    def slow(process):
        children.append(process)
        begun.set()
        threading.Event().wait(0.3)
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", slow)
    got = []
    thread = threading.Thread(target=lambda: got.append(runner.run(Job(()))))
    thread.start()
    assert begun.wait(10)
    runner.close()
    thread.join(10)
    assert got == [None]
    [child] = children
    assert not child.is_alive()


def test_closed_before_it_ran(runner):
    runner.close()
    assert runner.run(Job(())) is None
