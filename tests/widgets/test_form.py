"""The form: made from the manifest, holds what was changed, says what is wrong."""

import datetime
from dataclasses import replace

import ipywidgets as ipw
import pytest
from ldt_toolbox.errors import ParameterError
from ldt_toolbox.parameters import Parameter
from ldt_toolbox.territory import Territory
from ldt_toolbox.use_case import UseCase
from ldt_toolbox.widgets import form


def parameter(kind, default, *, unit="", span=(None, None), choices=(), help_en=""):
    texts = {"en": help_en or f"some {kind}", "fr": f"un {kind}"}
    return Parameter("", kind, unit, *span, default, choices, texts, "here")


KINDS = {
    "flag": parameter("boolean", True),
    "mode": parameter("choice", "fast", choices=("fast", "slow")),
    "day": parameter("date", "2025-07-15"),
    "part": parameter("number", 0.3, unit="share", span=(0, 1)),
    "rate": parameter("number", 2, unit="KEL", span=(1, 9)),
    "count": parameter("integer", 3, span=(0, 9)),
    "names": parameter("texts", []),
    "hours": parameter("integers", [10, 13], unit="HUR", span=(0, 23)),
    "free": parameter("number", None, span=(0, 5), help_en="<b>"),
}


@pytest.fixture
def kinds() -> UseCase:
    """A use case with a parameter of each type."""
    named = {name: replace(one, name=name) for name, one in KINDS.items()}
    return replace(UseCase.find("heat-islands"), parameters=named)


def test_each_type_has_its_field(kinds):
    fields = form(kinds).fields
    assert list(fields) == list(kinds.parameters)
    wanted = {
        "flag": ipw.Checkbox, "mode": ipw.Dropdown, "day": ipw.DatePicker,
        "part": ipw.FloatSlider, "rate": ipw.FloatText, "count": ipw.IntText,
        "names": ipw.Text, "hours": ipw.Text, "free": ipw.Text,
    }  # fmt: skip
    assert {name: type(field) for name, field in fields.items()} == wanted


def test_untouched_form_changes_nothing(kinds):
    assert form(kinds).values == {}
    assert dict(form(kinds).parameters) == dict(kinds.validate())


def test_values_hold_what_was_changed_and_validate(kinds):
    made = form(kinds)
    made.fields["flag"].value = False
    made.fields["mode"].value = "slow"
    made.fields["day"].value = datetime.date(2026, 1, 2)
    made.fields["names"].value = "Rue A, Rue B"
    made.fields["hours"].value = "7, 8"
    made.fields["free"].value = "2.5"
    made.fields["count"].value = 4
    found = kinds.validate(made.values)
    assert set(made.values) == {"flag", "mode", "day", "names", "hours", "free", "count"}
    assert (found.flag, found.mode, found.day) == (False, "slow", "2026-01-02")
    assert (found.names, found.hours) == (("Rue A", "Rue B"), (7, 8))
    assert (found.free, found.count, found.rate) == (2.5, 4, 2.0)
    made.fields["count"].value = 3
    assert "count" not in made.values


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate", 99.0, "rate = 99.0: out of range; valid: 1 to 9"),
        ("free", "warm", "a number is needed"),
        ("hours", "7, 99", "out of range"),
        ("day", None, "a value is needed"),
    ],
)
def test_wrong_value_is_told_in_the_form_and_not_raised(kinds, name, value, said):
    made = form(kinds)
    assert "valid" in made.message.value
    made.fields[name].value = value
    beside = made.children[list(kinds.parameters).index(name)].children[1]
    for place in (made.message, beside):
        assert said in place.value
        assert "#b00020" in place.value
    with pytest.raises(ParameterError, match=name):
        _ = made.parameters
    made.fields[name].value = made._initial[name]
    assert "#b00020" not in made.message.value + beside.value


def test_form_of_the_heat_islands_speaks_both_languages():
    case, place = UseCase.find("heat-islands"), Territory.find("monaco")
    for language, unit in (("en", "mm/d"), ("fr", "mm/j")):
        made = form(case, place, language=language)
        rows = [child for child in made.children if isinstance(child, ipw.HBox)]
        assert len(rows) == len(case.parameters) > 20
        for parameter, row in zip(case.parameters.values(), rows, strict=True):
            field, _ = row.children
            assert field.description == parameter.name
            assert parameter.help[language] in field.tooltip
        assert unit in made.fields["et0_mm_day"].tooltip
        assert made.values == {}


def test_markup_in_a_manifest_is_shown_as_text(kinds):
    row = form(kinds).children[list(kinds.parameters).index("free")]
    assert "<b>" not in row.children[1].value
    assert "&lt;b&gt;" in row.children[1].value


def test_the_territory_sets_the_start(tmp_path, monkeypatch):
    case, place = UseCase.find("heat-islands"), Territory.find("monaco")
    monkeypatch.setitem(place.parameters, case.id, {"uhi_max_k": 4.5})
    made = form(case, place)
    assert made.fields["uhi_max_k"].value == 4.5
    assert made.values == {}
    assert made.parameters.uhi_max_k == 4.5
