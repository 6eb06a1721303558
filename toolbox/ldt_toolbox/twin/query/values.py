"""Values of the query language as keys that SQLite and Python order alike (GS CIM 009, 4.9).

A number is itself, a text is itself, and what has an order or an identity of its own - truth
values, instants, dates, times of day, URIs that relationships point to - is a blob with one
letter for its kind in front. SQLite sorts numbers before texts before blobs, so that a range
never crosses kinds.
"""

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

Key = int | float | str | bytes
"""A value in the index."""

#: Longer texts are cut in the index; comparisons with literals that are no longer stay exact.
TEXT_LENGTH = 250

#: Stands for a value without an order: an object, an empty list.
OTHER = b"~"

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d:\d\d([.,]\d{1,9})?Z?", re.ASCII)
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def temporal_key(text: str) -> bytes | None:
    """Key of a DateTime, Date or Time as 4.6.3 writes them, or None for any other text."""
    if len(text) < 8 or not text[:2].isdigit():
        return None
    try:
        if _INSTANT.fullmatch(text):
            return b"D" + _microseconds(text).to_bytes(8, "big")
        if _DATE.fullmatch(text):
            return b"d" + date.fromisoformat(text).toordinal().to_bytes(4, "big")
        if _TIME.fullmatch(text):
            at = time.fromisoformat(text.rstrip("Z").replace(",", "."))
            seconds = at.hour * 3600 + at.minute * 60 + at.second
            return b"t" + (seconds * 1_000_000 + at.microsecond).to_bytes(8, "big")
    except (ValueError, OverflowError):
        return None
    return None


def _microseconds(text: str) -> int:
    since = datetime.fromisoformat(text.replace(",", ".")).astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def uri_key(uri: str) -> bytes:
    """Key of the object of a relationship, which is equal or not but has no order."""
    return b"u" + uri.encode()


def boolean_key(value: bool) -> bytes:
    """Key of a truth value."""
    return b"b1" if value else b"b0"


def number_key(value: float) -> int | float:
    """Key of a number; whole numbers beyond 64 bits lose digits."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 2**1000 else math.copysign(math.inf, value)
    return value


def cut(key: Key) -> Key:
    """Key as it is in the index: long texts are cut."""
    return key if isinstance(key, int | float) else key[:TEXT_LENGTH]


def _scalar_keys(value: Any) -> Iterator[Key]:
    """Keys of one value that is no list: a text that is an instant has two."""
    if isinstance(value, str):
        yield value
        temporal = temporal_key(value)
        if temporal is not None:
            yield temporal
    elif isinstance(value, bool):
        yield boolean_key(value)
    elif isinstance(value, int | float):
        yield number_key(value)
    elif isinstance(value, dict) and "@value" in value:
        yield from _scalar_keys(value["@value"])
    else:
        yield OTHER


def keys(value: Any) -> set[Key]:
    """Keys of a JSON value; those of its members if it is a list, `OTHER` if that is empty."""
    if isinstance(value, list):
        found = {key for member in value for key in _scalar_keys(member)}
        return found or {OTHER}
    return set(_scalar_keys(value))


def instance_keys(kind: str, value: Any) -> set[Key]:
    """Keys of the target value of an attribute of a type (4.9).

    Parameters
    ----------
    kind : str
        Type of attribute, such as ``Property``.
    value : Any
        What the instance holds: value, object, languageMap, vocab, json, valueList, objectList.
    """
    match kind:
        case "Relationship" | "ListRelationship":
            many = value if isinstance(value, list) else [value]
            return {uri_key(each) for each in many} or {OTHER}
        case "LanguageProperty":
            return {key for text in value.values() for key in keys(text)} or {OTHER}
        case "GeoProperty":
            return {OTHER}
    return keys(value)
