"""Maps in a notebook carry their words with them."""

import html
from html.parser import HTMLParser

import numpy as np
import pytest
from affine import Affine
from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.results import Results
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.widgets import show_map


class Pictures(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


@pytest.fixture
def shown():
    case, place = UseCase.find("heat-islands"), Territory.find("monaco")
    west, _, _, north = place.boundary_geometry.bounds
    values = np.linspace(22, 25, 80 * 60, dtype=np.float32).reshape(80, 60)
    raster = Raster(values, Affine(40, 0, west, 0, -40, north), place.crs, "CEL")
    results = Results(
        weight={"en": "m² of floor", "fr": "m² de plancher"}, layers={"air_temperature": raster}
    )
    return results, case, place


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("Map of Monaco", "Source: ")), ("fr", ("Carte", "Source : "))]
)
def test_map_has_alt_text_unit_and_source(shown, language, words):
    results, case, place = shown
    figure = show_map(results, "air_temperature", case, place, language=language)
    page = Pictures()
    page.feed(figure._repr_html_())
    (picture,) = page.found
    assert picture["alt"].startswith(words[0])
    assert "°C" in picture["alt"]
    assert picture["src"].startswith("data:image/png;base64,")
    assert 300 < int(picture["width"]) < 1000
    assert words[1] + "" in html.unescape(figure._repr_html_())
    assert "OpenStreetMap" in figure.caption


def test_unknown_layer_names_the_nearest(shown):
    results, case, place = shown
    with pytest.raises(WrongUseError, match="air_temperature"):
        show_map(results, "air_temperatur", case, place)
