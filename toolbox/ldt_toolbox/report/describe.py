"""What a map shows, in words: for readers who do not see it, and below it for all."""

from typing import TYPE_CHECKING

import numpy as np

from ldt_toolbox.report.colours import DEPTH_LEVELS_M, colour_scale, is_dry
from ldt_toolbox.report.figures import held_classes
from ldt_toolbox.report.marks import is_suppressed
from ldt_toolbox.report.numbers import decimals_for, format_number, with_unit
from ldt_toolbox.report.values import LayerValues, layer_values, main_sector
from ldt_toolbox.report.words import sector, word
from ldt_toolbox.space.raster import Raster
from ldt_toolbox.use_case import Output

if TYPE_CHECKING:
    import geopandas as gpd

_TOP_SHARE = 0.05
_MAINLY = 0.5
_MOST_CLASSES = 4


def alt_text(
    layer: "Raster | gpd.GeoDataFrame",
    output: Output,
    *,
    place: str,
    language: str = "en",
    weight: str = "",
    synthetic: bool = False,
) -> str:
    """Say what a map shows: title, range, middle half, where the extreme values lie.

    Parameters
    ----------
    layer, output, language, weight, synthetic
        As in `map_figure`.
    place : str
        Name of the territory.

    Returns
    -------
    str
        Three or four sentences.
    """
    found = _shown(layer, output)
    said = [word("alt_map", language, place=place, title=output.title.get(language) or output.id)]
    if synthetic:
        said.append(word("synthetic_figure", language))
    if not len(found.values):
        said.append(_nothing(output, language))
    elif output.spec.get("map") == "classes":
        said.append(_shares(output, found, language))
    else:
        numbers = _Numbers(found, output.unit, language=language, weight=weight)
        if found.values.min() == found.values.max():
            said.append(word("constant", language, value=numbers.unit(found.values.min())))
        else:
            low, q1, q3, high = np.percentile(found.values, (0, 25, 75, 100))
            said.append(
                word(
                    "alt_range", language, low=numbers(low), high=numbers.unit(high),
                    q1=numbers(q1), q3=numbers.unit(q3),
                )
            )  # fmt: skip
            said.append(_where(output, found, language))
    if secret := _secret(layer, language):
        said.append(secret)
    return " ".join(said)


def caption_facts(
    layer: "Raster | gpd.GeoDataFrame",
    output: Output,
    *,
    language: str = "en",
    weight: str = "",
) -> str:
    """Say how to read the colours of a map: range, and whether values lie beyond the scale.

    Parameters
    ----------
    layer, output, language, weight
        As in `map_figure`.

    Returns
    -------
    str
        Empty for a map of classes.
    """
    secret = _secret(layer, language)
    facts = _facts(layer, output, language=language, weight=weight)
    return f"{facts} {secret}".strip()


def _facts(
    layer: "Raster | gpd.GeoDataFrame", output: Output, *, language: str, weight: str
) -> str:
    found = _shown(layer, output)
    if not len(found.values):
        return _nothing(output, language)
    style = str(output.spec.get("map") or "sequential")
    if style == "classes":
        return ""
    numbers = _Numbers(found, output.unit, language=language, weight=weight)
    low, high = float(found.values.min()), float(found.values.max())
    if style == "depth":
        return word("depth_classes", language, high=numbers.unit(high))
    if low == high:
        return word("constant", language, value=numbers.unit(low))
    scale = colour_scale(
        found.values, style=style, unit=output.unit, polygons=not isinstance(layer, Raster)
    )
    key = "value_range" if scale.extend == "neither" else "clipped"
    return word(key, language, low=numbers(low), high=numbers.unit(high))


def _secret(layer: "Raster | gpd.GeoDataFrame", language: str) -> str:
    """How many cells hold a value that is not shown; empty where there is none."""
    count = int(is_suppressed(layer).sum())
    if not count:
        return ""
    written = format_number(count, language=language, decimals=0)
    return word("suppressed_cells", language, count=written)


def _shown(layer: "Raster | gpd.GeoDataFrame", output: Output) -> LayerValues:
    """Values that are painted: a map of depths leaves out what is dry."""
    found = layer_values(layer, str(output.spec.get("column", "")))
    if output.spec.get("map") != "depth":
        return found
    wet = ~is_dry(found.values)
    return LayerValues(found.values[wet], found.x[wet], found.y[wet])


def _nothing(output: Output, language: str) -> str:
    if output.spec.get("map") != "depth":
        return word("no_values", language)
    return word("all_dry", language, least=f"{100 * DEPTH_LEVELS_M[0]:.0f}")


class _Numbers:
    """Writes the numbers of one layer alike."""

    def __init__(self, found: LayerValues, unit: str, *, language: str, weight: str) -> None:
        self._unit, self._language, self._weight = unit, language, weight
        self._decimals = decimals_for(found.values.tolist(), unit=unit)

    def __call__(self, value: float) -> str:
        return format_number(float(value), language=self._language, decimals=self._decimals)

    def unit(self, value: float) -> str:
        return with_unit(self(value), self._unit, language=self._language, weight=self._weight)


def _where(output: Output, found: LayerValues, language: str) -> str:
    """Tell in which part of the map the highest twentieth lies (the lowest where less counts)."""
    lowest = output.spec.get("map") == "sequential_reversed"
    values = -found.values if lowest else found.values
    top = values >= np.quantile(values, 1 - _TOP_SHARE)
    part, share = main_sector(found.x[top], found.y[top], found)
    return word(
        "alt_most" if share >= _MAINLY else "alt_scattered",
        language,
        end=word("lowest" if lowest else "highest", language),
        where=sector(part, language),
    )


def _shares(output: Output, found: LayerValues, language: str) -> str:
    counts = sorted(
        (
            (float(np.mean(found.values == code)), spec.get(language) or spec.get("en") or code)
            for code, spec in held_classes(output, found)
        ),
        key=lambda item: -item[0],
    )
    shares = ", ".join(
        word(
            "alt_share", language, name=name,
            share=with_unit(
                format_number(100 * share, language=language, decimals=0), "P1", language=language
            ),
        )
        for share, name in counts[:_MOST_CLASSES]
    )  # fmt: skip
    return word("alt_classes", language, shares=shares)
