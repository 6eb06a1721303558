"""Entities that are right, made from the declarations: the base that each test spoils."""

import copy

import pytest
from ldt_toolbox.models.contexts import context_of
from ldt_toolbox.models.types import catalogue
from ldt_toolbox.models.units import COUNT

VALUES = {
    "text": "text",
    "boolean": True,
    "date-time": "2024-07-01T12:00:00Z",
    "date": "2024-07-01",
    "period": "2024-07-01T00:00:00Z/2024-07-02T00:00:00Z",
    "uri": "https://example.org/page",
    "object": {"key": "value"},
    "list": ["one", "two"],
    "any": 1.5,
}
POINT = {"type": "Point", "coordinates": [7.42, 43.73]}


def value_of(one):
    if one.choices:
        return one.choices[0]
    if one.value != "number":
        return VALUES[one.value]
    low = one.minimum if one.minimum is not None else 0
    high = one.maximum if one.maximum is not None else low + 2
    return (low + high) / 2


def instance_of(one):
    if one.kind == "Relationship":
        target = "urn:ngsi-ld:Thing:1"
        return {"type": one.kind, "object": [target] if one.many else target}
    if one.kind == "GeoProperty":
        return {"type": one.kind, "value": POINT}
    if one.kind == "LanguageProperty":
        return {"type": one.kind, "languageMap": {"en": "text", "fr": "texte"}}
    made = {"type": one.kind, "value": value_of(one)}
    if one.unit:
        made["unitCode"] = COUNT if one.unit == "*" else one.unit
    return made


def right_entity(name):
    kind = catalogue()[name]
    attributes = {term: instance_of(one) for term, one in kind.attributes.items()}
    head = {"id": f"urn:ngsi-ld:{name}:1", "type": name}
    return {**head, **attributes, "@context": context_of(name)}


@pytest.fixture
def right():
    """Make an entity of a type with every attribute that the model has, none of them wrong."""
    return lambda name="WeatherObserved": copy.deepcopy(right_entity(name))
