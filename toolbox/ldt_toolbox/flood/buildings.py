"""Buildings in the way of the water: walls, raised ground or rough ground."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ldt_toolbox.errors import ParameterError

Grid = NDArray[np.floating]


@dataclass(frozen=True)
class Buildings:
    """Buildings and how they stand in the way.

    Attributes
    ----------
    share : numpy.ndarray, shape (rows, columns)
        Share of each cell that is built over, 0 to 1.
    treatment : str
        `block`: no water in cells that are at least half built over; the rain on them falls on the
        nearest cell outside. `raise`: such cells stand `height_m` higher, water runs off them.
        `drag`: every cell is rougher by what is built over, up to `manning_n`.
    height_m : float
        For `raise`; enough to keep water out.
    manning_n : float
        For `drag`, s/m^(1/3).
    """

    share: Grid
    treatment: Literal["block", "raise", "drag"] = "block"
    height_m: float = 3.0
    manning_n: float = 0.3

    @cached_property
    def _nearest(self) -> NDArray[np.intp]:
        """Nearest cell outside of each cell, flat: rain is shed in every step that it changes."""
        nearest = distance_transform_edt(self.solid, return_distances=False, return_indices=True)
        return np.asarray(np.ravel_multi_index(tuple(nearest), self.share.shape)).ravel()

    @property
    def solid(self) -> NDArray[np.bool_]:
        """Cells at least half built over."""
        return np.asarray(self.share >= 0.5)

    @property
    def blocked(self) -> NDArray[np.bool_] | None:
        """Cells that no water enters, if any."""
        return self.solid if self.treatment == "block" else None

    def ground(self, terrain_m: Grid) -> Grid:
        """Terrain with the buildings."""
        if self.share.shape != terrain_m.shape:
            raise ParameterError(
                f"buildings have shape {self.share.shape}, the terrain {terrain_m.shape}: "
                "bring them onto one grid"
            )
        if self.treatment != "raise":
            return terrain_m
        return np.where(self.solid, terrain_m + self.height_m, terrain_m)

    def roughness(self, manning_n: Grid | float) -> Grid | float:
        """Roughness with the buildings."""
        if self.treatment != "drag":
            return manning_n
        share = np.clip(self.share, 0, 1)
        return np.asarray(manning_n * (1 - share) + self.manning_n * share)

    def shed(self, rain: Grid | float) -> Grid | float:
        """Rain with that on blocked cells moved to the nearest cell outside."""
        if self.treatment != "block" or not self.solid.any() or self.solid.all():
            return rain
        fallen = np.broadcast_to(rain, self.share.shape).ravel()
        total = np.bincount(self._nearest, weights=fallen, minlength=fallen.size)
        return np.asarray(total.reshape(self.share.shape))
