"""Instances of a temporal evolution, out of parsed JSON (GS CIM 009 V1.8.1, 4.5.6 to 4.5.9)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ldt_toolbox.errors import DataError
from ldt_toolbox.models.lint_attributes import CONTENT, DELETED

#: Members of an evolution that are no attributes.
MEMBERS = frozenset(
    ("id", "type", "@context", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt")
)
TIMES = ("observedAt", "createdAt", "modifiedAt", "deletedAt")

_SINGLE = tuple(dict.fromkeys(CONTENT.values()))
# `objectsLists` is what the core context calls it (Annex B)
_PAIRS = {f"{key}s": key for key in _SINGLE} | {"objectsLists": "objectList"}
# In the simplified form these stay wrapped in an object, so that the value tells its kind
_WRAPPED = frozenset(("languageMap", "json", "vocab"))
#: Methods of aggregation (clause 4.5.19), which give periods and no instances.
_METHODS = frozenset(("totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq"))


class Rows(NamedTuple):
    """Instances of one attribute, one list each of equal length.

    Attributes
    ----------
    values : list
        Number, text, geometry, object of a relationship, ...; None if there is none, or the
        attribute was deleted then.
    times, units, sets : list
        Text of the time, unit code and datasetId; empty if there is none.
    """

    values: list[Any]
    times: list[Any]
    units: list[str]
    sets: list[str]


def rows(attribute: Any, *, timeproperty: str) -> Rows:
    """Return the instances of an attribute.

    Parameters
    ----------
    attribute : object
        What stands behind the name: an instance, an object with pairs, a list of either, or the
        bare value of the concise representation.
    timeproperty : str
        Which time counts where instances tell several.

    Raises
    ------
    DataError
        If it holds aggregates.
    """
    found = Rows([], [], [], [])
    listed = attribute if isinstance(attribute, list) else [attribute]
    if not listed or not all(isinstance(block, dict) for block in listed):
        listed = [{"value": attribute}]
    for block in listed:
        unit, dataset = _text(block.get("unitCode")), _text(block.get("datasetId"))
        single = next((key for key in _SINGLE if key in block), "")
        plural = "" if single else _plural(block)
        if plural:
            _add_pairs(found, block[plural], _PAIRS[plural], unit, dataset)
            continue
        if not single and not _METHODS.isdisjoint(block):
            methods = ", ".join(sorted(_METHODS.intersection(block)))
            raise DataError(
                f"aggregates ({methods}) are no observations: "
                "pandas.DataFrame(aggregates(entity)) of the client is a table of them"
            )
        value = block[single] if single else _bare(block)
        found.values.append(_there(value))
        found.times.append(block.get(timeproperty, ""))
        found.units.append(unit)
        found.sets.append(dataset)
    return found


def type_text(written: Any) -> str:
    """Return the name of the type; several with `, ` between them."""
    names: Sequence[Any] = written if isinstance(written, list) else [written]
    return ", ".join(name for name in names if isinstance(name, str))


def _plural(block: Mapping[str, Any]) -> str:
    return next((key for key in _PAIRS if isinstance(block.get(key), list)), "")


def _add_pairs(found: Rows, pairs: list[Any], single: str, unit: str, dataset: str) -> None:
    kept = [pair for pair in pairs if isinstance(pair, list) and len(pair) > 1]
    values = [pair[0] for pair in kept]
    if single in _WRAPPED:
        values = [
            one[single] if isinstance(one, dict) and set(one) == {single} else one for one in values
        ]
    found.values.extend(map(_there, values))
    found.times.extend(pair[1] for pair in kept)
    found.units.extend([unit] * len(kept))
    found.sets.extend([dataset] * len(kept))


def _bare(block: dict[str, Any]) -> Any:
    """Value of a block without one: a geometry or an object that stands for itself, or nothing."""
    return None if not block or block.get("type") in CONTENT else block


def _text(written: Any) -> str:
    return written if isinstance(written, str) else ""


def _there(value: Any) -> Any:
    """Value, or None where the attribute was deleted."""
    return None if isinstance(value, str | dict | list) and value in DELETED else value
