"""Clocks of counters: texts and local times to instants, with the hours that summer time breaks."""

from collections.abc import Hashable
from datetime import datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import ParameterError

Ambiguous = Literal["refuse", "first", "second", "order"]


class Instants(NamedTuple):
    """Times of one column.

    Attributes
    ----------
    utc : pandas.Series
        datetime64[us, UTC]; NaT where there is a fault.
    wall : pandas.Series
        Local time as it was written, datetime64[us]; NaT where an offset was written.
    ambiguous : pandas.Series
        bool: the local time occurs twice, whether it was settled or not.
    fault : pandas.Series
        `time` (no date and time), `no-zone`, `skipped-hour` (spring leaves it out),
        `double-hour` (autumn has it twice) or empty.
    """

    utc: pd.Series
    wall: pd.Series
    ambiguous: pd.Series
    fault: pd.Series


def time_zone(name: str) -> ZoneInfo:
    """Zone of an IANA name.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ParameterError(
            f"zone = {name!r} is no IANA time zone: write for example 'Europe/Paris'"
        ) from error


def read_instants(
    column: pd.Series,
    *,
    zone: str = "",
    time_format: str = "",
    ambiguous: Ambiguous = "refuse",
    series: pd.Series | None = None,
) -> Instants:
    """Read a column of dates and times.

    Parameters
    ----------
    column : pandas.Series
        Texts, datetimes with or without zone, timestamps.
    zone : str
        IANA zone of times that name none; empty: they are faults, zones are not guessed.
    time_format : str
        Format of strptime; empty: ISO 8601.
    ambiguous : {"refuse", "first", "second", "order"}
        Which of the two hours of autumn a local time means. `order`: of two rows of one series
        with the same local time the first is summer time; one alone is refused.
    series : pandas.Series, optional
        Key of the series of each row, needed by `order`.

    Returns
    -------
    Instants
        Index as that of `column`.

    Raises
    ------
    ParameterError
        If the zone or the option is unknown.
    """
    if ambiguous not in ("refuse", "first", "second", "order"):
        raise ParameterError(
            f"ambiguous = {ambiguous!r}: choose refuse, first, second or order (of the rows)"
        )
    local = time_zone(zone) if zone else None
    read: dict[Hashable, datetime | None] = {}
    found: list[datetime | None] = []
    for value in column.astype(object):
        key = value if isinstance(value, Hashable) else None
        if key not in read:
            read[key] = _read(key, time_format)
        found.append(read[key])
    index = column.index
    aware = [one is not None and one.tzinfo is not None for one in found]
    utc = _times([one if ok else None for one, ok in zip(found, aware, strict=True)], index, True)
    wall = _times([None if ok else one for one, ok in zip(found, aware, strict=True)], index, False)
    fault = pd.Series("", index=index, dtype=object)
    fault[[one is None for one in found]] = "time"
    twice = pd.Series(False, index=index)
    naive = wall.notna()
    if local is None:
        fault[naive] = "no-zone"
        return Instants(utc, wall, twice, fault)
    if not naive.any():
        return Instants(utc, wall, twice, fault)
    written = wall[naive]
    summer = _localized(written, local, np.ones(len(written), dtype=bool))
    winter = _localized(written, local, np.zeros(len(written), dtype=bool))
    fault[naive & summer.reindex(index).isna()] = "skipped-hour"
    doubled = summer.notna() & (summer != winter)
    twice[doubled.index] = doubled
    later = pd.Series(ambiguous == "second", index=written.index)
    if ambiguous == "order":
        text = written.astype(str)
        both = text if series is None else series[naive].astype(str) + " " + text
        place = both.groupby(both).cumcount()
        alone = both.groupby(both).transform("size") == 1
        later = place > 0
        fault[(doubled & alone).reindex(index, fill_value=False)] = "double-hour"
    elif ambiguous == "refuse":
        fault[doubled.reindex(index, fill_value=False)] = "double-hour"
    utc[naive] = summer.where(~later, winter)
    utc[fault != ""] = pd.NaT
    return Instants(utc, wall, twice, fault)


def _read(value: Any, time_format: str) -> datetime | None:
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, datetime):
        return None if value is pd.NaT else value
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        if time_format:
            return datetime.strptime(value.strip(), time_format)
        return datetime.fromisoformat(value.strip().replace(",", "."))
    except ValueError:
        return None


def _times(values: list[datetime | None], index: pd.Index, aware: bool) -> pd.Series:
    made = pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=aware, errors="coerce"))
    made.index = index
    return made.dt.as_unit("us")


def _localized(written: pd.Series, zone: ZoneInfo, summer: NDArray[np.bool_]) -> pd.Series:
    placed = written.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT")
    return pd.Series(placed.dt.tz_convert("UTC"))


def ends(start: Instants, end: Instants) -> pd.Series:
    """Ends of intervals; those that summer time leaves unclear follow from the written length.

    Parameters
    ----------
    start, end : Instants
        Of the same rows.

    Returns
    -------
    pandas.Series
        datetime64[us, UTC]. Where the end's local time occurs twice or never, or that of the start
        twice and the interval is no longer than an hour, the end is the start and the difference
        of both clock times: the hour from 2 to 3 o'clock lasts an hour, also when it comes twice.
        A day of autumn has 25 hours nevertheless. An interval within the double hour that runs
        backwards by the clock (2:45 to 2:00) ends after the clock was set back by an hour.
    """
    length = end.wall - start.wall
    back = start.ambiguous & end.ambiguous & (length <= pd.Timedelta(0))
    length = length.where(~back, length + pd.Timedelta(hours=1))
    short = start.ambiguous & (length <= pd.Timedelta(hours=1))
    unclear = short | end.ambiguous | (end.fault == "skipped-hour")
    by_clock = start.utc + length
    return end.utc.where(~(unclear & by_clock.notna()), by_clock)
