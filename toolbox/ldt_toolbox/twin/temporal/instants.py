"""Instants as whole microseconds, and durations of ISO 8601 (GS CIM 009 V1.8.1, 4.6.3, 4.5.19)."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ldt_toolbox.twin.problems import bad
from ldt_toolbox.twin.query.values import temporal_key

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W|(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?"
    r"(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,8})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,10}(?:\.\d{1,6})?)S)?)?)",
    re.ASCII,
)


def microseconds(text: str) -> int | None:
    """Microseconds since the year 1 of a DateTime; None of any other text."""
    key = temporal_key(text)
    return int.from_bytes(key[1:], "big") if key is not None and key[:1] == b"D" else None


def instant(name: str, text: object) -> int:
    """Microseconds of a parameter.

    Raises
    ------
    ProblemError
        BadRequestData if it is no DateTime.
    """
    found = microseconds(text) if isinstance(text, str) else None
    if found is None:
        raise bad(f"{name} {text!r:.60} is no DateTime such as 2026-07-01T12:00:00Z (4.6.3)")
    return found


def written(at: int) -> str:
    """DateTime of microseconds, in UTC; with a fraction only where there is one."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Duration:
    """A length of time; months are those of the calendar.

    Attributes
    ----------
    months : int
        Years and months.
    microseconds : int
        The rest; a day has 24 h, as days do in UTC.
    """

    months: int = 0
    microseconds: int = 0

    @property
    def whole(self) -> bool:
        """Whether it has no length, which means all of the time that is asked for."""
        return not (self.months or self.microseconds)

    def starts(self, origin: int, last: int) -> Iterator[int]:
        """Starts of periods from `origin` to the one that follows `last`, in order."""
        number, start, before = 0, origin, -1
        while before < start <= last:
            yield start
            number += 1
            before, start = start, self.after(origin, number)
        yield start

    def after(self, origin: int, number: int) -> int:
        """End of the last of a number of periods that begin at `origin`."""
        start = origin
        if self.months:
            at = _EPOCH + timedelta(microseconds=origin)
            year, month = divmod(at.year * 12 + at.month - 1 + number * self.months, 12)
            if year > datetime.max.year:
                return _LAST
            day = min(at.day, calendar.monthrange(year, month + 1)[1])
            moved = at.replace(year=year, month=month + 1, day=day)
            start = (moved - _EPOCH) // timedelta(microseconds=1)
        return min(_LAST, start + number * self.microseconds)


WHOLE = Duration()
"""All of the time that is asked for."""


def duration(text: str) -> Duration:
    """Read a duration such as ``PT15M``, ``P1M`` or ``PT0S``.

    Raises
    ------
    ProblemError
        BadRequestData if it is none.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise bad(f"aggrPeriodDuration {text!r:.40} is no duration such as PT1H or P1D (4.5.19)")
    part = {name: value or "0" for name, value in match.groupdict().items()}
    whole, _, fraction = part["seconds"].partition(".")
    days = 7 * int(part["weeks"]) + int(part["days"])
    seconds = 86_400 * days + 3600 * int(part["hours"]) + 60 * int(part["minutes"]) + int(whole)
    return Duration(
        12 * int(part["years"]) + int(part["months"]),
        1_000_000 * seconds + int(fraction.ljust(6, "0")),
    )
