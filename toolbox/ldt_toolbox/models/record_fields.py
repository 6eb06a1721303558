"""Fields of records: also those inside of others, and names that no record knows."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from ldt_toolbox.documents import nearest

_NOTHING = object()


class UnknownFieldWarning(UserWarning):
    """A mapping table names a field that no record has: what it should fill stays empty."""


def value_of(record: Mapping[str, Any], field: str) -> Any:
    """Value of a field, None if the record does not have it.

    Parameters
    ----------
    record : mapping
        Value by field; a value may be an object or a list in turn.
    field : str
        Name, or a path with dots where no field has it as its name: names of members, and places
        in lists from 0.

    Examples
    --------
    >>> value_of({"geo": {"coordinates": [7.4, 43.7]}}, "geo.coordinates.1")
    43.7
    """
    found = _find(record, field)
    return None if found is _NOTHING else found


def _find(record: Mapping[str, Any], field: str) -> Any:
    if field in record:
        return record[field]
    found: Any = record if "." in field else _NOTHING
    for part in field.split("."):
        if isinstance(found, Mapping):
            found = found.get(part, _NOTHING)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return _NOTHING
    return found


class Unseen:
    """Fields that no record has had so far.

    Parameters
    ----------
    fields : iterable of str
        Fields that a table names.
    """

    def __init__(self, fields: Iterable[str]) -> None:
        self._fields = dict.fromkeys(fields)
        self._known: dict[str, None] = {}
        self._records = 0

    def see(self, record: Mapping[str, Any]) -> None:
        """Take note of a record."""
        self._records += 1
        if not self._fields:
            return
        for field in [one for one in self._fields if _find(record, one) is not _NOTHING]:
            del self._fields[field]
        self._known.update(dict.fromkeys(name for name in record if isinstance(name, str)))

    def tell(self) -> None:
        """Warn of the fields that none had, if there was any record.

        Warns
        -----
        UnknownFieldWarning
            Once for each.
        """
        for field in self._fields if self._records else ():
            others = [name for name in self._known if name != field]
            hint = nearest(field, others) if others else "they have no fields at all"
            text = f"none of {self._records} records has the field {field!r}: {hint}"
            warnings.warn(UnknownFieldWarning(text), stacklevel=3)
