"""Counts on equal steps of time: hours without a hole, gaps named, lanes and types added up."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.count_clock import time_zone
from ldt_toolbox.mobility.counts import SERIES


class Steps(NamedTuple):
    """Counts on equal steps.

    Attributes
    ----------
    steps : pandas.DataFrame
        `site`, `lane`, `vehicle_type`, `start` (datetime64[us, UTC]), `hours` (length of a step),
        `count` (vehicles; NaN: not known), `speed_kmh` (mean by vehicles), `known_share` (0 to 1).
        From the first to the last step of each series without a hole.
    coarse : pandas.DataFrame
        Rows of longer intervals, which were not spread over steps.
    """

    steps: pd.DataFrame
    coarse: pd.DataFrame


def to_steps(
    counts: pd.DataFrame, *, zone: str = "UTC", step_min: int = 60, min_share: float = 1.0
) -> Steps:
    """Bring counts of any interval onto equal steps of time.

    Parameters
    ----------
    counts : pandas.DataFrame
        As `counts.clean_counts` gives them.
    zone : str
        IANA zone in which steps start at whole hours.
    step_min : int
        Length of a step in minutes; divides 60.
    min_share : float
        Part of a step that has to be observed, 0 to 1. Below it the count is not known; above it
        the rest is taken to be as busy as what was observed.

    Returns
    -------
    Steps
        An interval across two steps is shared out by time.

    Raises
    ------
    ParameterError
        If the step does not divide an hour or the share is no share.
    """
    if step_min <= 0 or 60 % step_min:
        raise ParameterError(f"step_min = {step_min}: give a divisor of 60, for example 15 or 60")
    if not 0 < min_share <= 1:
        raise ParameterError(f"min_share = {min_share}: give a share above 0 and up to 1")
    step = pd.Timedelta(minutes=step_min).as_unit("us")
    length = counts["end"] - counts["start"]
    coarse = counts[length > step]
    fine = counts[length <= step]
    local = fine["start"].dt.tz_convert(time_zone(zone)).dt.tz_localize(None)
    offset = local - fine["start"].dt.tz_localize(None)
    first = (local.dt.floor(step) - offset).dt.tz_localize("UTC")
    length = fine["end"] - fine["start"]
    inside = (first + step - fine["start"]).clip(upper=length) / length
    parts = []
    for start, share in ((first, inside), (first + step, 1 - inside)):
        part = fine[SERIES].assign(
            start=start, vehicles=fine["count"] * share,
            known=share * length.dt.total_seconds() / (60 * step_min),
            weight=(fine["count"] * share).where(fine["speed_kmh"].notna(), 0.0),
        )  # fmt: skip
        part["driven"] = (part["weight"] * fine["speed_kmh"]).fillna(0.0)
        # a row without a count is no knowledge of counts
        part.loc[part["vehicles"].isna(), ["known", "weight"]] = 0.0
        parts.append(part[share > 0])
    table = pd.concat(parts)
    sums = table.groupby([*SERIES, "start"], as_index=False).sum()
    sums = _without_holes(sums, step)
    share = sums["known"].fillna(0.0).clip(upper=1.0)
    # shares of an hour add up to one only to the last digit
    enough = (share >= min_share - 1e-9) & (share > 0)
    steps = sums[[*SERIES, "start"]].assign(
        hours=step_min / 60,
        count=(sums["vehicles"] / share.where(enough)).astype(np.float64),
        speed_kmh=sums["driven"] / sums["weight"].where(sums["weight"] > 0),
        known_share=share,
    )
    return Steps(steps.reset_index(drop=True), coarse.reset_index(drop=True))


def _without_holes(sums: pd.DataFrame, step: pd.Timedelta) -> pd.DataFrame:
    parts = []
    for names, own in sums.groupby(SERIES, sort=True):
        grid = pd.date_range(own["start"].min(), own["start"].max(), freq=step, unit="us")
        full = own.set_index("start").reindex(grid.rename("start")).reset_index()
        for name, text in zip(SERIES, names, strict=True):
            full[name] = str(text)
        parts.append(full)
    return pd.concat(parts, ignore_index=True) if parts else sums


def gaps(counts: pd.DataFrame) -> pd.DataFrame:
    """Times between the first and the last row of a series that no row covers.

    Parameters
    ----------
    counts : pandas.DataFrame
        As `counts.clean_counts` gives them.

    Returns
    -------
    pandas.DataFrame
        `site`, `lane`, `vehicle_type`, `start`, `end` (datetime64[us, UTC]), `hours`; the longest
        first.
    """
    rows = counts.sort_values([*SERIES, "start"], kind="stable")
    before = rows.groupby(SERIES, sort=False)["end"].shift()
    hole = rows["start"] > before
    found = rows.loc[hole, SERIES].assign(start=before[hole], end=rows.loc[hole, "start"])
    found["hours"] = (found["end"] - found["start"]).dt.total_seconds() / 3600
    found = found.sort_values(["hours", *SERIES, "start"], ascending=[False, *[True] * 4])
    return found.reset_index(drop=True)


def site_totals(steps: pd.DataFrame) -> pd.DataFrame:
    """Sum of lanes and vehicle types by site, nothing twice and nothing by halves.

    Parameters
    ----------
    steps : pandas.DataFrame
        As `to_steps` gives them.

    Returns
    -------
    pandas.DataFrame
        `site`, `start`, `hours`, `count`, `speed_kmh` (mean by vehicles), `parts` (series that
        were added). Where a site has a series of all lanes, or a lane one of all types, only that
        counts. A step in which one part is not known has no total.
    """
    found = []
    for site, own in steps.groupby("site", sort=True):
        chosen = own[own["lane"] == ""] if (own["lane"] == "").any() else own
        whole = chosen.groupby("lane")["vehicle_type"].transform(lambda one: (one == "").any())
        chosen = chosen[~whole | (chosen["vehicle_type"] == "")]
        parts = len(chosen[["lane", "vehicle_type"]].drop_duplicates())
        table = chosen.assign(
            driven=chosen["count"] * chosen["speed_kmh"],
            weight=chosen["count"].where(chosen["speed_kmh"].notna()),
        )
        sums = table.groupby("start", as_index=False).agg(
            hours=("hours", "first"), known=("count", "count"), count=("count", "sum"),
            driven=("driven", "sum"), weight=("weight", "sum"),
        )  # fmt: skip
        sums["count"] = sums["count"].where(sums["known"] == parts)
        sums["speed_kmh"] = sums["driven"] / sums["weight"].where(sums["weight"] > 0)
        found.append(sums.assign(site=site, parts=parts))
    names = ["site", "start", "hours", "count", "speed_kmh", "parts"]
    return pd.concat(found, ignore_index=True)[names] if found else pd.DataFrame(columns=names)
