"""Counts of traffic out of any table: one form, and every row that cannot be with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ldt_toolbox.errors import MissingColumnError, ParameterError
from ldt_toolbox.mobility.count_cells import (
    SENSOR_THINGS,
    TRAFFIC_FLOW_OBSERVED,
    Columns,
    first_value,
    numbers,
    positions,
    shown,
    texts,
    written_times,
)
from ldt_toolbox.mobility.count_clock import Ambiguous, ends, read_instants
from ldt_toolbox.mobility.count_rows import capacity_exceeded, overlapping, stuck
from ldt_toolbox.models.units import convert
from ldt_toolbox.results import Note

__all__ = [
    "COLUMNS",
    "REASONS",
    "SENSOR_THINGS",
    "SERIES",
    "TRAFFIC_FLOW_OBSERVED",
    "Cleaned",
    "Columns",
    "Limits",
    "clean_counts",
    "reject_notes",
]

SERIES = ["site", "lane", "vehicle_type"]
COLUMNS = [
    *SERIES, "start", "end", "hours", "count", "flow_per_h", "occupancy", "speed_kmh",
    "longitude_deg", "latitude_deg", "row",
]  # fmt: skip

REASONS: Mapping[str, tuple[str, str]] = {
    "no-site": ("rows without a site", "lignes sans site"),
    "time": ("rows without a readable time", "lignes sans date lisible"),
    "no-zone": ("rows with a local time of no zone", "lignes en heure locale sans fuseau"),
    "skipped-hour": (
        "rows in the hour that spring leaves out",
        "lignes dans l'heure qui n'existe pas au printemps",
    ),
    "double-hour": (
        "rows in the hour that autumn has twice",
        "lignes dans l'heure double d'automne",
    ),
    "interval": ("rows whose interval has no length", "lignes sans durée d'observation"),
    "no-geometry": ("rows without a position", "lignes sans position"),
    "swapped-coordinates": (
        "rows with latitude before longitude",
        "lignes avec la latitude avant la longitude",
    ),
    "coordinates-out-of-range": (
        "rows at a position that is not on Earth",
        "lignes à une position impossible",
    ),
    "outside-territory": ("rows outside of the territory", "lignes hors du territoire"),
    "null": ("rows without a value", "lignes sans valeur"),
    "number": ("rows with a value that is no number", "lignes à valeur non numérique"),
    "negative": ("rows with a negative value", "lignes à valeur négative"),
    "capacity": (
        "rows with more vehicles than the road carries",
        "lignes au-delà de la capacité de la voie",
    ),
    "speed": ("rows with an impossible speed", "lignes à vitesse impossible"),
    "occupancy": ("rows with an occupancy above 100 %", "lignes à taux d'occupation > 100 %"),
    "repeated": ("rows that came more than once", "lignes reçues plusieurs fois"),
    "conflict": (
        "further rows of one interval with other values",
        "autres lignes du même intervalle aux valeurs différentes",
    ),
    "overlap": ("rows that overlap others", "lignes qui chevauchent d'autres"),
    "stuck": ("rows of a counter that is stuck", "lignes d'un compteur bloqué"),
}
"""What is wrong with a row, in English and French, by its code."""


@dataclass(frozen=True)
class Limits:
    """What can be.

    Attributes
    ----------
    capacity_per_lane_per_h : float
        Vehicles per hour and lane: 2,400 is the base capacity of a freeway lane in passenger cars
        (Highway Capacity Manual, 6th edition, chapter 12; from memory, not checked against a copy).
        Higher for bicycles.
    lanes : int
        Lanes of a counter whose table does not say; one if it names the lane.
    speed_kmh : float
        Largest mean speed.
    stuck_chance : float
        A run of equal counts is called stuck if its chance in Poisson traffic is below this.
    dead_h : float
        Hours without a vehicle from which on a counter is called stuck.
    """

    capacity_per_lane_per_h: float = 2400.0
    lanes: int = 4
    speed_kmh: float = 250.0
    stuck_chance: float = 1e-9
    dead_h: float = 48.0


class Cleaned(NamedTuple):
    """Rows that can be used, and those that cannot: together as many as came.

    Attributes
    ----------
    counts : pandas.DataFrame
        `site`, `lane`, `vehicle_type` (texts), `start`, `end` (datetime64[us, UTC]), `hours`,
        `count` (vehicles), `flow_per_h`, `occupancy` (0 to 1), `speed_kmh`, `longitude_deg`,
        `latitude_deg` (EPSG:4326) and `row` (place in the table, from 0). By series and time.
    rejects : pandas.DataFrame
        `row`, `site`, `start` (as written), `value` (as written), `reason` (key of `REASONS`);
        by row.
    """

    counts: pd.DataFrame
    rejects: pd.DataFrame


def clean_counts(
    frame: pd.DataFrame,
    columns: Columns,
    *,
    zone: str = "",
    time_format: str = "",
    ambiguous: Ambiguous = "refuse",
    interval_min: float | None = None,
    decimal: str = ".",
    speed_unit: str = "KMH",
    occupancy_unit: str = "C62",
    limits: Limits | None = None,
    bbox: tuple[float, float, float, float] | None = None,
) -> Cleaned:
    """Bring a table of counts into one form and reject what cannot be, row by row.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row an observation; index of no meaning.
    columns : Columns
        Where it holds what. Columns that are named but not there are an error, except those of
        the presets that a source may leave out (all but `site` and one value).
    zone : str
        IANA zone of times without offset; empty: such rows are rejected.
    time_format : str
        Format of strptime; empty: ISO 8601.
    ambiguous : {"refuse", "first", "second", "order"}
        See `count_clock.read_instants`.
    interval_min : float, optional
        Length of an interval where the table gives its start only.
    decimal : {".", ","}
        Sign of decimals in texts; blanks between digits are taken out.
    speed_unit, occupancy_unit : str
        UN/CEFACT codes, for example `MTS`; `P1` for per cent.
    limits : Limits, optional
        What can be.
    bbox : tuple of float, optional
        west, south, east, north of the territory, EPSG:4326.

    Returns
    -------
    Cleaned
        A row has one reason, the first that holds in the order of `REASONS`. A row with one
        impossible value is rejected whole. Of rows with one interval the first counts; of
        overlapping ones those that end first, so that a daily total yields to its hours.

    Raises
    ------
    MissingColumnError
        If the site, all times or all values are missing.
    ParameterError
        If an option is unknown.
    """
    limits = limits or Limits()
    if decimal not in (".", ","):
        raise ParameterError(f"decimal = {decimal!r}: choose '.' or ','")
    _check(frame, columns, interval_min)
    table = frame.reset_index(drop=True)
    made = pd.DataFrame({"row": np.arange(len(table))})
    for key in SERIES:
        made[key] = texts(table, getattr(columns, key))
    reason = pd.Series("", index=made.index, dtype=object)
    _mark(reason, "no-site", made["site"] == "")

    starts, finishes = written_times(table, columns)
    series = made["site"] + "\x1f" + made["lane"] + "\x1f" + made["vehicle_type"]
    begin = read_instants(
        starts, zone=zone, time_format=time_format, ambiguous=ambiguous, series=series
    )
    made["start"] = begin.utc
    for key in ("time", "no-zone", "skipped-hour", "double-hour"):
        _mark(reason, key, begin.fault == key)
    # an end in the double hour is settled by the start; the option only keeps it from being lost
    stop = read_instants(finishes, zone=zone, time_format=time_format, ambiguous="first")
    made["end"] = ends(begin, stop)
    if interval_min is not None:
        length = pd.Timedelta(minutes=interval_min)
        made["end"] = made["end"].where(finishes.notna(), made["start"] + length)
    _mark(reason, "time", (finishes.notna() & made["end"].isna()))
    made["hours"] = (made["end"] - made["start"]).dt.total_seconds() / 3600
    _mark(reason, "interval", ~(made["hours"] > 0))

    made["longitude_deg"], made["latitude_deg"], where = positions(table, columns, bbox)
    for key in where.unique():
        _mark(reason, str(key), where == key)

    values, unread = {}, pd.Series(False, index=made.index)
    for key, unit, target in (
        ("count", "", ""), ("flow_per_h", "", ""),
        ("occupancy", occupancy_unit, "C62"), ("speed", speed_unit, "KMH"),
    ):  # fmt: skip
        name = getattr(columns, key)
        values[key], bad = numbers(table, name, decimal)
        unread |= bad
        if unit:
            values[key] = convert(values[key], unit, target)
    given = pd.DataFrame(values)
    _mark(reason, "number", unread)
    _mark(reason, "null", given.isna().all(axis=1))
    _mark(reason, "negative", (given < 0).any(axis=1))
    hours = made["hours"].where(made["hours"] > 0).to_numpy(np.float64)
    flow = np.where(np.isnan(values["count"]), values["flow_per_h"], values["count"] / hours)
    made["count"] = np.where(np.isnan(values["count"]), flow * hours, values["count"])
    made["flow_per_h"] = flow
    made["occupancy"], made["speed_kmh"] = values["occupancy"], values["speed"]
    lanes, _ = numbers(table, columns.lanes, decimal)
    lanes = np.where(np.isnan(lanes), np.where(made["lane"] != "", 1, limits.lanes), lanes)
    capacity = limits.capacity_per_lane_per_h * lanes
    _mark(reason, "capacity", capacity_exceeded(made["count"].to_numpy(), hours, capacity))
    _mark(reason, "speed", made["speed_kmh"] > limits.speed_kmh)
    _mark(reason, "occupancy", made["occupancy"] > 1)

    interval = [*SERIES, "start", "end"]
    good = made[reason == ""]
    again = good.duplicated([*interval, "count", "occupancy", "speed_kmh"])
    reason[again[again].index] = "repeated"
    good = made[reason == ""]
    other = good.duplicated(interval)
    reason[other[other].index] = "conflict"
    good, groups = _by_series(made[reason == ""])
    reason[good.index[overlapping(good, groups)]] = "overlap"
    good, groups = _by_series(made[reason == ""])
    held = stuck(good, groups, chance=limits.stuck_chance, dead_h=limits.dead_h)
    reason[good.index[held]] = "stuck"

    kept = made[reason == ""].sort_values([*SERIES, "start", "row"], kind="stable")
    out = reason != ""
    rejects = pd.DataFrame({
        "row": made["row"][out], "site": made["site"][out],
        "start": shown(starts[out]), "value": shown(first_value(table, columns)[out]),
        "reason": reason[out].astype(str),
    })  # fmt: skip
    return Cleaned(kept[COLUMNS].reset_index(drop=True), rejects.reset_index(drop=True))


def reject_notes(rejects: pd.DataFrame, name: str) -> list[Note]:
    """Say how many rows were left out for which reason.

    Parameters
    ----------
    rejects : pandas.DataFrame
        As `clean_counts` gives them.
    name : str
        Role and source.

    Returns
    -------
    list of Note
        One a reason, in the order of `REASONS`, with the first row (counted from 0).
    """
    found = []
    for code, (en, fr) in REASONS.items():
        own = rejects[rejects["reason"] == code]
        if own.empty:
            continue
        first = own.iloc[0]
        parts = [str(first[part]) for part in ("site", "start", "value") if first[part]]
        place = ", ".join([str(first["row"]), *parts])
        found.append(
            Note(
                "repair",
                {
                    "en": f"{name}: {len(own)} {en}, left out (first: row {place})",
                    "fr": f"{name} : {len(own)} {fr}, écartées (la première : ligne {place})",
                },
            )
        )
    return found


def _by_series(rows: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    good = rows.sort_values([*SERIES, "end", "start"], kind="stable")
    return good, np.asarray(good.groupby(SERIES, sort=False).ngroup(), np.int64)


def _mark(reason: pd.Series, key: str, met: pd.Series | NDArray[np.bool_]) -> None:
    if key:
        reason[(reason == "") & met] = key


def _check(frame: pd.DataFrame, columns: Columns, interval_min: float | None) -> None:
    wanted = {
        "site": [columns.site],
        "time": [columns.start, columns.period],
        "value": [columns.count, columns.flow_per_h, columns.occupancy, columns.speed],
    }
    for what, names in wanted.items():
        if not any(name in frame.columns for name in names if name):
            named = ", ".join(repr(name) for name in names if name) or "none"
            raise MissingColumnError(
                f"no column for the {what} of counts (named: {named}; there are: "
                f"{', '.join(map(str, frame.columns))}): name it in Columns(...)"
            )
    if interval_min is not None and not interval_min > 0:
        raise ParameterError(f"interval_min = {interval_min}: give minutes above 0")
