"""Aggregates of instances over periods (GS CIM 009, 4.5.19: V1.8.1, read again in V1.9.1).

Tables 4.5.19.1-1 to 4.5.19.1-3: numbers have all methods, and truth values, which count as 1 and
0. Lists count as their lengths, without stddev and sumsq. Texts, DateTimes and Dates have a least
and a greatest, Times a mean, too; all else can be counted only. `stddev` is that of the whole
population, the square root of sumsq / totalCount - avg ** 2: the standard does not say which.

Periods follow one another from timeAt, or from the first instance where no start is asked for;
the last one ends with the window. A period without an instance is left out, although 4.5.19.0
wants as many elements as periods: nothing that JSON-LD keeps stands for the mean of no value.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import orjson

from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.query.values import temporal_key
from ldt_toolbox.twin.store import VALUE_KEY, Instance
from ldt_toolbox.twin.temporal.find import Archive
from ldt_toolbox.twin.temporal.instants import written
from ldt_toolbox.twin.temporal.question import EARLIEST, LATEST, Question

#: Periods that are gone through, with instances or not; more ask for a longer duration.
_MOST_PERIODS = 1_000_000

_ENDS: Mapping[str, Callable[..., Any]] = {"min": min, "max": max}


@dataclass(frozen=True)
class Observed:
    """Instances of one series in the window, by time.

    Attributes
    ----------
    kind : str
        Type of the attribute.
    times : list of int
        Microseconds.
    values : list
        What was observed then.
    """

    kind: str
    times: list[int]
    values: list[Any]


def observed(archive: Archive, series: int, asked: Question) -> Observed:
    """Values of a series in the window; deletions are none."""
    column = asked.column
    order = f"{column} DESC, id DESC LIMIT {asked.last:d}" if asked.last else column
    rows = archive.connection.execute(
        f"SELECT {column}, number, iif(number IS NULL, body, NULL) FROM instance"  # noqa: S608
        f" WHERE series = ? AND {column} >= ? AND {column} < ? AND deleted IS NULL"
        f" ORDER BY {order}",
        (series, asked.start, asked.end),
    ).fetchall()
    if asked.last:
        rows.reverse()
    kind, values = "Property", []
    for done, (_, number, body) in enumerate(rows):
        if number is not None:
            values.append(number)
            continue
        if not done % 4096:
            archive.store.check_time()
        instance: Instance = orjson.loads(body)
        kind = instance["type"]
        values.append(instance[VALUE_KEY[kind]])
    return Observed(kind, [row[0] for row in rows], values)


def periods(asked: Question, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Periods from start, included, to end, excluded, that may hold instances.

    Parameters
    ----------
    asked : Question
        Window and length.
    first, last : int
        Times of the first and the last instance of all.
    """
    origin = first if asked.start == EARLIEST else asked.start
    if asked.period.whole:
        yield origin, last + 1 if asked.end == LATEST else asked.end
        return
    start = None
    for number, end in enumerate(asked.period.starts(origin, last)):
        if number > _MOST_PERIODS:
            raise ProblemError(
                "TooComplexQuery",
                f"more than {_MOST_PERIODS} periods: take a longer aggrPeriodDuration",
            )
        if start is not None:
            yield start, min(end, asked.end)
        start = end


def aggregated(
    found: Observed, bounds: Sequence[tuple[int, int]], methods: Sequence[str]
) -> dict[str, list[list[Any]]]:
    """Aggregates by method: value, start and end of each period.

    Parameters
    ----------
    found : Observed
        Values by time.
    bounds : sequence of (int, int)
        From `periods`.
    methods : sequence of str
        Of `METHODS`.
    """
    out: dict[str, list[list[Any]]] = {method: [] for method in methods}
    at = 0
    while at < len(found.times):
        start, end = bounds[_period(bounds, found.times[at])]
        to = bisect_left(found.times, end, lo=at)
        part = found.values[at:to]
        label = [written(start), written(end)]
        for method, value in _aggregates(found.kind, part, methods).items():
            out[method].append([value, *label])
        at = max(to, at + 1)
    return {method: rows for method, rows in out.items() if rows}


def _period(bounds: Sequence[tuple[int, int]], at: int) -> int:
    """Number of the period that an instant is in."""
    return bisect_left(bounds, at + 1, key=lambda bound: bound[0]) - 1


def _aggregates(kind: str, values: Sequence[Any], methods: Sequence[str]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for method in methods:
        if method == "totalCount":
            found[method] = len(values)
        elif method == "distinctCount":
            found[method] = _distinct(values)
    if kind not in ("Property", "ListProperty"):
        return found
    numbers = [each for each in map(_number, values) if each is not None]
    moments = [each for each in map(_moment, values) if each is not None]
    texts = [each for each in values if isinstance(each, str)]
    rest = [method for method in methods if method not in found]
    if numbers:
        lists = any(isinstance(each, list) for each in values)
        fit = [method for method in rest if not (lists and method in ("stddev", "sumsq"))]
        return found | {method: _of_numbers(method, numbers) for method in fit}
    if moments:
        return found | _of_moments(moments, rest)
    if texts:
        return found | {each: _ENDS[each](texts) for each in rest if each in _ENDS}
    return found


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    return len(value) if isinstance(value, list) else None


def _moment(value: Any) -> tuple[bytes, dict[str, str]] | None:
    """Key and value of a typed DateTime, Date or Time (4.6.3)."""
    if not isinstance(value, dict) or not isinstance(value.get("@value"), str):
        return None
    key = temporal_key(value["@value"])
    return None if key is None else (key, value)


def _of_moments(
    moments: Sequence[tuple[bytes, dict[str, str]]], methods: Sequence[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        method: _ENDS[method](moments, key=itemgetter(0))[1]
        for method in methods
        if method in _ENDS
    }
    if "avg" in methods and all(key[:1] == b"t" for key, _ in moments):
        mean = sum(int.from_bytes(key[1:], "big") for key, _ in moments) // len(moments)
        at = (datetime.min + timedelta(microseconds=mean)).time()
        found["avg"] = {**moments[0][1], "@value": f"{at.isoformat()}Z"}
    return found


def _distinct(values: Sequence[Any]) -> int:
    if all(type(each) in (int, float, str) for each in values):
        return len(set(values))
    return len({orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in values})


def _of_numbers(method: str, numbers: Sequence[int | float]) -> int | float:
    match method:
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
        case "sum":
            return _total(numbers)
        case "sumsq":
            return _total([each * each for each in numbers])
    mean = _total(numbers) / len(numbers)
    if method == "avg":
        return mean
    return math.sqrt(math.fsum((each - mean) ** 2 for each in numbers) / len(numbers))


def _total(numbers: Sequence[int | float]) -> int | float:
    """Sum without rounding on the way; whole if all are and 64 bits hold it."""
    if all(isinstance(each, int) for each in numbers):
        whole = sum(numbers)
        return whole if abs(whole) < 2**63 else float(whole)
    return math.fsum(numbers)
