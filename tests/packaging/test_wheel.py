"""The wheel, built through the source distribution, holds what it must and works anywhere."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import ldt_toolbox
import pytest

REPOSITORY = Path(__file__).parents[2]
DATA = ("notebooks", "use-cases", "templates", "copier.yml")

# Loaded by the interpreter at start: the kernel of a notebook may talk to itself, nobody else.
NO_NETWORK = """
import socket

_connect, _resolve = socket.socket.connect, socket.getaddrinfo


def connect(self, address):
    if self.family != getattr(socket, "AF_UNIX", None) and not str(address[0]).startswith("127."):
        raise OSError(f"no network in this test: {address}")
    return _connect(self, address)


def resolve(host, *rest, **named):
    if host not in (None, "", "localhost", "127.0.0.1", b"localhost", b"127.0.0.1"):
        raise OSError(f"no network in this test: {host}")
    return _resolve(host, *rest, **named)


socket.socket.connect, socket.getaddrinfo = connect, resolve
"""


def run(*command: object, **options: object) -> "subprocess.CompletedProcess[str]":
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """What git knows, or would take: a file that was just written belongs to the wheel too."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: what must be in the wheel cannot be told")
    names = run(
        "git", "-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "-z"
    ).stdout
    return {name for name in names.split("\0") if name and (REPOSITORY / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def wheel_name(name: str) -> str | None:
    """Where a file of the repository lies in the wheel, None if it stays out."""
    package = "toolbox/ldt_toolbox/"
    if name.startswith(package):
        return "ldt_toolbox/" + name.removeprefix(package)
    if name.split("/")[0] in DATA:
        return "ldt_toolbox/_data/" + name
    return None


@pytest.mark.slow
def test_wheel_holds_every_file_that_it_must_and_no_other(
    built: tuple[Path, Path], tracked: set[str]
) -> None:
    expected = {wheel_name(name) for name in tracked} - {None}
    with zipfile.ZipFile(built[1]) as archive:
        files = {i.filename for i in archive.infolist() if not i.is_dir()}
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
    found = {name for name in files if ".dist-info/" not in name}
    assert found == expected
    assert len(found) > 60
    top = "ldt_toolbox/_data/templates/territory"
    for name in (".gitignore.jinja", "{{_copier_conf.answers_file}}.jinja", "territory.yaml.jinja"):
        assert f"{top}/{name}" in found
    assert modes[f"{top}/binder/postBuild"] & 0o111, "must stay executable"
    assert any(name.endswith("/licenses/LICENSE") for name in files)
    assert any(name.endswith("/licenses/NOTICE") for name in files)


@pytest.mark.slow
def test_source_distribution_can_be_read_and_built_again(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "CITATION.cff",
        "copier.yml", "PKG-INFO",
    } <= names  # fmt: skip
    assert not any(name.startswith((".venv", "results", "tests")) for name in names)


@pytest.fixture(scope="module")
def installed(
    built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """Clean environment outside of the checkout, with the wheel in it and the network off.

    Dependencies are those of the environment that runs the tests: they are seen through a path
    file, whose editable install of this package must not win.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    run(sys.executable, "-m", "venv", folder / "env")
    python = folder / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", built[1])
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    outer = next(p for p in map(Path, sys.path) if (p / "pandas").is_dir())
    (site / "zz_dependencies.pth").write_text(f"{outer}\n")
    (folder / "offline").mkdir()
    (folder / "offline" / "sitecustomize.py").write_text(NO_NETWORK)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LDT_", "JUPYTER"))}
    environment = kept | {
        "PYTHONPATH": str(folder / "offline"),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
    }
    return folder, environment


@pytest.mark.slow
def test_package_is_the_installed_one_and_the_network_is_off(
    installed: tuple[Path, dict[str, str]],
) -> None:
    folder, environment = installed
    python = folder / "env" / "bin" / "python"
    code = "import ldt_toolbox, ldt_toolbox.paths as p; print(ldt_toolbox.__file__, p.data_root())"
    module, data = run(python, "-c", code, cwd=folder, env=environment).stdout.split()
    assert Path(module).is_relative_to(folder)
    assert Path(data).is_relative_to(folder)
    assert Path(ldt_toolbox.__file__).is_relative_to(REPOSITORY)
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run(
        [python, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert "no network in this test" in done.stderr


@pytest.mark.slow
def test_heat_islands_of_monaco_offline_from_the_wheel(
    installed: tuple[Path, dict[str, str]],
) -> None:
    folder, environment = installed
    ldt = folder / "env" / "bin" / "ldt"
    command = (ldt, "run", "heat-islands", "--territory", "monaco", "--out", "results/")
    done = run(*command, cwd=folder, env=environment)
    report = folder / done.stdout.split()[-1]
    assert report.name == "report.html"
    assert report.is_relative_to(folder / "results" / "monaco" / "heat-islands")
    for name in (
        "notebook.ipynb", "indicators.json", "report.html", "ro-crate-metadata.json",
        "layers/air_temperature.tif", "layers/buildings.parquet",
    ):  # fmt: skip
        assert (report.parent / name).stat().st_size > 0, name


@pytest.mark.slow
def test_scaffold_from_the_wheel(installed: tuple[Path, dict[str, str]]) -> None:
    folder, environment = installed
    ldt = folder / "env" / "bin" / "ldt"
    run(ldt, "new", "our-town", "--defaults", cwd=folder, env=environment)
    made = folder / "our-town"
    assert (made / "binder" / "postBuild").stat().st_mode & 0o111
    stored = (made / ".copier-answers.yml").read_text(encoding="utf-8")
    assert str(folder) not in stored
    assert "site-packages" not in stored
    run(ldt, "update", "our-town", cwd=folder, env=environment)


@pytest.mark.slow
def test_a_territory_installs_the_toolbox_that_it_is_told(
    built: tuple[Path, Path], installed: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = installed
    ldt = folder / "env" / "bin" / "ldt"
    run(ldt, "new", "other-town", "--defaults", cwd=folder, env=environment)
    made = folder / "other-town"
    given = (f"PYTHON={sys.executable}", f"TOOLBOX=--no-index --no-deps {built[1]}")
    run("make", "install", *given, cwd=made, env=environment)
    (site,) = (made / ".venv" / "lib").glob("python*/site-packages")
    (linked,) = (folder / "env" / "lib").glob("python*/site-packages/zz_dependencies.pth")
    (site / linked.name).write_text(linked.read_text())
    shown = run("make", "check", *given, cwd=made, env=environment).stdout
    assert "example-town is in order" in shown
    assert run("git", "status", "--porcelain", cwd=made).stdout == "", "the environment is ignored"
