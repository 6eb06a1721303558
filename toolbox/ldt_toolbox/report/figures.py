"""Maps of a run's layers, for the report and for notebooks."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import (
    BoundaryNorm,
    Colormap,
    LinearSegmentedColormap,
    ListedColormap,
    to_rgba,
)
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from ldt_toolbox import units
from ldt_toolbox.report.colours import ColourScale, colour_scale
from ldt_toolbox.report.features import outline_lines, polygon_paths
from ldt_toolbox.report.furniture import (
    INK,
    class_legend,
    colour_bar,
    frame_texts,
    north_arrow,
    scale_bar,
    watermark,
)
from ldt_toolbox.report.hillshade import hillshade
from ldt_toolbox.report.layout import Box, Layout
from ldt_toolbox.report.marks import Mark, few_classes, marks, unmarked
from ldt_toolbox.report.values import LayerValues, layer_values, present
from ldt_toolbox.report.words import word
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.use_case import Output

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

Classes = Sequence[tuple[float, Mapping[str, Any]]]

_PAPER = "#e9eef0"
_GROUND = "#ffffff"
_CONTEXT = "#cdd3d2"
_MOST_OUTLINES = 30_000
_MOST_CELLS_A_SIDE = 2400
_PNG_COLOURS = 96
_CORNER = 0.25  # share of the territory's width
_LIKE = 8  # of 255; the eye, and Pillow's search for the nearest, take such colours for one
# few greys, so that they do not take the palette of the PNG from the colours of the legend
_RELIEF = LinearSegmentedColormap.from_list("relief", ["#a9b0b3", "#ffffff"], N=16)


def map_figure(
    layer: "Raster | gpd.GeoDataFrame",
    output: Output,
    *,
    language: str = "en",
    boundary: "BaseGeometry | None" = None,
    outlines: "Sequence[BaseGeometry] | None" = None,
    synthetic: bool = False,
    weight: str = "",
    titled: bool = True,
    source: str = "",
    terrain: Raster | None = None,
    painted: bool = True,
) -> Figure:
    """Draw the map of a layer.

    Parameters
    ----------
    layer : Raster or geopandas.GeoDataFrame
        In a projected CRS; one in degrees is drawn without scale bar.
    output : Output
        What the manifest says of it: title, unit, map style, column, classes. Without a map
        style it is drawn as `sequential`.
    language : str
        ``en`` or ``fr``.
    boundary : shapely geometry, optional
        The territory, in the layer's CRS.
    outlines : sequence of shapely geometries, optional
        Buildings or other things that help to find one's way, in the layer's CRS. More than
        30 000 would hide the map and are left out.
    synthetic : bool
        Writes SYNTHETIC across the map.
    weight : str
        What exposure is counted in, for units that are summed over it.
    titled : bool
        Puts the title above the map.
    source : str
        Line below the map.
    terrain : Raster, optional
        Elevation in metres, in the layer's CRS; its relief is shaded under the map.
    painted : bool
        False draws everything but the layer itself: what an animation lays its pictures on.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot, so that nothing has to be closed; a notebook shows it.

    Examples
    --------
    >>> map_figure(results.layers["air_temperature"], case.layers["air_temperature"],
    ...            boundary=territory.boundary_geometry)  # doctest: +SKIP
    """
    style = str(output.spec.get("map") or "sequential")
    found = layer_values(layer, str(output.spec.get("column", "")))
    classes = (
        held_classes(output, found)
        if style == "classes"
        else few_classes(layer, output, found, language=language)
    )
    beside = marks(layer, output, language=language)
    # a map of changes without any change needs no scale
    named = bool(classes) or (style == "diverging" and not found.values.any())
    unit = units.symbol(output.unit, language=language, weight=weight)
    labels = [str(spec.get(language) or spec.get("en") or code) for code, spec in classes]
    labels += [mark.label for mark in beside]
    layout = Layout.around(
        _bounds(layer, found, boundary),
        titled=titled, source=source, classes=named * (len(classes) + len(beside)),
        marks=len(beside), unit=unit, longest=max(map(len, labels), default=0),
    )  # fmt: skip
    figure = Figure(figsize=(layout.width, layout.height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes(layout.share(layout.map_box))
    _draw_ground(axes, layout, boundary)
    if terrain is not None:
        _draw_relief(axes, terrain)
    if outlines is not None:
        _draw_outlines(axes, outlines, over=isinstance(layer, Raster))
    if not len(found.values):
        axes.text(
            0.5, 0.5, word("no_values_mark", language), transform=axes.transAxes, ha="center",
            va="center", color=INK, fontsize=13, zorder=6,
        )  # fmt: skip
    elif named:
        _draw_classes(axes, layer, output, classes)
    else:
        scale = colour_scale(
            found.values, style=style, unit=output.unit, polygons=not isinstance(layer, Raster)
        )
        colours, norm = _colour_map(scale)
        if painted:
            _draw(axes, unmarked(layer, output, beside), output, colours=colours, norm=norm)
        colour_bar(figure, layout, scale, unit=unit, language=language)
    _draw_marks(axes, layer, beside)
    if named or beside:
        class_legend(figure, layout, classes, language=language, marks=beside, below=not named)
    if boundary is not None:
        axes.add_collection(
            LineCollection(outline_lines([boundary]), colors=INK, linewidths=1.1, zorder=5),
            autolim=False,
        )
    scale_bar(figure, axes, layout, layer.crs)
    north_arrow(figure, axes, layout, layer.crs)
    if synthetic:
        watermark(axes, layout, word("synthetic_mark", language))
    title = (output.title.get(language) or output.id) if titled else ""
    frame_texts(figure, layout, title=title)
    return figure


def to_png(figure: Figure, *, dpi: int = 160) -> bytes:
    """Write a figure as a small PNG with few colours; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        As `map_figure` returns it.
    dpi : int
        Pixels per inch.
    """
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
    image = Image.open(memory).convert("RGB")
    kept = _legend_colours(figure)
    rough = image.quantize(
        _PNG_COLOURS - len(kept), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    # a colour of few pixels must not fade into its neighbours: the legend's are kept as they are
    shades = np.array(rough.getpalette(), dtype=int).reshape(-1, 3)[: _PNG_COLOURS - len(kept)]
    apart = np.abs(shades[:, None] - np.array(kept)).max(axis=2).min(axis=1) > _LIKE
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.vstack([kept, shades[apart]]).ravel().tolist())
    flat = image.quantize(palette=palette, dither=Image.Dither.NONE)
    small = io.BytesIO()
    flat.save(small, format="png", optimize=True)
    return small.getvalue()


def _legend_colours(figure: Figure) -> list[tuple[int, ...]]:
    """Colours of paper, ink and all boxes beside the map, as bytes."""
    boxes = [box for legend in figure.legends for box in legend.get_patches()]
    boxes += [box for axes in figure.axes for box in axes.patches]
    shades = [_GROUND, _PAPER, INK, *(box.get_facecolor() for box in boxes)]
    colours = dict.fromkeys(
        tuple(round(255 * part) for part in to_rgba(shade)[:3]) for shade in shades
    )
    return list(colours)[: _PNG_COLOURS // 2]


def held_classes(output: Output, found: LayerValues) -> Classes:
    """Classes of the manifest that a layer holds, by code."""
    held = {int(code) for code in np.unique(found.values)}
    listed = sorted((int(code), spec) for code, spec in output.spec.get("classes", {}).items())
    return [(code, spec) for code, spec in listed if code in held]


def _bounds(
    layer: "Raster | gpd.GeoDataFrame", found: LayerValues, boundary: "BaseGeometry | None"
) -> Box:
    """West, south, east, north of all that is there."""
    boxes: list[Any] = []
    if isinstance(layer, Raster):
        half_x, half_y = layer.transform.a / 2, -layer.transform.e / 2
        if len(found.values):
            boxes.append((found.x.min() - half_x, found.y.min() - half_y,
                          found.x.max() + half_x, found.y.max() + half_y))  # fmt: skip
        elif boundary is None:
            boxes.append(layer.bounds)
    else:
        boxes.append(layer.total_bounds)
    if boundary is not None and not _lies_in_a_corner(layer, boundary):
        boxes.append(boundary.bounds)
    every = np.array(
        [box for box in boxes if np.isfinite(box).all()] or [(0, 0, 1, 1)], dtype=float
    )
    west, south = every[:, :2].min(axis=0)
    east, north = every[:, 2:].max(axis=0)
    if east <= west or north <= south:  # a single point
        west, south, east, north = west - 50, south - 50, east + 50, north + 50
    return float(west), float(south), float(east), float(north)


def _lies_in_a_corner(layer: "Raster | gpd.GeoDataFrame", boundary: "BaseGeometry") -> bool:
    """Whether vectors would be specks on a map of the whole territory."""
    if isinstance(layer, Raster) or not len(layer):
        return False
    (w, s, e, n), (west, south, east, north) = layer.total_bounds, boundary.bounds
    return bool(max(e - w, n - s) < _CORNER * max(east - west, north - south))


def _draw_ground(axes: Axes, layout: Layout, boundary: "BaseGeometry | None") -> None:
    west, south, east, north = layout.extent
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], facecolor=_PAPER)
    axes.set_autoscale_on(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if boundary is not None:
        paths, _ = polygon_paths([boundary])
        axes.add_collection(PathCollection(paths, facecolors=_GROUND, linewidths=0, zorder=0))


def _draw_relief(axes: Axes, terrain: Raster) -> None:
    light = hillshade(terrain)
    west, south, east, north = terrain.bounds
    axes.imshow(
        np.ma.masked_invalid(light), extent=(west, east, south, north), cmap=_RELIEF, vmin=0,
        vmax=1, interpolation="bilinear", aspect="auto", zorder=0.5,
    )  # fmt: skip
    axes.set_autoscale_on(False)


def _draw_outlines(axes: Axes, outlines: "Sequence[BaseGeometry]", *, over: bool) -> None:
    """Context: thin lines over a raster, grey shapes under polygons and points."""
    if len(outlines) > _MOST_OUTLINES:
        return
    if over:
        lines = outline_lines(outlines)
        axes.add_collection(
            LineCollection(lines, colors=INK, linewidths=0.3, alpha=0.5, zorder=4), autolim=False
        )
    else:
        paths, _ = polygon_paths(outlines)
        axes.add_collection(PathCollection(paths, facecolors=_CONTEXT, linewidths=0, zorder=1))


def _draw_classes(
    axes: Axes, layer: "Raster | gpd.GeoDataFrame", output: Output, classes: Classes
) -> None:
    codes = [code for code, _ in classes]
    if not codes:
        return
    colours = ListedColormap([spec["color"] for _, spec in classes]).with_extremes(
        bad=(0, 0, 0, 0), under=(0, 0, 0, 0), over=(0, 0, 0, 0)
    )
    # Codes may have holes: each gets its place in the list before it gets its colour.
    place = BoundaryNorm(np.arange(len(codes) + 1) - 0.5, len(codes))

    def positions(values: NDArray[Any]) -> NDArray[np.float64]:
        index = np.searchsorted(codes, values)
        index = np.minimum(index, len(codes) - 1)
        return np.where(np.take(codes, index) == values, index, np.nan)

    if isinstance(layer, Raster):
        places = np.where(present(layer), positions(layer.values), np.nan)
        _draw(axes, layer.with_values(places), output, colours=colours, norm=place)
    else:
        column = output.spec["column"]
        placed = layer.assign(**{column: positions(np.asarray(layer[column], dtype=float))})
        _draw(axes, placed, output, colours=colours, norm=place)


def _draw_marks(axes: Axes, layer: "Raster | gpd.GeoDataFrame", beside: Sequence[Mark]) -> None:
    if isinstance(layer, Raster):
        return
    shapes = np.asarray(layer.geometry)
    for mark in beside:
        paths, _ = polygon_paths(shapes[mark.rows & ~np.asarray(layer.geometry.isna())])
        axes.add_collection(
            PathCollection(
                paths, facecolors=mark.colour, edgecolors=mark.edge, hatch=mark.hatch or None,
                linewidths=0.25, zorder=2.5,
            ),
            autolim=False,
        )  # fmt: skip


def _draw(
    axes: Axes,
    layer: "Raster | gpd.GeoDataFrame",
    output: Output,
    *,
    colours: Colormap,
    norm: BoundaryNorm,
) -> None:
    if isinstance(layer, Raster):
        # Cells beyond what a page can show are left out: a big raster costs no more.
        stride = -(-max(layer.shape) // _MOST_CELLS_A_SIDE)
        values = np.where(present(layer), layer.values, np.nan)[::stride, ::stride]
        west, south, east, north = layer.bounds
        axes.imshow(
            np.ma.masked_invalid(values), extent=(west, east, south, north), cmap=colours,
            norm=norm, interpolation="nearest", aspect="auto", zorder=2,
        )  # fmt: skip
        axes.set_autoscale_on(False)
        return
    column = np.asarray(layer[output.spec["column"]], dtype=float)
    keep = np.isfinite(column) & ~np.asarray(layer.geometry.is_empty | layer.geometry.isna())
    shapes = np.asarray(layer.geometry)[keep]
    face = colours(norm(column[keep]))
    dimension = shapely.get_dimensions(shapes)
    surface, line, point = dimension == 2, dimension == 1, dimension == 0
    paths, owner = polygon_paths(shapes[surface])
    rim = 0.25 if len(paths) < _MOST_OUTLINES else 0.0
    axes.add_collection(
        PathCollection(
            paths, facecolors=face[surface][owner], edgecolors=INK, linewidths=rim, zorder=3
        ),
        autolim=False,
    )
    # one collection for all: a street network has thousands of lines
    parts, of = shapely.get_parts(shapes[line], return_index=True)
    axes.add_collection(
        LineCollection(outline_lines(parts), colors=face[line][of], linewidths=1.8, zorder=3),
        autolim=False,
    )
    spots = shapely.get_coordinates(shapely.centroid(shapes[point]))
    axes.scatter(
        spots[:, 0], spots[:, 1], color=face[point], s=28, edgecolors=INK, linewidths=0.5, zorder=4
    )


def _colour_map(scale: ColourScale) -> tuple[Colormap, BoundaryNorm]:
    below, above = scale.extend in {"min", "both"}, scale.extend in {"max", "both"}
    inner = scale.colours[below : len(scale.colours) - above]
    # what lies below a scale that does not reach down there is not painted: dry ground
    colours = ListedColormap(list(inner)).with_extremes(
        bad=(0, 0, 0, 0), under=scale.colours[0] if below else (0, 0, 0, 0),
        over=scale.colours[-1],
    )  # fmt: skip
    return colours, BoundaryNorm(scale.levels, len(inner))
