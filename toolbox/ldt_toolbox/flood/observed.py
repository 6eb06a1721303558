"""The modelled event against what was seen: an observed extent, high-water marks."""

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.skill import extent_skill, mark_skill, match_marks
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Note
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import paint

MARK_RADIUS_M = 20.0
LEAST_DEPTH_M = 0.02


@dataclass
class Comparison:
    """What observations add to the results."""

    indicators: dict[str, Indicator] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def compare(
    run: Simulation, inputs: Inputs, ground: Ground, parameters: Parameters, *, same_event: bool
) -> Comparison:
    """Hold the run against the observed extent and the marks of the territory.

    Parameters
    ----------
    run, inputs, ground, parameters
        As in the steps.
    same_event : bool
        Whether the run is of the observed rain or inflows; else a note says that skill numbers
        compare two different floods.
    """
    found = Comparison()
    if "observed_extent" in inputs:
        _extent(found, run, inputs, ground, parameters)
    if "flood_marks" in inputs:
        _marks(found, run, inputs, ground)
    if not found.indicators:
        found.notes.append(
            Note(
                "gap",
                {
                    "en": "There is no observed extent and no high-water mark to compare with: "
                    "nothing here is validated.",
                    "fr": "Il n'y a ni emprise observée ni repère de crue pour comparer : rien "
                    "n'est validé ici.",
                },
            )
        )
    elif not same_event:
        found.notes.append(
            Note(
                "warning",
                {
                    "en": "The observations are compared with a design storm, not with the rain "
                    "or inflows of their own event: the skill says little.",
                    "fr": "Les observations sont comparées à une pluie de projet, non à la pluie "
                    "ou aux débits de leur propre événement : le score dit peu.",
                },
            )
        )
    return found


def _extent(
    found: Comparison, run: Simulation, inputs: Inputs, ground: Ground, parameters: Parameters
) -> None:
    known = ground.inside & ~ground.rivers
    if "water" in inputs:  # wet in any model and any observation
        known &= ~_painted(inputs.frame("water"), ground)
    seen = _painted(inputs.frame("observed_extent"), ground)
    skill = extent_skill(run.peaks.depth_m, seen, known=known, wet_above_m=parameters.wet_depth_m)
    found.indicators |= {
        "critical_success_index": Indicator(_number(skill.critical_success_index)),
        "hit_rate": Indicator(_number(skill.hit_rate, 100)),
        "false_alarm_ratio": Indicator(_number(skill.false_alarm_ratio, 100)),
    }


def _marks(found: Comparison, run: Simulation, inputs: Inputs, ground: Ground) -> None:
    marks = inputs.frame("flood_marks").reset_index(drop=True)
    nothing = pd.Series(np.nan, marks.index)
    level = marks.get("level_m", nothing).astype(np.float64)
    told = marks.get("depth_m", nothing).astype(np.float64)
    blank = int((level.isna() & told.isna()).sum())
    if blank == len(marks):
        raise DataError(
            "flood_marks: give level_m (datum of the terrain) or depth_m (above ground)"
        )
    depth = run.peaks.depth_m.astype(np.float64)
    kinds = ((level, depth + ground.setup.elevation), (told.where(level.isna()), depth))
    matched = pd.concat(
        _matched(marks.geometry, observed, modelled, depth, ground)
        for observed, modelled in kinds
        if observed.notna().any()
    ).sort_index()
    skill = mark_skill(matched)
    named = marks["name"] if "name" in marks else pd.Series(marks.index, marks.index)
    found.tables["flood_marks"] = pd.DataFrame(
        {
            "name": named.astype(str)[matched.index].to_numpy(),
            "observed_m": matched["observed"].to_numpy(),
            "modelled_m": matched["modelled"].to_numpy(),
            "difference_m": matched["error"].to_numpy(),
        }
    )
    if blank:
        found.notes.append(
            Note(
                "gap",
                {
                    "en": f"{blank} of {len(marks)} high-water marks tell neither a level nor a "
                    "depth: they are left out.",
                    "fr": f"{blank} repères de crue sur {len(marks)} ne disent ni niveau ni "
                    "hauteur d'eau : ils sont laissés de côté.",
                },
            )
        )
    found.indicators |= {
        "mark_rmse": Indicator(_number(skill.rmse_m)),
        "mark_bias": Indicator(_number(skill.bias_m)),
    }
    if skill.unmatched:
        found.notes.append(
            Note(
                "warning",
                {
                    "en": f"{skill.unmatched} of {skill.matched + skill.unmatched} high-water "
                    "marks have no modelled water near them: they are misses, not in the error.",
                    "fr": f"{skill.unmatched} repères de crue sur "
                    f"{skill.matched + skill.unmatched} n'ont pas d'eau modélisée à proximité : "
                    "ils sont manqués, et absents de l'erreur.",
                },
            )
        )


def _matched(
    places: gpd.GeoSeries,
    observed: pd.Series,
    modelled: NDArray[np.float64],
    depth_m: NDArray[np.float64],
    ground: Ground,
) -> pd.DataFrame:
    """Match the marks that have this kind of number (see `skill.match_marks`)."""
    points = pd.DataFrame({"x": places.x, "y": places.y, "observed": observed})
    return match_marks(
        points[observed.notna()], ground.raster(modelled), wet=depth_m > LEAST_DEPTH_M,
        radius_m=max(MARK_RADIUS_M, 1.5 * ground.setup.cell_m),
    )  # fmt: skip


def _painted(shapes: gpd.GeoDataFrame, ground: Ground) -> NDArray[np.bool_]:
    cells = np.zeros(ground.grid.shape, np.uint8)
    paint(((shape, 1) for shape in shapes.geometry), ground.grid, out=cells)
    return np.asarray(cells == 1)


def _number(value: float, factor: float = 1.0) -> float | None:
    return value * factor if np.isfinite(value) else None
