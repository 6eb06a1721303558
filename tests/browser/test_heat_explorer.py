"""The heat notebook in a real JupyterLab in a real browser: a slider changes map and number."""

import base64
import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from ldt_toolbox.paths import data_root
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# fewer draws for speed: the explorer does not read them
QUICK = {"monte_carlo_draws: int = 40": "monte_carlo_draws: int = 2"}
RUN_TIMEOUT_MS = 120_000
ANSWER_S = 15  # the model answers in about one second; a busy machine takes longer
IMAGE = ".leaflet-overlay-pane img.leaflet-image-layer"


def number(page) -> float:
    text = page.locator("p[role=status] b").inner_text()
    return float(re.match(r"([−-]?[\d.]+) K", text).group(1).replace("−", "-"))


def painted(source: str) -> np.ndarray:
    assert source.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_slider_changes_the_map_and_the_number(lab, visit, open_notebook, screenshots):
    source = Path(str(data_root())) / "use-cases" / "heat-islands" / "notebook.ipynb"
    text = source.read_text(encoding="utf-8")
    for old, new in QUICK.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (lab.root / source.name).write_text(text, encoding="utf-8")

    page = open_notebook(source.name)
    page.locator(IMAGE).first.wait_for(state="attached", timeout=RUN_TIMEOUT_MS)
    page.locator(".leaflet-container").scroll_into_view_if_needed()
    before, image_before = number(page), page.locator(IMAGE).get_attribute("src")
    assert before < 0
    page.screenshot(path=screenshots / "explorer-before.png")

    handle = page.locator(".widget-slider", has_text="Places to plant").get_by_role("slider")
    assert float(handle.get_attribute("aria-valuenow")) == 10
    handle.focus()
    start = time.monotonic()
    page.keyboard.press("End")
    while number_or_none(page) in (None, before):
        assert time.monotonic() - start < ANSWER_S, "the number did not change"
        page.wait_for_timeout(50)
    waited_s = time.monotonic() - start
    page.wait_for_function(
        "([query, old]) => document.querySelector(query).src !== old",
        arg=[IMAGE, image_before],
        timeout=5000,
    )
    after, image_after = number(page), page.locator(IMAGE).get_attribute("src")
    assert after < before, "more trees must not warm the town"
    first, second = painted(image_before), painted(image_after)
    assert first.shape == second.shape
    assert (first != second).mean() > 0.01
    page.wait_for_timeout(300)
    page.screenshot(path=screenshots / "explorer-after.png")
    print(f"answer after {waited_s:.2f} s: {before} -> {after} K")

    assert visit.requests > 20, "requests were not seen: the claim below would be empty"
    assert visit.outside == []
    assert visit.complaints == []


def number_or_none(page) -> float | None:
    """The number, or None while the model runs."""
    return number(page) if page.locator("p[role=status] b").count() else None
