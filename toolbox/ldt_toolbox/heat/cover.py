"""From surface classes to what the cooling model reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ldt_toolbox.heat.ground import Ground
from ldt_toolbox.heat.surface_classes import table
from ldt_toolbox.space.paint import block_mean

NAMES = ("shade", "albedo", "kc", "green")


@dataclass(frozen=True)
class Cover:
    """Means of each model cell over its fine cells, NaN outside the domain.

    Attributes
    ----------
    shade, albedo, kc, green : numpy.ndarray of float32, model shape
        Share shaded by crowns, albedo, crop coefficient, share of green.
    """

    shade: NDArray[np.float32]
    albedo: NDArray[np.float32]
    kc: NDArray[np.float32]
    green: NDArray[np.float32]


def cover_of(
    ground: Ground,
    *,
    classes: NDArray[np.uint8] | None = None,
    albedo: NDArray[np.float32] | None = None,
    blend: tuple[NDArray[np.bool_], float, int] | None = None,
) -> Cover:
    """Means of the class properties over each model cell.

    Parameters
    ----------
    ground : Ground
        Grids of the territory.
    classes : numpy.ndarray of uint8, fine shape, optional
        Other surface classes than the ground's own, for a scenario.
    albedo : numpy.ndarray of float32, shape (classes,), optional
        Other albedo by class code.
    blend : tuple of (mask, share, class), optional
        A share of the masked fine cells is turned into the class: all four properties are mixed.
    """
    codes = ground.classes if classes is None else classes
    means = {}
    for name in NAMES:
        values = albedo if name == "albedo" and albedo is not None else table(name)
        fine = values[codes]
        if blend is not None:
            mask, share, target = blend
            fine[mask] += share * (values[target] - fine[mask])
        fine[~ground.domain] = np.nan
        means[name] = block_mean(fine, ground.factor)
    return Cover(**means)
