"""The notebook of the local twin in a real JupyterLab: the indicator follows the sensor."""

import json
import re
from pathlib import Path

import pytest
from ldt_toolbox.paths import data_root

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN_TIMEOUT_MS = 180_000  # the notebook promises three minutes
SOURCE = Path(str(data_root())) / "notebooks" / "30-local-twin.ipynb"


def cell_output(page, words: str) -> str:
    """Text below the code cell that holds some words."""
    cell = page.locator(".jp-CodeCell").filter(has_text=words)
    return cell.locator(".jp-OutputArea-output").all_inner_texts()[0]


def test_the_loop_from_seed_to_live_indicator(lab, visit, open_notebook, screenshots):
    notebook = json.loads(SOURCE.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None  # what is seen was made here
    (lab.root / SOURCE.name).write_text(json.dumps(notebook), encoding="utf-8")

    page = open_notebook(SOURCE.name)
    last = page.locator(".jp-CodeCell").last
    last.locator(".jp-InputArea-prompt").get_by_text(re.compile(r"\[\d+\]:")).wait_for(
        timeout=RUN_TIMEOUT_MS
    )
    assert page.locator(".jp-RenderedText[data-mime-type*='stderr']").all_inner_texts() == []

    told = cell_output(page, "the dashboard was told")
    before, after, heard = re.search(
        r"station_bias ([\d.]+) -> ([\d.]+)\n.*\nthe dashboard was told ([\d.]+)", told
    ).groups()
    assert float(after) < float(before), "a warmer station is nearer to the model"
    assert heard == after
    figure = page.locator("figure img")
    figure.scroll_into_view_if_needed()
    assert figure.evaluate("image => image.complete && image.naturalWidth > 300")
    assert figure.get_attribute("alt").startswith("Map of ")
    page.screenshot(path=screenshots / "local-twin-notebook.png")
    assert visit.outside == []
    assert visit.complaints == []
