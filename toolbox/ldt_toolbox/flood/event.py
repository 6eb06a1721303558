"""What a flood run is asked for: rates of rain and losses, and how to compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.flood.boundaries import Grid

Scheme = Literal["inertial", "shallow-water"]


@dataclass(frozen=True)
class Rates:
    """Rain or losses over time, constant from one time to the next, 0 before the first.

    Attributes
    ----------
    start_s : sequence of float
        Rising.
    mm_per_hour : sequence of float or numpy.ndarray of shape (rows, columns)
        Rate from each time on; end with 0 if it stops.
    """

    start_s: Sequence[float]
    mm_per_hour: Sequence[float | Grid]

    def __post_init__(self) -> None:
        if len(self.start_s) != len(self.mm_per_hour) or not len(self.start_s):
            raise ParameterError(
                f"rates have {len(self.start_s)} times and {len(self.mm_per_hour)} values: "
                "give as many of both, at least one"
            )
        if not (np.diff(self.start_s) > 0).all():
            raise ParameterError("the times of the rates do not rise: sort them")
        for start, rate in zip(self.start_s, self.mm_per_hour, strict=True):
            if not (np.asarray(rate) >= 0).all():
                raise ParameterError(
                    f"the rate from {start:g} s on is negative or missing somewhere: "
                    "give 0 or more in every cell"
                )

    def at(self, time_s: float) -> float | Grid:
        """Rate from a time on, mm/h."""
        index = int(np.searchsorted(self.start_s, time_s + 1e-9, side="right")) - 1
        return self.mm_per_hour[index] if index >= 0 else 0.0


@dataclass(frozen=True)
class Options:
    """How a run is computed and what is kept of it.

    Attributes
    ----------
    scheme : str
        `inertial` for floods that rise gradually, `shallow-water` for dam breaks and steep streets.
    double : bool
        Whether the inertial scheme computes in double precision; the other always does.
    track_s : float
        Time between looks for peaks, at most; the arrival time is known to this.
    wet_depth_m : float
        Shallower water is no flood: no arrival, speed or hazard.
    land : str
        Key of `peaks.DEBRIS_FACTORS`.
    snapshot_s : float
        Time between depth maps for an animation; doubled until there are at most 48. 0 for none.
    checkpoint_s : float
        Simulated time between checkpoints.
    theta, courant, dry_depth_m, longest_step_s
        See `InertialFlow`; None for the scheme's own.
    """

    scheme: Scheme = "inertial"
    double: bool = False
    track_s: float = 5.0
    wet_depth_m: float = 0.02
    land: str = "urban"
    snapshot_s: float = 0.0
    checkpoint_s: float = 3600.0
    theta: float | None = None
    courant: float | None = None
    dry_depth_m: float | None = None
    longest_step_s: float | None = None

    def chosen(self) -> dict[str, float]:
        """Numerical settings that differ from the scheme's own."""
        names = ["courant", "dry_depth_m", "longest_step_s"]
        if self.scheme == "inertial":
            names.append("theta")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
