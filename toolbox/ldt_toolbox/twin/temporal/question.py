"""What is asked of history: a window in time, the latest, aggregates (GS CIM 009, 4.11, 5.2.21)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.temporal.instants import WHOLE, Duration, duration, instant

COLUMNS = {
    "observedAt": "observed",
    "createdAt": "created",
    "modifiedAt": "modified",
    "deletedAt": "deleted",
}
"""Column by temporal property (4.8)."""

METHODS = ("totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq")
"""Aggregation methods (4.5.19.1)."""

EARLIEST, LATEST = 0, 2**62


@dataclass(frozen=True, kw_only=True)
class Question:
    """A temporal query.

    Attributes
    ----------
    relation : str
        ``before``, ``after``, ``between``, or empty for all times.
    start, end : int
        Window in microseconds: from start, included, to end, excluded (4.11).
    timeproperty : str
        The time that counts.
    last : int or None
        Latest instances of each attribute and dataset.
    methods : tuple of str
        Aggregation methods; none if empty.
    period : Duration
        Length of the periods that are aggregated.
    """

    relation: str = ""
    start: int = EARLIEST
    end: int = LATEST
    timeproperty: str = "observedAt"
    last: int | None = None
    methods: tuple[str, ...] = ()
    period: Duration = WHOLE

    @property
    def column(self) -> str:
        """Column of the time that counts."""
        return COLUMNS[self.timeproperty]


def question(asked: Mapping[str, Any], *, aggregated: bool) -> Question:
    """Read a temporal query.

    Parameters
    ----------
    asked : mapping
        Members of a TemporalQuery (5.2.21), or the parameters of the same names.
    aggregated : bool
        Whether aggregates are asked for, which need methods.

    Raises
    ------
    ProblemError
        BadRequestData that says what is wrong.
    """
    start, end = _window(asked)
    which = asked.get("timeproperty", "observedAt")
    if not isinstance(which, str) or which not in COLUMNS:
        raise bad(f"timeproperty {which!r:.40} is none of {', '.join(COLUMNS)} (4.8)")
    return Question(
        relation=asked.get("timerel", ""),
        start=start,
        end=end,
        timeproperty=which,
        last=_last(asked.get("lastN")),
        methods=_methods(asked.get("aggrMethods")) if aggregated else (),
        period=duration(str(asked.get("aggrPeriodDuration", "PT0S"))),
    )


def _window(asked: Mapping[str, Any]) -> tuple[int, int]:
    relation = asked.get("timerel")
    if relation is None:
        if "timeAt" in asked or "endTimeAt" in asked:
            raise bad("timeAt comes with timerel: before, after or between (4.11)")
        return EARLIEST, LATEST
    if relation not in ("before", "after", "between"):
        raise bad(f"timerel {relation!r:.40} is none of before, after, between (4.11)")
    at = instant("timeAt", asked.get("timeAt"))
    if relation == "before":
        return EARLIEST, at
    if relation == "after":
        return at, LATEST
    end = instant("endTimeAt", asked.get("endTimeAt"))
    if end <= at:
        raise bad("endTimeAt is after timeAt (4.11)")
    return at, end


def _last(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**15:
        raise bad(f"lastN {value!r:.40} is no whole number above 0")
    return value


def _methods(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value or []
    names = names if isinstance(names, list) else [value]
    odd = [each for each in names if each not in METHODS]
    if odd or not names:
        raise bad(
            f"aggrMethods {', '.join(map(str, odd)) or 'is missing':.60}: aggregated values need "
            f"one or more of {', '.join(METHODS)} (4.5.19)"
        )
    return tuple(dict.fromkeys(names))
