"""Profiles of counts: how a day, a week and a year go at a site, and how much of it is known."""

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pandas as pd

from ldt_toolbox.errors import ParameterError
from ldt_toolbox.mobility.count_clock import time_zone

DAY_TYPES = ("working", "saturday", "sunday")
QUANTILES = (0.1, 0.25, 0.75, 0.9)


def calendar(
    start: pd.Series, *, zone: str = "UTC", holidays: Collection[date] = ()
) -> pd.DataFrame:
    """Local calendar of instants.

    Parameters
    ----------
    start : pandas.Series
        datetime64 with a zone.
    zone : str
        IANA zone of the site.
    holidays : collection of datetime.date
        Public holidays: counted as Sundays.

    Returns
    -------
    pandas.DataFrame
        Same index; `date` (datetime64, local midnight without zone), `day_type` (one of
        `DAY_TYPES`), `weekday` (0 Monday), `month` (1 to 12), `time_h` (hours of the clock since
        midnight: the double hour of autumn has one number).
    """
    local = start.dt.tz_convert(time_zone(zone)).dt.tz_localize(None)
    midnight = local.dt.normalize()
    weekday = local.dt.day_of_week
    free = midnight.isin(pd.to_datetime(pd.Series(sorted(holidays), dtype=object)))
    kind = np.where((weekday == 6) | free, "sunday", np.where(weekday == 5, "saturday", "working"))
    return pd.DataFrame({
        "date": midnight, "day_type": kind, "weekday": weekday, "month": local.dt.month,
        "time_h": (local - midnight).dt.total_seconds() / 3600,
    }, index=start.index)  # fmt: skip


def daily_profile(
    steps: pd.DataFrame,
    *,
    zone: str = "UTC",
    holidays: Collection[date] = (),
    value: str = "count",
    quantiles: Sequence[float] = QUANTILES,
) -> pd.DataFrame:
    """Median day of each site, apart for working days, Saturdays and Sundays.

    Parameters
    ----------
    steps : pandas.DataFrame
        `site`, `start` (with zone) and the value, as `count_steps.site_totals` gives them.
    zone : str
        IANA zone of the sites.
    holidays : collection of datetime.date
        Counted as Sundays.
    value : str
        Column to summarise; NaN is not known.
    quantiles : sequence of float
        Shares between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        `site`, `day_type`, `time_h` (local), `median`, one column a quantile (`q10`, ...), `n`
        (steps with a value).

    Raises
    ------
    ParameterError
        If a quantile is none.
    """
    days = calendar(steps["start"], zone=zone, holidays=holidays)
    return _profile(steps, days, ["day_type", "time_h"], value, quantiles)


def weekly_profile(
    steps: pd.DataFrame,
    *,
    zone: str = "UTC",
    value: str = "count",
    quantiles: Sequence[float] = QUANTILES,
) -> pd.DataFrame:
    """Median week of each site; parameters as for `daily_profile`.

    Returns
    -------
    pandas.DataFrame
        `site`, `weekday` (0 Monday), `time_h` (local), `median`, quantiles, `n`.
    """
    days = calendar(steps["start"], zone=zone)
    return _profile(steps, days, ["weekday", "time_h"], value, quantiles)


def daily_totals(steps: pd.DataFrame, *, zone: str = "UTC", min_share: float = 1.0) -> pd.DataFrame:
    """Vehicles of each local day.

    Parameters
    ----------
    steps : pandas.DataFrame
        `site`, `start`, `hours`, `count`.
    zone : str
        IANA zone of the sites.
    min_share : float
        Part of the day's hours that has to be known; what is missing is not filled in.

    Returns
    -------
    pandas.DataFrame
        `site`, `date`, `total` (NaN: too little known), `known_share` of the 23, 24 or 25 hours.
    """
    days = calendar(steps["start"], zone=zone)
    table = pd.DataFrame({
        "site": steps["site"], "date": days["date"], "total": steps["count"],
        "known_h": steps["hours"].where(steps["count"].notna(), 0.0),
    })  # fmt: skip
    sums = table.groupby(["site", "date"], as_index=False).agg(
        total=("total", "sum"), known_h=("known_h", "sum")
    )
    local = time_zone(zone)
    # where midnight itself comes twice or never, the day begins with its first minute
    first = np.ones(len(sums), dtype=bool)
    begin, end = (
        day.dt.tz_localize(local, ambiguous=first, nonexistent="shift_forward")
        for day in (sums["date"], sums["date"] + pd.Timedelta(days=1))
    )
    sums["known_share"] = sums["known_h"] / ((end - begin).dt.total_seconds() / 3600)
    # steps of a third of an hour add up to a day only to the last digit
    sums["total"] = sums["total"].where(sums["known_share"] >= min_share - 1e-9)
    return sums[["site", "date", "total", "known_share"]]


def yearly_profile(
    steps: pd.DataFrame,
    *,
    zone: str = "UTC",
    min_share: float = 1.0,
    quantiles: Sequence[float] = QUANTILES,
) -> pd.DataFrame:
    """Median day's total of each month and site.

    Parameters
    ----------
    steps, zone, min_share
        As for `daily_totals`.
    quantiles : sequence of float
        Shares between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        `site`, `month` (1 to 12), `median` (vehicles a day), quantiles, `n` (complete days).
    """
    totals = daily_totals(steps, zone=zone, min_share=min_share)
    months = pd.DataFrame({"month": totals["date"].dt.month})
    return _profile(totals, months, ["month"], "total", quantiles)


def known_share(steps: pd.DataFrame) -> pd.DataFrame:
    """How much of its time each site knows.

    Parameters
    ----------
    steps : pandas.DataFrame
        `site`, `start`, `hours`, `count`, without a hole.

    Returns
    -------
    pandas.DataFrame
        `site`, `first`, `last` (start of the first and end of the last step), `hours`, `known_h`,
        `known_share` (0 to 1).
    """
    known = steps["hours"].where(steps["count"].notna(), 0.0)
    end = steps["start"] + pd.to_timedelta(steps["hours"], unit="h")
    table = steps.assign(known_h=known, last=end)
    found = table.groupby("site", as_index=False).agg(
        first=("start", "min"), last=("last", "max"), hours=("hours", "sum"),
        known_h=("known_h", "sum"),
    )  # fmt: skip
    return found.assign(known_share=found["known_h"] / found["hours"])


def _profile(
    steps: pd.DataFrame, days: pd.DataFrame, by: list[str], value: str, quantiles: Sequence[float]
) -> pd.DataFrame:
    if not all(0 < one < 1 for one in quantiles):
        raise ParameterError(f"quantiles = {tuple(quantiles)}: give shares between 0 and 1")
    table = days[by].assign(site=steps["site"], value=steps[value]).dropna(subset="value")
    groups = table.groupby(["site", *by])["value"]
    found = pd.DataFrame({"median": groups.median()})
    for one in quantiles:
        found[f"q{100 * one:g}"] = groups.quantile(one)
    found["n"] = groups.size()
    return found.reset_index()
