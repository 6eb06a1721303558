"""How evenly access is spread over people, and between groups of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError


def lorenz(
    values: ArrayLike, people: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lorenz curve: share of the whole that the worst-off share of people has.

    Parameters
    ----------
    values : array_like of float, shape (places,)
        What each person at a place has, 0 or more. NaN leaves the place out.
    people : array_like of float, shape (places,), optional
        How many live there; by default one.

    Returns
    -------
    share_of_people, share_of_whole : numpy.ndarray of float64
        From (0, 0) to (1, 1), rising; straight in between, because people at a place have alike.

    Raises
    ------
    DataError
        If values or people are negative, or nobody has anything.

    Notes
    -----
    Source: Lorenz 1905; weighted as in Lerman & Yitzhaki 1989.
    """
    v, w = _checked(values, people)
    order = np.argsort(v, kind="stable")
    share = np.r_[0.0, np.cumsum(w[order])] / w.sum()
    held = np.r_[0.0, np.cumsum((w * v)[order])] / (w @ v)
    share[-1] = held[-1] = 1.0
    return share, held


def gini(values: ArrayLike, people: ArrayLike | None = None) -> float:
    """Gini coefficient: 0 if all have alike, 1 - 1/n if one of n has all.

    One minus twice the area under `lorenz`, which takes the same arguments.
    """
    share, held = lorenz(values, people)
    return float(1 - np.sum(np.diff(share) * (held[1:] + held[:-1])))


def palma(values: ArrayLike, people: ArrayLike | None = None) -> float:
    """Palma ratio: what the best-off 10 % of people have over what the worst-off 40 % have.

    Arguments as for `lorenz`, read off the curve; inf if the worst-off 40 % have nothing.

    Notes
    -----
    Source: Cobham & Sumner 2013, after Palma 2011.
    """
    share, held = lorenz(values, people)
    bottom, top = np.interp(0.4, share, held), 1 - np.interp(0.9, share, held)
    return float(top / bottom) if bottom > 0 else float("inf")


@dataclass(frozen=True)
class GroupGap:
    """Difference between the means of two groups.

    Attributes
    ----------
    gap : float
        People-weighted mean of the first group minus that of the second, in the values' unit.
    low, high : float
        Interval of the bootstrap.
    confidence : float
        Of the interval.
    means : pandas.Series of float
        Mean of each group.
    places, people : pandas.Series
        How many places and people each group has.
    """

    gap: float
    low: float
    high: float
    confidence: float
    means: pd.Series
    places: pd.Series
    people: pd.Series


def group_gap(
    values: ArrayLike,
    groups: ArrayLike,
    first: object,
    second: object,
    *,
    people: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> GroupGap:
    """Gap between two groups of places, with a bootstrap interval.

    Places are drawn with replacement within each group (stratified percentile bootstrap). The
    interval is about which places happen to be in the data; neighbouring places resemble each
    other, so that the true uncertainty is larger.

    Parameters
    ----------
    values : array_like of float, shape (places,)
        Any number; NaN leaves the place out. Give finite values: "not reached" needs a measure
        that has a number for it, such as a share.
    groups : array_like, shape (places,)
        Group of each place.
    first, second : object
        The groups to compare.
    people : array_like of float, shape (places,), optional
        Weight of each place; by default one.
    confidence : float
        Between 0 and 1.
    draws : int
        Bootstrap samples.
    seed : int
        Of the random numbers.

    Raises
    ------
    DataError
        If a group has fewer than two places with people.
    ParameterError
        If confidence or draws can't be.

    Notes
    -----
    Source: Efron & Tibshirani 1993, An introduction to the bootstrap, sections 8.3 and 13.3.
    """
    if not 0 < confidence < 1 or draws < 1:
        raise ParameterError(
            f"confidence {confidence} and draws {draws}: give 0 to 1, and 1 or more"
        )
    v = np.asarray(values, np.float64)
    w = np.ones(len(v)) if people is None else np.asarray(people, np.float64)
    names = np.asarray(groups, dtype=object)
    if not len(v) == len(w) == len(names):
        raise DataError(f"{len(v)} values, {len(w)} people, {len(names)} groups: give one of each")
    if np.isinf(v).any() or not (w >= 0).all():
        raise DataError("values must be finite or NaN, people 0 or more: see the parameters")
    rng = np.random.default_rng(seed)
    means, sizes, crowd, drawn = {}, {}, {}, []
    for name in (first, second):
        mine = (names == name) & ~np.isnan(v) & (w > 0)
        if mine.sum() < 2:
            raise DataError(
                f"group {name!r} has {int(mine.sum())} places with people and a value: a gap "
                "needs two or more"
            )
        mv, mw = v[mine], w[mine]
        means[name], sizes[name], crowd[name] = mv @ mw / mw.sum(), len(mv), mw.sum()
        picks = np.empty(draws)
        for i in range(draws):
            some = rng.integers(0, len(mv), len(mv))
            picks[i] = mv[some] @ mw[some] / mw[some].sum()
        drawn.append(picks)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn[0] - drawn[1], [tail, 1 - tail])
    return GroupGap(
        float(means[first] - means[second]), float(low), float(high), confidence,
        pd.Series(means, name="mean"), pd.Series(sizes, name="places"),
        pd.Series(crowd, name="people"),
    )  # fmt: skip


def _checked(
    values: ArrayLike, people: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    v = np.asarray(values, np.float64).reshape(-1)
    w = np.ones(len(v)) if people is None else np.asarray(people, np.float64).reshape(-1)
    if len(v) != len(w):
        raise DataError(f"{len(v)} values for {len(w)} groups of people: give one of each")
    known = ~np.isnan(v) & ~np.isnan(w)
    v, w = v[known], w[known]
    if (v < 0).any() or (w < 0).any() or np.isinf(v).any() or np.isinf(w).any():
        raise DataError("values and people must be finite and 0 or more")
    if not w @ v > 0:
        raise DataError("nobody has anything: a share of nothing can't be told")
    return v, w
