"""Depths: fixed classes, shaded relief below them, and a film that needs no script."""

import base64
import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from affine import Affine
from ldt_toolbox.errors import DataError, DocumentError, WrongUseError
from ldt_toolbox.report import alt_text, map_figure, to_png
from ldt_toolbox.report.colours import DEPTH_LEVELS_M, colour_scale
from ldt_toolbox.report.describe import caption_facts
from ldt_toolbox.report.film import MOST_FRAMES, MOST_STRIP_BYTES, film, film_page, thinned
from ldt_toolbox.report.hillshade import hillshade
from ldt_toolbox.results import Results
from ldt_toolbox.space.frames import Frames, read_frames, write_frames
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.widgets import show_film
from matplotlib.colors import to_rgb
from PIL import Image
from pyproj import CRS

GRID = CRS.from_epsg(32632)
PLACE = Affine(20.0, 0, 370_000.0, 0, -20.0, 4_845_000.0)


@pytest.fixture(scope="module")
def flood():
    return UseCase.find("flood-risk")


def frames(count=6, rows=30, columns=50) -> Frames:
    """Water that spreads from the west until the middle of the time, then goes back."""
    depth = np.full((count, rows, columns), np.nan, np.float32)
    for i in range(count):
        depth[i, :, : 5 * (1 + min(i, count - 1 - i))] = 0.3
    return Frames(depth, tuple(5.0 * (i + 1) for i in range(count)), PLACE, GRID, "MTR")


def made(results, flood, place, language="en"):
    return film("event", results, flood.animations["event"], place, language=language)


def strip_of(one) -> np.ndarray:
    image = Image.open(io.BytesIO(base64.b64decode(one.strip)))
    return np.asarray(image.convert("RGBA"))


def test_frames_come_back_as_they_were_written(tmp_path):
    before = frames()
    write_frames(tmp_path / "event.tif", before)
    after = read_frames(tmp_path / "event.tif")
    np.testing.assert_array_equal(after.values, before.values)
    assert after.minutes == before.minutes
    assert (after.transform, after.crs, after.unit) == (PLACE, GRID, "MTR")
    assert list(tmp_path.iterdir()) == [tmp_path / "event.tif"]


def test_frames_without_a_time_each_are_refused():
    with pytest.raises(DataError, match="one grid for each time"):
        Frames(np.zeros((3, 2, 2), np.float32), (1.0, 2.0), PLACE, GRID)


def test_highest_of_frames_knows_what_stays_dry():
    highest = frames().highest.values
    assert np.nanmax(highest) == np.float32(0.3)
    assert np.isfinite(highest[:, :15]).all()
    assert np.isnan(highest[:, 15:]).all()


def test_results_keep_animations_and_refuse_unknown_ones(case, flood):
    known, unknown = Results(animations={"event": frames()}), Results(animations={"x": frames()})
    for results, use_case in ((known, case), (unknown, flood)):
        with pytest.raises(DataError, match=r"animations: `(event|x)` is not in the manifest"):
            results.check(use_case)


def test_strip_holds_every_picture_in_the_colours_of_the_legend(flood, hamlet):
    one = made(Results(animations={"event": frames()}), flood, hamlet())
    pixels = strip_of(one).reshape(6, 30, 50, 4)
    assert [int((picture[..., 3] > 0).sum()) for picture in pixels] == [
        30 * width for width in (5, 10, 15, 15, 10, 5)
    ]
    scale = colour_scale(np.zeros(1), style="depth", unit="MTR")
    expected = [round(255 * part) for part in to_rgb(scale.colours[2])]  # 0.2 to 0.5 m
    assert pixels[2, 0, 0, :3].tolist() == expected
    assert one.still == 2
    assert one.times[0] == "5 min"
    assert "largest at 15 minutes, 18.0 ha, and 6.0 ha at the end" in one.alt


def test_film_lies_on_the_map_where_its_cells_lie(flood, hamlet):
    """The box in percent against the map's own transform: one pixel of the ground is 0.12 %."""
    one = made(Results(animations={"event": frames()}), flood, hamlet())
    results = Results(animations={"event": frames()})
    figure = map_figure(
        results.animations["event"].highest, flood.animations["event"],
        boundary=hamlet().boundary_geometry, titled=False,
    )  # fmt: skip
    corner = figure.axes[0].transData.transform((PLACE.c, PLACE.f))
    width, height = figure.get_size_inches() * figure.dpi
    assert one.box[0] == pytest.approx(100 * corner[0] / width, abs=0.12)
    assert one.box[1] == pytest.approx(100 * (1 - corner[1] / height), abs=0.12)


def test_a_large_film_stays_small_and_keeps_its_last_moment(flood, hamlet):
    rng = np.random.default_rng(1)
    noise = rng.uniform(0, 3, (48, 300, 300)).astype(np.float32)
    large = Frames(noise, tuple(float(i) for i in range(1, 49)), PLACE, GRID, "MTR")
    few = thinned(large, MOST_FRAMES)
    assert len(few.minutes) == MOST_FRAMES
    assert few.minutes[-1] == 48.0
    one = made(Results(animations={"event": large}), flood, hamlet())
    assert len(one.strip) * 3 / 4 <= MOST_STRIP_BYTES + 3


def test_page_has_a_pause_a_description_and_a_still(flood, hamlet):
    results = Results(animations={"event": frames()})
    page = film_page(made(results, flood, hamlet(), "fr"), language="fr")
    assert '<label for="pause-event">Pause</label>' in page
    assert 'role="img" aria-label="Carte animée de Hameau' in page
    assert "prefers-reduced-motion: reduce" in page
    assert "--still:-33.3333%" in page
    assert "<script" not in page
    shown = show_film(results, "event", flood, hamlet())
    assert "Source: " in shown._repr_html_()
    with pytest.raises(WrongUseError, match="no animation `evnt`: did you mean `event`"):
        show_film(results, "evnt", flood, hamlet())


def test_depth_has_the_same_classes_for_a_puddle_and_a_lake():
    puddle, lake = (
        colour_scale(np.array([0.0, top]), style="depth", unit="MTR") for top in (0.1, 30.0)
    )
    assert puddle == lake
    assert puddle.levels == DEPTH_LEVELS_M
    light = [np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in puddle.colours]
    assert light == sorted(light, reverse=True), "deeper must be darker in grey too"
    assert min(a - b for a, b in pairwise(light)) > 0.02


def test_dry_ground_is_not_painted_and_not_counted(flood):
    output = flood.layers["depth_max"]
    values = np.full((20, 20), 0.02, np.float32)
    dry = Raster(values, PLACE, GRID, "MTR")
    assert "No water of 5 cm" in alt_text(dry, output, place="X")
    assert "Pas d'eau de 5 cm" in caption_facts(dry, output, language="fr")
    values[:4] = 1.5
    half = Raster(values, PLACE, GRID, "MTR")
    assert "1.5" in caption_facts(half, output)
    image = np.asarray(
        Image.open(io.BytesIO(to_png(map_figure(half, output, titled=False), dpi=60)))
        .convert("RGB")
    ).astype(int)  # fmt: skip
    middle = image[image.shape[0] // 2, image.shape[1] // 2]
    assert (middle > 225).all(), "dry ground shows the paper"


def test_relief_is_light_towards_the_north_west_and_dark_behind():
    """A cone of slope 1: the light comes 45 degrees high, so the slope that faces it has 1."""
    y, x = np.mgrid[-40:41, -40:41] * 10.0
    cone = Raster((1000 - np.hypot(x, y)).astype(np.float64), Affine(10, 0, 0, 0, -10, 0), GRID)
    light = hillshade(cone)
    assert light[20, 20] == pytest.approx(1.0, abs=1e-3)  # central differences on a cone
    assert light[60, 60] == pytest.approx(0.0, abs=1e-3)
    flat = hillshade(cone.with_values(np.zeros((81, 81))))
    assert flat == pytest.approx(np.sqrt(0.5), abs=1e-6)
    hole = cone.values.astype(np.float64).copy()
    hole[40, 40] = np.nan
    assert np.isnan(hillshade(cone.with_values(hole))[40, 39])


def test_relief_below_a_map_must_be_a_raster_of_the_run(flood, tmp_path):
    folder = tmp_path / "flood-risk"
    folder.mkdir()
    (folder / "notebook.ipynb").write_text("{}")
    text = flood.path.read_text(encoding="utf-8")
    for wrong, said in (("elevatoin", "did you mean `elevation`"), ("buildings", "use one of")):
        changed = text.replace("hillshade: elevation", f"hillshade: {wrong}", 1)
        (folder / "use-case.yaml").write_text(changed, encoding="utf-8")
        with pytest.raises(DocumentError, match=f"`{wrong}` is no raster.*{said}"):
            UseCase.read(folder)


def test_terrain_brings_relief_onto_the_map(flood):
    output = flood.layers["depth_max"]
    dry = Raster(np.full((30, 30), np.nan, np.float32), PLACE, GRID, "MTR")
    slope = replace(dry, values=np.tile(np.linspace(900, 0, 30), (30, 1)))
    bare, shaded = (
        np.asarray(
            Image.open(io.BytesIO(to_png(map_figure(dry, output, terrain=t), dpi=50))).convert("L")
        ).astype(int)
        for t in (None, slope)
    )
    assert bare.shape == shaded.shape
    assert (bare - shaded > 20).mean() > 0.3, "a slope that faces east is grey, not white"
