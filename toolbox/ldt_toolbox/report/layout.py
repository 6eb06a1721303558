"""Where the parts of a map figure lie, in inches, so that nothing depends on the machine's text."""

import math
import textwrap
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

# Small enough that text of 9 points stays readable where two maps stand side by side.
_WIDTH_IN = 5.6
_TALLEST_MAP_IN = 5.0
_NARROWEST_MAP_IN = 3.8
_MARGIN_IN = 0.06
_HEAD_IN = 0.4
_LEGEND_ROW_IN = 0.25
_CLASS_IN = 1.75
_BOX_IN = 0.5
_LETTER_IN = 0.08
_COLOUR_BAR_IN = 0.56
_UNIT_LINE_IN = 0.2
_LONGEST_UNIT = 5
_SOURCE_LINE_IN = 0.13
_RIM = 0.03


@dataclass(frozen=True)
class Layout:
    """A figure's size and boxes: left, bottom, width, height in inches.

    Attributes
    ----------
    width, height : float
        Of the figure.
    map_box, legend_box : tuple of float
        Of its parts.
    extent : tuple of float
        West, south, east, north of the map in CRS units; it fills the map's box.
    source_lines : tuple of str
        The source line, wrapped.
    legend_columns : int
        Columns of a legend of classes.
    mark_box : tuple of float
        Below the colour bar: what the map marks beside its colours.
    unit_below : bool
        Whether the unit is too long to stand beside the colour bar.
    """

    width: float
    height: float
    map_box: Box
    legend_box: Box
    extent: Box
    source_lines: tuple[str, ...]
    legend_columns: int
    mark_box: Box
    unit_below: bool

    @classmethod
    def around(
        cls,
        bounds: Box,
        *,
        titled: bool,
        source: str,
        classes: int = 0,
        marks: int = 0,
        unit: str = "",
        longest: int = 0,
    ) -> Self:
        """Lay out a figure around what is to be shown.

        Parameters
        ----------
        bounds : tuple of float
            West, south, east, north in CRS units.
        titled : bool
            Whether a title stands above the map.
        source : str
            Line below it, or empty.
        classes : int
            Entries of a legend of classes; 0 leaves room for a colour bar.
        marks : int
            Entries of a legend below the colour bar.
        unit : str
            Symbol beside or below the colour bar.
        longest : int
            Letters of the longest entry of the legend.
        """
        west, south, east, north = bounds
        rim = _RIM * max(east - west, north - south) or 1.0
        west, south, east, north = west - rim, south - rim, east + rim, north + rim
        map_width = _WIDTH_IN - 2 * _MARGIN_IN
        map_height = map_width * (north - south) / (east - west)
        if map_height > _TALLEST_MAP_IN:
            map_width = max(map_width * _TALLEST_MAP_IN / map_height, _NARROWEST_MAP_IN)
            map_height = _TALLEST_MAP_IN
        map_height = max(map_height, map_width / 3)
        units_per_in = max((east - west) / map_width, (north - south) / map_height)
        middle = np.array([west + east, south + north]) / 2
        half = np.array([map_width, map_height]) * units_per_in / 2
        width = map_width + 2 * _MARGIN_IN
        lines = tuple(textwrap.wrap(source, int(width * 19)))
        foot = 0.1 + _SOURCE_LINE_IN * len(lines) if lines else 0.0
        entry = _BOX_IN + _LETTER_IN * longest
        entry = min(entry, _CLASS_IN) if classes and longest else max(entry, _CLASS_IN)
        columns = min(classes or marks, int(map_width / entry))
        unit_below = not classes and len(unit) > _LONGEST_UNIT
        if classes:
            legend = 0.1 + math.ceil(classes / columns) * _LEGEND_ROW_IN
        else:
            legend = _COLOUR_BAR_IN + unit_below * _UNIT_LINE_IN
        rows = math.ceil(marks / columns) if marks and not classes else 0
        legend += rows * _LEGEND_ROW_IN
        head = _HEAD_IN if titled else _MARGIN_IN
        return cls(
            width=width,
            height=foot + legend + map_height + head,
            map_box=(_MARGIN_IN, foot + legend, map_width, map_height),
            legend_box=(_MARGIN_IN, foot, map_width, legend),
            extent=_box(middle - half, middle + half),
            source_lines=lines,
            legend_columns=columns,
            mark_box=(_MARGIN_IN, foot, map_width, rows * _LEGEND_ROW_IN),
            unit_below=unit_below,
        )

    def share(self, box: Box) -> Box:
        """Turn inches into shares of the figure, as matplotlib wants them."""
        left, bottom, width, height = box
        return (left / self.width, bottom / self.height, width / self.width, height / self.height)


def _box(low: NDArray[np.float64], high: NDArray[np.float64]) -> Box:
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
