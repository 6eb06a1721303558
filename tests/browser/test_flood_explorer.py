"""The flood notebook in a real JupyterLab in a real browser: sliders, stage, animation."""

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

# fewer runs for speed: the explorer reads neither the draws nor the check by the full scheme
QUICK = {
    "monte_carlo_draws: int = 20": "monte_carlo_draws: int = 2",
    "check_scheme: bool = True": "check_scheme: bool = False",
    "[2, 5, 10, 20, 50, 100]": "[10, 100]",
    "[17, 24, 30, 36, 44, 50]": "[30, 50]",
}
RUN_TIMEOUT_MS = 180_000
ANSWER_S = 20  # the model answers in half a second; a busy machine takes longer
IMAGE = ".leaflet-overlay-pane img.leaflet-image-layer"


def hectares(page) -> float | None:
    """The area under water, or None while the model runs."""
    bold = page.locator("p[role=status] b")
    return float(re.match(r"([\d.]+) ha", bold.inner_text()).group(1)) if bold.count() else None


def wet(page) -> np.ndarray:
    source = page.locator(IMAGE).get_attribute("src")
    assert source.startswith("data:image/png;base64,")
    data = base64.b64decode(source.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 3] > 0


def changed(page, before: float) -> float:
    start = time.monotonic()
    while (now := hectares(page)) in (None, before):
        assert time.monotonic() - start < ANSWER_S, "the number did not change"
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)
    return now


def test_sliders_and_stage_change_the_map_and_the_number(lab, visit, open_notebook, screenshots):
    source = Path(str(data_root())) / "use-cases" / "flood-risk" / "notebook.ipynb"
    text = source.read_text(encoding="utf-8")
    for old, new in QUICK.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (lab.root / source.name).write_text(text, encoding="utf-8")

    page = open_notebook(source.name)
    page.locator(IMAGE).first.wait_for(state="attached", timeout=RUN_TIMEOUT_MS)
    page.locator(".leaflet-container").scroll_into_view_if_needed()
    today, dry_before = hectares(page), ~wet(page)
    assert today > 0
    page.screenshot(path=screenshots / "flood-before.png")

    rain = page.locator(".widget-slider", has_text="Rain, times").get_by_role("slider")
    rain.focus()
    page.keyboard.press("End")
    more = changed(page, today)
    assert more > today, "twice the rain must not flood less ground"
    assert (wet(page) & dry_before).any()
    page.screenshot(path=screenshots / "flood-more-rain.png")

    page.get_by_role("button", name="screening").click()
    stage = changed(page, more)
    assert page.locator(".widget-slider", has_text="Rain, times").is_hidden()
    level = page.locator(".widget-slider", has_text="Stage above").get_by_role("slider")
    level.focus()
    page.keyboard.press("End")
    higher = changed(page, stage)
    assert higher > stage
    assert "never a hazard map" in page.locator("p[role=status]").inner_text()
    page.screenshot(path=screenshots / "flood-stage.png")

    film = page.locator(".film")
    film.scroll_into_view_if_needed()
    strip = film.locator(".water .strip")
    place = "e => getComputedStyle(e).transform"
    first = strip.evaluate(place)
    page.wait_for_timeout(1200)
    assert strip.evaluate(place) != first, "the animation does not move"
    film.get_by_label("Pause").check()
    held = strip.evaluate(place)
    page.wait_for_timeout(1200)
    assert strip.evaluate(place) == held, "the animation does not stand still"
    page.screenshot(path=screenshots / "flood-film.png")

    assert visit.requests > 20, "requests were not seen: the claim below would be empty"
    assert visit.outside == []
    assert visit.complaints == []
