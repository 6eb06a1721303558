"""Maps: what is drawn, where north is, and that odd layers don't stop a report."""

import io
import math
import time
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from ldt_toolbox.report import alt_text, map_figure, to_png
from ldt_toolbox.report.colours import colour_scale
from ldt_toolbox.report.describe import caption_facts
from ldt_toolbox.report.features import polygon_paths, true_north_deg
from ldt_toolbox.report.furniture import nice_length_m
from ldt_toolbox.report.values import layer_values
from ldt_toolbox.space.raster import Raster
from matplotlib.colors import to_rgb
from PIL import Image
from pyproj import CRS

GRID = CRS.from_epsg(32632)


def raster(values, *, cell=10.0, crs=GRID, nodata=None) -> Raster:
    return Raster(
        np.asarray(values), Affine(cell, 0, 370_000, 0, -cell, 4_845_000), crs, "1", nodata
    )


def pixels(figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(to_png(figure, dpi=60))).convert("RGB")).astype(int)


def painted(image: np.ndarray, colour: str, tolerance: int = 12) -> np.ndarray:
    """Which pixels have a colour; the palette of the PNG may shift it a little."""
    wanted = np.array([round(255 * c) for c in to_rgb(colour)])
    return np.abs(image - wanted).max(axis=2) <= tolerance


@pytest.fixture
def air(case):
    return case.layers["air_temperature"]


@pytest.fixture
def classes(case):
    return case.layers["surface_class"]


def test_classes_have_the_manifests_colours_where_they_lie(classes):
    values = np.full((40, 40), 7, dtype=np.uint8)
    values[:, 20:] = 6
    image = pixels(map_figure(raster(values), classes, titled=False))
    height, width = image.shape[:2]
    middle = slice(height // 4, height // 2)
    wood = painted(image, classes.spec["classes"]["6"]["color"])[middle]
    water = painted(image, classes.spec["classes"]["7"]["color"])[middle]
    # The rim around the data takes 3 % of each side.
    assert wood[:, width // 2 + 5 : int(0.9 * width)].mean() > 0.95
    assert water[:, int(0.1 * width) : width // 2 - 5].mean() > 0.95
    assert not wood[:, : width // 2 - 5].any()


def test_only_classes_that_are_there_stand_in_the_legend(classes):
    figure = map_figure(raster(np.full((9, 9), 4, dtype=np.uint8)), classes, language="fr")
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["herbe"]


def test_a_class_that_the_manifest_does_not_know_is_left_blank(classes):
    values = np.full((20, 20), 4, dtype=np.uint8)
    values[5:15, 5:15] = 99
    assert layer_values(raster(values)).values.max() == 99
    image = pixels(map_figure(raster(values), classes, titled=False))
    centre = image[image.shape[0] // 2 - 20, image.shape[1] // 2]
    grass = np.array([round(255 * c) for c in to_rgb(classes.spec["classes"]["4"]["color"])])
    assert np.abs(centre - grass).max() > 30


def test_warmer_cells_are_painted_darker(air):
    figure = map_figure(raster(np.tile(np.linspace(20, 30, 60), (40, 1))), air, titled=False)
    image = pixels(figure).sum(axis=2)
    row = image[image.shape[0] // 3]
    width = len(row)
    samples = [row[int(width * share)] for share in (0.1, 0.3, 0.5, 0.7, 0.88)]
    assert samples == sorted(samples, reverse=True)
    assert samples[0] - samples[-1] > 200


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_layer_without_values_is_drawn_and_said(air, language):
    empty = raster(np.full((20, 20), np.nan, dtype=np.float32))
    figure = map_figure(
        empty, air, language=language, boundary=shapely.box(370e3, 4844e3, 371e3, 4845e3)
    )
    assert len(to_png(figure)) > 1000
    said = {"en": "holds no value", "fr": "ne contient aucune valeur"}[language]
    assert said in alt_text(empty, air, place="X", language=language)
    assert said in caption_facts(empty, air, language=language)


@pytest.mark.parametrize("value", [0.0, 24.5, -3.0, 1e-9, 1e9])
def test_a_constant_layer_is_drawn_and_said(air, value):
    flat = raster(np.full((20, 20), value))
    assert len(to_png(map_figure(flat, air))) > 1000
    assert "everywhere" in alt_text(flat, air, place="X")
    assert "everywhere" in caption_facts(flat, air)


def test_vectors_that_are_empty_or_lack_the_column_are_drawn(case):
    output = case.layers["buildings"]
    none = gpd.GeoDataFrame({"anomaly_k": []}, geometry=[], crs=GRID)
    other = gpd.GeoDataFrame({"x": [1.0]}, geometry=[shapely.box(0, 0, 9, 9)], crs=GRID)
    hole = gpd.GeoDataFrame(
        {"anomaly_k": [1.0, 2.0, np.nan]},
        geometry=[shapely.box(0, 0, 9, 9), None, shapely.box(20, 0, 29, 9)], crs=GRID,
    )  # fmt: skip
    for frame in (none, other):
        assert "holds no value" in alt_text(frame, output, place="X")
        assert len(to_png(map_figure(frame, output))) > 1000
    assert layer_values(hole, "anomaly_k").values.tolist() == [1.0]
    assert len(to_png(map_figure(hole, output))) > 1000


def test_lines_and_points_are_drawn(case):
    output = case.layers["buildings"]
    shapes = [
        shapely.LineString([(0, 0), (90, 90)]),
        shapely.Point(10, 80),
        shapely.box(50, 0, 60, 9),
    ]
    frame = gpd.GeoDataFrame({"anomaly_k": [1.0, 2.0, 3.0]}, geometry=shapes, crs=GRID)
    scale = colour_scale(np.array([1.0, 2.0, 3.0]), style="sequential", unit="KEL", polygons=True)
    image = pixels(map_figure(frame, output, titled=False))
    body = image[: int(0.85 * image.shape[0])]
    for colour in (scale.colours[0], scale.colours[-1]):
        assert painted(body, colour, 25).sum() > 20


def test_courtyards_stay_open():
    ring = shapely.box(0, 0, 10, 10) - shapely.box(3, 3, 7, 7)
    two = shapely.MultiPolygon([shapely.box(20, 0, 30, 10), shapely.box(40, 0, 50, 10)])
    paths, owner = polygon_paths([ring, shapely.Point(0, 0), two])
    assert owner.tolist() == [0, 2, 2]
    assert [len(path.vertices) for path in paths] == [10, 5, 5]


def test_courtyards_are_not_painted(case):
    ring = shapely.box(0, 0, 90, 90) - shapely.box(30, 30, 60, 60)
    frame = gpd.GeoDataFrame({"anomaly_k": [1.0]}, geometry=[ring], crs=GRID)
    figure = map_figure(frame, case.layers["buildings"], titled=False)
    colour = figure.axes[1].patches[0].get_facecolor()
    image = pixels(figure)
    body = painted(image, colour)[: int(0.8 * image.shape[0])]
    middle = body[body.shape[0] // 2]
    share = middle.mean()
    # Two walls of a third each, within the rim of 3 % on each side.
    assert not middle[len(middle) // 2]
    assert share == pytest.approx(60 / 90 / 1.06, abs=0.05)


def test_steps_are_round_and_span_the_values():
    scale = colour_scale(np.linspace(23.13, 26.42, 500), style="sequential", unit="CEL")
    assert scale.extend == "neither"
    assert scale.levels[0] <= 23.13 < scale.levels[1]
    assert scale.levels[-2] < 26.42 <= scale.levels[-1]
    assert scale.step == pytest.approx(0.5)
    assert scale.decimals == 1
    assert len(scale.colours) == len(scale.levels) - 1


def test_outliers_do_not_take_the_contrast_and_are_told(air):
    values = np.concatenate([np.linspace(20, 24, 990), np.full(10, 90.0)])
    scale = colour_scale(values, style="sequential", unit="CEL")
    assert scale.extend == "max"
    assert scale.levels[-1] <= 25
    told = caption_facts(raster(values.reshape(40, 25)), air)
    assert "2nd to 98th percentile" in told
    assert "20.0 to 90.0\u00a0°C" in told
    even = caption_facts(raster(np.linspace(20, 24, 100).reshape(10, 10)), air)
    assert even == "Values run from 20.0 to 24.0\u00a0°C."


def test_a_temperature_is_not_cut_into_steps_that_nobody_feels():
    values = np.linspace(24.41, 24.73, 100)
    scale = colour_scale(values, style="sequential", unit="CEL")
    assert scale.levels == (24.4, 24.5, 24.6, 24.7, 24.8)
    assert scale.extend == "neither"
    scale = colour_scale(np.array([24.41, 24.42]), style="sequential", unit="CEL")
    assert scale.levels == (24.4, 24.5)
    many = colour_scale(np.linspace(20, 28, 100), style="sequential", unit="CEL")
    assert len(scale.colours) == 1
    assert scale.colours[0] == many.colours[0]
    small = colour_scale(values - 24.73, style="sequential_reversed", unit="KEL")
    assert small.step < 0.1


def test_a_diverging_scale_has_zero_in_its_middle():
    scale = colour_scale(np.linspace(-1.0, 3.2, 50), style="diverging", unit="KEL")
    assert scale.levels[0] == -scale.levels[-1]
    assert 0 in scale.levels


def test_few_steps_stay_light():
    unit = "CEL"
    few = colour_scale(np.linspace(-0.19, -0.01, 50), style="sequential", unit=unit)
    many = colour_scale(np.linspace(-9, 0, 50), style="sequential", unit=unit)
    assert len(few.colours) == 2
    assert len(many.colours) >= 5
    darkest = [min(sum(to_rgb(c)) for c in scale.colours) for scale in (few, many)]
    assert darkest[0] > darkest[1] + 0.5


def test_strong_cooling_is_the_dark_end():
    scale = colour_scale(np.linspace(-2.0, 0.0, 50), style="sequential_reversed", unit="KEL")
    assert sum(to_rgb(scale.colours[0])) < sum(to_rgb(scale.colours[-1]))


def test_the_scale_bar_is_round_and_fits():
    assert nice_length_m(3300) == 500
    assert nice_length_m(40) == 10
    assert nice_length_m(400_000) == 100_000
    for width in np.geomspace(1, 1e6, 50):
        assert 0.09 * width <= nice_length_m(width) <= 0.25 * width


def test_the_scale_bar_measures_what_it_says(air):
    figure = map_figure(raster(np.linspace(0, 1, 4000).reshape(40, 100)), air)
    axes = figure.axes[0]
    text = next(t for t in axes.texts if t.get_text().endswith("\u00a0m"))
    halves = [
        p.get_xy() for p in axes.patches
        if p.get_transform() == figure.dpi_scale_trans and len(p.get_xy()) == 5
    ]  # fmt: skip
    inches = sum(xy[:, 0].max() - xy[:, 0].min() for xy in halves)
    west, east = axes.get_xlim()
    map_inches = axes.get_position().width * figure.get_figwidth()
    assert inches / map_inches * (east - west) == pytest.approx(float(text.get_text()[:-2]))


def test_a_map_in_degrees_has_no_scale_bar(air):
    degrees = Raster(np.eye(9), Affine(0.01, 0, 7, 0, -0.01, 44), CRS.from_epsg(4326))
    texts = [t.get_text() for t in map_figure(degrees, air).axes[0].texts]
    assert texts == ["N"]


def test_true_north_against_the_closed_form():
    # On the sphere the meridian convergence of a transverse Mercator is atan(tan(dlon) sin(lat));
    # the ellipsoid changes it by less than 0.01 degrees at 3 degrees from the central meridian.
    for lon, lat in ((7.4, 43.7), (11.5, 48.0), (9.0, 60.0)):
        from pyproj import Transformer

        x, y = Transformer.from_crs(4326, GRID, always_xy=True).transform(lon, lat)
        closed = math.degrees(
            math.atan(math.tan(math.radians(lon - 9)) * math.sin(math.radians(lat)))
        )
        assert true_north_deg(GRID, x, y) == pytest.approx(-closed, abs=0.01)
    assert true_north_deg(CRS.from_epsg(4326), 7, 44) == 0
    assert true_north_deg(None, 7, 44) == 0


@pytest.mark.parametrize(
    ("corner", "english", "french"),
    [((0, 0), "north-west", "au nord-ouest"), ((0, 1), "north-east", "au nord-est"),
     ((1, 0), "south-west", "au sud-ouest"), ((1, 1), "south-east", "au sud-est")],
)  # fmt: skip
def test_alt_text_tells_where_it_is_highest(air, corner, english, french):
    values = np.random.default_rng(1).normal(24, 0.1, (60, 60))
    rows = slice(0, 15) if corner[0] == 0 else slice(45, 60)
    columns = slice(0, 15) if corner[1] == 0 else slice(45, 60)
    values[rows, columns] += 5
    assert f"highest values lie mainly in the {english}" in alt_text(raster(values), air, place="X")
    assert f"surtout {french}" in alt_text(raster(values), air, place="X", language="fr")


def test_alt_text_of_cooling_tells_where_it_is_strongest(case):
    values = np.zeros((30, 30))
    values[20:, :10] = -1.0 - np.random.default_rng(1).random((10, 10))
    said = alt_text(raster(values), case.layers["scenario_change"], place="X")
    assert "lowest values lie mainly in the south-west" in said


def test_alt_text_of_classes_tells_their_shares(classes):
    values = np.full((10, 10), 1, dtype=np.uint8)
    values[:3] = 6
    assert "building on 70\u00a0%, wood or tree on 30\u00a0%" in alt_text(
        raster(values), classes, place="X"
    )


def test_alt_text_numbers_follow_the_language(air):
    values = np.linspace(20, 30, 1000).reshape(20, 50)
    assert "from 20.0 to 30.0\u00a0°C" in alt_text(raster(values), air, place="X")
    assert "de 20,0 à 30,0\u00a0°C" in alt_text(raster(values), air, place="X", language="fr")


def test_the_notebook_gets_title_unit_and_source(air):
    figure = map_figure(raster(np.eye(20)), air, source="Source: a thermometer")
    texts = [t.get_text() for t in figure.texts]
    assert texts == [air.title["en"], "Source: a thermometer"]
    assert "°C" in [t.get_text() for axes in figure.axes for t in axes.texts]


def test_the_same_layer_gives_the_same_bytes(air):
    values = raster(np.random.default_rng(1).random((50, 80)))
    first, second = (to_png(map_figure(values, air)) for _ in range(2))
    assert first == second
    assert b"matplotlib" not in first.lower()


def test_a_big_raster_and_many_polygons_are_drawn_soon(air, case):
    side = 250
    x, y = (a.ravel() * 20.0 for a in np.meshgrid(np.arange(side), np.arange(side)))
    many = gpd.GeoDataFrame(
        {"anomaly_k": x + y}, geometry=shapely.box(x, y, x + 12, y + 12), crs=GRID
    )
    big = raster(np.linspace(0, 1, 9_000_000, dtype=np.float32).reshape(3000, 3000))
    for layer, output in ((many, case.layers["buildings"]), (big, air)):
        start = time.process_time()
        assert len(to_png(map_figure(layer, output))) < 200_000
        # A few seconds is what a report may wait; it takes about two on one slow core.
        assert time.process_time() - start < 8


def test_a_layer_without_map_style_is_drawn_as_sequential(case):
    output = replace(case.layers["heat_mitigation"])
    assert "map" not in output.spec
    assert len(map_figure(raster(np.eye(9)), output).axes) == 2
