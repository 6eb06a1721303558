"""Whether entities came in the form that was asked for (GS CIM 009 V1.8.1, 4.5 and 6.3.7)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ldt_toolbox.clients.answer import Answer
from ldt_toolbox.clients.errors import BadRequest
from ldt_toolbox.clients.imperfect import CapabilityWarning, report
from ldt_toolbox.clients.ngsi_ld.connection import Connection
from ldt_toolbox.clients.ngsi_ld.selection import Representation, form_params

_MEMBERS = frozenset({"id", "type", "@context", "scope"})
_KINDS = frozenset(
    {
        "Property", "Relationship", "GeoProperty", "LanguageProperty", "VocabProperty",
        "JsonProperty", "ListProperty", "ListRelationship",
    }
)  # fmt: skip

_CONTENT = frozenset({"value", "object", "languageMap", "vocab", "json", "valueList", "objectList"})
"""Members of which an instance has one, also without its kind, as in the concise form."""

Ask = Callable[[], Answer]
"""Sends a request in the style that the connection has now."""


def refuses_format(error: BadRequest) -> bool:
    """Whether a refusal is about the parameter `format`, which servers before 1.8 don't know."""
    return "format" in f"{error} {error.problem.get('detail', '')}".lower()


def styled(link: Connection, ask: Ask, representation: Representation) -> Answer:
    """Answer; a server that refuses `format` is asked with `options` from then on."""
    if link.style == "options" or not form_params(representation, sys_attrs=False, style="format"):
        return ask()
    try:
        return ask()
    except BadRequest as error:
        if not refuses_format(error):
            raise
        link.older_style()
        return ask()


def in_form(
    link: Connection,
    ask: Ask,
    representation: Representation,
    read: Callable[[Answer], list[Any]],
) -> Answer:
    """Answer in a form, from servers before 1.8 too; what comes in another one is told.

    Parameters
    ----------
    link : Connection
        Knows how the server takes the wish for a form.
    ask : callable
        Sends the request.
    representation : str
        The form.
    read : callable
        Gives the entities of an answer.

    Warns
    -----
    CapabilityWarning
        The server does not know `format`, or gives another form all the same.
    """
    answer = styled(link, ask, representation)
    if representation in ("normalized", "concise") or _fits(read(answer), representation):
        return answer
    if link.style == "format" and form_params(representation, sys_attrs=False, style="format"):
        link.older_style()
        answer = ask()
        if _fits(read(answer), representation):
            return answer
    report(
        CapabilityWarning(
            f"{answer.url} answered in another form than {representation}, which was asked for "
            "(GS CIM 009, 6.3.7); take the entities as they come, models.frames.to_frame reads "
            "every form"
        ),
        stacklevel=4,
    )
    return answer


def _fits(entities: list[Any], representation: Representation) -> bool:
    """Whether nothing tells that entities are in another form; the first that tells counts.

    In the normalized and the concise form others may stand, so that nothing tells there.
    """
    for entity in entities:
        if not isinstance(entity, Mapping):
            continue
        if "geojson" in representation:
            if entity.get("type") != "Feature":
                return False
            entity = entity.get("properties") or {}
        found = next(_told(entity), None)
        if found is not None:
            return found or "simplified" not in representation
    return True


def _told(entity: Mapping[str, Any]) -> Iterator[bool]:
    """Whether an attribute is simplified, for each that tells."""
    for name, value in entity.items():
        if name in _MEMBERS:
            continue
        first = value[0] if isinstance(value, list) and value else value
        if not isinstance(first, Mapping):
            yield True
        elif first.get("type") in _KINDS:
            yield False


def single(entity: Any, representation: Representation) -> Any:
    """Entity in which an attribute of one instance is that instance, not a list of it.

    Some servers write every attribute as a list of its instances (4.5.5), also of one. In the
    simplified forms a list is a value and stays.
    """
    if "simplified" in representation or not isinstance(entity, dict):
        return entity
    for name, value in entity.items():
        if isinstance(value, list) and len(value) == 1 and _is_instance(value[0]):
            entity[name] = value[0]
    if "geojson" in representation:
        single(entity.get("properties"), "normalized")
    return entity


def _is_instance(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    return value.get("type") in _KINDS or not _CONTENT.isdisjoint(value)
