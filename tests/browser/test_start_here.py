"""The form of the start-here notebook in a real browser: a wrong value is told in red."""

import json
from pathlib import Path

import pytest
from ldt_toolbox.paths import data_root

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS_UP_TO_THE_FORM = 9


def test_wrong_value_is_told_in_the_form(lab, visit, open_notebook, screenshots):
    source = Path(str(data_root())) / "notebooks" / "00-start-here.ipynb"
    notebook = json.loads(source.read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][:CELLS_UP_TO_THE_FORM]
    assert "form(case, place)" in "".join(notebook["cells"][-1]["source"])
    (lab.root / "form.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    page = open_notebook("form.ipynb")
    message = page.locator("p[role=status]")
    message.wait_for(timeout=60_000)
    assert message.inner_text() == "All values are valid."
    field = page.get_by_label("uhi_max_k")
    field.fill("99")
    field.press("Enter")
    page.wait_for_function(
        "() => /out of range/.test(document.querySelector('p[role=status]').innerText)"
    )
    assert "valid: 0 to 12" in message.inner_text()
    assert message.evaluate("p => getComputedStyle(p).color") == "rgb(176, 0, 32)"
    message.scroll_into_view_if_needed()
    page.screenshot(path=screenshots / "form-wrong.png")
    field.fill("4")
    field.press("Enter")
    page.wait_for_function(
        "() => /uhi_max_k/.test(document.querySelector('p[role=status]').innerText)"
        " && !/range/.test(document.querySelector('p[role=status]').innerText)"
    )
    page.screenshot(path=screenshots / "form.png")
    assert visit.outside == []
    assert visit.complaints == []


def test_a_request_to_the_outside_would_be_seen(visit):
    """The claim of no outside request rests on this counter."""
    visit.page.set_content('<img src="http://tiles.example.org/1.png">')
    assert visit.outside == ["http://tiles.example.org/1.png"]
