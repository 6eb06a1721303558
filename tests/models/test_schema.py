"""Schemas: valid themselves, right about right entities, and the same bytes each time."""

import json

import pytest
from jsonschema import Draft202012Validator
from ldt_toolbox.models import publish, schema
from ldt_toolbox.models.lint import lint
from ldt_toolbox.models.types import catalogue

ALL = sorted(catalogue())


def simplified(entity):
    """`keyValues` of a normalised entity, written independently of the toolbox."""
    out = {}
    for term, one in entity.items():
        if not isinstance(one, dict) or term == "@context":
            out[term] = one
        elif one["type"] == "LanguageProperty":
            out[term] = {"languageMap": one["languageMap"]}
        else:
            out[term] = one.get("value", one.get("object"))
    return out


@pytest.mark.parametrize("name", ALL)
def test_right_entities_are_valid_and_clean(name, right):
    kind, entity = catalogue()[name], right(name)
    for made, instance in (
        (schema.normalised(kind), entity),
        (schema.key_values(kind), simplified(entity)),
    ):
        Draft202012Validator.check_schema(made)
        assert list(Draft202012Validator(made).iter_errors(instance)) == []
    assert lint(entity, bbox=(7, 43, 8, 44)) == []


@pytest.mark.parametrize("name", ALL)
def test_required_attributes_are_missed(name, right):
    kind = catalogue()[name]
    judge = Draft202012Validator(schema.normalised(kind))
    for term in ("id", "type", *kind.required):
        entity = right(name)
        del entity[term]
        assert not judge.is_valid(entity), term


def test_ranges_units_and_kinds_are_judged(right):
    judge = Draft202012Validator(schema.normalised(catalogue()["WeatherObserved"]))
    for change in (
        {"value": 61},
        {"value": "21"},
        {"unitCode": "FAH"},
        {"type": "Relationship"},
        {"observedAt": "yesterday"},
        {"datasetId": "radar 1"},
    ):
        entity = right()
        entity["temperature"] |= change
        assert not judge.is_valid(entity), change
    entity = right()
    del entity["temperature"]["unitCode"]
    assert not judge.is_valid(entity)
    entity["temperature"] = [right()["temperature"], {**right()["temperature"], "datasetId": "a:b"}]
    assert judge.is_valid(entity)


def test_schema_and_lint_agree_on_ranges(right):
    """Two implementations of one declaration: just inside and just outside of every range."""
    compared = 0
    for name in ALL:
        kind = catalogue()[name]
        judge = Draft202012Validator(schema.normalised(kind))
        for term, one in kind.attributes.items():
            for bound, outside in ((one.minimum, -1), (one.maximum, 1)):
                if bound is None:
                    continue
                for value in (bound, bound + outside):
                    entity = right(name)
                    entity[term]["value"] = value
                    codes = {found.code for found in lint(entity)}
                    assert judge.is_valid(entity) == (value == bound), (name, term, value)
                    told = codes & {"out-of-range", "not-in-list"}
                    assert bool(told) == (value != bound), (name, term, value)
                    compared += 1
    assert compared > 300


def test_published_files_are_those_that_the_declarations_make():
    """After a change: `python -m ldt_toolbox.models.publish` with the folder `published`."""
    made = publish.documents()
    stored = {path.name: path.read_text(encoding="utf-8") for path in publish.PUBLISHED.iterdir()}
    assert set(stored) == set(made)
    assert [name for name in made if stored[name] != made[name]] == []
    assert publish.documents() == made


def test_published_files_are_json(tmp_path):
    written = publish.write(tmp_path / "out")
    assert len(written) == len(list(publish.PUBLISHED.iterdir())) == 75
    ids = [json.loads(path.read_text()).get("$id") for path in written]
    named = [one for one in ids if one]
    assert len(set(named)) == len(named) == 2 * len(ALL)
