"""Temporal evolution of entities as data (GS CIM 009 V1.8.1, 4.5.6 to 4.5.9): series, merging.

Servers write an attribute as one object or as a list of them, and the simplified form
(`temporalValues`) as one object with pairs or, with several datasets, as a list of such objects.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json import dumps
from typing import Any

from ldt_toolbox.clients.imperfect import ImperfectServerWarning, report
from ldt_toolbox.clients.ngsi_ld.aggregation import METHODS
from ldt_toolbox.errors import WrongUseError

Entity = dict[str, Any]

VALUE_KEYS = {
    "values": "value",
    "objects": "object",
    "languageMaps": "languageMap",
    "vocabs": "vocab",
    "jsons": "json",
    "valueLists": "valueList",
    "objectLists": "objectList",
    "objectsLists": "objectList",  # so the core context (Annex B)
}
"""Members that hold pairs of value and time in the simplified form, and what one value is."""

_WRAPPED = frozenset({"languageMaps", "jsons", "vocabs"})
_NO_ATTRIBUTE = frozenset({"id", "type", "@context"})
_BARE = frozenset({"scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})
_NULL = "urn:ngsi-ld:null"
# Servers keep seconds or milliseconds; what lies this near a boundary may come on both sides
_BLUR = timedelta(seconds=2)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Observation:
    """One instance of an attribute.

    Attributes
    ----------
    entity_id, attribute, dataset_id : str
        Where it belongs; `dataset_id` is empty for the default instance.
    time : str
        When, as the server wrote it; empty if it has no time.
    value : object
        Value, or object of a relationship.
    unit_code : str
        UN/CEFACT code of the unit; empty if unknown, as always in the simplified form.
    deleted : bool
        Whether the attribute was deleted then: an NGSI-LD Null (4.5.0), given as the value None.
    """

    entity_id: str
    attribute: str
    dataset_id: str
    time: str
    value: Any
    unit_code: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Series:
    """Times of one attribute and dataset of one entity.

    Attributes
    ----------
    count : int
        Number of instances with a time.
    first, last : datetime.datetime
        Earliest and latest time, in UTC.
    """

    count: int
    first: datetime
    last: datetime


SeriesKey = tuple[str, str, str]
"""Entity, attribute, dataset."""

_Key = tuple[str, str, str]  # attribute, dataset, member that holds pairs


@lru_cache(maxsize=4096)
def moment(text: str) -> datetime | None:
    """Instant that a text names, in UTC; None if it names none. Without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def observations(
    entity: Mapping[str, Any], *, timeproperty: str = "observedAt"
) -> Iterator[Observation]:
    """Instances of all attributes, from the normalized or the simplified temporal form.

    Parameters
    ----------
    entity : mapping
        Temporal evolution of one entity, as a server sends it.
    timeproperty : str
        Which time counts in the normalized form.

    Yields
    ------
    Observation
        In the order of the server.

    Raises
    ------
    WrongUseError
        The entity holds aggregates, which `aggregates` reads.

    Warns
    -----
    ImperfectServerWarning
        An attribute is written as no form of the standard, and is left out.
    """
    entity_id = str(entity.get("id", ""))
    _tell_unreadable(entity)
    for attribute, block in _blocks(entity):
        dataset_id = str(block.get("datasetId", ""))
        pairs_key = _pairs_key(block)
        if pairs_key is None:
            found = [key for key in VALUE_KEYS.values() if key in block]
            if not found and not METHODS.isdisjoint(block):
                raise WrongUseError(f"{attribute} of {entity_id} is aggregated; use aggregates()")
            value = block[found[0]] if found else None
            time, unit = str(block.get(timeproperty, "")), str(block.get("unitCode", ""))
            yield _observation((entity_id, attribute, dataset_id), time, value, unit)
            continue
        for pair in pairs_of(block, pairs_key):
            value = _bare(pair[0], VALUE_KEYS[pairs_key]) if pairs_key in _WRAPPED else pair[0]
            yield _observation((entity_id, attribute, dataset_id), str(pair[1]), value, "")


def _observation(key: "SeriesKey", time: str, value: Any, unit: str) -> Observation:
    gone = value in (_NULL, [_NULL], {"@none": _NULL})
    return Observation(*key, time, None if gone else value, unit, gone)


def _tell_unreadable(entity: Mapping[str, Any]) -> None:
    odd = [
        name
        for name, value in entity.items()
        if name not in _NO_ATTRIBUTE | _BARE and not _instances(value) and value != []
    ]
    if odd:
        report(
            ImperfectServerWarning(
                f"{', '.join(odd)} of {entity.get('id', 'an entity')}: no instances with a time "
                "(GS CIM 009, 4.5.7 and 4.5.9), left out; ask for the other form"
            ),
            stacklevel=3,
        )


def holds_instances(entities: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is any instance of an attribute, with or without a time."""
    return any(True for entity in entities for _ in _blocks(entity))


def series_of(entities: Iterable[Mapping[str, Any]], timeproperty: str) -> dict[SeriesKey, Series]:
    """Count and extent of each series; instances without a time are left out."""
    times: dict[SeriesKey, list[str]] = {}
    for entity in entities:
        entity_id = str(entity.get("id", ""))
        for attribute, block in _blocks(entity):
            key = (entity_id, attribute, str(block.get("datasetId", "")))
            pairs_key = _pairs_key(block)
            if pairs_key is None:
                times.setdefault(key, []).append(str(block.get(timeproperty, "")))
            else:
                times.setdefault(key, []).extend(str(p[1]) for p in pairs_of(block, pairs_key))
    found = {key: _extent(texts) for key, texts in times.items()}
    return {key: series for key, series in found.items() if series is not None}


def _extent(texts: list[str]) -> Series | None:
    if texts and texts[0].endswith("Z") and len(set(map(len, texts))) == 1:
        # Texts of one form in one zone are in the order of their times: parse the ends only
        first, last = moment(min(texts)), moment(max(texts))
        if first is not None and last is not None and all(text[-1] == "Z" for text in texts):
            return Series(len(texts), first, last)
    moments = [at for at in map(moment, texts) if at is not None]
    return Series(len(moments), min(moments), max(moments)) if moments else None


def merged(parts: Iterable[Mapping[str, Any]], *, timeproperty: str) -> Entity:
    """One evolution from those of neighbouring windows, earliest first.

    What two neighbours both have at their boundary is taken once; attributes that have no time
    are taken from the first.
    """
    merger = _Merger()
    for part in parts:
        for name in part:
            if name in _NO_ATTRIBUTE or not _instances(part[name]):
                merger.whole.setdefault(name, part[name])
        for name, block in _blocks(part):
            pairs_key = _pairs_key(block)
            key = (name, str(block.get("datasetId", "")), pairs_key or "")
            if pairs_key is None:
                for instance in merger.fresh(key, [block], [str(block.get(timeproperty, ""))]):
                    _put(merger.whole, name, instance)
                continue
            pairs = pairs_of(block, pairs_key)
            merger.extend(key, block, merger.fresh(key, pairs, [str(p[1]) for p in pairs]))
        merger.end_part()
    return merger.whole


class _Merger:
    """Evolution that grows part by part, with what lies near the end of each series."""

    def __init__(self) -> None:
        self.whole: Entity = {}
        self._pairs: dict[_Key, dict[str, Any]] = {}
        self._near: dict[_Key, tuple[datetime, set[str]]] = {}
        self._pending: dict[_Key, list[tuple[datetime, Any]]] = {}

    def fresh(self, key: _Key, items: list[Any], times: list[str]) -> list[Any]:
        """Items that no earlier part had."""
        end, known = self._near.get(key, (_NEVER, set()))
        pending = self._pending.setdefault(key, [])
        kept = []
        for item, text in zip(items, times, strict=True):
            at = moment(text) or _NEVER
            if known and at <= end + _BLUR and _mark(item) in known:
                continue
            kept.append(item)
            pending.append((at, item))
        return kept

    def extend(self, key: _Key, block: dict[str, Any], pairs: list[Any]) -> None:
        """Add pairs of the simplified form."""
        name, _, pairs_key = key
        if key in self._pairs:
            self._pairs[key][pairs_key].extend(pairs)
        else:
            self._pairs[key] = {**block, pairs_key: pairs}
            _put(self.whole, name, self._pairs[key])

    def end_part(self) -> None:
        """Remember what is near the end of each series, which the next part may repeat."""
        for key, pending in self._pending.items():
            if not pending:
                continue
            end = max(at for at, _ in pending)
            marks = {_mark(item) for at, item in pending if at is _NEVER or end <= at + 2 * _BLUR}
            self._near[key] = (end, marks)
        self._pending = {}


def last_instances(entity: Mapping[str, Any], number: int, *, timeproperty: str) -> Entity:
    """Evolution reduced to the latest instances of each attribute and dataset (`lastN`)."""
    kept: Entity = {
        name: value
        for name, value in entity.items()
        if name in _NO_ATTRIBUTE or not _instances(value)
    }
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for name, block in _blocks(entity):
        pairs_key = _pairs_key(block)
        if pairs_key is not None:
            pairs = pairs_of(block, pairs_key)
            pairs = sorted(pairs, key=lambda pair: _sortable(pair[1]))[-number:]
            _put(kept, name, {**block, pairs_key: pairs})
        else:
            groups.setdefault((name, str(block.get("datasetId", ""))), []).append(block)
    for (name, _), blocks in groups.items():
        blocks.sort(key=lambda block: _sortable(block.get(timeproperty)))
        for block in blocks[-number:]:
            _put(kept, name, block)
    return kept


def since(entity: Mapping[str, Any], start: datetime, *, timeproperty: str) -> Entity:
    """Evolution without the instances before an instant; those without a time stay."""
    kept: Entity = {name: entity[name] for name in entity if name in _NO_ATTRIBUTE}
    for name, block in _blocks(entity):
        pairs_key = _pairs_key(block)
        if pairs_key is not None:
            pairs = [p for p in pairs_of(block, pairs_key) if not _before(p[1], start)]
            _put(kept, name, {**block, pairs_key: pairs})
        elif not _before(block.get(timeproperty), start):
            _put(kept, name, block)
    return kept


def _before(text: Any, start: datetime) -> bool:
    at = moment(str(text))
    return at is not None and at < start


def in_pairs(answer: Any) -> bool | None:
    """Whether evolutions are in the simplified form (`temporalValues`); None if nothing tells."""
    for entity in answer if isinstance(answer, list) else [answer]:
        for _, block in _blocks(entity) if isinstance(entity, dict) else ():
            if _pairs_key(block) is not None:
                return True
            if any(key in block for key in VALUE_KEYS.values()):
                return False
    return None


def _blocks(entity: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in entity.items():
        if name in _NO_ATTRIBUTE:
            continue
        for block in _instances(value):
            yield name, block


def _instances(value: Any) -> list[dict[str, Any]]:
    """Instances of an attribute; none if the value is written in no form of the standard."""
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        return []
    found = [block for block in value if isinstance(block, dict)]
    # Values and times in turn, without pairs and kind: what compaction of lists leaves over
    return found or ([{"values": value}] if _flat(value) else [])


def _flat(values: list[Any]) -> bool:
    turns = bool(values) and len(values) % 2 == 0
    return turns and all(isinstance(at, str) and moment(at) is not None for at in values[1::2])


def pairs_of(block: Mapping[str, Any], pairs_key: str) -> list[list[Any]]:
    """Pairs of value and time; also those of a list that was flattened."""
    values: list[Any] = block[pairs_key]
    pairs = [pair for pair in values if isinstance(pair, list) and len(pair) > 1]
    if pairs or not _flat(values):
        return pairs
    return [list(pair) for pair in zip(values[::2], values[1::2], strict=True)]


def _pairs_key(block: Mapping[str, Any]) -> str | None:
    """Member with pairs; a normalized instance may have a sub-attribute of such a name."""
    return next(
        (
            key
            for key, single in VALUE_KEYS.items()
            if isinstance(block.get(key), list) and single not in block
        ),
        None,
    )


def _bare(value: Any, single: str) -> Any:
    """Value of a pair; language maps, JSON and vocabulary terms come in an object (4.5.9)."""
    return value[single] if isinstance(value, dict) and set(value) == {single} else value


def _sortable(text: Any) -> datetime:
    return moment(str(text)) or _NEVER


def _put(entity: Entity, name: str, block: dict[str, Any]) -> None:
    if name not in entity:
        entity[name] = block
    elif isinstance(entity[name], list):
        entity[name].append(block)
    else:
        entity[name] = [entity[name], block]


def _mark(item: Any) -> str:
    return dumps(item, sort_keys=True)
