"""`ldt publish` as a person calls it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ldt_toolbox.cli import app, main
from ldt_toolbox.clients.ngsi_ld import NgsiLd
from ldt_toolbox.publish import FinishedRun, entities_of, read_indicators
from ldt_toolbox.twin.serve import Twin
from typer.testing import CliRunner

Called = Callable[..., Any]


@pytest.fixture
def ldt(run: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> Called:
    """Call `ldt publish RUN` with options; the run's one broken feature is told each time."""
    monkeypatch.setenv("LDT_USE_CASES", str(run.case.path.parent.parent))
    return lambda *options: CliRunner().invoke(app, ["publish", str(run.folder), *options])


def test_dry_run_publish_undo(ldt: Called, run: FinishedRun, twin: Twin, client: NgsiLd) -> None:
    chosen = ("--to", twin.url, "--layers", "depth")
    dry = ldt(*chosen, "--dry-run")
    expected = [f"create {one['id']}" for one in entities_of(run, layers=["depth"]).entities]
    assert dry.exit_code == 0
    assert sorted(dry.stdout.split("\n")[:-1]) == sorted(expected)
    assert "dry run: " in dry.stderr
    assert ldt(*chosen).exit_code == 0
    assert read_indicators(client, run.id) == run.indicators
    assert f"{len(expected)} unchanged" in ldt(*chosen).stderr
    assert f"{len(expected)} deleted" in ldt("--to", twin.url, "--undo").stderr
    assert "nothing to do" in ldt("--to", twin.url, "--undo").stderr


def test_an_undo_needs_none_of_the_files(ldt: Called, run: FinishedRun, twin: Twin) -> None:
    assert ldt("--to", twin.url, "--layers", "depth").exit_code == 0
    for path in (run.folder / "layers").iterdir():
        path.unlink()
    undone = ldt("--to", twin.url, "--undo")
    assert undone.exit_code == 0
    assert " deleted" in undone.stderr
    assert ldt("--to", twin.url).exit_code == 1, "to publish, the files are needed"


def test_what_failed_is_listed_and_the_exit_code_is_1(ldt: Called, twin: Twin) -> None:
    done = ldt("--to", twin.url)
    assert done.exit_code == 1
    [line] = done.stdout.splitlines()
    assert line.startswith("failed urn:ngsi-ld:FloodDepth:wet-feet:")
    assert "500" in line
    assert "1 failed" in done.stderr


def test_the_token_comes_from_the_environment_and_is_never_shown(
    ldt: Called, run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret-" + os.urandom(8).hex()
    with Twin(token=secret) as guarded:
        refused = ldt("--to", guarded.url, "--layers", "")
        assert refused.exit_code == 1
        monkeypatch.setenv("TWIN_TOKEN", secret)
        done = ldt("--to", guarded.url, "--layers", "", "--token-env", "TWIN_TOKEN")
        assert done.exit_code == 0
        assert secret not in done.stdout + done.stderr + str(refused.exception)
        written = b"".join(p.read_bytes() for p in run.folder.rglob("*") if p.is_file())
        assert secret.encode() not in written


def test_an_interruption_says_what_to_do(
    ldt: Called, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ldt_toolbox.publish.publish", stopped)
    done = ldt("--to", twin.url)
    assert done.exit_code == 130
    assert "the same command goes on where it stopped" in done.stderr


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        (["--to", "http://127.0.0.1:1"], "127.0.0.1:1", 1),
        (["--to", "http://127.0.0.1:1", "--layers", "ground"], "has no `entity`", 2),
        (["--to", "http://127.0.0.1:1", "--token-env", "NOT_SET"], "NOT_SET is not set", 1),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(
    run: FinishedRun,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
    code: int,
) -> None:
    monkeypatch.setenv("LDT_USE_CASES", str(run.case.path.parent.parent))
    monkeypatch.setattr("ldt_toolbox.clients.retry.Backoff.wait_s", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["ldt", "publish", str(run.folder), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_folder_that_is_no_run(tmp_path: Path, twin: Twin) -> None:
    done = CliRunner().invoke(app, ["publish", str(tmp_path), "--to", twin.url])
    assert "no finished run" in str(done.exception)
