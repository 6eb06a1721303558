"""The mobility notebook in a real JupyterLab in a real browser: a click shows what is reached."""

import re
import shutil
import sys
import time
from pathlib import Path

import pytest
import yaml
from ldt_toolbox.paths import data_root
from ldt_toolbox.territory import bundled_territories

sys.path.insert(0, str(Path(__file__).parents[1] / "mobility"))

from small_feed import DAY, STOPS, STOPS_TXT, write_zip
from small_feed import changed as changed_feed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUICK = {"bootstrap_draws: int = 2000": "bootstrap_draws: int = 10"}
RUN_TIMEOUT_MS = 180_000
ANSWER_S = 20  # a search takes about a second; a busy machine takes longer
MAP = ".ldt-access .leaflet-container"
# polygons with a fill, as the bands have; outlines of buildings and the boundary have none
BANDS = f"{MAP} .leaflet-overlay-pane path[fill='#9ecae1']"
DOT = f"{MAP} .leaflet-marker-pane path[fill='#d7191c']"


def hectares(page) -> float | None:
    """The area reached, or None while the model searches or complains."""
    bold = page.locator("p[role=status] b")
    return float(re.match(r"([\d,.]+) ha", bold.inner_text())[1].replace(",", "")) if (
        bold.count()
    ) else None  # fmt: skip


def changed(page, before: float) -> float:
    start = time.monotonic()
    while (now := hectares(page)) in (None, before):
        assert time.monotonic() - start < ANSWER_S, "the number did not change"
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)
    return now


def put_notebook(lab, changes) -> str:
    """The use case's own notebook in the lab's folder, with other values in its parameter cell."""
    source = Path(str(data_root())) / "use-cases" / "mobility" / "notebook.ipynb"
    text = source.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (lab.root / source.name).write_text(text, encoding="utf-8")
    return source.name


def middle_of(page, query) -> tuple[float, float]:
    box = page.locator(query).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_click_slider_and_list_change_what_is_reached(lab, visit, open_notebook, screenshots):
    page = open_notebook(put_notebook(lab, QUICK))
    page.locator(BANDS).first.wait_for(state="attached", timeout=RUN_TIMEOUT_MS)
    page.locator(MAP).scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    middle, shape = hectares(page), page.locator(BANDS).first.get_attribute("d")
    assert middle > 0
    page.screenshot(path=screenshots / "mobility-before.png")

    # a hundred pixels from the middle of all homes is in town still
    x, y = middle_of(page, DOT)
    page.mouse.click(x - 60, y + 70)
    clicked = changed(page, middle)
    new_x, new_y = middle_of(page, DOT)
    # the dot is round: its box has its middle where the click was, to the pixel
    assert (new_x, new_y) == pytest.approx((x - 60, y + 70), abs=2)
    assert page.locator(BANDS).first.get_attribute("d") != shape, "the polygon did not change"
    assert "place clicked" in page.locator("p[role=status]").inner_text()
    rows = page.locator("table.ldt-nearest tbody tr")
    assert rows.count() == 7
    page.screenshot(path=screenshots / "mobility-clicked.png")

    shape = page.locator(BANDS).first.get_attribute("d")
    minutes = page.locator(".widget-slider", has_text="Minutes").get_by_role("slider")
    minutes.focus()
    page.keyboard.press("End")
    longest = changed(page, clicked)
    assert longest > clicked, "an hour must not reach less than a quarter of one"
    assert page.locator(BANDS).first.get_attribute("d") != shape
    assert "60 min" in page.locator("svg[aria-label='Reached within']").text_content()
    # all of Monaco is within an hour of everywhere: places differ in what is near
    page.keyboard.press("Home")
    shortest = changed(page, longest)
    assert shortest < clicked, "the shortest time must not reach more than a quarter of an hour"

    page.locator(".ldt-access").scroll_into_view_if_needed()
    corner = page.locator(MAP).bounding_box()
    page.mouse.click(corner["x"] + corner["width"] - 40, corner["y"] + corner["height"] - 40)
    alert = page.locator("p[role=alert]")
    alert.wait_for(timeout=1000 * ANSWER_S)
    assert "lies outside Monaco" in alert.inner_text()
    page.screenshot(path=screenshots / "mobility-outside.png")

    # without any click on the map: a name from the list, then bike instead of foot
    choice = page.locator(".widget-dropdown", has_text="From").locator("select")
    choice.select_option(index=4)
    label = choice.locator("option:checked").inner_text().replace("\xa0", " ")
    listed = changed(page, shortest)
    assert label in page.locator("p[role=status]").inner_text()
    page.get_by_role("button", name="by bike").click()
    ridden = changed(page, listed)
    assert ridden != listed
    assert "by bike" in page.locator("p[role=status]").inner_text()
    page.screenshot(path=screenshots / "mobility-bike.png")

    assert visit.requests > 20, "requests were not seen: the claim below would be empty"
    assert visit.outside == []
    assert visit.complaints == []


def test_time_of_departure_moves_what_public_transport_reaches(
    lab, visit, open_notebook, screenshots
):
    """Monaco with a timetable beside it: a bus at eight, none at seven and none at night."""
    folder = lab.root / "town"
    shutil.copytree(dict(bundled_territories())["monaco"], folder)
    files = changed_feed(("shapes.txt", "", None), ("trips.txt", "line", ""))
    write_zip(files | {"stops.txt": STOPS_TXT}, folder / "data" / "gtfs.zip")
    told = yaml.safe_load((folder / "territory.yaml").read_text(encoding="utf-8"))
    told["sources"]["gtfs"] = {
        "protocol": "gtfs", "path": "data/gtfs.zip", "source": "a test", "date": str(DAY),
        "licence": "CC0-1.0", "provenance": "synthetic",
    }  # fmt: skip
    (folder / "territory.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    lon, lat = STOPS[0]
    name = put_notebook(lab, QUICK | {
        'territory: str = \\"monaco\\"': 'territory: str = \\"town/territory.yaml\\"',
        "service_date: str | None = None": f'service_date: str | None = \\"{DAY}\\"',
        "isochrone_from: list[float] = []": f"isochrone_from: list[float] = [{lon}, {lat}]",
        "near_minutes: float = 15": "near_minutes: float = 30",
        "departure_step_min: int = 5": "departure_step_min: int = 15",
    })  # fmt: skip
    page = open_notebook(name)
    page.locator(BANDS).first.wait_for(state="attached", timeout=RUN_TIMEOUT_MS)
    walked = hectares(page)
    slider = page.locator(".widget-slider", has_text="Departure at")
    assert not slider.is_visible()
    page.get_by_role("button", name="by public transport").click()
    slider.wait_for(timeout=1000 * ANSWER_S)
    status = page.locator("p[role=status]")
    status.filter(has_text="leaving at 07:00").wait_for(timeout=1000 * ANSWER_S)
    assert hectares(page) == walked, "nothing runs within half an hour of seven"
    shape = page.locator(BANDS).first.get_attribute("d")
    slider.get_by_role("slider").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    status.filter(has_text="leaving at 07:45").wait_for(timeout=1000 * ANSWER_S)
    assert hectares(page) > walked, "the bus at eight takes one farther than feet"
    assert page.locator(BANDS).first.get_attribute("d") != shape
    page.screenshot(path=screenshots / "mobility-departure.png")
    page.keyboard.press("End")
    status.filter(has_text="+1").wait_for(timeout=1000 * ANSWER_S)
    assert hectares(page) == walked, "after the last bus one walks"
    assert visit.outside == []
    assert visit.complaints == []
