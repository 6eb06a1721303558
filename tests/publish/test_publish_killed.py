"""`ldt publish` and its broker, killed in the middle (kill -9): nothing is lost, nothing twice."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.publish import FinishedRun, entities_of, read_indicators
from ldt_toolbox.twin.serve import Twin

pytestmark = pytest.mark.slow

ROWS = 4000
"""Rows of the flooded layer: three thousand cells of 20 m, in fifteen chunks."""


@pytest.fixture
def large(make_run: Callable[..., FinishedRun], monkeypatch: pytest.MonkeyPatch) -> FinishedRun:
    run = make_run(rows=ROWS)
    monkeypatch.setenv("LDT_USE_CASES", str(run.case.path.parent.parent))
    return run


def command(run: FinishedRun, url: str, *options: str) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "ldt_toolbox.cli", "publish", str(run.folder), "--to", url]
    return subprocess.Popen(
        [*line, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def told(process: "subprocess.Popen[str]") -> str:
    """What a command that runs to its end says last."""
    _, said = process.communicate(timeout=120)
    return said.strip().splitlines()[-1]


def stamps(client: NgsiLd) -> dict[str, str]:
    """When each entity at the broker was changed."""
    kinds = [kind.iri for kind in catalogue().values()]
    return {
        one["id"]: one["modifiedAt"] for one in client.entities.query(type=kinds, sys_attrs=True)
    }  # fmt: skip


def killed_half_way(process: "subprocess.Popen[str]", client: NgsiLd, there: Any) -> None:
    """Kill a command as soon as the broker holds so many entities that `there` says yes."""
    kind = catalogue()["FloodDepth"].iri
    until = time.monotonic() + 60
    while not there(client.entities.count(type=kind)):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=20)


def test_killed_and_called_again_it_goes_on_and_changes_nothing_that_was_done(
    large: FinishedRun, twin: Twin, client: NgsiLd
) -> None:
    ids = {one["id"] for one in entities_of(large).entities}
    assert len(ids) > 3000
    killed_half_way(command(large, twin.url), client, lambda count: count >= 600)
    twin.store.settle()
    half = stamps(client)
    assert 600 <= len(half) < len(ids), "it was killed in the middle"
    assert not (large.folder / "entities.jsonld").exists()
    said = told(command(large, twin.url))
    assert f"{len(ids) - len(half)} created, {len(half)} unchanged" in said
    whole = stamps(client)
    assert whole.keys() == ids
    assert {one: whole[one] for one in half} == half, "modifiedAt is a witness"
    assert read_indicators(client, large.id) == large.indicators


def test_an_undo_that_is_killed_goes_on(large: FinishedRun, twin: Twin, client: NgsiLd) -> None:
    assert "created" in told(command(large, twin.url))
    every = len(stamps(client))
    killed_half_way(
        command(large, twin.url, "--undo"), client, lambda count: count < every - 600
    )  # fmt: skip
    twin.store.settle()
    left = stamps(client)
    assert 0 < len(left) < every
    assert f"{len(left)} deleted" in told(command(large, twin.url, "--undo"))
    assert stamps(client) == {}


def test_a_broker_that_is_killed_keeps_what_it_said_it_had(
    large: FinishedRun, tmp_path: Path
) -> None:
    """The twin dies under a publication: the command lists what is not done; both go on."""
    store = tmp_path / "twin.sqlite"
    port = {}

    def up() -> "subprocess.Popen[str]":
        line = [sys.executable, "-m", "ldt_toolbox.cli", "twin", "up", "--store", str(store)]
        line += ["--port", str(port.get("it", 0)), "--runs", str(tmp_path / "runs")]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        started = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment)
        assert started.stdout is not None
        port["it"] = started.stdout.readline().split()[1].rstrip("/").rpartition(":")[2]
        return started

    twin = up()
    url = f"http://127.0.0.1:{port['it']}"
    ids = {one["id"] for one in entities_of(large).entities}
    try:
        with NgsiLd(url) as client:
            process = command(large, url)
            kind = catalogue()["FloodDepth"].iri
            while client.entities.count(type=kind) < 600:
                assert process.poll() is None
                time.sleep(0.005)
        twin.kill()
        twin.communicate(timeout=20)
        listed, _ = process.communicate(timeout=120)
        assert process.returncode == 1
        failed = {line.split()[1].rstrip(":") for line in listed.splitlines()}
        twin = up()
        with NgsiLd(url) as client:
            there = set(stamps(client))
            assert ids - failed <= there, "what was not told as failed is there"
            assert f"{len(ids - there)} created" in told(command(large, url))
            assert set(stamps(client)) == ids
            assert read_indicators(client, large.id) == large.indicators
    finally:
        twin.kill()
        twin.communicate(timeout=20)
