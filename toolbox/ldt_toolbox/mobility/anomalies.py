"""Hours that are not as usual: robust z-scores against the median of the same hour of the week."""

from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.profiles import calendar

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation of a normal law: 1 / 0.67449."""


def label_anomalies(
    steps: pd.DataFrame,
    *,
    zone: str = "UTC",
    holidays: Collection[date] = (),
    z_limit: float = 5.0,
    fewest: int = 4,
) -> pd.DataFrame:
    """Compare each step with the median of its kind.

    Parameters
    ----------
    steps : pandas.DataFrame
        `site`, `start` (with zone), `count`, as `count_steps.site_totals` gives them.
    zone : str
        IANA zone of the sites.
    holidays : collection of datetime.date
        Compared with Sundays.
    z_limit : float
        Robust z-score from which on a step is not as usual.
    fewest : int
        Steps of one kind that are needed to say what is usual.

    Returns
    -------
    pandas.DataFrame
        Index as that of `steps`; `site`, `start`, `count`, `usual` (median of the same site,
        weekday and hour), `scale`, `z`, `label`: `high`, `low`, `none` (not one vehicle where
        there should be some), `usual`, `unknown` (no count, or too few of its kind).

    Raises
    ------
    ParameterError
        If the limit is not above 0.

    Notes
    -----
    ``z = (count - median) / max(1.4826 MAD, sqrt(max(median, 1)))``: median and median absolute
    deviation hold out against up to half of the steps being wrong (Iglewicz & Hoaglin 1993, How
    to detect and handle outliers, section 3; Leys et al. 2013, 10.1016/j.jesp.2013.03.013). The
    floor is the spread of a Poisson count: traffic is never steadier than chance, and a median
    deviation of 0 would make every vehicle an anomaly.
    """
    if not z_limit > 0:
        raise ParameterError(f"z_limit = {z_limit}: give a number above 0, for example 5")
    days = calendar(steps["start"], zone=zone, holidays=holidays)
    weekday = days["weekday"].where(days["day_type"] != "sunday", 6)
    keys = [steps["site"], weekday, days["time_h"]]
    count = steps["count"]
    usual = count.groupby(keys).transform("median")
    deviation = (count - usual).abs().groupby(keys).transform("median")
    known = count.groupby(keys).transform("count")
    scale = np.maximum(MAD_TO_SIGMA * deviation, np.sqrt(np.maximum(usual, 1.0)))
    z: pd.Series = (count - usual) / scale
    label = pd.Series("usual", index=steps.index, dtype=object)
    label[z >= z_limit] = "high"
    label[z <= -z_limit] = "low"
    label[(label == "low") & (count == 0)] = "none"
    label[count.isna() | (known < fewest)] = "unknown"
    return pd.DataFrame({
        "site": steps["site"], "start": steps["start"], "count": count, "usual": usual,
        "scale": scale, "z": z, "label": label.astype(str),
    })  # fmt: skip


def anomaly_events(labelled: pd.DataFrame, *, hours: float = 1.0) -> pd.DataFrame:
    """Anomalous steps on end as one event.

    Parameters
    ----------
    labelled : pandas.DataFrame
        As `label_anomalies` gives it.
    hours : float
        Length of a step.

    Returns
    -------
    pandas.DataFrame
        `site`, `start`, `end` (datetime64, UTC), `label`, `steps`, `difference` (vehicles more
        than usual; negative: fewer), `z` (of the most unusual step); by site and time.
    """
    step = pd.Timedelta(hours=hours)
    odd = labelled[labelled["label"].isin(["high", "low", "none"])]
    odd = odd.sort_values(["site", "start"], kind="stable")
    kind = odd["label"].replace("none", "low")
    new = (
        (odd["site"] != odd["site"].shift()) | (kind != kind.shift())
        | (odd["start"] - odd["start"].shift() != step)
    )  # fmt: skip
    table = odd.assign(
        event=new.cumsum(), end=odd["start"] + step, difference=odd["count"] - odd["usual"],
        silent=odd["label"] == "none", worst=odd["z"].abs(), kind=kind,
    )  # fmt: skip
    found = table.groupby("event", as_index=False).agg(
        site=("site", "first"), start=("start", "min"), end=("end", "max"), kind=("kind", "first"),
        silent=("silent", "all"), steps=("z", "size"), difference=("difference", "sum"),
        worst=("worst", "max"),
    )  # fmt: skip
    sign = np.where(found["kind"] == "high", 1.0, -1.0)
    found["label"] = found["kind"].where(~found["silent"], "none")
    found["z"] = found["worst"] * sign
    return found[["site", "start", "end", "label", "steps", "difference", "z"]]
