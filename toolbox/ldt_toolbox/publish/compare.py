"""Whether an entity that a broker holds is the one that would be written."""

from collections.abc import Mapping
from typing import Any

from ldt_toolbox.models.contexts import Terms, terms
from ldt_toolbox.publish.vocabulary import Entity

_MEMBERS = frozenset(("@context", "createdAt", "modifiedAt", "deletedAt", "instanceId"))
#: Values whose keys are data, or GeoJSON: no terms of a context.
_OPAQUE = ("value", "languageMap", "json")
#: A JSON-LD processor gives these as a set: their order means nothing.
_SETS = ("object", "type")


class Comparer:
    """Compares entities whatever context and representation of lists a broker chose.

    Names are expanded on both sides, a list of one equals its element (JSON-LD compaction), and
    what the broker adds is left out.
    """

    def __init__(self) -> None:
        self._known: list[tuple[Any, Terms]] = []

    def same(self, ours: Entity, theirs: Entity) -> bool:
        """Whether writing ours would change what is there."""
        return bool(self._plain(ours) == self._plain(theirs))

    def _plain(self, entity: Entity) -> Any:
        said = self._terms(entity.get("@context"))
        return {
            said.expand(name): _value(value, said, name)
            for name, value in entity.items()
            if name not in _MEMBERS
        }

    def _terms(self, context: Any) -> Terms:
        for known, found in self._known:
            if known == context:
                return found
        found = terms(context)
        self._known = [(context, found), *self._known[:15]]
        return found


def _value(value: Any, said: Terms, name: str) -> Any:
    if name in _OPAQUE:
        return _data(value, said)
    if name == "type" and isinstance(value, list | str):
        kinds = value if isinstance(value, list) else [value]
        return sorted(said.expand(one) for one in kinds)
    if isinstance(value, Mapping):
        return {
            said.expand(inner): _value(one, said, inner)
            for inner, one in value.items()
            if inner not in _MEMBERS
        }
    if isinstance(value, list):
        listed = [_value(one, said, name) for one in value]
        if name in _SETS:
            listed.sort(key=repr)
        return listed[0] if len(listed) == 1 else listed
    return value


def _data(value: Any, said: Terms) -> Any:
    """Content of a Property: numbers by their value, keys by what they mean, lists of one bare."""
    if isinstance(value, Mapping):
        return {said.expand(str(key)): _data(one, said) for key, one in value.items()}
    if isinstance(value, list):
        listed = [_data(one, said) for one in value]
        return listed[0] if len(listed) == 1 else listed
    return value
