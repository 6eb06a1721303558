"""The Binder environment: pinned as the project is, read by repo2docker, enough for a run."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import psutil
import pytest

REPOSITORY = Path(__file__).parents[2]
BINDER = REPOSITORY / "binder"
RUNTIME = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
# What mybinder.org guarantees to each user.
MEMORY_BYTES = 1_000_000_000
OFFLINE = re.compile("Temporary failure in name resolution|Failed to establish a new connection")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    path = REPOSITORY / "scripts" / "binder_requirements.py"
    spec = importlib.util.spec_from_file_location("binder_requirements", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def requirements() -> dict[str, str]:
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][A-Za-z0-9.+]*", pin) for pin in pins)
    return dict(pin.split("==") for pin in pins)


def test_versions_are_those_of_the_constraints(
    generator: ModuleType, requirements: dict[str, str]
) -> None:
    environment = generator.marker_environment(RUNTIME)
    pinned = generator.pinned((REPOSITORY / "constraints.txt").read_text(), environment)
    differing = {n: v for n, v in requirements.items() if pinned.get(n) != v}
    assert not differing, "run scripts/binder_requirements.py"
    assert len(requirements) > 80


def test_every_runtime_dependency_is_there(
    generator: ModuleType, requirements: dict[str, str]
) -> None:
    start = generator.roots((REPOSITORY / "pyproject.toml").read_text())
    names = {r.name.lower() for r in start} - set(generator.OF_THE_BASE)
    assert names <= requirements.keys(), "run scripts/binder_requirements.py"


@pytest.mark.skipif(HERE != RUNTIME, reason=f"only Python {RUNTIME} knows its own dependencies")
def test_requirements_are_as_the_script_writes_them(generator: ModuleType) -> None:
    written = (BINDER / "requirements.txt").read_text()
    assert written == generator.requirements_text(), "run scripts/binder_requirements.py"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_stop_at_the_first_error(name: str) -> None:
    path = BINDER / name
    assert path.stat().st_mode & 0o111, "must be executable"
    assert path.read_text().startswith("#!/bin/bash\n")
    assert "\nset -euo pipefail\n" in path.read_text()
    subprocess.check_call(["bash", "-n", path])


@pytest.mark.parametrize(
    ("limit", "threads"), [("", ""), ("0.5", "1"), ("1.0", "1"), ("2.0", "2"), ("two", "")]
)
def test_start_uses_as_many_threads_as_the_container_has(limit: str, threads: str) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    shown = subprocess.check_output(
        [BINDER / "start", "bash", "-c", 'echo "${NUMBA_NUM_THREADS:-}/$NUMBA_CPU_NAME"'],
        env=kept | {"CPU_LIMIT": limit}, text=True,
    )  # fmt: skip
    assert shown.strip() == f"{threads}/generic"


def test_repo2docker_reads_all_four_files() -> None:
    if importlib.util.find_spec("repo2docker") is None:
        pytest.skip("jupyter-repo2docker is not installed: add the extra `test`")
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", REPOSITORY],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    dockerfile = done.stdout + done.stderr
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile
    assert f"environment-2epy-2d{RUNTIME.replace('.', '-2e')}" in dockerfile
    assert "RUN ./binder/postBuild" in dockerfile
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in dockerfile
    installed = dockerfile.index('-r "binder/requirements.txt"')
    copied = dockerfile.index("COPY --chown=0:0 src/ ${REPO_DIR}/")
    assert installed < copied < dockerfile.index("RUN ./binder/postBuild")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """What Binder builds, without the container: environment, copy of the repository, postBuild."""
    python = sys.executable if HERE == RUNTIME else shutil.which(f"python{RUNTIME}")
    if python is None:
        pytest.skip(f"no python{RUNTIME} here, which binder/runtime.txt asks for")
    folder = tmp_path_factory.mktemp("binder")
    environment = folder / "env"
    subprocess.check_call([python, "-m", "venv", environment])
    install = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    done = subprocess.run(
        [*install, "-r", BINDER / "requirements.txt"], capture_output=True, text=True
    )
    if done.returncode != 0 and OFFLINE.search(done.stderr):
        pytest.skip("packages cannot be fetched: no network")
    assert done.returncode == 0, done.stderr[-3000:]

    home = folder / "home"
    names = subprocess.check_output(
        ["git", "-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        text=True,
    )
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, home / name)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LDT_", "NUMBA_"))}
    variables = kept | {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
    }
    done = subprocess.run(
        ["binder/postBuild"], cwd=home, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "heat-islands on " in done.stdout
    return folder, variables


def kernels(folder: Path) -> set[tuple[str, int]]:
    (package,) = (folder / "env" / "lib").glob("python*/site-packages/ldt_toolbox")
    return {(p.name, p.stat().st_mtime_ns) for p in package.rglob("*.nb[ic]")}


def memory_bytes(process: psutil.Process) -> int:
    """Memory of a process and all below it; a page that two share counts once, as in a cgroup."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            full = one.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        total += getattr(full, "pss", full.uss)
    return total


@pytest.mark.slow
def test_a_run_fits_into_the_memory_of_binder_and_compiles_nothing(
    image: tuple[Path, dict[str, str]],
) -> None:
    folder, variables = image
    compiled = kernels(folder)
    assert compiled, "postBuild has compiled no kernel"
    command = ["binder/start", "ldt", "run", "heat-islands", "--territory", "monaco"]
    log = folder / "log.txt"
    with log.open("w") as output:
        process = psutil.Popen(
            [*command, "--out", "results"], cwd=folder / "home", stdout=output, stderr=output,
            env=variables | {"MEM_LIMIT": str(MEMORY_BYTES), "CPU_LIMIT": "2"},
        )  # fmt: skip
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory_bytes(process))
            time.sleep(0.1)
    assert process.returncode == 0, log.read_text()[-3000:]
    assert 100_000_000 < peak < MEMORY_BYTES
    assert len(list((folder / "home" / "results").rglob("report.html"))) == 1
    assert kernels(folder) == compiled, "postBuild has left kernels to be compiled"
