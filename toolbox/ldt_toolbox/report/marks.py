"""What a vector map marks beside its colours: cells kept secret or unchanged, few values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from ldt_toolbox.report.numbers import format_number, with_unit
from ldt_toolbox.report.values import LayerValues
from ldt_toolbox.report.words import word
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.use_case import Output

if TYPE_CHECKING:
    import geopandas as gpd

# A layer with this column says which of its cells hold a value that must not be shown.
SUPPRESSED = "suppressed"
_MOST_FEW = 5
_FEW_COLOURS = "Blues_r"


@dataclass(frozen=True)
class Mark:
    """A colour or a hatch that stands for no number.

    Attributes
    ----------
    label : str
        What it stands for.
    colour, edge : str
        Of the area and of the hatch.
    hatch : str
        As matplotlib has it; empty for none.
    rows : numpy.ndarray of bool
        Which rows of the layer it is drawn on.
    """

    label: str
    colour: str
    edge: str
    hatch: str
    rows: NDArray[np.bool_]


def is_suppressed(layer: "Raster | gpd.GeoDataFrame") -> NDArray[np.bool_]:
    """Rows of a layer whose value is kept secret; none for a raster."""
    if isinstance(layer, Raster) or SUPPRESSED not in layer.columns:
        return np.zeros(0 if isinstance(layer, Raster) else len(layer), np.bool_)
    return np.asarray(layer[SUPPRESSED].fillna(value=False).astype(bool))


def marks(layer: "Raster | gpd.GeoDataFrame", output: Output, *, language: str) -> tuple[Mark, ...]:
    """Find what a map marks: what didn't change in a map of changes, and what is kept secret.

    Parameters
    ----------
    layer : Raster or geopandas.GeoDataFrame
        Rasters have no marks.
    output : Output
        What the manifest says of it.
    language : str
        ``en`` or ``fr``.
    """
    if isinstance(layer, Raster):
        return ()
    column = str(output.spec.get("column", ""))
    found = []
    if output.spec.get("map") == "diverging" and column in layer.columns:
        same = np.asarray(layer[column], dtype=np.float64) == 0
        found.append(Mark(word("no_change", language), "#f2f2f2", "#cccccc", "", same))
    secret = is_suppressed(layer)
    found.append(Mark(word("suppressed", language), "#cfcfcf", "#6e6e6e", "/////", secret))
    return tuple(mark for mark in found if mark.rows.any())


def unmarked(
    layer: "Raster | gpd.GeoDataFrame", output: Output, found: Sequence[Mark]
) -> "Raster | gpd.GeoDataFrame":
    """Take the values of marked rows out of a layer, so that no colour is drawn over the mark."""
    if isinstance(layer, Raster) or not found:
        return layer
    column = str(output.spec.get("column", ""))
    if column not in layer.columns:
        return layer
    hidden = np.logical_or.reduce([mark.rows for mark in found])
    return layer.assign(**{column: layer[column].astype(np.float64).mask(hidden)})


def few_classes(
    layer: "Raster | gpd.GeoDataFrame", output: Output, found: LayerValues, *, language: str
) -> Sequence[tuple[float, Mapping[str, Any]]]:
    """Give each value of a vector layer its own box where there are only a few, as isochrones have.

    Parameters
    ----------
    layer, output, language
        As in `marks`.
    found : LayerValues
        Values of the layer.

    Returns
    -------
    sequence of (float, mapping)
        Value with `color` and its name; empty where a scale of steps suits better.
    """
    values = np.unique(found.values)
    reversed_scale = output.spec.get("map") == "sequential_reversed"
    if isinstance(layer, Raster) or not reversed_scale or not 0 < len(values) <= _MOST_FEW:
        return []
    decimals = next((d for d in range(3) if np.allclose(values, values.round(d))), 3)
    shades = colormaps[_FEW_COLOURS](np.linspace(0.1, 0.75, max(len(values), 2)))
    return [
        (
            float(value),
            {
                "color": to_hex(shade),
                language: with_unit(
                    format_number(float(value), language=language, decimals=decimals),
                    output.unit, language=language,
                ),
            },
        )
        for value, shade in zip(values, shades, strict=False)
    ]  # fmt: skip
