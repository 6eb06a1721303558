"""A run leaves everything or nothing, says why it failed, and leaves no process behind."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from ldt_toolbox import run as engine
from ldt_toolbox.errors import LDTError, OutputError, ParameterError, RunError
from ldt_toolbox.sources import file_sha256
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

_spec = importlib.util.spec_from_file_location("tiny", Path(__file__).with_name("tiny.py"))
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

# zmq and traitlets of the notebook's machinery warn about their own future
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def case(tmp_path):
    return UseCase.read(tiny.write_use_case(tmp_path / "cases"))


@pytest.fixture
def place(tmp_path):
    return Territory.read(tiny.write_territory(tmp_path / "square"))


def everything_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_run_leaves_notebook_indicators_report_and_record(case, place, tmp_path):
    done = engine.run(case, place, {"count": 7}, out=tmp_path / "out")
    assert done.folder.parent == tmp_path / "out" / "square" / "tiny"
    assert everything_in(done.folder) == [
        "indicators.json", "notebook.ipynb", "report.html", "ro-crate-metadata.json",
    ]  # fmt: skip
    assert everything_in(done.folder.parent) == [
        f"{done.id}/{name}" for name in everything_in(done.folder)
    ]
    indicator = json.loads((done.folder / "indicators.json").read_text())["indicators"][0]
    assert (indicator["id"], indicator["value"], indicator["unit"]) == ("number", 7, "C62")


def test_the_record_names_inputs_parameters_versions_times_and_memory(case, place, tmp_path):
    done = engine.run(case, place, {"count": 7}, out=tmp_path / "out")
    crate = json.loads((done.folder / "ro-crate-metadata.json").read_text())
    graph = {entity["@id"]: entity for entity in crate["@graph"]}
    action = next(e for e in graph.values() if e["@type"] == "CreateAction")
    assert action["startTime"] < action["endTime"]
    objects = {item["@id"] for item in action["object"]}
    assert objects == {
        "#input-boundary", "#input-buildings", "#parameter-behaviour", "#parameter-count",
    }  # fmt: skip
    boundary = graph["#input-boundary"]
    assert boundary["sha256"] == file_sha256(place.boundary.path)
    assert boundary["license"]["@id"].endswith("/zero/1.0/")
    assert graph["#parameter-count"]["value"] == 7
    tools = [graph[item["@id"]]["name"] for item in action["instrument"]]
    assert {"ldt-toolbox", "numpy", "CPython"} <= set(tools)
    assert graph["#peak-memory"]["value"] > 50
    results = {item["@id"] for item in action["result"]}
    assert results == {"indicators.json", "notebook.ipynb", "report.html"}
    for name in results:
        assert graph[name]["sha256"] == file_sha256(done.folder / name)


def test_the_record_can_be_read_by_the_rocrate_library(case, place, tmp_path):
    from rocrate.rocrate import ROCrate

    done = engine.run(case, place, out=tmp_path / "out")
    crate = ROCrate(done.folder)
    assert crate.name == "Tiny - Square"
    assert len(crate.data_entities) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cuont": 2}, ["no parameter `cuont`", "did you mean `count`?"]),
        ({"count": 11}, ["count = 11", "out of range", "0 to 10"]),
        ({"behaviour": "god"}, ["behaviour = 'god'", "did you mean `good`?"]),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_written(
    case, place, tmp_path, given, words
):
    with pytest.raises(ParameterError) as caught:
        engine.run(case, place, given, out=tmp_path / "out")
    assert all(word in str(caught.value) for word in words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("fail", ["cell", "ValueError: seven is no even number"]),
        ("die", ["kernel died", "memory"]),
        ("forget", ["without saving results", "results.write"]),
    ],
)
def test_a_failed_run_keeps_the_notebook_and_the_reason_and_nothing_else(
    case, place, tmp_path, behaviour, words
):
    with pytest.raises(RunError) as caught:
        engine.run(case, place, {"behaviour": behaviour}, out=tmp_path / "out")
    assert all(word in str(caught.value) for word in words)
    (kept,) = (tmp_path / "out" / "square" / "tiny").iterdir()
    assert kept.name.endswith(".failed")
    assert everything_in(kept) == ["notebook.ipynb", "reason.txt"]
    assert all(word in (kept / "reason.txt").read_text() for word in words)
    assert str(kept) in str(caught.value)
    assert kernels() == []


def test_the_failed_cell_is_named_by_its_number(case, place, tmp_path):
    with pytest.raises(RunError, match=r"cell 4 of the notebook failed"):
        engine.run(case, place, {"behaviour": "fail"}, out=tmp_path / "out")
    (kept,) = (tmp_path / "out" / "square" / "tiny").iterdir()
    book = json.loads((kept / "notebook.ipynb").read_text())
    # papermill puts its parameter cell second, so the failing third cell is the fourth that ran
    failed = [
        cell["execution_count"]
        for cell in book["cells"]
        if cell["cell_type"] == "code"
        and any(out["output_type"] == "error" for out in cell["outputs"])
    ]
    assert failed == [4]


def test_a_cell_that_takes_too_long_is_named(case, place, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "CELL_TIMEOUT_S", 1)
    with pytest.raises(RunError, match=r"took longer than 1 s"):
        engine.run(case, place, {"behaviour": "sleep"}, out=tmp_path / "out")
    assert kernels() == []


def test_an_output_folder_that_cannot_be_made_is_named(case, place, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match=r"cannot be written to .*taken.*--out"):
        engine.run(case, place, out=tmp_path / "taken")


def test_two_runs_at_once_do_not_meet(case, place, tmp_path):
    import threading

    done, failed = [], []

    def one():
        try:
            done.append(command("run", case, place, tmp_path).returncode)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert done == [0, 0]
    folders = list((tmp_path / "out" / "square" / "tiny").iterdir())
    assert len(folders) == 2
    assert all((folder / "report.html").exists() for folder in folders)


def ldt(*words):
    return [sys.executable, "-m", "ldt_toolbox.cli", *map(str, words)]


def command(name, case, place, tmp_path, *more, **options):
    words = [name, case.path.parent, "-t", place.path, "-o", tmp_path / "out", *more]
    return subprocess.run(ldt(*words), capture_output=True, text=True, check=False, **options)


def kernels(parent=None):
    """Kernels below a process that are not zombies."""
    found = []
    for child in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            alive = child.status() != psutil.STATUS_ZOMBIE
            if alive and any("ipykernel" in word for word in child.cmdline()):
                found.append(child)
    return found


def wait_for_kernel(process):
    for _ in range(300):
        if found := kernels(process.pid):
            return found
        time.sleep(0.1)
    raise AssertionError("no kernel was started within 30 s")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_kernel(case, place, tmp_path, sent):
    words = ldt("run", case.path.parent, "-t", place.path, "-o", tmp_path / "out",
                "-p", "behaviour=sleep")  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = wait_for_kernel(process)
    time.sleep(2)
    process.send_signal(sent)
    _, said = process.communicate(timeout=30)
    _, alive = psutil.wait_procs(found, timeout=15)
    assert alive == []
    if sent != signal.SIGKILL:
        assert process.returncode == 128 + sent, said
        left = list((tmp_path / "out" / "square" / "tiny").glob(".*.part"))
        assert left == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_a_full_disk_is_told_and_leaves_nothing_half(case, place, tmp_path):
    import resource

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))

    done = command("run", case, place, tmp_path, "-p", "behaviour=big", preexec_fn=full)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    (kept,) = (tmp_path / "out" / "square" / "tiny").iterdir()
    assert everything_in(kept) == ["notebook.ipynb", "reason.txt"]


def test_too_little_memory_is_refused_before_the_start(case, place, tmp_path, monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", "1000000")
    with pytest.raises(RunError, match=r"needs up to 0\.1 GB of memory, 0\.00 GB are free"):
        engine.run(case, place, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_progress_counts_every_code_cell_once(case, place, tmp_path):
    told = []
    engine.run(case, place, out=tmp_path / "out", progress=lambda *step: told.append(step))
    assert [step[0] for step in told] == [1, 2, 3, 4, 5, 6]
    assert {step[1] for step in told} == {6}
    assert told[-1][2] == "report"


def test_every_error_of_the_family_can_be_told_with_where_the_notebook_was_kept():
    # run() rebuilds an error as type(error)(message): a constructor with more would break it
    from ldt_toolbox import errors

    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, LDTError) and kind is not LDTError
    ]
    assert len(kinds) == 10
    for kind in kinds:
        if kind is not errors.DocumentError:
            assert str(kind("message")) == "message"
