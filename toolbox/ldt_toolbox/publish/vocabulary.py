"""Ids, terms and attributes of the entities that publishing makes."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ldt_toolbox.models.contexts import CORE_URL, type_terms
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.models.units import is_standard

Entity = dict[str, Any]

PROV = "http://www.w3.org/ns/prov#"
_OWN = "urn:ldt-toolbox:model:"
#: Terms beyond those of the entity types: the links of PROV-O, and what MIM8 asks of every output.
TERMS: Mapping[str, str] = {
    "generatedBy": f"{PROV}wasGeneratedBy",
    "derivedFrom": f"{PROV}wasDerivedFrom",
    "used": f"{PROV}used",
    "unitText": "https://schema.org/unitText",
    "dataRole": f"{_OWN}dataRole",
    "dataProvenance": f"{_OWN}dataProvenance",
    "intervalMeaning": f"{_OWN}intervalMeaning",
    "iso37101Issue": f"{_OWN}iso37101Issue",
    "notComputed": f"{_OWN}notComputed",
    "refScenario": f"{_OWN}refScenario",
    "refSimulationRun": f"{_OWN}refSimulationRun",
}
_MEMBERS = ("id", "type", "@context")


def urn(kind: str, *parts: str) -> str:
    """Id of an entity; what a URN cannot hold is written as %XX.

    Examples
    --------
    >>> urn("RiskIndicator", "heat-islands", "monaco", "1", "hot share")
    'urn:ngsi-ld:RiskIndicator:heat-islands:monaco:1:hot%20share'
    """
    return ":".join(["urn:ngsi-ld", kind, *(quote(part, safe="-._~") for part in parts)])


def belongs(entity_id: str, run_urn: str) -> bool:
    """Whether publishing a run made an entity: its id holds that of the run behind its type.

    Examples
    --------
    >>> run = "urn:ngsi-ld:SimulationRun:heat-islands:monaco:1"
    >>> belongs("urn:ngsi-ld:RiskIndicator:heat-islands:monaco:1:hot", run), belongs(run, run)
    (True, True)
    >>> belongs("urn:ngsi-ld:RiskIndicator:heat-islands:monaco:12:hot", run)
    False
    """
    own = run_urn.split(":", 3)[3]
    return f"{entity_id}:".split(":", 3)[-1].startswith(f"{own}:")


def terms_of(kind: str) -> dict[str, str]:
    """Every term that an entity of a type may hold, with its IRI."""
    model = catalogue()[kind]
    return {**TERMS, **type_terms(model)}


def with_context(entity: Entity) -> Entity:
    """Put the `@context` on: the terms that the entity holds, written out, then the core.

    No address has to be reached to read it, neither by a broker nor by a person.
    """
    known = terms_of(entity["type"])
    held = {entity["type"], *(name for name in entity if name not in _MEMBERS)}
    for attribute in entity.values():
        held |= set(attribute) if isinstance(attribute, dict) else set()
    context = {term: known[term] for term in sorted(held) if term in known}
    return {**entity, "@context": [context, CORE_URL]}


def text(value: Any) -> dict[str, Any]:
    """Property without a unit."""
    return {"type": "Property", "value": value}


def number(value: float, unit: str) -> dict[str, Any]:
    """Property with its unit: a code of UN/CEFACT, else the toolbox's own name of the unit."""
    made = text(value)
    if unit == "share":  # 0 to 1
        return {**made, "unitCode": "C62"}
    if is_standard(unit):
        return {**made, "unitCode": unit}
    return {**made, "unitText": text(unit)} if unit else made


def link(target: str | Sequence[str]) -> dict[str, Any]:
    """Relationship to one entity or several."""
    return {"type": "Relationship", "object": target if isinstance(target, str) else list(target)}


def by_language(texts: Mapping[str, str]) -> dict[str, Any]:
    """LanguageProperty."""
    return {"type": "LanguageProperty", "languageMap": dict(texts)}


def without_gaps(entity: Entity) -> Entity:
    """Leave out attributes that hold nothing: NGSI-LD has no null, and no use for empty texts."""
    return {name: value for name, value in entity.items() if not _empty(value)}


def _empty(attribute: Any) -> bool:
    if not isinstance(attribute, dict):
        return attribute is None
    held = [attribute[key] for key in ("value", "object", "languageMap") if key in attribute]
    return not held or held[0] is None or held[0] in ("", [], {})
