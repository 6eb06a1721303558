"""Which notebooks there are, found once and counted."""

from pathlib import Path

import nbformat
import pytest
from ldt_toolbox.paths import data_root

COOKBOOK = (
    "00-start-here.ipynb",
    "10-context-broker.ipynb",
    "20-models-and-mappings.ipynb",
    "30-local-twin.ipynb",
)
USE_CASES = ("flood-risk", "heat-islands", "mobility")


def collected(folder: Path, pattern: str) -> list[Path]:
    """Notebooks that a pattern finds; none is a failure, not a pass."""
    found = sorted(folder.glob(pattern))
    assert found, f"no notebook matches {pattern} in {folder}: the tests would pass on nothing"
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(str(data_root()))


@pytest.fixture(scope="session")
def cookbook(root) -> list[Path]:
    found = collected(root / "notebooks", "*.ipynb")
    assert [path.name for path in found] == list(COOKBOOK), "tell the new notebook to this list"
    return found


@pytest.fixture(scope="session")
def use_case_notebooks(root) -> dict[str, Path]:
    found = {path.parent.name: path for path in collected(root / "use-cases", "*/notebook.ipynb")}
    assert tuple(found) == USE_CASES, "tell the new use case to this list"
    return found


@pytest.fixture(scope="session")
def every_notebook(cookbook, use_case_notebooks) -> dict[str, nbformat.NotebookNode]:
    paths = [*cookbook, *use_case_notebooks.values()]
    return {f"{p.parent.name}/{p.name}": nbformat.read(p, as_version=4) for p in paths}


def headline_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.startswith("# NBVAL_CHECK_OUTPUT")
    ]


@pytest.fixture(scope="session")
def headlines():
    return headline_cells
