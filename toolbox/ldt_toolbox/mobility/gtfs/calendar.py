"""Which services run on which day, and which day stands for the others."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.mobility.gtfs.read import Feed
from ldt_toolbox.mobility.gtfs.schema import DAYS


def service_days(feed: Feed) -> pd.DataFrame:
    """Which service runs on which date.

    Returns
    -------
    pandas.DataFrame of bool
        Rows: each date from the first to the last of calendar.txt and calendar_dates.txt
        (DatetimeIndex); columns: service_id. Exceptions are applied.

    Raises
    ------
    DataError
        If the feed names no date at all.
    """
    calendar, exceptions = feed["calendar"], feed["calendar_dates"]
    calendar = calendar.dropna(subset=["service_id", "start_date", "end_date"])
    exceptions = exceptions.dropna(subset=["service_id", "date", "exception_type"])
    dates = pd.concat([calendar["start_date"], calendar["end_date"], exceptions["date"]])
    if dates.empty:
        raise DataError("the feed names no date: calendar.txt or calendar_dates.txt must")
    days = pd.date_range(dates.min(), dates.max())
    services = pd.Index(
        pd.unique(pd.concat([calendar["service_id"], exceptions["service_id"]]).astype(object))
    )
    runs = np.zeros((len(days), len(services)), bool)
    column = services.get_indexer(calendar["service_id"])
    weekly = calendar[list(DAYS)].fillna(0).to_numpy(np.int64) == 1
    first = (calendar["start_date"] - days[0]).dt.days.to_numpy()
    last = (calendar["end_date"] - days[0]).dt.days.to_numpy()
    weekday = days.day_of_week.to_numpy()
    for k in range(len(calendar)):
        part = slice(first[k], last[k] + 1)
        runs[part, column[k]] |= weekly[k, weekday[part]]
    day = (exceptions["date"] - days[0]).dt.days.to_numpy()
    service = services.get_indexer(exceptions["service_id"])
    kind = exceptions["exception_type"].to_numpy(np.int64)
    runs[day[kind == 1], service[kind == 1]] = True
    runs[day[kind == 2], service[kind == 2]] = False
    return pd.DataFrame(runs, index=days, columns=services)


def active_trips(feed: Feed, date: dt.date) -> NDArray[np.bool_]:
    """Which rows of trips run on a date; none outside the feed's dates."""
    days = service_days(feed)
    stamp = pd.Timestamp(date)
    if stamp not in days.index:
        return np.zeros(len(feed["trips"]), bool)
    today = days.columns[days.loc[stamp].to_numpy()]
    return np.asarray(feed["trips"]["service_id"].isin(today), bool)


def trips_a_day(feed: Feed) -> pd.Series:
    """Trips of each date of the feed; a trip by frequencies.txt counts once."""
    days = service_days(feed)
    trips = feed["trips"]["service_id"].value_counts().reindex(days.columns).fillna(0)
    return pd.Series(days.to_numpy(np.int64) @ trips.to_numpy(np.int64), index=days.index)


def representative_day(feed: Feed, *, weekdays: Sequence[str] = ("tuesday", "thursday")) -> dt.date:
    """A usual day: of the dates that are such weekdays, the first with the median service.

    Parameters
    ----------
    feed : Feed
        With dates.
    weekdays : sequence of str
        English names; Tuesday and Thursday stand for working days, as usual in surveys.

    Returns
    -------
    datetime.date
        Its number of trips is the lower median of those dates that have any, so that a holiday
        or a day at the edge of the feed's period is not taken.

    Raises
    ------
    ParameterError
        If a weekday is none.
    DataError
        If nothing runs on such weekdays.
    """
    unknown = [day for day in weekdays if day not in DAYS]
    if unknown or not weekdays:
        raise ParameterError(f"weekdays are {list(weekdays)}: give some of {', '.join(DAYS)}")
    trips = trips_a_day(feed)
    weekday = pd.DatetimeIndex(trips.index).day_of_week
    wanted = trips[weekday.isin([DAYS.index(day) for day in weekdays]) & (trips > 0)]
    if wanted.empty:
        raise DataError(
            f"nothing runs on a {' or '.join(weekdays)} between {trips.index[0].date()} and "
            f"{trips.index[-1].date()}: name other weekdays"
        )
    median = np.sort(wanted.to_numpy())[(len(wanted) - 1) // 2]
    day: dt.date = wanted.index[np.flatnonzero(wanted.to_numpy() == median)[0]].date()
    return day
