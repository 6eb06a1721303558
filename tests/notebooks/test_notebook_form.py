"""Notebooks tell a story: short cells, no functions, no stored output but the headline numbers."""

import ast
import json
from pathlib import Path

import nbformat
import pytest
from ldt_toolbox.parameters import notebook_cell
from ldt_toolbox.use_case import UseCase

LONGEST_CODE_CELL = 15
LONGEST_CALL_CELL = 20  # a call that hands over many named things, one a line


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_parameters(cell):
    return "parameters" in cell.metadata.get("tags", [])


def test_collector_that_finds_none_fails(tmp_path, request):
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("notebooks_conftest", request.path.parent / "conftest.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(AssertionError, match="would pass on nothing"):
        module.collected(tmp_path, "*.ipynb")


def test_all_notebooks_are_valid_and_have_code(every_notebook, cookbook, use_case_notebooks):
    assert len(every_notebook) == len(cookbook) + len(use_case_notebooks) >= 5
    for name, notebook in every_notebook.items():
        nbformat.validate(notebook)
        assert len(code_cells(notebook)) >= 8, name
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids), name


def test_parameter_cell_is_what_the_manifest_says(use_case_notebooks):
    for name, path in use_case_notebooks.items():
        case = UseCase.find(name)
        cells = [c for c in nbformat.read(path, as_version=4).cells if is_parameters(c)]
        assert len(cells) == 1
        expected = json.loads((path.parent / "expected.json").read_text(encoding="utf-8"))
        opening = expected["territories"][0]
        assert cells[0].source == notebook_cell(case.parameters, territory=opening)


def test_code_cells_are_short_and_define_nothing(every_notebook):
    for name, notebook in every_notebook.items():
        for cell in code_cells(notebook):
            if is_parameters(cell):
                continue
            tree = ast.parse(cell.source)
            where = f"{name}, cell {cell.id}"
            defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
            assert not any(isinstance(node, defined) for node in ast.walk(tree)), where
            lines = [line for line in cell.source.splitlines() if line.strip()]
            call = max((node.end_lineno - node.lineno + 1 for node in tree.body), default=0)
            allowed = LONGEST_CALL_CELL if call > LONGEST_CODE_CELL else LONGEST_CODE_CELL
            assert 1 <= len(lines) <= allowed, where


def test_every_code_cell_has_words_above_it(every_notebook):
    """At most two code cells in a row, and the notebook opens with a title."""
    for name, notebook in every_notebook.items():
        kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
        assert kinds.startswith("m"), name
        assert "ccc" not in kinds, name
        assert notebook.cells[0].source.startswith("# "), name


def test_only_headline_cells_store_output(every_notebook, headlines):
    for name, notebook in every_notebook.items():
        kept = {cell.id for cell in headlines(notebook)}
        assert kept, f"{name} has no headline cell"
        for cell in code_cells(notebook):
            assert bool(cell.outputs) == (cell.id in kept), f"{name}, cell {cell.id}"
            for output in cell.outputs:
                assert output.output_type == "stream", f"{name}, cell {cell.id}"
                assert len(output.text) < 300


def test_no_path_or_name_of_a_machine_is_stored(every_notebook):
    for name, notebook in every_notebook.items():
        text = nbformat.writes(notebook)
        for trace in (str(Path.home()), "/home/", "/Users/", "/tmp/", "C:\\\\"):  # noqa: S108
            assert trace not in text, f"{name} holds {trace}"
        assert "widgets" not in notebook.metadata, f"{name} stores the state of widgets"


def test_figures_are_drawn_by_the_function_that_adds_alt_text(every_notebook):
    shown = 0
    for name, notebook in every_notebook.items():
        for cell in code_cells(notebook):
            assert "plt." not in cell.source, f"{name}, cell {cell.id}: use show_map"
            assert "map_figure(" not in cell.source, f"{name}, cell {cell.id}: use show_map"
            shown += cell.source.count("show_map(")
    assert shown >= 5
