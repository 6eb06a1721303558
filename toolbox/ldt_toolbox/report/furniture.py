"""What stands around a map: legend, scale bar, north arrow, title, mark on what is synthetic."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon
from matplotlib.patheffects import AbstractPathEffect, withStroke
from pyproj import CRS

from ldt_toolbox.report.colours import ColourScale
from ldt_toolbox.report.features import true_north_deg
from ldt_toolbox.report.layout import Layout
from ldt_toolbox.report.marks import Mark
from ldt_toolbox.report.numbers import format_number

INK = "#22313a"
_FAINT_INK = "#5a6a72"
_DIGIT_IN = 0.085
# Bold capitals of DejaVu Sans are about this much of their size wide.
_CAPITAL = 0.78


def colour_bar(
    figure: Figure, layout: Layout, scale: ColourScale, *, unit: str, language: str
) -> None:
    """Draw one box a step, pointed where values lie beyond, with numbers at the edges and the unit.

    Parameters
    ----------
    figure, layout, scale
        The figure, its boxes, its colours.
    unit : str
        Symbol.
    language : str
        ``en`` or ``fr``: decimal mark.
    """
    left, bottom, width, height = layout.legend_box
    unit_in = 0.0 if layout.unit_below else 0.15 + 0.08 * len(unit)
    bar_in = width - 0.5 - unit_in
    axes = figure.add_axes(layout.share((left + 0.25, bottom + height - 0.28, bar_in, 0.17)))
    count = len(scale.colours)
    below, above = scale.extend in {"min", "both"}, scale.extend in {"max", "both"}
    for index, colour in enumerate(scale.colours):
        corners = [(index, 0.0), (index + 1, 0.0), (index + 1, 1.0), (index, 1.0)]
        if below and index == 0:
            corners = [(1, 0.0), (1, 1.0), (0, 0.5)]
        elif above and index == count - 1:
            corners = [(index, 0.0), (count, 0.5), (index, 1.0)]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor=INK, linewidth=0.5))
    axes.set_xlim(0, count)
    axes.set_ylim(0, 1)
    axes.set_axis_off()
    texts = [format_number(v, language=language, decimals=scale.decimals) for v in scale.levels]
    longest_in = (max(map(len, texts)) + 1) * _DIGIT_IN
    every = max(1, math.ceil(longest_in / (bar_in / count)))
    for index in range(0, len(texts), every):
        axes.text(index + below, -0.25, texts[index], ha="center", va="top", fontsize=9, color=INK)
    if layout.unit_below:
        axes.text(count / 2, -1.55, unit, ha="center", va="top", fontsize=9, color=INK)
    else:
        axes.text(count * (1 + 0.1 / bar_in), 0.5, unit, va="center", fontsize=10, color=INK)


def class_legend(
    figure: Figure,
    layout: Layout,
    classes: Sequence[tuple[float, Mapping[str, Any]]],
    *,
    language: str,
    marks: Sequence[Mark] = (),
    below: bool = False,
) -> None:
    """Name each class and each mark beside its colour, in place of the colour bar or below it."""
    patches = [
        Patch(
            facecolor=spec["color"], edgecolor=INK, linewidth=0.4,
            label=spec.get(language) or spec.get("en") or str(code),
        )
        for code, spec in classes
    ]  # fmt: skip
    # a patch with a hatch takes the hatch's colour from its edge
    patches += [
        Patch(
            facecolor=mark.colour, edgecolor=mark.edge if mark.hatch else INK, linewidth=0.4,
            hatch=mark.hatch, label=mark.label,
        )
        for mark in marks
    ]  # fmt: skip
    legend = figure.legend(
        handles=patches, loc="center", ncols=layout.legend_columns, frameon=False, fontsize=9,
        labelcolor=INK, handlelength=1.3,
        columnspacing=1.4, borderaxespad=0,
        bbox_to_anchor=layout.share(layout.mark_box if below else layout.legend_box),
    )  # fmt: skip
    legend.set_in_layout(False)


def nice_length_m(width_m: float) -> float:
    """Longest of 1, 2, 5 times a power of ten that fits into a quarter of a map's width.

    Parameters
    ----------
    width_m : float
        Width of the map in metres, above 0.
    """
    limit = width_m / 4
    power = 10.0 ** math.floor(math.log10(limit))
    return max(step * power for step in (1, 2, 5) if step * power <= limit)


def scale_bar(figure: Figure, axes: Axes, layout: Layout, crs: CRS | None) -> None:
    """Draw a bar of a round length in the lower left corner; nothing where degrees are mapped."""
    if crs is None or not crs.is_projected:
        return
    width_m = (layout.extent[2] - layout.extent[0]) * crs.axis_info[0].unit_conversion_factor
    length_m = nice_length_m(width_m)
    left, bottom, map_width, _ = layout.map_box
    bar_in = map_width * length_m / width_m
    left, bottom = left + 0.14, bottom + 0.14
    for start, colour in ((0.0, INK), (0.5, "white")):
        ends = (left + start * bar_in, left + (start + 0.5) * bar_in)
        axes.add_patch(
            Polygon(
                [(ends[0], bottom), (ends[1], bottom), (ends[1], bottom + 0.06),
                 (ends[0], bottom + 0.06)],
                transform=figure.dpi_scale_trans, facecolor=colour, edgecolor=INK, linewidth=0.8,
                zorder=8,
            )
        )  # fmt: skip
    kilometres = length_m >= 1000
    text = axes.text(
        left + bar_in / 2, bottom + 0.09,
        f"{length_m / 1000:g}\u00a0km" if kilometres else f"{length_m:g}\u00a0m",
        transform=figure.dpi_scale_trans, ha="center", va="bottom", fontsize=9, color=INK,
        zorder=8,
    )  # fmt: skip
    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def north_arrow(figure: Figure, axes: Axes, layout: Layout, crs: CRS | None) -> None:
    """Point to true north, from which a projected grid's up may differ by degrees."""
    west, south, east, north = layout.extent
    turn = math.radians(true_north_deg(crs, (west + east) / 2, (south + north) / 2))
    ahead = np.array([math.sin(turn), math.cos(turn)])
    side = np.array([ahead[1], -ahead[0]])
    left, bottom, width, height = layout.map_box
    foot = np.array([left + width - 0.26, bottom + height - 0.62])
    tip = foot + 0.34 * ahead
    halo: list[AbstractPathEffect] = [withStroke(linewidth=3, foreground="white")]
    for sign, colour in ((-1, INK), (1, "white")):
        half = Polygon(
            [tip, foot + 0.08 * ahead, foot + sign * 0.1 * side],
            transform=figure.dpi_scale_trans, facecolor=colour, edgecolor=INK, linewidth=0.8,
            zorder=8,
        )  # fmt: skip
        axes.add_patch(half)
    where = foot + 0.46 * ahead
    text = axes.text(
        where[0], where[1], "N", transform=figure.dpi_scale_trans, ha="center", va="center",
        fontsize=10, fontweight="bold", color=INK, zorder=8,
    )  # fmt: skip
    text.set_path_effects(halo)


def watermark(axes: Axes, layout: Layout, text: str) -> None:
    """Write a word across the map, so that no copy of it passes for the real thing."""
    _, _, width, height = layout.map_box
    size = 0.75 * math.hypot(width, height) * 72 / (_CAPITAL * len(text))
    mark = axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=size,
        rotation=math.degrees(math.atan2(height, width)), fontweight="bold", color=INK,
        alpha=0.5, zorder=9,
    )  # fmt: skip
    mark.set_path_effects([withStroke(linewidth=3, foreground=(1, 1, 1, 0.7))])


def frame_texts(figure: Figure, layout: Layout, *, title: str) -> None:
    """Put the title above and the source line below."""
    left = layout.map_box[0] / layout.width
    if title:
        figure.text(
            left, 1 - 0.1 / layout.height, title, va="top", fontsize=12, fontweight="bold",
            color=INK,
        )  # fmt: skip
    if layout.source_lines:
        figure.text(
            left, 0.07 / layout.height, "\n".join(layout.source_lines), va="bottom", fontsize=7,
            color=_FAINT_INK,
        )  # fmt: skip
