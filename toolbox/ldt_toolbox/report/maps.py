"""The maps of a report: figure, alt text and caption of each layer that has a map style."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from ldt_toolbox.report.describe import alt_text, caption_facts
from ldt_toolbox.report.figures import map_figure, to_png
from ldt_toolbox.report.words import word
from ldt_toolbox.results import Results
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import Output, UseCase

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

# A layer of this name with polygons helps to find one's way on the maps of the others.
_CONTEXT_LAYER = "buildings"


@dataclass(frozen=True)
class MapPiece:
    """A figure and the words around it.

    Attributes
    ----------
    id, title, help, alt, facts : str
        Layer, what it is, what it shows, how to read its colours.
    output : Output
        What the manifest says of it.
    png : str
        The figure, base64.
    width, height : int
        Of the figure, pixels.
    synthetic : bool
        Whether the layer rests on synthetic data.
    """

    id: str
    title: str
    help: str
    alt: str
    facts: str
    output: Output
    png: str
    width: int
    height: int
    synthetic: bool


def map_pieces(
    case: UseCase, results: Results, territory: Territory, *, language: str
) -> Iterator[MapPiece]:
    """Draw every layer that the manifest gives a map style, in the manifest's order.

    Parameters
    ----------
    case, results, territory
        What the report is about.
    language : str
        ``en`` or ``fr``.
    """
    weight = results.weight.get(language, "")
    for key, output in case.layers.items():
        if key not in results.layers or not output.spec.get("map"):
            continue
        layer = _in_metres(results.layers[key], territory)
        if not isinstance(layer, Raster) and not len(layer):
            continue  # nothing closed, nothing opened: no map of it
        synthetic = key in results.synthetic
        figure = map_figure(
            layer,
            output,
            language=language,
            boundary=boundary_in(territory, layer.crs),
            outlines=outlines_in(results, layer.crs) if key != _CONTEXT_LAYER else None,
            synthetic=synthetic,
            weight=weight,
            titled=False,
            terrain=relief(results, output),
        )
        png = to_png(figure)
        width, height = Image.open(io.BytesIO(png)).size
        yield MapPiece(
            id=key,
            title=output.title.get(language, key),
            help=output.help.get(language, ""),
            alt=alt_text(
                layer, output, place=territory.name(language), language=language, weight=weight,
                synthetic=synthetic,
            ),
            facts=_facts(layer, output, results, language, weight),
            output=output,
            png=base64.b64encode(png).decode("ascii"),
            width=width,
            height=height,
            synthetic=synthetic,
        )  # fmt: skip


def relief(results: Results, output: Output) -> Raster | None:
    """Terrain whose relief an output's map stands on: the raster that its manifest names."""
    terrain = results.layers.get(str(output.spec.get("hillshade", "")))
    return terrain if isinstance(terrain, Raster) else None


def _facts(
    layer: "Raster | gpd.GeoDataFrame",
    output: Output,
    results: Results,
    language: str,
    weight: str,
) -> str:
    said = caption_facts(layer, output, language=language, weight=weight)
    if relief(results, output) is None:
        return said
    return f"{said} {word('relief', language)}".strip()


def _in_metres(
    layer: "Raster | gpd.GeoDataFrame", territory: Territory
) -> "Raster | gpd.GeoDataFrame":
    if isinstance(layer, Raster) or layer.crs is None or layer.crs.is_projected:
        return layer
    return layer.to_crs(territory.crs)


def boundary_in(territory: Territory, crs: Any) -> "BaseGeometry":
    """Territory's boundary in a CRS."""
    import geopandas as gpd

    if crs is None or territory.crs.equals(crs):
        return territory.boundary_geometry
    series = gpd.GeoSeries([territory.boundary_geometry], crs=territory.crs)
    projected: BaseGeometry = series.to_crs(crs).iloc[0]
    return projected


def outlines_in(results: Results, crs: Any) -> "list[BaseGeometry] | None":
    """Shapes that help to find one's way, in a CRS; None where there are none."""
    frame = results.layers.get(_CONTEXT_LAYER)
    if frame is None or isinstance(frame, Raster):
        return None
    if crs is not None and frame.crs is not None and not frame.crs.equals(crs):
        frame = frame.to_crs(crs)
    shapes = frame.geometry[~(frame.geometry.isna() | frame.geometry.is_empty)]
    return list(shapes[shapes.geom_type.isin(("Polygon", "MultiPolygon"))])
