"""Whole temporal answers from servers that cut them (GS CIM 009 V1.8.1, 4.12 and 6.3.10).

A server may send part of the instances and say so (206 with Content-Range), or not say so. The
time window is then split until each part comes whole; whether an answer is whole is not taken
from its status but looked up beyond its ends, until the server's limit is known.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ldt_toolbox.clients.imperfect import CutAnswerWarning, report
from ldt_toolbox.clients.ngsi_ld.evolution import (
    Series,
    SeriesKey,
    holds_instances,
    moment,
    series_of,
    since,
)
from ldt_toolbox.clients.ngsi_ld.query import instant

_SHORTEST = timedelta(milliseconds=2)
# Between the instants that sensors report, so that it does not matter on which side servers count
# the boundary itself
_ASIDE = timedelta(milliseconds=137)
_MOST_PARTS = 64
_MOST_REQUESTS = 5000

_STAMP = r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)"
_CONTENT_RANGE = re.compile(rf"\s*date-time\s+{_STAMP}-{_STAMP}/(\d+|\*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Window:
    """Time from a start, included, to an end, excluded (4.11); None is open.

    Attributes
    ----------
    start, end : datetime.datetime or None
        In UTC.
    """

    start: datetime | None = None
    end: datetime | None = None

    def params(self) -> dict[str, str]:
        """Members of a temporal query (5.2.21)."""
        if self.start is not None and self.end is not None:
            return {
                "timerel": "between",
                "timeAt": instant(self.start),
                "endTimeAt": instant(self.end),
            }
        if self.start is not None:
            return {"timerel": "after", "timeAt": instant(self.start)}
        if self.end is not None:
            return {"timerel": "before", "timeAt": instant(self.end)}
        return {}


@dataclass(frozen=True)
class Part:
    """Answer for one window.

    Attributes
    ----------
    entities : list of dict
        What came.
    partial : bool
        Whether the server says that it is not all (206).
    content_range : str
        Header of that name.
    url : str
        For messages.
    """

    entities: list[dict[str, Any]]
    partial: bool = False
    content_range: str = ""
    url: str = ""


Ask = Callable[[Window, int | None], Part]
"""Asks for a window, optionally for the latest instances only."""


@dataclass
class Limit:
    """What is known about how many instances a server sends.

    Attributes
    ----------
    whole_series, whole_total : int
        Largest series and largest sum of instances that were found to come whole.
    cut_series : int or None
        Longest series in an answer that was found to be cut.
    """

    whole_series: int = 1
    whole_total: int = 1
    cut_series: int | None = field(default=None)


def range_of(header: str) -> tuple[datetime, datetime] | None:
    """Extent that a Content-Range of unit date-time names, earliest first (6.3.10)."""
    match = _CONTENT_RANGE.fullmatch(header)
    if match is None:
        return None
    ends = (moment(match[1]), moment(match[2]))
    if ends[0] is None or ends[1] is None:
        return None
    return min(ends[0], ends[1]), max(ends[0], ends[1])


class Gatherer:
    """Collects all instances of a window.

    Parameters
    ----------
    ask : callable
        Sends a request.
    limit : Limit
        What is known of the server; learns.
    timeproperty : str
        The time that windows are about.
    filtered : bool
        Whether the query has conditions on values, which a server applies per window.
    probe : bool
        Look beyond the ends of answers that do not say that they are cut.
    """

    def __init__(
        self, ask: Ask, limit: Limit, *, timeproperty: str, filtered: bool, probe: bool
    ) -> None:
        self._ask = ask
        self._limit = limit
        self._timeproperty = timeproperty
        self._filtered = filtered
        self._probe = probe
        self._requests = 0

    def gather(self, window: Window, first: Part, last_n: int | None = None) -> list[Part]:
        """Answers that together are whole, earliest first.

        Parameters
        ----------
        window : Window
            What was asked for.
        first : Part
            The answer to it.
        last_n : int, optional
            The number of latest instances that was asked for.

        Warns
        -----
        CutAnswerWarning
            Part of the instances could not be had, or conditions were applied per window.
        """
        if last_n is not None and first.partial:
            back = self._back(window, first, last_n)
            if back:
                return back
        if not self._cut(window, first, last_n):
            return [first]
        if self._filtered:
            report(
                CutAnswerWarning(
                    f"{first.url}: the answer was cut and is fetched in shorter windows, to each "
                    "of which the server applies the conditions of the query; fetch without q "
                    "and geo, and filter here, to be sure"
                ),
                stacklevel=3,
            )
        parts: list[Part] = []
        waiting = self._split(window, first)
        if not waiting:
            self._give_up(window, first)
            return [first]
        while waiting:
            current = waiting.pop(0)
            part = self._asked(current, None)
            if not self._cut(current, part, None):
                parts.append(part)
                continue
            smaller = self._split(current, part) if self._requests < _MOST_REQUESTS else []
            if not smaller:
                self._give_up(current, part)
                parts.append(part)
            waiting = smaller + waiting
        return parts

    def _back(self, window: Window, first: Part, last_n: int) -> list[Part]:
        """Follow an answer to lastN that was cut (206) into the past, until one comes whole.

        Servers cut every series at one length or all at one instant, so that an answer can hold
        all that was asked of one and nothing of another. Empty if the parts lead nowhere.
        """
        parts = [first]
        while parts[0].partial:
            series = series_of(parts[0].entities, self._timeproperty).values()
            if not series or self._requests >= _MOST_REQUESTS:
                return []
            lacking = [each.first for each in series if each.count < last_n]
            reached = max(lacking) if lacking else min(each.first for each in series)
            if window.start is not None and reached <= window.start:
                break
            window = Window(window.start, reached)
            newer = [since(e, reached, timeproperty=self._timeproperty) for e in parts[0].entities]
            parts[0] = replace(parts[0], entities=newer)
            parts.insert(0, self._asked(window, last_n))
        return parts

    def _asked(self, window: Window, last_n: int | None) -> Part:
        self._requests += 1
        return self._ask(window, last_n)

    def _cut(self, window: Window, part: Part, last_n: int | None) -> bool:
        series = series_of(part.entities, self._timeproperty)
        longest = max((each.count for each in series.values()), default=0)
        total = sum(each.count for each in series.values())
        known = self._limit
        if longest == 0:
            self._blind(part)
            return False
        full = last_n is not None and longest >= last_n  # the longest is all that was asked for
        if part.partial:
            if longest > 1 and not full:
                known.cut_series = min(longest, known.cut_series or longest)
                return True
            return self._more(window, series, last_n)
        # Of the same size as a whole answer it may be one that was cut to just that size
        if longest < known.whole_series and total < known.whole_total:
            return False
        if last_n == 1:
            return False  # one of each was asked for: a look would ask the same again
        if known.cut_series is not None and longest >= known.cut_series and not full:
            return True
        if not self._probe:
            return False
        if self._more(window, series, last_n):
            # What is new in a window that is still open may have been observed since
            if not full and _is_over(window):
                known.cut_series = min(longest, known.cut_series or longest)
                known.whole_series = min(known.whole_series, longest - 1)
            return True
        known.whole_series = max(known.whole_series, longest)
        known.whole_total = max(known.whole_total, total)
        return False

    def _blind(self, part: Part) -> None:
        """Tell of instances without the time by which their number could be judged."""
        judged = self._timeproperty == "observedAt"  # static attributes rightly have none
        if holds_instances(part.entities) and (part.partial or not judged):
            report(
                CutAnswerWarning(
                    f"{part.url}: no instance names its {self._timeproperty}, so that nobody can "
                    f"tell whether all came{' (206 says that they did not)' * part.partial}; "
                    "ask for another timeproperty, or with lastN"
                ),
                stacklevel=5,
            )

    def _more(self, window: Window, series: Mapping[SeriesKey, Series], last_n: int | None) -> bool:
        """Whether there are instances that did not come.

        Servers limit each series, or all of an answer in the order of time, or series after
        series: then the first ones are whole, one is short and the others are not there.
        """

        def news(look: Window, latest: int | None = 1) -> tuple[bool, bool]:
            """Whether a look shows what was not there, and whether it was short as asked."""
            found = series_of(self._asked(look, latest).entities, self._timeproperty)
            fresh = any(
                key not in series or each.last > series[key].last or each.first < series[key].first
                for key, each in found.items()
            )
            return fresh, {each.count for each in found.values()} == {1}

        fresh, looked = news(window)
        looks = _beyond(window, series, last_n, only_before=looked)
        # Where all series came with one instance, an earlier one hides behind the latest
        single = last_n is None and all(each.count == 1 for each in series.values())
        return fresh or any(news(look, None if single else 1)[0] for look in looks)

    def _split(self, window: Window, part: Part) -> list[Window]:
        """Shorter windows that make up this one; empty if it cannot be split."""
        series = series_of(part.entities, self._timeproperty)
        if not series:
            return []
        longest = max(each.count for each in series.values())
        full = [each for each in series.values() if each.count == longest]
        first = min(each.first for each in series.values())
        last = min(each.last for each in full)
        told = range_of(part.content_range)
        if told is not None and first < told[1] < last:
            last = told[1]
        if window.start is None or window.end is None:
            at = (first - _ASIDE) if window.start is None and window.end is not None else None
            at = at or last + _ASIDE
            if window.start is not None and at <= window.start:
                return []
            return [Window(window.start, at), Window(at, window.end)]
        whole = window.end - window.start
        if whole < _SHORTEST:
            return []
        density = whole / max(last - first, _SHORTEST)
        number = min(_MOST_PARTS, max(2, math.ceil(1.25 * density)), whole // (_SHORTEST / 2))
        step = whole / number
        # Whole milliseconds: servers that keep no more would otherwise move the boundary
        cuts = [
            (window.start + step * k).replace(
                microsecond=(window.start + step * k).microsecond // 1000 * 1000
            )
            for k in range(1, number)
        ]
        ends = [window.start, *sorted({c for c in cuts if window.start < c < window.end})]
        return [Window(a, b) for a, b in zip(ends, [*ends[1:], window.end], strict=True)]

    def _give_up(self, window: Window, part: Part) -> None:
        of: Sequence[str] = [f"{k} {v}" for k, v in window.params().items()]
        report(
            CutAnswerWarning(
                f"{part.url}: the server cuts the answer for {', '.join(of) or 'all times'} and "
                "shorter windows do not help; some instances are missing: use lastN, fewer "
                "attributes or aggregation"
            ),
            stacklevel=4,
        )


def _is_over(window: Window) -> bool:
    return window.end is not None and window.end <= datetime.now(UTC)


def _beyond(
    window: Window, series: Mapping[SeriesKey, Series], last_n: int | None, *, only_before: bool
) -> list[Window]:
    """Windows after and before the ends of those series that a server may have cut."""
    longest = max(each.count for each in series.values())
    full = [each for each in series.values() if each.count == longest]
    short = [each for each in series.values() if last_n is None or each.count < last_n]
    looks = []
    if not only_before and last_n is None:
        looks.append(
            Window(min(each.last for each in full) + timedelta(milliseconds=1), window.end)
        )
    if short:
        # the longest, the last that was written, and that which begins last
        longest_first = max((each.first for each in full if each in short), default=short[-1].first)
        firsts = {longest_first: 0, short[-1].first: 0, max(each.first for each in short): 0}
        looks += [Window(window.start, first) for first in firsts]
    return [
        look for look in looks if look.start is None or look.end is None or look.start < look.end
    ]
