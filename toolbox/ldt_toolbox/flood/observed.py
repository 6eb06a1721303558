"""The modelled event against what was seen: an observed extent, high-water marks."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError
from ldt_toolbox.flood.ground import Ground
from ldt_toolbox.flood.simulation import Simulation
from ldt_toolbox.flood.skill import extent_skill, mark_skill, match_marks
from ldt_toolbox.parameters import Parameters
from ldt_toolbox.results import Indicator, Note
from ldt_toolbox.sources import Inputs
from ldt_toolbox.space.paint import paint

MARK_RADIUS_M = 20.0


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
    seen = np.zeros(ground.grid.shape, np.uint8)
    paint(((s, 1) for s in inputs.frame("observed_extent").geometry), ground.grid, out=seen)
    skill = extent_skill(
        run.peaks.depth_m, seen == 1, known=ground.inside & ~ground.rivers,
        wet_above_m=parameters.wet_depth_m,
    )  # fmt: skip
    found.indicators |= {
        "critical_success_index": Indicator(_number(skill.critical_success_index)),
        "hit_rate": Indicator(_number(skill.hit_rate, 100)),
        "false_alarm_ratio": Indicator(_number(skill.false_alarm_ratio, 100)),
    }


def _marks(found: Comparison, run: Simulation, inputs: Inputs, ground: Ground) -> None:
    marks = inputs.frame("flood_marks")
    by_level = "level_m" in marks and marks["level_m"].notna().any()
    if not by_level and "depth_m" not in marks:
        raise DataError(
            "flood_marks: give level_m (datum of the terrain) or depth_m (above ground)"
        )
    observed = marks["level_m"] if by_level else marks["depth_m"]
    points = pd.DataFrame(
        {"x": marks.geometry.x, "y": marks.geometry.y, "observed": observed.astype(np.float64)}
    )
    depth = run.peaks.depth_m
    modelled = depth + ground.setup.elevation if by_level else depth
    matched = match_marks(
        points, ground.raster(modelled.astype(np.float64)), wet=depth > 0.02,
        radius_m=max(MARK_RADIUS_M, 1.5 * ground.setup.cell_m),
    )  # fmt: skip
    skill = mark_skill(matched)
    named = marks["name"].astype(str) if "name" in marks else pd.Series(marks.index.astype(str))
    found.tables["flood_marks"] = pd.DataFrame(
        {
            "name": named.to_numpy(),
            "observed_m": matched["observed"].to_numpy(),
            "modelled_m": matched["modelled"].to_numpy(),
            "difference_m": matched["error"].to_numpy(),
        }
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


def _number(value: float, factor: float = 1.0) -> float | None:
    return value * factor if np.isfinite(value) else None
