"""Observations of stations: cleaned, converted and averaged, with every reject and its reason."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ldt_toolbox.models.units import convert, convertible
from ldt_toolbox.results import Note

FEW = 0.5
"""A station with a smaller share of the observations of the fullest one is named."""

REASONS: Mapping[str, tuple[str, str]] = {
    "no-id": ("entities without an id", "entités sans identifiant"),
    "same-id": ("entities that came more than once", "entités reçues plusieurs fois"),
    "no-geometry": ("entities without a position", "entités sans position"),
    "swapped-coordinates": (
        "entities with latitude before longitude",
        "entités avec la latitude avant la longitude",
    ),
    "coordinates-out-of-range": (
        "entities at a position that is not on Earth",
        "entités à une position impossible",
    ),
    "outside-territory": ("entities outside of the territory", "entités hors du territoire"),
    "dataset": (
        "observations of another dataset than the default one",
        "observations d'un autre jeu que celui par défaut",
    ),
    "time": ("observations without a time", "observations sans date"),
    "window": ("observations outside the period", "observations hors de la période"),
    "null": ("observations without a value", "observations sans valeur"),
    "number": ("observations that are no number", "observations non numériques"),
    "no-unit": ("observations without a unit code", "observations sans code d'unité"),
    "unit": (
        "observations in a unit that does not convert",
        "observations dans une unité non convertible",
    ),
    "range": ("observations that cannot be", "observations impossibles"),
    "repeated": (
        "further observations of one station at one instant",
        "autres observations d'une station au même instant",
    ),
}
"""What a reject is, in English and French, by its code."""


class Observed(NamedTuple):
    """One observation as it came.

    Attributes
    ----------
    station, dataset, time : str
        Where, of which dataset (empty: the default one), when (ISO 8601).
    value : object
        Number, or whatever stood in its place.
    unit_code : str
        UN/CEFACT code, or empty.
    """

    station: str
    dataset: str
    time: str
    value: object
    unit_code: str


class Reject(NamedTuple):
    """Something that came and was not used.

    Attributes
    ----------
    reason : str
        Key of `REASONS`.
    station, time, value : str
        Where it stood; empty where there is none.
    """

    reason: str
    station: str
    time: str = ""
    value: str = ""


def accepted(
    observed: Iterable[Observed],
    *,
    start: datetime,
    end: datetime,
    unit: str,
    declared_unit: str = "",
    low: float = -np.inf,
    high: float = np.inf,
) -> tuple[pd.DataFrame, list[Reject]]:
    """Tell observations that can be used from those that cannot.

    Parameters
    ----------
    observed : iterable of Observed
        In any order; of several at one instant the first counts.
    start, end : datetime.datetime
        Period with time zone; `end` is not part of it.
    unit : str
        Unit of the answer (UN/CEFACT code).
    declared_unit : str
        Unit of observations that carry no code; empty: they are rejected, units are not guessed.
    low, high : float
        Smallest and largest value that can be, in `unit`.

    Returns
    -------
    pandas.DataFrame
        `station`, `time` (UTC), `value` (in `unit`), in the order in which they came.
    list of Reject
        All others: together they are as many as came.
    """
    frame = pd.DataFrame(list(observed), columns=list(Observed._fields), dtype=object)
    times = pd.to_datetime(frame["time"], format="ISO8601", utc=True, errors="coerce")
    scalar = [
        value if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        for value in frame["value"]
    ]
    numbers = pd.to_numeric(pd.Series(scalar, dtype=object), errors="coerce").to_numpy(np.float64)
    codes = frame["unit_code"].mask(frame["unit_code"] == "", declared_unit)
    values = np.full(len(frame), np.nan)
    fits = np.zeros(len(frame), dtype=bool)
    for code in codes.unique():
        if convertible(code, unit):
            own = (codes == code).to_numpy()
            fits |= own
            values[own] = convert(numbers[own], code, unit)
    reason = pd.Series("", index=frame.index, dtype=object)
    tests = {
        "dataset": frame["dataset"] != "",
        "time": times.isna(),
        "window": (times < start) | (times >= end),
        "null": frame["value"].isna(),
        "number": ~np.isfinite(numbers),
        "no-unit": codes == "",
        "unit": ~fits,
        "range": (values < low) | (values > high),
    }
    for key, met in tests.items():
        reason[(reason == "") & met] = key
    good = reason == ""
    again = pd.DataFrame({"station": frame["station"], "time": times})[good].duplicated()
    reason[again[again].index] = "repeated"
    rejects = [
        Reject(key, str(station), str(time), "" if value is None else str(value)[:80])
        for key, station, time, value in zip(
            reason, frame["station"], frame["time"], frame["value"], strict=True
        )
        if key
    ]
    kept = pd.DataFrame({"station": frame["station"].astype(str), "time": times, "value": values})
    return kept[reason == ""].reset_index(drop=True), rejects


def station_means(
    frame: pd.DataFrame, *, hours: Sequence[int] = (), zone: str = "UTC"
) -> pd.DataFrame:
    """Mean and number of observations of each station.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `accepted` returns it.
    hours : sequence of int
        First hour of the day that counts and the first that counts no more, in local time; the
        second may be the smaller one, as in (22, 6). Empty: all hours.
    zone : str
        IANA name of the time zone.

    Returns
    -------
    pandas.DataFrame
        Index `station`; `mean` (unit of the values), `count`.
    """
    if hours:
        first, last = hours
        hour = frame["time"].dt.tz_convert(ZoneInfo(zone)).dt.hour
        inside = (hour >= first) & (hour < last)
        if first > last:
            inside = (hour >= first) | (hour < last)
        frame = frame[inside]
    return frame.groupby("station")["value"].agg(["mean", "count"])


def reject_notes(rejects: Sequence[Reject], name: str) -> list[Note]:
    """One note a reason: how many, and the first of them.

    Parameters
    ----------
    rejects : sequence of Reject
        All that were not used.
    name : str
        Role and server.
    """
    found = []
    for key, (en, fr) in REASONS.items():
        own = [reject for reject in rejects if reject.reason == key]
        if not own:
            continue
        parts = (own[0].station, own[0].time, own[0].value)
        example = ", ".join(part for part in parts if part)
        found.append(
            Note(
                "repair",
                {
                    "en": f"{name}: {len(own)} {en}, left out (first: {example})",
                    "fr": f"{name} : {len(own)} {fr}, écartées (la première : {example})",
                },
            )
        )
    return found


def few_note(counts: pd.Series, name: str) -> list[Note]:
    """Name the stations whose mean rests on much less than that of the others.

    Parameters
    ----------
    counts : pandas.Series
        Observations by name of station.
    name : str
        Role and server.
    """
    few = counts[counts < FEW * counts.max()]
    if few.empty:
        return []
    listed = ", ".join(f"{station} ({int(count)})" for station, count in few.items())
    most = int(counts.max())
    return [
        Note(
            "warning",
            {
                "en": f"{name}: less than half as many observations as the fullest station "
                f"({most}): {listed}. Their means stand for other hours.",
                "fr": f"{name} : moins de la moitié des observations de la station la plus "
                f"complète ({most}) : {listed}. Leurs moyennes portent sur d'autres heures.",
            },
        )
    ]
