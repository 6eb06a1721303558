"""A map of a result inside a notebook: title, unit, source line and alt text."""

import base64
import html
import io
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from ldt_toolbox.errors import WrongUseError
from ldt_toolbox.results import Results
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase

DOTS_PER_INCH = 160
CSS_PIXELS_PER_INCH = 96
_SOURCE = {
    "en": "Source: {credit}; model: ldt-toolbox.",
    "fr": "Source : {credit} ; modèle : ldt-toolbox.",
}


@dataclass(frozen=True)
class NotebookFigure:
    """A picture with the words that belong to it.

    Attributes
    ----------
    png : bytes
        The picture.
    alt : str
        What it shows, for readers who do not see it.
    caption : str
        What it is, how to read its colours, and whose data it rests on.
    """

    png: bytes
    alt: str
    caption: str

    def _repr_html_(self) -> str:
        width, height = (
            round(side * CSS_PIXELS_PER_INCH / DOTS_PER_INCH)
            for side in Image.open(io.BytesIO(self.png)).size
        )
        picture = base64.b64encode(self.png).decode("ascii")
        return (
            f'<figure style="margin:0;max-width:{width}px">'
            f'<img alt="{html.escape(self.alt)}" width="{width}" height="{height}" '
            f'src="data:image/png;base64,{picture}">'
            f'<figcaption style="color:#595959">{html.escape(self.caption)}</figcaption></figure>'
        )

    def __repr__(self) -> str:
        return f"{self.alt} {self.caption}"


def show_map(
    results: Results, layer: str, case: UseCase, place: Territory, *, language: str = "en"
) -> NotebookFigure:
    """Draw a layer of a result as the report draws it.

    Parameters
    ----------
    results : Results
        Of a run or a computation.
    layer : str
        Id of the layer in the manifest.
    case, place
        What was run, and where.
    language : str
        ``en`` or ``fr``.

    Returns
    -------
    NotebookFigure
        Shown as the last line of a cell.

    Raises
    ------
    WrongUseError
        If the results hold no such layer; names the nearest.
    """
    from ldt_toolbox.documents import nearest
    from ldt_toolbox.report import alt_text, map_figure, to_png
    from ldt_toolbox.report.describe import caption_facts
    from ldt_toolbox.report.maps import relief

    if layer not in results.layers:
        raise WrongUseError(f"there is no layer `{layer}`: {nearest(layer, results.layers)}")
    data, output = results.layers[layer], case.layers[layer]
    weight, synthetic = results.weight.get(language, ""), layer in results.synthetic
    figure = map_figure(
        data, output, language=language, boundary=place.boundary_geometry,
        synthetic=synthetic, weight=weight, terrain=relief(results, output),
    )  # fmt: skip
    facts = caption_facts(data, output, language=language, weight=weight)
    meaning = output.help.get(language, "")
    source = _SOURCE[language].format(credit=credited(place, case.roles))
    return NotebookFigure(
        png=to_png(figure, dpi=DOTS_PER_INCH),
        alt=alt_text(
            data, output, place=place.name(language), language=language, weight=weight,
            synthetic=synthetic,
        ),
        caption=f"{meaning[:1].upper()}{meaning[1:]}. {facts} {source}".replace("  ", " "),
    )  # fmt: skip


@dataclass(frozen=True)
class NotebookFilm:
    """An animated map with a box that stops it.

    Attributes
    ----------
    page : str
        HTML with its style sheet.
    alt, caption : str
        As in `NotebookFigure`.
    """

    page: str
    alt: str
    caption: str

    def _repr_html_(self) -> str:
        return (
            f'<figure style="margin:0;max-width:46rem">{self.page}'
            f'<figcaption style="color:#595959">{html.escape(self.caption)}</figcaption></figure>'
        )

    def __repr__(self) -> str:
        return f"{self.alt} {self.caption}"


def show_film(
    results: Results, animation: str, case: UseCase, place: Territory, *, language: str = "en"
) -> NotebookFilm:
    """Animate a result as the report does.

    Parameters
    ----------
    results, case, place, language
        As in `show_map`.
    animation : str
        Id of the animation in the manifest.

    Raises
    ------
    WrongUseError
        If the results hold no such animation; names the nearest.
    """
    from ldt_toolbox.documents import nearest
    from ldt_toolbox.report.film import film, film_page

    if animation not in results.animations:
        raise WrongUseError(
            f"there is no animation `{animation}`: {nearest(animation, results.animations)}"
        )
    made = film(animation, results, case.animations[animation], place, language=language)
    source = _SOURCE[language].format(credit=credited(place, case.roles))
    return NotebookFilm(
        page=film_page(made, language=language),
        alt=made.alt,
        caption=f"{made.title}: {made.help}. {made.facts} {source}",
    )


def credited(place: Territory, roles: Iterable[str]) -> str:
    """Whom the territory's layers of some roles credit.

    Parameters
    ----------
    place : Territory
        Its sources.
    roles : iterable of str
        Those that are used.
    """
    used = [place.sources[role] for role in roles if role in place.sources]
    names = dict.fromkeys(source.attribution or source.source for source in used)
    return "; ".join(name for name in names if name)
