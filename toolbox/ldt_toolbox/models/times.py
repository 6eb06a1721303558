"""Dates and times as NGSI-LD writes them: ISO 8601."""

import re
from datetime import date, datetime

#: Written into the JSON Schemas; what a date-time looks like, whatever its digits say.
DATE_TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}([.,]\d{1,6})?(Z|[+-]\d{2}:\d{2})?$"
DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
_DATE_TIME = re.compile(DATE_TIME_PATTERN, re.ASCII)
_DATE = re.compile(DATE_PATTERN, re.ASCII)
_DURATION = re.compile(
    r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?", re.ASCII
)


def read_date_time(text: object) -> datetime | None:
    """Return the instant that an ISO 8601 text names, or None.

    Parameters
    ----------
    text : object
        For example ``2024-07-01T12:00:00Z``; without a zone the answer has none.
    """
    if not isinstance(text, str) or not _DATE_TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None


def is_date(text: object) -> bool:
    """Whether a text is a calendar date of ISO 8601."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_interval(text: object) -> bool:
    """Whether a text is an interval of ISO 8601: two instants, or one and a duration.

    Examples
    --------
    >>> is_interval("2024-07-01T00:00:00Z/P1D"), is_interval("2024-07-01/2024-07-02")
    (True, True)
    """
    if not isinstance(text, str) or text.count("/") != 1:
        return False
    ends = text.split("/")
    instants = [read_date_time(end) is not None or is_date(end) for end in ends]
    durations = [_DURATION.fullmatch(end) is not None for end in ends]
    return all(instants) or (any(instants) and any(durations))


def fault(value: object, kind: str) -> str:
    """Say why a value is no time of its kind; empty if it is one.

    Parameters
    ----------
    value : object
        Text of an entity.
    kind : str
        `date-time`, `date` or `period` (an instant or an interval).
    """
    fits = {
        "date-time": read_date_time(value) is not None,
        "date": is_date(value),
        "period": read_date_time(value) is not None or is_date(value) or is_interval(value),
    }
    if fits[kind]:
        return ""
    if is_interval(value):
        return "is an interval where one instant is asked for"
    if is_date(value):
        return "is a date without a time"
    return "is not ISO 8601"
