"""Stored headline numbers against fresh ones: nbval, in a pytest of its own.

The tests of the package forbid sockets and turn warnings into errors; kernels need sockets and
bring their own warnings, so nbval runs beside with an ini of its own.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

TIMEOUT_S = 600
CELLS = {"flood-risk": 20, "heat-islands": 15, "mobility": 15}


def nbval(folder, *notebooks):
    """Run nbval in a folder and return its text and how many cells passed."""
    (folder / "nbval.ini").write_text("[pytest]\n")
    command = [
        sys.executable, "-m", "pytest", "--nbval-lax", "-v", "-c", "nbval.ini", "--rootdir", ".",
        "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:pytest_socket", "--color=no",
        "--nbval-cell-timeout=240", *notebooks,
    ]  # fmt: skip
    private = {"LDT_OFFLINE": "1", "PYTEST_ADDOPTS": "", "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **private}, capture_output=True, text=True,
        timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    text = done.stdout + done.stderr
    return done.returncode, text, set(re.findall(r"(\S+)::ipynb::Cell \d+ PASSED", text))


def passed_cells(text, name):
    return len(re.findall(rf"{re.escape(name)}::ipynb::Cell \d+ PASSED", text))


def test_cookbook_gives_the_stored_numbers(cookbook, tmp_path):
    for path in cookbook:
        shutil.copy(path, tmp_path)
    code, text, names = nbval(tmp_path, *(path.name for path in cookbook))
    assert code == 0, text[-4000:]
    assert names == {path.stem for path in cookbook}
    assert passed_cells(text, "00-start-here") == 10
    assert passed_cells(text, "10-context-broker") == 22
    assert passed_cells(text, "20-models-and-mappings") == 16
    assert passed_cells(text, "30-local-twin") == 20


def test_use_case_notebook_gives_the_stored_headline(use_case_notebooks, tmp_path):
    for name, path in use_case_notebooks.items():
        shutil.copy(path, tmp_path / f"{name}.ipynb")
    code, text, names = nbval(tmp_path, *(f"{name}.ipynb" for name in use_case_notebooks))
    assert code == 0, text[-4000:]
    assert names == set(CELLS)
    assert {name: passed_cells(text, name) for name in CELLS} == CELLS


def test_a_wrong_stored_number_is_found(cookbook, headlines, tmp_path):
    """nbval compares headline cells: a notebook of one such cell with a wrong output fails."""
    import nbformat

    notebook = nbformat.read(cookbook[0], as_version=4)
    cell = headlines(notebook)[0]
    cell.source = '# NBVAL_CHECK_OUTPUT\nprint("2.6 K")'
    cell.outputs = [nbformat.v4.new_output("stream", text="2.7 K\n")]
    cell.execution_count = 1
    notebook.cells = [cell]
    nbformat.write(notebook, tmp_path / "wrong.ipynb")
    code, text, _ = nbval(tmp_path, "wrong.ipynb")
    assert code == 1, text[-2000:]
    assert "2.7 K" in text
    assert "Unrun" not in text
