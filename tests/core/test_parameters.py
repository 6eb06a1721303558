import ast
import copy
import html
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.documents import Document
from ldt_toolbox.errors import DocumentError, ParameterError
from ldt_toolbox.parameters import TYPES, Parameter, Parameters, notebook_cell, read_parameters
from ldt_toolbox.use_case import UseCase


def parameter(kind: str, **given_fields: object) -> Parameter:
    fields = {
        "name": "size", "unit": "MTR", "min": None, "max": None, "default": 1, "choices": (),
        "help": {"en": "side", "fr": "côté"}, "source": "test",
    } | given_fields  # fmt: skip
    return Parameter(type=kind, **fields)


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_number_is_accepted_exactly_in_its_range(value: float, low: float, span: float) -> None:
    checked = parameter("number", min=low, max=low + span)
    if math.isfinite(value) and low <= value <= low + span:
        assert checked.check(value) == value
        assert checked.check(repr(value)) == value
    else:
        with pytest.raises(ParameterError, match=r"^size = "):
            checked.check(value)


@given(st.integers(), st.integers(), st.integers(min_value=0))
def test_a_whole_number_is_accepted_exactly_in_its_range(value: int, low: int, span: int) -> None:
    checked = parameter("integer", min=low, max=low + span)
    if low <= value <= low + span:
        for written in (value, str(value), f" {value} "):
            assert checked.check(written) == value
            assert type(checked.check(written)) is int
    else:
        with pytest.raises(ParameterError, match="out of range"):
            checked.check(value)


def test_a_large_seed_is_not_rounded() -> None:
    seed = 2**53 + 1
    assert float(seed) != seed
    assert parameter("integer").check(seed) == seed
    assert parameter("integer").check(str(seed)) == seed
    assert parameter("integer").check(10**400) == 10**400


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("number", "2.5", 2.5),
        ("number", np.float32(2.5), 2.5),
        ("number", 3, 3.0),
        ("integer", 3.0, 3),
        ("integer", "1e3", 1000),
        ("integer", np.int64(4), 4),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("boolean", True, True),
        ("text", "091", "091"),
        ("date", "2025-07-15", "2025-07-15"),
        ("integers", "16, 32,", (16, 32)),
        ("integers", [16, 32], (16, 32)),
        ("numbers", "[1, 2.5]", (1.0, 2.5)),
        ("numbers", "", ()),
        ("texts", "rue A, rue B", ("rue A", "rue B")),
        ("texts", '["a, b", "c"]', ("a, b", "c")),
        ("texts", (), ()),
    ],
)
def test_values_and_their_text_are_read(kind: str, value: object, read: object) -> None:
    checked = parameter(kind, default=read).check(value)
    assert checked == read
    assert type(checked) is type(read)


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("number", "2,5", "a point as decimal mark"),
        ("number", "wide", "a number"),
        ("number", True, "number"),
        ("number", float("nan"), "finite"),
        ("number", 10**400, "finite"),
        ("number", [1], "a number"),
        ("number", None, "a value is needed"),
        ("integer", 2.5, "whole number"),
        ("integer", "4/2", "whole number"),
        ("integer", "1e400", "whole number"),
        ("integer", True, "whole number"),
        ("integer", "", "whole number"),
        ("boolean", "perhaps", "true or false"),
        ("boolean", 2, "true or false"),
        ("text", 91, "text"),
        ("date", "15/07/2025", "for example 2025-07-15"),
        ("date", "2025-02-30", "date"),
        ("integers", "16, 2.5", "whole number"),
        ("integers", "[1, 2", "a list"),
        ("integers", 5, "a list"),
        ("texts", [1], "text"),
        ("numbers", "[NaN]", "finite"),
    ],
)
def test_other_types_are_refused_by_name_and_value(kind: str, value: object, why: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parameter(kind, default="x").check(value)
    assert str(caught.value).startswith("size = ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("low", "high", "valid"),
    [
        (2, 50, "2 to 50 MTR"),
        (0, None, "at least 0 MTR"),
        (None, 12.5, "at most 12.5 MTR"),
        (0, 4294967295, "0 to 4294967295 MTR"),
    ],
)
def test_out_of_range_says_what_is_valid(low: float | None, high: float | None, valid: str) -> None:
    wrong = (high or 1e12) + 1 if low is None or high is not None else low - 1
    with pytest.raises(ParameterError, match=rf"out of range; valid: {valid}$"):
        parameter("number", min=low, max=high).check(wrong)


def test_choices_are_held_in_single_values_and_in_lists() -> None:
    words = ("north", "south")
    assert parameter("choice", choices=words).check("south") == "south"
    assert parameter("texts", choices=words).check("south,north") == ("south", "north")
    for kind, value in (("choice", "noth"), ("texts", ["south", "noth"])):
        with pytest.raises(ParameterError, match=r"did you mean `north`\?; valid: one of north"):
            parameter(kind, choices=words).check(value)


def test_null_stands_only_where_the_default_is_null() -> None:
    found = parameter("number", default=None)
    assert found.check(None) is None
    assert found.check("") is None
    assert found.check(3) == 3.0
    with pytest.raises(ParameterError, match="a value is needed"):
        parameter("number", default=3).check(None)


DECLARED = {
    "size": parameter("number", min=1, max=9, default=5),
    "places": parameter("texts", name="places", unit="", default=[]),
    "found": parameter("number", name="found", default=None),
}


def test_given_values_stand_before_the_territory_s_and_these_before_the_defaults() -> None:
    built = Parameters.build(
        "case", DECLARED, given={"size": "2"}, territory={"size": 3, "places": ["a"]}
    )
    assert dict(built) == {"size": 2.0, "places": ("a",), "found": None}
    assert built.origin == {"size": "given", "places": "territory", "found": "manifest"}
    assert built.size == built["size"] == 2.0
    assert len(built) == 3


def test_all_wrong_values_and_names_are_told_together() -> None:
    with pytest.raises(ParameterError) as caught:
        Parameters.build(
            "case", DECLARED, given={"siz": 2, "places": 5}, territory={"size": 99, "plces": []}
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert lines[0] == "case has no parameter `siz`: did you mean `size`?"
    assert "territory sets `plces`" in lines[1]
    assert "did you mean `places`?" in lines[1]
    assert "size = 99.0: out of range; valid: 1 to 9 MTR (in territory.yaml)" in lines[2]
    assert "places = 5: a list is needed" in lines[3]


def test_parameters_are_read_only_and_travel_between_processes() -> None:
    built = Parameters.build("case", DECLARED, given={}, territory={})
    with pytest.raises(AttributeError, match="read only"):
        built.size = 3
    with pytest.raises(AttributeError, match="read only"):
        del built.size
    with pytest.raises(TypeError):
        built["size"] = 3
    with pytest.raises(AttributeError, match=r"no parameter `sze`: did you mean `size`\?"):
        _ = built.sze
    sent = pickle.loads(pickle.dumps(built))  # noqa: S301 - our own bytes
    for twin in (sent, copy.deepcopy(built)):
        assert dict(twin) == dict(built)
        assert twin.origin == built.origin


def test_the_table_of_a_notebook_escapes_what_was_typed() -> None:
    text = "<script>alert(1)</script>"
    declared = {"name": parameter("text", name="name", default=text)}
    table = Parameters.build("case", declared, given={}, territory={})._repr_html_()
    assert text not in table
    assert html.escape(text) in table


def read(folder: Path, text: str) -> dict[str, Parameter]:
    path = folder / "use-case.yaml"
    path.write_text(text, encoding="utf-8")
    document = Document(path)
    declared = read_parameters(document)
    document.finish()
    return declared


HELP = "help: {en: a, fr: b}, source: test"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (f"class: {{type: number, default: 1, {HELP}}}", "cannot be a variable name"),
        (f"a-b: {{type: number, default: 1, {HELP}}}", "cannot be a variable name"),
        (f"items: {{type: number, default: 1, {HELP}}}", "is taken by the toolbox"),
        (f"territory: {{type: text, default: x, {HELP}}}", "is taken by the toolbox"),
        (f"a: {{type: nummer, default: 1, {HELP}}}", "did you mean `number`?"),
        (f"a: {{type: number, {HELP}}}", "lacks `default`"),
        (f"a: {{type: number, min: 2, default: 1, {HELP}}}", "fails its own check"),
        (f"a: {{type: number, min: low, default: 1, {HELP}}}", "must be a number"),
        (f"a: {{type: number, min: 3, max: 2, default: null, {HELP}}}", "min 3 is above max 2"),
        (f"a: {{type: number, default: '5', {HELP}}}", "is written 5.0"),
        (f"a: {{type: boolean, default: yes, {HELP}}}", "is written True"),
        (f"a: {{type: choice, default: null, {HELP}}}", "lacks `choices`"),
        (f"a: {{type: choice, choices: [1, 2], default: '1', {HELP}}}", "are texts"),
        (f"a: {{type: choice, choices: x, default: x, {HELP}}}", "must be a list"),
        (f"a: {{type: number, default: 1, defalt: 2, {HELP}}}", "did you mean `default`?"),
        ("a: {type: number, default: 1, help: {en: a}, source: test}", "lacks `fr`"),
        ("a: {type: number, default: 1, help: words, source: test}", "`key: value` lines"),
        ("a: 5", "`key: value` lines"),
    ],
)
def test_mistakes_in_a_declaration_are_told(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, f"parameters:\n  {entry}\n")
    assert any(message in p.message and p.line == 2 for p in caught.value.problems)


def literals(cell: str) -> dict[str, object]:
    """Names and values of a cell, as a notebook runner reads and writes them."""
    return {
        node.target.id: ast.literal_eval(node.value)
        for node in ast.parse(cell).body
        if isinstance(node, ast.AnnAssign)
    }


def test_the_notebook_s_cell_holds_the_defaults_as_literals() -> None:
    case = UseCase.find("heat-islands")
    cell = notebook_cell(case.parameters, territory="monaco")
    lines = cell.splitlines()
    found = literals(cell)
    assert len(case.parameters) == 26
    assert len(lines) == len(case.parameters) + 4
    assert len(found) == len(lines) - 1
    assert found.pop("territory") == "monaco"
    assert found.pop("territory_values") is True
    found.pop("results_folder")
    assert found == {name: p.default for name, p in case.parameters.items()}
    for line, p in zip(lines[4:], case.parameters.values(), strict=True):
        assert line.startswith(f"{p.name}: {p.python_type} = ")
        assert p.help["en"] in line
        assert p.range_text() in line


def test_a_cell_stays_valid_with_odd_texts() -> None:
    declared = {
        "a": parameter("text", name="a", default='"\\\n\u2028é', help={"en": "two\nlines"}),
        "b": parameter("boolean", name="b", default=False),
        "c": parameter("texts", name="c", default=["true", 'x"y']),
        "d": parameter("text", name="d", default="true"),
    }
    found = literals(notebook_cell(declared, territory='C:\\new "town"'))
    assert found["territory"] == 'C:\\new "town"'
    assert {k: found[k] for k in declared} == {k: p.default for k, p in declared.items()}


VALUES = {
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(),
    "boolean": st.booleans(),
    "text": st.text(),
    "date": st.dates().map(str),
    "choice": st.sampled_from(["a", "b"]),
    "integers": st.lists(st.integers()),
    "numbers": st.lists(st.floats(allow_nan=False, allow_infinity=False)),
    "texts": st.lists(st.text()),
}


@pytest.mark.parametrize("kind", TYPES)
@given(data=st.data())
def test_a_checked_value_survives_the_way_through_a_notebook(
    kind: str, data: st.DataObject
) -> None:
    assert set(VALUES) == set(TYPES)
    value = data.draw(VALUES[kind])
    checked = parameter(kind, default="", choices=("a", "b") if kind == "choice" else ())
    once = checked.check(value)
    written = repr(list(once) if isinstance(once, tuple) else once)
    assert checked.check(ast.literal_eval(written)) == once
