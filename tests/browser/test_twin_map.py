"""The twin's own page in a real browser: a map of what is in it, for eyes, hands and keyboards."""

import io
import json
import math

import numpy as np
import pytest
import requests
from ldt_toolbox.twin.ogc.extension import ogc_apis
from ldt_toolbox.twin.serve import Twin
from PIL import Image

pytestmark = pytest.mark.browser

BLUE, VERMILION = (0, 114, 178), (213, 94, 0)  # the first two of Okabe and Ito's colours


def entities():
    """Twenty sensors in a row, and a square of about 200 m around the first one."""
    ring = [[7.400, 43.729], [7.4025, 43.729], [7.4025, 43.731], [7.400, 43.731], [7.400, 43.729]]
    yield {
        "id": "urn:ngsi-ld:Building:1",
        "type": "Building",
        "location": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [ring]}},
        "name": {"type": "Property", "value": "<img src=x onerror=alert(1)>"},
    }
    for number in range(20):
        place = {"type": "Point", "coordinates": [7.4012 + number / 2000, 43.73]}
        yield {
            "id": f"urn:ngsi-ld:Sensor:{number}",
            "type": "Sensor",
            "location": {"type": "GeoProperty", "value": place},
            "temperature": {"type": "Property", "value": 20 + number},
        }


@pytest.fixture
def opened(visit, screenshots):
    with Twin(extensions=[ogc_apis()]) as twin:
        answer = requests.post(
            f"{twin.url}/ngsi-ld/v1/entityOperations/upsert", json=list(entities()), timeout=20
        )
        assert answer.status_code == 201
        page = visit.page
        page.goto(f"{twin.url}/")
        page.wait_for_selector("#map[data-ready=true]", timeout=20_000)
        page.wait_for_timeout(200)
        yield page
        page.screenshot(path=screenshots / "twin-map-after.png", full_page=True)
    assert visit.requests >= 4, "requests were not seen: the claims below would be empty"
    assert visit.outside == []
    assert visit.complaints == []


def pixels(page):
    return np.asarray(Image.open(io.BytesIO(page.locator("canvas").screenshot())).convert("RGB"))


def count(page, colour):
    return int((np.abs(pixels(page).astype(int) - colour).max(axis=2) < 12).sum())


def view(page):
    return json.loads(page.locator("#map").get_attribute("data-view"))


def place(page, lon, lat):
    """Position of a place on the canvas, from the view that the page tells."""
    x, y, scale = view(page)
    box = page.locator("canvas").bounding_box()
    east = 6378137 * math.radians(lon)
    north = 6378137 * math.asinh(math.tan(math.radians(lat)))
    return {
        "x": box["width"] / 2 + (east - x) / scale,
        "y": box["height"] / 2 - (north - y) / scale,
    }


def test_the_map_shows_what_is_in_the_twin(opened, screenshots):
    page = opened
    page.screenshot(path=screenshots / "twin-map.png", full_page=True)
    assert "21 of 21 features" in page.locator(".status").inner_text()
    # twenty marks of radius 5.5 px: more than 15 px each even where they touch
    assert count(page, VERMILION) > 20 * 15
    before = pixels(page)
    page.get_by_label("Sensor (20)").uncheck()
    page.wait_for_timeout(100)
    assert count(page, VERMILION) == 0
    assert (pixels(page) != before).any()
    page.get_by_label("Sensor (20)").check()
    label = page.locator("canvas").get_attribute("aria-label")
    assert "20 features of Sensor" in label
    assert "1 features of Building" in label


def test_a_click_shows_attributes_as_text(opened):
    page = opened
    page.locator("canvas").click(position=place(page, 7.4012 + 10 / 2000, 43.73))
    details = page.locator(".details")
    assert "urn:ngsi-ld:Sensor:10" in details.inner_text()
    assert "30" in details.inner_text()
    page.locator("canvas").click(position=place(page, 7.4005, 43.7305))
    assert "urn:ngsi-ld:Building:1" in details.inner_text()
    assert "<img src=x" in details.inner_text(), "markup in a value is shown, not obeyed"
    page.locator("canvas").click(position=place(page, 7.405, 43.7306))
    assert "Nothing is there" in details.inner_text()


@pytest.mark.parametrize("width", [360, 700])
def test_nothing_sticks_out_of_a_small_screen(opened, screenshots, width):
    page = opened
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(200)
    page.screenshot(path=screenshots / f"twin-map-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_label("Show everything").click()
    page.wait_for_timeout(100)
    box = page.locator("canvas").bounding_box()
    for number in (0, 19):
        at = place(page, 7.4012 + number / 2000, 43.73)
        assert 0 < at["x"] < box["width"], "all of it is in sight"
        assert 0 < at["y"] < box["height"], "all of it is in sight"


def test_keys_do_what_the_mouse_does(opened):
    page = opened
    canvas = page.locator("canvas")
    canvas.focus()
    x, y, scale = view(page)

    def after(key):
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        return view(page)

    assert after("+")[2] == pytest.approx(scale / 1.5)
    assert after("ArrowRight")[0] > x
    assert after("ArrowUp")[1] > y
    assert after("0") == pytest.approx([x, y, scale])
    after("n")
    assert "urn:ngsi-ld:Building:1" in page.locator(".details").inner_text()
    after("n")
    assert "urn:ngsi-ld:Sensor:0" in page.locator(".details").inner_text()
    after("p")
    assert "urn:ngsi-ld:Building:1" in page.locator(".details").inner_text()


def test_wheel_and_drag(opened):
    page = opened
    box = page.locator("canvas").bounding_box()
    x, _, scale = view(page)
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(150)
    assert view(page)[2] < scale
    page.get_by_label("Show everything").click()
    page.wait_for_timeout(100)
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=5)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert view(page)[0] == pytest.approx(x + 100 * scale, rel=1e-6)
