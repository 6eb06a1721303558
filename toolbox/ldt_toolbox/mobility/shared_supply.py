"""How many people share the places that they reach."""

import numpy as np
import pandas as pd

from ldt_toolbox.mobility.destinations import GREEN
from ldt_toolbox.mobility.opportunities import two_step_floating_catchment
from ldt_toolbox.mobility.steps import Places, Site
from ldt_toolbox.mobility.summary import weighted_quantile

PER = 10_000.0


def shared_places(site: Site, here: Places, *, limit_min: float, fewest: int) -> pd.DataFrame:
    """Places for each 10,000 residents, or m² of floor, that share them.

    Each place counts as one, whatever its size: capacities are on no map.

    Parameters
    ----------
    site, here
        Streets on foot, homes and destinations.
    limit_min : float
        Longest walk.
    fewest : int
        A place that fewer residents reach counts as if so many did: else it would tell of them.

    Returns
    -------
    pandas.DataFrame
        `class`, `shared_p10` (the worst-off tenth has no more), `shared_median`; NaN for green
        areas, whose edges are known and not their gates.

    Notes
    -----
    Two-step floating catchment: `opportunities.two_step_floating_catchment`.
    """
    weight, rows = here.homes.weight, []
    for name in here.classes:
        found: list[float | None] = [None, None]
        node = site.spot[(here.spots["class"] == name).to_numpy(bool)]
        if name != GREEN and len(node):
            supply = np.ones(len(node))
            asked = (site.graph, site.home, weight, node)
            shared = two_step_floating_catchment(*asked, supply, limit=60 * limit_min)
            if here.homes.people and (shared.per_person > 1 / max(fewest, 1)).any():
                few = np.nan_to_num(shared.per_person, nan=0.0) * max(fewest, 1)
                supply = supply / np.maximum(few, 1.0)
                shared = two_step_floating_catchment(*asked, supply, limit=60 * limit_min)
            found = [weighted_quantile(PER * shared.access, weight, q) for q in (0.1, 0.5)]
        rows.append((name, *found))
    table = pd.DataFrame(rows, columns=["class", "shared_p10", "shared_median"])
    return table.astype({"shared_p10": np.float64, "shared_median": np.float64}).round(3)
