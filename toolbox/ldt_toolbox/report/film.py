"""An animation of maps that needs no script: one strip of pictures that a style sheet moves."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from ldt_toolbox.report.colours import colour_scale, is_dry
from ldt_toolbox.report.figures import map_figure, to_png
from ldt_toolbox.report.maps import boundary_in, outlines_in, relief
from ldt_toolbox.report.numbers import format_number
from ldt_toolbox.report.words import word
from ldt_toolbox.results import Results
from ldt_toolbox.space.frames import Frames
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import Output, UseCase

MOST_FRAMES = 24
MOST_CELLS_A_SIDE = 420
MOST_STRIP_BYTES = 110_000
SECONDS_A_FRAME = 0.5
_SCALE = colour_scale(np.zeros(1), style="depth", unit="MTR")


@dataclass(frozen=True)
class Film:
    """An animated map and the words around it.

    Attributes
    ----------
    id, title, help, alt, facts : str
        What it is, what it shows, how to read it.
    output : Output
        What the manifest says of it.
    ground, strip : str
        The map without water; all pictures one below the other, clear where dry. PNG, base64.
    width, height : int
        Of the ground, pixels.
    box : tuple of float
        Left, top, width, height of a picture in percent of the ground.
    times : tuple of str
        Of each picture, in words.
    still : int
        Number of the picture with most to see, from 0.
    seconds : float
        That all of them take.
    synthetic : bool
        Whether it rests on synthetic data.
    """

    id: str
    title: str
    help: str
    alt: str
    facts: str
    output: Output
    ground: str
    strip: str
    width: int
    height: int
    box: tuple[float, float, float, float]
    times: tuple[str, ...]
    still: int
    seconds: float
    synthetic: bool


def films(
    case: UseCase, results: Results, territory: Territory, *, language: str
) -> Iterator[Film]:
    """Animate what the manifest declares and the run yielded.

    Parameters
    ----------
    case, results, territory
        What the report is about.
    language : str
        ``en`` or ``fr``.
    """
    for key, output in case.animations.items():
        if key in results.animations:
            yield film(key, results, output, territory, language=language)


def film(
    key: str, results: Results, output: Output, territory: Territory, *, language: str
) -> Film:
    """Animate one result (see `films`)."""
    frames = thinned(results.animations[key], MOST_FRAMES)
    highest = frames.highest
    boundary = boundary_in(territory, frames.crs)
    synthetic = key in results.synthetic
    figure = map_figure(
        highest, output, language=language, boundary=boundary,
        outlines=outlines_in(results, frames.crs), synthetic=synthetic, titled=False,
        terrain=relief(results, output), painted=False,
    )  # fmt: skip
    png = to_png(figure)
    width, height = Image.open(io.BytesIO(png)).size
    wet = [int((~is_dry(picture)).sum()) for picture in frames.values]
    return Film(
        id=key,
        title=output.title.get(language, key),
        help=output.help.get(language, ""),
        alt=word(
            "alt_film", language, place=territory.name(language),
            title=output.title.get(language, key), count=len(frames.minutes),
            first=f"{frames.minutes[0]:.0f}", last=f"{frames.minutes[-1]:.0f}",
            course=_course(frames, wet, language),
        ),
        facts=word("film_still", language),
        output=output,
        ground=base64.b64encode(png).decode("ascii"),
        strip=base64.b64encode(_strip(frames)).decode("ascii"),
        width=width,
        height=height,
        box=_box(figure, highest),
        times=tuple(word("film_minutes", language, minutes=f"{m:.0f}") for m in frames.minutes),
        still=int(np.argmax(wet)),
        seconds=SECONDS_A_FRAME * len(frames.minutes),
        synthetic=synthetic,
    )  # fmt: skip


def thinned(frames: Frames, most: int) -> Frames:
    """Every second, third ... picture, the last one always kept, so that no more are left."""
    step = -(-len(frames.minutes) // most)
    kept = np.arange(len(frames.minutes) - 1, -1, -step)[::-1]
    return Frames(
        frames.values[kept], tuple(frames.minutes[i] for i in kept), frames.transform, frames.crs,
        frames.unit,
    )  # fmt: skip


def _strip(frames: Frames) -> bytes:
    """All pictures below one another as PNG, coarser until it is small enough for a page."""
    palette = [1.0, 1.0, 1.0, *(part for colour in _SCALE.colours for part in to_rgb(colour))]
    stride = -(-max(frames.values.shape[1:]) // MOST_CELLS_A_SIDE)
    while True:
        pictures = np.nan_to_num(frames.values[:, ::stride, ::stride])
        codes = np.digitize(pictures, _SCALE.levels).astype(np.uint8)
        image = Image.fromarray(codes.reshape(-1, codes.shape[2]), mode="P")
        image.putpalette([round(255 * part) for part in palette])
        memory = io.BytesIO()
        image.save(memory, format="png", optimize=True, transparency=0)
        if memory.tell() <= MOST_STRIP_BYTES:
            return memory.getvalue()
        stride += 1


def _box(figure: Figure, raster: Raster) -> tuple[float, float, float, float]:
    """Where a raster lies on a figure: left, top, width, height in percent."""
    axes = figure.axes[0]
    place = axes.get_position()
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    across, up = place.width / (east - west), place.height / (north - south)
    left, low, right, high = raster.bounds
    top = place.y1 + (high - north) * up
    return (
        100 * (place.x0 + (left - west) * across), 100 * (1 - top), 100 * (right - left) * across,
        100 * (high - low) * up,
    )  # fmt: skip


def _course(frames: Frames, wet: list[int], language: str) -> str:
    if not any(wet):
        return word("film_dry", language)
    hectares = abs(frames.transform.a * frames.transform.e) / 1e4
    most = int(np.argmax(wet))
    areas = [format_number(wet[i] * hectares, language=language, decimals=1) for i in (most, -1)]
    return word(
        "film_course", language, peak=f"{frames.minutes[most]:.0f}", most=areas[0], end=areas[1]
    )


def film_page(made: Film, *, language: str) -> str:
    """Put an animation and its style sheet into HTML of its own, for a notebook.

    Parameters
    ----------
    made : Film
        What `film` returns.
    language : str
        ``en`` or ``fr``.
    """
    folder = Path(__file__).parent
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True)
    macro = environment.get_template("film.html.jinja").module.film  # type: ignore[attr-defined]
    style = (folder / "film.css").read_text(encoding="utf-8")
    return f"<style>{style}</style>{macro(made, f'pause-{made.id}', word('pause', language))}"
