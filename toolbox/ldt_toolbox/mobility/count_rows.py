"""Rows of counts that cannot be: too many vehicles, overlaps, stuck counters."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MARGIN = 5.0
"""Standard deviations of a Poisson count by which it may exceed capacity: short intervals vary."""

STRIPE = 3
"""Shortest run of equal counts that can be called stuck."""


def capacity_exceeded(
    count: NDArray[np.float64], hours: NDArray[np.float64], capacity_per_h: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether more vehicles came than the road can carry.

    Parameters
    ----------
    count, hours, capacity_per_h : numpy.ndarray
        Vehicles, length of the interval in h, vehicles per hour of all lanes; shape (n,).

    Returns
    -------
    numpy.ndarray
        bool, shape (n,). An interval of a minute may hold more than its share of an hour: the
        limit lies `MARGIN` standard deviations of a Poisson count higher.
    """
    most = capacity_per_h * hours
    with np.errstate(invalid="ignore"):
        return np.asarray(count > most + MARGIN * np.sqrt(np.maximum(most, 0)))


def overlapping(rows: pd.DataFrame, groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows to leave out so that no two intervals of a series overlap.

    Parameters
    ----------
    rows : pandas.DataFrame
        `start`, `end`; sorted by series, then by end.
    groups : numpy.ndarray
        Number of the series of each row.

    Returns
    -------
    numpy.ndarray
        bool: left out. As many rows as possible stay (earliest end first, the optimum of interval
        scheduling: Kleinberg & Tardos 2006, Algorithm Design, section 4.1).
    """
    start = rows["start"].to_numpy("datetime64[us]").astype(np.int64)
    end = rows["end"].to_numpy("datetime64[us]").astype(np.int64)
    out = np.zeros(len(rows), dtype=bool)
    # by far most tables have no overlap: then one comparison is all
    if not ((groups[1:] == groups[:-1]) & (start[1:] < end[:-1])).any():
        return out
    series, free = -1, 0
    for place, (group, begin, finish) in enumerate(
        zip(groups.tolist(), start.tolist(), end.tolist(), strict=True)
    ):
        if group == series and begin < free:
            out[place] = True
        else:
            series, free = group, finish
    return out


def stuck(
    rows: pd.DataFrame, groups: NDArray[np.int64], *, chance: float, dead_h: float
) -> NDArray[np.bool_]:
    """Rows of runs of equal counts that no traffic makes.

    Parameters
    ----------
    rows : pandas.DataFrame
        `start`, `end`, `hours`, `count`; sorted by series and time.
    groups : numpy.ndarray
        Number of the series of each row.
    chance : float
        A run is stuck if it is less likely than this in Poisson traffic.
    dead_h : float
        Hours without any vehicle from which on the counter is taken for dead.

    Returns
    -------
    numpy.ndarray
        bool: stuck. No count is likelier than ``1 / sqrt(2 pi c)`` under a Poisson law with
        mean c (Stirling's formula at the mode), so k equal counts c on end have a chance of at
        most that to the power k - 1. A gap or another length of interval ends a run.
    """
    count = rows["count"].to_numpy(np.float64)
    out = np.zeros(len(rows), dtype=bool)
    if not len(rows):
        return out
    start = rows["start"].to_numpy("datetime64[us]")
    end = rows["end"].to_numpy("datetime64[us]")
    hours = rows["hours"].to_numpy(np.float64)
    on = (
        (groups[1:] == groups[:-1]) & (count[1:] == count[:-1])
        & (start[1:] == end[:-1]) & (hours[1:] == hours[:-1])
    )  # fmt: skip
    run = np.r_[0, np.cumsum(~on)]
    length = np.bincount(run)[run]
    duration = np.bincount(run, weights=hours)[run]
    with np.errstate(invalid="ignore", divide="ignore"):
        likely = -0.5 * np.log(2 * np.pi * count)
        rare = (length - 1) * likely < np.log(chance)
    out |= (length >= STRIPE) & (count >= 1) & rare
    out |= (count == 0) & (duration >= dead_h)
    return out
