"""From values to colours: which palette, which round steps."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

# Perceptually ordered and safe for colour-blind readers (matplotlib's own or ColorBrewer).
_WARM = "YlOrRd"
_GREEN = "YlGn"
_COOLING = "Blues_r"
_DIVERGING = "RdBu_r"
_GAINS = "RdBu"  # of a share: less is red, more is blue
_RASTER = "viridis"
_POLYGONS = "BuPu"
_DEPTH = "YlGnBu"
# Depth of water in metres: fixed, so that maps, scenarios and moments can be compared. Below the
# first it is dry.
DEPTH_LEVELS_M = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
_STEPS = 9
_FEW = 5
# Finer steps of a modelled temperature would paint a contrast that nobody can feel.
_FINEST_STEP = {"CEL": 0.1, "KEL": 0.1}
_PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class ColourScale:
    """Round steps with a colour each.

    Attributes
    ----------
    levels : tuple of float
        n + 1 edges of n steps.
    colours : tuple of str
        n colours, with one more at each end that is extended.
    extend : str
        `neither`, `min`, `max` or `both`: where values lie beyond the edges.
    """

    levels: tuple[float, ...]
    colours: tuple[str, ...]
    extend: str

    @property
    def step(self) -> float:
        """Width of a step."""
        return self.levels[1] - self.levels[0]

    @property
    def decimals(self) -> int:
        """Decimals that the edges need."""
        for decimals in range(7):
            if all(math.isclose(v, round(v, decimals), abs_tol=1e-9) for v in self.levels):
                return decimals
        return 7


def colour_scale(
    values: NDArray[np.float64], *, style: str, unit: str, polygons: bool = False
) -> ColourScale:
    """Choose steps and colours for the values of a map.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Finite, at least one.
    style : str
        `sequential`, `sequential_reversed`, `diverging` or `depth`.
    unit : str
        Unit code: temperatures are warm, gains green.
    polygons : bool
        Polygons stand on white paper, so more is darker.

    Returns
    -------
    ColourScale
        Steps are round numbers. They span all values, unless a few outliers would take the
        contrast from the rest: then the 2nd to 98th percentile. Depths have steps of their own.
    """
    if style == "depth":
        return _depth_scale()
    low, high = float(values.min()), float(values.max())
    if style == "diverging":
        high = max(abs(low), abs(high))
        low = -high
    inner_low, inner_high = (float(v) for v in np.percentile(values, _PERCENTILES))
    if style == "diverging":
        inner_high = max(abs(inner_low), abs(inner_high))
        inner_low = -inner_high
    if inner_high > inner_low and inner_high - inner_low < 0.8 * (high - low):
        low, high = inner_low, inner_high
    locator = MaxNLocator(
        nbins=_STEPS, steps=[1, 2, 2.5, 5, 10], symmetric=style == "diverging", min_n_ticks=3
    )
    levels = [float(f"{v:.10g}") for v in locator.tick_values(low, high)]
    finest = _FINEST_STEP.get(unit, 0.0) if style == "sequential" else 0.0
    if levels[1] - levels[0] < finest:
        first, last = math.floor(low / finest), math.ceil(high / finest)
        steps = range(first, max(last, first + 1) + 1)
        levels = [float(f"{step * finest:.10g}") for step in steps]
    while len(levels) > 2 and levels[1] <= low:
        levels = levels[1:]
    while len(levels) > 2 and levels[-2] >= high:
        levels = levels[:-1]
    below = float(values.min()) < levels[0]
    above = float(values.max()) > levels[-1]
    count = len(levels) - 1 + below + above
    both_ways = _GAINS if unit == "points" else _DIVERGING
    name = {"sequential_reversed": _COOLING, "diverging": both_ways}.get(
        style, _sequential(unit, polygons=polygons)
    )
    light, dark = (0.92, 0.12) if name == _COOLING else (0.08, 0.95)
    if count < _FEW:
        # Two steps apart is not "coolest against hottest": few steps stay near the light end.
        dark = light + (dark - light) * (count - 1) / (_FEW - 1)
    ends = (dark, light) if name == _COOLING else (light, dark)
    colours = tuple(to_hex(colormaps[name](v)) for v in np.linspace(*ends, count))
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]
    return ColourScale(tuple(levels), colours, extend)


def _sequential(unit: str, *, polygons: bool) -> str:
    if unit in {"CEL", "KEL"}:
        return _WARM
    if unit in {"gain", "gain_total"}:
        return _GREEN
    return _POLYGONS if polygons else _RASTER


def _depth_scale() -> ColourScale:
    """All classes of depth, also those that a map lacks: one legend for every map."""
    shades = colormaps[_DEPTH](np.linspace(0.3, 1.0, len(DEPTH_LEVELS_M)))
    return ColourScale(DEPTH_LEVELS_M, tuple(to_hex(shade) for shade in shades), "max")


def is_dry(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Depths, m, that a map of style `depth` leaves out; True also where none is known."""
    return ~(values >= DEPTH_LEVELS_M[0])
