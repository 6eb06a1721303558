"""Same or not: whatever a broker does to the writing, and nothing that it does to the content."""

import copy
import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.models import contexts
from ldt_toolbox.publish import FinishedRun, entities_of
from ldt_toolbox.publish.compare import Comparer
from ldt_toolbox.publish.vocabulary import by_language, link, number, text, with_context
from pyld import jsonld


def load(url: str, _: object) -> dict[str, Any]:
    return {"document": contexts.load(url), "documentUrl": url, "contextUrl": None}


def by_the_core_context_alone(entity: dict[str, Any]) -> dict[str, Any]:
    """As a broker answers that was asked without a context: pyld does what JSON-LD says."""
    options = {"documentLoader": load}
    told = jsonld.compact(jsonld.expand(entity, options), contexts.CORE_URL, options)
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]


def test_every_entity_of_a_run_is_known_again(run: FinishedRun) -> None:
    comparer = Comparer()
    entities = entities_of(run).entities
    for entity in entities:
        theirs = by_the_core_context_alone(entity)
        assert theirs != entity
        theirs["modifiedAt"] = theirs["createdAt"] = "2026-07-01T12:00:00Z"
        assert comparer.same(entity, theirs), entity["id"]
    for one, other in pairwise(entities):
        assert not comparer.same(one, other)


@st.composite
def places(draw: st.DrawFn, entity: dict[str, Any]) -> tuple[Any, ...]:
    """Path to some leaf of an entity."""
    where: list[Any] = []
    value: Any = {name: one for name, one in entity.items() if name != "@context"}
    while isinstance(value, dict | list):
        keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
        where.append(draw(st.sampled_from(keys)))
        value = value[where[-1]]
    return tuple(where)


ENTITY = with_context(
    {
        "id": "urn:ngsi-ld:RiskIndicator:1",
        "type": "RiskIndicator",
        "label": by_language({"en": "Hot", "fr": "Chaud"}),
        "indicatorValue": number(3.5, "KEL") | {"observedAt": "2026-07-01T12:00:00Z"},
        "lowerBound": number(1, "gain"),
        "assumptions": text(["calm sea", "no wind"]),
        "location": {
            "type": "GeoProperty",
            "value": {"type": "LineString", "coordinates": [[7.4, 43.7], [7.5, 43.8]]},
        },
        "refSimulationRun": link("urn:ngsi-ld:SimulationRun:1"),
        "derivedFrom": link(["urn:ngsi-ld:Dataset:1", "urn:ngsi-ld:Dataset:2"]),
        "parameters": text({"cell_size_m": 5, "rings": [2, 5], "inner": {"deep": "x"}}),
    }
)


@given(where=places(ENTITY))
def test_any_change_of_a_leaf_is_seen(where: tuple[Any, ...]) -> None:
    theirs = copy.deepcopy(ENTITY)
    inner: Any = theirs
    for step in where[:-1]:
        inner = inner[step]
    leaf = inner[where[-1]]
    inner[where[-1]] = leaf + 1 if isinstance(leaf, int | float) else leaf + "x"
    assert not Comparer().same(ENTITY, theirs)


@given(name=st.sampled_from(sorted(set(ENTITY) - {"@context", "id", "type"})))
def test_a_missing_or_added_attribute_is_seen(name: str) -> None:
    less = {key: value for key, value in ENTITY.items() if key != name}
    assert not Comparer().same(ENTITY, less)
    assert not Comparer().same(less, ENTITY)


def test_order_counts_where_it_means_something() -> None:
    comparer = Comparer()
    turned = copy.deepcopy(ENTITY)
    turned["derivedFrom"]["object"].reverse()
    assert comparer.same(ENTITY, turned), "objects are a set"
    turned["assumptions"]["value"].reverse()
    assert not comparer.same(ENTITY, turned), "a list is none"
