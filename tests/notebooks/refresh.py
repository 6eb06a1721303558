"""Write parameter cells, expected.json and headline outputs anew, after a change that was meant.

    python tests/notebooks/refresh.py                    all of them
    python tests/notebooks/refresh.py mobility 30-local-twin

Tolerances, reasons and every other cell stay as they are: look at the difference before you commit.
"""

import argparse
import copy
import json
import os
import tempfile
from pathlib import Path

import nbformat
from ldt_toolbox.parameters import notebook_cell
from ldt_toolbox.paths import data_root
from ldt_toolbox.results import Results
from ldt_toolbox.sources import load
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase, use_case_folders
from nbclient import NotebookClient

MARK = "# NBVAL_CHECK_OUTPUT"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cases = dict(use_case_folders())
    cookbook = {
        path.stem: path for path in sorted(Path(str(data_root()), "notebooks").glob("*.ipynb"))
    }
    parser.add_argument("names", nargs="*", help=f"some of {', '.join([*cases, *cookbook])}")
    names = parser.parse_args().names or [*cases, *cookbook]
    if unknown := set(names) - {*cases, *cookbook}:
        parser.error(f"no notebook {sorted(unknown)}")
    os.environ["LDT_OFFLINE"] = "1"
    for name, folder in cases.items():
        if name not in names:
            continue
        refresh_parameters(UseCase.find(name))
        refresh_expected(UseCase.find(name), folder / "expected.json")
        refresh_outputs(folder / "notebook.ipynb")
    for name, path in cookbook.items():
        if name in names:
            refresh_outputs(path)


def opening_territory(case: UseCase) -> str:
    """The first of expected.json: the notebook opens with it."""
    path = case.path.parent / "expected.json"
    return str(json.loads(path.read_text(encoding="utf-8"))["territories"][0])


def refresh_parameters(case: UseCase) -> None:
    notebook = nbformat.read(case.notebook, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = notebook_cell(case.parameters, territory=opening_territory(case))
    nbformat.write(notebook, case.notebook)


def refresh_expected(case: UseCase, path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for territory in document["territories"]:
        place = Territory.find(territory)
        results = case.compute(load(case, place), case.validate(territory=place))
        with tempfile.TemporaryDirectory() as folder:
            results.write(folder, case, territory=territory)
            rounded = Results.read(Path(folder)).indicators
        unknown = rounded.keys() - document["indicators"].keys()
        if unknown:
            raise SystemExit(f"give {sorted(unknown)} a tolerance and a reason in {path}")
        for key, one in document["indicators"].items():
            old = one["values"].pop(territory, "absent")
            new = rounded[key].value if key in rounded else "absent"
            if key in rounded:
                one["values"][territory] = new
            if new != old:
                print(f"{territory} {key}: {old} -> {new}")
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def refresh_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    fresh = copy.deepcopy(notebook)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(fresh, kernel_name="python3", store_widget_state=False)
        client.execute(cwd=folder)
    for cell, ran in zip(notebook.cells, fresh.cells, strict=True):
        if cell.cell_type == "code":
            kept = ran.outputs if cell.source.startswith(MARK) else []
            cell.outputs = [output for output in kept if output.output_type == "stream"]
            cell.execution_count = 1 if cell.outputs else None  # nbval asks for a number
    nbformat.write(notebook, path)
    print(f"{path.parent.name}/{path.name}: outputs written")


if __name__ == "__main__":
    main()
