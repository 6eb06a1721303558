"""Cells kept secret or unchanged are said in the legend; few values get a box each."""

import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from ldt_toolbox.report import alt_text, map_figure, to_png
from ldt_toolbox.report.describe import caption_facts
from ldt_toolbox.report.tables import _cells
from ldt_toolbox.use_case import UseCase
from matplotlib.colors import to_rgb
from PIL import Image
from pyproj import CRS

GRID = CRS.from_epsg(32632)
LAYERS = UseCase.find("mobility").layers
SECRET = {"en": "suppressed: too few residents", "fr": "masqué\u00a0: trop peu d'habitants"}


def cells(values, *, column, secret=None):
    """A row of squares of 100 m."""
    boxes = [shapely.box(100 * i, 0, 100 * i + 100, 100) for i in range(len(values))]
    data = {column: np.asarray(values, float)}
    if secret is not None:
        data["suppressed"] = secret
    return gpd.GeoDataFrame(data, geometry=boxes, crs=GRID)


def legend(figure):
    return [text.get_text() for one in figure.legends for text in one.get_texts()]


def colours_of(figure):
    image = Image.open(io.BytesIO(to_png(figure, dpi=80))).convert("RGB")
    return {colour: count for count, colour in image.getcolors(1 << 20)}


def in_bytes(colour):
    return tuple(round(255 * part) for part in to_rgb(colour))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_suppressed_cells_stand_in_the_legend_and_in_words(language):
    frame = cells([5, 6, 7, np.nan], column="classes_near", secret=[False, False, False, True])
    output = LAYERS["access"]
    assert legend(map_figure(frame, output, language=language)) == [SECRET[language]]
    for said in (
        alt_text(frame, output, place="X", language=language),
        caption_facts(frame, output, language=language),
    ):
        assert {"en": "1 cells are suppressed", "fr": "1 mailles sont masquées"}[language] in said


def test_nothing_suppressed_nothing_said():
    frame = cells([5, 6, 7, 8], column="classes_near", secret=[False] * 4)
    assert legend(map_figure(frame, LAYERS["access"])) == []
    assert "suppressed" not in caption_facts(frame, LAYERS["access"])


def test_suppressed_cells_are_not_blank():
    shown = cells([5, 6, 7, np.nan], column="classes_near", secret=[False] * 4)
    hidden = shown.assign(suppressed=[False, False, False, True])
    grey = in_bytes("#cfcfcf")
    assert grey not in colours_of(map_figure(shown, LAYERS["access"], titled=False))
    # a quarter of a row of cells: thousands of pixels, not only the box of the legend
    assert colours_of(map_figure(hidden, LAYERS["access"], titled=False))[grey] > 1000


def test_cells_without_change_have_no_sign():
    output = LAYERS["scenario_change"]
    frame = cells([-20, -5, 0, 0], column="near_pp", secret=[False] * 4)
    figure = map_figure(frame, output, titled=False)
    assert legend(figure) == ["no change"]
    assert colours_of(figure)[in_bytes("#f2f2f2")] > 1000
    same = cells([0, 0], column="near_pp", secret=[False, True])
    figure = map_figure(same, output, language="fr")
    assert legend(figure) == ["aucun changement", SECRET["fr"]]
    assert len(figure.axes) == 1, "a colour bar from 0 to 0 tells nothing"


def test_isochrones_are_named_not_interpolated():
    discs = [shapely.Point(0, 0).buffer(radius) for radius in (900, 600, 300)]
    frame = gpd.GeoDataFrame({"minutes": [15.0, 10.0, 5.0]}, geometry=discs, crs=GRID)
    assert legend(map_figure(frame, LAYERS["isochrones"], language="fr")) == [
        "5\u00a0min", "10\u00a0min", "15\u00a0min",
    ]  # fmt: skip
    halves = frame.assign(minutes=[7.5, 5.0, 2.5])
    assert legend(map_figure(halves, LAYERS["isochrones"], language="fr"))[0] == "2,5\u00a0min"
    many = cells(range(9), column="minutes")
    assert legend(map_figure(many, LAYERS["isochrones"])) == []


def test_a_speck_in_a_large_territory_is_drawn_larger():
    frame = gpd.GeoDataFrame({"minutes": [5.0]}, geometry=[shapely.box(0, 0, 100, 100)], crs=GRID)
    country = shapely.box(-5000, -5000, 5000, 5000)
    small, large = (
        map_figure(frame, LAYERS["isochrones"], boundary=boundary)
        for boundary in (country, country.buffer(-4800))
    )
    widths = [np.diff(figure.axes[0].get_xlim())[0] for figure in (small, large)]
    assert widths[0] < 300
    assert widths[1] > 390, "a layer that fills a quarter of the territory shows all of it"


def test_rare_colours_of_the_legend_survive_the_palette():
    """One short line among thousands of colours keeps that of its class."""
    classes = LAYERS["bike_stress"].spec["classes"]
    lines = [shapely.LineString([(0, i), (500, i)]) for i in range(0, 500, 10)]
    levels = [1] * 24 + [2] + [3] * 25
    frame = gpd.GeoDataFrame({"level": levels}, geometry=lines, crs=GRID)
    found = colours_of(map_figure(frame, LAYERS["bike_stress"], titled=False))
    for level in (1, 2, 3):
        colour = classes.get(level) or classes[str(level)]
        assert found.get(in_bytes(colour["color"]), 0) > 20
    assert found[(255, 255, 255)] > 1000, "paper stays white"


def test_cells_of_tables_with_a_number_in_words_and_hours():
    names = {"<= * min": {"en": "up to * min", "fr": "jusqu'à * min"}, "rarer": {"fr": "plus rare"}}
    column = pd.Series(["<= 7.5 min", "rarer", "other"], dtype=object)
    assert _cells(column, {"values": names}, "fr") == ["jusqu'à 7,5 min", "plus rare", "other"]
    assert _cells(column, {"values": names}, "en") == ["up to 7.5 min", "rarer", "other"]
    hours = pd.Series([6.5833, 25.0, np.nan, 11.9999])
    assert _cells(hours, {"clock": True}, "en") == ["6:35", "25:00", "–", "12:00"]
