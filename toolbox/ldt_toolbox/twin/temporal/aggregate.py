"""Aggregates of instances over periods (GS CIM 009 V1.8.1, 4.5.19).

Numbers have all methods. Truth values count as 1 and 0, lists as their lengths; texts and
instants have a least and a greatest; all else can be counted only. `stddev` is that of the whole
population: the square root of sumsq / totalCount - avg ** 2.

Periods follow one another from timeAt, or from the first instance where no start is asked for;
the last one ends with the window. A period without an instance is left out.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ldt_toolbox.twin.problems import ProblemError
from ldt_toolbox.twin.store import VALUE_KEY, Instance
from ldt_toolbox.twin.temporal.find import Archive
from ldt_toolbox.twin.temporal.instants import written
from ldt_toolbox.twin.temporal.question import EARLIEST, LATEST, Question

#: Periods that are gone through, with instances or not; more ask for a longer duration.
_MOST_PERIODS = 1_000_000


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
    plain = kind in ("Property", "ListProperty")
    numbers = [_number(each) for each in values] if plain else []
    counted = [each for each in numbers if each is not None]
    texts = [each for each in values if isinstance(each, str)] if plain else []
    found: dict[str, Any] = {}
    for method in methods:
        if method == "totalCount":
            found[method] = len(values)
        elif method == "distinctCount":
            found[method] = _distinct(values)
        elif counted:
            found[method] = _of_numbers(method, counted)
        elif texts and method in ("min", "max"):
            found[method] = min(texts) if method == "min" else max(texts)
    return found


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float):
        return int(value) if isinstance(value, bool) else value
    return len(value) if isinstance(value, list) else None


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
