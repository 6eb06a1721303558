"""The page in a real browser: the switch, the keyboard, a narrow screen, paper."""

import shutil

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(written):
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((written.run / "report.html").as_uri())
        page.asked = asked
        yield page
        browser.close()


def seen(page) -> dict[str, bool]:
    return {code: page.locator(f"article[lang={code}]").is_visible() for code in ("en", "fr")}


def test_one_language_shows_and_the_keyboard_switches(page):
    assert seen(page) == {"en": False, "fr": True}
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert seen(page) == {"en": True, "fr": False}
    page.locator("label[for=show-fr]").click()
    assert seen(page) == {"en": False, "fr": True}


def test_only_the_chosen_language_is_printed(page):
    page.emulate_media(media="print")
    assert seen(page) == {"en": False, "fr": True}
    assert not page.locator(".bar").is_visible()


def test_nothing_is_asked_from_elsewhere(page):
    page.wait_for_load_state("networkidle")
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 300)")
    asked = [url for url in page.asked if not url.startswith("data:")]
    assert asked == [page.url]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_screen_has_to_be_scrolled_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_text_has_contrast(page):
    """WCAG 2.1, 1.4.3: at least 4.5 to 1 against the nearest background that is painted."""
    worst = page.evaluate(
        """() => {
          const parse = c => c.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const ground = e => {
            for (; e; e = e.parentElement) {
              const c = parse(getComputedStyle(e).backgroundColor);
              if (c.length < 4 || c[3] > 0) return c;
            }
            return [255, 255, 255];
          };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const ratios = [];
          while (walker.nextNode()) {
            const e = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || !e.offsetParent) continue;
            const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
            ratios.push((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
          }
          return [ratios.length, Math.min(...ratios)];
        }"""
    )
    assert worst[0] > 200
    assert worst[1] >= 4.5
