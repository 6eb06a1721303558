"""The command line: what it prints, and its exit codes."""

import subprocess
import sys

import pytest

HEAVY = {"geopandas", "pandas", "numba", "papermill", "matplotlib", "copier", "rasterio", "pyproj"}


def ldt(*words):
    return subprocess.run(
        [sys.executable, "-m", "ldt_toolbox.cli", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["use-cases"]])
def test_help_imports_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ldt_toolbox.cli", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    imported = {line.rsplit("|", 1)[-1].strip() for line in lines}
    assert len(imported) > 50
    assert imported & HEAVY == set()


def test_run_help_tells_every_parameter_of_the_manifest_with_range_and_default():
    from ldt_toolbox.use_case import UseCase

    text = " ".join(ldt("run", "--help").stdout.split())
    case = UseCase.find("heat-islands")
    assert len(case.parameters) > 20
    for parameter in case.parameters.values():
        assert parameter.name in text
        assert " ".join(parameter.help["en"].split()) in text


def test_lists():
    cases = ldt("use-cases").stdout.splitlines()
    assert [line.split("  ")[0] for line in cases] == ["flood-risk", "heat-islands", "mobility"]
    assert cases[1].startswith("heat-islands  Urban heat islands.")
    places = ldt("territories").stdout.splitlines()
    assert [line.split()[0] for line in places] == [
        "andorra-la-vella", "east-london", "helsinki-centre", "monaco",
    ]  # fmt: skip
    shown = ldt("params", "heat-islands", "--lang", "fr").stdout
    assert "uhi_max_k = 3.0  [KEL; 0 to 12]" in shown
    assert "côté d'une maille du modèle" in shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", "heat-island", "-t", "monaco"], 2, "did you mean `heat-islands`?"),
        (["run", "heat-islands", "-t", "monacco"], 2, "did you mean `monaco`?"),
        (["run", "heat-islands", "-t", "monaco", "-p", "uhi_max=3"], 2, "`uhi_max_k`?"),
        (["run", "heat-islands", "-t", "monaco", "-p", "uhi_max_k=30"], 2, "0 to 12 KEL"),
        (["run", "heat-islands", "-t", "monaco", "-p", "uhi_max_k"], 2, "form name=value"),
        (["run", "heat-islands", "-t", "monaco", "-p", "seed=1", "-p", "seed=2"], 2, "twice"),
        (["run", "heat-islands"], 2, "--territory"),
        (["walk"], 2, "No such command"),
        (["run", "heat-islands", "-t", "nowhere.yaml"], 1, "does not exist"),
    ],
)
def test_exit_codes_and_messages(words, code, said):
    done = ldt(*words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
