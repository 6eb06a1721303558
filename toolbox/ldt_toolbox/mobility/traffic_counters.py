"""What counters of traffic tell: usual days, hours that are not as usual, the week ahead."""

import datetime as dt
from collections.abc import Collection

import numpy as np
import pandas as pd

from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.forecast import Skill, best_forecast
from ldt_toolbox.mobility.profiles import (
    DAY_TYPES,
    calendar,
    daily_profile,
    daily_totals,
    known_share,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
          "october", "november", "december")  # fmt: skip


def counter_numbers(
    totals: pd.DataFrame, labelled: pd.DataFrame, *, zone: str, holidays: Collection[dt.date]
) -> tuple[pd.DataFrame, tuple[Skill, ...]]:
    """Sum up each counter, and how its forecast did.

    Parameters
    ----------
    totals : pandas.DataFrame
        Hours of each site, from `count_steps.site_totals`.
    labelled : pandas.DataFrame
        The same with their labels, from `anomalies.label_anomalies`.
    zone : str
        IANA zone of the sites.
    holidays : collection of datetime.date
        Counted as Sundays.

    Returns
    -------
    pandas.DataFrame
        `site`, `working_day`, `saturday`, `sunday` (vehicles, medians of complete days),
        `speed_kmh` (mean by vehicles), `known_pct` (of its hours), `odd_hours`, `forecast`
        (`level`, `naive`, or empty where the series is too short to judge by), `error_pct` (of the
        forecast by level, of that of the seasonal naive one), `next_week` (vehicles).
    tuple of Skill
        Of each series that is long enough.
    """
    days = daily_totals(totals, zone=zone)
    known = known_share(totals).set_index("site")["known_share"]
    kind = _kind_of_days(days, holidays)
    usual = days.assign(kind=kind).pivot_table("total", "site", "kind", "median")
    weight = totals["count"].where(totals["speed_kmh"].notna())
    driven = (totals["speed_kmh"] * weight).groupby(totals["site"]).sum()
    weight = weight.groupby(totals["site"]).sum()
    odd = labelled["label"].isin(["high", "low", "none"]).groupby(labelled["site"]).sum()
    rows, skills = [], []
    for site, own in totals.groupby("site"):
        skill, method, ahead = _ahead(own, zone)
        skills += [skill] if skill else []
        vehicles = weight[site]
        rows.append(
            {
                "site": site,
                **{
                    name: usual.loc[site].get(day, np.nan) if site in usual.index else np.nan
                    for name, day in zip(("working_day", *DAY_TYPES[1:]), DAY_TYPES, strict=True)
                },
                "speed_kmh": round(driven[site] / vehicles, 1) if vehicles > 0 else np.nan,
                "known_pct": round(100 * float(known[site]), 2),
                "odd_hours": int(odd[site]),
                "forecast": method,
                "error_pct": round(100 * skill.ratio, 1) if skill else np.nan,
                "next_week": ahead,
            }
        )
    return pd.DataFrame(rows), tuple(skills)


def _ahead(own: pd.DataFrame, zone: str) -> tuple[Skill | None, str, float]:
    """Forecast of the next week: how it did in the past, by which method, vehicles in all."""
    span = pd.date_range(own["start"].min(), own["start"].max(), freq="h", unit="us")
    series = own.set_index("start")["count"].reindex(span)
    try:
        made, method, skill = best_forecast(series, zone=zone)
    except DataError:  # too short a series to judge by
        return None, "", np.nan
    return skill, method, float(np.round(made["count"].sum(skipna=False)))


def _kind_of_days(days: pd.DataFrame, holidays: Collection[dt.date]) -> pd.Series:
    midnight = days["date"].dt.tz_localize("UTC")
    return calendar(midnight, holidays=holidays)["day_type"]


def hours_of_day(totals: pd.DataFrame, *, zone: str, holidays: Collection[dt.date]) -> pd.DataFrame:
    """Share of a day's vehicles in each hour, mean of all counters.

    Returns
    -------
    pandas.DataFrame
        `time_h` (local), `working_pct`, `saturday_pct`, `sunday_pct` of the median hours; NaN for
        days of which no counter knows every hour.
    """
    median = daily_profile(totals, zone=zone, holidays=holidays)
    table = median.pivot_table("median", ["day_type", "site"], "time_h").dropna()
    share = 100 * table.div(table.sum(axis=1).where(table.sum(axis=1) > 0), axis=0)
    mean = share.groupby("day_type").mean().reindex(DAY_TYPES).T
    return mean.round(2).add_suffix("_pct").rename_axis(columns=None).reset_index()


def days_of_year(totals: pd.DataFrame, *, zone: str, holidays: Collection[dt.date]) -> pd.DataFrame:
    """Median day of each weekday and month, compared with each counter's median working day.

    Returns
    -------
    pandas.DataFrame
        `period` (of `WEEKDAYS` or `MONTHS`), `of_usual_pct` (mean of the counters that know it).
        Public holidays are Sundays.
    """
    days = daily_totals(totals, zone=zone).dropna(subset="total")
    kind = _kind_of_days(days, holidays)
    usual = days[kind == DAY_TYPES[0]].groupby("site")["total"].median()
    share = 100 * days["total"] / days["site"].map(usual.where(usual > 0))
    weekday = days["date"].dt.day_of_week.where(kind != "sunday", 6)
    rows = []
    for names, number in ((WEEKDAYS, weekday), (MONTHS, days["date"].dt.month - 1)):
        median = share.groupby([days["site"], number.rename("number")]).median()
        mean = median.groupby("number").mean()
        known = mean[np.isfinite(mean)].round(1)
        rows += [
            (names[k], v)
            for k, v in zip(known.index.astype(int).tolist(), known.tolist(), strict=True)
        ]
    return pd.DataFrame(rows, columns=["period", "of_usual_pct"])
